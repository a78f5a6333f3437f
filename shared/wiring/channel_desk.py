"""Put a shop's stock channel together."""

import time
from datetime import timedelta

from shared.inventory.channels import StockChannel
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.platform.configuration import settings
from shared.platform.kept import MadeOnce
from shared.platform.settings import ShopSettings
from shared.sync.levels.push import ChannelDesk
from shared.wiring.level_tables import binding_table
from shared.wiring.storefront_client import credentials_of, http
from shared.wiring.tables import stock_table


def channel_desk(shop: str) -> ChannelDesk:
    """The shop's stock by today's settings, or `Rejected` with code `unknown_shop` or `no_stock_location`."""
    connected = settings().shop(shop)
    stock = stock_table()
    return ChannelDesk(
        shop=shop,
        channel=_channel(shop, connected),
        bindings=binding_table(),
        stock=stock,
        bundles=stock.bundles,
        locations=connected.locations,
        buffer=connected.stock_buffer,
        clock=utc_now,
        order_delay=timedelta(seconds=connected.order_delay_seconds),
    )


def pushed_shops() -> tuple[str, ...]:
    """The shops whose stock we keep."""
    return tuple(name for name, shop in settings().shops.items() if shop.keeps_stock)


@MadeOnce
def _channel(shop: str, connected: ShopSettings) -> StockChannel:
    """One vendor's channel, kept for the environment's life: it knows the shop's pace."""
    if connected.platform == "shopify":
        from shared.storefronts.shopify.stock import ShopifyStock  # noqa: PLC0415 - load one vendor only

        if connected.stock_location is None:
            raise Rejected(
                "no_stock_location",
                f"shop {shop} does not say at which of its locations stock is shown",
                field=f"shops.{shop}.stock_location",
                hint="set it to the number at the end of the location's URL in Shopify's admin",
            )
        return ShopifyStock(
            shop,
            connected.address,
            credentials_of(shop),
            http(),
            utc_now,
            pause=time.sleep,
            location_id=connected.stock_location,
            api_version=connected.api_version,
        )
    from shared.storefronts.woocommerce.stock import WooCommerceStock  # noqa: PLC0415

    return WooCommerceStock(shop, connected.address, credentials_of(shop), http(), utc_now, pause=time.sleep)
