"""`storebridge money`: files of providers and banks, and what goods cost."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.cost_prices import read_costs
from infra.cli.money_facts import amount, import_facts
from infra.cli.money_options import By, DryRun, read_file
from infra.cli.money_tables import costs_kept, costs_listed, imported
from infra.cli.order_facts import Json
from infra.cli.target import actor, connected
from shared.finance.recording import record
from shared.finance.window import judged_since
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.platform.configuration import settings
from shared.wiring.finance_rehearsal import RehearsedFinanceTable
from shared.wiring.finance_tables import finance_table
from shared.wiring.order_desk import retry_conflicts
from shared.wiring.payment_files import GivenFile, take_in_for_account, take_in_for_bank

app = typer.Typer()


@app.command("import", epilog="Example: storebridge money import 2026-11.csv --account stripe-eu")
def import_files(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="As the provider or bank made them.")],
    *,
    account: Annotated[str | None, typer.Option(help="The payment account that they are of.")] = None,
    bank: Annotated[str | None, typer.Option(help="The bank account that they are of.")] = None,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Take in files that a payment provider or a bank made: any file, in any order, any number of times.

    What kind of file it is, it says itself. A file that cannot be read in parts ends with 1 and is kept in all others.
    """
    if (account is None) == (bank is None):
        raise typer.BadParameter("say whose files they are: --account NAME or --bank NAME")
    here = connected(ctx)
    if account is not None:
        settings().payment_account(account)
    else:
        settings().bank(bank or "")
    who, told = actor(by), []
    with here.output.progress("Taking in …") as progress:
        for number, file in enumerate(files, start=1):
            progress.update(f"Taking in … {file.name}, {number} of {len(files)}")
            told.append(_take_in(file, account, bank, who, dry_run=dry_run))
    here.output.show({"dry_run": dry_run, "by": who, "files": told}, imported)
    if any(one["error"] or one["faults_in_all"] for one in told):
        raise typer.Exit(1)


def _take_in(file: Path, account: str | None, bank: str | None, who: str, *, dry_run: bool) -> Json:
    """What came of one file. One that is refused stops no other."""
    try:
        given = GivenFile(file.name, read_file(file))
        if account is not None:
            report = take_in_for_account(given, account, actor=who, dry_run=dry_run)
        else:
            report = take_in_for_bank(given, bank or "", actor=who, dry_run=dry_run)
        rules = settings().finance
        return import_facts(report, judged_since(utc_now(), rules.look_back_days, rules.zone))
    except Rejected as error:
        told = {"error": error.code, "field": error.field, "message": error.message, "hint": error.hint}
        nothing = dict.fromkeys(("read", "new", "changed", "same", "restated_in_all", "faults_in_all", "skipped"), 0)
        unknown = {"kind": None, "account": account or bank, "sha256": None, "last_at": None, "reconcile_since": None}
        return {"file": file.name, **unknown, **nothing, "restated": [], "faults": [], "error": told}


@app.command(epilog="Example: storebridge money costs costs.csv")
def costs(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="CSV with sku, currency, cost, since.", show_default=False)
    ] = None,
    *,
    sku: Annotated[str | None, typer.Option(help="Show what is known of this SKU.")] = None,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """What a unit costs, and since when: the gross margin is made of it. All rows of a file are taken in, or none."""
    if (file is None) == (sku is None):
        raise typer.BadParameter("give a file to take in, or --sku SKU to look at")
    here = connected(ctx)
    if file is None:
        known = finance_table().costs([sku or ""]).get(sku or "", ())
        prices = [
            {"sku": one.sku, "cost": amount(one.minor, one.currency), "since": one.since.isoformat()} for one in known
        ]
        here.output.show({"costs": prices}, costs_listed)
        return
    content = read_file(file)
    read = read_costs(content)
    book, who = RehearsedFinanceTable() if dry_run else finance_table(), actor(by)
    with here.output.progress("Taking in …"):
        changed = book.keep_costs(read)
        detail = {"read": str(len(read)), "changed": str(changed)}
        act = (who, "costs.imported", hashlib.sha256(content).hexdigest())
        record(book, utc_now, retry_conflicts, act, detail)
    here.output.show({"dry_run": dry_run, "by": who, "read": len(read), "changed": changed}, costs_kept)
