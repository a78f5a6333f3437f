"""How Shopify signs a delivery, and what its unsigned headers may say. Standard library only.

Only the body is signed (HMAC-SHA256 with the app's client secret, base64). While a secret is rotated the oldest one
that was not revoked still signs, so all of them are tried. The headers come as `X-Shopify-*` from webhooks and as
`Shopify-*` from their announced successor; they are hints, never evidence.
Source: shopify.dev, "Verify webhook deliveries" and "Webhook structure".
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.kernel import strict_json
from shared.kernel.errors import Rejected
from shared.webhooks.ingress import (
    Authenticated,
    WebhookRequest,
    require_hmac_sha256,
    require_json,
    sign_hmac_sha256,
)

DEFAULT_API_VERSION = "2026-10"
_FAMILIES = ("x-shopify-", "shopify-")


class _Endpoint(NamedTuple):
    """What one of the endpoints takes."""

    topics: re.Pattern[str]
    what: str
    subscribe_to: str


_ORDERS = _Endpoint(
    re.compile(
        r"orders/[a-z_]{1,40}|refunds/create|fulfillments/(?:create|update)|order_transactions/create", re.ASCII
    ),
    "an order",
    "orders/*, refunds/create, fulfillments/* and order_transactions/create",
)
_CUSTOMERS = _Endpoint(
    re.compile(
        r"customers/(?:create|update|delete|merge|enable|disable|data_request|redact)|shop/redact"
        r"|customers_(?:email_)?marketing_consent/update",
        re.ASCII,
    ),
    "a customer",
    "customers/*, customers_email_marketing_consent/update, customers_marketing_consent/update and shop/redact",
)


def authenticate(request: WebhookRequest, *, secrets: Sequence[str], shop_address: str) -> Authenticated:
    """Accept a delivery that concerns an order of the shop at `shop_address` (`name.myshopify.com`).

    Shopify has no ping: whatever it sends is signed.

    Raises:
        Rejected: `unauthorised`, `unsupported_media_type`, `wrong_shop` or `unsupported_topic`, judged in this order,
            so that nobody without a secret learns anything.
    """
    return _accept(request, secrets, shop_address, _ORDERS)


def authenticate_customers(request: WebhookRequest, *, secrets: Sequence[str], shop_address: str) -> Authenticated:
    """Accept a delivery that concerns a customer, or what Shopify passes on for privacy's sake.

    Shopify tries out the privacy topics with signatures that do not hold, and wants 401 for them. Their bodies name
    the shop, signed: what was sent to another shop of the same app erases nothing here.
    Source: shopify.dev, "Privacy law compliance".

    Raises:
        Rejected: as :func:`authenticate`, or what `strict_json` raises of a body that names a shop.
    """
    accepted = _accept(request, secrets, shop_address, _CUSTOMERS)
    if b'"shop_domain"' in request.body:
        stated = strict_json.parse(request.body)
        _require_shop(stated.get("shop_domain") if isinstance(stated, dict) else None, shop_address, "shop_domain")
    return accepted


def _accept(request: WebhookRequest, secrets: Sequence[str], shop_address: str, endpoint: _Endpoint) -> Authenticated:
    headers = request.headers
    require_hmac_sha256(request.body, _header(headers, "hmac-sha256") or "", secrets)
    require_json(headers)
    _require_shop(_header(headers, "shop-domain"), shop_address, "x-shopify-shop-domain")
    return Authenticated(
        topic=_topic(headers, endpoint),
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


def _require_shop(stated: object, shop_address: str, field: str) -> None:
    if not isinstance(stated, str) or stated.lower() != shop_address.lower():
        raise Rejected(
            "wrong_shop",
            "the delivery names another shop than this endpoint's",
            field=field,
            hint="check the URL of the webhook subscription and the shop's address in the settings",
        )


def _topic(headers: Mapping[str, str], endpoint: _Endpoint) -> str:
    topic = (_header(headers, "topic") or "").lower()
    if endpoint.topics.fullmatch(topic) is None:
        raise Rejected(
            "unsupported_topic",
            f"the topic does not concern {endpoint.what}",
            field="x-shopify-topic",
            hint=f"subscribe this URL to {endpoint.subscribe_to} only",
        )
    return topic
