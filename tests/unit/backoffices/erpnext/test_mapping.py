"""Documents to ERPNext's records and back."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backoffices.documents import Address, ConsignmentState, InvoiceState
from shared.backoffices.erpnext import mapping
from shared.backoffices.erpnext.schemas import (
    AddressDocument,
    ContactDocument,
    CustomerDocument,
    InvoiceDocument,
    NoteDocument,
    OrderRow,
)
from shared.orders.models import Parcel
from tests.unit.backoffices.erpnext.site import eur, line, order

INDIA = ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("amount", "units", "rate"),
    [("10.00", 3, "3.333333333"), ("30.99", 3, "10.330000000"), ("-4.00", 1, "-4.000000000"), ("0.00", 2, "0E-9")],
)
def test_a_rate_has_the_digits_that_erpnext_can_hold(amount: str, units: int, rate: str) -> None:
    assert str(mapping.unit_rate(line("1", "MUG", units, amount))) == rate


def test_a_free_line_does_not_get_the_list_price() -> None:
    row = mapping.order_row(line("1", "MUG", 2, "0.00"), order("C", total="0.00"))
    assert row["discount_percentage"] == 100


def test_each_account_has_one_row_without_a_rate() -> None:
    rows = mapping.tax_rows(["VAT - EX", "VAT low - EX", "VAT - EX"])
    assert [(row["account_head"], row["rate"]) for row in rows] == [("VAT - EX", 0), ("VAT low - EX", 0)]


def _row(**fields: object) -> OrderRow:
    return OrderRow.model_validate({"name": "r1", "item_code": "MUG", "qty": 3, **fields})


@pytest.mark.parametrize(
    ("rate", "amount", "same"),
    [("3.33", "10.00", True), ("3.3333", "10.00", True), ("3.34", "10.00", False), ("10.0", "30.00", True)],
)
def test_a_rate_that_erpnext_has_rounded_is_the_same(rate: str, amount: str, same: bool) -> None:
    assert mapping.is_same_rate(_row(rate=Decimal(rate)), line("1", "MUG", 3, amount)) is same


def test_a_row_is_known_by_either_field_for_its_key() -> None:
    assert _row(storebridge_key="1", additional_notes="x").key == "1"
    assert _row(storebridge_key=None, additional_notes="2").key == "2"
    assert mapping.key_of(_row()) == "row/r1"


def test_binary_fractions_of_a_cent_do_not_reach_the_books() -> None:
    assert mapping.money(Decimal("62.490000000000002"), "EUR") == eur("62.49")
    assert mapping.money(Decimal("1200.0"), "JPY").minor == 1200


def test_a_note_in_preparation_is_picked_and_a_submitted_one_has_left() -> None:
    draft = NoteDocument(name="DN-1", docstatus=0)
    assert mapping.consignment_of(draft, (), INDIA).state is ConsignmentState.PICKED
    sent = NoteDocument(name="DN-2", docstatus=1, posting_date="2026-11-23", posting_time="9:02:09.5", lr_no="A, B")
    told = mapping.consignment_of(sent, (), INDIA)
    assert told.left_at == datetime(2026, 11, 23, 3, 32, 9, 500000, tzinfo=UTC)
    assert [parcel.number for parcel in told.parcels] == ["A", "B"]
    assert mapping.consignment_of(NoteDocument(name="DN-3", docstatus=2), (), INDIA).state is ConsignmentState.CANCELLED


def test_several_parcels_share_the_fields_of_a_note() -> None:
    parcels = (Parcel(carrier="DHL", number="A", url=None), Parcel(carrier="DHL", number="B", url=None))
    assert mapping.parcel_fields(parcels) == {"lr_no": "A, B", "transporter_name": "DHL"}
    assert mapping.parcel_fields(()) == {}


def test_a_credit_note_is_told_in_positive_amounts() -> None:
    document = InvoiceDocument.model_validate(
        {
            "name": "SINV-2",
            "docstatus": 1,
            "currency": "EUR",
            "grand_total": -12.5,
            "outstanding_amount": -2.5,
            "is_return": 1,
        }
    )
    invoice = mapping.invoice_of(document)
    assert (invoice.total, invoice.unpaid, invoice.state) == (eur("12.50"), eur("2.50"), InvoiceState.POSTED)


def test_our_key_is_the_first_line_and_what_staff_wrote_stays() -> None:
    details = mapping.details_with_key("likes tea\nno calls", "aurora/7")
    assert details == "storebridge aurora/7\nlikes tea\nno calls"
    assert mapping.details_with_key(details, "aurora/8") == "storebridge aurora/8\nlikes tea\nno calls"
    assert mapping.key_in_details(details) == "aurora/7"
    assert mapping.key_in_details("likes tea") is None


def test_an_address_says_first_who_lives_there() -> None:
    gift = Address(name="Charles Babbage", company="Engines", street=("Dam 1", "2nd floor"), city="Amsterdam")
    fields = mapping.address_fields(gift, "Netherlands")
    assert fields is not None
    assert fields["address_line1"] == "Attn: Charles Babbage / Engines"
    assert fields["address_line2"] == "Dam 1 · 2nd floor"
    assert mapping.address_fields(Address(country="NL"), "Netherlands") is None
    assert mapping.address_fields(Address(name="Ada", city="Amsterdam"), "Netherlands") is None


_WORDS = st.text(st.sampled_from("abcÄß市 -,"), min_size=1, max_size=20).map(str.strip).filter(bool)


@given(
    name=_WORDS | st.none(),
    company=_WORDS | st.none(),
    street=st.lists(_WORDS, min_size=1, max_size=3),
    state=_WORDS | st.none(),
    code=_WORDS | st.none(),
)
def test_an_address_is_read_as_it_was_written(
    name: str | None, company: str | None, street: list[str], state: str | None, code: str | None
) -> None:
    address = Address(
        name=name,
        company=company,
        street=tuple(street),
        city="Amsterdam",
        subdivision=state,
        postal_code=code,
        country="NL",
    )
    fields = mapping.address_fields(address, "Netherlands")
    assert fields is not None
    written = AddressDocument.model_validate({"name": "A", "is_primary_address": 1, **fields})
    assert mapping.reads_as(written, fields)
    customer = CustomerDocument(name="Ada", modified="2026-11-23 14:30:00.000000")
    known = mapping.known_customer(customer, None, [written], {"Netherlands": "NL"}, INDIA)
    assert known.card.billing == address
    assert known.card.shipping is None


def test_the_contact_knows_best_how_a_customer_is_reached() -> None:
    customer = CustomerDocument(name="Ada", modified="2026-11-23 14:30:00.000000", email_id="old@example.test")
    contact = ContactDocument(name="Ada-Ada", modified="2026-11-24 14:30:00.000000", email_id="new@example.test")
    known = mapping.known_customer(customer, contact, (), {}, INDIA)
    assert (known.card.email, known.card.phone) == ("new@example.test", None)
    assert known.changed_at == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("aurora/5001", True),
        ("aurora-2/order_01H", True),
        ("PO 4711", False),
        ("aurora/5001/shipped/1", False),
        ("", False),
    ],
)
def test_a_purchase_order_of_staffs_own_is_no_key(text: str, ours: bool) -> None:
    assert mapping.is_key_of_sale(text) is ours


def test_times_are_the_sites() -> None:
    moment = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert mapping.local_text(moment, INDIA) == "2026-11-23 14:30:00.000000"
    assert mapping.aware("2026-11-23 14:30:00.000000", INDIA) == moment
