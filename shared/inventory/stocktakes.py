"""Stocktakes: what people do with them, one function each, and what that needs of the outside."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import tenacity

from shared.inventory.ledger import Movement
from shared.inventory.models import StockLine
from shared.inventory.ports import StockRoom
from shared.inventory.stocktake import (
    ApprovalLimit,
    Correction,
    Count,
    Review,
    Standing,
    Stocktake,
    StocktakeLine,
    StocktakeState,
    Tolerance,
    approved,
    check_time,
    is_recorded,
    moved_on,
    opened_lines,
    require_counting,
    require_stock_line,
    review,
    with_count,
)
from shared.inventory.stocktake_csv import CountRow, Fault, refuse
from shared.inventory.stocktake_scope import Catalogue, Scope, select
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry


class StocktakeBook(Protocol):
    """Where stocktakes are kept. Every method raises `Retry` when the store is out of reach."""

    def open(self, session: Stocktake, lines: Sequence[StocktakeLine]) -> None:
        """Keep a new session with its lines. It is there only once all of it is.

        Raises:
            Conflict: there is one by that id.
        """
        ...

    def sessions(self) -> Iterable[Stocktake]:
        """Every session, by id."""
        ...

    def find(self, session_id: str) -> Stocktake | None:
        """The session, read consistently."""
        ...

    def save(self, session: Stocktake) -> None:
        """Keep the session in place of the revision before it.

        Raises:
            Conflict: another revision is kept.
        """
        ...

    def lines(self, session_id: str) -> Sequence[StocktakeLine]:
        """The session's lines by SKU, read consistently."""
        ...

    def find_line(self, session_id: str, sku: str) -> StocktakeLine | None:
        """One line, read consistently."""
        ...

    def record(self, session_id: str, line: StocktakeLine) -> None:
        """Keep the line in place of the revision before it; revision 1 is a new line.

        Raises:
            Conflict: another revision is kept.
        """
        ...

    def post(self, session_id: str, line: StocktakeLine, correction: Correction) -> None:
        """Keep the line and move the stock line in one transaction, both or neither.

        Raises:
            Conflict: either changed since it was read, or the movement would leave less than is promised.
        """
        ...


class StockRoll(StockRoom, Protocol):
    """A stock room that can also list what it keeps."""

    def read_all(self) -> Iterable[StockLine]: ...


class Movements(Protocol):
    def of(self, sku: str, location: str, /) -> Sequence[Movement]:
        """The movements of one stock line in their sequence, as far as the ledger has heard of them."""
        ...


@dataclass(frozen=True)
class StocktakeDesk:
    """Everything that the use cases work with."""

    book: StocktakeBook
    stock: StockRoll
    movements: Movements | None
    """None where no ledger is kept: then only lines that have not moved since the opening can be counted off line."""
    clock: Clock
    retrying: Callable[[], tenacity.Retrying]
    """How often to read and decide again after a conflict."""


@dataclass(frozen=True)
class Plan:
    """What a new stocktake is to be."""

    location: str
    scope: Scope
    catalogue: Catalogue
    tolerance: Tolerance
    approval: ApprovalLimit
    currency: str | None = None


def open_stocktake(desk: StocktakeDesk, plan: Plan, *, actor: str) -> tuple[Stocktake, tuple[StocktakeLine, ...]]:
    """Open a session over what the location keeps now, and fix what it covers.

    Raises:
        Rejected: `empty_scope`, `unknown_sku`, `mixed_currencies`.
        Conflict: a session of this location was opened in the same millisecond.
    """
    now = desk.clock()
    kept = {line.sku: line for line in desk.stock.read_all() if line.location == plan.location}
    skus = select(plan.scope, kept, plan.catalogue)
    zones = {sku: entry.zone for sku, entry in plan.catalogue.items() if entry.zone}
    costs = {sku: entry.unit_cost for sku, entry in plan.catalogue.items() if entry.unit_cost}
    _check_currencies(plan)
    session = Stocktake(
        id=f"{plan.location}-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03}",
        location=plan.location,
        scope=plan.scope,
        currency=plan.currency,
        tolerance=plan.tolerance,
        approval=plan.approval,
        opened_at=now,
        opened_by=actor,
    )
    lines = opened_lines(skus, kept, zones, costs)
    desk.book.open(session, lines)
    return session, lines


def _check_currencies(plan: Plan) -> None:
    stated = [entry.unit_cost for entry in plan.catalogue.values()] + [plan.tolerance.value, plan.approval.value]
    if {money.currency for money in stated if money} - {plan.currency}:
        raise Rejected("mixed_currencies", "costs and limits are to be in the currency of the stocktake", field="value")


def read_session(desk: StocktakeDesk, session_id: str) -> Stocktake:
    """The session, or `Rejected` with code `unknown_stocktake`."""
    session = desk.book.find(session_id)
    if session is None:
        hint = "see storebridge stocktake list"
        raise Rejected("unknown_stocktake", f"there is no stocktake {session_id!r}", field="id", hint=hint)
    return session


def stock_line(desk: StocktakeDesk, sku: str, location: str) -> StockLine | None:
    """The line as it is now, read consistently."""
    return desk.stock.read([sku]).get(sku, {}).get(location)


def review_stocktake(desk: StocktakeDesk, session_id: str) -> Review:
    """Where every line stands."""
    return review(read_session(desk, session_id), desk.book.lines(session_id))


@dataclass(frozen=True)
class Entry:
    """A count that is handed in. Without a time it was counted just now."""

    sku: str
    counted: int
    counter: str
    counted_at: datetime | None = None
    confirm_found: bool = False
    """The counter is sure of a SKU that the session does not list."""
    source: str | None = None


def count(desk: StocktakeDesk, session_id: str, entry: Entry) -> StocktakeLine:
    """Record the first count of a line, or a further one by another person, with the book at that time.

    Raises:
        Rejected: `unknown_stocktake`, `wrong_state`, `not_listed`, `same_counter`, `counted_enough`,
            `superseded_count`, `counted_in_future`, `counted_before_opening`, `no_ledger`, `ledger_too_short`,
            `ambiguous_time`, `unknown_stock_line`.
        Retry: `ledger_behind`: the ledger has not heard of the latest movements yet.
    """
    for attempt in desk.retrying():
        with attempt:
            return _record(desk, session_id, entry)
    raise AssertionError("unreachable: retrying ends with an answer or an error")


def import_counts(
    desk: StocktakeDesk, session_id: str, rows: Sequence[CountRow], *, counter: str, confirm_found: bool = False
) -> list[StocktakeLine]:
    """Record a file of counts. Every row is judged before the first is written; sent again, it writes only the rest.

    Rows without a counter are `counter`'s; rows without a time were counted just now.

    Raises:
        Rejected: `invalid_rows`, naming each row that cannot be recorded; nothing is written then.
    """
    session = read_session(desk, session_id)
    require_counting(session)
    entries = [
        Entry(row.sku, row.counted, row.counter or counter, row.counted_at, confirm_found, row.source) for row in rows
    ]
    faults = (_fault(desk, session, row.row, entry) for row, entry in zip(rows, entries, strict=True))
    refuse([fault for fault in faults if fault])
    return [count(desk, session_id, entry) for entry in entries]


def _fault(desk: StocktakeDesk, session: Stocktake, row: int, entry: Entry) -> Fault | None:
    try:
        _counted(desk, session, entry)
    except Rejected as error:
        return Fault(row, error.field or "row", error.message)
    return None


def _record(desk: StocktakeDesk, session_id: str, entry: Entry) -> StocktakeLine:
    session = read_session(desk, session_id)
    require_counting(session)
    before, after = _counted(desk, session, entry)
    if after is before:
        return after
    if session.state is StocktakeState.DRAFT:
        desk.book.save(moved_on(session, StocktakeState.COUNTING))
    desk.book.record(session.id, after)
    return after


def _counted(desk: StocktakeDesk, session: Stocktake, entry: Entry) -> tuple[StocktakeLine | None, StocktakeLine]:
    """The line before and after the count; the very same one when this row is known already."""
    before = desk.book.find_line(session.id, entry.sku)
    if before is not None and is_recorded(before, entry.source):
        return before, before
    stock = stock_line(desk, entry.sku, session.location)
    require_stock_line(entry.sku, known=before is not None and before.opening is not None, stock=stock)
    now = desk.clock()
    line = before or _found(entry, stock)
    if entry.counted_at is None:
        counted_at, book = _just_now(now, stock), stock.on_hand if stock else 0
    else:
        check_time(session, entry.counted_at, now)
        counted_at, book = entry.counted_at, _book_at(desk.movements, session, line, stock, entry.counted_at)
    taken = Count(
        counter=entry.counter,
        counted=entry.counted,
        counted_at=counted_at,
        recorded_at=now,
        book=book,
        seq=stock.seq if stock else 0,
        taken_under=stock.counted_at if stock else None,
        source=entry.source,
    )
    after = with_count(line, taken)
    return before, after if before else after.model_copy(update={"revision": 1})


def _found(entry: Entry, stock: StockLine | None) -> StocktakeLine:
    if not entry.confirm_found:
        known = "this stocktake does not cover" if stock else "no stock line here carries"
        hint = "check the label; if it is right, confirm it as found (--found)"
        raise Rejected("not_listed", f"{known} the SKU {entry.sku}", field="sku", hint=hint)
    return StocktakeLine(sku=entry.sku, found=True)


def _just_now(now: datetime, stock: StockLine | None) -> datetime:
    """Now; but later than the line's last count, even where that was entered by a clock that is ahead of ours."""
    last = stock.counted_at if stock else None
    return now if last is None or now > last else last + timedelta(microseconds=1)


def _book_at(
    movements: Movements | None, session: Stocktake, line: StocktakeLine, stock: StockLine | None, moment: datetime
) -> int:
    """Units on hand by the book at a time since the opening of the session."""
    if stock is None:
        return 0
    if line.opening is not None and line.opening.seq == stock.seq:
        return stock.on_hand  # nothing moved since the opening
    if movements is None:
        message = f"{line.sku} has moved since the stocktake was opened, and no ledger tells when"
        raise Rejected("no_ledger", message, field="counted_at", hint=_COUNT_NOW)
    return book_at(movements.of(line.sku, session.location), stock, moment)


_COUNT_NOW = "count it now, and leave the time out"


def book_at(ledger: Sequence[Movement], stock: StockLine, moment: datetime) -> int:
    """Units on hand at an earlier time: from the line as it is now, back through its movements without a gap.

    Raises:
        Rejected: `ambiguous_time`, when units moved in that very second (the ledger's times are seconds);
            `ledger_too_short`.
        Retry: `ledger_behind`.
    """
    book, seq = stock.on_hand, stock.seq
    for movement in reversed([movement for movement in ledger if movement.seq <= stock.seq]):
        if movement.seq != seq:
            break
        if movement.on_hand and movement.at.replace(microsecond=0) == moment.replace(microsecond=0):
            message = f"units of {stock.sku} moved in the same second: before or after the count, nobody can say"
            raise Rejected("ambiguous_time", message, field="counted_at", hint=_COUNT_NOW)
        if movement.at <= moment:
            return book
        book, seq = movement.on_hand_after - movement.on_hand, seq - 1
    if seq == 0:
        return 0  # the line was made later
    if seq == stock.seq:
        raise Retry("ledger_behind", f"the ledger of {stock.sku} has not heard of the latest movement yet")
    message = f"the ledger of {stock.sku} does not go back to that time without a gap"
    raise Rejected("ledger_too_short", message, field="counted_at", hint=_COUNT_NOW)


def close_counting(desk: StocktakeDesk, session_id: str, *, actor: str, leave_open: bool = False) -> Review:
    """End the counting. Lines that nobody counted stay as they are, and so do unsettled ones with `leave_open`.

    Raises:
        Rejected: `recounts_open`, when lines still wait for another person's count; `wrong_state`.
    """
    found = review_stocktake(desk, session_id)
    session = moved_on(found.session, StocktakeState.COUNTED, closed_at=desk.clock(), closed_by=actor)
    waiting = found.standing(Standing.RECOUNT)
    if waiting and not leave_open:
        raise Rejected(
            "recounts_open",
            f"{len(waiting)} lines wait for another person's count",
            field="state",
            hint=f"see storebridge stocktake recounts {session_id}; or leave those lines as they are",
        )
    desk.book.save(session)
    return replace(found, session=session)


def approve(desk: StocktakeDesk, session_id: str, *, actor: str) -> Review:
    """Approve the counts as they are now; exactly these may be posted.

    Raises:
        Rejected: `self_approval`, `wrong_state`.
    """
    found = review_stocktake(desk, session_id)
    session = approved(found, actor, desk.clock())
    desk.book.save(session)
    return replace(found, session=session)


def cancel(desk: StocktakeDesk, session_id: str, *, actor: str) -> Stocktake:
    """Give a stocktake up. Its counts are kept, and the stock stays as it is.

    Raises:
        Rejected: `posting_began`, when some of it may be in the stock already; `wrong_state`.
    """
    session = read_session(desk, session_id)
    cancelled = moved_on(session, StocktakeState.CANCELLED, cancelled_at=desk.clock(), cancelled_by=actor)
    if session.posting_since is not None:
        hint = "post it to the end; what cannot be posted may be left"
        raise Rejected("posting_began", "some lines may be posted already", field="state", hint=hint)
    desk.book.save(cancelled)
    return cancelled
