"""Closing and reopening the books of a day."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from shared.finance.audit import faults_in
from shared.finance.cases import DayClose, DayState
from shared.finance.closing import (
    Archived,
    Closing,
    close_day,
    days_to_close,
    missing_of,
    reopen_day,
    require_unchanged,
)
from shared.finance.due.view import LedgerView
from shared.finance.journal import JournalEntry
from shared.finance.models import DiscrepancyKind
from shared.finance.posting import bring_up_to_date
from shared.finance.trial import balances_of, end_of
from shared.kernel.errors import Conflict, Rejected, Retry
from tests.builders.ledger import DAY, NOON, RULES, balance, case, days, line, on, statement, view
from tests.fakes.finance import FakeFinanceBook

LINES = (line("l1", 1190, 40), line("l2", 500, 10, occurred_at=NOON + days(1)))
KNOWN = view(orders=(statement(),), lines=LINES, order_of={"stripe-eu/l1": "aurora/5001"})
LATER = NOON + days(20)


def archive(close: DayClose, entries: Sequence[JournalEntry]) -> Archived:
    return Archived((f"close/{close.day}/{close.revision}.html",), (f"journal-{len(entries)}",))


def books(known: LedgerView = KNOWN) -> FakeFinanceBook:
    book = FakeFinanceBook(zone="Europe/Amsterdam")
    ends = [end_of(day, RULES.zone) for day in (DAY, on(1), on(3))]
    book.keep([*known.orders, *known.lines])
    book.keep([balance(1150, ends[0]), balance(1640, ends[1]), balance(1640, ends[2])])
    bring_up_to_date(known, book, since=DAY, until=on(9))
    return book


def closing(book: Any, now: datetime = LATER, known: LedgerView = KNOWN) -> Closing:
    """Right after everything was read and reconciled."""
    book.note_reconciled(now)
    return Closing(book=book, view=known, read_until={"stripe-eu": now}, clock=lambda: now)


def close(book: Any, day: date = DAY, actor: str = "ann") -> DayClose:
    return close_day(day, actor, closing(book), archive)


def test_a_close_keeps_totals_documents_and_who_did_it() -> None:
    book = books()
    closed = close(book)
    assert (closed.state, closed.closed_by, closed.entries, closed.revision) == (DayState.CLOSED, "ann", 3, 1)
    assert closed.documents == (f"close/{DAY}/1.html",)
    assert closed.posted_to_backoffice == ("journal-3",)
    assert book.last_closed() == DAY
    assert book.balances_before(on(1)) == balances_of(book.entries(DAY, DAY))
    (record,) = book.trail
    assert (record.action, record.subject, record.actor) == ("day.closed", DAY.isoformat(), "ann")
    assert record.detail["digest"] == closed.digest
    assert not faults_in(book.trail)


def test_closing_again_changes_nothing() -> None:
    book = books()
    closed = close(book)

    def refuse(*_: Any) -> Archived:
        raise AssertionError("nothing is written again")

    assert close_day(DAY, "ben", closing(book), refuse) == closed
    assert len(book.trail) == 1


def test_days_follow_each_other_and_their_totals_add_up() -> None:
    book = books()
    assert days_to_close(closing(book, NOON + days(2.9)), on(9)) == (DAY, on(1), on(2))
    for day in (DAY, on(1), on(2)):
        close(book, day)
    assert book.balances_before(on(3)) == balances_of(book.entries(date.min, date.max))
    assert close(book, on(2)).entries == 0
    assert days_to_close(closing(book), on(4)) == (on(3), on(4))


def test_what_is_missing_is_said_and_nothing_is_written() -> None:
    book = books()
    book.keep([balance(1149, end_of(DAY, RULES.zone) - timedelta(microseconds=1))])
    book.commit_case(case(DiscrepancyKind.UNKNOWN_TXN, "line:stripe-eu/l1", 0, 5, blocks_close=True), replaces=None)
    with pytest.raises(Rejected) as refusal:
        close(book)
    assert refusal.value.code == "day_not_closable"
    assert "case_blocks unknown_txn-stripe-eu/l1" in refusal.value.message
    with pytest.raises(Rejected, match=f"day_before_open {DAY}"):
        close(book, on(1))
    assert [one.kind.value for one in missing_of(DAY, closing(book))] == ["case_blocks"]
    assert (book.days, book.trail) == ({}, [])


def test_a_long_list_is_cut_and_counted() -> None:
    book = books()
    for number in range(14):
        name = f"line:stripe-eu/l{number}"
        book.commit_case(case(DiscrepancyKind.UNKNOWN_TXN, name, 0, 5, blocks_close=True), replaces=None)
    with pytest.raises(Rejected, match="and 4 more"):
        close(book)


def test_the_first_day_is_the_one_the_settings_name() -> None:
    rules = RULES.model_copy(update={"books_from": DAY.isoformat()})
    known = view(rules=rules, orders=KNOWN.orders, lines=LINES, order_of=KNOWN.order_of)
    assert days_to_close(closing(books(known), known=known), on(1)) == (DAY, on(1))
    with pytest.raises(Rejected, match="day_before_open"):
        close_day(on(1), "ann", closing(books(known), known=known), archive)


def test_a_closed_day_that_was_written_into_is_found() -> None:
    book = books()
    closed = close(book)
    first = next(iter(book.posted["line/stripe-eu/l1"]))
    book.posted["line/stripe-eu/l1"][0] = first.model_copy(update={"narration": "another"})
    with pytest.raises(Rejected, match="closed_day_changed"):
        close(book)
    with pytest.raises(Rejected, match="closed_day_changed"):
        require_unchanged(closed, book.entries(DAY, DAY))


# ---- reopening -----------------------------------------------------------------------------------------------------


def closed_books() -> FakeFinanceBook:
    book = books()
    for day in (DAY, on(1), on(2)):
        close(book, day)
    return book


def test_a_day_opens_with_all_days_after_it() -> None:
    book = closed_books()
    assert reopen_day(on(1), "ben", " late fee ", book, lambda: LATER) == (on(2), on(1))
    assert book.last_closed() == DAY
    opened = book.day(on(1))
    assert opened is not None
    assert [(one.by, one.text) for one in opened.reopened] == [("ben", "late fee")]
    assert [record.action for record in book.trail[3:]] == ["day.reopened", "day.reopened"]
    again = close(book, on(1))
    assert (again.revision, again.reopened) == (3, opened.reopened)
    assert not faults_in(book.trail)


def test_a_reopened_day_takes_what_was_late() -> None:
    book = closed_books()
    late = view(lines=(line("l9", 77),))
    reopen_day(DAY, "ben", "a late line", book, lambda: LATER)
    bring_up_to_date(late, book, since=DAY, until=on(3))
    assert [entry.posted_on for entry in book.posted["line/stripe-eu/l9"]] == [DAY]


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_day_is_not_opened_without_a_reason(reason: str) -> None:
    with pytest.raises(Rejected, match="reason_missing"):
        reopen_day(DAY, "ben", reason, closed_books(), lambda: LATER)


def test_only_a_closed_day_is_opened() -> None:
    book = closed_books()
    for day in (on(3), on(-1)):
        with pytest.raises(Rejected, match="day_not_closed"):
            reopen_day(day, "ben", "why not", book, lambda: LATER)
    with pytest.raises(Rejected, match="day_not_closed"):
        reopen_day(DAY, "ben", "why not", books(), lambda: LATER)


# ---- stopped on the way ----------------------------------------------------------------------------------------------


class Stopping(FakeFinanceBook):
    """Stops once at its nth commit, before or after it."""

    left = -1
    after = False

    def commit_day(self, *arguments: Any, **named: Any) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Retry("out_of_reach", "killed")
        super().commit_day(*arguments, **named)
        if self.left == 0:
            raise Retry("out_of_reach", "killed")


def stopping(call: int, *, after: bool) -> Stopping:
    book = Stopping(zone="Europe/Amsterdam")
    book.__dict__.update(books().__dict__)
    for day in (DAY, on(1), on(2)):
        close(book, day)
    book.left, book.after = call, after
    return book


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [1, 2])
def test_reopening_stopped_and_repeated_opens_the_rest(call: int, after: bool) -> None:
    book = stopping(call, after=after)
    with pytest.raises(Retry):
        reopen_day(on(1), "ben", "late fee", book, lambda: LATER)
    done = call == 2 and after
    if done:
        with pytest.raises(Rejected, match="day_not_closed"):
            reopen_day(on(1), "ben", "late fee", book, lambda: LATER)
    else:
        reopen_day(on(1), "ben", "late fee", book, lambda: LATER)
    assert [book.days[on(number)].state.value for number in range(3)] == ["closed", "open", "open"]
    assert [book.days[on(number)].revision for number in range(3)] == [1, 2, 2]


@pytest.mark.parametrize("after", [False, True])
def test_a_close_stopped_and_repeated_is_one_close(after: bool) -> None:
    book = stopping(1, after=after)
    with pytest.raises(Retry):
        close(book, on(3))
    assert close(book, on(3)).revision == 1
    assert [record.action for record in book.trail] == ["day.closed"] * 4


def test_what_came_while_the_day_was_being_closed_is_not_lost() -> None:
    book = books()

    def slow(found: DayClose, entries: Sequence[JournalEntry]) -> Archived:
        bring_up_to_date(view(lines=(line("l9", 0, 7),)), book, since=DAY, until=on(1))
        return archive(found, entries)

    with pytest.raises(Conflict):
        close_day(DAY, "ann", closing(book), slow)
    assert book.days == {}
    assert "l9" in str(list(book.posted))
