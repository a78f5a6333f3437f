"""Whatever a storefront, a warehouse and operators say, in whatever order and however interrupted: the record, the
stock and the events keep their promises, and once the storefront is asked, the record says what it says.

Hypothesis tells the histories and shrinks the one that breaks a promise. The model is small and knows nothing of how
decisions are made: what was said, what lies on each shelf, and which change may follow which.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.inventory.ledger import movements_of
from shared.inventory.models import MOST_UNITS, Cause, StockChange, StockLine
from shared.kernel.clock import as_sortable
from shared.kernel.errors import Conflict, Rejected, Retry, StorebridgeError
from shared.kernel.identifiers import OrderKey
from shared.orders import demand
from shared.orders.cancel import cancel
from shared.orders.dispatch import Dispatch
from shared.orders.effects import events_of
from shared.orders.errands import errands_of
from shared.orders.intake import Outcome, take_in
from shared.orders.lifecycle import FulfilmentState, ReviewState, may_review_move
from shared.orders.models import FulfilmentLine, Order, PersonalData
from shared.orders.note_dispatches import note_dispatches
from shared.orders.ports import Arrival, Desk
from shared.orders.readings import CompleteOrder, OrderHint
from shared.orders.reconsider import reconsider, reconsider_shop
from shared.orders.record import NOT_FROM_STOCK, LineKind, LineState, OrderRecord
from shared.orders.release import release
from shared.orders.review import ReviewRules
from shared.orders.take_in_together import Pace, take_in_together
from tests.builders.orders import NOON
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeStorefront, retry_at_once
from tests.machines.accounts import EDITS, LONG_AGO, SLOTS, Item, Statement, account_of, edited, statements
from tests.machines.attempts import attempted
from tests.machines.places import LOCATIONS, FakePlace, NewPlace, Place, TablePlace

SHOP = "aurora"
ORDERS = ("1", "2")
SHELF = ("MUG", "CAP")
SKUS: tuple[str | None, ...] = ("MUG", "SET", "CAP", "LOST", None)
COMPOSITIONS: tuple[Mapping[str, int], ...] = ({"MUG": 2, "CAP": 1}, {"MUG": 1}, {"CAP": 3, "MUG": 1})
_FEW = 10
"""Of a shelf that is as full as a line can say, less comes back than came: no more than this is ever at stake."""
MOST_COMMITS = 60
"""A use case that commits more often in one go has no end."""

APIS = st.sampled_from(["now", "none", "absent", "older", "retry"])
"""How the storefront answers: as things are, with no such order, not at all (no access), with what was, or later."""
orders = st.sampled_from(ORDERS)
some = st.integers(0, 5)
WRITES = st.sampled_from(["commit", "write_account"])
Meanwhile = Callable[[], object]


class Killed(Exception):
    """The process ended here."""


class DisturbedBook:
    """The book, and what happens at one of its writes: somebody else is faster, or the process ends."""

    def __init__(
        self, book: Any, at: str = "", before: Meanwhile | None = None, after: Meanwhile | None = None
    ) -> None:
        self._book = book
        self._at, self._before, self._after = at, before, after
        self._commits = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._book, name)
        if name in ("commit", "commit_all"):
            return self._disturbed(name, self._counted(real))
        return self._disturbed(name, real) if name in ("write_account", "write_accounts") else real

    def _counted(self, real: Callable[..., object]) -> Callable[..., object]:
        def commit(*arguments: object) -> object:
            self._commits += 1
            assert self._commits <= MOST_COMMITS, "it comes to no end"
            return real(*arguments)

        return commit

    def _disturbed(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            is_here = bool(self._at) and name.startswith(self._at)
            before, after = (self._before, self._after) if is_here else (None, None)
            if is_here:
                self._before = self._after = None
            if before:
                before()
            answer = real(*arguments)
            if after:
                after()
            return answer

        return call


def _die() -> None:
    raise Killed


class Orders(RuleBasedStateMachine):
    """Over the fakes, with transactions as large as DynamoDB's."""

    new_place: NewPlace = FakePlace
    most_stock_lines = demand.MAX_STOCK_LINES

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(demand, "MAX_STOCK_LINES", self.most_stock_lines)
        self.now = NOON
        self.second = 0
        self.place: Place = type(self).new_place(lambda: self.now)
        self.policy = ReviewRules()
        self.told: dict[str, list[Order]] = {number: [] for number in ORDERS}
        self.said: dict[str, Statement] = {}
        self.meant: dict[str, tuple[Order, Statement]] = {}
        """By the hash of the body."""
        self.consignments: dict[str, list[Dispatch]] = {number: [] for number in ORDERS}
        self.forgotten: set[OrderKey] = set()
        self.records: dict[OrderKey, OrderRecord] = {}
        self.lines: dict[tuple[str, str], StockLine] = {}
        self.events: set[str] = set()
        self.read_records = self.read_lines = 0
        self.is_sound = True
        self.was_counted_meanwhile = False

    @initialize(
        auto_release=st.booleans(),
        hold_when_short=st.booleans(),
        levels=st.tuples(*[st.sampled_from([0, 1, 3, 10**9, None])] * 4),
    )
    def open_shop(self, auto_release: bool, hold_when_short: bool, levels: tuple[int | None, ...]) -> None:
        self.policy = ReviewRules(auto_release=auto_release, hold_when_short=hold_when_short)
        self.place.define_bundle("SET", COMPOSITIONS[0])
        places = [(sku, location) for sku in SHELF for location in LOCATIONS]
        for (sku, location), level in zip(places, levels, strict=True):
            if level is not None:
                self.place.room.set_level(counted(sku, level, location, at=LONG_AGO + timedelta(days=1)))

    # ---- what happens in the world

    @rule(number=orders, said=statements(SKUS), seconds=st.integers(0, 1), seen=st.integers(-1, 1), heard=st.booleans())
    def say(self, number: str, said: Statement, seconds: int, seen: int, heard: bool) -> None:
        """The storefront's own order changes, perhaps twice in one second; the delivery is made then, or later."""
        self.second += seconds
        made = account_of(
            said,
            number,
            number=len(self.meant) + 1,
            updated=self.second,
            observed=int((self.now - NOON).total_seconds()) + seen,
            now=self.now,
        )
        self.said[number] = said
        self.meant[made.version.body_sha256] = made, said
        self.told[number].append(made)
        if heard:
            self.deliver(number, 0, "now")

    @rule(
        number=orders, edit=st.sampled_from(EDITS), which=some, sku=st.sampled_from(SKUS), seconds=st.integers(0, 1),
        heard=st.booleans(),
    )  # fmt: skip
    def edit(self, number: str, edit: str, which: int, sku: str | None, seconds: int, heard: bool) -> None:
        said = self.said.get(number, Statement(items=(Item(sku, 1),)))
        self.say(number, edited(said, edit, which, Item(sku, 1)), seconds, 0, heard)

    @rule(minutes=st.integers(1, 90))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # ---- what we hear of it

    @rule(number=orders, which=some, api=APIS)
    def deliver(self, number: str, which: int, api: str) -> None:
        if told := self.told[number]:
            self._take_in(told[-1 - which % len(told)], api, DisturbedBook(self.place.book))

    @rule(number=orders, which=some, api=APIS, at=WRITES, late=st.booleans())
    def deliver_and_die(self, number: str, which: int, api: str, at: str, late: bool) -> None:
        if told := self.told[number]:
            book = DisturbedBook(self.place.book, at, None if late else _die, _die if late else None)
            try:
                self._take_in(told[-1 - which % len(told)], api, book)
            except Killed:
                return

    @rule(
        number=orders, which=some, api=APIS, at=WRITES, other=orders,
        their=some, doing=st.sampled_from(["deliver", "release", "cancel", "reconsider", "break", "count"]),
    )  # fmt: skip
    def deliver_while(self, number: str, which: int, api: str, at: str, other: str, their: int, doing: str) -> None:
        """Somebody else is faster, between our reading and our writing."""
        meanwhile: dict[str, Meanwhile] = {
            "deliver": lambda: self.deliver(other, their, "now"),
            "release": lambda: self.operate(other, "release"),
            "cancel": lambda: self.operate(other, "cancel"),
            "reconsider": lambda: self.reconsider(other),
            "break": lambda: self.move(SHELF[their % 2], LOCATIONS[their // 2 % 2], -1),
            "count": lambda: self.count(SHELF[their % 2], LOCATIONS[their // 2 % 2], their),
        }
        if told := self.told[number]:
            # Known, and left so: a count that comes in the very moment between reading and writing is not noticed, and
            # what it shows already is moved once more. No more than the next count mends.
            self.was_counted_meanwhile = doing == "count"
            book = DisturbedBook(self.place.book, at, meanwhile[doing])
            self._take_in(told[-1 - which % len(told)], api, book)

    @rule(number=orders, first=st.sampled_from(EDITS), then=st.sampled_from(EDITS), which=some, at=WRITES, api=APIS)
    def say_twice_at_once(self, number: str, first: str, then: str, which: int, at: str, api: str) -> None:
        """Two workers at one order: one account comes between reading and writing of the other."""
        for edit in (first, then):
            self.edit(number, edit, which, SKUS[which % len(SKUS)], which % 2, heard=False)
        *_, older, newer = self.told[number]
        slow, fast = (older, newer) if which % 3 else (newer, older)
        book = DisturbedBook(self.place.book, at, lambda: self._take_in(fast, api, DisturbedBook(self.place.book)))
        self._take_in(slow, api, book)

    @rule(
        which=some,
        other=some,
        at=WRITES,
        doing=st.sampled_from(["nothing", "die", "edit", "break"]),
        hurried=st.booleans(),
    )
    def deliver_together(self, which: int, other: int, at: str, doing: str, hurried: bool) -> None:
        """Accounts of both orders, and a second one of the first, come in one batch."""
        number = ORDERS[which % 2]
        meanwhile: dict[str, Meanwhile | None] = {
            "nothing": None,
            "die": _die,
            "edit": lambda: self.edit(number, EDITS[other], which, "MUG", 1, heard=True),
            "break": lambda: self.move(SHELF[which % 2], LOCATIONS[other % 2], -1),
        }
        book: Any = DisturbedBook(self.place.book, at, meanwhile[doing])
        desk = self._desk(book, "now")
        chosen = [told[-1 - which % len(told)] for told in self.told.values() if told]
        chosen += [told[-1 - other % len(told)] for told in self.told.values() if told][:1]
        arrivals = [Arrival(account, desk) for account in chosen]
        pace = Pace(retry_at_once, hurried=hurried)
        with suppress(Killed):
            for arrival, taken in zip(arrivals, take_in_together(arrivals, book, pace), strict=True):
                if not isinstance(taken, Outcome):
                    self._take_in(arrival.order, "now", DisturbedBook(self.place.book))

    @rule(number=orders, api=APIS, reason=st.sampled_from(["thin", "deleted"]))
    def hint(self, number: str, api: str, reason: str) -> None:
        desk = self._desk(DisturbedBook(self.place.book), api)
        came = attempted(lambda: take_in(SHOP, OrderHint(number, reason), desk))
        if isinstance(came, Rejected):
            assert (came.code, api, reason) == ("no_api_access", "absent", "thin")
        self._require_understandable(came, number, api)

    # ---- what people and the warehouse do

    @rule(number=orders, doing=st.sampled_from(["release", "cancel"]))
    def operate(self, number: str, doing: str) -> None:
        desk = self._desk(DisturbedBook(self.place.book), "absent")
        key = OrderKey(SHOP, number)
        before = self.place.book.find(key)
        after = attempted(lambda: {"release": release, "cancel": cancel}[doing](key, desk, by="ann"))
        wanted = ReviewState.RELEASED if doing == "release" else ReviewState.CANCELLED
        if isinstance(after, StorebridgeError):
            refused = {"release": "not_releasable", "cancel": "already_cancelled"}[doing]
            assert after.code == (refused if before else "unknown_order")
            assert before is None or before.review in (wanted, ReviewState.CANCELLED)
        else:
            assert after.review is wanted

    @rule(number=orders)
    def reconsider(self, number: str) -> None:
        key = OrderKey(SHOP, number)
        found = reconsider(key, self._desk(DisturbedBook(self.place.book), "absent"))
        assert found.after is None or found.after == self.place.book.find(key)

    @rule(
        number=orders, slot=st.sampled_from(SLOTS), units=st.integers(1, 2), delivered=st.booleans(), old=st.booleans()
    )
    def send(self, number: str, slot: str, units: int, delivered: bool, old: bool) -> None:
        sent = self.consignments[number]
        lines = (FulfilmentLine(line_id=slot, quantity=units),)
        left = LONG_AGO if old else self.now
        sent.append(Dispatch(key=f"erp/{number}/{len(sent)}", lines=lines, left_at=left, delivered=delivered))
        self.tell_dispatches(number)

    @rule(number=orders)
    def recall_consignment(self, number: str) -> None:
        """The back office takes back what it said."""
        if self.consignments[number]:
            self.consignments[number].pop()
            self.tell_dispatches(number)

    @rule(number=orders)
    def tell_dispatches(self, number: str) -> None:
        key, sent = OrderKey(SHOP, number), self.consignments[number]
        desk = self._desk(DisturbedBook(self.place.book), "absent")
        record = attempted(lambda: note_dispatches(key, sent, desk))
        if isinstance(record, StorebridgeError):
            assert record.code == ("account_ahead" if self.place.book.find(key) else "unknown_order")
            assert record.code == "unknown_order" or self._is_ahead(number)
        else:
            assert record.delivered == (bool(sent) and all(one.delivered for one in sent))

    @rule(sku=st.sampled_from(SHELF), location=st.sampled_from(LOCATIONS), units=st.sampled_from([0, 1, 2, 5, -1, -2]))
    def move(self, sku: str, location: str, units: int) -> None:
        line = self._line(sku, location)
        change = StockChange(sku=sku, location=location, on_hand=units)
        came = attempted(lambda: self.place.room.move(change, Cause(kind="receipt", reference="by hand")))
        is_refused = line.available < -units or line.on_hand + units > MOST_UNITS if line else units < 0
        assert isinstance(came, Conflict) == is_refused

    @rule(sku=st.sampled_from(SHELF), location=st.sampled_from(LOCATIONS), units=st.sampled_from([0, 1, 2, 5, 10**9]))
    def count(self, sku: str, location: str, units: int) -> None:
        line = self._line(sku, location)
        came = attempted(lambda: self.place.room.set_level(counted(sku, units, location, at=self.now)))
        assert isinstance(came, Conflict) == (line is not None and line.reserved > units)

    @rule(which=some)
    def compose(self, which: int) -> None:
        """What the bundle is made of changes, or it is no bundle any more."""
        self.place.define_bundle("SET", [*COMPOSITIONS, {}][which % 4])

    @rule(number=orders)
    def forget(self, number: str) -> None:
        key = OrderKey(SHOP, number)
        assert self.place.forget_buyer(key, self.now) == (key not in self.forgotten)
        self.forgotten.add(key)

    # ---- what always holds

    @invariant()
    def check(self) -> None:
        self.is_sound = False
        self._check_line_changes()
        self._check_record_changes()
        self._check_reserved()
        self._check_attention()
        self._check_forgotten()
        self.is_sound = True

    def _check_line_changes(self) -> None:
        changes = self.place.line_changes()
        for old, new in changes[self.read_lines :]:
            key = (new.sku, new.location)
            assert old == self.lines.get(key), "no change is left out"
            assert new.seq == (old.seq if old else 0) + max(1, len(new.shares)), "every change counts"
            assert 0 <= new.reserved <= new.on_hand
            assert new.available == new.on_hand - new.reserved
            self.lines[key] = new
        self.read_lines = len(changes)
        view = self.place.room.read(SHELF)
        assert {(line.sku, line.location): line for at in view.values() for line in at.values()} == self.lines

    def _check_record_changes(self) -> None:
        changes = self.place.record_changes()
        for old, new in changes[self.read_records :]:
            assert old == self.records.get(new.key), "no change is left out"
            _check_step(old, new)
            _check_lines(new)
            self._check_shipped(new)
            if not self.was_counted_meanwhile:
                self._check_on_hand(old, new)
            self._check_effects(old, new)
            self.records[new.key] = new
        self.was_counted_meanwhile = False
        self.read_records = len(changes)
        for number in ORDERS:
            key = OrderKey(SHOP, number)
            assert self.place.book.find(key) == self.records.get(key)

    def _check_shipped(self, new: OrderRecord) -> None:
        """What left is what the storefront or the back office says has left, whoever knows of more, and left once."""
        if not new.settled or new.cause.kind in ("cancel", "deleted", "release"):
            return
        _, said = self.meant[new.version.body_sha256]
        for item, slot in zip(said.items, SLOTS, strict=False):
            states = [line for line in new.lines if line.line_id == slot]
            assert item.sku in {line.sku for line in states}
            known = max(item.shipped, *(line.dispatched for line in states))
            assert sum(sum(line.shipped.values()) for line in states) == known
            assert sum(line.returned for line in states) >= item.returned

    def _check_on_hand(self, old: OrderRecord | None, new: OrderRecord) -> None:
        """What a commit takes from a shelf or puts there is what left or came back, unless a count shows it already."""
        told = (movements_of(then, now, self.now) for then, now in self.place.line_changes())
        made = [move for moves in told for move in moves if move.cause.reference == new.cause.reference]
        before = {(line.line_id, line.sku): line for line in old.lines} if old else {}
        wanted: Counter[tuple[str, str]] = Counter()
        counts = {key: line.counted_at for key, line in self.lines.items()}
        gone = [line.model_copy(update={"shipped": {}}) for line in before.values()]
        after = {(line.line_id, line.sku): line for line in (*gone, *new.lines)}
        held = {line.sku: line.components for line in before.values() if line.components}
        for key, now in after.items():
            was = before.get(key)
            # One order has one composition of a bundle: that under which the first of its lines took it.
            line = now.model_copy(update={"components": now.components or held.get(now.sku)})
            for place, units, at in self._moved(was, line, new):
                for part, each in self._parts(line).items():
                    counted_at = counts.get((part, place))
                    if not (at and counted_at and at <= counted_at):
                        wanted[part, place] += units * each
        moved = {(move.sku, move.location): move.on_hand for move in made}
        stood = {key: line.on_hand for key, line in self.lines.items()}
        stood |= {(move.sku, move.location): move.on_hand_after - move.on_hand for move in made}
        for key in {*moved, *wanted}:
            assert moved.get(key, 0) == wanted[key] or (
                stood[key] > MOST_UNITS - _FEW and moved.get(key, 0) < wanted[key]
            )

    def _moved(
        self, was: LineState | None, line: LineState, new: OrderRecord
    ) -> Iterator[tuple[str, int, datetime | None]]:
        """Units that came to each place (below zero: that left it), and when they did."""
        earlier = was.shipped if was else {}
        for place in sorted({*earlier, *line.shipped} - {NOT_FROM_STOCK}):
            came = earlier.get(place, 0) - line.shipped.get(place, 0)
            yield place, came, self._left_at(line, new) if came < 0 else None
        back = line.returned - (was.returned if was else 0)
        parts = self._parts(line)
        for place in (*earlier, *line.shipped, *LOCATIONS):
            if back and place != NOT_FROM_STOCK and all((part, place) in self.lines for part in parts):
                yield place, back, self._times(line, new)[1]
                return

    def _left_at(self, line: LineState, new: OrderRecord) -> datetime | None:
        """By the storefront, or by the back office where that has sent more than the storefront has heard of."""
        account, _ = self.meant[new.version.body_sha256]
        told = sum(
            item.quantity for shipment in account.fulfilments for item in shipment.lines if item.line_id == line.line_id
        )
        if line.dispatched <= told:
            return self._times(line, new)[0]
        sent = [one.left_at for one in self.consignments[new.order_id] if one.lines[0].line_id == line.line_id]
        return max(sent) if new.cause.kind == "dispatch" else None

    def _times(self, line: LineState, new: OrderRecord) -> tuple[datetime | None, datetime | None]:
        """When the storefront says that the line left and came back."""
        account, _ = self.meant[new.version.body_sha256]
        left = [one.created_at for one in account.fulfilments if one.lines[0].line_id == line.line_id]
        back = [one.created_at for one in account.refunds if one.lines[0].line_id == line.line_id]
        return (left or [None])[0], (back or [None])[0]

    def _check_effects(self, old: OrderRecord | None, new: OrderRecord) -> None:
        told = events_of(old, new)
        ids = {event.id for event in told}
        assert len(ids) == len(told)
        assert not ids & self.events, "no event twice"
        self.events |= ids
        if old is not None and _without_counters(old) == _without_counters(new):
            assert not told
            assert not errands_of(old, new)
        assert all(event.revision == new.revision and event.review is new.review for event in told)

    def _check_reserved(self) -> None:
        promised: Counter[tuple[str, str]] = Counter()
        for record in self.records.values():
            for line in record.lines:
                for location, units in line.allocated.items():
                    for part, each in (line.components or {line.sku or "": 1}).items():
                        promised[part, location] += units * each
        assert +promised == +Counter({key: line.reserved for key, line in self.lines.items()})

    def _check_attention(self) -> None:
        waiting = list(self.place.book.needing_attention(SHOP))
        assert set(waiting) == {key for key, record in self.records.items() if record.attention_since}
        since = [self.records[key].attention_since for key in waiting]
        assert since == sorted(since, key=lambda moment: moment or NOON)

    def _check_forgotten(self) -> None:
        for key in self.forgotten:
            account = self.place.book.find_account(key)
            assert account is None or account.personal == PersonalData()

    # ---- the end

    def teardown(self) -> None:
        try:
            if self.is_sound:
                self._come_to_rest()
        finally:
            self.patch.undo()

    def _come_to_rest(self) -> None:
        """Ask the storefront once more; from then on nothing that was ever said changes anything."""
        for number, told in self.told.items():
            self.now += timedelta(minutes=1)
            if told:
                desk = self._desk(DisturbedBook(self.place.book), "now")
                take_in(SHOP, OrderHint(number, "thin"), desk)
                record = self.place.book.find(OrderKey(SHOP, number))
                assert record
                assert record.settled
                assert record.version.states_the_same(told[-1].version)
        self.check()
        rest = len(self.place.record_changes()), len(self.place.line_changes())
        for told in self.told.values():
            for account in (*told, *reversed(told)):
                take_in(SHOP, CompleteOrder(account), self._desk(self.place.book, "now"))
        assert rest == (len(self.place.record_changes()), len(self.place.line_changes()))
        assert not [number for number in ORDERS if self._is_ahead(number)], "accounts and records agree"
        shop = self._desk(DisturbedBook(self.place.book), "absent")
        list(reconsider_shop(SHOP, shop))
        assert not [one for one in reconsider_shop(SHOP, shop) if one.after], "one look is enough"
        self.check()
        self._require_no_idle_units()

    def _require_no_idle_units(self) -> None:
        for record in self.records.values():
            taken = {line.sku: line.components for line in record.lines if line.components}
            for line in record.lines:
                parts = self._parts(line.model_copy(update={"components": taken.get(line.sku)}))
                for location in LOCATIONS if line.short else ():
                    held = {part: self.lines.get((part, location)) for part in parts}
                    free = min((one.available if one else 0) // parts[part] for part, one in held.items())
                    assert free <= 0, "nobody waits for what lies there"

    # ---- the same in short words

    def _parts(self, line: LineState) -> Mapping[str, int]:
        return line.components or self.place.bundles().get(line.sku or "") or {line.sku or "": 1}

    def _line(self, sku: str, location: str) -> StockLine | None:
        return self.place.room.read([sku]).get(sku, {}).get(location)

    def _take_in(self, account: Order, api: str, book: Any) -> None:
        came = attempted(lambda: take_in(SHOP, CompleteOrder(account), self._desk(book, api)))
        assert not isinstance(came, Rejected)
        self._require_understandable(came, account.order_id, api)

    def _require_understandable(self, came: object, number: str, api: str) -> None:
        """Nothing is put off without a reason."""
        if isinstance(came, Retry):
            assert api == "retry" or (came.code == "account_ahead" and self._is_ahead(number))
        if isinstance(came, Conflict):
            assert self._is_ahead(number), "nobody else writes"

    def _is_ahead(self, number: str) -> bool:
        """Whether the account is ahead of the record: somebody died in between."""
        key = OrderKey(SHOP, number)
        account, record = self.place.book.find_account(key), self.place.book.find(key)
        return account is not None and (record is None or not account.version.states_the_same(record.version))

    def _desk(self, book: Any, api: str) -> Desk:
        return Desk(
            book=book,
            stock=self.place.room,
            storefront=None if api == "absent" else FakeStorefront(self._answering(api)),
            locations=LOCATIONS,
            rules=self.policy,
            clock=lambda: self.now,
            retrying=retry_at_once,
            bundles=self.place.bundles,
        )

    def _answering(self, api: str) -> Callable[[str], Order | None]:
        def answer(asked: str) -> Order | None:
            if api == "retry":
                raise Retry("shop_busy", "throttled")
            told = self.told[asked]
            if api == "none" or not told:
                return None
            account = told[0 if api == "older" else -1]
            seen = {"fetched": True, "observed_at": as_sortable(self.now)}
            return account.model_copy(update={"version": account.version.model_copy(update=seen)})

        return answer


def _check_step(old: OrderRecord | None, new: OrderRecord) -> None:
    """Whether one revision may follow another."""
    assert new.revision == (old.revision if old else 0) + 1
    assert new.cause.reference == f"{new.key}#{new.revision}"
    if old is None:
        return
    assert new.version.updated_at >= old.version.updated_at, "versions never fall back"
    assert may_review_move(old.review, new.review)
    if old.cancelled_by and old.cancelled_by != "storefront":
        assert new.cancelled_by == old.cancelled_by, "what an operator cancelled stays so"
    assert set(old.overridden) <= set(new.overridden)
    assert new.placed_at == old.placed_at


def _check_lines(new: OrderRecord) -> None:
    """Whether the axes agree with the lines and with each other."""
    assert len({(line.line_id, line.sku) for line in new.lines}) == len(new.lines)
    for line in new.lines:
        assert line.open >= 0
        assert all(units > 0 for units in (*line.allocated.values(), *line.shipped.values()))
        assert sum(line.allocated.values()) <= line.open
        assert not line.allocated or line.kind is LineKind.STOCKED
        assert set(line.allocated) <= set(LOCATIONS)
    assert (new.review is ReviewState.CANCELLED) == (new.cancelled_by is not None)
    assert (new.review is ReviewState.HELD) == bool(new.holds) or new.review is ReviewState.RELEASED
    assert not {hold.reason for hold in new.holds} & set(new.overridden)
    if new.review is ReviewState.CANCELLED:
        assert new.status == "cancelled"
        assert not new.holds
        assert not new.settled or not any(line.allocated or line.open for line in new.lines)
    has_left = any(line.shipped for line in new.lines)
    moved = {FulfilmentState.PARTIALLY_SHIPPED, FulfilmentState.SHIPPED, FulfilmentState.DELIVERED}
    assert has_left == (new.fulfilment in {*moved, FulfilmentState.RETURNED})
    if new.fulfilment is FulfilmentState.ALLOCATED:
        assert not any(line.short for line in new.lines)
    if new.fulfilment is FulfilmentState.NOT_REQUIRED:
        assert not any(line.open for line in new.lines if line.kind is not LineKind.UNTRACKED)


def _without_counters(record: OrderRecord) -> OrderRecord:
    nothing = Cause(kind="", reference="")
    return record.model_copy(update={"revision": 0, "cause": nothing, "attention_since": None, "lines": ()})


class OrdersInSteps(Orders):
    """Transactions of five stock lines: most orders come in by several commits."""

    most_stock_lines = 5


class OrdersInTables(Orders):
    """Over the real tables; the changes are what their streams tell."""

    new_place = TablePlace


SETTINGS = settings(max_examples=settings().max_examples * 3 // 5, stateful_step_count=40)

TestOrders = Orders.TestCase
TestOrders.settings = SETTINGS
TestOrdersInSteps = OrdersInSteps.TestCase
TestOrdersInSteps.settings = SETTINGS
TestOrdersInTables = OrdersInTables.TestCase
TestOrdersInTables.settings = settings(SETTINGS, max_examples=SETTINGS.max_examples // 2)
