"""The money of an order that moved: what was received, and what was paid out for its refunds."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from shared.kernel.money import Money
from shared.orders.models import Order, PaymentState, Refund, Transaction
from shared.sync.backoffice.books import PaymentDue
from shared.sync.backoffice.rules import AnyMethod, BookRules

PAID = frozenset({PaymentState.PAID, PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED})


def payments_of(order: Order, rules: BookRules) -> Iterator[PaymentDue]:
    received = received_by(order)
    for transaction in received:
        due = _payment_due(order, transaction, rules, f"{order.key}/payment/{transaction.id}")
        if due:
            yield due
    if not received and order.payment in PAID and order.totals.total.shop:
        method = next(iter(order.payment_methods), "")
        name = rules.payment_methods.get(method, rules.payment_methods.get(AnyMethod))
        outstanding = order.outstanding.shop if order.outstanding else Money.zero(order.currency)
        amount = order.totals.total.shop - outstanding
        if name and amount.minor > 0:
            yield PaymentDue(
                key=f"{order.key}/payment/all",
                amount=amount,
                method=name,
                paid_on=day_of(order.processed_at or order.created_at),
                reference=order.name,
            )


def received_by(order: Order) -> list[Transaction]:
    return [
        transaction
        for transaction in order.transactions
        if _succeeded(transaction, "sale", "capture") and transaction.amount.currency == order.currency
    ]


def paid_out(order: Order, refund: Refund, rules: BookRules) -> Iterator[PaymentDue]:
    for transaction in refund.transactions:
        if _succeeded(transaction, "refund") and transaction.amount.currency == order.currency:
            due = _payment_due(order, transaction, rules, f"{order.key}/payout/{transaction.id}")
            if due:
                yield due


def _payment_due(order: Order, transaction: Transaction, rules: BookRules, key: str) -> PaymentDue | None:
    name = rules.payment_methods.get(transaction.gateway or "", rules.payment_methods.get(AnyMethod))
    if name is None or transaction.test or transaction.amount.minor <= 0:
        return None
    return PaymentDue(
        key=key,
        amount=transaction.amount,
        method=name,
        paid_on=day_of(transaction.processed_at or order.updated_at),
        reference=f"{transaction.gateway or 'payment'} {transaction.id}",
    )


def _succeeded(transaction: Transaction, *kinds: str) -> bool:
    return transaction.status.lower() == "success" and transaction.kind.lower() in kinds


def day_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
