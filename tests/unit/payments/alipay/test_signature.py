"""Whom Alipay's door lets in."""

import base64
import subprocess
import sys
from collections.abc import Sequence
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.samples import alipay as build
from shared.finance.models import Payment
from shared.kernel.errors import Rejected
from shared.payments.alipay.mapping import read_payment
from shared.payments.alipay.signature import (
    ACCEPTED,
    MOST_BYTES,
    MOST_FIELDS,
    authenticate,
    is_ambiguous,
    read_form,
    sign,
    signed_content,
    signed_form,
    verify,
)
from shared.payments.port import AccountContext
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import Authenticated, WebhookRequest
from shared.webhooks.reception import Endpoint, Reception, receive

KEY = build.keys().public


def accepted(request: WebhookRequest, *, keys: tuple[str, ...] = (KEY,), merchant: str = build.APP_ID) -> Authenticated:
    return authenticate(request, secrets=keys, shop_address=merchant)


def code_of(request: WebhookRequest, *, keys: tuple[str, ...] = (KEY,), merchant: str = build.APP_ID) -> str:
    with pytest.raises(Rejected) as refusal:
        accepted(request, keys=keys, merchant=merchant)
    return refusal.value.code


def with_body(body: bytes) -> WebhookRequest:
    return WebhookRequest({"content-type": "application/x-www-form-urlencoded; charset=utf-8"}, body)


def test_a_signed_notification_is_let_in_with_what_it_says_of_itself() -> None:
    assert accepted(build.request()) == Authenticated(
        topic="trade_success",
        delivery_id="2026112300222170211000000000000001",
        triggered_at="2026-11-23T09:02:11.000000000Z",
        api_version="1.0",
        well_formed=True,
    )


@pytest.mark.parametrize("charset", ["utf-8", "gbk", "GBK"])
def test_values_are_signed_in_the_charset_that_they_are_sent_in(charset: str) -> None:
    fields = build.notification(charset=charset)
    body = signed_form(fields, build.keys().private, charset=charset.lower())
    request = WebhookRequest({"content-type": "application/x-www-form-urlencoded"}, body)
    assert accepted(request).topic == "trade_success"
    assert read_form(body)["subject"] == "蓝色马克杯 & co."


def test_keys_may_be_pem_or_bare_and_any_of_several_will_do() -> None:
    other = build.keys("other")
    assert accepted(build.request(), keys=(build.keys().public_pem,))
    assert accepted(build.request(), keys=("no key at all", other.public, "", KEY))
    assert code_of(build.request(), keys=(other.public, other.public_pem)) == "unauthorised"
    assert code_of(build.request(), keys=()) == "unauthorised"
    assert code_of(build.request(), keys=(build.keys().private,)) == "unauthorised"


def test_no_changed_byte_of_a_body_gets_in() -> None:
    body = build.request().body
    for place in range(len(body)):
        changed = bytearray(body)
        changed[place] ^= 1
        outcome = outcome_of(with_body(bytes(changed)))
        if isinstance(outcome, Authenticated):  # `%2f` for `%2F`: the same value in other letters
            assert read_form(bytes(changed)) == read_form(body)
        else:
            assert outcome in {"unauthorised", "invalid_body"}


def outcome_of(request: WebhookRequest) -> Authenticated | str:
    try:
        return accepted(request)
    except Rejected as refusal:
        return refusal.code


def test_no_changed_bit_of_a_signature_gets_in() -> None:
    fields = build.notification()
    encoded = {name.encode(): value.encode() for name, value in fields.items()}
    genuine = base64.b64decode(sign(signed_content(encoded), build.keys().private))
    assert verify(signed_content(encoded), base64.b64encode(genuine).decode(), [KEY])
    for place in range(len(genuine)):
        forged = bytearray(genuine)
        forged[place] ^= 1 << place % 8
        assert not verify(signed_content(encoded), base64.b64encode(forged).decode(), [KEY])


@pytest.mark.parametrize("signature", ["", "=", "äöü", "not base64!", "AAAA", base64.b64encode(b"x" * 256).decode()])
def test_what_is_no_signature_is_refused(signature: str) -> None:
    pairs = [f"{name}={quote_plus(value)}" for name, value in build.notification().items()]
    body = "&".join([*pairs, "sign_type=RSA2", f"sign={quote_plus(signature)}"]).encode()
    assert code_of(with_body(body)) == "unauthorised"


def test_only_rsa2_is_taken_and_an_unsigned_form_is_not() -> None:
    body = build.request().body
    assert code_of(with_body(body.replace(b"sign_type=RSA2", b"sign_type=RSA"))) == "unauthorised"
    assert code_of(with_body(body.replace(b"sign_type=RSA2&", b""))) == "unauthorised"
    assert code_of(with_body(body[: body.index(b"&sign=")])) == "unauthorised"


@pytest.mark.parametrize(
    "trick",
    [
        b"&trade_status=TRADE_FINISHED",
        b"&sign=AAAA",
        b"&sign_type=RSA2",
        b"&%73ign=AAAA",
        b"&tot%61l_amount=99.00",
        b"&nothing",
        b"&=empty",
        b"&",
        b"&a%00b=1",
        b"&extra=a%00b",
        b"&extra=%4",
        b"&extra=%zz",
        b"&sp ace=1",
        b"&charset=utf-16",
        "&größe=1".encode(),
    ],
)
def test_tricks_with_the_form_are_refused(trick: bytes) -> None:
    assert code_of(with_body(build.request().body + trick)) == "invalid_body"


def test_a_field_that_was_not_signed_is_refused() -> None:
    assert code_of(with_body(build.request().body + b"&refund_fee=35.80")) == "unauthorised"


def test_size_and_number_of_fields_are_bounded() -> None:
    assert code_of(with_body(b"a=" + b"x" * MOST_BYTES)) == "body_too_large"
    many = "&".join(f"f{number}=1" for number in range(MOST_FIELDS + 1)).encode()
    assert code_of(with_body(many)) == "invalid_body"
    assert code_of(with_body(b"")) == "invalid_body"


def test_text_that_is_not_in_its_charset_is_refused() -> None:
    fields = build.notification()
    encoded = {name.encode(): value.encode() for name, value in fields.items()} | {b"subject": b"\xff\xfe"}
    signature = sign(signed_content(encoded), build.keys().private)
    everything = {**encoded, b"sign_type": b"RSA2", b"sign": signature.encode()}
    body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in everything.items()).encode()
    assert code_of(with_body(body)) == "invalid_body"


def test_a_notification_for_another_app_is_refused() -> None:
    assert code_of(build.request(), merchant="2021000000000002") == "wrong_shop"
    assert code_of(build.request(), merchant=build.SELLER_ID) == "wrong_shop"
    without = build.request(build.notification(app_id=None))
    assert accepted(without, merchant=build.SELLER_ID)
    assert code_of(without) == "wrong_shop"
    assert code_of(build.request(build.notification(app_id=None, seller_id=None))) == "wrong_shop"


def test_only_a_form_is_taken() -> None:
    request = WebhookRequest({"content-type": "application/json"}, build.request().body)
    assert code_of(request) == "unsupported_media_type"


def test_other_messages_have_topics_too_and_one_without_any_is_refused() -> None:
    assert accepted(build.request(build.notification(trade_status=None))).topic == "trade_status_sync"
    sent = build.notification(trade_status=None, notify_type=None, msg_method="alipay.fund.trans.order.changed")
    assert accepted(build.request(sent)).topic == "alipay.fund.trans.order.changed"
    assert code_of(build.request(build.notification(trade_status=None, notify_type=None))) == "unsupported_topic"
    assert code_of(build.request(build.notification(trade_status="a b"))) == "unsupported_topic"


@pytest.mark.parametrize("time", ["", "yesterday", "2026-13-45 00:00:00", "0001-01-01 00:00:00"])
def test_a_strange_time_is_no_hint(time: str) -> None:
    assert accepted(build.request(build.notification(notify_time=time))).triggered_at is None


def stored_keys(shop: str, *, fresh: bool = False) -> Sequence[str]:
    return [KEY]


def test_what_is_let_in_goes_on_as_it_came_and_can_be_read_there() -> None:
    queued: list[Delivery] = []
    reception = Reception(
        endpoints=lambda account: Endpoint(account, "alipay", build.APP_ID),
        ingress=lambda _vendor: authenticate,
        secrets=stored_keys,
        enqueue=queued.append,
        now=lambda: build.RECEIVED_AT,
    )
    request = build.request()
    delivery = receive("alipay-cn", request, reception)
    assert queued == [delivery]
    assert isinstance(delivery, Delivery)
    assert Delivery.from_message(delivery.to_message()).body == request.body
    (fact,) = read_payment(delivery, AccountContext("alipay-cn", merchant_id=build.APP_ID)).facts
    assert isinstance(fact, Payment)
    assert fact.amount == 3580


def test_the_answer_is_the_one_word_that_alipay_takes() -> None:
    status, _, body = ACCEPTED
    assert (status, body) == (200, "success")


def test_a_signed_text_that_reads_as_other_fields_is_told_from_an_honest_one() -> None:
    """Alipay's scheme does not say where a value ends: a title may hold fields, and the true ones be hidden."""
    title = "x&total_amount=9999.00&trade_no=1&trade_status=TRADE_SUCCESS&z="
    bought = build.notification(subject=title, total_amount="0.01", passback_params=None)
    encoded = {name.encode(): value.encode() for name, value in bought.items()}
    signed = signed_content(encoded)
    before, _, after = signed.partition(b"&subject=")
    forged = dict(pair.split(b"=", 1) for pair in before.split(b"&"))
    told, _, hidden = after.partition(b"&z=")
    forged |= dict(pair.split(b"=", 1) for pair in (b"subject=" + told).split(b"&")) | {b"z": hidden}
    assert signed_content(forged) == signed, "the scheme cannot tell the two apart"
    assert is_ambiguous({name.decode(): value.decode() for name, value in forged.items()})
    assert is_ambiguous(bought)
    assert not is_ambiguous(build.notification())
    assert not is_ambiguous(build.notification(subject="salt & pepper = good & cheap"))


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.from_regex(r"\A[a-z][a-z_]{0,10}\Z").filter(lambda name: name not in ("sign", "sign_type", "charset")),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_is_sent_is_read_back(fields: dict[str, str]) -> None:
    read = read_form(signed_form(fields, build.keys().private))
    assert {name: value for name, value in read.items() if name not in ("sign", "sign_type")} == fields


@given(st.binary(max_size=200))
def test_no_body_breaks_the_door(body: bytes) -> None:
    assert code_of(with_body(body)) in {"invalid_body", "unauthorised"}


def test_it_starts_with_the_standard_library_alone() -> None:
    told = (
        "import sys, shared.payments.alipay.signature; "
        "print(sorted({'cryptography', 'pydantic', 'httpx'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
