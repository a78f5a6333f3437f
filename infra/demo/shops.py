"""The two shops of the demo: what they sell, and how their storefronts send orders. All of it is made up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from infra.fakes.twins import AURORA, BOREALIS, SECRET
from infra.samples import shopify, woocommerce
from shared.webhooks.ingress import WebhookRequest

Json = dict[str, Any]

MORNING = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


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
    request = shopify.signed_request(body, topic=topic, secret=SECRET, address=AURORA)
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
    source = f"https://{BOREALIS}/"
    request = woocommerce.request(body, secret=SECRET, source=source, topic=topic)
    return Post("borealis", str(order_id), request)


def borealis_line(sku: str, units: int = 1, *, price: str = "12.50", **overrides: Any) -> Json:
    total = str(Decimal(price) * units)
    return woocommerce.line(
        **{"id": sum(sku.encode()), "name": sku, "sku": sku, "quantity": units, "subtotal": total, "total": total}
        | overrides
    )


def borealis_odd(order_id: int) -> Post:
    """An order of one and a half units, as a plugin for cloth by the metre makes it."""
    line = borealis_line("MUG") | {"quantity": Decimal("1.5")}
    body = woocommerce.order(id=order_id, number=str(order_id), line_items=[line])
    raw = woocommerce.encode(body | {"line_items": [line | {"quantity": 1.5}]})
    return Post("borealis", str(order_id), woocommerce.request(raw, secret=SECRET, source=f"https://{BOREALIS}/"))


def borealis_ping() -> Post:
    return Post("borealis", "", woocommerce.ping())


def _iso(order_id: int, minute: int = 0) -> str:
    """Every order has a second of the morning of its own."""
    return f"{MORNING + timedelta(seconds=order_id % 10_000, minutes=minute):%Y-%m-%dT%H:%M:%SZ}"
