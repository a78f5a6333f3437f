"""What the use cases of finance need of the outside, in their own words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

from shared.finance.cases import AuditRecord, Case, CaseState, DayClose
from shared.finance.journal import JournalEntry
from shared.finance.models import (
    BankLine,
    Fact,
    Match,
    OrderStatement,
    Payment,
    Payout,
    ProviderBalance,
    SettlementLine,
)
from shared.kernel.identifiers import OrderKey


class Kept(NamedTuple):
    """What became of facts that were handed in."""

    new: int = 0
    changed: int = 0
    same: int = 0
    restated: tuple[str, ...] = ()
    """Ids of facts whose money differs from what was stated before: the merge decided, and a case says so."""

    def __add__(self, other: "Kept") -> "Kept":  # type: ignore[override]
        return Kept(
            self.new + other.new, self.changed + other.changed, self.same + other.same, self.restated + other.restated
        )


class FinanceFacts(Protocol):
    """Facts, each found by its identity and by its day. Every method raises `Retry` when the store is out of reach.

    Days are those of the merchant's time zone. Lists are in the order of their identities.
    """

    def keep(self, facts: Iterable[Fact]) -> Kept:
        """Merge each into what is known of it (`finance.merging`). Handed in twice, in any order: the same end.

        Raises:
            Rejected: `finance_item_too_large`, for one that no store of ours takes; what came before it may be kept.
        """
        ...

    def orders(self, since: date, until: date) -> Iterator[OrderStatement]:
        """Statements of orders placed on these days, both included."""
        ...

    def payments(self, account: str, since: date, until: date) -> Iterator[Payment]: ...

    def lines(self, account: str, since: date, until: date) -> Iterator[SettlementLine]: ...

    def payouts(self, account: str, since: date, until: date) -> Iterator[Payout]:
        """By the day they were issued."""
        ...

    def bank_lines(self, bank: str, since: date, until: date) -> Iterator[BankLine]:
        """By the day they were booked."""
        ...

    def balances(self, account: str, since: date, until: date) -> Iterator[ProviderBalance]:
        """In the order of time."""
        ...

    def find_orders(self, keys: Iterable[OrderKey]) -> Mapping[OrderKey, OrderStatement]: ...

    def find_line(self, account: str, line_id: str) -> SettlementLine | None: ...

    def find_payment(self, account: str, payment_id: str) -> Payment | None: ...

    def find_payout(self, account: str, payout_id: str) -> Payout | None: ...

    def restatements(self) -> Mapping[str, tuple[str, ...]]:
        """Facts that were stated with different money, `line:stripe-eu/txn_1`, and the figures, oldest first."""
        ...


class MatchBook(Protocol):
    """Matches, links that staff made, and which order a charge belongs to."""

    def keep_matches(self, matches: Sequence[Match], *, replaces: Iterable[str], at: datetime) -> None:
        """Add matches (one that is kept already stays as it is, with the time of its first keeping) and drop those
        that hold no longer, by id."""
        ...

    def matches_of(self, item: str) -> tuple[Match, ...]:
        """Matches that join this item: `order:aurora/5001`, `line:stripe-eu/txn_1`, `payout:stripe-eu/po_1`."""
        ...

    def matches(self, since: date, until: date) -> Iterator[Match]:
        """Matches that were first kept on these days."""
        ...

    def orders_of_charges(self, charges: Iterable[str]) -> Mapping[str, str]:
        """`stripe-eu/ch_1` to the key of the order that it was matched with."""
        ...

    def links(self) -> Mapping[str, str]:
        """See `finance.inputs.Inputs.links`."""
        ...

    def linked_since(self, day: date) -> frozenset[str]:
        """What staff linked on this day or later: `stripe-eu/txn_1`."""
        ...

    def reconciled_at(self) -> datetime | None:
        """As of when everything in the book was last reconciled; None: never."""
        ...

    def note_reconciled(self, at: datetime) -> None:
        """Remember it. Never falls back."""
        ...


class Cases(Protocol):
    """The exceptions queue."""

    def find_case(self, case_id: str) -> Case | None: ...

    def cases(self, *states: CaseState, since: date | None = None) -> Iterator[Case]:
        """Cases in any of these states, oldest day of business first; with `since`, those of that day and later."""
        ...

    def written_off(self) -> Iterator[Case]:
        """Cases that are resolved by a write-off, however old, in the same order."""
        ...

    def commit_case(
        self, case: Case, *, replaces: int | None, audit: AuditRecord | None = None, link: tuple[str, str] | None = None
    ) -> None:
        """Write a case, the record of what was done, and the link that it sets, all or nothing.

        Raises:
            Conflict: the case or the trail changed meanwhile.
        """
        ...


class AuditTrail(Protocol):
    def last_record(self) -> AuditRecord | None: ...

    def append(self, record: AuditRecord) -> None:
        """Raises:
        Conflict: somebody else appended meanwhile: make the record anew from the last one.
        """
        ...

    def records(self, since: int = 1) -> Iterator[AuditRecord]:
        """In the order of their numbers."""
        ...


class Ledger(Protocol):
    def entries_of(self, sources: Iterable[str]) -> Mapping[str, tuple[JournalEntry, ...]]:
        """All entries of each source, by number; sources without any are missing."""
        ...

    def post(self, entries: Sequence[JournalEntry]) -> None:
        """Add entries. One with the same id and digest that is there already is left alone.

        Raises:
            Conflict: an entry of this number exists and says something else, a number is left out, or the day of one
                is closed: read again and make the entries anew.
        """
        ...

    def entries(self, since: date, until: date) -> Iterator[JournalEntry]:
        """By the day they were posted on, then by id."""
        ...

    def balances_before(self, day: date) -> Mapping[tuple[str, str | None, str], int]:
        """Sum of all postings by (role, of, currency) of the days before, from the kept totals of closed days."""
        ...

    def day(self, day: date) -> DayClose | None:
        """None: nothing was ever done about this day, it is open."""
        ...

    def last_closed(self) -> date | None:
        """The latest day such that it and every kept day before it are closed."""
        ...

    def commit_day(
        self,
        close: DayClose,
        *,
        replaces: int | None,
        audit: AuditRecord,
        totals: Mapping[tuple[str, str | None, str], int],
    ) -> None:
        """Write the state of a day, its running totals (empty when it is reopened), and the record of who did it.

        Raises:
            Conflict: the day or the trail changed meanwhile, or a day is closed that has another number of entries than
                the close counted.
        """
        ...


class CostPrice(NamedTuple):
    sku: str
    currency: str
    minor: int
    """For one unit."""
    since: date


class CostPrices(Protocol):
    def costs(self, skus: Iterable[str]) -> Mapping[str, tuple[CostPrice, ...]]:
        """What units cost, oldest price first; a SKU without any is missing."""
        ...

    def keep_costs(self, prices: Iterable[CostPrice]) -> int:
        """Keep prices; how many of them are new or differ."""
        ...


class FinanceBook(FinanceFacts, MatchBook, Cases, AuditTrail, Ledger, CostPrices, Protocol):
    """All of it: one table."""
