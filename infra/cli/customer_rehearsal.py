"""The customers' use cases over a book that keeps what would be written and writes nothing: for `--dry-run`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from shared.customers.commits import CustomerCommit, MergeCommit
from shared.customers.conflicts import EditConflict
from shared.customers.marks import Mark
from shared.customers.matching import Proposal
from shared.customers.merges import Merge
from shared.customers.models import Customer
from shared.customers.ports import CustomerBook, CustomerDesk
from shared.customers.record import CustomerRecord
from shared.kernel.identifiers import CustomerKey, OrderKey


class CustomerRehearsal:
    """Reads the real book. What would be written is read back, so that a use case of several commits comes to its end.

    Who goes by whom, records and profiles are read back; merges, proposals and conflicts are those of the real book.
    """

    def __init__(self, book: CustomerBook) -> None:
        self._book = book
        self._records: dict[CustomerKey, CustomerRecord] = {}
        self._forgotten: set[CustomerKey] = set()

    # ---- customers ----

    def find(self, key: CustomerKey) -> CustomerRecord | None:
        return self._records.get(key) or self._book.find(key)

    def find_many(self, keys: Iterable[CustomerKey]) -> Mapping[CustomerKey, CustomerRecord]:
        found = self._book.find_many(keys)
        return {key: self._records.get(key, record) for key, record in found.items()}

    def find_customer(self, key: CustomerKey) -> Customer | None:
        return None if key in self._forgotten else self._book.find_customer(key)

    def commit(self, commit: CustomerCommit) -> None:
        self._records[commit.record.key] = commit.record
        if commit.forget:
            self._forgotten.add(commit.record.key)

    def bearers(self, mark: Mark, *, most: int) -> tuple[CustomerKey, ...]:
        return self._book.bearers(mark, most=most)

    # ---- one person's customers ----

    def members(self, leader: CustomerKey) -> tuple[CustomerKey, ...]:
        stayed = (key for key in self._book.members(leader) if key not in self._records)
        moved = (key for key, record in self._records.items() if record.leader == str(leader))
        return (leader, *sorted({*stayed, *moved} - {leader}, key=str))

    def commit_merge(self, commit: MergeCommit) -> None:
        self._records |= {record.key: record for record in commit.records}

    def merges_of(self, leader: CustomerKey) -> Iterator[Merge]:
        return self._book.merges_of(leader)

    def keep_proposal(self, proposal: Proposal) -> bool:
        return self._book.find_proposal(proposal.id) is None

    def find_proposal(self, proposal_id: str) -> Proposal | None:
        return self._book.find_proposal(proposal_id)

    def decide_proposal(self, proposal: Proposal) -> None:
        """Nothing is decided."""

    def proposals(self) -> Iterator[Proposal]:
        return self._book.proposals()

    # ---- orders ----

    def link_order(self, key: CustomerKey, order: OrderKey, at: datetime) -> None:
        raise NotImplementedError("an operator takes no order in")

    def customer_of(self, order: OrderKey) -> CustomerKey | None:
        return self._book.customer_of(order)

    def orders_of(self, key: CustomerKey) -> Iterator[OrderKey]:
        return self._book.orders_of(key)

    # ---- the rest ----

    def keep_conflict(self, conflict: EditConflict) -> None:
        raise NotImplementedError("an operator edits no profile")

    def conflicts_of(self, leader: CustomerKey) -> Iterator[EditConflict]:
        return self._book.conflicts_of(leader)

    def forget_conflicts(self, leader: CustomerKey) -> int:
        return sum(1 for _ in self._book.conflicts_of(leader))

    def count_registration(self, counter: str, at: datetime, *, minutes: int) -> int:
        raise NotImplementedError("an operator takes no registration in")

    def needing_attention(self, shop: str) -> Iterator[CustomerKey]:
        return self._book.needing_attention(shop)

    def all_records(self, shop: str | None = None) -> Iterator[CustomerRecord]:
        return (self._records.get(record.key, record) for record in self._book.all_records(shop))


def rehearsed(desk: CustomerDesk) -> CustomerDesk:
    """The desk over such a book."""
    return replace(desk, book=CustomerRehearsal(desk.book))
