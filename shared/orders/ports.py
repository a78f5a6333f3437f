"""What the use cases need of the outside, in the order desk's own words."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import tenacity

from shared.customers.verification import Standing
from shared.inventory.bundles import Bundles
from shared.inventory.ports import StockReader
from shared.kernel.clock import Clock
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import Commit
from shared.orders.models import Order
from shared.orders.record import OrderRecord
from shared.orders.review import ReviewRules


class OrderFinder(Protocol):
    """Where orders can be looked up. Every method raises `Retry` when the store is out of reach."""

    def find(self, key: OrderKey) -> OrderRecord | None:
        """The record, read consistently."""
        ...


class OrderIndex(OrderFinder, Protocol):
    """The same for many at a time."""

    def find_many(self, keys: Iterable[OrderKey]) -> Mapping[OrderKey, OrderRecord]:
        """The records that there are of these orders, each read consistently."""
        ...


class OrderBook(OrderFinder, Protocol):
    """Where orders are kept. Every method raises `Retry` when the store is out of reach or its answer is unknown."""

    def find_account(self, key: OrderKey) -> Order | None:
        """The whole canonical order with its personal data, as the newest account stated it."""
        ...

    def write_account(self, order: Order) -> None:
        """Keep the whole order and its personal data, unless a newer account is kept already.

        Written before the commit: if the commit then fails, the account is ahead of the record until the message is
        taken in again. Its version tells.

        Raises:
            Conflict: a newer account is kept.
        """
        ...

    def commit(self, commit: Commit) -> None:
        """Write the record and its stock changes in one transaction, all or nothing.

        Raises:
            Conflict: the record or a stock line has changed since it was read.
        """
        ...

    def claim_fingerprint(
        self, fingerprint: str, key: OrderKey, *, placed_at: datetime, window: timedelta
    ) -> OrderKey | None:
        """Note that this order has this fingerprint; return the order placed within the window that had it first."""
        ...

    def needing_attention(self, shop: str) -> Iterator[OrderKey]:
        """The shop's orders that are held, wait for stock or hold a placeholder, longest waiting first."""
        ...


class Buyers(OrderIndex, Protocol):
    """Orders whose buyers can be forgotten. Every method raises `Retry` when the store is out of reach."""

    def find_account(self, key: OrderKey) -> Order | None:
        """The whole canonical order; its personal data is empty once the buyer was forgotten."""
        ...

    def forget_buyer(self, key: OrderKey, at: datetime) -> bool:
        """Take the buyer's data out of the order, for good: a later account is kept without it. Of an order that is
        not known yet, the same. Whether it was not forgotten before.

        Raises:
            Conflict: a newer account came in between. Do it again.
        """
        ...

    def is_forgotten(self, key: OrderKey) -> bool: ...

    def unforgotten(self, shop: str) -> Iterator[OrderKey]:
        """Every order of the shop whose buyer is kept, in no order. Reads the whole table."""
        ...


class Storefront(Protocol):
    """One shop's API, as far as the order desk needs it."""

    def fetch(self, order_id: str) -> Order | None:
        """The order as it is now; None when the storefront has no such order.

        Raises:
            Retry: the shop is out of reach or throttles.
            Rejected: the shop refuses us, or answers with what cannot be read.
        """
        ...


def _not_asked(_order: Order) -> Standing:
    return Standing.NOT_ASKED


@dataclass(frozen=True)
class Desk:
    """One shop's order desk: everything a use case works with."""

    book: OrderBook
    stock: StockReader
    storefront: Storefront | None
    """None where the shop has no API access: then hints cannot be followed up."""
    locations: Sequence[str]
    """The locations that serve this shop, in the order of preference."""
    rules: ReviewRules
    clock: Clock
    retrying: Callable[[], tenacity.Retrying]
    """How often to read and decide again after a conflict."""
    bundles: Callable[[], Bundles] = dict
    """The bundles of today."""
    standing: Callable[[Order], Standing] = _not_asked
    """Whether the order's buyer is known to be who they say. May raise `Retry`."""
