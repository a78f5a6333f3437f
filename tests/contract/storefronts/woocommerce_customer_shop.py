"""A WooCommerce shop with customers: what buyers do there, what it sends, and what we write to it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx

from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from shared.customers.models import Customer, Profile, ProfileField
from shared.customers.readings import CompleteCustomer, CustomerReading
from shared.storefronts.delivery import Delivery
from shared.storefronts.ingress import Authenticated, WebhookRequest
from shared.storefronts.port import CustomerRegister
from shared.storefronts.woocommerce.customer_mapping import read_customer
from shared.storefronts.woocommerce.customers import WooCommerceCustomers
from shared.storefronts.woocommerce.signature import authenticate_customers
from shared.storefronts.woocommerce.subscriptions import CUSTOMER_TOPICS

SECRET = "wh-secret-1"
ADDRESS = "shop.example"


class WooCommerceCustomerShop:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.fake = WooCommerceFake(self.clock, address=ADDRESS, send=self._take)
        self.received: list[Delivery] = []
        for topic in CUSTOMER_TOPICS:
            self.fake.webhooks.register(topic, "https://hooks.example/webhooks/borealis/customers", secret=SECRET)
        self.register: CustomerRegister = WooCommerceCustomers(
            "borealis", ADDRESS, _keys, httpx.Client(transport=httpx.MockTransport(self.fake)), self.clock
        )

    def clock(self) -> datetime:
        return self.now

    def later(self, seconds: float = 60) -> None:
        self.now += timedelta(seconds=seconds)

    def deliver(self) -> list[CustomerReading]:
        """What the shop sends now, let in and read."""
        self.received.clear()
        self.fake.deliver()
        return [read_customer(delivery) for delivery in self.received]

    def shown(self, customer_id: str) -> Customer:
        delivery = self.register.fetch(customer_id)
        assert delivery is not None
        reading = read_customer(delivery)
        assert isinstance(reading, CompleteCustomer)
        return reading.customer

    def write(self, customer_id: str, profile: Profile, *fields: ProfileField) -> None:
        self.register.write(customer_id, profile, frozenset(fields))

    def _take(self, _url: str, headers: Mapping[str, str], body: bytes) -> int:
        taken = authenticate_customers(WebhookRequest(headers, body), secrets=[SECRET], shop_address=ADDRESS)
        if isinstance(taken, Authenticated):
            at = f"{self.now:%Y-%m-%dT%H:%M:%S}.000000000Z"
            self.received.append(Delivery("borealis", "woocommerce", taken.topic, at, body))
        return 202


def _keys(*, fresh: bool = False) -> Mapping[str, str]:
    return {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}
