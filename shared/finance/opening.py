"""What providers held already when these books began: without it no balance would ever tie."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time

from shared.finance.due.drafting import Draft
from shared.finance.due.view import LedgerView
from shared.finance.journal import DueEntry, Role, Topic
from shared.finance.models import ProviderBalance
from shared.finance.ports import Ledger
from shared.finance.posting import entry_in_force, first_entry, first_open_day
from shared.finance.trial import moved_between


def open_books(view: LedgerView, stated: Iterable[ProviderBalance], ledger: Ledger) -> tuple[str, ...]:
    """Post an opening balance for each account and currency that has none yet; the sources of what was posted.

    It is worked out once, from the first balance that the provider stated, and stays: later balances are what the books
    are held against. Without `rules.books_from` everything is posted from the beginning, and nothing was there before.

    Raises:
        Conflict: somebody else posted meanwhile: do it again.
        Retry: the store is out of reach.
    """
    due = {entry.source: entry for entry in opening_due(view, stated)}
    known = ledger.entries_of(sorted(due))
    missing = [entry for source, entry in sorted(due.items()) if entry_in_force(known.get(source, ())) is None]
    if missing:
        first_open = first_open_day(ledger)
        ledger.post([first_entry(entry, known.get(entry.source, ()), first_open) for entry in missing])
    return tuple(entry.source for entry in missing)


def accounts_to_open(stated: Iterable[ProviderBalance], ledger: Ledger) -> tuple[str, ...]:
    """Accounts that stated a balance for which nothing was opened yet. Cheap to ask, before the lines are read that
    :func:`open_books` takes."""
    accounts = {_source(one.account, one.currency): one.account for one in stated}
    return tuple(sorted({accounts[source] for source in accounts.keys() - ledger.entries_of(sorted(accounts)).keys()}))


def opening_due(view: LedgerView, stated: Iterable[ProviderBalance]) -> Iterator[DueEntry]:
    """By the first balance after the books began, less what moved from then on, which `view` must have whole."""
    if view.rules.books_from is None:
        return
    day = date.fromisoformat(view.rules.books_from)
    begins = datetime.combine(day, time.min, tzinfo=view.rules.zone)
    first: dict[tuple[str, str], ProviderBalance] = {}
    for one in sorted(stated, key=lambda one: one.as_of):
        if one.as_of >= begins and one.account in view.accounts:
            first.setdefault((one.account, one.currency), one)
    for (account, currency), balance in sorted(first.items()):
        draft, held = Draft(currency), balance.amount - moved_between(begins, balance, view)
        draft.post(Role.CLEARING, account, held)
        draft.post(Role.OPENING, account, -held)
        entry = draft.entry(_source(account, currency), Topic.OPENING, day, f"{account} opening balance")
        if entry is not None:
            yield entry


def _source(account: str, currency: str) -> str:
    return f"opening/{account}/{currency}"
