"""Read each body once: reading is pure, takes as long as all the rest of an intake, and is tested elsewhere."""

from functools import lru_cache

from shared.orders.readings import CompleteOrder, OrderHint, Reading
from shared.storefronts.port import OrderReader
from shared.webhooks.delivery import Delivery
from shared.wiring import storefront

_real = storefront.reader


def reader(platform: str) -> OrderReader:
    """In the place of the wiring's: the same readings, with the time at which this delivery was observed."""

    def read(delivery: Delivery) -> Reading:
        found = _read(platform, delivery.shop, delivery.topic, delivery.body, delivery.fetched)
        if isinstance(found, CompleteOrder):
            version = found.order.version.model_copy(update={"observed_at": delivery.received_at})
            return CompleteOrder(found.order.model_copy(update={"version": version}))
        if isinstance(found, OrderHint) and found.partial is not None:
            return _real(platform)(delivery)
        return found

    return read


@lru_cache(maxsize=20_000)
def _read(platform: str, shop: str, topic: str, body: bytes, fetched: bool) -> Reading:
    delivery = Delivery(shop, platform, topic, "2026-11-18T00:00:00.000000000Z", body, fetched=fetched)
    return _real(platform)(delivery)
