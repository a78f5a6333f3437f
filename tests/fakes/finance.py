"""The finance table in memory: the same promises, kept by one lock.

It passes the same contract suite as DynamoDB's table (`tests/contract/test_finance_book.py`).
"""

import zoneinfo
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from threading import RLock
from typing import TypeVar

from shared.finance.cases import AuditRecord, Case, CaseState, DayClose, DayState
from shared.finance.journal import JournalEntry
from shared.finance.merging import day_of, fact_of, identity, merge, restated_figures
from shared.finance.models import (
    BankLine,
    Fact,
    LineKind,
    Match,
    OrderStatement,
    Payment,
    Payout,
    ProviderBalance,
    SettlementLine,
    Subject,
)
from shared.finance.ports import CostPrice, Kept
from shared.kernel.errors import Conflict
from shared.kernel.identifiers import OrderKey

_F = TypeVar("_F", OrderStatement, Payment, SettlementLine, Payout, ProviderBalance, BankLine)
Totals = Mapping[tuple[str, str | None, str], int]


class FakeFinanceBook:
    """`zone`: the merchant's."""

    def __init__(self, zone: tzinfo | str = UTC) -> None:
        self.zone: tzinfo = zoneinfo.ZoneInfo(zone) if isinstance(zone, str) else zone
        self.statements: dict[str, tuple[Fact, ...]] = {}
        self.figures: dict[str, tuple[str, ...]] = {}
        self.kept_matches: dict[str, tuple[Match, datetime]] = {}
        self.charged: dict[str, dict[str, str]] = {}
        """From a charge to the orders of the matches that have it, by the match's id."""
        self.kept_links: dict[str, str] = {}
        self.linked_at: dict[str, datetime] = {}
        self.reconciled: datetime | None = None
        self.kept_cases: dict[str, Case] = {}
        self.trail: list[AuditRecord] = []
        self.posted: dict[str, list[JournalEntry]] = {}
        """By source."""
        self.days: dict[date, DayClose] = {}
        self.totals: dict[date, Totals] = {}
        self.prices: dict[str, dict[tuple[str, date], CostPrice]] = {}
        self._lock = RLock()

    # ---- facts ----

    def keep(self, facts: Iterable[Fact]) -> Kept:
        kept = Kept()
        for fact in facts:
            with self._lock:
                kept = kept + self._keep(fact)
        return kept

    def orders(self, since: date, until: date) -> Iterator[OrderStatement]:
        yield from self._of_days(OrderStatement, since, until)

    def payments(self, account: str, since: date, until: date) -> Iterator[Payment]:
        yield from (fact for fact in self._of_days(Payment, since, until) if fact.account == account)

    def lines(self, account: str, since: date, until: date) -> Iterator[SettlementLine]:
        yield from (fact for fact in self._of_days(SettlementLine, since, until) if fact.account == account)

    def payouts(self, account: str, since: date, until: date) -> Iterator[Payout]:
        yield from (fact for fact in self._of_days(Payout, since, until) if fact.account == account)

    def bank_lines(self, bank: str, since: date, until: date) -> Iterator[BankLine]:
        yield from (fact for fact in self._of_days(BankLine, since, until) if fact.bank == bank)

    def balances(self, account: str, since: date, until: date) -> Iterator[ProviderBalance]:
        found = [fact for fact in self._of_days(ProviderBalance, since, until) if fact.account == account]
        yield from sorted(found, key=lambda balance: (balance.as_of, balance.currency))

    def find_orders(self, keys: Iterable[OrderKey]) -> Mapping[OrderKey, OrderStatement]:
        found = {key: self._find(OrderStatement, f"order:{key}") for key in keys}
        return {key: order for key, order in found.items() if order is not None}

    def find_line(self, account: str, line_id: str) -> SettlementLine | None:
        return self._find(SettlementLine, f"line:{account}/{line_id}")

    def find_payment(self, account: str, payment_id: str) -> Payment | None:
        return self._find(Payment, f"payment:{account}/{payment_id}")

    def find_payout(self, account: str, payout_id: str) -> Payout | None:
        return self._find(Payout, f"payout:{account}/{payout_id}")

    def restatements(self) -> Mapping[str, tuple[str, ...]]:
        with self._lock:
            return dict(sorted(self.figures.items()))

    # ---- matches and links ----

    def keep_matches(self, matches: Sequence[Match], *, replaces: Iterable[str], at: datetime) -> None:
        with self._lock:
            for match_id in set(replaces) - {match.id for match in matches}:
                self.kept_matches.pop(match_id, None)
                for orders in self.charged.values():
                    orders.pop(match_id, None)
            for match in matches:
                if match.id not in self.kept_matches:
                    self.kept_matches[match.id] = (match, at)
                    for charge, order in self._charges(match):
                        self.charged.setdefault(charge, {})[match.id] = order

    def matches_of(self, item: str) -> tuple[Match, ...]:
        with self._lock:
            found = [match for match, _ in self.kept_matches.values() if item in map(str, match.items)]
        return tuple(sorted(found, key=lambda match: match.id))

    def matches(self, since: date, until: date) -> Iterator[Match]:
        with self._lock:
            kept = list(self.kept_matches.values())
        of_days = [match for match, at in kept if since <= at.astimezone(self.zone).date() <= until]
        yield from sorted(of_days, key=lambda match: match.id)

    def orders_of_charges(self, charges: Iterable[str]) -> Mapping[str, str]:
        with self._lock:
            found = {charge: self.charged.get(charge, {}) for charge in charges}
            return {charge: orders[min(orders)] for charge, orders in found.items() if orders}

    def links(self) -> Mapping[str, str]:
        with self._lock:
            return dict(sorted(self.kept_links.items()))

    def linked_since(self, day: date) -> frozenset[str]:
        return frozenset(name for name, at in self.linked_at.items() if at.astimezone(UTC).date() >= day)

    def reconciled_at(self) -> datetime | None:
        return self.reconciled

    def note_reconciled(self, at: datetime) -> None:
        with self._lock:
            self.reconciled = max(self.reconciled or at, at)

    # ---- cases ----

    def find_case(self, case_id: str) -> Case | None:
        return self.kept_cases.get(case_id)

    def cases(self, *states: CaseState, since: date | None = None) -> Iterator[Case]:
        with self._lock:
            found = [case for case in self.kept_cases.values() if case.state in states]
        found = [case for case in found if since is None or case.discrepancy.since >= since]
        yield from sorted(found, key=lambda case: (case.discrepancy.since, case.id))

    def written_off(self) -> Iterator[Case]:
        yield from (case for case in self.cases(CaseState.RESOLVED) if case.is_written_off)

    def commit_case(
        self, case: Case, *, replaces: int | None, audit: AuditRecord | None = None, link: tuple[str, str] | None = None
    ) -> None:
        with self._lock:
            known = self.kept_cases.get(case.id)
            _require((known.revision if known else None) == replaces, "the case changed meanwhile")
            if audit is not None:
                self.append(audit)
            self.kept_cases[case.id] = case
            if link is not None:
                self.kept_links[link[0]] = link[1]
                self.linked_at[link[0]] = case.closed_at or case.opened_at

    # ---- the trail ----

    def last_record(self) -> AuditRecord | None:
        return self.trail[-1] if self.trail else None

    def append(self, record: AuditRecord) -> None:
        with self._lock:
            last = self.last_record()
            follows = record.number == len(self.trail) + 1 and (last is None or record.previous == last.hash)
            _require(follows, "somebody else appended meanwhile")
            self.trail.append(record)

    def records(self, since: int = 1) -> Iterator[AuditRecord]:
        with self._lock:
            found = [record for record in self.trail if record.number >= since]
        yield from found

    # ---- the ledger ----

    def entries_of(self, sources: Iterable[str]) -> Mapping[str, tuple[JournalEntry, ...]]:
        with self._lock:
            return {source: tuple(self.posted[source]) for source in sources if source in self.posted}

    def post(self, entries: Sequence[JournalEntry]) -> None:
        by_source: dict[str, list[JournalEntry]] = {}
        for entry in sorted(entries, key=lambda entry: (entry.source, entry.number)):
            by_source.setdefault(entry.source, []).append(entry)
        for source, due in by_source.items():
            with self._lock:
                self._post(source, due)

    def entries(self, since: date, until: date) -> Iterator[JournalEntry]:
        with self._lock:
            found = [entry for kept in self.posted.values() for entry in kept if since <= entry.posted_on <= until]
        yield from sorted(found, key=lambda entry: (entry.posted_on, entry.id))

    def balances_before(self, day: date) -> Mapping[tuple[str, str | None, str], int]:
        with self._lock:
            kept = max((closed for closed in self.totals if closed < day), default=None)
            sums = Counter(dict(self.totals[kept])) if kept else Counter[tuple[str, str | None, str]]()
            for entries in self.posted.values():
                for entry in entries:
                    if (kept or date.min) < entry.posted_on < day or (kept is None and entry.posted_on < day):
                        for posting in entry.postings:
                            sums[posting.role.value, posting.of, posting.currency] += posting.amount
        return {account: minor for account, minor in sums.items() if minor}

    def day(self, day: date) -> DayClose | None:
        return self.days.get(day)

    def last_closed(self) -> date | None:
        with self._lock:
            still_open = min((day for day, kept in self.days.items() if kept.state is DayState.OPEN), default=date.max)
            return max((day for day in self.days if day < still_open), default=None)

    def commit_day(
        self,
        close: DayClose,
        *,
        replaces: int | None,
        audit: AuditRecord,
        totals: Mapping[tuple[str, str | None, str], int],
    ) -> None:
        with self._lock:
            known = self.days.get(close.day)
            _require((known.revision if known else None) == replaces, "the day changed meanwhile")
            if close.state is DayState.CLOSED:
                counted = sum(entry.posted_on == close.day for kept in self.posted.values() for entry in kept)
                _require(counted == close.entries, "the day has other entries than were counted")
            self.append(audit)
            self.days[close.day] = close
            self.totals.pop(close.day, None)
            if close.state is DayState.CLOSED:
                self.totals[close.day] = dict(totals)

    # ---- cost prices ----

    def costs(self, skus: Iterable[str]) -> Mapping[str, tuple[CostPrice, ...]]:
        with self._lock:
            found = {sku: self.prices.get(sku, {}).values() for sku in skus}
        return {
            sku: tuple(sorted(prices, key=lambda price: (price.since, price.currency)))
            for sku, prices in found.items()
            if prices
        }

    def keep_costs(self, prices: Iterable[CostPrice]) -> int:
        changed = 0
        with self._lock:
            for price in prices:
                kept = self.prices.setdefault(price.sku, {})
                changed += kept.get((price.currency, price.since)) != price
                kept[price.currency, price.since] = price
        return changed

    # ---- how it is done ----

    def _keep(self, fact: Fact) -> Kept:
        name = identity(fact)
        known = self.statements.get(name, ())
        merged = merge(known, fact)
        self.statements[name] = merged.statements
        restated: tuple[str, ...] = ()
        if merged.restated:
            figures = restated_figures(self.figures.get(name, ()), fact_of(known), fact)
            restated = (name,) if figures != self.figures.get(name) else ()
            self.figures[name] = figures
        outcome = "new" if not known else "changed" if merged.changed else "same"
        return Kept(**{outcome: 1}, restated=restated)

    def _of_days(self, kind: type[_F], since: date, until: date) -> list[_F]:
        with self._lock:
            facts = [(name, fact_of(statements)) for name, statements in self.statements.items()]
        found = [(name, fact) for name, fact in facts if isinstance(fact, kind)]
        return [fact for _, fact in sorted(found, key=lambda one: one[0]) if since <= day_of(fact, self.zone) <= until]

    def _find(self, kind: type[_F], name: str) -> _F | None:
        statements = self.statements.get(name)
        fact = fact_of(statements) if statements else None
        return fact if isinstance(fact, kind) else None

    def _charges(self, match: Match) -> Iterator[tuple[str, str]]:
        """The charges of what a match joins with an order, and the order."""
        order = next((item.id for item in match.items if item.subject is Subject.ORDER), None)
        for item in match.items if order else ():
            line = self._find(SettlementLine, str(item))
            if line is not None and line.kind is LineKind.CAPTURE and line.payment_id is not None:
                yield f"{line.account}/{line.payment_id}", str(order)
            if item.subject is Subject.PAYMENT:
                yield item.id, str(order)

    def _post(self, source: str, due: Sequence[JournalEntry]) -> None:
        kept = list(self.posted.get(source, ()))
        for entry in due:
            if entry.number <= len(kept):
                _require(kept[entry.number - 1].digest == entry.digest, "an entry of this number says something else")
                continue
            _require(entry.number == len(kept) + 1, "an entry is left out")
            known = self.days.get(entry.posted_on)
            _require(known is None or known.state is DayState.OPEN, "the day is closed")
            kept.append(entry)
        if kept:
            self.posted[source] = kept


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise Conflict("changed_meanwhile", message)
