"""`storebridge customers`."""

from collections.abc import Callable, Iterable, Iterator
from heapq import nlargest
from typing import Annotated

import typer

from infra.cli import proposals
from infra.cli.customer_counter import desk_for, members_of, offices_of, record_of, stands_of
from infra.cli.customer_facts import decided, found_facts, merge_facts, stopped_facts, summary, whole
from infra.cli.customer_tables import asked, change, found_listed, joined, listed, shown
from infra.cli.order_facts import Json
from infra.cli.output import Output
from infra.cli.target import ACTOR_VARIABLE, actor, connected
from shared.customers import merging, verify
from shared.customers.contact import read_contact
from shared.customers.marks import Mark, MarkKind, mailbox_of, normal_email
from shared.customers.merges import Merge, MergeReason
from shared.customers.models import Profile
from shared.customers.ports import CustomerDesk
from shared.customers.record import CustomerRecord
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey
from shared.orders.errands import Office
from shared.platform.configuration import settings
from shared.platform.errand_queue import CustomerErrand, send
from shared.sync.backoffice.mirror import Stop
from shared.sync.customers.mirror import PersonMirror
from shared.wiring.customer_push import person_mirrors
from shared.wiring.customer_tables import customer_table, marker

app = typer.Typer(
    no_args_is_help=True, help="Look at customers; verify, refuse, join and part them; keep them in step."
)
app.add_typer(proposals.app, name="proposals", epilog="Example: storebridge customers proposals list")

BY_OPERATOR = MergeReason(kind="operator", weight=0)
"""Why two customers are one person, where an operator says so of their own accord."""
_MOST_FOUND = 100

Which = Annotated[str, typer.Argument(metavar="KEY", help="Such as aurora/customer/17.", show_default=False)]
Shop = Annotated[str | None, typer.Option(help="Only this shop's.")]
By = Annotated[str | None, typer.Option("--by", help=f"Who answers for it [{ACTOR_VARIABLE}, or your user name].")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


# Looking


@app.command("list", epilog="Example: storebridge customers list --shop aurora")
def list_customers(
    ctx: typer.Context,
    *,
    shop: Shop = None,
    everything: Annotated[bool, typer.Option("--all", help="Not only those that need someone.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """Customers that someone must look at, longest waiting first; with --all any, those who registered last first.

    Those whom something keeps from being in step with the back office are listed below.
    """
    here = connected(ctx)
    shops = _shops(shop)
    if everything:
        here.output.note("Reading the whole table of customers.")
        records = _newest(_scanned(here.output, shop), limit + 1)
    else:
        records = _waiting(shops, limit + 1)
    stopped = sorted(_stopped(shops), key=lambda one: (one[1].since, one[0].leader, one[0].backoffice))
    language = settings().notifications.language
    facts: Json = {
        "customers": [summary(record) for record in records[:limit]],
        "more": len(records) > limit,
        "read": "table" if everything else "attention_index",
        "stopped": [stopped_facts(mirror, stop, language) for mirror, stop in stopped[:limit]],
        "more_stopped": max(0, len(stopped) - limit),
    }
    here.output.show(facts, listed)


def _shops(shop: str | None) -> list[str]:
    """The shop, if there is one of this name, or all."""
    if shop is None:
        return sorted(settings().shops)
    settings().shop(shop)
    return [shop]


def _waiting(shops: Iterable[str], most: int) -> list[CustomerRecord]:
    found = [record for shop in shops for _, record in zip(range(most), _flagged(shop), strict=False)]
    return sorted(found, key=lambda record: (record.attention_since, record.key))[:most]


def _flagged(shop: str) -> Iterator[CustomerRecord]:
    book = customer_table()
    for key in book.needing_attention(shop):
        record = book.find(key)
        if record is not None and record.attention_since is not None:  # the index follows a little later
            yield record


def _scanned(output: Output, shop: str | None) -> Iterator[CustomerRecord]:
    with output.progress("Reading …") as progress:
        for number, record in enumerate(customer_table().all_records(shop), start=1):
            progress.update(f"Reading … {number} customers")
            yield record


def _newest(records: Iterable[CustomerRecord], most: int) -> list[CustomerRecord]:
    def registered(record: CustomerRecord) -> tuple[str, CustomerKey]:
        return record.registered_at.isoformat() if record.registered_at else "", record.key

    return nlargest(most, records, key=registered)


def _stopped(shops: Iterable[str]) -> Iterator[tuple[PersonMirror, Stop]]:
    for shop in shops:
        yield from ((mirror, mirror.stop) for mirror in person_mirrors().stopped(shop) if mirror.stop is not None)


@app.command(epilog="Example: storebridge customers show aurora/customer/17")
def show(
    ctx: typer.Context,
    customer: Which,
    personal: Annotated[
        bool, typer.Option("--personal", help="Also name, addresses, and what lost in conflicts.")
    ] = False,
) -> None:
    """All that is kept of one customer: verification, flags, consents, the person it belongs to, orders, merges,
    conflicts, and whether the back office is in step. Personal data only with --personal."""
    key = CustomerKey.parse(customer)
    here = connected(ctx)
    record = record_of(key)
    members = members_of(record)
    book = customer_table()
    leader = CustomerKey.parse(record.leader)
    facts = whole(
        record,
        members=members,
        orders=merging.orders_of_person(key, book),
        merges=[merge for one in dict.fromkeys((leader, key)) for merge in book.merges_of(one)],
        conflicts=[conflict for one in dict.fromkeys((leader, key)) for conflict in book.conflicts_of(one)],
        back_offices=stands_of(members, personal=personal),
        customer=book.find_customer(key),
        personal=personal,
    )
    here.output.show(facts, shown)


@app.command(epilog="Example: storebridge customers find +4930901820")
def find(
    ctx: typer.Context,
    text: Annotated[
        str, typer.Argument(metavar="ADDRESS-OR-NUMBER", help="E-mail address, or telephone.", show_default=False)
    ],
) -> None:
    """Customers who have this e-mail address or telephone number. Only keys are shown; see customers show."""
    here = connected(ctx)
    found: dict[CustomerKey, set[str]] = {}
    is_more = False
    for mark in _marks_of(text):
        bearers = customer_table().bearers(mark, most=_MOST_FOUND + 1)
        is_more = is_more or len(bearers) > _MOST_FOUND
        for key in bearers[:_MOST_FOUND]:
            found.setdefault(key, set()).add(mark.kind.value)
    facts = found_facts(found, customer_table().find_many(found))
    here.output.show({**facts, "more": is_more}, found_listed)


def _marks_of(text: str) -> list[Mark]:
    """What a customer with this address or number bears, or `Rejected` with code `invalid_search`."""
    if "@" in text:
        normal = normal_email(text)
        return [marker().mark(MarkKind.EMAIL, normal), marker().mark(MarkKind.MAILBOX, mailbox_of(normal))]
    countries = [None, *sorted({country for shop in settings().shops if (country := settings().country_of(shop))})]
    contacts = (read_contact(Profile(phone=text), country) for country in countries)
    numbers = dict.fromkeys(contact.phone_e164 for contact in contacts if contact.phone_e164)
    if not numbers:
        hint = "write the number with its country, such as +49 30 901820"
        message = "that is neither an e-mail address nor a telephone number"
        raise Rejected("invalid_search", message, field="text", hint=hint)
    return [marker().mark(MarkKind.PHONE, number) for number in numbers]


# Verification


@app.command("verify", epilog="Example: storebridge customers verify aurora/customer/17 --by mia")
def verify_customer(ctx: typer.Context, customer: Which, *, by: By = None, dry_run: DryRun = False) -> None:
    """Answer for a customer: they are who they say. Orders that waited for it are looked at again."""
    _decide(ctx, customer, lambda key, desk: verify.approve(key, desk, by=actor(by)), dry_run=dry_run)


@app.command(epilog="Example: storebridge customers reject aurora/customer/17 --by mia")
def reject(ctx: typer.Context, customer: Which, *, by: By = None, dry_run: DryRun = False) -> None:
    """Refuse a customer: their orders are held, whatever the policy, until you verify or reopen them."""
    _decide(ctx, customer, lambda key, desk: verify.reject(key, desk, by=actor(by)), dry_run=dry_run)


@app.command(epilog="Example: storebridge customers reopen aurora/customer/17")
def reopen(ctx: typer.Context, customer: Which, *, by: By = None, dry_run: DryRun = False) -> None:
    """Take back a yes or a no: the customer may be asked again."""
    _decide(ctx, customer, lambda key, desk: verify.reopen(key, desk, by=actor(by)), dry_run=dry_run)


@app.command(epilog="Example: storebridge customers clear aurora/customer/17")
def clear(ctx: typer.Context, customer: Which, *, by: By = None, dry_run: DryRun = False) -> None:
    """Overrule what was flagged, for good; then the customer is asked, if the policy had waited for that."""
    _decide(ctx, customer, lambda key, desk: verify.overrule_flags(key, desk, by=actor(by)), dry_run=dry_run)


@app.command(epilog="Example: storebridge customers ask aurora/customer/17")
def ask(ctx: typer.Context, customer: Which, *, by: By = None, dry_run: DryRun = False) -> None:
    """Send the link that proves the e-mail address again, whatever the policy. Links sent before hold no more."""

    def ask_again(key: CustomerKey, desk: CustomerDesk) -> CustomerRecord:
        if settings().shop(key.shop).buyers is None:
            message = f"nothing writes to the buyers of {key.shop}, so the link would reach nobody"
            hint = f"say who sends it: shops.{key.shop}.buyers, then storebridge settings push FILE"
            raise Rejected("no_sender", message, field=f"shops.{key.shop}.buyers", hint=hint)
        return verify.ask_again(key, desk, by=actor(by))

    _decide(ctx, customer, ask_again, dry_run=dry_run)


def _decide(
    ctx: typer.Context,
    customer: str,
    step: Callable[[CustomerKey, CustomerDesk], CustomerRecord],
    *,
    dry_run: bool,
) -> None:
    key = CustomerKey.parse(customer)
    here = connected(ctx)
    desk = desk_for([key], dry_run=dry_run)
    before = verify.required(key, desk)
    after = step(key, desk)
    here.output.show({"dry_run": dry_run, **decided(before, after), "by": after.cause.actor}, change)


# One person


@app.command(epilog="Example: storebridge customers merge aurora/customer/17 borealis/customer/4 --by mia")
def merge(
    ctx: typer.Context,
    customer: Which,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Another customer's key.", show_default=False)],
    *,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Say that two customers are one person. Nothing of either is changed or lost: see customers unmerge."""
    one, another = CustomerKey.parse(customer), CustomerKey.parse(other)
    here = connected(ctx)
    desk = desk_for([one, another], dry_run=dry_run)
    before = [verify.required(key, desk).leader for key in (one, another)]
    made = merging.merge(one, another, desk, reasons=(BY_OPERATOR,), by=actor(by))
    facts = merged_facts(made, desk, dry_run=dry_run)
    here.output.show({**facts, "changed": len(set(before)) > 1}, joined)


@app.command(epilog="Example: storebridge customers unmerge aurora/customer/17 5f0c1d2e3a4b5c6d")
def unmerge(
    ctx: typer.Context,
    customer: Which,
    merge_id: Annotated[str, typer.Argument(metavar="MERGE", help="As customers show lists it.", show_default=False)],
    *,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Undo one merge: whoever it joined goes by whom they went by before. No rule joins them again."""
    key = CustomerKey.parse(customer)
    here = connected(ctx)
    desk = desk_for([key], dry_run=dry_run)
    leader = _leader_of_merge(key, merge_id, desk)
    stood = any(known.stands for known in desk.book.merges_of(leader) if known.id == merge_id)
    undone = merging.unmerge(merge_id, leader, desk, by=actor(by))
    here.output.show({**merged_facts(undone, desk, dry_run=dry_run), "changed": stood}, joined)


def _leader_of_merge(key: CustomerKey, merge_id: str, desk: CustomerDesk) -> CustomerKey:
    """The merge is looked for under the customer and under whom it goes by."""
    record = verify.required(key, desk)
    candidates = dict.fromkeys((key, CustomerKey.parse(record.leader)))
    for one in candidates:
        if any(known.id == merge_id for known in desk.book.merges_of(one)):
            return one
    hint = f"see storebridge customers show {key}"
    raise Rejected("unknown_merge", f"no merge of {key} has this id", field="merge_id", hint=hint)


def merged_facts(made: Merge, desk: CustomerDesk, *, dry_run: bool) -> Json:
    """A merge, and by whom those that it concerns go now, or would."""
    keys = [CustomerKey.parse(name) for name in dict.fromkeys((made.leader, *(one.customer for one in made.moved)))]
    found = desk.book.find_many(keys)
    return {
        "dry_run": dry_run,
        "merge": merge_facts(made),
        "customers": [{"customer": str(key), "goes_by": found[key].leader} for key in keys if key in found],
    }


# The back office


@app.command(epilog="Example: storebridge customers sync aurora/customer/17")
def sync(
    ctx: typer.Context,
    customer: Annotated[str | None, typer.Argument(metavar="[KEY]", show_default=False)] = None,
    *,
    stopped: Annotated[bool, typer.Option("--stopped", help="Everyone who was stopped; see customers list.")] = False,
    shop: Shop = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show whom, and send nothing.")] = False,
) -> None:
    """Have one person, or all that were stopped, brought into step with the back office now.

    Who has nothing to do stays as they are. It is done a moment later; see customers show.
    """
    if (customer is None) == (not stopped):
        raise typer.BadParameter("say whom: either KEY or --stopped")
    if customer is not None and shop is not None:
        raise typer.BadParameter("a key names its shop", param_hint="--shop")
    key = CustomerKey.parse(customer) if customer else None
    here = connected(ctx)
    if key is not None:
        leaders = [_with_an_office(key)]
    else:
        leaders = list(dict.fromkeys(mirror.leader for mirror, _ in _stopped(_shops(shop))))
    if not dry_run:
        send([CustomerErrand(leader=leader) for leader in leaders], Office.BACKOFFICE)
    facts = {"dry_run": dry_run, "selected": len(leaders), "sent": 0 if dry_run else len(leaders), "customers": leaders}
    here.output.show(facts, asked)


def _with_an_office(key: CustomerKey) -> str:
    """The leader's key, if there is a back office that could know the person."""
    record = record_of(key)
    if not offices_of(members_of(record)):
        message = f"no shop that {key} or the same person's other accounts belong to has a back office"
        raise Rejected("nobody_to_ask", message, field="customer", hint="name one: shops.SHOP.backoffice")
    return record.leader
