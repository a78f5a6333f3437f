"""What a channel is told to sell: the pool, less what is kept back. Pure."""

from collections.abc import Sequence

from shared.inventory.bundles import Bundles, parts_of
from shared.inventory.models import StockView


def sellable(sku: str, stock: StockView, bundles: Bundles, *, locations: Sequence[str], buffer: int = 0) -> int:
    """Units of `sku` that a channel served by `locations` may show; never below zero.

    At each location the units available less the line's safety buffer; their sum less the channel's own buffer. A
    bundle has at each location as many as its scarcest component makes up, for it is packed in one place.
    """
    parts = parts_of(sku, bundles)
    at_each = (min(_free(stock, part, location) // units for part, units in parts.items()) for location in locations)
    return max(0, sum(at_each) - buffer)


def _free(stock: StockView, sku: str, location: str) -> int:
    line = stock.get(sku, {}).get(location)
    return max(0, line.available - line.safety_buffer) if line else 0
