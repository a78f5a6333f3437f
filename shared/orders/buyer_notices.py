"""What a buyer is told of an order, and when: a pure function of the order as it is now.

Nothing remembers what has happened since the last look. All notices that are due are worked out anew each time, each
with a key; whoever sends them keeps the keys of those that were taken, and so each is sent once.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from shared.kernel.model import Canonical
from shared.kernel.money import Money
from shared.orders.models import FulfilmentLine, Parcel


class BuyerNoticeKind(StrEnum):
    CONFIRMED = "confirmed"
    HELD_FOR_VERIFICATION = "held_for_verification"
    SHIPPED = "shipped"
    """One for each consignment, with its parcels."""
    DELIVERED = "delivered"
    REFUNDED = "refunded"


class BuyerNotice(Canonical):
    """One thing to tell one buyer. The words are chosen where it is sent; no personal data here."""

    key: str
    """The same for the same matter, however often it is worked out: `buyer/aurora/5001/shipped/erp/12`."""
    kind: BuyerNoticeKind
    happened_at: datetime
    lines: tuple[FulfilmentLine, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    amount: Money | None = None
    """What went back, as the buyer paid it."""


TOO_OLD = timedelta(days=3)
"""What happened longer ago is not told any more: an order that is taken in late, or a shop that was just connected."""
