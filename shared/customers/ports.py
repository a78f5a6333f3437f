"""What the customers' use cases need of the outside, in their own words."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import tenacity

from shared.customers.commits import CustomerCommit, MergeCommit
from shared.customers.conflicts import EditConflict
from shared.customers.marks import Mark, Marker
from shared.customers.matching import Proposal
from shared.customers.merges import Merge
from shared.customers.models import Customer
from shared.customers.record import CustomerRecord
from shared.customers.rules import CustomerRules
from shared.kernel.clock import Clock
from shared.kernel.identifiers import CustomerKey, OrderKey


class CustomerFinder(Protocol):
    """Every method raises `Retry` when the store is out of reach."""

    def find(self, key: CustomerKey) -> CustomerRecord | None:
        """The record as the last commit left it."""
        ...

    def find_many(self, keys: Iterable[CustomerKey]) -> Mapping[CustomerKey, CustomerRecord]: ...

    def find_customer(self, key: CustomerKey) -> Customer | None:
        """The customer with its personal data, as the newest account stated it; None when unknown or forgotten."""
        ...


class CustomerBook(CustomerFinder, Protocol):
    """Where customers are kept. Every method raises `Retry` when the store is out of reach or its answer unknown."""

    def commit(self, commit: CustomerCommit) -> None:
        """Write all of it, or nothing.

        Raises:
            Conflict: the record has changed since it was read.
        """
        ...

    def bearers(self, mark: Mark, *, most: int) -> tuple[CustomerKey, ...]:
        """Customers that bear a mark, at most so many."""
        ...

    # ---- one person's customers ----

    def members(self, leader: CustomerKey) -> tuple[CustomerKey, ...]:
        """All customers that go by this leader, the leader first."""
        ...

    def commit_merge(self, commit: MergeCommit) -> None:
        """Change leaders and keep the merge, all or nothing.

        Raises:
            Conflict: one of the records has changed since it was read.
        """
        ...

    def merges_of(self, leader: CustomerKey) -> Iterator[Merge]:
        """Merges into this person, undone ones too, the newest first."""
        ...

    def keep_proposal(self, proposal: Proposal) -> bool:
        """Keep a proposal unless there is one of the same two; whether it was new. Raises `Conflict` when somebody else
        was at it."""
        ...

    def find_proposal(self, proposal_id: str) -> Proposal | None: ...

    def decide_proposal(self, proposal: Proposal) -> None:
        """Keep what became of an open proposal. Raises `Conflict` when it was decided meanwhile."""
        ...

    def proposals(self) -> Iterator[Proposal]:
        """All that are open, the oldest first."""
        ...

    # ---- orders ----

    def link_order(self, key: CustomerKey, order: OrderKey, at: datetime) -> None:
        """Note that an order is this customer's; an order belongs to one, and moves when it is linked again."""
        ...

    def customer_of(self, order: OrderKey) -> CustomerKey | None: ...

    def orders_of(self, key: CustomerKey) -> Iterator[OrderKey]: ...

    # ---- edits on both sides at once ----

    def keep_conflict(self, conflict: EditConflict) -> None:
        """Keep what lost, under the customer's own key, for some months. The same conflict again changes nothing."""
        ...

    def conflicts_of(self, leader: CustomerKey) -> Iterator[EditConflict]:
        """The newest first."""
        ...

    def forget_conflicts(self, leader: CustomerKey) -> int:
        """Remove them all, for they hold personal data, and those under whoever led this customer before that name it
        as a side; returns how many there were."""
        ...

    # ---- registrations in a row ----

    def count_registration(self, counter: str, at: datetime, *, minutes: int) -> int:
        """Count one more on a counter of this period of so many minutes; returns how many there are now."""
        ...

    # ---- operators ----

    def needing_attention(self, shop: str) -> Iterator[CustomerKey]:
        """Customers with open flags, the longest waiting first."""
        ...

    def all_records(self, shop: str | None = None) -> Iterator[CustomerRecord]:
        """Every customer, in no order: for operators. Reads the whole table."""
        ...


class CustomerSide(Protocol):
    """One shop's API, as far as customers need it."""

    def fetch(self, customer_id: str) -> Customer | None:
        """The customer as it is now; None when the storefront has no such customer.

        Raises:
            Retry: the shop is out of reach or throttles.
            Rejected: the shop refuses us, or answers with what cannot be read.
        """
        ...


def _not_asked(_domain: str) -> bool | None:
    return None


@dataclass(frozen=True)
class CustomerDesk:
    """One shop's customers: everything a use case works with."""

    shop: str
    book: CustomerBook
    storefront: CustomerSide | None
    """None where the shop has no API access: then hints cannot be followed up."""
    marker: Marker
    rules: CustomerRules
    clock: Clock
    retrying: Callable[[], tenacity.Retrying]
    """How often to read and decide again after a conflict."""
    country: str | None = None
    """Where the shop is: how its telephone numbers are read that lack a country."""
    takes_mail: Callable[[str], bool | None] = field(default=_not_asked)
    """Whether a domain takes mail; None where that could not be found out."""
