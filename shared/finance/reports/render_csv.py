"""One report as a CSV file for spreadsheets. Pure.

UTF-8 with a byte order mark, without which Excel misreads Chinese; amounts are decimal numbers with a point, days are
ISO 8601. Text is guarded against running as a formula.
"""

import csv
import io
from datetime import date

from shared.finance.reports.figures import percent_plain, plain
from shared.finance.reports.report import Cell, Kind, Language, Report, Row, Text
from shared.kernel.spreadsheet_text import guarded

CURRENCY = Text("Currency", "币种")
TOTAL = Text("Total", "合计")


def render_csv(report: Report, language: Language) -> bytes:
    """Heading, rows, and the totals of each currency. The same report gives the same bytes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    headings = [column.heading.read(language) for column in report.columns]
    if report.has_currency:
        headings.insert(report.keys, CURRENCY.read(language))
    writer.writerow([guarded(heading) for heading in headings])
    for row in report.rows:
        writer.writerow(_cells(report, row, language))
    for row in report.totals:
        cells = _cells(report, row, language)
        cells[0] = TOTAL.read(language)
        writer.writerow(cells)
    return out.getvalue().encode("utf-8-sig")


def _cells(report: Report, row: Row, language: Language) -> list[str]:
    cells = [
        _cell(column.kind, cell, row.currency, language) for column, cell in zip(report.columns, row.cells, strict=True)
    ]
    if report.has_currency:
        cells.insert(report.keys, row.currency or "")
    return cells


def _cell(kind: Kind, cell: Cell, currency: str | None, language: Language) -> str:
    if isinstance(cell, int):
        if kind is Kind.MONEY:
            return plain(cell, currency or "")
        return percent_plain(cell) if kind is Kind.PERCENT else str(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    return guarded(cell.read(language) if isinstance(cell, Text) else cell or "")
