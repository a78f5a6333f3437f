"""Put the look at back offices together: what changed there becomes errands, stock levels, and news for the bus."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from shared.backoffices.documents import KnownCustomer
from shared.backoffices.port import BackOffice, Feed
from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.kernel.identifiers import OrderKey
from shared.orders.errands import Office, Reason
from shared.platform import bus
from shared.platform.bus import CustomerChanged
from shared.platform.configuration import settings
from shared.platform.errand_queue import CustomerErrand, OrderErrand, send
from shared.platform.observability import count, logger
from shared.platform.settings import BackOfficeSettings
from shared.sync.backoffice.feed import Page, feed_step
from shared.sync.backoffice.stock import StockOwner, follow
from shared.sync.jobs import Job, Worker, leased, work
from shared.wiring.backoffice_connection import office
from shared.wiring.backoffice_tables import mirror_table
from shared.wiring.level_tables import job_table
from shared.wiring.tables import stock_table

_LEASE = timedelta(minutes=6)
"""Longer than the function may run."""
_SWEEP_EVERY = timedelta(hours=24)
_SKUS_PER_STEP = 200

Take = Callable[[tuple[str, ...]], dict[str, int]]


def look_at_all(has_time: Callable[[], bool], *, run: str) -> dict[str, str]:
    """Ask every back office what changed. One that is in trouble stops no other.

    Returns for each `done`, `unfinished`, `fresh` (looked at a moment ago), or why it could not be looked at.
    """
    return {name: _look_at(name, connected, has_time, run) for name, connected in settings().backoffices.items()}


def _look_at(name: str, connected: BackOfficeSettings, has_time: Callable[[], bool], run: str) -> str:
    """The look itself is a job too: it remembers when the last one was, and whether it came to an end."""
    worker = Worker(jobs=job_table(), holder=run, clock=utc_now, lease=_LEASE, has_time=has_time)
    last = job_table().find(_look(name))
    if last and last.finished_at and utc_now() - last.started_at < _pause(connected):
        return "fresh"
    try:
        with leased(worker.jobs, _look(name), run, now=utc_now(), lease=_LEASE) as lease:
            begun = Job(name=_look(name), started_at=utc_now())
            worker.jobs.save(begun, run)
            jobs = list(_jobs(name, connected, office(name, connected), worker))
            if last and not last.finished_at:
                _wake(name)
            lease.hand_in(begun.done(None, {}, utc_now()))
    except (Conflict, Retry, Rejected) as error:
        logger().warning("look at back office stopped", extra={"backoffice": name, "code": error.code})
        count("BackOfficeLookStopped", backoffice=name, code=error.code)
        return error.code
    for job in jobs:
        logger().info("back office looked at", extra={"job": job.name, "finished": bool(job.finished_at), **job.counts})
    return "done" if all(job.finished_at for job in jobs) else "unfinished"


def _look(name: str) -> str:
    return f"backoffice_look/{name}"


def _pause(connected: BackOfficeSettings) -> timedelta:
    """A little less than asked for: the schedule is not on time to the second."""
    return timedelta(minutes=connected.look_every_minutes) - timedelta(seconds=20)


def _jobs(name: str, connected: BackOfficeSettings, adapter: BackOffice, worker: Worker) -> Iterable[Job]:
    can = adapter.capabilities
    if can.tells_shipments:
        yield _go_through(f"backoffice_sales/{name}", adapter.changed_sales, _ask_for(name), worker)
    if can.stock and connected.owns_stock:
        owner = StockOwner(
            name=name,
            office=adapter,
            warehouses={place: connected.warehouses[place] for place in connected.owns_stock},
            room=stock_table(),
            mirrors=mirror_table(),
        )
        yield _go_through(f"backoffice_stock/{name}", adapter.changed_stock, _following(owner), worker)
        yield from _sweep(f"backoffice_stock_sweep/{name}", owner, worker)
    if can.customer_feed:
        customers = _CustomerFeed(name, adapter)
        yield _go_through(f"backoffice_customers/{name}", customers.page, customers.take, worker)


def _go_through(job: str, page: Page, take: Take, worker: Worker) -> Job:
    return work(job, feed_step(job_table().find(job), page, take), worker)


def _ask_for(name: str) -> Take:
    shops = frozenset(settings().shops_of(name))

    def take(keys: tuple[str, ...]) -> dict[str, int]:
        orders = {OrderKey.parse(key) for key in keys}
        errands = [
            OrderErrand(shop=order.shop, order_id=order.order_id, reasons=(Reason.ASKED,))
            for order in sorted(orders)
            if order.shop in shops
        ]
        send(errands, Office.BACKOFFICE)
        return {"asked": len(errands)}

    return take


def _following(owner: StockOwner) -> Take:
    def take(skus: tuple[str, ...]) -> dict[str, int]:
        followed = follow(skus, owner)
        if followed.oversold:
            count("StockOversold", backoffice=owner.name)
        return followed.model_dump()

    return take


def _sweep(job: str, owner: StockOwner, worker: Worker) -> Iterable[Job]:
    """Once a day every SKU that we keep: a feed may have missed one."""
    last = job_table().find(job)
    if last and last.finished_at and utc_now() - last.started_at < _SWEEP_EVERY:
        return
    known = sorted({line.sku for line in stock_table().read_all()})  # the whole table: once for each run, not each step
    take = _following(owner)

    def step(current: Job) -> tuple[str | None, dict[str, int]]:
        left = known[bisect_right(known, current.cursor) :] if current.cursor else known
        page = left[:_SKUS_PER_STEP]
        counts = take(tuple(page)) if page else {}
        return (page[-1] if len(left) > len(page) else None), counts

    yield work(job, step, worker)


class _CustomerFeed:
    """Customers that changed there: news for the bus, and errands for those of ours that somebody else has changed."""

    def __init__(self, name: str, adapter: BackOffice) -> None:
        self._name = name
        self._adapter = adapter
        self._told: dict[str, KnownCustomer] = {}

    def page(self, since: datetime, cursor: str | None) -> Feed[str]:
        found = self._adapter.changed_customers(since, cursor)
        self._told = {customer.key or f"id/{customer.id}": customer for customer in found.items}
        return Feed(tuple(self._told), found.cursor)

    def take(self, customers: tuple[str, ...]) -> dict[str, int]:
        from shared.sync.customers.feed import whom_to_look_at  # noqa: PLC0415 - few looks find any
        from shared.wiring.customer_push import feed_desk  # noqa: PLC0415

        bus.publish_customers([CustomerChanged(backoffice=self._name, customer=customer) for customer in customers])
        changed = whom_to_look_at((self._told[customer] for customer in customers), feed_desk(self._name))
        send([CustomerErrand(leader=str(leader)) for leader in changed.leaders], Office.BACKOFFICE)
        return {"customers": len(customers), "asked": len(changed.leaders), "echoes": changed.echoes}


def _wake(name: str) -> None:
    """The back office answers again: what waits because it did not is tried at once, and not after its pause."""
    from shared.wiring.customer_push import person_mirrors  # noqa: PLC0415 - after an outage alone

    for shop in settings().shops_of(name):
        waiting = [
            OrderErrand(shop=shop, order_id=stopped.order_id, reasons=(Reason.ASKED,))
            for stopped in mirror_table().stopped(shop)
            if stopped.stop.passing and stopped.office is Office.BACKOFFICE
        ]
        persons = [
            CustomerErrand(leader=mirror.leader)
            for mirror in person_mirrors().stopped(shop)
            if mirror.stop is not None and mirror.stop.passing and mirror.backoffice == name
        ]
        if waiting or persons:
            send([*waiting, *persons], Office.BACKOFFICE)
