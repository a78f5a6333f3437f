"""Between Tryton's records and the documents of the port. Pure: no calls.

A line's key is the first line of its note; staff may write below it. Lines without one are staff's own.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple, TypeVar

from shared.backoffices.documents import (
    Consignment,
    ConsignmentLine,
    ConsignmentState,
    Invoice,
    InvoicedLine,
    InvoiceState,
    RecordedLine,
    Sale,
    SaleLine,
    SaleState,
)
from shared.backoffices.http import bug
from shared.backoffices.tryton.schemas import InvoiceRow, LogRow, SaleLineRow, SaleRow, ShipmentRow
from shared.kernel.money import Money
from shared.orders.models import Parcel

_State = TypeVar("_State", SaleState, ConsignmentState, InvoiceState)

SHIPMENT = "stock.shipment.out"
SALE_LINE = "sale.line"

_SALE_STATES = {
    "draft": SaleState.DRAFT,
    "quotation": SaleState.DRAFT,
    "confirmed": SaleState.CONFIRMED,
    "processing": SaleState.CONFIRMED,
    "done": SaleState.DONE,
    "cancelled": SaleState.CANCELLED,
}
_SHIPMENT_STATES = {
    "draft": ConsignmentState.WAITING,
    "waiting": ConsignmentState.WAITING,
    "assigned": ConsignmentState.WAITING,
    "picked": ConsignmentState.PICKED,
    "packed": ConsignmentState.PICKED,
    "shipped": ConsignmentState.SHIPPED,
    "done": ConsignmentState.SHIPPED,
    "cancelled": ConsignmentState.CANCELLED,
}
_INVOICE_STATES = {
    "draft": InvoiceState.DRAFT,
    "validated": InvoiceState.DRAFT,
    "posted": InvoiceState.POSTED,
    "paid": InvoiceState.PAID,
    "cancelled": InvoiceState.CANCELLED,
}
_SETTLED = frozenset({"picked", "packed", "shipped", "done"})
LEFT = frozenset({"shipped", "done"})


class Left(NamedTuple):
    """When a shipment left, and whether it was seen to arrive later."""

    at: datetime
    arrived: bool


def left_from(logs: Iterable[LogRow]) -> dict[str, Left]:
    """By shipment. One that staff took from `packed` to `done` in one step has left; nobody has seen it arrive."""
    moments: dict[str, dict[str, datetime]] = {}
    for log in sorted(logs, key=lambda each: each.create_date):
        moments.setdefault(log.resource, {}).setdefault(log.target, log.create_date)
    return {
        shipment: Left(at=min(states.values()), arrived=states.keys() >= {"state:shipped", "state:done"})
        for shipment, states in moments.items()
    }


def as_sale(row: SaleRow, left: Mapping[str, Left]) -> Sale:
    keys = {line.id: key_of(line) for line in row.lines}
    settled = settled_units(row)
    return Sale(
        id=str(row.id),
        number=row.number,
        key=row.reference,
        state=sale_state(row),
        lines=tuple(
            RecordedLine(
                key=keys[line.id],
                sku=line.product.code if line.product else "",
                quantity=int(line.quantity),
                settled=settled.get(line.id, 0),
            )
            for line in goods_and_charges(row)
            if line.quantity
        ),
        total=Money.parse(row.total_amount, row.currency.code),
        consignments=tuple(_as_consignment(each, keys, left.get(f"{SHIPMENT},{each.id}")) for each in row.shipments),
        invoices=tuple(as_invoice(each, keys) for each in row.invoices if not is_credit(each)),
    )


def sale_state(row: SaleRow) -> SaleState:
    """Tryton cancels no sale that it has processed: one whose every line was amended to 0 is `done` and counts as that.

    Source: `sale.sale` of 8.2, `_transitions`.
    """
    state = _stated(_SALE_STATES, row.state)
    has_nothing = not any(line.quantity for line in goods_and_charges(row))
    return SaleState.CANCELLED if state is SaleState.DONE and has_nothing else state


def goods_and_charges(row: SaleRow) -> list[SaleLineRow]:
    """The lines that have a quantity and a price, not titles, comments and subtotals."""
    return [line for line in row.lines if line.type == "line"]


def key_of(line: SaleLineRow) -> str:
    return _first_line(line.note) or f"tryton-{line.id}"


def settled_units(row: SaleRow) -> dict[int, int]:
    """Units that were picked, packed or shipped, by the line's id."""
    states = {f"{SHIPMENT},{shipment.id}": shipment.state for shipment in row.shipments}
    units: dict[int, int] = {}
    for line in row.lines:
        for move in line.moves:
            if move.state != "cancelled" and states.get(move.shipment) in _SETTLED:
                units[line.id] = units.get(line.id, 0) + int(move.quantity)
    return units


def open_units(shipment: ShipmentRow) -> dict[str, int]:
    """What a shipment is to bring, by Tryton's reference of the sale's line: `sale.line,7`."""
    units: dict[str, int] = {}
    for move in shipment.outgoing_moves:
        if move.state != "cancelled" and move.quantity:
            units[move.origin] = units.get(move.origin, 0) + int(move.quantity)
    return units


def as_invoice(row: InvoiceRow, keys: Mapping[int, str]) -> Invoice:
    """An invoice, or a credit note, whose amounts are positive as well."""
    state = _stated(_INVOICE_STATES, row.state)
    total = Money.parse(abs(row.total_amount), row.currency.code)
    unpaid = {
        InvoiceState.DRAFT: total,
        InvoiceState.POSTED: Money.parse(abs(row.amount_to_pay), row.currency.code),
    }
    return Invoice(
        id=str(row.id),
        number=row.number,
        state=state,
        total=total,
        unpaid=unpaid.get(state, Money.zero(row.currency.code)),
        lines=tuple(
            InvoicedLine(key=_origin_key(line.origin, keys) or _first_line(line.note), quantity=abs(int(line.quantity)))
            for line in row.lines
            if line.type == "line"
        ),
    )


def is_credit(row: InvoiceRow) -> bool:
    return row.total_amount < 0


def unit_price(amount: Money, quantity: int, digits: int) -> Decimal:
    """The price of one at Tryton's digits. What that loses is taken up by the rounding line."""
    return (amount.decimal / quantity).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def line_values(line: SaleLine, product: int, unit: int, taxes: Iterable[int], digits: int) -> dict[str, Any]:
    """A new line of a draft sale."""
    return {
        "type": "line",
        "product": product,
        "unit": unit,
        "quantity": line.quantity,
        "unit_price": unit_price(line.amount, line.quantity, digits),
        "taxes": [["add", list(taxes)]],
        "description": line.title,
        "note": line.key,
    }


def _as_consignment(row: ShipmentRow, keys: Mapping[int, str], left: Left | None) -> Consignment:
    state = _stated(_SHIPMENT_STATES, row.state)
    if row.state == "done" and left is not None and left.arrived:
        state = ConsignmentState.DELIVERED
    units: dict[tuple[str, str], int] = {}
    for move in row.outgoing_moves:
        key = _origin_key(move.origin, keys)
        if key and move.quantity and move.state != "cancelled":
            units[key, move.product.code] = units.get((key, move.product.code), 0) + int(move.quantity)
    return Consignment(
        id=f"{SHIPMENT}/{row.id}",
        number=row.number,
        state=state,
        left_at=_left_at(row, left),
        lines=tuple(ConsignmentLine(key=key, sku=sku, quantity=count) for (key, sku), count in units.items()),
        parcels=parcels_of(row),
    )


def _left_at(row: ShipmentRow, left: Left | None) -> datetime | None:
    """From Tryton's log of transitions; where that was cleared, the day on the document."""
    if row.state not in LEFT:
        return None
    if left is not None:
        return left.at
    return datetime.combine(row.effective_date, time(), UTC) if row.effective_date else row.write_date


def parcels_of(row: ShipmentRow) -> tuple[Parcel, ...]:
    """One for each tracked package, or else one for each number that the shipment itself bears."""
    carrier = row.carrier.rec_name if row.carrier else None
    packages = [package for package in row.packages if package.shipping_reference]
    if packages:
        return tuple(
            Parcel(carrier=carrier, number=package.shipping_reference, url=package.shipping_tracking_url or None)
            for package in packages
        )
    numbers = [number.strip() for number in row.shipping_reference.split(",") if number.strip()]
    return tuple(Parcel(carrier=carrier, number=number, url=None) for number in numbers)


def _origin_key(origin: str, keys: Mapping[int, str]) -> str | None:
    model, _, number = origin.partition(",")
    return keys.get(int(number)) if model == SALE_LINE and number.isdecimal() else None


def _first_line(note: str) -> str:
    return note.partition("\n")[0].strip()


def _stated(states: Mapping[str, _State], name: str) -> _State:
    try:
        return states[name]
    except KeyError as error:
        raise bug(f"Tryton names a state that 8.2 does not have: {name[:30]}") from error
