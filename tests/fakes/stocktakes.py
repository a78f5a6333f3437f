"""Stocktakes in memory: the same promises as the table, kept by the stock room's lock.

They pass the same contract suite as DynamoDB's table (`tests/contract/test_stocktakes.py`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.inventory.ledger import Movement, movement_of
from shared.inventory.models import Cause, StockChange, StockLine
from shared.inventory.stocktake import Correction, Stocktake, StocktakeLine
from shared.kernel.errors import Conflict
from tests.builders.orders import NOON
from tests.fakes.order_desk import FakeStockRoom


class TickingClock:
    """Moves on by a second with each look, so that each thing has its own time."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class FakeStockRoll(FakeStockRoom):
    """A stock room that lists what it keeps."""

    def read_all(self) -> Iterable[StockLine]:
        return list(self.lines.values())

    def move(self, change: StockChange, cause: Cause) -> StockLine:
        """What an order or a receipt does to a line; `Conflict` when that would promise or take what is not there."""
        with self.lock:
            line = self.lines.get((change.sku, change.location))
            if line is None:
                raise Conflict("changed_meanwhile", "there is no such stock line")
            return self._keep(line, change.on_hand, change.reserved, {"cause": cause})

    def correct(self, correction: Correction) -> StockLine:
        """Add a count's variance; the caller holds the lock."""
        line = self.lines.get((correction.sku, correction.location))
        if (line.counted_at if line else None) != correction.taken_under:
            raise Conflict("changed_meanwhile", "it was counted again")
        if line is None:
            if not correction.creates:
                raise Conflict("changed_meanwhile", "there is no such stock line")
            line = StockLine(
                sku=correction.sku,
                location=correction.location,
                on_hand=0,
                reserved=0,
                available=0,
                seq=0,
                cause=correction.cause,
            )
        return self._keep(line, correction.on_hand, 0, {"cause": correction.cause, "counted_at": correction.counted_at})

    def _keep(self, line: StockLine, on_hand: int, reserved: int, fields: dict[str, object]) -> StockLine:
        figures = (line.on_hand + on_hand, line.reserved + reserved, line.available + on_hand - reserved)
        if min(figures) < 0:
            raise Conflict("changed_meanwhile", "not enough stock")
        after = line.model_copy(
            update={
                **fields,
                "on_hand": figures[0],
                "reserved": figures[1],
                "available": figures[2],
                "seq": line.seq + 1,
            }
        )
        self.lines[line.sku, line.location] = after
        return after


class FakeStocktakeBook:
    def __init__(self, stock: FakeStockRoll) -> None:
        self.kept: dict[str, Stocktake] = {}
        self.kept_lines: dict[tuple[str, str], StocktakeLine] = {}
        self.posts = 0
        self._stock = stock

    def open(self, session: Stocktake, lines: Sequence[StocktakeLine]) -> None:
        if session.id in self.kept:
            raise Conflict("changed_meanwhile", "there is one by that id")
        self.kept_lines |= {(session.id, line.sku): line for line in lines}
        self.kept[session.id] = session

    def sessions(self) -> Iterable[Stocktake]:
        return [self.kept[name] for name in sorted(self.kept)]

    def find(self, session_id: str) -> Stocktake | None:
        return self.kept.get(session_id)

    def save(self, session: Stocktake) -> None:
        with self._stock.lock:
            kept = self.kept.get(session.id)
            if kept is None or kept.revision != session.revision - 1:
                raise Conflict("changed_meanwhile", "the session changed")
            self.kept[session.id] = session

    def lines(self, session_id: str) -> Sequence[StocktakeLine]:
        return [self.kept_lines[key] for key in sorted(self.kept_lines) if key[0] == session_id]

    def find_line(self, session_id: str, sku: str) -> StocktakeLine | None:
        return self.kept_lines.get((session_id, sku))

    def record(self, session_id: str, line: StocktakeLine) -> None:
        with self._stock.lock:
            self._check(session_id, line)
            self.kept_lines[session_id, line.sku] = line

    def post(self, session_id: str, line: StocktakeLine, correction: Correction) -> None:
        with self._stock.lock:
            self._check(session_id, line)
            self._stock.correct(correction)
            self.kept_lines[session_id, line.sku] = line
            self.posts += 1

    def _check(self, session_id: str, line: StocktakeLine) -> None:
        kept = self.kept_lines.get((session_id, line.sku))
        if (kept.revision if kept else 0) != line.revision - 1:
            raise Conflict("changed_meanwhile", "the line changed")


class FakeLedger:
    """The movements that a test tells it of."""

    def __init__(self) -> None:
        self.movements: list[Movement] = []

    def note(self, old: StockLine | None, new: StockLine, at: datetime) -> None:
        self.movements.append(movement_of(old, new, at))

    def of(self, sku: str, location: str | None = None) -> Sequence[Movement]:
        found = [move for move in self.movements if move.sku == sku and location in (None, move.location)]
        return sorted(found, key=lambda move: (move.location, move.seq))
