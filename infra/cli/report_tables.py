"""The answers of `storebridge report`, as people read them."""

from collections.abc import Iterable, Iterator
from datetime import date

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text as RichText

from infra.cli.order_facts import Json
from infra.cli.output import cell, printable, table
from shared.finance.reports.figures import read
from shared.finance.reports.render_csv import CURRENCY, TOTAL
from shared.finance.reports.report import Cell, Column, Language, Report, Row, Text


def listed(facts: Json) -> Iterator[RenderableType]:
    yield table("report", "", "", rows=[(one["name"], one["title"], one["about"]) for one in facts["reports"]])
    yield table("export", "", rows=[(one["name"], one["about"]) for one in facts["exports"]])
    yield "storebridge report show NAME --month 2026-11   or   storebridge report export NAME --month 2026-11"


def written(facts: Json) -> Iterator[RenderableType]:
    yield table("written", rows=[(file,) for file in facts["files"]])


def reports_shown(reports: Iterable[Report], language: Language) -> Iterator[RenderableType]:
    """Each report as a table, totals last."""
    for report in reports:
        yield RichText(printable(f"{report.title.read(language)}  {report.since} – {report.until}"), style="bold")
        yield _table(report, language) if report.rows else RichText("–", style="dim")
        yield from (RichText(printable(note.read(language)), style="dim") for note in report.notes)
        yield ""


def _table(report: Report, language: Language) -> Table:
    made = Table()
    headings = [(column.heading.read(language), "left" if column.is_key else "right") for column in report.columns]
    if report.has_currency:
        headings.insert(report.keys, (CURRENCY.read(language), "left"))
    for heading, side in headings:
        made.add_column(RichText(printable(heading)), justify="right" if side == "right" else "left")
    for row in report.rows:
        made.add_row(*map(cell, _cells(report, row, language)))
    for row in report.totals:
        made.add_row(*map(cell, [TOTAL.read(language), *_cells(report, row, language)[1:]]), style="bold")
    return made


def _cells(report: Report, row: Row, language: Language) -> list[str]:
    cells = [
        _text(column, value, row.currency, language) for column, value in zip(report.columns, row.cells, strict=True)
    ]
    if report.has_currency:
        cells.insert(report.keys, row.currency or "")
    return cells


def _text(column: Column, value: Cell, currency: str | None, language: Language) -> str:
    if isinstance(value, Text):
        return value.read(language)
    if isinstance(value, int):
        return read(value, column.kind, currency).replace("\N{NO-BREAK SPACE}", " ")
    return value.isoformat() if isinstance(value, date) else value or ""
