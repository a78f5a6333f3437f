"""Stocktakes as CSV files: the sheet that counters fill in, what they send back, the catalogue, the result. Pure.

Files are read as UTF-8, with or without a byte order mark, separated by commas or semicolons, and are taken whole or
not at all. In files that we write, a text cell that a spreadsheet would run as a formula gets an apostrophe in front;
reading takes it away again. Numbers are written as numbers.
"""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from shared.inventory.stocktake import (
    Review,
    ReviewedLine,
    StocktakeLine,
    require_revealed,
)
from shared.inventory.stocktake_scope import CatalogueEntry
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected
from shared.kernel.money import Money
from shared.kernel.spreadsheet_text import APOSTROPHE, guarded, is_risky

Cell = str | int | Decimal | None
_T = TypeVar("_T")

_MOST_UNITS = 10**9
_MOST_FAULTS = 20
_MOST_BYTES = 20_000_000
_UNITS = re.compile(r"[0-9]{1,10}")
_ZONED = re.compile(r"(?:[Zz]|[+-]\d\d:?\d\d)$")


@dataclass(frozen=True)
class CountRow:
    """One filled-in row. `row` is the line of the file, the header being 1."""

    row: int
    sku: str
    counted: int
    counter: str | None
    counted_at: datetime | None
    source: str
    """The file's digest and the row: the same row of the same file is one count, however often it is sent."""


@dataclass(frozen=True)
class Fault:
    row: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}: {self.message}"


def refuse(faults: Sequence[Fault]) -> None:
    """Raise `Rejected` with code `invalid_rows` for all faults at once, unless there are none."""
    if not faults:
        return
    told = "; ".join(str(fault) for fault in faults[:_MOST_FAULTS])
    more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
    hint = "nothing of the file was taken in; mend the rows and send it again"
    raise Rejected("invalid_rows", told + more, field=faults[0].column, hint=hint)


def read_counts(content: bytes) -> tuple[CountRow, ...]:
    """Read what counters filled in. Rows without a number are not counted, which is not the same as zero.

    Raises:
        Rejected: `unreadable_csv`, or `invalid_rows` with every fault by row and column.
    """
    digest = hashlib.sha256(content).hexdigest()[:16]
    columns = _Columns(required=("sku", "counted"), optional=("zone", "counter", "counted_at", "note"))
    rows: list[CountRow] = []
    faults: list[Fault] = []
    for number, cells in columns.rows(content):
        if not cells["counted"]:
            continue
        reader = _Cells(number, cells, faults)
        counted = reader.read("counted", _units)
        moment = reader.read("counted_at", _moment) if cells.get("counted_at") else None
        sku = reader.read("sku", read_sku)
        counter = reader.read("counter", _person) if cells.get("counter") else None
        if sku is not None and counted is not None:
            rows.append(CountRow(number, sku, counted, counter, moment, f"{digest}/{number}"))
    faults += _repeated((row.row, row.sku) for row in rows)
    refuse(sorted(faults, key=lambda fault: fault.row))
    return tuple(rows)


def dated(rows: Iterable[CountRow], at: datetime | None) -> tuple[CountRow, ...]:
    """The same rows, those without a time at `at`: the book is looked up at that time, so somebody has to say.

    Raises:
        Rejected: `invalid_rows`, when there is no `at` either.
    """
    found = tuple(replace(row, counted_at=row.counted_at or at) for row in rows)
    missing = "no time: fill it in, or say for all rows when they were counted (--at TIME, --now)"
    refuse([Fault(row.row, "counted_at", missing) for row in found if row.counted_at is None])
    return found


def read_catalogue(content: bytes, currency: str | None) -> dict[str, CatalogueEntry]:
    """Read zones, unit costs and units moved by SKU. Costs are decimal numbers of `currency`.

    Raises:
        Rejected: `unreadable_csv`, or `invalid_rows` with every fault by row and column.
    """
    columns = _Columns(required=("sku",), optional=("zone", "unit_cost", "moved"))
    found: dict[str, CatalogueEntry] = {}
    faults: list[Fault] = []
    seen: list[tuple[int, str]] = []
    for number, cells in columns.rows(content):
        reader = _Cells(number, cells, faults)
        sku = reader.read("sku", read_sku)
        cost = reader.read("unit_cost", lambda text: _cost(text, currency)) if cells.get("unit_cost") else None
        moved = reader.read("moved", _units) if cells.get("moved") else None
        if sku is not None:
            seen.append((number, sku))
            found[sku] = CatalogueEntry(zone=cells.get("zone") or None, unit_cost=cost, moved=moved)
    faults += _repeated(seen)
    refuse(sorted(faults, key=lambda fault: fault.row))
    return found


def sheet(lines: Iterable[StocktakeLine]) -> bytes:
    """The sheet to fill in, by zone and SKU. It does not say what the book expects."""
    ordered = sorted(lines, key=lambda line: (line.zone or "", line.sku))
    return write(
        ("sku", "zone", "counted", "counter", "counted_at"), ((line.sku, line.zone, "", "", "") for line in ordered)
    )


RESULT_COLUMNS = (
    "sku", "zone", "found", "standing", "counts", "counter", "counted_at", "counted", "book", "variance", "unit_cost",
    "value", "currency", "outcome",
)  # fmt: skip


def result(found: Review) -> bytes:
    """Every line with what stands and what it is worth; uncounted lines are listed as such, without numbers.

    Raises:
        Rejected: `blind_count`, while people still count.
    """
    require_revealed(found.session)
    return write(RESULT_COLUMNS, map(_result_row, found.lines))


def _result_row(reviewed: ReviewedLine) -> tuple[Cell, ...]:
    line, count = reviewed.line, reviewed.verdict.deciding
    counters = " / ".join(entry.counter for entry in line.counts)
    money = (
        line.unit_cost.decimal if line.unit_cost else None,
        reviewed.value.decimal if reviewed.value is not None else None,
        line.unit_cost.currency if line.unit_cost else None,
    )
    figures: tuple[Cell, ...] = (None, None, None, None)
    if count is not None:
        figures = (count.counted_at.isoformat(), count.counted, count.book, count.variance)
    return (
        line.sku,
        line.zone,
        "yes" if line.found else "",
        reviewed.verdict.standing.value,
        len(line.counts),
        counters,
        *figures,
        *money,
        line.outcome.value if line.outcome else None,
    )


def write(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A file that spreadsheets open as it is: byte order mark, commas, CRLF, no cell that runs."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return guarded(value)


def _plain(cell: str) -> str:
    """What was in the cell before we put an apostrophe in front."""
    text = cell.strip(" ")
    return text[1:] if text.startswith(APOSTROPHE) and is_risky(text[1:]) else text


@dataclass(frozen=True)
class _Columns:
    required: tuple[str, ...]
    optional: tuple[str, ...]

    def rows(self, content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
        """The rows by column name, each with its line number; empty rows are left out."""
        reader = csv.reader(io.StringIO(_text(content), newline=""), delimiter=_delimiter(content), strict=True)
        try:
            names = self._names(next(reader, []))
            start = reader.line_num + 1
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    if len(cells) > len(names):
                        refuse([Fault(start, "row", f"{len(cells)} cells, but {len(names)} columns")])
                    padded = [*cells, *[""] * (len(names) - len(cells))]
                    yield start, {name: _plain(cell) for name, cell in zip(names, padded, strict=True)}
                start = reader.line_num + 1
        except csv.Error as error:
            raise _unreadable(f"line {reader.line_num} is not CSV") from error

    def _names(self, header: list[str]) -> list[str]:
        names = [name.strip().lower() for name in header]
        missing = [name for name in self.required if name not in names]
        unknown = [name for name in names if name not in (*self.required, *self.optional)]
        if missing or unknown or len(set(names)) < len(names):
            known = ", ".join((*self.required, *self.optional))
            wrong = f"no column {', '.join(missing)}" if missing else "a column that is unknown or there twice"
            raise Rejected("unreadable_csv", f"the first line has {wrong}", field="header", hint=f"columns: {known}")
        return names


def _text(content: bytes) -> str:
    if len(content) > _MOST_BYTES:
        raise _unreadable(f"it is larger than {_MOST_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(f"byte {error.start} is not UTF-8") from error
    if "\0" in text:
        raise _unreadable("it holds a null character")
    return text


def _delimiter(content: bytes) -> str:
    header = content.partition(b"\n")[0]
    return ";" if header.count(b";") > header.count(b",") else ","


def _unreadable(why: str) -> Rejected:
    return Rejected("unreadable_csv", f"the file cannot be read: {why}", field="file", hint="save it as CSV in UTF-8")


class _Cells:
    """Reads one row's cells and notes the faults. Messages do not repeat what a cell holds."""

    def __init__(self, row: int, cells: Mapping[str, str], faults: list[Fault]) -> None:
        self._row = row
        self._cells = cells
        self._faults = faults

    def read(self, column: str, how: Callable[[str], _T]) -> _T | None:
        try:
            return how(self._cells[column])
        except Rejected as error:
            self._faults.append(Fault(self._row, column, error.message))
            return None


def _repeated(rows: Iterable[tuple[int, str]]) -> list[Fault]:
    first: dict[str, int] = {}
    return [
        Fault(row, "sku", f"the SKU is in row {first[sku]} already: add the two up")
        for row, sku in rows
        if first.setdefault(sku, row) != row
    ]


def read_sku(text: str) -> str:
    """A SKU as people may type it, or `Rejected` with code `invalid_sku`."""
    if not 1 <= len(text) <= 200 or not text.isprintable():  # noqa: PLR2004 - as in shared.inventory.models.Sku
        raise Rejected("invalid_sku", "not a SKU of 1 to 200 printable characters", field="sku")
    return text


def _person(text: str) -> str:
    if len(text) > 100 or not text.isprintable():  # noqa: PLR2004 - as in shared.inventory.stocktake.Person
        raise Rejected("invalid_counter", "not a name of 1 to 100 printable characters")
    return text


def _units(text: str) -> int:
    if not _UNITS.fullmatch(text) or int(text) > _MOST_UNITS:
        raise Rejected("invalid_units", "not a whole number of units")
    return int(text)


def _moment(text: str) -> datetime:
    if not _ZONED.search(text):
        raise Rejected("invalid_time", "the time has no zone: write 2026-11-23T09:02:09Z or …+08:00")
    try:
        return parse_time(text)
    except Rejected as error:
        raise Rejected("invalid_time", "not a time such as 2026-11-23T09:02:09Z") from error


def _cost(text: str, currency: str | None) -> Money:
    if currency is None:
        raise Rejected("no_currency", "a unit cost, but the stocktake has no currency")
    try:
        amount = Money.parse(text, currency)
    except Rejected as error:
        raise Rejected("invalid_cost", "not a decimal number such as 12.50") from error
    if amount.minor < 0:
        raise Rejected("invalid_cost", "a unit cost is not negative")
    return amount
