"""`storebridge settings`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from infra.cli.order_facts import Json
from infra.cli.output import table
from infra.cli.settings_document import deployed_document, differences, find_document, leaves, write_document
from infra.cli.target import connected
from shared.platform.settings import parse_settings, read_settings_file

app = typer.Typer(no_args_is_help=True, help="See and change the settings of the deployment.")


@app.command(epilog="Example: storebridge settings show --json")
def show(ctx: typer.Context) -> None:
    """The settings that the functions work by."""
    here = connected(ctx)
    here.output.show(deployed_document(), _shown)


def _shown(document: Json) -> Iterator[RenderableType]:
    yield table("field", "value", rows=[(field, _text(value)) for field, value in leaves(document)])


@app.command(epilog="Example: storebridge settings push settings.toml --dry-run")
def push(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="TOML or JSON.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
) -> None:
    """Put a file's settings in force. Faults are told by field; the functions follow within some minutes."""
    document = read_settings_file(file)
    parse_settings(document)
    here = connected(ctx)
    deployed = find_document()
    changes = differences(deployed or {}, document)
    if changes and not dry_run:
        write_document(document, create=deployed is None)
    here.output.show({"dry_run": dry_run, "written": bool(changes) and not dry_run, "changes": changes}, _pushed)


def _pushed(facts: Json) -> Iterator[RenderableType]:
    if not facts["changes"]:
        yield "Nothing changes."
        return
    title = "Would change (dry run: nothing is written)" if facts["dry_run"] else "Changed"
    rows = [(change["field"], _text(change["before"]), _text(change["after"])) for change in facts["changes"]]
    yield table("field", "before", "after", rows=rows, title=title)


def _text(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
