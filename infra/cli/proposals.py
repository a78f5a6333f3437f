"""`storebridge customers proposals`."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer

from infra.cli.customer_counter import desk_for
from infra.cli.customer_facts import proposal_facts, side_by_side, summary
from infra.cli.customer_tables import accepted, compared, dismissed, proposals_listed
from infra.cli.order_facts import Json
from infra.cli.output import Output
from infra.cli.target import ACTOR_VARIABLE, actor, connected
from shared.customers import merging
from shared.customers.matcher import open_proposals
from shared.customers.matching import WEIGHTS, Proposal
from shared.customers.models import Profile
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.identifiers import CustomerKey
from shared.platform.configuration import settings
from shared.wiring.customer_tables import customer_table

app = typer.Typer(no_args_is_help=True, help="Customers that may be one person, for somebody to decide.")

REASONS = tuple(sorted(kind for kind, weight in WEIGHTS.items() if weight > 0))
Which = Annotated[str, typer.Argument(metavar="ID", help="As proposals list shows it.", show_default=False)]
By = Annotated[str | None, typer.Option("--by", help=f"Who answers for it [{ACTOR_VARIABLE}, or your user name].")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


@app.command("list", epilog="Example: storebridge customers proposals list")
def list_proposals(
    ctx: typer.Context,
    *,
    reason: Annotated[str | None, typer.Option(help=f"Only with this reason: {', '.join(REASONS)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """What is open, the oldest first, with what speaks for it and against it."""
    _check(reason)
    here = connected(ctx)
    found = list(_open(reason))
    facts: Json = {
        "proposals": [proposal_facts(proposal) for proposal in found[:limit]],
        "more": max(0, len(found) - limit),
    }
    here.output.show(facts, proposals_listed)


def _open(reason: str | None) -> Iterator[Proposal]:
    for proposal in open_proposals(customer_table()):
        if reason is None or reason in {known.kind for known in proposal.reasons}:
            yield proposal


def _check(reason: str | None) -> None:
    if reason is not None and reason not in REASONS:
        message = f"there is no reason {reason!r}; there is {', '.join(REASONS)}"
        raise typer.BadParameter(message, param_hint="--reason")


@app.command(epilog="Example: storebridge customers proposals show 5f0c1d2e3a4b5c6d --personal")
def show(
    ctx: typer.Context,
    proposal: Which,
    personal: Annotated[bool, typer.Option("--personal", help="Values in full, not masked.")] = False,
) -> None:
    """The two customers side by side, field by field. Values are masked, such as e…@e…, unless --personal."""
    here = connected(ctx)
    found = _required(proposal)
    keys = [CustomerKey.parse(key) for key in found.customers]
    records = customer_table().find_many(keys)
    sides = [summary(records[key]) if key in records else {} for key in keys]
    profiles = [_profile(key) for key in keys]
    facts: Json = {
        **proposal_facts(found),
        "sides": {name: [side.get(name) for side in sides] for name in ("account", "verification", "leader")},
        "fields": side_by_side(profiles, personal=personal),
    }
    here.output.show(facts, compared)


def _profile(key: CustomerKey) -> tuple[Profile, str | None]:
    customer = customer_table().find_customer(key)
    country = settings().country_of(key.shop) if key.shop in settings().shops else None
    return (customer.personal if customer else Profile()), country


def _required(proposal_id: str) -> Proposal:
    found = customer_table().find_proposal(proposal_id)
    if found is None:
        hint = "see storebridge customers proposals list"
        raise Rejected("unknown_proposal", "there is no proposal of this id", field="proposal", hint=hint)
    return found


@app.command(epilog="Example: storebridge customers proposals dismiss 5f0c1d2e3a4b5c6d")
def dismiss(ctx: typer.Context, proposal: Which, *, by: By = None, dry_run: DryRun = False) -> None:
    """They are two people: they are neither proposed nor joined by a rule again."""
    here = connected(ctx)
    found = _required(proposal)
    decided = merging.dismiss(proposal, desk_for(_keys(found), dry_run=dry_run), by=actor(by))
    here.output.show({"dry_run": dry_run, "proposal": proposal_facts(decided)}, dismissed)


@app.command(epilog="Example: storebridge customers proposals accept 5f0c1d2e3a4b5c6d --by mia")
def accept(  # noqa: PLR0913 - each is a word of the command
    ctx: typer.Context,
    proposal: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All with this --reason.")] = False,
    reason: Annotated[str | None, typer.Option(help=f"With --all: {', '.join(REASONS)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="With --all: at most so many.")] = 1000,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """They are one person: join them. With --all, those that something speaks against are left for you to look at."""
    if (proposal is None) == (not everything) or everything != (reason is not None):
        raise typer.BadParameter("say which: either ID, or --all with --reason REASON")
    _check(reason)
    here = connected(ctx)
    found = [_required(proposal)] if proposal else list(islice(_open(reason), limit))
    chosen = found if proposal else [one for one in found if not _is_contradicted(one)]
    if everything and chosen:
        _ask(here.output, f"Join {len(chosen)} pairs of customers?", yes=yes or dry_run)
    rows = [_accept(one, by=actor(by), dry_run=dry_run, alone=not everything) for one in chosen]
    failed = sum(row["merge"] is None for row in rows)
    facts: Json = {
        "dry_run": dry_run,
        "accepted": rows,
        "joined": len(rows) - failed,
        "failed": failed,
        "left": len(found) - len(chosen),
    }
    here.output.show(facts, accepted)
    if failed:
        raise typer.Exit(1)


def _is_contradicted(proposal: Proposal) -> bool:
    return any(known.weight < 0 for known in proposal.reasons)


def _accept(proposal: Proposal, *, by: str, dry_run: bool, alone: bool) -> Json:
    """One's trouble stops no other; alone, it is the command's."""
    facts: Json = {"proposal": proposal.id, "customers": list(proposal.customers)}
    try:
        made = merging.accept(proposal.id, desk_for(_keys(proposal), dry_run=dry_run), by=by)
    except (Rejected, Conflict) as error:
        if alone:
            raise
        return facts | {"merge": None, "result": error.code}
    return facts | {"merge": made.id, "result": "would be joined" if dry_run else "joined"}


def _keys(proposal: Proposal) -> list[CustomerKey]:
    return [CustomerKey.parse(key) for key in proposal.customers]


def _ask(output: Output, question: str, *, yes: bool) -> None:
    if not (yes or output.as_json):
        typer.confirm(question, abort=True, err=True)
