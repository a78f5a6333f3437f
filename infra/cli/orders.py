"""`storebridge orders`."""

import json
from collections.abc import Iterable, Iterator
from heapq import nlargest
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from infra.cli.desk_facts import stage_facts
from infra.cli.order_facts import Json, changed, summary, whole
from infra.cli.order_stage import stand_of
from infra.cli.output import Output, pairs, table
from infra.cli.rehearsal import watched
from infra.cli.target import ACTOR_VARIABLE, actor, connected
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import OrderKey
from shared.orders.cancel import cancel
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.models import PaymentState
from shared.orders.ports import OrderBook
from shared.orders.reconsider import Reconsidered, reconsider, reconsider_shop
from shared.orders.record import OrderRecord
from shared.orders.release import release, required
from shared.platform.configuration import settings
from shared.wiring.order_desk import desk
from shared.wiring.tables import order_table

app = typer.Typer(no_args_is_help=True, help="Look at orders; release, cancel or review them.")

ALWAYS_WAITING = frozenset({"held", "approved", "backordered"})
"""No order has one of these without being in the index of what needs someone."""
STATUSES = (
    {"ready", "completed"}
    | ({state.value for state in ReviewState} - {"released"})
    | ({state.value for state in FulfilmentState} - {"allocated", "not_required"})
    | ({state.value for state in PaymentState} - {"paid"})
)
"""Every word that `shared.orders.lifecycle.status` has for an order."""

Which = Annotated[str, typer.Argument(metavar="SHOP/ORDER", help="Such as aurora/5001.", show_default=False)]
By = Annotated[str | None, typer.Option("--by", help=f"Who answers for it [{ACTOR_VARIABLE}, or your user name].")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


@app.command("list", epilog="Example: storebridge orders list --shop aurora --status held")
def list_orders(
    ctx: typer.Context,
    shop: Annotated[str | None, typer.Option(help="Only this shop's.")] = None,
    status: Annotated[str | None, typer.Option(help="Only with this status: held, backordered, ready …")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Not only those that need someone.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """Orders that need someone, longest waiting first; with --all or another status any, newest first."""
    if status is not None and status not in STATUSES:
        raise typer.BadParameter(f"there is no status {status!r}; there is {', '.join(sorted(STATUSES))}")
    here = connected(ctx)
    if shop is not None:
        settings().shop(shop)
    whole_table = everything or (status is not None and status not in ALWAYS_WAITING)
    if whole_table:
        here.output.note("Reading the whole table of orders.")
        found = _newest(_scanned(here.output, shop, status), limit + 1)
    else:
        found = _waiting([shop] if shop else sorted(settings().shops), status, limit + 1)
    facts = {
        "orders": [summary(record) for record in found[:limit]],
        "more": len(found) > limit,
        "read": "table" if whole_table else "attention_index",
    }
    here.output.show(facts, _listed)


def _waiting(shops: Iterable[str], status: str | None, most: int) -> list[OrderRecord]:
    """The longest waiting first. The index gives each shop's in this order, so `most` of each are enough."""
    book = order_table()
    found = [record for shop in shops for record in _first(_records(book, shop), status, most)]
    return sorted(found, key=lambda record: (record.attention_since or record.placed_at, record.key))


def _records(book: OrderBook, shop: str) -> Iterator[OrderRecord]:
    for key in book.needing_attention(shop):
        record = book.find(key)
        if record is not None and record.attention_since is not None:  # the index follows a little later
            yield record


def _first(records: Iterable[OrderRecord], status: str | None, most: int) -> Iterator[OrderRecord]:
    wanted = (record for record in records if status in (None, record.status))
    for _, record in zip(range(most), wanted, strict=False):
        yield record


def _scanned(output: Output, shop: str | None, status: str | None) -> Iterator[OrderRecord]:
    with output.progress("Reading …") as progress:
        for number, record in enumerate(order_table().all_records(shop), start=1):
            progress.update(f"Reading … {number} orders")
            if status in (None, record.status):
                yield record


def _newest(records: Iterable[OrderRecord], most: int) -> list[OrderRecord]:
    return nlargest(most, records, key=lambda record: (record.placed_at, record.key))


def _listed(facts: Json) -> Iterator[RenderableType]:
    columns = ("order", "name", "status", "payment", "total", "holds", "since")
    rows = [
        (row["order"], row["name"], row["status"], row["payment"], _sum(row["total"]), _matters(row), row["since"])
        for row in facts["orders"]
    ]
    if not rows:
        yield "No order needs anyone." if facts["read"] == "attention_index" else "No such order."
        return
    yield table(*columns, rows=rows)
    if facts["more"]:
        yield "There are more: raise --limit."


@app.command(epilog="Example: storebridge orders show aurora/5001")
def show(
    ctx: typer.Context,
    order: Which,
    personal: Annotated[bool, typer.Option("--personal", help="Also the buyer's name, address and the like.")] = False,
) -> None:
    """All that is kept of one order. The buyer's data only with --personal."""
    key = OrderKey.parse(order)
    here = connected(ctx)
    record = order_table().find(key)  # not through the shop's desk: the shop may be connected no more
    if record is None:
        raise Rejected("unknown_order", f"there is no order {key}", field="order")
    facts = whole(record, order_table().find_account(key), personal=personal)
    here.output.show(facts | {"stage": stage_facts(stand_of(record).stage)}, _shown)


def _shown(facts: Json) -> Iterator[RenderableType]:
    account = facts["account"] or {}
    yield pairs(
        {
            "order": f"{facts['order']}  {facts['name']}",
            "status": facts["status"],
            "stage": facts["stage"]["text"],
            "next": facts["stage"]["command"],
            "review": facts["review"],
            "fulfilment": facts["fulfilment"],
            "payment": facts["payment"],
            "holds": _matters(facts),
            "overruled": ", ".join(facts["overridden"]),
            "waiting since": facts["since"],
            "cancelled by": facts["cancelled_by"],
            "total": _sum(facts["total"]),
            "placed": facts["placed_at"],
            "revision": f"{facts['revision']} ({facts['cause']['kind']} by {facts['cause']['actor']})",
            "source version": f"{facts['version']['updated_at']}, seen {facts['version']['observed_at']}",
            "account": None if account.get("is_current", True) else "a newer account is on its way in",
        }
    )
    yield table(
        "line", "sku", "title", "kind", "open", "allocated", "shipped", "returned", "short",
        rows=[_line_row(line) for line in facts["lines"]],
    )  # fmt: skip
    totals = account.get("totals", {})
    yield table("figure", "shop", "buyer", rows=[(n, _sum(t["shop"]), _sum(t["buyer"])) for n, t in totals.items()])
    if "personal" in facts:
        rows = [(name, json.dumps(value, ensure_ascii=False)) for name, value in (facts["personal"] or {}).items()]
        yield table("personal", "", rows=rows)


def _line_row(line: Json) -> tuple[Any, ...]:
    return (
        line["line_id"],
        line["sku"],
        line["title"],
        line["kind"],
        line["open"],
        _places(line["allocated"]),
        _places(line["shipped"]),
        line["returned"],
        line["short"],
    )


@app.command("release", epilog="Example: storebridge orders release aurora/5001 --by mia")
def release_order(ctx: typer.Context, order: Which, yes: Yes = False, by: By = None, dry_run: DryRun = False) -> None:
    """Send an order to the warehouse in spite of what holds it. The reasons will not hold it again."""
    key = OrderKey.parse(order)
    here = connected(ctx)
    shop_desk, commits = watched(desk(key.shop), dry_run=dry_run, attended=True)
    before = required(key, shop_desk)
    reasons = _holds(summary(before)["holds"])
    question = f"Overrule {reasons} and release {key}?" if reasons else f"Release {key}?"
    _ask(here.output, question, yes=yes or dry_run)
    release(key, shop_desk, by=actor(by))
    here.output.show({"dry_run": dry_run, **changed(before, commits)}, _change)


@app.command("cancel", epilog="Example: storebridge orders cancel aurora/5001 --dry-run")
def cancel_order(ctx: typer.Context, order: Which, yes: Yes = False, by: By = None, dry_run: DryRun = False) -> None:
    """Cancel an order for good and give its stock back. The shop itself is not told."""
    key = OrderKey.parse(order)
    here = connected(ctx)
    shop_desk, commits = watched(desk(key.shop), dry_run=dry_run, attended=True)
    before = required(key, shop_desk)
    _ask(here.output, f"Cancel {key} ({before.name}, {before.status}) for good?", yes=yes or dry_run)
    cancel(key, shop_desk, by=actor(by))
    here.output.show({"dry_run": dry_run, **changed(before, commits)}, _change)


@app.command(epilog="Example: storebridge orders review aurora/5001")
def review(
    ctx: typer.Context,
    order: Annotated[str | None, typer.Argument(metavar="[SHOP/ORDER]", show_default=False)] = None,
    dry_run: DryRun = False,
) -> None:
    """Look again now at one order, or at all that wait: stock may have come in, rules may have changed.

    A dry run looks at each order by itself: two that wait for the same unit are both shown to get it.
    """
    here = connected(ctx)
    key = OrderKey.parse(order) if order else None
    results: list[Json] = []
    with here.output.progress("Reviewing …") as progress:
        for shop in [key.shop] if key else sorted(settings().shops):
            shop_desk, commits = watched(desk(shop), dry_run=dry_run)
            if key:
                required(key, shop_desk)
            for looked_at in [reconsider(key, shop_desk)] if key else reconsider_shop(shop, shop_desk):
                progress.update(f"Reviewing … {looked_at.key}")
                results.append(_reviewed(looked_at, [commit for commit in commits if _is_of(commit, looked_at.key)]))
    tally = {name: sum(row["result"] == name for row in results) for name in ("changed", "unchanged", "postponed")}
    here.output.show({"dry_run": dry_run, **tally, "orders": results}, _review_listed)


def _is_of(commit: Any, key: OrderKey) -> bool:
    return bool(commit.record.key == key)


def _reviewed(looked_at: Reconsidered, commits: list[Any]) -> Json:
    facts: Json = {"order": str(looked_at.key), "result": "unchanged"}
    if looked_at.postponed:
        return facts | {"result": "postponed", "why": looked_at.postponed}
    if looked_at.after is None or looked_at.before is None:
        return facts
    return facts | {"result": "changed", **changed(looked_at.before, commits)}


def _review_listed(facts: Json) -> Iterator[RenderableType]:
    for row in facts["orders"]:
        if row["result"] == "changed":
            yield from _change({"dry_run": facts["dry_run"], **row})
        elif row["result"] == "postponed":
            yield f"{row['order']}: left for later, {row['why']}"
    would = "would change" if facts["dry_run"] else "changed"
    yield f"{facts['changed']} {would}, {facts['unchanged']} unchanged, {facts['postponed']} postponed."


def _change(facts: Json) -> Iterator[RenderableType]:
    before, after = facts["before"], facts["after"]
    yield pairs(
        {
            "order": facts["order"] + ("  (dry run: nothing is written)" if facts["dry_run"] else ""),
            "status": f"{before['status']} → {after['status']}",
            "holds lifted": _holds(facts["lifted"]),
            "holds now": _holds(after["holds"]),
            "by": f"{facts['cause']['actor']} ({facts['cause']['kind']})",
        }
    )
    if facts["stock"]:
        rows = [(m["sku"], m["location"], m["on_hand"], m["reserved"], m["available"]) for m in facts["stock"]]
        yield table("sku", "location", "on hand ±", "reserved ±", "available ±", rows=rows)


def _ask(output: Output, question: str, *, yes: bool) -> None:
    if not (yes or output.as_json):
        typer.confirm(question, abort=True, err=True)


def _matters(row: Json) -> str:
    """Why an order needs someone: its holds, and its lines that stock does not know."""
    unmapped = f"unmapped: {', '.join(row['unmapped'])}" if row["unmapped"] else ""
    return "; ".join(part for part in (_holds(row["holds"]), unmapped) if part)


def _holds(holds: list[Json]) -> str:
    return "; ".join(f"{hold['reason']}: {hold['detail']}" if hold["detail"] else hold["reason"] for hold in holds)


def _sum(amount: Json) -> str:
    return f"{amount['amount']} {amount['currency']}"


def _places(units: dict[str, int]) -> str:
    return ", ".join(f"{place or 'elsewhere'} {number}" for place, number in units.items())
