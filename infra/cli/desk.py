"""`storebridge desk`: the error desk, and what else stands between an order and the back office."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from typing import Annotated

import typer

from infra.cli.desk_facts import rehearsal_facts, stand_facts, stopped_facts
from infra.cli.desk_tables import asked, behind_listed, listed, redriven, rehearsed, shown
from infra.cli.given_up import DEAD_LETTERS_OF, GivenUp, given_up, put_back
from infra.cli.order_facts import Json
from infra.cli.order_stage import connections_of, stand_of
from infra.cli.output import Output
from infra.cli.target import connected
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import OrderKey
from shared.orders.errands import Office, Reason
from shared.orders.record import OrderRecord
from shared.platform.configuration import settings
from shared.platform.errand_queue import OrderErrand, send
from shared.sync.backoffice.company import Company, company_of
from shared.sync.backoffice.mirror import Stopped
from shared.sync.backoffice.rehearse import Rehearsed, rehearse
from shared.sync.stages import behind as offices_behind
from shared.wiring.backoffice_desk import books_desk
from shared.wiring.backoffice_tables import mirror_table
from shared.wiring.tables import order_records, order_table

app = typer.Typer(
    no_args_is_help=True, help="See what stopped on its way to the back office or the shop, mend it, and send it on."
)

_PER_CALL = 10
Asked = tuple[Office, OrderKey]

Which = Annotated[str, typer.Argument(metavar="SHOP/ORDER", help="Such as aurora/5001.", show_default=False)]
Some = Annotated[list[str] | None, typer.Argument(metavar="[SHOP/ORDER…]", show_default=False)]
Shop = Annotated[str | None, typer.Option(help="Only this shop's.")]
Code = Annotated[str | None, typer.Option(help="Only what stopped for this reason, such as unmapped_tax.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show which, and send none.")]


# The error desk


@app.command("list", epilog="Example: storebridge desk list --shop aurora --code unmapped_tax")
def list_stopped(
    ctx: typer.Context,
    *,
    shop: Shop = None,
    code: Code = None,
    passing: Annotated[bool, typer.Option("--passing", help="Only what is tried again by itself.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Both what waits for a person and what passes.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> None:
    """Orders that stopped and wait for a person, the longest first, with the reason and the command that goes on."""
    if passing and everything:
        raise typer.BadParameter("either --passing or --all", param_hint="--passing")
    here = connected(ctx)
    found = [entry for entry in _stopped(shop, code) if everything or entry.stop.passing is passing]
    found.sort(key=lambda entry: (entry.stop.since, entry.key, entry.office))
    records = order_records().find_many({entry.key for entry in found[:limit]})
    language = settings().notifications.language
    facts: Json = {
        "stopped": [stopped_facts(entry, records.get(entry.key), language) for entry in found[:limit]],
        "more": len(found) - len(found[:limit]),
        "codes": _counted(entry.stop.code for entry in found),
    }
    here.output.show(facts, listed)


def _stopped(shop: str | None, code: str | None) -> Iterator[Stopped]:
    for name in _shops(shop):
        yield from (entry for entry in mirror_table().stopped(name) if code in (None, entry.stop.code))


def _shops(shop: str | None) -> list[str]:
    """The shop, if there is one of this name, or all."""
    if shop is None:
        return sorted(settings().shops)
    settings().shop(shop)
    return [shop]


def _counted(words: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return dict(sorted(counts.items()))


@app.command(epilog="Example: storebridge desk show aurora/5001")
def show(ctx: typer.Context, order: Which) -> None:
    """Where one order stands: its sale, documents and consignments, what the shop was told, and what stops it."""
    key = OrderKey.parse(order)
    here = connected(ctx)
    record = _records([key])[0]
    stand = stand_of(record)
    language = settings().notifications.language
    here.output.show(stand_facts(record, stand.mirror, stand.told, stand.stage, language), shown)


@app.command(epilog="Example: storebridge desk retry --code unmapped_tax --shop aurora --dry-run")
def retry(
    ctx: typer.Context,
    orders: Some = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that is on the error desk.")] = False,
    code: Code = None,
    shop: Shop = None,
    dry_run: DryRun = False,
) -> None:
    """Have orders looked at again, once what stopped them is mended. An order with nothing to do stays as it is.

    An order that is named and not stopped is looked at by everybody whom its shop tells.
    """
    if sum((bool(orders), everything, code is not None)) != 1:
        raise typer.BadParameter("say what to retry: orders, --all or --code CODE")
    if orders and shop is not None:
        raise typer.BadParameter("orders name their shop", param_hint="--shop")
    keys = [OrderKey.parse(order) for order in dict.fromkeys(orders or ())]
    here = connected(ctx)
    chosen = list(_named(keys)) if keys else [(entry.office, entry.key) for entry in _stopped(shop, code)]
    _ask(here.output, chosen, dry_run=dry_run)


def _named(keys: Sequence[OrderKey]) -> Iterator[Asked]:
    _records(keys)
    for key in keys:
        mirror, told = mirror_table().find(key), mirror_table().find_told(key)
        stopped = {
            office: side is not None and side.stop is not None
            for office, side in ((Office.BACKOFFICE, mirror), (Office.STOREFRONT, told))
        }
        offices = [office for office, stops in stopped.items() if stops] or list(_offices(key.shop))
        yield from ((office, key) for office in offices)


def _offices(shop: str) -> Iterator[Office]:
    settings().shop(shop)
    connections = connections_of(shop)
    if connections.backoffice is None and not connections.tells:
        hint = f"name a back office: shops.{shop}.backoffice"
        raise Rejected("nobody_to_ask", f"shop {shop} has no back office and is told nothing", field="shop", hint=hint)
    if connections.backoffice is not None:
        yield Office.BACKOFFICE
    if connections.tells:
        yield Office.STOREFRONT


def _records(keys: Sequence[OrderKey]) -> list[OrderRecord]:
    """The records of all these orders, or `Rejected` with code `unknown_order`."""
    found = order_records().find_many(keys)
    for key in keys:
        if key not in found:
            raise Rejected("unknown_order", f"there is no order {key}", field="order")
    return [found[key] for key in keys]


def _ask(output: Output, chosen: Sequence[Asked], *, dry_run: bool) -> None:
    sent = 0 if dry_run else _send(output, chosen)
    facts: Json = {
        "dry_run": dry_run,
        "selected": len(chosen),
        "sent": sent,
        "errands": [{"order": str(key), "office": office.value} for office, key in chosen],
    }
    output.show(facts, asked)


def _send(output: Output, chosen: Sequence[Asked]) -> int:
    """Put errands on the queues, and return how many."""
    sent = 0
    with output.progress("Sending …") as progress:
        for office in Office:
            errands = [
                OrderErrand(shop=key.shop, order_id=key.order_id, reasons=(Reason.ASKED,))
                for to, key in chosen
                if to is office
            ]
            for start in range(0, len(errands), _PER_CALL):
                batch = errands[start : start + _PER_CALL]
                send(batch, office)
                sent += len(batch)
                progress.update(f"Sending … {sent} of {len(chosen)}")
    return sent


# What nobody stopped, and still is not there


@app.command(epilog="Example: storebridge desk behind --shop aurora --retry")
def behind(
    ctx: typer.Context,
    *,
    shop: Shop = None,
    limit: Annotated[int, typer.Option(min=1, help="Stop after so many.")] = 1000,
    again: Annotated[bool, typer.Option("--retry", help="Have them looked at again.")] = False,
) -> None:
    """Orders that back office or shop have not been brought up to. Reads the whole table of orders.

    Changes whose relay failed are found here. Orders that changed a moment ago are on their way, and listed as well.
    """
    here = connected(ctx)
    names = _shops(shop)
    here.output.note("Reading the whole table of orders.")
    found: list[tuple[OrderRecord, tuple[Office, ...]]] = []
    for one in _behind(here.output, names):
        found.append(one)
        if len(found) > limit:
            break
    chosen = [(office, record.key) for record, offices in found[:limit] for office in offices]
    facts: Json = {
        "orders": [
            {
                "order": str(record.key),
                "name": record.name,
                "status": record.status,
                "revision": record.revision,
                "offices": [office.value for office in offices],
            }
            for record, offices in found[:limit]
        ],
        "more": len(found) > limit,
        "sent": _send(here.output, chosen) if again else 0,
    }
    here.output.show(facts, behind_listed)


def _behind(output: Output, shops: Sequence[str]) -> Iterator[tuple[OrderRecord, tuple[Office, ...]]]:
    number = 0
    with output.progress("Reading …") as progress:
        for shop in shops:
            connections = connections_of(shop)
            for record in order_table().all_records(shop):
                number += 1
                progress.update(f"Reading … {number} orders")
                offices = offices_behind(
                    record,
                    mirror_table().find(record.key) if connections.backoffice else None,
                    mirror_table().find_told(record.key) if connections.tells else None,
                    connected=connections.backoffice is not None,
                    tells=connections.tells,
                )
                if offices:
                    yield record, offices


@app.command(epilog="Example: storebridge desk redrive --office backoffice --dry-run")
def redrive(
    ctx: typer.Context,
    *,
    office: Annotated[Office | None, typer.Option(help="Only the errands to this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each queue.")] = 1000,
    dry_run: DryRun = False,
) -> None:
    """Put errands that were given up back onto their queues: after three days of trying, or when a function broke down.

    An errand leaves the dead-letter queue only after its queue has it; twice does no harm. What is no errand stays.
    The failure queues of the two relays cannot be put back: they name a part of a stream, not orders. Changes of orders
    that failed there are found by: storebridge desk behind --retry.
    """
    if office is not None and office not in DEAD_LETTERS_OF:
        raise typer.BadParameter("see storebridge events replay --from-dlq --customers", param_hint="--office")
    here = connected(ctx)
    letters: list[tuple[Office, GivenUp]] = []
    sent = 0
    for one in [office] if office else DEAD_LETTERS_OF:
        with given_up(one, limit) as found:
            letters += [(one, letter) for letter in found]
            if not dry_run:
                sent += _put_back(here.output, found, one)
    facts: Json = {
        "dry_run": dry_run,
        "found": len(letters),
        "sent": sent,
        "unreadable": sum(letter.errand is None for _, letter in letters),
        "errands": [
            {
                "office": one.value,
                "message_id": found.letter.message_id,
                "subject": found.subject,
                "code": found.letter.code,
            }
            for one, found in letters
        ],
    }
    here.output.show(facts, redriven)


def _put_back(output: Output, letters: Sequence[GivenUp], office: Office) -> int:
    done = 0
    with output.progress("Putting back …") as progress:
        for done in put_back(letters, office):
            progress.update(f"Putting back … {done} of {len(letters)}")
    return done


# Rehearsals


@app.command("rehearse", epilog="Example: storebridge desk rehearse --shop aurora --limit 20")
def rehearse_orders(
    ctx: typer.Context,
    orders: Some = None,
    *,
    shop: Annotated[str | None, typer.Option(help="The latest orders of this shop.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many of them at most.")] = 20,
    personal: Annotated[
        bool, typer.Option("--personal", help="Also the buyer as the back office would get him.")
    ] = False,
) -> None:
    """What the back office would be given now: sale, taxes, invoice, payments, the steps, and every problem at once.

    The back office is only read, and nothing is written anywhere.
    """
    if bool(orders) == (shop is not None):
        raise typer.BadParameter("say what to rehearse: orders, or --shop SHOP")
    keys = [OrderKey.parse(order) for order in dict.fromkeys(orders or ())]
    here = connected(ctx)
    if shop is not None:
        keys = _latest(here.output, shop, limit)
    results = list(_rehearsed(here.output, keys))
    facts: Json = {
        "rehearsals": [rehearsal_facts(result, personal=personal) for result in results],
        "pass": sum(result.passes for result in results),
        "stop": sum(not result.passes for result in results),
        "codes": _counted(problem.code for result in results for problem in result.problems),
    }
    here.output.show(facts, rehearsed)


def _latest(output: Output, shop: str, most: int) -> list[OrderKey]:
    settings().shop(shop)
    output.note("Reading the whole table of orders.")
    with output.progress("Reading …"):
        records = nlargest(most, order_table().all_records(shop), key=lambda record: (record.placed_at, record.key))
    return [record.key for record in records]


def _rehearsed(output: Output, keys: Sequence[OrderKey]) -> Iterator[Rehearsed]:
    companies: dict[str, Company] = {}
    with output.progress("Rehearsing …") as progress:
        for number, key in enumerate(keys, start=1):
            progress.update(f"Rehearsing … {key}, {number} of {len(keys)}")
            desk = books_desk(key.shop)
            if desk.name not in companies:
                companies[desk.name] = company_of(desk.office)
            yield rehearse(key, desk, companies[desk.name])
