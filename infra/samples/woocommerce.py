"""WooCommerce's webhook payloads, in the shape that 10.0.2 was seen to send. All of it is made up."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from shared.storefronts.woocommerce.signature import request_headers
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import WebhookRequest

Json = dict[str, Any]

SECRET = "wh-secret-1"  # noqa: S105 - made up
ADDRESS = "https://shop.example/"
RECEIVED_AT = "2026-11-23T09:02:11.000000000Z"


def address(**overrides: Any) -> Json:
    return {
        "first_name": "Zoë",
        "last_name": "Ünal",
        "company": "",
        "address_1": "Hauptstr. 1",
        "address_2": "",
        "city": "Berlin",
        "state": "DE-BE",
        "postcode": "10115",
        "country": "DE",
        "email": "zoe@example.test",
        "phone": "030 1",
    } | overrides


def blank_address() -> Json:
    return dict.fromkeys(address(), "")


def meta(key: str, value: Any, *, id: int = 1) -> Json:  # noqa: A002 - the vendor's name
    return {"id": id, "key": key, "value": value, "display_key": key, "display_value": value}


def line(**overrides: Any) -> Json:
    return {
        "id": 1,
        "name": "Blue Mug",
        "product_id": 10,
        "variation_id": 0,
        "quantity": 1,
        "tax_class": "",
        "subtotal": "12.50",
        "subtotal_tax": "0.00",
        "total": "12.50",
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": [],
        "sku": "MUG-BLUE",
        "price": 12.5,
        "image": {"id": "", "src": ""},
        "parent_name": None,
    } | overrides


def shipping_line(**overrides: Any) -> Json:
    return {
        "id": 90,
        "method_title": "Flat rate",
        "method_id": "flat_rate",
        "instance_id": "1",
        "total": "4.90",
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": [],
    } | overrides


def fee_line(**overrides: Any) -> Json:
    return {
        "id": 80,
        "name": "Gift wrap",
        "tax_class": "",
        "tax_status": "taxable",
        "amount": "2",
        "total": "2.00",
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": [],
    } | overrides


def coupon_line(**overrides: Any) -> Json:
    return {
        "id": 70,
        "code": "autumn",
        "discount": "2.50",
        "discount_tax": "0.00",
        "meta_data": [],
        "discount_type": "percent",
        "nominal_amount": 20,
        "free_shipping": False,
    } | overrides


def tax_line(**overrides: Any) -> Json:
    return {
        "id": 60,
        "rate_code": "DE-MWST-1",
        "rate_id": 7,
        "label": "MwSt.",
        "compound": False,
        "tax_total": "0.00",
        "shipping_tax_total": "0.00",
        "rate_percent": 19,
        "meta_data": [],
    } | overrides


def refund_summary(**overrides: Any) -> Json:
    return {"id": 16, "reason": "one broken", "total": "-12.50"} | overrides


def refund_detail(**overrides: Any) -> Json:
    return {
        "id": 16,
        "date_created": "2026-11-23T10:00:00",
        "date_created_gmt": "2026-11-23T10:00:00",
        "amount": "12.50",
        "reason": "one broken",
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": [],
        "line_items": [],
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
    } | overrides


def refunded_line(of: int, **overrides: Any) -> Json:
    """A line of a refund, which names the order's line in its meta data."""
    return (
        line(id=31, quantity=-1, subtotal="-12.50", total="-12.50")
        | {"meta_data": [meta("_refunded_item_id", str(of))]}
        | overrides
    )


def order(**overrides: Any) -> Json:
    """A paid order in `processing`. Its sums follow from its lines unless they are given; all else is as stated."""
    body: Json = {
        "id": 18,
        "parent_id": 0,
        "status": "processing",
        "currency": "EUR",
        "version": "10.0.2",
        "prices_include_tax": False,
        "date_created": "2026-11-23T10:02:09",
        "date_modified": "2026-11-23T10:02:10",
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "shipping_total": "0.00",
        "shipping_tax": "0.00",
        "cart_tax": "0.00",
        "total": "0.00",
        "total_tax": "0.00",
        "customer_id": 3,
        "order_key": "wc_order_made_up",
        "billing": address(),
        "shipping": {name: value for name, value in address().items() if name != "email"},
        "payment_method": "bacs",
        "payment_method_title": "Bank transfer",
        "transaction_id": "",
        "customer_ip_address": "192.0.2.7",
        "customer_user_agent": "Browser/1.0",
        "created_via": "checkout",
        "customer_note": "",
        "date_completed": None,
        "date_paid": "2026-11-23T10:02:09",
        "cart_hash": "",
        "number": "18",
        "meta_data": [meta("is_vat_exempt", "no")],
        "line_items": [line()],
        "tax_lines": [],
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
        "payment_url": "https://shop.example/checkout/order-pay/18/",
        "is_editable": False,
        "needs_payment": False,
        "needs_processing": True,
        "date_created_gmt": "2026-11-23T09:02:09",
        "date_modified_gmt": "2026-11-23T09:02:10",
        "date_completed_gmt": None,
        "date_paid_gmt": "2026-11-23T09:02:09",
        "currency_symbol": "€",
        "_links": {"self": [{"href": "https://shop.example/wp-json/wc/v3/orders/18"}]},
    } | overrides
    return body | {name: value for name, value in _sums(body).items() if name not in overrides}


def customer(**overrides: Any) -> Json:
    """A buyer who registered and has ordered since."""
    return {
        "id": 3,
        "date_created": "2026-11-20T10:02:09",
        "date_created_gmt": "2026-11-20T09:02:09",
        "date_modified": "2026-11-23T10:02:09",
        "date_modified_gmt": "2026-11-23T09:02:09",
        "email": "zoe@example.test",
        "first_name": "Zoë",
        "last_name": "Ünal",
        "role": "customer",
        "username": "zoe.unal",
        "billing": address(),
        "shipping": {name: value for name, value in address().items() if name != "email"},
        "is_paying_customer": True,
        "avatar_url": "https://secure.gravatar.com/avatar/made-up?s=96&d=mm&r=g",
        "meta_data": [{"id": 44, "key": "wc_last_active", "value": "1795392000"}],
        "_links": {"self": [{"href": "https://shop.example/wp-json/wc/v3/customers/3"}]},
    } | overrides


def _sums(body: Json) -> Json:
    """WooCommerce's own sums: the total is lines, fees, shipping and tax, less gift cards."""
    lines, shipping, fees = body["line_items"], body["shipping_lines"], body["fee_lines"]
    shipping_total, tax = _sum(shipping, "total"), _sum([*lines, *shipping, *fees], "total_tax")
    gift_cards = _sum(body.get("gift_cards", []), "amount")
    return {
        "discount_total": str(_sum(lines, "subtotal") - _sum(lines, "total")),
        "shipping_total": str(shipping_total),
        "shipping_tax": str(_sum(shipping, "total_tax")),
        "cart_tax": str(tax - _sum(shipping, "total_tax")),
        "total_tax": str(tax),
        "total": str(_sum(lines, "total") + _sum(fees, "total") + shipping_total + tax - gift_cards),
    }


def _sum(items: Iterable[Json], name: str) -> Decimal:
    return sum((Decimal(str(item[name])) for item in items), Decimal(0))


def encode(body: Any) -> bytes:
    """JSON as PHP writes it: ASCII, with escaped slashes."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def delivery(body: Any, **overrides: Any) -> Delivery:
    """The delivery of `body` (JSON, or the exact bytes) as it comes off the queue."""
    fields: Json = {
        "shop": "aurora",
        "platform": "woocommerce",
        "topic": "order.updated",
        "received_at": RECEIVED_AT,
        "body": body if isinstance(body, bytes) else encode(body),
    }
    return Delivery(**(fields | overrides))


def fetched(body: Json, *refund_details: Json) -> Delivery:
    """The account that our own client makes of an order and its refunds."""
    return delivery(body | {"refund_details": list(refund_details)} if refund_details else body, fetched=True)


def request(
    body: Any, *, secret: str = SECRET, source: str = ADDRESS, topic: str = "order.updated", **headers: str
) -> WebhookRequest:
    """A signed request. Headers are given with underscores, and replace the genuine ones."""
    raw = body if isinstance(body, bytes) else encode(body)
    genuine = request_headers(raw, secret, source=source, topic=topic)
    return WebhookRequest(headers=genuine | {k.replace("_", "-"): v for k, v in headers.items()}, body=raw)


def ping(webhook_id: int = 1) -> WebhookRequest:
    """The unsigned test that WooCommerce sends when a webhook is created."""
    return WebhookRequest(
        headers={
            "user-agent": "WooCommerce/10.0.2 Hookshot (WordPress/6.8.12)",
            "content-type": "application/x-www-form-urlencoded",
        },
        body=f"webhook_id={webhook_id}".encode(),
    )
