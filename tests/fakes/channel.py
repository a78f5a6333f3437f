"""A sales channel in memory: keeps the port's promises, and can be told to misbehave."""

from collections.abc import Sequence

from shared.inventory.channels import CataloguePage, ChannelItem, LevelWrite, WriteOutcome, WriteStatus
from shared.kernel.errors import Retry


class FakeChannel:
    most_writes = 250

    def __init__(self, *, page: int = 100) -> None:
        self.shown: dict[str, int | None] = {}
        """By SKU; the item's id is `id-<sku>`."""
        self.refused: dict[str, str] = {}
        self.writes = 0
        self.calls = 0
        self.lose_answers = 0
        """So many of the next calls take effect, and their answer is lost."""
        self._done: dict[str, list[WriteOutcome]] = {}
        self._page = page

    def item(self, sku: str) -> ChannelItem:
        return ChannelItem(sku=sku, item_id=f"id-{sku}", shown=self.shown[sku])

    def write(self, writes: Sequence[LevelWrite], *, key: str) -> Sequence[WriteOutcome]:
        assert len(writes) <= self.most_writes
        self.calls += 1
        if key not in self._done:
            self._done[key] = [self._write(write) for write in writes]
        if self.lose_answers:
            self.lose_answers -= 1
            raise Retry("storefront_unreachable", "no answer")
        return self._done[key]

    def read(self, items: Sequence[ChannelItem]) -> Sequence[ChannelItem]:
        return [self.item(item.sku) for item in items if item.sku in self.shown]

    def catalogue(self, cursor: str | None) -> CataloguePage:
        start = int(cursor or 0)
        skus = sorted(self.shown)
        end = start + self._page
        items = tuple(self.item(sku) for sku in skus[start:end])
        return CataloguePage(items=items, cursor=str(end) if end < len(skus) else None)

    def sell(self, sku: str, units: int) -> None:
        """A sale at the shop, whose order is on its way."""
        level = self.shown[sku]
        assert level is not None
        self.shown[sku] = level - units

    def _write(self, write: LevelWrite) -> WriteOutcome:
        sku = write.item.sku
        status = WriteStatus.APPLIED
        if sku in self.refused or sku not in self.shown:
            status = WriteStatus.REFUSED
        elif write.expected is not None and write.expected != self.shown[sku]:
            status = WriteStatus.STALE
        else:
            self.shown[sku] = write.quantity
            self.writes += 1
        reason = self.refused.get(sku, "gone") if status is WriteStatus.REFUSED else ""
        return WriteOutcome(sku=sku, item_id=write.item.item_id, status=status, reason=reason)
