"""The two shops of the demo: what they sell, and how their storefronts send orders. All of it is made up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from infra.local.provision import Contents
from infra.samples import shopify, woocommerce
from shared.storefronts.ingress import WebhookRequest

Json = dict[str, Any]

MORNING = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
AURORA_ADDRESS = "aurora.example.myshopify.com"
BOREALIS_ADDRESS = "borealis.example"
_SECRETS = {"aurora": "aurora-demo-secret", "borealis": "borealis-demo-secret"}

CONTENTS = Contents(
    settings={
        "merchant": "Example Goods",
        "locations": {"main": {"name": "Main warehouse", "country": "NL"}},
        "shops": {
            # No API: what a delivery does not say itself cannot be asked here.
            "aurora": {
                "platform": "shopify",
                "address": AURORA_ADDRESS,
                "locations": ["main"],
                "api_access": False,
            },
            "borealis": {
                "platform": "woocommerce",
                "address": BOREALIS_ADDRESS,
                "locations": ["main"],
                "api_access": False,
            },
        },
    },
    secrets={"webhooks": {shop: [secret] for shop, secret in _SECRETS.items()}, "api": {}},
)


@dataclass(frozen=True)
class Post:
    """One delivery on its way to a shop's endpoint."""

    shop: str
    order_id: str
    request: WebhookRequest

    def with_headers(self, headers: Mapping[str, str]) -> "Post":
        return Post(self.shop, self.order_id, WebhookRequest({**self.request.headers, **headers}, self.request.body))

    def with_body(self, body: bytes) -> "Post":
        return Post(self.shop, self.order_id, WebhookRequest(self.request.headers, body))


def aurora(order_id: int, *lines: Json, minute: int = 0, topic: str = "orders/create", **overrides: Any) -> Post:
    """An order at Aurora (Shopify). `minute` is when it last changed."""
    buyer = f"buyer-{order_id}@example.test"
    body = shopify.Shop().order(
        *lines,
        **{
            "id": order_id,
            "admin_graphql_api_id": shopify.gid("Order", order_id),
            "name": f"#{order_id}",
            "email": buyer,
            "contact_email": buyer,
            "processed_at": _iso(order_id),
            "created_at": _iso(order_id),
            "updated_at": _iso(order_id, minute),
            **overrides,
        },
    )
    return aurora_raw(order_id, body, topic=topic)


def aurora_raw(order_id: int, body: Any, *, topic: str) -> Post:
    request = shopify.signed_request(body, topic=topic, secret=_SECRETS["aurora"], address=AURORA_ADDRESS)
    return Post("aurora", str(order_id), request)


def aurora_line(sku: str, units: int = 1, *, price: str = "12.50", **overrides: Any) -> Json:
    number = sum(sku.encode())
    return shopify.Shop().line(number, price=price, quantity=units, sku=sku, title=sku, name=sku, **overrides)


def borealis(order_id: int, *lines: Json, minute: int = 0, topic: str = "order.created", **overrides: Any) -> Post:
    """An order at Borealis (WooCommerce)."""
    body = woocommerce.order(
        **{
            "id": order_id,
            "number": str(order_id),
            "line_items": list(lines),
            "billing": woocommerce.address(email=f"buyer-{order_id}@example.test"),
            "date_created_gmt": _iso(order_id).removesuffix("Z"),
            "date_modified_gmt": _iso(order_id, minute).removesuffix("Z"),
            **overrides,
        }
    )
    source = f"https://{BOREALIS_ADDRESS}/"
    request = woocommerce.request(body, secret=_SECRETS["borealis"], source=source, topic=topic)
    return Post("borealis", str(order_id), request)


def borealis_line(sku: str, units: int = 1, *, price: str = "12.50", **overrides: Any) -> Json:
    total = str(Decimal(price) * units)
    return woocommerce.line(
        **{"id": sum(sku.encode()), "name": sku, "sku": sku, "quantity": units, "subtotal": total, "total": total}
        | overrides
    )


def borealis_ping() -> Post:
    return Post("borealis", "", woocommerce.ping())


def _iso(order_id: int, minute: int = 0) -> str:
    """Every order has a second of the morning of its own."""
    return f"{MORNING + timedelta(seconds=order_id % 10_000, minutes=minute):%Y-%m-%dT%H:%M:%SZ}"
