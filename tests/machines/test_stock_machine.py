"""Counts, receipts, breakage, promises and shipments by writers that read long ago: each shelf is what the model says,
the ledger tells how it came to that, people hear once of each crossing, and shops show what they may sell.

The model of a shelf is two numbers; of an alert, the three states that planning knows; of a shop, one sum.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from shared.inventory.ledger import audit, movements_of
from shared.inventory.low_stock import PlanningRules
from shared.inventory.models import MOST_UNITS, Cause, CountedLevel, StockChange, StockLine, net
from shared.kernel.errors import Conflict, Retry
from shared.notifications.low_stock import watch
from shared.orders.decision import Commit
from shared.sync.levels.bindings import Binding
from shared.sync.levels.push import ChannelDesk, push
from tests.builders.buyers import record
from tests.builders.orders import NOON, order
from tests.fakes.channel import FakeChannel
from tests.fakes.stock_watch import FakeNotifier, Watching
from tests.fakes.sync import FakeBindings
from tests.machines.attempts import attempted
from tests.machines.places import LOCATIONS, FakePlace, NewPlace, Place, TablePlace

Key = tuple[str, str]
SHELF = ("MUG", "CAP")
SETS = {"SET": {"MUG": 2, "CAP": 1}}
SHOPS = {"aurora": (LOCATIONS, 1), "corner": (("attic",), 0)}
"""The locations that serve a shop, and what it keeps back."""
HYSTERESIS = 2
skus, locations = st.sampled_from(SHELF), st.sampled_from(LOCATIONS)
levels = st.sampled_from([0, 1, 2, 5, 6, 7, 8, MOST_UNITS])
units = st.sampled_from([0, 1, 2, 3, 5, MOST_UNITS])


@dataclass(frozen=True)
class Shelf:
    """One stock line of the model."""

    on_hand: int = 0
    reserved: int = 0
    buffer: int = 0
    point: int | None = None
    changes: int = 0

    @property
    def free(self) -> int:
        return self.on_hand - self.reserved - self.buffer

    def moved(self, on_hand: int, reserved: int) -> "Shelf | None":
        """None where that would promise or take what is not there, or be more than a line can say."""
        after = replace(
            self, on_hand=self.on_hand + on_hand, reserved=self.reserved + reserved, changes=self.changes + 1
        )
        fits = 0 <= after.reserved <= after.on_hand and (on_hand <= 0 or after.on_hand <= MOST_UNITS)
        return after if fits else None


class Stock(RuleBasedStateMachine):
    """Over the fake."""

    new_place: NewPlace = FakePlace
    commits = Bundle("commits")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.place: Place = type(self).new_place(lambda: self.now)
        self.shelves: dict[Key, Shelf] = {}
        self.orders = 0
        self.read = 0
        self.seen: dict[Key, StockLine] = {}
        self.ledger: dict[Key, list[object]] = {}
        self.states: dict[Key, str] = {}
        self.crossings: list[tuple[str, str, str]] = []
        """What people are to hear of, in order."""
        self.notifier = FakeNotifier()
        rules = PlanningRules(hysteresis_units=HYSTERESIS)
        self.watching = Watching({"chat": self.notifier}, rules)
        self.shops = {shop: (FakeChannel(), FakeBindings()) for shop in SHOPS}

    @initialize()
    def open_shops(self) -> None:
        self.place.define_bundle("SET", SETS["SET"])
        for shop, (channel, bindings) in self.shops.items():
            for sku in (*SHELF, "SET"):
                channel.shown[sku] = 0
                bindings.keep([Binding(shop=shop, item=channel.item(sku))])

    # ---- what happens

    @rule(
        sku=skus,
        location=locations,
        level=levels,
        buffer=st.sampled_from([None, 0, 1]),
        point=st.sampled_from([None, 0, 5]),
    )
    def count(self, sku: str, location: str, level: int, buffer: int | None, point: int | None) -> None:
        cause = Cause(kind="count", reference="operator", actor="ann")
        counted = CountedLevel(
            sku=sku, location=location, on_hand=level, safety_buffer=buffer, reorder_point=point, counted_at=self.now,
            cause=cause,
        )  # fmt: skip
        came = attempted(lambda: self.place.room.set_level(counted))
        old = self.shelves.get((sku, location), Shelf())
        if level < old.reserved:
            assert isinstance(came, Conflict)
            assert came.code == "reserved_exceeds_count"
            return
        self.shelves[sku, location] = replace(
            old,
            on_hand=level,
            buffer=old.buffer if buffer is None else buffer,
            point=old.point if point is None else point,
            changes=old.changes + 1,
        )
        self._require_same(came, (sku, location))

    @rule(sku=skus, location=locations, many=units, sign=st.sampled_from([1, 1, -1]))
    def receive(self, sku: str, location: str, many: int, sign: int) -> None:
        change = StockChange(sku=sku, location=location, on_hand=sign * many)
        came = attempted(lambda: self.place.room.move(change, Cause(kind="receipt", reference="note 1")))
        after = self.shelves.get((sku, location), Shelf()).moved(sign * many, 0)
        if after is None:
            assert isinstance(came, Conflict)
            assert came.code == ("too_many_units" if sign > 0 else "not_on_shelf")
            return
        self.shelves[sku, location] = after
        self._require_same(came, (sku, location))

    @rule(sku=skus, location=locations, many=units, is_old=st.booleans())
    def follow(self, sku: str, location: str, many: int, is_old: bool) -> None:
        """The back office says what is on the shelf, by what was read just now or one change ago."""
        key = (sku, location)
        changes = [pair for pair in self.place.line_changes() if (pair[1].sku, pair[1].location) == key]
        known = self._line(key) if not is_old or not changes else changes[-1][0]
        target = max(many, known.reserved if known else 0)
        change = StockChange(sku=sku, location=location, on_hand=target - (known.on_hand if known else 0))
        came = self.place.room.follow(known, change, Cause(kind="backoffice", reference="erp"))
        if known != self._before(key, came):
            assert came is None
            return
        shelf = self.shelves.get(key, Shelf())
        self.shelves[key] = replace(shelf, on_hand=target, changes=shelf.changes + 1)
        self._require_same(came, key)

    def _before(self, key: Key, came: StockLine | None) -> StockLine | None:
        """The line as it was until just now."""
        mine = [pair for pair in self.place.line_changes() if (pair[1].sku, pair[1].location) == key]
        if came is not None:
            return mine[-1][0]
        return mine[-1][1] if mine else None

    @rule(
        target=commits,
        changes=st.lists(
            st.builds(
                StockChange,
                sku=skus,
                location=locations,
                on_hand=st.sampled_from([0, 0, -1, -2, 1]),
                reserved=st.sampled_from([0, 1, 2, -1, MOST_UNITS]),
            ),
            min_size=1,
            max_size=3,
        ),
    )
    def decide(self, changes: list[StockChange]) -> Commit:
        """A worker has read and decided; it writes later, or again, or never."""
        self.orders += 1
        made = record(order(order_id=str(self.orders)))
        return Commit(record=made, changes=net(changes), replaces=None)

    @rule(commit=commits)
    def write(self, commit: Commit) -> None:
        is_new = self.place.book.find(commit.record.key) is None
        wanted = {}
        for change in commit.changes:
            key = (change.sku, change.location)
            wanted[key] = self.shelves[key].moved(change.on_hand, change.reserved) if key in self.shelves else None
        came = attempted(lambda: self.place.book.commit(commit))
        after = {key: shelf for key, shelf in wanted.items() if shelf is not None}
        if is_new and len(after) == len(wanted):
            assert came is None
            self.shelves |= after
        else:
            assert isinstance(came, Conflict)

    @rule(minutes=st.integers(1, 3))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # ---- what is heard of it

    @rule(is_failing=st.booleans(), again=st.integers(0, 3))
    def hear(self, is_failing: bool, again: int) -> None:
        """The stream tells of all changes in their order, and perhaps of some of them once more."""
        changes = self.place.line_changes()
        if is_failing:
            self.notifier.failures.append(Retry("chat_down", "later"))
        for _, new in [*changes[self.read :], *changes[len(changes) - again :]]:
            while isinstance(attempted(lambda new=new: watch(new, self.watching.watch, at=self.now)), Retry):  # type: ignore[misc]
                continue
        for old, new in changes[self.read :]:
            self._model_alert(old, new)
        self.notifier.failures.clear()
        self.read = len(changes)
        assert len({notice.key for notice in self.notifier.sent}) == len(self.notifier.sent), "nobody hears twice"
        assert [notice.key for notice in self.notifier.sent] == [key for key, _, _ in self.crossings]
        kept = {key: str(alert.state) for key, alert in self.watching.alerts.kept.items()}
        assert kept == self.states

    def _model_alert(self, old: StockLine | None, new: StockLine) -> None:
        key = (new.sku, new.location)
        free, before = new.on_hand - new.reserved - new.safety_buffer, self.states.get(key, "ok")
        point = new.reorder_point or 0
        after = "out" if free <= 0 else "low" if free <= point + (HYSTERESIS if before != "ok" else 0) else "ok"
        if after != before and old is not None:
            self.crossings.append((f"stock/{new.location}/{new.sku}/{new.seq}", before, after))
        self.states[key] = after

    @rule(shop=st.sampled_from(sorted(SHOPS)), is_lost=st.booleans())
    def tell_shop(self, shop: str, is_lost: bool) -> None:
        channel, bindings = self.shops[shop]
        served, buffer = SHOPS[shop]
        desk = ChannelDesk(
            shop=shop, channel=channel, bindings=bindings, stock=self.place.room, bundles=self.place.bundles,
            locations=served, buffer=buffer, clock=lambda: self.now,
        )  # fmt: skip
        channel.lose_answers = int(is_lost)
        attempted(lambda: push(desk, (*SHELF, "SET")))
        channel.lose_answers = 0
        push(desk, (*SHELF, "SET"))
        for sku in (*SHELF, "SET"):
            parts = SETS.get(sku, {sku: 1})
            if all(any(known == part for known, _ in self.shelves) for part in parts):
                assert channel.shown[sku] == max(0, sum(self._free(parts, place) for place in served) - buffer)

    def _free(self, parts: dict[str, int], location: str) -> int:
        return min(max(0, self.shelves.get((part, location), Shelf()).free) // each for part, each in parts.items())

    # ---- what always holds

    @invariant()
    def shelves_are_as_the_model_says(self) -> None:
        view = self.place.room.read(SHELF)
        assert {(sku, location) for sku, at in view.items() for location in at} == set(self.shelves)
        for key in self.shelves:
            self._require_same(self._line(key), key)

    @invariant()
    def ledger_tells_it_all(self) -> None:
        told: dict[Key, list[object]] = {}
        for old, new in self.place.line_changes():
            told.setdefault((new.sku, new.location), []).extend(movements_of(old, new, self.now))
        for key in self.shelves:
            line = self._line(key)
            assert line
            assert audit(told[key], line).agrees  # type: ignore[arg-type] # movements

    def _line(self, key: Key) -> StockLine | None:
        return self.place.room.read([key[0]]).get(key[0], {}).get(key[1])

    def _require_same(self, line: object, key: Key) -> None:
        assert isinstance(line, StockLine)
        shelf = self.shelves[key]
        assert (line.on_hand, line.reserved, line.available) == (
            shelf.on_hand,
            shelf.reserved,
            shelf.on_hand - shelf.reserved,
        )
        assert (line.safety_buffer, line.reorder_point, line.seq) == (shelf.buffer, shelf.point, shelf.changes)


class StockInTables(Stock):
    """Over the real tables."""

    new_place = TablePlace


TestStock = Stock.TestCase
TestStock.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=30)
TestStockInTables = StockInTables.TestCase
TestStockInTables.settings = settings(max_examples=settings().max_examples // 4, stateful_step_count=30)
