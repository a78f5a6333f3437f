"""Prove that an order's figures add up, in both of its currencies, to the last minor unit.

The identities are those that Shopify's and WooCommerce's genuine orders keep exactly. A mismatch is a finding for a
person, never a reason to lose the order: vendors' own test payloads do not add up.
"""

from collections.abc import Iterable

from shared.kernel.model import Canonical
from shared.kernel.money import Amount
from shared.orders.models import Order


class TotalsProof(Canonical):
    """What was claimed and what the parts come to; `None` on both where the order is proven."""

    proven: bool
    figure: str | None = None
    """The figure that does not add up: `subtotal` or `total`."""
    claimed: Amount | None = None
    computed: Amount | None = None


def prove_totals(order: Order) -> TotalsProof:
    """Check the order as it was placed; if that fails and it was changed since, as it stands now."""
    as_placed = _prove_as_placed(order)
    if as_placed.proven or not _was_changed(order):
        return as_placed
    return TotalsProof(proven=True) if _stands_now(order) else as_placed


def _prove_as_placed(order: Order) -> TotalsProof:
    totals = order.totals
    lines = _sum(order, (line.subtotal for line in order.lines)) - _sum(
        order, (discount.amount for line in order.lines for discount in line.discounts)
    )
    if lines - totals.subtotal:
        return TotalsProof(proven=False, figure="subtotal", claimed=totals.subtotal, computed=lines)
    computed = _with_extras(order, totals.subtotal, totals.tax, totals.duties, totals.fees)
    computed = computed + _shipping(order) - totals.gift_cards
    if computed - totals.total:
        return TotalsProof(proven=False, figure="total", claimed=totals.total, computed=computed)
    return TotalsProof(proven=True)


def _stands_now(order: Order) -> bool:
    now, placed = order.current_totals, order.totals
    if now.subtotal is None or now.tax is None or now.total is None:
        return False
    computed = _with_extras(order, now.subtotal, now.tax, now.duties or placed.duties, now.fees or placed.fees)
    shipping_given_back = _sum(
        order,
        (item.amount for refund in order.refunds for item in refund.adjustments if item.kind == "shipping_refund"),
    )
    return not computed + _shipping(order) + shipping_given_back - placed.gift_cards - now.total


def _with_extras(order: Order, subtotal: Amount, tax: Amount, duties: Amount, fees: Amount) -> Amount:
    total = subtotal + fees + order.totals.tips
    if not order.duties_included:
        total = total + duties
    if not order.taxes_included:
        total = total + tax
    return total


def _shipping(order: Order) -> Amount:
    return _sum(order, (line.discounted_price for line in order.shipping_lines if not line.removed))


def _was_changed(order: Order) -> bool:
    return bool(order.refunds) or any(line.current_quantity != line.quantity for line in order.lines)


def _sum(order: Order, amounts: Iterable[Amount]) -> Amount:
    total = Amount.zero(order.currency, order.presentment_currency)
    for amount in amounts:
        total = total + amount
    return total
