"""Put the order relay together: from a change of a record to events on the bus and tasks for people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.orders.effects import PlaceholderFound, events_of, placeholders_of
from shared.orders.table import is_record, record_of_image
from shared.platform import bus
from shared.sync.tasks import Task, TaskKind
from shared.wiring.tables import task_table


def relay(change: Mapping[str, Any], *, happened_at: datetime) -> None:
    """Pass one stream record on. Called again with the same record it repeats the same events and opens no new task.

    Raises:
        Retry: the bus or the task list is out of reach; the stream delivers the record again.
    """
    if not is_record(change["Keys"]) or "NewImage" not in change:
        return
    old = record_of_image(change["OldImage"]) if "OldImage" in change else None
    new = record_of_image(change["NewImage"])
    for found in placeholders_of(old, new):
        task_table().open(_task(found, happened_at))
    bus.publish(events_of(old, new))


def _task(found: PlaceholderFound, happened_at: datetime) -> Task:
    order = f"{found.shop}/{found.order_id}"
    return Task(
        kind=TaskKind.UNMAPPED_SKU if found.sku else TaskKind.MISSING_SKU,
        shop=found.shop,
        subject=found.sku or f"{found.order_id}/{found.line_id}",
        first_seen_in=order,
        opened_at=happened_at,
    )
