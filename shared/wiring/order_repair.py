"""Put the repair together: each shop's webhooks, its missed orders, and its silence, each apart from the others."""

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.platform.aws_http import AwsService
from shared.platform.configuration import settings
from shared.platform.ingress_queue import IngressQueue
from shared.platform.observability import count, logger
from shared.sync.jobs import Job, Worker, work
from shared.sync.repair.alarm import call_at_silence, call_for_subscriptions
from shared.sync.repair.customers import ShopCustomers
from shared.sync.repair.missed import Search
from shared.sync.repair.orders import ShopOrders
from shared.sync.repair.rules import RepairRules
from shared.sync.repair.silence import News
from shared.sync.repair.subscriptions import Repaired, repair
from shared.sync.repair.table import WatchTable
from shared.wiring.customer_register import register
from shared.wiring.customer_tables import customer_table
from shared.wiring.level_tables import job_table
from shared.wiring.order_pull import order_pull
from shared.wiring.subscription_desk import endpoints, signing_secret, subscription_desk
from shared.wiring.tables import connection, task_table

_LEASE = timedelta(minutes=10)
"""Longer than any page takes, its fetches from a slow shop included."""


def repair_all(has_time: Callable[[], bool], *, run: str) -> dict[str, dict[str, str]]:
    """Look after every shop that we may ask, the one that waited longest first. One's trouble stops no other.

    Returns by shop and part what became of it: of `subscriptions` `kept`, `repaired`, `lost`, `off` or `no_base_url`;
    of `orders` and `customers` `done` or `unfinished` (the next run goes on); `no_time` (the next run begins with it),
    or why it was stopped.
    """
    return {shop: _repair_one(shop, has_time, run) for shop in _by_waiting()}


def watch_table() -> WatchTable:
    return WatchTable(connection(), os.environ["SYNC_TABLE"])


def _by_waiting() -> list[str]:
    shops = [name for name, shop in settings().shops.items() if shop.api_access]
    waits_since = {shop: _listed_until(shop) for shop in shops}
    return sorted(shops, key=lambda shop: waits_since[shop])


def _listed_until(shop: str) -> float:
    watch = watch_table().find(shop)
    return watch.listed_until.timestamp() if watch and watch.listed_until else 0.0


def _repair_one(shop: str, has_time: Callable[[], bool], run: str) -> dict[str, str]:
    rules = rules_of(shop)
    parts: dict[str, Callable[[], str]] = {
        "subscriptions": lambda: _subscriptions(shop, rules),
        "orders": lambda: _orders(shop, rules, has_time, run),
    }
    if rules.customers:
        parts["customers"] = lambda: _customers(shop, rules, has_time, run)
    return {name: _apart(shop, name, part) if has_time() else "no_time" for name, part in parts.items()}


def rules_of(shop: str) -> RepairRules:
    return settings().shop(shop).repair


def _apart(shop: str, name: str, part: Callable[[], str]) -> str:
    try:
        return part()
    except (Conflict, Retry, Rejected) as error:
        facts = {"shop": shop, "part": name, "code": error.code, "reason": error.message}
        logger().warning("repair stopped", extra=facts)
        count("RepairStopped", shop=shop, part=name, code=error.code)
        return error.code


# Webhooks


def _subscriptions(shop: str, rules: RepairRules) -> str:
    wanted = endpoints(shop, rules) if rules.check_subscriptions else ()
    if not wanted:
        verdict = "no_base_url" if rules.check_subscriptions else "off"
        logger().info("subscriptions not checked", extra={"shop": shop, "why": verdict})
        return verdict
    repaired = Repaired()
    for endpoint in wanted:
        repaired += repair(subscription_desk(shop), endpoint, lambda: signing_secret(shop))
    call_for_subscriptions(shop, repaired, task_table(), utc_now())
    if repaired.created or repaired.removed:
        facts = {"shop": shop, "made": repaired.created, "removed": repaired.removed}
        logger().warning("subscriptions repaired", extra=facts)
        _count_some("SubscriptionsRepaired", len(repaired.created), shop)
    if repaired.lost:
        why = repaired.why or "paused"
        logger().error("subscriptions lost", extra={"shop": shop, "topics": repaired.lost, "why": why})
        count("SubscriptionsLost", shop=shop)
        return "lost"
    return "repaired" if repaired.created or repaired.removed else "kept"


# Orders


def _orders(shop: str, rules: RepairRules, has_time: Callable[[], bool], run: str) -> str:
    search = Search(shop=shop, side=ShopOrders(order_pull(shop), has_time), watches=watch_table(), rules=rules)
    worker = Worker(jobs=job_table(), holder=run, clock=utc_now, lease=_LEASE, has_time=has_time)
    found: Counter[str] = Counter()

    def step(job: Job) -> tuple[str | None, dict[str, int]]:
        cursor, counts = search.page(job)
        found.update(counts)
        return cursor, counts

    try:
        job = work(f"order_repair/{shop}", step, worker)
    finally:
        # What this run found: the job's own counts may be of several runs.
        _count_some("OrdersMissed", found["missing"], shop)
        _count_some("OrdersBehind", found["newer"], shop)
    logger().info("shop looked after", extra={"shop": shop, "finished": bool(job.finished_at), **found})
    if job.finished_at:
        _silence(shop, rules)
    return "done" if job.finished_at else "unfinished"


# Customers


def _customers(shop: str, rules: RepairRules, has_time: Callable[[], bool], run: str) -> str:
    """A watch of its own: how far the shop's customers are compared, which may be another place than its orders."""
    search = Search(shop=f"{shop}/customers", side=_side(shop, has_time), watches=watch_table(), rules=rules)
    worker = Worker(jobs=job_table(), holder=run, clock=utc_now, lease=_LEASE, has_time=has_time)
    job = work(f"customer_repair/{shop}", search.page, worker)
    counts = job.counts
    _count_some("CustomersMissed", counts.get("missing", 0) if job.finished_at else 0, shop)
    logger().info("shop's customers looked after", extra={"shop": shop, "finished": bool(job.finished_at), **counts})
    return "done" if job.finished_at else "unfinished"


def _side(shop: str, has_time: Callable[[], bool]) -> ShopCustomers:
    connected = settings().shop(shop)
    return ShopCustomers(
        shop=shop,
        platform=connected.platform,
        register=register(shop, connected),
        finder=customer_table(),
        enqueue=IngressQueue(AwsService("sqs"), AwsService("s3"), "CUSTOMERS_QUEUE_URL"),
        has_time=has_time,
        clock=utc_now,
    )


def _silence(shop: str, rules: RepairRules) -> None:
    told, silence = call_at_silence(shop, watch_table(), task_table(), rules)
    if told is News.ALARM and silence is not None:
        facts = {"since": silence.since.isoformat(), "minutes": _minutes(silence.lasted), "usual": silence.usual}
        logger().error("shop silent", extra={"shop": shop, **facts})
    elif told is News.ALL_CLEAR:
        logger().info("shop no longer silent", extra={"shop": shop})
    watch = watch_table().find(shop)
    if watch and watch.silent_since:  # at each look, so that the alarm lasts as long as the silence
        count("ShopSilent", shop=shop)


def _minutes(length: timedelta) -> int:
    return length // timedelta(minutes=1)


def _count_some(metric: str, number: int, shop: str) -> None:
    if number:
        count(metric, number, shop=shop)
