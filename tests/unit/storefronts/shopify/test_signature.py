import ast
from pathlib import Path
from typing import TypeGuard

import pytest

from infra.samples import shopify
from shared.kernel.errors import Rejected
from shared.storefronts.shopify import signature
from shared.webhooks.ingress import Authenticated, WebhookRequest, sign_hmac_sha256

BODY = '{"id":1,"note":"Grüße ☕"}'.encode()


def refusal(request: WebhookRequest, *secrets: str, address: str = shopify.ADDRESS) -> str:
    with pytest.raises(Rejected) as caught:
        signature.authenticate(request, secrets=secrets or (shopify.SECRET,), shop_address=address)
    return caught.value.code


def accept(request: WebhookRequest, *secrets: str, address: str = shopify.ADDRESS) -> Authenticated:
    return signature.authenticate(request, secrets=secrets or (shopify.SECRET,), shop_address=address)


def changed(request: WebhookRequest, **headers: str | None) -> WebhookRequest:
    """The request with some headers replaced; None takes one away. Underscores stand for hyphens."""
    replaced = {name.replace("_", "-"): value for name, value in headers.items()}
    merged = {**request.headers, **replaced}
    return WebhookRequest({name: value for name, value in merged.items() if value is not None}, request.body)


@pytest.mark.parametrize(
    ("body", "secret", "expected"),
    [  # made with: printf %s BODY | openssl dgst -sha256 -hmac SECRET -binary | base64
        (b"", "hush", "Knm8rWjeSXNIt2H0AOMT7DQ8/YSy8sQi/pEjbuUmGMs="),
        (b'{"id":1}', "hush", "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY="),
        ('{"note":"Grüße"}'.encode(), "schlüssel", "jD6mqdu0Sdcggzs0fvlZDqWipms/KzIIbmD+ut/4Xpc="),
    ],
)
def test_the_signature_is_base64_of_hmac_sha256_over_the_raw_body(body: bytes, secret: str, expected: str) -> None:
    assert sign_hmac_sha256(body, secret) == expected


def test_a_signed_delivery_is_accepted_with_the_hints_of_its_headers() -> None:
    request = shopify.signed_request(BODY, topic="orders/create")
    assert accept(request) == Authenticated(
        topic="orders/create",
        delivery_id="8a95126f-859a-4db9-b8f1-350e299e9ea0",
        triggered_at=shopify.TRIGGERED_AT,
        api_version="2026-10",
        test=False,
    )


def test_the_newer_header_family_is_accepted_too() -> None:
    request = shopify.signed_request(BODY)
    renamed = {name.removeprefix("x-"): value for name, value in request.headers.items()}
    assert accept(WebhookRequest(renamed, BODY)) == accept(request)


def test_a_test_delivery_says_so() -> None:
    headers = signature.request_headers(
        BODY, secret="s", shop_address="a.b", delivery=Authenticated(topic="orders/paid", test=True)
    )
    assert accept(WebhookRequest(headers, BODY), "s", address="a.b").test


@pytest.mark.parametrize("secrets", [("new", "old"), ("old", "new"), ("", "old")])
def test_while_a_secret_is_rotated_every_one_of_them_is_good(secrets: tuple[str, ...]) -> None:
    assert accept(shopify.signed_request(BODY, secret="old"), *secrets).topic == "orders/updated"


def test_every_flipped_bit_of_the_body_is_noticed() -> None:
    request = shopify.signed_request(BODY)
    for index in range(len(BODY)):
        flipped = bytearray(BODY)
        flipped[index] ^= 1
        assert refusal(WebhookRequest(request.headers, bytes(flipped))) == "unauthorised"


@pytest.mark.parametrize("given", ["", " ", "bm90IGl0", "ü", "☕" * 9, "a" * 10_000, "%%%", None])
def test_no_odd_signature_passes_or_breaks_anything(given: str | None) -> None:
    assert refusal(changed(shopify.signed_request(BODY), x_shopify_hmac_sha256=given)) == "unauthorised"


def test_an_empty_secret_signs_nothing() -> None:
    forged = shopify.signed_request(BODY, secret="")
    assert refusal(forged, "") == "unauthorised"
    with pytest.raises(Rejected, match="unauthorised"):
        signature.authenticate(forged, secrets=(), shop_address=shopify.ADDRESS)


def test_a_stranger_learns_nothing_but_that_the_signature_is_wrong() -> None:
    request = changed(
        shopify.signed_request(BODY, secret="stranger"), content_type="text/html", x_shopify_topic="shop/update"
    )
    assert refusal(request, address="other.myshopify.com") == "unauthorised"


@pytest.mark.parametrize("given", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_declared_with_parameters(given: str) -> None:
    assert accept(changed(shopify.signed_request(BODY), content_type=given)).topic == "orders/updated"


@pytest.mark.parametrize("given", ["application/xml", "application/jsonp", "", None])
def test_other_media_types_are_refused(given: str | None) -> None:
    assert refusal(changed(shopify.signed_request(BODY), content_type=given)) == "unsupported_media_type"


def test_the_shop_is_compared_without_case() -> None:
    assert accept(shopify.signed_request(BODY, address="Aurora.MyShopify.com")).topic == "orders/updated"


@pytest.mark.parametrize("given", ["other.myshopify.com", "aurora.myshopify.com.evil.example", "", None])
def test_a_delivery_of_another_shop_is_refused(given: str | None) -> None:
    assert refusal(changed(shopify.signed_request(BODY), x_shopify_shop_domain=given)) == "wrong_shop"


@pytest.mark.parametrize(
    "topic",
    [
        *("orders/create", "orders/paid", "orders/edited", "orders/delete", "orders/partially_fulfilled"),
        *("refunds/create", "fulfillments/create", "fulfillments/update", "order_transactions/create"),
    ],
)
def test_topics_that_concern_an_order_are_taken(topic: str) -> None:
    assert accept(shopify.signed_request(BODY, topic=topic)).topic == topic


@pytest.mark.parametrize(
    "topic",
    [
        "customers/create",
        "draft_orders/create",
        "orders/",
        "orders/create/x",
        "fulfillments/delete",
        "ORDERS",
        "",
        None,
    ],
)
def test_other_topics_are_refused(topic: str | None) -> None:
    assert refusal(changed(shopify.signed_request(BODY), x_shopify_topic=topic)) == "unsupported_topic"


def accept_customers(
    topic: str | None, *, secret: str = shopify.SECRET, address: str = shopify.ADDRESS
) -> Authenticated:
    return customers_accept(changed(shopify.signed_request(BODY, secret=secret), x_shopify_topic=topic), address)


def customers_accept(request: WebhookRequest, address: str = shopify.ADDRESS) -> Authenticated:
    return signature.authenticate_customers(request, secrets=(shopify.SECRET,), shop_address=address)


@pytest.mark.parametrize(
    "topic",
    [
        *("customers/create", "customers/update", "customers/delete", "customers/merge", "customers/enable"),
        *("customers/disable", "customers/data_request", "customers/redact", "shop/redact"),
        *("customers_email_marketing_consent/update", "customers_marketing_consent/update"),
    ],
)
def test_the_customers_endpoint_takes_what_concerns_them_and_the_orders_endpoint_does_not(topic: str) -> None:
    stated = accept_customers(topic)
    assert (stated.topic, stated.delivery_id, stated.triggered_at) == (
        topic,
        "8a95126f-859a-4db9-b8f1-350e299e9ea0",
        shopify.TRIGGERED_AT,
    )
    assert refusal(shopify.signed_request(BODY, topic=topic)) == "unsupported_topic"


@pytest.mark.parametrize(
    "topic",
    ["orders/create", "customers/", "customers/redact/x", "customers/purchasing_summary", "shop/update", "", None],
)
def test_the_customers_endpoint_takes_nothing_else(topic: str | None) -> None:
    with pytest.raises(Rejected, match="unsupported_topic"):
        accept_customers(topic)


@pytest.mark.parametrize("topic", ["customers/redact", "customers/data_request", "shop/redact", "orders/create"])
def test_a_privacy_call_whose_signature_does_not_hold_is_unauthorised(topic: str) -> None:
    with pytest.raises(Rejected, match="unauthorised"):
        accept_customers(topic, secret="stranger")
    with pytest.raises(Rejected, match="wrong_shop"):
        accept_customers("customers/redact", address="other.myshopify.com")


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        (shopify.ADDRESS, None),
        (shopify.ADDRESS.upper(), None),
        ("other.myshopify.com", "wrong_shop"),
        (None, "wrong_shop"),
        ([], "wrong_shop"),
    ],
)
def test_a_privacy_call_that_was_made_to_another_shop_of_the_app_is_refused(stated: object, code: str | None) -> None:
    """The header may be altered by whoever captured the call; the body may not."""
    request = shopify.signed_request({"shop_id": 1, "shop_domain": stated}, topic="shop/redact")
    if code is None:
        assert customers_accept(request).topic == "shop/redact"
    else:
        with pytest.raises(Rejected, match=code):
            customers_accept(request)


def test_the_webhook_loads_nothing_but_the_standard_library_for_it() -> None:
    tree = ast.parse(Path(signature.__file__).read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {module for module in modules if module.startswith("shared.")}
    assert ours == {"shared.kernel", "shared.kernel.errors", "shared.webhooks.ingress"}
    assert {"strict_json"} == {name.name for node in ast.walk(tree) if of_kernel(node) for name in node.names}


def of_kernel(node: ast.AST) -> TypeGuard[ast.ImportFrom]:
    return isinstance(node, ast.ImportFrom) and node.module == "shared.kernel"
