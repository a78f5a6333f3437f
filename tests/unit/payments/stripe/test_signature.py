import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.samples import stripe
from shared.kernel.errors import Rejected
from shared.payments.stripe import signature
from shared.webhooks.ingress import Authenticated, WebhookRequest

BODY = stripe.encode(stripe.event("charge.succeeded", stripe.charge()))
SIGNED_AT = stripe.CREATED + 2


def accept(request: WebhookRequest, *secrets: str, now: float = SIGNED_AT, account: str = "") -> Authenticated:
    found = signature.authenticate(
        request, secrets=secrets or (stripe.SECRET,), shop_address=account, now=lambda: float(now)
    )
    assert isinstance(found, Authenticated)
    return found


def refusal(request: WebhookRequest, *secrets: str, now: float = SIGNED_AT, account: str = "") -> str:
    with pytest.raises(Rejected) as caught:
        accept(request, *secrets, now=now, account=account)
    return caught.value.code


def with_header(value: str, body: bytes = BODY) -> WebhookRequest:
    return WebhookRequest({**stripe.signed_request(body).headers, "stripe-signature": value}, body)


def test_an_event_is_accepted_with_what_its_signed_body_says() -> None:
    assert accept(stripe.signed_request(BODY)) == Authenticated(
        topic="charge.succeeded",
        delivery_id="evt_1",
        triggered_at="2026-11-23T09:07:44.000000000Z",
        api_version="2026-06-24.dahlia",
        test=False,
        well_formed=True,
    )


def test_the_signature_is_hex_of_hmac_sha256_over_time_and_body() -> None:
    # printf %s '1795424865.{"id":1}' | openssl dgst -sha256 -hmac whsec_hush
    expected = "t=1795424865,v1=d6783851667476027b8a6b64991a7b91d108662cad073b5a7c0264067b2af21e"
    assert signature.signature_header(b'{"id":1}', "whsec_hush", signed_at=1795424865) == expected


def test_a_rolled_secret_signs_beside_the_new_one_and_either_may_be_ours() -> None:
    both = stripe.signed_request(BODY, "whsec_old", "whsec_new")
    assert both.headers["stripe-signature"].count("v1=") == 2
    for ours in (("whsec_old",), ("whsec_new",), ("whsec_other", "whsec_new")):
        assert accept(both, *ours).topic == "charge.succeeded"
    assert refusal(both, "whsec_other", "") == "unauthorised"


def test_no_secret_accepts_nothing() -> None:
    with pytest.raises(Rejected, match="unauthorised"):
        signature.authenticate(stripe.signed_request(BODY), secrets=(), shop_address="", now=lambda: SIGNED_AT)
    unkeyed = with_header(signature.signature_header(BODY, "", signed_at=SIGNED_AT))
    assert refusal(unkeyed, "") == "unauthorised"


def test_every_flipped_byte_of_the_body_is_refused() -> None:
    request = stripe.signed_request(BODY)
    for index in range(len(BODY)):
        forged = bytearray(BODY)
        forged[index] ^= 1
        assert refusal(WebhookRequest(request.headers, bytes(forged))) == "unauthorised"


def test_every_changed_character_of_the_header_is_refused() -> None:
    header = stripe.signed_request(BODY).headers["stripe-signature"]
    for index, character in enumerate(header):
        for other in ("0", "x", " ", ","):
            if other != character:
                forged = header[:index] + other + header[index + 1 :]
                assert refusal(with_header(forged)) == "unauthorised", forged


@given(st.text(max_size=200))
def test_no_header_but_the_right_one_is_accepted(header: str) -> None:
    assert refusal(with_header(header)) == "unauthorised"


@pytest.mark.parametrize(("age", "ok"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_a_signature_is_refused_when_it_is_old_or_from_the_future(age: int, *, ok: bool) -> None:
    request = stripe.signed_request(BODY)
    if ok:
        accept(request, now=SIGNED_AT + age)
    else:
        assert refusal(request, now=SIGNED_AT + age) == "unauthorised"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1795424865",
        "t=,v1=",
        "t=1_795_424_865,v1={0}",
        "t=١٧٩٥٤٢٤٨٦٥,v1={0}",
        "t=-1795424865,v1={0}",
        "t=1795424865,v0={0}",
        "t=1795424865,V1={0}",
        "t=1795424865,v1=",
        "t=1795424865,t=1795424865,v1={0}",
        "t=1795424865,v1={0},t=1795424865,v1={0}",
        "t=1795424865,v1={0}é",
        "t=1795424865," + "v1={0}," * 100,
    ],
)
def test_headers_that_are_not_exactly_one_are_refused(header: str) -> None:
    digest = signature.signature_header(BODY, stripe.SECRET, signed_at=SIGNED_AT).partition("v1=")[2]
    assert refusal(with_header(header.replace("{0}", digest))) == "unauthorised"


def test_a_time_that_was_not_signed_is_refused() -> None:
    digest = signature.signature_header(BODY, stripe.SECRET, signed_at=SIGNED_AT - 3600).partition("v1=")[2]
    assert refusal(with_header(f"t={SIGNED_AT},v1={digest}")) == "unauthorised"


def test_test_events_say_so() -> None:
    body = stripe.encode(stripe.event("charge.succeeded", stripe.charge(), livemode=False))
    assert accept(stripe.signed_request(body)).test


def test_an_event_of_another_account_is_refused_after_its_signature_held() -> None:
    body = stripe.encode(stripe.event("charge.succeeded", stripe.charge(), account="acct_2Other"))
    assert refusal(stripe.signed_request(body), account=stripe.ACCOUNT) == "wrong_account"
    assert refusal(stripe.signed_request(body)) == "wrong_account"
    assert refusal(stripe.signed_request(body, "whsec_wrong"), account=stripe.ACCOUNT) == "unauthorised"
    assert accept(stripe.signed_request(body), account="acct_2Other").topic == "charge.succeeded"


def test_a_thin_event_is_accepted_with_its_own_time() -> None:
    body = stripe.encode(stripe.thin_event("v1.charge.succeeded", "ch_1"))
    accepted = accept(stripe.signed_request(body))
    assert (accepted.topic, accepted.triggered_at) == ("v1.charge.succeeded", "2026-11-23T09:07:44.123Z")


@pytest.mark.parametrize("kind", [None, 7, "", "Charge", "charge succeeded", "charge.\n", "c" * 101, "charge..x"])
def test_a_type_that_cannot_be_stripes_is_refused(kind: object) -> None:
    body = stripe.encode(stripe.event("x", stripe.charge(), type=kind))
    assert refusal(stripe.signed_request(body)) == "unsupported_topic"


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff"])
def test_a_signed_body_that_is_no_object_is_refused(body: bytes) -> None:
    assert refusal(stripe.signed_request(body)) == "invalid_json"


def test_another_media_type_is_refused_after_the_signature_held() -> None:
    headers = {**stripe.signed_request(BODY).headers, "content-type": "text/plain"}
    assert refusal(WebhookRequest(headers, BODY)) == "unsupported_media_type"


def test_it_loads_nothing_but_the_standard_library_and_light_rooms() -> None:
    tree = ast.parse(Path(signature.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in imported if name and name.startswith("shared")} == {
        "shared.kernel",
        "shared.kernel.errors",
        "shared.webhooks.ingress",
    }
