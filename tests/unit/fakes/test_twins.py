"""The two shops tell their stack of what was shipped, and not of what it heard already."""

import json
from urllib.parse import urlsplit

import httpx
import pytest

from infra.fakes.shopify_admin import ShopifyAdmin
from infra.fakes.shopify_bucket import VirtualClock
from infra.fakes.twins import AURORA, SECRET, Twins
from infra.fakes.woocommerce import WooCommerceFake
from infra.local.shopify_schema import SCHEMA_FILE
from shared.storefronts.ingress import WebhookRequest
from shared.storefronts.shopify.signature import authenticate


@pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")
def test_what_aurora_shipped_is_delivered_once_and_signed() -> None:
    received: list[httpx.Request] = []

    def stack(request: httpx.Request) -> httpx.Response:
        received.append(request)
        return httpx.Response(202)

    clock = VirtualClock()
    http = httpx.Client(transport=httpx.MockTransport(stack))
    pair = Twins(ShopifyAdmin(clock), WooCommerceFake(clock), {}, http)
    pair.connect("http://stack.example")
    pair.stock("MUG", 5)
    pair.buy("aurora", "MUG", 2)
    order = pair.aurora.order(json.loads(received.pop().content)["id"])
    received.clear()
    pair.aurora.fulfilment.ship(order, {str(order["line_items"][0]["id"]): 1}, numbers=["T1"])
    pair.deliver()
    pair.deliver()
    (request,) = received
    assert urlsplit(str(request.url)).path == "/webhooks/aurora/orders"
    stated = authenticate(WebhookRequest(dict(request.headers), request.content), secrets=[SECRET], shop_address=AURORA)
    assert stated.topic == "orders/updated"
    assert json.loads(request.content)["line_items"][0]["fulfillable_quantity"] == 1
