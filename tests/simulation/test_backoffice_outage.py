"""A back office is down for an hour while two shops sell: nothing is lost, and the other shop does not notice.

The real errand runner over a queue in virtual time; the back offices are in memory.
"""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from shared.kernel.errors import Retry
from shared.kernel.identifiers import OrderKey
from shared.orders.errands import Office
from shared.orders.intake import take_in
from shared.orders.models import PersonalData
from shared.orders.readings import CompleteOrder
from shared.platform.errand_queue import AnErrand, OrderErrand, delay_of
from shared.sync.backoffice.outage import Outages
from shared.sync.backoffice.push import push
from shared.wiring import errands as runner
from tests.builders.books import Company, account, company, taxed
from tests.builders.orders import ADDRESS, NOON
from tests.fakes.sync import FakeJobs

HOUR = 3600.0
SHOPS = {"aurora": "down", "borealis": "up"}
BATCH = 5
TIME_OUT = 3.0
"""Seconds that a worker waits for a back office that is down."""


@dataclass
class World:
    now: float = 0.0
    queue: list[tuple[float, int, str]] = field(default_factory=list)
    companies: dict[str, Company] = field(default_factory=lambda: {shop: company(MUG=500) for shop in SHOPS})
    numbers: Any = field(default_factory=itertools.count)
    tries_while_down: int = 0
    recorded_at: dict[OrderKey, float] = field(default_factory=dict)
    versions: dict[OrderKey, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outages = Outages(lambda: self.now)
        self.companies["aurora"].office.interrupt = self._down

    def _down(self, _method: str, when: str) -> None:
        if when == "before" and self.now < HOUR:
            self.tries_while_down += 1
            self.now += TIME_OUT
            raise Retry("backoffice_unreachable", "no answer")

    def send(self, errands: Iterable[AnErrand], _office: Office) -> None:
        for errand in errands:
            due = self.now + delay_of(errand)
            heapq.heappush(self.queue, (due, next(self.numbers), errand.model_dump_json()))

    def run(self, errand: AnErrand) -> str:
        assert isinstance(errand, OrderErrand)
        at = self.companies[errand.shop]
        with self.outages.unless_down(errand.shop):
            pushed = push(errand.key, at.desk)
        self.recorded_at.setdefault(errand.key, self.now)
        mirror = at.mirrors.find(errand.key)
        assert mirror is not None
        self.versions.setdefault(errand.key, []).append(mirror.pushed)
        return str(pushed.steps)

    def sell(self, shop: str, number: int, *, minute: int = 0) -> None:
        buyer = PersonalData(email=f"{number}@example.test", shipping_address=ADDRESS)
        units = 1 + minute
        sold = account(
            taxed("MUG", units, f"{units}.00", "0.00", "0"),
            order_id=str(number),
            personal=buyer,
            shop=shop,
            minute=minute,
        )
        take_in(shop, CompleteOrder(sold), self.companies[shop].orders)
        self.send([OrderErrand(shop=shop, order_id=str(number))], Office.BACKOFFICE)

    def work(self, until: float) -> None:
        """One worker takes batches of what is due, oldest first."""
        while self.queue and self.queue[0][0] <= until:
            self.now = max(self.now, self.queue[0][0])
            batch: list[tuple[float, int, str]] = []
            while self.queue and self.queue[0][0] <= self.now and len(batch) < BATCH:
                batch.append(heapq.heappop(self.queue))
            records = [{"messageId": str(number), "body": body} for _, number, body in batch]
            runner.run_batch(records, self.run, Office.BACKOFFICE, holder="w", has_time=lambda: True)
        self.now = max(self.now, until)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    jobs = FakeJobs()
    replacements: dict[str, Any] = {
        "send": made.send,
        "job_table": lambda: jobs,
        "count": lambda *_, **__: None,
        "utc_now": lambda: NOON + timedelta(seconds=made.now),
    }
    for name, replacement in replacements.items():
        monkeypatch.setattr(runner, name, replacement)
    return made


def test_an_hour_of_outage_loses_nothing_and_slows_nobody_else(world: World) -> None:
    for number in range(120):
        world.sell("aurora", number)
        world.sell("borealis", number)
        if number % 3 == 0:
            world.sell("aurora", number, minute=1)
        world.work(world.now + 30)
    assert world.recorded_at.keys() == {OrderKey("borealis", str(number)) for number in range(120)}
    last_sale = world.now
    assert last_sale >= HOUR
    aurora = world.companies["aurora"]
    assert len(list(aurora.mirrors.stopped("aurora"))) > 0
    world.work(last_sale + 1000)
    assert {key for key in world.recorded_at if key.shop == "aurora"} == {
        OrderKey("aurora", str(number)) for number in range(120)
    }
    assert list(aurora.mirrors.stopped("aurora")) == []
    assert len(aurora.office.sales()) == 120
    units = [sum(line.quantity for line in sale.lines if line.key == "line-MUG") for sale in aurora.office.sales()]
    assert sorted(units) == sorted([2] * 40 + [1] * 80)
    assert all(told == sorted(told) for told in world.versions.values())


def test_the_other_shops_orders_wait_for_one_time_out_at_most(world: World) -> None:
    sold_at: dict[str, float] = {}
    for number in range(100):
        world.sell("aurora", number)
        sold_at[str(number)] = world.now
        world.sell("borealis", number)
        world.work(world.now + 30)
    waits = [world.recorded_at[OrderKey("borealis", name)] - at for name, at in sold_at.items()]
    assert max(waits) <= 2 * TIME_OUT
    assert world.tries_while_down <= HOUR / 20 + 1
