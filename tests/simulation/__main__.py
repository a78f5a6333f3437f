"""`make simulate SEEDS=20000`: play histories and tell which break. `SEEDS=17-17` plays one and tells its story."""

import os
import sys
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.simulation.mutants import MUTANTS
from tests.simulation.run import Tally, play, play_all, play_everywhere
from tests.simulation.sweep import sweep, told

_console = Console(stderr=True)
_FAILED = 1
app = typer.Typer(add_completion=False)


@app.command()
def main(
    seeds: Annotated[
        str, typer.Option(help="How many (20000), or which (5000-5999; 17-17 tells one's story).")
    ] = "20000",
    processes: Annotated[int, typer.Option(min=1, help="Processes to play in.")] = os.cpu_count() or 1,
    mutant: Annotated[str | None, typer.Option(help="Play with this planted defect; `all` for each of them.")] = None,
    swept: Annotated[int, typer.Option("--sweep", min=0, max=3, help="Every combination of so many faults.")] = 0,
) -> None:
    """Play histories of the deployment in a simulated cloud; exit with 1 if an invariant breaks."""
    if swept:
        _tell_sweep(swept)
    elif mutant is not None:
        _tell_mutants(list(MUTANTS) if mutant == "all" else [mutant], _range(seeds))
    elif len(chosen := _range(seeds)) == 1:
        _tell_story(chosen[0])
    else:
        _tell_all(chosen, processes)


def _range(text: str) -> range:
    first, dash, last = text.partition("-")
    try:
        return range(int(first), int(last) + 1) if dash else range(int(first))
    except ValueError as error:
        raise typer.BadParameter("say how many (20000) or which (5000-5999)", param_hint="--seeds") from error


def _tell_all(seeds: range, processes: int) -> None:
    total, began = Tally(), monotonic()
    with Progress(console=_console) as progress:
        task = progress.add_task("histories", total=len(seeds))
        for tally in play_everywhere(seeds, processes=processes):
            total.add(tally)
            progress.update(task, completed=total.histories)
    _console.print(_summary(total, seconds=monotonic() - began))
    for seed, what in sorted(total.broken):
        typer.echo(f"{seed}: {what}    make simulate SEEDS={seed}-{seed}")
    if total.broken:
        sys.exit(_FAILED)


def _summary(tally: Tally, *, seconds: float) -> Table:
    table = Table(show_header=False)
    table.add_row("histories", f"{tally.histories:,} in {seconds:,.0f} s")
    table.add_row("of them", ", ".join(f"{name} {count:,}" for name, count in tally.casts.most_common()))
    table.add_row("steps", f"{tally.switches:,}")
    table.add_row("faults", ", ".join(f"{name} {count:,}" for name, count in tally.faults.most_common()))
    table.add_row("broken", f"[{'red' if tally.broken else 'green'}]{len(tally.broken)}")
    return table


def _tell_story(seed: int) -> None:
    played = play(seed)
    typer.echo(f"seed {seed}: {played.cast}")
    typer.echo("\n".join(played.trace))
    for point, fate in played.faults:
        typer.echo(f"  {fate.name.lower()} at {point}")
    typer.echo(str(played.broken or "every invariant holds"))
    if played.broken:
        sys.exit(_FAILED)


def _tell_mutants(names: list[str], seeds: range) -> None:
    table = Table("defect", "noticed by history", "as")
    missed = 0
    for name in names:
        tally = play_all(seeds, mutant=name, cast=MUTANTS[name].cast, until_broken=True)
        missed += not tally.broken
        table.add_row(name, str(tally.histories) if tally.broken else "[red]never", *(what for _, what in tally.broken))
    _console.print(table)
    if missed:
        sys.exit(_FAILED)


def _tell_sweep(faults: int) -> None:
    swept = sweep(faults)
    _console.print(
        f"{swept.runs:,} combinations of {faults} faults at {swept.points} calls, {len(swept.broken)} broken"
    )
    for plan, what in swept.broken[:20]:
        typer.echo(f"{told(plan)}: {what}")
    if swept.broken:
        sys.exit(_FAILED)


if __name__ == "__main__":
    app()
