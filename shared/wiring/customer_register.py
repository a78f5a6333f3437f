"""A shop's customers over its API: one vendor's register, loaded when it is needed."""

from shared.kernel.clock import utc_now
from shared.platform.kept import MadeOnce
from shared.platform.settings import ShopSettings
from shared.storefronts.port import CustomerRegister
from shared.wiring.storefront_client import credentials_of, http


@MadeOnce
def register(shop: str, connected: ShopSettings) -> CustomerRegister:
    """One shop's register, made on the first call and kept for the environment's life."""
    if connected.platform == "shopify":
        from shared.storefronts.shopify.customers import ShopifyCustomers  # noqa: PLC0415 - load one vendor only

        return ShopifyCustomers(
            shop, connected.address, credentials_of(shop), http(), utc_now, api_version=connected.api_version
        )
    from shared.storefronts.woocommerce.customers import WooCommerceCustomers  # noqa: PLC0415

    return WooCommerceCustomers(shop, connected.address, credentials_of(shop), http(), utc_now)
