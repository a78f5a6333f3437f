"""May a day close, and if not, what is missing. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from shared.finance.cases import Case
from shared.finance.journal import JournalEntry
from shared.finance.models import Action, DiscrepancyKind, Minor
from shared.finance.rules import AccountRules, FinanceRules
from shared.finance.trial import HELD, Balances, Tie, end_of, off_by, unbalanced
from shared.kernel.model import Canonical
from shared.kernel.money import CurrencyCode


class MissingKind(StrEnum):
    DAY_NOT_OVER = "day_not_over"
    DAY_BEFORE_OPEN = "day_before_open"
    BEFORE_BOOKS = "before_books"
    """The day is older than the books (`rules.books_from`)."""
    NOT_RECONCILED = "not_reconciled"
    """What was read since then is not in the books yet."""
    FEED_NOT_READ = "feed_not_read"
    """A payment account's feed was not read to the day's end."""
    CASE_BLOCKS = "case_blocks"
    NO_BALANCE = "no_balance"
    """The provider tells balances, and none was asked for after the day's end."""
    BALANCE_DIFFERS = "balance_differs"
    UNBALANCED = "unbalanced"


class Missing(Canonical):
    """One thing that keeps a day open."""

    kind: MissingKind
    subject: str
    """A day, a payment account, a case's id, an entry's id."""
    currency: CurrencyCode | None = None
    expected: Minor | None = None
    """By our books."""
    found: Minor | None = None
    """By the provider."""
    what: str = ""
    """Of a case: its kind. Of a feed: up to when it was read."""

    @property
    def difference(self) -> int:
        return (self.found or 0) - (self.expected or 0)

    def describe(self) -> str:
        """In one line, for staff: minor units with their currency."""
        sides = ""
        if self.expected is not None or self.found is not None:
            sides = (
                f": {self.currency} {self.expected} in the books, {self.found} at the provider ({self.difference:+})"
            )
        return f"{self.kind} {self.subject}{' ' + self.what if self.what else ''}{sides}"


@dataclass(frozen=True, slots=True)
class CloseFacts:
    """What is known when a day is to be closed."""

    now: datetime
    rules: FinanceRules
    accounts: Mapping[str, AccountRules]
    last_closed: date | None = None
    begun: date | None = None
    """The first day of the books where none was closed yet: nothing stands before it."""
    entries: tuple[JournalEntry, ...] = ()
    """Of the day."""
    balances: Balances = field(default_factory=dict)
    """After the day."""
    read_until: Mapping[str, datetime | None] = field(default_factory=dict)
    """For each payment account that has a feed: everything before is in our books; None: it was never read."""
    reconciled_at: datetime | None = None
    """Everything that was known then is in the books; None: nothing was ever reconciled."""
    cases: tuple[Case, ...] = ()
    """Open ones, proposals included."""
    ties: tuple[Tie, ...] = ()


_AGELESS_KINDS = frozenset(
    {
        DiscrepancyKind.DISPUTE_OPEN,
        DiscrepancyKind.DISPUTE_WON,
        DiscrepancyKind.DISPUTE_LOST,
        DiscrepancyKind.FEE_VARIANCE,
        DiscrepancyKind.FX_ROUNDING,
        DiscrepancyKind.RESERVE_HELD,
    }
)
_AGELESS_ACTIONS = frozenset({Action.REPORT, Action.AUTO_ROUND})
"""What lasts for months by its nature, or asks nothing of anybody, blocks no close by its age."""


def missing_for_close(day: date, facts: CloseFacts) -> tuple[Missing, ...]:
    """Everything that keeps the day open, in a fixed order; none: it may close."""
    cases = (case for case in sorted(facts.cases, key=lambda case: case.id) if blocks(case, day, facts.rules))
    return (
        *_calendar(day, facts),
        *_feeds(day, facts),
        *_reconciled(day, facts),
        *map(_case, cases),
        *_balances(facts),
        *_unbalanced(facts),
    )


def blocks(case: Case, day: date, rules: FinanceRules) -> bool:
    """Whether an open case keeps a day from closing: by its kind, or because nobody has dealt with it for too long.
    What is younger than the day does not concern it."""
    discrepancy = case.discrepancy
    if not case.is_open or discrepancy.since > day:
        return False
    if discrepancy.blocks_close:
        return True
    if discrepancy.kind in _AGELESS_KINDS or discrepancy.action in _AGELESS_ACTIONS:
        return False
    return case.age_days(day) > rules.unmatched_blocks_after_days


def _calendar(day: date, facts: CloseFacts) -> Iterator[Missing]:
    if facts.now < end_of(day, facts.rules.zone):
        yield Missing(kind=MissingKind.DAY_NOT_OVER, subject=day.isoformat())
    if facts.rules.books_from is not None and day < date.fromisoformat(facts.rules.books_from):
        yield Missing(kind=MissingKind.BEFORE_BOOKS, subject=day.isoformat())
    before = day - timedelta(days=1)
    begun = facts.begun is None or day <= facts.begun
    if (facts.last_closed is None and not begun) or (facts.last_closed is not None and facts.last_closed < before):
        yield Missing(kind=MissingKind.DAY_BEFORE_OPEN, subject=before.isoformat())


def _feeds(day: date, facts: CloseFacts) -> Iterator[Missing]:
    for account, read_until in sorted(facts.read_until.items()):
        if account in facts.accounts and (read_until is None or read_until < end_of(day, facts.rules.zone)):
            what = read_until.isoformat() if read_until else "never"
            yield Missing(kind=MissingKind.FEED_NOT_READ, subject=account, what=what)


def _reconciled(day: date, facts: CloseFacts) -> Iterator[Missing]:
    """After the day's end, and after its feeds were read: until then the ledger does not know what the feeds told."""
    needed = max((end_of(day, facts.rules.zone), *(at for at in facts.read_until.values() if at is not None)))
    if facts.reconciled_at is None or facts.reconciled_at < needed:
        what = facts.reconciled_at.isoformat() if facts.reconciled_at else "never"
        yield Missing(kind=MissingKind.NOT_RECONCILED, subject=day.isoformat(), what=what)


def _case(case: Case) -> Missing:
    discrepancy = case.discrepancy
    what = f"{discrepancy.kind} {discrepancy.subject}"
    return Missing(kind=MissingKind.CASE_BLOCKS, subject=case.id, what=what)


def _balances(facts: CloseFacts) -> Iterator[Missing]:
    told = {account for account, rules in facts.accounts.items() if rules.tells_balance}
    tied = {(tie.account, tie.currency): tie for tie in facts.ties if tie.account in told}
    for account, currency in sorted(_held(facts, told) | set(tied)):
        tie = tied.get((account, currency))
        if tie is None:
            yield Missing(kind=MissingKind.NO_BALANCE, subject=account, currency=currency)
        elif tie.difference:
            yield Missing(
                kind=MissingKind.BALANCE_DIFFERS,
                subject=account,
                currency=currency,
                expected=tie.books,
                found=tie.provider,
                what=_unread(tie, facts.read_until.get(account)),
            )


def _unread(tie: Tie, read_until: datetime | None) -> str:
    """Why the two may well differ: what moved before the provider stated its balance is not all in our books."""
    if read_until is None or read_until >= tie.as_of:
        return ""
    return f"as of {tie.as_of.isoformat()}, the feed was read until {read_until.isoformat()}"


def _held(facts: CloseFacts, told: Iterable[str]) -> set[tuple[str, str]]:
    """Accounts and currencies that hold something by our books, or moved on the day."""
    names = frozenset(told)
    roles = {role.value for role in HELD}
    standing = {(of, currency) for role, of, currency in facts.balances if role in roles and of and of in names}
    moved = {
        (posting.of, posting.currency)
        for entry in facts.entries
        for posting in entry.postings
        if posting.role in HELD and posting.of and posting.of in names
    }
    return standing | moved


def _unbalanced(facts: CloseFacts) -> Iterator[Missing]:
    for entry in unbalanced(facts.entries):
        yield Missing(kind=MissingKind.UNBALANCED, subject=entry)
    for currency, amount in off_by(facts.balances).items():
        yield Missing(kind=MissingKind.UNBALANCED, subject="all accounts", currency=currency, expected=0, found=amount)
