"""A WooCommerce shop for the suite of customer registers, and what it sends of its customers."""

from collections.abc import Mapping
from typing import Any

import httpx

from infra.fakes.shopify_bucket import VirtualClock
from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.fakes.woocommerce_customers import Account
from shared.customers.models import Customer, PostalAddress, Profile, ProfileField
from shared.customers.readings import CompleteCustomer, CustomerReading
from shared.kernel.clock import as_sortable
from shared.storefronts.port import CustomerRegister
from shared.storefronts.woocommerce.customer_mapping import read_customer
from shared.storefronts.woocommerce.customers import WooCommerceCustomers
from shared.storefronts.woocommerce.signature import authenticate_customers
from shared.storefronts.woocommerce.subscriptions import CUSTOMER_TOPICS
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import Authenticated, WebhookRequest
from tests.contract.storefronts.customer_shops import CustomerShop, Handler

SECRET = "wh-secret-1"
ADDRESS = "shop.example"


class WooCommerceShop(CustomerShop):
    has_language = False
    lists_changes = False

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.reader = read_customer
        self.fake = WooCommerceFake(self.clock, address=ADDRESS, send=self._take)
        self.received: list[Delivery] = []
        for topic in CUSTOMER_TOPICS:
            self.fake.webhooks.register(topic, "https://hooks.example/webhooks/borealis/customers", secret=SECRET)

    def handle(self, request: httpx.Request) -> httpx.Response:
        return self.fake(request)

    def desk(self, handler: Handler | None = None) -> CustomerRegister:
        http = httpx.Client(transport=httpx.MockTransport(handler or self.handle))
        return WooCommerceCustomers("borealis", ADDRESS, _keys, http, self.clock)

    def register(self, profile: Profile) -> str:
        names = {"first_name": profile.first_name or "", "last_name": profile.last_name or ""}
        account = self.fake.register(profile.email or "", **names)
        if profile.billing:
            own = {"email": account.email, "phone": profile.phone or "", "company": profile.company or ""}
            self.fake.edit_address(account, "billing", **in_rest(profile.billing), **own)
        if profile.shipping:
            company = profile.shipping.company or ""
            self.fake.edit_address(account, "shipping", **in_rest(profile.shipping), company=company)
        return str(account.id)

    def edit(self, customer_id: str, *, first_name: str) -> None:
        self.fake.edit_details(self.account(customer_id), first_name=first_name)

    def delete(self, customer_id: str) -> None:
        self.fake.delete_account(self.account(customer_id))

    def state(self, customer_id: str) -> Any:
        return {**self.account(customer_id).body(), "date_modified": None, "date_modified_gmt": None}

    @property
    def writes(self) -> int:
        return self.fake.customers.writes

    # What the others have not

    def account(self, customer_id: str) -> Account:
        return self.fake.customers.accounts[int(customer_id)]

    def deliver(self) -> list[CustomerReading]:
        """What the shop sends now, let in and read."""
        self.received.clear()
        self.fake.deliver()
        return [read_customer(delivery) for delivery in self.received]

    def shown(self, customer_id: str) -> Customer:
        delivery = self.desk().fetch(customer_id)
        assert delivery is not None
        reading = read_customer(delivery)
        assert isinstance(reading, CompleteCustomer)
        return reading.customer

    def write(self, customer_id: str, profile: Profile, *fields: ProfileField) -> None:
        self.desk().write(customer_id, profile, frozenset(fields))

    def _take(self, _url: str, headers: Mapping[str, str], body: bytes) -> int:
        taken = authenticate_customers(WebhookRequest(headers, body), secrets=[SECRET], shop_address=ADDRESS)
        if isinstance(taken, Authenticated):
            at = as_sortable(self.clock())
            self.received.append(Delivery("borealis", "woocommerce", taken.topic, at, body))
        return 202


def in_rest(address: PostalAddress) -> dict[str, str]:
    """The place and the recipient by WooCommerce's names."""
    return {
        "first_name": address.first_name or "",
        "last_name": address.last_name or "",
        "address_1": address.address1 or "",
        "address_2": address.address2 or "",
        "city": address.city or "",
        "postcode": address.postal_code or "",
        "country": address.country_code or "",
        "state": address.province_code or "",
    }


def _keys(*, fresh: bool = False) -> Mapping[str, str]:
    return {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}
