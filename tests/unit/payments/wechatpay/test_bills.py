"""WeChat Pay's bills, as they are downloaded and as people hand them in."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.samples import wechatpay as build
from shared.finance.models import LineKind, Payout, ProviderBalance, SettlementLine
from shared.kernel.errors import Rejected
from shared.payments.port import AccountContext, FileFacts
from shared.payments.wechatpay import bills
from shared.payments.wechatpay.bills import read_bill

CONTEXT = AccountContext("wechat-cn", merchant_id=build.MERCHANT_ID)


def traded(*rows: dict[str, str]) -> FileFacts:
    return read_bill(build.trade_bill(rows), CONTEXT)


def moved(*rows: dict[str, str]) -> FileFacts:
    return read_bill(build.flow_bill(rows), CONTEXT)


def only_line(read: FileFacts) -> SettlementLine:
    assert read.faults == ()
    (line,) = [fact for fact in read.facts if isinstance(fact, SettlementLine)]
    return line


def refusal_of(content: bytes) -> str:
    with pytest.raises(Rejected) as refusal:
        read_bill(content, CONTEXT)
    return refusal.value.code


def test_a_sale_of_the_trade_bill_is_a_capture_with_its_fee() -> None:
    read = traded(build.trade_row())
    line = only_line(read)
    assert (line.line_id, line.kind, line.category) == (build.TRANSACTION_ID, LineKind.CAPTURE, "SUCCESS")
    assert (line.gross, line.fee, line.net, line.currency) == (3580, 21, 3559, "CNY")
    assert line.occurred_at == datetime(2026, 11, 23, 9, 2, 10, tzinfo=UTC)
    assert (line.payment_id, line.source_id) == (build.TRANSACTION_ID, None)
    assert line.references == ("A1001", "aurora/5001")
    assert (line.buyer_currency, line.buyer_amount) == (None, None)
    assert (read.kind, read.skipped) == ("wechat trade bill", 2)


@pytest.mark.parametrize(
    ("fee", "fen"), [("0.00000", 0), ("0.21499", 21), ("0.21500", 22), ("0.22500", 23), ("1", 100), ("0.005", 1)]
)
def test_a_fee_is_booked_in_fen_a_half_rounded_up(fee: str, fen: int) -> None:
    assert only_line(traded(build.trade_row(手续费=fee))).fee == fen


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_refund_goes_out_and_some_of_the_fee_comes_back(sign: str) -> None:
    line = only_line(traded(build.refund_row(退款金额=f"{sign}5.00", 手续费=f"{sign}0.03000")))
    assert (line.kind, line.gross, line.fee, line.net) == (LineKind.REFUND, -500, -3, -497)
    assert line.line_id == line.source_id == build.REFUND_ID
    assert (line.payment_id, line.references) == (build.TRANSACTION_ID, ("A1001", "R-1", "aurora/5001"))
    assert line.occurred_at == datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_coupons_of_the_merchant_are_between_the_two_amounts() -> None:
    line = only_line(traded(build.trade_row(应结订单金额="33.80")))
    assert (line.gross, line.buyer_currency, line.buyer_amount) == (3380, "CNY", 3580)
    line = only_line(traded(build.refund_row(退款金额="4.80")))
    assert (line.gross, line.buyer_amount) == (-480, -500)


@pytest.mark.parametrize(
    ("state", "refund_state", "kind"),
    [
        ("REFUND", "PROCESSING", LineKind.REFUND),
        ("REFUND", "CHANGE", LineKind.REFUND),
        ("REFUND", "", LineKind.REFUND),
        ("REVOKED", "SUCCESS", LineKind.REFUND),
        ("REFUND", "NEWS", LineKind.UNKNOWN),
        ("RECHARGE", "", LineKind.UNKNOWN),
    ],
)
def test_states_that_nobody_knows_are_queued(state: str, refund_state: str, kind: LineKind) -> None:
    line = only_line(traded(build.refund_row(交易状态=state, 退款状态=refund_state)))
    assert (line.kind, line.gross) == (kind, -500)
    assert line.category.startswith(state)


def test_a_refund_that_failed_moved_nothing() -> None:
    read = traded(build.refund_row(退款状态="FAIL"))
    assert (read.facts, read.skipped) == ((), 3)


def test_other_currencies_are_exact_too() -> None:
    yen = only_line(traded(build.trade_row(货币种类="JPY", 应结订单金额="3580", 订单金额="3580", 手续费="21.48")))
    assert (yen.currency, yen.gross, yen.fee) == ("JPY", 3580, 21)
    dinar = only_line(traded(build.trade_row(货币种类="KWD", 应结订单金额="3.580", 订单金额="3.580", 手续费="0.02148")))
    assert (dinar.currency, dinar.gross, dinar.fee) == ("KWD", 3580, 21)


def test_a_value_may_hold_commas_and_quotation_marks() -> None:
    assert only_line(traded(build.trade_row(商品名称='mug, "blue", 2,5 l'))).gross == 3580
    assert only_line(traded(build.trade_row(商品名称="mug\u2028blue"))).gross == 3580


def test_an_older_bill_has_fewer_columns_and_other_headings() -> None:
    row = build.trade_row()
    columns = [name for name in build.TRADE_COLUMNS if name not in ("订单金额", "申请退款金额", "费率备注")]
    old = {"应结订单金额": "总金额", "特约商户号": "子商户号"}
    heading = ",".join(old.get(name, name) for name in columns)
    line = ",".join(f"`{row[name]}" for name in columns)
    bill = f"\ufeff{heading}\r\n{line}\r\n总交易单数,总交易额\r\n`1,`35.80\r\n"
    assert len(columns) == 24
    assert read_bill(bill.encode(), CONTEXT).facts == traded(row).facts


def test_the_balances_bill_tells_what_the_trade_bill_does_not_and_the_balance() -> None:
    read = moved(
        build.flow_row(),
        build.flow_row(业务类型="扣除交易手续费", **cash(-21, 103559)),
        build.flow_row(业务类型="退款", **cash(-497, 103062)),
        build.flow_row(
            业务类型="提现", 微信支付业务单号="W1", 资金流水单号="F1", 业务名称="提现", **cash(-100000, 3062)
        ),
        build.flow_row(
            业务类型="提现手续费", 微信支付业务单号="W1", 资金流水单号="F1", 业务名称="x", **cash(-10, 3052)
        ),
        build.flow_row(业务类型="提现退票", 微信支付业务单号="W0", 业务名称="提现退票", **cash(500, 3552)),
        build.flow_row(业务类型="充值", 微信支付业务单号="0", 资金流水单号="F3", 业务名称="充值", **cash(100, 3652)),
        build.flow_row(业务类型="分账", 微信支付业务单号="S1", 资金流水单号="F4", 业务名称="分账", **cash(-52, 3600)),
    )
    assert read.faults == ()
    lines = {fact.line_id: (fact.kind, fact.net) for fact in read.facts if isinstance(fact, SettlementLine)}
    assert lines == {
        "F1/W1/提现": (LineKind.PAYOUT, -100000),
        "F1/W1/提现手续费": (LineKind.FEE, -10),
        f"{build.TRANSACTION_ID}/W0/提现退票": (LineKind.PAYOUT_REVERSED, 500),
        "F3/充值": (LineKind.TOPUP, 100),
        "F4/S1/分账": (LineKind.UNKNOWN, -52),
    }
    (payout,) = [fact for fact in read.facts if isinstance(fact, Payout)]
    assert (payout.payout_id, payout.amount, payout.itemised) == ("W1", 100000, False)
    assert payout.issued_on == date(2026, 11, 23)
    (balance,) = [fact for fact in read.facts if isinstance(fact, ProviderBalance)]
    assert (balance.amount, balance.as_of) == (3600, datetime(2026, 11, 23, 9, 2, 10, tzinfo=UTC))


def cash(change: int, balance: int) -> dict[str, str]:
    return {
        "收支类型": "收入" if change > 0 else "支出",
        "收支金额(元)": build.yuan(abs(change)),
        "账户结余(元)": build.yuan(balance),
    }


def test_a_row_that_cannot_be_read_is_a_fault_and_the_rest_counts() -> None:
    rows = [
        build.trade_row(),
        build.trade_row(微信订单号="4.2E+27", 用户标识="private"),
        build.trade_row(应结订单金额="35.805"),
        build.trade_row(商品名称="a,`b"),
        build.trade_row(商户号="1900000002"),
        build.trade_row(交易时间="14:51:51"),
        build.trade_row(货币种类="yuan"),
        build.refund_row(微信退款单号="0"),
        build.trade_row(微信订单号="42001"),
    ]
    read = traded(*rows)
    assert [fact.line_id for fact in read.facts if isinstance(fact, SettlementLine)] == [build.TRANSACTION_ID, "42001"]
    assert [(fault.where, fault.code) for fault in read.faults] == [
        ("line 3, column 微信订单号", "missing_field"),
        ("line 4, column 应结订单金额", "invalid_money"),
        ("line 5", "wrong_columns"),
        ("line 6, column 商户号", "wrong_account"),
        ("line 7, column 交易时间", "invalid_time"),
        ("line 8, column 货币种类", "invalid_currency"),
        ("line 9, column 微信退款单号", "missing_field"),
    ]
    assert "private" not in str(read.faults)
    odd = moved(build.flow_row(收支类型="不计收支"))
    assert [fault.code for fault in odd.faults] == ["unknown_direction"]


def test_a_bill_that_was_cut_off_is_told_by_its_totals() -> None:
    bill = build.trade_bill([build.trade_row(), build.trade_row(微信订单号="42001")])
    lines = bill.splitlines(keepends=True)
    assert [fault.code for fault in read_bill(b"".join(lines[:3]), CONTEXT).faults] == ["no_totals"]
    assert [fault.code for fault in read_bill(b"".join(lines[:4]), CONTEXT).faults] == ["no_totals"]
    assert [fault.code for fault in read_bill(lines[0], CONTEXT).faults] == ["no_totals"]
    missing = b"".join([lines[0], lines[1], *lines[3:]])
    read = read_bill(missing, CONTEXT)
    assert [(fault.where, fault.code) for fault in read.faults] == [("line 4", "wrong_totals")]
    assert len(read.facts) == 1


def test_nothing_of_the_buyer_is_in_a_fact() -> None:
    told = str([*traded(build.trade_row()).facts, *moved(build.flow_row(业务类型="转账", 业务名称="转账")).facts])
    for personal in ("oUpF8u", "马克杯", "Zoë", "system"):
        assert personal not in told


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"PK\x03\x04", "日期,金额\n".encode(), "交易时间,交易时间\n".encode()]
)
def test_what_is_no_bill_is_refused(content: bytes) -> None:
    assert refusal_of(content) == "unreadable_file"


def test_a_huge_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bills, "MOST_BYTES", 10)
    assert refusal_of(b"x" * 11) == "file_too_large"


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=8), st.data())
def test_whatever_order_the_rows_are_in_the_facts_are_the_same(amounts: list[int], data: st.DataObject) -> None:
    rows = [
        build.trade_row(微信订单号=f"42{number}", 应结订单金额=build.yuan(fen), 订单金额=build.yuan(fen))
        for number, fen in enumerate(amounts)
    ]
    shuffled = data.draw(st.permutations(rows))
    read = traded(*shuffled)
    assert sorted(str(fact) for fact in read.facts) == sorted(str(fact) for fact in traded(*rows).facts)
    assert sum(fact.gross for fact in read.facts if isinstance(fact, SettlementLine)) == sum(amounts)


@given(st.binary(max_size=300))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    bill = build.trade_bill([build.trade_row()])
    read = read_bill(bill.replace(b"aurora/5001", content.replace(b"\n", b"")), CONTEXT) if _is_text(content) else None
    assert read is None or len(read.facts) + len(read.faults) >= 1


def _is_text(content: bytes) -> bool:
    try:
        return "\r" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False
