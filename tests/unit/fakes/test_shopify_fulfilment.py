"""How the Shopify that is not there ships: what it refuses, whom it writes to, and what its webhooks then say."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from infra.fakes.shopify_admin import LOCATION, PATH, TOKEN, ShopifyAdmin
from infra.fakes.shopify_bucket import VirtualClock
from infra.local.shopify_schema import SCHEMA_FILE
from infra.samples import shopify
from infra.samples.shopify import delivery, gid
from shared.orders.models import Order
from shared.storefronts.port import CompleteOrder
from shared.storefronts.shopify.client import ShopifyClient
from shared.storefronts.shopify.mapping import read_order

pytestmark = pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")

Json = dict[str, Any]

SHIP = """mutation Ship($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) {
  fulfillment { id status trackingInfo { number url company } location { id } } userErrors { field message }
} }"""
CANCEL = """mutation Cancel($id: ID!, $restock: Boolean!, $notify: Boolean) {
  orderCancel(orderId: $id, reason: CUSTOMER, restock: $restock, notifyCustomer: $notify) {
    job { id done } orderCancelUserErrors { code }
} }"""


class Rig:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.shop = ShopifyAdmin(self.clock)
        self.shop.stock("MUG", 9)
        self.body = self.shop.sell("MUG", 3)
        self.order = self.shop.order(self.body["id"])
        self.line = str(self.order["line_items"][0]["id"])

    def ask(self, query: str, **variables: Any) -> Json:
        with httpx.Client(transport=httpx.MockTransport(self.shop.handler), base_url="https://a.myshopify.com") as http:
            answer = http.post(PATH, json={"query": query, "variables": variables}, headers=HEADERS).json()
        told: Json = answer["data"]
        return told

    def fulfilment_order(self, at: int = 0) -> Json:
        found: Json = self.order["fulfillmentOrders"][at]
        return found

    def ship(self, *units: int, **others: Any) -> Json:
        waiting = self.fulfilment_order()
        lines = [{"id": waiting["lineItems"][0]["id"], "quantity": number} for number in units]
        asked = {"fulfillmentOrderId": waiting["id"], "fulfillmentOrderLineItems": lines}
        told: Json = self.ask(SHIP, fulfillment={"lineItemsByFulfillmentOrder": [asked], **others})["fulfillmentCreate"]
        return told

    def fetched(self) -> Order:
        http = httpx.Client(transport=httpx.MockTransport(self.shop.handler))
        client = ShopifyClient("aurora", "aurora.myshopify.com", _token, http, self.clock)
        found = client.fetch_order(str(self.body["id"]))
        assert found is not None
        reading = read_order(found)
        assert isinstance(reading, CompleteOrder)
        return reading.order


HEADERS = {"X-Shopify-Access-Token": TOKEN}


def _token(*, fresh: bool = False) -> Mapping[str, str]:
    return {"access_token": TOKEN}


def read(body: Json) -> Order:
    reading = read_order(delivery(body))
    assert isinstance(reading, CompleteOrder)
    return reading.order


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_what_is_sold_waits_in_one_fulfilment_order(rig: Rig) -> None:
    query = """query Waiting($id: ID!) { order(id: $id) { closed fulfillmentOrders(first: 5) { nodes {
      status deliveryMethod { methodType } assignedLocation { location { id } }
      lineItems(first: 5) { nodes { remainingQuantity totalQuantity lineItem { id } } }
    } } } }"""
    order = rig.ask(query, id=gid("Order", rig.body["id"]))["order"]
    assert order["closed"] is False
    assert order["fulfillmentOrders"]["nodes"] == [
        {
            "status": "OPEN",
            "deliveryMethod": {"methodType": "SHIPPING"},
            "assignedLocation": {"location": {"id": gid("Location", LOCATION)}},
            "lineItems": {
                "nodes": [{"remainingQuantity": 3, "totalQuantity": 3, "lineItem": {"id": gid("LineItem", rig.line)}}]
            },
        }
    ]


def test_a_webhook_and_the_api_tell_the_same_of_what_was_shipped(rig: Rig) -> None:
    told = rig.ship(2, trackingInfo={"company": "DHL", "numbers": ["T1", "T2"], "urls": ["https://t.example/T1"]})
    assert told["fulfillment"]["location"] == {"id": gid("Location", LOCATION)}
    (body,) = rig.shop.take_webhooks()
    assert rig.shop.take_webhooks() == []
    by_webhook, by_api = read(body), rig.fetched()
    assert by_webhook.fulfilments == by_api.fulfilments
    assert [parcel.number for parcel in by_api.fulfilments[0].parcels] == ["T1", "T2"]
    assert by_webhook.lines[0].open_quantity == by_api.lines[0].open_quantity
    assert (by_api.lines[0].open_quantity, by_api.vendor_fulfilment_status) == (1, "partial")
    rig.ship(1)
    assert (rig.fetched().lines[0].open_quantity, rig.fetched().vendor_fulfilment_status) == (0, "fulfilled")
    assert json.dumps(rig.shop.take_webhooks())


def test_a_body_says_what_was_so_when_it_was_caused(rig: Rig) -> None:
    rig.ship(1)
    rig.ship(2)
    assert [body["line_items"][0]["fulfillable_quantity"] for body in rig.shop.take_webhooks()] == [2, 0]


def test_all_that_remains_is_shipped_where_no_lines_are_named(rig: Rig) -> None:
    rig.ship(1)
    rig.ship()
    assert [each["line_items"][0]["quantity"] for each in rig.order["fulfillments"]] == [1, 2]
    assert rig.fulfilment_order()["status"] == "CLOSED"


@pytest.mark.parametrize(
    ("change", "units", "message"),
    [
        ({}, 4, "quantity"),
        ({}, 0, "quantity"),
        ({"status": "ON_HOLD"}, 1, "status"),
        ({"status": "CLOSED"}, 1, "status"),
        ({"lineItems": [{"id": "gid://shopify/FulfillmentOrderLineItem/1"}]}, 1, "does not exist"),
    ],
)
def test_what_it_refuses(rig: Rig, change: Json, units: int, message: str) -> None:
    line = rig.fulfilment_order()["lineItems"][0]["id"]
    waiting = rig.fulfilment_order()["id"]
    rig.fulfilment_order().update(change)
    asked = {"fulfillmentOrderId": waiting, "fulfillmentOrderLineItems": [{"id": line, "quantity": units}]}
    told = rig.ask(SHIP, fulfillment={"lineItemsByFulfillmentOrder": [asked]})["fulfillmentCreate"]
    assert told["fulfillment"] is None
    assert message in told["userErrors"][0]["message"]
    assert (rig.order["fulfillments"], rig.shop.take_webhooks()) == ([], [])


@pytest.mark.parametrize(
    ("location", "method", "word"), [("62", "SHIPPING", "location"), (LOCATION, "PICK_UP", "method")]
)
def test_one_fulfilment_is_of_one_place_and_one_way(rig: Rig, location: str, method: str, word: str) -> None:
    first = rig.order["fulfillmentOrders"]
    rig.shop.fulfilment.route(rig.order, {location: {rig.line: 1}}, method=method)
    asked = [{"fulfillmentOrderId": each["id"]} for each in (*first, *rig.order["fulfillmentOrders"])]
    told = rig.ask(SHIP, fulfillment={"lineItemsByFulfillmentOrder": asked})["fulfillmentCreate"]
    assert word in told["userErrors"][0]["message"]


def test_buyers_are_written_to_when_that_is_wanted(rig: Rig) -> None:
    rig.ship(1)
    rig.ship(1, notifyCustomer=True, trackingInfo={"number": "T1"})
    assert [mail.numbers for mail in rig.shop.fulfilment.mails] == [("T1",)]


def test_what_was_undone_is_open_again(rig: Rig) -> None:
    rig.ship(3)
    rig.shop.fulfilment.undo(rig.order["fulfillments"][0])
    assert rig.fetched().lines[0].open_quantity == 3
    rig.shop.fulfilment.ship(rig.order, {rig.line: 2}, numbers=["T2"])
    assert rig.fetched().lines[0].open_quantity == 1
    with pytest.raises(ValueError, match="does not exist"):
        rig.shop.fulfilment.ship(rig.order, {"99": 1})


@pytest.mark.parametrize(("restock", "shown"), [(True, 9), (False, 6)])
def test_a_cancelled_order_ships_nothing_and_is_not_cancelled_again(rig: Rig, shown: int, *, restock: bool) -> None:
    order = gid("Order", rig.body["id"])
    told = rig.ask(CANCEL, id=order, restock=restock, notify=True)["orderCancel"]
    assert (told["job"]["done"], told["orderCancelUserErrors"]) == (True, [])
    assert rig.shop.shown("MUG") == shown
    assert len(rig.shop.fulfilment.mails) == 1
    assert read(rig.shop.take_webhooks()[0]).cancel_reason == "customer"
    assert rig.ship(1)["userErrors"]
    again = rig.ask(CANCEL, id=order, restock=restock)["orderCancel"]
    assert again["orderCancelUserErrors"] == [{"code": "INVALID"}]


def test_what_is_not_there_is_not_found(rig: Rig) -> None:
    nobody = gid("Order", 1)
    assert rig.ask(CANCEL, id=nobody, restock=False)["orderCancel"]["orderCancelUserErrors"] == [{"code": "NOT_FOUND"}]
    mutations = """mutation Others($order: ID!, $fulfilment: ID!) {
      close: orderClose(input: { id: $order }) { userErrors { message } }
      track: fulfillmentTrackingInfoUpdate(fulfillmentId: $fulfilment, trackingInfoInput: {}) {
        userErrors { message } }
      event: fulfillmentEventCreate(fulfillmentEvent: { fulfillmentId: $fulfilment, status: DELIVERED }) {
        userErrors { message } }
    }"""
    told = rig.ask(mutations, order=nobody, fulfilment=gid("Fulfillment", 1))
    assert all(len(each["userErrors"]) == 1 for each in told.values())


def test_an_order_that_was_put_there_keeps_its_own_account() -> None:
    shop = ShopifyAdmin(VirtualClock())
    made = shopify.Shop()
    line = made.line(11, quantity=2)
    body = made.order(line | {"fulfillable_quantity": 1}, fulfillments=[made.fulfilment(line | {"quantity": 1})])
    shop.put_order(body)
    assert json.loads(json.dumps(shop.body(body["id"]))) == json.loads(json.dumps(body))
    shop.fulfilment.ship(shop.order(body["id"]), {"11": 1})
    assert body["line_items"][0]["fulfillable_quantity"] == 1
    assert len(shop.order(body["id"])["fulfillments"]) == 2
