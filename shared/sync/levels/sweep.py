"""Find where a shop shows another number than it should, correct it, and say by how much and why.

A sweep goes through everything that the shop sells, page by page; each page is a step of a job, so a sweep that is
killed goes on where it stood, and a page done twice does no harm.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.inventory.channels import ChannelItem
from shared.kernel.model import Canonical
from shared.sync.jobs import Job
from shared.sync.levels.bindings import Binding
from shared.sync.levels.push import ChannelDesk, PushReport, push, seen, wanted


class DriftCause(StrEnum):
    FIRST_SEEN = "first_seen"
    """The shop sells it since the last sweep."""
    CHANGED_IN_SHOP = "changed_in_shop"
    """It showed another number than we last had it show: somebody typed it in, or another app did."""
    SALE_ON_ITS_WAY = "sale_on_its_way"
    """It showed less than we last had it show: probably sold, the order not here yet."""
    NOT_PUSHED = "not_pushed"
    """It showed what we last had it show, but the pool has changed since."""


class Drift(Canonical):
    """One correction of a sweep."""

    shop: str
    sku: str
    shown: int
    """What the shop showed."""
    wanted: int
    cause: DriftCause
    found_at: datetime
    corrected: bool
    """False where it waits: a sale may be on its way, or the shop refuses the item."""

    @property
    def size(self) -> int:
        """How far the shop was off; positive when it showed too many."""
        return self.shown - self.wanted


class DriftLog(Protocol):
    def add(self, drifts: Iterable[Drift]) -> None: ...

    def of(self, shop: str, limit: int = 100) -> Iterable[Drift]:
        """The newest first."""
        ...


def sweep_page(desk: ChannelDesk, log: DriftLog, job: Job) -> tuple[str | None, dict[str, int]]:
    """One step of a sweep: bind what the page shows, correct what drifted, log each correction.

    Returns the cursor of the next page and counts: `items`, `unknown` (SKUs that stock does not know), `drifted`,
    `written`, `set_aside`.
    """
    page = desk.channel.catalogue(job.cursor)
    now = desk.clock()
    known = {binding.sku: binding for binding in desk.bindings.of(desk.shop, (item.sku for item in page.items))}
    levels = wanted(desk, (item.sku for item in page.items))
    fresh = [_bind(desk, known.get(item.sku), item, now) for item in page.items if item.sku in levels]
    desk.bindings.keep(binding for binding in fresh if _is_news(known.get(binding.sku), binding))
    drifting = [binding for binding in fresh if binding.item.shown not in (None, levels[binding.sku])]
    report = push(desk, (binding.sku for binding in drifting))
    log.add(_drift(desk, known.get(binding.sku), binding, levels, report, now) for binding in drifting)
    counts = {
        "items": len(page.items),
        "unknown": sum(item.sku not in levels for item in page.items),
        "drifted": len(drifting),
        "written": len(report.written),
        "set_aside": len(report.set_aside),
    }
    return page.cursor, counts


def _bind(desk: ChannelDesk, known: Binding | None, item: ChannelItem, now: datetime) -> Binding:
    """A sweep tries again what was set aside; what changed its id in the shop is bound anew."""
    if known is None or (known.item.item_id, known.item.location_id) != (item.item_id, item.location_id):
        return Binding(shop=desk.shop, item=item, seen_at=now)
    return seen(desk, known, item).model_copy(update={"set_aside": None})


def _is_news(known: Binding | None, fresh: Binding) -> bool:
    """A binding that says nothing new is not written: an unchanged catalogue costs no write."""
    return known is None or known.model_copy(update={"seen_at": fresh.seen_at}) != fresh


def _drift(
    desk: ChannelDesk,
    known: Binding | None,
    found: Binding,
    levels: Mapping[str, int],
    report: PushReport,
    now: datetime,
) -> Drift:
    return Drift(
        shop=desk.shop,
        sku=found.sku,
        shown=found.item.shown or 0,
        wanted=levels[found.sku],
        cause=_cause(known, found),
        found_at=now,
        corrected=any(change.sku == found.sku for change in report.written),
    )


def _cause(known: Binding | None, found: Binding) -> DriftCause:
    believed, shown = known.item.shown if known else None, found.item.shown
    if believed is None or shown is None:
        return DriftCause.FIRST_SEEN
    if shown == believed:
        return DriftCause.NOT_PUSHED
    return DriftCause.SALE_ON_ITS_WAY if shown < believed else DriftCause.CHANGED_IN_SHOP
