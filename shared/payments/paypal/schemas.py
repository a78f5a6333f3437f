"""What PayPal's events and API hold, as far as it is read. All else is let be: most of it names buyers.

Events come in the shapes of two generations of its API (`resource_version`): the fields of both are here, under their
own names. Amounts are decimal text in major units.
"""

from typing import Annotated, Any

from pydantic import Field

from shared.payments.lenient import NULL_IS_EMPTY, Lenient, OptionalText

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]


class Amount(Lenient):
    currency_code: OptionalText = None
    value: OptionalText = None
    currency: OptionalText = None
    """Version 1, with `total`."""
    total: OptionalText = None


class Link(Lenient):
    href: str = ""
    rel: str = ""


class RelatedIds(Lenient):
    order_id: OptionalText = None
    authorization_id: OptionalText = None
    capture_id: OptionalText = None


class Supplementary(Lenient):
    related_ids: RelatedIds | None = None


class Transaction(Lenient):
    """A capture, a sale (version 1), a refund or an authorisation."""

    id: Id
    status: OptionalText = None
    state: OptionalText = None
    """Version 1."""
    amount: Amount
    invoice_id: OptionalText = None
    invoice_number: OptionalText = None
    """Version 1."""
    custom_id: OptionalText = None
    custom: OptionalText = None
    """Version 1."""
    capture_id: OptionalText = None
    """Version 1, of a refund; `sale_id` of a sale's."""
    sale_id: OptionalText = None
    parent_payment: OptionalText = None
    """Version 1."""
    supplementary_data: Supplementary | None = None
    final_capture: bool | None = None
    links: Annotated[tuple[Link, ...], NULL_IS_EMPTY] = ()
    create_time: OptionalText = None
    update_time: OptionalText = None


_Transactions = Annotated[tuple[Transaction, ...], NULL_IS_EMPTY]


class UnitPayments(Lenient):
    captures: _Transactions = ()
    refunds: _Transactions = ()
    authorizations: _Transactions = ()


class PurchaseUnit(Lenient):
    reference_id: OptionalText = None
    invoice_id: OptionalText = None
    custom_id: OptionalText = None
    payments: UnitPayments | None = None


class Order(Lenient):
    """A checkout: what is to be paid, and what was."""

    id: Id
    update_time: OptionalText = None
    purchase_units: Annotated[tuple[PurchaseUnit, ...], NULL_IS_EMPTY] = ()


class DisputedTransaction(Lenient):
    seller_transaction_id: OptionalText = None
    invoice_number: OptionalText = None
    custom: OptionalText = None


class Outcome(Lenient):
    outcome_code: OptionalText = None


class Dispute(Lenient):
    dispute_id: Id
    dispute_amount: Amount
    status: OptionalText = None
    dispute_outcome: Outcome | None = None
    disputed_transactions: Annotated[tuple[DisputedTransaction, ...], NULL_IS_EMPTY] = ()
    create_time: OptionalText = None
    update_time: OptionalText = None


class Event(Lenient):
    id: str
    event_type: str
    resource_type: OptionalText = None
    create_time: OptionalText = None
    resource: dict[str, Any]


class TransactionInfo(Lenient):
    """Of `GET /v1/reporting/transactions`."""

    transaction_id: Id
    transaction_event_code: Id
    transaction_initiation_date: str
    transaction_amount: Amount
    fee_amount: Amount | None = None
    """Signed: what PayPal keeps is negative."""
    transaction_status: OptionalText = None
    paypal_reference_id: OptionalText = None
    paypal_reference_id_type: OptionalText = None
    invoice_id: OptionalText = None
    custom_field: OptionalText = None
    bank_reference_id: OptionalText = None


class TransactionDetail(Lenient):
    transaction_info: TransactionInfo


class TransactionPage(Lenient):
    """Where neither is told, the answer is no page: not an empty one, which would count as read."""

    transaction_details: tuple[TransactionDetail, ...] | None = None
    total_pages: int | None = None


class HeldBalance(Lenient):
    currency: OptionalText = None
    total_balance: Amount


class Balances(Lenient):
    balances: Annotated[tuple[HeldBalance, ...], NULL_IS_EMPTY] = ()
    as_of_time: OptionalText = None
