"""Put the stock relay together: from changes of stock lines to the ledger and to the shops."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.inventory.bundles import affected
from shared.inventory.ledger import Movement, movement_of
from shared.inventory.table import is_stock_line, line_of_image
from shared.platform.push_queue import PushRequest, request_push
from shared.wiring.level_tables import movement_table
from shared.wiring.tables import stock_table


def relay(changes: Sequence[tuple[Mapping[str, Any], datetime]]) -> None:
    """Write the movements of these stream records, then have their SKUs looked at in every shop.

    A repeated batch writes the same movements and asks for the same pushes, which then find nothing to do.

    Raises:
        Retry: ledger or queue are out of reach; the stream delivers the batch again.
    """
    movements = [found for change, at in changes if (found := _movement(change, at))]
    if not movements:
        return
    movement_table().add(movements)
    skus = affected({movement.sku for movement in movements}, stock_table().bundles())
    request_push(PushRequest(sku=sku) for sku in sorted(skus))


def _movement(change: Mapping[str, Any], at: datetime) -> Movement | None:
    if not is_stock_line(change["Keys"]) or "NewImage" not in change:
        return None
    old = line_of_image(change["OldImage"]) if "OldImage" in change else None
    return movement_of(old, line_of_image(change["NewImage"]), at)
