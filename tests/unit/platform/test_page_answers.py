"""Pages over HTTP: what a browser is told of them, and how a form is read."""

import base64
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import Rejected
from shared.platform import http


def event(body: str = "", *, encoded: bool = False, **fields: Any) -> dict[str, Any]:
    return {"headers": {}, "body": body, "isBase64Encoded": encoded, **fields}


def test_a_page_may_load_and_run_nothing_and_is_not_kept() -> None:
    answer = http.page(HTTPStatus.OK, "<p>你好</p>", language="zh", style_hash="sha256-abc=")
    assert (answer["statusCode"], answer["body"]) == (200, "<p>你好</p>")
    headers = answer["headers"]
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-security-policy"].split("; ") == [
        "default-src 'none'",
        "style-src 'sha256-abc='",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    expected = {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex, nofollow",
    }
    assert expected.items() <= headers.items()
    assert "retry-after" not in headers


def test_a_page_that_asks_to_come_again_says_when() -> None:
    answer = http.page(HTTPStatus.SERVICE_UNAVAILABLE, "", language="en", style_hash="x")
    assert answer["headers"]["retry-after"] == "60"


@pytest.mark.parametrize("encoded", [False, True])
def test_a_field_is_read_from_a_form_as_the_gateway_hands_it_on(encoded: bool) -> None:
    body = "action=confirm&other=%E4%BD%A0"
    sent = base64.b64encode(body.encode()).decode() if encoded else body
    assert http.form_field(event(sent, encoded=encoded), "action") == "confirm"
    assert http.form_field(event(sent, encoded=encoded), "other") == "你"


@pytest.mark.parametrize("body", ["", "action=", "action", "action=a&action=b", "Action=confirm"])
def test_a_field_that_is_not_there_just_once_is_none(body: str) -> None:
    assert http.form_field(event(body), "action") is None


@pytest.mark.parametrize(
    ("body", "code"),
    [("a=" + "x" * 1000, "body_too_large"), ("&".join("a=1" for _ in range(9)), "invalid_body"),
     ("a=%ff", "invalid_body"), ("a=é", "invalid_body")],
)  # fmt: skip
def test_a_form_that_is_none_is_refused(body: str, code: str) -> None:
    with pytest.raises(Rejected, match=code):
        http.form_field(event(body), "a")


@given(st.text(max_size=200))
def test_any_body_is_a_field_none_or_refused(body: str) -> None:
    try:
        found = http.form_field(event(body), "action")
    except Rejected:
        return
    assert found is None or found


def test_the_languages_are_those_of_the_address_and_the_header() -> None:
    assert http.languages_asked(event()) == (None, None)
    asked = event(headers={"Accept-Language": "zh"}, queryStringParameters={"lang": "en"})
    assert http.languages_asked(asked) == ("en", "zh")
    assert http.languages_asked(event(queryStringParameters=None)) == (None, None)
