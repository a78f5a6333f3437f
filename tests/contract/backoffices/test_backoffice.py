"""What every back office promises, whoever made it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from shared.backoffices.documents import (
    Address,
    CardField,
    CountLine,
    CreditNote,
    CustomerCard,
    GoodsLine,
    GoodsReturn,
    InvoiceState,
    KnownCustomer,
    PaymentEntry,
    Rounding,
    Sale,
    SalesOrder,
    SaleState,
    Shipping,
    StockCount,
)
from shared.backoffices.port import Feed, Refusal
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.orders.models import Parcel
from tests.contract.backoffices.world import (
    PLACED,
    Killed,
    World,
    card,
    charge,
    elsewhere,
    eur,
    goods,
    order_of,
    quantities,
    units_of,
)


def _needs(world: World, *capabilities: str) -> None:
    for name in capabilities:
        if not getattr(world.office.capabilities, name):
            pytest.skip(f"{world.office.capabilities.vendor} has no {name}")


def _found(world: World, key: str) -> Sale:
    sale = world.fresh().find_sale(key)
    assert sale is not None
    return sale


def _everything(pages: Callable[[str | None], Feed[str]]) -> set[str]:
    found: set[str] = set()
    cursor: str | None = None
    while True:
        page = pages(cursor)
        found |= set(page.items)
        if page.cursor is None:
            return found
        cursor = page.cursor


# ---- what is there ---------------------------------------------------------------------------------------------------


def test_it_says_who_it_is(world: World) -> None:
    identity = world.office.identify()
    assert identity.currency == "EUR"
    assert identity.company
    assert identity.version


def test_it_lists_what_settings_name(world: World) -> None:
    assert world.warehouse in {warehouse.name for warehouse in world.office.warehouses()}
    if world.office.capabilities.invoices:
        rates = {tax.name: tax.rate for tax in world.office.taxes()}
        assert float(rates[world.vat21] or 0) == pytest.approx(0.21)
        assert float(rates[world.vat9] or 0) == pytest.approx(0.09)
    if world.office.capabilities.payments:
        assert world.method in world.office.payment_methods()


def test_products_are_found_by_sku(world: World) -> None:
    found = world.office.products(["MUG", "SHIPPING", "NOBODY-SELLS-THIS"])
    assert set(found) == {"MUG", "SHIPPING"}
    assert found["MUG"].stocked
    assert not found["SHIPPING"].stocked


def test_it_grants_what_we_need(world: World) -> None:
    assert world.office.missing_rights() == ()


# ---- customers -------------------------------------------------------------------------------------------------------


def test_a_customer_is_one_however_often_he_is_saved(world: World, key: str) -> None:
    first = world.office.save_customer(card(f"{key}/c"))
    again = world.fresh().save_customer(card(f"{key}/c"))
    other = world.office.save_customer(card(f"{key}/d"))
    assert first == again
    assert first != other


def test_a_customer_needs_nothing_but_a_name(world: World, key: str) -> None:
    assert world.office.save_customer(CustomerCard(key=f"{key}/bare", name="Guest"))


def test_customers_that_changed_are_told_of(world: World, key: str) -> None:
    _needs(world, "customer_feed")
    since = utc_now() - timedelta(seconds=2)
    world.office.save_customer(card(f"{key}/fed"))
    assert _told(world, f"{key}/fed", since)[-1].card == world.held(card(f"{key}/fed"))


def _known(world: World, key: str) -> KnownCustomer:
    found = world.fresh().find_customer(key)
    assert found is not None
    return found


def _told(world: World, key: str, since: datetime) -> list[KnownCustomer]:
    """What the feed says of one customer."""
    cursor, found = None, []
    while True:
        page = world.office.changed_customers(since, cursor)
        found += [customer for customer in page.items if customer.key == key]
        cursor = page.cursor
        if cursor is None:
            return found


def test_nobody_is_found_under_an_unknown_key(world: World, key: str) -> None:
    assert world.office.find_customer(f"{key}/nobody") is None


def test_a_customer_is_found_as_saved(world: World, key: str) -> None:
    number = world.office.save_customer(card(f"{key}/c"))
    found = _known(world, f"{key}/c")
    assert (found.id, found.key, found.card) == (number, f"{key}/c", world.held(card(f"{key}/c")))


def test_an_unchanged_customer_is_not_written_again(world: World, key: str) -> None:
    world.office.save_customer(card(f"{key}/c"))
    before = _known(world, f"{key}/c")
    world.fresh().save_customer(card(f"{key}/c"))
    assert _known(world, f"{key}/c") == before


def test_what_is_not_told_stays(world: World, key: str) -> None:
    world.office.save_customer(card(f"{key}/c"))
    world.fresh().save_customer(CustomerCard(key=f"{key}/c", name="Ada King"))
    found = _known(world, f"{key}/c").card
    assert found.name == "Ada King"
    assert (found.email, found.phone, found.language) == (
        card(f"{key}/c").email,
        card(f"{key}/c").phone,
        card(f"{key}/c").language,
    )
    assert found.billing is not None
    assert found.shipping == card(f"{key}/c").shipping


@pytest.mark.parametrize("field", list(CardField))
def test_a_cleared_field_is_gone(world: World, key: str, field: CardField) -> None:
    whole = card(f"{key}/c")
    world.office.save_customer(whole)
    without = whole.model_copy(update={field: None, "cleared": frozenset({field})})
    world.fresh().save_customer(without)
    assert _known(world, f"{key}/c").card == world.held(whole.model_copy(update={field: None}))
    world.fresh().save_customer(without)
    assert _known(world, f"{key}/c").card == world.held(whole.model_copy(update={field: None}))
    world.fresh().save_customer(whole)
    assert _known(world, f"{key}/c").card == world.held(whole)


def test_a_customer_who_moves_is_known_at_the_new_address(world: World, key: str) -> None:
    old = card(f"{key}/c")
    world.office.save_customer(old)
    new = elsewhere(old)
    world.office.save_customer(new)
    assert _known(world, f"{key}/c").card == world.held(new)
    world.fresh().save_customer(old)
    assert _known(world, f"{key}/c").card == world.held(old)


def test_a_customer_out_of_use_is_kept_up_to_date(world: World, key: str) -> None:
    world.office.save_customer(card(f"{key}/c"))
    world.deactivate_customer(f"{key}/c")
    assert _known(world, f"{key}/c").card == world.held(card(f"{key}/c"))
    changed = elsewhere(card(f"{key}/c")).model_copy(update={"name": "Ada King", "email": "ada.king@example.test"})
    world.fresh().save_customer(changed)
    assert _known(world, f"{key}/c").card == world.held(changed)


def test_what_staff_change_is_told_as_it_is_found(world: World, key: str) -> None:
    _needs(world, "customer_feed")
    world.office.save_customer(card(f"{key}/c"))
    since = utc_now() - timedelta(seconds=2)
    world.edit_customer(f"{key}/c", name="Ada King", email="ada.king@example.test")
    found = _known(world, f"{key}/c")
    assert (found.card.name, found.card.email) == ("Ada King", "ada.king@example.test")
    assert found.card.phone == card(f"{key}/c").phone
    assert found in _told(world, f"{key}/c", since)


def _order_of_somebody(world: World, key: str, buyer: CustomerCard) -> SalesOrder:
    """An order whose buyer is saved as such, as the push does it."""
    once = buyer.model_copy(update={"for_one_order": True})
    number = world.office.save_customer(once)
    order = order_of(world, key, goods("1", "MUG", 1, "10.00"), total="10.00", customer_id=number)
    return order.model_copy(update={"customer": once})


def test_the_buyer_of_one_order_changes_nothing_of_a_known_customer(world: World, key: str) -> None:
    usual = card(f"{key}/c")
    world.office.save_customer(usual)
    stranger = elsewhere(usual).model_copy(
        update={"name": "A. L.", "email": "other@example.test", "phone": "+31207654321", "language": None}
    )
    order = _order_of_somebody(world, key, stranger)
    assert _known(world, f"{key}/c").card == world.held(usual)
    world.office.record_sale(order)
    assert [city for city in world.cities(key) if city is not None and city != "Rotterdam"] == []
    world.fresh().save_customer(order.customer)
    assert _known(world, f"{key}/c").card == world.held(usual)


def test_the_buyer_of_one_order_brings_what_was_missing(world: World, key: str) -> None:
    world.office.save_customer(CustomerCard(key=f"{key}/c", name="Ada Lovelace"))
    world.office.save_customer(card(f"{key}/c").model_copy(update={"name": "A. L.", "for_one_order": True}))
    assert _known(world, f"{key}/c").card == world.held(card(f"{key}/c"))


def test_an_order_adds_nothing_to_a_customer_whose_accounts_are_kept_up(world: World, key: str) -> None:
    bare = CustomerCard(key=f"{key}/c", name="Ada Lovelace")
    world.office.save_customer(bare)
    buyer = elsewhere(card(f"{key}/c")).model_copy(update={"is_kept_up": True})
    order = _order_of_somebody(world, key, buyer)
    assert _known(world, f"{key}/c").card == bare
    world.office.record_sale(order)
    assert [city for city in world.cities(key) if city is not None and city != "Rotterdam"] == []
    world.fresh().save_customer(order.customer)
    assert _known(world, f"{key}/c").card == bare


def test_the_buyer_of_one_order_becomes_a_customer(world: World, key: str) -> None:
    world.office.save_customer(card(f"{key}/c").model_copy(update={"for_one_order": True}))
    assert _known(world, f"{key}/c").card == world.held(card(f"{key}/c"))


# ---- forgetting ------------------------------------------------------------------------------------------------------

_CANARY = "kanarienvogel"


def _canary(key: str) -> CustomerCard:
    """A word that is nowhere else, in every field of a person that takes one."""
    word = f"{_CANARY}{key.rpartition('/')[2]}"
    address = Address(
        name=f"Ada {word}", street=(f"{word}straat 1",), postal_code=f"1015{word}", city=f"{word}dam", country="NL"
    )
    return card(f"{key}/c").model_copy(
        update={
            "name": f"Ada {word}",
            "email": f"{word}@example.test",
            "billing": address,
            "shipping": address.model_copy(update={"street": (f"{word}weg 2",)}),
        }
    )


def _word(buyer: CustomerCard) -> str:
    return buyer.name.removeprefix("Ada ")


def _assert_forgotten(world: World, key: str) -> None:
    found = _known(world, key)
    assert found.card.name.startswith("Erased customer")
    assert found.card == CustomerCard(key=key, name=found.card.name)


def test_nobody_is_forgotten_under_an_unknown_key(world: World, key: str) -> None:
    _needs(world, "forgets_customers")
    assert world.office.forget_customer(f"{key}/nobody") is None


def test_a_customer_is_forgotten(world: World, key: str) -> None:
    _needs(world, "forgets_customers")
    buyer = _canary(key)
    world.office.save_customer(buyer)
    world.edit_customer(buyer.key, name=buyer.name, email=f"new.{buyer.email}")
    assert world.traces(_word(buyer))
    since = utc_now() - timedelta(seconds=2)
    first = world.office.forget_customer(buyer.key)
    again = world.fresh().forget_customer(buyer.key)
    assert first is not None
    assert first == again
    assert {"name", "email", "phone", "addresses"} <= set(first.erased)
    assert all(" log " in words for words in first.kept)  # what no call reaches is named
    _assert_forgotten(world, buyer.key)
    assert world.traces(_word(buyer)) == []
    if world.office.capabilities.customer_feed:
        assert _known(world, buyer.key) in _told(world, buyer.key, since)


def test_a_customer_out_of_use_is_forgotten(world: World, key: str) -> None:
    _needs(world, "forgets_customers")
    buyer = _canary(key)
    world.office.save_customer(buyer)
    world.deactivate_customer(buyer.key)
    assert world.office.forget_customer(buyer.key) is not None
    _assert_forgotten(world, buyer.key)
    assert world.traces(_word(buyer)) == []


def _bought(world: World, key: str, buyer: CustomerCard) -> None:
    """The buyer's order is confirmed and has left."""
    world.put_on_shelf("MUG", 20)
    world.office.record_sale(_order_of_somebody(world, key, buyer))
    world.office.confirm_sale(key)
    if world.office.capabilities.tells_shipments:
        world.send_off(key)


def test_a_buyer_is_forgotten_and_the_order_stays(world: World, key: str) -> None:
    _needs(world, "forgets_customers")
    buyer = _canary(key)
    world.office.save_customer(card(buyer.key))
    _bought(world, key, buyer)
    forgotten = world.office.forget_customer(buyer.key)
    assert forgotten is not None
    _assert_forgotten(world, buyer.key)
    sale = _found(world, key)
    assert quantities(sale) == {"1": 1}
    assert _word(buyer) not in repr(sale)
    assert forgotten.kept or world.traces(_word(buyer)) == []


def test_what_an_invoice_keeps_is_said(world: World, key: str) -> None:
    _needs(world, "forgets_customers", "invoices")
    buyer = _canary(key)
    _bought(world, key, buyer)
    world.office.post_invoice(key)
    forgotten = world.office.forget_customer(buyer.key)
    assert forgotten is not None
    assert world.fresh().forget_customer(buyer.key) == forgotten
    _assert_forgotten(world, buyer.key)
    assert bool(forgotten.kept) == bool(world.traces(_word(buyer)))
    sale = _found(world, key)
    assert sale.invoice is not None
    assert sale.invoice.total.equals(eur("10.00"))


def test_who_was_forgotten_may_come_back(world: World, key: str) -> None:
    _needs(world, "forgets_customers")
    buyer = card(f"{key}/c")
    world.office.save_customer(buyer)
    world.office.forget_customer(buyer.key)
    number = _known(world, buyer.key).id  # another one, where the back office's id is the name
    nobody = CustomerCard(key=buyer.key, name="Guest", for_one_order=True)
    order = _order_of_somebody(world, key, nobody)
    world.office.record_sale(order)
    _assert_forgotten(world, buyer.key)
    assert world.office.save_customer(buyer) == number
    assert _known(world, buyer.key).card == world.held(buyer)


# ---- recording an order ----------------------------------------------------------------------------------------------


def test_an_unknown_sale_is_none(world: World, key: str) -> None:
    assert world.office.find_sale(key) is None


def test_an_order_is_recorded_once_with_its_total(world: World, key: str) -> None:
    order = order_of(
        world,
        key,
        goods("1", "MUG", 3, "30.99", world.vat21),
        goods("2", "CAP", 1, "9.17", world.vat9),
        charge("shipping/1", "SHIPPING", "4.13", world.vat21),
        total="52.50",
    )
    recorded = world.office.record_sale(order)
    again = world.fresh().record_sale(order)
    assert recorded.id == again.id
    assert world.count_documents(key)["sales"] == 1
    assert quantities(again) == {"1": 3, "2": 1, "shipping/1": 1}
    assert again.total.equals(eur("52.50"))
    assert again.state is (SaleState.DRAFT if world.office.capabilities.confirms else SaleState.CONFIRMED)
    found = world.fresh().find_sale(key)
    assert found is not None
    assert found.key == key
    assert found.total.equals(eur("52.50"))


@pytest.mark.parametrize(
    ("amount", "units", "total"),
    [
        pytest.param("10.00", 3, "12.10", id="a unit price that does not divide"),
        pytest.param("0.05", 7, "0.06", id="less than a cent a unit"),
        pytest.param("11.98", 2, "14.49", id="the storefront rounds the tax down"),
        pytest.param("11.98", 2, "14.50", id="the storefront rounds the tax up"),
    ],
)
def test_totals_tie_out_to_the_cent(world: World, key: str, amount: str, units: int, total: str) -> None:
    order = order_of(world, key, goods("1", "MUG", units, amount, world.vat21), total=total)
    assert world.office.record_sale(order).total.equals(eur(total))


def test_a_discount_beyond_the_goods_lowers_the_total(world: World, key: str) -> None:
    lines = (goods("1", "MUG", 1, "10.00"), charge("gift_card", "FEE", "-4.00"))
    assert world.office.record_sale(order_of(world, key, *lines, total="6.00")).total.equals(eur("6.00"))


def test_a_draft_follows_the_order(world: World, key: str) -> None:
    _needs(world, "confirms")
    world.office.record_sale(order_of(world, key, goods("1", "MUG", 2, "20.00"), total="20.00"))
    changed = order_of(world, key, goods("1", "MUG", 1, "10.00"), goods("9", "CAP", 2, "8.00"), total="18.00")
    recorded = world.fresh().record_sale(changed)
    assert quantities(recorded) == {"1": 1, "9": 2}
    assert recorded.total.equals(eur("18.00"))
    assert world.count_documents(key)["sales"] == 1


def test_an_unknown_product_is_named(world: World, key: str) -> None:
    order = order_of(world, key, goods("1", "NOBODY-SELLS-THIS", 1, "1.00"), total="1.00")
    with pytest.raises(Rejected) as refusal:
        world.office.record_sale(order)
    assert (refusal.value.code, refusal.value.field) == (Refusal.NOT_FOUND, "sku")
    assert "NOBODY-SELLS-THIS" in refusal.value.message


def test_an_unknown_tax_is_named(world: World, key: str) -> None:
    _needs(world, "invoices")
    order = order_of(world, key, goods("1", "MUG", 1, "1.00", "No such tax"), total="1.00")
    with pytest.raises(Rejected) as refusal:
        world.office.record_sale(order)
    assert (refusal.value.code, refusal.value.field) == (Refusal.NOT_FOUND, "taxes")


def test_a_total_that_is_not_rounding_stops_it(world: World, key: str) -> None:
    _needs(world, "invoices")
    order = order_of(world, key, goods("1", "MUG", 1, "100.00", world.vat9), total="121.00")
    with pytest.raises(Rejected) as refusal:
        world.office.record_sale(order)
    assert refusal.value.code == "totals_differ"
    mended = order_of(world, key, goods("1", "MUG", 1, "100.00", world.vat21), total="121.00")
    assert world.fresh().record_sale(mended).total.equals(eur("121.00"))
    assert world.count_documents(key)["sales"] == 1


# ---- confirming, shipping --------------------------------------------------------------------------------------------


def _confirmed(world: World, key: str, *lines: tuple[str, str, int]) -> None:
    """Confirm an order of (line key, SKU, units) at 10.00 net a unit, with 20 of each SKU on the shelf."""
    for _, sku, _ in lines:
        world.put_on_shelf(sku, 20)
    total = sum(units for *_, units in lines) * 10
    order = order_of(world, key, *(goods(name, sku, n, f"{n * 10}.00") for name, sku, n in lines), total=f"{total}.00")
    world.office.record_sale(order)
    world.office.confirm_sale(key)


def test_confirming_promises_the_goods_once(world: World, key: str) -> None:
    _needs(world, "confirms", "stock")
    world.put_on_shelf("LAMP", 20)
    before = world.office.stock(["LAMP"], world.warehouse)["LAMP"]
    world.office.record_sale(order_of(world, key, goods("1", "LAMP", 3, "30.00"), total="30.00"))
    assert world.office.stock(["LAMP"], world.warehouse)["LAMP"].sellable == before.sellable
    assert world.office.confirm_sale(key).state is SaleState.CONFIRMED
    assert world.fresh().confirm_sale(key).state is SaleState.CONFIRMED
    after = world.office.stock(["LAMP"], world.warehouse)["LAMP"]
    assert (after.on_hand, after.sellable) == (before.on_hand, before.sellable - 3)


def test_a_shipment_is_told_with_its_tracking(world: World, key: str) -> None:
    _needs(world, "tells_shipments")
    _confirmed(world, key, ("1", "MUG", 2))
    parcel = Parcel(carrier=None, number="1Z777", url=None)
    world.send_off(key, parcels=[parcel])
    sale = _found(world, key)
    (left,) = [one for one in sale.consignments if one.has_left]
    assert units_of(left.lines) == {"1": 2}
    assert [one.number for one in left.parcels] == ["1Z777"]
    assert left.left_at is not None
    assert sale.shipped == {"1": 2}


def test_a_part_ships_first_and_the_rest_later(world: World, key: str) -> None:
    _needs(world, "tells_shipments")
    _confirmed(world, key, ("1", "MUG", 3), ("2", "CAP", 1))
    world.send_off(key, {"MUG": 2})
    sale = _found(world, key)
    assert sale.shipped == {"1": 2}
    first = {one.id for one in sale.consignments if one.has_left}
    world.send_off(key)
    sale = _found(world, key)
    assert sale.shipped == {"1": 3, "2": 1}
    assert first < {one.id for one in sale.consignments if one.has_left}


def test_sales_that_moved_are_told_of(world: World, key: str) -> None:
    _needs(world, "tells_shipments")
    _confirmed(world, key, ("1", "MUG", 1))
    since = utc_now() - timedelta(seconds=1)
    world.send_off(key)
    assert key in _everything(lambda cursor: world.office.changed_sales(since, cursor))


def test_what_others_shipped_is_noted_once(world: World, key: str) -> None:
    _needs(world, "ships")
    _confirmed(world, key, ("1", "MUG", 3))
    parcels = (Parcel(carrier=None, number="AB-1", url=None),)
    shipping = Shipping(
        key=f"{key}/shipped/7", sale=key, lines=(GoodsLine(key="1", sku="MUG", quantity=2),), parcels=parcels
    )
    world.office.ship(shipping)
    sale = world.fresh().ship(shipping)
    assert sale.shipped == {"1": 2}
    (left,) = [one for one in sale.consignments if one.has_left]
    assert [one.number for one in left.parcels] == ["AB-1"]


# ---- changing one's mind ---------------------------------------------------------------------------------------------


def test_a_confirmed_order_is_amended(world: World, key: str) -> None:
    _needs(world, "amends")
    _confirmed(world, key, ("1", "MUG", 3), ("2", "CAP", 1))
    wanted = order_of(world, key, goods("1", "MUG", 1, "10.00"), goods("3", "LAMP", 2, "40.00"), total="50.00")
    world.put_on_shelf("LAMP", 20)
    world.office.amend_sale(wanted)
    sale = world.fresh().amend_sale(wanted)
    assert quantities(sale) == {"1": 1, "3": 2}
    assert sale.total.equals(eur("50.00"))
    world.send_off(key)
    sale = _found(world, key)
    assert sale.shipped == {"1": 1, "3": 2}


def test_what_is_open_is_amended_after_a_part_was_shipped(world: World, key: str) -> None:
    _needs(world, "amends")
    _confirmed(world, key, ("1", "MUG", 3), ("2", "CAP", 2))
    world.send_off(key, {"MUG": 1})
    wanted = order_of(world, key, goods("1", "MUG", 3, "30.00"), goods("2", "CAP", 1, "10.00"), total="40.00")
    sale = world.office.amend_sale(wanted)
    assert quantities(sale) == {"1": 3, "2": 1}
    assert sale.total.equals(eur("40.00"))
    world.send_off(key)
    sale = _found(world, key)
    assert sale.shipped == {"1": 3, "2": 1}


def test_no_amendment_takes_back_what_was_shipped(world: World, key: str) -> None:
    _needs(world, "amends")
    _confirmed(world, key, ("1", "MUG", 3))
    world.send_off(key, {"MUG": 2})
    sale = world.office.amend_sale(order_of(world, key, goods("1", "MUG", 1, "10.00"), total="10.00"))
    assert quantities(sale) == {"1": 2}
    (line,) = [line for line in sale.lines if line.key == "1"]
    assert line.settled == 2


def test_a_sale_is_cancelled(world: World, key: str) -> None:
    _needs(world, "cancels", "stock")
    world.put_on_shelf("LAMP", 20)
    before = world.office.stock(["LAMP"], world.warehouse)["LAMP"].sellable
    world.office.record_sale(order_of(world, key, goods("1", "LAMP", 2, "20.00"), total="20.00"))
    world.office.confirm_sale(key)
    assert world.office.cancel_sale(key).state is SaleState.CANCELLED
    assert world.fresh().cancel_sale(key).state is SaleState.CANCELLED
    assert world.office.stock(["LAMP"], world.warehouse)["LAMP"].sellable == before


def test_a_draft_is_cancelled(world: World, key: str) -> None:
    _needs(world, "cancels", "confirms")
    world.office.record_sale(order_of(world, key, goods("1", "MUG", 2, "20.00"), total="20.00"))
    assert world.office.cancel_sale(key).state is SaleState.CANCELLED


def test_what_was_shipped_is_not_cancelled(world: World, key: str) -> None:
    _needs(world, "cancels", "tells_shipments")
    _confirmed(world, key, ("1", "MUG", 2))
    world.send_off(key)
    with pytest.raises(Rejected) as refusal:
        world.office.cancel_sale(key)
    assert refusal.value.code == Refusal.REFUSED


def test_goods_come_back_once(world: World, key: str) -> None:
    _needs(world, "returns", "stock")
    _confirmed(world, key, ("1", "LAMP", 3))
    world.send_off(key)
    before = world.office.stock(["LAMP"], world.warehouse)["LAMP"].on_hand
    back = GoodsReturn(
        key=f"{key}/return/1",
        sale=key,
        lines=(GoodsLine(key="1", sku="LAMP", quantity=2),),
        warehouse=world.warehouse,
        received=True,
    )
    assert world.office.take_back(back) == world.fresh().take_back(back)
    assert world.office.stock(["LAMP"], world.warehouse)["LAMP"].on_hand == before + 2
    assert world.count_documents(key)["returns"] == 1
    sale = _found(world, key)
    assert sale.shipped == {"1": 3}


def test_goods_that_are_expected_are_not_on_the_shelf(world: World, key: str) -> None:
    _needs(world, "returns", "stock")
    _confirmed(world, key, ("1", "LAMP", 3))
    world.send_off(key)
    before = world.office.stock(["LAMP"], world.warehouse)["LAMP"].on_hand
    world.office.take_back(
        GoodsReturn(
            key=f"{key}/recall/1",
            sale=key,
            lines=(GoodsLine(key="1", sku="LAMP", quantity=1),),
            warehouse=world.warehouse,
            received=False,
        )
    )
    assert world.office.stock(["LAMP"], world.warehouse)["LAMP"].on_hand == before


# ---- money -----------------------------------------------------------------------------------------------------------


def _taxed(world: World, key: str) -> None:
    """Confirm an order over 52.50 that needs a rounding line of its own or not, as the vendor computes."""
    world.put_on_shelf("MUG", 20)
    lines = (
        goods("1", "MUG", 3, "30.99", world.vat21),
        charge("shipping/1", "SHIPPING", "12.40", world.vat21),
    )
    world.office.record_sale(order_of(world, key, *lines, total="52.50"))
    world.office.confirm_sale(key)


def test_an_invoice_is_posted_once_over_the_whole_sale(world: World, key: str) -> None:
    _needs(world, "invoices")
    _taxed(world, key)
    world.office.post_invoice(key)
    sale = world.fresh().post_invoice(key)
    (invoice,) = sale.invoices
    assert invoice.state is InvoiceState.POSTED
    assert invoice.total.equals(eur("52.50"))
    assert invoice.unpaid.equals(eur("52.50"))
    assert invoice.number
    billed = {line.key: line.quantity for line in invoice.lines if line.key != "rounding"}
    assert billed == {"1": 3, "shipping/1": 1}
    assert world.count_documents(key)["invoices"] == 1


def test_an_invoice_is_posted_after_all_was_shipped(world: World, key: str) -> None:
    _needs(world, "invoices", "tells_shipments")
    _taxed(world, key)
    world.send_off(key)
    invoice = world.office.post_invoice(key).invoice
    assert invoice is not None
    assert invoice.total.equals(eur("52.50"))


def test_a_payment_pays_the_invoice_once(world: World, key: str) -> None:
    _needs(world, "invoices", "payments")
    _taxed(world, key)
    invoice = world.office.post_invoice(key).invoice
    assert invoice is not None
    first = PaymentEntry(
        key=f"{key}/payment/1",
        invoice=invoice.id,
        amount=eur("20.00"),
        method=world.method,
        paid_on=PLACED,
        reference="ch_1",
    )
    assert world.office.register_payment(first) == world.fresh().register_payment(first)
    sale = _found(world, key)
    assert sale.invoice is not None
    assert sale.invoice.unpaid.equals(eur("32.50"))
    world.office.register_payment(first.model_copy(update={"key": f"{key}/payment/2", "amount": eur("32.50")}))
    sale = _found(world, key)
    assert sale.invoice is not None
    assert sale.invoice.state is InvoiceState.PAID
    assert world.count_documents(key)["payments"] == 2


def _credit(world: World, key: str, *, total: str = "17.50") -> CreditNote:
    return CreditNote(
        key=f"{key}/refund/77",
        sale=key,
        name="#1 refund 77",
        issued_on=PLACED,
        lines=(goods("1", "MUG", 1, "10.33", world.vat21), charge("adjustment/1", "FEE", "5.00")),
        total=eur(total),
        rounding=Rounding(sku="ROUNDING", limit=eur("0.05")),
    )


def test_money_is_credited_once_to_the_cent(world: World, key: str) -> None:
    _needs(world, "invoices", "credits")
    _taxed(world, key)
    world.office.post_invoice(key)
    note = _credit(world, key, total="17.52")
    first = world.office.credit(note)
    again = world.fresh().credit(note)
    assert first.id == again.id
    assert again.stands
    assert again.total.equals(eur("17.52"))
    assert world.count_documents(key)["credits"] == 1
    sale = _found(world, key)
    assert len(sale.invoices) == 1


def test_a_credit_note_is_paid_out(world: World, key: str) -> None:
    _needs(world, "invoices", "credits", "payments")
    _taxed(world, key)
    world.office.post_invoice(key)
    note = world.office.credit(_credit(world, key))
    payment = PaymentEntry(
        key=f"{key}/payout/77",
        invoice=note.id,
        amount=eur("17.50"),
        method=world.method,
        paid_on=PLACED,
        reference="re_1",
    )
    world.office.register_payment(payment)
    assert world.fresh().credit(_credit(world, key)).state is InvoiceState.PAID


def test_a_credit_beyond_rounding_stops(world: World, key: str) -> None:
    _needs(world, "invoices", "credits")
    _taxed(world, key)
    world.office.post_invoice(key)
    with pytest.raises(Rejected) as refusal:
        world.office.credit(_credit(world, key, total="30.00"))
    assert refusal.value.code == "totals_differ"


# ---- stock -----------------------------------------------------------------------------------------------------------


def test_stock_is_told_for_known_products_alone(world: World) -> None:
    _needs(world, "stock")
    world.put_on_shelf("CAP", 7)
    figures = world.office.stock(["CAP", "NOBODY-SELLS-THIS"], world.warehouse)
    assert set(figures) == {"CAP"}
    assert figures["CAP"].on_hand == 7


def test_stock_that_moved_is_told_of(world: World) -> None:
    _needs(world, "stock")
    since = utc_now() - timedelta(seconds=1)
    world.put_on_shelf("CAP", 11)
    world.put_on_shelf("CAP", 12)
    assert "CAP" in _everything(lambda cursor: world.office.changed_stock(since, cursor))


def test_a_count_makes_the_shelf_so_once(world: World, key: str) -> None:
    _needs(world, "counts", "stock")
    world.put_on_shelf("CAP", 7)
    count = StockCount(
        key=f"{key}/count/1",
        warehouse=world.warehouse,
        counted_on=utc_now().date(),
        lines=(CountLine(sku="CAP", quantity=5), CountLine(sku="MUG", quantity=4)),
    )
    world.office.apply_count(count)
    world.put_on_shelf("CAP", 6)
    world.fresh().apply_count(count)
    figures = world.office.stock(["CAP", "MUG"], world.warehouse)
    assert (figures["CAP"].on_hand, figures["MUG"].on_hand) == (6, 4)


# ---- killed anywhere -------------------------------------------------------------------------------------------------


def _whole_life(world: World, key: str) -> tuple[Callable[[], object], ...]:
    """The steps of an order's life; each is asked of whatever client the world has now."""
    lines = (
        goods("1", "MUG", 3, "30.99", world.vat21),
        goods("2", "CAP", 2, "18.34", world.vat9),
        charge("shipping/1", "SHIPPING", "4.13", world.vat21),
    )
    fewer = (lines[0], goods("2", "CAP", 1, "9.17", world.vat9), lines[2])
    buyer = card(f"{key}/buyer")
    customer = world.fresh().save_customer(buyer)
    order = order_of(world, key, *lines, total="62.50", customer_id=customer)
    amended = order_of(world, key, *fewer, total="52.50", customer_id=customer)
    can = world.office.capabilities
    back = GoodsReturn(
        key=f"{key}/return/1",
        sale=key,
        lines=(GoodsLine(key="1", sku="MUG", quantity=1),),
        warehouse=world.warehouse,
        received=True,
    )
    shipping = Shipping(key=f"{key}/shipped/1", sale=key, lines=(GoodsLine(key="1", sku="MUG", quantity=3),))
    note = CreditNote(
        key=f"{key}/refund/1",
        sale=key,
        name="refund",
        issued_on=PLACED,
        lines=(goods("1", "MUG", 1, "10.33", world.vat21),),
        total=eur("12.50"),
        rounding=Rounding(sku="ROUNDING", limit=eur("0.05")),
    )

    def pay() -> object:
        sale = world.office.find_sale(key)
        assert sale is not None
        assert sale.invoice is not None
        return world.office.register_payment(
            PaymentEntry(
                key=f"{key}/payment/1",
                invoice=sale.invoice.id,
                amount=eur("52.50"),
                method=world.method,
                paid_on=PLACED,
                reference="ch_1",
            )
        )

    steps: list[tuple[bool, Callable[[], object]]] = [
        (True, lambda: world.office.save_customer(buyer)),
        (True, lambda: world.office.record_sale(order)),
        (can.confirms, lambda: world.office.confirm_sale(key)),
        (can.amends, lambda: world.office.amend_sale(amended)),
        (can.ships, lambda: world.office.ship(shipping)),
        (can.invoices, lambda: world.office.post_invoice(key)),
        (can.payments, pay),
        (can.returns, lambda: world.office.take_back(back)),
        (can.credits, lambda: world.office.credit(note)),
    ]
    return tuple(step for is_possible, step in steps if is_possible)


@pytest.mark.parametrize("after", [False, True], ids=["before each request", "after each request"])
def test_killed_anywhere_a_customer_is_forgotten_in_the_end(world: World, key: str, *, after: bool) -> None:
    _needs(world, "forgets_customers")
    usual = world.office
    buyer = _canary(key)
    steps: tuple[Callable[[], object], ...] = (
        lambda: world.office.save_customer(card(buyer.key)),
        lambda: world.office.save_customer(buyer.model_copy(update={"for_one_order": True})),
        lambda: world.office.save_customer(buyer),
        lambda: world.office.forget_customer(buyer.key),
    )
    for step in steps:
        _die_at_each_request(world, step, after=after)
    world.office = usual
    _assert_forgotten(world, buyer.key)
    assert world.traces(_word(buyer)) == []


@pytest.mark.parametrize("after", [False, True], ids=["before each request", "after each request"])
def test_killed_anywhere_it_goes_on_where_it_was(world: World, key: str, *, after: bool) -> None:
    """Every request of an order's whole life is a worker's last one once; the next worker comes to the same end."""
    world.put_on_shelf("MUG", 50)
    world.put_on_shelf("CAP", 50)
    usual = world.office
    for step in _whole_life(world, key):
        _die_at_each_request(world, step, after=after)
    world.office = usual
    sale = _found(world, key)
    can = world.office.capabilities
    assert quantities(sale) == {"1": 3, "2": 1 if can.amends else 2, "shipping/1": 1}
    assert sale.total.equals(eur("52.50" if can.amends else "62.50"))
    assert world.count_documents(key) == {
        "sales": 1,
        "invoices": int(can.invoices),
        "credits": int(can.credits),
        "returns": int(can.returns),
        "payments": int(can.payments),
    }
    if can.ships:
        assert sale.shipped == {"1": 3}


def _die_at_each_request(world: World, step: Callable[[], object], *, after: bool) -> None:
    """Workers die at their first request, the next at its second, and so on, until one gets through."""
    for at in range(100):
        world.office = world.killing(at, after=after)
        try:
            step()
        except Killed:
            continue
        world.office = world.fresh()
        step()
        return
    pytest.fail("no end to the requests of one step")
