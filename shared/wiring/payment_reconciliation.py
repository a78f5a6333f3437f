"""Put the reconciliation together: read every account's feed, then hold everything against each other."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from pydantic import ValidationError

from shared.finance.reconcile_books import Reconciled, reconcile_books
from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry, StorebridgeError
from shared.kernel.model import Canonical, faults_of
from shared.platform.configuration import settings
from shared.platform.observability import count, logger
from shared.sync.finance.pull import PullReport, pull
from shared.sync.jobs import Worker
from shared.wiring.finance_desk import books_desk
from shared.wiring.finance_tables import finance_table, progress_table
from shared.wiring.level_tables import job_table
from shared.wiring.payment_feeds import feed_of

_LEASE = timedelta(minutes=16)
"""Longer than the function may run."""


class ReconciliationRequest(Canonical):
    """What an operator may ask for; a schedule asks for everything with `{}`."""

    accounts: tuple[str, ...] = ()
    """Read these accounts' feeds alone; none: all whose turn it is."""
    pull: bool = True
    since: date | None = None
    """Judge from this day on, instead of the settings' look-back."""
    dry_run: bool = False
    """Read no feed, work everything out, write nothing."""


def request_of(event: Mapping[str, Any]) -> ReconciliationRequest:
    """What a schedule or an operator asks for.

    Raises:
        Rejected: `invalid_request` with the field at fault.
    """
    own = {name: event[name] for name in ReconciliationRequest.model_fields if name in event}
    try:
        return ReconciliationRequest.model_validate(own)
    except ValidationError as error:
        fault = faults_of(error)[0]
        hint = 'send {} or {"accounts": [...], "pull": false, "since": "2026-11-01", "dry_run": true}'
        raise Rejected("invalid_request", fault.message, field=fault.field, hint=hint) from error


def answer(event: Mapping[str, Any], has_time: Callable[[], bool], *, run: str) -> dict[str, Any]:
    """Do what was asked, and say what came of it, in figures.

    Raises:
        StorebridgeError: as `reconcile_books`; a feed that fails does not stop the rest.
    """
    request = request_of(event)
    read = {} if request.dry_run or not request.pull else read_feeds(has_time, run=run, names=request.accounts)
    done = reconcile_books(books_desk(), judged=request.since, dry_run=request.dry_run)
    _measure(done)
    facts = figures_of(done)
    logger().info("reconciled", extra=facts)
    return {"read": read, **facts}


def figures_of(done: Reconciled) -> dict[str, Any]:
    kinds: dict[str, int] = {}
    for discrepancy in done.discrepancies:
        kinds[discrepancy.kind] = kinds.get(discrepancy.kind, 0) + 1
    return {
        "as_of": done.as_of.isoformat(),
        "judged_since": done.judged.isoformat(),
        "buckets": {bucket.value: number for bucket, number in sorted(done.buckets.items())},
        "matches": done.matches,
        "dropped": done.dropped,
        "discrepancies": dict(sorted(kinds.items())),
        "cases": {change.value: number for change, number in sorted(done.cases.items())},
        "posted": done.posted._asdict(),
        "dry_run": done.dry_run,
    }


def read_feeds(has_time: Callable[[], bool], *, run: str, names: tuple[str, ...] = ()) -> dict[str, str]:
    """Read the feeds of these accounts, or of all whose turn it is. Returns by account what became of it: how much is
    new, `goes_on`, or why it stopped. One account's trouble stops no other."""
    asked = {name: settings().payment_account(name) for name in names} if names else _due()
    worker = worker_of(has_time, run=run)
    return {name: _read_feed(name, worker) for name, account in asked.items() if account.api_access}


def worker_of(has_time: Callable[[], bool], *, run: str) -> Worker:
    """Who reads feeds: two that would read one account at the same time wait for each other."""
    return Worker(jobs=job_table(), holder=run, clock=utc_now, lease=_LEASE, has_time=has_time)


def read_feed(name: str, worker: Worker) -> PullReport:
    """Read one account's feed.

    Raises:
        Rejected: `unknown_account`, `no_api_access`, or as the feed.
        Conflict, Retry: as `pull`.
    """
    return pull(
        name,
        feed_of(name, settings().payment_account(name)),
        finance_table(),
        progress_table(),
        worker,
        first_look=timedelta(days=settings().finance.look_back_days),
    )


def _due() -> dict[str, Any]:
    """Accounts whose feed was not asked for in their `look_every_minutes`, give or take a schedule's own delay."""
    progress = {one.account: one for one in progress_table().all()}
    due = {}
    for name, account in settings().payments.items():
        last = progress[name].last_run_at if name in progress else None
        pause = timedelta(minutes=account.look_every_minutes * 0.9)
        if last is None or utc_now() - last >= pause:
            due[name] = account
    return due


def _read_feed(name: str, worker: Worker) -> str:
    try:
        report = read_feed(name, worker)
    except (Conflict, Retry, Rejected) as error:
        _stopped(name, error)
        return error.code
    counts = report.counts
    logger().info("feed read", extra={"account": name, "finished": report.finished, **counts})
    if counts.get("unknown"):
        count("UnknownTransactions", counts["unknown"])
    return f"new {counts.get('new', 0)}, changed {counts.get('changed', 0)}" if report.finished else "goes_on"


def _stopped(name: str, error: StorebridgeError) -> None:
    logger().warning("feed not read", extra={"account": name, "code": error.code, "reason": error.message})
    count("FeedNotRead", code=error.code)


def _measure(done: Reconciled) -> None:
    for metric, number in (
        ("Discrepancies", len(done.discrepancies)),
        ("DiscrepanciesBlocking", sum(discrepancy.blocks_close for discrepancy in done.discrepancies)),
    ):
        if number:
            count(metric, number)
