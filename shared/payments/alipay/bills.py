"""Alipay's two bills, as they are downloaded: what was traded (`trade`, 业务明细), and what moved on the balance
(`signcustomer`, 账务明细).

Both are CSV in GBK within a zip, with `#` comments around the table, a summary file beside it, and tabs or backticks
around long numbers. Each movement is taken from one bill only, so that files may come in any order, and each without
the other: captures and refunds with their fees from the trade bill, all else (withdrawals, fees by themselves,
transfers) and the balance from the other one, whose rows of trades, refunds and their fees are skipped.

Columns are found by their headings. Facts: the reference, and headings and rows in public repositories (2012 to 2026);
the categories of the balance's movements are from general knowledge and were not checked against Alipay's documents.
One that is not known becomes a line of kind `unknown`.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.finance.models import Fact, Feed, LineKind, Payout, PayoutState, ProviderBalance, SettlementLine
from shared.kernel.errors import Rejected
from shared.payments.alipay.mapping import CURRENCY, amount, local_time, references, refund_id
from shared.payments.alipay.signature import ZONE
from shared.payments.port import AccountContext, Fault, FileFacts
from shared.payments.running_balance import Held, last_balance

MOST_BYTES: Final = 50 * 1024 * 1024
"""Of a file, and of all that a zip holds when it is unpacked."""
MOST_FILES: Final = 50
_MOST_FAULTS: Final = 1_000
_MOST_LINES_ABOVE: Final = 100
"""So far down the headings are looked for; they are on the fifth line."""
_CHUNK: Final = 64 * 1024

_PACKED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP: Final = b"PK\x03\x04"
_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_AROUND: Final = "` \t\u3000"
_NUMBER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_UNIT: Final = re.compile(r"[（(][^（()）]*[）)]$")
_END: Final = "列表结束"
_TRADE: Final = frozenset({"支付宝交易号", "业务类型", "商家实收"})
_FLOW: Final = frozenset({"账务流水号", "收入金额", "支出金额", "账户余额", "发生时间"})

_CATEGORIES: Final = ("业务类型", "账务类型", "业务描述")
"""Where the balance's bill says what a movement was: the first of them that it has."""

_SALE: Final = "交易"
_REFUND: Final = "退款"
_OF_TRADES: Final = frozenset({"在线支付", "交易付款", "交易", "交易退款", "退款", "退款（交易退款）"})
"""Of the balance's movements: these are in the trade bill, with their fees."""
_FEES: Final = frozenset({"收费", "退费", "服务费", "收费退回", "手续费"})
"""In the trade bill where they name an order."""

Row = Mapping[str, str]
_Read = Callable[[Row, AccountContext], tuple[Fact, ...]]


def read_bill(content: bytes, context: AccountContext) -> FileFacts:
    """Read a bill, a zip or the CSV out of it (a `FileReader`).

    Raises:
        Rejected: `unreadable_file`, `file_too_large`.
    """
    if len(content) > MOST_BYTES:
        raise _too_large()
    found = [_table(text) for text in _texts(content)]
    tables = [table for table in found if table is not None]
    if not tables:
        raise _unreadable("there is neither a trade bill nor a bill of the balance in it")
    bill = _Bill(context)
    for table in tables:
        bill.take(table)
    return FileFacts(tuple(bill.facts), tuple(bill.faults), "alipay " + " and ".join(sorted(bill.kinds)), bill.skipped)


@dataclass
class _Table:
    kind: str
    headings: list[str]
    rows: list[tuple[int, str]]
    """With the numbers of their lines."""
    comments: int


@dataclass
class _Bill:
    context: AccountContext
    facts: list[Fact] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    skipped: int = 0

    def take(self, table: _Table) -> None:
        self.kinds.add(table.kind)
        self.skipped += table.comments
        read = _traded if table.kind == "trade bill" else _moved
        movements: list[Held] = []
        for number, text in table.rows:
            try:
                row = _row(table.headings, text)
                facts = read(row, self.context)
                if table.kind != "trade bill":
                    movements.append(_held(row))
            except Rejected as error:
                if len(self.faults) < _MOST_FAULTS:
                    where = f"line {number}" + (f", column {error.field}" if error.field else "")
                    self.faults.append(Fault(where, error.code, error.message))
                continue
            self.facts.extend(facts)
            self.skipped += not facts
        self._take_balance(movements)

    def _take_balance(self, movements: list[Held]) -> None:
        last = last_balance(movements)
        if last is not None:
            self.facts.append(
                ProviderBalance(
                    account=self.context.account, currency=_currency(self.context), as_of=last.at, amount=last.balance
                )
            )


# ---- what the two bills say ------------------------------------------------------------------------------------------


def _traded(row: Row, context: AccountContext) -> tuple[Fact, ...]:
    """One row of the trade bill: 交易 or 退款. Its signs differ from one variant of the bill to the other, so the
    category alone says which way the money went."""
    currency, category = _currency(context), row["业务类型"]
    trade_no, order_no = _required(row, "支付宝交易号"), row.get("商户订单号") or None
    request_no = row.get("退款批次号/请求号") or None
    kind, sign = _direction(category)
    received = _amount(row, "商家实收", currency)
    charged = _amount(row, "订单金额", currency) if "订单金额" in row else received
    fee = _amount(row, "服务费", currency) if row.get("服务费") else 0
    gross = sign * abs(received) if sign else received
    kept = sign * abs(fee) if sign else abs(fee)
    refunded = refund_id(trade_no, request_no, order_no) if kind is LineKind.REFUND else None
    line = SettlementLine(
        account=context.account,
        line_id=refunded or (trade_no if kind is LineKind.CAPTURE else f"{trade_no}/{category}/{request_no or ''}"),
        kind=kind,
        category=category,
        occurred_at=local_time(row.get("完成时间") or row.get("创建时间") or "", field="完成时间"),
        currency=currency,
        gross=gross,
        fee=kept,
        net=gross - kept,
        payment_id=trade_no,
        source_id=refunded,
        references=references(order_no, request_no),
        # Where the merchant pays a part of the price himself, the buyer's order was for more than arrives.
        buyer_currency=currency if abs(charged) != abs(received) else None,
        buyer_amount=(sign or 1) * abs(charged) if abs(charged) != abs(received) else None,
        feed=Feed.REPORT,
    )
    return (line,)


def _direction(category: str) -> tuple[LineKind, int]:
    if category == _SALE:
        return LineKind.CAPTURE, 1
    if category == _REFUND:
        return LineKind.REFUND, -1
    return LineKind.UNKNOWN, 0


def _moved(row: Row, context: AccountContext) -> tuple[Fact, ...]:
    """One row of the balance's bill; nothing where the trade bill has it."""
    category = next((row[name] for name in _CATEGORIES if row.get(name)), "?")
    order_no = row.get("商户订单号") or None
    change = _change(row, _currency(context))
    _held(row)  # so that a row whose balance cannot be read is a fault as a whole
    if category in _OF_TRADES or (category in _FEES and order_no):
        return ()
    kind = _kind(category, change)
    line = SettlementLine(
        account=context.account,
        line_id=_required(row, "账务流水号"),
        kind=kind,
        category=category,
        occurred_at=local_time(row["发生时间"], field="发生时间"),
        currency=_currency(context),
        gross=change,
        fee=0,
        net=change,
        source_id=_required(row, "业务流水号") if row.get("业务流水号") else None,
        payout_id=_required(row, "账务流水号") if kind is LineKind.PAYOUT else None,
        references=references(order_no),
        feed=Feed.REPORT,
    )
    return (line, _payout(line)) if kind is LineKind.PAYOUT else (line,)


def _kind(category: str, change: int) -> LineKind:
    if category in _FEES:
        return LineKind.FEE
    if category == "提现":
        return LineKind.PAYOUT if change < 0 else LineKind.PAYOUT_REVERSED
    if category in ("提现退回", "提现退票"):
        return LineKind.PAYOUT_REVERSED
    if category == "充值" and change > 0:
        return LineKind.TOPUP
    return LineKind.UNKNOWN


def _payout(line: SettlementLine) -> Payout:
    """A withdrawal. Nothing says which trades it has: it takes what was there."""
    return Payout(
        account=line.account,
        payout_id=line.line_id,
        state=PayoutState.IN_TRANSIT,
        vendor_state=line.category,
        currency=line.currency,
        amount=-line.gross,
        issued_on=line.occurred_at.astimezone(ZONE).date(),
        itemised=False,
        references=references(line.line_id, line.source_id),
        stated_at=line.occurred_at,
        feed=line.feed,
    )


def _held(row: Row) -> Held:
    balance = _amount(row, "账户余额", CURRENCY)
    return Held(local_time(row["发生时间"], field="发生时间"), _change(row, CURRENCY), balance)


def _change(row: Row, currency: str) -> int:
    """Income less expense. An expense is written with a minus, or without one."""
    income, expense = (_amount(row, name, currency) if row[name] else 0 for name in ("收入金额", "支出金额"))
    return abs(income) - abs(expense)


def _currency(context: AccountContext) -> str:
    return context.currency or CURRENCY


def _amount(row: Row, name: str, currency: str) -> int:
    return amount(row[name], currency, field=name)


def _required(row: Row, name: str) -> str:
    """A number of Alipay's. One that a spreadsheet has rounded is many movements' at once: they would become one."""
    if not _NUMBER.fullmatch(row[name]):
        raise Rejected(
            "missing_field", "there is no such number, or a spreadsheet has rounded it (2.02E+27)", field=name
        )
    return row[name]


# ---- the file --------------------------------------------------------------------------------------------------------


def _table(text: str) -> _Table | None:
    """The table of a bill; None where there is none, as in a summary."""
    lines = _LINE_END.split(text)
    for number, line in enumerate(lines[:_MOST_LINES_ABOVE], 1):
        headings = [_UNIT.sub("", cell) for cell in _cells(line)]
        for kind, needed in (("trade bill", _TRADE), ("balance bill", _FLOW)):
            if needed <= set(headings):
                _require_sense(headings)
                rows = list(_rows(lines[number:], number + 1))
                return _Table(kind, headings, rows, sum(bool(other.strip()) for other in lines) - len(rows) - 1)
    return None


def _rows(lines: list[str], first: int) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, first):
        if line.lstrip().startswith("#") and _END in line:
            return
        if line.strip() and not line.startswith("#"):
            yield number, line


def _row(headings: list[str], text: str) -> Row:
    cells = _cells(text)
    if len(cells) != len(headings):
        raise Rejected("wrong_columns", f"the row has {len(cells)} columns, and the heading {len(headings)}")
    return dict(zip(headings, cells, strict=True))


def _cells(line: str) -> list[str]:
    """Line by line, for no value of a bill has a line break: a stray quotation mark spoils one row, not the rest."""
    try:
        cells = next(csv.reader([line]), [])
    except csv.Error as error:
        raise Rejected("wrong_columns", "the row cannot be taken apart") from error
    return [cell.strip(_AROUND) for cell in cells]


def _require_sense(headings: list[str]) -> None:
    named = [heading for heading in headings if heading]
    if len(set(named)) < len(named):
        raise _unreadable("two columns have the same heading")
    if not any(name in named for name in _CATEGORIES):
        raise _unreadable("it does not say what the movements were")


def _texts(content: bytes) -> Iterator[str]:
    """The files of a zip, or the one that was handed in. Names count for nothing: nothing is written anywhere."""
    if not content.startswith(_ZIP):
        yield _text(content)
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from _unpacked(archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, ValueError) as error:
        raise _unreadable("the zip is broken, encrypted or packed in an unusual way") from error


def _unpacked(archive: zipfile.ZipFile) -> Iterator[str]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > MOST_FILES:
        raise _too_large()
    if any(member.compress_type not in _PACKED for member in members):  # the others fail in ways of their own
        raise NotImplementedError
    left = MOST_BYTES
    for member in members:
        with archive.open(member) as packed:
            unpacked = io.BytesIO()
            while chunk := packed.read(_CHUNK):  # what the zip says of its own sizes is not believed
                left -= len(chunk)
                if left < 0:
                    raise _too_large()
                unpacked.write(chunk)
        yield _text(unpacked.getvalue())


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable("it is text neither in GBK nor in UTF-8")


def _unreadable(message: str) -> Rejected:
    return Rejected(
        "unreadable_file",
        f"this is not a bill of Alipay's: {message}",
        field="file",
        hint="hand in the zip of 业务明细 or 账务明细 as Alipay's merchant centre gives it",
    )


def _too_large() -> Rejected:
    return Rejected(
        "file_too_large", f"the bill has more than {MOST_BYTES // 1024 // 1024} MB", field="file", hint="export days"
    )
