"""Follow a back office that owns the stock of a location: what it may still sell is what we may still sell.

The back office's figure leaves out what it keeps for orders that it knows. Ours keeps those among its own promises. So
our shelf is its sellable figure and, on top, what it keeps for our orders; what we have promised to orders that it has
not seen yet is taken off by our own books. Nothing is counted twice, however late either side hears of an order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.backoffices.port import BackOffice
from shared.inventory.models import MOST_UNITS, Cause, StockChange, StockLine
from shared.inventory.ports import StockRoom
from shared.kernel.model import Canonical
from shared.sync.backoffice.mirror import Mirrors

_ATTEMPTS = 3


class Followed(Canonical):
    """What a look at the back office's stock came to."""

    changed: int = 0
    same: int = 0
    unknown: int = 0
    """SKUs that are no products there."""
    oversold: int = 0
    """Lines of which more is promised than the back office has: they show nothing, and staff should look."""
    busy: int = 0
    """Lines that kept changing; the next look takes them."""


@dataclass(frozen=True)
class StockOwner:
    """One back office with the locations whose stock it says."""

    name: str
    office: BackOffice
    warehouses: Mapping[str, str]
    """Its warehouse of each of these locations."""
    room: StockRoom
    mirrors: Mirrors


def follow(skus: Iterable[str], owner: StockOwner) -> Followed:
    """Bring our lines of these SKUs to the back office's figures, in every location that it owns.

    The promises are read before and after the figures, and the lower one counts: an order that is recorded or
    cancelled meanwhile makes us show too little for a moment. An order that the back office's own staff cancelled is
    noticed at the next look at it, and its units are counted twice until then.

    Raises:
        Retry, Rejected: as the port.
    """
    wanted = sorted(set(skus))
    tally: dict[str, int] = {}
    for location, warehouse in owner.warehouses.items():
        before = owner.mirrors.promised(owner.name, location, wanted)
        figures = owner.office.stock(wanted, warehouse)
        after = owner.mirrors.promised(owner.name, location, wanted)
        for sku in wanted:
            found = "unknown"
            if sku in figures:
                shelf = figures[sku].sellable + min(before.get(sku, 0), after.get(sku, 0))
                found = _bring(sku, location, shelf, owner)
            tally[found] = tally.get(found, 0) + 1
    return Followed(**tally)


def _bring(sku: str, location: str, shelf: int, owner: StockOwner) -> str:
    for _ in range(_ATTEMPTS):
        line = owner.room.read([sku]).get(sku, {}).get(location)
        change = change_to(sku, location, shelf, line)
        if not change.on_hand and line is not None:
            return "oversold" if line.reserved > shelf else "same"
        cause = Cause(kind="backoffice", reference=owner.name)
        if owner.room.follow(line, change, cause) is not None:
            return "oversold" if line and line.reserved > shelf else "changed"
    return "busy"


def change_to(sku: str, location: str, shelf: int, line: StockLine | None) -> StockChange:
    """The movement that brings the line to the shelf; never below what is promised to orders already, and never above
    what a line can say (back offices keep 10^12 of what never runs out)."""
    target = min(max(shelf, line.reserved if line else 0, 0), MOST_UNITS)
    return StockChange(sku=sku, location=location, on_hand=target - (line.on_hand if line else 0))
