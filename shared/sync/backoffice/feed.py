"""Go through what changed in a back office since the last look: page by page, with overlap, resumed where it stopped.

A cursor is `since|page`: the beginning of the period that is gone through, and the back office's own cursor in it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.backoffices.port import Feed
from shared.kernel.clock import as_sortable, parse_time
from shared.sync.jobs import Job, Step

OVERLAP = timedelta(minutes=5)
"""Back offices stamp a change with the time at which its transaction began, and show it when that has ended."""
FIRST_LOOK = timedelta(days=1)
"""How far back the very first look goes."""

Page = Callable[[datetime, str | None], Feed[str]]
"""One page of what changed at or after a moment."""


def feed_step(last: Job | None, page: Page, take: Callable[[tuple[str, ...]], dict[str, int]]) -> Step:
    """A job's step: one page of the feed, handed to `take`, which returns counts.

    `last` is the job as it was before this run: it says where the period begins.
    """

    def step(job: Job) -> tuple[str | None, dict[str, int]]:
        since, _, cursor = job.cursor.partition("|") if job.cursor else (_beginning(last, job), "", "")
        found = page(parse_time(since), cursor or None)
        counts = take(found.items) if found.items else {}
        following = f"{since}|{found.cursor}" if found.cursor else None
        return following, {**counts, "named": len(found.items)}

    return step


def _beginning(last: Job | None, job: Job) -> str:
    known = last.started_at - OVERLAP if last and last.finished_at else job.started_at - FIRST_LOOK
    return as_sortable(known)
