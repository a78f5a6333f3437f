"""Read one payment account's feed by its API: page by page, with overlap, resumed where it stopped.

Each look goes through a window of time. It begins before the last one ended, for providers show some movements late,
and what two windows both tell is merged into one fact. A page is kept before the next is asked for; a page that is
read twice changes nothing.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.finance.models import Fact, LineKind, SettlementLine
from shared.finance.ports import FinanceFacts
from shared.kernel.clock import as_sortable, parse_time
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.payments.port import FeedPage, PaymentFeed
from shared.sync.finance.progress import FeedProgress, FeedProgresses
from shared.sync.jobs import Job, Worker, work

LEAST_OVERLAP: Final = timedelta(hours=1)
FIRST_LOOK: Final = timedelta(days=60)
"""How far back the very first look at an account goes, unless the settings say otherwise."""
_REFUSED: Final = "payments_refused"
_CURSOR: Final = re.compile(r"([^/]{1,40})/([^/]{1,40})/(.*)", re.DOTALL)


class PullReport(NamedTuple):
    """What one run of a pull came to."""

    account: str
    finished: bool
    """False: time ran out; the next run goes on from there."""
    pages: int
    """Of the whole window, earlier runs included; so are the counts."""
    counts: dict[str, int]
    """Facts that were `new`, `changed`, `same`, `restated`; `unknown`: lines of a category that nobody mapped;
    `restarted`: the provider no longer knew where the last run had stopped."""
    restated: tuple[str, ...]
    """Of this run: facts that were stated before with other money."""
    read_until: datetime | None
    """See `FeedProgress`."""


class _Window(NamedTuple):
    since: datetime
    until: datetime


def job_name(account: str) -> str:
    return f"payments/{account}"


def pull(
    account: str,
    feed: PaymentFeed,
    book: FinanceFacts,
    progresses: FeedProgresses,
    worker: Worker,
    *,
    first_look: timedelta = FIRST_LOOK,
    since: datetime | None = None,
) -> PullReport:
    """Go on with the window where the last run stopped, or begin the next one, until the time is out; the provider's
    balances are kept with the last page. `since` lets a window that begins now reach further back.

    Raises:
        Conflict: `taken`, while another run reads this account.
        Retry, Rejected: as the feed and the stores; the progress has the error's code, and the next run goes on from
            the page that failed.
    """
    look = _Look(account, feed, book, progresses, first_look, since)
    try:
        job = work(job_name(account), look.page, worker)
    except (Retry, Rejected) as error:
        _note(progresses, account, error.code, worker.clock())
        raise
    progress = progresses.find(account)
    restated = tuple(sorted(look.restated))
    read_until = progress.read_until if progress else None
    return PullReport(account, job.finished_at is not None, job.step, job.counts, restated, read_until)


@dataclass
class _Look:
    """One run's way through one window."""

    account: str
    feed: PaymentFeed
    book: FinanceFacts
    progresses: FeedProgresses
    first_look: timedelta
    since: datetime | None
    restated: set[str] = field(default_factory=set)
    has_read: bool = False
    """Whether this run has had a page, so that the place it stands at is not an old one."""

    def page(self, job: Job) -> tuple[str | None, dict[str, int]]:
        """Read and keep one page: a step of the job."""
        progress = self.progresses.find(self.account) or FeedProgress(account=self.account)
        window, cursor = self._place(job, progress)
        found = self._settled(window, cursor)
        self.has_read = True
        if found is None:
            return _cursor_of(window, ""), {"restarted": 1}
        counts = self._keep(found.facts)
        if found.cursor is not None and found.cursor == cursor:
            raise Rejected(_REFUSED, "the provider's pages lead back to where they began: they never end", field="api")
        if found.cursor is not None:
            return _cursor_of(window, found.cursor), counts
        counts = _sum(counts, self._balances())
        lag = timedelta(hours=self.feed.capabilities.lag_hours)
        self.progresses.keep(progress.listed(window.until, window.until - lag, job.started_at))
        return None, counts

    def _place(self, job: Job, progress: FeedProgress) -> tuple[_Window, str | None]:
        if job.cursor:
            return _place_in(job.cursor)
        until = job.started_at
        overlap = max(LEAST_OVERLAP, timedelta(hours=self.feed.capabilities.lag_hours))
        begins = progress.asked_until - overlap if progress.asked_until else until - self.first_look
        return _Window(min(filter(None, (begins, self.since, until))), until), None

    def _settled(self, window: _Window, cursor: str | None) -> FeedPage | None:
        """None: the provider refuses the place where an earlier run stopped. Cursors do not last for ever."""
        if not self.feed.capabilities.settles:
            return FeedPage((), None)
        try:
            return self.feed.settled(window.since, window.until, cursor)
        except Rejected as error:
            if error.code != _REFUSED or cursor is None or self.has_read:
                raise
            return None

    def _balances(self) -> dict[str, int]:
        if not self.feed.capabilities.tells_balance:
            return {}
        return self._keep(self.feed.balances().facts)

    def _keep(self, facts: tuple[Fact, ...]) -> dict[str, int]:
        kept = self.book.keep(facts)
        self.restated.update(kept.restated)
        unknown = sum(isinstance(fact, SettlementLine) and fact.kind is LineKind.UNKNOWN for fact in facts)
        counts = {"new": kept.new, "changed": kept.changed, "same": kept.same, "restated": len(kept.restated)}
        return counts | {"unknown": unknown}


def _note(progresses: FeedProgresses, account: str, error: str, at: datetime) -> None:
    progress = progresses.find(account) or FeedProgress(account=account)
    try:
        progresses.keep(progress.stopped(error, at))
    except Conflict:
        return  # another run has just said how it stands


def _cursor_of(window: _Window, cursor: str) -> str:
    return f"{as_sortable(window.since)}/{as_sortable(window.until)}/{cursor}"


def _place_in(text: str) -> tuple[_Window, str | None]:
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise Rejected("invalid_cursor", "the cursor is not one of a payment feed", field="cursor")
    return _Window(parse_time(found[1]), parse_time(found[2])), found[3] or None


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {word: one.get(word, 0) + other.get(word, 0) for word in {*one, *other}}
