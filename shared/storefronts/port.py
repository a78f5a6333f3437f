"""The port of a storefront: what the order desk asks of any vendor.

Each vendor package implements it with the same files: `schemas` (what they send, leniently), `mapping` (to the
canonical order), `client` (what we call), `signature` (how they sign).
"""

from collections.abc import Mapping
from typing import Protocol

from shared.orders.readings import CompleteOrder, NothingToDo, OrderHint, Reading
from shared.storefronts.delivery import Delivery

__all__ = ["CompleteOrder", "Credentials", "NothingToDo", "OrderHint", "OrderReader", "Reading", "StorefrontClient"]


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
