"""Shops of each vendor for the suite of customer registers: what buyers do there, and what the shop then shows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from infra.fakes.shopify_admin import TOKEN, ShopifyAdmin
from infra.fakes.shopify_bucket import VirtualClock
from shared.customers.models import PostalAddress, Profile
from shared.storefronts.port import CustomerReader, CustomerRegister
from shared.storefronts.shopify.customer_mapping import read_customer as read_shopify_customer
from shared.storefronts.shopify.customers import ShopifyCustomers

Handler = Callable[[httpx.Request], httpx.Response]

BERLIN = PostalAddress(
    first_name="Zoë",
    last_name="Ünal",
    company="Ünal GmbH",
    address1="Hauptstr. 1",
    address2="Hinterhaus",
    city="Berlin",
    postal_code="10115",
    country_code="DE",
)
UTRECHT = PostalAddress(
    first_name="Zoë",
    last_name="Ünal",
    company="Ünal GmbH",
    address1="Example Street 1",
    city="Utrecht",
    postal_code="3511 AA",
    country_code="NL",
)
ZOE = Profile(
    email="zoe@example.test",
    phone="+49302000000",
    first_name="Zoë",
    last_name="Ünal",
    company="Ünal GmbH",
    language="de",
    billing=BERLIN,
    shipping=BERLIN,
)


class CustomerShop(ABC):
    """One vendor's shop, without customers."""

    clock: VirtualClock
    reader: CustomerReader
    has_language = True
    lists_changes = True
    """Whether the shop lists customers by their last change; otherwise by when they registered."""

    @abstractmethod
    def handle(self, request: httpx.Request) -> httpx.Response: ...

    @abstractmethod
    def desk(self, handler: Handler | None = None) -> CustomerRegister:
        """One that knows nothing of earlier calls."""

    @abstractmethod
    def register(self, profile: Profile) -> str:
        """A buyer registers, and fills in their profile; the shop's id of the account."""

    @abstractmethod
    def edit(self, customer_id: str, *, first_name: str) -> None:
        """The buyer changes their name."""

    @abstractmethod
    def delete(self, customer_id: str) -> None: ...

    @abstractmethod
    def state(self, customer_id: str) -> Any:
        """All of the account that could differ."""

    @property
    @abstractmethod
    def writes(self) -> int:
        """How often something was written over the API."""


class ShopifyShop(CustomerShop):
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.reader = read_shopify_customer
        self.fake = ShopifyAdmin(self.clock)
        self.writes_seen = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.writes_seen += b'"query":"mutation' in request.content
        return self.fake.handler(request)

    def desk(self, handler: Handler | None = None) -> CustomerRegister:
        http = httpx.Client(transport=httpx.MockTransport(handler or self.handle))
        return ShopifyCustomers("aurora", "aurora.myshopify.com", _token, http, self.clock)

    def register(self, profile: Profile) -> str:
        return self.fake.customers.register(
            email=profile.email,
            phone=profile.phone,
            first_name=profile.first_name,
            last_name=profile.last_name,
            locale=profile.language or "en",
            address=in_rest(profile.shipping, profile.company) if profile.shipping else None,
        )

    def edit(self, customer_id: str, *, first_name: str) -> None:
        self.fake.customers.edit(customer_id, first_name=first_name)

    def delete(self, customer_id: str) -> None:
        self.fake.customers.delete(customer_id)

    def state(self, customer_id: str) -> Any:
        return {**self.fake.customers.kept[customer_id], "updated_at": None}

    @property
    def writes(self) -> int:
        return self.writes_seen


def in_rest(address: PostalAddress, company: str | None) -> dict[str, Any]:
    """As Shopify's webhooks name an address's parts."""
    parts = address.model_dump(exclude={"postal_code", "name", "country", "province"})
    return {**parts, "zip": address.postal_code, "company": company}


def _token(*, fresh: bool = False) -> Mapping[str, str]:
    return {"access_token": TOKEN}
