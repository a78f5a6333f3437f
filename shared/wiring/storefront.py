"""A shop's storefront as the order desk sees it: one vendor's reader and client, loaded when they are needed."""

from shared.kernel.errors import Rejected
from shared.orders.models import Order
from shared.orders.readings import CompleteOrder, OrderHint
from shared.platform.settings import ShopSettings
from shared.storefronts.port import OrderReader


def reader(platform: str) -> OrderReader:
    """The vendor's way from a delivery to the canonical order."""
    if platform == "shopify":
        from shared.storefronts.shopify.mapping import read_order  # noqa: PLC0415 - load one vendor only

        return read_order
    from shared.storefronts.woocommerce.mapping import read_order as read_woocommerce_order  # noqa: PLC0415

    return read_woocommerce_order


class ConnectedStorefront:
    """Implements the order desk's port on a vendor's client."""

    def __init__(self, shop: str, connected: ShopSettings) -> None:
        self._shop = shop
        self._settings = connected

    def fetch(self, order_id: str) -> Order | None:
        from shared.wiring.storefront_client import client  # noqa: PLC0415 - httpx costs 135 ms, and few orders need it

        delivery = client(self._shop, self._settings).fetch_order(order_id)
        if delivery is None:
            return None
        reading = reader(self._settings.platform)(delivery)
        if isinstance(reading, CompleteOrder):
            return reading.order
        if isinstance(reading, OrderHint) and reading.partial is None:
            raise Rejected("invalid_payload", f"the shop answers with less than an order ({reading.reason})")
        return reading.partial if isinstance(reading, OrderHint) else None
