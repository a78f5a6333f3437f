"""Odoo's records in the port's words, and amounts in Odoo's."""

from decimal import Decimal
from typing import Any

import pytest

from shared.backoffices.documents import Address, ConsignmentState, InvoiceState, SaleState
from shared.backoffices.odoo import mapping
from shared.backoffices.odoo.schemas import Bill, Order, read
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected
from tests.unit.backoffices.odoo.company import eur

_LINE = {"id": 1, "product_id": {"id": 2, "default_code": "MUG"}, "product_uom_qty": 3.0, "price_unit": Decimal("3.33")}


def _order(**values: Any) -> Order:
    order = {
        "id": 9,
        "state": "sale",
        "name": "S00009",
        "amount_total": Decimal("12.1"),
        "currency_id": {"id": 1, "name": "EUR"},
    }
    return read(Order, {**order, "order_line": [_LINE], **values})


def _picking(number: int, code: str, state: str, *moves: dict[str, Any], **values: Any) -> dict[str, Any]:
    kind = {"outgoing": 2, "internal": 3, "incoming": 1}[code]
    return {
        "id": number,
        "state": state,
        "picking_type_code": code,
        "picking_type_id": kind,
        "move_ids": moves,
        **values,
    }


def _move(state: str, units: int, *, picked: bool = False) -> dict[str, Any]:
    product = {"id": 2, "default_code": "MUG"}
    values = {"product_uom_qty": units, "quantity": units, "picked": picked, "sale_line_id": 1, "product_id": product}
    return {"id": units, "state": state, **values}


@pytest.mark.parametrize(
    ("amount", "quantity", "digits", "price"),
    [
        ("10.00", 3, 2, "3.33"),
        ("10.00", 3, 10, "3.3333333333"),
        ("0.05", 7, 2, "0.01"),
        ("-4.00", 1, 2, "-4"),
        ("120.00", 1, 2, "120"),
        ("0.00", 0, 2, "0"),
    ],
)
def test_a_unit_price_has_the_digits_that_odoo_keeps(amount: str, quantity: int, digits: int, price: str) -> None:
    assert mapping.unit_price(eur(amount), quantity, digits) == price


def test_noise_of_binary_fractions_is_no_money() -> None:
    assert mapping.money(Decimal("36.300000000000004"), "EUR").equals(eur("36.30"))
    assert mapping.money(Decimal("1200.0000000002"), "JPY").minor == 1200


def test_the_step_that_has_come_furthest_is_settled() -> None:
    """A delivery in two steps: two were picked for it, and one of them has left."""
    steps = [
        _picking(1, "internal", "done", _move("done", 2)),
        _picking(2, "outgoing", "done", _move("done", 1)),
        _picking(3, "outgoing", "assigned", _move("assigned", 2)),
        _picking(4, "incoming", "done", _move("done", 1)),
    ]
    sale = mapping.told(_order(picking_ids=steps), "aurora/1", {1: "1"})
    assert [line.settled for line in sale.lines] == [2]
    assert sale.shipped == {"1": 1}
    assert [one.state for one in sale.consignments] == [ConsignmentState.SHIPPED, ConsignmentState.WAITING]


def test_what_is_picked_waits_no_more() -> None:
    sale = mapping.told(
        _order(picking_ids=[_picking(1, "outgoing", "assigned", _move("assigned", 3, picked=True))]),
        "aurora/1",
        {1: "1"},
    )
    assert sale.consignments[0].state is ConsignmentState.PICKED
    assert sale.lines[0].settled == 3


def test_parcels_stand_behind_one_another() -> None:
    picking = _picking(
        1,
        "outgoing",
        "done",
        _move("done", 3),
        date_done="2026-11-23 09:02:09",
        carrier_tracking_ref="1Z1, 1Z2",
        carrier_tracking_url="https://track.example.test/1Z1",
        carrier_id={"id": 4, "name": "UPS"},
    )
    (left,) = mapping.told(_order(picking_ids=[picking]), "aurora/1", {1: "1"}).consignments
    assert [(one.carrier, one.number, one.url) for one in left.parcels] == [("UPS", "1Z1", None), ("UPS", "1Z2", None)]
    assert left.left_at is not None
    assert left.left_at.isoformat() == "2026-11-23T09:02:09+00:00"


def test_a_line_of_staffs_own_is_told_by_odoos_number() -> None:
    assert [line.key for line in mapping.told(_order(), "aurora/1", {}).lines] == ["odoo/1"]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("draft", SaleState.DRAFT),
        ("sent", SaleState.DRAFT),
        ("sale", SaleState.CONFIRMED),
        ("done", SaleState.DONE),
        ("cancel", SaleState.CANCELLED),
    ],
)
def test_states(state: str, told: SaleState) -> None:
    assert mapping.told(_order(state=state), "aurora/1", {}).state is told


def _bill(residual: str, *payments: dict[str, Any], state: str = "posted") -> Bill:
    values = {"id": 3, "name": "INV/1", "move_type": "out_invoice", "currency_id": {"id": 1, "name": "EUR"}}
    return read(
        Bill,
        {
            **values,
            "state": state,
            "amount_total": Decimal("52.5"),
            "amount_residual": Decimal(residual),
            "matched_payment_ids": payments,
        },
    )


def test_a_payment_without_an_entry_is_paid_already() -> None:
    floating = {"id": 1, "state": "in_process", "amount": Decimal(20), "move_id": False}
    booked = {"id": 2, "state": "in_process", "amount": Decimal("12.5"), "move_id": 8}
    rejected = {"id": 3, "state": "rejected", "amount": Decimal(20), "move_id": False}
    invoice = mapping.invoice(_bill("40", floating, booked, rejected), {})
    assert invoice.unpaid.equals(eur("20.00"))
    assert invoice.state is InvoiceState.POSTED
    assert mapping.invoice(_bill("20", floating), {}).state is InvoiceState.PAID
    assert not mapping.invoice(_bill("0", floating), {}).unpaid


def test_a_draft_has_no_number_yet() -> None:
    assert mapping.invoice(_bill("52.5", state="draft"), {}).number is None
    assert mapping.invoice(_bill("0", state="cancel"), {}).state is InvoiceState.CANCELLED


def test_each_delivery_address_has_a_name_of_its_own() -> None:
    here = Address(city="Amsterdam", country="NL")
    assert mapping.address_id("aurora/7", here) == mapping.address_id(
        "aurora/7", Address(city="Amsterdam", country="NL")
    )
    assert mapping.address_id("aurora/7", here) != mapping.address_id("aurora/7", Address(city="Utrecht", country="NL"))
    assert mapping.address_id("aurora/7", here) != mapping.address_id("aurora/8", here)


def test_a_record_that_cannot_be_read_names_its_field_and_not_its_content() -> None:
    with pytest.raises(Rejected) as refusal:
        read(Order, {"id": 9, "state": "sale", "amount_total": "Ada Lovelace"})
    assert refusal.value.code == Refusal.BUG
    assert "amount_total" in refusal.value.message
    assert "Ada" not in str(refusal.value)
