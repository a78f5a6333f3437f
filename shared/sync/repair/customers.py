"""A shop's customers as the repair sees them: listed by the shop, kept in our book, taken in by their queue."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.customers.models import CustomerSource
from shared.kernel.clock import Clock, as_sortable
from shared.kernel.errors import Retry
from shared.kernel.identifiers import CustomerKey
from shared.storefronts.port import ChangePage, CustomerRegister
from shared.sync.repair.watch import Window
from shared.webhooks.delivery import Delivery

if TYPE_CHECKING:
    from shared.customers.ports import CustomerFinder  # loads tenacity, which nothing here needs

_UPDATED = {"shopify": "customers/update", "woocommerce": "customer.updated"}
_OLDER_THAN_ANY = ""


@dataclass(frozen=True)
class ShopCustomers:
    """A `Side` of the repair."""

    shop: str
    platform: str
    register: CustomerRegister
    finder: "CustomerFinder"
    enqueue: Callable[[Delivery], None]
    """Returns once the delivery is durable, or raises `Retry`."""
    has_time: Callable[[], bool]
    """Whether there is time to fetch another one. Those that there is none for are left to intake as hints."""
    clock: Clock

    def changes(self, window: Window, cursor: str | None) -> ChangePage:
        """Without the times of registration: nobody is called because nobody registers."""
        found = self.register.changed(window.since, window.until, cursor)
        return ChangePage(tuple(change._replace(created_at=None) for change in found.changes), found.cursor)

    def known(self, ids: Iterable[str]) -> Mapping[str, str]:
        """One of whom we only know from orders is older than whatever the storefront says itself."""
        records = self.finder.find_many(CustomerKey.of_account(self.shop, customer_id) for customer_id in ids)
        return {
            key.id: record.version.updated_at if record.source is CustomerSource.REGISTRATION else _OLDER_THAN_ANY
            for key, record in records.items()
        }

    def queue(self, ids: Iterable[str]) -> frozenset[str]:
        return frozenset(customer_id for customer_id in sorted(ids) if self._queue(customer_id))

    def _queue(self, customer_id: str) -> bool:
        try:
            delivery = self.register.fetch(customer_id) if self.has_time() else self._hint(customer_id)
        except Retry:
            delivery = self._hint(customer_id)
        if delivery is None:
            return False  # gone since it was listed; its deletion is told by itself
        self.enqueue(delivery)
        return True

    def _hint(self, customer_id: str) -> Delivery:
        """What a shop sends when it names a customer and no more."""
        return Delivery(
            shop=self.shop,
            platform=self.platform,
            topic=_UPDATED[self.platform],
            received_at=as_sortable(self.clock()),
            body=json.dumps({"id": int(customer_id) if customer_id.isdecimal() else customer_id}).encode(),
        )
