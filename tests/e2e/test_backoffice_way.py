"""An order's whole way through a real back office and back, over HTTP: a buyer buys, the ERP's warehouse ships.

Signed webhook → order → ERP sale → picked, packed, shipped with tracking there → shown at the storefront, the buyer
told once → completed. Tryton runs here always; Odoo where one is installed.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from infra.fakes.twins import Twins, contents, twins
from infra.fakes.woocommerce_state import Product
from infra.local.provision import Contents
from infra.local.shopify_schema import SCHEMA_FILE
from infra.local.stack import LocalStack, Options
from infra.tryton import company as tryton_company
from shared.backoffices.documents import InvoiceState, Sale, SaleState
from shared.dynamodb.table import connect
from shared.inventory.ledger import audit
from shared.inventory.table import MovementTable, StockTable
from shared.kernel.clock import utc_now
from shared.kernel.identifiers import OrderKey
from shared.orders.lifecycle import FulfilmentState
from shared.orders.models import Parcel
from shared.orders.record import OrderRecord
from shared.orders.table import OrderTable
from shared.sync.backoffice.table import MirrorTable
from tests.builders.stock import counted
from tests.contract.backoffices import odoo_world, tryton_world
from tests.contract.backoffices.world import World

pytestmark = pytest.mark.skipif(
    not SCHEMA_FILE.exists(), reason="Shopify's schema is not there: run python -m infra.local.fetch"
)


@dataclass
class House:
    shops: Twins
    stack: LocalStack
    erp: World
    stock: StockTable
    orders: OrderTable
    mirrors: MirrorTable
    ledger: MovementTable

    def have(self, sku: str, units: int) -> None:
        """Count so many on the shelf; the back office hears of the count, and both shops sell them."""
        self.stock.set_level(counted(sku, units, at=utc_now()))
        if self.shops.borealis.shop.by_sku(sku) is None:
            self.shops.stock(sku, units)
        self.settle()
        assert self.on_shelf(sku) == (units, units)

    def buy(self, shop: str, sku: str, units: int) -> OrderKey:
        before = {record.key for record in self.orders.all_records(shop)}
        assert self.shops.buy(shop, sku, units)
        self.settle()
        (key,) = {record.key for record in self.orders.all_records(shop)} - before
        return key

    def settle(self) -> None:
        """Until nothing moves any more: shops' webhooks, queues, streams, errands."""
        for _ in range(3):
            self.shops.deliver()
            self.stack.drain()

    def look(self) -> None:
        """The scheduled look at the back office, and all that follows."""
        self.fire("backoffice-pull")

    def fire(self, schedule: str) -> None:
        (name,) = [known for known in self.stack.schedules.names if known.endswith(schedule)]
        self.stack.schedules.fire(name)
        self.settle()

    def record(self, key: OrderKey) -> OrderRecord:
        found = self.orders.find(key)
        assert found is not None
        return found

    def sale(self, key: OrderKey) -> Sale:
        found = self.erp.fresh().find_sale(str(key))
        assert found is not None
        return found

    def explains_its_stock(self, sku: str) -> bool:
        """Whether the ledger of movements is whole and comes to the level."""
        return audit(self.ledger.of(sku, "main"), self.stock.read([sku])[sku]["main"]).agrees

    def on_shelf(self, sku: str) -> tuple[int, int]:
        """Ours, and the back office's."""
        ours = self.stock.read([sku])[sku]["main"].on_hand
        return ours, self.erp.fresh().stock([sku], self.erp.warehouse)[sku].on_hand


def _tryton(stack: ExitStack) -> tuple[World, dict[str, Any], dict[str, str]]:
    reason = tryton_world.unavailable()
    if reason:
        pytest.skip(reason)
    erp = stack.enter_context(tryton_world.world())
    server = erp._server
    return erp, {"vendor": "tryton", "address": server.url, "database": server.database}, tryton_company.USER


def _odoo(stack: ExitStack) -> tuple[World, dict[str, Any], dict[str, str]]:
    reason = odoo_world.unavailable()
    if reason:
        pytest.skip(reason)
    erp = stack.enter_context(odoo_world.world())
    at = erp._address
    return erp, {"vendor": "odoo", "address": at.url, "database": at.database}, {"api_key": at.ours}


def with_backoffice(made: Contents, erp: World, connection: dict[str, Any], secret: dict[str, str]) -> Contents:
    """The shops' settings, joined with the back office."""
    office = {
        **connection,
        "warehouses": {"main": erp.warehouse},
        "payment_methods": {"*": erp.method},
        "products": {"gift_card": "FEE", "adjustment": "FEE", "tip": "FEE", "duty": "FEE"},
        "taxes": {"0.21": erp.vat21, "0.09": erp.vat9},
        "complete_when": "shipped",
        "look_every_minutes": 0,
    }
    shops = {name: {**shop, "backoffice": "erp"} for name, shop in made.settings["shops"].items()}
    settings = {**made.settings, "shops": shops, "backoffices": {"erp": office}}
    return replace(made, settings=settings, secrets={**made.secrets, "api": {**made.secrets["api"], "erp": secret}})


@pytest.fixture(scope="module", params=[_tryton, _odoo], ids=["tryton", "odoo"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    with ExitStack() as stack:
        erp, connection, secret = request.param(stack)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        shops = stack.enter_context(twins())
        made = with_backoffice(contents(), erp, connection, secret)
        running = stack.enter_context(LocalStack(Options(contents=made, environment=shops.environment)))
        for name, value in running.clients.environment().items():
            patch.setenv(name, value)
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        shops.connect(running.url)
        database = connect()
        stock = StockTable(database, "storebridge-stock", ("main",))
        yield House(
            shops=shops,
            stack=running,
            erp=erp,
            stock=stock,
            orders=OrderTable(database, "storebridge-orders", stock),
            mirrors=MirrorTable(database, "storebridge-sync"),
            ledger=MovementTable(database, "storebridge-movements"),
        )


@pytest.mark.parametrize("shop", ["aurora", "borealis"])
def test_an_order_goes_through_the_back_office_and_back(house: House, shop: str) -> None:
    house.have("MUG", 20)
    key = house.buy(shop, "MUG", 3)
    sale = house.sale(key)
    assert list(house.mirrors.stopped(shop)) == []
    assert sale.state is SaleState.CONFIRMED
    assert sale.total.equals(house.record(key).total)
    assert [(line.sku, line.quantity) for line in sale.lines if line.sku == "MUG"] == [("MUG", 3)]

    house.erp.send_off(str(key), {"MUG": 2}, [Parcel(carrier=None, number="1Z777", url=None)])
    house.look()
    assert house.record(key).fulfilment is FulfilmentState.PARTIALLY_SHIPPED
    assert house.on_shelf("MUG") == (18, 18)
    told = house.mirrors.find_told(key)
    assert told is not None
    assert (len(told.known), told.completed) == (1, False)

    house.erp.send_off(str(key), None, [Parcel(carrier=None, number="1Z778", url=None)])
    house.look()
    house.look()
    record = house.record(key)
    assert record.fulfilment is FulfilmentState.SHIPPED
    assert house.on_shelf("MUG") == (17, 17)
    told = house.mirrors.find_told(key)
    assert told is not None
    assert (len(told.known), told.completed) == (2, True)
    invoice = house.sale(key).invoice
    assert invoice is not None
    assert invoice.state is InvoiceState.PAID
    assert invoice.total.equals(record.total)
    assert shown_at(house.shops, key) == ["1Z777", "1Z778"]
    assert mails_to_the_buyer(house.shops, key) == 2
    assert list(house.mirrors.stopped(shop)) == []
    assert house.explains_its_stock("MUG")


def test_part_shipped_a_line_refunded_the_rest_shipped(house: House) -> None:
    """Storefront, back office and our own books agree at each step, and the ledger explains it."""
    house.have("MUG", 20)
    house.have("CAP", 20)
    shop = house.shops.borealis
    order = shop.shop.create_order([(_product(house, "MUG"), 3), (_product(house, "CAP"), 2)], "processing", "checkout")
    shop.shop.announce(order, "order.created", "order.updated")
    house.settle()
    key = OrderKey("borealis", str(order.id))
    assert house.sale(key).state is SaleState.CONFIRMED
    house.erp.send_off(str(key), {"MUG": 1})
    house.look()
    assert (house.on_shelf("MUG"), house.on_shelf("CAP")) == ((19, 19), (20, 20))

    cap = next(line for line in order.body["line_items"] if line["sku"] == "CAP")
    refund = {
        "amount": cap["total"],
        "api_refund": False,
        "line_items": [{"id": cap["id"], "quantity": 2, "refund_total": cap["total"]}],
    }
    shop.shop.refund(order, refund)
    house.settle()
    assert {line.sku: line.quantity for line in house.sale(key).lines if line.quantity} == {"MUG": 3}
    assert house.stock.read(["CAP"])["CAP"]["main"].reserved == 0

    house.erp.send_off(str(key))
    house.look()
    house.look()
    assert house.record(key).fulfilment is FulfilmentState.SHIPPED
    assert (house.on_shelf("MUG"), house.on_shelf("CAP")) == ((17, 17), (20, 20))
    invoice = house.sale(key).invoice
    assert invoice is not None
    account = house.orders.find_account(key)
    assert account is not None
    assert invoice.total.equals(account.totals.total.shop - account.refunds[0].amount.shop)
    assert order.body["status"] == "completed"
    assert list(house.mirrors.stopped("borealis")) == []
    assert house.explains_its_stock("MUG")
    assert house.explains_its_stock("CAP")


def test_an_order_cancelled_at_the_shop_is_cancelled_there(house: House) -> None:
    house.have("LAMP", 5)
    key = house.buy("borealis", "LAMP", 2)
    assert house.sale(key).state is SaleState.CONFIRMED
    order = house.shops.borealis.shop.orders[int(key.order_id)]
    house.shops.borealis.shop.set_status(order, "cancelled")
    house.settle()
    assert house.sale(key).state is SaleState.CANCELLED
    assert house.erp.fresh().stock(["LAMP"], house.erp.warehouse)["LAMP"].sellable == 5
    assert list(house.mirrors.stopped("borealis")) == []


def mails_to_the_buyer(shops: Twins, key: OrderKey) -> int:
    """One for each consignment, however often the shop was told."""
    if key.shop == "aurora":
        gid = shops.aurora.order(key.order_id)["admin_graphql_api_id"]
        return sum(mail.order == gid for mail in shops.aurora.fulfilment.mails)
    return sum(mail.order == int(key.order_id) for mail in shops.borealis.shop.mails)


def _product(house: House, sku: str) -> Product:
    product = house.shops.borealis.shop.by_sku(sku)
    assert product is not None
    return product


def shown_at(shops: Twins, key: OrderKey) -> list[str]:
    """Tracking numbers that the shop shows."""
    if key.shop == "aurora":
        order = shops.aurora.order(key.order_id)
        return sorted(number for shipment in order["fulfillments"] for number in shipment["tracking_numbers"])
    order = shops.borealis.shop.orders[int(key.order_id)].body
    assert order["status"] == "completed"
    (items,) = [meta["value"] for meta in order["meta_data"] if meta["key"] == "_wc_shipment_tracking_items"]
    return sorted(item["tracking_number"] for item in items)
