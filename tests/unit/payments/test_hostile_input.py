"""Whatever is done to a file or a delivery: it is read or refused, nothing crashes, and nothing of it is quoted."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.samples import alipay, paypal, stripe, wechatpay
from shared.finance.models import Fact
from shared.kernel.errors import Rejected
from shared.payments.alipay.bills import read_bill as read_alipay_bill
from shared.payments.bank.reader import reader_for
from shared.payments.paypal.files import read_settlement
from shared.payments.paypal.mapping import read_payment as read_paypal
from shared.payments.port import AccountContext, FileFacts, FileReader, PaymentReader, PaymentReading
from shared.payments.shopify_payments.exports import export_reader
from shared.payments.stripe.files import read_report
from shared.payments.stripe.mapping import read_payment as read_stripe
from shared.payments.wechatpay.bills import read_bill as read_wechat_bill
from shared.payments.wechatpay.mapping import reader as wechat_reader
from shared.webhooks.delivery import Delivery
from tests.fakes.finance import FakeFinanceBook
from tests.unit.payments.bank.files import BANK, WORDS, Move, camt, camt_statement, mt940
from tests.unit.payments.bank.test_statement_csv import GERMAN, GERMAN_FILE
from tests.unit.payments.shopify_payments.files import ACCOUNT, Row, export

CANARY = "Zoë Canary"
MOVES = (Move("2026-11-03", "5.00"), Move("2026-11-04", "-7.50", name=CANARY))


class File(NamedTuple):
    reader: FileReader
    context: AccountContext
    content: bytes


FILES: Mapping[str, File] = {
    "camt": File(reader_for("camt.053", None, WORDS), BANK, camt(camt_statement(MOVES))),
    "mt940": File(reader_for("mt940", None, WORDS), BANK, mt940(MOVES).encode()),
    "csv": File(reader_for("csv", GERMAN, WORDS), BANK, GERMAN_FILE.encode("latin-1")),
    "shopify": File(
        export_reader(payouts_by_api=False),
        ACCOUNT,
        export([Row("2026-11-03 10:00:00 +0100", "charge", "1.00", "0.90", "#1001", "77")]),
    ),
    "stripe": File(read_report, AccountContext("stripe-eu"), stripe.report(stripe.report_row(description=CANARY))),
    "paypal": File(read_settlement, AccountContext("paypal-eu"), paypal.settlement(paypal.settled())),
    "alipay": File(read_alipay_bill, AccountContext("alipay-cn"), alipay.trade_bill([alipay.trade_row()])),
    "alipay balance": File(read_alipay_bill, AccountContext("alipay-cn"), alipay.flow_bill([alipay.flow_row()])),
    "wechat": File(
        read_wechat_bill,
        AccountContext("wechat-cn"),
        wechatpay.trade_bill([wechatpay.trade_row(), wechatpay.refund_row()]),
    ),
    "wechat balance": File(read_wechat_bill, AccountContext("wechat-cn"), wechatpay.flow_bill([wechatpay.flow_row()])),
}
PUT_IN = (
    *(b",", b";", b'"', b"\n", b"\r", b"\0", b"\xff", b"9" * 40, b"-", b"`", b"NaN", b"1e999", b"9999-12-31", b"<"),
    *(b"&", b":61:", b":86:", b":62F:", b"\xef\xbb\xbf", b"#", b"JPY", b"KWD", CANARY.encode(), b""),
)
CHANGES = st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 20), st.sampled_from(PUT_IN)), max_size=5)


@pytest.mark.parametrize("name", FILES)
@given(CHANGES)
def test_a_file_is_read_or_refused(name: str, changes: list[tuple[int, int, bytes]]) -> None:
    reader, context, content = FILES[name]
    for place, length, put in changes:
        at = place % (len(content) + 1)
        content = content[:at] + put + content[at + length :]
    facts, said = _outcome(lambda: reader(content, context))
    assert CANARY not in said
    FakeFinanceBook("Pacific/Kiritimati").keep(facts)


def _outcome(read: Callable[[], FileFacts | PaymentReading]) -> tuple[tuple[Fact, ...], str]:
    """The facts, and what is said of what cannot be read."""
    try:
        found = read()
    except Rejected as refusal:
        return (), refusal.describe()
    return found.facts, str(found.faults if isinstance(found, FileFacts) else found.oddities)


def _of_wechat(inside: dict[str, Any]) -> Delivery:
    event = "REFUND.SUCCESS" if "refund_id" in inside else "TRANSACTION.SUCCESS"
    return wechatpay.delivery(wechatpay.notification(inside, event=event))


class Told(NamedTuple):
    reader: PaymentReader
    context: AccountContext
    body: dict[str, Any]


def _told() -> Iterator[Told]:
    for thing in (stripe.charge, stripe.refund, stripe.dispute, stripe.payout, stripe.payment_intent, stripe.balance):
        yield Told(read_stripe, AccountContext("stripe-eu"), stripe.event("a.b", thing()))
    for kind, resource in (
        ("PAYMENT.CAPTURE.COMPLETED", paypal.capture()),
        ("PAYMENT.SALE.REFUNDED", paypal.sale_refund()),
        ("CHECKOUT.ORDER.COMPLETED", paypal.order()),
        ("CUSTOMER.DISPUTE.CREATED", paypal.dispute()),
    ):
        yield Told(read_paypal, AccountContext("paypal-eu"), paypal.event(kind, resource))
    for inside in (wechatpay.transaction(), wechatpay.refund()):
        yield Told(wechat_reader(wechatpay.secrets()), AccountContext("wechat-cn"), inside)


TOLD = list(_told())
DELIVERED: Mapping[PaymentReader, Callable[[dict[str, Any]], Delivery]] = {
    read_stripe: stripe.delivery,
    read_paypal: paypal.delivery,
}
ODD: list[Any] = [None, "", 0, -1, True, CANARY, "9999-12-31T23:59:59Z", "1e400", "NaN", 10**24, 10**36, 4_102_444_801]
ODD += [[], {}, [None], [{}], {"id": None}, "x" * 5_000, "\0", "EURO", "2026-11-23T09:00:00+99:99"]


def _places(told: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for name, value in members:
        yield (*above, name)
        yield from _places(value, (*above, name))


@given(st.sampled_from(range(len(TOLD))), st.lists(st.tuples(st.integers(0, 500), st.sampled_from(ODD)), max_size=3))
def test_a_delivery_is_read_or_refused(which: int, changes: list[tuple[int, Any]]) -> None:
    reader, context, told = TOLD[which]
    body = copy.deepcopy(told)
    for number, odd in changes:
        places = list(_places(body))
        *above, last = places[number % len(places)]
        inner: Any = body
        for name in above:
            inner = inner[name]
        inner[last] = copy.deepcopy(odd)
        if not body:
            return
    facts, said = _outcome(lambda: reader(DELIVERED.get(reader, _of_wechat)(body), context))
    assert CANARY not in said
    FakeFinanceBook("Pacific/Kiritimati").keep(facts)
