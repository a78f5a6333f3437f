"""Fetch orders from a shop again, and hand them to intake as any delivery: nothing else writes orders."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.kernel.clock import Clock, as_sortable
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import OrderKey
from shared.orders.models import Order
from shared.orders.readings import CompleteOrder, NothingToDo, OrderHint
from shared.storefronts.port import OrderReader, StorefrontClient
from shared.sync.manual import OrderFinding, OrderState, state_of
from shared.webhooks.delivery import Delivery

if TYPE_CHECKING:
    from shared.orders.ports import OrderIndex  # loads tenacity, which nothing here needs

_DELETED = {"shopify": "orders/delete", "woocommerce": "order.deleted"}
_UPDATED = {"shopify": "orders/updated", "woocommerce": "order.updated"}


_MOST_FAILURES = 3
"""In a row; then the shop is left alone, and intake asks it in its own time."""


@dataclass(frozen=True)
class OrderPull:
    """One shop's orders, and everything needed to have them taken in again."""

    shop: str
    platform: str
    client: StorefrontClient
    reader: OrderReader
    book: "OrderIndex"
    enqueue: Callable[[Delivery], None]
    """Returns once the delivery is durable, or raises `Retry`."""
    clock: Clock

    def pull_all(
        self, ids: Iterable[str], *, dry_run: bool, has_time: Callable[[], bool] = lambda: True
    ) -> Iterator[OrderFinding]:
        """Pull each of these, at least one, until the time is out.

        Raises:
            Retry, Rejected: as `pull`.
        """
        failures = 0
        for number, order_id in enumerate(ids):
            if number and not has_time():
                return
            if failures < _MOST_FAILURES:
                finding = self.pull(order_id, dry_run=dry_run)
            else:
                finding = self._postponed(order_id, dry_run=dry_run)
            failures = failures + 1 if finding.state is OrderState.POSTPONED else 0
            yield finding

    def queue_all(self, ids: Sequence[str], *, has_time: Callable[[], bool]) -> Iterator[OrderFinding]:
        """Pull every one of these; those that there is no time to fetch become hints that intake follows up.

        Raises:
            Retry, Rejected: as `pull`.
        """
        pulled = 0
        for finding in self.pull_all(ids, dry_run=False, has_time=has_time):
            pulled += 1
            yield finding
        for order_id in ids[pulled:]:
            yield self._postponed(order_id, dry_run=False)

    def pull(self, order_id: str, *, dry_run: bool) -> OrderFinding:
        """Fetch one order, put it on the queue, and tell how it compares with our record.

        An order that the shop no longer has becomes a hint that it is gone, if we know it; one that cannot be fetched
        now becomes a hint that intake follows up in its own time.

        Raises:
            Retry: our own tables or the queue are out of reach.
            Rejected: the shop refuses our credentials, or the id is none.
        """
        try:
            delivery = self.client.fetch_order(order_id)
        except Retry:
            return self._postponed(order_id, dry_run=dry_run)
        if delivery is None:
            return self._missing(order_id, dry_run=dry_run)
        state = self._state(order_id, delivery)
        queued = state is not OrderState.DRAFT
        if queued and not dry_run:
            self.enqueue(delivery)
        return OrderFinding(order_id=order_id, state=state, queued=queued)

    def _state(self, order_id: str, delivery: Delivery) -> OrderState:
        reading = self.reader(delivery)
        if isinstance(reading, NothingToDo):
            return OrderState.DRAFT
        order = _order_in(reading)
        return state_of(order, self.book.find(OrderKey(self.shop, order_id)))

    def _missing(self, order_id: str, *, dry_run: bool) -> OrderFinding:
        if self.book.find(OrderKey(self.shop, order_id)) is None:
            return OrderFinding(order_id=order_id, state=OrderState.UNKNOWN, queued=False)
        return self._hinted(order_id, OrderState.GONE, _DELETED[self.platform], dry_run=dry_run)

    def _postponed(self, order_id: str, *, dry_run: bool) -> OrderFinding:
        return self._hinted(order_id, OrderState.POSTPONED, _UPDATED[self.platform], dry_run=dry_run)

    def _hinted(self, order_id: str, state: OrderState, topic: str, *, dry_run: bool) -> OrderFinding:
        if not dry_run:
            self.enqueue(self._hint(order_id, topic))
        return OrderFinding(order_id=order_id, state=state, queued=True)

    def _hint(self, order_id: str, topic: str) -> Delivery:
        """What a shop sends when it names an order and no more."""
        return Delivery(
            shop=self.shop,
            platform=self.platform,
            topic=topic,
            received_at=as_sortable(self.clock()),
            body=json.dumps({"id": int(order_id) if order_id.isdecimal() else order_id}).encode(),
        )


def _order_in(reading: CompleteOrder | OrderHint) -> Order:
    order = reading.order if isinstance(reading, CompleteOrder) else reading.partial
    if order is None:
        raise Rejected("invalid_payload", "the shop answers with less than an order")
    return order
