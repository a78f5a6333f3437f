"""Set a stock level by hand: what a person counted on the shelf."""

from shared.inventory.models import Cause, CountedLevel, StockLine
from shared.inventory.ports import StockRoom
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected

MAX_SKU_BYTES = 200


def set_level(
    room: StockRoom,
    clock: Clock,
    *,
    sku: str,
    location: str,
    on_hand: int,
    actor: str,
    safety_buffer: int | None = None,
    reorder_point: int | None = None,
) -> StockLine:
    """Record that `on_hand` units are on the shelf now; the line is created if there is none.

    Raises:
        Rejected: `invalid_sku` or `invalid_quantity`, naming the field.
        Conflict: `reserved_exceeds_count`, when orders are promised more than was counted.
    """
    if not sku.strip() or len(sku.encode()) > MAX_SKU_BYTES:
        raise Rejected("invalid_sku", "a SKU is 1 to 200 bytes of text", field="sku")
    for field, value in (("on_hand", on_hand), ("safety_buffer", safety_buffer), ("reorder_point", reorder_point)):
        if value is not None and not 0 <= value <= 10**9:
            raise Rejected("invalid_quantity", f"{value} is not a number of units", field=field, hint="0 to 10^9")
    return room.set_level(
        CountedLevel(
            sku=sku,
            location=location,
            on_hand=on_hand,
            counted_at=clock(),
            cause=Cause(kind="count", reference="operator", actor=actor),
            safety_buffer=safety_buffer,
            reorder_point=reorder_point,
        )
    )
