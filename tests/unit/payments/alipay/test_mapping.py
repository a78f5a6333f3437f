"""What Alipay's notifications and answers come to."""

from datetime import UTC, datetime

import pytest

from infra.samples import alipay as build
from shared.finance.models import Feed, Payment, PaymentKind, PaymentState
from shared.kernel.errors import Rejected
from shared.payments.alipay.mapping import read_payment, refund_payment, trade_payment
from shared.payments.port import AccountContext, PaymentReading

CONTEXT = AccountContext("alipay-cn", merchant_id=build.APP_ID)
ASKED_AT = datetime(2026, 11, 24, 3, tzinfo=UTC)


def reading(**fields: str | None) -> PaymentReading:
    return read_payment(build.delivery(build.notification(**fields)), CONTEXT)


def told(**fields: str | None) -> Payment:
    (fact,) = reading(**fields).facts
    assert isinstance(fact, Payment)
    return fact


def test_a_paid_trade_is_a_capture() -> None:
    assert told() == Payment(
        account="alipay-cn",
        payment_id=build.TRADE_NO,
        kind=PaymentKind.CAPTURE,
        state=PaymentState.SUCCEEDED,
        vendor_state="TRADE_SUCCESS",
        currency="CNY",
        amount=3580,
        references=("A1001", "aurora/5001"),
        occurred_at=datetime(2026, 11, 23, 9, 2, 10, tzinfo=UTC),
        stated_at=datetime(2026, 11, 23, 9, 2, 11, tzinfo=UTC),
        feed=Feed.WEBHOOK,
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("WAIT_BUYER_PAY", PaymentState.PENDING),
        ("TRADE_SUCCESS", PaymentState.SUCCEEDED),
        ("TRADE_FINISHED", PaymentState.SUCCEEDED),
        ("TRADE_CLOSED", PaymentState.CANCELLED),
        ("TRADE_HELD", PaymentState.PENDING),
    ],
)
def test_only_explicit_words_are_final(status: str, state: PaymentState) -> None:
    assert told(trade_status=status, gmt_payment=None).state is state
    assert bool(reading(trade_status=status).oddities) is (status == "TRADE_HELD")


def test_a_trade_that_was_given_back_had_been_paid_and_its_refund_is_asked_for() -> None:
    """The notification tells the sum of all refunds: what this one was, the API knows."""
    found = reading(
        trade_status="TRADE_CLOSED", refund_fee="35.80", gmt_refund="2026-11-23 18:00:00.123", out_biz_no="R-2"
    )
    (fact,) = found.facts
    assert isinstance(fact, Payment)
    assert (fact.state, fact.amount) == (PaymentState.SUCCEEDED, 3580)
    assert found.look_up == (f"{build.TRADE_NO}/R-2",)
    assert reading(refund_fee="5.00").look_up == ()
    assert reading(out_biz_no="R-2").look_up == ()


def test_what_may_be_other_fields_is_not_believed_but_asked_for() -> None:
    found = reading(subject="x&total_amount=1.00&y=")
    assert found.facts == ()
    assert found.look_up == (build.TRADE_NO,)
    assert found.oddities


def test_free_text_is_a_reference_only_where_it_is_one_token() -> None:
    assert told(body="2 blue mugs").references == ("A1001",)
    assert told(body="13800138000").references == ("A1001",)
    assert told(out_trade_no="13800138000", body=None).references == ("13800138000",)
    assert told(body=None, passback_params="aurora%2F5001").references == ("A1001", "aurora/5001")
    assert told(body="A1001").references == ("A1001",)


def test_nothing_of_the_buyer_is_in_a_fact() -> None:
    text = told().model_dump_json()
    for personal in ("zoe@", "2088000000000999", "马克杯", "ALIPAYACCOUNT"):
        assert personal not in text


def test_what_is_about_no_trade_is_nothing() -> None:
    assert reading(notify_type="dut_user_sign").nothing
    assert reading(trade_no=None).nothing


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"app_id": "2021000000000002"}, "wrong_account"),
        ({"total_amount": "35.805"}, "invalid_money"),
        ({"total_amount": "NaN"}, "invalid_money"),
        ({"total_amount": None}, "invalid_money"),
        ({"gmt_payment": "soon"}, "invalid_time"),
        ({"notify_time": None}, "invalid_payload"),
        ({"trade_no": "a b"}, "invalid_payload"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_field(fields: dict[str, str | None], code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        reading(**fields)
    assert refusal.value.code == code
    assert refusal.value.field in fields
    assert all(value is None or value not in str(refusal.value) for value in fields.values())


def test_an_answer_tells_the_trade_as_it_is_now() -> None:
    node = {
        "trade_no": "T1",
        "out_trade_no": "A1001",
        "trade_status": "TRADE_CLOSED",
        "total_amount": 35.8,
        "send_pay_date": "2026-11-23 17:02:10",
        "buyer_logon_id": "zha***",
    }
    payment = trade_payment(node, "alipay-cn", ASKED_AT)
    assert (payment.state, payment.amount, payment.stated_at) == (PaymentState.SUCCEEDED, 3580, ASKED_AT)
    unpaid = trade_payment({**node, "send_pay_date": ""}, "alipay-cn", ASKED_AT)
    assert unpaid.state is PaymentState.CANCELLED


def test_an_answer_about_a_refund_that_is_not_there_is_none() -> None:
    assert refund_payment({"code": "10000"}, "alipay-cn", ASKED_AT) is None
    node = {"trade_no": "T1", "out_trade_no": "A1", "out_request_no": "R1", "refund_amount": "5.00"}
    done = refund_payment(node, "alipay-cn", ASKED_AT)
    assert done is not None
    assert (done.payment_id, done.parent_id, done.amount, done.state) == ("T1/R1", "T1", 500, PaymentState.SUCCEEDED)
    waiting = refund_payment({**node, "refund_status": "REFUND_PROCESSING"}, "alipay-cn", ASKED_AT)
    assert waiting is not None
    assert waiting.state is PaymentState.PENDING
