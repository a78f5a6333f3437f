"""Put together what keeps a shop's webhooks."""

import os
from functools import cache

from shared.kernel.errors import Rejected
from shared.platform.aws_http import AwsService
from shared.platform.configuration import settings
from shared.platform.kept import MadeOnce
from shared.platform.settings import ShopSettings
from shared.platform.webhook_settings import WebhookSecrets
from shared.storefronts.port import SubscriptionDesk
from shared.sync.repair.rules import RepairRules
from shared.sync.repair.subscriptions import Endpoint
from shared.wiring.storefront_client import credentials_of, http


def subscription_desk(shop: str) -> SubscriptionDesk:
    """By today's settings, or `Rejected` with code `unknown_shop`."""
    return _desk(shop, settings().shop(shop))


@MadeOnce
def _desk(shop: str, connected: ShopSettings) -> SubscriptionDesk:
    if connected.platform == "shopify":
        from shared.storefronts.shopify.subscriptions import ShopifySubscriptions  # noqa: PLC0415 - load one vendor only

        return ShopifySubscriptions(connected.address, credentials_of(shop), http(), api_version=connected.api_version)
    from shared.storefronts.woocommerce.subscriptions import WooCommerceSubscriptions  # noqa: PLC0415

    return WooCommerceSubscriptions(connected.address, credentials_of(shop), http())


def endpoints(shop: str, rules: RepairRules) -> tuple[Endpoint, ...]:
    """Where the shop is to send its orders, and its customers where these are looked after; none where the deployment
    does not know its own address."""
    base_url = os.environ.get("WEBHOOK_BASE_URL", "")
    if not base_url:
        return ()
    of_orders, of_customers = _topics(settings().shop(shop).platform)
    wanted = {"orders": of_orders} | ({"customers": of_customers} if rules.customers else {})
    return tuple(
        Endpoint(
            base_url=base_url,
            path=f"/webhooks/{shop}/{what}",
            topics=topics,
            former_base_urls=rules.former_base_urls,
        )
        for what, topics in wanted.items()
    )


def _topics(platform: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of orders, and of customers."""
    if platform == "shopify":
        from shared.storefronts.shopify import subscriptions  # noqa: PLC0415 - load one vendor only

        return subscriptions.ORDER_TOPICS, subscriptions.CUSTOMER_TOPICS
    from shared.storefronts.woocommerce import subscriptions as of_woocommerce  # noqa: PLC0415

    return of_woocommerce.ORDER_TOPICS, of_woocommerce.CUSTOMER_TOPICS


def signing_secret(shop: str) -> str:
    """What a new webhook is to be signed with: the first of the shop's secrets. Shopify signs with the app's own.

    Raises:
        Retry: the secrets are out of reach.
        Rejected: `no_secret`.
    """
    if settings().shop(shop).platform == "shopify":
        return ""
    for secret in _secrets()(shop, fresh=True):
        if secret:
            return secret
    raise Rejected(
        "no_secret",
        f"no webhook secret is set for shop {shop}",
        field=f"webhooks.{shop}",
        hint="add one to the webhook secrets: the shop's webhooks are made with it",
    )


@cache
def _secrets() -> WebhookSecrets:
    return WebhookSecrets(AwsService("secretsmanager"))
