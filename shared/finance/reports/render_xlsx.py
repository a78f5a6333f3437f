"""Reports as an Excel workbook: one sheet each, real numbers and dates, text that stays text.

Rows are written as they come (`constant_memory`: through a temporary file), so the size of a sheet is no matter of
memory. Excel keeps fifteen digits of a number; an amount with more of them is written as text rather than changed.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from shared.finance.reports.figures import decimal_of, plain
from shared.finance.reports.render_csv import CURRENCY, TOTAL
from shared.finance.reports.report import Cell, Column, Kind, Language, Report, Row, Text
from shared.kernel.money import currency_exponent

if TYPE_CHECKING:
    from xlsxwriter import Workbook  # type: ignore[import-untyped]
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

MOST_ROWS = 1_048_576
"""Of an Excel sheet; longer reports go on in a further one."""
_MOST_TEXT = 32_767
_MOST_NAME = 31
_MOST_DIGITS = 15
_WIDTHS: Mapping[Kind, int] = {Kind.TEXT: 24, Kind.DAY: 12, Kind.MONEY: 16, Kind.PERCENT: 12, Kind.COUNT: 11}
_RIGHT = (Kind.MONEY, Kind.PERCENT, Kind.COUNT)


def render_xlsx(reports: Sequence[Report], language: Language, *, most_rows: int = MOST_ROWS) -> bytes:
    """The workbook. The same reports give the same bytes: it is dated by the reports' last day.

    `reports`: one at least.
    """
    from xlsxwriter import Workbook  # noqa: PLC0415 - cold start

    out = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = Workbook(out, options)
    created = datetime.combine(max(report.until for report in reports), time(), UTC).replace(tzinfo=None)
    workbook.set_properties({"title": reports[0].title.read(language), "created": created})
    formats = _Formats(workbook)
    taken: set[str] = set()
    for report in reports:
        for part, rows in enumerate(_parts(report, most_rows - 1), 1):
            name = _free_name(report.title.read(language), part, taken)
            _Sheet(workbook.add_worksheet(name), formats, report, language).write(rows)
    workbook.close()
    return out.getvalue()


def _parts(report: Report, most: int) -> Iterator[Iterable[tuple[Row, bool]]]:
    """The rows in portions that a sheet holds, the totals last; each row with whether it is one."""
    rows = iter([*((row, False) for row in report.rows), *((row, True) for row in report.totals)])
    first = True
    while portion := tuple(islice(rows, most)):
        first = False
        yield portion
    if first:
        yield ()


class _Formats:
    """Cell formats, each made once: a workbook holds only so many."""

    def __init__(self, workbook: "Workbook") -> None:
        self._workbook = workbook
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def of(self, kind: Kind | None, currency: str | None, *, bold: bool) -> Any:
        how: dict[str, Any] = {}
        if kind is Kind.MONEY:
            decimals = currency_exponent(currency or "")
            number = "#,##0" + ("." + "0" * decimals if decimals else "")
            how["num_format"] = f"{number};[Red]-{number}"
        elif kind is not None:
            how["num_format"] = {Kind.DAY: "yyyy-mm-dd", Kind.PERCENT: "0.00%", Kind.COUNT: "#,##0"}.get(kind, "@")
        if bold:
            how |= {"bold": True, "top": 1}
        return self._make(how)

    def heading(self, kind: Kind) -> Any:
        align = "right" if kind in _RIGHT else "left"
        how = {"bold": True, "bg_color": "#E8EDF2", "bottom": 1, "text_wrap": True, "valign": "top", "align": align}
        return self._make(how)

    def _make(self, how: dict[str, Any]) -> Any:
        key = tuple(sorted(how.items()))
        if key not in self._made:
            self._made[key] = self._workbook.add_format(how)
        return self._made[key]


class _Sheet:
    def __init__(self, sheet: "Worksheet", formats: _Formats, report: Report, language: Language) -> None:
        self._sheet = sheet
        self._formats = formats
        self._report = report
        self._language = language
        columns = list(report.columns)
        if report.has_currency:
            columns.insert(report.keys, Column("currency", Kind.TEXT, CURRENCY))
        self._columns = columns

    def write(self, rows: Iterable[tuple[Row, bool]]) -> None:
        sheet = self._sheet
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        for place, column in enumerate(self._columns):
            width = 10 if column.key == "currency" else _WIDTHS[column.kind]
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, column.heading.read(self._language), self._formats.heading(column.kind))
        last = last_row = 0
        for last, (row, is_total) in enumerate(rows, 1):
            self._write_row(last, row, is_total=is_total)
            last_row = last_row if is_total else last
        sheet.autofilter(0, 0, max(last_row, 1), len(self._columns) - 1)

    def _write_row(self, number: int, row: Row, *, is_total: bool) -> None:
        cells: list[Cell] = list(row.cells)
        if self._report.has_currency:
            cells.insert(self._report.keys, row.currency)
        if is_total:
            cells[0] = TOTAL
        for place, (column, cell) in enumerate(zip(self._columns, cells, strict=True)):
            self._write_cell((number, place), column.kind, cell, row.currency, bold=is_total)

    def _write_cell(self, at: tuple[int, int], kind: Kind, cell: Cell, currency: str | None, *, bold: bool) -> None:
        sheet, (row, place) = self._sheet, at
        if cell is None:
            sheet.write_blank(row, place, None, self._formats.of(kind, currency, bold=bold))
        elif isinstance(cell, int):
            self._write_number(at, kind, cell, currency, bold=bold)
        elif isinstance(cell, date):
            day = datetime.combine(cell, time())
            sheet.write_datetime(row, place, day, self._formats.of(kind, currency, bold=bold))
        else:
            words = cell.read(self._language) if isinstance(cell, Text) else cell
            sheet.write_string(row, place, words[:_MOST_TEXT], self._formats.of(Kind.TEXT, None, bold=bold))

    def _write_number(self, at: tuple[int, int], kind: Kind, cell: int, currency: str | None, *, bold: bool) -> None:
        row, place = at
        how = self._formats.of(kind, currency, bold=bold)
        if len(str(abs(cell))) > _MOST_DIGITS:
            text = plain(cell, currency or "") if kind is Kind.MONEY else str(cell)
            self._sheet.write_string(row, place, text, self._formats.of(Kind.TEXT, None, bold=bold))
        elif kind is Kind.MONEY:
            self._sheet.write_number(row, place, decimal_of(cell, currency or ""), how)
        elif kind is Kind.PERCENT:
            self._sheet.write_number(row, place, Decimal(cell).scaleb(-4), how)
        else:
            self._sheet.write_number(row, place, cell, how)


def _free_name(title: str, part: int, taken: set[str]) -> str:
    """A sheet's name: at most 31 characters, none of `[]:*?/\\`, no apostrophe at an end, unique whatever the case."""
    clean = "".join(" " if character in "[]:*?/\\" else character for character in title).strip("' ") or "-"
    number = part
    while True:
        mark = f" ({number})" if number > 1 else ""
        name = clean[: _MOST_NAME - len(mark)].rstrip("' ") + mark
        if name.casefold() not in taken:
            taken.add(name.casefold())
            return name
        number += 1
