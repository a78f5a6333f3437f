"""`storebridge schedules`: on the local stack no clock runs, so its scheduled jobs are fired by hand."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType

from infra.cli.order_facts import Json
from infra.cli.output import table
from infra.cli.target import DEFAULT_LOCAL, ask_local, session

app = typer.Typer(no_args_is_help=True, help="Fire a scheduled job now (local stack only).")


@app.command("list", epilog="Example: storebridge schedules list --local")
def list_schedules(ctx: typer.Context) -> None:
    """The names of the scheduled jobs."""
    here = session(ctx)
    here.output.show({"schedules": ask_local(_local(here.local), "GET", "/_local/schedules")["schedules"]}, _listed)


def _listed(facts: Json) -> Iterator[RenderableType]:
    yield table("schedule", rows=[(name,) for name in facts["schedules"]])


@app.command(epilog="Example: storebridge schedules fire storebridge-order-review --local")
def fire(ctx: typer.Context, name: Annotated[str, typer.Argument(show_default=False)]) -> None:
    """Run a scheduled job now; it works on after this command has ended."""
    here = session(ctx)
    answer = ask_local(_local(here.local), "POST", f"/_local/schedules/{name}")
    here.output.show({"fired": answer["fired"], "request_id": answer["request_id"]}, _fired)


def _fired(facts: Json) -> Iterator[RenderableType]:
    yield f"{facts['fired']} is running."


def _local(url: str | None) -> str:
    if url is None:
        raise typer.BadParameter(f"in AWS the clock fires them; say --local [{DEFAULT_LOCAL}]", param_hint="--local")
    return url
