"""PayPal's settlement report (`STL-yyyymmdd…`), as it is downloaded or fetched by SFTP.

Each row begins with its kind: report, file and section headers (`RH`, `FH`, `SH`), a section's headings (`CH`), its
movements (`SB`), its totals (`SF`) and count (`SC`), and the ends (`RF`, `RC`, `FF`). Amounts have neither sign nor
point: a column before each says `CR` or `DR`, and the currency how many decimals there are. The fee has its own
direction and currency. Source: developer.paypal.com, "Settlement Report Specification"; that `SC` and `FF` count the
movements is from general knowledge and was not checked.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from shared.finance.models import Fact, Feed
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected
from shared.kernel.money import MAX_MINOR, currency_exponent
from shared.payments.paypal.codes import moves
from shared.payments.paypal.movements import Movement, facts_of
from shared.payments.port import AccountContext, Fault, FileFacts

MOST_BYTES: Final = 50 * 1024 * 1024
_MOST_FAULTS: Final = 1_000
_KINDS: Final = frozenset({"RH", "FH", "SH", "CH", "SB", "SF", "SC", "RF", "RC", "FF"})
_BEGIN: Final = re.compile(r'(?:"RH"|RH)(?P<delimiter>[,;\t|])')
_AMOUNT: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_SIGNS: Final = {"CR": 1, "DR": -1}
_WHOLE_AT_PAYPAL: Final = frozenset({"HUF", "TWD"})
"""Of two decimals by ISO 4217; PayPal has them without. That its report counts them whole, as yen, was not checked."""


def read_settlement(content: bytes, context: AccountContext) -> FileFacts:
    """Read a settlement report (a `FileReader`). A row that cannot be read is a fault, and the others count.

    Raises:
        Rejected: `unreadable_file`, `file_too_large`; `wrong_account` for the report of another merchant.
    """
    if len(content) > MOST_BYTES:
        raise Rejected("file_too_large", f"the report has more than {MOST_BYTES} bytes", field="file")
    report = _Report(context)
    for number, row in _rows(content):
        report.take(number, row)
    report.end()
    return FileFacts(tuple(report.facts), tuple(report.faults), "paypal settlement report", report.skipped)


class _Cell(NamedTuple):
    name: str
    text: str


@dataclass
class _Report:
    """What was read so far."""

    context: AccountContext
    facts: list[Fact] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    skipped: int = 0
    made_at: datetime | None = None
    headings: list[str] | None = None
    counted: int = 0
    """Movements in this section; in the whole file, `of_file`."""
    of_file: int = 0
    is_open: bool = False
    """A section has begun whose count has not come."""

    def take(self, number: int, row: list[str]) -> None:
        try:
            self._take(row)
        except Rejected as error:
            if error.code == "wrong_account":
                raise
            column = f", column {error.field}" if error.field else ""
            self._fault(f"line {number}{column}", error)

    def end(self) -> None:
        if self.is_open:
            self._fault("end", Rejected("truncated", "the file ends within a section"))

    def _take(self, row: list[str]) -> None:
        kind = row[0]
        if kind == "SB":
            self.counted += 1
            self.of_file += 1
            self.facts += self._movement(row)
            return
        self.skipped += 1
        match kind:
            case "RH":
                self._begin(row)
            case "SH":
                self.headings, self.counted, self.is_open = None, 0, True
                self._require_account(row[3:4])
            case "CH":
                self.headings = [heading.strip().lower() for heading in row[1:]]
            case "SC":
                self.is_open = False
                _require_count(row, self.counted)
            case "FF":
                _require_count(row, self.of_file)

    def _begin(self, row: list[str]) -> None:
        self._require_account(row[3:4])
        if len(row) > 1:
            self.made_at = _time(_Cell("report date", row[1]))

    def _require_account(self, stated: list[str]) -> None:
        ours = self.context.merchant_id
        if ours and stated and stated[0].strip() and stated[0].strip() != ours:
            raise Rejected("wrong_account", "the report is of another merchant than this account's", field="file")

    def _movement(self, row: list[str]) -> tuple[Fact, ...]:
        if self.headings is None:
            raise Rejected("invalid_row", "a movement before the headings of its section")
        if len(row) - 1 > len(self.headings):
            raise Rejected("invalid_row", f"{len(row) - 1} fields, and {len(self.headings)} headings")
        movement = _movement_of(_Row(dict(zip(self.headings, (cell.strip() for cell in row[1:]), strict=False))))
        if not moves(movement.code):
            return ()
        stated_at = self.made_at or movement.at
        return facts_of(movement, self.context.account, Feed.REPORT, stated_at, test=False)

    def _fault(self, where: str, error: Rejected) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(Fault(where, error.code, error.message))


class _Row:
    """One movement, by its section's headings."""

    def __init__(self, cells: dict[str, str]) -> None:
        self._cells = cells

    def text(self, column: str) -> str | None:
        return self._cells.get(column) or None

    def needed(self, column: str) -> _Cell:
        text = self.text(column)
        if text is None:
            raise Rejected("missing_value", "nothing stands there", field=column)
        return _Cell(column, text)

    def id(self, column: str) -> str:
        """One of PayPal's ids or codes."""
        cell = self.needed(column)
        if not _ID.fullmatch(cell.text):
            raise Rejected("invalid_id", "what stands there is no id of PayPal's", field=column)
        return cell.text

    def currency(self, column: str, otherwise: str | None = None) -> str:
        text = self.text(column) or otherwise
        if text is None or not _CURRENCY.fullmatch(text):
            raise Rejected("invalid_money", "the currency is not a code of three capital letters", field=column)
        return text

    def signed(self, direction: str, column: str, currency: str) -> int:
        """Positive what was credited."""
        amount = self.needed(column)
        if not _AMOUNT.fullmatch(amount.text):
            raise Rejected("invalid_money", "the amount is no number without sign and point", field=column)
        minor = int(amount.text)
        if currency in _WHOLE_AT_PAYPAL:
            minor *= 10 ** currency_exponent(currency)
        if not minor:
            return 0
        sign = _SIGNS.get(self.needed(direction).text.upper())
        if sign is None or minor > MAX_MINOR:
            raise Rejected("invalid_money", "the direction is neither CR nor DR", field=direction)
        return sign * minor


def _movement_of(row: _Row) -> Movement:
    currency = row.currency("gross transaction currency")
    fee_currency = row.currency("fee currency", currency)
    has_fee = row.text("fee amount") is not None
    return Movement(
        transaction_id=row.id("transaction id"),
        code=row.id("transaction event code"),
        at=_time(row.needed("transaction initiation date")),
        currency=currency,
        gross=row.signed("transaction debit or credit", "gross transaction amount", currency),
        fee=-row.signed("fee debit or credit", "fee amount", fee_currency) if has_fee else 0,
        fee_currency=fee_currency,
        reference_id=row.text("paypal reference id"),
        reference_type=row.text("paypal reference id type"),
        invoice_id=row.text("invoice id"),
        custom=row.text("custom field"),
        bank_reference=row.text("bank reference id"),
    )


def _time(cell: _Cell) -> datetime:
    """`2026/11/23 09:07:43 +0000`."""
    day, _, rest = cell.text.strip().partition(" ")
    return parse_time(f"{day.replace('/', '-')}T{rest.replace(' ', '')}", field=cell.name)


def _require_count(row: list[str], counted: int) -> None:
    stated = row[1].strip() if len(row) > 1 else ""
    if _AMOUNT.fullmatch(stated) and int(stated) != counted:
        raise Rejected("rows_missing", f"{stated} movements are stated, and {counted} were there")


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
        begin = _BEGIN.match(text)
        if begin is None:
            raise _unreadable("it does not begin with a report header")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=begin["delimiter"], strict=True)
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _unreadable("it is no CSV in UTF-8") from error
    if not all(row[0] in _KINDS for _, row in rows):
        raise _unreadable("it has rows of a kind that such a report does not have")
    return iter(rows)


def _unreadable(why: str) -> Rejected:
    return Rejected(
        "unreadable_file",
        f"this is no settlement report of PayPal's: {why}",
        field="file",
        hint="download the Settlement Report as CSV, or fetch STL-….CSV by SFTP",
    )
