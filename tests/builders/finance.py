"""The money of the trade for tests: statements, lines, payouts, with defaults that tie out."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.finance.inputs import Inputs
from shared.finance.models import (
    BankLine,
    Document,
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
    SoldLine,
    StoreMovement,
)
from shared.finance.rules import AccountRules, FinanceRules

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
"""A Monday: when the business of these tests happens."""
RECONCILED = NOON + timedelta(days=21)
"""When all of it is reconciled."""
PAID_OUT = date(2026, 11, 4)
ARRIVED = date(2026, 11, 5)
ACCOUNT = "stripe-eu"
STRIPE = AccountRules(gateways=("stripe",), bank="bank-eu", bank_words=("STRIPE",))


def movement(
    amount: int = 5000,
    *,
    kind: MovementKind = MovementKind.CAPTURE,
    movement_id: str = "551",
    gateway: str = "stripe",
    at: datetime = NOON,
    currency: str = "EUR",
    references: Iterable[str] = (),
) -> StoreMovement:
    return StoreMovement(
        id=movement_id,
        kind=kind,
        gateway=gateway,
        at=at,
        currency=currency,
        amount=amount,
        references=tuple(references),
    )


def document(total: int, document_id: str = "sale", at: datetime = NOON) -> Document:
    """What is owed for one line of goods without tax."""
    line = SoldLine(key="1", sku="MUG", title="Mug", units=1, net=total)
    return Document(id=document_id, at=at, lines=(line,), total=total)


def statement(
    order_id: str = "5001",
    total: int = 5000,
    *,
    shop: str = "aurora",
    at: datetime = NOON,
    currency: str = "EUR",
    movements: Iterable[StoreMovement] | None = None,
    **more: Any,
) -> OrderStatement:
    """An order of one line, paid at once by `stripe`, unless `movements` say otherwise; they are named by the order's
    id and `ch_` with it."""
    paid = (movement(total, movement_id=f"t{order_id}", at=at, currency=currency, references=(f"ch_{order_id}",)),)
    fields: dict[str, Any] = {
        "shop": shop,
        "order_id": order_id,
        "name": f"#{order_id}",
        "channel": "web",
        "placed_at": at,
        "stated_at": at,
        "revision": 1,
        "currency": currency,
        "buyer_currency": currency,
        "buyer_total": total,
        "sale": document(total, at=at),
        "movements": paid if movements is None else tuple(movements),
        "references": (f"#{order_id}", order_id),
    }
    return OrderStatement(**(fields | more))


def line(
    line_id: str = "txn_1",
    gross: int = 5000,
    *,
    kind: LineKind = LineKind.CAPTURE,
    fee: int = 0,
    at: datetime = NOON,
    currency: str = "EUR",
    account: str = ACCOUNT,
    **more: Any,
) -> SettlementLine:
    """A line that names nothing, unless `payment_id`, `references` … are given."""
    fields: dict[str, Any] = {
        "account": account,
        "line_id": line_id,
        "kind": kind,
        "category": str(kind),
        "occurred_at": at,
        "currency": currency,
        "gross": gross,
        "fee": fee,
        "net": gross - fee,
        "feed": Feed.API,
    }
    return SettlementLine(**(fields | more))


def line_of(order: OrderStatement, **more: Any) -> SettlementLine:
    """The capture that pays the order's first movement, a minute later."""
    paid = order.movements[0]
    fields: dict[str, Any] = {
        "line_id": f"txn_{order.order_id}",
        "gross": paid.amount,
        "at": paid.at + timedelta(minutes=1),
        "currency": paid.currency,
        "payment_id": f"ch_{order.order_id}",
    }
    return line(**(fields | more))


def payment(
    payment_id: str = "ch_5001",
    amount: int = 5000,
    *,
    kind: PaymentKind = PaymentKind.CAPTURE,
    state: PaymentState = PaymentState.SUCCEEDED,
    at: datetime = NOON,
    currency: str = "EUR",
    account: str = ACCOUNT,
    **more: Any,
) -> Payment:
    fields: dict[str, Any] = {
        "account": account,
        "payment_id": payment_id,
        "kind": kind,
        "state": state,
        "vendor_state": str(state),
        "currency": currency,
        "amount": amount,
        "occurred_at": at,
        "stated_at": at,
        "feed": Feed.WEBHOOK,
    }
    return Payment(**(fields | more))


def payout(
    payout_id: str = "po_1",
    amount: int = 5000,
    *,
    on: date = PAID_OUT,
    currency: str = "EUR",
    account: str = ACCOUNT,
    **more: Any,
) -> Payout:
    fields: dict[str, Any] = {
        "account": account,
        "payout_id": payout_id,
        "state": PayoutState.PAID,
        "vendor_state": "paid",
        "currency": currency,
        "amount": amount,
        "issued_on": on,
        "stated_at": datetime(on.year, on.month, on.day, tzinfo=UTC),
        "feed": Feed.API,
    }
    return Payout(**(fields | more))


def bank_line(
    line_id: str = "b1",
    amount: int = 5000,
    *,
    on: date = ARRIVED,
    text: str = "STRIPE PAYMENTS",
    currency: str = "EUR",
    bank: str = "bank-eu",
    **more: Any,
) -> BankLine:
    fields: dict[str, Any] = {
        "bank": bank,
        "line_id": line_id,
        "booked_on": on,
        "currency": currency,
        "amount": amount,
        "text": text,
        "feed": Feed.REPORT,
    }
    return BankLine(**(fields | more))


def inputs(*things: Any, as_of: datetime = RECONCILED, account: AccountRules = STRIPE, **more: Any) -> Inputs:
    """What a run looks at: facts of any kind, by one account at `stripe-eu`."""
    sorts = (
        ("orders", OrderStatement),
        ("payments", Payment),
        ("lines", SettlementLine),
        ("payouts", Payout),
        ("bank_lines", BankLine),
    )
    sorted_out: dict[str, Any] = {name: tuple(one for one in things if isinstance(one, sort)) for name, sort in sorts}
    fields: dict[str, Any] = {"as_of": as_of, "rules": FinanceRules(), "accounts": {ACCOUNT: account}}
    return Inputs(**(fields | sorted_out | more))
