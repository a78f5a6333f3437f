"""Transactions, other tender, and refunds with what became of the goods."""

import re

from shared.kernel.money import Amount, Money
from shared.orders.models import (
    Duty,
    Refund,
    RefundAdjustment,
    RefundLine,
    RestockKind,
    Tender,
    Transaction,
)
from shared.storefronts.shopify import schemas
from shared.storefronts.shopify.figures import NO_CURRENCY, Context, id_of, invalid, time_of

_RESTOCK_KINDS = {
    "cancel": RestockKind.CANCELLED_BEFORE_SHIPPING,
    "return": RestockKind.RETURNED,
    "legacy_restock": RestockKind.RETURNED,
    "no_restock": RestockKind.NOT_RESTOCKED,
}
_TENDER_KINDS = {
    "gift_card": "gift_card",
    "shopify_store_credit": "store_credit",
    "store_credit": "store_credit",
}


def transaction_of(transaction: schemas.Transaction, context: Context, path: str) -> Transaction:
    return Transaction(
        id=id_of(transaction),
        parent_id=transaction.parent_id,
        kind=(transaction.kind or "").lower(),
        status=(transaction.status or "").lower(),
        gateway=transaction.gateway,
        amount=_gateway_money(transaction, context, path),
        test=bool(transaction.test),
        processed_at=time_of(transaction.processed_at or transaction.created_at, f"{path}.processed_at"),
    )


def _gateway_money(transaction: schemas.Transaction, context: Context, path: str) -> Money:
    """What moved at the gateway. Shopify's samples leave the currency null; then it is the order's."""
    if transaction.amount is None:
        return context.stated(transaction.amount_set, None, f"{path}.amount").presentment
    currency = transaction.currency
    if currency is None or currency in NO_CURRENCY:
        currency = context.shop
    if re.fullmatch(r"[A-Z]{3}", currency) is None:
        raise invalid("no currency", f"{path}.currency")
    return Money.parse(transaction.amount, currency, field=f"{path}.amount")


def _moved(transaction: schemas.Transaction, context: Context, path: str) -> Amount:
    """The same in both currencies; a webhook tells one, and the other has to be fetched."""
    if transaction.amount_set is not None:
        return context.stated(transaction.amount_set, None, f"{path}.amount")
    money = _gateway_money(transaction, context, path)
    if money.currency == context.shop:
        return context.stated(None, transaction.amount, f"{path}.amount")
    context.miss("amount_in_one_currency")
    if money.currency == context.presentment:
        return Amount(shop=Money.zero(context.shop), presentment=money)
    return context.zero


def _succeeded(transaction: schemas.Transaction, *kinds: str) -> bool:
    return (transaction.status or "").lower() == "success" and (transaction.kind or "").lower() in kinds


def tenders_of(payload: schemas.Order, context: Context) -> tuple[Tender, ...]:
    """Gift cards and store credit. A webhook names the gateway and not its share of the payment."""
    if payload.transactions is None:
        if any(_tender_kind(gateway) for gateway in payload.payment_gateway_names):
            context.miss("tender_amounts_missing")
        return ()
    tenders = []
    for index, transaction in enumerate(payload.transactions):
        kind = _tender_kind(transaction.gateway)
        if kind and _succeeded(transaction, "sale", "capture"):
            receipt = transaction.receipt or schemas.Receipt()
            tenders.append(
                Tender(
                    kind=kind,
                    id=receipt.gift_card_id or id_of(transaction),
                    amount=_moved(transaction, context, f"transactions.{index}"),
                    last_characters=receipt.gift_card_last_characters,
                )
            )
    return tuple(tenders)


def _tender_kind(gateway: str | None) -> str | None:
    return _TENDER_KINDS.get((gateway or "").lower())


def refund_of(refund: schemas.Refund, context: Context, path: str) -> Refund:
    return Refund(
        id=id_of(refund),
        created_at=time_of(refund.created_at, f"{path}.created_at"),
        amount=context.total(
            _moved(transaction, context, f"{path}.transactions.{index}")
            for index, transaction in enumerate(refund.transactions)
            if _succeeded(transaction, "refund")
        ),
        lines=tuple(
            _refund_line(line, context, f"{path}.refund_line_items.{index}")
            for index, line in enumerate(refund.refund_line_items)
        ),
        adjustments=_adjustments(refund, context, path),
        duties=tuple(
            Duty(
                id=duty.duty_id or str(index),
                amount=context.stated(duty.amount_set, None, f"{path}.duties.{index}.amount_set"),
            )
            for index, duty in enumerate(refund.duties)
        ),
        transactions=tuple(
            transaction_of(transaction, context, f"{path}.transactions.{index}")
            for index, transaction in enumerate(refund.transactions)
        ),
    )


def _refund_line(line: schemas.RefundLineItem, context: Context, path: str) -> RefundLine:
    return RefundLine(
        line_id=context.line_id(line.line_item_id, line.line_item, f"{path}.line_item_id"),
        quantity=line.quantity,
        restock=_RESTOCK_KINDS.get((line.restock_type or "").lower(), RestockKind.UNKNOWN),
        location_id=line.location_id,
        subtotal=context.or_zero(line.subtotal_set, line.subtotal, f"{path}.subtotal"),
        tax=context.or_zero(line.total_tax_set, line.total_tax, f"{path}.total_tax"),
    )


def _adjustments(refund: schemas.Refund, context: Context, path: str) -> tuple[RefundAdjustment, ...]:
    """Shipping given back comes as an adjustment (negative) or as a refunded shipping line (positive): never twice."""
    stated = tuple(
        RefundAdjustment(
            kind=item.kind or "",
            reason=item.reason,
            amount=context.stated(item.amount_set, item.amount, f"{path}.order_adjustments.{index}.amount"),
            tax=context.or_zero(item.tax_amount_set, item.tax_amount, f"{path}.order_adjustments.{index}.tax_amount"),
        )
        for index, item in enumerate(refund.order_adjustments)
    )
    if any(item.kind == "shipping_refund" for item in stated):
        return stated
    return stated + tuple(
        _shipping_refund(item, context, f"{path}.refund_shipping_lines.{index}")
        for index, item in enumerate(refund.refund_shipping_lines)
    )


def _shipping_refund(item: schemas.RefundShippingLine, context: Context, path: str) -> RefundAdjustment:
    amount = context.stated(item.subtotal_amount_set, None, f"{path}.subtotal_amount_set")
    tax = context.or_zero(item.tax_amount_set, None, f"{path}.tax_amount_set")
    return RefundAdjustment(kind="shipping_refund", reason=None, amount=amount * -1, tax=tax * -1)
