"""`storebridge money`: closing days and opening them again, and the trail of who did what."""

import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

import typer

from infra.cli.money_facts import day_facts, missing_facts, record_facts
from infra.cli.money_options import By, DryRun, Reason, read_day, today
from infra.cli.money_tables import audit_listed, closed, days_listed, reopened
from infra.cli.order_facts import Json
from infra.cli.target import actor, connected
from shared.finance.audit import faults_in
from shared.finance.cases import AuditRecord, DayClose, DayState
from shared.finance.closing import (
    Archived,
    ClosingBook,
    close_day,
    days_to_close,
    digest_of_day,
    missing_of,
    reopen_day,
)
from shared.finance.journal import JournalEntry
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.wiring.daily_close import close_days
from shared.wiring.finance_desk import closing_of
from shared.wiring.finance_rehearsal import RehearsedFinanceTable
from shared.wiring.finance_tables import finance_table

app = typer.Typer()

Day = Annotated[str, typer.Argument(metavar="DAY", help="Such as 2026-11-24.", show_default=False)]


# Days


@app.command(epilog="Example: storebridge money close --until 2026-11-24 --dry-run")
def close(
    ctx: typer.Context,
    *,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="Up to this day; left out, up to yesterday.")] = None,
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Close the open days in their order: reports and journals are written, and no entry is added to them any more.

    Stops at the first day that does not tie out, says what is missing, and ends with 1.
    """
    wanted = read_day(until, "until") if until else None
    here = connected(ctx)
    last, who = wanted or today() - timedelta(days=1), actor(by)
    with here.output.progress("Closing …"):
        if dry_run:
            book = RehearsedFinanceTable()
            done, stopped = _would_close(last, who, book), what_is_next(last, book)
        else:
            done, stopped = close_days(last, who, lambda: True)[0], what_is_next(last, finance_table())
    facts: Json = {"dry_run": dry_run, "by": who, "closed": done, "stopped_at": stopped if stopped["day"] else None}
    here.output.show(facts, closed)
    if facts["stopped_at"]:
        raise typer.Exit(1)


def _would_close(last: date, who: str, book: RehearsedFinanceTable) -> list[str]:
    done: list[str] = []
    for day in days_to_close(replace(closing_of(last), book=book), last):
        try:
            close_day(day, who, replace(closing_of(day), book=book), _archive_nothing)
        except Rejected as error:
            if error.code != "day_not_closable":
                raise
            break
        done.append(day.isoformat())
    return done


def _archive_nothing(_close: DayClose, _entries: Iterable[JournalEntry]) -> Archived:
    return Archived()


def what_is_next(last: date, book: ClosingBook) -> Json:
    """The first open day up to `last`, and what keeps it open; no day where all are closed, or none is over."""
    days = days_to_close(replace(closing_of(last), book=book), last)
    if not days:
        return {"day": None, "missing": []}
    missing = missing_of(days[0], replace(closing_of(days[0]), book=book))
    return {"day": days[0].isoformat(), "missing": [missing_facts(one) for one in missing]}


@app.command(epilog='Example: storebridge money reopen 2026-11-24 --reason "a statement came late"')
def reopen(ctx: typer.Context, day: Day, *, reason: Reason, by: By = None, dry_run: DryRun = False) -> None:
    """Open a closed day again, and every closed day after it."""
    wanted = read_day(day, "day")
    here = connected(ctx)
    who = actor(by)
    book = RehearsedFinanceTable() if dry_run else finance_table()
    with here.output.progress("Opening …"):
        opened = reopen_day(wanted, who, reason, book, utc_now)
    facts: Json = {"dry_run": dry_run, "by": who, "opened": [one.isoformat() for one in opened]}
    here.output.show(facts, reopened)


@app.command(epilog="Example: storebridge money days --last 31")
def days(
    ctx: typer.Context,
    *,
    last: Annotated[int, typer.Option(min=1, max=400, help="So many days, up to yesterday.")] = 14,
) -> None:
    """The last days: open or closed, how many entries they have, who closed them, and who opened them again."""
    here = connected(ctx)
    yesterday = today() - timedelta(days=1)
    wanted = [yesterday - timedelta(days=number) for number in range(last)]
    here.output.show({"days": [_day_facts(day) for day in reversed(wanted)]}, days_listed)


def _day_facts(day: date) -> Json:
    known = finance_table().day(day)
    is_closed = known is not None and known.state is DayState.CLOSED
    number = known.entries if known and is_closed else sum(1 for _ in finance_table().entries(day, day))
    return day_facts(day, known, number)


# The trail


@app.command(epilog="Example: storebridge money audit --verify")
def audit(
    ctx: typer.Context,
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Whether every record and every closed day is as it was written.")
    ] = False,
    head: Annotated[
        str | None,
        typer.Option(metavar="NUMBER:HASH", help="With --verify: a record as you noted it before, elsewhere."),
    ] = None,
    last: Annotated[int, typer.Option(min=0, help="Show so many records, the newest.")] = 20,
) -> None:
    """Who did what, and when: a chain in which each record proves the one before. Ends with 1 where it is broken."""
    noted = _head(head) if head else None
    if noted and not verify:
        raise typer.BadParameter("only with --verify", param_hint="--head")
    here = connected(ctx)
    with here.output.progress("Reading …"):
        records, unreadable = _trail()
        faults = (*faults_in(records, noted), *(unreadable or _faults_at_the_end(records))) if verify else unreadable
        closes = tuple(_last_acts_on_days(records)) if verify else ()
        faults = (*faults, *(fault for day, act in closes for fault in _faults_of_day(day, act)))
    facts: Json = {
        "number": len(records),
        "head": f"{records[-1].number}:{records[-1].hash}" if records else None,
        "verified": verify,
        "faults": list(faults),
        "days_checked": len(closes),
        "records": [record_facts(record) for record in deque(records, maxlen=last)],
    }
    here.output.show(facts, audit_listed)
    if faults:
        raise typer.Exit(1)


def _trail() -> tuple[tuple[AuditRecord, ...], tuple[str, ...]]:
    """The records up to the first that is no record any more, and what is to be said of that one."""
    records: list[AuditRecord] = []
    try:
        for record in finance_table().records():
            records.append(record)  # noqa: PERF402 - those before a fault are kept
    except (ValueError, KeyError, zlib.error):
        after = f"record {records[-1].number}" if records else "the beginning"
        return tuple(records), (f"what follows {after} cannot be read: it was changed after it was written",)
    return tuple(records), ()


def _head(text: str) -> tuple[int, str]:
    number, colon, told = text.partition(":")
    if not (colon and number.isdecimal() and told):
        hint = "write it as money audit --json shows it under head"
        raise Rejected("invalid_head", f"{text[:80]!r} is no NUMBER:HASH", field="head", hint=hint)
    return int(number), told


def _faults_at_the_end(records: tuple[AuditRecord, ...]) -> Iterator[str]:
    """Records that were taken off the end leave a whole chain: the table's own note of the last one tells."""
    kept, last = finance_table().last_record(), records[-1] if records else None
    if kept != last:
        after = f" after record {last.number}" if last else ""
        yield f"the last record is not the one that was written last: something is missing{after}"


def _last_acts_on_days(records: Iterable[AuditRecord]) -> Iterator[tuple[date, AuditRecord]]:
    """Each day that stands closed by the trail, with the record of its close."""
    acts = {record.subject: record for record in records if record.action in ("day.closed", "day.reopened")}
    for subject in sorted(acts):
        if acts[subject].action == "day.closed":
            try:
                yield date.fromisoformat(subject), acts[subject]
            except ValueError:  # a forged record: its hash has told so
                continue


def _faults_of_day(day: date, act: AuditRecord) -> Iterator[str]:
    """Whether a day's close and its entries are those that the trail tells of."""
    close = finance_table().day(day)
    if close is None or close.state is not DayState.CLOSED or close.digest != act.detail.get("digest"):
        yield f"day {day} is not closed as record {act.number} says"
    elif digest_of_day(finance_table().entries(day, day)) != close.digest:
        yield f"the entries of {day} are not those that record {act.number} closed it with"
