"""Put the order relay together: from a change of a record to events on the bus, errands, and tasks for people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.orders.effects import PlaceholderFound, events_of, placeholders_of
from shared.orders.errands import Errand, Office, errands_of
from shared.orders.table import is_record, record_of_image
from shared.platform import bus
from shared.platform.configuration import settings
from shared.platform.errand_queue import OrderErrand, send
from shared.platform.settings import ShopSettings
from shared.sync.tasks import Task, TaskKind
from shared.wiring.tables import task_table


def relay(change: Mapping[str, Any], *, happened_at: datetime) -> None:
    """Pass one stream record on. Called again with the same record it repeats the same events and errands.

    Raises:
        Retry: bus, queue or task list are out of reach; the stream delivers the record again.
    """
    if not is_record(change["Keys"]) or "NewImage" not in change:
        return
    old = record_of_image(change["OldImage"]) if "OldImage" in change else None
    new = record_of_image(change["NewImage"])
    for found in placeholders_of(old, new):
        task_table().open(_task(found, happened_at))
    bus.publish(events_of(old, new))
    for errand in errands_of(old, new):
        if _concerns(errand, settings().shops.get(new.shop)):
            send([OrderErrand.of(errand)], errand.office)


def _concerns(errand: Errand, shop: ShopSettings | None) -> bool:
    """Whether there is anybody to run it: a shop may have no back office, or may not be told anything."""
    if shop is None:
        return False
    match errand.office:
        case Office.BACKOFFICE:
            return shop.backoffice is not None
        case Office.STOREFRONT:
            return shop.api_access and shop.tell_storefront
        case Office.CUSTOMERS:
            return True
        case Office.BUYER:
            return shop.buyers is not None and bool(shop.buyers.notices)
        case Office.FINANCE:
            return settings().keeps_books


def _task(found: PlaceholderFound, happened_at: datetime) -> Task:
    order = f"{found.shop}/{found.order_id}"
    return Task(
        kind=TaskKind.UNMAPPED_SKU if found.sku else TaskKind.MISSING_SKU,
        shop=found.shop,
        subject=found.sku or f"{found.order_id}/{found.line_id}",
        first_seen_in=order,
        opened_at=happened_at,
    )
