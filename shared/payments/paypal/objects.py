"""PayPal's objects, wherever they come from, as the facts of finance. Pure."""

import re
from datetime import datetime
from typing import Final, NamedTuple

from shared.finance.models import Feed, Payment, PaymentKind, PaymentState, ProviderBalance
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected
from shared.payments import references
from shared.payments.amounts import minor_units
from shared.payments.lenient import each_once
from shared.payments.paypal import schemas
from shared.payments.paypal.movements import Movement

PROVIDER: Final = "PayPal"
_PARENT: Final = re.compile(r"/v[12]/payments/(?:captures|capture|sale)/([A-Za-z0-9_-]{1,100})$", re.ASCII)
_CAPTURE_STATES: Final = {
    "COMPLETED": PaymentState.SUCCEEDED,
    "PARTIALLY_REFUNDED": PaymentState.SUCCEEDED,
    "REFUNDED": PaymentState.SUCCEEDED,
    "REVERSED": PaymentState.SUCCEEDED,
    "PENDING": PaymentState.PENDING,
    "DECLINED": PaymentState.FAILED,
    "DENIED": PaymentState.FAILED,
    "FAILED": PaymentState.FAILED,
}
"""What was given back or taken back was captured all the same: that is a movement of its own."""
_REFUND_STATES: Final = {
    "COMPLETED": PaymentState.SUCCEEDED,
    "PENDING": PaymentState.PENDING,
    "FAILED": PaymentState.FAILED,
    "CANCELLED": PaymentState.CANCELLED,
    "CANCELED": PaymentState.CANCELLED,
}
_AUTHORISATION_STATES: Final = {
    "CREATED": PaymentState.AUTHORISED,
    "AUTHORIZED": PaymentState.AUTHORISED,
    "PARTIALLY_CAPTURED": PaymentState.AUTHORISED,
    "PARTIALLY_CREATED": PaymentState.AUTHORISED,
    "PENDING": PaymentState.PENDING,
    "DENIED": PaymentState.FAILED,
    "VOIDED": PaymentState.CANCELLED,
    "EXPIRED": PaymentState.CANCELLED,
    "CAPTURED": PaymentState.CANCELLED,
}
"""An authorisation has an id of its own, and so has each capture of it: once it is captured, it asks for no money."""
_OUTCOMES: Final = {
    "RESOLVED_SELLER_FAVOUR": PaymentState.WON,
    "RESOLVED_WITH_PAYOUT": PaymentState.WON,
    "CANCELED_BY_BUYER": PaymentState.WON,
    "DENIED": PaymentState.WON,
    "RESOLVED_BUYER_FAVOUR": PaymentState.LOST,
    "ACCEPTED": PaymentState.LOST,
}
_RESOLVED: Final = "RESOLVED"
_OPEN: Final = frozenset({"OPEN", "WAITING_FOR_BUYER_RESPONSE", "WAITING_FOR_SELLER_RESPONSE", "UNDER_REVIEW", "OTHER"})


class Statement(NamedTuple):
    """Who states an object, when and how."""

    account: str
    stated_at: datetime
    feed: Feed
    test: bool = False


def capture_payment(told: schemas.Transaction, said: Statement, *also: str | None) -> Payment:
    """`also`: further references, of the purchase that it pays."""
    status = _status(told)
    return _payment(
        told,
        said,
        PaymentKind.CAPTURE,
        _CAPTURE_STATES.get(status, PaymentState.PENDING),
        None,
        references_of(told, also),
    )


def refund_payment(told: schemas.Transaction, said: Statement, *also: str | None) -> Payment:
    status = _status(told)
    state = _REFUND_STATES.get(status, PaymentState.PENDING)
    return _payment(told, said, PaymentKind.REFUND, state, parent_of(told), references_of(told, also))


def authorisation_payment(told: schemas.Transaction, said: Statement, *also: str | None) -> Payment:
    status = _status(told)
    state = _AUTHORISATION_STATES.get(status, PaymentState.PENDING)
    return _payment(told, said, PaymentKind.CAPTURE, state, None, references_of(told, also))


def spent_authorisation(capture: Payment, told: schemas.Transaction) -> Payment | None:
    """The authorisation that this capture used up, where PayPal names it: it sends no event of its own for that."""
    related = told.supplementary_data.related_ids if told.supplementary_data else None
    is_spent = related is not None and told.final_capture is not False and capture.state is PaymentState.SUCCEEDED
    if related is None or related.authorization_id is None or not is_spent:
        return None
    update = {"payment_id": related.authorization_id, "state": PaymentState.CANCELLED, "vendor_state": "CAPTURED"}
    return capture.model_copy(update=update)


def dispute_payment(told: schemas.Dispute, said: Statement) -> Payment:
    currency, amount = money(told.dispute_amount, "dispute_amount")
    disputed = told.disputed_transactions[0] if told.disputed_transactions else schemas.DisputedTransaction()
    outcome = told.dispute_outcome.outcome_code if told.dispute_outcome else None
    status = (told.status or "").upper()
    is_over = status == _RESOLVED
    created = moment(told.create_time, "create_time", said.stated_at)
    return Payment(
        account=said.account,
        payment_id=told.dispute_id,
        kind=PaymentKind.DISPUTE,
        parent_id=disputed.seller_transaction_id,
        state=_OUTCOMES.get(outcome or "", PaymentState.OPEN) if is_over else PaymentState.OPEN,
        vendor_state=f"{status}/{outcome}" if outcome else status,
        currency=currency,
        amount=abs(amount),
        references=each_once((*references.exact(disputed.invoice_number), *references.of_free_field(disputed.custom))),
        occurred_at=created,
        stated_at=said.stated_at,
        feed=said.feed,
        test=said.test,
    )


def is_known_state(payment: Payment) -> bool:
    """Whether the state was read from the provider's own word, and not taken for want of a known one."""
    status, _, outcome = payment.vendor_state.partition("/")
    if payment.kind is PaymentKind.DISPUTE:
        return outcome in _OUTCOMES if status == _RESOLVED else status in _OPEN
    if payment.kind is PaymentKind.REFUND:
        return status in _REFUND_STATES
    return status in _CAPTURE_STATES or status in _AUTHORISATION_STATES


def movement_of(told: schemas.TransactionInfo) -> Movement:
    currency, gross = money(told.transaction_amount, "transaction_amount")
    fee_currency, kept = money(told.fee_amount, "fee_amount") if told.fee_amount else (currency, 0)
    return Movement(
        transaction_id=told.transaction_id,
        code=told.transaction_event_code,
        at=parse_time(told.transaction_initiation_date, field="transaction_initiation_date"),
        currency=currency,
        gross=gross,
        fee=-kept,
        fee_currency=fee_currency,
        reference_id=told.paypal_reference_id,
        reference_type=told.paypal_reference_id_type,
        invoice_id=told.invoice_id,
        custom=told.custom_field,
        bank_reference=told.bank_reference_id,
        status=told.transaction_status or "S",
    )


def balances(told: schemas.Balances, account: str, asked_at: datetime) -> tuple[ProviderBalance, ...]:
    """All that PayPal holds, by currency: what is withheld too."""
    as_of = moment(told.as_of_time, "as_of_time", asked_at)
    held = sorted(money(one.total_balance, "total_balance") for one in told.balances)
    return tuple(
        ProviderBalance(account=account, currency=currency, as_of=as_of, amount=amount) for currency, amount in held
    )


def references_of(told: schemas.Transaction, also: tuple[str | None, ...] = ()) -> tuple[str, ...]:
    """By which the order may be found: what the merchant wrote, and the checkout."""
    related = told.supplementary_data.related_ids if told.supplementary_data else None
    own = (*references.exact(told.invoice_id, told.invoice_number), *references.of_free_field(told.custom_id))
    checkout = references.exact(related.order_id if related else None, told.parent_payment)
    return each_once((*own, *references.of_free_field(told.custom), *checkout, *also))


def parent_of(told: schemas.Transaction) -> str | None:
    """The capture or sale of a refund; version 2 tells it in a link only."""
    related = told.supplementary_data.related_ids if told.supplementary_data else None
    stated = told.capture_id or told.sale_id or (related.capture_id if related else None)
    if stated is not None:
        return stated
    linked = (_PARENT.search(link.href) for link in told.links if link.rel in ("up", "capture", "sale"))
    return next((found[1] for found in linked if found is not None), None)


def money(amount: schemas.Amount, field: str) -> tuple[str, int]:
    """Currency and minor units. PayPal writes JPY, HUF and TWD without decimals, which makes no difference here."""
    currency, value = amount.currency_code or amount.currency, amount.value or amount.total
    if currency is None or value is None:
        raise Rejected("invalid_money", "there is no amount with its currency", field=field)
    return currency, minor_units(value, currency, field=field)


def moment(text: str | None, field: str, otherwise: datetime) -> datetime:
    return parse_time(text, field=field) if text is not None else otherwise


def _payment(
    told: schemas.Transaction,
    said: Statement,
    kind: PaymentKind,
    state: PaymentState,
    parent_id: str | None,
    found: tuple[str, ...],
) -> Payment:
    currency, amount = money(told.amount, "amount")
    return Payment(
        account=said.account,
        payment_id=told.id,
        kind=kind,
        parent_id=parent_id,
        state=state,
        vendor_state=_status(told),
        currency=currency,
        amount=abs(amount),
        references=found,
        occurred_at=moment(told.create_time, "create_time", said.stated_at),
        stated_at=said.stated_at,
        feed=said.feed,
        test=said.test,
    )


def _status(told: schemas.Transaction) -> str:
    return (told.status or told.state or "").upper()
