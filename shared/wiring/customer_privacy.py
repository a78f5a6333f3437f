"""Put privacy together: what storefronts and operators ask for, and the work on it, each request apart from others."""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from shared.customers import contact
from shared.customers.models import Profile
from shared.customers.ports import CustomerDesk
from shared.customers.readings import PrivacyCall
from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.orders.table import BuyerTable
from shared.platform.configuration import settings
from shared.platform.observability import count, logger
from shared.sync.customers.table import PersonMirrorTable
from shared.sync.jobs import Worker
from shared.sync.privacy.erase import work_on
from shared.sync.privacy.models import PrivacyRequest, RequestState
from shared.sync.privacy.ports import CustomerEraser, PrivacyDesk, RequestDesk
from shared.sync.privacy.requests import open_request
from shared.sync.privacy.table import PrivacyTable
from shared.wiring.backoffice_tables import mirror_table
from shared.wiring.customer_tables import customer_table, marker
from shared.wiring.level_tables import job_table
from shared.wiring.order_desk import retry_conflicts
from shared.wiring.tables import connection, task_table

_LEASE = timedelta(minutes=20)
"""Longer than the function may run, and so than any step."""


def open_call(call: PrivacyCall, desk: CustomerDesk) -> PrivacyRequest:
    """Open what a storefront asks for; see `sync.privacy.requests.open_request`."""
    request = open_request(desk.shop, call, request_desk())
    facts = {"request": request.id, "kind": request.kind.value, "shop": desk.shop, "due": request.due_at.isoformat()}
    logger().info("privacy request opened", extra=facts)
    return request


def work_on_all(has_time: Callable[[], bool], *, run: str) -> dict[str, str]:
    """Go on with every erasure that may, the one that is due first, first. One's trouble stops no other.

    Returns by request what became of it: its state, `taken`, `no_time`, or why it was stopped.
    """
    desk = privacy_desk(has_time)
    waiting = sorted(desk.requests.unfinished(), key=lambda request: (request.due_at, request.id))
    worker = Worker(jobs=job_table(), holder=run, clock=utc_now, lease=_LEASE, has_time=has_time)
    mine = [request for request in waiting if request.may_go_on(utc_now())]
    done = {request.id: _go_on(request, desk, worker) if has_time() else "no_time" for request in mine}
    finished = sum(state == RequestState.DONE for state in done.values())
    _measure(waiting, finished, {name for name, state in done.items() if state == RequestState.DONE})
    return done


def _go_on(request: PrivacyRequest, desk: PrivacyDesk, worker: Worker) -> str:
    try:
        left = work_on(request.id, desk, worker)
    except (Conflict, Retry, Rejected) as error:
        # Without the message: a back office's own words may name a person.
        logger().warning("erasure stopped", extra={"request": request.id, "code": error.code})
        count("PrivacyStopped", code=error.code)
        return error.code
    if left is None:
        return "gone"
    facts = {"request": left.id, "state": left.state.value, "stage": left.place.stage.value, "counts": left.counts}
    logger().info("erasure went on", extra=facts)
    if left.state is RequestState.FAILED:
        count("PrivacyStopped", code=left.failed_code or "unknown")
    return left.state.value


def _measure(waiting: list[PrivacyRequest], finished: int, done: set[str]) -> None:
    left = [request for request in waiting if request.id not in done]
    overdue = [request.id for request in left if request.is_overdue(utc_now())]
    for metric, number in (("PrivacyOpen", len(left)), ("PrivacyOverdue", len(overdue)), ("PrivacyDone", finished)):
        if number:
            count(metric, number)
    if overdue:
        logger().error("privacy requests overdue", extra={"requests": overdue})


def request_desk() -> RequestDesk:
    """For whoever opens requests, or answers them."""
    return RequestDesk(
        requests=privacy_table(),
        customers=customer_table(),
        orders=buyer_table(),
        tasks=task_table(),
        marker=marker(),
        rules=settings().privacy,
        clock=utc_now,
        phone_of=phone_of,
    )


def privacy_desk(has_time: Callable[[], bool] = lambda: True) -> PrivacyDesk:
    """For erasures and exports."""
    from shared.platform.archive import S3Archive  # noqa: PLC0415 - whoever opens requests needs neither
    from shared.platform.dead_letters import SqsDeadLetters  # noqa: PLC0415

    opening = request_desk()
    return PrivacyDesk(
        requests=opening.requests,
        customers=opening.customers,
        orders=opening.orders,
        tasks=opening.tasks,
        marker=opening.marker,
        rules=opening.rules,
        clock=opening.clock,
        phone_of=opening.phone_of,
        mirrors=mirror_table(),
        persons=PersonMirrorTable(connection(), os.environ["SYNC_TABLE"]),
        archive=S3Archive(),
        dead_letters=SqsDeadLetters(),
        offices=offices_of,
        retrying=retry_conflicts,
        payment_accounts=frozenset(settings().payments),
        has_time=has_time,
    )


def privacy_table() -> PrivacyTable:
    return PrivacyTable(connection(), os.environ["SYNC_TABLE"])


def buyer_table() -> BuyerTable:
    return BuyerTable(connection(), os.environ["ORDERS_TABLE"])


def phone_of(shop: str, profile: Profile) -> str | None:
    """As the shop's intake reads it, also of a shop that is not connected any more."""
    country = settings().country_of(shop) if shop in settings().shops else None
    return contact.phone_of(profile, country)


def offices_of(shop: str) -> Mapping[str, CustomerEraser]:
    """The shop's back office; of a shop that is not connected any more, all that there are."""
    from shared.wiring.backoffice_connection import office  # noqa: PLC0415 - httpx, and few requests need it

    connected = settings().shops.get(shop)
    names: Iterable[str] = settings().backoffices
    if connected is not None:
        names = [connected.backoffice] if connected.backoffice else []
    return {name: office(name, settings().backoffice(name)) for name in names}
