"""Odoo's records as documents, and documents as what `load` takes: text, amounts in decimal digits. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from shared.backoffices.documents import (
    Address,
    Consignment,
    ConsignmentLine,
    ConsignmentState,
    Invoice,
    InvoicedLine,
    InvoiceState,
    RecordedLine,
    Sale,
    SaleState,
)
from shared.backoffices.odoo.names import external_id
from shared.backoffices.odoo.schemas import Bill, Line, Move, Order, Picking
from shared.kernel.clock import parse_time
from shared.kernel.money import Money, currency_exponent
from shared.orders.models import Parcel

NOTHING: Mapping[str, Any] = {}
"""Specification of a field that is read as it is."""

_STATES = {"draft": SaleState.DRAFT, "sent": SaleState.DRAFT, "sale": SaleState.CONFIRMED, "done": SaleState.DONE}
_UNMATCHED = ("in_process", "paid")
"""States of a payment that counts."""


# ---- what is read ----------------------------------------------------------------------------------------------------


def order_specification(line_taxes: str, *, tracks: bool, payments: bool) -> dict[str, Any]:
    """All of a sale, for one `web_search_read`."""
    tracking = {"carrier_tracking_ref": {}, "carrier_tracking_url": {}, "carrier_id": _linked("name")} if tracks else {}
    return {
        "name": {},
        "state": {},
        "origin": {},
        "client_order_ref": {},
        "amount_total": {},
        "currency_id": _linked("name"),
        "partner_id": {},
        "partner_invoice_id": {},
        "partner_shipping_id": {},
        "payment_term_id": {},
        "fiscal_position_id": {},
        "order_line": _linked(
            *("product_uom_qty", "price_unit", "price_subtotal", "discount", "name", line_taxes, "display_type"),
            product_id=_linked("default_code"),
        ),
        "picking_ids": _linked(
            *("name", "state", "origin", "date_done", "picking_type_code", "picking_type_id", "backorder_id"),
            move_ids=_linked(
                *("state", "product_uom_qty", "quantity", "picked", "sale_line_id", "location_dest_id"),
                product_id=_linked("default_code"),
            ),
            **tracking,
        ),
        "invoice_ids": bill_specification(payments=payments),
    }


def bill_specification(*, payments: bool) -> dict[str, Any]:
    matched = {"matched_payment_ids": _linked("state", "amount", "move_id")} if payments else {}
    return _linked(
        *("name", "state", "move_type", "amount_total", "amount_residual", "partner_id"),
        currency_id=_linked("name"),
        invoice_line_ids=_linked("quantity", "display_type", "sale_line_ids"),
        **matched,
    )


def _linked(*names: str, **deeper: Any) -> dict[str, Any]:
    return {"fields": {**dict.fromkeys(names, NOTHING), **deeper}}


# ---- sales -----------------------------------------------------------------------------------------------------------


def told(order: Order, key: str, keys: Mapping[int, str]) -> Sale:
    """The sale in the port's words. `keys` are ours by Odoo's line id; a line that staff added is `odoo/<id>`."""
    lines = {line.id: line for line in order.order_line if not line.display_type}
    named = {number: keys.get(number, f"odoo/{number}") for number in lines}
    settled = settled_units(order)
    return Sale(
        id=str(order.id),
        number=order.name,
        key=key,
        state=_STATES.get(order.state, SaleState.CANCELLED),
        lines=tuple(
            RecordedLine(
                key=named[line.id], sku=line.sku, quantity=whole(line.product_uom_qty), settled=settled[line.id]
            )
            for line in lines.values()
        ),
        total=order_total(order),
        consignments=tuple(
            _consignment(picking, named, lines)
            for picking in sorted(order.picking_ids, key=lambda picking: picking.id)
            if picking.is_to_buyer
        ),
        invoices=tuple(
            invoice(bill, named)
            for bill in sorted(order.invoice_ids, key=lambda bill: bill.id)
            if bill.move_type == "out_invoice"
        ),
    )


def order_total(order: Order) -> Money:
    return money(order.amount_total, order.currency_id.name if order.currency_id else None)


def settled_units(order: Order) -> dict[int, int]:
    """Picked or shipped units by line id. Where goods go through several steps, that which has come furthest counts."""
    by_step: dict[int, dict[int | None, Decimal]] = {line.id: {} for line in order.order_line}
    for picking in order.picking_ids:
        if picking.picking_type_code == "incoming":
            continue
        for move in picking.move_ids:
            if move.sale_line_id in by_step and (move.state == "done" or (move.is_open and move.picked)):
                steps = by_step[move.sale_line_id]
                steps[picking.picking_type_id] = steps.get(picking.picking_type_id, Decimal(0)) + move.quantity
    return {number: whole(max(steps.values(), default=Decimal(0))) for number, steps in by_step.items()}


def _consignment(picking: Picking, keys: Mapping[int, str], lines: Mapping[int, Line]) -> Consignment:
    return Consignment(
        id=str(picking.id),
        number=picking.name,
        state=_consignment_state(picking),
        left_at=parse_time(picking.date_done) if picking.state == "done" and picking.date_done else None,
        lines=tuple(_consignment_lines(picking, keys, lines)),
        parcels=tuple(_parcels(picking)),
    )


def _consignment_lines(
    picking: Picking, keys: Mapping[int, str], lines: Mapping[int, Line]
) -> Iterable[ConsignmentLine]:
    units: dict[int, int] = {}
    for move in picking.move_ids:
        line = lines.get(move.sale_line_id or 0)
        if line is not None and _same_product(move, line) and (move.state != "cancel" or picking.state == "cancel"):
            moved = move.quantity if move.state == "done" else move.product_uom_qty
            units[line.id] = units.get(line.id, 0) + whole(moved)
    return [
        ConsignmentLine(key=keys[number], sku=lines[number].sku, quantity=count)
        for number, count in units.items()
        if count
    ]


def _same_product(move: Move, line: Line) -> bool:
    """Not so for the parts of a kit, which Odoo ships in the kit's place."""
    return move.product_id is not None and line.product_id is not None and move.product_id.id == line.product_id.id


def _consignment_state(picking: Picking) -> ConsignmentState:
    if picking.state == "done":
        return ConsignmentState.SHIPPED
    if picking.state == "cancel":
        return ConsignmentState.CANCELLED
    is_picked = any(move.picked and move.quantity for move in picking.move_ids if move.is_open)
    return ConsignmentState.PICKED if is_picked else ConsignmentState.WAITING


def _parcels(picking: Picking) -> Iterable[Parcel]:
    """Odoo writes the numbers of several parcels behind one another, commas between them (`stock_delivery`)."""
    numbers = [number.strip() for number in (picking.carrier_tracking_ref or "").split(",") if number.strip()]
    url = picking.carrier_tracking_url if len(numbers) == 1 else None
    carrier = picking.carrier_id.name if picking.carrier_id else None
    return [Parcel(carrier=carrier, number=number, url=url) for number in numbers]


# ---- invoices --------------------------------------------------------------------------------------------------------


def invoice(bill: Bill, keys: Mapping[int, str]) -> Invoice:
    unpaid = unpaid_of(bill)
    return Invoice(
        id=str(bill.id),
        number=bill.name if bill.state == "posted" else None,
        state=_invoice_state(bill, unpaid),
        total=money(bill.amount_total, _currency(bill)),
        unpaid=unpaid,
        lines=tuple(
            InvoicedLine(key=keys[line.sale_line_ids[0]], quantity=whole(line.quantity))
            for line in bill.invoice_line_ids
            if line.display_type == "product" and line.sale_line_ids and line.sale_line_ids[0] in keys
        ),
    )


def unpaid_of(bill: Bill) -> Money:
    """What is open, less payments that have no journal entry yet: Odoo counts those when the bank's statement comes."""
    floating = sum(
        (paid.amount for paid in bill.matched_payment_ids if paid.move_id is None and paid.state in _UNMATCHED),
        start=Decimal(0),
    )
    return money(max(bill.amount_residual - floating, Decimal(0)), _currency(bill))


def _invoice_state(bill: Bill, unpaid: Money) -> InvoiceState:
    if bill.state == "posted":
        return InvoiceState.POSTED if unpaid else InvoiceState.PAID
    return InvoiceState.DRAFT if bill.state == "draft" else InvoiceState.CANCELLED


def _currency(bill: Bill) -> str | None:
    return bill.currency_id.name if bill.currency_id else None


# ---- numbers ---------------------------------------------------------------------------------------------------------


def money(amount: Decimal, currency: str | None) -> Money:
    """Odoo computes in binary fractions and rounds to the currency: what its JSON shows beyond that is noise."""
    code = currency or "XXX"
    return Money.parse(amount.quantize(Decimal(1).scaleb(-currency_exponent(code)), ROUND_HALF_UP), code)


def whole(quantity: Decimal) -> int:
    return int(quantity)


def unit_price(amount: Money, quantity: int, digits: int) -> str:
    """What one unit costs at so many decimals; the amount itself where there are no units to divide by."""
    price = amount.decimal / max(quantity, 1)
    return f"{price.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP).normalize():f}"


# ---- customers -------------------------------------------------------------------------------------------------------


def address_id(customer: str, address: Address) -> str:
    """External id of an address. Each has its own, so that a sale keeps those that it was made out to."""
    digest = hashlib.sha256(address.model_dump_json().encode()).hexdigest()[:12]
    return external_id("customer", customer, "to", digest)


def address_fields(address: Address, country: str | None, state: str | None) -> dict[str, str]:
    street, *more = address.street or ("",)
    return {
        "street": street,
        "street2": ", ".join(more),
        "zip": address.postal_code or "",
        "city": address.city or "",
        "company_name": address.company or "",
        "country_id/.id": country or "",
        "state_id/.id": state or "",
    }


def written(cells: Mapping[str, str]) -> dict[str, Any]:
    """What `load` takes, as `write` takes it: ids as numbers, false for what is empty."""
    return {
        column.removesuffix("/.id"): (int(text) if column.endswith("/.id") else text) if text else False
        for column, text in cells.items()
    }
