"""Put the manual sync together: an operator's request, done now or gone on with by runs that follow.

Not made idempotent by Powertools, for a repeat does no harm: a lease keeps two runs of one job apart, levels are
written by compare-and-set, and intake compares an order's version with the record's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry, StorebridgeError
from shared.platform.configuration import settings
from shared.platform.invoke import invoke_later
from shared.platform.observability import count, logger
from shared.platform.push_queue import PushRequest, request_push
from shared.sync.jobs import Job, Step, Worker, is_taken, leased, work
from shared.sync.levels.push import ChannelDesk, PushReport, wanted
from shared.sync.levels.sweep import sweep_page
from shared.sync.manual import (
    MOST_SHOWN,
    OrderFinding,
    SyncRequest,
    SyncResult,
    What,
    handed_over,
    is_over,
    job_of,
    log_of,
    parse_request,
    skipped,
    tally,
)
from shared.sync.rehearsal import ListedDrift, look_and_push, rehearsed
from shared.wiring.channel_desk import channel_desk
from shared.wiring.level_tables import drift_table, job_table
from shared.wiring.order_pull import order_pull

_LEASE = timedelta(minutes=10)
"""Longer than any page takes."""


@dataclass(frozen=True)
class Run:
    """One run of the function."""

    id: str
    function: str
    seconds_left: Callable[[], float]
    reserve: float
    """Seconds that one more step may take."""
    began_with: float
    """Seconds that were left when it began."""

    def has_time(self, request: SyncRequest) -> bool:
        """Whether there is time for another step: for a caller who waits, only as long as he cares to."""
        left = self.seconds_left()
        patient = request.continuing is not None or self.began_with - left < request.wait_seconds
        return patient and left > self.reserve


def answer(event: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """What an operator gets: a result, or `{"error", "field", "message", "hint"}`.

    Raises:
        StorebridgeError: in a run that goes on with another, for nobody reads its answer: Lambda tries it again, and
            at last sets it aside.
    """
    try:
        request = parse_request(event)
        result = synchronise(request, run)
    except StorebridgeError as error:
        logger().warning("manual sync stopped", extra={"code": error.code, "reason": error.message})
        if _nobody_waits(event) and not (isinstance(error, Conflict) and is_taken(error)):
            raise
        return {"error": error.code, "field": error.field, "message": error.message, "hint": error.hint}
    facts = {"what": request.what, "shop": request.shop, "dry_run": request.dry_run, "finished": result.done}
    logger().info("manual sync", extra=facts | dict(result.counts))
    count("ManualSync", what=request.what)
    return result.model_dump(mode="json")


def _nobody_waits(event: object) -> bool:
    return isinstance(event, Mapping) and bool(event.get("continuing"))


def synchronise(request: SyncRequest, run: Run) -> SyncResult:
    """Do what was asked, or as much of it as there is time for.

    Raises:
        Rejected: `unknown_shop`, `no_api_access`, `stock_not_pushed`, or the shop refuses us.
        Conflict: `taken`, when another run is at the same.
        Retry: the shop or our own tables are out of reach.
    """
    connected = settings().shop(request.shop)
    if not connected.api_access:
        raise Rejected("no_api_access", f"we may not ask shop {request.shop} anything", field="shop")
    if request.what is What.ORDERS:
        return _given_orders(request, run) if request.ids else _period(request, run)
    if not (connected.push_stock or request.dry_run):
        hint = f"set shops.{request.shop}.push_stock = true, or see with dry_run what that would change"
        raise Rejected("stock_not_pushed", f"we do not keep the stock of shop {request.shop}", field="shop", hint=hint)
    return _given_levels(request, run) if request.skus else _sweep(request, run)


# Stock


def _desk(request: SyncRequest) -> ChannelDesk:
    desk = channel_desk(request.shop)
    return rehearsed(desk) if request.dry_run else desk


def _given_levels(request: SyncRequest, run: Run) -> SyncResult:
    desk = _desk(request)
    # The lease that the pushing function takes, too: they would only make each other's numbers stale.
    with leased(job_table(), f"stock_push/{request.shop}", run.id, now=utc_now(), lease=_LEASE):
        report = look_and_push(desk, request.skus)
    if not request.dry_run:
        _look_again(request.shop, report)
    reasons = skipped(request.skus, desk.bindings.of(request.shop, request.skus), wanted(desk, request.skus), report)
    return SyncResult(
        what=request.what,
        shop=request.shop,
        dry_run=request.dry_run,
        done=True,
        counts={"asked": len(set(request.skus)), "written": len(report.written), "skipped": len(reasons)},
        changes=tuple(report.written[:MOST_SHOWN]),
        more=max(0, len(report.written) - MOST_SHOWN),
        skipped=reasons,
    )


def _look_again(shop: str, report: PushReport) -> None:
    delay = settings().shop(shop).order_delay_seconds + 1
    request_push((PushRequest(sku=sku, shop=shop) for sku in sorted(report.later)), at_least=delay)


def _sweep(request: SyncRequest, run: Run) -> SyncResult:
    desk, log = _desk(request), ListedDrift(drift_table(), log_of(request))
    result = _as_job(request, run, lambda job: sweep_page(desk, log, job))
    shown, more = tuple(log.changes[:MOST_SHOWN]), max(0, len(log.changes) - MOST_SHOWN)
    return result.model_copy(update={"changes": shown, "more": more})


# Orders


def _given_orders(request: SyncRequest, run: Run) -> SyncResult:
    ids = tuple(dict.fromkeys(request.ids))
    orders = order_pull(request.shop)
    found = list(orders.pull_all(ids, dry_run=request.dry_run, has_time=lambda: run.has_time(request)))
    return SyncResult(
        what=request.what,
        shop=request.shop,
        dry_run=request.dry_run,
        done=len(found) == len(ids),
        counts=tally(found),
        remaining=ids[len(found) :],
        **_shown(found),
    )


def _period(request: SyncRequest, run: Run) -> SyncResult:
    orders, found = order_pull(request.shop), list[OrderFinding]()
    since, until = request.since, request.until or utc_now()
    if since is None:
        raise Rejected("invalid_request", "say which orders", field="since")

    def step(job: Job) -> tuple[str | None, dict[str, int]]:
        page = orders.client.changed_orders(since, until, job.cursor)
        pulled = list(orders.pull_all(page.ids, dry_run=request.dry_run))
        found.extend(pulled)
        return page.cursor, tally(pulled)

    fixed = request.model_copy(update={"until": until})
    return _as_job(fixed, run, step).model_copy(update=_shown(found))


def _shown(found: list[OrderFinding]) -> dict[str, Any]:
    return {"orders": tuple(found[:MOST_SHOWN]), "more": max(0, len(found) - MOST_SHOWN)}


# Long work


def _as_job(request: SyncRequest, run: Run, step: Step) -> SyncResult:
    name = job_of(request)
    job = job_table().find(name) if request.continuing else None
    if request.continuing is None or not is_over(job, request.continuing):
        job = work(name, step, _worker(request, run))
    done = job is None or job.finished_at is not None
    return SyncResult(
        what=request.what,
        shop=request.shop,
        dry_run=request.dry_run,
        done=done,
        goes_on=job is not None and not done and _hand_over(request, job, run),
        job=name,
        started_at=job.started_at if job else None,
        counts=job.counts if job else {},
    )


def _worker(request: SyncRequest, run: Run) -> Worker:
    return Worker(jobs=job_table(), holder=run.id, clock=utc_now, lease=_LEASE, has_time=lambda: run.has_time(request))


def _hand_over(request: SyncRequest, job: Job, run: Run) -> bool:
    """Have a run follow this one; False where that cannot be, so that whoever asked has to ask again."""
    following = handed_over(request, job).model_dump(mode="json")
    try:
        invoke_later(run.function, following)
    except Retry as error:
        if request.continuing:
            raise
        logger().warning("manual sync not handed over", extra={"job": job.name, "reason": error.message})
        return False
    return True
