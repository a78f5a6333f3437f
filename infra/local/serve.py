"""`python -m infra.local.serve`: the whole deployment on one machine, until Ctrl-C."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from infra.local.control import NotDrained
from infra.local.dynoxide import EngineUnavailable
from infra.local.intrinsics import TemplateError
from infra.local.stack import LocalStack, Options
from shared.kernel.errors import StorebridgeError

DEFAULT_PORT = 8787
DEFAULT_DATA = Path(".data")

console = Console()


def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1 for webhooks.")] = DEFAULT_PORT,
    data: Annotated[Path, typer.Option(help="Folder that keeps the tables from run to run.")] = DEFAULT_DATA,
    memory: Annotated[bool, typer.Option("--memory", help="Keep nothing.")] = False,  # typer's form
    environments: Annotated[int, typer.Option(min=1, help="Runs of one function at a time.")] = 2,
) -> None:
    """Serve the template's functions, tables, queues and schedules here. Ctrl-C drains the queues and stops."""
    options = Options(port=port, data=None if memory else data, environments_per_function=environments)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        with LocalStack(options) as stack:
            describe(stack, console)
            stopping.wait()
            console.print("Draining …")
            stack.drain()
    except (EngineUnavailable, NotDrained, StorebridgeError, TemplateError, OSError) as error:
        console.print(f"[red]{type(error).__name__}:[/red] {error}", highlight=False)
        raise typer.Exit(1) from error


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
