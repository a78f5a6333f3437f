"""What a delivery about a customer turns out to be, once its vendor's reader has looked at it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.customers.models import Customer


@dataclass(frozen=True, slots=True)
class CompleteCustomer:
    """The delivery holds the whole customer."""

    customer: Customer


@dataclass(frozen=True, slots=True)
class CustomerHint:
    """The delivery only says that this customer changed: fetch it."""

    customer_id: str
    reason: str
    """`thin`, `withheld` …: for logs and metrics."""


@dataclass(frozen=True, slots=True)
class CustomerDeleted:
    customer_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CustomersMerged:
    """The shop's staff merged two accounts there: one is left."""

    kept: str
    gone: str
    at: datetime


class PrivacyTopic(StrEnum):
    DATA_REQUEST = "data_request"
    """Hand over all that is kept about the customer."""
    REDACT = "redact"
    """Erase what is kept about the customer."""
    SHOP_REDACT = "shop_redact"
    """The merchant has left the platform: erase what is kept about all of the shop's customers."""


@dataclass(frozen=True, slots=True)
class PrivacyCall:
    """A storefront passes on what the law grants a person."""

    topic: PrivacyTopic
    at: datetime
    customer_id: str | None
    email: str | None = None
    phone: str | None = None
    orders: tuple[str, ...] = ()
    """The storefront's ids of the orders that it is about."""
    reference: str | None = None
    """The storefront's own number of the request."""


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """The delivery is genuine but concerns no customer that we keep (a merge that failed, an administrator)."""

    reason: str


CustomerReading = CompleteCustomer | CustomerHint | CustomerDeleted | CustomersMerged | PrivacyCall | NothingToDo
