"""What an operator may ask to have synchronised, and what is answered. Pure.

Nothing here is deduplicated: leases keep two runs of one job apart, levels are written by compare-and-set, and an
order's version decides whether it is news. So whatever is asked twice comes to the same end.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError

from shared.inventory.models import Sku
from shared.kernel.clock import as_sortable
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import SHOP_PATTERN
from shared.kernel.model import Canonical, faults_of
from shared.kernel.versions import Comparison, compare
from shared.orders.models import Order
from shared.orders.record import OrderRecord
from shared.sync.jobs import Job
from shared.sync.levels.bindings import Binding
from shared.sync.levels.push import LevelChange, PushReport

MOST_SHOWN = 500
"""Changes that one answer lists; of the rest it tells the number."""
MOST_HAND_OVERS = 200
"""Runs of a quarter of an hour each: two days. What is longer than that goes in circles."""

OrderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class What(StrEnum):
    STOCK = "stock"
    ORDERS = "orders"
    CUSTOMERS = "customers"
    PAYMENTS = "payments"


_ELSEWHERE = {
    What.CUSTOMERS: "storebridge customers sync KEY, or --stopped for all who wait",
    What.PAYMENTS: "storebridge money reconcile, or invoke payment_reconciliation",
}


class Continuation(Canonical):
    """A run that goes on with the work of one before it."""

    started_at: datetime
    """When the job was begun: another run of the same name is not ours to go on with."""
    number: Annotated[int, Field(ge=1, le=MOST_HAND_OVERS)]


class SyncRequest(Canonical):
    """What to synchronise, of one shop."""

    what: What
    shop: Annotated[str, StringConstraints(pattern=SHOP_PATTERN)]
    skus: Annotated[tuple[Sku, ...], Field(max_length=1000)] = ()
    """Stock: these alone. Without any: everything that the shop sells."""
    ids: Annotated[tuple[OrderId, ...], Field(max_length=1000)] = ()
    """Orders: these, by the shop's own ids."""
    since: AwareDatetime | None = None
    """Orders: those that changed from here on …"""
    until: AwareDatetime | None = None
    """… to here. None: now."""
    dry_run: bool = False
    """Tell what would be done. No shop, no level and no order is touched; the progress of the run is still kept."""
    wait_seconds: Annotated[int, Field(ge=0, le=600)] = 20
    """How long the caller waits at least, before long work goes on without him."""
    continuing: Continuation | None = None
    """Set by the function itself."""


class OrderState(StrEnum):
    """What the shop says of an order, held against our record of it."""

    NEW = "new"
    """We do not know the order."""
    NEWER = "newer"
    SAME = "same"
    OLDER = "older"
    """Our record is newer than what the shop says now: its clock, or ours, is wrong."""
    UNDECIDED = "undecided"
    """Two accounts of one second differ; intake asks once more."""
    DRAFT = "draft"
    """No order yet: a checkout that nobody finished."""
    GONE = "gone"
    """The shop no longer has it, and we do."""
    UNKNOWN = "unknown"
    """Neither the shop nor we have such an order."""
    POSTPONED = "postponed"
    """The shop does not answer now. Intake fetches it when it can."""


class OrderFinding(Canonical):
    order_id: str
    state: OrderState
    queued: bool
    """Put on the orders queue, or in a dry run: would be."""


class SyncResult(Canonical):
    """What was done, or in a dry run what would be."""

    what: What
    shop: str
    dry_run: bool
    done: bool
    goes_on: bool = False
    """Not done, and another run goes on with it already. Otherwise ask again with the same request."""
    job: str | None = None
    """Where long work keeps its progress."""
    started_at: datetime | None = None
    """When that job was begun."""
    counts: Mapping[str, int] = {}
    """For a job: all of it so far."""
    changes: tuple[LevelChange, ...] = ()
    """Levels that this run changed, `MOST_SHOWN` at most."""
    orders: tuple[OrderFinding, ...] = ()
    """Orders that this run looked at, `MOST_SHOWN` at most."""
    more: int = 0
    """How many more there are of either."""
    skipped: Mapping[str, str] = {}
    """SKUs that were asked for and are not written, with the reason."""
    remaining: tuple[str, ...] = ()
    """Order ids that there was no time for: ask for these again."""


def parse_request(event: Mapping[str, Any]) -> SyncRequest:
    """Read an operator's request.

    Raises:
        Rejected: `invalid_request` with the field at fault; `synchronised_elsewhere` for what another command does.
    """
    try:
        request = SyncRequest.model_validate(event)
    except ValidationError as error:
        fault = faults_of(error)[0]
        raise Rejected("invalid_request", fault.message, field=fault.field or "request", hint=_HINT) from error
    _require_sense(request)
    return request


_HINT = 'send {"what": "stock"|"orders", "shop": …} with skus, or ids, or since and until; dry_run to see first'


def _require_sense(request: SyncRequest) -> None:
    if request.what in _ELSEWHERE:
        raise Rejected(
            "synchronised_elsewhere",
            f"{request.what} have a way of their own",
            field="what",
            hint=_ELSEWHERE[request.what],
        )
    if request.what is What.STOCK:
        _require_absent(request, ("ids", "since", "until"))
    else:
        _require_absent(request, ("skus",))
        _require_which_orders(request)


def _require_absent(request: SyncRequest, names: Iterable[str]) -> None:
    for name in names:
        if getattr(request, name):
            raise Rejected("invalid_request", f"{name} says nothing of {request.what}", field=name, hint=_HINT)


def _require_which_orders(request: SyncRequest) -> None:
    if request.ids and (request.since or request.until):
        raise Rejected("invalid_request", "either ids or a period, not both", field="ids", hint=_HINT)
    if not request.ids and request.since is None:
        raise Rejected("invalid_request", "say which orders", field="since", hint="give ids, or since (and until)")
    if request.since and request.until and request.until <= request.since:
        raise Rejected("invalid_request", "the period ends before it begins", field="until")


def job_of(request: SyncRequest) -> str:
    """The name under which a sweep, or a period's orders, keep their place. A rehearsal has a place of its own."""
    rehearsed = "/dry_run" if request.dry_run else ""
    if request.what is What.STOCK:
        return f"stock_sync/{request.shop}{rehearsed}"
    since, until = (as_sortable(moment) if moment else "" for moment in (request.since, request.until))
    return f"order_sync/{request.shop}/{since}-{until}{rehearsed}"


def log_of(request: SyncRequest) -> str:
    """The name under which the corrections of a sweep are logged."""
    return f"{request.shop}/dry_run" if request.dry_run else request.shop


def is_over(job: Job | None, continuation: Continuation) -> bool:
    """Whether the job that is to be gone on with was brought to its end meanwhile, by whomever."""
    return job is None or job.finished_at is not None or job.started_at != continuation.started_at


def handed_over(request: SyncRequest, job: Job) -> SyncRequest:
    """The request of the run that goes on.

    Raises:
        Rejected: `too_long`, when it was handed over too often.
    """
    number = request.continuing.number + 1 if request.continuing else 1
    if number > MOST_HAND_OVERS:
        raise Rejected("too_long", f"{job.name} does not come to its end", hint="look at the shop's catalogue")
    return request.model_copy(update={"continuing": Continuation(started_at=job.started_at, number=number)})


def skipped(
    skus: Iterable[str], bindings: Iterable[Binding], levels: Mapping[str, int], report: PushReport
) -> dict[str, str]:
    """Why each SKU that was asked for shows another number than it should, or none."""
    bound = {binding.sku: binding for binding in bindings}
    reasons = {sku: reason for sku in sorted(set(skus)) if (reason := _reason(sku, bound.get(sku), levels))}
    waiting = dict.fromkeys(sorted(report.later), "sale_on_its_way")
    refused = {sku: f"set_aside: {reason or 'refused'}" for sku, reason in report.set_aside.items()}
    return reasons | waiting | refused


def _reason(sku: str, binding: Binding | None, levels: Mapping[str, int]) -> str | None:
    if binding is None:
        return "not_found_by_a_sweep"
    if sku not in levels:
        return "unknown_to_stock"
    if binding.set_aside:
        return f"set_aside: {binding.set_aside}"
    return "not_counted_in_shop" if binding.item.shown is None else None


def state_of(order: Order, record: OrderRecord | None) -> OrderState:
    """How an account of an order compares with our record."""
    return OrderState.NEW if record is None else _STATES[compare(order.version, record.version)]


_STATES = {
    Comparison.NEWER: OrderState.NEWER,
    Comparison.SAME: OrderState.SAME,
    Comparison.OLDER: OrderState.OLDER,
    Comparison.UNDECIDED: OrderState.UNDECIDED,
}


def tally(findings: Iterable[OrderFinding]) -> dict[str, int]:
    """How many orders there are of each state, and how many of them go on the queue."""
    counts = {"orders": 0, "queued": 0}
    for finding in findings:
        counts["orders"] += 1
        counts["queued"] += finding.queued
        counts[finding.state] = counts.get(finding.state, 0) + 1
    return counts
