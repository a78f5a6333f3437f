"""What the accounts come to, and whether they tie to what the providers say they hold."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.finance.due.lines import PAYOUTS
from shared.finance.due.payouts import came_to_nothing, entries_of_payouts, paid_out_by
from shared.finance.due.view import LedgerView, business_day
from shared.finance.journal import DueEntry, JournalEntry, Role
from shared.finance.models import LineKind, Minor, ProviderBalance, SettlementLine
from shared.kernel.model import Canonical
from shared.kernel.money import CurrencyCode

AccountKey = tuple[str, str | None, str]
"""Role, whose account it is, currency."""
Balances = Mapping[AccountKey, int]
HELD = (Role.CLEARING, Role.RESERVE)
"""What a provider holds for the merchant: its own balance has both."""
_INSTANT = timedelta(microseconds=1)
_RESERVES = frozenset({LineKind.RESERVE_HELD, LineKind.RESERVE_RELEASED})


class Tie(Canonical):
    """One provider's balance beside ours, at the provider's own time."""

    account: str
    currency: CurrencyCode
    as_of: datetime
    books: Minor
    """Clearing and reserve at the day's end, and what moved from then until `as_of`."""
    provider: Minor

    @property
    def difference(self) -> int:
        """What the provider has beyond our books."""
        return self.provider - self.books


def balances_of(entries: Iterable[DueEntry], before: Balances | None = None) -> dict[AccountKey, int]:
    """Balances after `entries`, from those `before` on; accounts that come to zero are left out."""
    sums: Counter[AccountKey] = Counter(dict(before or {}))
    for entry in entries:
        for posting in entry.postings:
            sums[posting.role.value, posting.of, posting.currency] += posting.amount
    return {account: amount for account, amount in sorted(sums.items(), key=_order) if amount}


def off_by(balances: Balances) -> dict[str, int]:
    """By how much debits exceed credits in all, for each currency where they do: nothing, unless something is lost."""
    sums: Counter[str] = Counter()
    for (_, _, currency), amount in balances.items():
        sums[currency] += amount
    return {currency: amount for currency, amount in sorted(sums.items()) if amount}


def held_by(balances: Balances, account: str, currency: str) -> int:
    """What our books say a provider holds, its reserve included."""
    return sum(balances.get((role.value, account, currency), 0) for role in HELD)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment after a day of the merchant's."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)


def ties_of(day: date, balances: Balances, stated: Iterable[ProviderBalance], view: LedgerView) -> Iterator[Tie]:
    """Ties at the end of a day, by account and currency: the balance that the provider stated next after it, beside
    our `balances` with what `view` says was moved in between. Balances from before the day's end are not looked at."""
    ends = end_of(day, view.rules.zone)
    nearest: dict[tuple[str, str], ProviderBalance] = {}
    for one in sorted(stated, key=lambda one: one.as_of, reverse=True):
        if one.as_of >= ends:
            nearest[one.account, one.currency] = one
    for (account, currency), one in sorted(nearest.items()):
        books = held_by(balances, account, currency) + moved_between(ends, one, view)
        yield Tie(account=account, currency=currency, as_of=one.as_of, books=books, provider=one.amount)


def moved_between(since: datetime, balance: ProviderBalance, view: LedgerView) -> int:
    """By how much an account's balance moved from `since` until just before the moment that the provider stated it for,
    by lines and by payouts that no line tells. Those have a day and no time: one of a day that had begun counts."""
    failed = came_to_nothing(view)
    moved = sum(
        _moves(line)
        for line in view.lines
        if (line.account, line.currency) == (balance.account, balance.currency)
        and since <= line.occurred_at < balance.as_of
        and not line.test
        and not (line.kind in PAYOUTS and paid_out_by(line) & failed)
    )
    zone = view.rules.zone
    first, last = business_day(since, zone), business_day(balance.as_of - _INSTANT, zone)
    for entry in entries_of_payouts(view):
        for posting in entry.postings if entry is not None and first <= entry.on <= last else ():
            if (posting.role, posting.of, posting.currency) == (Role.CLEARING, balance.account, balance.currency):
                moved += posting.amount
    return moved


def _moves(line: SettlementLine) -> int:
    """What is put into the reserve, or comes out of it, stays with the provider."""
    return line.net - line.gross if line.kind in _RESERVES else line.net


def unbalanced(entries: Iterable[JournalEntry]) -> tuple[str, ...]:
    """Entries whose debits are not their credits, by id. The model refuses them: there are none unless the store was
    written to by something else."""
    return tuple(entry.id for entry in entries if off_by(balances_of([entry])))


def _order(item: tuple[AccountKey, int]) -> tuple[str, str, str]:
    role, of, currency = item[0]
    return role, of or "", currency
