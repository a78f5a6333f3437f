"""Play the day, show what happened and why, and end with status 0 only if everything holds."""

import sys
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from infra.demo.scenes import DAY, Told
from infra.demo.stage import Stage
from infra.demo.verdict import Check, check_all
from infra.fakes.twins import Twins, contents, twins
from infra.local.dynoxide import EngineUnavailable
from infra.local.npm import NotFetched
from infra.local.stack import LocalStack, Options

console = Console()


def main() -> int:
    started = monotonic()
    try:
        with twins() as shops, LocalStack(_options(shops)) as stack:
            stage = Stage.on(stack, shops)
            rows = _play(stage)
            checks = list(check_all(stage))
    except (EngineUnavailable, NotFetched) as error:
        console.print(f"[red]{error}[/red]")
        return 1
    _show(rows, checks)
    sent = ", ".join(f"{count} × HTTP {status}" for status, count in sorted(stage.answers.items()))
    console.print(f"{stage.answers.total()} deliveries: {sent}. {monotonic() - started:.0f} seconds.")
    good = all(row.as_expected for row in rows) and all(check.holds for check in checks)
    console.print("[bold green]Everything holds.[/]" if good else "[bold red]Something does not hold.[/]")
    return 0 if good else 1


def _options(shops: Twins) -> Options:
    return Options(contents=contents(duplicate_window_minutes=10), environment=shops.environment)


def _play(stage: Stage) -> list[Told]:
    rows: list[Told] = []
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(DAY))
        for title, scene in DAY:
            progress.update(task, description=f"{title:<24}")
            rows += scene(stage)
            progress.advance(task)
    return rows


def _show(rows: list[Told], checks: list[Check]) -> None:
    day = Table(title="What happened, and why", show_lines=False, header_style="bold")
    for heading in ("", "What happened", "What became of it", "Why"):
        day.add_column(heading, overflow="fold")
    for row in rows:
        day.add_row(_mark(row.as_expected), row.happened, row.outcome, row.why)
    console.print(day)
    invariants = Table(title="What must always hold", header_style="bold")
    for heading in ("", "Invariant", "Found"):
        invariants.add_column(heading, overflow="fold")
    for check in checks:
        invariants.add_row(_mark(check.holds), check.invariant, check.found)
    console.print(invariants)


def _mark(good: bool) -> str:
    return "[green]✓[/]" if good else "[red]✗[/]"


if __name__ == "__main__":
    sys.exit(main())
