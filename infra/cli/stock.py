"""`storebridge stock`."""

from collections.abc import Iterator
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from rich.console import RenderableType

from infra.cli import bundles
from infra.cli.order_facts import Json, time
from infra.cli.output import table
from infra.cli.stock_explanation import in_words, ledger_facts, part_of, shop_facts, standing
from infra.cli.target import ACTOR_VARIABLE, actor, connected
from shared.inventory.bundles import parts_of, shelf_skus
from shared.inventory.levels import set_level
from shared.inventory.models import LevelRequest, StockLine
from shared.inventory.receipts import Receipt, receive
from shared.kernel.clock import parse_time, utc_now
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.model import faults_of
from shared.platform.configuration import settings
from shared.sync.levels.sweep import Drift
from shared.wiring.level_tables import binding_table, drift_table, movement_table
from shared.wiring.tables import stock_table

app = typer.Typer(no_args_is_help=True, help="Look at stock and explain it, enter what was counted, define bundles.")
app.add_typer(bundles.app, name="bundle", epilog="Example: storebridge stock bundle set TEA-SET MUG-BLUE=4 TEAPOT=1")


@app.command(epilog="Example: storebridge stock show MUG-BLUE MUG-RED")
def show(
    ctx: typer.Context, skus: Annotated[list[str] | None, typer.Argument(metavar="[SKU…]", show_default=False)] = None
) -> None:
    """Stock by SKU and location: of these SKUs, or of all."""
    here = connected(ctx)
    if skus:
        view = stock_table().read(skus)
        found = [line for by_location in view.values() for line in by_location.values()]
    else:
        here.output.note("Reading the whole table of stock.")
        with here.output.progress("Reading …"):
            found = list(stock_table().read_all())
    found.sort(key=lambda line: (line.sku, line.location))
    unknown = sorted(set(skus or ()) - {line.sku for line in found})
    here.output.show({"stock": [line_facts(line) for line in found], "unknown": unknown}, _shown)


def line_facts(line: StockLine) -> Json:
    return {
        "sku": line.sku,
        "location": line.location,
        "on_hand": line.on_hand,
        "reserved": line.reserved,
        "available": line.available,
        "safety_buffer": line.safety_buffer,
        "reorder_point": line.reorder_point,
        "counted_at": time(line.counted_at),
        "seq": line.seq,
        "cause": line.cause.model_dump(),
    }


_COLUMNS = ("sku", "location", "on_hand", "reserved", "available", "safety_buffer", "reorder_point", "counted_at")


def _shown(facts: Json) -> Iterator[RenderableType]:
    if facts["stock"]:
        rows = [[line[name] for name in _COLUMNS] for line in facts["stock"]]
        yield table(*(name.replace("_", " ") for name in _COLUMNS), rows=rows)
    if facts["unknown"]:
        yield f"No stock line carries {', '.join(facts['unknown'])}."
    elif not facts["stock"]:
        yield "There is no stock yet: storebridge stock set SKU LOCATION ON_HAND"


@app.command("set", epilog="Example: storebridge stock set MUG-BLUE main 40 --reorder-point 10")
def set_stock(  # noqa: PLR0913 - each is a word of the command
    ctx: typer.Context,
    sku: Annotated[str, typer.Argument(show_default=False)],
    location: Annotated[str, typer.Argument(help="As it is called in the settings.", show_default=False)],
    on_hand: Annotated[int, typer.Argument(help="Units counted on the shelf.", show_default=False)],
    *,
    buffer: Annotated[int | None, typer.Option(help="Units never offered to a shop.")] = None,
    reorder_point: Annotated[int | None, typer.Option(help="Alert at so few available units.")] = None,
    by: Annotated[str | None, typer.Option(help=f"Who counted [{ACTOR_VARIABLE}, or your user name].")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
) -> None:
    """Enter what was counted on the shelf. Options that are left out stay as they are."""
    here = connected(ctx)
    request = _valid(
        LevelRequest,
        {"sku": sku, "location": location, "on_hand": on_hand, "safety_buffer": buffer, "reorder_point": reorder_point},
    )
    before = stock_table().read([sku]).get(sku, {}).get(location)
    if dry_run:
        after = foreseen(before, request)
    else:
        after = line_facts(set_level(stock_table(), utc_now, request, actor=actor(by)))
    facts = {"dry_run": dry_run, "before": line_facts(before) if before else None, "after": after}
    here.output.show(facts, _set)


@app.command("receive", epilog="Example: storebridge stock receive MUG-BLUE main 24 --reference 'delivery 4711'")
def receive_stock(  # noqa: PLR0913 - each is a word of the command
    ctx: typer.Context,
    sku: Annotated[str, typer.Argument(show_default=False)],
    location: Annotated[str, typer.Argument(help="As it is called in the settings.", show_default=False)],
    units: Annotated[int, typer.Argument(min=1, help="Units that came in.", show_default=False)],
    *,
    out: Annotated[bool, typer.Option("--out", help="They are taken away: broken, own use.")] = False,
    reference: Annotated[str, typer.Option(help="Delivery note, or why units are taken away.")] = "by hand",
    by: Annotated[str | None, typer.Option(help=f"Who received [{ACTOR_VARIABLE}, or your user name].")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
) -> None:
    """Book goods in while selling goes on. Twice the same command is twice the goods."""
    here = connected(ctx)
    receipt = _valid(
        Receipt, {"sku": sku, "location": location, "units": -units if out else units, "reference": reference}
    )
    before = stock_table().read([sku]).get(sku, {}).get(location)
    after = expected(before, receipt) if dry_run else line_facts(receive(stock_table(), receipt, actor=actor(by)))
    facts = {"dry_run": dry_run, "before": line_facts(before) if before else None, "after": after}
    here.output.show(facts, _set)


_Asked = TypeVar("_Asked", LevelRequest, Receipt)


def _valid(model: type[_Asked], given: Json) -> _Asked:
    try:
        request = model.model_validate(given)
    except ValidationError as error:
        fault = faults_of(error)[0]
        raise Rejected("invalid_level", fault.message, field=fault.field) from error
    known = settings().locations
    if request.location not in known:
        hint = f"known: {', '.join(sorted(known))}"
        message = f"the settings name no location {request.location!r}"
        raise Rejected("unknown_location", message, field="location", hint=hint)
    return request


def foreseen(before: StockLine | None, request: LevelRequest) -> Json:
    """The figures that the count would leave.

    Raises:
        Conflict: `reserved_exceeds_count`, as the table itself would.
    """
    reserved = before.reserved if before else 0
    if reserved > request.on_hand:
        message = f"{reserved} units are promised to orders, but only {request.on_hand} were counted"
        raise Conflict("reserved_exceeds_count", message, field="on_hand")
    kept = {"safety_buffer": before.safety_buffer, "reorder_point": before.reorder_point} if before else {}
    return {
        "sku": request.sku,
        "location": request.location,
        "on_hand": request.on_hand,
        "reserved": reserved,
        "available": request.on_hand - reserved,
        "safety_buffer": kept.get("safety_buffer", 0) if request.safety_buffer is None else request.safety_buffer,
        "reorder_point": kept.get("reorder_point") if request.reorder_point is None else request.reorder_point,
    }


def expected(before: StockLine | None, receipt: Receipt) -> Json:
    """The figures that the receipt would leave.

    Raises:
        Conflict: `not_on_shelf`, as the table itself would.
    """
    free = before.available if before else 0
    if free + receipt.units < 0:
        message = f"{free} units are on the shelf and not promised to orders, so {-receipt.units} cannot be taken"
        raise Conflict("not_on_shelf", message, field="units")
    return {
        "sku": receipt.sku,
        "location": receipt.location,
        "on_hand": (before.on_hand if before else 0) + receipt.units,
        "reserved": before.reserved if before else 0,
        "available": free + receipt.units,
        "safety_buffer": before.safety_buffer if before else 0,
        "reorder_point": before.reorder_point if before else None,
    }


_FIGURES = ("on_hand", "reserved", "available", "safety_buffer", "reorder_point")


def _set(facts: Json) -> Iterator[RenderableType]:
    before, after = facts["before"] or {}, facts["after"]
    title = f"{after['sku']} at {after['location']}" + ("  (dry run: nothing is written)" if facts["dry_run"] else "")
    rows = [(name.replace("_", " "), before.get(name), after[name]) for name in _FIGURES]
    yield table("", "before", "after", rows=rows, title=title)


@app.command(epilog="Example: storebridge stock explain MUG-BLUE --shop aurora")
def explain(
    ctx: typer.Context,
    sku: Annotated[str, typer.Argument(show_default=False)],
    *,
    shop: Annotated[str | None, typer.Option(help="Only what this shop is told.")] = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="The level as it was: 2026-11-22T18:00:00Z.")] = None,
) -> None:
    """Movement by movement how a level came about, and step by step what each shop is told to sell."""
    moment = parse_time(at, field="at") if at else None
    here = connected(ctx)
    shops = {shop: settings().shop(shop)} if shop else settings().shops
    known = stock_table().bundles()
    stock = stock_table().read({sku, *shelf_skus([sku], known)})
    movements = movement_table().of(sku)
    if sku not in stock and sku not in known and not movements:
        raise Rejected("unknown_sku", f"stock knows no {sku}", field="sku", hint="see storebridge stock show")
    told = {name: next(iter(binding_table().of(name, [sku])), None) for name in shops}
    now = utc_now()
    facts = {
        "sku": sku,
        "at": time(moment),
        "made_of": dict(parts_of(sku, known)) if sku in known else None,
        "part_of": part_of(sku, known),
        "locations": ledger_facts(movements, stock.get(sku, {}), moment),
        # A shop is told what there is now: of the past nothing is known but the ledger.
        "shops": []
        if moment
        else [
            shop_facts(sku, name, connection, stock=stock, bundles=known, binding=told[name], now=now)
            for name, connection in sorted(shops.items())
        ],
    }
    here.output.show(facts, _explained)


_MOVED = ("at", "cause", "reference", "actor", "on_hand", "reserved", "on_hand_after", "reserved_after")


def _explained(facts: Json) -> Iterator[RenderableType]:
    if facts["made_of"]:
        parts = ", ".join(f"{part} x {units}" for part, units in sorted(facts["made_of"].items()))
        yield f"{facts['sku']} is a bundle of {parts}: its stock is theirs."
    if facts["part_of"]:
        yield f"It goes into {', '.join(facts['part_of'])}."
    for place in facts["locations"]:
        rows = [(move["seq"], *(move[name] for name in _MOVED)) for move in place["movements"]]
        columns = ("#", "when", "cause", "reference", "by", "on hand ±", "reserved ±", "on hand", "reserved")
        yield table(*columns, rows=rows, title=f"{facts['sku']} at {place['location']}")
        yield _verdict(place, facts["at"])
    if facts["shops"]:
        rows = [
            (shop["shop"], shop["sells"], in_words(shop), (shop["binding"] or {}).get("last_shown"), standing(shop))
            for shop in facts["shops"]
        ]
        yield table("shop", "sells", "because", "last shown", "", rows=rows)


def _verdict(place: Json, at: str | None) -> str:
    level, audit = place["level"], place["audit"]
    then = f"{level['on_hand']} on hand, {level['reserved']} reserved, {level['available']} available"
    told = f"At {at}: {then}." if at else f"That makes {then}."
    if audit is None:
        return told
    if audit["agrees"]:
        return f"{told} The ledger agrees with the stock line."
    line = audit["stock_line"]
    missing = ", ".join(map(str, audit["missing"])) or "none"
    return (
        f"{told} The stock line says {line['on_hand']} on hand, {line['reserved']} reserved: "
        f"{audit['missing_in_all']} movements are missing ({missing}). The newest take some seconds to arrive."
    )


@app.command(epilog="Example: storebridge stock drift --shop aurora")
def drift(
    ctx: typer.Context,
    *,
    shop: Annotated[str, typer.Option(help="The shop, as the settings call it.", show_default=False)],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
) -> None:
    """Where a shop showed another number than it should, and why: the corrections of the sweeps, the newest first."""
    here = connected(ctx)
    settings().shop(shop)
    here.output.show({"shop": shop, "drift": [_drift(found) for found in drift_table().of(shop, limit)]}, _drifted)


def _drift(found: Drift) -> Json:
    return {
        "found_at": time(found.found_at),
        "sku": found.sku,
        "shown": found.shown,
        "wanted": found.wanted,
        "cause": found.cause.value,
        "corrected": found.corrected,
    }


def _drifted(facts: Json) -> Iterator[RenderableType]:
    if not facts["drift"]:
        yield f"No sweep of the last 90 days found {facts['shop']} out of step."
        return
    rows = [
        (row["found_at"], row["sku"], row["shown"], row["wanted"], row["cause"], "yes" if row["corrected"] else "no")
        for row in facts["drift"]
    ]
    yield table("found", "sku", "shown", "wanted", "why", "corrected", rows=rows)
