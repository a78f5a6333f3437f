"""`storebridge sync`."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.status import Status

from infra.cli.invocation import ask
from infra.cli.order_facts import Json
from infra.cli.output import table
from infra.cli.target import Session, connected
from shared.kernel.clock import parse_time, utc_now
from shared.kernel.errors import Retry
from shared.sync.jobs import Job
from shared.sync.levels.sweep import Drift
from shared.sync.manual import SyncRequest, SyncResult, log_of, parse_request
from shared.wiring.level_tables import drift_table, job_table

app = typer.Typer(no_args_is_help=True, help="Synchronise a shop now: its stock, or orders that were missed.")

pause: Callable[[float], None] = time.sleep
"""Between two looks at the progress."""
POLL_SECONDS = 2.0
MOST_QUIET_POLLS = 600
"""Twenty minutes without a step: Lambda has tried it three times by then."""
MOST_LISTED = 1000

Shop = Annotated[str, typer.Option(help="The shop, as the settings call it.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show exactly what would change, and change nothing.")]
Moment = Annotated[str | None, typer.Option(metavar="TIME", help="Such as 2026-11-22T00:00:00Z.")]


@app.command(epilog="Example: storebridge sync stock --shop aurora --sku MUG-BLUE --dry-run")
def stock(
    ctx: typer.Context,
    *,
    shop: Shop,
    sku: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Make a shop show what it may sell: of these SKUs, or of everything that it sells."""
    request = parse_request({"what": "stock", "shop": shop, "skus": sku or [], "dry_run": dry_run})
    here = connected(ctx)
    result = _brought_about(here, request)
    facts = _facts(result)
    if not request.skus:
        facts |= _corrections(request, result)
    here.output.show(facts, _stock_shown)


@app.command(epilog="Example: storebridge sync orders --shop aurora --since 2026-11-22T00:00:00Z --dry-run")
def orders(
    ctx: typer.Context,
    *,
    shop: Shop,
    order_id: Annotated[list[str] | None, typer.Option("--id", help="Only this order; may be repeated.")] = None,
    since: Moment = None,
    until: Moment = None,
    dry_run: DryRun = False,
) -> None:
    """Fetch orders from a shop again and have them taken in: some, or all that changed within a period.

    Orders that are known as they are change nothing. Intake is what writes them, so the result shows a little later.
    """
    request = parse_request(
        {
            "what": "orders",
            "shop": shop,
            "ids": order_id or [],
            "since": _moment(since, "since"),
            "until": _moment(until, "until") or (utc_now() if since else None),
            "dry_run": dry_run,
        }
    )
    here = connected(ctx)
    here.output.show(_facts(_brought_about(here, request)), _orders_shown)


def _moment(text: str | None, field: str) -> datetime | None:
    return parse_time(text, field=field) if text else None


# Asking, and following what goes on


def _brought_about(here: Session, request: SyncRequest) -> SyncResult:
    """Ask, and wait until it is done, however many runs that takes."""
    with here.output.progress(f"Synchronising {request.shop} …") as progress:
        result = ask(request)
        while not result.done:
            result = _followed(request, result, progress)
    return result


def _followed(request: SyncRequest, result: SyncResult, progress: Status) -> SyncResult:
    if result.goes_on:
        return _watched(result, progress)
    if not result.remaining:
        return ask(request)
    progress.update(f"Synchronising {request.shop} … {len(result.remaining)} orders to go")
    return _joined(result, ask(request.model_copy(update={"ids": result.remaining})))


def _joined(before: SyncResult, after: SyncResult) -> SyncResult:
    counts = {word: before.counts.get(word, 0) + after.counts.get(word, 0) for word in {*before.counts, *after.counts}}
    found = {"counts": counts, "orders": before.orders + after.orders, "more": before.more + after.more}
    return after.model_copy(update=found)


def _watched(result: SyncResult, progress: Status) -> SyncResult:
    """Look at the job until it is done.

    Raises:
        Retry: `no_progress`.
    """
    step, quiet = -1, 0
    while quiet < MOST_QUIET_POLLS:
        job = job_table().find(result.job or "")
        if job is None or job.started_at != result.started_at:  # done, and somebody began another
            return result.model_copy(update={"done": True})
        if job.finished_at is not None:
            return result.model_copy(update={"done": True, "counts": job.counts, "more": _unlisted(result, job)})
        quiet = quiet + 1 if job.step == step else 0
        step = job.step
        progress.update(f"Synchronising {result.shop} … {_counted(job.counts)}")
        pause(POLL_SECONDS)
    raise Retry("no_progress", f"{result.job} stands still", hint="see the logs of manual_sync, then ask again")


def _unlisted(result: SyncResult, job: Job) -> int:
    """Orders that runs after the first looked at are counted, not listed."""
    return max(0, job.counts.get("orders", 0) - len(result.orders))


# Telling


def _facts(result: SyncResult) -> Json:
    facts: Json = result.model_dump(mode="json", exclude={"goes_on", "remaining", "started_at"})
    return facts


def _corrections(request: SyncRequest, result: SyncResult) -> Json:
    """Every correction of a sweep, whichever run made it, out of the log."""
    found = [
        drift
        for drift in drift_table().of(log_of(request), MOST_LISTED)
        if result.started_at and drift.found_at >= result.started_at
    ]
    found.sort(key=lambda drift: drift.sku)
    return {
        "changes": [_change(drift) for drift in found if drift.corrected],
        "waiting": [{**_change(drift), "why": drift.cause.value} for drift in found if not drift.corrected],
        "more": max(0, result.counts.get("drifted", 0) - len(found)),
    }


def _change(drift: Drift) -> Json:
    return {"sku": drift.sku, "before": drift.shown, "after": drift.wanted}


def _stock_shown(facts: Json) -> Iterator[RenderableType]:
    title = _title(facts)
    if facts["changes"]:
        rows = [(change["sku"], f"{_known(change['before'])} → {change['after']}") for change in facts["changes"]]
        yield table("sku", "shown", rows=rows, title=title)
    else:
        yield f"{title}: every level that was looked at is right."
    waiting = [(row["sku"], f"{row['before']} → {row['after']}", row["why"]) for row in facts.get("waiting", ())]
    if waiting:
        yield table("left as it is", "shown", "why", rows=waiting)
    if facts["skipped"]:
        yield table("not written", "why", rows=sorted(facts["skipped"].items()))
    yield from _ending(facts)


def _orders_shown(facts: Json) -> Iterator[RenderableType]:
    rows = [(row["order_id"], row["state"], "yes" if row["queued"] else "no") for row in facts["orders"]]
    queued = "would be queued" if facts["dry_run"] else "queued"
    yield table("order", "shop's account", queued, rows=rows, title=_title(facts)) if rows else "No such order."
    yield from _ending(facts)


def _title(facts: Json) -> str:
    return str(facts["shop"]) + ("  (dry run: nothing is written)" if facts["dry_run"] else "")


def _ending(facts: Json) -> Iterator[RenderableType]:
    if facts["more"]:
        yield f"{facts['more']} more are not listed."
    yield _counted(facts["counts"])


def _counted(counts: Any) -> str:
    return ", ".join(f"{word.replace('_', ' ')} {number}" for word, number in counts.items()) or "nothing yet"


def _known(level: int | None) -> str:
    return "?" if level is None else str(level)
