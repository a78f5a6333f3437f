"""What every stocktake book promises: the fake in memory, and DynamoDB's table on a real engine."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from pynamodb.connection import Connection

from shared.dynamodb.table import transact
from shared.inventory.models import Cause, StockChange, StockLine
from shared.inventory.stocktake import (
    ApprovalLimit,
    Correction,
    Count,
    LineOutcome,
    Opening,
    Stocktake,
    StocktakeLine,
    StocktakeState,
    Tolerance,
    moved_on,
    settled,
)
from shared.inventory.stocktake_posting import post
from shared.inventory.stocktake_scope import AllScope, RandomScope
from shared.inventory.stocktakes import (
    Entry,
    Plan,
    StockRoll,
    StocktakeBook,
    StocktakeDesk,
    approve,
    close_counting,
    count,
    open_stocktake,
)
from shared.inventory.table import StockTable, StocktakeTable
from shared.kernel.errors import Conflict
from shared.kernel.money import Money
from tests.builders.orders import NOON
from tests.builders.stock import LONG_AGO, counted
from tests.fakes.order_desk import retry_at_once
from tests.fakes.stocktake_world import World, tell
from tests.fakes.stocktakes import FakeStockRoll, FakeStocktakeBook, TickingClock

Move = Callable[[StockChange], object]
CAUSE = Cause(kind="stocktake", reference="s1", actor="eli")


@dataclass(frozen=True)
class Rooms:
    book: StocktakeBook
    stock: StockRoll
    move: Move

    def line(self, sku: str) -> StockLine:
        return self.stock.read([sku])[sku]["main"]


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def rooms(request: pytest.FixtureRequest) -> Rooms:
    cause = Cause(kind="order", reference="aurora/1#1")
    if request.param == "fake":
        stock = FakeStockRoll()
        return Rooms(FakeStocktakeBook(stock), stock, lambda change: stock.move(change, cause))
    connection: Connection = request.getfixturevalue("connection")
    names: dict[str, str] = request.getfixturevalue("table_names")
    table = StockTable(connection, names["stock"], ("main", "attic"))
    book = StocktakeTable(connection, names["stocktakes"], table)
    return Rooms(book, table, lambda change: transact(connection, puts=[], updates=[table.applying(change, cause)]))


SESSION = Stocktake(
    id="s1",
    location="main",
    scope=RandomScope(size=3, seed=7),
    currency="EUR",
    tolerance=Tolerance(units=2, value=Money.parse("12.50", "EUR")),
    opened_at=NOON,
    opened_by="mia",
)


def a_line(sku: str = "MUG", **fields: object) -> StocktakeLine:
    made = StocktakeLine(sku=sku, zone="A", unit_cost=Money.parse("3.2", "EUR"), opening=Opening(on_hand=5, seq=1))
    return made.model_copy(update=fields)


def a_count(counted: int = 4, **fields: object) -> Count:
    made = Count(counter="mia", counted=counted, counted_at=NOON, recorded_at=NOON, book=5, seq=1, taken_under=LONG_AGO)
    return made.model_copy(update=fields)


def with_counts(line: StocktakeLine, *counts: Count) -> StocktakeLine:
    return line.model_copy(update={"counts": (*line.counts, *counts), "revision": line.revision + 1})


def correction(units: int = -1, **fields: object) -> Correction:
    made = Correction("MUG", "main", units, NOON, LONG_AGO, creates=False, cause=CAUSE)
    return replace(made, **fields)  # type: ignore[arg-type] # the tests name real fields


def posted(line: StocktakeLine, units: int) -> StocktakeLine:
    return settled(line, LineOutcome.POSTED, now=NOON, actor="eli", units=units)


def test_reads_back_what_was_opened(rooms: Rooms) -> None:
    lines = [a_line(f"SKU-{number:03}") for number in range(130)]
    rooms.book.open(SESSION, lines)
    assert rooms.book.find("s1") == SESSION
    assert list(rooms.book.lines("s1")) == lines
    assert rooms.book.find_line("s1", "SKU-129") == lines[129]
    assert rooms.book.find_line("s1", "SKU-130") is None
    assert rooms.book.find("s2") is None


def test_lists_sessions_by_id(rooms: Rooms) -> None:
    for name in ("b", "a"):
        rooms.book.open(SESSION.model_copy(update={"id": name}), [a_line()])
    assert [session.id for session in rooms.book.sessions()] == ["a", "b"]
    assert len(rooms.book.lines("a")) == 1


def test_refuses_a_second_session_by_the_same_id(rooms: Rooms) -> None:
    rooms.book.open(SESSION, [a_line()])
    with pytest.raises(Conflict):
        rooms.book.open(SESSION.model_copy(update={"opened_by": "noa"}), [])
    found = rooms.book.find("s1")
    assert found is not None
    assert found.opened_by == "mia"


def test_refuses_to_save_over_a_revision_that_was_not_read(rooms: Rooms) -> None:
    rooms.book.open(SESSION, [a_line()])
    counting = moved_on(SESSION, StocktakeState.COUNTING)
    rooms.book.save(counting)
    with pytest.raises(Conflict):
        rooms.book.save(moved_on(SESSION, StocktakeState.CANCELLED))
    assert rooms.book.find("s1") == counting


def test_keeps_every_count_of_a_line_whole(rooms: Rooms) -> None:
    rooms.book.open(SESSION, [a_line()])
    first = with_counts(a_line(), a_count(counted_at=NOON + timedelta(microseconds=1)))
    rooms.book.record("s1", first)
    second = with_counts(first, a_count(3, counter="noa", source="abc/2"))
    rooms.book.record("s1", second)
    assert rooms.book.find_line("s1", "MUG") == second
    with pytest.raises(Conflict):
        rooms.book.record("s1", with_counts(first, a_count(9)))


def test_a_line_that_was_found_is_added_once(rooms: Rooms) -> None:
    rooms.book.open(SESSION, [a_line()])
    found = StocktakeLine(sku="NEW", found=True, counts=(a_count(),))
    rooms.book.record("s1", found)
    assert rooms.book.find_line("s1", "NEW") == found
    with pytest.raises(Conflict):
        rooms.book.record("s1", found)


@pytest.mark.parametrize("units", [-2, 0, 3])
def test_posts_a_difference_and_says_why(rooms: Rooms, units: int) -> None:
    rooms.stock.set_level(counted("MUG", 5).model_copy(update={"safety_buffer": 1, "reorder_point": 2}))
    rooms.move(StockChange(sku="MUG", location="main", reserved=3))
    before = rooms.line("MUG")
    rooms.book.open(SESSION, [a_line()])
    done = posted(a_line(), units)
    rooms.book.post("s1", done, correction(units))
    changed = {"on_hand": 5 + units, "available": 2 + units, "seq": before.seq + 1, "counted_at": NOON, "cause": CAUSE}
    assert rooms.line("MUG") == before.model_copy(update=changed)
    assert rooms.book.find_line("s1", "MUG") == done


def test_posts_a_line_once(rooms: Rooms) -> None:
    rooms.stock.set_level(counted("MUG", 5))
    rooms.book.open(SESSION, [a_line()])
    rooms.book.post("s1", posted(a_line(), -1), correction())
    for again in (correction(), correction(taken_under=NOON)):
        with pytest.raises(Conflict):
            rooms.book.post("s1", posted(a_line(), -1), again)
    assert rooms.line("MUG").on_hand == 4


@pytest.mark.parametrize(
    "wrong",
    [
        correction(-3),
        correction(-6),
        correction(taken_under=None),
        correction(taken_under=NOON),
        correction(sku="CAP", taken_under=None),
    ],
)
def test_writes_neither_line_nor_stock_when_the_movement_cannot_be(rooms: Rooms, wrong: Correction) -> None:
    rooms.stock.set_level(counted("MUG", 5))
    rooms.move(StockChange(sku="MUG", location="main", reserved=3))
    before = rooms.line("MUG")
    rooms.book.open(SESSION, [a_line()])
    with pytest.raises(Conflict):
        rooms.book.post("s1", posted(a_line(), wrong.on_hand), wrong)
    assert rooms.line("MUG") == before
    assert "CAP" not in rooms.stock.read(["CAP"])
    assert rooms.book.find_line("s1", "MUG") == a_line()


def test_makes_a_stock_line_for_what_was_found(rooms: Rooms) -> None:
    rooms.book.open(SESSION, [a_line("NEW")])
    new = correction(4, sku="NEW", taken_under=None, creates=True)
    rooms.book.post("s1", posted(a_line("NEW"), 4), new)
    made = rooms.line("NEW")
    assert (made.on_hand, made.reserved, made.available, made.safety_buffer, made.seq) == (4, 0, 4, 0, 1)
    assert (made.counted_at, made.cause) == (NOON, CAUSE)


def test_a_stocktake_from_opening_to_posting_while_orders_go_on(rooms: Rooms) -> None:
    desk = StocktakeDesk(rooms.book, rooms.stock, None, TickingClock(), retry_at_once)
    rooms.stock.set_level(counted("MUG", 10))
    rooms.stock.set_level(counted("CAP", 4))
    plan = Plan("main", AllScope(), {}, Tolerance(units=0), ApprovalLimit(units=5))
    session, _ = open_stocktake(desk, plan, actor="mia")
    count(desk, session.id, Entry("MUG", 8, "mia"))
    rooms.move(StockChange(sku="MUG", location="main", reserved=2))
    rooms.move(StockChange(sku="MUG", location="main", reserved=-2, on_hand=-2))
    count(desk, session.id, Entry("MUG", 6, "noa"))
    close_counting(desk, session.id, actor="mia")
    approve(desk, session.id, actor="eli")
    rooms.move(StockChange(sku="MUG", location="main", on_hand=-1))
    done = post(desk, session.id, actor="eli")
    assert done.session.state is StocktakeState.POSTED
    assert [line.sku for line in done.untouched] == ["CAP"]
    assert (rooms.line("MUG").on_hand, rooms.line("CAP").on_hand) == (5, 4)
    assert rooms.line("MUG").cause == Cause(kind="stocktake", reference=session.id, actor="eli")
    again = post(desk, session.id, actor="eli")
    assert [line.sku for line in again.settled] == ["MUG"]
    assert rooms.line("MUG").on_hand == 5


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_the_book_becomes_the_shelf(rooms: Rooms, seed: int) -> None:
    world = tell(World(rooms.book, rooms.stock, rooms.move), seed, 150)
    assert world.posted > 1


def test_two_people_post_while_orders_come_in_and_each_line_moves_once(rooms: Rooms) -> None:
    skus = ("A", "B", "C")
    desk = StocktakeDesk(rooms.book, rooms.stock, None, TickingClock(), retry_at_once)
    for sku in skus:
        rooms.stock.set_level(counted(sku, 20))
    plan = Plan("main", AllScope(), {}, Tolerance(units=9), ApprovalLimit())
    session, _ = open_stocktake(desk, plan, actor="lead")
    for sku in skus:
        count(desk, session.id, Entry(sku, 18, "mia"))
    close_counting(desk, session.id, actor="lead")
    approve(desk, session.id, actor="eli")

    def sell(sku: str) -> None:
        for _ in range(6):
            for attempt in retry_at_once():
                with attempt:
                    rooms.move(StockChange(sku=sku, location="main", reserved=1))

    def post_it() -> None:
        with suppress(Conflict):  # the other was faster; the command is called again
            post(desk, session.id, actor="eli")

    with ThreadPoolExecutor(8) as people:
        for done in [*(people.submit(sell, sku) for sku in skus), *(people.submit(post_it) for _ in range(2))]:
            done.result()
    assert post(desk, session.id, actor="eli").session.state is StocktakeState.POSTED
    for sku in skus:
        now = rooms.line(sku)
        assert (now.on_hand, now.reserved, now.available, now.seq) == (18, 6, 12, 8)
