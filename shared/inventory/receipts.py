"""Goods come in, or leave without an order: a difference, never a new level."""

from typing import Annotated

from pydantic import Field

from shared.inventory.models import Cause, LocationId, Sku, StockChange, StockLine
from shared.inventory.ports import StockRoom
from shared.kernel.model import Canonical


class Receipt(Canonical):
    """So many units of one SKU at one location; negative for what is taken away (breakage, own use)."""

    sku: Sku
    location: LocationId
    units: Annotated[int, Field(ge=-(10**9), le=10**9)]
    reference: str
    """The delivery note or the reason, as people write it."""


def receive(room: StockRoom, receipt: Receipt, *, actor: str) -> StockLine:
    """Book the receipt while selling goes on; the line is created if there is none.

    Not idempotent: the same delivery booked twice is on the shelf twice, in the book.

    Raises:
        Conflict: `not_on_shelf`, when more would be taken away than is there and not promised to orders;
            `too_many_units`, when there would be more than a line can say.
    """
    change = StockChange(sku=receipt.sku, location=receipt.location, on_hand=receipt.units)
    return room.move(change, Cause(kind="receipt", reference=receipt.reference, actor=actor))
