"""Hold what is left at the end against every single delivery: what is lost, what is doubled, what is wrong. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from infra.load.sender import Sent
from infra.load.traffic import Account, Kind
from shared.inventory.ledger import Movement, audit
from shared.inventory.models import StockLine
from shared.kernel.identifiers import OrderKey
from shared.orders.effects import OrderEventKind
from shared.orders.lifecycle import ReviewState
from shared.orders.record import OrderRecord


class Fault(StrEnum):
    LOST = "lost"
    DOUBLED = "doubled"
    WRONG = "wrong"


@dataclass(frozen=True)
class Check:
    """One thing that must hold, and the ids for which it does not."""

    fault: Fault
    """What it is called where it does not hold."""
    what: str
    found: str
    ids: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.ids


@dataclass(frozen=True)
class Event:
    """An order's event as the bus passed it on."""

    id: str
    kind: str
    order: str
    content: str


@dataclass(frozen=True)
class Evidence:
    """What tables, queues, bus, shops and back office hold once all is quiet."""

    records: Mapping[OrderKey, OrderRecord]
    stock: Sequence[StockLine]
    ledger: Mapping[str, Sequence[Movement]]
    """Movements by SKU."""
    events: Sequence[Event]
    set_aside: frozenset[tuple[OrderKey, str]] = frozenset()
    """Orders and digests of the accounts on the dead-letter queue."""
    dead: Mapping[str, int] = field(default_factory=dict)
    """Messages on each dead-letter queue."""
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Messages on each queue that feeds a function."""
    shown: Mapping[str, Mapping[str, int | None]] = field(default_factory=dict)
    """What each shop shows of a SKU: by SKU and shop."""
    sales: Mapping[str, Sequence[str]] | None = None
    """The back office's sales by our key, each with its state; None where none is connected."""
    stopped: tuple[str, ...] = ()
    """Orders on the error desk."""


def judge(sent: Sequence[Sent], evidence: Evidence, opening: Mapping[str, int]) -> list[Check]:
    """All that must hold. `opening`: the units of each SKU that were counted in before the first order."""
    genuine = [one for one in sent if one.sending.kind is not Kind.FORGED]
    newest = _newest(one.sending.account for one in genuine if one.acknowledged)
    return [
        _all_acknowledged(genuine),
        _forgeries_refused([one for one in sent if one.sending.kind is Kind.FORGED]),
        _each_delivery_found(genuine, evidence),
        _newest_account(newest, evidence),
        _no_stranger(newest, evidence),
        *_stock(evidence, opening),
        *_announced(genuine, newest, evidence),
        *_sold(newest, evidence),
        *_quiet(evidence),
    ]


def _newest(accounts: Iterable[Account]) -> dict[OrderKey, Account]:
    newest: dict[OrderKey, Account] = {}
    for account in accounts:
        known = newest.get(account.key)
        if known is None or account.updated_at > known.updated_at:
            newest[account.key] = account
    return newest


def _all_acknowledged(genuine: Sequence[Sent]) -> Check:
    given_up = [_name(one.sending.account) for one in genuine if not one.acknowledged]
    again = sum(one.attempts > 1 for one in genuine)
    found = f"{len(genuine) - len(given_up)} of {len(genuine)} genuine deliveries, {again} of them sent again"
    return Check(Fault.WRONG, "Every genuine delivery is acknowledged in the end", found, tuple(given_up))


def _forgeries_refused(forged: Sequence[Sent]) -> Check:
    """None may be acknowledged. One that was taken all the same would show in a record that is no account of ours."""
    taken = [_name(one.sending.account) for one in forged if not _is_refused(one)]
    found = f"{len(forged) - len(taken)} of {len(forged)} refused"
    return Check(Fault.WRONG, "Every forgery is refused", found, tuple(taken))


def _is_refused(one: Sent) -> bool:
    return bool(one.statuses) and one.statuses[-1] == HTTPStatus.UNAUTHORIZED


def _each_delivery_found(genuine: Sequence[Sent], evidence: Evidence) -> Check:
    fates: Counter[str] = Counter()
    lost = []
    for one in genuine:
        if one.acknowledged:
            fate = _fate(one.sending.account, evidence)
            fates[fate] += 1
            if fate == Fault.LOST:
                lost.append(_name(one.sending.account))
    found = ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()))
    what = "Every acknowledged delivery is applied, superseded by a newer one, or set aside"
    return Check(Fault.LOST, what, found, tuple(lost))


def _fate(account: Account, evidence: Evidence) -> str:
    record = evidence.records.get(account.key)
    if record is not None and record.version.updated_at > account.updated_at:
        return "superseded"
    if record is not None and record.version.body_sha256 == account.sha256:
        return "applied"
    return "set aside" if (account.key, account.sha256) in evidence.set_aside else Fault.LOST


def _newest_account(newest: Mapping[OrderKey, Account], evidence: Evidence) -> Check:
    behind = [
        _name(account)
        for key, account in newest.items()
        if (record := evidence.records.get(key)) is not None and not _states(record, account)
    ]
    cancelled = sum(account.cancelled for account in newest.values())
    found = f"{len(newest)} orders, {cancelled} of them cancelled"
    return Check(Fault.LOST, "Every order is what its newest acknowledged account says", found, tuple(behind))


def _states(record: OrderRecord, account: Account) -> bool:
    return record.version.body_sha256 == account.sha256 and account.cancelled == (
        record.review is ReviewState.CANCELLED
    )


def _no_stranger(newest: Mapping[OrderKey, Account], evidence: Evidence) -> Check:
    strangers = [str(key) for key in evidence.records.keys() - newest.keys()]
    return Check(
        Fault.WRONG, "No order that no shop has sent", f"{len(evidence.records)} records", tuple(sorted(strangers))
    )


def _stock(evidence: Evidence, opening: Mapping[str, int]) -> Iterator[Check]:
    promised: Counter[str] = Counter()
    for record in evidence.records.values():
        for line in record.lines:
            promised[str(line.sku)] += sum(line.allocated.values())
    lines = {line.sku: line for line in evidence.stock}
    units = f"{promised.total()} units promised by orders, {sum(line.reserved for line in lines.values())} reserved"
    doubled = [sku for sku, line in lines.items() if line.reserved > promised[sku]]
    yield Check(Fault.DOUBLED, "No unit is reserved twice for one order", units, tuple(doubled))
    missing = [sku for sku in opening if sku not in lines or lines[sku].reserved < promised[sku]]
    yield Check(Fault.LOST, "No reservation is missing", units, tuple(missing))
    beyond = [line.sku for line in lines.values() if not 0 <= line.reserved <= line.on_hand]
    levels = ", ".join(f"{line.sku} {line.reserved} of {line.on_hand}" for line in lines.values())
    yield Check(Fault.WRONG, "Never more allocated than there is", levels, tuple(beyond))
    moved = [sku for sku, units in opening.items() if sku in lines and lines[sku].on_hand != units]
    yield Check(Fault.DOUBLED, "On hand is what was counted in: nothing left", levels, tuple(moved))
    broken = [sku for sku, line in lines.items() if not audit(evidence.ledger.get(sku, ()), line).agrees]
    count = sum(len(movements) for movements in evidence.ledger.values())
    yield Check(Fault.LOST, "The ledger tells how each level came about", f"{count} movements", tuple(broken))


_ONCE: Final = (OrderEventKind.RECEIVED, OrderEventKind.CANCELLED)
"""An order is received once, and cancelled once; so each may be announced under one id alone."""


def _announced(genuine: Sequence[Sent], newest: Mapping[OrderKey, Account], evidence: Evidence) -> Iterator[Check]:
    ids = Counter(event.id for event in evidence.events)
    found = f"{len(ids)} events, {ids.total() - len(ids)} of them passed on again under the same id"
    distinct = {event.id: event for event in evidence.events}
    by_kind = Counter((event.order, event.kind) for event in distinct.values())
    yield Check(
        Fault.LOST,
        "Every order is announced, and every cancellation",
        found,
        tuple(str(key) for key, account in newest.items() if not _is_announced(key, account, by_kind)),
    )
    accounts: dict[str, set[str]] = {}
    for one in genuine:
        accounts.setdefault(str(one.sending.account.key), set()).add(one.sending.account.sha256)
    twice = [f"{order} {kind}" for (order, kind), count in by_kind.items() if count > 1 and kind in _ONCE]
    revised = [
        f"{order} {kind}"
        for (order, kind), count in by_kind.items()
        if kind == OrderEventKind.REVISED and count >= len(accounts.get(order, ()))
    ]
    yield Check(Fault.DOUBLED, "No version of an order took effect twice", found, tuple(sorted(twice + revised)))
    torn = {event.id for event in evidence.events if event.content != distinct[event.id].content}
    yield Check(Fault.WRONG, "What comes under one id is the same each time", found, tuple(sorted(torn)))


def _is_announced(key: OrderKey, account: Account, by_kind: Mapping[tuple[str, str], int]) -> bool:
    kinds = [OrderEventKind.RECEIVED, *([OrderEventKind.CANCELLED] if account.cancelled else [])]
    return all(by_kind[str(key), kind] for kind in kinds)


def _sold(newest: Mapping[OrderKey, Account], evidence: Evidence) -> Iterator[Check]:
    """A sale is made once the order is released; one that was cancelled before needs none."""
    if evidence.sales is None:
        return
    total = sum(len(sales) for sales in evidence.sales.values())
    found = f"{total} sales of {len(evidence.sales)} orders"
    doubled = sorted(key for key, sales in evidence.sales.items() if len(sales) > 1)
    yield Check(Fault.DOUBLED, "One sale for each order at the back office", found, tuple(doubled))
    released = [str(record.key) for record in evidence.records.values() if record.review is ReviewState.RELEASED]
    missing = sorted(key for key in released if not evidence.sales.get(key))
    yield Check(Fault.LOST, "Every released order has its sale", f"{len(released)} released", tuple(missing))
    open_still = sorted(
        str(key) for key, account in newest.items() if account.cancelled and _is_open(evidence.sales.get(str(key), ()))
    )
    cancelled = sum("cancel" in sales for sales in evidence.sales.values())
    what = "No sale of a cancelled order stands open"
    yield Check(Fault.LOST, what, f"{cancelled} cancelled sales", tuple(open_still))


def _is_open(sales: Sequence[str]) -> bool:
    return any(state != "cancel" for state in sales)


def _quiet(evidence: Evidence) -> Iterator[Check]:
    left = tuple(f"{queue}: {count}" for queue, count in evidence.waiting.items() if count)
    yield Check(Fault.WRONG, "Nothing waits any more", f"{sum(evidence.waiting.values())} messages", left)
    unread = sum(evidence.dead.values()) - len(evidence.set_aside)
    dead = tuple(f"{queue}: {count}" for queue, count in evidence.dead.items() if count) if unread > 0 else ()
    found = f"{sum(evidence.dead.values())} dead letters, {len(evidence.stopped)} on the error desk"
    yield Check(Fault.WRONG, "Nothing was given up", found, dead + evidence.stopped)
    lines = {line.sku: line for line in evidence.stock}
    off = [
        f"{sku} at {shop}: {units}"
        for sku, by_shop in evidence.shown.items()
        for shop, units in by_shop.items()
        if units != lines[sku].available
    ]
    found = ", ".join(f"{sku} {line.available}" for sku, line in lines.items())
    yield Check(Fault.WRONG, "Each shop shows what is left in the pool", found, tuple(off))


def _name(account: Account) -> str:
    return f"{account.key} of {account.updated_at[:19]}"
