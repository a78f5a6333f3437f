"""The port of a storefront: what the order desk asks of any vendor.

Each vendor package implements it with the same files: `schemas` (what they send, leniently), `mapping` (to the
canonical order), `client` (what we call), `signature` (how they sign).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from shared.orders.readings import CompleteOrder, NothingToDo, OrderHint, Reading
from shared.storefronts.delivery import Delivery

__all__ = [
    "CompleteOrder",
    "Credentials",
    "NothingToDo",
    "OrderHint",
    "OrderIds",
    "OrderReader",
    "Reading",
    "StorefrontClient",
]


class OrderReader(Protocol):
    """Turn a delivery into the canonical order.

    Raises:
        Rejected: `invalid_payload` with the path of the first field that cannot be read.
    """

    def __call__(self, delivery: Delivery) -> Reading: ...


class OrderIds(NamedTuple):
    """One page of a list of orders."""

    ids: tuple[str, ...]
    cursor: str | None
    """Where the next page starts; None after the last."""


class StorefrontClient(Protocol):
    """Calls to one shop's API."""

    def fetch_order(self, order_id: str) -> Delivery | None:
        """The order as it is now, complete enough for the reader; None when the storefront has no such order.

        Raises:
            Retry: the shop is out of reach, throttles, or fails.
            Rejected: `api_access` when the shop refuses our credentials or scopes.
        """
        ...

    def changed_orders(self, since: datetime, until: datetime, cursor: str | None) -> OrderIds:
        """One page of the orders that last changed within the period, oldest change first.

        At the edges there may be some that changed outside of it, and an order may be listed twice; one that changes
        after `until` while it is listed may be missing, for it is no longer the period's.

        Raises:
            Retry, Rejected: as above; `invalid_cursor` for one that is not of such a list.
        """
        ...


class Credentials(Protocol):
    """One shop's API credentials. `fresh=True` reads them again from the store: once, after the shop refused them."""

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]: ...
