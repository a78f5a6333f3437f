"""What a channel is told to sell: the pool, less what is kept back. Pure."""

from collections.abc import Mapping, Sequence

from shared.inventory.models import StockLine

Components = Mapping[str, int]
"""Units of each component SKU in one bundle."""


def sellable(
    lines_by_sku: Mapping[str, Mapping[str, StockLine]],
    sku: str,
    *,
    locations: Sequence[str],
    buffer: int = 0,
    components: Components | None = None,
) -> int:
    """Units of `sku` that a channel served by `locations` may show; never below zero.

    At each location the units available less the line's safety buffer; their sum less the channel's own buffer. A
    bundle has at each location as many as its scarcest component makes up, for it is packed in one place.
    """
    parts = components or {sku: 1}
    at_each = (
        min(_free(lines_by_sku, part, location) // units for part, units in parts.items()) for location in locations
    )
    return max(0, sum(at_each) - buffer)


def _free(lines_by_sku: Mapping[str, Mapping[str, StockLine]], sku: str, location: str) -> int:
    line = lines_by_sku.get(sku, {}).get(location)
    return max(0, line.available - line.safety_buffer) if line else 0
