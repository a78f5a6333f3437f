"""The vendors' API clients over one HTTP connection pool."""

import json
import os
import ssl
from functools import cache, partial

import httpx

from shared.kernel.clock import utc_now
from shared.platform.configuration import ApiCredentials
from shared.platform.kept import MadeOnce
from shared.platform.settings import ShopSettings
from shared.storefronts.http import TIMEOUT
from shared.storefronts.port import Credentials, StorefrontClient


@MadeOnce
def client(shop: str, connected: ShopSettings) -> StorefrontClient:
    """One shop's client, made on the first call and kept for the environment's life."""
    credentials = credentials_of(shop)
    if connected.platform == "shopify":
        from shared.storefronts.shopify.client import ShopifyClient  # noqa: PLC0415 - load one vendor only

        return ShopifyClient(shop, connected.address, credentials, http(), utc_now, api_version=connected.api_version)
    from shared.storefronts.woocommerce.client import WooCommerceClient  # noqa: PLC0415

    return WooCommerceClient(shop, connected.address, credentials, http(), utc_now)


def credentials_of(shop: str) -> Credentials:
    """One shop's API credentials, from the kept secret."""
    return partial(_api_credentials().of, shop)


@cache
def _api_credentials() -> ApiCredentials:
    return ApiCredentials()


@cache
def http() -> httpx.Client:
    """The one connection pool. `STOREBRIDGE_LOCAL_STOREFRONTS` sends named shops to this machine instead."""
    from shared.platform.outbound import transport  # noqa: PLC0415 - with httpcore 40 modules, at the first call

    tls = ssl.create_default_context()
    mounts = {"all://": transport(tls), **_local_storefronts()}
    return httpx.Client(timeout=TIMEOUT, verify=tls, follow_redirects=False, mounts=mounts)


def _local_storefronts() -> dict[str, httpx.BaseTransport]:
    """For the local stack and tests: `{"aurora.myshopify.com": 9001}` is a shop on a port of the loopback address.

    Never set in a deployment; and even there it could reach nothing but the function itself.
    """
    ports: dict[str, int] = json.loads(os.environ.get("STOREBRIDGE_LOCAL_STOREFRONTS", "{}"))
    return {f"https://{address}": _Loopback(port) for address, port in ports.items()}


class _Loopback(httpx.HTTPTransport):
    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return super().handle_request(request)
