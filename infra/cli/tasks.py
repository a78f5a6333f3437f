"""`storebridge tasks`."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType

from infra.cli.order_facts import Json, time
from infra.cli.output import table
from infra.cli.target import connected
from shared.kernel.errors import Rejected
from shared.sync.tasks import Task
from shared.wiring.tables import task_table

app = typer.Typer(no_args_is_help=True, help="Things that a person has to mend, such as SKUs that stock does not know.")


@app.command("list", epilog="Example: storebridge tasks list")
def list_tasks(ctx: typer.Context) -> None:
    """What is open, and what to do about it."""
    here = connected(ctx)
    here.output.show({"tasks": [_facts(task) for task in task_table().all()]}, _listed)


def _facts(task: Task) -> Json:
    return {
        "id": task.id,
        "kind": task.kind.value,
        "shop": task.shop,
        "subject": task.subject,
        "first_seen_in": task.first_seen_in,
        "opened_at": time(task.opened_at),
        "advice": task.advice,
    }


def _listed(facts: Json) -> Iterator[RenderableType]:
    if not facts["tasks"]:
        yield "Nothing is open."
        return
    columns = ("id", "first_seen_in", "opened_at", "advice")
    yield table(
        *(name.replace("_", " ") for name in columns), rows=[[t[name] for name in columns] for t in facts["tasks"]]
    )


@app.command(epilog="Example: storebridge tasks close unmapped_sku/aurora/MUG-GREEN")
def close(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(metavar="ID", help="As tasks list shows it.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show which, and close nothing.")] = False,
) -> None:
    """Take a task off the list, once it is done."""
    here = connected(ctx)
    found = next((known for known in task_table().all() if known.id == task), None)
    if found is None:
        hint = "see storebridge tasks list"
        raise Rejected("unknown_task", f"there is no open task {task!r}", field="task", hint=hint)
    if not dry_run:
        task_table().close(task)
    here.output.show({"dry_run": dry_run, "closed": not dry_run, "task": _facts(found)}, _closed)


def _closed(facts: Json) -> Iterator[RenderableType]:
    yield table("task", "", rows=[(facts["task"]["id"], "closed" if facts["closed"] else "would be closed (dry run)")])
