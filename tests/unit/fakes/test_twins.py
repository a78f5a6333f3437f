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
from shared.storefronts.shopify.signature import authenticate, authenticate_customers
from shared.webhooks.ingress import WebhookRequest

needs_schema = pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")


def stacked(received: list[httpx.Request]) -> Twins:
    """Both shops, sending to a stack that only keeps what it is sent."""

    def stack(request: httpx.Request) -> httpx.Response:
        received.append(request)
        return httpx.Response(202)

    clock = VirtualClock()
    http = httpx.Client(transport=httpx.MockTransport(stack))
    pair = Twins(ShopifyAdmin(clock), WooCommerceFake(clock), {}, http)
    pair.connect("http://stack.example")
    return pair


@needs_schema
def test_what_aurora_shipped_is_delivered_once_and_signed() -> None:
    received: list[httpx.Request] = []
    pair = stacked(received)
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


@needs_schema
def test_what_happens_to_auroras_customers_goes_to_their_own_endpoint() -> None:
    received: list[httpx.Request] = []
    pair = stacked(received)
    pair.aurora.customers.address = AURORA
    number = pair.aurora.customers.register(email="zoe@example.test", first_name="Zoë")
    pair.aurora.customers.edit(number, first_name="Zoe")
    pair.aurora.customers.ask_for_privacy(number, erase=True)
    pair.deliver()
    pair.deliver()
    assert {urlsplit(str(request.url)).path for request in received} == {"/webhooks/aurora/customers"}
    stated = [
        authenticate_customers(
            WebhookRequest(dict(request.headers), request.content), secrets=[SECRET], shop_address=AURORA
        ).topic
        for request in received
    ]
    assert stated == ["customers/create", "customers/update", "customers/redact"]
    assert json.loads(received[1].content)["first_name"] == "Zoe"
