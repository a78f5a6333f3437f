"""Which kind of file it is, by how it begins."""

import io
import zipfile

import pytest

from shared.kernel.errors import Rejected
from shared.payments.port import AccountContext, FileFacts, FileReader
from shared.sync.finance.recognise import FileKind, kind_of, reader_of
from tests.unit.payments.bank.files import Move, camt, camt_statement, mt940

MOVES = [Move("2026-11-03", "1.00")]


def packed() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("bill.csv", "x")
    return content.getvalue()


FILES = {
    FileKind.CAMT_053: camt(camt_statement(MOVES)),
    FileKind.MT940: mt940(MOVES).encode(),
    FileKind.PAYPAL_SETTLEMENT: b'"RH","2026/11/03 00:00:00 +0000","A","ABC",011\n"FH",1\n',
    FileKind.ALIPAY_BILL: packed(),
    FileKind.WECHAT_BILL: "\ufeff交易时间,公众账号ID,商户号\n`2026-11-03 10:00:00,`wx1,`1900\n".encode(),
    FileKind.STRIPE_REPORT: b"\xef\xbb\xbfbalance_transaction_id,created_utc,currency,gross,fee,net\ntxn_1,2026\n",
    FileKind.SHOPIFY_EXPORT: b'"Transaction Date","Type","Order","Card Brand","Amount","Fee","Net"\n',
}


@pytest.mark.parametrize("kind", FILES)
def test_each_kind_bears_its_mark(kind: FileKind) -> None:
    assert kind_of("export.dat", FILES[kind]) is kind


def test_variants() -> None:
    assert kind_of("x", camt(camt_statement(MOVES)).decode().encode("utf-16")) is FileKind.CAMT_053
    assert kind_of("x", b"{1:F01X}{4:\r\n" + mt940(MOVES).encode()) is FileKind.MT940
    assert kind_of("bill.csv", "#支付宝业务明细查询\n#账号\n".encode("gb18030")) is FileKind.ALIPAY_BILL
    assert kind_of("fund.csv", "记账时间,微信支付业务单号\n".encode()) is FileKind.WECHAT_BILL
    assert kind_of("payouts.csv", b"Payout Date,Status,Charges,Refunds,Total,Currency\n") is FileKind.SHOPIFY_EXPORT
    for unmarked in (b"", b"Date,Amount\n", b"\xff\xfe\x00", b"<xml/>", b"RHYME,1\n"):
        assert kind_of("x.csv", unmarked) is None


def reader(name: str) -> FileReader:
    def read(_content: bytes, _context: AccountContext) -> FileFacts:
        return FileFacts((), kind=name)

    return read


def test_the_account_s_reader_is_taken() -> None:
    bank = {FileKind.CAMT_053: reader("camt"), FileKind.BANK_CSV: reader("csv")}
    stripe = {FileKind.STRIPE_REPORT: reader("stripe")}
    context = AccountContext("x")
    assert reader_of("a", FILES[FileKind.CAMT_053], bank)(b"", context).kind == "camt"
    assert reader_of("a.csv", b"Date,Amount\n", bank)(b"", context).kind == "csv"
    with pytest.raises(Rejected, match="other_account"):
        reader_of("a", FILES[FileKind.STRIPE_REPORT], bank)
    with pytest.raises(Rejected, match="unknown_file"):
        reader_of("a.csv", b"Date,Amount\n", stripe)
    with pytest.raises(Rejected, match="unknown_file"):
        reader_of("a.csv", b"", {})


@pytest.mark.parametrize("begin", [b'"RH"\t', b"RH;", b"RH|", b'\xef\xbb\xbf"RH",'])
def test_a_settlement_report_is_known_by_any_delimiter_that_its_reader_takes(begin: bytes) -> None:
    assert kind_of("STL-20261123.CSV", begin + b"2026/11/23 09:07:43 +0000") is FileKind.PAYPAL_SETTLEMENT


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
def test_an_unpacked_bill_of_alipays_is_known_in_either_encoding(encoding: str) -> None:
    assert kind_of("bill.CSV", "#支付宝业务明细查询\n".encode(encoding)) is FileKind.ALIPAY_BILL
