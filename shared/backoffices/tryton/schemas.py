"""What Tryton answers, as far as it is read. Field names are its models' own; `lines.` is what a record points at.

The fields of a model here are what is asked for: see `fields_of`.
"""

from datetime import date, datetime
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shared.backoffices.http import bug
from shared.kernel.model import faults_of


def _null_to_nothing(value: Any) -> Any:
    return "" if value is None else value


def _null_to_zero(value: Any) -> Any:
    return 0 if value is None else value


Text = Annotated[str, BeforeValidator(_null_to_nothing)]
Number = Annotated[Decimal, BeforeValidator(_null_to_zero)]


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True)

    id: int


_Answer = TypeVar("_Answer", bound=Answer)


class Named(Answer):
    name: Text


class Dated(Answer):
    create_date: datetime
    write_date: datetime | None
    """None until it is written for the first time."""

    @property
    def changed_at(self) -> datetime:
        return self.write_date or self.create_date


class Coded(Answer):
    code: Text


class Titled(Answer):
    rec_name: Text


# ---- sales -----------------------------------------------------------------------------------------------------------


class MoveRow(Answer):
    """`stock.move` of a sale's line."""

    state: str
    quantity: Number
    shipment: Text


class SentMoveRow(MoveRow):
    """A move to the buyer, with all that its way back needs."""

    origin: Text
    product: int
    unit: int
    unit_price: Decimal | None
    currency: int | None
    to_location: int


class SaleLineRow(Answer):
    """`sale.line`. The first line of its note is our key; the note is printed nowhere."""

    type: str
    note: Text
    description: Text
    quantity: Number
    unit_price: Number
    quantity_to_invoice: Number
    unit: int | None
    taxes: tuple[int, ...]
    product: Coded | None = Field(alias="product.")
    moves: tuple[MoveRow, ...] = Field(alias="moves.")


class ShippedMoveRow(Answer):
    state: str
    quantity: Number
    origin: Text
    product: Coded = Field(alias="product.")


class PackageRow(Answer):
    """`stock.package` of the module stock_package_shipping."""

    shipping_reference: Text
    shipping_tracking_url: Text


class ShipmentRow(Answer):
    """`stock.shipment.out`."""

    number: str | None
    reference: Text
    state: str
    effective_date: date | None
    write_date: datetime
    shipping_reference: Text
    carrier: Titled | None = Field(alias="carrier.")
    outgoing_moves: tuple[ShippedMoveRow, ...] = Field(alias="outgoing_moves.")
    packages: tuple[PackageRow, ...] = Field(alias="packages.")


class InvoiceLineRow(Answer):
    type: str
    note: Text
    origin: Text
    quantity: Number
    unit_price: Number
    account: int | None
    taxes: tuple[int, ...]
    product: Coded | None = Field(alias="product.")


class InvoiceRow(Answer):
    """`account.invoice`, a credit note too: its amounts are negative then."""

    number: str | None
    reference: Text
    state: str
    total_amount: Number
    amount_to_pay: Number
    party: int
    account: int
    journal: int | None
    invoice_address: int
    currency: Coded = Field(alias="currency.")
    lines: tuple[InvoiceLineRow, ...] = Field(alias="lines.")


class AmendmentRow(Answer):
    """`sale.amendment` of the module sale_amendment."""

    state: str
    description: Text


class SaleRow(Answer):
    """`sale.sale`."""

    number: str | None
    reference: Text
    description: Text
    state: str
    total_amount: Number
    party: int
    invoice_address: int | None
    shipment_address: int | None
    currency: Coded = Field(alias="currency.")
    warehouse: Named | None = Field(alias="warehouse.")
    lines: tuple[SaleLineRow, ...] = Field(alias="lines.")
    shipments: tuple[ShipmentRow, ...] = Field(alias="shipments.")
    invoices: tuple[InvoiceRow, ...] = Field(alias="invoices.")
    amendments: tuple[AmendmentRow, ...] = Field(alias="amendments.")


class LogRow(Answer):
    """`ir.model.log`: when a record came to a state."""

    resource: str
    target: str
    create_date: datetime


# ---- what there is ---------------------------------------------------------------------------------------------------


class ProductRow(Answer):
    code: Text
    name: Text
    type: str
    sale_uom: int


class WarehouseRow(Named):
    storage_location: int
    input_location: int
    output_location: int


class TaxRow(Named):
    type: str
    rate: Decimal | None


# ---- journals --------------------------------------------------------------------------------------------------------


class AccountRow(Answer):
    """`account.account` that entries may be posted to."""

    code: Text
    name: Text
    party_required: bool
    type: Named | None = Field(alias="type.")


class PeriodRow(Named):
    state: str


class EntryLineRow(Answer):
    debit: Number
    credit: Number
    account: Coded = Field(alias="account.")


class EntryRow(Answer):
    """`account.move`."""

    date: date
    state: str
    lines: tuple[EntryLineRow, ...] = Field(alias="lines.")


# ---- customers -------------------------------------------------------------------------------------------------------


class AddressRow(Dated):
    """`party.address`. `invoice` and `delivery` say what staff use it for."""

    party_name: Text
    """The company where there is one, and `attn` the person then."""
    attn: Text
    street: Text
    postal_code: Text
    city: Text
    country: Coded | None = Field(alias="country.")
    subdivision: Coded | None = Field(alias="subdivision.")
    invoice: bool
    delivery: bool


class ContactRow(Dated):
    """`party.contact_mechanism`."""

    type: str
    value: Text
    value_compact: Text


class PartyRow(Dated):
    code: Text
    name: Text
    active: bool
    lang: Coded | None = Field(alias="lang.")
    addresses: tuple[AddressRow, ...] = Field(alias="addresses.")
    contact_mechanisms: tuple[ContactRow, ...] = Field(alias="contact_mechanisms.")


class ErasablePartyRow(Answer):
    name: Text
    active: bool
    lang: int | None


class ErasableAddressRow(Answer):
    """`party.address` with all that may tell where somebody lives."""

    party_name: Text
    attn: Text
    street_unstructured: Text
    street_name: Text
    building_name: Text
    building_number: Text
    unit_number: Text
    floor_number: Text
    room_number: Text
    post_box: Text
    private_bag: Text
    post_office: Text
    postal_code: Text
    city: Text
    country: int | None
    subdivision: int | None
    active: bool


def read(model: type[_Answer], value: Any) -> _Answer:
    """Read an answer, or say which field is not what Tryton 8.2 has there, never its content."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        fault = faults_of(error)[0]
        raise bug(f"Tryton's answer cannot be read as {model.__name__}: {fault.field} ({fault.kind})") from error


def fields_of(model: type[Answer]) -> list[str]:
    """What to ask for to fill such a model: `number`, `lines.note`, `lines.moves.state` …"""
    fields: list[str] = []
    for name, field in model.model_fields.items():
        inner = _answer_within(field.annotation)
        fields += [f"{name}.{each}" for each in fields_of(inner)] if inner else [name]
    return fields


def _answer_within(annotation: Any) -> type[Answer] | None:
    if isinstance(annotation, type) and issubclass(annotation, Answer):
        return annotation
    if get_origin(annotation) in (tuple, Union, UnionType):
        return next((found for part in get_args(annotation) if (found := _answer_within(part))), None)
    return None
