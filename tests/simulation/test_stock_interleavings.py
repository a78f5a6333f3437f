"""Sales, receipts, breakage, counts, shipments, returns and cancellations in random order, against a shelf that is
simulated beside the book: at every step the book equals the shelf, and the ledger adds up to the level.

`SEEDS=…` plays another number of them; a failing seed is named and replays exactly.
"""

import os
import random
from datetime import datetime, timedelta

import pytest

from shared.inventory.ledger import Level, Movement, level_of, movement_of
from shared.inventory.models import Cause, CountedLevel, StockChange, StockLine
from shared.kernel.errors import Conflict
from shared.orders.decision import Circumstances, decide
from shared.orders.demand import skus_of
from shared.orders.models import Order, RestockKind
from shared.orders.record import OrderRecord
from shared.orders.review import ReviewRules
from tests.builders.orders import NOON, line, order, refund, shipment
from tests.fakes.order_desk import FakeOrderBook, FakeStockRoom

SEEDS = int(os.environ.get("SEEDS", "10000"))
STEPS = 12
SKUS = ("MUG", "CAP")
BUNDLES = {"SET": {"MUG": 2, "CAP": 1}}
RULES = ReviewRules(duplicate_window_minutes=0)
BLOCKS = 10


class Warehouse:
    """The book under test, the shelf as it really is, and the ledger that the stream would have made."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - repeatable by its seed
        self.room = FakeStockRoom()
        self.book = FakeOrderBook(self.room)
        self.shelf = dict.fromkeys(SKUS, 0)
        self.ledger: list[Movement] = []
        self.seen: dict[tuple[str, str], StockLine] = {}
        self.orders: dict[str, Order] = {}
        self.now = NOON

    def step(self) -> None:
        self.now += timedelta(minutes=1)
        action = self.dice.choice(
            [
                self.sale,
                self.sale,
                self.edit,
                self.ship,
                self.bring_back,
                self.cancel,
                self.receive,
                self.lose,
                self.count,
            ]
        )
        action()
        self._record()
        self._check()

    def sale(self) -> None:
        number = str(len(self.orders) + 1)
        sku = self.dice.choice([*SKUS, "SET"])
        self._tell(order(line(sku, self.dice.randint(1, 4)), order_id=number, minute=self._minute()))

    def edit(self) -> None:
        if account := self._any_order():
            units = self.dice.randint(0, 5)
            self._change(account, current_quantity=units, open_quantity=max(0, units - self._shipped(account)))

    def ship(self) -> None:
        """The warehouse only ships what is allocated, and the goods leave the shelf."""
        account = self._any_order()
        record = self.book.find(account.key) if account else None
        if account is None or record is None or record.cancelled_by:
            return
        (state,) = record.lines
        units = sum(state.allocated.values())
        if not units:
            return
        self._take(str(state.sku), -units)
        shipped = self._shipped(account) + units
        self._change(account, shipped=shipped, open_quantity=max(0, state.open - units))

    def bring_back(self) -> None:
        account = self._any_order()
        if account is None or account.refunds or not self._shipped(account):
            return
        (item,) = account.lines
        self._take(str(item.sku), 1)
        back = refund(item.id, 1, RestockKind.RETURNED, at=self.now)
        self._tell(account.model_copy(update={"refunds": (back,), "version": self._version()}))

    def cancel(self) -> None:
        if account := self._any_order():
            self._tell(account.model_copy(update={"cancelled_at": self.now, "version": self._version()}))

    def receive(self) -> None:
        self._move(self.dice.choice(SKUS), self.dice.randint(1, 6), "receipt")

    def lose(self) -> None:
        """Somebody breaks one and says so; refused when every unit is promised."""
        self._move(self.dice.choice(SKUS), -1, "broken")

    def count(self) -> None:
        """The shelf is what it is; a count that finds what the book says changes nothing but the time."""
        sku = self.dice.choice(SKUS)
        cause = Cause(kind="count", reference="operator")
        counted = CountedLevel(sku=sku, location="main", on_hand=self.shelf[sku], counted_at=self.now, cause=cause)
        self.room.set_level(counted)

    def _tell(self, account: Order) -> None:
        stored = self.book.find(account.key)
        previous = stored.lines if stored else ()
        around = Circumstances(
            stock=self.room.read(skus_of(account, previous, BUNDLES)),
            locations=("main",),
            rules=RULES,
            now=self.now,
            bundles=BUNDLES,
        )
        self.book.commit(decide(account, stored, around))
        self.orders[account.order_id] = account

    def _change(self, account: Order, *, shipped: int | None = None, **quantities: int) -> None:
        (item,) = account.lines
        update: dict[str, object] = {
            "lines": (item.model_copy(update=quantities),),
            "version": self._version(),
        }
        if shipped is not None:
            update["fulfilments"] = (shipment((item.id, shipped), at=self.now),)
        self._tell(account.model_copy(update=update))

    def _move(self, sku: str, units: int, why: str) -> None:
        change = StockChange(sku=sku, location="main", on_hand=units)
        try:
            self.room.move(change, Cause(kind="receipt", reference=why))
        except Conflict:
            return
        self.shelf[sku] += units

    def _take(self, sku: str, units: int) -> None:
        for part, each in BUNDLES.get(sku, {sku: 1}).items():
            self.shelf[part] += units * each

    def _any_order(self) -> Order | None:
        return self.dice.choice(list(self.orders.values())) if self.orders else None

    def _shipped(self, account: Order) -> int:
        return sum(item.quantity for made in account.fulfilments for item in made.lines)

    def _minute(self) -> int:
        return int((self.now - NOON).total_seconds() // 60)

    def _version(self) -> object:
        return order(minute=self._minute()).version

    def _record(self) -> None:
        for key, now in self.room.lines.items():
            if self.seen.get(key) != now:
                self.ledger.append(movement_of(self.seen.get(key), now, self.now))
                self.seen[key] = now

    def _check(self) -> None:
        records = list(self.book.records.values())
        for (sku, _), held in self.room.lines.items():
            assert held.on_hand == self.shelf[sku], f"{sku}: the book says {held.on_hand}"
            assert 0 <= held.reserved <= held.on_hand
            assert held.available == held.on_hand - held.reserved
            assert held.reserved == sum(_promised(record, sku) for record in records)
            mine = [movement for movement in self.ledger if movement.sku == sku]
            assert level_of(mine) == Level(held.on_hand, held.reserved)


def _promised(record: OrderRecord, sku: str) -> int:
    return sum(
        sum(state.allocated.values()) * (state.components or {str(state.sku): 1}).get(sku, 0) for state in record.lines
    )


@pytest.mark.parametrize("block", range(BLOCKS))
def test_book_equals_shelf_at_every_step(block: int) -> None:
    for seed in range(block, SEEDS, BLOCKS):
        warehouse = Warehouse(seed)
        for step in range(STEPS):
            try:
                warehouse.step()
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, step {step}: {error}") from error


def test_time_is_virtual() -> None:
    first, second = Warehouse(7), Warehouse(7)
    for _ in range(STEPS):
        first.step()
        second.step()
    assert first.room.lines == second.room.lines
    assert isinstance(first.now, datetime)
