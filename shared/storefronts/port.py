"""The port of a storefront: what the order desk asks of any vendor.

Each vendor package implements it with the same files: `schemas` (what they send, leniently), `mapping` (to the
canonical order), `client` (what we call), `signature` (how they sign).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.orders.models import Order
from shared.storefronts.delivery import Delivery


@dataclass(frozen=True, slots=True)
class CompleteOrder:
    """The delivery holds the whole order."""

    order: Order


@dataclass(frozen=True, slots=True)
class OrderHint:
    """The delivery only says that this order changed: fetch it."""

    order_id: str
    reason: str
    """`thin`, `delta`, `deleted`, `refund_lines_missing` …: for logs and metrics."""
    partial: Order | None = None
    """What is known without fetching, where that is an order at all: used if the shop has no API access."""


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """The delivery is genuine but concerns no order that we keep (a checkout draft, an order gone meanwhile)."""

    reason: str


Reading = CompleteOrder | OrderHint | NothingToDo


class OrderReader(Protocol):
    """Turn a delivery into the canonical order.

    Raises:
        Rejected: `invalid_payload` with the path of the first field that cannot be read.
    """

    def __call__(self, delivery: Delivery) -> Reading: ...


class StorefrontClient(Protocol):
    """Calls to one shop's API."""

    def fetch_order(self, order_id: str) -> Delivery | None:
        """The order as it is now, complete enough for the reader; None when the storefront has no such order.

        Raises:
            Retry: the shop is out of reach, throttles, or fails.
            Rejected: `api_access` when the shop refuses our credentials or scopes.
        """
        ...


class Credentials(Protocol):
    """One shop's API credentials. `fresh=True` reads them again from the store: once, after the shop refused them."""

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]: ...
