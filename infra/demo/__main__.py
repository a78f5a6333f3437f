"""Play both acts, show what happened and why, and end with status 0 only if everything holds."""

import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from infra.demo.backoffice_scenes import BACK_OFFICE
from infra.demo.backoffice_stage import house
from infra.demo.backoffice_verdict import check_back_office
from infra.demo.scenes import DAY, Told
from infra.demo.stage import Stage
from infra.demo.verdict import Check, check_all
from infra.fakes.twins import Twins, contents, twins
from infra.local.dynoxide import EngineUnavailable
from infra.local.npm import NotFetched
from infra.local.stack import LocalStack, Options
from infra.tryton.server import TrytonUnavailable, program

console = Console()


def main() -> int:
    started = monotonic()
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics of its own when a stack is dropped
    try:
        program("trytond")
        outcomes = [_day(), _back_office()]
    except (EngineUnavailable, NotFetched, TrytonUnavailable) as error:
        console.print(f"[red]{error}[/red]")
        return 1
    good = all(outcomes)
    console.print("[bold green]Everything holds.[/]" if good else "[bold red]Something does not hold.[/]")
    console.print(f"{monotonic() - started:.0f} seconds.")
    return 0 if good else 1


def _day() -> bool:
    with twins() as shops, LocalStack(_options(shops)) as stack:
        stage = Stage.on(stack, shops)
        good = _act("What happened, and why", stage, DAY, check_all)
    sent = ", ".join(f"{count} × HTTP {status}" for status, count in sorted(stage.answers.items()))
    console.print(f"{stage.answers.total()} deliveries: {sent}.")
    return good


def _back_office() -> bool:
    console.print("Starting a real Tryton and a second stack …")
    with house(lambda step: console.print(f"{step} …")) as joined:
        return _act("The back office", joined, BACK_OFFICE, check_back_office)


def _options(shops: Twins) -> Options:
    return Options(contents=contents(duplicate_window_minutes=10), environment=shops.environment)


_Place = TypeVar("_Place")
_Scenes = Sequence[tuple[str, Callable[[_Place], Iterable[Told]]]]


def _act(title: str, place: _Place, scenes: _Scenes[_Place], verdict: Callable[[_Place], Iterable[Check]]) -> bool:
    """Play the scenes, show them and the invariants, and say whether everything holds."""
    rows = _play(place, scenes)
    checks = list(verdict(place))
    _show(title, rows, checks)
    return all(row.as_expected for row in rows) and all(check.holds for check in checks)


def _play(place: _Place, scenes: _Scenes[_Place]) -> list[Told]:
    rows: list[Told] = []
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(scenes))
        for title, scene in scenes:
            progress.update(task, description=f"{title:<24}")
            rows += scene(place)
            progress.advance(task)
    return rows


def _show(title: str, rows: list[Told], checks: list[Check]) -> None:
    day = Table(title=title, show_lines=False, header_style="bold")
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
