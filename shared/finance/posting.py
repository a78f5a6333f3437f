"""Bring the ledger to what is due: post what is new, and correct by reversal what is due otherwise or no more.

Closed days are never written into. An entry that comes late, and every correction of one whose day is closed, is in the
books of the first open day. The newest entry that is no reversal and was not reversed is the one in force for its
source; whatever stops this in between two calls of the ledger, doing it again leads to the same end.

Two of these at once, or one beside a close, end in `Conflict` at the ledger for one of them: do it again then.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import NamedTuple

from shared.finance.due.entries import entries_due, owned_by
from shared.finance.due.view import LedgerView, business_day
from shared.finance.due.write_offs import about_the_view
from shared.finance.journal import DueEntry, JournalEntry, Posting
from shared.finance.models import line_key
from shared.finance.ports import Ledger

BATCH = 100
"""Sources that are looked up and posted together."""


class Posted(NamedTuple):
    """What was done, in entries."""

    new: int = 0
    """Of sources that had none in force."""
    corrected: int = 0
    """Reversed, and posted anew."""
    withdrawn: int = 0
    """Reversed, and not due any more."""
    same: int = 0


def bring_up_to_date(view: LedgerView, ledger: Ledger, *, since: date, until: date) -> Posted:
    """Post what is due by the view, and take back what is not due any more.

    `since` and `until`: the days whose books are looked through for entries that are due no more; the window that the
    view was gathered for. Of things in the view that are older, the entries that every such thing has are looked up.

    Raises:
        Rejected: `order_not_in_view`.
        Conflict: a day was closed meanwhile, or somebody else posted: do it again.
        Retry: the store is out of reach.
    """
    due = {entry.source: entry for entry in entries_due(view)}
    first_open = first_open_day(ledger)
    is_owned = owned_by(view)
    last = max(until, first_open) if first_open else until
    seen = _by_source(ledger.entries(since, last))
    sources = {*due, *(source for source in seen if is_owned(source)), *_older_sources(view, since)}
    settled = {source for source in sources if _is_settled(due.get(source), seen.get(source, ()))}
    counted = [0, 0, 0, len(settled)]
    for batch in _batches(sorted(sources - settled)):
        known = ledger.entries_of(batch)
        entries: list[JournalEntry] = []
        for source in batch:
            kind, needed = _needed(due.get(source), known.get(source, ()), first_open)
            counted[kind] += 1 if due.get(source) or needed else 0
            entries += needed
        if entries:
            ledger.post(entries)
    return Posted(*counted)


def first_open_day(ledger: Ledger) -> date | None:
    """The first day whose books may still be written into. None: no day was ever closed."""
    closed = ledger.last_closed()
    return closed + timedelta(days=1) if closed else None


def entry_in_force(entries: Sequence[JournalEntry]) -> JournalEntry | None:
    """The entry of a source that counts now, if one does."""
    undone = {entry.reverses for entry in entries}
    counting = [entry for entry in entries if entry.reverses is None and entry.number not in undone]
    return counting[-1] if counting else None


def first_entry(due: DueEntry, kept: Sequence[JournalEntry], first_open: date | None) -> JournalEntry:
    """The entry that puts in force what is due of a source that has none in force; `kept` are its earlier ones."""
    return _entry(due, len(kept) + 1, first_open)


def digest_of(entry: DueEntry) -> str:
    """SHA-256 over what is booked: source, topic, day, narration, postings. Fields of a later version that are at
    their defaults change nothing."""
    text = entry.model_dump_json(include={"source", "topic", "on", "narration", "postings"}, exclude_defaults=True)
    return hashlib.sha256(text.encode()).hexdigest()


_NEW, _CORRECTED, _WITHDRAWN, _SAME = range(4)


def _is_settled(due: DueEntry | None, seen: Sequence[JournalEntry]) -> bool:
    """Whether what is due is in force, by what was seen of the source's entries on the days that were looked through.
    There may be others on days before; but a reversal is never on a day before what it reverses, so that an entry that
    was seen, and no reversal of it, is in force. Of most sources this is all: nothing is read of them alone."""
    in_force = entry_in_force(seen)
    return due is not None and in_force is not None and digest_of(due) == in_force.digest


def _needed(
    due: DueEntry | None, kept: Sequence[JournalEntry], first_open: date | None
) -> tuple[int, tuple[JournalEntry, ...]]:
    """What to post for one source, and what that is called."""
    in_force = entry_in_force(kept)
    number = len(kept) + 1
    if in_force is None:
        return _NEW, (_entry(due, number, first_open),) if due else ()
    if due is not None and digest_of(due) == in_force.digest:
        return _SAME, ()
    undoing = _reversal(in_force, number, first_open)
    if due is None:
        return _WITHDRAWN, (undoing,)
    return _CORRECTED, (undoing, _entry(due, number + 1, first_open))


def _entry(due: DueEntry, number: int, first_open: date | None, reverses: int | None = None) -> JournalEntry:
    return JournalEntry(
        source=due.source,
        topic=due.topic,
        on=due.on,
        narration=due.narration,
        postings=due.postings,
        number=number,
        posted_on=max(due.on, first_open) if first_open else due.on,
        reverses=reverses,
        digest=digest_of(due),
    )


def _reversal(entry: JournalEntry, number: int, first_open: date | None) -> JournalEntry:
    """The opposite of an entry, in the books of its own day while that is open."""
    opposite = DueEntry(
        source=entry.source,
        topic=entry.topic,
        on=entry.on,
        narration=f"{entry.narration} (reversed)",
        postings=tuple(_opposite(posting) for posting in entry.postings),
    )
    earliest = max(entry.posted_on, first_open) if first_open else entry.posted_on
    return _entry(opposite, number, earliest, reverses=entry.number)


def _opposite(posting: Posting) -> Posting:
    units = posting.dimensions.units
    dimensions = posting.dimensions.model_copy(update={"units": -units}) if units else posting.dimensions
    return posting.model_copy(update={"amount": -posting.amount, "dimensions": dimensions})


def _older_sources(view: LedgerView, since: date) -> Iterator[str]:
    """What may be on the ledger from before `since` of things in the view, where it has a name of its own."""
    zone = view.rules.zone
    for order in view.orders:
        if business_day(order.placed_at, zone) < since:
            yield from (f"order/{order.key}/{part}" for part in ("sale", "cost", "edit/1", "edit/1/cost"))
    for line in view.lines:
        if business_day(line.occurred_at, zone) < since:
            yield from (f"line/{line_key(line)}", f"line/{line_key(line)}/fee")
    for payment in view.payments:
        if business_day(payment.occurred_at, zone) < since:
            yield f"dispute/{payment.account}/{payment.payment_id}/lost"
    yield from (f"payout/{one.account}/{one.payout_id}" for one in view.payouts if one.issued_on < since)
    yield from (f"bank/{one.bank}/{one.line_id}" for one in view.bank_lines if one.booked_on < since)
    yield from (f"case/{case.id}/write_off" for case in about_the_view(view) if case.discrepancy.since < since)


def _batches(sources: Iterable[str]) -> Iterator[tuple[str, ...]]:
    left = iter(sources)
    while batch := tuple(islice(left, BATCH)):
        yield batch


def entries_in_force(entries: Iterable[JournalEntry]) -> Mapping[str, JournalEntry]:
    """By source. `entries` holds all of each source."""
    found = {source: entry_in_force(kept) for source, kept in _by_source(entries).items()}
    return {source: entry for source, entry in found.items() if entry is not None}


def _by_source(entries: Iterable[JournalEntry]) -> Mapping[str, Sequence[JournalEntry]]:
    """Each source's in the order of their numbers."""
    by_source: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        by_source.setdefault(entry.source, []).append(entry)
    return {source: sorted(kept, key=lambda entry: entry.number) for source, kept in by_source.items()}
