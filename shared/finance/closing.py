"""Close the books of a day, and open them again."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import NamedTuple, Protocol

from shared.finance.audit import next_record
from shared.finance.cases import CaseState, Comment, DayClose, DayState
from shared.finance.close import CloseFacts, Missing, missing_for_close
from shared.finance.due.view import LedgerView
from shared.finance.journal import JournalEntry
from shared.finance.ports import AuditTrail, Cases, FinanceFacts, Ledger, MatchBook
from shared.finance.trial import Balances, Tie, balances_of, end_of, ties_of
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected

MOST_NAMED = 10
"""Missing things that a refusal names; it says how many there are."""


class ClosingBook(FinanceFacts, MatchBook, Cases, AuditTrail, Ledger, Protocol):
    """What a close needs of the finance table."""


class Archived(NamedTuple):
    """What was made of a closed day outside the ledger."""

    documents: tuple[str, ...] = ()
    """Keys in the archive."""
    posted_to_backoffice: tuple[str, ...] = ()
    """Ids of the back office's own journal entries."""


Archive = Callable[[DayClose, Sequence[JournalEntry]], Archived]
"""Writes a day's documents and tells the back office. It is called before the day is closed and again whenever that
was stopped, so it must lead to the same end each time."""


@dataclass(frozen=True, slots=True)
class Closing:
    """One merchant's books, and what a close goes by."""

    book: ClosingBook
    view: LedgerView
    """Lines and payouts from the day on: what moved until a provider stated its balance."""
    read_until: Mapping[str, datetime | None]
    """See `CloseFacts.read_until`."""
    clock: Clock


def missing_of(day: date, closing: Closing) -> tuple[Missing, ...]:
    """What keeps the day open, as things are now. Nothing is written."""
    return missing_for_close(day, _facts(day, closing, tuple(closing.book.entries(day, day))))


def close_day(day: date, actor: str, closing: Closing, archive: Archive) -> DayClose:
    """Close a day: its documents, then its state with the running totals and the record of who did it, all at once.
    A day that is closed already stays as it is, and nothing is written.

    Raises:
        Rejected: `day_not_closable`, naming what is missing; `closed_day_changed`, where a closed day's entries are not
            those that it was closed with.
        Conflict: the day, its entries or the trail changed meanwhile: do it again.
        Retry: the store is out of reach, or what the archive raises.
    """
    book = closing.book
    known = book.day(day)
    entries = tuple(book.entries(day, day))
    if known is not None and known.state is DayState.CLOSED:
        require_unchanged(known, entries)
        return known
    facts = _facts(day, closing, entries)
    missing = missing_for_close(day, facts)
    if missing:
        raise _not_closable(day, missing)
    close = DayClose(
        day=day,
        state=DayState.CLOSED,
        revision=known.revision + 1 if known else 1,
        closed_at=facts.now,
        closed_by=actor,
        entries=len(entries),
        digest=digest_of_day(entries),
        reopened=known.reopened if known else (),
    )
    archived = archive(close, entries)
    close = close.model_copy(update=archived._asdict())
    detail = {"entries": str(close.entries), "digest": close.digest or "", "revision": str(close.revision)}
    audit = next_record(book.last_record(), facts.now, actor, "day.closed", day.isoformat(), detail)
    book.commit_day(close, replaces=known.revision if known else None, audit=audit, totals=facts.balances)
    return close


def reopen_day(day: date, actor: str, reason: str, book: ClosingBook, clock: Clock) -> tuple[date, ...]:
    """Open a closed day again, and with it every closed day after it, the last one first; the days that were opened.
    Stopped in between and done again, the rest is opened.

    Raises:
        Rejected: `reason_missing`; `day_not_closed`.
        Conflict: a day or the trail changed meanwhile: do it again.
        Retry: the store is out of reach.
    """
    told = reason.strip()
    if not told:
        raise Rejected("reason_missing", "a day is not reopened without a reason", field="reason", hint="say why")
    last = book.last_closed()
    known = book.day(day)
    if last is None or day > last or known is None or known.state is DayState.OPEN:
        raise Rejected("day_not_closed", f"{day} is not closed", field="day", hint="name a closed day")
    opened = []
    while last >= day:
        kept = book.day(last)
        if kept is not None and kept.state is DayState.CLOSED:
            _reopen(kept, actor, told, book, clock())
            opened.append(last)
        last -= timedelta(days=1)
    return tuple(opened)


def require_unchanged(close: DayClose, entries: Iterable[JournalEntry]) -> None:
    """Compare a closed day with its entries.

    Raises:
        Rejected: `closed_day_changed`.
    """
    if digest_of_day(entries) != close.digest:
        raise Rejected(
            "closed_day_changed",
            f"the entries of {close.day} are not those that it was closed with",
            field="day",
            hint="compare the day's archived journal with the table, and reopen the day",
        )


def digest_of_day(entries: Iterable[JournalEntry]) -> str:
    """SHA-256 over all of the entries' fields, by id; the same in whatever order they come."""
    total = hashlib.sha256()
    for text in sorted(entry.model_dump_json(exclude_defaults=True) for entry in entries):
        total.update(text.encode() + b"\n")
    return total.hexdigest()


def _facts(day: date, closing: Closing, entries: tuple[JournalEntry, ...]) -> CloseFacts:
    book, view, now = closing.book, closing.view, closing.clock()
    last_closed = book.last_closed()
    balances = balances_of(entries, book.balances_before(day))
    return CloseFacts(
        now=now,
        rules=view.rules,
        accounts=view.accounts,
        last_closed=last_closed,
        begun=_begun(day, closing) if last_closed is None else None,
        entries=entries,
        balances=balances,
        read_until=closing.read_until,
        reconciled_at=book.reconciled_at(),
        cases=tuple(book.cases(CaseState.OPEN, CaseState.PROPOSED)),
        ties=ties_at(day, closing, balances),
    )


def ties_at(day: date, closing: Closing, balances: Balances) -> tuple[Tie, ...]:
    """What providers stated next after the day's end, beside our `balances` at its end."""
    book, view = closing.book, closing.view
    until = closing.clock().astimezone(view.rules.zone).date()
    stated = chain.from_iterable(book.balances(account, day, max(until, day)) for account in sorted(view.accounts))
    return tuple(ties_of(day, balances, stated, view))


def _begun(day: date, closing: Closing) -> date:
    """The first day of books of which none was closed: as the settings say, else the first that has an entry."""
    begins = closing.view.rules.books_from
    if begins is not None:
        return date.fromisoformat(begins)
    first = next(iter(closing.book.entries(date.min, day)), None)
    return first.posted_on if first else day


def _reopen(kept: DayClose, actor: str, reason: str, book: ClosingBook, at: datetime) -> None:
    comment = Comment(at=at, by=actor, text=reason)
    opened = DayClose(day=kept.day, state=DayState.OPEN, revision=kept.revision + 1, reopened=(*kept.reopened, comment))
    detail = {"reason": reason, "digest": kept.digest or "", "revision": str(opened.revision)}
    audit = next_record(book.last_record(), at, actor, "day.reopened", kept.day.isoformat(), detail)
    book.commit_day(opened, replaces=kept.revision, audit=audit, totals={})


def _not_closable(day: date, missing: Sequence[Missing]) -> Rejected:
    named = "; ".join(one.describe() for one in missing[:MOST_NAMED])
    more = f"; and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return Rejected(
        "day_not_closable",
        f"{day} does not close: {named}{more}",
        field="day",
        hint="read the feeds, deal with the cases that block, and close the days in their order",
    )


def days_to_close(closing: Closing, until: date) -> tuple[date, ...]:
    """Open days up to `until`, in their order: what a daily close goes through, and stops at the first that does not
    close."""
    last = closing.book.last_closed()
    first = last + timedelta(days=1) if last else _begun(until, closing)
    over = [first + timedelta(days=number) for number in range((until - first).days + 1)]
    return tuple(day for day in over if end_of(day, closing.view.rules.zone) <= closing.clock())
