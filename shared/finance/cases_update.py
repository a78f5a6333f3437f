"""What a new reconciliation makes of the cases that there are. Pure.

A discrepancy that is new opens a case; one that is gone clears it. What staff decided stands for as long as the figures
are those that they decided on: with other figures the case is open again. A write-off of something that has come after
all is cleared, too, so that the ledger takes it back.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from shared.finance.cases import Case, CaseState, Comment
from shared.finance.models import Discrepancy

RECONCILIATION = "reconciliation"
"""The actor of what no person did."""


class Change(StrEnum):
    OPENED = "opened"
    UPDATED = "updated"
    PROPOSAL_VOID = "proposal_void"
    """The figures under a proposal changed, so that nobody can approve it any more."""
    REOPENED = "reopened"
    CLEARED = "cleared"


class CaseChange(NamedTuple):
    change: Change
    case: Case
    replaces: int | None
    overrides: bool = False
    """Whether it undoes what a person decided or proposed: that goes on the trail."""


class Looked(NamedTuple):
    """What a reconciliation looked at."""

    since: date
    """The first day of it."""
    older: frozenset[str] = frozenset()
    """Ids of cases from before that day that it looked at all the same."""

    def covers(self, case: Case) -> bool:
        return case.discrepancy.since >= self.since or case.id in self.older


EVERYTHING = Looked(date.min)


def cases_after(
    discrepancies: Iterable[Discrepancy], stored: Iterable[Case], at: datetime, *, looked: Looked = EVERYTHING
) -> tuple[CaseChange, ...]:
    """What has to be written, in the order of the cases' ids.

    `stored`: the open cases, and those of the discrepancies. `looked`: what the reconciliation looked at; anything else
    has not gone, it was not looked for.
    """
    found = {discrepancy.id: discrepancy for discrepancy in discrepancies}
    known = {case.id: case for case in stored}
    changes = (
        case_after(found.get(case_id), known.get(case_id), at, looked=looked)
        for case_id in sorted(found.keys() | known.keys())
    )
    return tuple(change for change in changes if change is not None)


def case_after(
    discrepancy: Discrepancy | None, known: Case | None, at: datetime, *, looked: Looked = EVERYTHING
) -> CaseChange | None:
    """The same for one case; None: nothing changes."""
    if discrepancy is None:
        return _when_gone(known, at, looked) if known else None
    if known is None:
        return CaseChange(Change.OPENED, Case(discrepancy=discrepancy, opened_at=at), None)
    if known.is_open:
        return _when_open(discrepancy, known, at)
    return _when_over(discrepancy, known, at)


def _when_gone(known: Case, at: datetime, looked: Looked) -> CaseChange | None:
    if not looked.covers(known):
        return None
    if known.is_open:
        note = "What it was about has gone; nothing is left to decide." if known.proposal else None
        cleared = _revised(known, at, note, state=CaseState.CLEARED, closed_at=at, proposal=None)
        return CaseChange(Change.CLEARED, cleared, known.revision, overrides=known.proposal is not None)
    if known.is_written_off:
        note = "What was written off has come after all; the write-off is taken back."
        cleared = _revised(known, at, note, state=CaseState.CLEARED, closed_at=at)
        return CaseChange(Change.CLEARED, cleared, known.revision, overrides=True)
    return None


def _when_open(discrepancy: Discrepancy, known: Case, at: datetime) -> CaseChange | None:
    if discrepancy == known.discrepancy:
        return None
    if known.state is CaseState.PROPOSED and not _same_figures(discrepancy, known.discrepancy):
        note = "The figures changed, so that the proposal is void."
        back = _revised(known, at, note, discrepancy=discrepancy, state=CaseState.OPEN, proposal=None)
        return CaseChange(Change.PROPOSAL_VOID, back, known.revision, overrides=True)
    return CaseChange(Change.UPDATED, _revised(known, at, None, discrepancy=discrepancy), known.revision)


def _when_over(discrepancy: Discrepancy, known: Case, at: datetime) -> CaseChange | None:
    resolved = known.state is CaseState.RESOLVED
    if resolved and _same_figures(discrepancy, known.discrepancy):
        return None
    note = "The figures changed after it was resolved." if resolved else "It is there again."
    again: dict[str, Any] = {
        "discrepancy": discrepancy,
        "state": CaseState.OPEN,
        "proposal": None,
        "approved_by": None,
        "closed_at": None,
        "reopened": known.reopened + 1,
    }
    return CaseChange(Change.REOPENED, _revised(known, at, note, **again), known.revision, overrides=resolved)


def _same_figures(one: Discrepancy, other: Discrepancy) -> bool:
    return _figures(one) == _figures(other)


def _figures(discrepancy: Discrepancy) -> tuple[str, str, int | None, int | None]:
    return discrepancy.kind, discrepancy.currency, discrepancy.expected, discrepancy.found


def _revised(case: Case, at: datetime, note: str | None, **changes: Any) -> Case:
    comments = (*case.comments, Comment(at=at, by=RECONCILIATION, text=note)) if note else case.comments
    return case.model_copy(update={"revision": case.revision + 1, "comments": comments, **changes})


def counted(changes: Iterable[CaseChange]) -> Mapping[Change, int]:
    """How many cases were changed in which way."""
    counts = dict.fromkeys(Change, 0)
    for change in changes:
        counts[change.change] += 1
    return counts
