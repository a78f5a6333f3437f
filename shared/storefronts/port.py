"""The port of a storefront: what the order desk asks of any vendor.

Each vendor package implements it with the same files: `schemas` (what they send, leniently), `mapping` (to the
canonical order), `client` (what we call), `signature` (how they sign).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from shared.customers.models import Profile, ProfileField
from shared.customers.readings import CustomerReading
from shared.kernel.credentials import Credentials
from shared.kernel.model import Canonical
from shared.kernel.money import CurrencyCode
from shared.orders.dispatch import Dispatch
from shared.orders.readings import CompleteOrder, NothingToDo, OrderHint, Reading
from shared.webhooks.delivery import Delivery

__all__ = [
    "Change",
    "ChangePage",
    "CompleteOrder",
    "Credentials",
    "CustomerReader",
    "CustomerRegister",
    "FulfilmentDesk",
    "Inspection",
    "Need",
    "NothingToDo",
    "OrderHint",
    "OrderReader",
    "Reading",
    "ShopFacts",
    "ShopLocation",
    "ShopRight",
    "StorefrontClient",
    "Subscription",
    "SubscriptionDesk",
    "SubscriptionState",
]


class OrderReader(Protocol):
    """Turn a delivery into the canonical order.

    Raises:
        Rejected: `invalid_payload` with the path of the first field that cannot be read.
    """

    def __call__(self, delivery: Delivery) -> Reading: ...


class CustomerReader(Protocol):
    """Turn a delivery about a customer, or a privacy call, into what it says.

    Raises:
        Rejected: `invalid_payload` with the path of the first field that cannot be read.
    """

    def __call__(self, delivery: Delivery) -> CustomerReading: ...


class Change(NamedTuple):
    """That something in the shop changed, and not what it is now."""

    id: str
    changed_at: datetime
    """The shop's own time of the last change, as its accounts state it."""
    created_at: datetime | None = None
    is_draft: bool = False
    """Not an order yet: a checkout that nobody has finished."""


class ChangePage(NamedTuple):
    """One page of a list of what changed in a shop."""

    changes: tuple[Change, ...]
    cursor: str | None
    """Where the next page starts; None after the last."""

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(change.id for change in self.changes)


class StorefrontClient(Protocol):
    """Calls to one shop's API."""

    def fetch_order(self, order_id: str) -> Delivery | None:
        """The order as it is now, complete enough for the reader; None when the storefront has no such order.

        Raises:
            Retry: the shop is out of reach, throttles, or fails.
            Rejected: `api_access` when the shop refuses our credentials or scopes.
        """
        ...

    def changed_orders(self, since: datetime, until: datetime, cursor: str | None) -> ChangePage:
        """One page of the orders that last changed within the period, oldest change first.

        At the edges there may be some that changed outside of it, and an order may be listed twice; one that changes
        after `until` while it is listed may be missing, for it is no longer the period's.

        Raises:
            Retry, Rejected: as above; `invalid_cursor` for one that is not of such a list.
        """
        ...


class FulfilmentDesk(Protocol):
    """What we tell one shop of its orders. Every call may be repeated: it changes only what is not so yet.

    A caller asks for one order from one place at a time; the shop's own staff may act meanwhile.

    Raises:
        Retry: the shop is out of reach, throttles or fails; `storefront_outcome_unknown` when a write may have been
            carried out: the repeated call looks first.
        Rejected: `api_access`; `unknown_order`; `not_shippable` with a plain reason when the shop takes no shipment of
            this order (cancelled there, lines removed, more units than the shop has open).
    """

    def tell_dispatched(
        self, order_id: str, dispatches: Sequence[Dispatch], *, known: Mapping[str, str], notify_buyer: bool
    ) -> Mapping[str, str]:
        """Have the shop show all consignments of the order so far, each once, with tracking per parcel.

        `known` is what earlier calls returned. A consignment that the shop shows already is recognised even if it is
        not in `known`: the answer to an earlier call may have been lost, or staff may have entered it by hand. When
        tracking of a known one has changed, the shop's is brought up to date. The buyer is notified by the shop once
        for each consignment, and once more when a number comes for one that had none.

        Returns the shop's own fulfilment ids by the consignments' keys, `known` included.
        """
        ...

    def complete(self, order_id: str, dispatches: Sequence[Dispatch], *, known: Mapping[str, str]) -> None:
        """Have the shop show the order as completed: everything has been delivered, or counts as such."""
        ...

    def cancel(self, order_id: str, reason: str) -> None:
        """Cancel the order at the shop without refunding and without moving the shop's own stock: both are ours to do.

        One that is cancelled already stays so. `reason` is a plain sentence for the shop's staff.
        """
        ...


class CustomerRegister(Protocol):
    """The customers of one shop.

    Raises:
        Retry: the shop is out of reach, throttles or fails; `storefront_outcome_unknown` when a write may have been
            carried out: fetch, compare, and write again what is still different.
        Rejected: `api_access` when the shop refuses our credentials or scopes; `api_error`.
    """

    def fetch(self, customer_id: str) -> Delivery | None:
        """The customer as it is now, complete enough for the reader; None when the shop has no such customer."""
        ...

    def changed(self, since: datetime, until: datetime, cursor: str | None) -> ChangePage:
        """One page of the customers that changed within the period, as `StorefrontClient.changed_orders`.

        A shop that cannot list customers by their last change lists those that registered within the period.
        """
        ...

    def write(self, customer_id: str, profile: Profile, fields: frozenset[ProfileField]) -> None:
        """Have the shop show these fields of the profile, and leave everything else alone.

        A field that is None in the profile is cleared where the shop can be without it, and left where it cannot
        (an account's e-mail address). Of an address only the usual one is changed, in place; the others stay.

        Raises:
            Rejected: `unknown_customer`; `customer_refused` with `field` (a `ProfileField`) when the shop does not
                take a value: an address that another account has, a telephone number that it calls invalid.
        """
        ...


class SubscriptionState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    """Somebody of the shop stopped it."""
    DISABLED = "disabled"
    """The shop stopped it, after deliveries that failed."""


class Subscription(NamedTuple):
    """One webhook that a shop has."""

    id: str
    topic: str
    """As deliveries name it: `orders/create`, `order.created`."""
    url: str
    state: SubscriptionState = SubscriptionState.ACTIVE


class SubscriptionDesk(Protocol):
    """The webhooks of one shop.

    Raises:
        Retry: the shop is out of reach, throttles or fails. What became of a write is unknown then: list again.
        Rejected: `api_access`; `subscription_refused` when the shop does not take one.
    """

    def list(self) -> tuple[Subscription, ...]:
        """Every webhook that our credentials let us see, those of others among them."""
        ...

    def create(self, topic: str, url: str, secret: str) -> Subscription:
        """Have the shop send a topic to a URL, signed with the secret where the shop lets us choose it."""
        ...

    def delete(self, subscription_id: str) -> None:
        """Remove one. One that is gone already stays so."""
        ...


class Need(StrEnum):
    """What a right is needed for."""

    ORDERS = "orders"
    """To read orders, and to be told of them."""
    STOCK = "stock"
    """To keep the levels that the shop shows."""
    FULFILMENT = "fulfilment"
    """To tell the shop of shipments, completion and cancellation."""
    CUSTOMERS = "customers"
    """To read customers, to be told of them, and to write what was changed in the back office."""


class ShopRight(Canonical):
    """Something that our credentials allow, or not."""

    what: str
    """In the vendor's own words: `write_orders`."""
    needs: tuple[Need, ...]
    """Empty: all goes without it, only less."""
    granted: bool | None
    """None: the shop does not say."""
    without: str = ""
    """What does not work without it, where that is not plain from the needs."""


class ShopLocation(Canonical):
    id: str
    name: str
    active: bool


class ShopFacts(Canonical):
    """What a shop says of itself."""

    name: str | None = None
    version: str | None = None
    """Of its software, where the merchant runs it."""
    currency: CurrencyCode | None = None
    """None: our credentials may not read it."""
    prices_include_tax: bool | None = None
    rights: tuple[ShopRight, ...] = ()
    locations: tuple[ShopLocation, ...] | None = None
    """None: it has none, or does not say."""


class Inspection(Protocol):
    """Look at one shop as our credentials see it."""

    def facts(self) -> ShopFacts:
        """Only reads: no right is tried out by changing anything.

        Raises:
            Retry: the shop is out of reach, throttles or fails.
            Rejected: `api_access` when the shop refuses our credentials altogether; `api_error`.
        """
        ...
