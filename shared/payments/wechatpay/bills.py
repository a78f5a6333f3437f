"""WeChat Pay's two bills: what was traded (交易账单, `tradebill`), and what moved on the balance (资金账单,
`fundflowbill`).

Both are CSV in UTF-8 in which every value has a backtick before it and none is quoted, with the totals in two lines at
the end. Each movement is taken from one bill only, so that files may come in any order, and each without the other:
captures and refunds with their fees from the trade bill, all else (withdrawals, fees by themselves, transfers) and the
balance from the other one, whose rows of trades, refunds and their fees are skipped.

Columns are found by their headings, older ones (24 columns, 总金额) included. Facts: the reference, what public
repositories quote of pay.weixin.qq.com, and rows in their tests. A fee is written with five decimals and booked in fen,
a half rounded up. The categories of the balance's movements are from general knowledge as far as those repositories do
not show them; one that is not known becomes a line of kind `unknown`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar, Final

from shared.finance.models import Fact, Feed, LineKind, Payout, PayoutState, ProviderBalance, SettlementLine
from shared.kernel.errors import Rejected
from shared.kernel.money import Money, currency_exponent
from shared.payments.amounts import plain_decimal, written_minor_units
from shared.payments.port import AccountContext, Fault, FileFacts
from shared.payments.running_balance import Held, last_balance
from shared.payments.wechatpay.mapping import ZONE, local_time, references

MOST_BYTES: Final = 50 * 1024 * 1024
_MOST_FAULTS: Final = 1_000

_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_AROUND: Final = "` \t\u3000"
_UNIT: Final = re.compile(r"[（(][^（()）]*[）)]$")
_NAMED_BEFORE: Final = {"总金额": "应结订单金额", "子商户号": "特约商户号"}
_TRADE: Final = frozenset({"交易时间", "微信订单号", "商户订单号", "交易状态", "应结订单金额", "手续费"})
_FLOW: Final = frozenset(
    {"记账时间", "微信支付业务单号", "资金流水单号", "业务类型", "收支类型", "收支金额", "账户结余"}
)
_TOTALS: Final = ("总交易单数", "资金流水总笔数")
_LINES_OF_TOTALS: Final = 2
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_DEFAULT_CURRENCY: Final = "CNY"

_REFUNDS: Final = frozenset({"REFUND", "REVOKED"})
_LEFT: Final = frozenset({"SUCCESS", "PROCESSING", "CHANGE"})
"""States of a refund whose money has left the balance. What fails afterwards comes back as a movement of its own."""
_OF_TRADES: Final = frozenset({"交易", "退款", "扣除交易手续费", "退回交易手续费", "退还交易手续费", "返还交易手续费"})
"""Of the balance's movements: these are in the trade bill, with their fees."""
_PAYOUTS: Final = frozenset({"提现", "自动提现", "结算", "自动结算"})
_PAYOUTS_BACK: Final = frozenset({"提现退票", "提现退回", "结算退票"})
_SIGNS: Final = {"收入": 1, "支出": -1}

Row = Mapping[str, str]


def read_bill(content: bytes, context: AccountContext) -> FileFacts:
    """Read a bill (a `FileReader`).

    Raises:
        Rejected: `unreadable_file`, `file_too_large`.
    """
    if len(content) > MOST_BYTES:
        raise Rejected("file_too_large", f"the bill has more than {MOST_BYTES // 1024 // 1024} MB", field="file")
    try:
        lines = _LINE_END.split(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _unreadable("it is not UTF-8") from error
    headings = [_NAMED_BEFORE.get(name, name) for name in map(_bare, _cells(lines[0] if lines else ""))]
    if len(set(headings)) < len(headings):
        raise _unreadable("two columns have the same heading")
    if set(headings) >= _TRADE:
        return _TradeBill(context, headings).read(lines)
    if set(headings) >= _FLOW:
        return _FlowBill(context, headings).read(lines)
    raise _unreadable("its headings are neither those of a trade bill nor of a bill of the balance")


@dataclass
class _Bill(ABC):
    context: AccountContext
    headings: list[str]
    facts: list[Fact] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    skipped: int = 0
    kind: ClassVar[str]

    def read(self, lines: list[str]) -> FileFacts:
        number, rows = 1, 0
        for number, line in enumerate(lines[1:], 2):
            if line.lstrip("` ").startswith(_TOTALS):
                break
            if line.strip():
                rows += 1
                self._take(number, line)
        self._compare_totals(lines[number - 1 :], rows, number)
        return FileFacts((*self.facts, *self.closing_facts), tuple(self.faults), f"wechat {self.kind}", self.skipped)

    @abstractmethod
    def facts_of(self, row: Row) -> tuple[Fact, ...]:
        """What one row states; nothing where the other bill does."""

    @property
    def closing_facts(self) -> tuple[Fact, ...]:
        """What all rows together state."""
        return ()

    def _take(self, number: int, line: str) -> None:
        try:
            cells = _cells(line)
            if len(cells) != len(self.headings):
                message = f"the row has {len(cells)} columns, and the heading {len(self.headings)}"
                raise Rejected("wrong_columns", message)  # noqa: TRY301 - it is told like any other fault of a row
            facts = self.facts_of(dict(zip(self.headings, cells, strict=True)))
        except Rejected as error:
            where = f"line {number}" + (f", column {error.field}" if error.field else "")
            self._fault(Fault(where, error.code, error.message))
            return
        self.facts.extend(facts)
        self.skipped += not facts

    def _compare_totals(self, lines: list[str], rows: int, number: int) -> None:
        """A bill that was cut off ends without them."""
        if len(lines) < _LINES_OF_TOTALS or not lines[1].strip() or _cells(lines[0])[0] not in _TOTALS:
            self._fault(Fault("end of file", "no_totals", "the totals are missing: the file may have been cut off"))
            return
        self.skipped += _LINES_OF_TOTALS
        if _cells(lines[1])[0] != str(rows):
            self._fault(Fault(f"line {number + 1}", "wrong_totals", f"the totals count other than {rows} rows"))

    def _fault(self, fault: Fault) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(fault)


@dataclass
class _TradeBill(_Bill):
    kind: ClassVar[str] = "trade bill"

    def facts_of(self, row: Row) -> tuple[Fact, ...]:
        self._require_merchant(row)
        state = row["交易状态"]
        if state == "SUCCESS":
            return (self._capture(row),)
        if state not in _REFUNDS:
            return (self._unknown(row),)
        refund_state = row.get("退款状态") or "SUCCESS"
        if refund_state == "FAIL":
            return ()
        return (self._refund(row),) if refund_state in _LEFT else (self._unknown(row),)

    def _capture(self, row: Row) -> SettlementLine:
        currency = _currency(row)
        return self._line(
            row,
            LineKind.CAPTURE,
            line_id=_id(row, "微信订单号"),
            gross=abs(_amount(row, "应结订单金额", currency)),
            charged=abs(_amount(row, "订单金额", currency)) if row.get("订单金额") else None,
            fee=abs(_fee(row, currency)),
        )

    def _refund(self, row: Row) -> SettlementLine:
        """The fee of a refund is what WeChat gives back of it, with a minus or without."""
        currency = _currency(row)
        return self._line(
            row,
            LineKind.REFUND,
            line_id=_id(row, "微信退款单号"),
            gross=-abs(_amount(row, "退款金额", currency)),
            charged=-abs(_amount(row, "申请退款金额", currency)) if row.get("申请退款金额") else None,
            fee=-abs(_fee(row, currency)),
        )

    def _unknown(self, row: Row) -> SettlementLine:
        """A state that nobody knows: whether it moved money, the balance will show."""
        currency = _currency(row)
        sold = _amount(row, "应结订单金额", currency)
        gross = sold or (-abs(_amount(row, "退款金额", currency)) if row.get("退款金额") else 0)
        number = _number(row, "微信退款单号") or _id(row, "微信订单号")
        line_id = f"{number}/{row['交易状态']}/{row.get('退款状态', '')}"
        return self._line(row, LineKind.UNKNOWN, line_id=line_id, gross=gross, charged=None, fee=_fee(row, currency))

    def _line(
        self, row: Row, kind: LineKind, *, line_id: str, gross: int, charged: int | None, fee: int
    ) -> SettlementLine:
        currency, refund_no = _currency(row), _number(row, "微信退款单号")
        gives = bool(charged) and charged != gross  # the merchant's own coupons: the order was for more
        at = next(name for name in ("退款成功时间", "退款申请时间", "交易时间") if row.get(name) or name == "交易时间")
        state = "/".join(filter(None, (row["交易状态"], row.get("退款状态") if refund_no else None)))
        return SettlementLine(
            account=self.context.account,
            line_id=line_id,
            kind=kind,
            category=state,
            occurred_at=local_time(" ".join(row[at].split()), field=at),
            currency=currency,
            gross=gross,
            fee=fee,
            net=gross - fee,
            payment_id=_id(row, "微信订单号"),
            source_id=refund_no,
            references=references(_number(row, "商户订单号"), _number(row, "商户退款单号"), free=row.get("商户数据包")),
            buyer_currency=currency if gives else None,
            buyer_amount=charged if gives else None,
            feed=Feed.REPORT,
        )

    def _require_merchant(self, row: Row) -> None:
        named = {row.get("商户号"), row.get("特约商户号")} - {None, "", "0"}
        if self.context.merchant_id is not None and named and self.context.merchant_id not in named:
            raise Rejected("wrong_account", "the row is another merchant's than this account's", field="商户号")


@dataclass
class _FlowBill(_Bill):
    kind: ClassVar[str] = "balance bill"
    movements: list[Held] = field(default_factory=list)

    def facts_of(self, row: Row) -> tuple[Fact, ...]:
        currency = self._currency
        change = _sign(row) * abs(_amount(row, "收支金额", currency))
        at = local_time(" ".join(row["记账时间"].split()), field="记账时间")
        held = Held(at, change, _amount(row, "账户结余", currency))
        category = row["业务类型"] or row.get("业务名称") or "?"
        if category in _OF_TRADES or row.get("业务名称") in _OF_TRADES:
            self.movements.append(held)
            return ()
        kind = _kind(category, change)
        business_no, flow_no = _number(row, "微信支付业务单号"), _id(row, "资金流水单号")
        payout_id = business_no or flow_no
        line = SettlementLine(
            account=self.context.account,
            # One flow number was seen with several movements, so that it is not enough by itself.
            line_id="/".join(filter(None, (flow_no, business_no, category))),
            kind=kind,
            category=category,
            occurred_at=at,
            currency=currency,
            gross=change,
            fee=0,
            net=change,
            source_id=business_no,
            payout_id=payout_id if kind is LineKind.PAYOUT else None,
            references=references(_number(row, "业务凭证号")),
            feed=Feed.REPORT,
        )
        self.movements.append(held)
        return (line, _payout(line, payout_id)) if kind is LineKind.PAYOUT else (line,)

    @property
    def closing_facts(self) -> tuple[Fact, ...]:
        last = last_balance(self.movements)
        if last is None:
            return ()
        account = self.context.account
        return (ProviderBalance(account=account, currency=self._currency, as_of=last.at, amount=last.balance),)

    @property
    def _currency(self) -> str:
        return self.context.currency or _DEFAULT_CURRENCY


def _kind(category: str, change: int) -> LineKind:
    if category in _PAYOUTS_BACK or (category in _PAYOUTS and change > 0):
        return LineKind.PAYOUT_REVERSED
    if category in _PAYOUTS:
        return LineKind.PAYOUT
    if category.endswith(("手续费", "服务费")):
        return LineKind.FEE
    if category == "充值" and change > 0:
        return LineKind.TOPUP
    return LineKind.UNKNOWN


def _payout(line: SettlementLine, payout_id: str) -> Payout:
    """A withdrawal. Nothing says which payments it has: it takes what was there."""
    return Payout(
        account=line.account,
        payout_id=payout_id,
        state=PayoutState.IN_TRANSIT,
        vendor_state=line.category,
        currency=line.currency,
        amount=-line.gross,
        issued_on=line.occurred_at.astimezone(ZONE).date(),
        itemised=False,
        references=references(payout_id, *line.references),
        stated_at=line.occurred_at,
        feed=line.feed,
    )


def _sign(row: Row) -> int:
    try:
        return _SIGNS[row["收支类型"]]
    except KeyError as error:
        raise Rejected("unknown_direction", "it is neither an income nor an expense", field="收支类型") from error


def _currency(row: Row) -> str:
    stated = row.get("货币种类") or _DEFAULT_CURRENCY
    if _CURRENCY.fullmatch(stated) is None:
        raise Rejected("invalid_currency", "what stands there is not a currency", field="货币种类")
    return stated


def _amount(row: Row, name: str, currency: str) -> int:
    return written_minor_units(row.get(name, ""), currency, field=name)


def _fee(row: Row, currency: str) -> int:
    """Written more finely than it is booked."""
    stated = Money.parse(plain_decimal(row["手续费"], field="手续费"), currency, field="手续费")
    return int(stated.decimal.scaleb(currency_exponent(currency)).quantize(Decimal(1), ROUND_HALF_UP))


def _number(row: Row, name: str) -> str | None:
    """An id; WeChat writes 0 where there is none."""
    stated = row.get(name, "")
    return None if stated in ("", "0") else stated


def _id(row: Row, name: str) -> str:
    stated = _number(row, name)
    if stated is None or _ID.fullmatch(stated) is None:
        raise Rejected(
            "missing_field", "there is no such number, or a spreadsheet has rounded it (4.2E+27)", field=name
        )
    return stated


def _cells(line: str) -> list[str]:
    """A value may hold commas, and is not quoted: the backtick of the next one says where it ends."""
    cells = line[1:].split(",`") if line.startswith("`") else line.split(",")
    return [cell.strip(_AROUND) for cell in cells]


def _bare(heading: str) -> str:
    return _UNIT.sub("", heading)


def _unreadable(message: str) -> Rejected:
    return Rejected(
        "unreadable_file",
        f"this is not a bill of WeChat Pay's: {message}",
        field="file",
        hint="hand in the CSV of 交易账单 or 资金账单 as pay.weixin.qq.com gives it",
    )
