"""The money of the trade in DynamoDB.

| pk | sk | what |
|---|---|---|
| `line:stripe-eu/txn_1` | `fact` | a fact by its identity: one statement for each feed, compressed |
| `restated` | `line:stripe-eu/txn_1` | a fact that was stated with different money, and the figures |
| `match/9f…` | `match`, `more/001` | a match, compressed; what does not fit into one item goes on in others |
| `order:aurora/5001` | `match/9f…` | a match that joins this item |
| `charge/stripe-eu/ch_1` | `match/9f…` | the order that this match joins with the charge |
| `links` | `stripe-eu/txn_1` | what staff decided that it belongs to, and when |
| `state` | `reconciled` | as of when everything was last reconciled |
| `case/9f…` | `case` | a case, compressed, with its revision |
| `cases/open` | `2026-11-24/9f…` | a case in this state, by its day of business |
| `cases/written-off` | `2026-11-24/9f…` | a case that is resolved by a write-off, which the ledger needs however old |
| `audit` | `000000000012` | a record of the trail |
| `audit-head` | `head` | number and hash of the trail's last record |
| `entries/2026-11-24` | `line/stripe-eu/txn_1#1` | a journal entry, by the day whose books it is in |
| `source/line/stripe-eu/txn_1` | `head` | day and digest of each entry of a source, by number |
| `posted` | `2026-11-24` | how many entries a day has, and whether it is closed |
| `days` | `2026-11-24` | what was done about a day |
| `days/open` | `2026-11-24` | a day that was reopened and not closed again |
| `totals` | `2026-11-24` | the sum of all postings up to the end of a closed day |
| `cost/MUG` | `prices` | what a unit costs, and since when |

The index `by_day` has facts and matches by kind, account and day: `line/stripe-eu/2026-11-24`, `order/2026-11-24`.

Only the index is read eventually: the lists of facts by their days, which a reconciliation works through, and those of
matches. What it does not show yet, the next run sees. Everything else that a decision is made on (a fact before it is
merged, cases, links, the trail, entries, days, totals) is read consistently from the table itself.

Facts are written in transactions although no fact needs another: a condition for each is what keeps two writers from
losing one another's statements, and one call then writes up to 100. It costs twice the write units of a batch.
"""

import json
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import TypeAdapter
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from shared.dynamodb.table import Key, Operation, RawItem, Table, WriteRefused, transact
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
from shared.kernel.clock import as_sortable, parse_time
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.kernel.identifiers import OrderKey
from shared.kernel.model import QUIET, Canonical

_FACT: Final = "fact"
_RESTATED: Final = "restated"
_MATCH: Final = "match"
_MATCH_OF: Final = "match/"
_LINKS: Final = "links"
_RECONCILED: Final = ("state", "reconciled")
_CASE: Final = "case"
_WRITTEN_OFF: Final = "cases/written-off"
_AUDIT: Final = "audit"
_AUDIT_HEAD: Final = ("audit-head", "head")
_HEAD: Final = "head"
_POSTED: Final = "posted"
_DAYS: Final = "days"
_OPEN_DAYS: Final = "days/open"
_TOTALS: Final = "totals"
_PRICES: Final = "prices"

_MOST_OPERATIONS: Final = 100
_MOST_BYTES: Final = 3_000_000
"""Of one transaction: DynamoDB takes 4 MB, keys and names included."""
_MOST_PACKED_BYTES: Final = 390_000
_MOST_TRIES: Final = 8
_MOST_ENTRIES: Final = 40
"""Of one source in one transaction, with their days beside them."""

Totals = Mapping[tuple[str, str | None, str], int]
_F = TypeVar("_F", OrderStatement, Payment, SettlementLine, Payout, ProviderBalance, BankLine)
_T = TypeVar("_T")

_STATEMENTS: Final[Mapping[str, TypeAdapter[tuple[Fact, ...]]]] = {
    "order": TypeAdapter(tuple[OrderStatement, ...], config=QUIET),
    "payment": TypeAdapter(tuple[Payment, ...], config=QUIET),
    "line": TypeAdapter(tuple[SettlementLine, ...], config=QUIET),
    "payout": TypeAdapter(tuple[Payout, ...], config=QUIET),
    "bank": TypeAdapter(tuple[BankLine, ...], config=QUIET),
    "balance": TypeAdapter(tuple[ProviderBalance, ...], config=QUIET),
}


class ByDay(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call] # pynamodb's own
    """Facts and matches by kind, account and day."""

    day = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)

    class Meta:
        index_name = "by_day"
        projection = AllProjection()


class DatedItem(Model):
    """A fact or a match: what is found by its day."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    seq = NumberAttribute(null=True)
    """Of a fact: counts its changes."""
    parts = NumberAttribute(null=True)
    """Of a match: how many further items it goes on in."""
    body = BinaryAttribute(legacy_encoding=False)
    figures = UnicodeAttribute(null=True)
    """Of a fact that was stated with different money: JSON."""
    day = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    by_day = ByDay()

    class Meta:
        table_name = "bound by instance"


class PackedItem(Model):
    """A compressed document; `revision` where it is changed."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    revision = NumberAttribute(null=True)
    body = BinaryAttribute(legacy_encoding=False)

    class Meta:
        table_name = "bound by instance"


class PlainItem(Model):
    """Keys that say it all, or a word beside them."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    value = UnicodeAttribute(null=True)
    at = UnicodeAttribute(null=True)

    class Meta:
        table_name = "bound by instance"


class HeadItem(Model):
    """The end of the trail, or of a source's entries: `number` of them, and what is to be known of them."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    number = NumberAttribute()
    value = UnicodeAttribute()

    class Meta:
        table_name = "bound by instance"


class PostedItem(Model):
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    entries = NumberAttribute(null=True)
    closed = NumberAttribute(null=True)
    """1 while the day is closed."""

    class Meta:
        table_name = "bound by instance"


class _KeptMatch(Canonical):
    match: Match
    charges: tuple[str, ...] = ()
    """The charges of its lines and payments, where it joins them with an order."""


@dataclass
class _Writes:
    """What goes into one transaction."""

    puts: list[Operation] = field(default_factory=list)
    updates: list[Operation] = field(default_factory=list)
    deletes: list[Operation] = field(default_factory=list)
    bytes: int = 0

    def __len__(self) -> int:
        return len(self.puts) + len(self.updates) + len(self.deletes)

    def has_room_for(self, other: "_Writes", spare: int = 0) -> bool:
        """Whether both go into one transaction; whatever comes first does."""
        fits = len(self) + len(other) + spare <= _MOST_OPERATIONS and self.bytes + other.bytes <= _MOST_BYTES
        return fits or not len(self)

    def add(self, other: "_Writes") -> None:
        self.puts += other.puts
        self.updates += other.updates
        self.deletes += other.deletes
        self.bytes += other.bytes


class _Stored(NamedTuple):
    """A fact as it is in the table: nothing, while it is new."""

    statements: tuple[Fact, ...] = ()
    figures: tuple[str, ...] = ()
    seq: int = 0


class FinanceTable:
    """The finance book on DynamoDB. `zone`: the merchant's, whose days count."""

    def __init__(self, connection: Connection, name: str, zone: tzinfo) -> None:
        self._connection = connection
        self._table = Table(connection, name, DatedItem)
        self._zone = zone

    # ---- facts ----

    def keep(self, facts: Iterable[Fact]) -> Kept:
        stated: dict[str, list[Fact]] = {}
        for fact in facts:
            stated.setdefault(identity(fact), []).append(fact)
        kept = Kept()

        def keep_some(names: Sequence[str]) -> int:
            nonlocal kept
            done, outcome = self._keep_some([(name, stated[name]) for name in names])
            kept = kept + outcome
            return done

        _in_portions(list(stated), keep_some)
        return kept

    def foresee(self, facts: Iterable[Fact]) -> Kept:
        """What keeping them would come to now. Nothing is written."""
        stated: dict[str, list[Fact]] = {}
        for fact in facts:
            stated.setdefault(identity(fact), []).append(fact)
        stored = {name: _stored(raw) for name, raw in self._raw_facts(stated).items()}
        outcomes = (_after(name, stored.get(name, _Stored()), told)[1] for name, told in stated.items())
        return sum(outcomes, Kept())

    def orders(self, since: date, until: date) -> Iterator[OrderStatement]:
        yield from self._of_days(OrderStatement, "order", since, until)

    def payments(self, account: str, since: date, until: date) -> Iterator[Payment]:
        yield from self._of_days(Payment, f"payment/{account}", since, until)

    def lines(self, account: str, since: date, until: date) -> Iterator[SettlementLine]:
        yield from self._of_days(SettlementLine, f"line/{account}", since, until)

    def payouts(self, account: str, since: date, until: date) -> Iterator[Payout]:
        yield from self._of_days(Payout, f"payout/{account}", since, until)

    def bank_lines(self, bank: str, since: date, until: date) -> Iterator[BankLine]:
        yield from self._of_days(BankLine, f"bank/{bank}", since, until)

    def balances(self, account: str, since: date, until: date) -> Iterator[ProviderBalance]:
        found = self._of_days(ProviderBalance, f"balance/{account}", since, until)
        yield from sorted(found, key=lambda balance: (balance.as_of, balance.currency))

    def find_orders(self, keys: Iterable[OrderKey]) -> Mapping[OrderKey, OrderStatement]:
        found = self._facts(f"order:{key}" for key in keys).values()
        return {order.key: order for order in found if isinstance(order, OrderStatement)}

    def find_line(self, account: str, line_id: str) -> SettlementLine | None:
        return self._find(SettlementLine, f"line:{account}/{line_id}")

    def find_payment(self, account: str, payment_id: str) -> Payment | None:
        return self._find(Payment, f"payment:{account}/{payment_id}")

    def find_payout(self, account: str, payout_id: str) -> Payout | None:
        return self._find(Payout, f"payout:{account}/{payout_id}")

    def restatements(self) -> Mapping[str, tuple[str, ...]]:
        found = self._table.query(_RESTATED, consistent=True)
        return {raw["sk"]["S"]: tuple(json.loads(raw["value"]["S"])) for raw in found}

    # ---- matches and links ----

    def keep_matches(self, matches: Sequence[Match], *, replaces: Iterable[str], at: datetime) -> None:
        wanted = {match.id: match for match in matches}
        _in_portions(sorted(set(replaces) - wanted.keys()), self._drop_some)
        _in_portions(sorted(wanted), lambda ids: self._match_some([wanted[match_id] for match_id in ids], at))

    def matches_of(self, item: str) -> tuple[Match, ...]:
        found = self._table.query(item, condition=PlainItem.sk.startswith(_MATCH_OF), consistent=True)
        kept = self._matches(raw["sk"]["S"].removeprefix(_MATCH_OF) for raw in found)
        return tuple(kept[match_id].match for match_id in sorted(kept))

    def matches(self, since: date, until: date) -> Iterator[Match]:
        raws = self._raws_of_days(_MATCH, since, until)
        kept = (self._whole_match(raw) for raw in raws)
        yield from sorted((one.match for one in kept if one is not None), key=lambda match: match.id)

    def orders_of_charges(self, charges: Iterable[str]) -> Mapping[str, str]:
        named: dict[str, dict[str, str]] = {}
        for charge in charges:
            found = self._table.query(f"charge/{charge}", consistent=True)
            named[charge] = {raw["sk"]["S"].removeprefix(_MATCH_OF): raw["value"]["S"] for raw in found}
        there = self._match_heads({match_id for orders in named.values() for match_id in orders})
        standing = {
            charge: [orders[match_id] for match_id in sorted(orders) if match_id in there]
            for charge, orders in named.items()
        }
        return {charge: orders[0] for charge, orders in standing.items() if orders}

    def links(self) -> Mapping[str, str]:
        return {raw["sk"]["S"]: raw["value"]["S"] for raw in self._table.query(_LINKS, consistent=True)}

    def linked_since(self, day: date) -> frozenset[str]:
        found = self._table.query(_LINKS, consistent=True)
        return frozenset(raw["sk"]["S"] for raw in found if "at" in raw and raw["at"]["S"] >= day.isoformat())

    def reconciled_at(self) -> datetime | None:
        raw = self._table.get(_RECONCILED)
        return parse_time(raw["at"]["S"]) if raw else None

    def note_reconciled(self, at: datetime) -> None:
        known = self.reconciled_at()
        if known is not None and known >= at:
            return
        stated = as_sortable(at)
        later = PlainItem.pk.does_not_exist() | (PlainItem.at < stated)
        with suppress(WriteRefused):  # another run has noted a later time
            self._table.put(PlainItem(*_RECONCILED, at=stated), later)

    # ---- cases ----

    def find_case(self, case_id: str) -> Case | None:
        raw = self._table.get((f"case/{case_id}", _CASE))
        return Case.stored_json(_unpack(raw)) if raw else None

    def cases(self, *states: CaseState, since: date | None = None) -> Iterator[Case]:
        condition = PlainItem.sk >= since.isoformat() if since else None
        ids = (
            raw["sk"]["S"].partition("/")[2]
            for state in sorted(set(states))
            for raw in self._table.query(f"cases/{state}", condition=condition, consistent=True)
        )
        yield from self._cases(ids, lambda case: case.state in states)

    def written_off(self) -> Iterator[Case]:
        ids = (raw["sk"]["S"].partition("/")[2] for raw in self._table.query(_WRITTEN_OFF, consistent=True))
        yield from self._cases(ids, lambda case: case.is_written_off)

    def commit_case(
        self, case: Case, *, replaces: int | None, audit: AuditRecord | None = None, link: tuple[str, str] | None = None
    ) -> None:
        before = self.find_case(case.id)
        if (before.revision if before else None) != replaces:
            raise WriteRefused
        item = PackedItem(
            f"case/{case.id}",
            _CASE,
            revision=case.revision,
            body=_pack(case.model_dump_json(exclude_defaults=True), f"case {case.id}"),
        )
        writes = self._recording(audit) if audit else _Writes()
        writes.puts.append(self._table.putting(item, _replacing(replaces)))
        if before is None or _queue_of(before) != _queue_of(case):
            writes.puts.append(self._table.putting(PlainItem(*_queue_of(case))))
            writes.deletes += [self._table.deleting(_queue_of(before))] if before else []
        if case.is_written_off and not (before and before.is_written_off):
            writes.puts.append(self._table.putting(PlainItem(_WRITTEN_OFF, _place_in_queue(case))))
        elif before is not None and before.is_written_off and not case.is_written_off:
            writes.deletes.append(self._table.deleting((_WRITTEN_OFF, _place_in_queue(before))))
        if link is not None:
            decided = as_sortable(case.closed_at or case.opened_at)
            writes.puts.append(self._table.putting(PlainItem(_LINKS, link[0], value=link[1], at=decided)))
        self._commit(writes)

    def _cases(self, ids: Iterable[str], is_wanted: Callable[[Case], bool]) -> list[Case]:
        raws = self._table.get_many(dict.fromkeys((f"case/{case_id}", _CASE) for case_id in ids))
        found = (Case.stored_json(_unpack(raw)) for raw in raws)
        return sorted(filter(is_wanted, found), key=lambda case: (case.discrepancy.since, case.id))

    # ---- the trail ----

    def last_record(self) -> AuditRecord | None:
        raw = self._table.get(_AUDIT_HEAD)
        return self._record(int(raw["number"]["N"])) if raw else None

    def append(self, record: AuditRecord) -> None:
        self._commit(self._recording(record))

    def records(self, since: int = 1) -> Iterator[AuditRecord]:
        for raw in self._table.query(_AUDIT, condition=PackedItem.sk >= _place(since), consistent=True):
            yield AuditRecord.model_validate_json(_unpack(raw))

    # ---- the ledger ----

    def entries_of(self, sources: Iterable[str]) -> Mapping[str, tuple[JournalEntry, ...]]:
        keys = [
            _entry_key(source, number, day)
            for source, posted in self._posted(sources).items()
            for number, (day, _) in enumerate(posted, 1)
        ]
        found: dict[str, list[JournalEntry]] = {}
        for raw in self._table.get_many(keys):
            entry = JournalEntry.model_validate_json(_unpack(raw))
            found.setdefault(entry.source, []).append(entry)
        return {source: tuple(sorted(found[source], key=lambda entry: entry.number)) for source in sorted(found)}

    def post(self, entries: Sequence[JournalEntry]) -> None:
        by_source: dict[str, list[JournalEntry]] = {}
        for entry in sorted(entries, key=lambda entry: (entry.source, entry.number)):
            by_source.setdefault(entry.source, []).append(entry)
        _in_portions(list(by_source), lambda sources: self._post_some({name: by_source[name] for name in sources}))

    def entries(self, since: date, until: date) -> Iterator[JournalEntry]:
        for day in self._days_posted(since, until):
            for raw in self._table.query(f"entries/{day}", consistent=True):
                yield JournalEntry.model_validate_json(_unpack(raw))

    def balances_before(self, day: date) -> Mapping[tuple[str, str | None, str], int]:
        before = PackedItem.sk < day.isoformat()
        latest = next(self._table.query(_TOTALS, condition=before, consistent=True, newest_first=True, page=1), None)
        sums: Counter[tuple[str, str | None, str]] = Counter()
        since = date.min
        if latest is not None:
            since = date.fromisoformat(latest["sk"]["S"]) + timedelta(days=1)
            sums.update({(role, of, currency): minor for role, of, currency, minor in json.loads(_unpack(latest))})
        for entry in self.entries(since, day - timedelta(days=1)) if since < day else ():
            for posting in entry.postings:
                sums[posting.role.value, posting.of, posting.currency] += posting.amount
        return {account: minor for account, minor in sums.items() if minor}

    def day(self, day: date) -> DayClose | None:
        raw = self._table.get((_DAYS, day.isoformat()))
        return DayClose.model_validate_json(_unpack(raw)) if raw else None

    def last_closed(self) -> date | None:
        still_open = next(self._table.query(_OPEN_DAYS, consistent=True, page=1), None)
        before = PackedItem.sk < still_open["sk"]["S"] if still_open else None
        latest = next(self._table.query(_DAYS, condition=before, consistent=True, newest_first=True, page=1), None)
        return date.fromisoformat(latest["sk"]["S"]) if latest else None

    def commit_day(
        self,
        close: DayClose,
        *,
        replaces: int | None,
        audit: AuditRecord,
        totals: Mapping[tuple[str, str | None, str], int],
    ) -> None:
        day = close.day.isoformat()
        body = _pack(close.model_dump_json(exclude_defaults=True), f"day {day}")
        writes = self._recording(audit)
        writes.puts.append(
            self._table.putting(PackedItem(_DAYS, day, revision=close.revision, body=body), _replacing(replaces))
        )
        writes.add(self._closing(close, totals) if close.state is DayState.CLOSED else self._opening(close))
        self._commit(writes)

    # ---- cost prices ----

    def costs(self, skus: Iterable[str]) -> Mapping[str, tuple[CostPrice, ...]]:
        raws = self._table.get_many(dict.fromkeys((f"cost/{sku}", _PRICES) for sku in skus))
        return {prices[0].sku: prices for prices in map(_prices_of, raws)}

    def keep_costs(self, prices: Iterable[CostPrice]) -> int:
        by_sku: dict[str, list[CostPrice]] = {}
        for price in prices:
            by_sku.setdefault(price.sku, []).append(price)
        changed = 0

        def keep_some(skus: Sequence[str]) -> int:
            nonlocal changed
            changed += self._price_some({sku: by_sku[sku] for sku in skus})
            return len(skus)

        _in_portions(list(by_sku), keep_some)
        return changed

    # ---- how facts are kept ----

    def _keep_some(self, stated: Sequence[tuple[str, Sequence[Fact]]]) -> tuple[int, Kept]:
        """Keep as many of the first ones as go into one transaction; how many that were."""
        stored = {name: _stored(raw) for name, raw in self._raw_facts(name for name, _ in stated).items()}
        writes, kept, done = _Writes(), Kept(), 0
        for name, facts in stated:
            after, outcome = _after(name, stored.get(name, _Stored()), facts)
            further = self._keeping(name, stored.get(name, _Stored()), after)
            if not writes.has_room_for(further):
                break
            writes.add(further)
            kept, done = kept + outcome, done + 1
        self._commit(writes)
        return done, kept

    def _keeping(self, name: str, before: _Stored, after: _Stored) -> _Writes:
        if (before.statements, before.figures) == (after.statements, after.figures):
            return _Writes()
        body = _pack(_STATEMENTS[_kind_of(name)].dump_json(after.statements, exclude_defaults=True), name)
        figures = json.dumps(after.figures) if after.figures else None
        fact = fact_of(after.statements)
        item = DatedItem(
            name,
            _FACT,
            seq=before.seq + 1,
            body=body,
            figures=figures,
            day=f"{_listed_under(fact)}/{day_of(fact, self._zone)}",
            place=name,
        )
        free = DatedItem.seq == before.seq if before.seq else DatedItem.pk.does_not_exist()
        puts = [self._table.putting(item, free)]
        if figures is not None and after.figures != before.figures:
            puts.append(self._table.putting(PlainItem(_RESTATED, name, value=figures)))
        return _Writes(puts=puts, bytes=len(body))

    def _raw_facts(self, names: Iterable[str]) -> Mapping[str, RawItem]:
        return {raw["pk"]["S"]: raw for raw in self._table.get_many(dict.fromkeys((name, _FACT) for name in names))}

    def _facts(self, names: Iterable[str]) -> Mapping[str, Fact]:
        return {name: fact_of(_stored(raw).statements) for name, raw in self._raw_facts(names).items()}

    def _find(self, kind: type[_F], name: str) -> _F | None:
        raw = self._table.get((name, _FACT))
        fact = fact_of(_stored(raw).statements) if raw else None
        return fact if isinstance(fact, kind) else None

    def _of_days(self, kind: type[_F], listed_under: str, since: date, until: date) -> list[_F]:
        raws = self._raws_of_days(listed_under, since, until)
        # A fact that moves from one day to another while they are read is in both of them.
        found = {raw["pk"]["S"]: fact_of(_stored(raw).statements) for raw in raws}
        in_order = (found[name] for name in sorted(found))
        return [fact for fact in in_order if isinstance(fact, kind)]

    def _raws_of_days(self, listed_under: str, since: date, until: date) -> Iterator[RawItem]:
        for number in range((until - since).days + 1):
            day = since + timedelta(days=number)
            yield from self._table.query(f"{listed_under}/{day}", index=ByDay.Meta.index_name)

    # ---- how matches are kept ----

    def _match_some(self, matches: Sequence[Match], at: datetime) -> int:
        there = self._match_heads(match.id for match in matches)
        new = [match for match in matches if match.id not in there]
        charges = self._charges_of(new)
        day = f"{_MATCH}/{at.astimezone(self._zone).date()}"
        self._commit_in_parts(self._matching(_KeptMatch(match=match, charges=charges[match.id]), day) for match in new)
        return len(matches)

    def _drop_some(self, match_ids: Sequence[str]) -> int:
        self._commit_in_parts(map(self._unmatching, self._match_heads(match_ids).values()))
        return len(match_ids)

    def _commit_in_parts(self, sequences: Iterable[Sequence[_Writes]]) -> None:
        """Write what belongs together in one transaction where it fits; else one part after the other."""
        gathered = _Writes()
        for parts in sequences:
            for part in parts:
                if not gathered.has_room_for(part):
                    self._commit(gathered)
                    gathered = _Writes()
                gathered.add(part)
        self._commit(gathered)

    def _matching(self, kept: _KeptMatch, day: str) -> list[_Writes]:
        """The item that makes it a match comes last: what points to it before leads to nothing."""
        first, *further = _cut(zlib.compress(kept.model_dump_json(exclude_defaults=True).encode(), 9))
        match_id = kept.match.id
        puts = [self._table.putting(PlainItem(*key, value=value)) for key, value in _pointers(kept)]
        parts = [_Writes(puts=[put]) for put in puts]
        for number, piece in enumerate(further, 1):
            item = PackedItem(_MATCH_OF + match_id, _more(number), body=piece)
            parts.append(_Writes(puts=[self._table.putting(item)], bytes=len(piece)))
        head = DatedItem(_MATCH_OF + match_id, _MATCH, parts=len(further) or None, body=first, day=day, place=match_id)
        new = self._table.putting(head, DatedItem.pk.does_not_exist())
        return [*parts, _Writes(puts=[new], bytes=len(first))]

    def _unmatching(self, head: RawItem) -> list[_Writes]:
        """The item that makes it a match goes first."""
        partition, kept = head["pk"]["S"], self._whole_match(head)
        keys = [(partition, _MATCH), *_further_keys(head), *(key for key, _ in (_pointers(kept) if kept else ()))]
        return [_Writes(deletes=[self._table.deleting(key)]) for key in keys]

    def _match_heads(self, match_ids: Iterable[str]) -> Mapping[str, RawItem]:
        keys = dict.fromkeys((_MATCH_OF + match_id, _MATCH) for match_id in match_ids)
        return {raw["pk"]["S"].removeprefix(_MATCH_OF): raw for raw in self._table.get_many(keys)}

    def _matches(self, match_ids: Iterable[str]) -> Mapping[str, _KeptMatch]:
        heads = self._match_heads(match_ids)
        whole = {match_id: self._whole_match(heads[match_id]) for match_id in sorted(heads)}
        return {match_id: kept for match_id, kept in whole.items() if kept is not None}

    def _whole_match(self, head: RawItem) -> _KeptMatch | None:
        """None where it was dropped while it was read."""
        keys = _further_keys(head)
        further = sorted(self._table.get_many(keys), key=lambda raw: str(raw["sk"]["S"]))
        if len(further) < len(keys):
            return None
        packed = b"".join([head["body"]["B"], *(raw["body"]["B"] for raw in further)])
        return _KeptMatch.stored_json(zlib.decompress(packed))

    def _charges_of(self, matches: Sequence[Match]) -> Mapping[str, tuple[str, ...]]:
        """Of each match: the charges of its lines and payments, where it joins them with an order."""
        items = {match.id: match.items if _order_in(match) else () for match in matches}
        lines = self._facts(str(item) for group in items.values() for item in group if item.subject is Subject.LINE)
        charges: dict[str, tuple[str, ...]] = {}
        for match_id, group in items.items():
            named = {item.id for item in group if item.subject is Subject.PAYMENT}
            told = (lines.get(str(item)) for item in group)
            named |= {f"{one.account}/{one.payment_id}" for one in told if _names_charge(one)}  # type: ignore[union-attr]
            charges[match_id] = tuple(sorted(named))
        return charges

    # ---- how the ledger is written ----

    def _post_some(self, due: Mapping[str, Sequence[JournalEntry]]) -> int:
        known = self._posted(due)
        writes, days, done = _Writes(), Counter[date](), 0
        for source, entries in due.items():
            new = _still_to_post(entries, known.get(source, []))
            is_all, new = len(new) <= _MOST_ENTRIES, new[:_MOST_ENTRIES]
            further = self._posting(source, new, known.get(source, [])) if new else _Writes()
            after = days + Counter(entry.posted_on for entry in new)
            if not writes.has_room_for(further, spare=len(after)):
                break
            writes.add(further)
            days, done = after, done + is_all
            if not is_all:
                break
        self._require_open(days)
        for day, count in sorted(days.items()):
            counting = PostedItem.entries.set((PostedItem.entries | 0) + count)
            key = (_POSTED, day.isoformat())
            writes.updates.append(self._table.updating(key, [counting], PostedItem.closed.does_not_exist()))
        self._commit(writes)
        return done

    def _posting(self, source: str, new: Sequence[JournalEntry], known: Sequence[Sequence[str]]) -> _Writes:
        writes = _Writes()
        for entry in new:
            body = _pack(entry.model_dump_json(exclude_defaults=True), f"entry {entry.id}")
            writes.puts.append(self._table.putting(PackedItem(*_entry_key_of(entry), body=body)))
            writes.bytes += len(body)
        posted = [*known, *([entry.posted_on.isoformat(), entry.digest] for entry in new)]
        head = HeadItem(f"source/{source}", _HEAD, number=len(posted), value=json.dumps(posted))
        unmoved = HeadItem.number == len(known) if known else HeadItem.pk.does_not_exist()
        writes.puts.append(self._table.putting(head, unmoved))
        return writes

    def _posted(self, sources: Iterable[str]) -> Mapping[str, list[list[str]]]:
        """Day and digest of every entry of each source that has any."""
        keys = dict.fromkeys((f"source/{source}", _HEAD) for source in sources)
        raws = self._table.get_many(keys)
        return {raw["pk"]["S"].removeprefix("source/"): json.loads(raw["value"]["S"]) for raw in raws}

    def _require_open(self, days: Iterable[date]) -> None:
        for raw in self._table.get_many([(_POSTED, day.isoformat()) for day in sorted(days)]):
            if "closed" in raw:
                raise Conflict("day_closed", f"the books of {raw['sk']['S']} are closed", field="posted_on")

    def _days_posted(self, since: date, until: date) -> list[str]:
        condition = PostedItem.sk.between(since.isoformat(), until.isoformat())
        found = self._table.query(_POSTED, condition=condition, consistent=True) if since <= until else ()
        return [raw["sk"]["S"] for raw in found if "entries" in raw]

    def _closing(self, close: DayClose, totals: Totals) -> _Writes:
        """The day takes no more entries from here on, and has those that were counted."""
        day = close.day.isoformat()
        rows = sorted(([role, of, currency, minor] for (role, of, currency), minor in totals.items()), key=str)
        counted = PostedItem.entries == close.entries if close.entries else PostedItem.entries.does_not_exist()
        return _Writes(
            puts=[self._table.putting(PackedItem(_TOTALS, day, body=_pack(json.dumps(rows), f"totals of {day}")))],
            updates=[self._table.updating((_POSTED, day), [PostedItem.closed.set(1)], counted)],
            deletes=[self._table.deleting((_OPEN_DAYS, day))],
        )

    def _opening(self, close: DayClose) -> _Writes:
        day = close.day.isoformat()
        return _Writes(
            puts=[self._table.putting(PlainItem(_OPEN_DAYS, day))],
            updates=[self._table.updating((_POSTED, day), [PostedItem.closed.remove()])],
            deletes=[self._table.deleting((_TOTALS, day))],
        )

    # ---- how the trail and prices are written ----

    def _recording(self, record: AuditRecord) -> _Writes:
        body = _pack(record.model_dump_json(exclude_defaults=True), f"record {record.number}")
        item = PackedItem(_AUDIT, _place(record.number), body=body)
        follows = (HeadItem.number == record.number - 1) & (HeadItem.value == record.previous)
        first = HeadItem.pk.does_not_exist()
        head = HeadItem(*_AUDIT_HEAD, number=record.number, value=record.hash)
        return _Writes(
            puts=[
                self._table.putting(item, PackedItem.pk.does_not_exist()),
                self._table.putting(head, first if record.number == 1 else follows),
            ]
        )

    def _record(self, number: int) -> AuditRecord | None:
        raw = self._table.get((_AUDIT, _place(number)))
        return AuditRecord.model_validate_json(_unpack(raw)) if raw else None

    def _price_some(self, stated: Mapping[str, Sequence[CostPrice]]) -> int:
        raws = self._table.get_many((f"cost/{sku}", _PRICES) for sku in stated)
        known = {raw["pk"]["S"].removeprefix("cost/"): raw for raw in raws}
        writes, changed = _Writes(), 0
        for sku, prices in stated.items():
            raw = known.get(sku)
            before = {(price.currency, price.since): price for price in _prices_of(raw)} if raw else {}
            after = before | {(price.currency, price.since): price for price in prices}
            changed += _count_changes(before, prices)
            if after != before:
                item = _price_item(sku, after.values(), int(raw["revision"]["N"]) if raw else 0)
                free = _replacing(int(raw["revision"]["N"]) if raw else None)
                writes.puts.append(self._table.putting(item, free))
        self._commit(writes)
        return changed

    def _commit(self, writes: _Writes) -> None:
        if len(writes):
            transact(self._connection, puts=writes.puts, updates=writes.updates, deletes=writes.deletes)


def _in_portions(names: Sequence[_T], work: Callable[[Sequence[_T]], int]) -> None:
    """Have all of them worked off, the first ones first. `work` takes a portion, and says how many of it are done. When
    somebody else was at one of them it is asked again with fewer, and with more when that went well.

    Raises:
        Retry: others were faster each time.
    """
    waiting, most, tries = deque(names), _MOST_OPERATIONS, 0
    while waiting:
        try:
            done = work(list(islice(waiting, most)))
        except WriteRefused as error:
            most, tries = max(1, most // 4), tries + 1
            if tries >= _MOST_TRIES:
                raise Retry("finance_busy", "others keep changing the same items") from error
            continue
        most, tries = min(_MOST_OPERATIONS, 2 * most), 0
        for _ in range(done):
            waiting.popleft()


def _after(name: str, before: _Stored, stated: Iterable[Fact]) -> tuple[_Stored, Kept]:
    statements, figures, kept = before.statements, before.figures, Kept()
    for fact in stated:
        merged = merge(statements, fact)
        outcome = "new" if not statements else "changed" if merged.changed else "same"
        restated: tuple[str, ...] = ()
        if merged.restated:
            named = restated_figures(figures, fact_of(statements), fact)
            restated, figures = (name,) if named != figures else (), named
        kept = kept + Kept(**{outcome: 1}, restated=restated)
        statements = merged.statements
    return _Stored(statements, figures, before.seq), kept


def _stored(raw: RawItem) -> _Stored:
    statements = _STATEMENTS[_kind_of(raw["pk"]["S"])].validate_json(_unpack(raw), extra="ignore")
    figures = tuple(json.loads(raw["figures"]["S"])) if "figures" in raw else ()
    return _Stored(statements, figures, int(raw["seq"]["N"]))


def _kind_of(name: str) -> str:
    return name.partition(":")[0]


def _listed_under(fact: Fact) -> str:
    kind = _kind_of(identity(fact))
    if isinstance(fact, OrderStatement):
        return kind
    return f"{kind}/{fact.bank if isinstance(fact, BankLine) else fact.account}"


def _order_in(match: Match) -> str | None:
    return next((item.id for item in match.items if item.subject is Subject.ORDER), None)


def _names_charge(fact: Fact | None) -> bool:
    """The charge's own line: what a refund is matched by must not be taken for what its charge was matched by."""
    return isinstance(fact, SettlementLine) and fact.kind is LineKind.CAPTURE and fact.payment_id is not None


def _further_keys(head: RawItem) -> list[Key]:
    """Where a match goes on."""
    parts = int(head["parts"]["N"]) if "parts" in head else 0
    return [(head["pk"]["S"], _more(number)) for number in range(1, parts + 1)]


def _more(number: int) -> str:
    return f"more/{number:03}"


def _pointers(kept: _KeptMatch) -> list[tuple[Key, str | None]]:
    """Where a match is found from what it joins."""
    sort = _MATCH_OF + kept.match.id
    items = sorted({str(item) for item in kept.match.items})
    from_items: list[tuple[Key, str | None]] = [((item, sort), None) for item in items]
    return [*from_items, *(((f"charge/{charge}", sort), _order_in(kept.match)) for charge in kept.charges)]


def _cut(packed: bytes) -> list[bytes]:
    return [packed[start : start + _MOST_PACKED_BYTES] for start in range(0, len(packed), _MOST_PACKED_BYTES)]


def _queue_of(case: Case) -> Key:
    return f"cases/{case.state}", _place_in_queue(case)


def _place_in_queue(case: Case) -> str:
    return f"{case.discrepancy.since}/{case.id}"


def _replacing(revision: int | None) -> Condition:
    return PackedItem.pk.does_not_exist() if revision is None else PackedItem.revision == revision


def _place(number: int) -> str:
    """Of a record of the trail: as text that sorts by number."""
    return f"{number:012}"


def _entry_key(source: str, number: int, posted_on: str) -> Key:
    return f"entries/{posted_on}", f"{source}#{number}"


def _entry_key_of(entry: JournalEntry) -> Key:
    return f"entries/{entry.posted_on}", entry.id


def _still_to_post(entries: Iterable[JournalEntry], known: Sequence[Sequence[str]]) -> list[JournalEntry]:
    """Those of one source that are not posted yet, or `Conflict`."""
    new: list[JournalEntry] = []
    for entry in entries:
        if entry.number <= len(known):
            if known[entry.number - 1][1] != entry.digest:
                raise Conflict("entry_exists", f"{entry.id} is posted and says something else", field="number")
            continue
        if entry.number != len(known) + len(new) + 1:
            raise Conflict("entry_left_out", f"before {entry.id} an entry is missing", field="number")
        new.append(entry)
    return new


def _prices_of(raw: RawItem) -> tuple[CostPrice, ...]:
    sku = raw["pk"]["S"].removeprefix("cost/")
    rows = json.loads(_unpack(raw))
    prices = (CostPrice(sku, currency, minor, date.fromisoformat(since)) for since, currency, minor in rows)
    return tuple(sorted(prices, key=lambda price: (price.since, price.currency)))


def _price_item(sku: str, prices: Iterable[CostPrice], revision: int) -> PackedItem:
    rows = sorted([price.since.isoformat(), price.currency, price.minor] for price in prices)
    body = _pack(json.dumps(rows), f"prices of {sku}")
    return PackedItem(f"cost/{sku}", _PRICES, revision=revision + 1, body=body)


def _count_changes(before: Mapping[tuple[str, date], CostPrice], stated: Iterable[CostPrice]) -> int:
    known, changed = dict(before), 0
    for price in stated:
        changed += known.get((price.currency, price.since)) != price
        known[price.currency, price.since] = price
    return changed


def _pack(text: str | bytes, what: str) -> bytes:
    packed = zlib.compress(text.encode("utf-8") if isinstance(text, str) else text, 9)
    if len(packed) > _MOST_PACKED_BYTES:
        raise Rejected("finance_item_too_large", f"{what} does not fit into an item of 400 KB even when compressed")
    return packed


def _unpack(raw: RawItem) -> bytes:
    return zlib.decompress(raw["body"]["B"])
