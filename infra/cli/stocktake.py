"""`storebridge stocktake`."""

import secrets
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from infra.cli.stocktake_facts import (
    line_facts,
    listed,
    posted,
    posting_facts,
    recorded,
    review_facts,
    reviewed,
    session_facts,
    sheet_shown,
    told,
    waiting,
)
from infra.cli.stocktake_rehearsal import RehearsedBook
from infra.cli.target import ACTOR_VARIABLE, Session, actor, connected
from shared.inventory import stocktakes
from shared.inventory.stocktake import ApprovalLimit, Standing, StocktakeLine, Tolerance, review
from shared.inventory.stocktake_csv import dated, read_catalogue, read_counts, read_sku, result, sheet
from shared.inventory.stocktake_posting import post as post_stocktake
from shared.inventory.stocktake_scope import (
    AbcScope,
    AllScope,
    Catalogue,
    PrefixScope,
    RandomScope,
    Scope,
    SkuScope,
    ZoneScope,
)
from shared.inventory.stocktakes import Entry, Plan, StocktakeBook, StocktakeDesk
from shared.kernel.clock import parse_time, utc_now
from shared.kernel.errors import Rejected
from shared.kernel.model import faults_of
from shared.kernel.money import Money
from shared.platform.configuration import settings
from shared.wiring.level_tables import movement_table
from shared.wiring.order_desk import retry_conflicts
from shared.wiring.tables import stock_table, stocktake_table

app = typer.Typer(no_args_is_help=True, help="Count the shelves while selling goes on.")

Id = Annotated[str, typer.Argument(metavar="ID", help="As stocktake list shows it.", show_default=False)]
By = Annotated[str | None, typer.Option(help=f"Who does it [{ACTOR_VARIABLE}, or your user name].")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and change nothing.")]
Found = Annotated[bool, typer.Option("--found", help="I am sure of a SKU that is not on the sheet.")]
_MOST_UNITS = 10**9
_MOST_NAME = 100


def _desk(*, dry_run: bool = False) -> StocktakeDesk:
    book: StocktakeBook = RehearsedBook(stocktake_table()) if dry_run else stocktake_table()
    return StocktakeDesk(book, stock_table(), movement_table(), utc_now, retry_conflicts)


def _who(by: str | None) -> str:
    name = actor(by).strip()
    if not 1 <= len(name) <= _MOST_NAME:
        raise Rejected("invalid_name", f"a name has 1 to {_MOST_NAME} characters", field="by")
    return name


@app.command("list", epilog="Example: storebridge stocktake list")
def list_stocktakes(ctx: typer.Context) -> None:
    """Every stocktake, and how far it has come."""
    here = connected(ctx)
    here.output.show({"stocktakes": [session_facts(session) for session in stocktake_table().sessions()]}, listed)


@app.command("open", epilog="Example: storebridge stocktake open main --abc A --catalogue costs.csv --currency EUR")
def open_session(  # noqa: PLR0913 - each is a word of the command
    ctx: typer.Context,
    location: Annotated[str, typer.Argument(help="As it is called in the settings.", show_default=False)],
    *,
    prefix: Annotated[str | None, typer.Option(help="Only SKUs that begin so.")] = None,
    zone: Annotated[str | None, typer.Option(help="Only SKUs of this zone (--catalogue).")] = None,
    sku: Annotated[list[str] | None, typer.Option(help="Only this SKU; may be given many times.")] = None,
    abc: Annotated[str | None, typer.Option(help="Only this class: A, B or C (--catalogue).")] = None,
    abc_by: Annotated[str, typer.Option(help="Classes by value moved, or by rate of movement.")] = "value",
    sample: Annotated[int | None, typer.Option(min=1, max=10**6, help="Only so many, at random.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Draw the same sample again.")] = None,
    catalogue: Annotated[
        Path | None, typer.Option(help="CSV with sku and any of zone, unit_cost, moved.", show_default=False)
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Of unit costs and limits: EUR.")] = None,
    tolerance_units: Annotated[int, typer.Option(min=0, help="Off by more: another person counts again.")] = 0,
    tolerance_percent: Annotated[str | None, typer.Option(help="The same, in percent of the book.")] = None,
    tolerance_value: Annotated[str | None, typer.Option(help="The same, in value.")] = None,
    approval_units: Annotated[int, typer.Option(min=0, help="Off by more in all: who counted cannot approve.")] = 10,
    approval_value: Annotated[str | None, typer.Option(help="The same, in value.")] = None,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Open a stocktake of a location: of all it keeps, or of what the options choose."""
    here = connected(ctx)
    _check_location(location)
    known = read_catalogue(_read(catalogue), currency) if catalogue else {}
    plan = _plan(
        location,
        _scope({"prefix": prefix, "zone": zone, "skus": sku or None, "abc": abc, "sample": sample}, abc_by, seed),
        known,
        currency,
        {"units": tolerance_units, "percent": _percent(tolerance_percent), "value": _limit(tolerance_value, currency)},
        {"units": approval_units, "value": _limit(approval_value, currency)},
    )
    session, lines = stocktakes.open_stocktake(_desk(dry_run=dry_run), plan, actor=_who(by))
    facts = {"dry_run": dry_run, "stocktake": session_facts(session), "skus": [line.sku for line in lines]}
    here.output.show(facts, lambda shown: [*told(shown), f"{len(shown['skus'])} SKUs to count"])


def _check_location(location: str) -> None:
    known = settings().locations
    if location not in known:
        hint = f"known: {', '.join(sorted(known))}"
        message = f"the settings name no location {location!r}"
        raise Rejected("unknown_location", message, field="location", hint=hint)


def _scope(given: dict[str, Any], abc_by: str, seed: int | None) -> Scope:
    chosen = [name for name, value in given.items() if value is not None]
    if len(chosen) > 1:
        raise typer.BadParameter(f"choose one way: {' or '.join(chosen)}", param_hint=f"--{chosen[1]}")
    if not chosen:
        return AllScope()
    value = given[chosen[0]]
    try:
        return _scope_of(chosen[0], value, abc_by, secrets.randbits(32) if seed is None else seed)
    except ValidationError as error:
        raise Rejected("invalid_scope", _first(error), field=chosen[0]) from error


def _scope_of(name: str, value: Any, abc_by: str, seed: int) -> Scope:
    match name:
        case "prefix":
            return PrefixScope(prefix=value)
        case "zone":
            return ZoneScope(zone=value)
        case "skus":
            return SkuScope(skus=tuple(value))
        case "abc":
            return AbcScope.model_validate({"abc_class": value.upper(), "by": abc_by})
        case _:
            return RandomScope(size=value, seed=seed)


def _plan(
    location: str,
    scope: Scope,
    known: Catalogue,
    currency: str | None,
    tolerance: dict[str, Any],
    approval: dict[str, Any],
) -> Plan:
    try:
        limits = Tolerance(**tolerance), ApprovalLimit(**approval)
    except ValidationError as error:
        raise Rejected("invalid_limit", _first(error), field="tolerance") from error
    return Plan(location, scope, known, *limits, currency)


def _first(error: ValidationError) -> str:
    fault = faults_of(error)[0]
    return f"{fault.field.rpartition('.')[2]}: {fault.message}"


def _percent(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation as error:
        raise Rejected("invalid_limit", "not a percentage such as 2.5", field="tolerance_percent") from error


def _limit(text: str | None, currency: str | None) -> Money | None:
    if text is None:
        return None
    if currency is None:
        raise Rejected("no_currency", "a limit in value needs a currency", field="currency", hint="--currency EUR")
    try:
        return Money.parse(text, currency)
    except ValidationError as error:
        raise Rejected("invalid_limit", _first(error), field="currency") from error


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Rejected("unreadable_file", f"{file} cannot be read: {error.strerror}", field="file") from error


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Rejected("unwritable_file", f"{file} cannot be written: {error.strerror}", field="file") from error


@app.command("sheet", epilog="Example: storebridge stocktake sheet main-20261123-090209-118 --out sheet.csv")
def print_sheet(
    ctx: typer.Context,
    stocktake: Id,
    out: Annotated[Path | None, typer.Option(help="Write it as CSV, to be filled in.", show_default=False)] = None,
) -> None:
    """The sheet for counters: what to count and where, and nothing of what the book expects."""
    here = connected(ctx)
    found = stocktakes.review_stocktake(_desk(), stocktake)
    if out:
        _write(out, sheet(reviewed.line for reviewed in found.lines))
    facts = {
        "stocktake": found.session.id,
        "file": str(out) if out else None,
        "lines": [{"sku": each.line.sku, "zone": each.line.zone} for each in found.lines],
    }
    here.output.show(facts, sheet_shown)


@app.command(epilog="Example: storebridge stocktake count main-20261123-090209-118 MUG-BLUE 38 --by mia")
def count(  # noqa: PLR0913 - each is a word of the command
    ctx: typer.Context,
    stocktake: Id,
    sku: Annotated[str, typer.Argument(show_default=False)],
    counted: Annotated[int, typer.Argument(min=0, max=_MOST_UNITS, help="Units on the shelf.", show_default=False)],
    *,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When; left out, it is now.")] = None,
    found: Found = False,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Enter what was counted; for a second or third count, by another person."""
    here = connected(ctx)
    entry = Entry(read_sku(sku), counted, _who(by), _moment(at), found)
    desk = _desk(dry_run=dry_run)
    _show_recorded(here, desk, stocktake, [stocktakes.count(desk, stocktake, entry)], dry_run=dry_run)


def _moment(text: str | None) -> datetime | None:
    return parse_time(text, field="at") if text else None


@app.command("import", epilog="Example: storebridge stocktake import main-20261123-090209-118 sheet.csv --by mia")
def import_sheet(  # noqa: PLR0913 - each is a word of the command
    ctx: typer.Context,
    stocktake: Id,
    file: Annotated[Path, typer.Argument(help="CSV with sku, counted, counter, counted_at.", show_default=False)],
    *,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When, for rows that do not say.")] = None,
    now: Annotated[bool, typer.Option("--now", help="Rows that do not say were counted this minute.")] = False,
    found: Found = False,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Take in a filled-in sheet: all of it, or nothing. Empty rows are not counted, which is not zero."""
    here = connected(ctx)
    rows = read_counts(_read(file))
    if not now:
        rows = dated(rows, _moment(at))
    desk = _desk(dry_run=dry_run)
    with here.output.progress("Taking in …"):
        lines = stocktakes.import_counts(desk, stocktake, rows, counter=_who(by), confirm_found=found)
    _show_recorded(here, desk, stocktake, lines, dry_run=dry_run)


def _show_recorded(
    here: Session, desk: StocktakeDesk, stocktake: str, lines: list[StocktakeLine], *, dry_run: bool
) -> None:
    session = stocktakes.read_session(desk, stocktake)
    facts = {
        "dry_run": dry_run,
        "stocktake": session_facts(session),
        "lines": [line_facts(line, blind=True) for line in review(session, lines).lines],
    }
    here.output.show(facts, recorded)


@app.command(epilog="Example: storebridge stocktake show main-20261123-090209-118 --csv result.csv")
def show(
    ctx: typer.Context,
    stocktake: Id,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the result as CSV.", show_default=False)] = None,
) -> None:
    """Where every line stands; with the book and the variances, once counting is over."""
    here = connected(ctx)
    found = stocktakes.review_stocktake(_desk(), stocktake)
    if csv:
        _write(csv, result(found))
    here.output.show(review_facts(found), reviewed)


@app.command(epilog="Example: storebridge stocktake recounts main-20261123-090209-118")
def recounts(ctx: typer.Context, stocktake: Id) -> None:
    """What another person is to count, and who has counted it so far."""
    here = connected(ctx)
    found = stocktakes.review_stocktake(_desk(), stocktake)
    lines = [line_facts(line, blind=True) for line in found.standing(Standing.RECOUNT)]
    here.output.show({"stocktake": found.session.id, "recounts": lines}, waiting)


@app.command(epilog="Example: storebridge stocktake close main-20261123-090209-118")
def close(
    ctx: typer.Context,
    stocktake: Id,
    leave_open: Annotated[
        bool, typer.Option("--leave-open", help="Lines that wait for another count stay as they are.")
    ] = False,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """End the counting. From here on the variances are shown, and nothing more is counted."""
    here = connected(ctx)
    found = stocktakes.close_counting(_desk(dry_run=dry_run), stocktake, actor=_who(by), leave_open=leave_open)
    facts = review_facts(found)
    if dry_run:  # it is not closed, and so whoever asks may still have to count
        facts |= {"blind": True, "net_value": None, "needs_another_approver": None}
        facts["lines"] = [line_facts(line, blind=True) for line in found.lines]
    here.output.show({"dry_run": dry_run, **facts}, reviewed)


@app.command(epilog="Example: storebridge stocktake approve main-20261123-090209-118 --by eli")
def approve(ctx: typer.Context, stocktake: Id, by: By = None, dry_run: DryRun = False) -> None:
    """Approve the variances as they are now; above the limit, by somebody who counted nothing."""
    here = connected(ctx)
    found = stocktakes.approve(_desk(dry_run=dry_run), stocktake, actor=_who(by))
    here.output.show({"dry_run": dry_run, **review_facts(found)}, reviewed)


@app.command(epilog="Example: storebridge stocktake post main-20261123-090209-118")
def post(
    ctx: typer.Context,
    stocktake: Id,
    leave_refused: Annotated[
        bool, typer.Option("--leave-refused", help="Finish without the lines that would break promises to orders.")
    ] = False,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Put the variances into the stock, each line once. If it is interrupted, call it again."""
    here = connected(ctx)
    with here.output.progress("Posting …"):
        done = post_stocktake(_desk(dry_run=dry_run), stocktake, actor=_who(by), leave_refused=leave_refused)
    here.output.show({"dry_run": dry_run, **posting_facts(done)}, posted)
    if done.refused:
        raise typer.Exit(1)


@app.command(epilog="Example: storebridge stocktake cancel main-20261123-090209-118")
def cancel(ctx: typer.Context, stocktake: Id, by: By = None, dry_run: DryRun = False) -> None:
    """Give a stocktake up. Its counts are kept, and the stock stays as it is."""
    here = connected(ctx)
    session = stocktakes.cancel(_desk(dry_run=dry_run), stocktake, actor=_who(by))
    here.output.show({"dry_run": dry_run, "stocktake": session_facts(session)}, told)
