"""What is fuzzed: everything that reads bytes of strangers, each with the promise that it keeps whatever comes."""

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from infra.samples import alipay, paypal, shopify, shopify_customers, stripe, wechatpay, woocommerce
from shared.inventory import stocktake_csv
from shared.kernel import links, strict_json
from shared.kernel.clock import as_sortable, parse_time, sortable_time
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.kernel.money import Money, currency_exponent
from shared.notifications.buyer.pages import language_for
from shared.orders.decision import Circumstances, decide
from shared.orders.models import Order
from shared.orders.readings import CompleteOrder, OrderHint
from shared.orders.review import ReviewRules
from shared.payments.alipay.bills import read_bill as read_alipay_bill
from shared.payments.alipay.mapping import read_payment as read_alipay
from shared.payments.amounts import minor_units, plain_decimal, written_minor_units
from shared.payments.bank.reader import reader_for
from shared.payments.paypal.files import read_settlement
from shared.payments.paypal.mapping import read_payment as read_paypal
from shared.payments.port import AccountContext, FileReader, PaymentReader
from shared.payments.shopify_payments.exports import export_reader
from shared.payments.stripe.files import read_report
from shared.payments.stripe.mapping import read_payment as read_stripe
from shared.payments.wechatpay.bills import read_bill as read_wechat_bill
from shared.payments.wechatpay.mapping import reader as wechat_reader
from shared.payments.wechatpay.resource import sealed
from shared.platform import errand_queue, http, push_queue
from shared.platform.kept import json_object
from shared.platform.settings import parse_settings, read_settings_file
from shared.storefronts.port import CustomerReader, OrderReader
from shared.storefronts.shopify.customer_mapping import read_customer as read_shopify_customer
from shared.storefronts.shopify.mapping import read_order as read_shopify
from shared.storefronts.woocommerce.customer_mapping import read_customer as read_woocommerce_customer
from shared.storefronts.woocommerce.mapping import read_order as read_woocommerce
from shared.sync.finance.recognise import FileKind, reader_of
from shared.webhooks.delivery import Delivery, stored_key
from tests.builders.orders import NOON
from tests.fakes.order_desk import FakeStockRoom
from tests.fuzz import answers
from tests.fuzz.engine import Target
from tests.fuzz.requests import SCHEMES, packed, require_genuine, unpacked
from tests.unit.payments.bank.files import BANK, WORDS, Move, camt, camt_statement, mt940
from tests.unit.payments.bank.test_statement_csv import GERMAN, GERMAN_FILE
from tests.unit.payments.shopify_payments.files import ACCOUNT, Row, export

_KEYS: Final = (b"k" * 32, b"l" * 32)
_ROOT: Final = Path(__file__).parents[2]


def _strict_json(data: bytes) -> None:
    value = strict_json.parse(data)
    text = json.dumps(value, ensure_ascii=False, default=str)
    assert strict_json.parse(text.encode("utf-8")) == json.loads(text), "what was read cannot be written"


def _signatures(name: str, data: bytes) -> None:
    require_genuine(SCHEMES[name], unpacked(data))


def _of_shop(read: OrderReader, platform: str, data: bytes) -> None:
    topic, _, body = data.partition(b"\n")
    make = shopify.delivery if platform == "shopify" else woocommerce.delivery
    reading = read(make(body, topic=topic.decode("latin-1"), fetched=topic.endswith(b"!")))
    order = reading.order if isinstance(reading, CompleteOrder) else None
    if isinstance(reading, OrderHint):
        order = reading.partial
    if order is not None:
        _decided(order)


def _decided(order: Order) -> None:
    """What is read can be decided on, kept, and read again."""
    assert Order.model_validate_json(order.model_dump_json()) == order
    around = Circumstances(stock=FakeStockRoom().read([]), locations=("main",), rules=ReviewRules(), now=NOON)
    commit = decide(order, None, around)
    again = decide(order, commit.record, around)
    assert again.record.lines == commit.record.lines
    assert not again.changes


def _of_customer(read: CustomerReader, platform: str, data: bytes) -> None:
    topic, _, body = data.partition(b"\n")
    make = shopify.delivery if platform == "shopify" else woocommerce.delivery
    read(make(body, topic=topic.decode("latin-1")))


def _of_provider(read: PaymentReader, account: str, data: bytes) -> None:
    merchant = alipay.APP_ID if account == "alipay-cn" else None
    context = AccountContext(account, merchant, "EUR", "Asia/Shanghai")
    read(Delivery(account, "any", "any", stripe.RECEIVED_AT, data), context)


def _of_wechat(data: bytes) -> None:
    """What is inside, encrypted by us: nobody else can make any that opens."""
    event, _, inside = data.partition(b"\n")
    told = wechatpay.notification(event=event.decode("latin-1"))
    key = wechatpay.API_KEY.encode("ascii")
    told["resource"] |= sealed(inside, key, nonce="fdasflkja484", associated_data="transaction")
    context = AccountContext("wechat-cn", wechatpay.MERCHANT_ID)
    wechat_reader(wechatpay.secrets())(wechatpay.delivery(told), context)


def _message(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    stored_key(text)
    delivery = Delivery.from_message(text)
    assert Delivery.from_message(delivery.to_message()) == delivery
    texts = (delivery.shop, delivery.platform, delivery.topic, delivery.received_at)
    assert all(isinstance(each, str) for each in texts), "a field of the delivery is no text"


def _file(read: FileReader, context: AccountContext, data: bytes) -> None:
    found = read(data, context)
    for fact in found.facts:
        assert type(fact).model_validate_json(fact.model_dump_json()) == fact
    assert len(found.faults) <= 10_000


def _any_file(data: bytes) -> None:
    """As somebody hands it in, who does not say what it is."""
    name = "bill.csv" if data[:1] == b"#" else "a.zip"
    reader_of(name, data, _readers())(data, AccountContext("stripe-eu", currency="EUR"))


@cache
def _readers() -> Mapping[FileKind, FileReader]:
    return {
        FileKind.STRIPE_REPORT: read_report,
        FileKind.PAYPAL_SETTLEMENT: read_settlement,
        FileKind.ALIPAY_BILL: read_alipay_bill,
        FileKind.WECHAT_BILL: read_wechat_bill,
        FileKind.SHOPIFY_EXPORT: export_reader(payouts_by_api=False),
        FileKind.CAMT_053: reader_for("camt.053", None, WORDS),
        FileKind.MT940: reader_for("mt940", None, WORDS),
        FileKind.BANK_CSV: reader_for("csv", GERMAN, WORDS),
    }


def _settings(data: bytes) -> None:
    """The document in its parameter, and as a file of either kind."""
    document = json_object(data.decode("utf-8", "replace"), "settings")
    settings = parse_settings(document)
    assert parse_settings(json.loads(settings.model_dump_json(exclude_none=True))) == settings


def _settings_file(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("settings.toml", "settings.json"):
            path = Path(folder) / name
            path.write_bytes(data)
            with suppress(Rejected):
                parse_settings(read_settings_file(path))


def _stocktake(data: bytes) -> None:
    with suppress(Rejected):
        stocktake_csv.read_catalogue(data, "EUR")
    rows = stocktake_csv.read_counts(data)
    again = stocktake_csv.write(("sku", "counted"), [(row.sku, row.counted) for row in rows])
    assert [row.sku for row in stocktake_csv.read_counts(again)] == [row.sku for row in rows]


def _link(data: bytes) -> None:
    token = data.decode("utf-8", "replace")
    links.read(token, "track", keys=_KEYS, now=NOON)
    assert token in _tokens(), "accepted, and never signed"


@cache
def _tokens() -> tuple[str, ...]:
    expiry = NOON.replace(year=NOON.year + 1)
    track = [links.Link("track", f"aurora/{number}", expiry) for number in (1, 5001, 5001)]
    signed = [links.sign(link, [key]) for link, key in zip(track, (*_KEYS, _KEYS[0]), strict=True)]
    return (*signed, links.sign(links.Link("verify", "aurora/customer/1", expiry, "n"), _KEYS))


def _queued(data: bytes) -> None:
    """A message of our own queues; how long it waits is whole seconds, as SQS takes them."""
    text = data.decode("utf-8", "replace")
    with suppress(Rejected):
        request = push_queue.PushRequest.parse(text)
        assert type(push_queue.delay_of(request)) is int
        assert 0 <= push_queue.delay_of(request) <= 900
    errand = errand_queue.parse(text)
    assert type(errand_queue.delay_of(errand)) is int
    assert 0 <= errand_queue.delay_of(errand) <= 900


def _money(data: bytes) -> None:
    """`AMOUNT CURRENCY`: exact, or refused."""
    written, _, currency = data.decode("utf-8", "replace").rpartition(" ")
    with suppress(Rejected):
        plain_decimal(written, decimal_mark=",")
    for mark in (".", ","):
        with suppress(Rejected):
            units = written_minor_units(written, currency, decimal_mark=mark)
            assert type(units) is int
    with suppress(Rejected):
        exact = minor_units(written, currency)
        assert Money(minor=exact, currency=currency, exponent=currency_exponent(currency)).minor == exact
    if not re.fullmatch("[A-Z]{3}", currency):
        return
    money = Money.parse(written, currency)
    assert Money.parse(f"{money.decimal:f}", currency).equals(money)


def _time(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    instant, sortable = parse_time(text), sortable_time(text)
    assert sortable_time(sortable) == sortable
    assert as_sortable(instant)[:26] == sortable[:26], "to the microsecond, both are the same"


def _names(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with suppress(Rejected):
        assert str(OrderKey.parse(text)) == text
    assert str(CustomerKey.parse(text)) == text


def _gateway(data: bytes) -> None:
    """A request as API Gateway hands it over: what is not the gateway's own doing is anybody's."""
    head, _, body = data.decode("utf-8", "replace").partition("\n\n")
    headers = dict(line.partition(":")[::2] for line in head.splitlines())
    event: dict[str, Any] = {
        "headers": headers,
        "body": body,
        "isBase64Encoded": head.startswith("b"),
        "queryStringParameters": {"lang": head[:8]},
    }
    assert language_for(*http.languages_asked(event)) in ("en", "zh")
    with suppress(Rejected):
        http.form_field(event, "n")
    request = http.webhook_request(event)
    assert isinstance(request.body, bytes)


def _lines(topic: str, *bodies: Any) -> list[bytes]:
    return [topic.encode() + b"\n" + (body if isinstance(body, bytes) else shopify.encode(body)) for body in bodies]


def _shopify_orders() -> Sequence[bytes]:
    shop = shopify.Shop()
    order = shop.order()
    return [
        *_lines("orders/paid", order, {"id": 5001}),
        *_lines("orders/edited!", order),
        *_lines("refunds/create", {}),
    ]


def _woocommerce_orders() -> Sequence[bytes]:
    order = woocommerce.order()
    detailed = order | {"refund_details": [woocommerce.refund_detail()], "refunds": [woocommerce.refund_summary()]}
    return [*_lines("order.updated", order, {"id": 1}), *_lines("order.updated!", detailed)]


def _shopify_persons() -> Sequence[bytes]:
    return [
        *_lines("customers/update", shopify_customers.account()),
        *_lines("customers/redact", shopify_customers.redact()),
        *_lines("customers/data_request", shopify_customers.data_request()),
        *_lines("customers/merge", shopify_customers.merge()),
        *_lines("customers/delete", shopify_customers.deleted()),
        *_lines("customers_email_marketing_consent/update", shopify_customers.email_consent()),
        *_lines("customers_marketing_consent/update", shopify_customers.sms_consent()),
        *_lines("shop/redact", shopify_customers.shop_redact()),
    ]


def _stripe_events() -> Sequence[bytes]:
    things = (stripe.charge, stripe.refund, stripe.dispute, stripe.payout, stripe.payment_intent, stripe.balance)
    told = [stripe.encode(stripe.event("a.b", thing())) for thing in (*things, stripe.checkout_session)]
    return [*told, stripe.encode(stripe.thin_event("v2.core.event", "ch_1"))]


def _paypal_events() -> Sequence[bytes]:
    told = (
        ("PAYMENT.CAPTURE.COMPLETED", paypal.capture()),
        ("PAYMENT.CAPTURE.REFUNDED", paypal.refund()),
        ("PAYMENT.SALE.COMPLETED", paypal.sale()),
        ("PAYMENT.SALE.REFUNDED", paypal.sale_refund()),
        ("PAYMENT.AUTHORIZATION.CREATED", paypal.authorisation()),
        ("CHECKOUT.ORDER.COMPLETED", paypal.order()),
        ("CUSTOMER.DISPUTE.CREATED", paypal.dispute()),
    )
    return [paypal.encode(paypal.event(kind, resource)) for kind, resource in told]


def _wechat_events() -> Sequence[bytes]:
    return [
        *_lines("TRANSACTION.SUCCESS", wechatpay.transaction()),
        *_lines("REFUND.SUCCESS", wechatpay.refund()),
    ]


_MOVES: Final = (Move("2026-11-03", "5.00"), Move("2026-11-04", "-7.50", name="Zoë"))
_FILES: Final[Mapping[str, tuple[FileReader, AccountContext, Callable[[], Iterable[bytes]]]]] = {
    "camt": (
        reader_for("camt.053", None, WORDS),
        BANK,
        lambda: [camt(camt_statement(_MOVES)), camt(camt_statement(_MOVES, version="08"), version="08")],
    ),
    "mt940": (reader_for("mt940", None, WORDS), BANK, lambda: [mt940(_MOVES).encode()]),
    "bank_csv": (reader_for("csv", GERMAN, WORDS), BANK, lambda: [GERMAN_FILE.encode("latin-1")]),
    "shopify_export": (
        export_reader(payouts_by_api=False),
        ACCOUNT,
        lambda: [export([Row("2026-11-03 10:00:00 +0100", "charge", "1.00", "0.90", "#1001", "77")])],
    ),
    "stripe_report": (read_report, AccountContext("stripe-eu"), lambda: [stripe.report(stripe.report_row())]),
    "paypal_settlement": (
        read_settlement,
        AccountContext("paypal-eu"),
        lambda: [paypal.settlement(paypal.settled())],
    ),
    "alipay_bill": (
        read_alipay_bill,
        AccountContext("alipay-cn"),
        lambda: [
            alipay.trade_bill([alipay.trade_row()]),
            alipay.flow_bill([alipay.flow_row()]),
            alipay.packed_bill(alipay.trade_bill([alipay.trade_row()])),
        ],
    ),
    "wechat_bill": (
        read_wechat_bill,
        AccountContext("wechat-cn"),
        lambda: [
            wechatpay.trade_bill([wechatpay.trade_row(), wechatpay.refund_row()]),
            wechatpay.flow_bill([wechatpay.flow_row()]),
        ],
    ),
}


def _all_files() -> Sequence[bytes]:
    return [content for _, _, contents in _FILES.values() for content in contents()]


def _contents(name: str) -> Sequence[bytes]:
    return list(_FILES[name][2]())


def _genuine(name: str) -> Sequence[bytes]:
    return [packed(request) for request in SCHEMES[name].genuine()]


def _settings_samples() -> Sequence[bytes]:
    return [json.dumps(read_settings_file(_ROOT / "infra" / "local" / "settings.toml")).encode()]


def _settings_texts() -> Sequence[bytes]:
    return [(_ROOT / "infra" / "local" / "settings.toml").read_bytes(), *_settings_samples()]


_ERRANDS: Final = (
    b'{"what":"order","shop":"aurora","order_id":"5001","reasons":[],"attempt":3}',
    (
        b'{"what":"count","backoffice":"erp","location":"main","sku":"MUG","seq":3,"on_hand":5,'
        b'"counted_at":"2026-11-23T09:00:00Z","attempt":1}'
    ),
    b'{"what":"customer","leader":"aurora/customer/17"}',
    b'{"what":"verification","customer":"aurora/customer/17","asked":1}',
    b'{"sku":"MUG","shop":"aurora","attempt":2}',
)

TARGETS: Final[Mapping[str, Target]] = {
    "strict_json": Target(
        _strict_json, lambda: [shopify.encode(shopify.Shop().order()), b'{"a":[1.50,-0,1e5,"\\u00e9"]}']
    ),
    **{f"signature_{name}": Target(partial(_signatures, name), partial(_genuine, name)) for name in SCHEMES},
    "order_shopify": Target(partial(_of_shop, read_shopify, "shopify"), _shopify_orders),
    "order_woocommerce": Target(partial(_of_shop, read_woocommerce, "woocommerce"), _woocommerce_orders),
    "customer_shopify": Target(partial(_of_customer, read_shopify_customer, "shopify"), _shopify_persons),
    "customer_woocommerce": Target(
        partial(_of_customer, read_woocommerce_customer, "woocommerce"),
        lambda: _lines("customer.updated", woocommerce.customer()),
    ),
    "payment_stripe": Target(partial(_of_provider, read_stripe, "stripe-eu"), _stripe_events),
    "payment_paypal": Target(partial(_of_provider, read_paypal, "paypal-eu"), _paypal_events),
    "payment_alipay": Target(partial(_of_provider, read_alipay, "alipay-cn"), lambda: [alipay.request().body]),
    "payment_wechatpay": Target(_of_wechat, _wechat_events),
    "message": Target(
        _message,
        lambda: [shopify.delivery({"id": 1}).to_message().encode(), b'{"stored":"oversize/00.json"}'],
    ),
    **{
        f"file_{name}": Target(partial(_file, read, context), partial(_contents, name))
        for name, (read, context, _) in _FILES.items()
    },
    "file_any": Target(_any_file, _all_files),
    "settings": Target(_settings, _settings_samples),
    "settings_file": Target(_settings_file, _settings_texts),
    "stocktake": Target(
        _stocktake,
        lambda: [
            b"sku,counted,counter,counted_at\r\nMUG,5,Eve,2026-11-23T09:00:00Z\r\n'=CUP,0,,\r\n",
            b"sku;zone;unit_cost;moved\nMUG;A;12.50;3\n",
        ],
    ),
    "link": Target(_link, lambda: [token.encode() for token in _tokens()]),
    "queued": Target(_queued, lambda: _ERRANDS),
    "money": Target(
        _money, lambda: [b"1,234.50 EUR", b"12.5 EUR", b"-1.234,56 EUR", b"(12.00) USD", b"$1'250.00 CHF", b"1e3 JPY"]
    ),
    "time": Target(
        _time, lambda: [b"2026-11-23T09:02:09Z", b"2026-11-23T09:02:10.290670248+05:30", b"2026-11-23 09:02:09"]
    ),
    "names": Target(_names, lambda: [b"aurora/5001", b"aurora/customer/17", b"aurora/guest/9f00"]),
    "gateway": Target(
        _gateway, lambda: [b"Content-Type: application/x-www-form-urlencoded\naccept-language: zh-CN,en;q=0.5\n\nn=abc"]
    ),
    **answers.TARGETS,
}
