"""The CSV files that people download from a shop's admin: payment transactions, and payouts.

Columns are found by their headings; some shops have 12, others 19 of them. Neither file is made for machines: the
transactions bear no ids (see `identity`), and the payouts not even the number by which transactions name them. So a
payout of the file gets an id of its own and counts as not itemised; where the API tells payouts, the file is refused,
for each of them would be there twice. Headings as in files that merchants published; that there are no others is not
known.
"""

import csv
import re
import zoneinfo
from collections import Counter
from collections.abc import Iterator, Mapping, Sized
from datetime import UTC, date, datetime, time
from io import StringIO
from typing import Final, NamedTuple

from shared.finance.models import Fact, Feed, Payout, PayoutState, SettlementLine
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected
from shared.payments.amounts import written_minor_units
from shared.payments.lenient import each_once
from shared.payments.port import AccountContext, Fault, FileFacts, FileReader
from shared.payments.shopify_payments.categories import kind_of
from shared.payments.shopify_payments.identity import MovementMark, movement_ids
from shared.payments.shopify_payments.mapping import STATES

KIND: Final = "shopify payments export"
MOST_BYTES: Final = 50 * 1024 * 1024
_MOST_FAULTS: Final = 1_000
"""That many are named."""
_TRANSACTIONS: Final = frozenset({"transaction date", "type", "amount", "fee", "net"})
_PAYOUTS: Final = frozenset({"payout date", "status", "total"})
_DAY: Final = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})")
_ZONED: Final = re.compile(r"\s+(?=[+-][0-9]{2}:?[0-9]{2}$|Z$)")
_HAS_ZONE: Final = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


def export_reader(*, payouts_by_api: bool) -> FileReader:
    """The reader of both files. `payouts_by_api`: whether the account's API tells its payouts.

    The reader raises, beside what the port has, `Rejected` `told_by_api` for a file of payouts then.
    """

    def read(content: bytes, context: AccountContext) -> FileFacts:
        rows = _Rows(content)
        if rows.headings >= _TRANSACTIONS:
            return _transactions(rows, context)
        if not rows.headings >= _PAYOUTS:
            raise _unreadable("it has neither the columns of payment transactions nor those of payouts")
        if payouts_by_api:
            raise Rejected(
                "told_by_api",
                "the account's payouts are read by the API, and this file does not say which of them is which",
                field="file",
                hint="import the file of payment transactions, or set `api_access` of the account to false",
            )
        return _payouts(rows, context)

    return read


class _Row(NamedTuple):
    number: int
    cells: Mapping[str, str]
    has_more: bool
    """Than there are headings: its columns have moved."""

    def says(self, heading: str) -> str:
        return self.cells.get(heading, "").strip()

    def minor(self, heading: str, currency: str) -> int:
        return written_minor_units(self.says(heading), currency, field=heading)

    def currency(self, context: AccountContext) -> str:
        stated = self.says("currency").upper() or context.currency or ""
        if not _CURRENCY.fullmatch(stated):
            raise Rejected("invalid_money", "it says no currency; set the account's", field="currency")
        return stated


class _Rows:
    """A table by its headings, which are compared without regard to case."""

    def __init__(self, content: bytes) -> None:
        if len(content) > MOST_BYTES:
            raise Rejected("file_too_large", "the file is larger than any that is read", field="file")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _unreadable("it is not written in UTF-8") from error
        self._table = csv.reader(StringIO(text, newline=""), strict=True)
        self._names = [cell.strip().lower() for cell in self._next() or ()]
        self.headings = frozenset(self._names)
        if len(self.headings - {""}) < sum(bool(name) for name in self._names):
            raise _unreadable("it has two columns of the same name")

    def __iter__(self) -> Iterator[_Row]:
        number = 1
        while (cells := self._next()) is not None:
            number += 1
            if any(cell.strip() for cell in cells):
                has_more = any(cell.strip() for cell in cells[len(self._names) :])
                yield _Row(number, dict(zip(self._names, cells, strict=False)), has_more=has_more)

    def _next(self) -> list[str] | None:
        try:
            return next(self._table, None)
        except csv.Error as error:
            raise _unreadable(f"line {self._table.line_num} is not CSV") from error


def _transactions(rows: _Rows, context: AccountContext) -> FileFacts:
    lines: list[SettlementLine] = []
    marks: list[MovementMark] = []
    faults: list[Fault] = []
    for row in rows:
        try:
            line = _line(row, context)
        except Rejected as error:
            faults += _fault(row, error, faults)
            continue
        lines.append(line)
        order = row.says("order") or None
        marks.append(MovementMark(line.occurred_at, order, line.currency, line.net, line.gross, line.kind))
    named = zip(lines, movement_ids(marks), strict=True)
    return FileFacts(tuple(line.model_copy(update={"line_id": one}) for line, one in named), tuple(faults), KIND)


def _line(row: _Row, context: AccountContext) -> SettlementLine:
    _require_columns(row)
    currency = row.currency(context)
    gross, fee, net = (row.minor(heading, currency) for heading in ("amount", "fee", "net"))
    if abs(gross - net) != abs(fee):
        raise Rejected("sums_differ", "the amount less the fee is not the net", field="net")
    kind = kind_of(row.says("type"), None, gross)
    buyer_currency, buyer_amount = _presentment(row, gross)
    return SettlementLine(
        account=context.account,
        line_id="",
        kind=kind,
        category=row.says("type"),
        occurred_at=_moment(row.says("transaction date"), context, "transaction date"),
        currency=currency,
        gross=gross,
        fee=gross - net,
        net=net,
        payout_id=row.says("payout id") or None,
        references=each_once((row.says("order"), row.says("checkout").lstrip("#"))),
        buyer_currency=buyer_currency,
        buyer_amount=buyer_amount,
        available_on=_day(row.says("available on"), "available on") if row.says("available on") else None,
        feed=Feed.EXPORT,
    )


def _require_columns(row: _Row) -> None:
    if row.has_more:
        raise Rejected("wrong_columns", "the row has more columns than the heading", field="beyond the last")


def _presentment(row: _Row, gross: int) -> tuple[str | None, int | None]:
    """What the buyer saw. Of refunds it is written with a minus sign, or without one."""
    currency = row.says("presentment currency").upper()
    if not currency or not row.says("presentment amount"):
        return None, None
    amount = abs(row.minor("presentment amount", currency))
    return currency, -amount if gross < 0 else amount


def _payouts(rows: _Rows, context: AccountContext) -> FileFacts:
    found: list[Fact] = []
    faults: list[Fault] = []
    seen: Counter[str] = Counter()
    for row in rows:
        try:
            payout = _payout(row, context)
        except Rejected as error:
            faults += _fault(row, error, faults)
            continue
        seen[payout.payout_id] += 1
        ordinal = seen[payout.payout_id]
        suffix = f"-{ordinal}" if ordinal > 1 else ""
        found.append(payout.model_copy(update={"payout_id": payout.payout_id + suffix}))
    return FileFacts(tuple(found), tuple(faults), KIND)


def _payout(row: _Row, context: AccountContext) -> Payout:
    _require_columns(row)
    currency = row.currency(context)
    amount = row.minor("total", currency)
    issued_on = _day(row.says("payout date"), "payout date")
    status = row.says("status")
    return Payout(
        account=context.account,
        payout_id=f"{issued_on.isoformat()}-{currency}-{amount}",
        state=STATES.get(status.upper().replace(" ", "_"), PayoutState.PENDING),
        vendor_state=status,
        currency=currency,
        amount=amount,
        issued_on=issued_on,
        itemised=False,
        references=each_once((row.says("bank reference"),)),
        stated_at=datetime.combine(issued_on, time(), UTC),
        feed=Feed.EXPORT,
    )


def _moment(text: str, context: AccountContext, field: str) -> datetime:
    """`2026-06-06 04:15:48 -0700`; without a zone, in the account's; a day alone begins there."""
    joined = _ZONED.sub("", text)
    if _HAS_ZONE.search(joined) and ":" in joined:
        return parse_time(joined, field=field)
    zone = zoneinfo.ZoneInfo(context.time_zone)
    if _DAY.fullmatch(joined):
        return datetime.combine(_day(joined, field), time(), zone).astimezone(UTC)
    return parse_time(joined, field=field).replace(tzinfo=zone).astimezone(UTC)


def _day(text: str, field: str) -> date:
    found = _DAY.fullmatch(text)
    try:
        if found is not None:
            return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        pass
    raise Rejected("invalid_time", "what stands there is not a day", field=field)


def _fault(row: _Row, error: Rejected, before: Sized) -> tuple[Fault, ...]:
    if len(before) >= _MOST_FAULTS:
        return ()
    return (Fault(f"line {row.number}, column {error.field}", error.code, error.message),)


def _unreadable(message: str) -> Rejected:
    return Rejected("unreadable_file", message, field="file", hint="export it from the shop's admin again")
