"""A bank's own CSV export, by the columns that the settings name. It states no balances that could prove it."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from io import StringIO
from typing import Final, NamedTuple

from shared.kernel.errors import Rejected
from shared.payments.amounts import written_minor_units
from shared.payments.bank.columns import BankColumns
from shared.payments.bank.entries import BankEntry
from shared.payments.port import Fault

KIND: Final = "bank csv"
_FIRST_YEAR: Final = 1970
_MOST_FAULTS: Final = 1_000
"""That many are named; a file that has more is of other columns than the settings say."""


class CsvStatement(NamedTuple):
    entries: tuple[BankEntry, ...]
    faults: tuple[Fault, ...]
    skipped: int
    """Rows without a day and an amount: totals, blank ones."""


def read_statement(content: bytes, columns: BankColumns, currency: str | None) -> CsvStatement:
    """Every row of the file. Of the text columns, the first is the purpose; the others may be names of people.

    Raises:
        Rejected: `unreadable_file`, when it is not a table with these columns.
    """
    table = csv.reader(StringIO(_decoded(content, columns), newline=""), delimiter=columns.delimiter, strict=True)
    entries: list[BankEntry] = []
    faults: list[Fault] = []
    skipped = 0
    for number, row in _rows(table, columns):
        if not row.says(columns.booked_on) or not any(row.says(name) for name in _amount_columns(columns)):
            skipped += 1
            continue
        try:
            entries.append(_entry(row, columns, currency))
        except Rejected as error:
            if len(faults) < _MOST_FAULTS:
                faults.append(Fault(f"line {number}, column {error.field}", error.code, error.message))
    return CsvStatement(tuple(entries), tuple(faults), skipped)


class _Row(NamedTuple):
    places: Mapping[str, int]
    cells: list[str]
    has_more: bool
    """Than there are headings: its columns have moved."""

    def says(self, column: str | None) -> str:
        """What stands in a column, without the blanks around it; nothing for a row that is too short."""
        place = self.places[_name(column)] if column is not None else len(self.cells)
        return self.cells[place].strip() if place < len(self.cells) else ""


def _decoded(content: bytes, columns: BankColumns) -> str:
    encoding = "utf-8-sig" if columns.encoding == "utf-8" else columns.encoding
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _unreadable(f"it is not written in {columns.encoding}") from error


def _rows(table: Iterator[list[str]], columns: BankColumns) -> Iterator[tuple[int, _Row]]:
    """With the number of each row. Errors of the table itself come out here, whenever they show."""
    try:
        number = headings = 0
        places: Mapping[str, int] | None = None
        for number, cells in enumerate(table, 1):
            if number <= columns.rows_before_heading:
                continue
            if places is None:
                places, headings = _places(cells, columns), len(cells)
            elif any(cell.strip() for cell in cells):
                yield number, _Row(places, cells, has_more=any(cell.strip() for cell in cells[headings:]))
        if places is None:
            raise _unreadable("it has no heading")
    except csv.Error as error:
        raise _unreadable(f"row {number + 1} is not CSV") from error


def _places(heading: list[str], columns: BankColumns) -> Mapping[str, int]:
    found = {_name(cell): place for place, cell in enumerate(heading)}
    missing = sorted({column for column in _named(columns) if _name(column) not in found})
    if missing:
        raise _unreadable(f"it has no column {', '.join(missing)}")
    seen = Counter(_name(cell) for cell in heading)
    twice = sorted({column for column in _named(columns) if seen[_name(column)] > 1})
    if twice:
        raise _unreadable(f"it has two columns {', '.join(twice)}")
    return found


def _named(columns: BankColumns) -> Iterator[str]:
    each = (columns.booked_on, columns.amount, columns.debit, columns.credit, columns.direction, columns.currency)
    yield from (column for column in (*each, *columns.text, columns.reference, columns.id, columns.valued_on) if column)


def _name(column: str) -> str:
    return column.strip().casefold()


def _amount_columns(columns: BankColumns) -> tuple[str, ...]:
    return tuple(column for column in (columns.amount, columns.debit, columns.credit) if column)


def _entry(row: _Row, columns: BankColumns, currency: str | None) -> BankEntry:
    if row.has_more:  # an amount such as 12,50 that was not quoted
        raise Rejected("wrong_columns", "the row has more columns than the heading", field="beyond the last")
    stated = row.says(columns.currency).upper() or currency
    if stated is None:
        raise Rejected("invalid_money", "it says no currency", field=columns.currency)
    if currency is not None and stated != currency:
        raise Rejected("other_currency", f"the account is in {currency}", field=columns.currency)
    purpose, *names = (row.says(column) for column in columns.text)
    reference = row.says(columns.reference)
    return BankEntry(
        booked_on=_day(row, columns.booked_on, columns),
        valued_on=_day(row, columns.valued_on, columns) if row.says(columns.valued_on) else None,
        currency=stated,
        amount=_amount(row, columns, stated),
        purposes=(purpose,) if purpose else (),
        names=tuple(name for name in names if name),
        own_reference=row.says(columns.id) or None,
        references=(reference,) if reference else (),
    )


def _day(row: _Row, column: str | None, columns: BankColumns) -> date:
    try:
        day = datetime.strptime(row.says(column), columns.date_format).replace(tzinfo=UTC).date()
    except ValueError as error:
        raise _no_day(column) from error
    if day.year < _FIRST_YEAR:  # 0026: two digits of a year where four are meant
        raise _no_day(column)
    return day


def _no_day(column: str | None) -> Rejected:
    return Rejected("invalid_time", "what stands there is not a day as the settings have it", field=column)


def _amount(row: _Row, columns: BankColumns, currency: str) -> int:
    if columns.amount is None:
        return _credited(row, columns, currency) - _debited(row, columns, currency)
    amount = _minor(row, columns.amount, columns, currency)
    if columns.direction is None:
        return amount
    direction = row.says(columns.direction)
    if not direction:
        raise Rejected("invalid_money", "it does not say which way the money went", field=columns.direction)
    if direction.casefold() in {word.casefold() for word in columns.debit_words}:
        return -abs(amount)
    if direction.casefold() in {word.casefold() for word in columns.credit_words}:
        return abs(amount)
    raise Rejected("invalid_money", "neither `debit_words` nor `credit_words` has its word", field=columns.direction)


def _debited(row: _Row, columns: BankColumns, currency: str) -> int:
    """Some banks write a minus there, others do not."""
    return abs(_minor(row, columns.debit, columns, currency)) if row.says(columns.debit) else 0


def _credited(row: _Row, columns: BankColumns, currency: str) -> int:
    """A minus there is no habit of any bank's: what was credited is taken back."""
    return _minor(row, columns.credit, columns, currency) if row.says(columns.credit) else 0


def _minor(row: _Row, column: str | None, columns: BankColumns, currency: str) -> int:
    return written_minor_units(row.says(column), currency, decimal_mark=columns.decimal_mark, field=column)


def _unreadable(message: str) -> Rejected:
    return Rejected(
        "unreadable_file", message, field="file", hint="compare the file with the bank's `csv` in the settings"
    )
