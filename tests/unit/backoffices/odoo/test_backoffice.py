"""What is Odoo's own beside the contract: its odd states, its generations, and how many requests it takes."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from infra.fakes.odoo import FakeOdoo
from infra.fakes.odoo_store import OdooFault
from shared.backoffices.documents import (
    Address,
    CardField,
    CountLine,
    CreditNote,
    CustomerCard,
    GoodsLine,
    GoodsReturn,
    PaymentEntry,
    Rounding,
    Sale,
    Shipping,
    StockCount,
)
from shared.backoffices.odoo.backoffice import OdooBackOffice
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected, Retry
from tests.unit.backoffices.odoo.company import BUYER, KEY, NOW, eur, line, odoo, office, order, put_on_shelf

_MUGS = line("1", "MUG", 3, "30.99", "VAT 21")
_CAPS = line("2", "CAP", 2, "18.34", "VAT 9")


def _confirmed(fake: FakeOdoo) -> tuple[OdooBackOffice, str]:
    put_on_shelf(fake, "MUG", 20)
    put_on_shelf(fake, "CAP", 20)
    back = office(fake)
    customer = back.save_customer(BUYER)
    back.record_sale(order(customer, _MUGS, _CAPS, total="57.49"))
    back.confirm_sale(KEY)
    return back, customer


def _shipping(units: int, key: str = "aurora/5001/shipped/1") -> Shipping:
    return Shipping(key=key, sale=KEY, lines=(GoodsLine(key="1", sku="MUG", quantity=units),))


def _returned(units: int, *, received: bool) -> GoodsReturn:
    return GoodsReturn(
        key="aurora/5001/return/1",
        sale=KEY,
        lines=(GoodsLine(key="1", sku="MUG", quantity=units),),
        warehouse="Main",
        received=received,
    )


def _found(back: OdooBackOffice) -> Sale:
    sale = back.find_sale(KEY)
    assert sale is not None
    return sale


# ---- few requests ----------------------------------------------------------------------------------------------------


def test_no_step_takes_more_requests_than_it_says() -> None:
    """With what staff have set up remembered; measured the same against Odoo 19.0."""
    fake = odoo()
    back, customer = _confirmed(fake)
    back.cancel_sale(KEY)
    fresh = "aurora/6001"
    plain = order(customer, _MUGS, _CAPS, total="57.49").model_copy(update={"key": fresh})
    fewer = order(customer, _MUGS, total="37.50").model_copy(update={"key": fresh})
    shipping = _shipping(3).model_copy(update={"sale": fresh})
    goods = _returned(1, received=True).model_copy(update={"sale": fresh})
    note = CreditNote(
        key="aurora/6001/refund/1",
        sale=fresh,
        name="#1001 refund",
        issued_on=NOW.date(),
        lines=(line("1", "MUG", 1, "10.33", "VAT 21"),),
        total=eur("12.50"),
        rounding=Rounding(sku="ROUNDING", limit=eur("0.05")),
    )

    def pay() -> object:
        sale = back.find_sale(fresh)
        assert sale is not None
        assert sale.invoice is not None
        payment = PaymentEntry(
            key="aurora/6001/payment/1",
            invoice=sale.invoice.id,
            amount=eur("37.50"),
            method="Bank",
            paid_on=NOW.date(),
            reference="ch_1",
        )
        return back.register_payment(payment)

    budget: tuple[tuple[int, Callable[[], object]], ...] = (
        (2, lambda: back.save_customer(BUYER)),
        (2, lambda: back.find_sale(fresh)),
        (6, lambda: back.record_sale(plain)),
        (2, lambda: back.find_sale(fresh)),
        (5, lambda: back.confirm_sale(fresh)),
        (6, lambda: back.amend_sale(fewer)),
        (6, lambda: back.ship(shipping)),
        (7, lambda: back.post_invoice(fresh)),
        (2 + 9, pay),  # the sale is read for its invoice; fields and journals once
        (2 + 3, pay),
        (7, lambda: back.take_back(goods)),  # fields once
        (1, lambda: back.take_back(goods)),
        (8, lambda: back.credit(note)),
        (1, lambda: back.credit(note)),
        (1, lambda: back.stock(["MUG", "CAP"], "Main")),
    )
    for most, step in budget:
        fake.calls.clear()
        step()
        assert len(fake.calls) <= most, fake.calls


# ---- orders ----------------------------------------------------------------------------------------------------------


def test_staff_may_change_the_source_document() -> None:
    fake = odoo()
    back, customer = _confirmed(fake)
    number = int(_found(back).id)
    fake.store.write("sale.order", [number], {"origin": "phoned in"})
    assert _found(back).id == str(number)
    assert back.record_sale(order(customer, _MUGS, total="37.50")).id == str(number)


def test_another_order_with_our_key_in_it_is_not_ours() -> None:
    fake = odoo()
    back, customer = _confirmed(fake)
    fake.store.create("sale.order", {"partner_id": int(customer), "origin": "aurora/7"})
    assert back.find_sale("aurora/7") is None


def test_lines_of_staffs_own_go_with_the_next_amendment() -> None:
    fake = odoo()
    back, customer = _confirmed(fake)
    values = {
        "order_id": int(_found(back).id),
        "product_id": 3,
        "product_uom_qty": Decimal(1),
        "price_unit": Decimal(7),
    }
    fake.store.create("sale.order.line", values)
    sale = back.amend_sale(order(customer, _MUGS, _CAPS, total="57.49"))
    assert sale.total.equals(eur("57.49"))
    assert {one.key: one.quantity for one in sale.lines if one.key.startswith("odoo/")} == {"odoo/3": 0}


def test_an_order_keeps_the_address_that_it_was_placed_to() -> None:
    fake = odoo()
    back, _ = _confirmed(fake)
    moved = BUYER.model_copy(update={"shipping": Address(street=("Oudegracht 2",), city="Utrecht", country="NL")})
    back.save_customer(moved)
    (placed,) = fake.store.records["sale.order"].values()
    assert fake.store.records["res.partner"][placed["partner_shipping_id"]]["city"] == "Amsterdam"


def test_an_address_that_was_not_saved_with_the_customer_is_saved_with_the_order() -> None:
    fake = odoo()
    back = office(fake)
    customer = back.save_customer(CustomerCard(key=BUYER.key, name=BUYER.name))
    back.record_sale(order(customer, _MUGS, total="37.50"))
    (placed,) = fake.store.records["sale.order"].values()
    address = fake.store.records["res.partner"][placed["partner_shipping_id"]]
    assert (address["city"], address["parent_id"]) == ("Amsterdam", int(customer))


def test_a_currency_needs_a_pricelist() -> None:
    fake = odoo()
    back = office(fake)
    customer = back.save_customer(BUYER)
    mug = line("1", "MUG", 1, "10.00").model_copy(
        update={"amount": eur("10.00").model_copy(update={"currency": "USD"})}
    )
    with pytest.raises(Rejected) as refusal:
        back.record_sale(order(customer, mug, total="10.00", currency="USD"))
    assert (refusal.value.code, refusal.value.field) == (Refusal.NOT_FOUND, "currency")


def test_a_refusal_to_confirm_is_told_in_odoos_words() -> None:
    fake = odoo()
    back = office(fake)
    back.record_sale(order(back.save_customer(BUYER), _MUGS, total="37.50"))
    confirm = fake.trade.confirm

    def refuse(ids: object) -> bool:
        raise OdooFault("odoo.exceptions.UserError", "The credit limit is exceeded.")

    fake.trade.confirm = refuse  # type: ignore[method-assign]
    with pytest.raises(Rejected, match="credit limit"):
        back.confirm_sale(KEY)
    fake.trade.confirm = confirm  # type: ignore[method-assign]
    assert back.confirm_sale(KEY).state == "confirmed"


def test_an_order_that_is_being_written_elsewhere_is_tried_again() -> None:
    fake = odoo()
    back = office(fake)
    fake.faults.append(OdooFault("psycopg2.errors.SerializationFailure", "could not serialize access", 500))
    with pytest.raises(Retry):
        back.find_sale(KEY)


# ---- goods -----------------------------------------------------------------------------------------------------------


def test_more_than_is_open_is_not_shipped_in_part() -> None:
    fake = odoo()
    back, _ = _confirmed(fake)
    with pytest.raises(Rejected, match="1 of line 1"):
        back.ship(_shipping(4))
    assert _found(back).shipped == {}
    assert back.ship(_shipping(3)).shipped == {"1": 3}


def test_what_is_split_off_is_not_of_the_shipment() -> None:
    fake = odoo()
    back, _ = _confirmed(fake)
    assert back.ship(_shipping(2)).shipped == {"1": 2}
    assert back.ship(_shipping(2)).shipped == {"1": 2}
    origins = {one["state"]: one["origin"] for one in fake.store.records["stock.picking"].values()}
    assert origins == {"done": "aurora/5001/shipped/1", "assigned": "S00001"}
    assert back.ship(_shipping(1, "aurora/5001/shipped/2")).shipped == {"1": 3}


def test_a_sale_that_is_shipped_in_steps_is_staffs_own() -> None:
    fake = odoo()
    back, _ = _confirmed(fake)
    kind = fake.store.create("stock.picking.type", {"name": "Pick", "code": "internal"})
    number = int(_found(back).id)
    values = {"picking_type_id": kind["id"], "sale_id": number, "state": "assigned"}
    fake.store.create("stock.picking", values)
    with pytest.raises(Rejected, match="several steps"):
        back.ship(_shipping(3))


def test_goods_that_are_expected_are_received_later() -> None:
    fake = odoo()
    back, _ = _confirmed(fake)
    back.ship(_shipping(3))
    expected = back.take_back(_returned(2, received=False))
    before = back.stock(["MUG"], "Main")["MUG"].on_hand
    assert back.take_back(_returned(2, received=True)) == expected
    assert back.stock(["MUG"], "Main")["MUG"].on_hand == before + 2
    assert _found(back).shipped == {"1": 3}


def test_more_than_was_shipped_does_not_come_back() -> None:
    back, _ = _confirmed(odoo())
    back.ship(_shipping(2))
    with pytest.raises(Rejected, match="3 of line 1 cannot come back: 2 were shipped"):
        back.take_back(_returned(3, received=True))


def test_a_count_that_changes_nothing_is_known_again() -> None:
    fake = odoo()
    put_on_shelf(fake, "MUG", 7)
    back = office(fake)
    count = StockCount(
        key="aurora/count/1", warehouse="Main", counted_on=NOW.date(), lines=(CountLine(sku="MUG", quantity=7),)
    )
    back.apply_count(count)
    put_on_shelf(fake, "MUG", 5)
    back.apply_count(count)
    assert back.stock(["MUG"], "Main")["MUG"].on_hand == 5


def test_what_lies_in_several_places_is_counted_by_staff() -> None:
    fake = odoo()
    put_on_shelf(fake, "MUG", 7)
    warehouse = next(iter(fake.store.records["stock.warehouse"].values()))
    (mug,) = fake.store.search("product.product", [["default_code", "=", "MUG"]])
    values = {"product_id": mug["id"], "location_id": warehouse["lot_stock_id"], "quantity": Decimal(1), "lot_id": 4}
    fake.store.create("stock.quant", values)
    count = StockCount(
        key="aurora/count/1", warehouse="Main", counted_on=NOW.date(), lines=(CountLine(sku="MUG", quantity=7),)
    )
    with pytest.raises(Rejected, match="several places or lots"):
        office(fake).apply_count(count)


# ---- money -----------------------------------------------------------------------------------------------------------


def test_a_draft_invoice_of_staffs_own_is_not_billed_again() -> None:
    fake = odoo()
    back, _ = _confirmed(fake)
    sale = next(iter(fake.store.records["sale.order"].values()))
    bill = fake.store.create("account.move", {"move_type": "out_invoice"})
    fake.store.write("sale.order", [sale["id"]], {"invoice_ids": [[6, 0, [bill["id"]]]]})
    with pytest.raises(Rejected, match="post or delete it"):
        back.post_invoice(KEY)
    fake.store.write("account.move", [bill["id"]], {"state": "cancel"})
    assert back.post_invoice(KEY).invoice is not None


def test_a_payment_of_a_journal_that_is_not_there_is_named() -> None:
    back, _ = _confirmed(odoo())
    invoice = back.post_invoice(KEY).invoice
    assert invoice is not None
    payment = PaymentEntry(
        key="aurora/5001/payment/1",
        invoice=invoice.id,
        amount=eur("1.00"),
        method="PayPal",
        paid_on=NOW.date(),
        reference="x",
    )
    with pytest.raises(Rejected) as refusal:
        back.register_payment(payment)
    assert (refusal.value.code, refusal.value.field) == (Refusal.NOT_FOUND, "method")


# ---- rights, generations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("generation", [17, 18, 19])
def test_missing_rights_are_named(generation: int) -> None:
    fake = odoo(generation=generation)
    back = office(fake, "json2" if generation == 19 else "jsonrpc")
    if generation != 19:
        fake.keys["key-of-storebridge"] = "storebridge"
    assert back.missing_rights() == ()
    fake.denied.add(("account.move", "create"))
    (missing,) = back.missing_rights()
    assert missing.what == "create invoices and credit notes"
    assert "Billing" in missing.hint


def test_prices_of_two_digits_are_tied_out_with_a_rounding_line() -> None:
    back = office(odoo(generation=17), "jsonrpc")
    sale = back.record_sale(order(back.save_customer(BUYER), line("1", "MUG", 3, "10.00"), total="10.00"))
    assert sale.total.equals(eur("10.00"))
    assert [one.key for one in sale.lines] == ["1", "rounding"]
    sale = office(odoo()).record_sale(order("1", line("1", "MUG", 3, "10.00"), total="10.00", buyer=_bare()))
    assert [one.key for one in sale.lines] == ["1"]


def _bare() -> CustomerCard:
    return CustomerCard(key="aurora/bare", name="Guest")


def test_a_cursor_of_something_else_is_refused() -> None:
    back = office(odoo())
    with pytest.raises(Rejected) as refusal:
        back.changed_stock(NOW, "page two")
    assert refusal.value.code == "invalid_cursor"


def test_nothing_of_a_customer_is_lost_by_saving_less() -> None:
    fake = odoo()
    back = office(fake)
    back.save_customer(BUYER)
    back.save_customer(CustomerCard(key=BUYER.key, name="Ada King"))
    feed = back.changed_customers(NOW, None)
    (known,) = feed.items
    assert feed.cursor is None
    assert (known.card.name, known.card.email, known.changed_at) == (
        "Ada King",
        BUYER.email,
        NOW.replace(microsecond=0),
    )


# ---- people ----------------------------------------------------------------------------------------------------------

_HOME = Address(name="Ada", street=("Keizersgracht 1", "II"), postal_code="1015 AA", city="Amsterdam", country="NL")
_WORK = Address(name="Ada", street=("Coolsingel 40",), postal_code="3011 AD", city="Rotterdam", country="NL")
_WHOLE = CustomerCard(
    key="aurora/whole",
    name="Ada",
    email="ada@example.test",
    phone="+31201234567",
    language="en",
    billing=_HOME,
    shipping=_HOME,
)
_ONCE = _WHOLE.model_copy(update={"billing": _WORK, "shipping": _WORK, "for_one_order": True})


def _below(fake: FakeOdoo, customer: str) -> dict[str, str]:
    """Types of the addresses below a customer, by city."""
    contacts = fake.store.records["res.partner"].values()
    return {one["city"]: one["type"] for one in contacts if one["parent_id"] == int(customer)}


def _writes(fake: FakeOdoo) -> list[str]:
    return [call for call in fake.calls if call.partition("/")[2] in ("load", "write", "unlink", "create")]


@pytest.mark.parametrize("buyer", [_WHOLE, _ONCE], ids=["a customer", "the buyer of one order"])
def test_who_is_known_as_told_is_not_written(buyer: CustomerCard) -> None:
    fake = odoo()
    back = office(fake)
    back.save_customer(_WHOLE)
    back.save_customer(buyer)
    before = len(_writes(fake))
    office(fake).save_customer(buyer)
    assert len(_writes(fake)) == before


def test_an_address_of_one_order_is_not_proposed_for_others() -> None:
    fake = odoo()
    back = office(fake)
    customer = back.save_customer(_WHOLE)
    back.save_customer(_ONCE)
    assert _below(fake, customer) == {"Amsterdam": "delivery", "Rotterdam": "other"}


def test_who_moves_has_one_usual_address() -> None:
    fake = odoo()
    back = office(fake)
    customer = back.save_customer(_WHOLE)
    back.save_customer(_ONCE)
    back.save_customer(_WHOLE.model_copy(update={"billing": _WORK, "shipping": _WORK}))
    assert _below(fake, customer) == {"Amsterdam": "other", "Rotterdam": "delivery"}
    found = back.find_customer(_WHOLE.key)
    assert found is not None
    assert (found.card.billing, found.card.shipping) == (_WORK.model_copy(update={"name": None}), _WORK)


def test_who_is_renamed_has_the_same_addresses() -> None:
    """The contact's own address has no name beside the contact's: nobody has moved."""
    back = office(odoo())
    back.save_customer(_WHOLE)
    before = back.find_customer(_WHOLE.key)
    back.save_customer(CustomerCard(key=_WHOLE.key, name="Ada King"))
    after = back.find_customer(_WHOLE.key)
    assert before is not None
    assert after is not None
    assert after.card == before.card.model_copy(update={"name": "Ada King"})


def test_a_bill_is_made_out_to_the_orders_own_address() -> None:
    fake = odoo()
    back = office(fake)
    customer = back.save_customer(_WHOLE)
    back.save_customer(_ONCE)
    back.record_sale(order(customer, _MUGS, total="37.50", buyer=_ONCE))
    back.confirm_sale(KEY)
    back.post_invoice(KEY)
    (bill,) = fake.store.records["account.move"].values()
    assert fake.store.records["res.partner"][bill["partner_id"]]["city"] == "Rotterdam"
    assert fake.store.records["res.partner"][bill["partner_shipping_id"]]["city"] == "Rotterdam"


def test_who_is_forgotten_leaves_the_addresses_of_invoices_alone() -> None:
    fake = odoo()
    back = office(fake)
    customer = back.save_customer(_WHOLE)
    back.save_customer(_ONCE)
    back.record_sale(order(customer, _MUGS, total="37.50", buyer=_ONCE))
    back.confirm_sale(KEY)
    back.post_invoice(KEY)
    forgotten = back.forget_customer(_WHOLE.key)
    assert forgotten is not None
    assert forgotten.kept == ("addresses of posted invoices: 1 (bookkeeping law)",)
    assert _below(fake, customer) == {"Rotterdam": "other", False: "delivery"}
    assert not any(one["active"] for one in fake.store.records["res.partner"].values() if one["parent_id"])


def test_what_was_said_about_somebody_is_forgotten_and_nothing_is_said_of_that() -> None:
    fake = odoo()
    back = office(fake)
    customer = int(back.save_customer(_WHOLE))
    back.save_customer(_WHOLE.model_copy(update={"email": "ada.king@example.test"}))
    assert fake.store.records["mail.message"]
    fake.store.create("ir.attachment", {"res_model": "res.partner", "res_id": customer, "name": "passport"})
    fake.store.create("ir.attachment", {"res_model": "sale.order", "res_id": customer, "name": "another's"})
    back.forget_customer(_WHOLE.key)
    assert fake.store.records["mail.message"] == {}
    assert [one["name"] for one in fake.store.records["ir.attachment"].values()] == ["another's"]


def test_a_mobile_number_of_odoo_before_19_is_forgotten() -> None:
    fake = odoo(generation=17)
    back = office(fake, "jsonrpc")
    customer = int(back.save_customer(_WHOLE))
    fake.store.write("res.partner", [customer], {"mobile": "+31612345678"})
    back.forget_customer(_WHOLE.key)
    assert fake.store.records["res.partner"][customer]["mobile"] is False


def test_an_address_that_was_forgotten_is_there_again_for_who_comes_back() -> None:
    fake = odoo()
    back = office(fake)
    back.save_customer(_WHOLE)
    back.forget_customer(_WHOLE.key)
    back.save_customer(_ONCE)
    found = back.find_customer(_WHOLE.key)
    assert found is not None
    assert (found.card.name, found.card.shipping) == ("Erased customer", _WORK)
    back.save_customer(_WHOLE)
    found = back.find_customer(_WHOLE.key)
    assert found is not None
    assert found.card.shipping == _HOME.model_copy(update={"street": ("Keizersgracht 1", "II")})


def test_of_two_delivery_addresses_of_staff_the_latest_is_the_usual_one() -> None:
    fake = odoo()
    back = office(fake)
    customer = int(back.save_customer(_WHOLE))
    added = {"parent_id": customer, "type": "delivery", "name": "Ada", "street": "Oudegracht 2", "city": "Utrecht"}
    fake.store.create("res.partner", added)
    found = back.find_customer(_WHOLE.key)
    assert found is not None
    assert found.card.shipping is not None
    assert found.card.shipping.city == "Utrecht"
    cleared = {"shipping": None, "cleared": frozenset({CardField.SHIPPING})}
    back.save_customer(_WHOLE.model_copy(update=cleared))
    found = back.find_customer(_WHOLE.key)
    assert found is not None
    assert found.card.shipping is None
