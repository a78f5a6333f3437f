"""No byte of a delivery can be changed and none can be added: nothing forged is taken in, and nothing of it written."""

import base64
from collections.abc import Iterator, Mapping

import pytest

from infra.samples import alipay, paypal, shopify, stripe, wechatpay, woocommerce
from shared.customers.intake import Result as CustomerResult
from shared.customers.intake import take_in as take_in_customer
from shared.customers.readings import CompleteCustomer
from shared.kernel.identifiers import OrderKey
from shared.orders.intake import Result, take_in
from shared.payments.alipay.mapping import read_payment as read_alipay
from shared.payments.paypal.mapping import read_payment as read_paypal
from shared.payments.port import AccountContext, PaymentReader
from shared.payments.stripe.mapping import read_payment as read_stripe
from shared.payments.wechatpay.mapping import reader as wechat_reader
from shared.storefronts.shopify.customer_mapping import read_customer
from shared.storefronts.shopify.mapping import read_order
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import WebhookRequest
from tests.builders.customers import customer_desk
from tests.fakes.finance import FakeFinanceBook
from tests.fakes.order_desk import FakeStockRoom, desk
from tests.fuzz.requests import SCHEMES, packed
from tests.hostile.counter import DOORS, Counter, opened, secrets, small

SIGNATURES: Mapping[str, str] = {
    "shopify": "x-shopify-hmac-sha256",
    "shopify_customers": "x-shopify-hmac-sha256",
    "woocommerce": "x-wc-webhook-signature",
    "woocommerce_customers": "x-wc-webhook-signature",
    "stripe": "stripe-signature",
    "paypal": "paypal-transmission-sig",
    "wechatpay": "wechatpay-signature",
}
"""By door: the header. Alipay's is a field of its form."""


def require_refused(door: str, request: WebhookRequest, counter: Counter) -> None:
    """Refused, and nothing is written; or what was changed is neither signed nor believed."""
    before = counter.written
    status = counter.ask(door, request)
    if status == 200:
        signed = SCHEMES[door].signed
        assert signed(request) == signed(small(door)), packed(request)
        assert counter.last().shop == DOORS[door].name
        return
    assert 400 <= status < 500, (status, packed(request))
    assert counter.written == before, packed(request)


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def counter(door: str) -> Iterator[Counter]:
    with opened(door) as counter:
        yield counter


def changes(data: bytes) -> Iterator[bytes]:
    """Each byte flipped at its lowest, its sixth and its highest bit, left out, doubled; and the rest cut off."""
    for at in range(len(data)):
        for bit in (0, 5, 7):
            yield data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        yield data[:at] + data[at + 1 :]
        yield data[: at + 1] + data[at:]
        yield data[:at]
    yield from (data + end for end in (b"\0", b" ", b"\n", b"\r\n", data))
    yield from (begin + data for begin in (b"\0", b" ", b"\n", b"\xef\xbb\xbf"))


def test_the_genuine_one_is_taken_in(door: str, counter: Counter) -> None:
    """Else every refusal below would mean nothing."""
    assert counter.ask(door, small(door)) == 200
    assert counter.written == 1
    [delivery] = counter.taken()
    assert delivery.body == small(door).body


def test_no_byte_of_the_body_can_be_changed(door: str, counter: Counter) -> None:
    genuine = small(door)
    for body in changes(genuine.body):
        require_refused(door, genuine._replace(body=body), counter)
    assert len(counter.taken()) < len(genuine.body) / 4, "what Alipay escapes may be written in two ways, no more"


def test_no_character_of_a_header_can_be_changed(door: str, counter: Counter) -> None:
    """The unsigned ones may be, and are hints: what is taken in is the signed body, of this very shop."""
    genuine = small(door)
    for name, value in genuine.headers.items():
        for changed in changes(value.encode("ascii")):
            if len(value) > 300 and len(changed) % 5:  # of long signatures, every fifth: the rest is alike
                continue
            headers = {**genuine.headers, name: changed.decode("latin-1")}
            require_refused(door, genuine._replace(headers=headers), counter)


def test_no_header_of_those_that_prove_it_can_be_left_out_or_come_twice(door: str, counter: Counter) -> None:
    genuine = small(door)
    for name, value in genuine.headers.items():
        without = {key: each for key, each in genuine.headers.items() if key != name}
        for headers in (without, {**without, name: ""}, {**without, name: f"{value},{value}"}):
            require_refused(door, genuine._replace(headers=headers), counter)
    require_refused(door, genuine._replace(headers={}), counter)


@pytest.mark.parametrize("door", SIGNATURES, indirect=True)
def test_the_signature_in_another_writing_is_none(door: str, counter: Counter) -> None:
    genuine, name = small(door), SIGNATURES[door]
    value = genuine.headers[name]
    digest = base64.b64decode(value.rpartition("=")[2] if door == "stripe" else value, validate=False)
    wide = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
    written = {
        *(value.upper(), value.lower(), value.swapcase(), value[::-1], value.translate(wide), f'"{value}"'),
        *(value.replace("+", "-").replace("/", "_") + "-", value.rstrip("="), value + "=", f"sha256={value}"),
        *(digest.hex(), base64.b32encode(digest).decode(), base64.b85encode(digest).decode(), value[:-8], value * 2),
        *(f"{value}\u200b", f"\ufeff{value}", value.replace("a", "а"), "*", "true", "null", "0", "", "=", "===="),
        *(f" {value[:10]} {value[10:]}", f"{value[:10]}\r\n{value[10:]}", f"{value}\0", "A" * 10_000),
    }
    for text in written - {value}:
        require_refused(door, genuine._replace(headers={**genuine.headers, name: text}), counter)
    assert len(counter.taken()) <= 1, "Stripe's own is found where it stands twice in a row"


def test_no_secret_but_its_own_opens_a_door(door: str, counter: Counter) -> None:
    """Another shop's, another provider's, what looks like it; and none at all."""
    where, own = DOORS[door], secrets()[DOORS[door].name]
    others = [secret for name, known in secrets().items() if name != where.name for secret in known]
    similar = [each for secret in own for each in (secret.swapcase(), secret[: len(secret) // 2], secret[::-1])]
    usable = [*others, *similar, "", " ", "\0", "а" * 32]
    counter.secrets.document = {**secrets(), where.name: usable}
    assert counter.ask(door, small(door)) == 401
    for empty in ([], [""], ["", " ", "\t"]):
        counter.secrets.document = {**secrets(), where.name: empty}
        with opened(door) as anew:
            anew.secrets.document = counter.secrets.document
            assert anew.ask(door, small(door)) in (401, 503)
            assert anew.written == 0
    assert counter.written == 0


def test_two_secrets_hold_while_one_takes_over(door: str, counter: Counter) -> None:
    own = secrets()[DOORS[door].name]
    counter.secrets.document = {**secrets(), DOORS[door].name: ["the-next-one", *own, "and another"]}
    assert counter.ask(door, small(door)) == 200
    require_refused(door, small(door)._replace(body=small(door).body + b" "), counter)


def test_a_delivery_to_one_door_opens_no_other(door: str, counter: Counter) -> None:
    """Signed for this shop, brought to every other one, and with the headers of every other vendor beside."""
    for other, where in DOORS.items():
        if where.name == DOORS[door].name:
            continue
        genuine = small(other)
        require_none(counter.ask(door, genuine), counter)
        mixed = {**genuine.headers, **{k: v for k, v in small(door).headers.items() if k != SIGNATURES.get(door)}}
        require_none(counter.ask(door, WebhookRequest(mixed, genuine.body)), counter)
    for name in ("nobody", "", "..", "aurora/", "aurora%00", "AURORA", "__proto__", "ａurora", "a" * 10_000):
        require_none(counter.ask(door, small(door), name=name), counter)


def require_none(status: int, counter: Counter) -> None:
    assert 400 <= status < 500
    assert counter.written == 0


@pytest.mark.parametrize("door", ["stripe", "wechatpay"], indirect=True)
def test_an_old_delivery_and_one_of_the_future_are_refused(door: str, counter: Counter) -> None:
    genuine = small(door)
    name = {"stripe": "stripe-signature", "wechatpay": "wechatpay-timestamp"}[door]
    told = genuine.headers[name]
    now = int(DOORS[door].at)
    for stamp in (0, 1, now - 301, now + 301, 10**11, 10**12 - 1, -1):
        moved = told.replace(str(stripe.CREATED + 2), str(stamp)) if door == "stripe" else str(stamp)
        require_none(counter.ask(door, genuine._replace(headers={**genuine.headers, name: moved})), counter)


READERS: Mapping[str, tuple[PaymentReader, AccountContext, WebhookRequest]] = {
    "stripe": (
        read_stripe,
        AccountContext("stripe-eu", stripe.ACCOUNT),
        stripe.signed_request(stripe.encode(stripe.event("charge.succeeded", stripe.charge())), stripe.SECRET),
    ),
    "paypal": (
        read_paypal,
        AccountContext("paypal-eu"),
        paypal.signed_request(paypal.encode(paypal.event("PAYMENT.CAPTURE.COMPLETED", paypal.capture()))),
    ),
    "alipay": (read_alipay, AccountContext("alipay-cn", alipay.APP_ID), alipay.request()),
    "wechatpay": (
        wechat_reader(wechatpay.secrets()),
        AccountContext("wechat-cn", wechatpay.MERCHANT_ID),
        wechatpay.request(),
    ),
}


@pytest.mark.parametrize("door", READERS, indirect=True)
def test_a_payment_that_is_replayed_a_hundred_times_is_one_payment(door: str, counter: Counter) -> None:
    read, context, request = READERS[door]
    assert {counter.ask(door, request) for _ in range(100)} == {200}
    book = FakeFinanceBook("Europe/Amsterdam")
    kept = [book.keep(read(delivery, context).facts) for delivery in counter.taken()]
    assert kept[0].new >= 1
    assert {(each.new, each.changed) for each in kept[1:]} == {(0, 0)}


@pytest.mark.parametrize("door", ["shopify"], indirect=True)
def test_an_order_that_is_replayed_a_hundred_times_is_one_order(door: str, counter: Counter) -> None:
    """Whoever repeats it may say another time and another id beside it, and the order is still the same."""
    request = shopify.signed_request(shopify.Shop().order())
    at = desk(FakeStockRoom())
    for number in range(100):
        later = {"x-shopify-triggered-at": f"2027-01-01T00:00:{number % 60:02}Z", "x-shopify-webhook-id": str(number)}
        assert counter.ask(door, request._replace(headers={**request.headers, **later})) == 200
    outcomes = [take_in(delivery.shop, read_order(delivery), at).result for delivery in counter.taken()]
    assert outcomes[0] is Result.APPLIED
    assert set(outcomes[1:]) == {Result.DUPLICATE}
    record = at.book.find(OrderKey("aurora", "5001"))
    assert record is not None
    assert record.revision == 1


@pytest.mark.parametrize("door", ["shopify_customers"], indirect=True)
def test_a_customer_that_is_replayed_a_hundred_times_is_one_customer(door: str, counter: Counter) -> None:
    request = SCHEMES[door].genuine()[0]
    assert {counter.ask(door, request) for _ in range(100)} == {200}
    at = customer_desk()
    results = []
    for delivery in counter.taken():
        reading = read_customer(delivery)
        assert isinstance(reading, CompleteCustomer)
        results.append(take_in_customer(reading, at).result)
    assert results[0] is CustomerResult.APPLIED
    assert set(results[1:]) == {CustomerResult.DUPLICATE}


def test_a_delivery_in_the_queue_is_what_came(door: str, counter: Counter) -> None:
    assert counter.ask(door, small(door)) == 200
    [message] = [body["MessageBody"] for _, body, _ in counter.queue.calls]
    assert Delivery.from_message(message).body == small(door).body
    assert woocommerce.SECRET not in message
    assert shopify.SECRET not in message
