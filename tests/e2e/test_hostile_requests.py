"""Bad input gets a 4xx in the vendor's terms; nothing is written, no stack trace and no personal data reach the log."""

import json
from collections.abc import Callable, Mapping

import pytest

from infra.samples import shopify, woocommerce
from shared.webhooks.ingress import WebhookRequest
from tests.e2e.conftest import SECRETS, SHOPS, Deployed

CANARY = "zoe@example.test"
GOOD = shopify.encode(shopify.Shop().order())

Attack = Callable[[], tuple[str, bytes, Mapping[str, str]]]


def signed(body: bytes, shop: str = "aurora") -> WebhookRequest:
    return shopify.signed_request(body, secret=SECRETS[shop], address=SHOPS[shop][1])


def sent(body: bytes, **headers: str) -> tuple[str, bytes, Mapping[str, str]]:
    """A genuinely signed body; header names are given with underscores."""
    request = signed(body)
    return "aurora", body, {**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}


def with_number(text: str) -> bytes:
    return GOOD.replace(b'"order_id": 5001', b"").replace(
        b'"id": 5001,', b'"id": 5001, "x": ' + text.encode() + b",", 1
    )


def seven_megabytes() -> tuple[str, bytes, Mapping[str, str]]:
    return sent(json.dumps({"id": 1, "note": "x" * 7 * 1024 * 1024}).encode())


ATTACKS: dict[str, tuple[Attack, int]] = {
    "forged signature": (lambda: sent(GOOD, x_shopify_hmac_sha256="Zm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkZm8="), 401),
    "no signature": (lambda: sent(GOOD, x_shopify_hmac_sha256=""), 401),
    "not base64": (lambda: sent(GOOD, x_shopify_hmac_sha256="%%%"), 401),
    "truncated": (lambda: ("aurora", GOOD[:-10], {**signed(GOOD).headers, "content-length": str(len(GOOD) - 10)}), 401),
    "truncated before it was signed": (lambda: sent(GOOD[:-10]), 400),
    "altered topic": (lambda: sent(GOOD, x_shopify_topic="products/update"), 422),
    "altered shop": (lambda: sent(GOOD, x_shopify_shop_domain="evil.myshopify.com"), 403),
    "wrong content type": (lambda: sent(GOOD, content_type="text/plain"), 415),
    "unknown shop": (lambda: ("nobody", GOOD, signed(GOOD).headers), 404),
    "another shop's endpoint": (lambda: ("borealis", GOOD, signed(GOOD).headers), 401),
    "7 MB": (seven_megabytes, 413),
    "depth 100,000": (lambda: sent(b'{"id":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), 400),
    "NaN": (lambda: sent(with_number("NaN")), 400),
    "Infinity": (lambda: sent(with_number("-Infinity")), 400),
    "duplicate keys": (lambda: sent(with_number('1, "id": 5002')), 400),
    "5,000 digits": (lambda: sent(with_number("9" * 5_000)), 400),
    "half a surrogate": (lambda: sent(with_number('"\\ud800"')), 400),
    "not UTF-8": (lambda: sent(b'{"id": "\xff\xfe"}'), 400),
    "a list": (lambda: sent(b"[1, 2]"), 400),
    "empty": (lambda: sent(b""), 400),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_is_refused_and_leaves_nothing(deployed: Deployed, name: str) -> None:
    attack, expected = ATTACKS[name]
    shop, body, headers = attack()
    answer = deployed.post(shop, body, dict(headers))
    assert answer.status_code == expected, answer.text
    assert "Traceback" not in answer.text
    assert CANARY not in answer.text
    assert deployed.waiting() == 0
    assert deployed.order("aurora", 5001) is None


def test_an_unsigned_ping_is_answered_with_200_and_does_nothing(deployed: Deployed) -> None:
    ping = woocommerce.ping()
    answer = deployed.post("borealis", ping.body, dict(ping.headers))
    assert answer.status_code == 200
    assert deployed.waiting() == 0


def test_the_older_of_two_secrets_still_holds(deployed: Deployed) -> None:
    request = shopify.signed_request(GOOD, secret="an-older-secret", address=SHOPS["aurora"][1])
    assert deployed.post("aurora", request.body, dict(request.headers)).status_code == 200
    deployed.stack.drain()
    assert deployed.order("aurora", 5001) is not None


def test_a_large_but_honest_body_goes_through_the_archive(deployed: Deployed) -> None:
    """1.8 MB that hardly compress: too large for a message, and for an item."""
    noise = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(600_000))
    order = shopify.Shop().order(id=5003, admin_graphql_api_id=shopify.gid("Order", 5003), a_plugins_own=noise)
    request = signed(shopify.encode(order))
    assert deployed.post("aurora", request.body, dict(request.headers)).status_code == 200
    deployed.stack.drain()
    bucket = deployed.stack.deployment.archive
    stored = deployed.stack.client("s3").list_objects_v2(Bucket=bucket, Prefix="oversize/")
    assert stored["KeyCount"] == 1
    assert deployed.order("aurora", 5003) is not None


def test_no_attack_left_a_trace_or_a_buyer_in_the_log(deployed: Deployed) -> None:
    logs = deployed.logs()
    assert "WebhookRefused" in logs
    assert "Traceback" not in logs
    assert "stackTrace" not in logs
    for private in (CANARY, "Ünal", "Hauptstr"):
        assert private not in logs
