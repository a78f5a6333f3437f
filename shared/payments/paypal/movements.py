"""One movement on a PayPal balance, whether the API or a settlement report tells it, as the facts of finance. Pure.

PayPal's transaction ids are not unique: a conversion has one id for both of its halves, and a hold that of the payment.
So a line's id is made of the transaction, its code, and its signed amount, which both feeds tell alike.
"""

from datetime import datetime
from typing import Final, NamedTuple

from shared.finance.models import Fact, Feed, LineKind, Payout, PayoutState, SettlementLine
from shared.payments import references
from shared.payments.lenient import each_once
from shared.payments.paypal.codes import kind_of

_OF_BUYERS: Final = frozenset(
    {LineKind.CAPTURE, LineKind.REFUND, LineKind.REFUND_REVERSED, LineKind.DISPUTE, LineKind.DISPUTE_REVERSED}
)
_STATES: Final = {"S": PayoutState.PAID, "P": PayoutState.IN_TRANSIT, "V": PayoutState.FAILED, "D": PayoutState.FAILED}
_ORDER: Final = "ODR"


class Movement(NamedTuple):
    """As PayPal tells it, in minor units by ISO 4217."""

    transaction_id: str
    code: str
    at: datetime
    currency: str
    gross: int
    """Signed: what came in is positive."""
    fee: int
    """What PayPal keeps: positive."""
    fee_currency: str
    reference_id: str | None = None
    reference_type: str | None = None
    """`TXN`: another transaction; `ODR`: an order; `SUB`, `PAP`: an agreement."""
    invoice_id: str | None = None
    custom: str | None = None
    """What the merchant's program wrote."""
    bank_reference: str | None = None
    status: str = "S"


def facts_of(movement: Movement, account: str, feed: Feed, stated_at: datetime, *, test: bool) -> tuple[Fact, ...]:
    """Its line; that of its fee, where this is in another currency; and the payout, where money left for the bank. A
    test's money goes to no bank."""
    facts: list[Fact] = [_line(movement, account, feed, test=test)]
    if movement.fee and movement.fee_currency != movement.currency:
        facts.append(_fee_line(movement, account, feed, test=test))
    if kind_of(movement.code, movement.gross) is LineKind.PAYOUT and not test:
        facts.append(_payout(movement, account, feed, stated_at))
    return tuple(facts)


def _line(movement: Movement, account: str, feed: Feed, *, test: bool) -> SettlementLine:
    kind = kind_of(movement.code, movement.gross)
    fee = movement.fee if movement.fee_currency == movement.currency else 0
    is_of_buyer = kind in _OF_BUYERS
    is_payout = kind in (LineKind.PAYOUT, LineKind.PAYOUT_REVERSED)
    return SettlementLine(
        account=account,
        line_id=_line_id(movement),
        kind=kind,
        category=movement.code,
        occurred_at=movement.at,
        currency=movement.currency,
        gross=movement.gross,
        fee=fee,
        net=movement.gross - fee,
        payment_id=_payment_id(movement, kind),
        source_id=None if kind is LineKind.CAPTURE else movement.transaction_id,
        payout_id=movement.transaction_id if kind is LineKind.PAYOUT else None,
        references=() if is_payout else _references(movement),
        buyer_currency=movement.currency if is_of_buyer else None,
        buyer_amount=movement.gross if is_of_buyer else None,
        test=test,
        feed=feed,
    )


def _fee_line(movement: Movement, account: str, feed: Feed, *, test: bool) -> SettlementLine:
    """A fee in another currency leaves another balance, and a line has one currency."""
    kind = kind_of(movement.code, movement.gross)
    return SettlementLine(
        account=account,
        line_id=f"{_line_id(movement)}.fee",
        kind=LineKind.FEE,
        category=movement.code,
        occurred_at=movement.at,
        currency=movement.fee_currency,
        gross=-movement.fee,
        fee=0,
        net=-movement.fee,
        payment_id=_payment_id(movement, kind),
        source_id=movement.transaction_id,
        references=_references(movement),
        test=test,
        feed=feed,
    )


def _line_id(movement: Movement) -> str:
    return f"{movement.transaction_id}.{movement.code}.{movement.gross:+d}{movement.currency}"


def _payment_id(movement: Movement, kind: LineKind) -> str | None:
    """The charge that it belongs to."""
    if kind is LineKind.CAPTURE:
        return movement.transaction_id
    stated = references.exact(movement.reference_id)
    return stated[0] if stated and movement.reference_type in (None, "TXN") else None


def _references(movement: Movement) -> tuple[str, ...]:
    order = movement.reference_id if movement.reference_type == _ORDER else None
    own = (*references.exact(movement.invoice_id), *references.of_free_field(movement.custom))
    return each_once((*own, *references.exact(order)))


def _payout(movement: Movement, account: str, feed: Feed, stated_at: datetime) -> Payout:
    """A withdrawal. PayPal does not say which payments are in it."""
    return Payout(
        account=account,
        payout_id=movement.transaction_id,
        state=_STATES.get(movement.status, PayoutState.PENDING),
        vendor_state=movement.status,
        currency=movement.currency,
        amount=-movement.gross,
        issued_on=movement.at.date(),
        itemised=False,
        references=each_once((movement.transaction_id, *references.exact(movement.bank_reference))),
        stated_at=stated_at,
        feed=feed,
    )
