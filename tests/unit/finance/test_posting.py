"""The ledger comes to what is due, wherever it was stopped; what was posted is never changed, only reversed."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pytest

from shared.finance.audit import next_record
from shared.finance.cases import DayClose, DayState
from shared.finance.due.entries import entries_due
from shared.finance.due.view import LedgerView
from shared.finance.journal import DueEntry, JournalEntry
from shared.finance.posting import BATCH, Posted, bring_up_to_date, digest_of, entries_in_force
from shared.kernel.errors import Retry
from tests.builders.ledger import DAY, NOON, balances, document, line, on, payout, receivable, sold, statement, view
from tests.fakes.finance import FakeFinanceBook

ORDER = "aurora/5001"


def posted(book: FakeFinanceBook) -> list[JournalEntry]:
    return list(book.entries(date.min, date.max))


def bring(book: Any, known: LedgerView, since: date = DAY) -> Posted:
    return bring_up_to_date(known, book, since=since, until=on(30))


def close(book: FakeFinanceBook, day: date) -> None:
    entries = list(book.entries(day, day))
    closed = DayClose(day=day, state=DayState.CLOSED, entries=len(entries), closed_at=NOON, closed_by="ann")
    audit = next_record(book.last_record(), NOON, "ann", "day.closed", day.isoformat(), {})
    book.commit_day(closed, replaces=None, audit=audit, totals={})


def require_due(book: FakeFinanceBook, known: LedgerView) -> None:
    in_force = entries_in_force(posted(book))
    assert {source: entry.digest for source, entry in in_force.items()} == {
        entry.source: digest_of(entry) for entry in entries_due(known)
    }


def test_what_is_due_is_posted_once() -> None:
    book = FakeFinanceBook()
    known = view(orders=(statement(),), lines=(line("l1", 1190, 40),), order_of={"stripe-eu/l1": ORDER})
    assert bring(book, known) == Posted(new=3)
    assert bring(book, known) == Posted(same=3)
    assert [entry.id for entry in posted(book)] == [
        "line/stripe-eu/l1#1",
        "line/stripe-eu/l1/fee#1",
        f"order/{ORDER}/sale#1",
    ]
    require_due(book, known)


def test_what_changed_is_reversed_and_posted_anew() -> None:
    book = FakeFinanceBook()
    bring(book, view(lines=(line("l1", 1190),)))
    linked = view(orders=(statement(),), lines=(line("l1", 1190),), order_of={"stripe-eu/l1": ORDER})
    assert bring(book, linked) == Posted(new=1, corrected=1)
    first, undone, again = book.posted["line/stripe-eu/l1"]
    assert (undone.reverses, undone.narration) == (1, f"{first.narration} (reversed)")
    assert balances([first, undone]) == {}
    assert (again.number, again.reverses) == (3, None)
    require_due(book, linked)


def test_what_is_due_no_more_is_taken_back_and_may_come_again() -> None:
    book = FakeFinanceBook()
    back = document("refund/7", sold(190), at=NOON)
    with_refund = view(orders=(statement(reductions=(back,)),))
    without = view(orders=(statement(revision=2),))
    bring(book, with_refund)
    assert bring(book, without) == Posted(withdrawn=1, same=1)
    require_due(book, without)
    assert bring(book, without) == Posted(same=1)
    assert bring(book, with_refund) == Posted(new=1, same=1)
    assert [entry.number for entry in book.posted[f"order/{ORDER}/refund/7"]] == [1, 2, 3]
    assert receivable(posted(book), ORDER) == 1000


def test_reversed_units_count_the_other_way() -> None:
    book = FakeFinanceBook()
    bring(book, view(orders=(statement(),)))
    bring(book, view(orders=(statement(sale=None),)))
    units = [posting.dimensions.units for entry in posted(book) for posting in entry.postings if posting.dimensions.sku]
    assert units == [1, -1]


def test_things_that_are_not_in_the_view_are_left_alone() -> None:
    book = FakeFinanceBook()
    bring(book, view(orders=(statement("1"), statement("2"))))
    assert bring(book, view(orders=(statement("2"),))) == Posted(same=1)
    assert len(posted(book)) == 2


def test_something_old_in_the_view_is_looked_up_by_its_name() -> None:
    book = FakeFinanceBook()
    old = (payout("po_1", 5),)
    bring(book, view(orders=(statement(),), lines=(line("l1", 5, 1),), payouts=old))
    gone = view(orders=(statement(sale=None),), lines=(line("l1", 5, 1, test=True),), payouts=old)
    assert bring(book, gone, since=on(20)) == Posted(withdrawn=3, same=1)
    require_due(book, gone)


def test_a_closed_day_is_never_written_into() -> None:
    book = FakeFinanceBook()
    bring(book, view(lines=(line("l1", 1190),)))
    close(book, DAY)
    before = list(book.entries(DAY, DAY))
    linked = view(orders=(statement(),), lines=(line("l1", 1190),), order_of={"stripe-eu/l1": ORDER})
    assert bring(book, linked) == Posted(new=1, corrected=1)
    assert list(book.entries(DAY, DAY)) == before
    late = [(entry.id, entry.on, entry.posted_on) for entry in book.entries(on(1), on(1))]
    assert late == [
        ("line/stripe-eu/l1#2", DAY, on(1)),
        ("line/stripe-eu/l1#3", DAY, on(1)),
        (f"order/{ORDER}/sale#1", DAY, on(1)),
    ]
    require_due(book, linked)


def test_more_than_one_batch() -> None:
    book = FakeFinanceBook()
    known = view(lines=tuple(line(f"l{number}", number + 1) for number in range(2 * BATCH + 1)))
    assert bring(book, known) == Posted(new=2 * BATCH + 1)
    assert bring(book, known).same == 2 * BATCH + 1


def test_a_field_of_a_later_version_changes_no_digest() -> None:
    class Later(DueEntry):
        colour: str | None = None

    (entry,) = entries_due(view(lines=(line("l1", 5),)))
    later = Later(**{name: getattr(entry, name) for name in DueEntry.model_fields}, colour=None)
    assert digest_of(later) == digest_of(entry)
    assert digest_of(entry) != digest_of(entry.model_copy(update={"narration": "another"}))


class Dying:
    """A ledger that stops everything at its nth call, before or after the call did its work."""

    def __init__(self, book: FakeFinanceBook, call: int, *, after: bool) -> None:
        self._book, self._left, self._after = book, call, after
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            self.calls += 1
            if not self._left and not self._after:
                raise Retry("out_of_reach", "killed")
            result = getattr(self._book, name)(*arguments, **named)
            if not self._left:
                raise Retry("out_of_reach", "killed")
            return result

        return call


def test_what_is_in_force_by_the_days_that_were_read_is_not_looked_up_again() -> None:
    book = FakeFinanceBook()
    known = view(lines=(line("l1", 1190, 7), line("l2", 5)))
    bring(book, known)
    looked_up = LookedUp(book)
    assert bring(looked_up, known) == Posted(same=3)
    assert looked_up.sources == []
    bring(looked_up, view(lines=(line("l1", 1190, 7), line("l2", 6))))
    assert looked_up.sources == ["line/stripe-eu/l2"]


def test_what_came_back_in_force_on_a_later_day_is_seen_there() -> None:
    """Its first entry lies before the days that are read, its reversal and the entry in force on them."""
    book = FakeFinanceBook()
    first, second = view(lines=(line("l1", 5),)), view(lines=(line("l1", 6),))
    bring(book, first)
    close(book, DAY)
    bring(book, second)
    assert bring(book, second, since=on(1)) == Posted(same=1)
    assert bring(book, first, since=on(1)) == Posted(corrected=1)
    require_due_of(book, first)
    assert [entry.number for entry in posted(book)] == [1, 2, 3, 4, 5]


class LookedUp:
    """A ledger that notes which sources it is asked for by name."""

    def __init__(self, book: FakeFinanceBook) -> None:
        self._book = book
        self.sources: list[str] = []

    def entries_of(self, sources: Iterable[str]) -> Any:
        asked = list(sources)
        self.sources += asked
        return self._book.entries_of(asked)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._book, name)


@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_and_repeated_it_is_the_same_ledger(after: bool) -> None:
    lines = tuple(line(f"l{number:03}", 1190, 7) for number in range(130))
    restated = tuple(line(f"l{number:03}", 1191, 7) for number in range(120))
    then = view(orders=(statement(),), lines=restated, order_of={f"stripe-eu/l{n:03}": ORDER for n in (0, 79)})

    def begun() -> FakeFinanceBook:
        book = FakeFinanceBook()
        bring(book, view(lines=lines))
        close(book, DAY)
        return book

    undisturbed = begun()
    counting = Dying(undisturbed, 0, after=after)
    bring(counting, then)
    assert counting.calls == 6  # first open day, what is kept, and twice: look up, post
    for call in range(1, counting.calls + 1):
        killed = begun()
        with pytest.raises(Retry):
            bring(Dying(killed, call, after=after), then)
        bring(killed, then)
        assert posted(killed) == posted(undisturbed)
    require_due_of(undisturbed, then)


def require_due_of(book: FakeFinanceBook, known: LedgerView) -> None:
    in_force = entries_in_force(posted(book))
    for entry in entries_due(known):
        assert in_force[entry.source].digest == digest_of(entry)


class HalfDone(FakeFinanceBook):
    """Stores the first entries of a batch and stops: a table takes as many at once as a transaction holds."""

    stop_after: int | None = None

    def post(self, entries: Any) -> None:
        if self.stop_after is not None:
            super().post(sorted(entries, key=lambda entry: (entry.source, entry.number))[: self.stop_after])
            raise Retry("out_of_reach", "killed")
        super().post(entries)


@pytest.mark.parametrize("stored", range(4))
def test_killed_within_a_batch_it_is_the_same_ledger(stored: int) -> None:
    book = HalfDone()
    bring(book, view(lines=(line("l1", 1190),)))
    linked = view(orders=(statement(),), lines=(line("l1", 1190),), order_of={"stripe-eu/l1": ORDER})
    book.stop_after = stored
    with pytest.raises(Retry):
        bring(book, linked)
    book.stop_after = None
    bring(book, linked)
    require_due(book, linked)
    assert len(posted(book)) == 4
