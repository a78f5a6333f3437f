"""What is ERPNext's own beside the contract: fields that a site may lack, settings, and what its rules refuse."""

from datetime import datetime, timedelta

import pytest

from infra.fakes.erpnext import FakeErpNext
from infra.fakes.erpnext_site import Json
from shared.backoffices.documents import (
    Address,
    CardField,
    CountLine,
    CustomerCard,
    GoodsLine,
    KnownCustomer,
    Shipping,
    StockCount,
)
from shared.backoffices.erpnext.backoffice import ErpNextBackOffice
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected
from tests.contract.backoffices.erpnext_world import COMPANY
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
    assert len(fake.requests) == 3
    assert all(request.startswith("GET") for request in fake.requests)
    (told,) = back.changed_customers(NOW, None).items
    assert (told.key, told.card.email, told.card.phone) == ("aurora/c/7", "countess@example.test", "+311")


HOME = Address(name="Ada Lovelace", street=("Dam 1", "2nd floor"), postal_code="1012", city="Amsterdam", country="NL")
ADA = CustomerCard(
    key="aurora/customer/7", name="Ada Lovelace", email="ada@example.test", phone="+31201234567", billing=HOME
)


def _one(fake: FakeErpNext, doctype: str) -> Json:
    (document,) = fake.site.documents[doctype].values()
    return document


def test_what_staff_noted_beside_ours_stays() -> None:
    fake = site()
    back = office(fake)
    back.save_customer(ADA)
    contact = _one(fake, "Contact")
    for table, field, value in (("email_ids", "email_id", "work@example.test"), ("phone_nos", "phone", "+3299")):
        doctype = fake.site.doctype("Contact").tables[table]
        contact[table].append(fake.site.row(doctype, {field: value}, contact, table))
    back.save_customer(ADA.model_copy(update={"email": "countess@example.test", "phone": "+311"}))
    contact = _one(fake, "Contact")
    assert [row["email_id"] for row in contact["email_ids"]] == ["countess@example.test", "work@example.test"]
    assert [row["phone"] for row in contact["phone_nos"]] == ["+311", "+3299"]
    cleared = ADA.model_copy(update={"email": None, "cleared": frozenset({CardField.EMAIL})})
    back.save_customer(cleared)
    assert _one(fake, "Contact")["email_ids"] == []
    assert len(_one(fake, "Contact")["phone_nos"]) == 2


def test_an_address_or_a_contact_that_alone_changes_is_told() -> None:
    fake = site()
    back = office(fake)
    back.save_customer(ADA)
    later = NOW + timedelta(hours=1)
    fake.site.at(later)
    assert _told(back, later) == []
    fake.site.keep(_one(fake, "Address") | {"city": "Utrecht"})
    (told,) = _told(back, later)
    assert told.card.billing is not None
    assert (told.card.billing.city, told.card.name) == ("Utrecht", "Ada Lovelace")
    assert told == back.find_customer(ADA.key)
    assert told.changed_at >= later
    with pytest.raises(Rejected, match="invalid_cursor"):
        back.changed_customers(later, "3:")


def _told(back: ErpNextBackOffice, since: datetime) -> list[KnownCustomer]:
    cursor, found = None, list[KnownCustomer]()
    while True:
        page = back.changed_customers(since, cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


def test_an_address_that_documents_point_at_is_not_written_over() -> None:
    fake = site()
    back = office(fake)
    back.save_customer(ADA)
    back.save_customer(ADA.model_copy(update={"billing": HOME.model_copy(update={"street": ("Dam 2",)})}))
    addresses = fake.site.documents["Address"].values()
    assert [(one["address_line2"], one["is_primary_address"]) for one in addresses] == [
        ("Dam 1 · 2nd floor", 0),
        ("Dam 2", 1),
    ]
    back.save_customer(ADA)
    assert [one["is_primary_address"] for one in addresses] == [1, 0]


def test_a_draft_follows_the_orders_address() -> None:
    fake = site()
    back = office(fake)
    first = order(back.save_customer(ADA), line("1", "MUG", 2, "20.00"), total="20.00")
    first = first.model_copy(update={"customer": ADA.model_copy(update={"shipping": HOME})})
    back.save_customer(first.customer)
    back.record_sale(first)
    elsewhere = HOME.model_copy(update={"city": "Rotterdam"})
    moved = first.customer.model_copy(update={"shipping": elsewhere, "for_one_order": True})
    back.save_customer(moved)
    back.record_sale(first.model_copy(update={"customer": moved}))
    document = _one(fake, "Sales Order")
    assert "Rotterdam" in document["shipping_address"]
    assert "Amsterdam" in document["address_display"]
    known = back.find_customer(ADA.key)
    assert known is not None
    assert known.card.shipping == HOME
    fake.requests.clear()
    back.record_sale(first.model_copy(update={"customer": moved}))
    assert len(fake.requests) == 3
    assert all(request.startswith("GET") for request in fake.requests)


def _traces(fake: FakeErpNext, word: str) -> set[str]:
    return {
        doctype
        for doctype, documents in fake.site.documents.items()
        for name, document in documents.items()
        if word in f"{name} {document!r}"
    }


def test_what_only_the_administrator_can_delete_is_said() -> None:
    fake = site()
    back = office(fake)
    back.save_customer(ADA)
    forgotten = back.forget_customer(ADA.key)
    assert forgotten is not None
    assert forgotten.kept == ("the change log (Version): only ERPNext's Administrator can delete it",)
    assert _traces(fake, "Lovelace") == {"Version"}
    fake.denied = {("Version", "read")}
    again = back.forget_customer(ADA.key)
    assert again is not None
    assert again.kept == ("the change log (Version), if ERPNext keeps one: this user may not look at it",)


def test_comments_that_may_not_be_emptied_are_said() -> None:
    fake = site()
    fake.trade.tracked = frozenset()
    back = office(fake)
    back.save_customer(ADA)
    about = {"comment_type": "Comment", "reference_doctype": "Customer", "reference_name": "Ada Lovelace"}
    fake.site.keep(fake.site.fresh("Comment", {**about, "content": "Lovelace likes tea"}))
    fake.denied = {("Comment", "write")}
    forgotten = back.forget_customer(ADA.key)
    assert forgotten is not None
    assert forgotten.kept == ("comments on the customer: this user has no right to write a Comment",)
    assert _traces(fake, "Lovelace") == {"Comment"}
    fake.denied = set()
    again = back.forget_customer(ADA.key)
    assert again is not None
    assert (again.kept, _traces(fake, "Lovelace")) == ((), set())


def test_what_staff_added_is_forgotten_and_what_others_share_is_left_to_them() -> None:
    fake = site()
    fake.trade.tracked = frozenset()
    back = office(fake)
    back.save_customer(ADA)
    other = back.save_customer(CustomerCard(key="aurora/customer/8", name="Charles Babbage"))
    links = [{"link_doctype": "Customer", "link_name": name} for name in ("Ada Lovelace", other)]
    place = {"address_title": "Lovelace", "address_type": "Office", "city": "London", "country": "Netherlands"}
    for count, line1 in ((1, "Lovelace House"), (2, "The shared office")):
        fake.site.keep(fake.site.fresh("Address", {**place, "address_line1": line1, "links": links[:count]}))
    forgotten = back.forget_customer(ADA.key)
    assert forgotten is not None
    assert forgotten.kept == ("one Address that is somebody else's as well",)
    addresses = {one["address_line1"]: one for one in fake.site.documents["Address"].values()}
    assert [link["link_name"] for link in addresses["The shared office"]["links"]] == [other]
    emptied = sorted(name for name, one in fake.site.documents["Address"].items() if one["address_line1"] == "-")
    known = back.find_customer(ADA.key)
    assert known is not None
    assert emptied == [f"{known.id}-1", "aurora/customer/7-Billing"]


def test_a_name_that_erpnext_counted_stays() -> None:
    fake = site()
    fake.trade.tracked = frozenset()
    fake.names_by_customer = False
    back = office(fake)
    name = back.save_customer(ADA)
    fake.site.rename("Customer", name, "CUST-2026-00017")
    assert back.forget_customer(ADA.key) is not None
    known = back.find_customer(ADA.key)
    assert known is not None
    assert (known.id, known.card.name.rpartition(" ")[0]) == ("CUST-2026-00017", "Erased customer")
    assert _traces(fake, "Lovelace") == set()


def test_drafts_are_forgotten_and_submitted_documents_are_counted() -> None:
    fake = site()
    fake.trade.tracked = frozenset()
    back = office(fake)
    customer = back.save_customer(ADA)
    back.record_sale(order(customer, line("1", "MUG", 2, "20.00"), total="20.00"))
    assert _traces(fake, "Lovelace") >= {"Sales Order", "Customer", "Contact", "Address"}
    forgotten = back.forget_customer(ADA.key)
    assert forgotten is not None
    assert (forgotten.kept, _traces(fake, "Lovelace")) == ((), set())
    back.confirm_sale(KEY)
    again = back.forget_customer(ADA.key)
    assert again is not None
    assert again.kept == ("copies in what is submitted, which nobody can change (bookkeeping law): 1 Sales Order",)


def test_a_payment_that_waits_to_be_submitted_is_forgotten_too() -> None:
    fake = site()
    fake.trade.tracked = frozenset()
    back = office(fake)
    values = {
        "payment_type": "Receive",
        "party_type": "Customer",
        "party": back.save_customer(ADA),
        "company": COMPANY,
        "paid_amount": 5,
        "received_amount": 5,
        "reference_no": "bank 1",
        "references": [],
    }
    draft = fake.site.fresh("Payment Entry", values)
    fake.trade.validate(draft)
    fake.site.keep(draft)
    assert "Payment Entry" in _traces(fake, "Lovelace")
    forgotten = back.forget_customer(ADA.key)
    assert forgotten is not None
    assert (forgotten.kept, _traces(fake, "Lovelace")) == ((), set())
