"""A shop's orders as the repair sees them: listed by the shop, kept in our order book, taken in by their queue."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from shared.kernel.identifiers import OrderKey
from shared.storefronts.port import ChangePage
from shared.sync.order_pull import OrderPull
from shared.sync.repair.watch import Window


@dataclass(frozen=True)
class ShopOrders:
    """A `Side` of the repair."""

    pull: OrderPull
    has_time: Callable[[], bool]
    """Whether there is time to fetch another order. Those that there is none for are left to intake as hints."""

    def changes(self, window: Window, cursor: str | None) -> ChangePage:
        return self.pull.client.changed_orders(window.since, window.until, cursor)

    def known(self, ids: Iterable[str]) -> Mapping[str, str]:
        records = self.pull.book.find_many(OrderKey(self.pull.shop, order_id) for order_id in ids)
        return {key.order_id: record.version.updated_at for key, record in records.items()}

    def queue(self, ids: Iterable[str]) -> frozenset[str]:
        findings = self.pull.queue_all(sorted(ids), has_time=self.has_time)
        return frozenset(finding.order_id for finding in findings if finding.queued)
