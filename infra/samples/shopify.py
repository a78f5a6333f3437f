"""Shopify's webhook order payloads, in the REST shape of 2024-10 to 2026-10. All of it is made up.

A price is `"12.50"`, or `("12.50", "14.00")` where the buyer's currency is another than the shop's. The totals of
:func:`order` are summed from its parts, so a payload adds up unless a test overrides a figure.
"""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from shared.storefronts.shopify.signature import request_headers
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import Authenticated, WebhookRequest

Json = dict[str, Any]
Price = str | tuple[str, str]

SECRET = "shpss-secret-1"  # noqa: S105 - made up
ADDRESS = "aurora.myshopify.com"
ORDER_ID = 5001
TRIGGERED_AT = "2026-11-23T09:02:10.290670248Z"
RECEIVED_AT = "2026-11-23T09:02:11.000000000Z"
UPDATED_AT = "2026-11-23T10:02:09+01:00"


def gid(kind: str, number: int | str) -> str:
    return f"gid://shopify/{kind}/{number}"


def bag(price: Price, currency: str = "EUR", presentment: str | None = None) -> Json:
    shop, buyer = (price, price) if isinstance(price, str) else price
    return {
        "shop_money": {"amount": shop, "currency_code": currency},
        "presentment_money": {"amount": buyer, "currency_code": presentment or currency},
    }


class Shop:
    """Builds the parts of an order in one pair of currencies."""

    def __init__(self, currency: str = "EUR", presentment: str | None = None) -> None:
        self.currency = currency
        self.presentment = presentment or currency

    def bag(self, price: Price) -> Json:
        return bag(price, self.currency, self.presentment)

    def line(self, number: int = 1, *, price: Price = "12.50", quantity: int = 1, **overrides: Any) -> Json:
        return {
            "id": number,
            "admin_graphql_api_id": gid("LineItem", number),
            "attributed_staffs": [],
            "current_quantity": quantity,
            "discount_allocations": [],
            "duties": [],
            "fulfillable_quantity": quantity,
            "fulfillment_service": "manual",
            "fulfillment_status": None,
            "gift_card": False,
            "grams": 300,
            "name": "Blue Mug - Large",
            "price": _shop(price),
            "price_set": self.bag(price),
            "product_exists": True,
            "product_id": 700 + number,
            "properties": [],
            "quantity": quantity,
            "requires_shipping": True,
            "sku": f"MUG-{number}",
            "tax_lines": [],
            "taxable": True,
            "title": "Blue Mug",
            "total_discount": "0.00",
            "total_discount_set": self.bag("0.00"),
            "variant_id": 800 + number,
            "variant_inventory_management": "shopify",
            "variant_title": "Large",
            "vendor": "Aurora",
        } | overrides

    def shipping_line(self, price: Price = "4.90", *, discounted: Price | None = None, **overrides: Any) -> Json:
        after = price if discounted is None else discounted
        return {
            "id": 301,
            "carrier_identifier": None,
            "code": "standard",
            "discounted_price": _shop(after),
            "discounted_price_set": self.bag(after),
            "discount_allocations": [],
            "is_removed": False,
            "phone": None,
            "price": _shop(price),
            "price_set": self.bag(price),
            "source": "shopify",
            "tax_lines": [],
            "title": "Standard",
        } | overrides

    def allocation(self, amount: Price, application: int = 0) -> Json:
        return {
            "amount": _shop(amount),
            "amount_set": self.bag(amount),
            "discount_application_index": application,
        }

    def tax(self, amount: Price, rate: Decimal | str = "0.19", title: str = "VAT") -> Json:
        return {
            "channel_liable": False,
            "price": _shop(amount),
            "price_set": self.bag(amount),
            "rate": rate,
            "title": title,
        }

    def duty(self, amount: Price, number: int = 1) -> Json:
        return {
            "id": str(number),
            "harmonized_system_code": "691110",
            "country_code_of_origin": "CN",
            "tax_lines": [],
            "admin_graphql_api_id": gid("Duty", number),
        } | self.bag(amount)

    def transaction(self, number: int = 901, amount: Price = "17.40", **overrides: Any) -> Json:
        return {
            "id": number,
            "admin_graphql_api_id": gid("OrderTransaction", number),
            "amount": amount[1] if isinstance(amount, tuple) else amount,
            "authorization": None,
            "created_at": UPDATED_AT,
            "currency": self.presentment,
            "gateway": "bogus",
            "kind": "sale",
            "parent_id": None,
            "processed_at": UPDATED_AT,
            "receipt": {},
            "status": "success",
            "test": False,
            "total_unsettled_set": {
                "presentment_money": {"amount": "0.0", "currency": "XXX"},
                "shop_money": {"amount": "0.0", "currency": "XXX"},
            },
        } | overrides

    def refund_line(self, line: Json, quantity: int = 1, *, restock: str = "return", **overrides: Any) -> Json:
        subtotal = line["price"]
        return {
            "id": 9000 + int(line["id"]) % 1000,
            "line_item": line,
            "line_item_id": line["id"],
            "location_id": 61,
            "quantity": quantity,
            "restock_type": restock,
            "subtotal": float(subtotal),
            "subtotal_set": self.bag(subtotal),
            "total_tax": 0,
            "total_tax_set": self.bag("0.00"),
        } | overrides

    def refund(self, number: int = 401, **overrides: Any) -> Json:
        return {
            "id": number,
            "admin_graphql_api_id": gid("Refund", number),
            "created_at": UPDATED_AT,
            "duties": [],
            "note": None,
            "order_adjustments": [],
            "order_id": ORDER_ID,
            "refund_line_items": [],
            "refund_shipping_lines": [],
            "transactions": [],
        } | overrides

    def fulfilment(self, *lines: Json, number: int = 501, **overrides: Any) -> Json:
        return {
            "id": number,
            "admin_graphql_api_id": gid("Fulfillment", number),
            "created_at": UPDATED_AT,
            "line_items": list(lines),
            "location_id": 61,
            "order_id": ORDER_ID,
            "service": "manual",
            "shipment_status": None,
            "status": "success",
            "tracking_company": "DHL",
            "tracking_number": "T1",
            "tracking_numbers": ["T1"],
            "tracking_url": "https://track.example/T1",
            "tracking_urls": ["https://track.example/T1"],
        } | overrides

    def order(self, *lines: Json, tax: Price = "0.00", tip: Price = "0.00", **overrides: Any) -> Json:
        """A whole order of these lines (one mug by default), with shipping unless `shipping_lines` says otherwise."""
        items = list(lines) or [self.line()]
        shipping_lines = overrides.get("shipping_lines", [self.shipping_line()])
        counted = [line for line in items if not line.get("tip")]
        subtotal = _sum(_after_discounts(line, side) for line in counted for side in _SIDES)
        shipping = _sum(
            (side, _amount(line["discounted_price_set"], side)) for line in shipping_lines for side in _SIDES
        )
        extras = [shipping, _pair(tip)]
        extras += [] if overrides.get("taxes_included") else [_pair(tax)]
        extras += [] if overrides.get("duties_included") else [_sides(overrides.get("original_total_duties_set"))]
        extras += [_sides(overrides.get("original_total_additional_fees_set"))]
        total = tuple(sum((extra[side] for extra in extras), subtotal[side]) for side in (0, 1))
        figures: dict[str, Price] = {
            "subtotal_price": _text(subtotal),
            "total_discounts": "0.00",
            "total_line_items_price": _text(subtotal),
            "total_price": _text((total[0], total[1])),
            "total_tax": tax,
        }
        return (
            self._frame()
            | self._figures(figures)
            | {
                "line_items": items,
                "shipping_lines": shipping_lines,
                "total_shipping_price_set": self.bag(_text(shipping)),
                "total_tip_received": _shop(tip),
            }
            | overrides
        )

    def _figures(self, figures: dict[str, Price]) -> Json:
        now = {f"current_{name}": price for name, price in figures.items() if name != "total_line_items_price"}
        stated: Json = {}
        for name, price in (figures | now).items():
            stated |= {name: _shop(price), f"{name}_set": self.bag(price)}
        return stated

    def _frame(self) -> Json:
        return {
            "id": ORDER_ID,
            "admin_graphql_api_id": gid("Order", ORDER_ID),
            "app_id": 580111,
            "billing_address": address(),
            "browser_ip": "203.0.113.7",
            "buyer_accepts_marketing": True,
            "cancel_reason": None,
            "cancelled_at": None,
            "client_details": {"browser_ip": "203.0.113.7", "user_agent": "Browser/1"},
            "closed_at": None,
            "confirmed": True,
            "contact_email": "zoe@example.test",
            "created_at": "2026-11-23T10:02:08+01:00",
            "currency": self.currency,
            "customer": customer(),
            "customer_locale": "de-DE",
            "discount_applications": [],
            "discount_codes": [],
            "duties_included": False,
            "email": "zoe@example.test",
            "estimated_taxes": False,
            "financial_status": "paid",
            "fulfillment_status": None,
            "fulfillments": [],
            "name": "#1001",
            "note": None,
            "note_attributes": [],
            "original_total_additional_fees_set": None,
            "original_total_duties_set": None,
            "payment_gateway_names": ["shopify_payments"],
            "phone": None,
            "presentment_currency": self.presentment,
            "processed_at": "2026-11-23T10:02:07+01:00",
            "refunds": [],
            "returns": [],
            "shipping_address": address(),
            "source_name": "web",
            "tags": "",
            "tax_exempt": False,
            "tax_lines": [],
            "taxes_included": False,
            "test": False,
            "total_cash_rounding_payment_adjustment_set": self.bag("0.00"),
            "total_cash_rounding_refund_adjustment_set": self.bag("0.00"),
            "total_outstanding": "0.00",
            "updated_at": UPDATED_AT,
        }


def address(**overrides: Any) -> Json:
    return {
        "first_name": "Zoë",
        "last_name": "Ünal",
        "name": "Zoë Ünal",
        "company": None,
        "address1": "Hauptstr. 1",
        "address2": None,
        "city": "Berlin",
        "province": "Berlin",
        "province_code": "BE",
        "zip": "10115",
        "country": "Germany",
        "country_code": "DE",
        "phone": "+49 30 1",
        "latitude": None,
        "longitude": None,
    } | overrides


def customer(**overrides: Any) -> Json:
    return {
        "id": 207,
        "admin_graphql_api_id": gid("Customer", 207),
        "email": "zoe@example.test",
        "first_name": "Zoë",
        "last_name": "Ünal",
        "phone": "+49 30 2",
        "state": "disabled",
    } | overrides


def encode(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, default=str).encode("utf-8")


def delivery(body: Any, *, topic: str = "orders/updated", **overrides: Any) -> Delivery:
    """The authenticated delivery of a body; bytes are taken as they are."""
    stated: Json = {
        "shop": "aurora",
        "platform": "shopify",
        "topic": topic,
        "received_at": RECEIVED_AT,
        "body": body if isinstance(body, bytes) else encode(body),
        "delivery_id": "8a95126f-859a-4db9-b8f1-350e299e9ea0",
        "triggered_at": TRIGGERED_AT,
        "api_version": "2026-10",
    }
    return Delivery(**(stated | overrides))


def signed_request(
    body: Any, *, topic: str = "orders/updated", secret: str = SECRET, address: str = ADDRESS
) -> WebhookRequest:
    """The HTTP request with which Shopify would deliver this body."""
    raw = body if isinstance(body, bytes) else encode(body)
    stated = Authenticated(
        topic=topic,
        delivery_id="8a95126f-859a-4db9-b8f1-350e299e9ea0",
        triggered_at=TRIGGERED_AT,
        api_version="2026-10",
    )
    headers = request_headers(raw, secret=secret, shop_address=address, delivery=stated, event_id="event-1")
    return WebhookRequest(headers, raw)


_SIDES = ("shop_money", "presentment_money")
_Pair = tuple[Decimal, Decimal]


def _shop(price: Price) -> str:
    return price if isinstance(price, str) else price[0]


def _pair(price: Price) -> _Pair:
    shop, buyer = (price, price) if isinstance(price, str) else price
    return Decimal(shop), Decimal(buyer)


def _sides(given: Json | None) -> _Pair:
    return (_amount(given, _SIDES[0]), _amount(given, _SIDES[1])) if given else (Decimal(0), Decimal(0))


def _amount(given: Json, side: str) -> Decimal:
    return Decimal(given[side]["amount"])


def _after_discounts(line: Json, side: str) -> tuple[str, Decimal]:
    off = sum((_amount(item["amount_set"], side) for item in line["discount_allocations"]), Decimal(0))
    return side, _amount(line["price_set"], side) * int(line["quantity"]) - off


def _sum(amounts: Iterable[tuple[str, Decimal]]) -> _Pair:
    totals = dict.fromkeys(_SIDES, Decimal(0))
    for side, amount in amounts:
        totals[side] += amount
    return totals[_SIDES[0]], totals[_SIDES[1]]


def _text(pair: _Pair) -> tuple[str, str]:
    return str(pair[0]), str(pair[1])
