"""`python -m infra.bench.finance`: a month with planted faults is reconciled, and the result held against the truth.

Status 1 when a target is missed, times and memory of this machine included.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from infra.bench.finance_month import FULL
from infra.bench.finance_run import Measured
from infra.bench.finance_score import Score
from infra.bench.target import Target

WRONG_MATCHES: Final = 0
NOT_FOUND_PERCENT: Final = 0.5
NOT_NAMED_PERCENT: Final = 3.0
FALSE_IN_TEN_THOUSAND: Final = 5.0
SECONDS: Final = 10.0
MEGABYTES: Final = 512.0
_SHOWN: Final = 10


def bench(
    seed: Annotated[int, typer.Option(help="The month: the same again from the same seed.")] = 1,
    orders: Annotated[int, typer.Option(min=200, help="Orders of the month.")] = FULL,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document in place of tables.")] = False,
) -> None:
    """Reconcile a made-up month with planted faults: wrong matches, faults found and named, false exceptions, cost."""
    measured = run(seed, orders)
    if as_json:
        typer.echo(json.dumps(as_document(seed, measured), indent=2))
    else:
        show(seed, measured, Console())
    if not all(target.met for target in targets(measured)):
        raise typer.Exit(1)


def run(seed: int, orders: int) -> Measured:
    """Measure in a fresh process: whatever this one has loaded does not count."""
    done = subprocess.run(  # noqa: S603 - this interpreter and our own module
        [sys.executable, "-m", "infra.bench.finance_run", str(seed), str(orders)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return TypeAdapter(Measured).validate_json(done.stdout)


def targets(measured: Measured) -> Iterator[Target]:
    """What a reconciliation promises."""
    result = measured.score
    yield Target("wrong matches", len(result.wrong_matches), WRONG_MATCHES, exact=True)
    yield Target("faults not found, %", result.not_found_percent, NOT_FOUND_PERCENT, exact=True)
    yield Target("faults not named right, %", result.not_named_percent, NOT_NAMED_PERCENT, exact=True)
    what = "false exceptions for 10,000 orders"
    yield Target(what, result.false_in_ten_thousand, FALSE_IN_TEN_THOUSAND, exact=True)
    yield Target("things in no bucket", result.lost, 0, exact=True)
    yield Target("reruns that differ", int(not measured.identical), 0, exact=True)
    yield Target("CPU seconds", measured.cpu_seconds, SECONDS, exact=False)
    yield Target("peak memory, MB", measured.peak_megabytes, MEGABYTES, exact=False)


def as_document(seed: int, measured: Measured) -> dict[str, Any]:
    result = measured.score
    return {
        "seed": seed,
        "targets": [{**asdict(target), "met": target.met} for target in targets(measured)],
        "planted": result.planted,
        "found": result.found,
        "named": result.named,
        **asdict(measured),
    }


def show(seed: int, measured: Measured, console: Console) -> None:
    result = measured.score
    console.print(
        f"Seed {seed}: {result.orders:,} orders, {result.payments:,} payments, {result.planted:,} faults; "
        f"{result.unmatched:,} lines of orders without a match; "
        f"{measured.inputs_megabytes:.0f} MB with the facts alone"
    )
    _show_faults(result, console)
    _show_some("Wrong matches", result.wrong_matches, console)
    _show_some("False exceptions", result.false_exceptions, console)
    _show_some("Exceptions that are only waiting", result.impatient, console)
    table = Table("", "what", "measured", "limit", "kind", title="Targets", title_justify="left", header_style="bold")
    for target in targets(measured):
        mark = "[green]✓[/]" if target.met else "[red]✗[/]"
        kind = "exact" if target.exact else "this machine"
        table.add_row(mark, target.what, f"{target.measured:.3g}", f"{target.limit:g}", kind)
    console.print(table)


def _show_faults(result: Score, console: Console) -> None:
    columns = ("fault", "planted", "found", "named right", "else called")
    table = Table(*columns, title="Faults", title_justify="left", header_style="bold")
    for fault in result.faults:
        others = ", ".join(f"{name} {count}" for name, count in fault.other_names)
        table.add_row(fault.kind, str(fault.planted), str(fault.found), str(fault.named), others)
    console.print(table)


def _show_some(title: str, told: tuple[str, ...], console: Console) -> None:
    """The first few of what should not be."""
    if told:
        more = f" (the first {_SHOWN} of {len(told)})" if len(told) > _SHOWN else ""
        console.print(f"[bold]{title}[/]{more}")
        for line in told[:_SHOWN]:
            console.print(f"  {line}", markup=False)


if __name__ == "__main__":
    typer.run(bench)
