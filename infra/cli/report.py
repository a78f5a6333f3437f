"""`storebridge report`."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from infra.cli.order_facts import Json
from infra.cli.report_files import destinations, write
from infra.cli.report_period import Period, read_period
from infra.cli.report_tables import listed, reports_shown, written
from infra.cli.target import connected, session
from shared.finance.reports.catalogue import (
    EVERYTHING,
    EXPORTS,
    REPORTS,
    Format,
    make_export,
    make_reports,
    write_reports,
)
from shared.finance.reports.render_json import render_json
from shared.finance.reports.report import Language
from shared.finance.reports.scope import Scope
from shared.kernel.errors import Rejected
from shared.platform.configuration import settings
from shared.wiring.daily_close import report_entries, report_scope
from shared.wiring.finance_tables import finance_table

app = typer.Typer(
    no_args_is_help=True,
    help="Sales, tax, fees, payouts …: as HTML, Excel, CSV or JSON; the journal for other books.",
)


class Form(StrEnum):
    TABLE = "table"
    HTML = "html"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


_FORMATS: Final[Mapping[Form, Format]] = {Form.HTML: "html", Form.XLSX: "xlsx", Form.CSV: "csv", Form.JSON: "json"}


class Tongue(StrEnum):
    EN = "en"
    ZH = "zh"


Since = Annotated[str | None, typer.Option("--from", metavar="DAY", help="The first day.")]
Until = Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day.")]
Month = Annotated[str | None, typer.Option(metavar="MONTH", help="A whole month, such as 2026-11.")]
Day = Annotated[str | None, typer.Option(metavar="DAY", help="One day.")]


@app.command("list", epilog="Example: storebridge report list")
def list_reports(ctx: typer.Context) -> None:
    """The reports and exports that there are."""
    facts: Json = {
        "reports": [
            {"name": name, "title": known.title.en, "about": known.about.en} for name, known in REPORTS.items()
        ],
        "exports": [{"name": name, "about": known.about.en} for name, known in EXPORTS.items()],
    }
    session(ctx).output.show(facts, listed)


@app.command(epilog="Example: storebridge report show sales --month 2026-11 --format html --output november.html")
def show(  # noqa: PLR0913 - each is a word of the command
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="As report list shows it, or all.", show_default=False)],
    *,
    since: Since = None,
    until: Until = None,
    month: Month = None,
    day: Day = None,
    form: Annotated[Form, typer.Option("--format", help="On the terminal, or as a file.")] = Form.TABLE,
    language: Annotated[Tongue | None, typer.Option(help="Left out, that of the notices.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE|DIR", help="Where; left out, the working directory.", show_default=False),
    ] = None,
) -> None:
    """One report, or all of them, of any days: out of the postings, so that they tie out with each other.

    With --json or as a table nothing is written but the answer. CSV is one file for each table.
    """
    period = read_period(since, until, month=month, day=day)
    _require_known("report", name, {**REPORTS, EVERYTHING: None})
    if form is Form.TABLE and output is not None:
        raise typer.BadParameter("a table goes to the terminal: say --format too", param_hint="--output")
    here = connected(ctx)
    with here.output.progress("Reading …"):
        reports = make_reports(name, report_entries(*period), report_scope(*period))
    tongue: Language = language.value if language else settings().notifications.language
    if form is Form.TABLE:
        facts: Json = {"name": name, **_period(period), **_document(render_json(reports))}
        here.output.show(facts, lambda _: reports_shown(reports, tongue))
        return
    files = write_reports(name, reports, _FORMATS[form], language=tongue)
    places = destinations(files, output, several=form is Form.CSV)
    write(places)
    here.output.show({"name": name, **_period(period), "files": [str(place) for place in places]}, written)


def _document(content: bytes) -> Any:
    document = json.loads(content)
    return document if isinstance(document, dict) else {"reports": document}


def _period(period: Period) -> Json:
    return {"from": period.since.isoformat(), "to": period.until.isoformat()}


def _require_known(what: str, name: str, known: Mapping[str, Any]) -> None:
    """Before anything is looked for: the catalogue would only say it at the end."""
    if name not in known:
        hint = f"choose one of {', '.join(known)}"
        raise Rejected(f"unknown_{what}", f"there is no {what} {name[:40]!r}", field="name", hint=hint)


@app.command(epilog="Example: storebridge report export beancount --month 2026-11 --output november.beancount")
def export(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="As report list shows it.", show_default=False)],
    *,
    since: Since = None,
    until: Until = None,
    month: Month = None,
    day: Day = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE|DIR", help="Where; left out, the working directory.", show_default=False),
    ] = None,
) -> None:
    """The journal of any days for another bookkeeping program."""
    period = read_period(since, until, month=month, day=day)
    _require_known("export", name, EXPORTS)
    here = connected(ctx)
    with here.output.progress("Reading …"):
        content = make_export(name, finance_table().entries(*period), Scope(*period), settings().finance.ledger_names)
    file_name = f"{name}-{period.since}-{period.until}.{EXPORTS[name].suffix}"
    places = destinations({file_name: content}, output, several=False)
    write(places)
    here.output.show({"name": name, **_period(period), "files": [str(place) for place in places]}, written)
