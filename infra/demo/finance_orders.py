"""How the two shops of the third act tell of an order: signed webhooks in the shapes of Shopify and WooCommerce."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from infra.demo.finance_month import VAT, Course, Gateway, Purchase, tax_in
from infra.demo.shops import Post
from infra.fakes.twins import AURORA, BOREALIS, SECRET
from infra.samples import shopify, woocommerce

Json = dict[str, Any]
_REFUNDED = frozenset({Course.REFUNDED, Course.REFUNDED_IN_WORDS})
"""Courses in which the shop says that a part went back."""
_WOO_METHODS = {Gateway.STRIPE: "stripe", Gateway.PAYPAL: "ppcp-gateway", Gateway.BANK_TRANSFER: "bacs"}
_VAT_RATE = 7
"""WooCommerce's id of the rate."""


def post_of(purchase: Purchase, payment_id: str | None) -> Post:
    """The webhook that the shop sends about it. `payment_id`: what the provider calls the payment, as far as the shop
    was told; Shopify's webhooks do not pass it on."""
    if purchase.shop == "aurora":
        body = _of_shopify(purchase)
        request = shopify.signed_request(body, topic="orders/create", secret=SECRET, address=AURORA)
    else:
        raw = woocommerce.encode(_of_woocommerce(purchase, payment_id))
        source = f"https://{BOREALIS}/"
        request = woocommerce.request(raw, secret=SECRET, source=source, topic="order.created")
    return Post(purchase.shop, purchase.order_id, request)


def _of_shopify(purchase: Purchase) -> Json:
    shop = shopify.Shop()
    lines = [
        shop.line(
            number,
            price=_euros(item.gross // item.units),
            quantity=item.units,
            sku=item.sku,
            title=item.sku.title(),
            name=item.sku.title(),
            tax_lines=[_shopify_tax(item.gross)],
        )
        for number, item in enumerate(purchase.items, 1)
    ]
    shipping = shop.shipping_line(_euros(purchase.shipping), tax_lines=[_shopify_tax(purchase.shipping)])
    buyer = f"buyer-{purchase.order_id}@example.test"
    refunded = _shopify_refund(shop, purchase, lines[0]) if purchase.course in _REFUNDED else {}
    placed = _iso(purchase.at)
    stated: Json = {
        "id": int(purchase.order_id),
        "admin_graphql_api_id": shopify.gid("Order", purchase.order_id),
        "name": purchase.name,
        "email": buyer,
        "contact_email": buyer,
        "processed_at": placed,
        "created_at": placed,
        "updated_at": _iso(purchase.at + timedelta(seconds=90)),
        "taxes_included": True,
        "payment_gateway_names": [purchase.gateway.value],
        "shipping_lines": [shipping],
        "tax_lines": [shop.tax(_euros(_tax_of(purchase)), rate=str(VAT), title="VAT")],
    }
    return shop.order(*lines, tax=_euros(_tax_of(purchase)), **(stated | refunded))


def _shopify_refund(shop: shopify.Shop, purchase: Purchase, line: Json) -> Json:
    """One unit of the first line went back, and its money."""
    at, amount = _iso(purchase.refunded_at), _euros(purchase.refund)
    tax = _euros(tax_in(purchase.refund))
    refund = shop.refund(
        int(purchase.order_id) % 100_000,
        created_at=at,
        order_id=int(purchase.order_id),
        refund_line_items=[shop.refund_line(line, total_tax=float(tax), total_tax_set=shop.bag(tax))],
        transactions=[
            shop.transaction(
                int(purchase.order_id) % 100_000 + 1,
                amount,
                kind="refund",
                gateway=purchase.gateway.value,
                processed_at=at,
                created_at=at,
            )
        ],
    )
    left = _euros(purchase.total - purchase.refund)
    return {
        "refunds": [refund],
        "financial_status": "partially_refunded",
        "updated_at": at,
        "current_total_price": left,
        "current_total_price_set": shop.bag(left),
    }


def _of_woocommerce(purchase: Purchase, payment_id: str | None) -> Json:
    lines = [
        woocommerce.line(
            id=number,
            name=item.sku.title(),
            sku=item.sku,
            quantity=item.units,
            **_woo_amounts(item.gross, "subtotal", "total"),
        )
        for number, item in enumerate(purchase.items, 1)
    ]
    shipping_tax = _euros(tax_in(purchase.shipping))
    cart_tax = _euros(sum(tax_in(item.gross) for item in purchase.items))
    placed = _iso(purchase.at).removesuffix("Z")
    return woocommerce.order(
        id=int(purchase.order_id),
        number=purchase.order_id,
        prices_include_tax=True,
        line_items=lines,
        shipping_lines=[woocommerce.shipping_line(**_woo_amounts(purchase.shipping, "total"))],
        tax_lines=[
            woocommerce.tax_line(
                rate_id=_VAT_RATE,
                label="VAT",
                rate_code="NL-VAT-1",
                rate_percent=int(VAT * 100),
                tax_total=cart_tax,
                shipping_tax_total=shipping_tax,
            )
        ],
        billing=woocommerce.address(email=f"buyer-{purchase.order_id}@example.test"),
        payment_method=_WOO_METHODS[purchase.gateway],
        payment_method_title=purchase.gateway.value.title(),
        transaction_id=payment_id or "",
        date_created_gmt=placed,
        date_paid_gmt=placed,
        date_modified_gmt=_iso(purchase.at + timedelta(seconds=90)).removesuffix("Z"),
    )


def _woo_amounts(gross: int, *names: str) -> Json:
    """WooCommerce writes lines without tax, and the tax beside them."""
    tax = _euros(tax_in(gross))
    net = _euros(gross - tax_in(gross))
    shares = [{"id": _VAT_RATE, "total": tax, "subtotal": tax}]
    return {**dict.fromkeys(names, net), **{f"{name}_tax": tax for name in names}, "taxes": shares}


def _shopify_tax(gross: int) -> Json:
    return shopify.Shop().tax(_euros(tax_in(gross)), rate=str(VAT), title="VAT")


def _tax_of(purchase: Purchase) -> int:
    return sum(tax_in(item.gross) for item in purchase.items) + tax_in(purchase.shipping)


def _euros(cents: int) -> str:
    return f"{Decimal(cents).scaleb(-2):.2f}"


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
