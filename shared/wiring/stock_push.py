"""Put the push together: changed SKUs, to every shop that sells them, each shop apart from the others."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry, StorebridgeError
from shared.platform.configuration import settings
from shared.platform.observability import count, logger
from shared.platform.push_queue import MOST_ATTEMPTS, PushRequest, request_push
from shared.sync.jobs import leased
from shared.sync.levels.push import PushReport, push
from shared.wiring.channel_desk import channel_desk, pushed_shops
from shared.wiring.level_tables import job_table

_LEASE = timedelta(minutes=6)
"""Longer than the function may run."""


def read_requests(records: Sequence[Mapping[str, Any]]) -> tuple[list[PushRequest], list[str]]:
    """The requests of a batch, and the ids of messages that are none: they end on the dead-letter queue."""
    requests, unreadable = [], []
    for record in records:
        try:
            requests.append(PushRequest.parse(record["body"]))
        except Rejected:
            unreadable.append(record["messageId"])
    return requests, unreadable


def push_all(requests: Sequence[PushRequest], *, run: str, has_time: Callable[[], bool]) -> None:
    """Look at each SKU in each shop that it is asked for. One shop's trouble postpones that shop and no other.

    Where a slow shop has used up the time, the others are asked for anew, each by itself.

    Raises:
        Retry: what has to be looked at again could not be put back; the whole batch is delivered again.
    """
    for shop in pushed_shops():
        mine = {request.sku: request for request in requests if request.shop in (None, shop)}
        if mine and has_time():
            _push_shop(shop, mine, run)
        elif mine:
            request_push(request.model_copy(update={"shop": shop}) for request in mine.values())


def _push_shop(shop: str, requests: dict[str, PushRequest], run: str) -> None:
    try:
        report = _push_alone(shop, requests, run)
    except (Retry, Conflict, Rejected) as error:
        _postpone(shop, requests.values(), error)
        return
    _tell(shop, report)
    look_again = settings().shop(shop).order_delay_seconds + 1
    request_push((PushRequest(sku=sku, shop=shop) for sku in sorted(report.later)), at_least=look_again)


def _push_alone(shop: str, skus: Iterable[str], run: str) -> PushReport:
    """One worker at a time for each shop: they would only make each other's numbers stale."""
    with leased(job_table(), f"stock_push/{shop}", run, now=utc_now(), lease=_LEASE):
        return push(channel_desk(shop), skus)


def _postpone(shop: str, requests: Iterable[PushRequest], error: StorebridgeError) -> None:
    again = [request.again(shop) for request in requests]
    logger().warning(
        "push postponed", extra={"shop": shop, "code": error.code, "reason": error.message, "skus": len(again)}
    )
    count("PushPostponed", shop=shop, code=error.code)
    given_up = [request.sku for request in again if request.attempt > MOST_ATTEMPTS]
    if given_up:
        logger().error("push given up until the next sweep", extra={"shop": shop, "skus": given_up[:100]})
        count("PushGivenUp", shop=shop)
    request_push(request for request in again if request.attempt <= MOST_ATTEMPTS)


def _tell(shop: str, report: PushReport) -> None:
    if report.written or report.set_aside:
        logger().info(
            "levels pushed",
            extra={
                "shop": shop,
                "written": len(report.written),
                "set_aside": report.set_aside,
                "later": len(report.later),
            },
        )
    if report.set_aside:
        count("ItemSetAside", shop=shop)
