"""Reports as one HTML file: no script, nothing loaded from anywhere, readable on paper, on a telephone and in the dark.

Long tables are cut, and say so; their totals are of all rows, and the workbook and CSV files have them all.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from shared.finance.reports.chart_svg import draw, summary, title_of
from shared.finance.reports.figures import read
from shared.finance.reports.one_line import one_line
from shared.finance.reports.render_csv import CURRENCY, TOTAL
from shared.finance.reports.report import Cell, Chart, Kind, Language, Report, Row, Text, Tile

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_ROWS: Final = 400
"""Of one table on the page."""
TAG: Final[Mapping[Language, str]] = {"en": "en", "zh": "zh-Hans"}
_LONG: Final = 24
"""Characters from which on a cell wants a wide column."""
_NUMERIC: Final = (Kind.MONEY, Kind.PERCENT, Kind.COUNT)
_WORDS: Final[Mapping[str, Text]] = {
    "contents": Text("Contents", "目录"),
    "glance": Text("At a glance", "概览"),
    "nothing": Text("Nothing in this period.", "本期无数据。"),
    "total": TOTAL,
    "notes": Text("Notes", "说明"),
    "top": Text("Back to the top", "返回顶部"),
    "footer": Text(
        "Made from the postings of the ledger. Amounts are exact to the minor unit; each currency is for itself.",
        "由账簿分录生成。金额精确到最小货币单位；各币种分别列示。",
    ),
}
_CUT = Text(
    "Shown are the first {shown} of {all} rows; totals are of all rows. The workbook and the CSV file have every row.",
    "仅显示 {all} 行中的前 {shown} 行；合计包含全部行。Excel 与 CSV 文件包含所有行。",
)


def render_html(reports: Sequence[Report], language: Language, *, title: Text, most_rows: int = MOST_ROWS) -> bytes:
    """One self-contained page, UTF-8. The same reports give the same bytes. `reports`: one at least."""
    html = (
        _environment()
        .get_template("page.html.j2")
        .render(
            tag=TAG[language],
            title=title.read(language),
            period=_period(reports),
            style=_ready_made(_style()),
            words={name: text.read(language) for name, text in _WORDS.items()},
            glance=_glance(reports, language) if len(reports) > 1 else [],
            reports=[_section(report, language, most_rows) for report in reports],
        )
    )
    return html.encode()


def _period(reports: Sequence[Report]) -> str:
    since, until = min(report.since for report in reports), max(report.until for report in reports)
    return since.isoformat() if since == until else f"{since.isoformat()} – {until.isoformat()}"


def _glance(reports: Sequence[Report], language: Language) -> list[Mapping[str, Any]]:
    """The first figure of each report that has one, with where to read more."""
    found: list[Mapping[str, Any]] = []
    for report in reports:
        tiles = _tiles(report.tiles, language)
        if tiles:
            found.append({**tiles[0], "name": report.name})
    return found


def _section(report: Report, language: Language, most_rows: int) -> Mapping[str, Any]:
    cut = _CUT.read(language).replace("{shown}", f"{most_rows:,}").replace("{all}", f"{len(report.rows):,}")
    return {
        "name": report.name,
        "title": report.title.read(language),
        "about": report.about.read(language),
        "tiles": _tiles(report.tiles, language),
        "charts": [_chart(chart, language) for chart in report.charts],
        "headings": _headings(report, language),
        "rows": [_cells(report, row, language) for row in report.rows[:most_rows]],
        "totals": [_cells(report, row, language) for row in report.totals],
        "cut": cut if len(report.rows) > most_rows else None,
        "notes": [note.read(language) for note in report.notes],
    }


def _tiles(tiles: Sequence[Tile], language: Language) -> list[Mapping[str, Any]]:
    """Tiles of one label as one, with a figure for each currency."""
    labels: dict[Text, list[str]] = {}
    for tile in tiles:
        code = f"{tile.currency}\N{NO-BREAK SPACE}" if tile.currency else ""
        labels.setdefault(tile.label, []).append(code + read(tile.value, tile.kind, tile.currency))
    return [{"label": label.read(language), "values": values} for label, values in labels.items()]


def _chart(chart: Chart, language: Language) -> Mapping[str, Any]:
    names = [one_line(series.name.read(language)) for series in chart.series]
    return {
        "title": title_of(chart, language),
        "svg": _ready_made(draw(chart, language)),
        "legend": names if len(names) > 1 else [],
        "summary": summary(chart, language),
    }


def _headings(report: Report, language: Language) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = [
        {"words": column.heading.read(language), "numeric": column.kind in _NUMERIC} for column in report.columns
    ]
    if report.has_currency:
        found.insert(report.keys, {"words": CURRENCY.read(language), "numeric": False})
    return found


def _cells(report: Report, row: Row, language: Language) -> list[Mapping[str, Any]]:
    found = [
        _cell(column.kind, cell, row.currency, language) for column, cell in zip(report.columns, row.cells, strict=True)
    ]
    if report.has_currency:
        found.insert(report.keys, {"words": row.currency or "", "style": ""})
    return found


def _cell(kind: Kind, cell: Cell, currency: str | None, language: Language) -> Mapping[str, Any]:
    if isinstance(cell, int):
        style = "num neg" if cell < 0 else "num" if cell else "num zero"
        return {"words": read(cell, kind, currency), "style": style}
    if isinstance(cell, date):
        return {"words": cell.isoformat(), "style": "day"}
    words = cell.read(language) if isinstance(cell, Text) else cell or ""
    return {"words": one_line(words), "style": _style_of_words(kind, cell, len(words))}


def _style_of_words(kind: Kind, cell: Cell, length: int) -> str:
    if kind in _NUMERIC:
        return "num"
    if isinstance(cell, Text) and not cell.code:
        return "soft"
    return "long" if length > _LONG else ""


def _ready_made(text: str) -> Any:
    """Text of our own that goes into HTML as it is: the style sheet, and pictures whose words are escaped."""
    from markupsafe import Markup  # noqa: PLC0415 - cold start

    return Markup(text)  # noqa: S704 # nosec B704 - made here


@cache
def _style() -> str:
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - cold start

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
