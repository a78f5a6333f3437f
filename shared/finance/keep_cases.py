"""Bring the exceptions queue to what a reconciliation found."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import tenacity

from shared.finance.audit import next_record
from shared.finance.cases import AuditRecord, Case, CaseState
from shared.finance.cases_update import (
    EVERYTHING,
    RECONCILIATION,
    CaseChange,
    Change,
    Looked,
    case_after,
    cases_after,
    counted,
)
from shared.finance.models import Discrepancy
from shared.finance.ports import AuditTrail, Cases
from shared.kernel.clock import Clock


class CaseBook(Cases, AuditTrail, Protocol):
    """Cases, and the trail of what is done with them."""


def keep_cases(
    discrepancies: Iterable[Discrepancy],
    book: CaseBook,
    clock: Clock,
    retrying: Callable[[], tenacity.Retrying],
    *,
    looked: Looked = EVERYTHING,
) -> Mapping[Change, int]:
    """Open, update, reopen and clear cases, each by itself: killed in between and repeated it comes to the same. What
    undoes a person's decision goes on the trail. How many cases were changed in which way.

    `looked`: what the reconciliation looked at. Other cases stay unless it names them.

    Raises:
        Conflict: others kept changing a case or the trail, as often as `retrying` tries.
        Retry: the store is out of reach.
    """
    found = {discrepancy.id: discrepancy for discrepancy in discrepancies}
    changes = cases_after(found.values(), _stored(found, book, looked), clock(), looked=looked)
    done = [retrying()(_change, change.case.id, found.get(change.case.id), book, clock, looked) for change in changes]
    return counted(change for change in done if change is not None)


def _stored(found: Mapping[str, Discrepancy], book: CaseBook, looked: Looked) -> Iterable[Case]:
    """The cases that may change: those that are open, write-offs whose cause may have gone, and those of what was
    found, in whatever state."""
    known = {case.id: case for case in book.cases(CaseState.OPEN, CaseState.PROPOSED)}
    known |= {case.id: case for case in book.cases(CaseState.RESOLVED, since=looked.since)}
    for case_id in sorted(found.keys() - known.keys()):
        case = book.find_case(case_id)
        if case is not None:
            known[case_id] = case
    return known.values()


def _change(
    case_id: str, discrepancy: Discrepancy | None, book: CaseBook, clock: Clock, looked: Looked
) -> CaseChange | None:
    """Decide anew on the case as it is now, for somebody may have worked on it meanwhile."""
    known = book.find_case(case_id)
    change = case_after(discrepancy, known, clock(), looked=looked)
    if change is not None:
        audit = _record(change, known, book, clock) if change.overrides and known else None
        book.commit_case(change.case, replaces=change.replaces, audit=audit)
    return change


def _record(change: CaseChange, known: Case, book: CaseBook, clock: Clock) -> AuditRecord:
    """Names what was undone, and the figures before and after."""
    before, after = known.discrepancy, change.case.discrepancy
    detail = {
        "undone": known.proposal.resolution.value if known.proposal else "",
        "currency": before.currency,
        "difference_before": str(before.difference),
        "difference": "0" if change.change is Change.CLEARED else str(after.difference),
    }
    return next_record(book.last_record(), clock(), RECONCILIATION, f"case.{change.change}", known.id, detail)
