"""The sums that Shopify states: as placed, as they stand now, and what cash was rounded by."""

from shared.kernel.money import Amount
from shared.orders.models import (
    CashRounding,
    CurrentTotals,
    Totals,
)
from shared.storefronts.shopify import schemas
from shared.storefronts.shopify.figures import Context
from shared.storefronts.shopify.lines import duties_of, fees_of, shipping_line_of


def totals_of(payload: schemas.Order, context: Context) -> Totals:
    fees = context.amount(payload.original_total_additional_fees_set, None, "original_total_additional_fees_set")
    duties = context.amount(payload.original_total_duties_set, None, "original_total_duties_set")
    return Totals(
        subtotal=context.stated(payload.subtotal_price_set, payload.subtotal_price, "subtotal_price"),
        discounts=context.or_zero(payload.total_discounts_set, payload.total_discounts, "total_discounts"),
        shipping=_shipping_total(payload, context),
        fees=fees or context.total(fee.amount for fee in fees_of(payload, context)),
        duties=duties or _line_duties(payload, context),
        tips=context.or_zero(payload.total_tip_received_set, payload.total_tip_received, "total_tip_received"),
        tax=context.or_zero(payload.total_tax_set, payload.total_tax, "total_tax"),
        gift_cards=context.zero,
        total=context.stated(payload.total_price_set, payload.total_price, "total_price"),
    )


def _shipping_total(payload: schemas.Order, context: Context) -> Amount:
    """After shipping discounts, which `total_shipping_price_set` leaves out."""
    lines = [shipping_line_of(line, context, index) for index, line in enumerate(payload.shipping_lines)]
    if not lines:
        return context.or_zero(payload.total_shipping_price_set, None, "total_shipping_price_set")
    return context.total(line.discounted_price for line in lines if not line.removed)


def _line_duties(payload: schemas.Order, context: Context) -> Amount:
    return context.total(
        duty.amount
        for index, line in enumerate(payload.line_items)
        for duty in duties_of(line.duties, context, f"line_items.{index}.duties")
    )


def current_totals_of(payload: schemas.Order, context: Context) -> CurrentTotals:
    def current(name: str) -> Amount | None:
        return context.amount(getattr(payload, f"{name}_set"), getattr(payload, name, None), name)

    return CurrentTotals(
        subtotal=current("current_subtotal_price"),
        discounts=current("current_total_discounts"),
        fees=current("current_total_additional_fees"),
        duties=current("current_total_duties"),
        tax=current("current_total_tax"),
        total=current("current_total_price"),
    )


def cash_rounding_of(payload: schemas.Order, context: Context) -> CashRounding | None:
    payment = payload.total_cash_rounding_payment_adjustment_set
    refund = payload.total_cash_rounding_refund_adjustment_set
    if payment is None and refund is None:
        return None
    return CashRounding(
        payment=context.or_zero(payment, None, "total_cash_rounding_payment_adjustment_set"),
        refund=context.or_zero(refund, None, "total_cash_rounding_refund_adjustment_set"),
    )
