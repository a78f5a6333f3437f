"""`storebridge money`: the exceptions queue, and what staff do with its cases."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from infra.cli.money_advice import advice_on
from infra.cli.money_facts import case_summary, whole_case
from infra.cli.money_options import By, DryRun, Reason, today
from infra.cli.money_tables import case_changed, case_shown, cases_listed
from infra.cli.order_facts import Json
from infra.cli.target import actor, connected
from shared.finance import review
from shared.finance.cases import Case, CaseState, Resolution
from shared.finance.close import blocks
from shared.finance.models import DiscrepancyKind, Subject
from shared.finance.review import Decision, ReviewDesk
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.kernel.money import Money, currency_exponent
from shared.platform.configuration import settings
from shared.sync.tasks import Task, TaskKind
from shared.wiring.finance_rehearsal import RehearsedFinanceTable
from shared.wiring.finance_review import review_desk
from shared.wiring.finance_tables import finance_table
from shared.wiring.tables import task_table

app = typer.Typer()

_LEAST_PREFIX = 4
NOTHING = "nothing"

Which = Annotated[str, typer.Argument(metavar="ID", help="As money cases shows it.", show_default=False)]


class How(StrEnum):
    ACCEPT = "accept"
    WRITE_OFF = "write-off"
    PROPOSE_REFUND = "propose-refund"
    RELINK = "relink"


class Stage(StrEnum):
    """Which cases to list."""

    UNRESOLVED = "unresolved"
    OPEN = "open"
    PROPOSED = "proposed"
    RESOLVED = "resolved"
    CLEARED = "cleared"
    ALL = "all"

    @property
    def states(self) -> tuple[CaseState, ...]:
        if self is Stage.ALL:
            return tuple(CaseState)
        if self is Stage.UNRESOLVED:
            return CaseState.OPEN, CaseState.PROPOSED
        return (CaseState(self.value),)


@app.command("cases", epilog="Example: storebridge money cases --blocking --older-than 3")
def list_cases(  # noqa: PLR0913 - each is a word of the command
    ctx: typer.Context,
    *,
    kind: Annotated[DiscrepancyKind | None, typer.Option(help="Only of this kind.")] = None,
    account: Annotated[str | None, typer.Option(help="Only of this payment account or bank.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only this person's.")] = None,
    state: Annotated[Stage, typer.Option(help="Which of them.")] = Stage.UNRESOLVED,
    older_than: Annotated[int | None, typer.Option(min=0, metavar="DAYS", help="Only older than so many days.")] = None,
    blocking: Annotated[bool, typer.Option("--blocking", help="Only what keeps a day from closing.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> None:
    """What does not tie out, the oldest first."""
    here = connected(ctx)
    day = today()
    wanted: list[Callable[[Case], bool]] = [
        lambda case: kind in (None, case.discrepancy.kind),
        lambda case: account in (None, case.discrepancy.account),
        lambda case: owner in (None, case.owner),
        lambda case: older_than is None or case.age_days(day) > older_than,
        lambda case: not blocking or _blocks(case),
    ]
    found = [case for case in finance_table().cases(*state.states) if all(wants(case) for wants in wanted)]
    facts: Json = {
        "cases": [case_summary(case, day, blocks=_blocks(case)) for case in found[:limit]],
        "more": max(0, len(found) - limit),
    }
    here.output.show(facts, cases_listed)


def _blocks(case: Case) -> bool:
    return blocks(case, today(), settings().finance)


@app.command("case", epilog="Example: storebridge money case 5f0c1d2e")
def show_case(ctx: typer.Context, case: Which) -> None:
    """One case: both sides, the evidence, what may belong to it, what was said about it, and what to do next."""
    here = connected(ctx)
    here.output.show(_facts(find_case(case)), case_shown)


def find_case(wanted: str) -> Case:
    """The case of this id, or the only one whose id begins so.

    Raises:
        Rejected: `unknown_case`, `ambiguous_case`.
    """
    book = finance_table()
    found = book.find_case(wanted) if wanted else None
    if found is not None:
        return found
    ids = _beginning(wanted, book.cases(CaseState.OPEN, CaseState.PROPOSED)) or _beginning(
        wanted, book.cases(CaseState.RESOLVED, CaseState.CLEARED)
    )
    if len(ids) == 1:
        return ids[0]
    if not ids:
        hint = "see storebridge money cases --state all"
        raise Rejected("unknown_case", f"there is no case {wanted[:80]!r}", field="case", hint=hint)
    message = f"{len(ids)} cases begin with {wanted[:80]!r}"
    raise Rejected("ambiguous_case", message, field="case", hint="write more of the id")


def _beginning(wanted: str, cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if len(wanted) >= _LEAST_PREFIX and case.id.startswith(wanted)]


def _facts(case: Case) -> Json:
    return whole_case(case, today(), blocks=_blocks(case), todo=advice_on(case))


# What staff do


@app.command(epilog="Example: storebridge money assign 5f0c1d2e --owner mia")
def assign(
    ctx: typer.Context,
    case: Which,
    *,
    owner: Annotated[str | None, typer.Option(help="Whom it is given to; left out, nobody.")] = None,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Give a case to somebody."""
    _do(ctx, case, by, lambda known, desk, who: review.assign(known.id, owner, desk, actor=who), dry_run=dry_run)


@app.command(epilog='Example: storebridge money comment 5f0c1d2e "asked the provider"')
def comment(
    ctx: typer.Context,
    case: Which,
    text: Annotated[str, typer.Argument(help="Nothing about buyers.", show_default=False)],
    *,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Note something on a case, also on one that is over."""
    _do(ctx, case, by, lambda known, desk, who: review.comment(known.id, text, desk, actor=who), dry_run=dry_run)


@app.command(epilog='Example: storebridge money resolve 5f0c1d2e --as write-off --reason "below the cost of asking"')
def resolve(  # noqa: PLR0913 - each is a word of the command
    ctx: typer.Context,
    case: Which,
    *,
    how: Annotated[How, typer.Option("--as", help="How.", show_default=False)],
    reason: Reason,
    amount: Annotated[
        str | None, typer.Option(help="Of a write-off or refund, such as 12.50; left out, the whole difference.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="SHOP/ORDER", help="Of a re-link; or payout:ACCOUNT/ID, or nothing.")
    ] = None,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Resolve a case. From the limit in the settings on, a write-off or a refund waits for a second person.

    Nothing is sent to any provider: a refund that is agreed on is a task for whoever may refund there.
    """
    link = "" if to == NOTHING else to

    def act(known: Case, desk: ReviewDesk, who: str) -> Case:
        part = None if amount is None else minor_of(amount, known)
        decision = Decision(Resolution(how.value.replace("-", "_")), reason, part, link)
        return review.resolve(known.id, decision, desk, actor=who)

    _do(ctx, case, by, act, task=_open_task, dry_run=dry_run)


def minor_of(text: str, case: Case) -> int:
    """An amount in minor units of the case's currency. Without a sign it gets that of the difference.

    Raises:
        Rejected: `invalid_money`, `too_many_decimals`.
    """
    currency = case.discrepancy.currency
    money = Money.parse(text.strip(), currency, field="amount")
    if money.exponent > currency_exponent(currency):
        message = f"{currency} has {currency_exponent(currency)} decimals"
        raise Rejected("too_many_decimals", message, field="amount")
    is_signed = text.strip().startswith(("+", "-"))
    return money.minor if is_signed or case.discrepancy.difference > 0 else -money.minor


@app.command(epilog="Example: storebridge money approve 5f0c1d2e --by eli")
def approve(
    ctx: typer.Context,
    case: Which,
    *,
    revision: Annotated[
        int | None, typer.Option(help="The case's revision that you read: agree to nothing that came after it.")
    ] = None,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Agree to what somebody else proposed."""

    def act(known: Case, desk: ReviewDesk, who: str) -> Case:
        return review.approve(known.id, desk, actor=who, seen=revision or known.revision)

    _do(ctx, case, by, act, task=_open_task, dry_run=dry_run)


@app.command(epilog='Example: storebridge money refuse 5f0c1d2e --reason "the buyer paid by transfer"')
def refuse(ctx: typer.Context, case: Which, *, reason: Reason, by: By = None, dry_run: DryRun = False) -> None:
    """Do not agree to a proposal, or take back one's own: the case is open again."""
    _do(ctx, case, by, lambda known, desk, who: review.refuse(known.id, reason, desk, actor=who), dry_run=dry_run)


@app.command("reopen-case", epilog='Example: storebridge money reopen-case 5f0c1d2e --reason "it came after all"')
def reopen_case(ctx: typer.Context, case: Which, *, reason: Reason, by: By = None, dry_run: DryRun = False) -> None:
    """Open a case that was resolved. What it booked is taken back by the next reconciliation."""

    def act(known: Case, desk: ReviewDesk, who: str) -> Case:
        return review.reopen_case(known.id, reason, desk, actor=who)

    _do(ctx, case, by, act, task=_close_task, dry_run=dry_run)


# What becomes of it


def _no_task(_task: Task, _case: Case, *, dry_run: bool) -> bool:  # noqa: ARG001 - as the others
    return False


def _open_task(task: Task, case: Case, *, dry_run: bool) -> bool:
    """A refund that was agreed on is somebody's task: there is one, however often this is called."""
    proposal = case.proposal if case.state is CaseState.RESOLVED else None
    if proposal is None or proposal.resolution is not Resolution.PROPOSE_REFUND:
        return False
    if not dry_run:
        task_table().open(task)
    return True


def _close_task(task: Task, _case: Case, *, dry_run: bool) -> bool:
    """What is decided anew is nobody's task until then."""
    if not dry_run and task.id in {one.id for one in task_table().all()}:
        task_table().close(task.id)
    return False


def _do(
    ctx: typer.Context,
    wanted: str,
    by: str | None,
    act: Callable[[Case, ReviewDesk, str], Case],
    *,
    task: Callable[..., bool] = _no_task,
    dry_run: bool,
) -> None:
    """`task`: what is to become of the task to refund; says whether there is one."""
    here = connected(ctx)
    desk, who = review_desk(), actor(by)
    if dry_run:
        desk = replace(desk, book=RehearsedFinanceTable())
    done = act(find_case(wanted), desk, who)
    refund = _task_of(done)
    is_open = task(refund, done, dry_run=dry_run)
    facts: Json = {"dry_run": dry_run, "by": who, "case": _facts(done), "task": refund.id if is_open else None}
    here.output.show(facts, case_changed)


def _task_of(case: Case) -> Task:
    return Task(
        kind=TaskKind.REFUND_PROPOSED,
        shop=_place_of(case),
        subject=case.id,
        first_seen_in=str(case.discrepancy.subject),
        opened_at=utc_now(),
    )


def _place_of(case: Case) -> str:
    """The shop of the order that it is about, or the payment account."""
    discrepancy = case.discrepancy
    orders = (item.id for item in (discrepancy.subject, *discrepancy.others) if item.subject is Subject.ORDER)
    order = next(orders, None)
    return order.partition("/")[0] if order else discrepancy.account or discrepancy.subject.id.partition("/")[0]
