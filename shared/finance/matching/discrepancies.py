"""How a discrepancy is stated: its lasting name, what is done about it by default, and whether a day may close."""

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from shared.finance.models import Action, Discrepancy, DiscrepancyKind, Item

DEFAULTS: dict[DiscrepancyKind, tuple[Action, bool]] = {
    DiscrepancyKind.MISSING_PAYMENT: (Action.HOLD, False),
    DiscrepancyKind.MISSING_ORDER: (Action.HOLD, False),
    DiscrepancyKind.AMOUNT_MISMATCH: (Action.REVIEW, False),
    DiscrepancyKind.CURRENCY_MISMATCH: (Action.REVIEW, False),
    DiscrepancyKind.PARTIAL_CAPTURE: (Action.RECEIVABLE, False),
    DiscrepancyKind.DUPLICATE_CAPTURE: (Action.PROPOSE_REFUND, False),
    DiscrepancyKind.REFUND_NOT_IN_STORE: (Action.REVIEW, False),
    DiscrepancyKind.REFUND_NOT_AT_PROCESSOR: (Action.REVIEW, False),
    DiscrepancyKind.FEE_VARIANCE: (Action.REPORT, False),
    DiscrepancyKind.DISPUTE_OPEN: (Action.RECEIVABLE, False),
    DiscrepancyKind.DISPUTE_WON: (Action.REPORT, False),
    DiscrepancyKind.DISPUTE_LOST: (Action.REVIEW, False),
    DiscrepancyKind.PAYOUT_SHORT: (Action.BLOCK_CLOSE, True),
    DiscrepancyKind.PAYOUT_OVER: (Action.BLOCK_CLOSE, True),
    # A reserve may be kept for half a year. It has an account of its own, and the close ties it to the provider's
    # balance: to refuse every close meanwhile would say nothing new.
    DiscrepancyKind.RESERVE_HELD: (Action.REPORT, False),
    DiscrepancyKind.BANK_MISSING: (Action.CHASE, False),
    DiscrepancyKind.LATE_SETTLEMENT: (Action.CHASE, False),
    DiscrepancyKind.UNKNOWN_TXN: (Action.REVIEW, True),
    DiscrepancyKind.FX_ROUNDING: (Action.AUTO_ROUND, False),
    DiscrepancyKind.UNEXPECTED_BANK_LINE: (Action.REVIEW, False),
    DiscrepancyKind.RESTATED: (Action.REVIEW, False),
}


class Figures(NamedTuple):
    """What should be, and what is, in minor units of the currency. None: not a question of amounts."""

    currency: str
    expected: int | None = None
    found: int | None = None


class Place(NamedTuple):
    """Where and when the business was."""

    since: date
    account: str | None = None


def discrepancy(
    kind: DiscrepancyKind,
    subject: Item,
    figures: Figures,
    place: Place,
    evidence: Iterable[str],
    others: Iterable[Item] = (),
    lasting_name: str | None = None,
) -> Discrepancy:
    """A discrepancy with the defaults of its kind.

    Its id comes from kind, subject and account alone, so that it lasts while figures and what else it concerns change;
    `lasting_name` stands for a subject that may change as well.
    """
    action, blocks_close = DEFAULTS[kind]
    return Discrepancy(
        id=short_id(kind, place.account or "", lasting_name or str(subject)),
        kind=kind,
        subject=subject,
        others=tuple(sorted({one for one in others if one != subject}, key=str)),
        account=place.account,
        currency=figures.currency,
        expected=figures.expected,
        found=figures.found,
        since=place.since,
        action=action,
        blocks_close=blocks_close,
        evidence=tuple(evidence),
    )


def short_id(*words: str) -> str:
    """Sixteen hexadecimal digits, the same for the same words."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
