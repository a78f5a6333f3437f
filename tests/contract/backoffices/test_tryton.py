"""What only Tryton can get wrong, run on the real one: its states, its amendments, its workers that die."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from shared.backoffices.documents import (
    CardField,
    ConsignmentState,
    CountLine,
    CreditNote,
    GoodsLine,
    GoodsReturn,
    InvoiceState,
    Journal,
    JournalLine,
    PaymentEntry,
    Rounding,
    Sale,
    SaleState,
    Shipping,
    StockCount,
)
from shared.backoffices.port import BackOffice, Refusal
from shared.backoffices.tryton.amendments import NOTE
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.orders.models import Parcel
from tests.contract.backoffices.tryton_world import SHIPMENT, TrytonWorld
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

MUGS = ("1", "MUG", 3, "30.00")
_ROUNDING = Rounding(sku="ROUNDING", limit=eur("0.05"))


@pytest.fixture
def tryton(worlds: Callable[[str], World]) -> TrytonWorld:
    world = worlds("tryton")
    assert isinstance(world, TrytonWorld)
    return world


def _confirmed(tryton: TrytonWorld, key: str, *taxes: str, total: str = "30.00") -> Sale:
    tryton.office.record_sale(order_of(tryton, key, goods(*MUGS, *taxes), total=total))
    return tryton.office.confirm_sale(key)


def _found(tryton: TrytonWorld, key: str) -> Sale:
    sale = tryton.fresh().find_sale(key)
    assert sale is not None
    return sale


def _states(sale: Sale) -> dict[ConsignmentState, dict[str, int]]:
    return {one.state: units_of(one.lines) for one in sale.consignments}


def _row(tryton: TrytonWorld, key: str, *fields: str) -> dict[str, object]:
    (row,) = tryton.staff.rows("sale.sale", [["reference", "=", key]], fields)
    return row


Killer = Callable[[Callable[[BackOffice], object]], None]


@pytest.fixture(params=[False, True], ids=["before each request", "after each request"])
def die_everywhere(request: pytest.FixtureRequest, tryton: TrytonWorld) -> Killer:
    """Workers die at each of their requests in turn, until one gets through; then it is done once more."""

    def kill(act: Callable[[BackOffice], object]) -> None:
        for at in range(100):
            try:
                act(tryton.killing(at, after=request.param, logged_in=True))
            except Killed:
                continue
            act(tryton.fresh())
            return
        pytest.fail("no end to the requests of one act")

    return kill


# ---- rights ----------------------------------------------------------------------------------------------------------


def test_a_user_without_groups_is_told_what_to_be_granted(tryton: TrytonWorld, key: str) -> None:
    office = tryton.as_user(key.replace("/", "-"))
    hints = {right.what: right.hint for right in office.missing_rights()}
    assert hints["record sales"] == "add the user to the group Sales"
    assert hints["validate amendments"] == "add the user to the group Sale Amendment"
    assert "keep customers" not in hints
    with pytest.raises(Rejected) as refusal:
        office.find_sale(key)
    assert refusal.value.code == Refusal.AUTH


# ---- states ----------------------------------------------------------------------------------------------------------


def test_what_arrived_later_than_it_left_is_delivered(tryton: TrytonWorld, key: str) -> None:
    _confirmed(tryton, key)
    tryton.send_off(key)
    (shipped,) = _found(tryton, key).consignments
    assert shipped.state is ConsignmentState.SHIPPED
    tryton.deliver(key)
    (delivered,) = _found(tryton, key).consignments
    assert delivered.state is ConsignmentState.DELIVERED
    assert delivered.left_at == shipped.left_at


def test_what_was_done_in_one_step_has_left_and_nobody_saw_it_arrive(tryton: TrytonWorld, key: str) -> None:
    _confirmed(tryton, key)
    number = int(_found(tryton, key).consignments[0].id.rpartition("/")[2])
    for button in ("assign_force", "pick", "pack", "do"):
        tryton.staff.press(SHIPMENT, button, number)
    (left,) = _found(tryton, key).consignments
    assert left.state is ConsignmentState.SHIPPED
    assert left.left_at is not None


def test_of_two_sales_with_one_reference_the_older_counts(tryton: TrytonWorld, key: str) -> None:
    first = _confirmed(tryton, key)
    copy = tryton.staff.call("model.sale.sale.copy", [int(first.id)], {"reference": key})
    assert copy
    assert _found(tryton, key).id == first.id
    tryton.office.record_sale(order_of(tryton, key, goods(*MUGS), total="30.00"))
    assert tryton.count_documents(key)["sales"] == 2


def test_a_quotation_that_is_left_in_the_middle_follows_the_order(tryton: TrytonWorld, key: str) -> None:
    sale = tryton.office.record_sale(order_of(tryton, key, goods(*MUGS), total="30.00"))
    tryton.staff.press("sale.sale", "quote", int(sale.id))
    wanted = order_of(tryton, key, goods("1", "MUG", 1, "10.00"), total="10.00")
    assert tryton.office.record_sale(wanted).state is SaleState.DRAFT
    assert quantities(tryton.office.confirm_sale(key)) == {"1": 1}


def test_a_sale_of_ours_goes_its_whole_way_for_staff(tryton: TrytonWorld, key: str) -> None:
    """Shipped, invoiced and paid it is done, without anything that staff would have to tidy."""
    _confirmed(tryton, key)
    invoice = tryton.office.post_invoice(key).invoice
    assert invoice is not None
    _pay(tryton, key, invoice.id, "30.00")
    tryton.send_off(key)
    tryton.deliver(key)
    row = _row(tryton, key, "state", "shipment_state", "invoice_state", "to_invoice", "to_ship")
    assert (row["state"], row["shipment_state"], row["invoice_state"]) == ("done", "sent", "paid")
    assert not row["to_invoice"]
    assert not row["to_ship"]


# ---- amendments ------------------------------------------------------------------------------------------------------


def test_an_amendment_leaves_alone_what_is_picked(tryton: TrytonWorld, key: str) -> None:
    _confirmed(tryton, key)
    tryton.pick(key)
    lines = (goods(*MUGS), goods("2", "CAP", 1, "10.00"))
    sale = tryton.office.amend_sale(order_of(tryton, key, *lines, total="40.00"))
    assert _states(sale) == {ConsignmentState.PICKED: {"1": 3}, ConsignmentState.WAITING: {"2": 1}}
    assert sale.total.equals(eur("40.00"))
    fewer = tryton.office.amend_sale(order_of(tryton, key, goods("1", "MUG", 1, "10.00"), total="10.00"))
    assert quantities(fewer) == {"1": 3}
    assert [line.settled for line in fewer.lines] == [3]
    tryton.send_off(key)
    assert _found(tryton, key).shipped == {"1": 3}


def test_an_amendment_takes_back_what_was_only_assigned(tryton: TrytonWorld, key: str) -> None:
    before = tryton.office.stock(["MUG"], tryton.warehouse)["MUG"].sellable
    sale = _confirmed(tryton, key)
    tryton.staff.press(SHIPMENT, "assign_force", int(sale.consignments[0].id.rpartition("/")[2]))
    amended = tryton.office.amend_sale(order_of(tryton, key, goods("1", "MUG", 2, "20.00"), total="20.00"))
    assert _states(amended) == {ConsignmentState.WAITING: {"1": 2}}
    assert tryton.office.stock(["MUG"], tryton.warehouse)["MUG"].sellable == before - 2
    tryton.send_off(key)
    assert _found(tryton, key).shipped == {"1": 2}


def test_an_amendment_that_was_left_in_the_middle_is_not_left_to_staff(tryton: TrytonWorld, key: str) -> None:
    sale = _confirmed(tryton, key)
    tryton.staff.create("sale.amendment", {"sale": int(sale.id), "description": NOTE})
    staffs_own = tryton.staff.create("sale.amendment", {"sale": int(sale.id), "description": "ours"})
    tryton.office.amend_sale(order_of(tryton, key, goods(*MUGS), total="30.00"))
    left = tryton.staff.rows("sale.amendment", [["sale", "=", int(sale.id)]], ["state"])
    assert [row["id"] for row in left] == [staffs_own]


def test_taxes_of_a_confirmed_order_change(tryton: TrytonWorld, key: str, die_everywhere: Killer) -> None:
    _confirmed(tryton, key, tryton.vat9, total="32.70")
    order = order_of(tryton, key, goods(*MUGS, tryton.vat21), total="36.30")
    die_everywhere(lambda office: office.amend_sale(order))
    sale = _found(tryton, key)
    assert quantities(sale) == {"1": 3}
    assert sale.total.equals(eur("36.30"))
    assert _states(sale) == {ConsignmentState.WAITING: {"1": 3}}


def test_lines_are_added_once_wherever_a_worker_dies(tryton: TrytonWorld, key: str, die_everywhere: Killer) -> None:
    _confirmed(tryton, key, tryton.vat21, total="36.30")
    lines = (goods(*MUGS, tryton.vat21), goods("2", "CAP", 2, "11.98", tryton.vat21))
    order = order_of(tryton, key, *lines, total="50.77")
    die_everywhere(lambda office: office.amend_sale(order))
    sale = _found(tryton, key)
    assert quantities(sale) == {"1": 3, "2": 2}
    assert sale.total.equals(eur("50.77"))
    assert tryton.count_documents(key)["sales"] == 1
    again = order_of(tryton, key, goods(*MUGS, tryton.vat21), total="36.30")
    assert tryton.office.amend_sale(again).total.equals(eur("36.30"))


def test_an_amendment_renews_a_draft_of_the_invoice(tryton: TrytonWorld, key: str) -> None:
    sale = _confirmed(tryton, key)
    tryton.staff.press("sale.sale", "manual_invoice", int(sale.id))
    tryton.office.amend_sale(order_of(tryton, key, goods("1", "MUG", 2, "20.00"), total="20.00"))
    (invoice,) = tryton.office.post_invoice(key).invoices
    assert invoice.total.equals(eur("20.00"))


def test_a_sale_that_is_done_is_amended(tryton: TrytonWorld, key: str) -> None:
    _confirmed(tryton, key)
    invoice = tryton.office.post_invoice(key).invoice
    assert invoice is not None
    _pay(tryton, key, invoice.id, "30.00")
    tryton.send_off(key)
    tryton.deliver(key)
    assert _found(tryton, key).state is SaleState.DONE
    order = order_of(tryton, key, goods(*MUGS), goods("2", "LAMP", 1, "10.00"), total="40.00")
    sale = tryton.office.amend_sale(order)
    assert sale.state is SaleState.CONFIRMED
    assert _states(sale) == {ConsignmentState.DELIVERED: {"1": 3}, ConsignmentState.WAITING: {"2": 1}}


def test_a_processed_sale_is_cancelled_wherever_a_worker_dies(
    tryton: TrytonWorld, key: str, die_everywhere: Killer
) -> None:
    sale = _confirmed(tryton, key)
    tryton.staff.press("sale.sale", "manual_invoice", int(sale.id))
    die_everywhere(lambda office: office.cancel_sale(key))
    sale = _found(tryton, key)
    assert sale.state is SaleState.CANCELLED
    assert not sale.consignments
    assert not sale.invoices
    assert not sale.total


def test_what_is_picked_is_not_cancelled(tryton: TrytonWorld, key: str) -> None:
    _confirmed(tryton, key)
    tryton.pick(key)
    with pytest.raises(Rejected) as refusal:
        tryton.office.cancel_sale(key)
    assert refusal.value.code == Refusal.REFUSED


# ---- goods -----------------------------------------------------------------------------------------------------------


def test_a_part_that_others_shipped_is_noted_once_wherever_a_worker_dies(
    tryton: TrytonWorld, key: str, die_everywhere: Killer
) -> None:
    tryton.put_on_shelf("MUG", 0)
    _confirmed(tryton, key)
    parcels = tuple(Parcel(carrier=None, number=number, url=None) for number in ("A-1", "A-2"))
    lines = (GoodsLine(key="1", sku="MUG", quantity=2),)
    part = Shipping(key=f"{key}/shipped/1", sale=key, lines=lines, parcels=parcels)
    die_everywhere(lambda office: office.ship(part))
    sale = _found(tryton, key)
    assert _states(sale) == {ConsignmentState.SHIPPED: {"1": 2}, ConsignmentState.WAITING: {"1": 1}}
    assert [parcel.number for one in sale.consignments for parcel in one.parcels] == ["A-1", "A-2"]
    rest = Shipping(key=f"{key}/shipped/2", sale=key, lines=(GoodsLine(key="1", sku="MUG", quantity=1),))
    assert tryton.office.ship(rest).shipped == {"1": 3}
    with pytest.raises(Rejected) as refusal:
        tryton.office.ship(rest.model_copy(update={"key": f"{key}/shipped/3"}))
    assert refusal.value.code == Refusal.REFUSED


def test_what_staff_have_packed_may_be_shipped_by_others(tryton: TrytonWorld, key: str) -> None:
    _confirmed(tryton, key)
    tryton.pick(key)
    whole = Shipping(key=f"{key}/shipped/1", sale=key, lines=(GoodsLine(key="1", sku="MUG", quantity=3),))
    assert tryton.office.ship(whole).shipped == {"1": 3}


def test_goods_come_back_once_wherever_a_worker_dies(tryton: TrytonWorld, key: str, die_everywhere: Killer) -> None:
    _confirmed(tryton, key)
    tryton.send_off(key)
    tryton.deliver(key)
    lines = (GoodsLine(key="1", sku="MUG", quantity=2),)
    back = GoodsReturn(key=f"{key}/return/1", sale=key, lines=lines, warehouse=tryton.warehouse, received=True)
    before = tryton.office.stock(["MUG"], tryton.warehouse)["MUG"].on_hand
    die_everywhere(lambda office: office.take_back(back))
    assert tryton.office.stock(["MUG"], tryton.warehouse)["MUG"].on_hand == before + 2
    assert tryton.count_documents(key)["returns"] == 1
    assert _row(tryton, key, "shipment_state")["shipment_state"] == "sent"
    with pytest.raises(Rejected) as refusal:
        tryton.office.take_back(
            back.model_copy(update={"key": f"{key}/return/2", "lines": (GoodsLine(key="1", sku="MUG", quantity=9),)})
        )
    assert refusal.value.code == Refusal.REFUSED


def test_a_count_is_booked_once_wherever_a_worker_dies(tryton: TrytonWorld, key: str, die_everywhere: Killer) -> None:
    lines = (CountLine(sku="LAMP", quantity=8),)
    count = StockCount(key=f"{key}/count", warehouse=tryton.warehouse, counted_on=utc_now().date(), lines=lines)
    die_everywhere(lambda office: office.apply_count(count))
    assert tryton.office.stock(["LAMP"], tryton.warehouse)["LAMP"].on_hand == 8
    drafts = tryton.staff.rows("stock.inventory", [["state", "=", "draft"]], ["id"])
    assert drafts == []


def test_goods_of_a_shipment_that_staff_have_set_back_are_not_sellable(tryton: TrytonWorld, key: str) -> None:
    before = tryton.office.stock(["MUG"], tryton.warehouse)["MUG"]
    sale = _confirmed(tryton, key)
    waiting = tryton.office.stock(["MUG"], tryton.warehouse)["MUG"]
    number = int(sale.consignments[0].id.rpartition("/")[2])
    tryton.staff.press(SHIPMENT, "draft", number)
    assert tryton.office.stock(["MUG"], tryton.warehouse)["MUG"] == waiting
    assert waiting.sellable == before.sellable - 3
    tryton.staff.press(SHIPMENT, "wait", number)
    tryton.pick(key)
    picked = tryton.office.stock(["MUG"], tryton.warehouse)["MUG"]
    assert (picked.on_hand, picked.sellable) == (before.on_hand - 3, before.sellable - 3)


def test_stock_that_an_amendment_sets_free_is_told_of(tryton: TrytonWorld, key: str) -> None:
    order = order_of(tryton, key, goods("1", "LAMP", 3, "30.00"), goods("2", "CAP", 1, "10.00"), total="40.00")
    tryton.office.record_sale(order)
    tryton.office.confirm_sale(key)
    since = utc_now()
    tryton.office.amend_sale(order_of(tryton, key, goods("2", "CAP", 1, "10.00"), total="10.00"))
    told: set[str] = set()
    cursor: str | None = None
    while True:
        page = tryton.office.changed_stock(since, cursor)
        told |= set(page.items)
        cursor = page.cursor
        if cursor is None:
            break
    assert "LAMP" in told


# ---- money -----------------------------------------------------------------------------------------------------------


def _pay(tryton: TrytonWorld, key: str, invoice: str, amount: str) -> None:
    payment = PaymentEntry(
        key=f"{key}/payment/{amount}",
        invoice=invoice,
        amount=eur(amount),
        method=tryton.method,
        paid_on=PLACED,
        reference="ch_1",
    )
    tryton.office.register_payment(payment)


def test_a_credit_for_what_was_amended_away_makes_the_sale_even(tryton: TrytonWorld, key: str) -> None:
    _confirmed(tryton, key)
    invoice = tryton.office.post_invoice(key).invoice
    assert invoice is not None
    _pay(tryton, key, invoice.id, "30.00")
    tryton.office.amend_sale(order_of(tryton, key, goods("1", "MUG", 2, "20.00"), total="20.00"))
    note = CreditNote(
        key=f"{key}/refund/1",
        sale=key,
        name="refund",
        issued_on=PLACED,
        lines=(goods("1", "MUG", 1, "10.00"),),
        total=eur("10.00"),
        rounding=_ROUNDING,
    )
    credited = tryton.office.credit(note)
    _pay(tryton, f"{key}/refund", credited.id, "10.00")
    tryton.send_off(key)
    tryton.deliver(key)
    row = _row(tryton, key, "state", "invoice_state", "to_invoice")
    assert (row["state"], row["invoice_state"]) == ("done", "paid")
    assert not row["to_invoice"]
    assert len(_found(tryton, key).invoices) == 1


def test_a_credit_for_goods_that_came_back_leaves_the_sale_as_it_was(
    tryton: TrytonWorld, key: str, die_everywhere: Killer
) -> None:
    _confirmed(tryton, key, tryton.vat21, total="36.30")
    tryton.send_off(key)
    tryton.office.post_invoice(key)
    note = CreditNote(
        key=f"{key}/refund/1",
        sale=key,
        name="refund",
        issued_on=PLACED,
        lines=(goods("1", "MUG", 1, "10.00", tryton.vat21), charge("adjustment/1", "FEE", "1.00")),
        total=eur("13.12"),
        rounding=_ROUNDING,
    )
    die_everywhere(lambda office: office.credit(note))
    assert tryton.office.credit(note).total.equals(eur("13.12"))
    assert tryton.count_documents(key)["credits"] == 1
    assert not _row(tryton, key, "to_invoice")["to_invoice"]


def test_no_more_is_paid_than_is_due(tryton: TrytonWorld, key: str) -> None:
    _confirmed(tryton, key)
    invoice = tryton.office.post_invoice(key).invoice
    assert invoice is not None
    with pytest.raises(Rejected) as refusal:
        _pay(tryton, key, invoice.id, "31.00")
    assert refusal.value.code == Refusal.REFUSED
    assert _found(tryton, key).invoices[0].state is InvoiceState.POSTED


def test_a_payment_makes_the_feed_name_the_sale(tryton: TrytonWorld, key: str) -> None:
    _confirmed(tryton, key)
    invoice = tryton.office.post_invoice(key).invoice
    assert invoice is not None
    since = utc_now()
    _pay(tryton, key, invoice.id, "20.00")
    assert tryton.office.changed_sales(since, None).items == (key,)
    since = utc_now()
    _pay(tryton, key, invoice.id, "10.00")
    assert tryton.office.changed_sales(since, None).items == (key,)


def test_tracking_that_is_noted_later_makes_the_feed_name_the_sale(tryton: TrytonWorld, key: str) -> None:
    _confirmed(tryton, key)
    tryton.send_off(key)
    since = utc_now() + timedelta(microseconds=1)
    number = int(_found(tryton, key).consignments[0].id.rpartition("/")[2])
    tryton.staff.write(SHIPMENT, [number], {"shipping_reference": "LATE-1"})
    assert tryton.office.changed_sales(since, None).items == (key,)


# ---- people ----------------------------------------------------------------------------------------------------------


def test_a_new_address_leaves_the_old_one_to_past_orders(tryton: TrytonWorld, key: str) -> None:
    buyer = card(f"{key}/mover")
    party = int(tryton.office.save_customer(buyer))
    assert buyer.billing is not None
    new = buyer.billing.model_copy(update={"street": ("Herengracht 2",)})
    since = utc_now()
    tryton.office.save_customer(buyer.model_copy(update={"shipping": new, "email": "new@example.test"}))
    found = tryton.office.changed_customers(since, None).items
    (known,) = [customer for customer in found if customer.id == str(party)]
    assert known.card.shipping is not None
    assert known.card.billing is not None
    assert (known.card.shipping.street, known.card.billing.street) == (("Herengracht 2",), ("Keizersgracht 1",))
    assert known.card.email == "new@example.test"
    assert known.card.phone == buyer.phone


def test_a_customer_whom_staff_have_deactivated_may_order(tryton: TrytonWorld, key: str) -> None:
    party = int(tryton.office.save_customer(card(f"{key}/buyer")))
    tryton.staff.write("party.party", [party], {"active": False})
    assert _confirmed(tryton, key).state is SaleState.CONFIRMED


def test_a_slip_in_an_address_of_mail_stops_no_order(tryton: TrytonWorld, key: str) -> None:
    assert tryton.office.save_customer(card(f"{key}/slip").model_copy(update={"email": "not an address"}))


def test_a_country_that_was_not_imported_is_named(tryton: TrytonWorld, key: str) -> None:
    buyer = card(f"{key}/far")
    assert buyer.billing is not None
    far = buyer.billing.model_copy(update={"country": "FR"})
    with pytest.raises(Rejected) as refusal:
        tryton.office.save_customer(buyer.model_copy(update={"billing": far, "shipping": far}))
    assert (refusal.value.code, refusal.value.field) == (Refusal.NOT_FOUND, "country")


def _active(tryton: TrytonWorld, party: int) -> bool:
    (row,) = tryton.staff.rows("party.party", [["id", "=", party], ["active", "in", [True, False]]], ["active"])
    return bool(row["active"])


def test_a_customer_whom_staff_have_deactivated_is_brought_up_to_date_and_stays_so(
    tryton: TrytonWorld, key: str
) -> None:
    party = int(tryton.office.save_customer(card(f"{key}/gone")))
    tryton.deactivate_customer(f"{key}/gone")
    tryton.office.save_customer(card(f"{key}/gone").model_copy(update={"name": "Ada King"}))
    assert tryton.customer_names(f"{key}/gone") == ["Ada King"]
    assert not _active(tryton, party)


def test_a_mobile_number_of_staff_is_cleared_as_a_telephone_number(tryton: TrytonWorld, key: str) -> None:
    buyer = card(f"{key}/mobile").model_copy(update={"phone": None})
    party = int(tryton.office.save_customer(buyer))
    tryton.staff.create("party.contact_mechanism", {"party": party, "type": "mobile", "value": "+31612345678"})
    found = tryton.office.find_customer(buyer.key)
    assert found is not None
    assert found.card.phone == "+31612345678"
    tryton.office.save_customer(buyer.model_copy(update={"cleared": frozenset({CardField.PHONE})}))
    found = tryton.office.find_customer(buyer.key)
    assert found is not None
    assert found.card.phone is None


def test_what_staff_know_of_a_customer_is_forgotten_wherever_a_worker_dies(
    tryton: TrytonWorld, key: str, die_everywhere: Killer
) -> None:
    """A tax number, a note, a file, and an address that was out of use before."""
    buyer, word = card(f"{key}/known"), f"canary{key.rpartition('/')[2]}"
    party = int(tryton.office.save_customer(buyer))
    staff = tryton.staff
    old = staff.create("party.address", {"party": party, "street_unstructured": f"{word}straat", "city": word})
    staff.write("party.address", [old], {"active": False})
    staff.create("party.identifier", {"party": party, "code": f"{word}-17"})
    staff.create("ir.note", {"resource": f"party.party,{party}", "message": f"{word} rings twice"})
    staff.create("ir.attachment", {"resource": f"party.address,{old}", "name": word, "type": "link", "link": word})
    assert len(tryton.traces(word)) >= 4
    tryton.deactivate_customer(buyer.key)
    die_everywhere(lambda office: office.forget_customer(buyer.key))
    assert tryton.traces(word) == []
    assert tryton.customer_names(buyer.key) == ["Erased customer"]


def test_an_invoice_keeps_its_address_and_nothing_else_is_kept(tryton: TrytonWorld, key: str) -> None:
    buyer = elsewhere(card(f"{key}/billed"))
    assert buyer.billing is not None
    assert buyer.shipping is not None
    party = tryton.office.save_customer(buyer)
    order = order_of(tryton, key, goods("1", "MUG", 1, "10.00"), total="10.00", customer_id=party)
    tryton.office.record_sale(order.model_copy(update={"customer": buyer}))
    tryton.office.confirm_sale(key)
    tryton.office.post_invoice(key)
    forgotten = tryton.office.forget_customer(buyer.key)
    assert forgotten is not None
    assert forgotten.kept == ("addresses of posted invoices: 1 (bookkeeping law)",)
    domain = [["party", "=", int(party)], ["active", "in", [True, False]]]
    rows = tryton.staff.rows("party.address", domain, ["street_unstructured", "active"])
    assert [(row["street_unstructured"], row["active"]) for row in rows] == [("Coolsingel 40", False), (None, False)]
    assert tryton.office.post_invoice(key).invoice is not None


def test_a_sale_of_somebody_forgotten_still_takes_its_way(tryton: TrytonWorld, key: str) -> None:
    _confirmed(tryton, key)
    tryton.office.forget_customer(f"{key}/buyer")
    amended = order_of(tryton, key, goods("1", "MUG", 2, "20.00"), total="20.00", customer_id="1")
    assert quantities(tryton.office.amend_sale(amended)) == {"1": 2}
    tryton.put_on_shelf("MUG", 20)
    tryton.send_off(key)
    assert tryton.office.post_invoice(key).invoice is not None


# ---- journals --------------------------------------------------------------------------------------------------------


def _fees(tryton: TrytonWorld, key: str, account: str) -> Journal:
    amount = eur("12.34")
    lines = (
        JournalLine(account=tryton.accounts[0], amount=-amount, label="fees"),
        JournalLine(account=account, amount=amount, label="fees"),
    )
    return Journal(key=key, name="fees", posted_on=PLACED, currency="EUR", lines=lines)


def test_a_journal_goes_to_no_account_that_wants_a_party(tryton: TrytonWorld, key: str) -> None:
    (account, *_) = tryton.staff.rows("account.account", [["party_required", "=", True]], ["code"])
    with pytest.raises(Rejected) as refusal:
        tryton.office.post_journal(_fees(tryton, f"{key}/journal", account["code"]))
    assert refusal.value.code == Refusal.REFUSED
    assert f"account {account['code']} wants a party" in refusal.value.message
    assert tryton.count_journals(f"{key}/journal") == 0
    assert account["code"] not in {each.code for each in tryton.office.accounts()}


def test_a_journal_is_in_the_period_and_the_general_journal(tryton: TrytonWorld, key: str) -> None:
    number = int(tryton.office.post_journal(_fees(tryton, f"{key}/journal", tryton.accounts[1])))
    fields = [
        "date",
        "state",
        "number",
        "description",
        "period.name",
        "journal.code",
        "lines.debit",
        "lines.description",
    ]
    (row,) = tryton.staff.rows("account.move", [["id", "=", number]], fields)
    assert (row["date"], row["state"], row["period."]["name"]) == (PLACED, "posted", "2026-11")
    assert row["journal."]["code"] == "MISC"
    assert row["number"]
    assert row["description"] == f"{key}/journal fees"
    assert sorted(line["debit"] for line in row["lines."]) == [Decimal(0), Decimal("12.34")]


def test_a_journal_of_a_day_without_a_fiscal_year_is_refused(tryton: TrytonWorld, key: str) -> None:
    journal = _fees(tryton, f"{key}/journal", tryton.accounts[1]).model_copy(update={"posted_on": date(2001, 1, 1)})
    with pytest.raises(Rejected) as refusal:
        tryton.office.post_journal(journal)
    assert refusal.value.code == Refusal.REFUSED
    assert "no period for 2001-01-01" in refusal.value.message
