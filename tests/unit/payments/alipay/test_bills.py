"""Alipay's bills, as they are downloaded and as people hand them in."""

import io
import random
import zipfile
from datetime import UTC, date, datetime

import pytest

from infra.samples import alipay as build
from shared.finance.models import LineKind, Payout, ProviderBalance, SettlementLine
from shared.kernel.errors import Rejected
from shared.payments.alipay import bills
from shared.payments.alipay.bills import read_bill
from shared.payments.port import AccountContext, FileFacts

CONTEXT = AccountContext("alipay-cn", merchant_id=build.APP_ID)


def traded(*rows: dict[str, str]) -> FileFacts:
    return read_bill(build.packed_bill(build.trade_bill(rows)), CONTEXT)


def moved(*rows: dict[str, str]) -> FileFacts:
    return read_bill(build.packed_bill(build.flow_bill(rows), title="账务明细"), CONTEXT)


def only_line(read: FileFacts) -> SettlementLine:
    (line,) = [fact for fact in read.facts if isinstance(fact, SettlementLine)]
    return line


def refusal_of(content: bytes) -> str:
    with pytest.raises(Rejected) as refusal:
        read_bill(content, CONTEXT)
    return refusal.value.code


def test_a_sale_of_the_trade_bill_is_a_capture_with_its_fee() -> None:
    read = traded(build.trade_row())
    line = only_line(read)
    assert (line.line_id, line.kind, line.category) == (build.TRADE_NO, LineKind.CAPTURE, "交易")
    assert (line.gross, line.fee, line.net, line.currency) == (3580, 21, 3559, "CNY")
    assert line.occurred_at == datetime(2026, 11, 23, 9, 2, 10, tzinfo=UTC)
    assert (line.payment_id, line.references) == (build.TRADE_NO, ("A1001",))
    assert (line.buyer_currency, line.buyer_amount) == (None, None)
    assert (read.kind, read.faults) == ("alipay trade bill", ())


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("fee", ["0.03", "-0.03"])
def test_a_refund_goes_out_whatever_its_sign_is_in_this_variant(sign: str, fee: str) -> None:
    row = build.trade_row(业务类型="退款", **{"退款批次号/请求号": "R-1\t", "服务费（元）": fee})
    row |= {"订单金额（元）": f"{sign}5.00", "商家实收（元）": f"{sign}5.00"}
    line = only_line(traded(row))
    assert (line.kind, line.gross, line.fee, line.net) == (LineKind.REFUND, -500, -3, -497)
    assert line.line_id == line.source_id == f"{build.TRADE_NO}/R-1"
    assert (line.payment_id, line.references) == (build.TRADE_NO, ("A1001", "R-1"))


def test_a_refund_without_a_number_of_its_own_has_the_orders() -> None:
    assert only_line(traded(build.trade_row(业务类型="退款"))).line_id == f"{build.TRADE_NO}/A1001"


def test_what_the_merchant_pays_of_the_price_is_between_the_two_amounts() -> None:
    line = only_line(traded(build.trade_row(**{"商家实收（元）": "33.80", "商家优惠（元）": "2.00"})))
    assert (line.gross, line.buyer_currency, line.buyer_amount) == (3380, "CNY", 3580)


def test_a_category_that_nobody_knows_is_queued() -> None:
    line = only_line(traded(build.trade_row(业务类型="结算")))
    assert (line.kind, line.category, line.gross, line.net) == (LineKind.UNKNOWN, "结算", 3580, 3559)
    assert only_line(moved(build.flow_row(业务类型="红包退回", 商户订单号=""))).kind is LineKind.UNKNOWN


def test_the_balances_bill_tells_what_the_trade_bill_does_not_and_the_balance() -> None:
    rows = [
        build.flow_row(**{"账户余额（元）": "1035.80"}),
        build.flow_row(业务类型="收费", **cash(-21, 103559)),
        build.flow_row(业务类型="交易退款", **cash(-500, 103059)),
        build.flow_row(业务类型="提现", 账务流水号="W1", 商户订单号="", 业务流水号="B1", **cash(-100000, 3059)),
        build.flow_row(业务类型="收费", 账务流水号="F1", 商户订单号="", **cash(-10, 3049)),
        build.flow_row(业务类型="充值", 账务流水号="T1", 商户订单号="", **cash(5000, 8049)),
        build.flow_row(业务类型="提现", 账务流水号="W2", 商户订单号="", **cash(100, 8149)),
    ]
    for order in (rows, rows[::-1]):  # the export of the web site begins with the newest
        read = moved(*order)
        lines = {fact.line_id: fact for fact in read.facts if isinstance(fact, SettlementLine)}
        assert {name: (line.kind, line.gross, line.net) for name, line in lines.items()} == {
            "W1": (LineKind.PAYOUT, -100000, -100000),
            "F1": (LineKind.FEE, -10, -10),
            "T1": (LineKind.TOPUP, 5000, 5000),
            "W2": (LineKind.PAYOUT_REVERSED, 100, 100),
        }
        (payout,) = [fact for fact in read.facts if isinstance(fact, Payout)]
        assert (payout.payout_id, payout.amount, payout.itemised) == ("W1", 100000, False)
        assert payout.issued_on == date(2026, 11, 23)
        assert lines["W1"].payout_id == payout.payout_id
        (balance,) = [fact for fact in read.facts if isinstance(fact, ProviderBalance)]
        assert (balance.amount, balance.as_of) == (8149, datetime(2026, 11, 23, 9, 2, 10, tzinfo=UTC))


def cash(change: int, balance: int) -> dict[str, str]:
    return {
        "收入金额（+元）": build.yuan(max(change, 0)),
        "支出金额（-元）": build.yuan(min(change, 0)),
        "账户余额（元）": build.yuan(balance),
    }


def test_an_expense_may_be_written_without_its_minus() -> None:
    row = build.flow_row(业务类型="提现", **{"收入金额（+元）": "", "支出金额（-元）": "10.00"})
    assert only_line(moved(row)).gross == -1000


def test_both_bills_may_be_in_one_zip() -> None:
    both = build.packed({"a.csv": build.trade_bill([build.trade_row()]), "b.csv": build.flow_bill([build.flow_row()])})
    read = read_bill(both, CONTEXT)
    assert read.kind == "alipay balance bill and trade bill"
    assert [type(fact) for fact in read.facts] == [SettlementLine, ProviderBalance]


def test_a_bare_csv_will_do_in_gbk_and_in_utf_8() -> None:
    bill = build.trade_bill([build.trade_row()])
    expected = traded(build.trade_row()).facts
    assert read_bill(bill, CONTEXT).facts == expected
    assert read_bill(bill.decode("gb18030").encode("utf-8-sig"), CONTEXT).facts == expected


def test_a_row_that_cannot_be_read_is_a_fault_and_the_rest_counts() -> None:
    rows = [
        build.trade_row(),
        build.trade_row(**{"商家实收（元）": "12.5x"}),
        build.trade_row(商品名称="one, two"),
        build.trade_row(商品名称='"never closed'),
        build.trade_row(完成时间="", 创建时间=""),
        build.trade_row(支付宝交易号="", 对方账户="private"),
        build.trade_row(**{"服务费（元）": "-0.215"}),
        build.trade_row(支付宝交易号="T2"),
    ]
    read = traded(*rows)
    assert [fact.line_id for fact in read.facts if isinstance(fact, SettlementLine)] == [build.TRADE_NO, "T2"]
    assert [(fault.where, fault.code) for fault in read.faults] == [
        ("line 7, column 商家实收", "invalid_money"),
        ("line 8", "wrong_columns"),
        ("line 9", "wrong_columns"),
        ("line 10, column 完成时间", "invalid_time"),
        ("line 11, column 支付宝交易号", "missing_field"),
        ("line 12, column 服务费", "invalid_money"),
    ]
    assert "private" not in str(read.faults)


def test_nothing_after_the_tables_end_counts() -> None:
    bill = build.trade_bill([build.trade_row()]) + ",".join(build.trade_row(支付宝交易号="T9").values()).encode(
        "gb18030"
    )
    assert len(read_bill(bill, CONTEXT).facts) == 1


def test_columns_are_found_by_their_headings() -> None:
    row = build.trade_row()
    columns = list(row)
    random.Random(7).shuffle(columns)  # noqa: S311 - an order of columns
    heading = ",".join(name.replace("（元）", "(元)") for name in columns)
    bill = f"#支付宝业务明细查询\n{heading}\n{','.join(row[name] for name in columns)}\n"
    assert read_bill(bill.encode("gb18030"), CONTEXT).facts == traded(row).facts


def test_nothing_of_the_buyer_is_in_a_fact() -> None:
    told = str([*traded(build.trade_row()).facts, *moved(build.flow_row(业务类型="转账", 备注="给王五")).facts])
    for personal in ("Zoë", "zoe@", "马克杯", "王五"):
        assert personal not in told


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 broken",
        b"#\xff\xfe\xff",
        "日期,金额\n2026-11-23,5\n".encode(),
        build.packed({}),
        build.packed({"a.csv": "#支付宝业务汇总\n合计,1\n".encode("gbk")}),
        "账务流水号,发生时间,收入金额（+元）,支出金额（-元）,账户余额（元）\n".encode("gbk"),
        (",".join([*build.TRADE_COLUMNS, "业务类型"]) + "\n").encode("gbk"),
    ],
    ids=["empty", "broken zip", "no text", "other csv", "empty zip", "summary", "no category", "twice"],
)
def test_what_is_no_bill_is_refused(content: bytes) -> None:
    assert refusal_of(content) == "unreadable_file"


def test_an_encrypted_zip_is_refused() -> None:
    packed = bytearray(build.packed_bill(build.trade_bill([build.trade_row()])))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = packed.find(mark)
        while at >= 0:
            packed[at + offset] |= 1
            at = packed.find(mark, at + 1)
    assert refusal_of(bytes(packed)) == "unreadable_file"


def test_a_zip_whose_content_is_damaged_is_refused() -> None:
    packed = bytearray(build.packed_bill(build.trade_bill([build.trade_row()])))
    at = packed.rfind(b"PK\x03\x04") + 80
    packed[at : at + 20] = b"\0" * 20
    assert refusal_of(bytes(packed)) == "unreadable_file"


def test_a_zip_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bills, "MOST_BYTES", 200_000)
    bomb = build.packed({f"{number}.csv": b"\0" * 90_000 for number in range(3)})
    assert len(bomb) < 2_000
    assert refusal_of(bomb) == "file_too_large"
    assert refusal_of(b"x" * 200_001) == "file_too_large"


def test_a_zip_that_lies_about_its_sizes_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bills, "MOST_BYTES", 50_000)
    packed = bytearray(build.packed({"a.csv": b"x" * 90_000}))
    claimed = (10).to_bytes(4, "little")
    packed[22:26] = claimed
    directory = packed.find(b"PK\x01\x02")
    packed[directory + 24 : directory + 28] = claimed
    assert refusal_of(bytes(packed)) in {"file_too_large", "unreadable_file"}


def test_a_zip_of_very_many_files_is_refused() -> None:
    assert refusal_of(build.packed({f"{number}": b"" for number in range(bills.MOST_FILES + 1)})) == "file_too_large"


def test_names_in_a_zip_count_for_nothing() -> None:
    packed_to = io.BytesIO()
    with zipfile.ZipFile(packed_to, "w") as archive:
        archive.writestr("../../etc/passwd", build.trade_bill([build.trade_row()]))
        archive.writestr("folder/", b"")
    assert read_bill(packed_to.getvalue(), CONTEXT).facts == traded(build.trade_row()).facts


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_in_an_unusual_way_is_refused(method: int) -> None:
    """Their libraries fail in ways of their own, and Alipay uses neither."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("bill.csv", build.trade_bill([build.trade_row()]))
    assert refusal_of(packed.getvalue()) == "unreadable_file"


def test_a_line_of_a_million_dashes_takes_no_longer_than_others() -> None:
    bill = build.trade_bill([build.trade_row()])
    assert len(read_bill(bill + b"#" + b"-" * 3_000_000 + b"\n", CONTEXT).facts) == 1
    end = bill.index("列表结束".encode("gb18030"))
    long = bill[: bill.rindex(b"\n", 0, end)] + b"\n#" + b"-" * 3_000_000 + b"\n"
    assert len(read_bill(long, CONTEXT).facts) == 1


@pytest.mark.parametrize("number", ["2.02611E+27", "2E+27", "", "x" * 65])
def test_a_number_that_a_spreadsheet_has_rounded_is_a_fault(number: str) -> None:
    """All trades of a day would have the same one, and so would be one trade."""
    found = traded(build.trade_row(支付宝交易号=number))
    assert (found.facts, [fault.code for fault in found.faults]) == ((), ["missing_field"])
    for name in ("账务流水号", "业务流水号"):
        row = build.flow_row(业务类型="提现", **{name: "2.02611E+27"})
        assert [fault.where for fault in moved(row).faults] == [f"line 6, column {name}"]


def test_headings_are_looked_for_at_the_top_alone() -> None:
    """Lines without end are not all taken apart in search of them."""
    bill = build.trade_bill([build.trade_row()])
    assert len(read_bill(b"#\n" * 20 + bill, CONTEXT).facts) == 1
    assert refusal_of(b"#\n" * 200 + bill) == "unreadable_file"
