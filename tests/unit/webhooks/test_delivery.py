"""A delivery on its way through the queue."""

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import Rejected, Retry
from shared.webhooks.delivery import MAX_BODY_BYTES, Delivery

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
DELIVERIES = st.builds(
    Delivery,
    shop=TEXT,
    platform=TEXT,
    topic=TEXT,
    received_at=TEXT,
    body=st.binary(max_size=300),
    delivery_id=st.none() | TEXT,
    triggered_at=st.none() | TEXT,
    api_version=st.none() | TEXT,
    test=st.booleans(),
    fetched=st.booleans(),
)
GENUINE = Delivery(shop="aurora", platform="woocommerce", topic="order.updated", received_at="now", body=b"{}")


def message(**changes: Any) -> str:
    fields: dict[str, Any] = json.loads(GENUINE.to_message())
    return json.dumps(fields | changes)


def packed(body: bytes) -> str:
    return base64.b64encode(zlib.compress(body)).decode("ascii")


@given(DELIVERIES)
def test_every_byte_comes_out_of_the_queue(delivery: Delivery) -> None:
    text = delivery.to_message()
    assert text.isascii()
    assert Delivery.from_message(text) == delivery


def test_buyers_data_does_not_travel_in_the_clear() -> None:
    delivery = Delivery(
        shop="aurora", platform="woocommerce", topic="t", received_at="now", body=b'{"email":"zoe@example.test"}' * 3
    )
    assert "zoe" not in delivery.to_message()


def test_body_may_be_as_large_as_lambda_takes_and_no_larger() -> None:
    assert len(Delivery.from_message(message(body=packed(b"x" * MAX_BODY_BYTES))).body) == MAX_BODY_BYTES
    with pytest.raises(Rejected, match="larger"):
        Delivery.from_message(message(body=packed(b"x" * (MAX_BODY_BYTES + 1))))


def test_compressed_bomb_is_not_inflated() -> None:
    with pytest.raises(Rejected, match="larger"):
        Delivery.from_message(message(body=packed(bytes(64 * MAX_BODY_BYTES))))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"format":1}',
        "[" * 100_000,
        message(format=0),
        message(format="2"),
        message(body=None),
        message(body="é"),
        message(body="AAAA"),
        message(body=packed(b"{}")[:-6]),
        json.dumps({name: value for name, value in json.loads(GENUINE.to_message()).items() if name != "shop"}),
    ],
)
def test_anything_else_is_no_delivery_of_ours(text: str) -> None:
    with pytest.raises(Rejected) as refusal:
        Delivery.from_message(text)
    assert refusal.value.code == "invalid_message"


def test_cut_off_body_is_refused() -> None:
    whole = zlib.compress(bytes(range(256)) * 8)
    with pytest.raises(Rejected):
        Delivery.from_message(message(body=base64.b64encode(whole[:-4]).decode("ascii")))


def test_a_message_of_a_newer_form_waits_for_the_code_that_can_read_it() -> None:
    with pytest.raises(Retry) as refusal:
        Delivery.from_message(message(format=2))
    assert refusal.value.code == "unknown_message_format"


def test_what_only_a_newer_version_knows_is_left_out() -> None:
    assert Delivery.from_message(message(said_by_newer={"a": 1})) == GENUINE
