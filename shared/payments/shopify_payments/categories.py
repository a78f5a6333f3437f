"""What Shopify calls a movement of the balance, in finance's words.

The words are those of the published Admin schema 2026-10 (`ShopifyPaymentsTransactionType`), where each is named and
none explained, and those of the CSV export (`chargeback`, `payout`, `reserve`: general knowledge). What buyers, banks
and card schemes do not cause is a fee where Shopify charges for something, and otherwise an adjustment: advances,
loans, credits and promotions, of which somebody has to say what they are. A word that is not here is `unknown`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.finance.models import LineKind

_FIXED: Final[Mapping[str, LineKind]] = {
    "CHARGE": LineKind.CAPTURE,
    "REFUND": LineKind.REFUND,
    "REFUND_FAILURE": LineKind.REFUND_REVERSED,
    "DISPUTE_WITHDRAWAL": LineKind.DISPUTE,
    "DISPUTE_REVERSAL": LineKind.DISPUTE_REVERSED,
    "TRANSFER": LineKind.PAYOUT,
    "PAYOUT": LineKind.PAYOUT,
    "TRANSFER_CANCEL": LineKind.PAYOUT_REVERSED,
    "TRANSFER_FAILURE": LineKind.PAYOUT_REVERSED,
    "TRANSFER_REFUND": LineKind.PAYOUT_REVERSED,
}
_BY_SIGN: Final[Mapping[str, tuple[LineKind, LineKind]]] = {
    **dict.fromkeys(
        (
            "CHARGEBACK_HOLD",
            "CHARGEBACK_HOLD_RELEASE",
            "RESERVE",
            "RESERVED_FUNDS",
            "RESERVED_FUNDS_REVERSAL",
            "RESERVED_FUNDS_WITHDRAWAL",
            "RISK_REVERSAL",
            "RISK_WITHDRAWAL",
        ),
        (LineKind.RESERVE_HELD, LineKind.RESERVE_RELEASED),
    ),
    **dict.fromkeys(("CHARGEBACK", "DISPUTE"), (LineKind.DISPUTE, LineKind.DISPUTE_REVERSED)),
}
"""What it is where the balance falls, and where it rises."""
_FEE_WORDS: Final = """
    ACH_BANK_FAILURE_DEBIT_FEE ACH_BANK_FAILURE_DEBIT_REVERSAL_FEE APPLICATION_FEE_REFUND BILLING_DEBIT
    BILLING_DEBIT_REVERSAL CHARGEBACK_FEE CHARGEBACK_FEE_REFUND CHARGEBACK_PROTECTION_DEBIT
    CHARGEBACK_PROTECTION_DEBIT_REVERSAL CUSTOMS_DUTY CUSTOMS_DUTY_ADJUSTMENT IMPORT_TAX IMPORT_TAX_ADJUSTMENT
    IMPORT_TAX_REFUND MARKETPLACE_FEE_CREDIT MARKETPLACE_FEE_CREDIT_REVERSAL REFERRAL_FEE REFERRAL_FEE_TAX
    SHIPPING_LABEL SHIPPING_LABEL_ADJUSTMENT SHIPPING_LABEL_ADJUSTMENT_BASE SHIPPING_LABEL_ADJUSTMENT_SURCHARGE
    SHIPPING_OTHER_CARRIER_CHARGE_ADJUSTMENT SHIPPING_RETURN_TO_ORIGIN_ADJUSTMENT SHOP_CASH_BILLING_DEBIT
    SHOP_CASH_BILLING_DEBIT_REVERSAL SHOP_CASH_CAMPAIGN_BILLING_CREDIT SHOP_CASH_CAMPAIGN_BILLING_CREDIT_REVERSAL
    SHOP_CASH_CAMPAIGN_BILLING_DEBIT SHOP_CASH_CAMPAIGN_BILLING_DEBIT_REVERSAL STRIPE_FEE TAX_ADJUSTMENT_CREDIT
    TAX_ADJUSTMENT_CREDIT_REVERSAL TAX_ADJUSTMENT_DEBIT TAX_ADJUSTMENT_DEBIT_REVERSAL VAT_REFUND_CREDIT
    VAT_REFUND_CREDIT_REVERSAL
    """
_REVERSIBLE_WORDS: Final = """
    ADS_PUBLISHER_CREDIT ANOMALY_CREDIT ANOMALY_DEBIT CHANNEL_CREDIT CHANNEL_PROMOTION_CREDIT CHANNEL_TRANSFER_CREDIT
    CHANNEL_TRANSFER_DEBIT CHARGEBACK_PROTECTION_CREDIT COLLECTIONS_CREDIT LENDING_CAPITAL_REFUND
    LENDING_CAPITAL_REMITTANCE LENDING_CREDIT LENDING_CREDIT_REFUND LENDING_CREDIT_REMITTANCE LENDING_DEBIT
    MERCHANT_GOODWILL_CREDIT MERCHANT_TO_MERCHANT_CREDIT MERCHANT_TO_MERCHANT_DEBIT PROMOTION_CREDIT
    SELLER_PROTECTION_CREDIT SHOPIFY_COLLECTIVE_CREDIT SHOPIFY_COLLECTIVE_DEBIT SHOPIFY_SOURCE_CREDIT
    SHOPIFY_SOURCE_DEBIT SHOP_CASH_CREDIT
    """
_FEES: Final = frozenset(_FEE_WORDS.split())
_REVERSIBLE: Final = _REVERSIBLE_WORDS.split()
_ADJUSTMENTS: Final = frozenset(
    {
        *("ADJUSTMENT", "ADVANCE", "ADVANCE_FUNDING", "BALANCE_TRANSFER_INBOUND", "BALANCE_TRANSFER_OUTBOUND"),
        *("CHARGE_ADJUSTMENT", "MARKETS_PRO_CREDIT", "REFUND_ADJUSTMENT", "SHOP_CASH_REFUND_DEBIT"),
        "SHOP_CASH_REFUND_DEBIT_REVERSAL",
        *_REVERSIBLE,
        *(f"{word}_REVERSAL" for word in _REVERSIBLE),
    }
)


def kind_of(word: str, source: str | None, gross: int) -> LineKind:
    """What a movement is: `word` and `source` as the API or the export writes them, `gross` as it changes the balance.

    Before disputes had words of their own, they were adjustments whose source is a dispute [general knowledge].
    """
    name = word.strip().upper().replace(" ", "_")
    if name == "ADJUSTMENT" and (source or "").upper() == "DISPUTE":
        name = "DISPUTE"
    if name in _BY_SIGN:
        return _BY_SIGN[name][gross > 0]
    return next((kind for kind in _told(name)), LineKind.UNKNOWN)


def _told(name: str) -> Iterator[LineKind]:
    if name in _FIXED:
        yield _FIXED[name]
    if name in _FEES:
        yield LineKind.FEE
    if name in _ADJUSTMENTS:
        yield LineKind.ADJUSTMENT
