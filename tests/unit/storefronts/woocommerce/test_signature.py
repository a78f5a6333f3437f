"""Who is let in at WooCommerce's door."""

import base64
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.samples import woocommerce as build
from shared.kernel.errors import Rejected
from shared.storefronts.woocommerce import subscriptions
from shared.storefronts.woocommerce.signature import (
    CUSTOMER_TOPICS,
    ORDER_TOPICS,
    authenticate,
    authenticate_customers,
    request_headers,
)
from shared.webhooks.ingress import Authenticated, Ingress, Ping, WebhookRequest, sign_hmac_sha256

ROOT = Path(__file__).parents[4]
CAPTURED = ROOT.parent / "shared" / "fixtures" / "captured"
CAPTURED_ADDRESS = "127.0.0.1:18443"


def captured(path: Path) -> WebhookRequest:
    record: dict[str, Any] = json.loads(path.read_text("utf-8"))
    headers = {name.lower(): value for name, value in record["headers"]}
    return WebhookRequest(headers=headers, body=base64.b64decode(record["body_base64"]))


def captured_secret() -> str:
    return (CAPTURED / "wc-SECRET.txt").read_text("utf-8")


def code_of(
    request: WebhookRequest, *, secrets: tuple[str, ...] = (build.SECRET,), address: str = build.ADDRESS
) -> str:
    with pytest.raises(Rejected) as refusal:
        authenticate(request, secrets=secrets, shop_address=address)
    return refusal.value.code


@pytest.mark.parametrize("path", sorted(CAPTURED.glob("wc-order.*.json")), ids=lambda path: path.stem)
def test_captured_order_delivery_is_authentic(path: Path) -> None:
    request = captured(path)
    outcome = authenticate(request, secrets=["other", captured_secret()], shop_address=CAPTURED_ADDRESS)
    assert isinstance(outcome, Authenticated)
    assert outcome.topic == request.headers["x-wc-webhook-topic"]
    assert outcome.delivery_id == request.headers["x-wc-webhook-delivery-id"]
    tampered = WebhookRequest(headers=request.headers, body=request.body.replace(b'"id"', b'"iD"', 1))
    assert code_of(tampered, secrets=(captured_secret(),), address=CAPTURED_ADDRESS) == "unauthorised"


@pytest.mark.parametrize("path", sorted(CAPTURED.glob("wc-[cp][ur]*.json")), ids=lambda path: path.stem)
def test_captured_delivery_of_another_resource_is_not_taken(path: Path) -> None:
    assert code_of(captured(path), secrets=(captured_secret(),), address=CAPTURED_ADDRESS) == "unsupported_topic"


@pytest.mark.parametrize("path", sorted(CAPTURED.glob("wc-ping-*.json")), ids=lambda path: path.stem)
def test_captured_ping_is_a_ping(path: Path) -> None:
    assert isinstance(authenticate(captured(path), secrets=[], shop_address=CAPTURED_ADDRESS), Ping)


def test_signature_of_a_known_vector() -> None:
    """Computed with `openssl dgst -sha256 -hmac`, so that signing is not only checked against itself."""
    assert sign_hmac_sha256(b'{"id":14}', "wh-secret-1") == "AHT49MhvBTUK/7xUX+OvvU3G7dR2uVK13zprd6eQ7jk="


def test_the_function_is_an_ingress() -> None:
    ingress: Ingress = authenticate
    outcome = ingress(build.request(build.order()), secrets=[build.SECRET], shop_address=build.ADDRESS)
    assert outcome == Authenticated(topic="order.updated", delivery_id="6e58d384547f3288ae457f1df1a1ac14")


@given(body=st.binary(max_size=200), secret=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_every_body_verifies_with_its_secret_and_with_no_other(body: bytes, secret: str) -> None:
    request = build.request(body, secret=secret)
    assert isinstance(
        authenticate(request, secrets=["old", secret], shop_address=build.ADDRESS),
        Authenticated,
    )
    assert code_of(request, secrets=(secret + "x", "old", "")) == "unauthorised"


@pytest.mark.parametrize("signature", ["", "x", "é", "====", "a,b", base64.b64encode(b"0" * 32).decode()])
def test_strange_signature_is_refused(signature: str) -> None:
    request = build.request(build.order(), x_wc_webhook_signature=signature)
    assert code_of(request) == "unauthorised"


def test_without_any_secret_nobody_is_let_in() -> None:
    assert code_of(build.request(b"{}", secret=""), secrets=()) == "unauthorised"
    assert code_of(build.request(b"{}", secret=""), secrets=("",)) == "unauthorised"


def test_a_missing_signature_is_no_ping() -> None:
    headers = {
        name: value
        for name, value in request_headers(b"{}", "s", source=build.ADDRESS).items()
        if name != "x-wc-webhook-signature"
    }
    assert code_of(WebhookRequest(headers=headers, body=b"{}")) == "unauthorised"


def test_signature_is_judged_before_anything_else() -> None:
    request = build.request(
        b"{}", secret="wrong", source="https://other.example", topic="product.updated", content_type="text/plain"
    )
    assert code_of(request) == "unauthorised"


@pytest.mark.parametrize("webhook_id", [1, 10**20 - 1])
def test_ping_needs_no_secret(webhook_id: int) -> None:
    assert isinstance(authenticate(build.ping(webhook_id), secrets=[], shop_address=build.ADDRESS), Ping)


@pytest.mark.parametrize(
    "body",
    [b"", b"webhook_id=", b"webhook_id=1\n", b"webhook_id=1&x=2", b"webhook_id=" + b"1" * 21, "webhook_id=١".encode()],
)
def test_nothing_else_passes_as_a_ping(body: bytes) -> None:
    assert code_of(WebhookRequest(headers=build.ping().headers, body=body)) == "unauthorised"


@pytest.mark.parametrize(
    ("header", "value"),
    [("x-wc-webhook-topic", "order.updated"), ("x-wc-webhook-signature", "x"), ("content-type", "application/json")],
)
def test_ping_with_a_delivery_header_is_none(header: str, value: str) -> None:
    ping = build.ping()
    assert code_of(WebhookRequest(headers={**ping.headers, header: value}, body=ping.body)) == "unauthorised"


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=UTF-8", "Application/JSON"])
def test_json_is_taken(content_type: str) -> None:
    request = build.request(build.order(), content_type=content_type)
    assert isinstance(authenticate(request, secrets=[build.SECRET], shop_address=build.ADDRESS), Authenticated)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_anything_else_is_not(content_type: str) -> None:
    assert code_of(build.request(build.order(), content_type=content_type)) == "unsupported_media_type"


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("https://shop.example/", "shop.example"),
        ("http://SHOP.example", "https://shop.example/"),
        ("https://shop.example:443/", "shop.example"),
        ("http://shop.example:80/", "https://shop.example"),
        ("https://shop.example:8443/", "shop.example:8443"),
        ("https://shop.example/pl/", "shop.example/pl"),
        ("https://[::1]:8443/", "[::1]:8443"),
    ],
)
def test_source_may_be_written_in_several_ways(source: str, address: str) -> None:
    request = build.request(build.order(), source=source)
    assert isinstance(authenticate(request, secrets=[build.SECRET], shop_address=address), Authenticated)


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("", "shop.example"),
        ("https://", ""),
        ("https://other.example/", "shop.example"),
        ("https://shop.example.evil.example/", "shop.example"),
        ("https://shop.example@evil.example/", "shop.example"),
        ("https://shop.example:8443/", "shop.example"),
        ("https://shop.example/pl/", "shop.example"),
        ("https://shop.example/PL/", "shop.example/pl"),
        ("https://shop.example:port/", "shop.example"),
        ("https://[shop.example/", "shop.example"),
    ],
)
def test_another_source_is_the_wrong_shop(source: str, address: str) -> None:
    assert code_of(build.request(build.order(), source=source), address=address) == "wrong_shop"


def test_missing_source_is_the_wrong_shop() -> None:
    request = build.request(build.order())
    headers = {name: value for name, value in request.headers.items() if name != "x-wc-webhook-source"}
    assert code_of(WebhookRequest(headers=headers, body=request.body)) == "wrong_shop"


@pytest.mark.parametrize("topic", ["order.created", "order.updated", "order.deleted", "order.restored"])
def test_order_topics_are_taken(topic: str) -> None:
    request = build.request(build.order(), topic=topic)
    outcome = authenticate(request, secrets=[build.SECRET], shop_address=build.ADDRESS)
    assert isinstance(outcome, Authenticated)
    assert outcome.topic == topic


@pytest.mark.parametrize("topic", ["", "order.", "ORDER.CREATED", "product.updated", "action.woocommerce_new_order"])
def test_other_topics_are_not(topic: str) -> None:
    assert code_of(build.request(build.order(), topic=topic)) == "unsupported_topic"


# The endpoint for customers


@pytest.mark.parametrize("path", sorted(CAPTURED.glob("wc-customer.*.json")), ids=lambda path: path.stem)
def test_captured_customer_delivery_is_authentic(path: Path) -> None:
    request = captured(path)
    outcome = authenticate_customers(request, secrets=[captured_secret()], shop_address=CAPTURED_ADDRESS)
    assert isinstance(outcome, Authenticated)
    assert outcome.topic == "customer.created"
    tampered = WebhookRequest(headers=request.headers, body=request.body + b" ")
    with pytest.raises(Rejected, match="unauthorised"):
        authenticate_customers(tampered, secrets=[captured_secret()], shop_address=CAPTURED_ADDRESS)


@pytest.mark.parametrize("path", sorted(CAPTURED.glob("wc-order.*.json")), ids=lambda path: path.stem)
def test_captured_order_delivery_is_not_taken_as_a_customers(path: Path) -> None:
    with pytest.raises(Rejected, match="unsupported_topic"):
        authenticate_customers(captured(path), secrets=[captured_secret()], shop_address=CAPTURED_ADDRESS)


@pytest.mark.parametrize("topic", sorted(CUSTOMER_TOPICS | ORDER_TOPICS))
def test_each_endpoint_takes_its_own_topics(topic: str) -> None:
    request = build.request(build.customer(), topic=topic)
    endpoints: dict[str, Ingress] = {"order": authenticate, "customer": authenticate_customers}
    for resource, ingress in endpoints.items():
        if topic.startswith(resource):
            outcome = ingress(request, secrets=[build.SECRET], shop_address=build.ADDRESS)
            assert outcome == Authenticated(topic=topic, delivery_id="6e58d384547f3288ae457f1df1a1ac14")
        else:
            with pytest.raises(Rejected, match="unsupported_topic"):
                ingress(request, secrets=[build.SECRET], shop_address=build.ADDRESS)


def test_the_recorded_trigger_is_authentic() -> None:
    event = json.loads((ROOT / "events" / "registration_webhook_woocommerce.json").read_text("utf-8"))
    shop = event["pathParameters"]["shop"]
    secrets = tomllib.loads((ROOT / "infra" / "local" / "secrets.example.toml").read_text("utf-8"))["webhooks"][shop]
    request = WebhookRequest(headers=event["headers"], body=event["body"].encode("utf-8"))
    outcome = authenticate_customers(request, secrets=secrets, shop_address="borealis.example")
    assert isinstance(outcome, Authenticated)
    assert outcome.topic == "customer.created"
    assert int(event["headers"]["content-length"]) == len(request.body)


def test_what_is_subscribed_is_what_the_endpoints_take() -> None:
    assert set(subscriptions.CUSTOMER_TOPICS) == CUSTOMER_TOPICS
    assert set(subscriptions.ORDER_TOPICS) == ORDER_TOPICS


def test_a_ping_of_the_customers_endpoint_needs_no_secret() -> None:
    assert isinstance(authenticate_customers(build.ping(), secrets=[], shop_address=build.ADDRESS), Ping)


def test_the_customers_endpoint_judges_the_signature_first_and_the_source_too() -> None:
    forged = build.request(b"{}", secret="wrong", topic="order.updated", source="https://other.example")
    with pytest.raises(Rejected, match="unauthorised"):
        authenticate_customers(forged, secrets=[build.SECRET], shop_address=build.ADDRESS)
    elsewhere = build.request(b"{}", topic="customer.updated", source="https://other.example")
    with pytest.raises(Rejected, match="wrong_shop"):
        authenticate_customers(elsewhere, secrets=[build.SECRET], shop_address=build.ADDRESS)
