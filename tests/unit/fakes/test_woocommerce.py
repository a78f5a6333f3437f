"""The fake shop does what WooCommerce 10.0.2 was measured to do. Each test is one observed fact."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.fakes.woocommerce_requests import failing, silent, slow, throttled
from infra.fakes.woocommerce_state import OutOfStock
from shared.kernel.errors import Rejected
from shared.orders.readings import CompleteOrder, NothingToDo
from shared.storefronts.woocommerce.client import WooCommerceClient
from shared.storefronts.woocommerce.mapping import read_order
from shared.storefronts.woocommerce.signature import authenticate
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import Authenticated, Ping, WebhookRequest

SECRET = "wh-secret-1"
URL = "https://hooks.example/webhooks/borealis/orders"
BASE = "https://shop.example/wp-json/wc/v3"
KEYS = {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Inbox:
    """Where deliveries go. Answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.received: list[tuple[Mapping[str, str], bytes]] = []

    def __call__(self, _url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.received.append((headers, body))
        return self.status

    def topics(self) -> list[str]:
        return [headers.get("x-wc-webhook-topic", "") for headers, _ in self.received]

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.received]


class Rig:
    def __init__(self) -> None:
        self.time = Time()
        self.inbox = Inbox()
        self.fake = WooCommerceFake(self.time, send=self.inbox, pause=self.time.pass_)
        self.http = httpx.Client(transport=httpx.MockTransport(self.fake), auth=(CONSUMER_KEY, CONSUMER_SECRET))

    def call(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        return self.http.request(method, BASE + path, json=body, params=query)

    def subscribe(self, *topics: str) -> None:
        for topic in topics:
            self.fake.webhooks.register(topic, URL, secret=SECRET)
        self.inbox.received.clear()

    def order(self, sku: str, units: int = 1, **fields: Any) -> Any:
        product = self.fake.shop.by_sku(sku)
        assert product is not None
        lines = [{"product_id": product.id, "quantity": units}]
        response = self.call("POST", "/orders", {"line_items": lines, **fields})
        assert response.status_code == 201
        return response.json()


@pytest.fixture
def rig() -> Rig:
    return Rig()


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


# Webhooks


def test_delivery_is_signed_as_our_webhook_expects(rig: Rig) -> None:
    rig.subscribe("order.created")
    rig.fake.add_product("MUG", 5)
    rig.fake.sell("MUG", 2)
    assert rig.fake.deliver() == 1
    [(headers, body)] = rig.inbox.received
    read = authenticate(WebhookRequest(headers, body), secrets=[SECRET], shop_address="shop.example")
    assert isinstance(read, Authenticated)
    assert read.topic == "order.created"
    with pytest.raises(Rejected):
        authenticate(WebhookRequest(headers, body + b" "), secrets=[SECRET], shop_address="shop.example")


def test_entities_in_a_secret_are_decoded_before_signing(rig: Rig) -> None:
    rig.fake.webhooks.register("order.created", URL, secret="a&amp;b")
    rig.fake.add_product("MUG", 5)
    rig.inbox.received.clear()
    rig.fake.sell("MUG", 1)
    rig.fake.deliver()
    request = WebhookRequest(*rig.inbox.received[0])
    read = authenticate(request, secrets=["a&b"], shop_address="shop.example")
    assert isinstance(read, Authenticated)
    with pytest.raises(Rejected):
        authenticate(request, secrets=["a&amp;b"], shop_address="shop.example")


def test_delivered_order_is_read_by_our_mapping(rig: Rig) -> None:
    rig.subscribe("order.created")
    rig.fake.add_product("MUG", 5)
    rig.fake.sell("MUG", 2)
    rig.fake.deliver()
    reading = read_order(_delivery(rig.inbox.received[0]))
    assert isinstance(reading, CompleteOrder)
    assert [(line.sku, line.quantity) for line in reading.order.lines] == [("MUG", 2)]
    assert reading.order.totals.total.presentment.minor == 2500


def _delivery(received: tuple[Mapping[str, str], bytes]) -> Delivery:
    headers, body = received
    return Delivery(
        shop="borealis",
        platform="woocommerce",
        topic=headers["x-wc-webhook-topic"],
        received_at="2026-11-23T09:00:01.000000000Z",
        body=body,
    )


def test_delivery_id_names_a_webhook_and_a_second(rig: Rig) -> None:
    rig.subscribe("order.created")
    rig.fake.add_product("MUG", 9)
    for _ in range(3):
        rig.fake.sell("MUG", 1)
    rig.fake.deliver()
    rig.time.pass_(1)
    rig.fake.sell("MUG", 1)
    rig.fake.deliver()
    ids = [headers["x-wc-webhook-delivery-id"] for headers, _ in rig.inbox.received]
    assert len(ids) == 4
    assert ids[0] == ids[1] == ids[2] != ids[3]


def test_ping_is_unsigned_and_an_unreachable_url_is_no_hindrance(rig: Rig) -> None:
    rig.inbox.status = 0
    response = rig.call("POST", "/webhooks", {"topic": "order.updated", "delivery_url": URL, "secret": SECRET})
    assert (response.status_code, response.json()["status"]) == (201, "active")
    [(headers, body)] = rig.inbox.received
    assert body == b"webhook_id=1"
    assert isinstance(authenticate(WebhookRequest(headers, body), secrets=[], shop_address="shop.example"), Ping)


def test_secret_and_count_of_failures_are_never_told(rig: Rig) -> None:
    created = rig.call("POST", "/webhooks", {"topic": "order.updated", "delivery_url": URL}).json()
    listed = rig.call("GET", "/webhooks").json()
    assert len(rig.fake.webhooks.registered[1].secret) == 50
    assert all("secret" not in body and "failure_count" not in body for body in [created, *listed])


def test_body_is_built_when_it_is_sent(rig: Rig) -> None:
    rig.subscribe("order.created")
    rig.fake.add_product("MUG", 5)
    order = rig.fake.sell("MUG", 1)
    rig.call("PUT", f"/orders/{order.id}", {"status": "completed"})
    rig.fake.deliver()
    assert [body["status"] for body in rig.inbox.bodies()] == ["completed"]


def test_deleted_order_is_delivered_as_a_signed_rest_error(rig: Rig) -> None:
    rig.subscribe("order.updated")
    rig.fake.add_product("MUG", 5)
    order = rig.fake.sell("MUG", 1)
    rig.call("DELETE", f"/orders/{order.id}", force="true")
    rig.fake.deliver()
    [body] = rig.inbox.bodies()
    assert body["code"] == "woocommerce_rest_shop_order_invalid_id"
    assert "id" not in body
    reading = read_order(_delivery(rig.inbox.received[0]))
    assert isinstance(reading, NothingToDo)
    assert reading.reason == "gone"


def test_opened_checkout_leaks_a_draft(rig: Rig) -> None:
    rig.subscribe("order.created", "order.updated")
    rig.fake.add_product("MUG", 5)
    rig.fake.open_checkout("MUG", 1)
    rig.fake.deliver()
    assert rig.inbox.topics() == ["order.updated"]
    assert rig.inbox.bodies()[0]["status"] == "checkout-draft"
    assert rig.fake.shown("MUG") == 5


@pytest.mark.parametrize(
    ("block_checkout", "topics"),
    [(True, ["order.updated", "order.created"]), (False, ["order.created", "order.updated"])],
)
def test_block_checkout_announces_the_update_first(rig: Rig, *, block_checkout: bool, topics: list[str]) -> None:
    rig.subscribe("order.created", "order.updated")
    rig.fake.add_product("MUG", 5)
    rig.fake.sell("MUG", 1, block_checkout=block_checkout)
    rig.fake.deliver()
    assert rig.inbox.topics() == topics


def test_changes_while_a_delivery_waits_are_one_delivery_of_the_last(rig: Rig) -> None:
    rig.subscribe("product.updated")
    product = rig.fake.add_product("MUG", 5)
    for quantity in (4, 3, 2):
        rig.call("PUT", f"/products/{product.id}", {"stock_quantity": quantity})
    assert rig.fake.deliver() == 1
    assert rig.inbox.bodies()[0]["stock_quantity"] == 2


def test_queue_runs_late(rig: Rig) -> None:
    rig.subscribe("order.created")
    rig.fake.webhooks.latency = timedelta(seconds=55)
    rig.fake.add_product("MUG", 5)
    rig.fake.sell("MUG", 1)
    rig.time.pass_(54)
    assert rig.fake.deliver() == 0
    rig.time.pass_(1)
    assert rig.fake.deliver() == 1


def test_refused_delivery_is_never_sent_again(rig: Rig) -> None:
    rig.subscribe("order.created")
    rig.fake.add_product("MUG", 5)
    rig.inbox.status = 500
    rig.fake.sell("MUG", 1)
    assert rig.fake.deliver() == 1
    rig.inbox.status = 200
    rig.time.pass_(3600)
    assert rig.fake.deliver() == 0


@pytest.mark.parametrize("status", [303, 400, 429, 500, 0])
def test_seventh_failure_in_a_row_disables_the_webhook(rig: Rig, status: int) -> None:
    rig.subscribe("order.created")
    rig.fake.add_product("MUG", 99)
    rig.inbox.status = status
    for failures in range(1, 8):
        rig.fake.sell("MUG", 1)
        assert rig.fake.deliver() == 1
        assert _status(rig) == ("active" if failures < 7 else "disabled")
    rig.fake.sell("MUG", 1)
    assert rig.fake.deliver() == 0


def _status(rig: Rig) -> str:
    return str(rig.call("GET", "/webhooks/1").json()["status"])


@pytest.mark.parametrize("status", [200, 202, 204, 301, 302])
def test_success_and_redirects_count_as_delivered(rig: Rig, status: int) -> None:
    _fail(rig, 6)
    rig.inbox.status = status
    rig.fake.sell("MUG", 1)
    rig.fake.deliver()
    assert rig.fake.webhooks.registered[1].failure_count == 0


def _fail(rig: Rig, times: int) -> None:
    rig.subscribe("order.created")
    rig.fake.add_product("MUG", 99)
    rig.inbox.status = 500
    for _ in range(times):
        rig.fake.sell("MUG", 1)
        rig.fake.deliver()


def test_activating_a_disabled_webhook_does_not_reset_its_failures(rig: Rig) -> None:
    _fail(rig, 7)
    rig.inbox.received.clear()
    assert rig.call("PUT", "/webhooks/1", {"status": "active"}).json()["status"] == "active"
    assert [body for _, body in rig.inbox.received] == [b"webhook_id=1"]
    rig.fake.sell("MUG", 1)
    rig.fake.deliver()
    assert _status(rig) == "disabled"


def test_webhook_created_anew_starts_without_failures(rig: Rig) -> None:
    _fail(rig, 7)
    rig.call("DELETE", "/webhooks/1", force="true")
    rig.call("POST", "/webhooks", {"topic": "order.created", "delivery_url": URL, "secret": SECRET})
    rig.fake.sell("MUG", 1)
    rig.fake.deliver()
    assert rig.call("GET", "/webhooks/2").json()["status"] == "active"


def test_our_own_write_comes_back_as_an_update_even_of_the_same_number(rig: Rig) -> None:
    rig.subscribe("product.updated")
    product = rig.fake.add_product("MUG", 5)
    rig.call("PUT", f"/products/{product.id}", {"stock_quantity": 5})
    assert rig.fake.deliver() == 1


def test_sale_of_a_variation_updates_it_and_its_product(rig: Rig) -> None:
    rig.subscribe("product.updated")
    shirt = rig.fake.add_product("SHIRT", variable=True, manage_stock=False)
    large = rig.fake.add_variation(shirt, "SHIRT-L", 5)
    rig.fake.sell("SHIRT-L", 1)
    rig.fake.deliver()
    updates = {body["id"]: (body["type"], body["parent_id"]) for body in rig.inbox.bodies()}
    assert updates == {large.id: ("variation", shirt.id), shirt.id: ("variable", 0)}


def test_rest_order_is_created_and_updated(rig: Rig) -> None:
    rig.subscribe("order.created", "order.updated")
    rig.fake.add_product("MUG", 5)
    rig.order("MUG")
    rig.fake.deliver()
    assert rig.inbox.topics() == ["order.created", "order.updated"]


def test_deletion_is_one_event_with_the_id_alone(rig: Rig) -> None:
    rig.subscribe("order.deleted")
    rig.fake.add_product("MUG", 5)
    order = rig.fake.sell("MUG", 1)
    rig.call("DELETE", f"/orders/{order.id}")
    rig.fake.deliver()
    rig.call("DELETE", f"/orders/{order.id}", force="true")
    rig.fake.deliver()
    assert rig.inbox.bodies() == [{"id": order.id}]


def test_deliveries_may_be_dropped_doubled_and_reordered(rig: Rig) -> None:
    rig.subscribe("order.created")
    rig.fake.add_product("MUG", 9)
    ids = [rig.fake.sell("MUG", 1).id for _ in range(3)]
    rig.fake.webhooks.mishaps.reorder = lambda due: list(reversed(due))
    rig.fake.webhooks.mishaps.drop = 1
    rig.fake.webhooks.mishaps.duplicate = 1
    assert rig.fake.deliver() == 3
    assert [body["id"] for body in rig.inbox.bodies()] == [ids[1], ids[1], ids[0]]


# Stock over REST


def test_stock_write_is_blind_and_may_go_below_nothing(rig: Rig) -> None:
    product = rig.fake.add_product("MUG", 5)
    rig.fake.sell("MUG", 4)
    body = rig.call("PUT", f"/products/{product.id}", {"stock_quantity": -3}).json()
    assert (body["stock_quantity"], body["stock_status"]) == (-3, "outofstock")


@pytest.mark.parametrize("quantity", [1.5, "1.5", "many"])
def test_fraction_is_refused(rig: Rig, quantity: Any) -> None:
    product = rig.fake.add_product("MUG", 5)
    assert code(rig.call("PUT", f"/products/{product.id}", {"stock_quantity": quantity})) == (400, "rest_invalid_param")
    assert rig.fake.shown("MUG") == 5


def test_variation_is_written_below_its_product_only(rig: Rig) -> None:
    shirt = rig.fake.add_product("SHIRT", variable=True, manage_stock=False)
    large = rig.fake.add_variation(shirt, "SHIRT-L", 5)
    assert code(rig.call("PUT", f"/products/{large.id}", {"stock_quantity": 1}))[0] == 404
    assert rig.call("PUT", f"/products/{shirt.id}/variations/{large.id}", {"stock_quantity": 1}).status_code == 200
    assert rig.fake.shown("SHIRT-L") == 1


def test_batch_answers_200_with_an_error_for_each_bad_item(rig: Rig) -> None:
    mug = rig.fake.add_product("MUG", 5)
    shirt = rig.fake.add_product("SHIRT", variable=True, manage_stock=False)
    large = rig.fake.add_variation(shirt, "SHIRT-L", 5)
    items = [
        {"id": 999999, "stock_quantity": 1},
        {"id": large.id, "stock_quantity": 1},
        {"sku": "MUG", "stock_quantity": 1},
        {"id": mug.id, "stock_quantity": 7},
    ]
    response = rig.call("POST", "/products/batch", {"update": items})
    assert response.status_code == 200
    replies = response.json()["update"]
    assert [("error" in reply, reply["id"]) for reply in replies] == [
        (True, 999999),
        (True, large.id),
        (True, None),
        (False, mug.id),
    ]
    assert (rig.fake.shown("MUG"), rig.fake.shown("SHIRT-L")) == (7, 5)


@pytest.mark.parametrize(("size", "status"), [(100, 200), (101, 413)])
def test_batch_takes_a_hundred(rig: Rig, size: int, status: int) -> None:
    product = rig.fake.add_product("MUG", 5)
    update = [{"id": product.id, "stock_quantity": 1}] * size
    response = rig.call("POST", "/products/batch", {"update": update})
    assert response.status_code == status
    if status == 413:
        assert response.json()["code"] == "woocommerce_rest_request_entity_too_large"
        assert rig.fake.shown("MUG") == 5


def test_inventory_delta_loses_updates(rig: Rig) -> None:
    product = rig.fake.add_product("MUG", 100)
    path = f"/products/{product.id}"

    def parallel() -> None:
        rig.call("PUT", path, {"inventory_delta": -1})

    rig.fake.shop.between_read_and_write = parallel
    rig.call("PUT", path, {"inventory_delta": -1})
    assert rig.fake.shown("MUG") == 99


def test_number_of_what_is_not_counted_is_not_written(rig: Rig) -> None:
    product = rig.fake.add_product("MUG", manage_stock=False)
    body = rig.call("PUT", f"/products/{product.id}", {"stock_quantity": 5}).json()
    assert (body["manage_stock"], body["stock_quantity"]) == (False, None)


def test_variation_counted_with_its_product_shows_its_number(rig: Rig) -> None:
    shirt = rig.fake.add_product("SHIRT", 9, variable=True)
    large = rig.fake.add_variation(shirt, "", manage_stock=False)
    body = rig.call("GET", f"/products/{shirt.id}/variations/{large.id}").json()
    assert (body["manage_stock"], body["stock_quantity"], body["sku"]) == ("parent", 9, "SHIRT")


def test_list_by_sku_shows_variations_too(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    rig.fake.add_variation(rig.fake.add_product("SHIRT", variable=True), "SHIRT-L", 5)
    assert {body["sku"] for body in rig.call("GET", "/products", sku="MUG,SHIRT-L").json()} == {"MUG", "SHIRT-L"}
    assert {body["sku"] for body in rig.call("GET", "/products").json()} == {"MUG", "SHIRT"}


def test_second_product_of_a_sku_is_refused(rig: Rig) -> None:
    assert rig.call("POST", "/products", {"sku": "MUG"}).status_code == 201
    assert code(rig.call("POST", "/products", {"sku": "MUG"})) == (400, "product_invalid_sku")


def test_lists_come_in_pages(rig: Rig) -> None:
    for number in range(25):
        rig.fake.add_product(f"SKU-{number}")
    response = rig.call("GET", "/products", page="3", orderby="id", order="asc")
    assert (response.headers["X-WP-Total"], response.headers["X-WP-TotalPages"]) == ("25", "3")
    assert [body["sku"] for body in response.json()] == [f"SKU-{number}" for number in range(20, 25)]
    for path in ("/products", "/orders"):
        assert code(rig.call("GET", path, per_page="101")) == (400, "rest_invalid_param")
        assert code(rig.call("GET", path, orderby="colour")) == (400, "rest_invalid_param")


# Orders over REST


def test_status_moves_stock_once_each_way(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    order = rig.order("MUG", 2)
    shown = [rig.fake.shown("MUG")]
    for status in ("processing", "completed", "cancelled", "cancelled"):
        rig.call("PUT", f"/orders/{order['id']}", {"status": status})
        shown.append(rig.fake.shown("MUG"))
    assert shown == [5, 3, 3, 5, 5]


def test_unknown_status_is_refused(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    order = rig.order("MUG")
    assert code(rig.call("PUT", f"/orders/{order['id']}", {"status": "shipped"})) == (400, "rest_invalid_param")


def test_rest_orders_oversell_where_the_checkout_does_not(rig: Rig) -> None:
    rig.fake.add_product("MUG", 3)
    for _ in range(6):
        rig.order("MUG", set_paid=True)
    assert rig.fake.shown("MUG") == -3
    with pytest.raises(OutOfStock):
        rig.fake.sell("MUG", 1)


def test_identical_orders_are_two(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    assert rig.order("MUG")["id"] != rig.order("MUG")["id"]


def test_note_alone_is_no_event(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    order = rig.fake.sell("MUG", 1)
    rig.subscribe("order.updated")
    assert rig.call("POST", f"/orders/{order.id}/notes", {"note": "packed"}).status_code == 201
    assert rig.fake.deliver() == 0


@pytest.mark.parametrize(
    "refund",
    [{"amount": "12.50"}, {"amount": "12.50", "api_refund": True}, {"amount": "12.51", "api_refund": False}],
)
def test_refund_beyond_the_gateway_or_the_total_is_a_lasting_500(rig: Rig, refund: Any) -> None:
    rig.fake.add_product("MUG", 5)
    order = rig.fake.sell("MUG", 1)
    for _ in range(2):
        response = rig.call("POST", f"/orders/{order.id}/refunds", refund)
        assert code(response) == (500, "woocommerce_rest_cannot_create_order_refund")


def test_refund_of_a_line_restocks_and_of_an_amount_does_not(rig: Rig) -> None:
    rig.subscribe("order.updated")
    rig.fake.add_product("MUG", 5)
    order = rig.fake.sell("MUG", 2)
    rig.fake.deliver()
    line = order.body["line_items"][0]["id"]
    items = [{"id": line, "quantity": 1, "refund_total": "12.50"}]
    path = f"/orders/{order.id}/refunds"
    first = rig.call("POST", path, {"amount": "12.50", "api_refund": False, "line_items": items})
    assert (first.status_code, rig.fake.shown("MUG")) == (201, 4)
    rig.inbox.received.clear()
    rig.call("POST", path, {"amount": "12.50", "api_refund": False})
    assert rig.fake.shown("MUG") == 4
    rig.fake.deliver()
    [body] = rig.inbox.bodies()
    assert (body["status"], [refund["total"] for refund in body["refunds"]]) == ("refunded", ["-12.50", "-12.50"])


def test_refunds_are_read_by_our_client(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    order = rig.fake.sell("MUG", 2)
    items = [{"id": order.body["line_items"][0]["id"], "quantity": 1, "refund_total": "12.50"}]
    rig.call("POST", f"/orders/{order.id}/refunds", {"amount": "12.50", "api_refund": False, "line_items": items})
    fetched = WooCommerceClient("borealis", "shop.example", _keys, rig.http, rig.time).fetch_order(str(order.id))
    assert fetched is not None
    reading = read_order(fetched)
    assert isinstance(reading, CompleteOrder)
    assert [(refund.lines_known, len(refund.lines)) for refund in reading.order.refunds] == [(True, 1)]


def _keys(*, fresh: bool = False) -> Mapping[str, str]:
    return KEYS


def test_orders_are_listed_by_change_in_the_shops_time_unless_told(rig: Rig) -> None:
    rig.fake.add_product("MUG", 9)
    early = rig.fake.sell("MUG", 1)
    rig.time.pass_(60)
    late = rig.fake.sell("MUG", 1)
    filters = {"modified_after": "2026-11-23T09:00:30", "orderby": "modified", "order": "asc"}
    listed = rig.call("GET", "/orders", dates_are_gmt="true", **filters).json()
    assert [body["id"] for body in listed] == [late.id]
    misread = rig.call("GET", "/orders", **filters).json()
    assert [body["id"] for body in misread] == [early.id, late.id]


# Trouble


def test_wrong_key_is_refused(rig: Rig) -> None:
    response = rig.http.get(BASE + "/products", auth=(CONSUMER_KEY, "cs_wrong"))
    assert response.status_code == 401
    assert rig.fake.requests == []


def _write(rig: Rig) -> httpx.Response:
    product = rig.fake.shop.by_sku("MUG")
    assert product is not None
    return rig.call("PUT", f"/products/{product.id}", {"stock_quantity": 1})


def test_throttled_request_has_no_effect(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    rig.fake.troubles.plan(throttled("7"))
    response = _write(rig)
    assert (response.status_code, response.headers["retry-after"], rig.fake.shown("MUG")) == (429, "7", 5)
    assert _write(rig).status_code == 200


@pytest.mark.parametrize(("after", "shown"), [(False, 5), (True, 1)])
def test_failure_comes_before_or_after_the_effect(rig: Rig, shown: int, *, after: bool) -> None:
    rig.fake.add_product("MUG", 5)
    rig.fake.troubles.plan(failing(502, after=after))
    assert (_write(rig).status_code, rig.fake.shown("MUG")) == (502, shown)


@pytest.mark.parametrize(("after", "shown"), [(False, 5), (True, 1)])
def test_silence_comes_before_or_after_the_effect(rig: Rig, shown: int, *, after: bool) -> None:
    rig.fake.add_product("MUG", 5)
    rig.fake.troubles.plan(silent(after=after))
    with pytest.raises(httpx.ReadTimeout):
        _write(rig)
    assert rig.fake.shown("MUG") == shown


def test_slow_answer_takes_its_time(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    began = rig.time()
    rig.fake.troubles.plan(slow(9.0))
    assert _write(rig).status_code == 200
    assert rig.time() - began == timedelta(seconds=9)


def test_shop_is_served_on_loopback(rig: Rig) -> None:
    product = rig.fake.add_product("MUG", 5)
    server = rig.fake.serve()
    try:
        base = f"http://127.0.0.1:{server.port}/wp-json/wc/v3"
        with httpx.Client(auth=(CONSUMER_KEY, CONSUMER_SECRET), trust_env=False) as http:
            assert http.put(f"{base}/products/{product.id}", json={"stock_quantity": 3}).json()["stock_quantity"] == 3
            rig.fake.troubles.plan(silent(after=True))
            with pytest.raises(httpx.RemoteProtocolError):
                http.put(f"{base}/products/{product.id}", json={"stock_quantity": 2})
            assert http.get(f"{base}/products/{product.id}").json()["stock_quantity"] == 2
    finally:
        server.close()


def test_receiver_may_ask_the_shop_while_a_delivery_is_under_way(rig: Rig) -> None:
    asked: list[int] = []
    rig.fake.add_product("MUG", 5)
    server = rig.fake.serve()

    def receive(url: str, headers: Mapping[str, str], body: bytes) -> int:
        with httpx.Client(auth=(CONSUMER_KEY, CONSUMER_SECRET), trust_env=False, timeout=5) as http:
            asked.append(http.get(f"http://127.0.0.1:{server.port}/wp-json/wc/v3/orders").status_code)
        return 200

    rig.subscribe("order.created")
    rig.fake.webhooks.send = receive
    rig.fake.sell("MUG", 1)
    try:
        rig.fake.deliver()
    finally:
        server.close()
    assert asked == [200]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/orders/999999", (404, "woocommerce_rest_shop_order_invalid_id")),
        ("/products/999999", (404, "woocommerce_rest_product_invalid_id")),
        ("/coupons", (404, "rest_no_route")),
    ],
)
def test_what_there_is_not(rig: Rig, path: str, expected: tuple[int, str]) -> None:
    assert code(rig.call("GET", path)) == expected
