"""Documents to ERPNext's records and back. Pure.

How ERPNext 13 to 16 compute is read in their source (`erpnext/controllers/taxes_and_totals.py`): a row's amount is its
rate, rounded to the site's currency precision, times its quantity, rounded again; the tax of one account is summed over
the rows without rounding and rounded once. So the total is never worked out here: ERPNext is asked for it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from shared.backoffices.documents import (
    Address,
    CardField,
    Consignment,
    ConsignmentLine,
    ConsignmentState,
    CreditNote,
    CustomerCard,
    Invoice,
    InvoicedLine,
    InvoiceState,
    KnownCustomer,
    RecordedLine,
    Sale,
    SaleLine,
    SalesOrder,
    SaleState,
)
from shared.backoffices.erpnext.schemas import (
    CANCELLED,
    DRAFT,
    KEY_FIELD,
    AddressDocument,
    ContactDocument,
    ContactRows,
    CustomerDocument,
    DocumentRow,
    InvoiceDocument,
    NoteDocument,
    OrderDocument,
    OrderRow,
)
from shared.kernel.clock import parse_time
from shared.kernel.money import Money
from shared.orders.models import Parcel

Json = dict[str, Any]

_RATE_STEP = Decimal("1e-9")
"""The most digits that an amount of ERPNext's has."""
_LONGEST_TEXT = 140
"""Characters of a field of the type Data."""
_KEY_OF_SALE = re.compile(r"[a-z0-9-]{1,40}/[!-.0-~]{1,95}")
_MARK = "storebridge "
_ATTENTION = "Attn: "
_AT_COMPANY = " / "
_NEXT_LINE = " · "
_FINISHED = frozenset({"Completed", "Closed"})

BILL_TO, SHIP_TO = "customer_address", "shipping_address_name"
"""A document's fields for the names of its addresses."""
NO_ADDRESSES: Mapping[str, str] = {}
_TEXT_OF = {BILL_TO: "address_display", SHIP_TO: "shipping_address"}


# ---- orders ----------------------------------------------------------------------------------------------------------


def unit_rate(line: SaleLine) -> Decimal:
    return (line.amount.decimal / line.quantity).quantize(_RATE_STEP, ROUND_HALF_UP)


def order_row(line: SaleLine, order: SalesOrder) -> Json:
    """A row of a draft. Its key stands in two fields: the site may lack the custom one, and then ignores it.

    A rate of 0 would be replaced by the price list's, were the discount not 100 %.
    """
    rate = unit_rate(line)
    return {
        **_priced(line, rate),
        "warehouse": order.warehouse,
        "delivery_date": order.placed_on.isoformat(),
        "additional_notes": line.key,
        KEY_FIELD: line.key,
    }


def order_document(
    order: SalesOrder, company: str, accounts: Iterable[str], addresses: Mapping[str, str] = NO_ADDRESSES
) -> Json:
    """A Sales Order without its rows; `accounts` are those that the taxes of its rows go to.

    `addresses` are the names of its own ones by ERPNext's fields. Their text is emptied, as ERPNext fills in that of
    the address only where there is none; an address that is not named becomes the customer's usual one.
    """
    day = order.placed_on.isoformat()
    return {
        "po_no": order.key,
        "title": order.name[:_LONGEST_TEXT],
        "customer": order.customer_id,
        "company": company,
        "order_type": "Sales",
        "transaction_date": day,
        "delivery_date": day,
        "currency": order.currency,
        "set_warehouse": order.warehouse,
        "ignore_pricing_rule": 1,
        "disable_rounded_total": 1,
        "taxes": tax_rows(accounts),
        **addresses,
        **{_TEXT_OF[field]: None for field in addresses},
    }


def tax_rows(accounts: Iterable[str]) -> list[Json]:
    """One row for each account, at 0 %: what is due comes from the rows' own Item Tax Templates."""
    return [
        {"charge_type": "On Net Total", "account_head": account, "description": account, "rate": 0}
        for account in dict.fromkeys(accounts)
    ]


def amended_row(row: OrderRow, *, quantity: int, rate: Decimal) -> Json:
    """An existing row, as `update_child_qty_rate` takes it. ERPNext 16 clears a description that is left out."""
    return {
        "docname": row.name,
        "item_code": row.item_code,
        "qty": quantity,
        "rate": str(rate),
        "delivery_date": row.delivery_date,
        "description": row.description,
        "uom": row.uom,
        "conversion_factor": 1,
    }


def added_row(line: SaleLine, order: SalesOrder) -> Json:
    return {
        "item_code": line.sku,
        "qty": line.quantity,
        "rate": str(unit_rate(line)),
        "delivery_date": order.placed_on.isoformat(),
        "description": line.title,
        "conversion_factor": 1,
    }


def is_as_wanted(row: OrderRow, line: SaleLine) -> bool:
    """Whether the row stands for the line."""
    return (
        (row.key, row.item_code, whole(row.qty)) == (line.key, line.sku, line.quantity)
        and is_same_rate(row, line)
        and row.item_tax_template == (line.taxes[0] if line.taxes else "")
    )


def is_same_rate(row: OrderRow, line: SaleLine) -> bool:
    """Whether the row's rate is what ERPNext makes of the line's, rounding it to as many digits as the row shows."""
    shown = -int(row.rate.normalize().as_tuple().exponent)
    digits = max(shown, Money.zero(line.amount.currency).exponent)
    return row.rate == unit_rate(line).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def whole(quantity: Decimal) -> int:
    return int(quantity)


def money(amount: Decimal, currency: str) -> Money:
    """An amount as ERPNext tells it: a number of JSON, which may show what binary fractions make of a cent."""
    step = Decimal(1).scaleb(-Money.zero(currency).exponent)
    return Money.parse(amount.quantize(step, ROUND_HALF_UP), currency)


def is_key_of_sale(text: str) -> bool:
    """Whether a customer's purchase order number is one of ours; staff may write anything there."""
    return _KEY_OF_SALE.fullmatch(text) is not None


# ---- what became of an order -----------------------------------------------------------------------------------------


def sale_of(
    order: OrderDocument, consignments: Sequence[Consignment], invoices: Sequence[Invoice], prepared: Mapping[str, int]
) -> Sale:
    """`prepared` are the units on Delivery Notes that are not cancelled, by the order's row."""
    return Sale(
        id=order.name,
        number=order.name,
        key=order.po_no,
        state=_state(order),
        lines=tuple(
            RecordedLine(
                key=key_of(row),
                sku=row.item_code,
                quantity=whole(row.qty),
                settled=settled(row, prepared),
            )
            for row in order.items
        ),
        total=money(order.grand_total, order.currency),
        consignments=tuple(consignments),
        invoices=tuple(invoices),
    )


def settled(row: OrderRow, prepared: Mapping[str, int]) -> int:
    return max(whole(row.picked_qty), prepared.get(row.name, 0))


def key_of(row: OrderRow) -> str:
    """Our key; a row that staff added is called by its own name."""
    return row.key or f"row/{row.name}"


def consignment_of(note: NoteDocument, lines: Iterable[ConsignmentLine], zone: ZoneInfo) -> Consignment:
    state = {DRAFT: ConsignmentState.PICKED, CANCELLED: ConsignmentState.CANCELLED}.get(
        note.docstatus, ConsignmentState.SHIPPED
    )
    numbers = [number.strip() for number in note.lr_no.split(",") if number.strip()]
    has_left = state is ConsignmentState.SHIPPED and note.posting_date
    return Consignment(
        id=note.name,
        number=note.name,
        state=state,
        left_at=aware(f"{note.posting_date} {note.posting_time or '0:00:00'}", zone) if has_left else None,
        lines=tuple(lines),
        parcels=tuple(Parcel(carrier=note.transporter_name or None, number=number, url=None) for number in numbers),
    )


def invoice_of(document: InvoiceDocument, lines: Iterable[InvoicedLine] = ()) -> Invoice:
    """An invoice, or a credit note, whose amounts ERPNext tells as negative ones."""
    sign = -1 if document.is_return else 1
    total = money(sign * document.grand_total, document.currency)
    unpaid = money(sign * document.outstanding_amount, document.currency)
    return Invoice(
        id=document.name,
        number=document.name if document.docstatus != DRAFT else None,
        state=_invoice_state(document, unpaid),
        total=total,
        unpaid=unpaid,
        lines=tuple(lines),
    )


def parcel_fields(parcels: Sequence[Parcel]) -> Json:
    """A Delivery Note has one carrier and one *Transport Receipt No*, which takes the numbers of several parcels."""
    numbers = [parcel.number for parcel in parcels if parcel.number]
    carriers = [parcel.carrier for parcel in parcels if parcel.carrier]
    return _told(
        {
            "lr_no": ", ".join(numbers)[:_LONGEST_TEXT],
            "transporter_name": ", ".join(dict.fromkeys(carriers))[:_LONGEST_TEXT],
        }
    )


def of_source(source: Json) -> Json:
    """A document that ERPNext has drawn up of another one, without its notes for the browser."""
    return {name: value for name, value in source.items() if not name.startswith("__")}


def units_by_row(rows: Iterable[DocumentRow]) -> dict[str, int]:
    """Units by the order's row that they came from."""
    units: dict[str, int] = {}
    for row in rows:
        if row.so_detail:
            units[row.so_detail] = units.get(row.so_detail, 0) + whole(row.qty)
    return units


def consignment_lines(
    rows: Iterable[DocumentRow], order: OrderDocument, is_stocked: Callable[[str], bool]
) -> tuple[ConsignmentLine, ...]:
    """Goods alone: services that staff put on a Delivery Note are in no parcel."""
    known = {row.name: row for row in order.items}
    return tuple(
        ConsignmentLine(key=key_of(known[name]), sku=known[name].item_code, quantity=units)
        for name, units in units_by_row(rows).items()
        if name in known and units > 0 and is_stocked(known[name].item_code)
    )


def invoiced_lines(rows: Iterable[DocumentRow], order: OrderDocument) -> tuple[InvoicedLine, ...]:
    known = {row.name: row for row in order.items}
    return tuple(
        InvoicedLine(key=key_of(known[name]), quantity=units)
        for name, units in units_by_row(rows).items()
        if name in known
    )


def credit_document(note: CreditNote, company: str, customer: str, accounts: Iterable[str]) -> Json:
    """A Sales Invoice that is a return, without its rows.

    It names no invoice that it is against: ERPNext would take nothing on it then that was not invoiced, such as
    goodwill, and books it against that invoice, so that nothing of its own could be paid out.
    """
    day = note.issued_on.isoformat()
    return {
        "po_no": note.key,
        "title": note.name[:_LONGEST_TEXT],
        "remarks": note.name,
        "customer": customer,
        "company": company,
        "is_return": 1,
        "update_stock": 0,
        "set_posting_time": 1,
        "posting_date": day,
        "due_date": day,
        "currency": note.total.currency,
        "ignore_pricing_rule": 1,
        "disable_rounded_total": 1,
        "taxes": tax_rows(accounts),
    }


def credit_row(line: SaleLine) -> Json:
    return {**_priced(line, unit_rate(line)), "qty": -line.quantity}


# ---- customers -------------------------------------------------------------------------------------------------------


def details_with_key(details: str, key: str) -> str:
    """The customer's *Additional information*, our key as its first line; what staff wrote below stays."""
    rest = details.partition("\n")[2] if details.startswith(_MARK) else details
    return f"{_MARK}{key}\n{rest}" if rest else f"{_MARK}{key}"


def key_in_details(details: str) -> str | None:
    first = details.partition("\n")[0].strip()
    return first.removeprefix(_MARK) if first.startswith(_MARK) else None


def details_pattern(key: str) -> str:
    """For a filter `like`. Its wild cards may find too much: compare with `key_in_details`."""
    return f"{_MARK}{key}%"


def customer_fields(card: CustomerCard) -> Json:
    """What the card says; what it clears is empty."""
    stated = {"customer_name": card.name[:_LONGEST_TEXT], "language": card.language, "mobile_no": card.phone}
    cleared = {_FIELDS[field]: "" for field in card.cleared if field in _FIELDS}
    return {**_told({**stated, "email_id": card.email}), **cleared}


_FIELDS = {CardField.EMAIL: "email_id", CardField.PHONE: "mobile_no", CardField.LANGUAGE: "language"}


def contact_fields(contact: ContactRows, reached: Json) -> Json:
    """The Contact's tables with another primary e-mail address or mobile number: what else staff noted there stays.

    An empty one empties its table: of several left over Frappe would make one the primary again.
    """
    fields: Json = {}
    if "email_id" in reached:
        rows = [row.model_dump() for row in contact.email_ids]
        fields["email_ids"] = _with_primary(rows, "email_id", "is_primary", reached["email_id"])
    if "mobile_no" in reached:
        rows = [row.model_dump() for row in contact.phone_nos]
        fields["phone_nos"] = _with_primary(rows, "phone", "is_primary_mobile_no", reached["mobile_no"])
    return fields


def _with_primary(rows: list[Json], field: str, flag: str, value: str) -> list[Json]:
    if not value:
        return []
    primary = next((row for row in rows if row[flag]), {flag: 1})
    others = [row for row in rows if row is not primary and row[field] != value]
    return [{**primary, field: value}, *others]


def address_fields(address: Address, country: str) -> Json | None:
    """What an Address of ERPNext's says. It has no line for who lives there: the names go first, as on a label.

    None where what ERPNext wants at least (a line, a city) is withheld.
    """
    names = (address.name or "") + (f"{_AT_COMPANY}{address.company}" if address.company else "")
    lines = [*([_ATTENTION + names.strip()] if names else []), *address.street]
    if not address.street or not address.city:
        return None
    return {
        "address_line1": lines[0][:_LONGEST_TEXT],
        "address_line2": _NEXT_LINE.join(lines[1:])[:_LONGEST_TEXT],
        "city": address.city[:_LONGEST_TEXT],
        "state": (address.subdivision or "")[:_LONGEST_TEXT],
        "pincode": (address.postal_code or "")[:_LONGEST_TEXT],
        "country": country,
    }


def reads_as(address: AddressDocument, fields: Mapping[str, Any]) -> bool:
    return all(getattr(address, name) == value for name, value in fields.items())


def known_customer(
    customer: CustomerDocument,
    contact: ContactDocument | None,
    addresses: Sequence[AddressDocument],
    countries: Mapping[str, str],
    zone: ZoneInfo,
) -> KnownCustomer:
    """`countries` are the two-letter codes by ERPNext's names.

    The Contact knows better how the customer is reached than the Customer, which fetches it when it is saved itself.
    """
    key = key_in_details(customer.customer_details)
    reached = contact if contact is not None else customer
    changes = [each.modified for each in (customer, contact, *addresses) if each is not None and each.modified]
    return KnownCustomer(
        id=customer.name,
        key=key,
        card=CustomerCard(
            key=key or f"erpnext/{customer.name}".replace(" ", "_").encode("ascii", "replace").decode()[:200],
            name=customer.customer_name or customer.name,
            email=reached.email_id or None,
            phone=reached.mobile_no or None,
            language=customer.language[:2] or None,
            billing=_address(next((each for each in addresses if each.is_primary_address), None), countries),
            shipping=_address(next((each for each in addresses if each.is_shipping_address), None), countries),
        ),
        changed_at=max(aware(change, zone) for change in changes),
    )


# ---- time ------------------------------------------------------------------------------------------------------------


def aware(text: str, zone: ZoneInfo) -> datetime:
    """A time as ERPNext tells it: without a zone, in the site's own. Its hours may have one digit."""
    day, _, time = text.strip().replace("T", " ").partition(" ")
    naive = parse_time(f"{day} {time.rjust(len(time) + (time.find(':') == 1), '0')}", field="modified")
    return naive.replace(tzinfo=zone)


def local_text(moment: datetime, zone: ZoneInfo) -> str:
    """For a filter on `modified`."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S.%f}"


def _priced(line: SaleLine, rate: Decimal) -> Json:
    return {
        "item_code": line.sku,
        "item_name": line.title[:_LONGEST_TEXT],
        "description": line.title,
        "qty": line.quantity,
        "rate": str(rate),
        "price_list_rate": str(max(rate, Decimal(0))),
        "discount_percentage": 0 if rate else 100,
        "item_tax_template": line.taxes[0] if line.taxes else None,
    }


def _state(order: OrderDocument) -> SaleState:
    if order.docstatus == DRAFT:
        return SaleState.DRAFT
    if order.docstatus == CANCELLED:
        return SaleState.CANCELLED
    return SaleState.DONE if order.status in _FINISHED else SaleState.CONFIRMED


def _invoice_state(document: InvoiceDocument, unpaid: Money) -> InvoiceState:
    if document.docstatus == DRAFT:
        return InvoiceState.DRAFT
    if document.docstatus == CANCELLED:
        return InvoiceState.CANCELLED
    return InvoiceState.POSTED if unpaid else InvoiceState.PAID


def _address(address: AddressDocument | None, countries: Mapping[str, str]) -> Address | None:
    if address is None:
        return None
    lines = [address.address_line1, *address.address_line2.split(_NEXT_LINE)]
    name = company = ""
    if lines[0].startswith(_ATTENTION.rstrip()):
        names = f" {lines.pop(0).removeprefix(_ATTENTION.rstrip()).strip()}"
        name, _, company = names.partition(_AT_COMPANY)
    return Address(
        name=name.strip() or None,
        company=company.strip() or None,
        street=tuple(line for line in lines if line),
        postal_code=address.pincode or None,
        city=address.city or None,
        subdivision=address.state or None,
        country=countries.get(address.country),
    )


def _told(fields: Json) -> Json:
    """Without what the storefront withholds: it stays as it is."""
    return {name: value for name, value in fields.items() if value not in (None, "")}
