"""What a shop sells under which id, and what we last had it show."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from shared.inventory.channels import ChannelItem, LevelWrite
from shared.kernel.model import Canonical


class Binding(Canonical):
    """One SKU of ours in one shop."""

    shop: str
    item: ChannelItem
    """`item.shown` is what the channel showed when we last knew: after our write, or when we read it."""
    written_at: datetime | None = None
    """When we last wrote to it."""
    seen_at: datetime | None = None
    """When we last read it."""
    raise_after: datetime | None = None
    """The shop showed less than we believed: perhaps a sale whose order is on its way. Not raised before this time."""
    set_aside: str | None = None
    """Why it is no longer written to, until a full sweep tries it again."""

    @property
    def sku(self) -> str:
        return self.item.sku


class UnfinishedCall(Canonical):
    """A call that was about to be made: stored before, removed after. Found again, it is repeated under its key."""

    shop: str
    key: str
    writes: tuple[LevelWrite, ...]
    started_at: datetime


class Bindings(Protocol):
    def of(self, shop: str, skus: Iterable[str]) -> Sequence[Binding]:
        """The shop's bindings of these SKUs; what it does not sell is left out."""
        ...

    def keep(self, bindings: Iterable[Binding]) -> None:
        """Write them, whatever was there."""
        ...

    def begin(self, call: UnfinishedCall) -> None:
        """Store a call before it is made."""
        ...

    def finish(self, call: UnfinishedCall) -> None:
        """Forget a call whose outcome is known."""
        ...

    def unfinished(self, shop: str) -> Sequence[UnfinishedCall]:
        """Calls of the shop whose outcome is not known, oldest first."""
        ...
