"""API Gateway's events in, and answers that storefronts understand out."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import Conflict, Rejected, Retry
from shared.platform.http import accepted, refused, webhook_request


@given(st.binary(max_size=500))
def test_a_base64_body_is_read_to_the_byte(body: bytes) -> None:
    """The signature is over these bytes: UTF-8 or not."""
    event = {"headers": {}, "isBase64Encoded": True, "body": base64.b64encode(body).decode()}
    assert webhook_request(event).body == body


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_text_body_is_utf_8(text: str) -> None:
    assert webhook_request({"headers": {}, "isBase64Encoded": False, "body": text}).body == text.encode()


@pytest.mark.parametrize("event", [{}, {"body": None}, {"body": ""}, {"body": "", "isBase64Encoded": True}])
def test_no_body_is_an_empty_one(event: dict[str, Any]) -> None:
    request = webhook_request(event)
    assert (request.body, request.headers) == (b"", {})


@pytest.mark.parametrize("body", ["@@@@", "abc", "YWJj\n=YWJj", "YWJjZA"])
def test_a_body_that_is_not_base64_is_refused(body: str) -> None:
    with pytest.raises(Rejected, match="invalid_body") as caught:
        webhook_request({"headers": {}, "isBase64Encoded": True, "body": body})
    assert refused(caught.value)["statusCode"] == 400


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(Rejected, match="invalid_body"):
        webhook_request({"headers": {}, "body": json.loads('"\\ud800"')})


def test_header_names_are_lower_case_and_values_as_sent() -> None:
    event = {"headers": {"X-Shopify-Topic": "Orders/Create", "content-TYPE": "application/JSON"}, "body": "{}"}
    assert webhook_request(event).headers == {"x-shopify-topic": "Orders/Create", "content-type": "application/JSON"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Rejected("unauthorised", "no"), 401),
        (Rejected("wrong_shop", "no"), 403),
        (Rejected("unknown_shop", "no"), 404),
        (Rejected("body_too_large", "no"), 413),
        (Rejected("unsupported_media_type", "no"), 415),
        (Rejected("unsupported_topic", "no"), 422),
        (Rejected("invalid_json", "no"), 400),
        (Rejected("json_too_deep", "no"), 400),
        (Rejected("anything_else", "no"), 400),
        (Retry("aws_unreachable", "secret inner workings"), 503),
        (Conflict("changed_meanwhile", "secret inner workings"), 503),
    ],
)
def test_what_will_never_do_is_a_4xx_and_what_may_do_later_a_503(
    error: Rejected | Retry | Conflict, status: int
) -> None:
    response = refused(error)
    body = json.loads(response["body"])
    assert response["statusCode"] == status
    assert body["error"] == (error.code if status < 500 else "try_again")
    assert "inner workings" not in response["body"]


def test_success_is_200_and_is_kept_by_no_cache() -> None:
    """WooCommerce takes nothing but 200 for its ping."""
    response = accepted()
    assert response["statusCode"] == 200
    assert response["headers"] == {"content-type": "application/json", "cache-control": "no-store"}
    assert json.loads(response["body"]) == {"status": "accepted"}
