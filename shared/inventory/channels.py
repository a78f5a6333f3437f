"""The port of a sales channel's stock: what stock asks of any storefront, in stock's own words."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from shared.kernel.model import Canonical


class ChannelItem(Canonical):
    """What a channel sells under one SKU, and the number that it shows."""

    sku: str
    item_id: str
    """The channel's own id: Shopify's inventory item, WooCommerce's product or variation. Digits only."""
    parent_id: str | None = None
    """WooCommerce: the product that a variation belongs to."""
    location_id: str | None = None
    """Shopify: the location whose level this is. Digits only."""
    shown: int | None
    """Units that the channel shows as available; None where it does not count them."""


class LevelWrite(Canonical):
    """Show `quantity` from now on, if the channel still shows `expected`."""

    item: ChannelItem
    quantity: int
    expected: int | None
    """None: whatever it shows now."""


class WriteStatus(StrEnum):
    APPLIED = "applied"
    STALE = "stale"
    """The channel shows another number than expected: somebody sold or changed something. Read it, decide again."""
    REFUSED = "refused"
    """The channel will never take this item as it is (deleted, not stocked, not tracked). Set it aside."""


class WriteOutcome(Canonical):
    sku: str
    item_id: str
    status: WriteStatus
    reason: str = ""
    """The channel's own code, for `REFUSED`."""


class CataloguePage(Canonical):
    items: tuple[ChannelItem, ...]
    cursor: str | None
    """Where the next page starts; None after the last."""


class StockChannel(Protocol):
    """One shop's stock. Every method keeps the channel's rate limits by itself, waiting where it must.

    Raises:
        Retry: out of reach, throttled beyond patience, or the outcome of a write is unknown: repeat it under its key.
        Rejected: `api_access`, when the channel refuses our credentials.
    """

    most_writes: int
    """Writes that one call may carry."""

    def write(self, writes: Sequence[LevelWrite], *, key: str) -> Sequence[WriteOutcome]:
        """Write up to `most_writes` levels in one call, and tell what became of each, in their order.

        The same key with the same writes repeats the first call's effect and not more, where the channel knows how
        (Shopify); elsewhere writing an absolute number twice does no harm. One bad item never stops the rest.
        """
        ...

    def read(self, items: Sequence[ChannelItem]) -> Sequence[ChannelItem]:
        """The same items with what the channel shows now; those that it no longer has are left out."""
        ...

    def catalogue(self, cursor: str | None) -> CataloguePage:
        """One page of everything that the shop sells under a SKU, from the beginning or from a cursor."""
        ...
