"""Which customers may be one person. Pure: values in, a verdict out."""

from datetime import datetime
from enum import StrEnum

from shared.customers.merges import MergeReason
from shared.kernel.model import Canonical


class ProposalState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    """They are two people; the same two are not proposed again."""


class Proposal(Canonical):
    """Two customers that may be one person, for somebody to decide."""

    id: str
    """The same for the same two customers, whichever comes first."""
    customers: tuple[str, str]
    """Keys, in their order."""
    reasons: tuple[MergeReason, ...]
    state: ProposalState = ProposalState.OPEN
    found_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None

    @property
    def score(self) -> int:
        return sum(reason.weight for reason in self.reasons)
