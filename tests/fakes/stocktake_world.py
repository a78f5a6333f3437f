"""A warehouse for simulations of stocktakes: the true shelf, the book, and people who count while goods move.

Goods move as the book hears of it (sales, receipts) and as it does not (theft, finds). Every count that is handed in
remembers what the book did not know at its time; so after posting, the difference between book and shelf must be
exactly what went unseen since the count that decided.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.inventory.ledger import Movement
from shared.inventory.models import StockChange, StockLine
from shared.inventory.stocktake import (
    ApprovalLimit,
    LineOutcome,
    StocktakeState,
    Tolerance,
    verdict,
)
from shared.inventory.stocktake_posting import post
from shared.inventory.stocktake_scope import AllScope
from shared.inventory.stocktakes import (
    Entry,
    Plan,
    StockRoll,
    StocktakeBook,
    StocktakeDesk,
    approve,
    cancel,
    close_counting,
    count,
    open_stocktake,
)
from shared.kernel.errors import Conflict, Rejected
from tests.builders.stock import counted
from tests.fakes.order_desk import retry_at_once
from tests.fakes.stocktakes import FakeLedger, TickingClock

SKUS = ("CAP", "MUG", "PEN")
PEOPLE = ("ada", "ben", "cleo", "dov")
Move = Callable[[StockChange], object]


class Killed(Exception):
    """The process ended here."""


class MortalBook:
    """A book whose process dies at one of its writes, before or after it took effect."""

    def __init__(self, book: StocktakeBook, writes: int, *, after: bool) -> None:
        self._book = book
        self._left = writes
        self._after = after

    def __getattr__(self, name: str) -> object:
        real = getattr(self._book, name)
        return self._dying(real) if name in {"save", "record", "post"} else real

    def _dying(self, real: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: object) -> None:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            real(*arguments)
            if self._left == 0:
                raise Killed

        return call


@dataclass(frozen=True)
class Moment:
    at: datetime
    shelf: dict[str, int]
    unseen: dict[str, int]


@dataclass
class World:
    book: StocktakeBook
    stock: StockRoll
    move: Move
    clock: TickingClock = field(default_factory=TickingClock)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    shelf: dict[str, int] = field(default_factory=dict)
    unseen: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SKUS, 0))
    """What came to the shelf (or left it) without the book hearing of it."""
    unknown_to: dict[tuple[str, str, datetime], int] = field(default_factory=dict)
    """By session, SKU and time of the count: `unseen` then, less what the counter got wrong."""
    past: list[Moment] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    settled: set[tuple[str, str]] = field(default_factory=set)
    posted: int = 0

    def __post_init__(self) -> None:
        for number, sku in enumerate(SKUS):
            self.shelf[sku] = 20 + number
            self._noted(sku, lambda sku=sku: self.stock.set_level(counted(sku, self.shelf[sku], at=self.clock())))  # type: ignore[misc]
        self._remember()

    @property
    def desk(self) -> StocktakeDesk:
        return StocktakeDesk(self.book, self.stock, self.ledger, self.clock, retry_at_once)

    def line(self, sku: str) -> StockLine:
        return self.stock.read([sku])[sku]["main"]

    def step(self, kind: str, a: int, b: int) -> None:
        """One thing that happens; what the rules refuse does not happen."""
        with suppress(Rejected, Conflict):
            getattr(self, f"_{kind}")(SKUS[a % len(SKUS)], b)
        self._remember()
        self.check()

    # ---- goods

    def _sell(self, sku: str, units: int) -> None:
        self._change(sku, reserved=units)

    def _ship(self, sku: str, units: int) -> None:
        units = min(units, self.shelf[sku], self.line(sku).reserved)
        if units:
            self._change(sku, on_hand=-units, reserved=-units)
            self.shelf[sku] -= units

    def _receive(self, sku: str, units: int) -> None:
        self._change(sku, on_hand=units)
        self.shelf[sku] += units

    def _lose(self, sku: str, units: int) -> None:
        units = min(units, self.shelf[sku])
        self.shelf[sku] -= units
        self.unseen[sku] -= units

    def _turn_up(self, sku: str, units: int) -> None:
        self.shelf[sku] += units
        self.unseen[sku] += units

    def _set_by_hand(self, sku: str, _: int) -> None:
        level = counted(sku, self.shelf[sku], at=self.clock())
        self._noted(sku, lambda: self.stock.set_level(level))

    def _change(self, sku: str, *, on_hand: int = 0, reserved: int = 0) -> None:
        change = StockChange(sku=sku, location="main", on_hand=on_hand, reserved=reserved)
        self._noted(sku, lambda: self.move(change))

    def _noted(self, sku: str, doing: Callable[[], object]) -> None:
        before = self.stock.read([sku]).get(sku, {}).get("main")
        doing()
        self.ledger.note(before, self.line(sku), self.clock())

    # ---- people

    def _open(self, _: str, b: int) -> None:
        if len(self._running()) >= _MOST_RUNNING:
            return
        plan = Plan("main", AllScope(), {}, Tolerance(units=b % 3), ApprovalLimit(units=50))
        self.sessions.append(open_stocktake(self.desk, plan, actor="lead")[0].id)

    def _count(self, sku: str, b: int) -> None:
        self._enter(sku, b, self.past[-1], None)

    def _count_wrong(self, sku: str, b: int) -> None:
        self._enter(sku, b, self.past[-1], None, off=1 + b % 4)

    def _count_off_line(self, sku: str, b: int) -> None:
        moment = self.past[-1 - b % min(8, len(self.past))]
        self._enter(sku, b, moment, moment.at)

    def _enter(self, sku: str, b: int, moment: Moment, at: datetime | None, off: int = 0) -> None:
        session = self._session(b)
        if session is None:
            return
        entry = Entry(sku, moment.shelf[sku] + off, PEOPLE[b % len(PEOPLE)], at)
        taken = count(self.desk, session, entry).counts[-1]
        self.unknown_to[session, sku, taken.counted_at] = moment.unseen[sku] + off

    def _close(self, _: str, b: int) -> None:
        session = self._session(b)
        if session is None or (b % 4 and not all(line.counts for line in self.book.lines(session))):
            return  # mostly, people close when all is counted
        close_counting(self.desk, session, actor="lead", leave_open=b % 4 == 0)

    def _approve(self, _: str, b: int) -> None:
        if session := self._session(b):
            approve(self.desk, session, actor="eli")

    def _cancel(self, _: str, b: int) -> None:
        if session := self._session(b):
            cancel(self.desk, session, actor="lead")

    def _post(self, _: str, b: int) -> None:
        if session := self._session(b):
            self._posting(session, self.desk, leave=b % 5 == 0)

    def _post_and_die(self, _: str, b: int) -> None:
        if session := self._session(b):
            mortal = MortalBook(self.book, 1 + b % 5, after=b % 2 == 0)
            with suppress(Killed):
                self._posting(session, replace(self.desk, book=mortal), leave=False)  # type: ignore[arg-type] # by name

    def _posting(self, session: str, desk: StocktakeDesk, *, leave: bool) -> None:
        before = {sku: self.line(sku) for sku in SKUS}
        try:
            post(desk, session, actor="eli", leave_refused=leave)
        finally:
            for sku in SKUS:
                if self.line(sku).seq != before[sku].seq:
                    self.ledger.note(before[sku], self.line(sku), self.clock())
            self._settle(session, before)

    def _settle(self, session: str, before: dict[str, StockLine]) -> None:
        """What posting just did to each line is what its deciding count says, and nothing else."""
        kept = self.book.find(session)
        assert kept is not None
        for line in self.book.lines(session):
            now, was = self.line(line.sku), before[line.sku]
            if line.outcome is not LineOutcome.POSTED or (session, line.sku) in self.settled:
                assert now.on_hand == was.on_hand, "only a line that is posted now may move"
                continue
            self.settled.add((session, line.sku))
            self.posted += 1
            deciding = verdict(line, kept.tolerance).deciding
            assert deciding is not None
            known = self.unknown_to[session, line.sku, deciding.counted_at]
            assert now.on_hand - self.shelf[line.sku] == known - self.unseen[line.sku], "book = shelf, as counted"
            assert now.seq == was.seq + 1, "one movement"

    def _session(self, b: int) -> str | None:
        running = self._running()
        return running[b % len(running)] if running else None

    def _running(self) -> list[str]:
        return [name for name in self.sessions if self._state(name) not in ENDS]

    def _state(self, name: str) -> StocktakeState:
        found = self.book.find(name)
        assert found is not None
        return found.state

    # ---- what always holds

    def _remember(self) -> None:
        self.past.append(Moment(self.clock(), dict(self.shelf), dict(self.unseen)))

    def check(self) -> None:
        for sku in SKUS:
            line = self.line(sku)
            movements: Sequence[Movement] = self.ledger.of(sku, "main")
            assert sum(movement.on_hand for movement in movements) == line.on_hand, "the movements make up the level"
            assert [movement.seq for movement in movements] == list(range(1, line.seq + 1))
            assert 0 <= line.reserved <= line.on_hand
            assert line.available == line.on_hand - line.reserved


ENDS = frozenset({StocktakeState.POSTED, StocktakeState.CANCELLED})
WEIGHTS = {
    "sell": 8, "ship": 8, "receive": 5, "lose": 3, "turn_up": 3, "set_by_hand": 1, "open": 4, "count": 30,
    "count_wrong": 5, "count_off_line": 10, "close": 14, "approve": 14, "cancel": 1, "post": 16, "post_and_die": 4,
}  # fmt: skip
"""What can happen, and how often a story is to draw it."""
KINDS = tuple(WEIGHTS)
_MOST_RUNNING = 2


def tell(world: World, seed: int, steps: int) -> World:
    """Let a story happen; the same seed is the same story."""
    chance = random.Random(seed)  # noqa: S311 - no secret depends on it
    world.step("open", 0, seed)
    for kind in chance.choices(KINDS, weights=list(WEIGHTS.values()), k=steps):
        world.step(kind, chance.randrange(len(SKUS)), chance.randrange(1, 60))
    return world
