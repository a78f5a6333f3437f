"""`storebridge doctor`: examine both sides before the first order flows."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType

from infra.cli.order_facts import Json
from infra.cli.output import table
from infra.cli.target import connected
from shared.platform.configuration import settings
from shared.sync.findings import Verdict
from shared.wiring.doctor import examine

app = typer.Typer()


@app.command(epilog="Example: storebridge doctor --shop aurora")
def doctor(
    ctx: typer.Context,
    shop: Annotated[str | None, typer.Option(help="Only this shop and its back office.")] = None,
    orders: Annotated[int, typer.Option(min=0, help="Compare the products of so many latest orders.")] = 200,
) -> None:
    """Whether shops and back offices answer, have what the settings name, and let us do what orders need.

    Both sides are only read. Ends with 1 if anything is at fault.
    """
    here = connected(ctx)
    names = [shop] if shop is not None else sorted(settings().shops)
    with here.output.progress("Looking …") as progress:
        findings = examine(names, progress.update, orders=orders)
    counts = {verdict.value: sum(one.verdict is verdict for one in findings) for verdict in Verdict}
    ok = not counts[Verdict.FAULT]
    facts = {"ok": ok, "counts": counts, "findings": [one.model_dump(mode="json") for one in findings]}
    here.output.show(facts, _examined)
    if not ok:
        raise typer.Exit(1)


def _examined(facts: Json) -> Iterator[RenderableType]:
    columns = ("side", "subject", "check", "verdict", "found", "mend")
    headings = ("side", "of", "check", "", "what was found", "how to mend it")
    yield table(*headings, rows=[[row[name] or "" for name in columns] for row in facts["findings"]])
    faults, warnings = facts["counts"]["fault"], facts["counts"]["warning"]
    yield f"{faults} at fault, {warnings} to look at." if faults or warnings else "All is well."
