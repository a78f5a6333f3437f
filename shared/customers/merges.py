"""Joining customers that are one person, and parting them again. A merge only changes whom a customer goes by.

Nothing of a customer's own is touched, so that undoing one is complete by construction: profile, marks, orders and
verification stay with the customer that they were learned from.
"""

from datetime import datetime

from shared.customers.record import CustomerRecord
from shared.kernel.model import Canonical


class MergeReason(Canonical):
    """Why two customers are taken for one person. In words of kinds, never of content."""

    kind: str
    """`verified_email`, `same_email`, `same_phone`, `same_mailbox`, `same_address`, `similar_name`, `storefront`; what
    speaks against it: `other_name`, `other_verified_email`."""
    weight: int
    """Points, negative where it speaks against; a proposal's score is their sum."""


class Moved(Canonical):
    """One customer that came to go by another leader."""

    customer: str
    from_leader: str


class Merge(Canonical):
    id: str
    leader: str
    """Whom all of them go by from then on."""
    moved: tuple[Moved, ...]
    reasons: tuple[MergeReason, ...]
    by: str
    """`rule`, `storefront`, or an operator's name."""
    at: datetime
    undone_by: str | None = None
    undone_at: datetime | None = None

    @property
    def stands(self) -> bool:
        return self.undone_at is None


def precedence(record: CustomerRecord) -> tuple[bool, bool, bool, str, str]:
    """Who leads: an account that there still is before one that is gone, an account before a guest, the older first."""
    registered = record.registered_at
    return (
        record.deleted_at is not None,
        record.kind == "guest",
        registered is None,
        registered.isoformat() if registered else "",
        str(record.key),
    )
