"""What ERPNext answers, as far as it is read. Field names are its doctypes' own; unknown fields are dropped."""

from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from shared.backoffices.http import bug
from shared.kernel.model import faults_of

DRAFT, SUBMITTED, CANCELLED = 0, 1, 2
"""`docstatus` of any document."""

KEY_FIELD = "storebridge_key"
"""The custom field (Data, *Allow on Submit*) where no standard field can hold a key: see `backoffice`."""


def _null_to_nothing(value: Any) -> Any:
    return "" if value is None else value


def _null_to_zero(value: Any) -> Any:
    return 0 if value in (None, "") else value


def _null_to_empty(value: Any) -> Any:
    return [] if value is None else value


Text = Annotated[str, BeforeValidator(_null_to_nothing)]
Check = Annotated[int, BeforeValidator(_null_to_zero)]
Number = Annotated[Decimal, BeforeValidator(_null_to_zero)]


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True)


_Answer = TypeVar("_Answer", bound=Answer)


class OrderRow(Answer):
    """A row of a Sales Order. `None` as `storebridge_key` may mean that the site has no such field."""

    name: str
    item_code: Text = ""
    qty: Number = Decimal(0)
    rate: Number = Decimal(0)
    delivery_date: Text = ""
    description: Text = ""
    uom: Text = ""
    picked_qty: Number = Decimal(0)
    item_tax_template: Text = ""
    additional_notes: Text = ""
    storebridge_key: Text = ""

    @property
    def key(self) -> str | None:
        return self.storebridge_key or self.additional_notes or None


class TaxRow(Answer):
    account_head: Text = ""


class OrderDocument(Answer):
    name: str
    docstatus: int
    status: Text = ""
    po_no: Text = ""
    customer: Text = ""
    customer_address: Text = ""
    shipping_address_name: Text = ""
    currency: Text
    grand_total: Number = Decimal(0)
    items: Annotated[tuple[OrderRow, ...], BeforeValidator(_null_to_empty)] = ()
    taxes: Annotated[tuple[TaxRow, ...], BeforeValidator(_null_to_empty)] = ()


class DocumentRow(Answer):
    """A row of a Delivery Note or a Sales Invoice, with the order's row that it came from."""

    name: str
    parent: str = ""
    so_detail: Text = ""
    item_code: Text = ""
    qty: Number = Decimal(0)
    dn_detail: Text = ""


class NoteDocument(Answer):
    """A Delivery Note."""

    name: str
    docstatus: int
    po_no: Text = ""
    posting_date: Text = ""
    posting_time: Text = ""
    transporter_name: Text = ""
    lr_no: Text = ""
    return_against: Text = ""
    is_return: Check = 0


class InvoiceDocument(Answer):
    """A Sales Invoice, a credit note too: its amounts are negative then."""

    name: str
    docstatus: int
    po_no: Text = ""
    currency: Text
    grand_total: Number = Decimal(0)
    outstanding_amount: Number = Decimal(0)
    remarks: Text = ""
    is_return: Check = 0


class CustomerDocument(Answer):
    name: str
    modified: str = ""
    customer_name: Text = ""
    customer_details: Text = ""
    email_id: Text = ""
    mobile_no: Text = ""
    language: Text = ""
    customer_primary_contact: Text = ""


class ContactDocument(Answer):
    """How a customer is reached: the Contact's own primary address and mobile number."""

    name: str
    modified: str = ""
    email_id: Text = ""
    mobile_no: Text = ""


class EmailRow(Answer):
    name: str
    email_id: Text = ""
    is_primary: Check = 0


class PhoneRow(Answer):
    name: str
    phone: Text = ""
    is_primary_phone: Check = 0
    is_primary_mobile_no: Check = 0


class ContactRows(Answer):
    """A Contact with all that staff have noted there."""

    email_ids: Annotated[tuple[EmailRow, ...], BeforeValidator(_null_to_empty)] = ()
    phone_nos: Annotated[tuple[PhoneRow, ...], BeforeValidator(_null_to_empty)] = ()


class AddressDocument(Answer):
    name: str
    modified: str = ""
    address_title: Text = ""
    address_type: Text = ""
    address_line1: Text = ""
    address_line2: Text = ""
    city: Text = ""
    state: Text = ""
    pincode: Text = ""
    country: Text = ""
    is_primary_address: Check = 0
    """*Preferred Billing Address*."""
    is_shipping_address: Check = 0
    """*Preferred Shipping Address*."""


class ItemRow(Answer):
    name: str
    item_name: Text = ""
    is_stock_item: Check = 0


class BinRow(Answer):
    """What one warehouse has of one item."""

    item_code: str
    actual_qty: Number = Decimal(0)
    reserved_qty: Number = Decimal(0)
    reserved_qty_for_production: Number = Decimal(0)
    reserved_qty_for_sub_contract: Number = Decimal(0)


class TaxDetail(Answer):
    tax_type: Text = ""
    """The account."""
    tax_rate: Number = Decimal(0)
    """Per cent."""


class TaxTemplate(Answer):
    name: str
    taxes: Annotated[tuple[TaxDetail, ...], BeforeValidator(_null_to_empty)] = ()


class AccountRow(Answer):
    name: str
    account_name: Text = ""
    account_number: Text = ""
    account_type: Text = ""
    root_type: Text = ""
    account_currency: Text = ""


class EntryRow(Answer):
    account: str
    debit_in_account_currency: Number = Decimal(0)
    credit_in_account_currency: Number = Decimal(0)


class EntryDocument(Answer):
    """A Journal Entry."""

    name: str
    docstatus: int
    posting_date: Text = ""
    accounts: Annotated[tuple[EntryRow, ...], BeforeValidator(_null_to_empty)] = ()


def read(model: type[_Answer], value: Any) -> _Answer:
    """Read an answer, or say which field is not what ERPNext's documentation says, never its content."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        fault = faults_of(error)[0]
        raise bug(f"ERPNext's answer cannot be read as {model.__name__}: {fault.field} ({fault.kind})") from error


def fields_of(model: type[Answer]) -> list[str]:
    """What to ask for to fill such a model from a list."""
    return list(model.model_fields)
