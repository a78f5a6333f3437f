"""Two live shops, one pool: the whole circle from a buyer to the level that the other shop shows, over HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from infra.fakes.twins import Twins, contents, twins
from infra.local.shopify_schema import SCHEMA_FILE
from infra.local.stack import LocalStack, Options
from shared.dynamodb.table import connect
from shared.inventory.ledger import audit
from shared.inventory.table import MovementTable, StockTable
from shared.kernel.clock import utc_now
from shared.orders.table import OrderTable
from shared.sync.levels.table import DriftTable
from tests.builders.stock import counted

pytestmark = pytest.mark.skipif(
    not SCHEMA_FILE.exists(), reason="Shopify's schema is not there: run python -m infra.local.fetch"
)
BUFFER = 2


@dataclass
class House:
    shops: Twins
    stack: LocalStack
    stock: StockTable
    orders: OrderTable
    ledger: MovementTable
    drift: DriftTable

    def have(self, sku: str, units: int) -> None:
        self.stock.set_level(counted(sku, units, at=utc_now()))

    def settle(self) -> None:
        """Until nothing moves any more: shops' webhooks, queues, streams, pushes."""
        for _ in range(3):
            self.shops.deliver()
            self.stack.drain()

    def sweep(self) -> None:
        (name,) = [known for known in self.stack.schedules.names if known.endswith("stock-sync")]
        self.stack.schedules.fire(name)
        self.settle()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with twins() as shops, pytest.MonkeyPatch.context() as patch:
        options = Options(contents=contents(buffers={"borealis": BUFFER}), environment=shops.environment)
        with LocalStack(options) as stack:
            for name, value in stack.clients.environment().items():
                patch.setenv(name, value)
            patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
            shops.connect(stack.url)
            connection = connect()
            stock = StockTable(connection, "storebridge-stock", ("main",))
            yield House(
                shops=shops,
                stack=stack,
                stock=stock,
                orders=OrderTable(connection, "storebridge-orders", stock),
                ledger=MovementTable(connection, "storebridge-movements"),
                drift=DriftTable(connection, "storebridge-sync"),
            )


def test_a_sweep_finds_what_shops_sell_and_corrects_what_they_show(house: House) -> None:
    house.have("MUG", 10)
    house.shops.stock("MUG", 0)
    house.sweep()
    assert house.shops.shown("MUG") == {"aurora": 10, "borealis": 10 - BUFFER}
    assert {(drift.sku, drift.size) for drift in house.drift.of("aurora")} == {("MUG", -10)}


def test_a_sale_at_one_shop_shows_at_the_other(house: House) -> None:
    assert house.shops.buy("aurora", "MUG", 3)
    house.settle()
    assert house.shops.shown("MUG") == {"aurora": 7, "borealis": 7 - BUFFER}


def test_a_receipt_shows_everywhere(house: House) -> None:
    house.have("MUG", 20)
    house.settle()
    assert house.shops.shown("MUG") == {"aurora": 17, "borealis": 17 - BUFFER}


def test_a_level_that_somebody_typed_in_is_corrected_and_explained(house: House) -> None:
    house.shops.borealis.add_product("CAP", 5)
    house.have("CAP", 5 + BUFFER)
    house.sweep()
    product = house.shops.borealis.shop.by_sku("CAP")
    assert product is not None
    product.stock = 500
    house.sweep()
    assert house.shops.borealis.shown("CAP") == 5
    newest = next(iter(house.drift.of("borealis")))
    assert (newest.sku, newest.size, newest.cause.value) == ("CAP", 495, "changed_in_shop")


def test_a_flash_sale_at_both_shops_sells_what_there_is(house: House) -> None:
    units = 30
    house.have("LAMP", units)
    house.shops.stock("LAMP", 0)
    house.sweep()
    before = dict(house.shops.sold)

    def visit(number: int) -> None:
        house.shops.buy(("aurora", "borealis")[number % 2], "LAMP")
        if number % 10 == 0:
            house.shops.deliver()

    with ThreadPoolExecutor(8) as buyers:
        list(buyers.map(visit, range(120)))
    house.settle()
    sold = sum(house.shops.sold.values()) - sum(before.values())
    (line,) = house.stock.read(["LAMP"])["LAMP"].values()
    allocated = [
        sum(item.allocated.values())
        for record in house.orders.all_records()
        for item in record.lines
        if item.sku == "LAMP"
    ]
    assert len(allocated) == sold
    assert sum(allocated) == line.reserved == min(units, sold)
    assert line.available == units - line.reserved
    quiet = {"aurora": line.available, "borealis": max(0, line.available - BUFFER)}
    house.sweep()
    assert house.shops.shown("LAMP") == quiet


def test_the_ledger_tells_every_level(house: House) -> None:
    for sku in ("MUG", "CAP", "LAMP"):
        for line in house.stock.read([sku])[sku].values():
            found = audit(house.ledger.of(sku, line.location), line)
            assert found.agrees, (sku, found)


def test_no_function_failed(house: House) -> None:
    logs = "\n".join(path.read_text(errors="replace") for path in house.stack.logs.rglob("*") if path.is_file())
    assert "Traceback" not in logs
    assert "Task timed out" not in logs
