"""Between Tryton's records and the port's documents."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.backoffices.documents import Address, ConsignmentState, InvoiceState, SaleState
from shared.backoffices.port import Refusal
from shared.backoffices.tryton.mapping import (
    Left,
    as_invoice,
    as_sale,
    key_of,
    left_from,
    line_values,
    open_units,
    sale_state,
    settled_units,
    unit_price,
)
from shared.backoffices.tryton.parties import as_address, is_same_contact, known, same_address
from shared.backoffices.tryton.schemas import (
    AddressRow,
    InvoiceRow,
    LogRow,
    PartyRow,
    SaleLineRow,
    SaleRow,
    ShipmentRow,
    fields_of,
    read,
)
from shared.kernel.errors import Rejected
from tests.contract.backoffices.world import eur, goods

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 9, tzinfo=UTC)


def line(number: int = 7, /, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "line",
        "note": "5001-1",
        "description": "Mug",
        "quantity": 3,
        "unit_price": Decimal("10.33"),
        "quantity_to_invoice": 0,
        "unit": 1,
        "taxes": [1],
        "product.": {"id": 1, "code": "MUG"},
        "moves.": [],
        **changes,
    }


def shipment(number: int = 4, state: str = "waiting", /, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "number": str(number),
        "reference": None,
        "state": state,
        "effective_date": None,
        "write_date": AT,
        "shipping_reference": None,
        "carrier.": None,
        "outgoing_moves.": [move(3)],
        "packages.": [],
        **changes,
    }


def move(quantity: int, *, state: str = "draft", origin: str | None = "sale.line,7") -> dict[str, Any]:
    return {"id": 9, "state": state, "quantity": quantity, "origin": origin, "product.": {"id": 1, "code": "MUG"}}


def invoice(total: str, state: str = "posted", /, **changes: Any) -> dict[str, Any]:
    billed = {
        "id": 1,
        "type": "line",
        "note": "5001-1",
        "origin": "sale.line,7",
        "quantity": 3,
        "unit_price": Decimal(10),
        "account": 99,
        "taxes": [],
        "product.": {"id": 1, "code": "MUG"},
    }
    return {
        "id": 2,
        "number": "2026-1",
        "reference": None,
        "state": state,
        "total_amount": Decimal(total),
        "amount_to_pay": Decimal(total),
        "party": 3,
        "account": 39,
        "journal": 1,
        "invoice_address": 3,
        "currency.": {"id": 1, "code": "EUR"},
        "lines.": [billed],
        **changes,
    }


def sale(state: str = "processing", /, **changes: Any) -> SaleRow:
    values = {
        "id": 1,
        "number": "1",
        "reference": "aurora/5001",
        "description": "#1001",
        "state": state,
        "total_amount": Decimal("37.50"),
        "party": 3,
        "invoice_address": 3,
        "shipment_address": 3,
        "currency.": {"id": 1, "code": "EUR"},
        "warehouse.": {"id": 5, "name": "Warehouse"},
        "lines.": [line()],
        "shipments.": [],
        "invoices.": [],
        "amendments.": [],
        **changes,
    }
    return read(SaleRow, values)


# ---- sales -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("draft", SaleState.DRAFT),
        ("quotation", SaleState.DRAFT),
        ("confirmed", SaleState.CONFIRMED),
        ("processing", SaleState.CONFIRMED),
        ("done", SaleState.DONE),
        ("cancelled", SaleState.CANCELLED),
    ],
)
def test_states_of_a_sale(state: str, told: SaleState) -> None:
    assert as_sale(sale(state), {}).state is told


def test_a_sale_that_is_done_and_empty_was_cancelled() -> None:
    assert sale_state(sale("done", **{"lines.": [line(quantity=0)]})) is SaleState.CANCELLED


def test_an_unknown_state_is_a_fault() -> None:
    with pytest.raises(Rejected) as refusal:
        as_sale(sale("mislaid"), {})
    assert refusal.value.code == Refusal.BUG


@pytest.mark.parametrize(
    ("note", "key"), [("5001-1", "5001-1"), ("5001-1\nstaff: fragile", "5001-1"), (None, "tryton-7"), ("", "tryton-7")]
)
def test_a_lines_key_is_the_first_line_of_its_note(note: str | None, key: str) -> None:
    assert key_of(read(SaleLineRow, line(note=note))) == key


def test_titles_and_emptied_lines_are_not_recorded_lines() -> None:
    title = line(8, type="title", **{"product.": None})
    told = as_sale(sale(**{"lines.": [line(), title, line(9, quantity=0)]}), {})
    assert [(each.key, each.sku, each.quantity) for each in told.lines] == [("5001-1", "MUG", 3)]


@pytest.mark.parametrize(
    ("state", "units"), [("waiting", 0), ("assigned", 0), ("picked", 2), ("packed", 2), ("shipped", 2), ("done", 2)]
)
def test_what_is_picked_is_settled(state: str, units: int) -> None:
    going = {"id": 9, "state": "draft", "quantity": 2, "shipment": "stock.shipment.out,4"}
    gone = {"id": 10, "state": "cancelled", "quantity": 1, "shipment": "stock.shipment.out,4"}
    row = sale(**{"lines.": [line(**{"moves.": [going, gone]})], "shipments.": [shipment(state=state)]})
    assert settled_units(row).get(7, 0) == units


# ---- consignments ----------------------------------------------------------------------------------------------------


def _told(row: dict[str, Any], left: Left | None = None) -> Any:
    moments = {"stock.shipment.out,4": left} if left else {}
    return as_sale(sale(**{"shipments.": [row]}), moments).consignments[0]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("draft", ConsignmentState.WAITING),
        ("assigned", ConsignmentState.WAITING),
        ("picked", ConsignmentState.PICKED),
        ("packed", ConsignmentState.PICKED),
        ("shipped", ConsignmentState.SHIPPED),
        ("done", ConsignmentState.SHIPPED),
        ("cancelled", ConsignmentState.CANCELLED),
    ],
)
def test_states_of_a_shipment(state: str, told: ConsignmentState) -> None:
    assert _told(shipment(state=state)).state is told


def test_a_shipment_arrived_only_if_it_left_before() -> None:
    logs = [
        LogRow(id=2, resource="stock.shipment.out,4", target="state:done", create_date=LATER),
        LogRow(id=1, resource="stock.shipment.out,4", target="state:shipped", create_date=AT),
        LogRow(id=3, resource="stock.shipment.out,5", target="state:done", create_date=LATER),
    ]
    left = left_from(logs)
    assert left == {
        "stock.shipment.out,4": Left(at=AT, arrived=True),
        "stock.shipment.out,5": Left(at=LATER, arrived=False),
    }
    told = _told(shipment(state="done"), left["stock.shipment.out,4"])
    assert (told.state, told.left_at) == (ConsignmentState.DELIVERED, AT)


def test_without_a_log_the_day_on_the_document_counts() -> None:
    told = _told(shipment(state="done", effective_date=date(2026, 11, 23)))
    assert told.left_at == datetime(2026, 11, 23, tzinfo=UTC)
    assert _told(shipment(state="shipped")).left_at == AT
    assert _told(shipment(state="packed")).left_at is None


def test_moves_of_one_line_are_added_up_and_others_left_out() -> None:
    moves = [
        move(1),
        move(2),
        move(5, state="cancelled"),
        move(0),
        move(4, origin=None),
        move(4, origin="sale.line,99"),
    ]
    told = _told(shipment(**{"outgoing_moves.": moves}))
    assert [(each.key, each.sku, each.quantity) for each in told.lines] == [("5001-1", "MUG", 3)]
    assert open_units(read(ShipmentRow, shipment(**{"outgoing_moves.": [move(1), move(2)]}))) == {"sale.line,7": 3}


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({"shipping_reference": "A-1"}, [("A-1", None)]),
        ({"shipping_reference": "A-1, A-2"}, [("A-1", None), ("A-2", None)]),
        ({"shipping_reference": None}, []),
        (
            {
                "shipping_reference": "MASTER",
                "packages.": [
                    {"id": 1, "shipping_reference": "P-1", "shipping_tracking_url": "https://track.example/P-1"},
                    {"id": 2, "shipping_reference": None, "shipping_tracking_url": None},
                ],
            },
            [("P-1", "https://track.example/P-1")],
        ),
    ],
)
def test_parcels(changes: dict[str, Any], numbers: list[tuple[str, str | None]]) -> None:
    told = _told(shipment(**changes, **{"carrier.": {"id": 1, "rec_name": "Post"}}))
    assert [(parcel.number, parcel.url) for parcel in told.parcels] == numbers
    assert all(parcel.carrier == "Post" for parcel in told.parcels)


# ---- money -----------------------------------------------------------------------------------------------------------


def test_a_credit_note_is_none_of_the_sales_invoices() -> None:
    told = as_sale(sale(**{"invoices.": [invoice("37.50"), invoice("-12.50")]}), {})
    assert [each.total for each in told.invoices] == [eur("37.50")]
    assert [(each.key, each.quantity) for each in told.invoices[0].lines] == [("5001-1", 3)]


def test_a_credit_note_has_positive_amounts() -> None:
    note = as_invoice(read(InvoiceRow, invoice("-12.50")), {})
    assert (note.total, note.unpaid) == (eur("12.50"), eur("12.50"))


@pytest.mark.parametrize(
    ("state", "told", "unpaid"),
    [
        ("draft", InvoiceState.DRAFT, "37.50"),
        ("validated", InvoiceState.DRAFT, "37.50"),
        ("posted", InvoiceState.POSTED, "5.00"),
        ("paid", InvoiceState.PAID, "0"),
        ("cancelled", InvoiceState.CANCELLED, "0"),
    ],
)
def test_states_of_an_invoice(state: str, told: InvoiceState, unpaid: str) -> None:
    row = read(InvoiceRow, invoice("37.50", state, amount_to_pay=Decimal("5.00")))
    found = as_invoice(row, {})
    assert found.state is told
    assert found.unpaid.equals(eur(unpaid))


@pytest.mark.parametrize(
    ("amount", "units", "price"),
    [("10.00", 3, "3.3333"), ("0.05", 7, "0.0071"), ("-4.00", 1, "-4.0000"), ("0.00035", 1, "0.0004")],
)
def test_a_unit_price_has_trytons_digits(amount: str, units: int, price: str) -> None:
    assert str(unit_price(eur(amount), units, 4)) == price


def test_a_new_line_names_its_taxes_one_by_one() -> None:
    values = line_values(goods("5001-1", "MUG", 3, "30.99"), product=1, unit=2, taxes=[], digits=4)
    assert values["taxes"] == [["add", []]]
    assert (values["note"], values["quantity"], values["unit_price"]) == ("5001-1", 3, Decimal("10.3300"))


# ---- people ----------------------------------------------------------------------------------------------------------


def _address(**changes: Any) -> AddressRow:
    values = {
        "id": 1,
        "party_name": "Ada",
        "attn": None,
        "street": "Keizersgracht 1\nII",
        "postal_code": "1015 AA",
        "city": "Amsterdam",
        "country.": {"id": 1, "code": "NL"},
        "subdivision.": None,
        "invoice": 0,
        "delivery": 1,
        "create_date": AT,
        "write_date": None,
    }
    return read(AddressRow, {**values, **changes})


def test_an_address_is_found_again_by_what_it_says() -> None:
    wanted = Address(
        name="Ada", street=("Keizersgracht 1", "II"), postal_code="1015 AA", city="Amsterdam", country="NL"
    )
    assert same_address(wanted, (_address(city="Utrecht"), _address(id=2))) == _address(id=2)
    assert same_address(wanted.model_copy(update={"company": "Engines"}), (_address(),)) is None
    engines = _address(party_name="Engines", attn="Ada")
    assert same_address(wanted.model_copy(update={"company": "Engines"}), (engines,)) is engines
    nobodys = _address(party_name="Engines", attn=None)
    assert same_address(wanted.model_copy(update={"name": None, "company": "Engines"}), (nobodys,)) is nobodys


def _party(*addresses: AddressRow, contacts: Sequence[tuple[str, str, str]] = (), code: str = "aurora/1") -> PartyRow:
    """Contacts as type, value and compact value."""
    values = {
        "id": 3,
        "code": code,
        "name": "Ada",
        "active": True,
        "lang.": None,
        "addresses.": addresses,
        "create_date": AT,
        "write_date": AT,
        "contact_mechanisms.": [
            {
                "id": number,
                "type": kind,
                "value": value,
                "value_compact": compact,
                "create_date": AT,
                "write_date": None,
            }
            for number, (kind, value, compact) in enumerate(contacts, start=1)
        ],
    }
    return read(PartyRow, values)


def test_a_mobile_number_is_a_telephone_number() -> None:
    party = _party(contacts=[("fax", "+31 20 1", "+3120 1"), ("mobile", "+31 6 12345678", "+31612345678")])
    assert known(party).card.phone == "+31612345678"


def test_an_address_without_a_mark_is_usual_for_staffs_own_customers_alone() -> None:
    unmarked = _address(invoice=0, delivery=0)
    assert known(_party(unmarked)).card.billing is None
    assert known(_party(unmarked, code="17")).card.billing == as_address(unmarked)


def test_an_empty_address_is_none() -> None:
    empty = dict.fromkeys(("party_name", "street", "postal_code", "city", "country."))
    assert known(_party(_address(**empty, invoice=1))).card.billing is None


def test_a_change_of_an_address_is_a_change_of_the_customer() -> None:
    assert known(_party(_address())).changed_at == AT
    assert known(_party(_address(write_date=LATER))).changed_at == LATER


@pytest.mark.parametrize(
    ("held", "told", "is_same"),
    [
        pytest.param(("phone", "+1 201-555-0123", "+12015550123"), "+1 (201) 555 0123", True, id="as Tryton writes it"),
        pytest.param(("phone", "+31 20 123 4567", "+31201234567"), "020 1234567", True, id="without its country"),
        pytest.param(("phone", "+31 20 123 4567", "+31201234567"), "0031201234567", True, id="with two zeros"),
        pytest.param(("phone", "+31 20 123 4567", "+31201234567"), "+32201234567", False, id="another country"),
        pytest.param(("phone", "+31 20 123 4567", "+31201234567"), "4567", False, id="an extension"),
        pytest.param(("email", "ada@example.test", ""), "Ada@Example.test ", True, id="capitals"),
        pytest.param(("email", "ada@example.test", ""), "a.da@example.test", False, id="another mailbox"),
    ],
)
def test_a_contact_is_told_from_another(held: tuple[str, str, str], told: str, *, is_same: bool) -> None:
    (contact,) = _party(contacts=[held]).contact_mechanisms
    assert is_same_contact(contact, told) is is_same


# ---- answers ---------------------------------------------------------------------------------------------------------


def test_what_is_read_is_what_is_asked_for() -> None:
    fields = fields_of(SaleRow)
    assert {"state", "lines.note", "lines.moves.shipment", "shipments.packages.shipping_reference"} <= set(fields)
    assert "lines" not in fields


def test_an_answer_that_does_not_fit_is_named_without_its_content() -> None:
    with pytest.raises(Rejected) as refusal:
        read(SaleLineRow, line(quantity="Ada Lovelace"))
    assert refusal.value.code == Refusal.BUG
    assert "quantity" in refusal.value.message
    assert "Ada" not in refusal.value.message
