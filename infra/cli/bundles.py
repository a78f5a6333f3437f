"""`storebridge stock bundle`."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer
from rich.console import RenderableType

from infra.cli.order_facts import Json
from infra.cli.output import table
from infra.cli.target import connected
from shared.inventory.bundles import Bundles, Components, affected
from shared.kernel.errors import Rejected
from shared.platform.push_queue import PushRequest, request_push
from shared.wiring.tables import stock_table

app = typer.Typer(no_args_is_help=True, help="SKUs that are made up of others.")

MOST_UNITS = 1000
_COMPONENT = re.compile(r"(?P<sku>.{1,200})=(?P<units>[0-9]{1,4})")

Sku = Annotated[str, typer.Argument(metavar="SKU", help="The bundle's own.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


@app.command("set", epilog="Example: storebridge stock bundle set TEA-SET MUG-BLUE=4 TEAPOT=1")
def set_bundle(
    ctx: typer.Context,
    sku: Sku,
    components: Annotated[list[str], typer.Argument(metavar="COMPONENT=UNITS…", show_default=False)],
    *,
    dry_run: DryRun = False,
) -> None:
    """Say what a bundle is made of. Orders that hold stock for it keep what they hold; the shops are told anew."""
    given = read_components(components)
    here = connected(ctx)
    known = stock_table().bundles()
    shelved = stock_table().read([sku, *given])
    require_sound(sku, given, known, on_shelf=shelved)
    _define(sku, given, dry_run=dry_run)
    here.output.show(_change(sku, known.get(sku), given, dry_run=dry_run), _changed)


@app.command("remove", epilog="Example: storebridge stock bundle remove TEA-SET")
def remove(ctx: typer.Context, sku: Sku, *, dry_run: DryRun = False) -> None:
    """A SKU is a bundle no more."""
    here = connected(ctx)
    known = stock_table().bundles()
    if sku not in known:
        hint = "see storebridge stock bundle show"
        raise Rejected("unknown_bundle", f"{sku} is no bundle", field="sku", hint=hint)
    _define(sku, {}, dry_run=dry_run)
    here.output.show(_change(sku, known[sku], None, dry_run=dry_run), _changed)


@app.command("show", epilog="Example: storebridge stock bundle show TEA-SET")
def show(
    ctx: typer.Context, skus: Annotated[list[str] | None, typer.Argument(metavar="[SKU…]", show_default=False)] = None
) -> None:
    """What these bundles are made of, or all."""
    here = connected(ctx)
    known = stock_table().bundles()
    asked = skus or sorted(known)
    facts = {
        "bundles": [{"sku": sku, "components": dict(known[sku])} for sku in asked if sku in known],
        "unknown": [sku for sku in asked if sku not in known],
    }
    here.output.show(facts, _shown)


def read_components(words: list[str]) -> dict[str, int]:
    """Read `SKU=UNITS`, or raise `Rejected`. A SKU may itself hold an equals sign: the last one counts."""
    found: dict[str, int] = {}
    for word in words:
        parts = _COMPONENT.fullmatch(word)
        units = int(parts["units"]) if parts else 0
        if parts is None or not 1 <= units <= MOST_UNITS:
            hint = f"write SKU=UNITS with 1 to {MOST_UNITS} units, such as MUG-BLUE=4"
            raise Rejected("invalid_component", f"{word[:80]!r} names no component", field="components", hint=hint)
        if parts["sku"] in found:
            raise Rejected("invalid_component", f"{parts['sku']} is named twice", field="components")
        found[parts["sku"]] = units
    return found


def require_sound(sku: str, components: Components, known: Bundles, *, on_shelf: Mapping[str, object]) -> None:
    """Refuse what could not be sold: bundles of bundles, or of what no shelf holds.

    Raises:
        Rejected: `bundle_of_bundles`, `unknown_component`, `on_shelf`.
    """
    nested = sorted(components.keys() & {*known, sku})
    if nested:
        raise Rejected("bundle_of_bundles", f"{', '.join(nested)} is a bundle itself", field="components")
    within = sorted(affected([sku], known) - {sku})
    if within:
        raise Rejected("bundle_of_bundles", f"{sku} is part of {', '.join(within)}", field="sku")
    unknown = sorted(components.keys() - on_shelf.keys())
    if unknown:
        hint = "count it first: storebridge stock set SKU LOCATION ON_HAND"
        raise Rejected("unknown_component", f"stock knows no {', '.join(unknown)}", field="components", hint=hint)
    if sku in on_shelf:
        hint = "give the bundle a SKU of its own"
        raise Rejected("on_shelf", f"{sku} has stock of its own, which would no longer count", field="sku", hint=hint)


def _define(sku: str, components: Components, *, dry_run: bool) -> None:
    if not dry_run:
        stock_table().define_bundle(sku, components)
        request_push([PushRequest(sku=sku)])


def _change(sku: str, before: Components | None, after: Components | None, *, dry_run: bool) -> Json:
    return {
        "dry_run": dry_run,
        "sku": sku,
        "before": dict(before) if before else None,
        "after": dict(after) if after else None,
    }


def _changed(facts: Json) -> Iterator[RenderableType]:
    before, after = facts["before"] or {}, facts["after"] or {}
    title = facts["sku"] + ("  (dry run: nothing is written)" if facts["dry_run"] else "")
    rows = [(part, before.get(part), after.get(part)) for part in sorted({*before, *after})]
    yield table("component", "before", "after", rows=rows, title=title)


def _shown(facts: Json) -> Iterator[RenderableType]:
    rows = [
        (bundle["sku"], ", ".join(f"{part} x {units}" for part, units in sorted(bundle["components"].items())))
        for bundle in facts["bundles"]
    ]
    if rows:
        yield table("bundle", "made of", rows=rows)
    if facts["unknown"]:
        yield f"No bundle is {', '.join(facts['unknown'])}."
    elif not rows:
        yield "There are no bundles: storebridge stock bundle set SKU COMPONENT=UNITS …"
