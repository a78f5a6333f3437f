"""Stripe's reporting categories, as kinds of movements. Pure.

Complete for docs.stripe.com, "Reporting categories", and the enumeration of `reporting_category` in Stripe's OpenAPI
description. What only some products of Stripe's know (Capital, Issuing, Climate, Connect) moves the merchant's balance
for reasons that no order explains: an adjustment, so that somebody says what it was. A category that is not here
becomes a line of kind `unknown`.
"""

from typing import Final

from shared.finance.models import LineKind

_KINDS: Final = {
    "charge": LineKind.CAPTURE,
    "charge_failure": LineKind.CAPTURE_REVERSED,
    "partial_capture_reversal": LineKind.CAPTURE_REVERSED,
    "refund": LineKind.REFUND,
    "refund_failure": LineKind.REFUND_REVERSED,
    "dispute": LineKind.DISPUTE,
    "dispute_reversal": LineKind.DISPUTE_REVERSED,
    "fee": LineKind.FEE,
    "network_cost": LineKind.FEE,
    "tax": LineKind.FEE,
    "payout": LineKind.PAYOUT,
    "payout_reversal": LineKind.PAYOUT_REVERSED,
    "topup": LineKind.TOPUP,
    "topup_reversal": LineKind.TOPUP,
    "advance": LineKind.ADJUSTMENT,
    "advance_funding": LineKind.ADJUSTMENT,
    "anticipation_repayment": LineKind.ADJUSTMENT,
    "climate_order_purchase": LineKind.ADJUSTMENT,
    "climate_order_refund": LineKind.ADJUSTMENT,
    "connect_collection_transfer": LineKind.ADJUSTMENT,
    "contribution": LineKind.ADJUSTMENT,
    "financing_paydown": LineKind.ADJUSTMENT,
    "financing_paydown_reversal": LineKind.ADJUSTMENT,
    "financing_payout": LineKind.ADJUSTMENT,
    "financing_payout_reversal": LineKind.ADJUSTMENT,
    "issuing_authorization_hold": LineKind.ADJUSTMENT,
    "issuing_authorization_release": LineKind.ADJUSTMENT,
    "issuing_dispute": LineKind.ADJUSTMENT,
    "issuing_transaction": LineKind.ADJUSTMENT,
    "other_adjustment": LineKind.ADJUSTMENT,
    "platform_earning": LineKind.ADJUSTMENT,
    "platform_earning_refund": LineKind.ADJUSTMENT,
    "transfer": LineKind.ADJUSTMENT,
    "transfer_reversal": LineKind.ADJUSTMENT,
    "unreconciled_customer_funds": LineKind.ADJUSTMENT,
}
_TYPES: Final = {
    "charge": LineKind.CAPTURE,
    "payment": LineKind.CAPTURE,
    "payment_failure_refund": LineKind.CAPTURE_REVERSED,
    "refund": LineKind.REFUND,
    "payment_refund": LineKind.REFUND,
    "refund_failure": LineKind.REFUND_REVERSED,
    "stripe_fee": LineKind.FEE,
    "tax_fee": LineKind.FEE,
    "payout": LineKind.PAYOUT,
    "payout_cancel": LineKind.PAYOUT_REVERSED,
    "payout_failure": LineKind.PAYOUT_REVERSED,
    "topup": LineKind.TOPUP,
    "topup_reversal": LineKind.TOPUP,
}
"""For movements of API versions before 2019-11, which tell no reporting category. `adjustment` may be anything."""
_RESERVES: Final = frozenset({"risk_reserved_funds", "connect_reserved_funds"})


def kind_of(category: str, gross: int) -> LineKind:
    """The kind of a movement with this reporting category. A reserve's direction is its sign: held funds leave."""
    if category in _RESERVES:
        return LineKind.RESERVE_HELD if gross < 0 else LineKind.RESERVE_RELEASED
    return _KINDS.get(category, LineKind.UNKNOWN)


def kind_of_type(kind: str) -> LineKind:
    """The kind of a movement of which only Stripe's `type` is known."""
    return _TYPES.get(kind, LineKind.UNKNOWN)
