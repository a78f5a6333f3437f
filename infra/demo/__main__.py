"""Play the acts, show what happened and why, and end with status 0 only if everything holds.

python -m infra.demo [--act day|backoffice|finance]...
"""

import argparse
import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Final, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from infra.demo.backoffice_scenes import BACK_OFFICE
from infra.demo.backoffice_stage import house
from infra.demo.backoffice_verdict import check_back_office
from infra.demo.finance_findings import Findings
from infra.demo.finance_scenes import MONTH
from infra.demo.finance_stage import REPORTS, counting_house
from infra.demo.finance_verdict import check_finance, findings_of
from infra.demo.scenes import DAY, Told
from infra.demo.stage import Stage
from infra.demo.verdict import Check, check_all
from infra.fakes.twins import Twins, contents, twins
from infra.local.dynoxide import EngineUnavailable
from infra.local.npm import NotFetched
from infra.local.stack import LocalStack, Options
from infra.tryton.server import TrytonUnavailable, program

console = Console()


def main(words: Sequence[str] | None = None) -> int:
    acts = acts_asked_for(words)
    started = monotonic()
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics of its own when a stack is dropped
    try:
        if "backoffice" in acts:
            program("trytond")
        outcomes = [_ACTS[act]() for act in acts]
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


def _finance() -> bool:
    console.print("Starting a stack, Stripe, and a month of trade …")
    with counting_house() as house:
        good = _act("A month's money", house, MONTH, check_finance)
        _show_findings(findings_of(house))
        pages = "\n".join(f"  {path}" for path in house.reports if path.parent == REPORTS)
    console.print(f"The reports, to be opened in a browser or a spreadsheet:\n{pages}", soft_wrap=True)
    return good


_ACTS: Final[Mapping[str, Callable[[], bool]]] = {"day": _day, "backoffice": _back_office, "finance": _finance}


def acts_asked_for(words: Sequence[str] | None) -> tuple[str, ...]:
    """The acts that are asked for, in their own order; without a word, all of them."""
    parser = argparse.ArgumentParser(prog="python -m infra.demo", description="Play the demo, and check it.")
    parser.add_argument("--act", action="append", choices=tuple(_ACTS), help="only this one; may be given again")
    wanted = parser.parse_args(words).act or tuple(_ACTS)
    return tuple(act for act in _ACTS if act in wanted)


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


def _show_findings(findings: Findings) -> None:
    """What was planted beside what was found."""
    shown = Table(title="What was planted, and what was found", header_style="bold")
    for heading in ("", "Planted", "Found as", "Evidence", "Default action"):
        shown.add_column(heading, overflow="fold")
    for planted, found in findings.each:
        right = found is not None and found.kind is planted.kind
        said = (found.kind, "; ".join(found.evidence), found.action) if found else ("not found", "", "")
        shown.add_row(_mark(right), planted.what, *map(escape, said))
    for false in findings.false:
        shown.add_row(_mark(False), "nothing", false.kind, escape("; ".join(false.evidence)), false.action)  # noqa: FBT003
    console.print(shown)


def _mark(good: bool) -> str:
    return "[green]✓[/]" if good else "[red]✗[/]"


if __name__ == "__main__":
    sys.exit(main())
