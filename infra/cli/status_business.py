"""What our own tables say of a deployment: shops, back offices, orders, stock, people, money, runs.

Only indexes are read, never the whole table of orders.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final

from infra.cli.order_facts import time
from infra.cli.status_lines import Line, State, counted, lasting
from shared.finance.cases import Case, CaseState
from shared.finance.closing import days_to_close
from shared.inventory.low_stock import StockState
from shared.kernel.clock import utc_now
from shared.platform.configuration import settings
from shared.sync.finance.progress import FeedProgress
from shared.sync.jobs import Job
from shared.sync.repair.watch import Watch
from shared.sync.table import AlertTable
from shared.wiring.backoffice_tables import mirror_table
from shared.wiring.customer_privacy import privacy_table
from shared.wiring.customer_tables import customer_table
from shared.wiring.finance_desk import closing_of
from shared.wiring.finance_tables import finance_table, progress_table
from shared.wiring.level_tables import job_table
from shared.wiring.order_repair import watch_table
from shared.wiring.tables import connection, order_table, task_table

Reader = Callable[[datetime], Iterable[Line]]

_LATE: Final = 3
"""A run that did not come three times its own pause is late."""
REPAIR_PAUSE: Final = timedelta(minutes=15)
MOST_DAYS_OPEN: Final = 3
"""More days than this, over and not closed, need attention: the threshold of the alarm."""


def readers(*, clock_runs: bool) -> dict[str, Reader]:
    """What is read, by the stage that it tells of. `clock_runs`: whether schedules fire by themselves."""
    return {
        "shops": lambda now: shop_lines(now, clock_runs=clock_runs),
        "back offices": lambda now: office_lines(now, clock_runs=clock_runs),
        "orders": lambda _: order_lines(),
        "people": people_lines,
        "stock": lambda _: stock_lines(),
        "money": money_lines,
        "schedules": lambda now: run_lines(now, clock_runs=clock_runs),
        "tasks": lambda _: task_lines(),
    }


# Shops


def shop_lines(now: datetime, *, clock_runs: bool) -> Iterator[Line]:
    for name, shop in sorted(settings().shops.items()):
        if not shop.api_access:
            yield Line("shops", name, State.NOT_HERE, "is not asked: api_access = false")
            continue
        yield shop_line(name, watch_table().find(name), now, clock_runs=clock_runs)


def shop_line(name: str, watch: Watch | None, now: datetime, *, clock_runs: bool) -> Line:
    """Whether the shop sells as it uses to, and whether we still look."""
    doctor = f"storebridge doctor --shop {name}"
    if watch is None or watch.listed_until is None:
        return Line("shops", name, State.OK, "not looked at yet")
    last = f"last order {_ago(watch.last_order_at, now)}" if watch.last_order_at else "no order seen yet"
    if watch.silent_since:
        return Line("shops", name, State.ATTENTION, f"silent, against its habit; {last}", doctor)
    unseen = now - watch.listed_until
    if clock_runs and unseen > _LATE * REPAIR_PAUSE:
        return Line("shops", name, State.ATTENTION, f"not looked at for {_length(unseen)}; {last}", doctor)
    return Line("shops", name, State.OK, f"{last}, looked at {_ago(watch.listed_until, now)}")


# Back offices


def office_lines(now: datetime, *, clock_runs: bool) -> Iterator[Line]:
    for name, office in sorted(settings().backoffices.items()):
        pause = timedelta(minutes=max(office.look_every_minutes, 5))
        yield office_line(name, job_table().find(f"backoffice_look/{name}"), pause, now, clock_runs=clock_runs)


def office_line(name: str, look: Job | None, pause: timedelta, now: datetime, *, clock_runs: bool) -> Line:
    """When it was last asked, to the end. One that does not answer leaves its look unfinished."""
    if look is None:
        return Line("back offices", name, State.OK, "not asked yet")
    silent = now - (look.finished_at or look.started_at)
    said = (
        f"asked {_ago(look.finished_at, now)}"
        if look.finished_at
        else f"has not answered since {time(look.started_at)}"
    )
    if clock_runs and silent > _LATE * pause:
        return Line("back offices", name, State.ATTENTION, said, "storebridge doctor")
    return Line("back offices", name, State.OK, said)


# Orders and people


def order_lines() -> Iterator[Line]:
    shops = sorted(settings().shops)
    waiting = sum(1 for shop in shops for _ in order_table().needing_attention(shop))
    yield _to_do("orders", "orders that need someone", waiting, "storebridge orders list")
    stops = [entry.stop for shop in shops for entry in mirror_table().stopped(shop)]
    passing = sum(stop.passing for stop in stops)
    yield _to_do("orders", "orders on the error desk", len(stops) - passing, "storebridge desk list")
    if passing:
        said = f"{passing}, tried again by themselves"
        yield Line("orders", "orders put off", State.OK, said, "storebridge desk list --passing")


def people_lines(now: datetime) -> Iterator[Line]:
    waiting = sum(1 for shop in sorted(settings().shops) for _ in customer_table().needing_attention(shop))
    yield _to_do("people", "customers that need someone", waiting, "storebridge customers list")
    requests = list(privacy_table().unfinished())
    overdue = sum(request.is_overdue(now) for request in requests)
    if overdue:
        said = f"{overdue} of {len(requests)} overdue"
        yield Line("people", "requests under the law", State.ATTENTION, said, "storebridge privacy list")
    else:
        yield _to_do("people", "requests under the law", len(requests), "storebridge privacy list")


# Stock


def stock_lines() -> Iterator[Line]:
    alerts = list(AlertTable(connection(), os.environ["SYNC_TABLE"]).open_alerts())
    out = sum(alert.state is StockState.OUT for alert in alerts)
    low = sum(alert.state is StockState.LOW for alert in alerts)
    if out or low:
        yield Line("stock", "low stock", State.TODO, f"{out} out, {low} low", "storebridge stock show")
    else:
        yield Line("stock", "low stock", State.OK, "none")
    untold = sum(alert.pending is not None for alert in alerts)
    if untold:
        yield Line("stock", "notices not sent yet", State.OK, str(untold))


# Money


def money_lines(_now: datetime) -> Iterator[Line]:
    if not settings().keeps_books:
        yield Line("money", "books", State.NOT_HERE, "none are kept: no payment account is named")
        return
    yesterday = utc_now().astimezone(settings().finance.zone).date() - timedelta(days=1)
    open_days = days_to_close(closing_of(yesterday), yesterday)
    yield day_line(finance_table().last_closed(), len(open_days))
    yield case_line(tuple(finance_table().cases(CaseState.OPEN, CaseState.PROPOSED)))
    progress = {one.account: one for one in progress_table().all()}
    for name, account in sorted(settings().payments.items()):
        yield feed_line(name, progress.get(name), api_access=account.api_access)


def day_line(last: date | None, open_days: int) -> Line:
    closed = f"closed up to {last.isoformat()}" if last else "none closed yet"
    said = f"{closed}, {counted(open_days, 'day', 'days')} open"
    if open_days > MOST_DAYS_OPEN:
        return Line("money", "days", State.ATTENTION, said, "storebridge money close --dry-run")
    return Line("money", "days", State.OK, said)


def case_line(cases: tuple[Case, ...]) -> Line:
    if not cases:
        return Line("money", "unexplained money", State.OK, "none")
    blocking = sum(case.discrepancy.blocks_close for case in cases)
    said = f"{counted(len(cases), 'case', 'cases')} open, {blocking} of kinds that keep a day open"
    listing = "storebridge money cases --blocking" if blocking else "storebridge money cases"
    return Line("money", "unexplained money", State.TODO, said, listing)


def feed_line(name: str, progress: FeedProgress | None, *, api_access: bool) -> Line:
    read = f"read up to {time(progress.read_until)}" if progress and progress.read_until else "not read yet"
    if progress and progress.last_error:
        said = f"{read}; the last look stopped: {progress.last_error}"
        return Line("money", name, State.ATTENTION, said, "storebridge money status")
    by_hand = "" if api_access else ", by files"
    return Line("money", name, State.OK, read + by_hand)


# Runs and tasks


def run_lines(now: datetime, *, clock_runs: bool) -> Iterator[Line]:
    """The last runs of the long jobs, by shop."""
    for shop, connected in sorted(settings().shops.items()):
        if connected.api_access:
            yield run_line(f"order_repair/{shop}", REPAIR_PAUSE, now, clock_runs=clock_runs)
        if connected.keeps_stock:
            sweep = timedelta(minutes=max(connected.sweep_every_minutes, 15))
            yield run_line(f"stock_sync/{shop}", sweep, now, clock_runs=clock_runs)


def run_line(name: str, pause: timedelta, now: datetime, *, clock_runs: bool) -> Line:
    return judged_run(name, job_table().find(name), pause, now, clock_runs=clock_runs)


def judged_run(name: str, job: Job | None, pause: timedelta, now: datetime, *, clock_runs: bool) -> Line:
    if job is None:
        return Line("schedules", name, State.OK, "has not run yet")
    if job.finished_at:
        said, since = f"finished {_ago(job.finished_at, now)}", now - job.finished_at
    else:
        said, since = f"begun {_ago(job.started_at, now)}, at step {job.step}", now - job.started_at
    late = clock_runs and since > _LATE * pause
    mend = "infra/runbooks/runs-failed.md" if late else None
    return Line("schedules", name, State.ATTENTION if late else State.OK, said, mend)


def task_lines() -> Iterator[Line]:
    yield _to_do("tasks", "tasks", sum(1 for _ in task_table().all()), "storebridge tasks list")


def _to_do(stage: str, subject: str, number: int, listing: str) -> Line:
    if not number:
        return Line(stage, subject, State.OK, "none")
    return Line(stage, subject, State.TODO, str(number), listing)


def _ago(instant: datetime | None, now: datetime) -> str:
    return f"{_length(now - instant)} ago" if instant else "never"


def _length(length: timedelta) -> str:
    return lasting(max(0.0, length.total_seconds()))
