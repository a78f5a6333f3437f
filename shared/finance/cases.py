"""A discrepancy as staff work on it, and the trail of what everybody did. Pure values."""

from datetime import date, datetime
from enum import StrEnum

from shared.finance.models import Discrepancy, Minor
from shared.kernel.model import Canonical


class CaseState(StrEnum):
    OPEN = "open"
    PROPOSED = "proposed"
    """Somebody wants to resolve it, and a second person has to agree."""
    RESOLVED = "resolved"
    CLEARED = "cleared"
    """It went away by itself: what was missing has come."""


class Resolution(StrEnum):
    ACCEPT = "accept"
    """It is right as it is; nothing is booked."""
    WRITE_OFF = "write_off"
    """The difference is booked as a loss or gain."""
    PROPOSE_REFUND = "propose_refund"
    """The buyer is to get the difference back: a task for whoever may refund at the provider. Nothing is sent."""
    RELINK = "relink"
    """It belongs to an order (or payout) that no rule found, or to nothing."""


class Comment(Canonical):
    at: datetime
    by: str
    text: str


class Proposal(Canonical):
    resolution: Resolution
    reason: str
    amount: Minor | None = None
    """Of a write-off or a refund, in the discrepancy's currency; signed as its difference."""
    link: str | None = None
    """Of a re-link: an order's key, `payout:account/id`, or `""` for "belongs to nothing"."""
    by: str
    at: datetime


class Case(Canonical):
    """One discrepancy with all that was done about it. Its id is the discrepancy's."""

    discrepancy: Discrepancy
    """As the newest reconciliation states it; of one that is over, as it was last."""
    state: CaseState = CaseState.OPEN
    revision: int = 1
    opened_at: datetime
    owner: str | None = None
    comments: tuple[Comment, ...] = ()
    proposal: Proposal | None = None
    """The resolution that was proposed or carried out."""
    approved_by: str | None = None
    """The second person, where one was needed."""
    closed_at: datetime | None = None
    reopened: int = 0
    """How often it came back after it was over, with other figures."""

    @property
    def id(self) -> str:
        return self.discrepancy.id

    @property
    def is_open(self) -> bool:
        return self.state in (CaseState.OPEN, CaseState.PROPOSED)

    @property
    def is_written_off(self) -> bool:
        proposal = self.proposal
        return self.state is CaseState.RESOLVED and bool(proposal and proposal.resolution is Resolution.WRITE_OFF)

    def age_days(self, today: date) -> int:
        return (today - self.discrepancy.since).days


class AuditRecord(Canonical):
    """One thing that somebody did. Append-only; each record carries the hash of the one before."""

    number: int
    """From 1, without gaps."""
    at: datetime
    actor: str
    action: str
    """`case.resolved`, `day.closed`, `day.reopened`, `file.imported` …"""
    subject: str
    """A case's id, a day, a file's digest."""
    detail: dict[str, str] = {}
    """Figures and reasons. Nothing about buyers."""
    previous: str
    """Hash of the record before; 64 zeros for the first."""
    hash: str
    """SHA-256 over everything above in its canonical form."""


class DayState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class DayClose(Canonical):
    """The books of one day."""

    day: date
    state: DayState
    revision: int = 1
    closed_at: datetime | None = None
    closed_by: str | None = None
    entries: int = 0
    digest: str | None = None
    """SHA-256 over the day's entries in their canonical form."""
    reopened: tuple[Comment, ...] = ()
    """Who reopened it, when and why."""
    documents: tuple[str, ...] = ()
    """Keys of what the close wrote to the archive."""
    posted_to_backoffice: tuple[str, ...] = ()
    """Ids of the back office's own journal entries."""
