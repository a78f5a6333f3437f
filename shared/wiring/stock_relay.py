"""Put the stock relay together: from changes of stock lines to the ledger, the shops and the back office."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.inventory.bundles import affected
from shared.inventory.ledger import Movement, movements_of
from shared.inventory.table import is_stock_line, line_of_image
from shared.orders.errands import Office
from shared.platform.configuration import settings
from shared.platform.errand_queue import CountErrand, send
from shared.platform.push_queue import PushRequest, request_push
from shared.sync.backoffice.counts import count_of
from shared.wiring.level_tables import movement_table
from shared.wiring.tables import stock_table


def relay(changes: Sequence[tuple[Mapping[str, Any], datetime]]) -> None:
    """Write the movements of these stream records, have their SKUs looked at in every shop, and counts told on.

    A repeated batch writes the same movements and asks for the same pushes, which then find nothing to do.

    Raises:
        Retry: ledger or queue are out of reach; the stream delivers the batch again.
    """
    movements = [movement for change, at in changes for movement in _movements(change, at)]
    if not movements:
        return
    movement_table().add(movements)
    skus = affected({movement.sku for movement in movements}, stock_table().bundles())
    request_push(PushRequest(sku=sku) for sku in sorted(skus))
    send(_counts(movements), Office.BACKOFFICE)


def _counts(movements: Iterable[Movement]) -> Iterator[CountErrand]:
    """What people counted, for every back office that has the location."""
    for found in filter(None, map(count_of, movements)):
        for name, office in settings().backoffices.items():
            if found.location in office.warehouses:
                yield CountErrand(
                    backoffice=name,
                    location=found.location,
                    sku=found.sku,
                    seq=found.seq,
                    on_hand=found.on_hand,
                    counted_at=found.booked_at,
                )


def _movements(change: Mapping[str, Any], at: datetime) -> tuple[Movement, ...]:
    if not is_stock_line(change["Keys"]) or "NewImage" not in change:
        return ()
    old = line_of_image(change["OldImage"]) if "OldImage" in change else None
    return movements_of(old, line_of_image(change["NewImage"]), at)
