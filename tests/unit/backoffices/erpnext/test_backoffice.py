"""What is ERPNext's own beside the contract: fields that a site may lack, settings, and what its rules refuse."""

import pytest

from infra.fakes.erpnext import FakeErpNext
from shared.backoffices.documents import CountLine, CustomerCard, GoodsLine, Shipping, StockCount
from shared.backoffices.erpnext.backoffice import ErpNextBackOffice
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected
from tests.unit.backoffices.erpnext.site import KEY, NOW, line, office, order, site


def _confirmed(fake: FakeErpNext) -> tuple[ErpNextBackOffice, str]:
    back = office(fake)
    customer = back.save_customer(CustomerCard(key="aurora/buyer", name="Ada Lovelace"))
    back.record_sale(order(customer, line("1", "MUG", 2, "20.00", "VAT 21 - EX"), total="24.20"))
    back.confirm_sale(KEY)
    return back, customer


def test_all_but_counts_and_added_lines_works_without_our_field() -> None:
    back, customer = _confirmed(site(custom_fields=()))
    fewer = order(customer, line("1", "MUG", 1, "10.00", "VAT 21 - EX"), total="12.10")
    assert [one.quantity for one in back.amend_sale(fewer).lines] == [1]
    assert back.post_invoice(KEY).invoice is not None


def test_a_line_is_not_added_where_its_key_cannot_be_kept() -> None:
    fake = site(custom_fields=())
    back, customer = _confirmed(fake)
    more = order(customer, line("1", "MUG", 2, "20.00", "VAT 21 - EX"), line("2", "CAP", 1, "5.00"), total="29.20")
    with pytest.raises(Rejected) as refusal:
        back.amend_sale(more)
    assert (refusal.value.code, refusal.value.field) == (Refusal.NOT_FOUND, "storebridge_key")
    (document,) = fake.site.documents["Sales Order"].values()
    assert len(document["items"]) == 1


def test_a_count_needs_the_field() -> None:
    count = StockCount(
        key="aurora/count/1",
        warehouse="Stores - EX",
        counted_on=NOW.date(),
        lines=(CountLine(sku="MUG", quantity=4),),
    )
    with pytest.raises(Rejected) as refusal:
        office(site(custom_fields=())).apply_count(count)
    assert refusal.value.field == "storebridge_key"
    back = office(site())
    assert back.apply_count(count).startswith("MAT-RECO")
    assert back.apply_count(count.model_copy(update={"key": "aurora/count/2"})) == "unchanged"


def test_a_tax_that_erpnext_would_not_take_stops_an_amendment_before_it_begins() -> None:
    fake = site()
    back, customer = _confirmed(fake)
    taxed = line("2", "CAP", 1, "10.00", "VAT 21 - EX")
    kept = line("1", "MUG", 2, "20.00", "VAT 21 - EX")
    fake.requests.clear()
    with pytest.raises(Rejected, match="taxes CAP by nothing"):
        back.amend_sale(order(customer, kept, taxed, total="36.30"))
    assert all(request.startswith("GET") for request in fake.requests)
    item = fake.site.get("Item", "CAP")
    item["taxes"] = [fake.site.row("Item Tax", {"item_tax_template": "VAT 21 - EX"}, item, "taxes")]
    amended = back.amend_sale(order(customer, kept, taxed, total="36.30"))
    assert {one.key for one in amended.lines} == {"1", "2"}


def test_a_worker_who_died_before_the_key_of_an_added_row_is_followed_by_one_who_adds_no_second() -> None:
    fake = site()
    back, customer = _confirmed(fake)
    more = order(customer, line("1", "MUG", 2, "20.00", "VAT 21 - EX"), line("2", "CAP", 1, "5.00"), total="29.20")
    back.amend_sale(more)
    (document,) = fake.site.documents["Sales Order"].values()
    document["items"][1]["storebridge_key"] = None
    assert [one.key for one in office(fake).amend_sale(more).lines] == ["1", "2"]


def test_negative_rates_are_refused_in_erpnexts_words_and_the_doctor_knows() -> None:
    fake = site()
    fake.trade.negative_rates = False
    back = office(fake)
    customer = back.save_customer(CustomerCard(key="aurora/buyer", name="Ada Lovelace"))
    lines = (line("1", "MUG", 1, "10.00"), line("gift_card", "FEE", 1, "-4.00"))
    with pytest.raises(Rejected) as refusal:
        back.record_sale(order(customer, *lines, total="6.00"))
    assert refusal.value.message == "For item FEE, rate must be a positive number"
    assert [missing.what for missing in back.missing_rights()] == ["enter lines that lower the total"]


def test_missing_rights_and_fields_are_named() -> None:
    fake = site(custom_fields=("Sales Order Item",))
    fake.denied = {("Delivery Note", "submit"), ("Bin", "read")}
    missing = [one.what for one in office(fake).missing_rights()]
    assert missing == ["read Bin", "submit Delivery Note", "keep our key on Stock Reconciliation"]


def test_the_last_shipment_takes_the_services_along() -> None:
    fake = site()
    back = office(fake)
    bin_ = fake.trade.bin("MUG", "Stores - EX")
    bin_["actual_qty"] += 5
    customer = back.save_customer(CustomerCard(key="aurora/buyer", name="Ada Lovelace"))
    lines = (line("1", "MUG", 2, "20.00"), line("shipping/1", "SHIPPING", 1, "4.00"))
    back.record_sale(order(customer, *lines, total="24.00"))
    back.confirm_sale(KEY)
    sale = back.ship(Shipping(key=f"{KEY}/shipped/1", sale=KEY, lines=(GoodsLine(key="1", sku="MUG", quantity=1),)))
    assert len(next(iter(fake.site.documents["Delivery Note"].values()))["items"]) == 1
    sale = back.ship(Shipping(key=f"{KEY}/shipped/2", sale=KEY, lines=(GoodsLine(key="1", sku="MUG", quantity=1),)))
    assert sale.shipped == {"1": 2}
    (document,) = fake.site.documents["Sales Order"].values()
    assert document["status"] == "To Bill"


def test_more_than_is_open_is_not_shipped() -> None:
    back, _ = _confirmed(site())
    shipping = Shipping(key=f"{KEY}/shipped/1", sale=KEY, lines=(GoodsLine(key="1", sku="MUG", quantity=3),))
    with pytest.raises(Rejected, match="3 × MUG cannot be shipped: 2 are open"):
        back.ship(shipping)


def test_a_draft_invoice_of_staffs_over_another_amount_is_left_alone() -> None:
    fake = site()
    back, customer = _confirmed(fake)
    drawn = fake.trade.invoice_for(next(iter(fake.site.documents["Sales Order"].values())))
    values = {name: value for name, value in drawn.items() if not name.startswith("__")}
    values["items"] = [{key: each for key, each in row.items() if key != "__islocal"} for row in values["items"]]
    draft = fake.site.fresh("Sales Invoice", values)
    fake.trade.validate(draft)
    fake.site.keep(draft)
    back.amend_sale(order(customer, line("1", "MUG", 1, "10.00", "VAT 21 - EX"), total="12.10"))
    with pytest.raises(Rejected, match="stands in the invoice's way"):
        back.post_invoice(KEY)
    draft["remarks"] = f"storebridge {KEY}"
    assert len([one for one in back.post_invoice(KEY).invoices if one.stands]) == 1


def test_customers_are_brought_up_to_date_and_told_with_their_addresses() -> None:
    fake = site()
    back = office(fake)
    card = CustomerCard(key="aurora/c/7", name="Ada Lovelace", email="ada@example.test")
    number = back.save_customer(card)
    assert back.save_customer(card.model_copy(update={"email": "countess@example.test", "phone": "+311"})) == number
    fake.requests.clear()
    back.save_customer(CustomerCard(key="aurora/c/7", name="Ada Lovelace"))
    assert len(fake.requests) == 1
    (told,) = back.changed_customers(NOW, None).items
    assert (told.key, told.card.email, told.card.phone) == ("aurora/c/7", "countess@example.test", "+311")
