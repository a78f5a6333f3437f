"""How Shopify signs a delivery, and what its unsigned headers may say. Standard library only.

Only the body is signed (HMAC-SHA256 with the app's client secret, base64). While a secret is rotated the oldest one
that was not revoked still signs, so all of them are tried. The headers come as `X-Shopify-*` from webhooks and as
`Shopify-*` from their announced successor; they are hints, never evidence.
Source: shopify.dev, "Verify webhook deliveries" and "Webhook structure".
"""

import re
from collections.abc import Mapping, Sequence

from shared.kernel.errors import Rejected
from shared.storefronts.ingress import (
    Authenticated,
    WebhookRequest,
    require_hmac_sha256,
    require_json,
    sign_hmac_sha256,
)

DEFAULT_API_VERSION = "2026-10"
_FAMILIES = ("x-shopify-", "shopify-")
_ORDER_TOPIC = re.compile(
    r"orders/[a-z_]{1,40}|refunds/create|fulfillments/(?:create|update)|order_transactions/create", re.ASCII
)


def authenticate(request: WebhookRequest, *, secrets: Sequence[str], shop_address: str) -> Authenticated:
    """Accept a delivery that concerns an order of the shop at `shop_address` (`name.myshopify.com`).

    Shopify has no ping: whatever it sends is signed.

    Raises:
        Rejected: `unauthorised`, `unsupported_media_type`, `wrong_shop` or `unsupported_topic`, judged in this order,
            so that nobody without a secret learns anything.
    """
    headers = request.headers
    require_hmac_sha256(request.body, _header(headers, "hmac-sha256") or "", secrets)
    require_json(headers)
    _require_shop(headers, shop_address)
    return Authenticated(
        topic=_order_topic(headers),
        delivery_id=_header(headers, "webhook-id"),
        triggered_at=_header(headers, "triggered-at"),
        api_version=_header(headers, "api-version"),
        test=(_header(headers, "test") or "").lower() == "true",
    )


def request_headers(
    body: bytes, *, secret: str, shop_address: str, delivery: Authenticated, event_id: str | None = None
) -> dict[str, str]:
    """The headers of a delivery as Shopify sends it, signed; names in lower case. For tests, demos and replays."""
    stated = {
        "topic": delivery.topic,
        "shop-domain": shop_address,
        "webhook-id": delivery.delivery_id,
        "event-id": event_id,
        "triggered-at": delivery.triggered_at,
        "api-version": delivery.api_version or DEFAULT_API_VERSION,
        "test": "true" if delivery.test else None,
        "hmac-sha256": sign_hmac_sha256(body, secret),
    }
    return {
        "user-agent": "Shopify-Captain-Hook",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **{f"x-shopify-{name}": value for name, value in stated.items() if value is not None},
    }


def _header(headers: Mapping[str, str], name: str) -> str | None:
    for family in _FAMILIES:
        value = headers.get(family + name, "").strip()
        if value:
            return value
    return None


def _require_shop(headers: Mapping[str, str], shop_address: str) -> None:
    if (_header(headers, "shop-domain") or "").lower() != shop_address.lower():
        raise Rejected(
            "wrong_shop",
            "the delivery names another shop than this endpoint's",
            field="x-shopify-shop-domain",
            hint="check the URL of the webhook subscription and the shop's address in the settings",
        )


def _order_topic(headers: Mapping[str, str]) -> str:
    topic = (_header(headers, "topic") or "").lower()
    if _ORDER_TOPIC.fullmatch(topic) is None:
        raise Rejected(
            "unsupported_topic",
            "the topic does not concern an order",
            field="x-shopify-topic",
            hint="subscribe this URL to orders/*, refunds/create, fulfillments/* and order_transactions/create only",
        )
    return topic
