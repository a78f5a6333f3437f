"""PayPal's events, as the facts of finance. Pure.

What an event says is taken from its resource. Both generations of shapes are read alike: a refund is told by its kind
or by the capture that it names, for version 1 calls it a capture too.
"""

from typing import Final

from shared.finance.models import Fact, Feed, Payment
from shared.kernel import strict_json
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected
from shared.payments import references
from shared.payments.lenient import read
from shared.payments.paypal import schemas
from shared.payments.paypal.objects import (
    PROVIDER,
    Statement,
    authorisation_payment,
    capture_payment,
    dispute_payment,
    is_known_state,
    moment,
    parent_of,
    refund_payment,
    spent_authorisation,
)
from shared.payments.paypal.signature import require_merchant
from shared.payments.port import AccountContext, PaymentReading
from shared.webhooks.delivery import Delivery

_DISPUTES: Final = ("CUSTOMER.DISPUTE.", "RISK.DISPUTE.")
_PAYMENTS: Final = ("PAYMENT.CAPTURE.", "PAYMENT.SALE.", "PAYMENT.REFUND.")
_AUTHORISATIONS: Final = "PAYMENT.AUTHORIZATION."
_ORDERS: Final = "CHECKOUT.ORDER."
_REVERSED: Final = ".REVERSED"
_REFUND: Final = "refund"
_UNNAMED: Final = "default"
"""What PayPal calls the only unit of a purchase that has no reference."""


def read_payment(delivery: Delivery, context: AccountContext) -> PaymentReading:
    """What one event says (a `PaymentReader`).

    Raises:
        Rejected: `invalid_json`, `invalid_payload`, `invalid_money`, `invalid_time`, `wrong_account`.
    """
    body = strict_json.parse(delivery.body)
    if not isinstance(body, dict):
        raise Rejected("invalid_json", "the body is not a JSON object")
    require_merchant(body, context.merchant_id)
    event = read(schemas.Event, body, PROVIDER)
    received_at = parse_time(delivery.received_at, field="received_at")
    made_at = min(moment(event.create_time, "create_time", received_at), received_at)
    said = Statement(context.account, made_at, Feed.WEBHOOK, delivery.test)
    facts = _facts(event, said)
    if not facts:
        return PaymentReading(nothing="the event is not about money that moved or is promised")
    return PaymentReading(facts, oddities=_oddities(facts))


def _facts(event: schemas.Event, said: Statement) -> tuple[Fact, ...]:
    """A reversal is what a dispute or a chargeback came to. It looks like a refund and is none: the dispute's own
    events and the movements on the balance tell of it."""
    kind = event.event_type
    if kind.startswith(_DISPUTES):
        dispute = read(schemas.Dispute, event.resource, PROVIDER)
        return (dispute_payment(dispute, _as_of(dispute, said)),)
    if kind.startswith(_ORDERS):
        return _of_order(read(schemas.Order, event.resource, PROVIDER), said)
    if kind.startswith(_AUTHORISATIONS):
        told = read(schemas.Transaction, event.resource, PROVIDER)
        return (authorisation_payment(told, _as_of(told, said)),)
    if kind.startswith(_PAYMENTS) and not kind.endswith(_REVERSED):
        told = read(schemas.Transaction, event.resource, PROVIDER)
        is_refund = event.resource_type == _REFUND or parent_of(told) is not None
        return (refund_payment(told, _as_of(told, said)),) if is_refund else _captured(told, said)
    return ()


def _of_order(order: schemas.Order, said: Statement) -> tuple[Fact, ...]:
    facts: list[Fact] = []
    for unit in order.purchase_units:
        named = unit.reference_id if unit.reference_id != _UNNAMED else None
        also = (
            *references.exact(unit.invoice_id),
            *references.of_free_field(unit.custom_id),
            *references.exact(named, order.id),
        )
        payments = unit.payments or schemas.UnitPayments()
        facts += [authorisation_payment(told, _as_of(told, said), *also) for told in payments.authorizations]
        facts += [fact for told in payments.captures for fact in _captured(told, said, *also)]
        facts += [refund_payment(told, _as_of(told, said), *also) for told in payments.refunds]
    return tuple(facts)


def _captured(told: schemas.Transaction, said: Statement, *also: str | None) -> tuple[Fact, ...]:
    capture = capture_payment(told, _as_of(told, said), *also)
    spent = spent_authorisation(capture, told)
    return (capture, spent) if spent is not None else (capture,)


def _as_of(told: schemas.Transaction | schemas.Dispute, said: Statement) -> Statement:
    """PayPal builds an event some time after the thing: the thing's own time tells which of two is the newer. None is
    of a later time than when it came, for the signature does not prove the body (see `signature`), and a forged one
    would go before all that the API says from then on."""
    return said._replace(stated_at=min(moment(told.update_time, "update_time", said.stated_at), said.stated_at))


def _oddities(facts: tuple[Fact, ...]) -> tuple[str, ...]:
    unknown = {fact.kind for fact in facts if isinstance(fact, Payment) and not is_known_state(fact)}
    return tuple(f"a {kind} has a status that is not known here" for kind in sorted(unknown))
