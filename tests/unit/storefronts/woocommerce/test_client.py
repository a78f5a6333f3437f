"""What we ask of a WooCommerce shop, and what we make of its answers."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from infra.samples import woocommerce as build
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.port import CompleteOrder, StorefrontClient
from shared.storefronts.woocommerce.client import WooCommerceClient
from shared.storefronts.woocommerce.mapping import read_order

NOW = datetime(2026, 11, 23, 9, 3, tzinfo=UTC)
NOT_FOUND = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}


class Keys:
    """Credentials that are changed in the store once the first are refused."""

    def __init__(self, *generations: Mapping[str, str]) -> None:
        self._generations = list(generations) or [{"consumer_key": "ck_1", "consumer_secret": "cs_1"}]
        self.asked: list[bool] = []

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]:
        self.asked.append(fresh)
        if fresh and len(self._generations) > 1:
            self._generations.pop(0)
        return self._generations[0]


class Shop:
    """A shop's REST API that answers each path from a list, and remembers what it was asked."""

    def __init__(self, **answers: list[httpx.Response] | Callable[[httpx.Request], httpx.Response]) -> None:
        self._answers = answers
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers["refunds" if request.url.path.endswith("/refunds") else "order"]
        return answer(request) if callable(answer) else answer.pop(0)


def ok(body: Any, **headers: str) -> httpx.Response:
    raw = body if isinstance(body, bytes) else build.encode(body)
    return httpx.Response(200, content=raw, headers={"content-type": "application/json", **headers})


def client(shop: Shop, *, address: str = "shop.example", keys: Keys | None = None) -> StorefrontClient:
    http = httpx.Client(transport=httpx.MockTransport(shop))
    return WooCommerceClient("aurora", address, keys or Keys(), http, lambda: NOW)


def rejection(*answers: httpx.Response, refunds: list[httpx.Response] | None = None) -> Rejected:
    with pytest.raises(Rejected) as refusal:
        client(Shop(order=list(answers), refunds=refunds or [])).fetch_order("18")
    return refusal.value


def test_order_is_fetched_as_a_delivery() -> None:
    shop = Shop(order=[ok(build.order())])
    delivery = client(shop).fetch_order("18")
    assert delivery is not None
    assert (delivery.shop, delivery.platform, delivery.topic) == ("aurora", "woocommerce", "order.updated")
    assert delivery.fetched
    assert delivery.received_at == "2026-11-23T09:03:00.000000000Z"
    assert json.loads(delivery.body) == build.order() | {
        "line_items": [build.line(price="12.5")],
    }
    [request] = shop.requests
    assert str(request.url) == "https://shop.example/wp-json/wc/v3/orders/18"
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"ck_1:cs_1").decode()


@pytest.mark.parametrize("address", ["https://shop.example/pl/", "http://shop.example/pl", "shop.example/pl"])
def test_address_may_have_scheme_and_path_but_is_always_called_over_tls(address: str) -> None:
    shop = Shop(order=[ok(build.order())])
    client(shop, address=address).fetch_order("18")
    assert str(shop.requests[0].url) == "https://shop.example/pl/wp-json/wc/v3/orders/18"


def test_same_account_has_the_same_bytes() -> None:
    body = build.order()
    reordered = dict(reversed(body.items()))
    first = client(Shop(order=[ok(body)])).fetch_order("18")
    second = client(Shop(order=[ok(reordered)])).fetch_order("18")
    assert first is not None
    assert second is not None
    assert first.body == second.body


def test_no_digit_is_lost_on_the_way() -> None:
    raw = build.encode(build.order()).replace(b'"price":12.5', b'"price":12.333333333333334000001')
    delivery = client(Shop(order=[ok(raw)])).fetch_order("18")
    assert delivery is not None
    assert b'"price":"12.333333333333334000001"' in delivery.body


def test_refunds_are_added_from_all_pages_and_read() -> None:
    first = build.refund_detail(id=16, line_items=[build.refunded_line(1)])
    second = build.refund_detail(id=17, amount="5.00")
    shop = Shop(
        order=[
            ok(
                build.order(
                    line_items=[build.line(quantity=3, subtotal="37.50", total="37.50")],
                    refunds=[build.refund_summary(id=17, total="-5.00"), build.refund_summary(id=16)],
                )
            )
        ],
        refunds=[ok([first], **{"X-WP-TotalPages": "2"}), ok([second], **{"X-WP-TotalPages": "2"})],
    )
    delivery = client(shop).fetch_order("18")
    assert delivery is not None
    assert [dict(request.url.params) for request in shop.requests[1:]] == [
        {"per_page": "100", "page": str(page), "orderby": "id", "order": "asc"} for page in (1, 2)
    ]
    assert shop.requests[1].url.path == "/wp-json/wc/v3/orders/18/refunds"
    reading = read_order(delivery)
    assert isinstance(reading, CompleteOrder)
    assert [(refund.id, refund.lines_known, len(refund.lines)) for refund in reading.order.refunds] == [
        ("17", True, 0),
        ("16", True, 1),
    ]


def test_order_without_refunds_costs_one_request() -> None:
    shop = Shop(order=[ok(build.order())], refunds=[])
    client(shop).fetch_order("18")
    assert len(shop.requests) == 1


@pytest.mark.parametrize("pages", ["101", "-1", "many", "99999999999"])
def test_absurd_page_count_is_not_followed(pages: str) -> None:
    refusal = rejection(
        ok(build.order(refunds=[build.refund_summary()])),
        refunds=[ok([build.refund_detail()], **{"X-WP-TotalPages": pages})],
    )
    assert refusal.code == "api_error"


def test_order_that_is_gone() -> None:
    assert client(Shop(order=[httpx.Response(404, json=NOT_FOUND)])).fetch_order("18") is None


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={"code": "rest_no_route", "data": {"status": 404}}),
        httpx.Response(404, text="<html>Not Found</html>"),
        httpx.Response(404, json=[]),
        httpx.Response(404, json={"code": ["woocommerce_rest_shop_order_invalid_id"]}),
    ],
)
def test_another_404_is_a_wrong_address(answer: httpx.Response) -> None:
    refusal = rejection(answer)
    assert refusal.code == "api_error"
    assert "permalinks" in str(refusal.hint)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_not_followed(status: int) -> None:
    shop = Shop(order=[httpx.Response(status, headers={"location": "https://www.shop.example/"})])
    with pytest.raises(Rejected) as refusal:
        client(shop).fetch_order("18")
    assert refusal.value.code == "api_error"
    assert "address" in str(refusal.value.hint)
    assert len(shop.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"<html>maintenance</html>"),
        ok(b"\xef\xbb\xbf{}"),
        ok([build.order()]),
        ok(b"null"),
        httpx.Response(204),
        httpx.Response(400, json={"code": "rest_invalid_param"}),
    ],
)
def test_strange_answer_is_an_error_of_the_api(answer: httpx.Response) -> None:
    assert rejection(answer).code == "api_error"


def test_refunds_that_are_no_list_are_an_error_of_the_api() -> None:
    order = ok(build.order(refunds=[build.refund_summary()]))
    assert rejection(order, refunds=[ok({"16": build.refund_detail()})]).code == "api_error"


def test_message_quotes_nothing_of_a_strange_answer_but_a_plain_code() -> None:
    refusal = rejection(httpx.Response(400, json={"code": "Zoë <zoe@example.test>", "message": "Zoë"}))
    assert "Zoë" not in str(refusal)
    assert "rest_invalid_param" in str(rejection(httpx.Response(400, json={"code": "rest_invalid_param"})))


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_is_read_again_once(status: int) -> None:
    keys = Keys(
        {"consumer_key": "ck_old", "consumer_secret": "cs_old"}, {"consumer_key": "ck_new", "consumer_secret": "cs_new"}
    )
    old = "Basic " + base64.b64encode(b"ck_old:cs_old").decode()

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if request.headers["authorization"] == old else ok(build.order())

    assert client(Shop(order=answer), keys=keys).fetch_order("18") is not None
    assert keys.asked == [False, True]


def test_key_that_stays_refused() -> None:
    assert rejection(httpx.Response(401), httpx.Response(401)).code == "api_access"


def test_missing_key_is_named() -> None:
    with pytest.raises(Rejected, match="consumer_secret") as refusal:
        client(Shop(order=[]), keys=Keys({"consumer_key": "ck_1"})).fetch_order("18")
    assert refusal.value.code == "api_access"
    assert "ck_1" not in str(refusal.value)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_passing_failure_is_to_be_tried_again(status: int) -> None:
    with pytest.raises(Retry):
        client(Shop(order=[httpx.Response(status)])).fetch_order("18")


def test_failure_of_the_second_request_loses_no_refund() -> None:
    shop = Shop(order=[ok(build.order(refunds=[build.refund_summary()]))], refunds=[httpx.Response(500)])
    with pytest.raises(Retry):
        client(shop).fetch_order("18")


def test_silent_shop_is_to_be_tried_again() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow", request=request)

    with pytest.raises(Retry, match="ReadTimeout"):
        client(Shop(order=answer)).fetch_order("18")


@pytest.mark.parametrize("order_id", ["", "0", "-1", "18/../../users", "18?x=1", " 18", "18\n", "١٨", "1" * 21])
def test_strange_order_id_is_never_put_into_a_url(order_id: str) -> None:
    shop = Shop(order=[])
    with pytest.raises(Rejected) as refusal:
        client(shop).fetch_order(order_id)
    assert refusal.value.code == "invalid_order_id"
    assert shop.requests == []
