"""`python -m infra.local.serve`: the whole deployment on one machine, until Ctrl-C."""

import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from infra.local.control import NotDrained
from infra.local.data_folder import DataFolderInUse
from infra.local.dynoxide import EngineUnavailable
from infra.local.intrinsics import TemplateError
from infra.local.provision import Contents, read_contents
from infra.local.stack import HERE, LocalStack, Options
from shared.kernel.errors import StorebridgeError

DEFAULT_PORT = 8787
DEFAULT_DATA = Path(".data")
HANDED_ON = "STOREBRIDGE_LOCAL_"
"""How the names of variables begin that the functions get too."""

console = Console()


def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1 for webhooks.")] = DEFAULT_PORT,
    data: Annotated[Path, typer.Option(help="Folder that keeps tables, queues, buckets.")] = DEFAULT_DATA,
    settings: Annotated[Path, typer.Option(help="Other settings.", exists=True)] = HERE / "settings.toml",
    secrets: Annotated[Path, typer.Option(help="Other secrets.")] = HERE / "secrets.toml",
    memory: Annotated[bool, typer.Option("--memory", help="Keep nothing.")] = False,  # typer's form
    environments: Annotated[int, typer.Option(min=1, help="Runs of one function at a time.")] = 2,
) -> None:
    """Serve the template's functions, tables, queues and schedules here. Ctrl-C drains the queues and stops.

    Variables STOREBRIDGE_LOCAL_… of the environment are handed to the functions: where a shop of yours listens, say.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        options = Options(
            port=port,
            data=None if memory else data,
            contents=_contents(settings, secrets),
            environment={name: value for name, value in os.environ.items() if name.startswith(HANDED_ON)},
            environments_per_function=environments,
        )
        with LocalStack(options) as stack:
            describe(stack, console)
            stopping.wait()
            console.print("Draining …")
            stack.drain()
    except (DataFolderInUse, EngineUnavailable, NotDrained, StorebridgeError, TemplateError, OSError) as error:
        console.print(f"[red]{type(error).__name__}:[/red] {error}", highlight=False)
        raise typer.Exit(1) from error


def _contents(settings: Path, secrets: Path) -> Contents:
    return read_contents(settings, secrets, HERE / "secrets.example.toml")


def describe(stack: LocalStack, out: Console) -> None:
    """Print what is served, and how to use it."""
    deployment = stack.deployment
    shops = sorted(stack.contents.settings.get("shops", {}))
    _print(out, "Routes", ("route", "function"), [
        (f"{route.method} {stack.url}{route.path}", route.function) for route in deployment.routes
    ])  # fmt: skip
    _print(out, "Queues", ("queue", "feeds"), [
        (queue.name, ", ".join(s.function for s in deployment.queue_sources if s.queue == queue.name) or "-")
        for queue in deployment.queues
    ])  # fmt: skip
    _print(out, "Tables", ("table", "stream feeds"), [
        (table.name, ", ".join(s.function for s in deployment.stream_sources if s.table == table.name) or "-")
        for table in deployment.tables
    ])  # fmt: skip
    _print(out, "Schedules (fire one by hand)", ("schedule", "every", "fire"), [
        (s.name, s.expression, f"curl -X POST {stack.url}/_local/schedules/{s.name}") for s in deployment.schedules
    ])  # fmt: skip
    out.print(f"Shops: {', '.join(shops) or 'none'}", highlight=False)
    for service, endpoint in stack.clients.environment().items():
        if service.startswith("AWS_ENDPOINT"):
            out.print(f"{service}={endpoint}", highlight=False)
    out.print(f"Logs: {stack.logs}", highlight=False)


def _print(out: Console, title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    table = Table(*(Column(name, overflow="fold") for name in columns), title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    out.print(table)


if __name__ == "__main__":
    typer.run(serve)
