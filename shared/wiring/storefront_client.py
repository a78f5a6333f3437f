"""The vendors' API clients over one HTTP connection pool."""

import ssl
from functools import cache, partial

import httpx

from shared.kernel.clock import utc_now
from shared.platform.configuration import ApiCredentials
from shared.platform.settings import ShopSettings
from shared.storefronts.http import TIMEOUT
from shared.storefronts.port import StorefrontClient


@cache
def client(shop: str, connected: ShopSettings) -> StorefrontClient:
    """One shop's client, made on the first call and kept for the environment's life."""
    credentials = partial(_api_credentials().of, shop)
    if connected.platform == "shopify":
        from shared.storefronts.shopify.client import ShopifyClient  # noqa: PLC0415 - load one vendor only

        return ShopifyClient(shop, connected.address, credentials, _http(), utc_now, api_version=connected.api_version)
    from shared.storefronts.woocommerce.client import WooCommerceClient  # noqa: PLC0415

    return WooCommerceClient(shop, connected.address, credentials, _http(), utc_now)


@cache
def _api_credentials() -> ApiCredentials:
    return ApiCredentials()


@cache
def _http() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT, verify=ssl.create_default_context(), follow_redirects=False)
