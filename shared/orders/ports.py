"""What the use cases need of the outside, in the order desk's own words."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import tenacity

from shared.customers.verification import Standing
from shared.inventory.bundles import Bundles
from shared.inventory.ports import StockReader
from shared.kernel.clock import Clock
from shared.kernel.errors import StorebridgeError
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import Commit, Fingerprint
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
            Contended: others were faster at a stock line.
            Conflict: the record has changed since it was read.
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


class GroupBook(OrderBook, OrderIndex, Protocol):
    """A book that takes many orders at once."""

    def commit_all(self, commits: Sequence[Commit]) -> None:
        """Write these records, each of another order, and their stock changes in one transaction, all or nothing: as if
        they came one after the other, each of them finding what it takes. Records and stock lines are 100 at the most.

        Raises:
            Contended: others were faster at a stock line.
            Conflict: a record has changed since it was read.
        """
        ...

    def write_accounts(self, orders: Sequence[Order]) -> Mapping[OrderKey, StorebridgeError]:
        """:meth:`write_account` for many different orders in few calls, at twice the write units.

        Returns what could not be written, and why. Raises `Retry` like every method; some may be written then.
        """
        ...

    def claim_fingerprints(self, claims: Sequence[Fingerprint]) -> Mapping[OrderKey, OrderKey]:
        """:meth:`claim_fingerprint` for many orders in few calls, at twice the write units: each order that had a twin
        before it, with that twin.

        Raises:
            Conflict: others claim the same at this moment. Do it again.
        """
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


class Arrival(NamedTuple):
    """One whole account of an order, and the desk of its shop: one of many that come together. All desks share one book
    and one stock room."""

    order: Order
    desk: Desk
