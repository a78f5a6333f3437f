"""Take in many accounts at once: orders that meet at the same stock lines are committed in one transaction.

Each is decided by the same rules as alone, one after the other, on what the ones before it leave. So the end is that of
taking them in one by one, while the stock line that all of them want is written once: several transactions at one item
would be refused, not queued. What does not fit in is left to be taken in by itself; nothing of it was decided then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import tenacity

from shared.customers.verification import Standing
from shared.inventory.models import StockView, after
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.kernel.identifiers import OrderKey
from shared.kernel.versions import Comparison, compare
from shared.orders.decision import Circumstances, Commit, Contended, Fingerprint, decide
from shared.orders.demand import skus_of
from shared.orders.grouping import MOST_ACTIONS, groups
from shared.orders.intake import Outcome, Result, fingerprint_of, oddities
from shared.orders.models import Order
from shared.orders.ports import Arrival, Desk, GroupBook
from shared.orders.record import OrderRecord


@dataclass(frozen=True)
class Pace:
    """How a group is committed."""

    retrying: Callable[[], tenacity.Retrying]
    """How often to read and decide again after a conflict."""
    hurried: bool = False
    """Fewest calls, at twice the write units for whatever is not the transaction itself; and a group that others keep
    getting ahead of is halved. Else the orders of such a group are told as contended: somebody else may be faster."""


Taken = Outcome | Retry | Contended | None
"""What became of one arrival. `Retry`: it may be there or not, take it in again later. `Contended`: nothing was
committed, others were faster too often. None: it is to be taken in by itself."""


def take_in_together(arrivals: Sequence[Arrival], book: GroupBook, pace: Pace) -> list[Taken]:
    """Bring the records of orders that meet at the same stock up to what their accounts say; in the arrivals' order.

    Of two accounts of one order the newest is looked at, and the other left for later.
    """
    taken: list[Taken] = [None] * len(arrivals)
    wanted = [skus_of(arrival.order, (), arrival.desk.bundles()) for arrival in arrivals]
    newest = _newest_of_each_order(arrivals)
    for places in groups([skus if place in newest else () for place, skus in enumerate(wanted)]):
        group = _Group([_Member(place, *arrivals[place]) for place in places], book, pace)
        for member, result in group.take_in():
            taken[member.place] = result
    return taken


def _newest_of_each_order(arrivals: Sequence[Arrival]) -> set[int]:
    newest: dict[OrderKey, int] = {}
    for place, (order, _) in enumerate(arrivals):
        other = newest.get(order.key)
        if other is None or compare(order.version, arrivals[other].order.version) is Comparison.NEWER:
            newest[order.key] = place
    return set(newest.values())


@dataclass
class _Member:
    place: int
    order: Order
    desk: Desk
    twin: OrderKey | None = None
    standing: Standing = Standing.NOT_ASKED


class _Decided(NamedTuple):
    member: _Member
    commit: Commit
    stored: OrderRecord | None


_Results = list[tuple[_Member, Taken]]


@dataclass
class _Group:
    members: list[_Member]
    book: GroupBook
    pace: Pace
    records: Mapping[OrderKey, OrderRecord] | None = None
    """As last read, as long as nothing tells that they changed: the commit is conditional on them."""
    results: _Results = field(default_factory=list)

    def take_in(self) -> _Results:
        """What became of each member. Whoever is missing is to be taken in by itself."""
        waiting: Sequence[_Member] = self.members
        try:
            self.records = self._read_records(waiting)
            waiting = self._written(self._with_circumstances(self._new_ones(waiting, self.records)))
            while waiting:
                waiting = self._commit(waiting)
        except Retry as error:
            done = {member.place for member, _ in self.results}
            self.results += [(member, error) for member in waiting if member.place not in done]
        return self.results

    def _read_records(self, members: Sequence[_Member]) -> Mapping[OrderKey, OrderRecord]:
        return self.book.find_many(member.order.key for member in members)

    def _new_ones(self, members: Sequence[_Member], records: Mapping[OrderKey, OrderRecord]) -> list[_Member]:
        """Those whose account is newer than the record; the others are told what they are, or left."""
        new = []
        for member in members:
            stored = records.get(member.order.key)
            found = Comparison.NEWER if stored is None else compare(member.order.version, stored.version)
            if found is Comparison.NEWER:
                new.append(member)
            elif found is Comparison.OLDER:
                self.results.append((member, Outcome(Result.SUPERSEDED, member.order.key)))
            elif found is Comparison.SAME and stored is not None and stored.settled:
                self.results.append((member, Outcome(Result.DUPLICATE, member.order.key)))
        return new

    def _with_circumstances(self, members: list[_Member]) -> list[_Member]:
        """What is looked up once, whatever the stock does meanwhile: who the buyer is, and whether it came twice."""
        records = self.records or {}
        claims = [fingerprint_of(one.order, records.get(one.order.key), one.desk) for one in members]
        try:
            twins = self._twins([claim for claim in claims if claim is not None])
        except Conflict:
            return []
        for member in members:
            member.standing = member.desk.standing(member.order)
            member.twin = twins.get(member.order.key)
        return members

    def _twins(self, claims: Sequence[Fingerprint]) -> Mapping[OrderKey, OrderKey]:
        if self.pace.hurried:
            return self.book.claim_fingerprints(claims)
        twins = {}
        for value, key, placed_at, window in claims:
            twin = self.book.claim_fingerprint(value, key, placed_at=placed_at, window=window)
            if twin is not None:
                twins[key] = twin
        return twins

    def _written(self, members: list[_Member]) -> list[_Member]:
        """Those whose account is kept now."""
        if self.pace.hurried:
            refused = self.book.write_accounts([member.order for member in members])
            return [member for member in members if member.order.key not in refused]
        return [member for member in members if self._is_written(member.order)]

    def _is_written(self, order: Order) -> bool:
        try:
            self.book.write_account(order)
        except (Conflict, Rejected):
            return False
        return True

    def _commit(self, members: Sequence[_Member]) -> Sequence[_Member]:
        """Commit as many as one transaction takes, the first ones first; the rest is returned."""
        try:
            return self.pace.retrying()(self._decide_and_commit, members)
        except Conflict as error:
            if isinstance(error, Contended) and not self.pace.hurried:
                self.results += [(member, error) for member in members]
                return []
        if len(members) == 1:
            return []
        half = len(members) // 2
        for some in (members[:half], members[half:]):
            rest: Sequence[_Member] = some
            while rest:
                rest = self._commit(rest)
        return []

    def _decide_and_commit(self, members: Sequence[_Member]) -> Sequence[_Member]:
        known, self.records = self.records, None
        if known is None:
            known = self._read_records(members)
        told = len(self.results)
        decided, rest = self._decide(members, known)
        try:
            committed = self._write(decided)
        except Conflict as error:
            del self.results[told:]
            self.records = known if isinstance(error, Contended) else None
            raise
        for member, commit, stored in committed:
            odd = oddities(member.order, stored)
            self.results.append((member, Outcome(Result.APPLIED, member.order.key, commit.record, oddities=odd)))
        return rest

    def _decide(
        self, members: Sequence[_Member], records: Mapping[OrderKey, OrderRecord]
    ) -> tuple[list[_Decided], list[_Member]]:
        """What each becomes on what the ones before it leave, and who has no more room in the transaction."""
        new = self._new_ones(members, records)
        stock = self._read_stock(new, records)
        decided: list[_Decided] = []
        touched: set[tuple[str, str]] = set()
        for number, member in enumerate(new):
            stored = records.get(member.order.key)
            commit = decide(member.order, stored, _around(member, stock))
            if not commit.record.settled:
                continue
            moved = touched | {(change.sku, change.location) for change in commit.changes}
            if len(decided) + 1 + len(moved) > MOST_ACTIONS:
                return decided, new[number:]
            decided.append(_Decided(member, commit, stored))
            touched, stock = moved, after(stock, commit.changes)
        return decided, []

    def _read_stock(self, members: Iterable[_Member], records: Mapping[OrderKey, OrderRecord]) -> StockView:
        wanted: set[str] = set()
        reader = None
        for member in members:
            stored = records.get(member.order.key)
            wanted |= skus_of(member.order, stored.lines if stored else (), member.desk.bundles())
            reader = member.desk.stock
        return reader.read(wanted) if reader else {}

    def _write(self, decided: Sequence[_Decided]) -> list[_Decided]:
        """Those that are committed. Orders that move no stock meet nobody at it: in no hurry, each is written by itself
        after the others, at half the price."""
        together = [one for one in decided if one.commit.changes or self.pace.hurried]
        unmoved = [one for one in decided if not (one.commit.changes or self.pace.hurried)]
        if together:
            self.book.commit_all([one.commit for one in together])
        return together + [one for one in unmoved if self._is_committed(one.commit)]

    def _is_committed(self, commit: Commit) -> bool:
        try:
            self.book.commit(commit)
        except Conflict:
            return False
        return True


def _around(member: _Member, stock: StockView) -> Circumstances:
    return Circumstances(
        stock=stock,
        locations=member.desk.locations,
        rules=member.desk.rules,
        now=member.desk.clock(),
        bundles=member.desk.bundles(),
        twin=member.twin,
        buyer=member.standing,
    )
