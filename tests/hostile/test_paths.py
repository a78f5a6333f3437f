"""No id of somebody else's leads a request of ours to another resource, and none breaks out of its key."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import httpx
import pytest

from infra.fakes.paypal import CLIENT_ID, CLIENT_SECRET
from shared.inventory import stocktake_csv
from shared.kernel.errors import Rejected, StorebridgeError
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.payments.paypal.client import PayPalClient
from shared.payments.port import AccountContext
from shared.payments.stripe.client import StripeClient
from shared.platform import errand_queue
from shared.storefronts.shopify.client import ShopifyClient
from shared.storefronts.shopify.customers import ShopifyCustomers
from shared.storefronts.woocommerce.client import WooCommerceClient
from shared.storefronts.woocommerce.customers import WooCommerceCustomers
from shared.storefronts.woocommerce.fulfilment import WooCommerceFulfilment
from shared.storefronts.woocommerce.subscriptions import WooCommerceSubscriptions
from shared.webhooks.delivery import stored_key
from tests.builders.orders import NOON
from tests.contract.storefronts.fulfilment_shops import dispatch

IDS = (
    *(
        "../users/1",
        "1/../../users",
        "..",
        ".",
        "",
        "/",
        "//evil.example/",
        "1?context=edit&_method=DELETE",
        "1#2",
        "1%2F2",
    ),
    *(
        "1%2e%2e/users",
        "1;x",
        "1\\..\\users",
        "@evil.example",
        "1\r\nHost: evil.example",
        "1\0",
        "１２",
        "١٢",
        "1 2",
        "-1",
    ),
    *("é", "\u202e1", "9" * 300, "x" * 300, "{id}", "${x}", "%s", "*", "1,2", "1'--", '1"}}'),
)
WOO = {"consumer_key": "ck_1", "consumer_secret": "cs_1"}


class Wire:
    """Answers nothing that anybody asked for, and notes where it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path.endswith("/oauth2/token"):
            return httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
        return httpx.Response(
            404, json={"code": "woocommerce_rest_shop_order_invalid_id", "name": "RESOURCE_NOT_FOUND"}
        )

    @property
    def http(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))


def _woo(wire: Wire) -> tuple[Any, ...]:
    return "borealis", "shop.example", lambda **_: WOO, wire.http, lambda: NOON


CALLS: Mapping[str, tuple[str, Callable[[Wire, str], object]]] = {
    "woocommerce order": ("/orders/", lambda wire, each: WooCommerceClient(*_woo(wire)).fetch_order(each)),
    "woocommerce customer": ("/customers/", lambda wire, each: WooCommerceCustomers(*_woo(wire)).fetch(each)),
    "woocommerce shipment": (
        "/orders/",
        lambda wire, each: WooCommerceFulfilment(*_woo(wire)).tell_dispatched(
            each, [dispatch(1, {"1": 1})], known={}, notify_buyer=False
        ),
    ),
    "woocommerce cancellation": ("/orders/", lambda wire, each: WooCommerceFulfilment(*_woo(wire)).cancel(each, "no")),
    "woocommerce subscription": (
        "/webhooks/",
        lambda wire, each: WooCommerceSubscriptions("shop.example", lambda **_: WOO, wire.http).delete(each),
    ),
    "stripe payment": (
        "/v1/",
        lambda wire, each: StripeClient(
            AccountContext("stripe-eu"), None, lambda **_: {"secret_key": "sk"}, wire.http, lambda: NOON
        ).payment(each),
    ),
    "paypal payment": (
        "/v2/",
        lambda wire, each: PayPalClient(
            AccountContext("paypal-eu"),
            None,
            lambda **_: {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
            wire.http,
            lambda: NOON,
        ).payment(each),
    ),
}


@pytest.mark.parametrize("each", IDS)
@pytest.mark.parametrize("name", CALLS)
def test_an_id_stays_one_part_of_the_address(name: str, each: str) -> None:
    resource, ask = CALLS[name]
    wire = Wire()
    with suppress(StorebridgeError):
        ask(wire, each)
    for request in wire.asked:
        if request.url.path.endswith("/oauth2/token"):
            continue
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        assert resource in path
        tail = path.rpartition(resource)[2]
        assert tail, "a list in place of the one thing"
        assert not set(tail) & set("?#;@\\ "), path
        assert ".." not in path
        assert "%2f" not in path.lower()
        assert "_method" not in str(request.url)
        assert request.url.host in {"shop.example", "api.stripe.com", "api-m.paypal.com"}
        assert not any("evil" in value for value in request.headers.values())


@pytest.mark.parametrize("each", IDS)
def test_an_id_is_a_variable_of_a_graphql_query_and_no_part_of_it(each: str) -> None:
    assert queries(each) == queries("1")


def queries(each: str) -> list[str]:
    wire = Wire()
    token: Callable[..., dict[str, str]] = lambda **_: {"access_token": "t"}  # noqa: E731
    with suppress(StorebridgeError):
        ShopifyClient("aurora", "aurora.myshopify.com", token, wire.http, lambda: NOON).fetch_order(each)
    with suppress(StorebridgeError):
        ShopifyCustomers("aurora", "aurora.myshopify.com", token, wire.http, lambda: NOON).fetch(each)
    assert {request.url.path for request in wire.asked} == {"/admin/api/2026-10/graphql.json"}
    return [json.loads(request.content)["query"] for request in wire.asked]


@pytest.mark.parametrize("each", [*IDS, "aurora/../borealis", "aurora//1", "aurora/customer/1/2", "aurora#1/1", "A/1"])
def test_a_key_is_read_as_the_one_thing_that_it_names_or_refused(each: str) -> None:
    for text in (each, f"aurora/{each}", f"{each}/1"):
        for kind in (OrderKey, CustomerKey):
            with suppress(Rejected):
                key = kind.parse(text)
                assert str(key) == text
                assert key.shop.isascii()
                assert not set(key.shop) & set("/#%. ")
                assert str(key).isprintable()
                assert len(str(key)) <= 300


@pytest.mark.parametrize("each", [*IDS, "oversize/../orders/x.json", "orders/2026/x.json", "oversize/x.json.gz"])
def test_a_pointer_names_a_stored_message_and_no_other_object(each: str) -> None:
    assert stored_key(json.dumps({"stored": each})) is None
    assert stored_key(json.dumps({"stored": f"oversize/{each}.json"})) in (None, f"oversize/{each}.json")


@pytest.mark.parametrize("each", IDS)
def test_an_errand_about_a_shop_that_cannot_be_is_none(each: str) -> None:
    with pytest.raises(Rejected):
        errand_queue.parse(json.dumps({"what": "order", "shop": each, "order_id": "1"}))


TRIGGERS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    " =1",
    "\u3000=1",
    '"=1',
    "'=1",
    "''=1",
)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_no_cell_of_a_stocktake_s_sheet_runs_and_each_comes_back(trigger: str) -> None:
    content = stocktake_csv.write(("sku", "counted"), [(trigger, 1), ("PLAIN", -5)])
    text = content.decode("utf-8-sig")
    assert f"'{trigger}" in text.replace('""', '"')
    assert "PLAIN,-5" in text, "numbers stay numbers"
    if trigger.isprintable() and trigger == trigger.strip(" "):
        [row, _] = [*stocktake_csv.read_counts(content.replace(b"-5", b"5"))]
        assert row.sku == trigger
