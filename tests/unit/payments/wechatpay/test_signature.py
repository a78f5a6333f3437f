"""Whom WeChat Pay's door lets in."""

import base64
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.samples import wechatpay as build
from shared.kernel.errors import Rejected
from shared.payments.wechatpay.resource import resource_keys
from shared.payments.wechatpay.signature import (
    ACCEPTED,
    MOST_SECONDS,
    authenticate,
    is_signed,
    sign,
    verifies,
)
from shared.webhooks.ingress import Authenticated, WebhookRequest

NOW = build.SIGNED_AT.timestamp()
HEADERS = build.request().headers


def outcome_of(
    request: WebhookRequest, *, secrets: tuple[str, ...] | None = None, now: float = NOW
) -> Authenticated | str:
    try:
        return authenticate(
            request,
            secrets=build.secrets() if secrets is None else secrets,
            shop_address=build.MERCHANT_ID,
            now=lambda: now,
        )
    except Rejected as refusal:
        return refusal.code


def with_header(request: WebhookRequest, name: str, value: str | None) -> WebhookRequest:
    headers = {**request.headers, name: value}
    return WebhookRequest({name: value for name, value in headers.items() if value is not None}, request.body)


def test_a_signed_notification_is_let_in_with_what_it_says_of_itself() -> None:
    assert outcome_of(build.request()) == Authenticated(
        topic="TRANSACTION.SUCCESS",
        delivery_id="EV-2026112309021100000001",
        triggered_at="2026-11-23T09:02:11.000000000Z",
        api_version="v3",
    )


def test_a_public_key_is_named_by_its_id_and_a_serial_in_either_case() -> None:
    assert isinstance(outcome_of(build.request(serial=build.PUBLIC_KEY_ID)), Authenticated)
    assert isinstance(outcome_of(build.request(serial=build.keys().serial.lower())), Authenticated)


def test_only_the_key_that_is_named_may_have_signed() -> None:
    """A stranger's key among ours verifies nothing under another name."""
    other = build.keys("other")
    secrets = (*build.secrets(), f"{other.serial} {other.certificate}")
    assert isinstance(outcome_of(build.request(), secrets=secrets), Authenticated)
    assert outcome_of(build.request(serial=other.serial), secrets=secrets) == "unauthorised"
    for serial in ("", "0", "APIv3", "PUB_KEY_ID_9", build.keys().serial[:-1]):
        assert outcome_of(with_header(build.request(), "wechatpay-serial", serial)) == "unauthorised"


def test_several_keys_of_one_account_may_be_in_use() -> None:
    other = build.keys("other")
    together = f"{other.serial}\n{other.certificate}\n{build.keys().serial}  {build.keys().certificate}"
    assert isinstance(outcome_of(build.request(), secrets=(together,)), Authenticated)


@pytest.mark.parametrize(
    "secrets",
    [
        (),
        ("",),
        ("APIv3 " + build.API_KEY,),
        ("not a key",),
        (build.keys().certificate,),
        (f"{build.keys().serial} {build.keys().private}",),
        (f"{build.keys().serial} -----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",),
        (f"{build.keys().serial} -----BEGIN PUBLIC KEY-----\nü\n-----END PUBLIC KEY-----",),
    ],
)
def test_without_the_key_nobody_gets_in(secrets: tuple[str, ...]) -> None:
    assert outcome_of(build.request(), secrets=secrets) == "unauthorised"


def test_no_changed_byte_of_a_body_gets_in() -> None:
    request = build.request()
    for place in range(len(request.body)):
        changed = bytearray(request.body)
        changed[place] ^= 1
        assert outcome_of(WebhookRequest(request.headers, bytes(changed))) == "unauthorised"
    for body in (b"", request.body + b"\n", request.body[:-1], b" " + request.body):
        assert outcome_of(WebhookRequest(request.headers, body)) == "unauthorised"


def test_no_changed_bit_of_a_signature_gets_in() -> None:
    content = b"1\nnonce\nbody\n"
    genuine = base64.b64decode(sign(content, build.keys().private))
    assert verifies(content, base64.b64encode(genuine).decode(), build.keys().public)
    for place in range(len(genuine)):
        forged = bytearray(genuine)
        forged[place] ^= 1 << place % 8
        assert not verifies(content, base64.b64encode(forged).decode(), build.keys().public)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("wechatpay-signature", None),
        ("wechatpay-signature", ""),
        ("wechatpay-signature", "äöü"),
        ("wechatpay-signature", "WECHATPAY/SIGNTEST/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("wechatpay-nonce", None),
        ("wechatpay-nonce", "another"),
        ("wechatpay-nonce", "with\nline"),
        ("wechatpay-nonce", "x" * 65),
        ("wechatpay-timestamp", None),
        ("wechatpay-timestamp", "soon"),
        ("wechatpay-timestamp", "١٧"),
        ("wechatpay-timestamp", "9" * 400),
        ("wechatpay-timestamp", str(int(NOW) + 1)),
        ("wechatpay-serial", None),
        ("wechatpay-signature-type", "WECHATPAY2-SM2-WITH-SM3"),
    ],
)
def test_a_header_that_is_missing_or_changed_is_refused(header: str, value: str | None) -> None:
    assert outcome_of(with_header(build.request(), header, value)) == "unauthorised"


def test_the_kind_of_signature_need_not_be_said() -> None:
    assert isinstance(outcome_of(with_header(build.request(), "wechatpay-signature-type", None)), Authenticated)


def test_a_moved_line_between_the_signed_parts_is_refused() -> None:
    """The text `1\\nab\\nc\\n` signs one way of cutting it only: a nonce has no line feed."""
    request = build.request(b"ab\ncd")
    nonce = request.headers["wechatpay-nonce"]
    moved = with_header(WebhookRequest(request.headers, b"cd"), "wechatpay-nonce", f"{nonce}\nab")
    assert outcome_of(moved) == "unauthorised"


@pytest.mark.parametrize(
    ("seconds", "taken"),
    [(0, True), (MOST_SECONDS, True), (-MOST_SECONDS, True), (MOST_SECONDS + 1, False), (-MOST_SECONDS - 1, False)],
)
def test_what_was_signed_long_ago_or_in_the_future_is_refused(seconds: int, *, taken: bool) -> None:
    request = build.request(at=build.SIGNED_AT - timedelta(seconds=seconds))
    assert isinstance(outcome_of(request), Authenticated) is taken
    assert is_signed(request.headers, request.body, keys=build.secrets(), now=NOW) is taken


def test_what_is_signed_but_cannot_be_read_is_refused() -> None:
    assert outcome_of(build.request(b"{")) == "invalid_json"
    assert outcome_of(build.request(b"[]")) == "invalid_json"
    assert outcome_of(build.request(b'{"event_type":"A","event_type":"B"}')) == "invalid_json"
    assert outcome_of(build.request({})) == "unsupported_topic"
    assert outcome_of(build.request(build.notification(event_type="a b"))) == "unsupported_topic"
    assert outcome_of(with_header(build.request(), "content-type", "text/plain")) == "unsupported_media_type"


def test_strange_hints_are_left_out() -> None:
    accepted = outcome_of(build.request(build.notification(id=7, create_time="yesterday")))
    assert isinstance(accepted, Authenticated)
    assert (accepted.delivery_id, accepted.triggered_at) == (None, "2026-11-23T09:02:11.000000000Z")


def test_the_keys_of_resources_are_told_apart() -> None:
    assert resource_keys(build.secrets()) == (build.API_KEY.encode(),)
    assert resource_keys(()) == ()
    with pytest.raises(Rejected) as refusal:
        resource_keys(("APIv3 too short",))
    assert refusal.value.code == "bad_secret"
    assert "too short" not in str(refusal.value)


@given(st.dictionaries(st.sampled_from(sorted(HEADERS)), st.text(max_size=30)), st.binary(max_size=60))
def test_no_request_breaks_the_door(headers: dict[str, str], body: bytes) -> None:
    assert outcome_of(WebhookRequest({**HEADERS, **headers}, body)) == "unauthorised"


def test_a_key_that_is_none_signs_nothing() -> None:
    for key in ("", "very secret", build.keys().public):
        with pytest.raises(Rejected) as refusal:
            sign(b"", key)
        assert refusal.value.code == "payments_auth"
        assert "very secret" not in str(refusal.value)


def test_the_answer_is_a_success() -> None:
    assert ACCEPTED[0] == 200


def test_it_starts_with_the_standard_library_alone() -> None:
    told = (
        "import sys, shared.payments.wechatpay.signature; "
        "print(sorted({'cryptography', 'pydantic', 'httpx'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
