"""Put the push together: errands about orders, counts and customers, to the back office of their shop."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.orders.errands import Office
from shared.platform.configuration import settings
from shared.platform.errand_queue import AnErrand, CountErrand, CustomerErrand, OrderErrand
from shared.sync.backoffice.counts import Count, is_superseded
from shared.sync.backoffice.outage import Outages
from shared.sync.backoffice.push import push
from shared.sync.backoffice.tell_count import tell_count
from shared.wiring.backoffice_connection import connected_office
from shared.wiring.backoffice_desk import books_desk
from shared.wiring.errands import run_batch
from shared.wiring.tables import stock_table

_outages = Outages(time.monotonic)


def run_all(records: Sequence[Mapping[str, Any]], *, run: str, has_time: Callable[[], bool]) -> list[str]:
    """Run a batch of errands; returns the ids of messages that are none.

    Raises:
        Retry: what has to be run again could not be put back.
    """
    return run_batch(records, _run, Office.BACKOFFICE, holder=run, has_time=has_time)


def _run(errand: AnErrand) -> str:
    if isinstance(errand, CountErrand):
        return _tell(errand)
    if isinstance(errand, CustomerErrand):
        from shared.wiring.customer_push import bring  # noqa: PLC0415 - most errands are about orders

        return bring(errand, _outages)
    if not isinstance(errand, OrderErrand):
        return "not a back office's"
    if settings().shop(errand.shop).backoffice is None:
        return "the shop has no back office"
    desk = books_desk(errand.shop)
    with _outages.unless_down(desk.name):
        pushed = push(errand.key, desk)
    return ", ".join(pushed.steps) or "nothing to do"


def _tell(errand: CountErrand) -> str:
    count = Count(
        location=errand.location,
        sku=errand.sku,
        seq=errand.seq,
        on_hand=errand.on_hand,
        booked_at=errand.counted_at,
    )
    connected = settings().backoffices.get(errand.backoffice)
    if connected is None:
        return "there is no such back office any more"
    adapter = connected_office(errand.backoffice)
    if connected.rehearsal or errand.location not in connected.warehouses or not adapter.capabilities.counts:
        return "not told"
    if is_superseded(count, stock_table().read([errand.sku]).get(errand.sku, {}).get(errand.location)):
        return "counted again since"
    with _outages.unless_down(errand.backoffice):
        return tell_count(count, adapter, connected.warehouses[errand.location])
