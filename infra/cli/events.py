"""`storebridge events`."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType

from infra.cli.mail import (
    Letter,
    archive_prefix,
    archived,
    customers_of,
    delivery_of,
    errand_of,
    order_of,
    put_through,
    set_aside,
)
from infra.cli.order_facts import Json, time
from infra.cli.output import Output, table
from infra.cli.target import connected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.platform.intake_queue import CUSTOMERS, ORDERS, PAYMENTS, IntakeQueue

app = typer.Typer(no_args_is_help=True, help="See what was set aside, and put messages through again.")

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show which, and put none through.")]
Customers = Annotated[bool, typer.Option("--customers", help="Messages about customers, not about orders.")]
Payments = Annotated[bool, typer.Option("--payments", help="Messages of payment providers. The archive has none.")]


@app.command("list", epilog="Example: storebridge events list --dlq --code no_api_access")
def list_events(
    ctx: typer.Context,
    *,
    dlq: Annotated[bool, typer.Option("--dlq", help="What was set aside (the dead-letter queue).")] = False,
    customers: Customers = False,
    payments: Payments = False,
    code: Annotated[str | None, typer.Option(help="Only with this reason's code.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> None:
    """What could not be taken in, and why. Bodies are not shown: they hold buyers' data."""
    if not dlq:
        raise typer.BadParameter("say what to list: --dlq", param_hint="--dlq")
    here = connected(ctx)
    queue = _intake(customers=customers, payments=payments).dead_letters_variable
    with here.output.progress("Looking …"), set_aside(limit, code, queue=queue) as letters:
        facts = {"events": [_facts(letter) for letter in letters]}
    here.output.show(facts, _listed)


def _facts(letter: Letter) -> Json:
    return {
        "message_id": letter.message_id,
        "code": letter.code,
        "field": letter.reasons.get("field"),
        "reason": letter.reasons.get("reason"),
        **letter.envelope(),
        "since": time(letter.sent_at),
        "received": letter.received,
    }


def _listed(facts: Json) -> Iterator[RenderableType]:
    if not facts["events"]:
        yield "Nothing is set aside."
        return
    columns = ("message_id", "shop", "topic", "code", "field", "reason", "since")
    yield table(*columns, rows=[[event[name] for name in columns] for event in facts["events"]])


@app.command(epilog="Example: storebridge events replay --from-archive 2026-11-23 --order aurora/5001")
def replay(  # noqa: PLR0913 - each is a word of the command
    ctx: typer.Context,
    *,
    from_archive: Annotated[
        str | None, typer.Option(metavar="DAY[/PREFIX]", help="Messages of a day: 2026-11-23.")
    ] = None,
    from_dlq: Annotated[bool, typer.Option("--from-dlq", help="Messages that were set aside.")] = False,
    customers: Customers = False,
    payments: Payments = False,
    order: Annotated[str | None, typer.Option(metavar="SHOP/ORDER", help="Only about this order.")] = None,
    customer: Annotated[
        str | None, typer.Option(metavar="KEY", help="Only about this customer; means --customers.")
    ] = None,
    shop: Annotated[str | None, typer.Option(help="Only of this shop, or payment account.")] = None,
    code: Annotated[str | None, typer.Option(help="Only with this reason's code (--from-dlq).")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Look at so many at most (--from-dlq).")] = 500,
    dry_run: DryRun = False,
) -> None:
    """Put messages onto the queue of orders again, or of customers or payments (--customers, --payments), unchanged.

    This is safe: intake compares versions, so what is known already changes nothing, and nobody who was erased is taken
    in again. A message leaves the dead-letter queue only after the queue has it.
    """
    if (from_archive is None) == (not from_dlq):
        raise typer.BadParameter("say where from: either --from-archive DAY or --from-dlq")
    if from_archive is not None and code is not None:
        raise typer.BadParameter("only what was set aside has a code", param_hint="--code")
    if order is not None and (customers or payments or customer is not None):
        raise typer.BadParameter("orders have a queue of their own", param_hint="--order")
    if payments and from_archive is not None:
        raise typer.BadParameter(
            "the archive has no payments: their providers tell them again", param_hint="--payments"
        )
    intake = _intake(customers=customers or customer is not None, payments=payments)
    wanted = _Wanted(
        intake, OrderKey.parse(order) if order else None, CustomerKey.parse(customer) if customer else None, shop
    )
    prefix = archive_prefix(from_archive, intake.folder) if from_archive is not None else None
    here = connected(ctx)
    if prefix is not None:
        _replay_archive(here.output, prefix, wanted, dry_run=dry_run)
    else:
        with set_aside(limit, code, queue=intake.dead_letters_variable) as letters:
            _replay(here.output, wanted.among(letters), from_dlq=True, wanted=wanted, dry_run=dry_run)


def _intake(*, customers: bool, payments: bool) -> IntakeQueue:
    if customers and payments:
        raise typer.BadParameter("either of customers or of payments", param_hint="--payments")
    return PAYMENTS if payments else CUSTOMERS if customers else ORDERS


class _Wanted:
    """Which messages to put through; counts those that it could not read, and so not judge."""

    def __init__(
        self, intake: IntakeQueue, order: OrderKey | None, customer: CustomerKey | None, shop: str | None
    ) -> None:
        named = order or customer
        if named and shop and named.shop != shop:
            raise typer.BadParameter(f"{named} is not of shop {shop}", param_hint="--shop")
        self.intake = intake
        self._order = order
        self._customer = customer
        self._shop = named.shop if named else shop
        self.found = 0
        self.unreadable = 0

    def among(self, letters: list[Letter] | Iterator[Letter]) -> list[Letter]:
        return [letter for letter in letters if self._is_wanted(letter)]

    def _is_wanted(self, letter: Letter) -> bool:
        self.found += 1
        if self._shop is None:
            return True
        errand = errand_of(letter)
        if errand is not None:  # about an order's buyer: which of the customers that is, only the order tells
            return errand.shop == self._shop and self._customer is None
        delivery = delivery_of(letter)
        if delivery is None:
            self.unreadable += 1
            return False
        if delivery.shop != self._shop:
            return False
        if self._customer is not None:
            return self._customer in customers_of(delivery)
        return self._order is None or order_of(delivery) == self._order


def _replay_archive(output: Output, prefix: str, wanted: _Wanted, *, dry_run: bool) -> None:
    with output.progress(f"Reading the archive under {prefix} …"):
        letters = wanted.among(archived(prefix))
    _replay(output, letters, from_dlq=False, wanted=wanted, dry_run=dry_run)


def _replay(output: Output, letters: list[Letter], *, from_dlq: bool, wanted: _Wanted, dry_run: bool) -> None:
    replayed = 0
    if not dry_run:
        with output.progress("Putting through …") as progress:
            for replayed in put_through(letters, and_delete=from_dlq, intake=wanted.intake):
                progress.update(f"Putting through … {replayed} of {len(letters)}")
    facts: Json = {
        "dry_run": dry_run,
        "source": "dlq" if from_dlq else "archive",
        "queue": wanted.intake.folder,
        "found": wanted.found,
        "unreadable": wanted.unreadable,
        "selected": len(letters),
        "replayed": replayed,
        "events": [{"message_id": letter.message_id, **letter.envelope()} for letter in letters],
    }
    output.show(facts, _replayed)


def _replayed(facts: Json) -> Iterator[RenderableType]:
    if facts["dry_run"] and facts["events"]:
        columns = ("message_id", "shop", "topic")
        yield table(*columns, rows=[[event[name] for name in columns] for event in facts["events"]])
    would = "would be put through" if facts["dry_run"] else "put through"
    count = facts["selected"] if facts["dry_run"] else facts["replayed"]
    yield f"{count} of {facts['found']} messages {would}."
    if facts["unreadable"]:
        yield f"{facts['unreadable']} could not be read, so nobody can say whose they are."
