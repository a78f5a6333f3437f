"""The customers' surroundings in memory: the same promises as the table, kept by one lock.

They pass the same contract suite as DynamoDB's table (`tests/contract/test_customer_book.py`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from threading import RLock

from shared.customers.commits import CustomerCommit, MergeCommit
from shared.customers.conflicts import EditConflict
from shared.customers.marks import Mark
from shared.customers.matching import Proposal, ProposalState
from shared.customers.merges import Merge
from shared.customers.models import Customer
from shared.customers.record import CustomerRecord
from shared.kernel.errors import Conflict
from shared.kernel.identifiers import CustomerKey, OrderKey


class FakeCustomerBook:
    def __init__(self) -> None:
        self.records: dict[CustomerKey, CustomerRecord] = {}
        self.customers: dict[CustomerKey, Customer] = {}
        self.borne: dict[Mark, set[CustomerKey]] = {}
        self.following: dict[CustomerKey, set[CustomerKey]] = {}
        """Who goes by a leader, beside the leader."""
        self.merges: dict[CustomerKey, dict[str, Merge]] = {}
        self.kept_proposals: dict[str, Proposal] = {}
        self.owners: dict[OrderKey, CustomerKey] = {}
        self.linked_at: dict[OrderKey, datetime] = {}
        self.conflicts: dict[str, dict[str, EditConflict]] = {}
        self.counters: dict[tuple[str, int], int] = {}
        self.commits = 0
        self._lock = RLock()

    # ---- customers ----

    def find(self, key: CustomerKey) -> CustomerRecord | None:
        return self.records.get(key)

    def find_many(self, keys: Iterable[CustomerKey]) -> Mapping[CustomerKey, CustomerRecord]:
        return {key: self.records[key] for key in keys if key in self.records}

    def find_customer(self, key: CustomerKey) -> Customer | None:
        return self.customers.get(key)

    def commit(self, commit: CustomerCommit) -> None:
        key = commit.record.key
        with self._lock:
            self._check(key, commit.replaces)
            self.records[key] = commit.record
            if commit.forget:
                self.customers.pop(key, None)
            elif commit.customer is not None:
                self.customers[commit.customer.key] = commit.customer
            if commit.marks is not None:
                self._bear(key, commit.marks - commit.bore, commit.bore - commit.marks)
            self.commits += 1

    def bearers(self, mark: Mark, *, most: int) -> tuple[CustomerKey, ...]:
        with self._lock:
            return tuple(islice(sorted(self.borne.get(mark, ()), key=str), most))

    def needing_attention(self, shop: str) -> Iterator[CustomerKey]:
        with self._lock:
            waiting = [
                (record.attention_since, str(record.key), record.key)
                for record in self.records.values()
                if record.shop == shop and record.attention_since
            ]
        yield from (key for _, _, key in sorted(waiting))

    def all_records(self, shop: str | None = None) -> Iterator[CustomerRecord]:
        with self._lock:
            found = list(self.records.values())
        yield from (record for record in found if shop in (None, record.shop))

    # ---- one person's customers ----

    def members(self, leader: CustomerKey) -> tuple[CustomerKey, ...]:
        with self._lock:
            return (leader, *sorted(self.following.get(leader, ()), key=str))

    def commit_merge(self, commit: MergeCommit) -> None:
        with self._lock:
            for record in commit.records:
                self._check(record.key, record.revision - 1)
            for record in commit.records:
                self.records[record.key] = record
                for members in self.following.values():
                    members.discard(record.key)
                if not record.is_leader:
                    self.following.setdefault(CustomerKey.parse(record.leader), set()).add(record.key)
            merge = commit.merge
            self.merges.setdefault(CustomerKey.parse(merge.leader), {})[merge.id] = merge
            self.commits += 1

    def merges_of(self, leader: CustomerKey) -> Iterator[Merge]:
        with self._lock:
            found = sorted(self.merges.get(leader, {}).values(), key=lambda merge: (merge.at, merge.id), reverse=True)
        yield from found

    def keep_proposal(self, proposal: Proposal) -> bool:
        with self._lock:
            return self.kept_proposals.setdefault(proposal.id, proposal) is proposal

    def find_proposal(self, proposal_id: str) -> Proposal | None:
        return self.kept_proposals.get(proposal_id)

    def decide_proposal(self, proposal: Proposal) -> None:
        with self._lock:
            known = self.kept_proposals.get(proposal.id)
            if known is not None and known.state is not ProposalState.OPEN:
                raise Conflict("changed_meanwhile", "the proposal was decided")
            self.kept_proposals[proposal.id] = proposal

    def proposals(self) -> Iterator[Proposal]:
        with self._lock:
            found = [proposal for proposal in self.kept_proposals.values() if proposal.state is ProposalState.OPEN]
        yield from sorted(found, key=lambda proposal: (proposal.found_at, proposal.id))

    # ---- orders ----

    def link_order(self, key: CustomerKey, order: OrderKey, at: datetime) -> None:
        with self._lock:
            if self.owners.get(order) != key:
                self.owners[order], self.linked_at[order] = key, at

    def customer_of(self, order: OrderKey) -> CustomerKey | None:
        return self.owners.get(order)

    def orders_of(self, key: CustomerKey) -> Iterator[OrderKey]:
        with self._lock:
            found = sorted(order for order, owner in self.owners.items() if owner == key)
        yield from found

    # ---- edits on both sides at once ----

    def keep_conflict(self, conflict: EditConflict) -> None:
        self.conflicts.setdefault(conflict.leader, {})[conflict.id] = conflict

    def conflicts_of(self, leader: CustomerKey) -> Iterator[EditConflict]:
        found = self.conflicts.get(str(leader), {})
        yield from (found[conflict_id] for conflict_id in sorted(found, reverse=True))

    def forget_conflicts(self, leader: CustomerKey) -> int:
        gone = len(self.conflicts.pop(str(leader), {}))
        for kept in self.conflicts.values():
            named = [name for name, one in kept.items() if str(leader) in (one.winner, one.loser)]
            for name in named:
                del kept[name]
            gone += len(named)
        return gone

    # ---- registrations in a row ----

    def count_registration(self, counter: str, at: datetime, *, minutes: int) -> int:
        period = int(at.timestamp()) // (minutes * 60)
        with self._lock:
            count = self.counters.get((counter, period), 0) + 1
            self.counters[counter, period] = count
            return count

    # ---- how it is kept ----

    def _check(self, key: CustomerKey, replaces: int | None) -> None:
        found = self.records.get(key)
        if (found.revision if found else None) != replaces:
            raise Conflict("changed_meanwhile", "the record changed")

    def _bear(self, key: CustomerKey, new: Iterable[Mark], gone: Iterable[Mark]) -> None:
        for mark in new:
            self.borne.setdefault(mark, set()).add(key)
        for mark in gone:
            self.borne.get(mark, set()).discard(key)


class FakeCustomerSide:
    """A storefront that answers with what it was told, and counts the questions."""

    def __init__(self, answer: Callable[[str], Customer | None]) -> None:
        self.asked: list[str] = []
        self._answer = answer

    def fetch(self, customer_id: str) -> Customer | None:
        self.asked.append(customer_id)
        return self._answer(customer_id)
