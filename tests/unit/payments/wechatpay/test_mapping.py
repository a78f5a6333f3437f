"""What WeChat Pay's notifications and answers come to."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.samples import wechatpay as build
from shared.finance.models import Feed, Payment, PaymentKind, PaymentState
from shared.kernel.errors import Rejected, Retry
from shared.payments.port import AccountContext, PaymentReading
from shared.payments.wechatpay.mapping import reader, reader_by, transaction_payment

CONTEXT = AccountContext("wechat-cn", merchant_id=build.MERCHANT_ID)
ASKED_AT = datetime(2026, 11, 24, 3, tzinfo=UTC)
SIGNED_AT = datetime(2026, 11, 23, 9, 2, 11, tzinfo=UTC)


def read(body: dict[str, Any], secrets: tuple[str, ...] | None = None) -> PaymentReading:
    return reader(build.secrets() if secrets is None else secrets)(build.delivery(body), CONTEXT)


def told(inside: dict[str, Any] | None = None, event: str = "TRANSACTION.SUCCESS") -> Payment:
    (fact,) = read(build.notification(inside, event=event)).facts
    assert isinstance(fact, Payment)
    return fact


def code_of(body: dict[str, Any], secrets: tuple[str, ...] | None = None) -> str:
    with pytest.raises(Rejected) as refusal:
        read(body, secrets)
    return refusal.value.code


def test_a_paid_transaction_is_a_capture() -> None:
    assert told() == Payment(
        account="wechat-cn",
        payment_id=build.TRANSACTION_ID,
        kind=PaymentKind.CAPTURE,
        state=PaymentState.SUCCEEDED,
        vendor_state="SUCCESS",
        currency="CNY",
        amount=3580,
        references=("A1001", "aurora/5001"),
        occurred_at=datetime(2026, 11, 23, 9, 2, 10, tzinfo=UTC),
        stated_at=SIGNED_AT,
        feed=Feed.WEBHOOK,
    )


@pytest.mark.parametrize(
    ("event", "status", "state"),
    [
        ("REFUND.SUCCESS", "SUCCESS", PaymentState.SUCCEEDED),
        ("REFUND.CLOSED", "CLOSED", PaymentState.CANCELLED),
        ("REFUND.ABNORMAL", "ABNORMAL", PaymentState.PENDING),
        ("REFUND.SUCCESS", "NEWS", PaymentState.PENDING),
    ],
)
def test_a_refund_is_in_the_state_that_it_says(event: str, status: str, state: PaymentState) -> None:
    refund = told(build.refund(refund_status=status), event)
    assert (refund.kind, refund.state, refund.amount, refund.currency) == (PaymentKind.REFUND, state, 500, "CNY")
    assert (refund.payment_id, refund.parent_id) == (build.REFUND_ID, build.TRANSACTION_ID)
    assert refund.references == ("A1001", "R-1")
    odd = read(build.notification(build.refund(refund_status=status), event=event)).oddities
    assert bool(odd) is (state is PaymentState.PENDING)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("REFUND", PaymentState.SUCCEEDED),
        ("NOTPAY", PaymentState.PENDING),
        ("CLOSED", PaymentState.CANCELLED),
        ("REVOKED", PaymentState.CANCELLED),
        ("PAYERROR", PaymentState.FAILED),
        ("SOMETHING", PaymentState.PENDING),
    ],
)
def test_only_explicit_words_are_final(state: str, expected: PaymentState) -> None:
    assert told(build.transaction(trade_state=state)).state is expected


def test_nothing_of_the_buyer_is_in_a_fact() -> None:
    text = told().model_dump_json() + told(None, "REFUND.SUCCESS").model_dump_json()
    assert "oUpF8u" not in text
    assert "0403" not in text
    assert told(build.transaction(attach="13800138000")).references == ("A1001",)
    assert told(build.transaction(attach="for Zoë, 2 mugs")).references == ("A1001",)


def test_other_events_are_nothing() -> None:
    assert read(build.notification(event="COMPLAINT.CREATE")).nothing
    assert read(build.notification(build.transaction(transaction_id=None, trade_state="NOTPAY"))).nothing


def test_a_payment_of_another_merchant_is_refused() -> None:
    assert code_of(build.notification(build.transaction(mchid="1900000002"))) == "wrong_account"
    assert code_of(build.notification(build.refund(mchid=None), event="REFUND.SUCCESS")) == "wrong_account"
    partner = build.transaction(mchid=None, sp_mchid="1900000099", sub_mchid=build.MERCHANT_ID)
    assert told(partner).amount == 3580


def test_any_of_several_keys_may_open_it() -> None:
    other = "APIv3 " + "f" * 32
    assert read(build.notification(), (other, *build.secrets())).facts == read(build.notification()).facts
    assert code_of(build.notification(), (other,)) == "unreadable_resource"
    assert code_of(build.notification(), ()) == "unreadable_resource"


def test_no_changed_byte_of_what_is_encrypted_opens() -> None:
    body = build.notification()
    sealed = base64.b64decode(body["resource"]["ciphertext"])
    for place in range(len(sealed)):  # the tag is at the end
        forged = bytearray(sealed)
        forged[place] ^= 1
        resource = {**body["resource"], "ciphertext": base64.b64encode(forged).decode()}
        assert code_of({**body, "resource": resource}) == "unreadable_resource"


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "another nonce"},
        {"nonce": ""},
        {"associated_data": "refund"},
        {"associated_data": ""},
        {"algorithm": "AEAD_SM4_GCM"},
        {"ciphertext": ""},
        {"ciphertext": "AAAA"},
        {"ciphertext": "not base64"},
        {"ciphertext": "ü"},
    ],
)
def test_what_surrounds_the_secret_is_bound_to_it(change: dict[str, str]) -> None:
    body = build.notification()
    assert code_of({**body, "resource": {**body["resource"], **change}}) == "unreadable_resource"


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        (build.transaction(amount={"total": "35.80"}), "invalid_payload"),
        (build.transaction(amount={"total": -1}), "invalid_payload"),
        (build.transaction(amount={"total": 35.8}), "invalid_payload"),
        (build.transaction(amount={"total": True}), "invalid_payload"),
        (build.transaction(amount={"total": 1, "currency": "yuan"}), "invalid_payload"),
        (build.transaction(success_time="soon"), "invalid_time"),
        (build.transaction(out_trade_no=None), "invalid_payload"),
    ],
)
def test_what_cannot_be_read_is_refused(inside: dict[str, Any], code: str) -> None:
    assert code_of(build.notification(inside)) == code


def test_an_answer_tells_the_payment_as_it_is_now() -> None:
    payment = transaction_payment(build.transaction(trade_state="REFUND"), CONTEXT, ASKED_AT)
    assert payment is not None
    assert (payment.state, payment.stated_at, payment.feed) == (PaymentState.SUCCEEDED, ASKED_AT, Feed.API)
    unpaid = build.transaction(trade_state="NOTPAY", amount=None, transaction_id=None)
    assert transaction_payment(unpaid, CONTEXT, ASKED_AT) is None


def test_a_key_that_was_changed_is_read_anew_before_a_delivery_is_set_aside() -> None:
    asked: list[str] = []
    old = ("APIv3 " + "o" * 32,)

    def fresh() -> tuple[str, ...]:
        asked.append("fresh")
        return build.secrets()

    body = build.delivery(build.notification())
    assert reader_by(lambda: old, fresh)(body, CONTEXT) == reader(build.secrets())(body, CONTEXT)
    assert asked == ["fresh"]
    assert reader_by(build.secrets, fresh)(body, CONTEXT).facts
    assert asked == ["fresh"]
    with pytest.raises(Rejected, match="unreadable_resource"):
        reader_by(lambda: old, lambda: old)(body, CONTEXT)
    with pytest.raises(Retry, match="bad_secret"):
        reader_by(lambda: ("APIv3 short",), lambda: ("APIv3 short",))(body, CONTEXT)
