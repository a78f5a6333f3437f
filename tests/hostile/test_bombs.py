"""What is small on the way and huge inside, or deep, or long: refused or read, in memory that the input bounds."""

import gzip
import io
import json
import tracemalloc
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress

import pytest

from infra.samples import alipay, paypal, shopify, stripe, wechatpay, woocommerce
from shared.inventory import stocktake_csv
from shared.kernel.errors import Rejected
from shared.orders.readings import CompleteOrder
from shared.payments.alipay import bills as alipay_bills
from shared.payments.bank import camt053
from shared.payments.bank.reader import reader_for
from shared.payments.paypal.files import read_settlement
from shared.payments.port import AccountContext, FileReader
from shared.payments.shopify_payments.exports import export_reader
from shared.payments.stripe.files import read_report
from shared.payments.wechatpay.bills import read_bill as read_wechat_bill
from shared.platform import http
from shared.storefronts.shopify.mapping import read_order as read_shopify
from shared.storefronts.woocommerce.mapping import read_order as read_woocommerce
from shared.webhooks.delivery import MAX_BODY_BYTES, Delivery
from shared.webhooks.ingress import WebhookRequest
from tests.hostile.counter import DOORS, opened
from tests.unit.payments.bank.files import BANK, WORDS, Move, camt, camt_statement, mt940
from tests.unit.payments.bank.test_statement_csv import GERMAN
from tests.unit.payments.shopify_payments.files import ACCOUNT, Row, export

MEGABYTE = 1024 * 1024


def peak_of(work: Callable[[], object]) -> int:
    """The most memory that was taken at once by what Python allocates, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def signed(door: str, body: bytes) -> WebhookRequest:
    """By whoever holds the secret: a shop that went mad, or was taken over."""
    return _SIGNED[door](body)


_SIGNED: Mapping[str, Callable[[bytes], WebhookRequest]] = {
    "shopify": shopify.signed_request,
    "shopify_customers": lambda body: shopify.signed_request(body, topic="customers/update"),
    "woocommerce": woocommerce.request,
    "woocommerce_customers": lambda body: woocommerce.request(body, topic="customer.updated"),
    "stripe": lambda body: stripe.signed_request(body, stripe.SECRET),
    "paypal": paypal.signed_request,
    "alipay": lambda body: WebhookRequest({"content-type": "application/x-www-form-urlencoded"}, body),
    "wechatpay": wechatpay.request,
}

BODIES: Mapping[str, Callable[[], bytes]] = {
    "one byte too much": lambda: b'{"note":"' + b"x" * (MAX_BODY_BYTES - 10) + b'"}',
    "depth of a hundred thousand": lambda: b'{"id":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "depth, and never closed": lambda: b'{"id":' + b"[" * 100_000,
    "objects in objects": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "depth behind a text that holds brackets": lambda: b'{"a":"]]]]]]\\"}}}","b":' + b"[" * 65 + b"]" * 65 + b"}",
    "an integer of 5,000 digits": lambda: b'{"id":' + b"9" * 5_000 + b"}",
    "an integer of five million digits": lambda: b'{"id":' + b"9" * 5_000_000 + b"}",
    "1e400": lambda: b'{"id":1e401}',
    "1e-999999999": lambda: b'{"id":1e-999999999}',
    "1e9999999999999999999": lambda: b'{"id":1e9999999999999999999}',
    "NaN": lambda: b'{"id":NaN}',
    "-Infinity": lambda: b'{"id":-Infinity}',
    "a key twice": lambda: b'{"id":1,"id":2}',
    "a key twice by its escape": lambda: b'{"id":1,"\\u0069d":2}',
    "half a surrogate pair": lambda: b'{"id":"\\ud800"}',
    "half a pair as a key": lambda: b'{"\\udfff":1}',
    "a pair the wrong way round": lambda: b'{"id":"\\udc00\\ud800"}',
    "UTF-8 of a surrogate": lambda: b'{"id":"\xed\xa0\x80"}',
    "UTF-8 longer than it need be": lambda: b'{"id":"\xc0\xaf"}',
    "UTF-16": lambda: json.dumps({"id": 1}).encode("utf-16"),
    "a byte order mark": lambda: b"\xef\xbb\xbf" + b'{"id":1}',
    "a raw zero": lambda: b'{"id":"\0"}',
    "a zero behind it": lambda: b'{"id":1}\0',
    "two documents": lambda: b'{"id":1}{"id":2}',
    "a comment": lambda: b'{"id":1/**/}',
    "packed": lambda: gzip.compress(b'{"id":1}'),
    "a bomb that is packed": lambda: gzip.compress(b"0" * (20 * MEGABYTE)),
    "nothing": lambda: b"",
    "blanks": lambda: b" " * 100_000,
    "a text": lambda: b'"{}"',
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", BODIES)
def test_a_signed_bomb_is_refused_and_writes_nothing(door: str, name: str) -> None:
    request = signed(door, BODIES[name]())
    with opened(door) as counter:
        statuses: list[int] = []
        peak = peak_of(lambda: statuses.append(counter.ask(door, request)))
        assert statuses == [413] if name == "one byte too much" and door != "alipay" else 400 <= statuses[0] < 500
        assert counter.written == 0
    assert peak < 8 * len(request.body) + 12 * MEGABYTE, "of what came in, in text and bytes"


@pytest.mark.parametrize("door", DOORS)
def test_a_crowd_of_headers_changes_nothing(door: str) -> None:
    """API Gateway itself takes no more than 10 KB of them."""
    with opened(door) as counter:
        crowd = {f"x-{number}": "x" * 100 for number in range(10_000)}
        assert 400 <= counter.ask(door, WebhookRequest(crowd, b"{}")) < 500
        assert counter.written == 0


def many(thing: str, size: int) -> bytes:
    """As many as so many bytes hold, each as small as can be."""
    return b'{"a":[' + b",".join([thing.encode()] * ((size - 20) // (len(thing) + 1))) + b"]}"


@pytest.mark.parametrize("thing", ["1", "[]", "{}", '""', "1.5", '{"a":1}', "null"])
def test_small_things_take_no_more_than_a_function_has(thing: str) -> None:
    """From whoever holds the secret alone. The largest body has 24 times as many; a webhook has 256 MB."""
    request = signed("shopify", many(thing, MEGABYTE // 4))
    with opened("shopify") as counter:
        peak = peak_of(lambda: counter.ask("shopify", request))
    assert peak < 10 * MEGABYTE + 2 * MEGABYTE, f"{peak // MEGABYTE} MB of {thing}"


def test_a_message_that_unpacks_into_more_than_a_body_is_none() -> None:
    packed = b64encode(zlib.compress(b"0" * (40 * MEGABYTE))).decode("ascii")
    message = json.dumps(
        {"format": 1, "shop": "a", "platform": "shopify", "topic": "x", "received_at": "", "body": packed}
    )
    refusals: list[Rejected] = []

    def read() -> None:
        with pytest.raises(Rejected) as caught:
            Delivery.from_message(message)
        refusals.append(caught.value)

    assert peak_of(read) < 4 * MAX_BODY_BYTES
    assert refusals[0].code == "invalid_message"


def test_an_order_of_many_lines_takes_memory_in_step_with_its_size() -> None:
    shop = shopify.Shop()
    body = shopify.encode(shop.order(*(shop.line(number) for number in range(1, 201))))
    kept: list[object] = []

    def read() -> None:
        reading = read_shopify(shopify.delivery(body))
        assert isinstance(reading, CompleteOrder)
        kept.append(len(reading.order.lines))

    assert peak_of(read) < 40 * len(body)
    assert kept == [200]
    lines = [woocommerce.line(id=number) for number in range(1, 201)]
    found = read_woocommerce(woocommerce.delivery(woocommerce.order() | {"line_items": lines}))
    assert isinstance(found, CompleteOrder)
    assert len(found.order.lines) == 200


# ---- forms ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"a=1&" * 200_000, b"&" * 1_000_000, b"=" * 1_000_000, b"%" * 60_000, b"a=" + b"%41" * 300_000, b"+" * 1_000_000],
)
def test_a_form_of_many_fields_is_refused_before_it_is_read(body: bytes) -> None:
    with opened("alipay") as counter:
        request = WebhookRequest({"content-type": "application/x-www-form-urlencoded"}, body)
        statuses: list[int] = []
        peak = peak_of(lambda: statuses.append(counter.ask("alipay", request)))
        assert 400 <= statuses[0] < 500
        assert counter.written == 0
    assert peak < 5 * len(body) + 4 * MEGABYTE
    with pytest.raises(Rejected):
        http.form_field({"headers": {}, "body": body.decode("ascii")}, "a")


# ---- files ---------------------------------------------------------------------------------------------------------


def zipped(files: Mapping[str, bytes], *, kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def overlapping() -> bytes:
    """One entry listed a thousand times: each is unpacked from the same bytes."""
    whole = zipped({"a.csv": b"0" * MEGABYTE})
    at = whole.index(b"PK\x01\x02")
    entry, end = whole[at : whole.index(b"PK\x05\x06")], whole[whole.index(b"PK\x05\x06") :]
    count, size = (1000).to_bytes(2, "little"), (1000 * len(entry)).to_bytes(4, "little")
    return whole[:at] + entry * 1000 + end[:8] + count + count + size + end[16:]


def with_size(content: bytes, stated: int) -> bytes:
    """A zip whose directory states another size than what unpacks."""
    at = content.index(b"PK\x01\x02")
    return content[: at + 24] + stated.to_bytes(4, "little") + content[at + 28 :]


ZIPS: Mapping[str, Callable[[], bytes]] = {
    "a bomb": lambda: zipped({"a.csv": b"0" * (55 * MEGABYTE)}),
    "a bomb that states one byte": lambda: with_size(zipped({"a.csv": b"0" * (52 * MEGABYTE)}), 1),
    "a bomb in parts": lambda: zipped({f"{n}.csv": b"0" * (4 * MEGABYTE) for n in range(20)}),
    "a bomb in a bomb": lambda: zipped({"a.zip": zipped({"a.csv": b"0" * (60 * MEGABYTE)})}),
    "ten thousand files": lambda: zipped({f"{n}.csv": b"" for n in range(10_000)}),
    "one file a thousand times": overlapping,
    "another way of packing": lambda: zipped({"a.csv": b"0" * MEGABYTE}, kind=zipfile.ZIP_BZIP2),
    "a way out of the folder": lambda: zipped({"../../../../etc/passwd.csv": b"x", "/etc/cron.d/x.csv": b"x"}),
    "cut off": lambda: zipped({"a.csv": b"0" * MEGABYTE})[:-30],
    "no directory": lambda: b"PK\x03\x04" + b"\0" * 1_000,
}


@pytest.mark.parametrize("name", ZIPS)
def test_a_zip_is_unpacked_no_further_than_a_bill_may_have(name: str) -> None:
    content = ZIPS[name]()
    context = AccountContext("alipay-cn")

    def read() -> None:
        with pytest.raises(Rejected):
            alipay_bills.read_bill(content, context)

    assert peak_of(read) < 4 * alipay_bills.MOST_BYTES


def laughs(depth: int) -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, depth))
    return f'<!DOCTYPE Document [<!ENTITY l0 "ha">{entities}]><Document>&l{depth - 1};</Document>'.encode()


_SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
XMLS: Mapping[str, Callable[[], bytes]] = {
    "a billion laughs": lambda: laughs(10),
    "a long entity, often": lambda: (
        b'<!DOCTYPE Document [<!ENTITY a "' + b"x" * 100_000 + b'">]><Document>' + b"&a;" * 1_000 + b"</Document>"
    ),
    "a file of this machine": lambda: (
        b'<!DOCTYPE Document [<!ENTITY a SYSTEM "file:///etc/passwd">]><Document>&a;</Document>'
    ),
    "a file of another": lambda: b'<!DOCTYPE Document [<!ENTITY % a SYSTEM "http://169.254.169.254/">%a;]><Document/>',
    "a document type elsewhere": lambda: b'<!DOCTYPE Document SYSTEM "http://evil.example/x.dtd"><Document/>',
    "depth": lambda: b"<a>" * 100_000,
    "depth, closed": lambda: b"<a>" * 50_000 + b"</a>" * 50_000,
    "depth in an entry": lambda: f'<Document xmlns="{_SPACE}"><BkToCstmrStmt><Stmt><Ntry>'.encode() + b"<a>" * 50_000,
    "attributes": lambda: b"<Document " + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"/>",
    "an attribute twice": lambda: b'<Document a="1" a="2"/>',
    "another encoding": lambda: b'<?xml version="1.0" encoding="utf-7"?><Document/>',
    "no encoding at all": lambda: b'<?xml version="1.0" encoding="nonsense"?><Document/>',
    "zeros": lambda: b"\0" * 1_000_000,
    "processing": lambda: b'<?xml-stylesheet href="http://evil.example/"?><Document/>',
}


@pytest.mark.parametrize("name", XMLS)
def test_xml_that_grows_reaches_out_or_nests_is_refused(name: str) -> None:
    content = XMLS[name]()

    def read() -> None:
        with pytest.raises(Rejected):
            camt053.read_statements(content)

    assert peak_of(read) < 150 * len(content) + 4 * MEGABYTE


def _lines(head: bytes, row: bytes) -> Callable[[], bytes]:
    """As many rows as come to fifty kilobytes."""
    return lambda: head + row * (MEGABYTE // 20 // len(row))


_GERMAN_HEAD = b"a\n\nBuchungstag;Valutadatum;Betrag;Waehrung;Verwendungszweck;Beguenstigter;Referenz\n"
LONG: Mapping[str, tuple[FileReader, AccountContext, Callable[[], bytes]]] = {
    "bank csv of short rows": (reader_for("csv", GERMAN, WORDS), BANK, _lines(_GERMAN_HEAD, b"x;;x\n")),
    "bank csv of commas": (reader_for("csv", GERMAN, WORDS), BANK, _lines(_GERMAN_HEAD, b";")),
    "bank csv of quotes": (reader_for("csv", GERMAN, WORDS), BANK, _lines(_GERMAN_HEAD, b'"')),
    "bank csv of one cell": (reader_for("csv", GERMAN, WORDS), BANK, _lines(_GERMAN_HEAD, b"x")),
    "bank csv of movements": (
        reader_for("csv", GERMAN, WORDS),
        BANK,
        _lines(_GERMAN_HEAD, b"03.11.2026;;1,00;EUR;x;y;z\n"),
    ),
    "mt940 of marks": (reader_for("mt940", None, WORDS), BANK, _lines(b":20:A\n", b":61:")),
    "mt940 of texts": (reader_for("mt940", None, WORDS), BANK, _lines(b":20:A\n:86:", b"?20x")),
    "mt940 of statements": (reader_for("mt940", None, WORDS), BANK, _lines(b"", b":20:A\n:25:1\n")),
    "mt940 of blocks": (reader_for("mt940", None, WORDS), BANK, _lines(b":20:A\n", b"{1:{")),
    "mt940 of blanks": (reader_for("mt940", None, WORDS), BANK, _lines(b":20:A\n:86:", b" \n")),
    "stripe rows": (read_report, AccountContext("stripe-eu"), _lines(stripe.report(), b"x\n")),
    "paypal rows": (read_settlement, AccountContext("paypal-eu"), _lines(paypal.settlement(), b'"SB"\n')),
    "shopify rows": (export_reader(payouts_by_api=False), ACCOUNT, _lines(export([]), b"x,y\n")),
    "wechat rows": (
        read_wechat_bill,
        AccountContext("wechat-cn"),
        _lines(wechatpay.trade_bill([wechatpay.trade_row()]), b"`x,`y\n"),
    ),
    "alipay rows": (
        alipay_bills.read_bill,
        AccountContext("alipay-cn"),
        _lines(alipay.trade_bill([alipay.trade_row()]), b"x,y\r\n"),
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_a_file_of_endless_rows_takes_memory_in_step_with_its_size(name: str) -> None:
    """Fifty kilobytes here, and fifty megabytes at the most, on the operator's machine, where files are read."""
    read, context, make = LONG[name]
    content = make()
    faults: list[int] = []

    def run() -> None:
        with suppress(Rejected):
            faults.append(len(read(content, context).faults))

    assert peak_of(run) < 100 * len(content) + MEGABYTE
    assert all(count <= 1_001 for count in faults)


@pytest.mark.parametrize("row", [b"MUG,x\n", b"A,1\n", b"'=1,-1\n"])
def test_a_stocktake_of_endless_rows_tells_few_of_its_faults(row: bytes) -> None:
    content = b"sku,counted\n" + row * (MEGABYTE // 50 // len(row))

    def read() -> None:
        with pytest.raises(Rejected) as refusal:
            stocktake_csv.read_counts(content)
        assert len(refusal.value.describe()) < 5_000

    assert peak_of(read) < 120 * len(content) + MEGABYTE


def test_the_files_of_the_same_readers_are_read_where_they_are_sound() -> None:
    """Else the refusals above would mean nothing."""
    moves = [Move("2026-11-03", "5.00")] * 50
    assert len(reader_for("camt.053", None, WORDS)(camt(camt_statement(moves)), BANK).facts) == 50
    assert len(reader_for("mt940", None, WORDS)(mt940(moves).encode(), BANK).facts) == 50
    rows = [Row("2026-11-03 10:00:00 +0100", "charge", "1.00", "0.90", f"#{n}", "77") for n in range(50)]
    assert len(export_reader(payouts_by_api=False)(export(rows), ACCOUNT).facts) >= 50
    packed = alipay.packed_bill(alipay.trade_bill([alipay.trade_row()]))
    assert alipay_bills.read_bill(packed, AccountContext("alipay-cn")).facts
