"""Put the sweep together: one job for each shop, resumed where the last run left it."""

from collections.abc import Callable
from datetime import timedelta

from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.platform.configuration import settings
from shared.platform.observability import count, logger
from shared.sync.jobs import Job, Worker, work
from shared.sync.levels.sweep import sweep_page
from shared.wiring.channel_desk import channel_desk, pushed_shops
from shared.wiring.level_tables import drift_table, job_table

_LEASE = timedelta(minutes=10)
"""Longer than any page takes, waiting for a throttled shop included."""


def sweep_all(has_time: Callable[[], bool], *, run: str) -> dict[str, str]:
    """Sweep every shop whose stock we keep, as far as the time goes. One shop's trouble stops no other.

    Returns by shop `done`, `unfinished` (the next run goes on), `fresh` (swept lately), or why it could not be swept.
    """
    return {shop: _sweep_one(shop, has_time, run) for shop in pushed_shops()}


def sweep(shop: str, worker: Worker) -> Job:
    """Go on with one shop's sweep, or start a new one.

    Raises:
        Conflict: another run is at it.
        Retry, Rejected: the shop is out of reach, or refuses us.
    """
    desk, log = channel_desk(shop), drift_table()
    return work(_job_name(shop), lambda job: sweep_page(desk, log, job), worker)


def worker(has_time: Callable[[], bool], *, run: str) -> Worker:
    return Worker(jobs=job_table(), holder=run, clock=utc_now, lease=_LEASE, has_time=has_time)


def _job_name(shop: str) -> str:
    return f"stock_sync/{shop}"


def _was_swept_lately(shop: str) -> bool:
    last = job_table().find(_job_name(shop))
    pause = timedelta(minutes=settings().shop(shop).sweep_every_minutes)
    return bool(last and last.finished_at and utc_now() - last.finished_at < pause)


def _sweep_one(shop: str, has_time: Callable[[], bool], run: str) -> str:
    if _was_swept_lately(shop):
        return "fresh"
    try:
        job = sweep(shop, worker(has_time, run=run))
    except (Conflict, Retry, Rejected) as error:
        logger().warning("sweep stopped", extra={"shop": shop, "code": error.code, "reason": error.message})
        count("SweepStopped", shop=shop, code=error.code)
        return error.code
    logger().info("shop swept", extra={"shop": shop, "finished": bool(job.finished_at), **job.counts})
    if job.counts.get("drifted"):
        count("StockDrift", shop=shop)
    return "done" if job.finished_at else "unfinished"
