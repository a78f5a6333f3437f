"""Follow what a delivery only hints at: ask the provider for the payments as they are now, and keep them."""

from collections.abc import Iterable
from typing import NamedTuple

from shared.finance.ports import FinanceFacts, Kept
from shared.payments.port import PaymentFeed


class HintsFollowed(NamedTuple):
    kept: Kept
    missing: tuple[str, ...]
    """Ids that the provider knows nothing of (yet): worth another try, then a person."""


def follow_hints(payment_ids: Iterable[str], feed: PaymentFeed, book: FinanceFacts) -> HintsFollowed:
    """Ask for each payment once.

    Raises:
        Retry, Rejected: as the feed and the book; what was found before stays kept.
    """
    kept = Kept()
    missing = []
    for payment_id in sorted(set(payment_ids)):
        payment = feed.payment(payment_id)
        if payment is None:
            missing.append(payment_id)
        else:
            kept = kept + book.keep((payment,))
    return HintsFollowed(kept, tuple(missing))
