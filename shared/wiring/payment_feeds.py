"""The APIs of payment accounts: each vendor's client, loaded when it is needed, over one HTTP connection pool."""

import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache, partial

import httpx

from shared.kernel.clock import utc_now
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected
from shared.payments.http import TIMEOUT
from shared.payments.port import PaymentFeed
from shared.platform.configuration import ApiCredentials, settings
from shared.platform.kept import MadeOnce
from shared.platform.settings import PaymentSettings
from shared.wiring.payment_accounts import context_of


def feed_of(name: str, account: PaymentSettings) -> PaymentFeed:
    """The account's API, kept for the environment's life, or until its settings change."""
    return _feed(name, account)


@MadeOnce
def _feed(name: str, account: PaymentSettings) -> PaymentFeed:
    if not account.api_access:
        raise Rejected("no_api_access", f"account {name} is not asked", field=f"payments.{name}.api_access")
    return _FEEDS[account.vendor](name, account)


def _stripe(name: str, account: PaymentSettings) -> PaymentFeed:
    from shared.payments.stripe.client import StripeClient  # noqa: PLC0415 - load one vendor only

    return StripeClient(context_of(name, account), account.address, _credentials(name), _http(), utc_now)


def _paypal(name: str, account: PaymentSettings) -> PaymentFeed:
    from shared.payments.paypal.client import PayPalClient  # noqa: PLC0415

    return PayPalClient(context_of(name, account), account.address, _credentials(name), _http(), utc_now)


def _alipay(name: str, account: PaymentSettings) -> PaymentFeed:
    from shared.payments.alipay.client import AlipayClient  # noqa: PLC0415

    return AlipayClient(context_of(name, account), account.address, _credentials(name), _http(), utc_now)


def _wechatpay(name: str, account: PaymentSettings) -> PaymentFeed:
    from shared.payments.wechatpay.client import WeChatPayClient  # noqa: PLC0415

    return WeChatPayClient(context_of(name, account), account.address, _credentials(name), _http(), utc_now)


def _shopify_payments(name: str, account: PaymentSettings) -> PaymentFeed:
    from shared.payments.shopify_payments.client import ShopifyPaymentsClient  # noqa: PLC0415
    from shared.storefronts.shopify.graphql import AdminApi, Pacer  # noqa: PLC0415
    from shared.wiring.storefront_client import credentials_of, http  # noqa: PLC0415

    shop = settings().shop(account.shop or "")
    scopes = "read_shopify_payments_payouts, read_shopify_payments_accounts, read_orders"
    credentials, pacer = credentials_of(account.shop or ""), Pacer(utc_now, time.sleep)  # a page takes 800 points
    api = AdminApi(shop.address, credentials, http(), shop.api_version, scopes=scopes, pacer=pacer)
    return ShopifyPaymentsClient(context_of(name, account), api.ask, utc_now)


_FEEDS: Mapping[str, Callable[[str, PaymentSettings], PaymentFeed]] = {
    "stripe": _stripe,
    "paypal": _paypal,
    "alipay": _alipay,
    "wechatpay": _wechatpay,
    "shopify_payments": _shopify_payments,
}


def _credentials(name: str) -> Credentials:
    return partial(_api_credentials().of, name)


@cache
def _api_credentials() -> ApiCredentials:
    return ApiCredentials()


@cache
def _http() -> httpx.Client:
    from shared.platform.outbound import transport  # noqa: PLC0415 - with httpcore 40 modules, at the first call

    tls = ssl.create_default_context()
    guarded = {"all://": transport(tls)}
    return httpx.Client(timeout=TIMEOUT, verify=tls, follow_redirects=False, mounts=guarded)
