"""`python -m infra.load`: traffic, a kill -9 in its middle, and every id accounted for. Status 1 when one is not."""

import json
import logging
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.load.report import as_document, show
from infra.load.run import Listener, Load, Outcome, run
from infra.load.sender import Sent
from infra.load.traffic import plan
from infra.load.victim import NotReady
from infra.local.dynoxide import EngineUnavailable


def load(
    orders: Annotated[int, typer.Option(min=1, help="Orders to place.")] = 300,
    rate: Annotated[
        float, typer.Option(min=0.1, help="Deliveries each second, repeats and forgeries included.")
    ] = 25.0,
    crashes: Annotated[int, typer.Option(min=0, help="How often to kill -9 the stack, evenly spread.")] = 1,
    data: Annotated[
        Path | None, typer.Option(help="An empty folder to keep; by default one that is thrown away.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document in place of tables.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed, the same traffic.")] = 1,
    backoffice: Annotated[bool, typer.Option(help="Have each order recorded in a back office too.")] = True,
) -> None:
    """Send orders of two shops to the local stack at a fixed rate, kill it in the middle, and account for every id."""
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    console = Console(stderr=True)
    if data is not None and data.exists() and any(data.iterdir()):
        raise typer.BadParameter("must be empty: what an earlier run left would be counted too", param_hint="--data")
    wanted = Load(orders, rate, seed, crashes, backoffice)
    try:
        with ExitStack() as stack:
            folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="storebridge-load-")))
            outcome = _watched(wanted, folder, console)
    except (EngineUnavailable, NotReady) as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(as_document(outcome), indent=2))
    else:
        show(outcome, Console())
    if not outcome.holds:
        raise typer.Exit(1)


def _watched(wanted: Load, folder: Path, console: Console) -> Outcome:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        total = len(plan(wanted.orders, wanted.per_second, wanted.seed))
        bar = progress.add_task("", total=total)

        def heard(_sent: Sent) -> None:
            progress.advance(bar)

        def step(what: str) -> None:
            progress.update(bar, description=what)
            if not console.is_terminal:
                console.print(what, highlight=False)

        return run(wanted, folder, Listener(step, heard))


if __name__ == "__main__":
    typer.run(load)
