"""What shops, providers and banks may say of money, out of a small alphabet: few names, so that everything meets, and
the ends of every range."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.finance.models import (
    BankLine,
    Fact,
    Feed,
    LineKind,
    MovementKind,
    OrderStatement,
    Payment,
    PaymentKind,
    PaymentState,
    Payout,
    PayoutState,
    SettlementLine,
)
from shared.kernel.money import MAX_MINOR
from tests.builders.finance import NOON, bank_line, document, line, movement, payment, payout, statement

CURRENCIES = st.sampled_from(["EUR", "EUR", "EUR", "JPY", "KWD"])
"""Of two, no and three decimals."""
POSITIVE = st.sampled_from([100, 1, 99, 0, 10**15, MAX_MINOR])
AMOUNTS = st.one_of(POSITIVE, POSITIVE.map(lambda amount: -amount))
FEEDS = st.sampled_from([Feed.API, *Feed])
DAYS = 4
"""Everything happens within so many days."""
HOURS = st.sampled_from([0, 11, 12, 24, 35, 36, 24 * DAYS - 1])
"""After noon: midnight, and the moment before, among them."""


def _at(hours: int) -> datetime:
    return NOON + timedelta(hours=hours) - timedelta(microseconds=hours % 2)


MOMENTS = HOURS.map(_at)
ORDER_IDS = ("1", "2")


@st.composite
def orders(draw: st.DrawFn) -> OrderStatement:
    order_id, total, currency = draw(st.sampled_from(ORDER_IDS)), draw(POSITIVE), draw(CURRENCIES)
    at = draw(MOMENTS)
    moved = [
        movement(total, movement_id="t1", at=at, currency=currency, gateway=draw(st.sampled_from(["stripe", "cod"])),
                 references=(f"ch_{order_id}",))
    ]  # fmt: skip
    back = draw(st.sampled_from([0, 0, 1, total]))
    more: dict[str, Any] = {}
    if back:
        moved.append(movement(back, kind=MovementKind.REFUND, movement_id="r1", at=at, currency=currency))
        more["reductions"] = (document(back, "refund/1", at),)
    if draw(st.booleans()) and not back:
        moved = moved[:0]
    return statement(
        order_id, total, at=NOON, currency=currency, movements=moved, revision=draw(st.integers(1, 3)), **more
    )


@st.composite
def lines(draw: st.DrawFn) -> SettlementLine:
    order = draw(st.sampled_from([*ORDER_IDS, None]))
    kind = draw(st.sampled_from([LineKind.CAPTURE, LineKind.CAPTURE, LineKind.REFUND, LineKind.PAYOUT, *LineKind]))
    gross, currency = draw(AMOUNTS), draw(CURRENCIES)
    more: dict[str, Any] = {}
    if draw(st.booleans()):
        more = {"buyer_currency": draw(CURRENCIES), "buyer_amount": draw(AMOUNTS)}
    fee = draw(st.sampled_from([0, 1, gross, -1]))
    odd = draw(st.sampled_from([0, 0, 0, 1]))
    named = order if kind not in (LineKind.PAYOUT, LineKind.PAYOUT_REVERSED) else None
    return line(
        draw(st.sampled_from(["l1", "l2", "l3"])),
        gross,
        kind=kind,
        fee=fee,
        net=gross - fee + odd,
        at=draw(MOMENTS),
        currency=currency,
        payment_id=f"ch_{named}" if named else None,
        source_id=None if named else draw(st.sampled_from([None, "po_1", "dp_1"])),
        payout_id=draw(st.sampled_from([None, "po_1"])),
        feed=draw(FEEDS),
        **more,
    )


@st.composite
def payments(draw: st.DrawFn) -> Payment:
    order = draw(st.sampled_from(ORDER_IDS))
    kind = draw(st.sampled_from(PaymentKind))
    name = {PaymentKind.CAPTURE: f"ch_{order}", PaymentKind.REFUND: f"re_{order}", PaymentKind.DISPUTE: "dp_1"}[kind]
    return payment(
        name,
        draw(POSITIVE),
        kind=kind,
        state=draw(st.sampled_from([PaymentState.SUCCEEDED, *PaymentState])),
        at=draw(MOMENTS),
        currency=draw(CURRENCIES),
        parent_id=None if kind is PaymentKind.CAPTURE else f"ch_{order}",
        references=(order,),
        feed=draw(FEEDS),
        stated_at=draw(MOMENTS),
    )


@st.composite
def payouts(draw: st.DrawFn) -> Payout:
    return payout(
        draw(st.sampled_from(["po_1", "po_2"])),
        draw(AMOUNTS),
        on=draw(MOMENTS).date(),
        currency=draw(CURRENCIES),
        state=draw(st.sampled_from([PayoutState.PAID, *PayoutState])),
        feed=draw(FEEDS),
        stated_at=draw(MOMENTS),
    )


@st.composite
def bank_lines(draw: st.DrawFn) -> BankLine:
    return bank_line(
        draw(st.sampled_from(["b1", "b2"])),
        draw(AMOUNTS),
        on=draw(MOMENTS).date(),
        text=draw(st.sampled_from(["STRIPE po_1", "STRIPE", "RENT"])),
        currency=draw(CURRENCIES),
        feed=draw(FEEDS),
    )


FACTS: st.SearchStrategy[Fact] = st.one_of(orders(), lines(), payments(), payouts(), bank_lines())
