"""Find what changed in a shop and never reached us, page by page, and have it taken in as any delivery.

A shop delivers at most so often: WooCommerce tries once, Shopify some hours. So what a shop lists as changed is held
against our records by id and time of change. Whatever is missing there, or newer, goes on the queue; nothing else
writes. A page may be repeated after a crash, and whatever is queued twice is dropped by intake as a duplicate.

Two accounts of one second cannot be told apart by a list: if the second of them is lost, the next change mends it.
What a shop deleted is in no list of what changed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from shared.kernel.clock import as_sortable, parse_time
from shared.kernel.errors import Rejected
from shared.storefronts.port import Change, ChangePage
from shared.sync.jobs import Job
from shared.sync.repair.rules import RepairRules
from shared.sync.repair.watch import Watch, Watches, Window


class Side(Protocol):
    """One kind of thing that a shop has and we keep a record of, such as its orders.

    Raises:
        Retry, Rejected: the shop, our tables or the queue are out of reach, or the shop refuses us.
    """

    def changes(self, window: Window, cursor: str | None) -> ChangePage:
        """One page of what last changed within the window, oldest change first."""
        ...

    def known(self, ids: Iterable[str]) -> Mapping[str, str]:
        """When each of these that we have a record of last changed by that record, as sortable text."""
        ...

    def queue(self, ids: Iterable[str]) -> frozenset[str]:
        """Have these taken in again; returns those that were queued. The shop may no longer have the others."""
        ...


@dataclass(frozen=True)
class Search:
    """One run's search through one shop."""

    shop: str
    side: Side
    watches: Watches
    rules: RepairRules
    seen: set[str] = field(default_factory=set)
    """What this run has compared already: pages overlap where many changed in one second."""

    def page(self, job: Job) -> tuple[str | None, dict[str, int]]:
        """Compare one page: a step of a job (`shared.sync.jobs.work`).

        Counts what was `listed`, and of it what is `missing` here, `newer` there or the `same`, and what was `queued`.

        Raises:
            Retry, Rejected: as `Side`; `invalid_cursor`.
            Conflict: another run keeps this shop's watch.
        """
        watch = self.watches.find(self.shop) or Watch(shop=self.shop)
        window, cursor = place_of(job, watch, self.rules)
        found = self.side.changes(window, cursor)
        changes = self._unseen(found.changes)
        compared = compare(changes, self.side.known(change.id for change in changes))
        queued = self.side.queue((*compared.missing, *compared.newer)) if compared.missing or compared.newer else ()
        self._keep(watch, _page_name(job), changes, window, is_last=found.cursor is None)
        self.seen.update(change.id for change in changes)
        counts = {
            "listed": len(changes),
            "missing": len(compared.missing.intersection(queued)),
            "newer": len(compared.newer.intersection(queued)),
            "same": compared.same,
            "queued": len(queued),
        }
        return (None if found.cursor is None else cursor_of(window, found.cursor)), counts

    def _unseen(self, changes: Iterable[Change]) -> list[Change]:
        """The newest state of each, without drafts: they may never become what they would be."""
        newest = {change.id: change for change in changes if not change.is_draft and change.id not in self.seen}
        return list(newest.values())

    def _keep(self, watch: Watch, page: str, changes: Iterable[Change], window: Window, *, is_last: bool) -> None:
        if watch.taken_in == page:
            return
        placed = [change.created_at for change in changes if change.created_at is not None]
        self.watches.keep(watch.counted(page, placed, window, self.rules, is_last=is_last))


class Compared(NamedTuple):
    missing: frozenset[str]
    """The shop has it, and we do not: its webhook never came."""
    newer: frozenset[str]
    """The shop changed it since."""
    same: int


def compare(changes: Iterable[Change], known: Mapping[str, str]) -> Compared:
    """Hold what a shop lists against the times of change by our records."""
    changed = {change.id: as_sortable(change.changed_at) for change in changes}
    missing = frozenset(changed.keys() - known.keys())
    newer = frozenset(name for name, at in changed.items() if name in known and at > known[name])
    return Compared(missing, newer, len(changed) - len(missing) - len(newer))


def place_of(job: Job, watch: Watch, rules: RepairRules) -> tuple[Window, str | None]:
    """The window of a job, and where in the shop's list its next page starts."""
    if job.cursor:
        return _place(job.cursor)
    until = job.started_at - rules.settle
    since = until - rules.first_look_back if watch.listed_until is None else watch.listed_until - rules.overlap
    return Window(min(since, until), until), None


def cursor_of(window: Window, cursor: str) -> str:
    return f"{as_sortable(window.since)}/{as_sortable(window.until)}/{cursor}"


_CURSOR = re.compile(r"([^/]{1,40})/([^/]{1,40})/(.+)", re.DOTALL)


def _place(text: str) -> tuple[Window, str]:
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise Rejected("invalid_cursor", "the cursor is not one of a search for missed orders", field="cursor")
    return Window(parse_time(found[1]), parse_time(found[2])), found[3]


def _page_name(job: Job) -> str:
    return f"{as_sortable(job.started_at)}#{job.step}"
