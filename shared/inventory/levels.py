"""Set a stock level by hand: what a person counted on the shelf."""

from shared.inventory.models import Cause, CountedLevel, LevelRequest, StockLine
from shared.inventory.ports import StockRoom
from shared.kernel.clock import Clock


def set_level(room: StockRoom, clock: Clock, request: LevelRequest, *, actor: str) -> StockLine:
    """Record that so many units are on the shelf now; the line is created if there is none.

    Raises:
        Conflict: `reserved_exceeds_count`, when orders are promised more than was counted.
    """
    return room.set_level(
        CountedLevel(
            **request.model_dump(),
            counted_at=clock(),
            cause=Cause(kind="count", reference="operator", actor=actor),
        )
    )
