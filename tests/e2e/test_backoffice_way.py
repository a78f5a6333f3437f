"""An order's whole way through a real back office and back, over HTTP: a buyer buys, the ERP's warehouse ships.

Signed webhook → order → ERP sale → picked, packed, shipped with tracking there → shown at the storefront, the buyer
told once → completed. Tryton runs here always; Odoo where one is installed.
"""

from collections.abc import Iterator

import pytest

from infra.fakes.twins import Twins
from infra.fakes.woocommerce_state import Product
from infra.local.shopify_schema import SCHEMA_FILE
from shared.backoffices.documents import InvoiceState, SaleState
from shared.kernel.identifiers import OrderKey
from shared.orders.lifecycle import FulfilmentState
from shared.orders.models import Parcel
from tests.e2e.house import House, odoo, opened, tryton

pytestmark = pytest.mark.skipif(
    not SCHEMA_FILE.exists(), reason="Shopify's schema is not there: run python -m infra.local.fetch"
)


@pytest.fixture(scope="module", params=[tryton, odoo], ids=["tryton", "odoo"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    with opened(request.param) as made:
        yield made


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
