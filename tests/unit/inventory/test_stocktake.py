"""The rules of a stocktake: states, counts, tolerance, approval, posting."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest

from shared.inventory.ledger import Movement
from shared.inventory.models import Cause, StockChange, StockLine
from shared.inventory.stocktake import (
    TRANSITIONS,
    ApprovalLimit,
    Count,
    LineOutcome,
    Standing,
    Stocktake,
    StocktakeLine,
    StocktakeState,
    Tolerance,
    figures,
    moved_on,
    person,
    review,
    verdict,
    with_count,
)
from shared.inventory.stocktake_csv import CountRow
from shared.inventory.stocktake_posting import post
from shared.inventory.stocktake_scope import AllScope, CatalogueEntry
from shared.inventory.stocktakes import (
    Entry,
    Plan,
    StocktakeDesk,
    approve,
    book_at,
    cancel,
    close_counting,
    count,
    import_counts,
    open_stocktake,
    review_stocktake,
)
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.kernel.money import Money
from tests.builders.orders import NOON
from tests.builders.stock import counted
from tests.fakes.order_desk import retry_at_once
from tests.fakes.stocktakes import FakeLedger, FakeStockRoll, FakeStocktakeBook, TickingClock

EUR = "EUR"
ORDER = Cause(kind="order", reference="aurora/1#1")
SESSION = Stocktake(id="s1", location="main", scope=AllScope(), opened_at=NOON, opened_by="lead")


def taken(counter: str, units: int, *, book: int = 10, **fields: object) -> Count:
    made = Count(counter=counter, counted=units, counted_at=NOON, recorded_at=NOON, book=book, seq=1)
    return made.model_copy(update=fields)


def line(*counts: Count, cost: str | None = None) -> StocktakeLine:
    return StocktakeLine(sku="MUG", unit_cost=Money.parse(cost, EUR) if cost else None, counts=counts)


# ---- states


@pytest.mark.parametrize(("start", "to"), list(product(StocktakeState, StocktakeState)))
def test_a_state_is_followed_only_by_those_that_may_follow(start: StocktakeState, to: StocktakeState) -> None:
    session = SESSION.model_copy(update={"state": start})
    if to in TRANSITIONS[start]:
        assert (moved_on(session, to).state, moved_on(session, to).revision) == (to, 2)
    else:
        with pytest.raises(Rejected) as refused:
            moved_on(session, to)
        assert refused.value.code == "wrong_state"


def test_every_state_is_reached_and_two_are_ends() -> None:
    reached = {StocktakeState.DRAFT}.union(*TRANSITIONS.values())
    assert reached == set(StocktakeState) == set(TRANSITIONS)
    assert {state for state, after in TRANSITIONS.items() if not after} == {
        StocktakeState.POSTED,
        StocktakeState.CANCELLED,
    }


# ---- tolerance and counts


@pytest.mark.parametrize(
    ("tolerance", "units", "book", "cost", "inside"),
    [
        (Tolerance(), 0, 10, None, True),
        (Tolerance(), -1, 10, None, False),
        (Tolerance(units=2), -2, 10, None, True),
        (Tolerance(units=2), 3, 10, None, False),
        (Tolerance(units=None, percent=Decimal("2.5")), -1, 40, None, True),
        (Tolerance(units=None, percent=Decimal("2.5")), 1, 39, None, False),
        (Tolerance(units=None, percent=Decimal(5)), 1, 0, None, False),
        (Tolerance(units=None, percent=Decimal(5)), 0, 0, None, True),
        (Tolerance(units=None, value=Money.parse("10", EUR)), -2, 99, "5", True),
        (Tolerance(units=None, value=Money.parse("10", EUR)), -2, 99, "5.001", False),
        (Tolerance(units=None, value=Money.parse("10", EUR)), -50, 99, None, True),
        (Tolerance(units=5, percent=Decimal(1), value=Money.parse("10", EUR)), 2, 100, "1", False),
        (Tolerance(units=None), -99, 99, "9", True),
    ],
)
def test_outside_of_any_limit_is_outside(
    tolerance: Tolerance, units: int, book: int, cost: str | None, inside: bool
) -> None:
    unit_cost = Money.parse(cost, EUR) if cost else None
    assert tolerance.covers(units, book=book, unit_cost=unit_cost) is inside


@pytest.mark.parametrize(
    ("counts", "standing", "variance"),
    [
        ([], Standing.UNCOUNTED, None),
        ([taken("a", 10)], Standing.ACCEPTED, 0),
        ([taken("a", 9)], Standing.ACCEPTED, -1),
        ([taken("a", 0)], Standing.RECOUNT, None),
        ([taken("a", 6), taken("b", 7)], Standing.ACCEPTED, -3),
        ([taken("a", 6), taken("b", 4, book=8)], Standing.ACCEPTED, -4),
        ([taken("a", 6), taken("b", 6, book=8)], Standing.RECOUNT, None),
        ([taken("a", 6), taken("b", 10)], Standing.RECOUNT, None),
        ([taken("a", 6), taken("b", 10), taken("c", 2)], Standing.ACCEPTED, -8),
        ([taken("a", 6), taken("b", 10, taken_under=NOON)], Standing.ACCEPTED, 0),
    ],
)
def test_one_count_within_tolerance_two_that_agree_or_the_third_decides(
    counts: list[Count], standing: Standing, variance: int | None
) -> None:
    found = verdict(line(*counts), Tolerance(units=1))
    assert found.standing is standing
    assert (found.deciding.variance if found.deciding else None) == variance


def refused_count(before: StocktakeLine, count: Count) -> str:
    with pytest.raises(Rejected) as refused:
        with_count(before, count)
    return refused.value.code


@pytest.mark.parametrize("again", ["mia", "Mia", " MIA ", "ｍｉａ"])
def test_nobody_counts_a_line_twice_however_the_name_is_written(again: str) -> None:
    assert refused_count(line(taken("mia", 6)), taken(again, 6)) == "same_counter"


def test_a_fourth_count_is_refused() -> None:
    assert refused_count(line(taken("a", 1), taken("b", 2), taken("c", 3)), taken("d", 4)) == "counted_enough"


def test_after_another_stocktake_corrected_the_line_everybody_may_count_again() -> None:
    later = NOON + timedelta(hours=2)
    before = line(taken("a", 1), taken("b", 5))
    after = with_count(before, taken("a", 4, taken_under=NOON, counted_at=later))
    assert [count.counted for count in after.counts] == [1, 5, 4]
    assert verdict(after, Tolerance(units=9)).deciding == after.counts[2]


def test_a_count_that_is_older_than_the_last_correction_is_void() -> None:
    assert refused_count(line(), taken("a", 1, taken_under=NOON)) == "superseded_count"


def test_the_same_row_is_taken_in_once() -> None:
    before = with_count(line(), taken("a", 1, source="file/2"))
    assert with_count(before, taken("a", 1, source="file/2")) is before


def test_names() -> None:
    assert person(" Mia  Ｂrown ") == "mia brown"
    assert person("mia") != person("noa")


# ---- approval

VALUED = [line(taken("a", 8), cost="5"), line(taken("a", 12), cost="5")]


@pytest.mark.parametrize(
    ("limit", "lines", "another"),
    [
        (ApprovalLimit(units=3), [line(taken("a", 8)), line(taken("a", 11))], False),
        (ApprovalLimit(units=3), [line(taken("a", 8)), line(taken("a", 12))], True),
        (ApprovalLimit(value=Money.parse("20", EUR)), VALUED, False),
        (ApprovalLimit(value=Money.parse("19.99", EUR)), VALUED, True),
        (ApprovalLimit(value=Money.parse("1", EUR), units=2), [line(taken("a", 8))], False),
        (ApprovalLimit(value=Money.parse("1", EUR), units=1), [line(taken("a", 8))], True),
        (ApprovalLimit(units=0), [line(taken("a", 10)), line()], False),
    ],
)
def test_the_limit_is_for_all_variances_together_each_taken_as_positive(
    limit: ApprovalLimit, lines: list[StocktakeLine], another: bool
) -> None:
    session = SESSION.model_copy(update={"approval": limit, "tolerance": Tolerance(units=9)})
    assert review(session, lines).needs_another is another


def test_the_digest_of_the_figures_knows_every_count_and_no_outcome() -> None:
    one = [line(taken("a", 1))]
    assert figures(one) == figures([one[0].model_copy(update={"outcome": LineOutcome.POSTED, "revision": 9})])
    for other in (taken("a", 2), taken("b", 1), taken("a", 1, book=9), taken("a", 1, taken_under=NOON)):
        assert figures(one) != figures([line(other)])


# ---- the book at an earlier time


def movement(seq: int, minute: int, units: int, after: int) -> Movement:
    at = NOON + timedelta(minutes=minute)
    fields = {"sku": "MUG", "location": "main", "cause": ORDER, "reserved": 0, "reserved_after": 0}
    return Movement.model_validate({**fields, "seq": seq, "on_hand": units, "on_hand_after": after, "at": at})


LEDGER = [movement(1, 0, 10, 10), movement(2, 10, -3, 7), movement(3, 20, 0, 7), movement(4, 30, 5, 12)]


NOW = StockLine(sku="MUG", location="main", on_hand=12, reserved=0, available=12, seq=4, cause=ORDER)


@pytest.mark.parametrize(("minute", "book"), [(-1, 0), (1, 10), (11, 7), (20, 7), (29, 7), (31, 12)])
def test_the_ledger_tells_the_book_at_any_time(minute: int, book: int) -> None:
    assert book_at(LEDGER, NOW, NOON + timedelta(minutes=minute)) == book
    ahead = [*LEDGER, movement(5, 31, 99, 111)]
    assert book_at(ahead, NOW, NOON + timedelta(minutes=minute)) == book


def test_a_ledger_with_a_gap_tells_nothing() -> None:
    with pytest.raises(Retry, match="ledger_behind"):
        book_at(LEDGER[:3], NOW, NOON + timedelta(minutes=15))
    with pytest.raises(Retry, match="ledger_behind"):
        book_at([], NOW, NOON + timedelta(minutes=15))
    for short in (LEDGER[2:], [LEDGER[0], *LEDGER[2:]]):
        with pytest.raises(Rejected, match="ledger_too_short"):
            book_at(short, NOW, NOON + timedelta(minutes=5))
        assert book_at(short, NOW, NOON + timedelta(minutes=25)) == 7


def test_units_that_moved_in_the_very_second_of_the_count_leave_it_open() -> None:
    with pytest.raises(Rejected, match="ambiguous_time"):
        book_at(LEDGER, NOW, NOON + timedelta(minutes=30, milliseconds=400))
    assert book_at(LEDGER, NOW, NOON + timedelta(minutes=20)) == 7  # only a reservation then


# ---- the use cases


class Shop:
    """A location with a few lines, and a stocktake over all of them."""

    def __init__(
        self, tolerance: Tolerance | None = None, approval: ApprovalLimit | None = None, **levels: int
    ) -> None:
        self.stock = FakeStockRoll()
        for sku, units in levels.items():
            self.stock.set_level(counted(sku, units))
        self.book = FakeStocktakeBook(self.stock)
        self.ledger = FakeLedger()
        self.clock = TickingClock()
        self.desk = StocktakeDesk(self.book, self.stock, self.ledger, self.clock, retry_at_once)
        plan = Plan("main", AllScope(), {}, tolerance or Tolerance(units=99), approval or ApprovalLimit())
        self.session, _ = open_stocktake(self.desk, plan, actor="lead")

    def move(self, sku: str, *, on_hand: int = 0, reserved: int = 0) -> None:
        before = self.stock.lines[sku, "main"]
        after = self.stock.move(StockChange(sku=sku, location="main", on_hand=on_hand, reserved=reserved), ORDER)
        self.ledger.note(before, after, self.clock())

    def count(self, sku: str, units: int, by: str = "mia", **fields: object) -> StocktakeLine:
        return count(self.desk, self.session.id, replace(Entry(sku, units, by), **fields))  # type: ignore[arg-type] # real fields

    def finish(self) -> None:
        close_counting(self.desk, self.session.id, actor="lead", leave_open=True)
        approve(self.desk, self.session.id, actor="eli")

    def on_hand(self, sku: str) -> int:
        return self.stock.lines[sku, "main"].on_hand

    def refusal(self, sku: str, units: int, by: str = "mia", **fields: object) -> str:
        with pytest.raises(Rejected) as refused:
            self.count(sku, units, by, **fields)
        return refused.value.code


def test_what_is_sold_after_the_count_is_sold_after_the_correction_too() -> None:
    shop = Shop(MUG=10)
    shop.count("MUG", 8)
    shop.move("MUG", on_hand=-3)
    shop.finish()
    shop.move("MUG", on_hand=4)
    post(shop.desk, shop.session.id, actor="eli")
    assert shop.on_hand("MUG") == 8 - 3 + 4


def test_a_count_that_is_entered_later_is_held_against_the_book_of_its_own_time() -> None:
    shop = Shop(MUG=10, CAP=5)
    shop.ledger.note(None, shop.stock.lines["MUG", "main"], NOON - timedelta(days=1))
    counted_at = shop.clock() + timedelta(milliseconds=500)
    shop.move("MUG", on_hand=-3)
    assert shop.count("MUG", 8, counted_at=counted_at).counts[0].book == 10
    assert shop.count("CAP", 5, counted_at=counted_at).counts[0].book == 5  # never in the ledger, and never moved
    shop.finish()
    post(shop.desk, shop.session.id, actor="eli")
    assert (shop.on_hand("MUG"), shop.on_hand("CAP")) == (5, 5)


def test_without_a_ledger_only_lines_that_did_not_move_can_be_counted_off_line() -> None:
    shop = Shop(MUG=10, CAP=5)
    shop.desk = replace(shop.desk, movements=None)
    counted_at = shop.clock()
    shop.move("MUG", on_hand=-3)
    assert shop.refusal("MUG", 8, counted_at=counted_at) == "no_ledger"
    shop.count("CAP", 5, counted_at=counted_at)


def test_times_outside_of_the_stocktake_are_refused() -> None:
    shop = Shop(MUG=10)
    assert shop.refusal("MUG", 8, counted_at=NOON) == "counted_before_opening"
    assert shop.refusal("MUG", 8, counted_at=NOON + timedelta(days=1)) == "counted_in_future"


def test_uncounted_is_not_zero_and_zero_is_not_uncounted() -> None:
    shop = Shop(MUG=10, CAP=5, PEN=3)
    shop.count("MUG", 0)
    shop.count("PEN", 3)
    shop.finish()
    seq = shop.stock.lines["PEN", "main"].seq
    done = post(shop.desk, shop.session.id, actor="eli")
    assert [shop.on_hand(sku) for sku in ("MUG", "CAP", "PEN")] == [0, 5, 3]
    assert [each.sku for each in done.untouched] == ["CAP"]
    assert shop.stock.lines["CAP", "main"].cause.kind == "count"
    proof = shop.stock.lines["PEN", "main"]
    assert (proof.seq, proof.cause.reference) == (seq + 1, shop.session.id)


def test_lines_that_wait_for_another_count_are_not_posted() -> None:
    shop = Shop(Tolerance(units=0), MUG=10)
    shop.count("MUG", 4)
    with pytest.raises(Rejected, match="recounts_open"):
        close_counting(shop.desk, shop.session.id, actor="lead")
    shop.finish()
    assert [each.sku for each in post(shop.desk, shop.session.id, actor="eli").untouched] == ["MUG"]
    assert shop.on_hand("MUG") == 10


def test_promises_go_before_counts_until_somebody_mends_them() -> None:
    shop = Shop(MUG=10, CAP=5)
    shop.move("MUG", reserved=7)
    shop.count("MUG", 6)
    shop.count("CAP", 4)
    shop.finish()
    done = post(shop.desk, shop.session.id, actor="eli")
    (refused,) = done.refused
    assert (refused.sku, refused.reserved, refused.left) == ("MUG", 7, 6)
    assert "7 units of MUG are promised" in refused.conflict.message
    assert (shop.on_hand("MUG"), shop.on_hand("CAP"), done.session.state) == (10, 4, StocktakeState.APPROVED)
    shop.move("MUG", reserved=-1)
    done = post(shop.desk, shop.session.id, actor="eli")
    assert (shop.on_hand("MUG"), shop.on_hand("CAP"), done.session.state) == (6, 4, StocktakeState.POSTED)


def test_a_count_by_hand_meanwhile_makes_the_variance_void() -> None:
    shop = Shop(MUG=10)
    shop.count("MUG", 8)
    shop.finish()
    shop.stock.set_level(counted("MUG", 8, at=shop.clock()))
    done = post(shop.desk, shop.session.id, actor="eli")
    assert [each.outcome for each in done.settled] == [LineOutcome.SUPERSEDED]
    assert (shop.on_hand("MUG"), done.session.state) == (8, StocktakeState.POSTED)


def test_two_stocktakes_of_one_line_correct_it_once() -> None:
    shop = Shop(MUG=10)
    first = shop.session.id
    plan = Plan("main", AllScope(), {}, Tolerance(units=99), ApprovalLimit())
    second = open_stocktake(shop.desk, plan, actor="lead")[0].id
    for session in (first, second):
        count(shop.desk, session, Entry("MUG", 8, "mia"))
        close_counting(shop.desk, session, actor="lead")
        approve(shop.desk, session, actor="eli")
    outcomes = [post(shop.desk, session, actor="eli").settled[0].outcome for session in (second, first)]
    assert outcomes == [LineOutcome.POSTED, LineOutcome.SUPERSEDED]
    assert shop.on_hand("MUG") == 8


def test_a_clock_that_lags_behind_the_last_count_keeps_nobody_from_counting() -> None:
    shop = Shop(MUG=10)
    ahead = NOON + timedelta(hours=1)
    shop.stock.set_level(counted("MUG", 10, at=ahead))
    assert shop.count("MUG", 9).counts[0].counted_at > ahead
    shop.finish()
    post(shop.desk, shop.session.id, actor="eli")
    assert shop.on_hand("MUG") == 9


def test_what_was_found_needs_to_be_confirmed() -> None:
    shop = Shop(MUG=10)
    shop.stock.set_level(counted("CAP", 4))
    for sku in ("NEW", "CAP"):
        assert shop.refusal(sku, 2) == "not_listed"
        assert shop.count(sku, 2, confirm_found=True).found
    shop.finish()
    post(shop.desk, shop.session.id, actor="eli")
    assert (shop.on_hand("NEW"), shop.on_hand("CAP")) == (2, 2)


def test_a_file_is_judged_whole_before_anything_is_written() -> None:
    shop = Shop(MUG=10, CAP=5)
    rows = [CountRow(2, "MUG", 9, None, None, "f/2"), CountRow(3, "NEW", 1, None, None, "f/3")]
    with pytest.raises(Rejected, match="row 3, sku") as refused:
        import_counts(shop.desk, shop.session.id, rows, counter="mia")
    assert refused.value.code == "invalid_rows"
    assert review_stocktake(shop.desk, shop.session.id).standing(Standing.UNCOUNTED)
    assert shop.book.kept[shop.session.id].state is StocktakeState.DRAFT


def test_a_file_that_was_half_written_is_finished_by_sending_it_again() -> None:
    shop = Shop(MUG=10, CAP=5)
    rows = [CountRow(2, "MUG", 9, None, None, "f/2"), CountRow(3, "CAP", 5, "noa", None, "f/3")]
    import_counts(shop.desk, shop.session.id, rows[:1], counter="mia")
    lines = import_counts(shop.desk, shop.session.id, rows, counter="mia")
    assert [[taken.counter for taken in each.counts] for each in lines] == [["mia"], ["noa"]]


def test_only_somebody_else_approves_above_the_limit() -> None:
    shop = Shop(approval=ApprovalLimit(units=1), MUG=10, CAP=5)
    shop.count("MUG", 8, by="Mia")
    shop.count("CAP", 5, by="noa")
    close_counting(shop.desk, shop.session.id, actor="mia")
    for name in ("mia", "Noa"):
        with pytest.raises(Rejected) as refused:
            approve(shop.desk, shop.session.id, actor=name)
        assert refused.value.code == "self_approval"
    assert approve(shop.desk, shop.session.id, actor="eli").session.approved_by == "eli"


def test_a_count_that_came_in_after_the_approval_is_not_posted_unseen() -> None:
    shop = Shop(MUG=10)
    shop.count("MUG", 9)
    shop.finish()
    slow = shop.book.lines(shop.session.id)[0]  # a counter who read the session while it was still counting
    shop.book.record(
        shop.session.id, with_count(slow, slow.counts[0].model_copy(update={"counter": "noa", "counted": 1}))
    )
    with pytest.raises(Rejected) as refused:
        post(shop.desk, shop.session.id, actor="eli")
    assert (refused.value.code, shop.on_hand("MUG")) == ("changed_since_approval", 10)
    approve(shop.desk, shop.session.id, actor="eli")
    post(shop.desk, shop.session.id, actor="eli")
    assert shop.on_hand("MUG") == 1


def test_nothing_is_counted_once_counting_is_over() -> None:
    shop = Shop(MUG=10)
    shop.count("MUG", 9)
    shop.finish()
    assert shop.refusal("MUG", 9, by="noa") == "wrong_state"


def test_a_cancelled_stocktake_leaves_everything_as_it_is_and_keeps_its_counts() -> None:
    shop = Shop(MUG=10)
    shop.count("MUG", 9)
    cancel(shop.desk, shop.session.id, actor="lead")
    with pytest.raises(Rejected, match="wrong_state"):
        post(shop.desk, shop.session.id, actor="eli")
    assert shop.on_hand("MUG") == 10
    assert len(shop.book.lines(shop.session.id)[0].counts) == 1


def test_what_is_being_posted_cannot_be_cancelled() -> None:
    shop = Shop(MUG=10)
    shop.move("MUG", reserved=10)
    shop.count("MUG", 9)
    shop.finish()
    post(shop.desk, shop.session.id, actor="eli")
    with pytest.raises(Rejected, match="posting_began"):
        cancel(shop.desk, shop.session.id, actor="lead")


class Killed(Exception):
    """The process ended here."""


@pytest.mark.parametrize("after_commit", [False, True])
@pytest.mark.parametrize("at", range(5))
def test_killed_anywhere_and_called_again_each_line_is_posted_once(
    monkeypatch: pytest.MonkeyPatch, at: int, after_commit: bool
) -> None:
    shop = Shop(A=10, B=10, C=10)
    for sku, units in (("A", 9), ("B", 10), ("C", 12)):
        shop.count(sku, units)
    shop.finish()
    left = [at]

    def dying(name: str) -> None:
        real = getattr(shop.book, name)

        def call(*arguments: object) -> None:
            left[0] -= 1
            if left[0] == -1 and not after_commit:
                raise Killed
            real(*arguments)
            if left[0] == -1:
                raise Killed

        monkeypatch.setattr(shop.book, name, call)

    for name in ("save", "post"):  # five writes: begun, three lines, finished
        dying(name)
    with pytest.raises(Killed):
        post(shop.desk, shop.session.id, actor="eli")
    done = post(shop.desk, shop.session.id, actor="eli")
    assert done.session.state is StocktakeState.POSTED
    assert [shop.on_hand(sku) for sku in "ABC"] == [9, 10, 12]
    assert [shop.stock.lines[sku, "main"].seq for sku in "ABC"] == [2, 2, 2]
    assert shop.book.posts == 3


def test_somebody_who_was_faster_makes_it_read_and_decide_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(MUG=10)
    shop.count("MUG", 9)
    shop.finish()
    real, tries = shop.book.post, []

    def contended(*arguments: object) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise Conflict("changed_meanwhile", "an order was at the stock line")
        real(*arguments)  # type: ignore[arg-type] # passed on as they are

    monkeypatch.setattr(shop.book, "post", contended)
    post(shop.desk, shop.session.id, actor="eli")
    assert (shop.on_hand("MUG"), len(tries)) == (9, 2)


def test_limits_and_costs_are_in_the_currency_of_the_stocktake() -> None:
    shop = Shop(MUG=10)
    catalogue = {"MUG": CatalogueEntry(unit_cost=Money.parse("1", "USD"))}
    plan = Plan("main", AllScope(), catalogue, Tolerance(), ApprovalLimit(), currency=EUR)
    with pytest.raises(Rejected, match="mixed_currencies"):
        open_stocktake(shop.desk, plan, actor="lead")


def test_a_stock_line_out_of_sight_is_not_taken_for_an_empty_one() -> None:
    shop = Shop(MUG=10, CAP=5)
    shop.count("MUG", 9)
    hidden = {key: shop.stock.lines.pop(key) for key in list(shop.stock.lines)}
    assert shop.refusal("CAP", 5) == "unknown_stock_line"
    shop.finish()
    with pytest.raises(Rejected, match="unknown_stock_line"):
        post(shop.desk, shop.session.id, actor="eli")
    shop.stock.lines |= hidden
    post(shop.desk, shop.session.id, actor="eli")
    assert shop.on_hand("MUG") == 9
