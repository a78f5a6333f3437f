"""A back office owns the stock: what it may sell is what we may sell, and no unit is counted twice."""

import random

import pytest

from infra.fakes.backoffice import MemoryBackOffice
from shared.inventory.models import MOST_UNITS
from shared.orders.models import Order, PersonalData
from shared.sync.backoffice.stock import Followed, StockOwner, change_to, follow
from tests.builders.books import KEY, Company, account, company, taxed
from tests.builders.orders import ADDRESS


def owner(shop: Company) -> StockOwner:
    return StockOwner("erp", shop.office, {"main": "WH"}, shop.room, shop.mirrors)


def available(shop: Company) -> int:
    return shop.room.lines["MUG", "main"].available


def test_goods_that_come_in_there_are_for_sale_here() -> None:
    shop = company(MUG=10)
    shop.office.add_product("MUG", 5)
    assert follow(["MUG"], owner(shop)) == Followed(changed=1)
    assert available(shop) == 15
    assert shop.room.lines["MUG", "main"].cause.kind == "backoffice"
    assert follow(["MUG"], owner(shop)) == Followed(same=1)


def test_a_line_that_we_did_not_have_is_made() -> None:
    shop = company()
    shop.office.add_product("MUG", 5)
    assert follow(["MUG", "NOBODY"], owner(shop)) == Followed(changed=1, unknown=1)
    assert available(shop) == 5


@pytest.mark.parametrize("recorded", [False, True])
def test_our_own_order_is_taken_off_once_whether_it_is_there_yet_or_not(*, recorded: bool) -> None:
    shop = company(MUG=10)
    shop.take_in(account(taxed("MUG", 3, "37.50", "6.51")))
    if recorded:
        shop.push()
    follow(["MUG"], owner(shop))
    assert available(shop) == 7


def test_others_orders_are_taken_off_too() -> None:
    shop = company(MUG=10)
    shop.office.on_hand["MUG", "WH"] = 4  # its own counter sold six
    follow(["MUG"], owner(shop))
    assert available(shop) == 4


def test_more_promised_than_there_is_shows_nothing_and_is_told() -> None:
    shop = company(MUG=10)
    shop.take_in(account(taxed("MUG", 3, "37.50", "6.51")))
    shop.office.on_hand["MUG", "WH"] = 1
    assert follow(["MUG"], owner(shop)).oversold == 1
    line = shop.room.lines["MUG", "main"]
    assert (line.on_hand, line.reserved, line.available) == (3, 3, 0)


def test_never_below_what_is_promised() -> None:
    assert change_to("MUG", "main", -4, None).on_hand == 0


def test_however_looks_sales_and_shipments_interleave_both_sides_end_alike() -> None:
    """Sales here and there, pushes, shipments and looks interleave; at rest both sides say the same."""
    chance = random.Random(20261124)  # noqa: S311 - repeatable
    for history in range(60):
        shop = company(MUG=40)
        _interleave(shop, chance, history)
        for number in range(20):
            if shop.orders.book.find(KEY._replace(order_id=str(number))):
                shop.push(KEY._replace(order_id=str(number)))
        follow(["MUG"], owner(shop))
        figure = shop.office.stock(["MUG"], "WH")["MUG"]
        assert available(shop) == max(0, figure.sellable)


def _interleave(shop: Company, chance: random.Random, history: int) -> None:
    placed: list[str] = []
    for step in range(60):
        kind = chance.choice(("sell", "push", "ship", "look", "receive", "elsewhere"))
        if kind == "sell" and len(placed) < 20:
            order_id = str(len(placed))
            units = chance.randint(1, 3)
            if available(shop) >= units:
                placed.append(order_id)
                shop.take_in(_bought(order_id, units))
        elif kind == "push" and placed:
            shop.push(KEY._replace(order_id=chance.choice(placed)))
        elif kind == "ship" and placed:
            order_id = chance.choice(placed)
            sale = shop.office.find_sale(f"aurora/{order_id}")
            if sale and sale.state.value == "confirmed" and not sale.shipped:
                shop.office.send_off(f"aurora/{order_id}")
        elif kind == "look":
            follow(["MUG"], owner(shop))
        elif kind == "receive":
            shop.office.add_product("MUG", 1)
        elif kind == "elsewhere" and _sellable(shop.office) - _unseen(shop, placed) > 0:
            shop.office.add_product("MUG", -1)
        line = shop.room.lines["MUG", "main"]
        assert 0 <= line.reserved <= line.on_hand, (history, step, kind)


def _bought(order_id: str, units: int) -> Order:
    buyer = PersonalData(email=f"{order_id}@example.test", shipping_address=ADDRESS)
    return account(taxed("MUG", units, f"{units}.00", "0.00", "0"), order_id=order_id, personal=buyer)


def _sellable(office: MemoryBackOffice) -> int:
    return office.stock(["MUG"], "WH")["MUG"].sellable


def _unseen(shop: Company, placed: list[str]) -> int:
    """Units sold here of which the back office does not know."""
    return sum(
        sum(line.open for line in shop.record(KEY._replace(order_id=order_id)).lines)
        for order_id in placed
        if shop.office.find_sale(f"aurora/{order_id}") is None
    )


def test_what_never_runs_out_is_as_many_as_a_line_can_say() -> None:
    assert change_to("MUG", "main", 10**12, None).on_hand == MOST_UNITS
