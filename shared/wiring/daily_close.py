"""Put the daily close together: days that tie out are closed, their reports kept, the back office told."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pydantic import ValidationError

from shared.finance.cases import CaseState, DayClose
from shared.finance.closing import Archived, close_day, days_to_close, digest_of_day, ties_at
from shared.finance.journal import JournalEntry
from shared.finance.reports.catalogue import statements_of_day
from shared.finance.reports.scope import Scope, Tie
from shared.finance.trial import balances_of
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.kernel.model import Canonical, faults_of
from shared.platform.configuration import settings
from shared.platform.observability import count, logger
from shared.platform.reports_bucket import write_day
from shared.wiring.finance_desk import closing_of
from shared.wiring.finance_tables import finance_table

SCHEDULE = "daily_close"
"""Who closes days when nobody asked."""


class CloseRequest(Canonical):
    """What an operator may ask for; a schedule asks for every day that is over with `{}`."""

    until: date | None = None
    """Close open days up to this one; None: up to yesterday."""
    actor: str = SCHEDULE


def answer(event: Mapping[str, Any], has_time: Callable[[], bool]) -> dict[str, Any]:
    """Close what can be closed, and say which days are, and what keeps the next one open.

    Raises:
        Rejected: `invalid_request`; `closed_day_changed`, where somebody has been at the table.
        Conflict, Retry: as `close_day`.
    """
    if not settings().keeps_books:
        return {"closed": [], "missing": "there are no books: name a payment account in the settings"}
    request = _request_of(event)
    closed, missing = close_days(request.until, request.actor, has_time)
    _measure(closed, missing)
    logger().info("days closed", extra={"closed": closed, "missing": missing})
    return {"closed": closed, "missing": missing}


def _measure(closed: list[str], missing: str | None) -> None:
    if closed:
        count("DaysClosed", len(closed))
    if missing:
        yesterday = utc_now().astimezone(settings().finance.zone).date() - timedelta(days=1)
        count("DaysOpen", len(days_to_close(closing_of(yesterday), yesterday)))


def _request_of(event: Mapping[str, Any]) -> CloseRequest:
    own = {name: event[name] for name in CloseRequest.model_fields if name in event}
    try:
        return CloseRequest.model_validate(own)
    except ValidationError as error:
        fault = faults_of(error)[0]
        hint = 'send {} or {"until": "2026-11-23", "actor": "ann"}'
        raise Rejected("invalid_request", fault.message, field=fault.field, hint=hint) from error


def close_days(until: date | None, actor: str, has_time: Callable[[], bool]) -> tuple[list[str], str | None]:
    """Close open days in their order; which were, and what the first one lacks that does not close."""
    last = until or utc_now().astimezone(settings().finance.zone).date() - timedelta(days=1)
    closed: list[str] = []
    for day in days_to_close(closing_of(last), last):
        if not has_time():
            return closed, "no time left: the next run goes on"
        try:
            close_day(day, actor, closing_of(day), archive)
        except Rejected as error:
            if error.code == "closed_day_changed":
                raise
            return closed, error.message if error.code == "day_not_closable" else error.describe()
        closed.append(day.isoformat())
    return closed, None


def archive(close: DayClose, entries: Sequence[JournalEntry]) -> Archived:
    """Write a day's reports and exports to the bucket, and its journals to the back office."""
    files = statements_of_day(
        report_entries(close.day, close.day),
        report_scope(close.day, close.day, digest=digest_of_day(entries)),
        names=settings().finance.ledger_names,
        language=settings().notifications.language,
    )
    files = {**files, "trail.json": _trail_head()}
    told = _told_backoffice(close.day, entries)
    return Archived(documents=write_day(close.day, close.revision, files), posted_to_backoffice=told)


def _told_backoffice(day: date, entries: Sequence[JournalEntry]) -> tuple[str, ...]:
    name = settings().finance.backoffice
    if name is None or settings().backoffice(name).rehearsal:
        return ()
    from shared.sync.finance.post_journal import post_day  # noqa: PLC0415 - httpx, and only where there is one
    from shared.wiring.backoffice_connection import connected_office  # noqa: PLC0415

    posted = post_day(day, entries, settings().finance, connected_office(name))
    for what in posted.left_out:
        logger().warning("journal left out", extra={"backoffice": name, "what": what})
        count("JournalLeftOut")
    return posted.ids


def _trail_head() -> bytes:
    """The newest record of the audit trail: kept apart from the table, it proves that the trail up to it is the one
    that there was (`finance.audit.faults_in`)."""
    last = finance_table().last_record()
    return json.dumps({"number": last.number, "hash": last.hash} if last else None).encode()


def report_scope(since: date, until: date, *, digest: str | None = None) -> Scope:
    """What a report of these days is asked with: balances before, cases that are open, providers' balances."""
    book = finance_table()
    cases = (case for case in book.cases(CaseState.OPEN, CaseState.PROPOSED) if case.discrepancy.since <= until)
    return Scope(
        since=since,
        until=until,
        opening=book.balances_before(_since(since)),
        cases=tuple(cases),
        ties=_ties(until),
        digest=digest,
    )


def report_entries(since: date, until: date) -> Iterator[JournalEntry]:
    """The entries that a report of these days reads, together with :func:`report_scope`."""
    return finance_table().entries(_since(since), until)


def _since(day: date) -> date:
    """Entries are read from here on, so that what was open before the period is told one by one."""
    return day - timedelta(days=settings().finance.look_back_days)


def _ties(day: date) -> tuple[Tie, ...]:
    book = finance_table()
    balances = balances_of(book.entries(day, day), book.balances_before(day))
    return tuple(
        Tie(tie.account, tie.currency, tie.books, tie.provider, tie.as_of)
        for tie in ties_at(day, closing_of(day), balances)
    )
