"""Watch stock: one notice for each crossing, a daily digest, a purchase request where planning asks for one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.inventory.low_stock import Crossing, PlanningRules, StockAlert, StockState, free_units, observe, state_of
from shared.inventory.models import StockLine
from shared.inventory.ports import StockReader
from shared.inventory.reorder import (
    HISTORY_DAYS,
    Forecast,
    Proposal,
    SalesHistory,
    forecast,
    point_of,
    propose,
    urgency,
)
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry
from shared.notifications.port import Language, Notice, Notifier, SetAside, deliver
from shared.notifications.templates import DigestEntry, digest_notice, stock_notice
from shared.sync.alerts import AlertBook, NoticeLog
from shared.sync.tasks import Task, TaskKind, TaskList


@dataclass(frozen=True)
class StockWatch:
    """All that watching stock needs."""

    alerts: AlertBook
    notices: NoticeLog
    tasks: TaskList
    stock: StockReader
    sales: SalesHistory
    rules: PlanningRules
    notifiers: Mapping[str, Notifier]
    set_aside: SetAside
    language: Language
    location_names: Mapping[str, str]
    clock: Clock


def watch(line: StockLine, watching: StockWatch, *, at: datetime) -> Crossing | None:
    """Take in one change of a stock line that happened `at`, and return the crossing that people were told of.

    The state is stored before anybody is told, and what is not told yet is told first: the same change again repeats
    a notice only to channels that have not taken it, and an older change does nothing.

    Raises:
        Retry: a channel or a store failed in passing; hand the same change in again.
        Conflict: somebody else took in a change of this line meanwhile; hand it in again.
    """
    kept = watching.alerts.get(line.sku, line.location)
    if kept is not None and kept.pending is not None:
        kept = _tell(kept, kept.pending, watching)
    rules = watching.rules.of(line.sku)
    point = line.reorder_point
    if point is None and rules.compute_points:
        point = point_of(None, _expected(line, watching), rules)
    observed = observe(kept, line, point=point, margin=rules.margin(point or 0), at=at)
    if observed is None:
        return None
    if observed.pending is not None:
        observed = _with_proposal(observed, observed.pending, line, watching)
    watching.alerts.keep(observed)
    if observed.pending is not None:
        _tell(observed, observed.pending, watching)
    return observed.pending


def send_digest(watching: StockWatch, *, day: str) -> int:
    """Tell people once a day what is low or out, the most urgent first; returns how many. Nothing low: no notice.

    Crossings that some channel could not take are tried again first. `day` (ISO) names the digest: called again on
    the same day, it reaches only channels that have not taken it.

    Raises:
        Retry: a channel or a store failed in passing; the other channels have it.
    """
    failures = []
    alerts = list(watching.alerts.open_alerts())
    for alert in alerts:
        if alert.pending is not None:
            try:
                _tell(alert, alert.pending, watching)
            except Retry as error:
                failures.append(error)
    entries = sorted(_entries(alerts, watching), key=_by_urgency)
    if entries:
        _deliver(digest_notice(entries, key=f"digest/{day}", language=watching.language), watching)
    if failures:
        raise failures[0]
    return len(entries)


def _tell(alert: StockAlert, crossing: Crossing, watching: StockWatch) -> StockAlert:
    _keep_purchase_request(crossing, watching)
    location = watching.location_names.get(crossing.location, crossing.location)
    _deliver(stock_notice(crossing, location=location, language=watching.language), watching)
    now = watching.clock()
    watching.alerts.told(alert, now)
    return alert.told(now)


def _deliver(notice: Notice, watching: StockWatch) -> None:
    deliver(notice, watching.notifiers, log=watching.notices, set_aside=watching.set_aside, clock=watching.clock)


def _with_proposal(alert: StockAlert, crossing: Crossing, line: StockLine, watching: StockWatch) -> StockAlert:
    proposal = _proposal(line, crossing.point, _expected(line, watching), watching)
    told = crossing.model_copy(update={"proposed": proposal.quantity, "days_of_cover": proposal.days_of_cover})
    return alert.model_copy(update={"pending": told})


def _proposal(line: StockLine, point: int | None, expected: Forecast | None, watching: StockWatch) -> Proposal:
    """Nothing counts as on order: there is no back office to ask yet."""
    rules = watching.rules.of(line.sku)
    return propose(free=free_units(line), on_order=0, point=point, expected=expected, rules=rules)


def _expected(line: StockLine, watching: StockWatch) -> Forecast | None:
    return forecast(watching.sales.daily_units(line.sku, line.location, HISTORY_DAYS))


def _keep_purchase_request(crossing: Crossing, watching: StockWatch) -> None:
    """One request for each line that is low, until it is sufficient again or somebody closes the task."""
    if not watching.rules.purchase_requests:
        return
    task = Task(
        kind=TaskKind.PURCHASE_REQUEST,
        shop=crossing.location,
        subject=crossing.sku,
        first_seen_in=crossing.key,
        opened_at=crossing.at,
        units=crossing.proposed,
    )
    if crossing.state is StockState.OK:
        _close(task, watching.tasks)
    elif crossing.proposed:
        watching.tasks.open(task)


def _close(task: Task, tasks: TaskList) -> None:
    try:
        tasks.close(task.id)
    except Rejected:
        return  # it was never opened, or somebody has done it


def _entries(alerts: Iterable[StockAlert], watching: StockWatch) -> Iterator[DigestEntry]:
    """What is low or out by its line as it is now; lines that are gone are left out."""
    low = [alert for alert in alerts if alert.state is not StockState.OK]
    view = watching.stock.read(alert.sku for alert in low)
    for alert in low:
        line = view.get(alert.sku, {}).get(alert.location)
        if line is not None:
            yield from _entry(alert, line, watching)


def _entry(alert: StockAlert, line: StockLine, watching: StockWatch) -> Iterator[DigestEntry]:
    rules = watching.rules.of(line.sku)
    expected = _expected(line, watching)
    point = point_of(line.reorder_point, expected, rules)
    free = free_units(line)
    state = state_of(free, point, rules.margin(point or 0), alert.state)
    if state is StockState.OK:
        return  # it has recovered since: its notice is on the way
    proposal = _proposal(line, point, expected, watching)
    yield DigestEntry(
        sku=line.sku,
        location=watching.location_names.get(line.location, line.location),
        state=state,
        free=free,
        point=point,
        days_of_cover=proposal.days_of_cover,
        proposed=proposal.quantity,
        since=alert.since,
    )


def _by_urgency(entry: DigestEntry) -> tuple[tuple[int, float, int], str, str]:
    return urgency(entry.state, entry.days_of_cover, entry.free), entry.sku, entry.location
