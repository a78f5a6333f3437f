"""What counts of the shelf a back office is to hear of. Pure."""

from datetime import datetime, timedelta

from shared.inventory.ledger import Movement
from shared.inventory.models import StockLine
from shared.kernel.model import Canonical

COUNTS = frozenset({"count", "stocktake"})
"""Kinds of causes (`Cause.kind`) that are a count of the shelf."""


_SECOND = timedelta(seconds=1)
"""A movement's time is known to the second."""


class Count(Canonical):
    """What a count found of one SKU at one location: all that was on the shelf, promised to orders or not."""

    location: str
    sku: str
    seq: int
    on_hand: int
    booked_at: datetime


def count_of(movement: Movement) -> Count | None:
    """The count behind a movement of the ledger, where there is one."""
    if movement.cause.kind not in COUNTS:
        return None
    return Count(
        location=movement.location,
        sku=movement.sku,
        seq=movement.seq,
        on_hand=movement.on_hand_after,
        booked_at=movement.at,
    )


def is_superseded(count: Count, line: StockLine | None) -> bool:
    """Whether the shelf was counted again since: then this count is no news, and must not undo the later one."""
    return line is not None and line.counted_at is not None and line.counted_at > count.booked_at + _SECOND
