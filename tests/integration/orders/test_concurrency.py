"""Many workers at once on the real engine: one order, its newest version, stock allocated once, nothing oversold."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import tenacity
from pynamodb.connection import Connection

from shared.inventory.table import StockTable
from shared.kernel.errors import Conflict
from shared.kernel.identifiers import OrderKey
from shared.orders.intake import Result, take_in
from shared.orders.models import Order
from shared.orders.ports import Desk
from shared.orders.readings import CompleteOrder
from shared.orders.record import OrderRecord
from shared.orders.review import ReviewRules
from shared.orders.table import OrderTable
from tests.builders.orders import NOON, line, order
from tests.builders.stock import counted

WORKERS = 16


@dataclass(frozen=True)
class House:
    desk: Desk
    orders: OrderTable
    stock: StockTable

    def record(self, order_id: str) -> OrderRecord:
        found = self.orders.find(OrderKey("aurora", order_id))
        assert found is not None
        return found

    def deliver(self, accounts: list[Order]) -> list[Result]:
        def take(account: Order) -> Result:
            return take_in("aurora", CompleteOrder(account), self.desk).result

        with ThreadPoolExecutor(WORKERS) as workers:
            return list(workers.map(take, accounts))


@pytest.fixture
def house(connection: Connection, table_names: dict[str, str]) -> House:
    stock = StockTable(connection, table_names["stock"], ("main",))
    orders = OrderTable(connection, table_names["orders"], stock)
    desk = Desk(
        book=orders,
        stock=stock,
        storefront=None,
        locations=("main",),
        rules=ReviewRules(duplicate_window_minutes=0),
        clock=lambda: NOON,
        retrying=lambda: tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Conflict), stop=tenacity.stop_after_attempt(200), reraise=True
        ),
    )
    return House(desk, orders, stock)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_deliveries_twenty_times_in_any_order(house: House, seed: int) -> None:
    house.stock.set_level(counted("MUG", 50))
    house.stock.set_level(counted("CAP", 50))
    siblings = [
        order(line("MUG", 3), body="a"),
        order(line("MUG", 1), line("CAP", 2), minute=1, body="b"),
        order(line("MUG", 4), minute=2, body="c"),
    ]
    deliveries = siblings * 20
    random.Random(seed).shuffle(deliveries)  # noqa: S311 - a repeatable shuffle
    results = house.deliver(deliveries)
    kept = house.record("5001")
    assert kept.version == siblings[-1].version
    assert [(item.sku, item.allocated) for item in kept.lines] == [("MUG", {"main": 4})]
    view = house.stock.read(["MUG", "CAP"])
    assert (view["MUG"]["main"].reserved, view["CAP"]["main"].reserved) == (4, 0)
    assert results.count(Result.APPLIED) == kept.revision <= len(siblings)


def test_a_flash_sale_sells_what_there_is(house: House) -> None:
    house.stock.set_level(counted("MUG", 20))
    house.deliver([order(line("MUG", 1), order_id=str(number)) for number in range(60)])
    records = [house.record(str(number)) for number in range(60)]
    allocated = sum(sum(item.allocated.values()) for kept in records for item in kept.lines)
    level = house.stock.read(["MUG"])["MUG"]["main"]
    assert allocated == 20
    assert (level.on_hand, level.reserved, level.available) == (20, 20, 0)
    assert sum(kept.status == "ready" for kept in records) == 20
