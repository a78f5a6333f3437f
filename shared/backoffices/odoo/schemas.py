"""Odoo's records as `web_search_read` gives them: lenient, and with Odoo's `false` for what is empty."""

import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shared.backoffices.http import bug
from shared.kernel.model import faults_of

_Model = TypeVar("_Model", bound=BaseModel)


def _false_to_none(value: Any) -> Any:
    return None if value is False or value == "" else value


def _id_of(value: Any) -> Any:
    """Of a many2one: `7`, `{"id": 7, …}`, `[7, "name"]` or false."""
    if isinstance(value, dict):
        return value.get("id")
    if isinstance(value, list):
        return value[0] if value else None
    return None if value is False else value


Text = Annotated[str | None, BeforeValidator(_false_to_none)]
Link = Annotated[int | None, BeforeValidator(_id_of)]


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True)

    id: int


class _Coded(BaseModel):
    """The little that is read of a linked record."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    id: int
    name: Text = None
    code: Text = None
    default_code: Text = None
    display_name: Text = None


Linked = Annotated[_Coded | None, BeforeValidator(_false_to_none)]


class Line(Record):
    """`sale.order.line`."""

    product_id: Linked = None
    product_uom_qty: Decimal = Decimal(0)
    price_unit: Decimal = Decimal(0)
    price_subtotal: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    name: Text = None
    taxes: tuple[int, ...] = Field(default=(), validation_alias=AliasChoices("tax_ids", "tax_id"))
    display_type: Text = None

    @property
    def sku(self) -> str:
        return (self.product_id and self.product_id.default_code) or ""


class Move(Record):
    """`stock.move`."""

    state: str
    product_id: Linked = None
    product_uom_qty: Decimal = Decimal(0)
    quantity: Decimal = Decimal(0)
    picked: bool = False
    sale_line_id: Link = None
    location_dest_id: Link = None

    @property
    def is_open(self) -> bool:
        return self.state not in ("done", "cancel")


class Picking(Record):
    """`stock.picking`."""

    name: Text = None
    state: str
    origin: Text = None
    date_done: Text = None
    picking_type_code: Text = None
    picking_type_id: Link = None
    backorder_id: Link = None
    carrier_id: Linked = None
    carrier_tracking_ref: Text = None
    carrier_tracking_url: Text = None
    move_ids: tuple[Move, ...] = ()

    @property
    def is_to_buyer(self) -> bool:
        return self.picking_type_code == "outgoing"

    @property
    def is_open(self) -> bool:
        return self.state not in ("done", "cancel")


class Payment(Record):
    """`account.payment`, as an invoice names it."""

    state: str
    amount: Decimal = Decimal(0)
    move_id: Link = None


class BilledLine(Record):
    """`account.move.line`."""

    quantity: Decimal = Decimal(0)
    display_type: Text = None
    sale_line_ids: tuple[int, ...] = ()


class Bill(Record):
    """`account.move`: an invoice or a credit note."""

    name: Text = None
    state: str
    move_type: str
    amount_total: Decimal = Decimal(0)
    amount_residual: Decimal = Decimal(0)
    currency_id: Linked = None
    partner_id: Link = None
    matched_payment_ids: tuple[Payment, ...] = ()
    invoice_line_ids: tuple[BilledLine, ...] = ()


class EntryLine(Record):
    """`account.move.line` of a journal entry. A line without an account is a note."""

    debit: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)
    account_id: Linked = None


class Entry(Record):
    """`account.move`: a journal entry."""

    state: str
    date: datetime.date
    line_ids: tuple[EntryLine, ...] = ()


class Order(Record):
    """`sale.order` with all that hangs on it."""

    name: Text = None
    state: str
    origin: Text = None
    client_order_ref: Text = None
    amount_total: Decimal = Decimal(0)
    currency_id: Linked = None
    partner_id: Link = None
    partner_invoice_id: Link = None
    partner_shipping_id: Link = None
    payment_term_id: Link = None
    fiscal_position_id: Link = None
    order_line: tuple[Line, ...] = ()
    picking_ids: tuple[Picking, ...] = ()
    invoice_ids: tuple[Bill, ...] = ()


def read(model: type[_Model], value: Any) -> _Model:
    """Validate a record, or raise `backoffice_bug` naming the field at fault, never its content."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = faults_of(error)[0]
        raise bug(f"Odoo's {model.__name__} has {first.kind} in {first.field}") from error
