"""Stripe's events, as the facts of finance. Pure.

What an event says is taken from the object in it, whatever its type is: events come in any order, and each holds the
object as it was when the event was made.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.finance.models import Fact, Feed, Payment
from shared.kernel import strict_json
from shared.kernel.errors import Rejected
from shared.payments.lenient import read
from shared.payments.port import AccountContext, PaymentReading
from shared.payments.stripe import schemas
from shared.payments.stripe.objects import (
    PROVIDER,
    Statement,
    balances,
    charge_payment,
    dispute_payment,
    is_known_state,
    moment,
    payout,
    references_of,
    refund_payment,
    settlement_line,
)
from shared.payments.stripe.signature import require_account
from shared.webhooks.delivery import Delivery

LOOKED_UP: Final = ("ch_", "py_", "pi_", "cs_", "re_", "pyr_", "dp_", "du_")
"""How the ids of what the client can look up begin."""
_PAID: Final = "paid"
_Read = Callable[[Mapping[str, Any], Statement], PaymentReading]


def read_payment(delivery: Delivery, context: AccountContext) -> PaymentReading:
    """What one event says (a `PaymentReader`).

    Raises:
        Rejected: `invalid_json`, `invalid_payload`, `invalid_money`, `wrong_account`.
    """
    event = strict_json.parse(delivery.body)
    if not isinstance(event, dict):
        raise Rejected("invalid_json", "the body is not a JSON object")
    require_account(event, context.merchant_id)
    if event.get("object") == "v2.core.event":
        return _hinted(read(schemas.ThinEvent, event, PROVIDER))
    told = read(schemas.Event, event, PROVIDER)
    said = Statement(context.account, moment(told.created), Feed.WEBHOOK, told.livemode is False or delivery.test)
    reader = _READERS.get(str(told.data.object.get("object")))
    if reader is None:
        return PaymentReading(nothing="the event is not about money of the account")
    reading = reader(told.data.object, said)
    return reading._replace(oddities=_oddities(reading.facts))


def _hinted(event: schemas.ThinEvent) -> PaymentReading:
    related = event.related_object
    if related is None or not related.id.startswith(LOOKED_UP):
        return PaymentReading(nothing="the event names nothing that can be looked up")
    return PaymentReading(look_up=(related.id,))


def _charge(told: Mapping[str, Any], said: Statement) -> PaymentReading:
    charge = read(schemas.Charge, told, PROVIDER)
    refunds = charge.refunds.data if charge.refunds else ()
    return PaymentReading((charge_payment(charge, said), *(refund_payment(refund, said) for refund in refunds)))


def _refund(told: Mapping[str, Any], said: Statement) -> PaymentReading:
    return PaymentReading((refund_payment(read(schemas.Refund, told, PROVIDER), said),))


def _dispute(told: Mapping[str, Any], said: Statement) -> PaymentReading:
    """A dispute brings the movements that it caused; without a reporting category (old API versions) they wait for
    the feed, for then nobody can tell what they are."""
    dispute = read(schemas.Dispute, told, PROVIDER)
    payment = dispute_payment(dispute, said)
    lines = tuple(
        settlement_line(line, said).model_copy(update={"payment_id": payment.parent_id})
        for line in dispute.balance_transactions
        if line.reporting_category is not None
    )
    return PaymentReading((payment, *lines))


def _payout(told: Mapping[str, Any], said: Statement) -> PaymentReading:
    """A payout of the test mode pays nobody, and a payout's fact cannot say that it is one."""
    if said.test:
        return PaymentReading(nothing="a payout of Stripe's test mode")
    return PaymentReading((payout(read(schemas.Payout, told, PROVIDER), said),))


def _balance(told: Mapping[str, Any], said: Statement) -> PaymentReading:
    if said.test:
        return PaymentReading(nothing="the balance of Stripe's test mode")
    held = balances(read(schemas.Balance, told, PROVIDER), said.account, said.stated_at)
    return PaymentReading(held) if held else PaymentReading(nothing="the balance has no currency")


def _intent(told: Mapping[str, Any], said: Statement) -> PaymentReading:
    """The charge is within (old API versions, or expanded), or has to be looked up, or was never made."""
    intent = read(schemas.PaymentIntent, told, PROVIDER)
    charges = intent_charges(intent, said)
    if charges:
        return PaymentReading(charges)
    if isinstance(intent.latest_charge, str):
        return PaymentReading(look_up=(intent.latest_charge,))
    return PaymentReading(nothing="nothing was charged yet")


def intent_charges(intent: schemas.PaymentIntent, said: Statement, *also: str | None) -> tuple[Payment, ...]:
    """The charges that are within a payment intent, each with the references of both."""
    within = {charge.id: charge for charge in (intent.charges.data if intent.charges else ())}
    if isinstance(intent.latest_charge, schemas.Charge):
        within[intent.latest_charge.id] = intent.latest_charge
    return tuple(charge_payment(charge, said, *references_of(intent), *also) for charge in within.values())


def _session(told: Mapping[str, Any], said: Statement) -> PaymentReading:
    """A paid checkout knows the merchant's own reference, and not the charge: the API is asked for both."""
    del said
    session = read(schemas.CheckoutSession, told, PROVIDER)
    if session.payment_status != _PAID or session.payment_intent is None:
        return PaymentReading(nothing="nothing was paid by this checkout itself")
    return PaymentReading(look_up=(session.id,))


_READERS: Final[Mapping[str, _Read]] = {
    "charge": _charge,
    "refund": _refund,
    "dispute": _dispute,
    "payout": _payout,
    "balance": _balance,
    "payment_intent": _intent,
    "checkout.session": _session,
}


def _oddities(facts: tuple[Fact, ...]) -> tuple[str, ...]:
    unknown = {fact.kind for fact in facts if isinstance(fact, Payment) and not is_known_state(fact)}
    return tuple(f"a {kind} has a status that is not known here" for kind in sorted(unknown))
