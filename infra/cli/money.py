"""`storebridge money`."""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Annotated

import typer

from infra.cli import money_cases, money_days, money_files
from infra.cli.money_days import what_is_next
from infra.cli.money_facts import amounts, feed_facts, order_money_facts, reconciled_facts, tie_facts
from infra.cli.money_options import DryRun, read_day, today
from infra.cli.money_tables import backfilled, explained, reconciled, status_shown
from infra.cli.order_facts import Json, time
from infra.cli.output import Output
from infra.cli.target import connected
from shared.finance.cases import Case, CaseState
from shared.finance.close import blocks
from shared.finance.reconcile_books import reconcile_books
from shared.finance.trial import Balances, Tie, held_by
from shared.kernel.errors import Rejected, StorebridgeError
from shared.kernel.identifiers import OrderKey
from shared.orders.errands import Office, Reason
from shared.platform.configuration import settings
from shared.platform.errand_queue import OrderErrand, send
from shared.platform.settings import PaymentSettings
from shared.sync.finance.progress import FeedProgress
from shared.wiring.finance_desk import books_desk, latest_ties
from shared.wiring.finance_tables import finance_table, progress_table
from shared.wiring.order_money import explained as explain_order
from shared.wiring.payment_reconciliation import read_feed, worker_of
from shared.wiring.tables import order_table

app = typer.Typer(no_args_is_help=True, help="Reconcile payments, work on exceptions, close days.")

_PER_CALL = 10


@app.command(epilog="Example: storebridge money status")
def status(ctx: typer.Context) -> None:
    """Where the books stand: how far feeds were read, whether balances tie, what is open, what the next day lacks."""
    here = connected(ctx)
    yesterday = today() - timedelta(days=1)
    with here.output.progress("Looking …"):
        progress = {one.account: one for one in progress_table().all()}
        ties, balances = latest_ties(), finance_table().balances_before(today() + timedelta(days=1))
        cases = tuple(finance_table().cases(CaseState.OPEN, CaseState.PROPOSED))
        last = finance_table().last_closed()
        facts: Json = {
            "accounts": [
                _account_facts(name, known, progress.get(name), ties, balances)
                for name, known in sorted(settings().payments.items())
            ],
            "cases": list(_case_counts(cases, today())),
            "last_closed": last.isoformat() if last else None,
            "next": what_is_next(yesterday, finance_table()),
        }
    here.output.show(facts, status_shown)


def _account_facts(
    name: str,
    account: PaymentSettings,
    progress: FeedProgress | None,
    ties: Iterable[Tie],
    balances: Balances,
) -> Json:
    own = [tie for tie in ties if tie.account == name]
    told = {tie.currency for tie in own}
    currencies = {currency for _, of, currency in balances if of == name} - told
    held = {currency: held_by(balances, name, currency) for currency in currencies}
    return {
        "account": name,
        "vendor": account.vendor,
        "feed": feed_facts(progress, api_access=account.api_access),
        "tells_balance": account.tells_balance,
        "ties": [tie_facts(tie) for tie in own],
        "held_untold": amounts({currency: minor for currency, minor in held.items() if minor}),
    }


def _case_counts(cases: Iterable[Case], day: date) -> Iterator[Json]:
    by_kind: dict[str, list[Case]] = {}
    for case in cases:
        by_kind.setdefault(case.discrepancy.kind.value, []).append(case)
    for kind, found in sorted(by_kind.items()):
        states = Counter(case.state for case in found)
        yield {
            "kind": kind,
            "open": states[CaseState.OPEN],
            "proposed": states[CaseState.PROPOSED],
            "blocking": sum(blocks(case, day, settings().finance) for case in found),
            "oldest_days": max(0, *(case.age_days(day) for case in found)),
        }


@app.command(epilog="Example: storebridge money reconcile --account stripe-eu --dry-run")
def reconcile(
    ctx: typer.Context,
    *,
    account: Annotated[
        list[str] | None, typer.Option(help="Read this account's feed alone; may be repeated. Left out, all of them.")
    ] = None,
    no_pull: Annotated[bool, typer.Option("--no-pull", help="Read no feed: work with what is there.")] = False,
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="Judge from this day on, instead of the settings' look-back.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read no feed, work everything out, and write nothing.")
    ] = False,
) -> None:
    """Hold what was sold, paid, paid out and banked against each other, and bring cases and ledger to what comes of it.

    A feed that cannot be read stops neither the other feeds nor the reconciliation; it ends with 1 then.
    """
    judged = read_day(since, "since") if since else None
    here = connected(ctx)
    names = [name for name in account or sorted(settings().payments) if settings().payment_account(name).api_access]
    read = [] if no_pull or dry_run else list(_read_feeds(here.output, names))
    with here.output.progress("Reconciling …") as progress:
        done = reconcile_books(
            books_desk(), judged=judged, dry_run=dry_run, progress=lambda stage: progress.update(f"{stage} …")
        )
    here.output.show({"read": read, **reconciled_facts(done)}, reconciled)
    if any(one["error"] for one in read):
        raise typer.Exit(1)


def _read_feeds(output: Output, names: Iterable[str]) -> Iterator[Json]:
    worker = worker_of(lambda: True, run=f"operator/{uuid.uuid4().hex}")
    with output.progress("Reading …") as progress:
        for name in names:
            progress.update(f"Reading the feed of {name} …")
            facts: Json = {"account": name, "finished": False, "new": 0, "changed": 0, "read_until": None}
            try:
                report = read_feed(name, worker)
            except StorebridgeError as error:
                yield facts | {"error": error.code}
                continue
            counts = {word: report.counts.get(word, 0) for word in ("new", "changed")}
            told = {"finished": report.finished, "read_until": time(report.read_until), "error": None}
            yield facts | counts | told


@app.command(epilog="Example: storebridge money explain aurora/5001 --entries")
def explain(
    ctx: typer.Context,
    order: Annotated[str, typer.Argument(metavar="SHOP/ORDER", help="Such as aurora/5001.", show_default=False)],
    *,
    entries: Annotated[bool, typer.Option("--entries", help="Also every journal entry, reversals too.")] = False,
) -> None:
    """One order to the cent: its total, what was received and kept back, where the rest is, what nothing explains."""
    key = OrderKey.parse(order)
    here = connected(ctx)
    found = explain_order(key)
    here.output.show(order_money_facts(found.money, found.entries if entries else None), explained)


app.add_typer(money_cases.app)
app.add_typer(money_files.app)
app.add_typer(money_days.app)


@app.command(epilog="Example: storebridge money backfill --since 2026-10-01 --dry-run")
def backfill(
    ctx: typer.Context,
    *,
    since: Annotated[str, typer.Option(metavar="DAY", help="Orders placed from this day on.", show_default=False)],
    until: Annotated[str | None, typer.Option(metavar="DAY", help="And up to this one; left out, today.")] = None,
    shop: Annotated[str | None, typer.Option(help="Only this shop's.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Have orders entered in the books that came before finance was switched on. Reads the whole table of orders."""
    first, wanted = read_day(since, "since"), read_day(until, "until") if until else None
    here = connected(ctx)
    last = wanted or today()
    if last < first:
        raise Rejected("invalid_period", "the last day is before the first", field="until")
    if shop is not None:
        settings().shop(shop)
    here.output.note("Reading the whole table of orders.")
    chosen = list(_placed(here.output, shop, first, last))
    sent = 0 if dry_run else _send(here.output, chosen)
    facts: Json = {
        "dry_run": dry_run,
        "since": first.isoformat(),
        "until": last.isoformat(),
        "selected": len(chosen),
        "sent": sent,
    }
    here.output.show(facts, backfilled)


def _placed(output: Output, shop: str | None, first: date, last: date) -> Iterator[OrderKey]:
    zone = settings().finance.zone
    with output.progress("Reading …") as progress:
        for number, record in enumerate(order_table().all_records(shop), start=1):
            progress.update(f"Reading … {number} orders")
            if first <= record.placed_at.astimezone(zone).date() <= last:
                yield record.key


def _send(output: Output, keys: list[OrderKey]) -> int:
    sent = 0
    with output.progress("Sending …") as progress:
        for start in range(0, len(keys), _PER_CALL):
            batch = keys[start : start + _PER_CALL]
            send(
                (OrderErrand(shop=key.shop, order_id=key.order_id, reasons=(Reason.ASKED,)) for key in batch),
                Office.FINANCE,
            )
            sent += len(batch)
            progress.update(f"Sending … {sent} of {len(keys)}")
    return sent
