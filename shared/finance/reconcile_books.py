"""Hold what was sold, paid, paid out and banked against each other, and bring cases and ledger to what comes of it.

Everything is worked out anew from the facts each time, so that a run may be killed anywhere and repeated, and two runs
over the same facts end the same. Nothing that staff decided is lost: links and cases are among what it is worked out
from.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import tenacity

from shared.finance.cases import Case, CaseState
from shared.finance.cases_update import Change, Looked
from shared.finance.due.view import LedgerView
from shared.finance.gather import Gathered, Scope, gather
from shared.finance.inputs import Reconciliation
from shared.finance.keep_cases import keep_cases
from shared.finance.matching.reconcile import reconcile
from shared.finance.models import Bucket, Discrepancy
from shared.finance.opening import accounts_to_open, open_books
from shared.finance.ports import CostPrice, FinanceBook
from shared.finance.posting import Posted, bring_up_to_date
from shared.finance.restated import restated
from shared.finance.window import judged_discrepancies, ledger_view, looked_at, stale_matches, written_off_lately
from shared.kernel.clock import Clock

Progress = Callable[[str], None]
"""Told of each stage, for whoever waits."""


@dataclass(frozen=True)
class BooksDesk:
    """Everything that the use case works with."""

    book: FinanceBook
    scope: Scope
    clock: Clock
    retrying: Callable[[], tenacity.Retrying]
    """How often to read and decide again after a conflict."""


@dataclass(frozen=True)
class Reconciled:
    """What one run came to."""

    as_of: datetime
    judged: date
    """The first day that was judged."""
    buckets: Mapping[Bucket, int]
    matches: int
    dropped: int
    """Matches that hold no longer."""
    discrepancies: tuple[Discrepancy, ...]
    """Everything that does not tie out now, whatever staff decided about it."""
    cases: Mapping[Change, int]
    """What became of cases: opened, updated, cleared …"""
    posted: Posted
    dry_run: bool = False


def reconcile_books(
    desk: BooksDesk, *, judged: date | None = None, dry_run: bool = False, progress: Progress = lambda _: None
) -> Reconciled:
    """Reconcile all accounts. `judged`: the first day to judge, where it is not the settings' look-back.

    `dry_run` works everything out and writes nothing.

    Raises:
        Conflict: others kept writing the same, as often as `retrying` tries. Do it again.
        Retry: the store is out of reach. What was written stays; do it again.
    """
    as_of = desk.clock()
    progress("gathering")
    gathered = gather(desk.scope, desk.book, as_of, judged=judged)
    progress("matching")
    result = reconcile(gathered.inputs)
    waiting = tuple(desk.book.cases(CaseState.OPEN, CaseState.PROPOSED))
    discrepancies = _discrepancies(gathered, result, desk.book, waiting)
    stored = tuple(desk.book.matches(gathered.since, gathered.until))
    stale = stale_matches(stored, result, gathered.inputs, gathered.judged)
    changes: Mapping[Change, int] = {}
    posted = Posted()
    if not dry_run:
        progress("keeping")
        known = {match.id for match in stored}
        desk.book.keep_matches([match for match in result.matches if match.id not in known], replaces=stale, at=as_of)
        looked = Looked(gathered.judged, looked_at(waiting, gathered.judged, gathered.recalled))
        changes = keep_cases(discrepancies, desk.book, desk.clock, desk.retrying, looked=looked)
        progress("posting")
        desk.retrying()(_open, desk, gathered)
        posted = desk.retrying()(_post, desk, gathered, result)
        desk.book.note_reconciled(as_of)
    return Reconciled(
        as_of=as_of,
        judged=gathered.judged,
        buckets=Counter(result.buckets.values()),
        matches=len(result.matches),
        dropped=len(stale),
        discrepancies=tuple(discrepancies),
        cases=changes,
        posted=posted,
        dry_run=dry_run,
    )


def _discrepancies(
    gathered: Gathered, result: Reconciliation, book: FinanceBook, waiting: Iterable[Case]
) -> list[Discrepancy]:
    open_ids = {case.id for case in waiting}
    found = (*result.discrepancies, *restated(book.restatements(), gathered.inputs))
    return judged_discrepancies(found, gathered.judged, open_ids)


def _open(desk: BooksDesk, gathered: Gathered) -> None:
    """Post what providers held when the books began, as soon as a first balance tells it."""
    begins = desk.scope.rules.books_from
    if begins is None:
        return
    accounts, book = desk.scope.accounts, desk.book
    since, until = date.fromisoformat(begins), gathered.until
    told = {account: tuple(book.balances(account, since, until)) for account in sorted(accounts)}
    concerned = accounts_to_open((one for balances in told.values() for one in balances), book)
    if concerned:
        view = LedgerView(
            rules=desk.scope.rules,
            accounts=accounts,
            lines=tuple(line for account in concerned for line in book.lines(account, since, until)),
            payouts=tuple(payout for account in concerned for payout in book.payouts(account, since, until)),
        )
        open_books(view, (one for account in concerned for one in told[account]), book)


def _post(desk: BooksDesk, gathered: Gathered, result: Reconciliation) -> Posted:
    """With the cases as they are now, write-offs among them."""
    written_off = tuple(desk.book.written_off())
    view = ledger_view(
        gathered.inputs,
        result,
        gathered.judged,
        recalled=gathered.recalled.union(written_off_lately(written_off, gathered.judged, desk.scope.rules.zone)),
        payout_banks=desk.scope.payout_banks,
    )
    cases = {case.id: case for case in desk.book.cases(*CaseState, since=gathered.judged)}
    cases |= {case.id: case for case in desk.book.cases(CaseState.OPEN, CaseState.PROPOSED)}
    cases |= {case.id: case for case in written_off}
    view = replace(view, cases=tuple(cases.values()), costs=_costs(view, desk.book))
    return bring_up_to_date(view, desk.book, since=gathered.judged, until=gathered.until)


def _costs(view: LedgerView, book: FinanceBook) -> Mapping[str, tuple[CostPrice, ...]]:
    documents = (document for order in view.orders for document in (order.sale, *order.reductions) if document)
    return book.costs(sorted({line.sku for document in documents for line in document.lines if line.sku}))
