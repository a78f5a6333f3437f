"""What a report is asked about, and how entries go by the tallies that make reports of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol

from shared.finance.cases import Case
from shared.finance.journal import JournalEntry, Role
from shared.finance.reports.report import Report

Account = tuple[str, str | None, str]
"""A role, whose account it is, and the currency: one account of the ledger."""


class Tie(NamedTuple):
    """What the books say that a provider holds, beside what it says itself. Minor units."""

    account: str
    currency: str
    ours: int
    theirs: int | None
    """None: it was not told."""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The days of a report and what else is known then."""

    since: date
    until: date
    opening: Mapping[Account, int] = field(default_factory=dict)
    """Balances before the first entry that is handed in. Entries from before `since` may be handed in: what is still
    open of them is then told one by one."""
    cases: tuple[Case, ...] = ()
    """Open ones; of others nothing is told."""
    ties: tuple[Tie, ...] = ()
    digest: str | None = None
    """Over the entries of the day, where it is closed."""

    def before(self, entry: JournalEntry) -> bool:
        return entry.posted_on < self.since


class Tally(Protocol):
    """One group of reports while entries go by."""

    reaches_back: bool
    """Whether it wants the entries from before the period too."""

    def add(self, entry: JournalEntry) -> None: ...

    def reports(self) -> tuple[Report, ...]: ...


def tally(tallies: Sequence[Tally], entries: Iterable[JournalEntry], scope: Scope) -> tuple[Report, ...]:
    """Read the entries once, in any order, and give all reports. Keeps none of them."""
    patient = tuple(one for one in tallies if one.reaches_back)
    for entry in entries:
        if entry.posted_on > scope.until:
            continue
        for one in patient if scope.before(entry) else tallies:
            one.add(entry)
    return tuple(report for one in tallies for report in one.reports())


class Balances:
    """Balances by account while entries go by: before the period, and what moved in it."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.before: defaultdict[Account, int] = defaultdict(int, scope.opening)
        self.debits: defaultdict[Account, int] = defaultdict(int)
        self.credits: defaultdict[Account, int] = defaultdict(int)

    def add(self, entry: JournalEntry) -> None:
        early = self._scope.before(entry)
        for posting in entry.postings:
            account = (str(posting.role), posting.of, posting.currency)
            if early:
                self.before[account] += posting.amount
            elif posting.amount > 0:
                self.debits[account] += posting.amount
            else:
                self.credits[account] -= posting.amount

    def accounts(self) -> list[Account]:
        """Every account that has a balance or moved, in the order of the roles."""
        known = {*self.before, *self.debits, *self.credits}
        order = {str(role): place for place, role in enumerate(Role)}
        return sorted(known, key=lambda account: (order[account[0]], account[1] or "", account[2]))

    def after(self, account: Account) -> int:
        return self.before.get(account, 0) + self.debits.get(account, 0) - self.credits.get(account, 0)
