"""Stripe's objects, wherever they come from, as the facts of finance. Pure.

A partial capture is two movements on the balance: the whole charge, and the reversal of what was not captured. The
charge itself states what was captured.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

from shared.finance.models import (
    Feed,
    LineKind,
    Payment,
    PaymentKind,
    PaymentState,
    Payout,
    PayoutState,
    ProviderBalance,
    SettlementLine,
)
from shared.payments import references
from shared.payments.lenient import each_once, read
from shared.payments.stripe import schemas
from shared.payments.stripe.amounts import iso_minor
from shared.payments.stripe.categories import kind_of, kind_of_type

PROVIDER: Final = "Stripe"
_CHARGE_IDS: Final = ("ch_", "py_")
"""Cards and wallets; other methods of payment."""
_REFUND_STATES: Final = {
    "succeeded": PaymentState.SUCCEEDED,
    "pending": PaymentState.PENDING,
    "requires_action": PaymentState.PENDING,
    "failed": PaymentState.FAILED,
    "canceled": PaymentState.CANCELLED,
}
_DISPUTE_STATES: Final = {
    "warning_needs_response": PaymentState.OPEN,
    "warning_under_review": PaymentState.OPEN,
    "warning_closed": PaymentState.WON,
    "needs_response": PaymentState.OPEN,
    "under_review": PaymentState.OPEN,
    "won": PaymentState.WON,
    "lost": PaymentState.LOST,
    "charge_refunded": PaymentState.CANCELLED,
    "prevented": PaymentState.CANCELLED,
}
"""An inquiry that closed took no money. One that ended in a refund is told of as a refund."""
_KNOWN_STATES: Final = {
    PaymentKind.CAPTURE: frozenset({"succeeded", "pending", "failed"}),
    PaymentKind.REFUND: frozenset(_REFUND_STATES),
    PaymentKind.DISPUTE: frozenset(_DISPUTE_STATES),
}
_PAYOUT_STATES: Final = {
    "pending": PayoutState.PENDING,
    "in_transit": PayoutState.IN_TRANSIT,
    "paid": PayoutState.PAID,
    "failed": PayoutState.FAILED,
    "canceled": PayoutState.CANCELLED,
}


class Statement(NamedTuple):
    """Who states an object, when and how."""

    account: str
    stated_at: datetime
    feed: Feed
    test: bool = False


def charge_payment(charge: schemas.Charge, said: Statement, *also: str | None) -> Payment:
    """`also`: further references, of what the charge was made for."""
    currency = charge.currency.upper()
    captured = charge.captured is not False
    amount = charge.amount_captured if captured and charge.amount_captured else charge.amount
    return Payment(
        account=said.account,
        payment_id=charge.id,
        kind=PaymentKind.CAPTURE,
        state=_charge_state(charge),
        vendor_state=charge.status or "",
        currency=currency,
        amount=iso_minor(amount, currency, field="amount"),
        references=each_once((*references_of(charge), *also)),
        occurred_at=moment(charge.created),
        stated_at=said.stated_at,
        feed=said.feed,
        test=said.test or charge.livemode is False,
    )


def refund_payment(refund: schemas.Refund, said: Statement) -> Payment:
    currency = refund.currency.upper()
    status = refund.status or ""
    return Payment(
        account=said.account,
        payment_id=refund.id,
        kind=PaymentKind.REFUND,
        parent_id=_id(refund.charge),
        state=_REFUND_STATES.get(status, PaymentState.PENDING),
        vendor_state=status,
        currency=currency,
        amount=iso_minor(refund.amount, currency, field="amount"),
        references=each_once((*references.of_metadata(refund.metadata or {}), _id(refund.payment_intent))),
        occurred_at=moment(refund.created),
        stated_at=said.stated_at,
        feed=said.feed,
        test=said.test,
    )


def dispute_payment(dispute: schemas.Dispute, said: Statement) -> Payment:
    currency = dispute.currency.upper()
    status = dispute.status or ""
    return Payment(
        account=said.account,
        payment_id=dispute.id,
        kind=PaymentKind.DISPUTE,
        parent_id=_id(dispute.charge),
        state=_DISPUTE_STATES.get(status, PaymentState.OPEN),
        vendor_state=status,
        currency=currency,
        amount=iso_minor(dispute.amount, currency, field="amount"),
        references=each_once((*references.of_metadata(dispute.metadata or {}), _id(dispute.payment_intent))),
        occurred_at=moment(dispute.created),
        stated_at=said.stated_at,
        feed=said.feed,
        test=said.test,
    )


def is_known_state(payment: Payment) -> bool:
    """Whether the state was read from the provider's own word, and not taken for want of a known one."""
    return payment.vendor_state in _KNOWN_STATES[payment.kind]


def payout(told: schemas.Payout, said: Statement) -> Payout:
    """Manual and instant payouts are not itemised: Stripe does not say which movements are in them."""
    currency = told.currency.upper()
    status = told.status or ""
    trace = told.trace_id.value if told.trace_id else None
    return Payout(
        account=said.account,
        payout_id=told.id,
        state=_PAYOUT_STATES.get(status, PayoutState.PENDING),
        vendor_state=status,
        currency=currency,
        amount=iso_minor(told.amount, currency, field="amount"),
        issued_on=day(told.created),
        arrives_on=day(told.arrival_date) if told.arrival_date is not None else None,
        itemised=told.automatic is not False,
        references=each_once((told.id, told.statement_descriptor, trace)),
        stated_at=said.stated_at,
        feed=said.feed,
    )


def balances(told: schemas.Balance, account: str, as_of: datetime) -> tuple[ProviderBalance, ...]:
    """All that Stripe holds, by currency: what may be paid out, what may not yet, and what is kept in reserve. What can
    be paid out at once (`instant_available`) is a part of it, and money for cards of one's own (`issuing`) is none."""
    sums: dict[str, int] = {}
    for held in _holdings(told):
        currency = held.currency.upper()
        sums[currency] = sums.get(currency, 0) + iso_minor(held.amount, currency, field="amount")
    return tuple(
        ProviderBalance(account=account, currency=currency, as_of=as_of, amount=sums[currency])
        for currency in sorted(sums)
    )


def settlement_line(
    told: schemas.BalanceTransaction, said: Statement, *, payout_id: str | None = None
) -> SettlementLine:
    """One movement. `payout_id`: the automatic payout that Stripe lists it under."""
    currency = told.currency.upper()
    gross = iso_minor(told.amount, currency, field="amount")
    category = told.reporting_category or told.type or ""
    kind = kind_of(category, gross) if told.reporting_category else kind_of_type(category)
    source = _source_of(told.source)
    is_payout = kind is LineKind.PAYOUT
    return SettlementLine(
        account=said.account,
        line_id=told.id,
        kind=kind,
        category=category,
        occurred_at=moment(told.created),
        currency=currency,
        gross=gross,
        fee=iso_minor(told.fee, currency, field="fee"),
        net=iso_minor(told.net, currency, field="net"),
        payment_id=source.payment_id,
        source_id=source.id,
        payout_id=payout_id or (source.id if is_payout else None),
        references=source.references,
        buyer_currency=source.currency,
        buyer_amount=_buyer_amount(source, category, gross, currency),
        exchange_rate=str(told.exchange_rate) if told.exchange_rate is not None else None,
        available_on=day(told.available_on) if told.available_on is not None else None,
        test=said.test or source.is_test,
        feed=said.feed,
    )


def payments_in(told: schemas.BalanceTransaction, said: Statement) -> tuple[Payment, ...]:
    """The charge, refund or dispute that a movement comes from, where it was expanded."""
    if not isinstance(told.source, dict):
        return ()
    match told.source.get("object"):
        case "charge":
            return (charge_payment(read(schemas.Charge, told.source, PROVIDER), said),)
        case "refund":
            return (refund_payment(read(schemas.Refund, told.source, PROVIDER), said),)
        case "dispute":
            return (dispute_payment(read(schemas.Dispute, told.source, PROVIDER), said),)
    return ()


def references_of(told: schemas.Charge | schemas.Intention) -> tuple[str, ...]:
    """By which the order may be found: metadata that speaks of one, the payment intent, and what is meant for it."""
    own = (*references.of_metadata(told.metadata or {}), *references.exact(told.transfer_group))
    described = references.numbered(told.description)
    if not isinstance(told, schemas.Charge):
        return each_once((*own, told.id, *described))
    intent = told.payment_intent
    above = references_of(intent) if isinstance(intent, schemas.Intention) else (intent,)
    return each_once((*own, *above, *described))


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def day(seconds: int) -> date:
    """Stripe's own days are of UTC: an arrival is stated as its midnight."""
    return moment(seconds).date()


class _Source(NamedTuple):
    """What a movement comes from."""

    payment_id: str | None = None
    id: str | None = None
    references: tuple[str, ...] = ()
    currency: str | None = None
    amount: int | None = None
    uncaptured: int = 0
    is_test: bool = False


def _source_of(source: dict[str, Any] | str | None) -> _Source:
    if isinstance(source, str):
        return _Source(payment_id=source) if source.startswith(_CHARGE_IDS) else _Source(id=source)
    if source is None:
        return _Source()
    match source.get("object"):
        case "charge":
            return _from_charge(read(schemas.Charge, source, PROVIDER))
        case "refund":
            return _from_part(read(schemas.Refund, source, PROVIDER))
        case "dispute":
            return _from_part(read(schemas.Dispute, source, PROVIDER))
    return _Source(id=read(schemas.Expandable, source, PROVIDER).id)


def _from_charge(charge: schemas.Charge) -> _Source:
    currency = charge.currency.upper()
    amount = iso_minor(charge.amount, currency, field="source.amount")
    captured = charge.amount_captured if charge.amount_captured is not None else charge.amount
    return _Source(
        payment_id=charge.id,
        references=references_of(charge),
        currency=currency,
        amount=amount,
        uncaptured=amount - iso_minor(captured, currency, field="source.amount_captured"),
        is_test=charge.livemode is False,
    )


def _from_part(part: schemas.Refund | schemas.Dispute) -> _Source:
    currency = part.currency.upper()
    return _Source(
        payment_id=_id(part.charge),
        id=part.id,
        references=each_once((*references.of_metadata(part.metadata or {}), _id(part.payment_intent))),
        currency=currency,
        amount=iso_minor(part.amount, currency, field="source.amount"),
    )


def _buyer_amount(source: _Source, category: str, gross: int, currency: str) -> int | None:
    """In the buyer's currency: the movement's own amount where it is the same one."""
    if source.amount is None:
        return None
    if source.currency == currency:
        return gross
    moved = source.uncaptured if category == "partial_capture_reversal" else source.amount
    return moved if gross >= 0 else -moved


def _charge_state(charge: schemas.Charge) -> PaymentState:
    if charge.status == "failed":
        return PaymentState.FAILED
    if charge.status != "succeeded":
        return PaymentState.PENDING
    if charge.captured is False:
        return PaymentState.CANCELLED if charge.refunded else PaymentState.AUTHORISED
    return PaymentState.SUCCEEDED


def _holdings(told: schemas.Balance) -> Iterator[schemas.Held]:
    yield from (*told.available, *told.pending, *told.connect_reserved)
    for other in (told.risk_reserved, told.refund_and_dispute_prefunding):
        if other is not None:
            yield from (*other.available, *other.pending)


def _id(reference: schemas.Expandable | str | None) -> str | None:
    return reference.id if isinstance(reference, schemas.Expandable) else reference
