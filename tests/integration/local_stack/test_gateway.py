"""Payload format 2.0, both ways."""

import base64
import json
from typing import Any

import pytest

from infra.local.gateway import Request, Routes, to_answer, to_event
from infra.local.outcomes import Outcome
from infra.local.template import Route

FAILED = b'{"message": "Internal Server Error"}'
ORDERS = Route("POST", "/webhooks/{shop}/orders", "orders")


def event_of(body: bytes = b"", *headers: tuple[str, str], target: str = "/webhooks/aurora/orders") -> dict[str, Any]:
    return to_event(Request("POST", target, headers, body, "127.0.0.1"), ORDERS, {"shop": "aurora"})


def test_header_names_are_lower_case_and_repeated_ones_are_joined() -> None:
    event = event_of(b"", ("X-Shopify-Topic", "orders/create"), ("X-More", "a"), ("x-more", "b"), ("Cookie", "c=1"))
    assert event["headers"] == {"x-shopify-topic": "orders/create", "x-more": "a,b"}
    assert event["cookies"] == ["c=1"]


@pytest.mark.parametrize(
    ("content_type", "encoded"),
    [
        ("application/json", False),
        ("application/json; charset=utf-8", False),
        ("application/vnd.api+json", False),
        ("text/plain", False),
        ("application/xml", False),
        ("application/x-www-form-urlencoded", True),
        ("application/octet-stream", True),
        ("", True),
    ],
)
def test_only_text_types_travel_as_text(content_type: str, encoded: bool) -> None:
    event = event_of("é".encode(), ("Content-Type", content_type))
    assert event["isBase64Encoded"] is encoded
    assert event["body"] == (base64.b64encode("é".encode()).decode() if encoded else "é")


def test_bytes_that_are_no_text_are_kept_whatever_their_type_says() -> None:
    event = event_of(b"\xff\xfe", ("Content-Type", "application/json"))
    assert (event["isBase64Encoded"], base64.b64decode(event["body"])) == (True, b"\xff\xfe")


def test_what_is_empty_is_left_out() -> None:
    assert not {"body", "cookies", "queryStringParameters"} & event_of().keys()


def test_the_route_and_the_path_are_told() -> None:
    event = event_of(target="/webhooks/aurora/orders?a=1&a=2&b=")
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "POST /webhooks/{shop}/orders"
    assert (event["rawPath"], event["rawQueryString"]) == ("/webhooks/aurora/orders", "a=1&a=2&b=")
    assert event["queryStringParameters"] == {"a": "1,2", "b": ""}


def test_the_most_precise_route_is_taken() -> None:
    routes = Routes((
        Route("ANY", "$default", "rest"),
        Route("GET", "/files/{path+}", "files"),
        Route("POST", "/webhooks/{shop}/orders", "orders"),
        Route("POST", "/webhooks/test/orders", "test"),
    ))  # fmt: skip

    def function(method: str, path: str) -> tuple[str, dict[str, str]] | None:
        found = routes.find(method, path)
        return (found[0].function, found[1]) if found else None

    assert function("POST", "/webhooks/test/orders") == ("test", {})
    assert function("POST", "/webhooks/a%2Fb/orders") == ("orders", {"shop": "a/b"})
    assert function("GET", "/files/a/b.txt") == ("files", {"path": "a/b.txt"})
    assert function("GET", "/webhooks/x/orders") == ("rest", {})
    assert Routes((ORDERS,)).find("GET", "/webhooks/x/orders") is None


@pytest.mark.parametrize(
    ("reply", "status", "body", "content_type"),
    [
        ({"statusCode": 204}, 204, b"", "text/plain;charset=UTF-8"),
        ({"statusCode": "202", "body": "ok"}, 202, b"ok", "text/plain;charset=UTF-8"),
        ({"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": "é"}, 200, "é".encode(), "text/html"),
        ({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, b"\x00\xff", "text/plain;charset=UTF-8"),
        ({"anything": 1}, 200, b'{"anything": 1}', "application/json"),
        ([1], 200, b"[1]", "application/json"),
        ({"statusCode": "many"}, 500, FAILED, "application/json"),
        ({"statusCode": 200, "body": {"not": "text"}}, 500, FAILED, "application/json"),
    ],
)  # fmt: skip
def test_a_reply_becomes_an_answer(reply: Any, status: int, body: bytes, content_type: str) -> None:
    answer = to_answer(Outcome(json.dumps(reply).encode()))
    assert (answer.status, answer.body, answer.headers["content-type"]) == (status, body, content_type)


def test_cookies_are_set_one_by_one() -> None:
    answer = to_answer(Outcome(b'{"statusCode": 200, "cookies": ["a=1", "b=2"]}'))
    assert answer.cookies == ("a=1", "b=2")
