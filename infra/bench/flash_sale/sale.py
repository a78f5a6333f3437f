"""A flash sale in virtual time: many orders of few units of one SKU, taken in by the real use cases.

The orders stand in a queue, environments of the intake take batches of them, and DynamoDB is as in
:mod:`infra.bench.flash_sale.tables`. Environments start five at once and five more each second, each after a cold
start; a batch is handed out 10 to 100 ms after it was asked for. What an environment works itself takes as long as
measured for this project, on the share of a processor that its memory gives it. Queues and archive answer like a put.
These are published or measured figures, put into a model: it says which design is better, and about how good it is.
"""

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Final

import tenacity

from infra.bench.bodies import VENDORS
from infra.bench.flash_sale.figures import Design, Figures, Scene, Tally
from infra.bench.flash_sale.queue import Message, Queue
from infra.bench.flash_sale.tables import Tables, latency_of
from infra.fakes.aws.dynamodb.connection import MemoryConnection
from infra.fakes.virtual_time import VirtualTime
from infra.local.stack import ROOT
from infra.local.template import Deployment, load_deployment
from shared.inventory.ledger import Movement, audit, movements_of
from shared.inventory.levels import set_level
from shared.inventory.models import LevelRequest
from shared.inventory.table import StockTable, line_of_image
from shared.kernel.errors import Conflict, Retry
from shared.orders.decision import Contended
from shared.orders.heat import Heat
from shared.orders.intake import Outcome, take_in
from shared.orders.models import Order
from shared.orders.ports import Arrival, Desk
from shared.orders.readings import CompleteOrder
from shared.orders.review import ReviewRules
from shared.orders.table import OrderTable
from shared.orders.take_in_together import Pace, Taken, take_in_together
from shared.webhooks.delivery import Delivery
from shared.wiring.order_desk import retry_conflicts
from shared.wiring.order_lanes import until_lost_often
from shared.wiring.storefront import reader

SKU: Final = "MUG"
LOCATION: Final = "main"
_START: Final = 1_795_000_000.0
_MEMORY_OF_A_PROCESSOR: Final = 1769
"""Megabytes: with so much, Lambda gives a whole processor, and with less, less."""
_READING_SECONDS: Final = 0.00045
"""A message of 15 KB unpacked and read into a canonical order; measured on a whole processor, as are the next two."""
_CALL_SECONDS: Final = 0.0003
_ITEM_SECONDS: Final = 0.00007
"""What each item adds to a call of botocore."""
_DECIDING_SECONDS: Final = 0.0002
"""Assumed."""
_COLD_START_SECONDS: Final = 0.8
_AT_ONCE, _MORE_PER_SECOND = 5, 5.0
_ORDINARY_BATCH: Final = 10
_WINDOW_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.05
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 5.0, 900.0
_LONGEST_SECONDS: Final = 3600.0


class Sale:
    """One sale under one design. Everybody in it works in virtual time."""

    def __init__(self, design: Design, scene: Scene) -> None:
        self.design, self.scene = design, scene
        self.dice = random.Random(scene.seed)  # noqa: S311 - repeatable by its seed
        self.time = VirtualTime(_START)
        self.stock_name, self.orders_name = (deployment().outputs[f"{role}TableName"] for role in ("Stock", "Orders"))
        self.slowness = _MEMORY_OF_A_PROCESSOR / design.memory_mb
        busy = partial(_busy, self.slowness)
        self.tables = Tables(self.time, self.dice, shared=self.orders_name, partitions=scene.partitions, busy=busy)
        for table in deployment().tables:
            if table.name in (self.stock_name, self.orders_name):
                self.tables.engine.create_table(table.definition)
        self.connection = MemoryConnection(self.tables.call)
        self.stock = StockTable(self.connection, self.stock_name, (LOCATION,))
        self.ordinary, self.hot = Queue(), Queue()
        self.tallies = {False: _Count(), True: _Count()}
        self.latencies: list[float] = []
        self.last_at = self.sold_out_at = self.opened_at = _START

    def play(self) -> Figures:
        random.seed(self.scene.seed)  # tenacity's dice, which are nobody else's here
        self.time.spawn(self._open)
        self.time.run_until_quiet()
        written = self.tables.written
        self.opened_at = self.time.now()
        self._arrive()
        for number in range(self.design.workers):
            late = max(0, number + 1 - _AT_ONCE) / _MORE_PER_SECOND + _COLD_START_SECONDS
            self.time.spawn(_Environment(self, is_hot=False).run, after=0.0 if self.scene.heated else late)
        for _ in range(self.design.hot_writers):
            self.time.spawn(
                _Environment(self, is_hot=True).run, after=0.0 if self.scene.heated else _COLD_START_SECONDS
            )
        self.time.run_until_quiet(until=self.opened_at + _LONGEST_SECONDS)
        return self._figures(self.tables.written - written)

    @property
    def is_over(self) -> bool:
        return len(self.latencies) == self.scene.orders or self.time.now() > self.opened_at + _LONGEST_SECONDS

    def note(self, message: Message, outcome: Outcome) -> None:
        """An order that is done."""
        self.last_at = self.time.now()
        self.latencies.append(self.last_at - message.arrived_at)
        if outcome.record and any(line.allocated for line in outcome.record.lines):
            self.sold_out_at = self.last_at

    def clock(self) -> datetime:
        return datetime.fromtimestamp(self.time.now(), UTC)

    def order(self, number: int) -> Order:
        """Of one unit, by a buyer of its own."""
        sample = _sample()
        personal = sample.personal.model_copy(update={"email": f"{number}@example.test", "customer_id": str(number)})
        return sample.model_copy(update={"order_id": str(number), "name": f"#{number}", "personal": personal})

    def _open(self) -> None:
        request = LevelRequest(sku=SKU, location=LOCATION, on_hand=self.scene.units)
        set_level(self.stock, self.clock, request, actor="bench")

    def _arrive(self) -> None:
        at = self.opened_at
        for number in range(self.scene.orders):
            at += self.dice.expovariate(self.scene.per_second)
            self.ordinary.put(Message(at, number, at))

    def _figures(self, written: float) -> Figures:
        (held,) = StockTable(_at_rest(self.tables), self.stock_name, (LOCATION,)).read([SKU])[SKU].values()
        movements = list(self._movements())
        takers = [movement.cause.reference for movement in movements[1:]]
        sound = audit(movements, held).agrees and len(set(takers)) == len(takers) == held.reserved <= held.on_hand
        return Figures(
            design=self.design,
            scene=self.scene,
            allocated=held.reserved,
            seconds=self.last_at - self.opened_at,
            contended_seconds=self.sold_out_at - self.opened_at,
            latencies=sorted(self.latencies),
            ordinary=self.tallies[False].told,
            hot=self.tallies[True].told,
            written=written,
            throttled=self.tables.throttled,
            sound=sound,
        )

    def _movements(self) -> Iterator[Movement]:
        """The ledger as the relay of the stock's stream writes it."""
        for record in self.tables.engine.stream(self.stock_name):
            images = record["dynamodb"]
            old = line_of_image(images["OldImage"]) if "OldImage" in images else None
            yield from movements_of(old, line_of_image(images["NewImage"]), self.clock())


@dataclass
class _Count:
    transactions: int = 0
    refused: int = 0
    orders: int = 0

    @property
    def told(self) -> Tally:
        return Tally(self.transactions, self.refused, self.orders)


class _Environment:
    """One environment of the intake, in one of the lanes: what `shared.wiring.order_intake` does with a batch."""

    def __init__(self, sale: Sale, *, is_hot: bool) -> None:
        self._sale, self._is_hot = sale, is_hot
        self._queue = sale.hot if is_hot else sale.ordinary
        self._most = sale.design.hot_batch if is_hot else _ORDINARY_BATCH
        self._heat = Heat()
        if sale.scene.heated:
            self._heat.note_beaten([SKU], sale.clock())
        self._book = OrderTable(sale.connection, sale.orders_name, sale.stock, clock=sale.clock, told=self._told)
        self._desk = Desk(
            book=self._book,
            stock=sale.stock,
            storefront=None,
            locations=(LOCATION,),
            rules=ReviewRules(),
            clock=sale.clock,
            retrying=self._retrying,
        )

    def run(self) -> None:
        """Take batches until the sale is over."""
        sale = self._sale
        while not sale.is_over:
            sale.time.sleep(sale.dice.uniform(0.01, 0.1))
            batch = self._batch()
            if batch:
                self._take_in(batch)
            else:
                sale.time.sleep(_LOOK_SECONDS)

    def _batch(self) -> list[Message]:
        """In the hot lane, a batch is waited for until it is full or a second has passed."""
        time = self._sale.time
        until = time.now() + _WINDOW_SECONDS
        while self._is_hot and time.now() < until and 0 < self._queue.ready(time.now(), self._most) < self._most:
            time.sleep(_LOOK_SECONDS)
        return self._queue.take(time.now(), self._most)

    def _take_in(self, batch: Sequence[Message]) -> None:
        sale = self._sale
        if not self._is_hot:
            self._answered()  # the archive
        sale.time.sleep(len(batch) * (_READING_SECONDS + _DECIDING_SECONDS) * sale.slowness)
        leaving = sale.design.hot_writers and not self._is_hot and self._heat.is_hot(SKU, sale.clock())
        if leaving:
            self._pass_on(batch)
            return
        orders = [sale.order(message.number) for message in batch]
        results = self._together(orders)
        contended: list[Message] = []
        for message, order, result in zip(batch, orders, results, strict=True):
            done = self._alone(order) if result is None else result
            if isinstance(done, Outcome):
                sale.tallies[self._is_hot].orders += 1
                sale.note(message, done)
            elif isinstance(done, Contended) and sale.design.hot_writers and not self._is_hot:
                contended.append(message)
            else:
                self._put_off(message)
        if contended:
            self._heat.note_beaten([SKU], sale.clock())
        self._pass_on(contended)

    def _together(self, orders: Sequence[Order]) -> list[Taken]:
        if len(orders) == 1 or not (self._sale.design.together or self._is_hot):
            return [None] * len(orders)
        pace = Pace(self._retrying, hurried=self._is_hot)
        return take_in_together([Arrival(order, self._desk) for order in orders], self._book, pace)

    def _alone(self, order: Order) -> Outcome | Conflict | Retry:
        try:
            return take_in(order.shop, CompleteOrder(order), self._desk)
        except (Conflict, Retry) as error:
            return error

    def _retrying(self) -> tenacity.Retrying:
        tries = tenacity.stop_after_attempt(self._sale.design.tries)
        patient = retry_conflicts().copy(sleep=self._sale.time.sleep, stop=tries)
        passes_on = self._sale.design.hot_writers and not self._is_hot
        return until_lost_often(patient) if passes_on else patient

    def _told(self, wanted: Collection[str], lost: Collection[str]) -> None:
        if not wanted:
            return
        count = self._sale.tallies[self._is_hot]
        count.transactions += 1
        count.refused += bool(lost)
        self._heat.note(wanted, lost, self._sale.clock())

    def _pass_on(self, messages: Sequence[Message]) -> None:
        sale = self._sale
        for start in range(0, len(messages), _ORDINARY_BATCH):
            self._answered()
            for message in messages[start : start + _ORDINARY_BATCH]:
                sale.hot.put(replace(message, visible_at=sale.time.now(), received=0))

    def _put_off(self, message: Message) -> None:
        self._answered()
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (message.received - 1))
        now = self._sale.time.now()
        self._queue.put(replace(message, visible_at=now + pause * self._sale.dice.uniform(0.8, 1.0)))

    def _answered(self) -> None:
        """A call to a queue or the archive."""
        self._sale.time.sleep(_CALL_SECONDS * self._sale.slowness + latency_of("PutItem", 1).seconds(self._sale.dice))


def _busy(slowness: float, _operation: str, items: int) -> float:
    return (_CALL_SECONDS + _ITEM_SECONDS * items) * slowness


def _at_rest(tables: Tables) -> MemoryConnection:
    """For a look at the tables when nobody works at them any more: it takes no time."""
    return MemoryConnection(tables.engine.call)


@cache
def deployment() -> Deployment:
    return load_deployment(ROOT / "template.yaml")


@cache
def _sample() -> Order:
    vendor = VENDORS[0]
    post = vendor.of_lines(1, 1)
    delivery = Delivery(vendor.shop, vendor.platform, "orders/create", "2026-11-18T12:00:00Z", post.request.body)
    reading = reader(vendor.platform)(delivery)
    if not isinstance(reading, CompleteOrder):
        raise TypeError(f"{vendor.platform}'s sample is no whole order")
    return reading.order
