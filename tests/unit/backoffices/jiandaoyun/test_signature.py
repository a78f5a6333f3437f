"""Pushes: what is genuine, and that not one byte may differ."""

import pytest

from infra.fakes.jiandaoyun_pushes import Push, push_of
from shared.backoffices.jiandaoyun.signature import DELIVERY_HEADER, SIGNATURE_HEADER, authenticate, sign
from shared.kernel.errors import Rejected
from tests.unit.backoffices.jiandaoyun.company import START

SECRETS = ("an-old-secret", "a-secret")
PUSH = push_of("data_update", {"_id": "1", "order_key": "aurora/5001", "name": "张三"}, "a-secret", START, number=7)


def _authenticate(push: Push, secrets: tuple[str, ...] = SECRETS) -> str | None:
    return authenticate(push.headers, push.body, timestamp=push.timestamp, nonce=push.nonce, secrets=secrets)


def _refused(push: Push, secrets: tuple[str, ...] = SECRETS) -> bool:
    try:
        _authenticate(push, secrets)
    except Rejected as error:
        return error.code == "unauthorised"
    return False


def test_a_genuine_push_gives_its_delivery_id() -> None:
    assert _authenticate(PUSH) == PUSH.headers[DELIVERY_HEADER]


def test_the_signature_is_sha1_of_nonce_body_secret_and_timestamp() -> None:
    """The digest was worked out with `sha1sum` over `0f5ade:{}:test:1498586609`."""
    digest = sign(b"{}", "test", timestamp="1498586609", nonce="0f5ade")
    assert digest == "bb908ff9ec3facad642fd7d5d44962215f162b2c"


@pytest.mark.parametrize("prefix", ["", "sha1="])
@pytest.mark.parametrize("header", [SIGNATURE_HEADER, DELIVERY_HEADER])
def test_either_header_may_hold_it_in_either_way(header: str, prefix: str) -> None:
    other = DELIVERY_HEADER if header == SIGNATURE_HEADER else SIGNATURE_HEADER
    headers = {header: prefix + PUSH.headers[SIGNATURE_HEADER], other: "72d3162e-cc78-11e3-81ab-4c9367dc0958"}
    assert _authenticate(PUSH._replace(headers=headers)) == "72d3162e-cc78-11e3-81ab-4c9367dc0958"


def test_without_a_delivery_id_there_is_none() -> None:
    headers = {SIGNATURE_HEADER: PUSH.headers[SIGNATURE_HEADER]}
    assert _authenticate(PUSH._replace(headers=headers)) is None


def test_every_byte_of_the_body_counts() -> None:
    for index in range(len(PUSH.body)):
        forged = bytearray(PUSH.body)
        forged[index] ^= 1
        assert _refused(PUSH._replace(body=bytes(forged)))
    assert _refused(PUSH._replace(body=PUSH.body + b" "))
    assert _refused(PUSH._replace(body=PUSH.body[:-1]))


def test_every_digit_of_the_signature_counts() -> None:
    digest = PUSH.headers[SIGNATURE_HEADER]
    for index, digit in enumerate(digest):
        forged = digest[:index] + ("0" if digit != "0" else "1") + digest[index + 1 :]
        assert _refused(PUSH._replace(headers={SIGNATURE_HEADER: forged}))


@pytest.mark.parametrize(
    "value",
    ["", "sha1=", "0" * 40, "sha1=" + "0" * 40, "md5=" + "0" * 32, "é" * 40, "0" * 41],
)
def test_a_signature_of_another_shape_is_refused(value: str) -> None:
    assert _refused(PUSH._replace(headers={SIGNATURE_HEADER: value, DELIVERY_HEADER: value}))


def test_its_digits_are_small_letters() -> None:
    assert _refused(PUSH._replace(headers={SIGNATURE_HEADER: PUSH.headers[SIGNATURE_HEADER].upper()}))


def test_time_and_nonce_are_signed() -> None:
    assert _refused(PUSH._replace(timestamp=str(int(PUSH.timestamp) + 1)))
    assert _refused(PUSH._replace(nonce="000008"))
    assert _refused(PUSH._replace(timestamp=""))
    assert _refused(PUSH._replace(nonce=""))


@pytest.mark.parametrize("secrets", [(), ("",), ("another",)])
def test_without_the_secret_nothing_is_genuine(secrets: tuple[str, ...]) -> None:
    assert _refused(PUSH, secrets)


def test_an_empty_secret_signs_nothing() -> None:
    forged = push_of("data_update", {}, "", START, number=1)
    assert _refused(forged, ("",))


def test_no_header_at_all_is_refused() -> None:
    assert _refused(PUSH._replace(headers={}))
