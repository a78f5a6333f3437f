"""Documents to rows of Jiandaoyun's forms and back. Pure.

A write wraps each value, `{"field": {"value": …}}`, in the rows of a sub-form too; there `_id` says which row stays.
A read gives bare values (hc.jiandaoyun.com/open/10993 §3, 12359, 14224).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from shared.backoffices.documents import (
    Address,
    Consignment,
    ConsignmentLine,
    ConsignmentState,
    CustomerCard,
    GoodsLine,
    Journal,
    JournalLine,
    KnownCustomer,
    PostedJournal,
    RecordedLine,
    Sale,
    SaleLine,
    SalesOrder,
    SaleState,
    Shipping,
    StockCount,
)
from shared.backoffices.http import bug
from shared.backoffices.jiandaoyun.settings import (
    AddressFields,
    CountFields,
    CustomerFields,
    GoodsLineFields,
    JournalFields,
    JournalLineFields,
    OrderFields,
    OrderLineFields,
    Row,
    ShipmentFields,
)
from shared.backoffices.ledger import sums_of
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected
from shared.kernel.money import Money
from shared.orders.models import Parcel


class OrderLine:
    """A row of an order's sub-form."""

    def __init__(self, row: Row, fields: OrderLineFields) -> None:
        self.id = str(row.get("_id") or "")
        self.key = text(row, fields.key) or f"row/{self.id}"
        self.sku = text(row, fields.sku) or ""
        self.title = text(row, fields.title) or ""
        self.quantity = whole(row.get(fields.quantity))
        self.amount = number(row.get(fields.amount))


# ---- writing ---------------------------------------------------------------------------------------------------------


def wrapped(values: Mapping[str | None, Any]) -> Row:
    """What is told, as a write wants it: fields that are not mapped or not known are left out."""
    return {name: {"value": value} for name, value in values.items() if name is not None and value is not None}


def customer_data(card: CustomerCard, fields: CustomerFields) -> Row:
    """What the card says; what it clears is empty."""
    values: dict[str | None, Any] = {
        fields.key: card.key,
        fields.name: card.name,
        fields.email: card.email,
        fields.phone: card.phone,
        fields.language: card.language,
        **_address_values(card.billing, fields.billing),
        **_address_values(card.shipping, fields.shipping),
    }
    cleared: Row = {}
    for field in card.cleared:
        place = getattr(fields, field.value)
        cleared |= emptied_address(place) if isinstance(place, AddressFields) else wrapped({place: ""})
    return {**wrapped(values), **cleared}


def emptied_customer(name: str, fields: CustomerFields) -> Row:
    """Nothing but a name."""
    texts: dict[str | None, Any] = dict.fromkeys((fields.email, fields.phone, fields.language), "")
    return {
        **wrapped({fields.name: name, **texts}),
        **emptied_address(fields.billing),
        **emptied_address(fields.shipping),
    }


def emptied_address(fields: AddressFields) -> Row:
    return wrapped(_address_values(Address(), fields))


def changed_data(row: Row, data: Row) -> Row:
    """Of what would be written only what the row does not show yet. Nothing, and no text, are the same."""
    return {name: wrap for name, wrap in data.items() if _bare(row.get(name)) != _bare(wrap["value"])}


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: text for name, text in value.items() if text} or None
    return value if value != "" else None


def order_data(order: SalesOrder, fields: OrderFields) -> Row:
    """A new order. Its total is what the storefront says: a form computes no taxes."""
    lines = [_line_data(line, fields.lines, None) for line in order.lines if line.quantity]
    return wrapped(
        {
            fields.key: order.key,
            fields.name: order.name,
            fields.placed_on: midnight(order.placed_on),
            fields.customer: order.customer_id,
            fields.currency: order.currency,
            fields.warehouse: order.warehouse,
            fields.total: order.total.decimal,
            fields.status: fields.words.open,
            fields.lines.table: lines,
            **_address_values(order.customer.shipping, fields.shipping),
        }
    )


def amended_data(
    lines: Sequence[OrderLine], order: SalesOrder, fields: OrderFields, settled: Mapping[str, int]
) -> Row | None:
    """The order's lines and total; None where they are so already. No line goes below its settled units.

    Where the order wants less than has left, what stays over is added to the total, before tax.
    """
    wanted = {line.key: line for line in order.lines if line.quantity}
    rows: list[Row] = []
    changed, total = False, order.total
    for held in lines:
        line = wanted.pop(held.key, None)
        floor = settled.get(held.key, 0)
        kept = _kept(held, floor, order.currency) if line is None or line.quantity < floor else line
        if kept is not line:
            total = total + kept.amount - (line.amount if line is not None else Money.zero(order.currency))
        changed = changed or (held.quantity, held.amount) != (kept.quantity, kept.amount.decimal)
        if kept.quantity:
            rows.append(_line_data(kept, fields.lines, held.id))
    rows += [_line_data(line, fields.lines, None) for line in wanted.values()]
    if not changed and not wanted:
        return None
    return wrapped({fields.lines.table: rows, fields.total: total.decimal})


def shipment_data(shipping: Shipping, fields: ShipmentFields, now: datetime) -> Row:
    numbers = [parcel.number for parcel in shipping.parcels if parcel.number]
    carriers = [parcel.carrier for parcel in shipping.parcels if parcel.carrier]
    return wrapped(
        {
            fields.key: shipping.key,
            fields.order: shipping.sale,
            fields.tracking: ", ".join(numbers) or None,
            fields.carrier: ", ".join(dict.fromkeys(carriers)) or None,
            fields.shipped_at: instant(now),
            fields.lines.table: [_goods_data(line, fields.lines) for line in shipping.lines],
        }
    )


def count_data(count: StockCount, fields: CountFields) -> Row:
    rows = [wrapped({fields.lines.sku: line.sku, fields.lines.quantity: line.quantity}) for line in count.lines]
    return wrapped(
        {
            fields.key: count.key,
            fields.counted_on: midnight(count.counted_on),
            fields.warehouse: count.warehouse,
            fields.lines.table: rows,
        }
    )


def journal_data(journal: Journal, fields: JournalFields) -> Row:
    rows = {"value": [_journal_line_data(line, fields.lines) for line in journal.lines]}
    told = {
        fields.key: journal.key,
        fields.name: journal.name,
        fields.posted_on: midnight(journal.posted_on),
        fields.journal: journal.journal,
        fields.currency: journal.currency,
    }
    return {**wrapped(told), fields.lines.table: rows}


def midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00.000Z"


def instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


# ---- reading ---------------------------------------------------------------------------------------------------------


def text(row: Row, field: str | None) -> str | None:
    """A text, or the text of a number; blank is None."""
    value = row.get(field) if field is not None else None
    return str(value).strip() or None if isinstance(value, str | int | Decimal) else None


def number(value: Any) -> Decimal:
    """A number; nothing is 0. Text is none: a field of another type is mapped wrongly."""
    if value is None or value == "":
        return Decimal(0)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise bug("a number of Jiandaoyun's is something else: check the mapping with the doctor")
    return Decimal(value)


def whole(value: Any) -> int:
    return int(number(value))


def changed_at(row: Row) -> datetime:
    return parse_time(str(row.get("updateTime") or row.get("createTime")), field="updateTime")


def order_lines(row: Row, fields: OrderLineFields) -> list[OrderLine]:
    return [OrderLine(line, fields) for line in _table(row, fields.table)]


def sale_of(row: Row, fields: OrderFields, consignments: Sequence[Consignment], currency: str) -> Sale:
    prepared = units_by_line(consignments)
    lines = [line for line in order_lines(row, fields.lines) if line.quantity]
    return Sale(
        id=str(row["_id"]),
        number=text(row, fields.name),
        key=text(row, fields.key) or "",
        state=_state(row, fields, lines, prepared),
        lines=tuple(
            RecordedLine(key=line.key, sku=line.sku, quantity=line.quantity, settled=prepared.get(line.key, 0))
            for line in lines
        ),
        total=_money(number(row.get(fields.total)), currency),
        consignments=tuple(consignments),
    )


def units_by_line(consignments: Iterable[Consignment]) -> dict[str, int]:
    units: dict[str, int] = {}
    for consignment in consignments:
        for line in consignment.lines:
            units[line.key] = units.get(line.key, 0) + line.quantity
    return units


def shipments_of(rows: Iterable[Row], fields: ShipmentFields, lines: Sequence[OrderLine]) -> tuple[Consignment, ...]:
    """Consignments of one order. Units without a line's key go to the order's lines of their SKU, the first first."""
    left = {line.key: line.quantity for line in lines}
    return tuple(_shipment(row, fields, lines, left) for row in rows)


def whole_shipment(row: Row, fields: OrderFields, is_goods: Callable[[str], bool]) -> tuple[Consignment, ...]:
    """The one consignment of an order whose own status says that it has left."""
    if fields.status is None or text(row, fields.status) != fields.words.shipped:
        return ()
    lines = [line for line in order_lines(row, fields.lines) if line.quantity and is_goods(line.sku)]
    left_at = text(row, fields.shipped_at)
    return (
        Consignment(
            id=str(row["_id"]),
            number=None,
            state=ConsignmentState.SHIPPED,
            left_at=parse_time(left_at) if left_at else changed_at(row),
            lines=tuple(ConsignmentLine(key=line.key, sku=line.sku, quantity=line.quantity) for line in lines),
            parcels=_parcels(row, fields.tracking, fields.carrier),
        ),
    )


def posted_journal_of(row: Row, fields: JournalFields, currency: str) -> PostedJournal:
    currency = text(row, fields.currency) or currency
    lines = _table(row, fields.lines.table)
    moved = (
        (
            text(line, fields.lines.account) or "?",
            _money(number(line.get(fields.lines.debit)) - number(line.get(fields.lines.credit)), currency),
        )
        for line in lines
    )
    return PostedJournal(id=str(row["_id"]), sums=sums_of(moved, currency))


def known_customer(row: Row, fields: CustomerFields) -> KnownCustomer:
    key = text(row, fields.key)
    return KnownCustomer(
        id=str(row["_id"]),
        key=key,
        card=CustomerCard(
            key=key or f"jiandaoyun/{row['_id']}",
            name=text(row, fields.name) or "?",
            email=text(row, fields.email),
            phone=text(row, fields.phone),
            language=text(row, fields.language),
            billing=_address(row, fields.billing),
            shipping=_address(row, fields.shipping),
        ),
        changed_at=changed_at(row),
    )


def _state(row: Row, fields: OrderFields, lines: Sequence[OrderLine], prepared: Mapping[str, int]) -> SaleState:
    status = text(row, fields.status)
    if status is not None and status == fields.words.cancelled:
        return SaleState.CANCELLED
    is_done = status == fields.words.shipped if fields.status is not None else False
    return SaleState.DONE if is_done and lines and prepared else SaleState.CONFIRMED


def _shipment(row: Row, fields: ShipmentFields, lines: Sequence[OrderLine], left: dict[str, int]) -> Consignment:
    left_at = text(row, fields.shipped_at)
    has_left = fields.shipped_at is None or left_at is not None
    told: list[ConsignmentLine] = []
    for goods in _table(row, fields.lines.table):
        told += _assigned(goods, fields.lines, lines, left)
    return Consignment(
        id=str(row["_id"]),
        number=text(row, fields.key),
        state=ConsignmentState.SHIPPED if has_left else ConsignmentState.PICKED,
        left_at=(parse_time(left_at) if left_at else changed_at(row)) if has_left else None,
        lines=tuple(told),
        parcels=_parcels(row, fields.tracking, fields.carrier),
    )


def _assigned(
    goods: Row, fields: GoodsLineFields, lines: Sequence[OrderLine], left: dict[str, int]
) -> list[ConsignmentLine]:
    sku, units, key = text(goods, fields.sku), whole(goods.get(fields.quantity)), text(goods, fields.line)
    told: list[ConsignmentLine] = []
    for line in lines:
        share = min(units, left[line.key]) if line.sku == sku and key in (None, line.key) else 0
        if share > 0:
            told.append(ConsignmentLine(key=line.key, sku=line.sku, quantity=share))
            left[line.key] -= share
            units -= share
    return told


def _parcels(row: Row, tracking: str | None, carrier: str | None) -> tuple[Parcel, ...]:
    numbers = [number.strip() for number in (text(row, tracking) or "").split(",") if number.strip()]
    return tuple(Parcel(carrier=text(row, carrier), number=number, url=None) for number in numbers)


def _table(row: Row, field: str) -> list[Row]:
    rows = row.get(field)
    return [line for line in rows if isinstance(line, dict)] if isinstance(rows, list) else []


def _line_data(line: SaleLine, fields: OrderLineFields, row_id: str | None) -> Row:
    return wrapped(
        {
            "_id": row_id,
            fields.key: line.key,
            fields.sku: line.sku,
            fields.title: line.title,
            fields.quantity: line.quantity,
            fields.amount: line.amount.decimal,
        }
    )


def _journal_line_data(line: JournalLine, fields: JournalLineFields) -> Row:
    amount = line.amount.decimal
    return wrapped(
        {
            fields.account: line.account,
            fields.debit: max(amount, Decimal(0)),
            fields.credit: max(-amount, Decimal(0)),
            fields.label: line.label,
        }
    )


def _goods_data(line: GoodsLine, fields: GoodsLineFields) -> Row:
    return wrapped({fields.line: line.key, fields.sku: line.sku, fields.quantity: line.quantity})


def _kept(held: OrderLine, units: int, currency: str) -> SaleLine:
    """The line at the units that cannot be taken out any more, each at the same price."""
    share = held.amount * units / held.quantity if held.quantity else Decimal(0)
    return SaleLine(
        key=held.key, sku=held.sku, title=held.title, quantity=units, amount=_money(share, currency), goods=True
    )


def _money(amount: Decimal, currency: str) -> Money:
    try:
        return Money.parse(amount, currency)
    except Rejected:
        step = Decimal(1).scaleb(-Money.zero(currency).exponent)
        return Money.parse(amount.quantize(step, ROUND_HALF_UP), currency)


def _address_values(address: Address | None, fields: AddressFields) -> dict[str | None, Any]:
    """Every mapped part of an address that is told, empty ones too: parts of another address are not to stay."""
    if address is None:
        return {}
    street = ", ".join(address.street)
    return {
        fields.recipient: address.name or "",
        fields.company: address.company or "",
        fields.street: street,
        fields.postal_code: address.postal_code or "",
        fields.city: address.city or "",
        fields.subdivision: address.subdivision or "",
        fields.country: address.country or "",
        fields.area: {
            "province": address.subdivision or "",
            "city": address.city or "",
            "district": "",
            "detail": street,
        },
    }


def _address(row: Row, fields: AddressFields) -> Address | None:
    area = row.get(fields.area) if fields.area is not None else None
    parts = area if isinstance(area, dict) else {}
    district = " ".join(part for part in (text(parts, "district"), text(parts, "detail")) if part)
    street = text(row, fields.street) or district or None
    country = text(row, fields.country)
    address = Address(
        name=text(row, fields.recipient),
        company=text(row, fields.company),
        street=(street,) if street else (),
        postal_code=text(row, fields.postal_code),
        city=text(row, fields.city) or text(parts, "city"),
        subdivision=text(row, fields.subdivision) or text(parts, "province"),
        country=country,
    )
    return address if address != Address() else None
