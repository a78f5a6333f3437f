"""One journal for each day, topic and currency: what bookkeeping programs are given in place of each entry. Pure.

Tens of thousands of entries are no use to them, and what they take at once is limited. Sums of balanced entries
balance; the entries themselves are in the plain-text exports.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from shared.finance.exports.names import AccountNames, plain_name
from shared.finance.journal import JournalEntry, Role, Topic
from shared.finance.reports.words import TOPICS


class SummaryLine(NamedTuple):
    """All debits, or all credits, of one account in one journal. Minor units, signed: debits are positive."""

    account: str
    of: str | None
    is_receivable: bool
    amount: int


class Summary(NamedTuple):
    day: date
    topic: Topic
    currency: str
    entries: int
    lines: tuple[SummaryLine, ...]

    @property
    def number(self) -> str:
        """`20260331-EUR-SALE`: the same in every export of the day, short enough for QuickBooks."""
        return f"{self.day:%Y%m%d}-{self.currency}-{self.topic[:4].upper()}"

    @property
    def narration(self) -> str:
        return f"{TOPICS[self.topic].en} {self.day.isoformat()} {self.currency}, entries: {self.entries}"


_Journal = tuple[date, Topic, str]
_Line = tuple[str, str | None, bool, bool]


class Summaries:
    """Sums by journal and account while entries go by."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = AccountNames(plain_name, names)
        self._sums: dict[_Journal, dict[_Line, int]] = {}
        self._entries: dict[_Journal, int] = {}

    def add(self, entry: JournalEntry) -> None:
        for currency in {posting.currency for posting in entry.postings}:
            journal = (entry.posted_on, entry.topic, currency)
            self._entries[journal] = self._entries.get(journal, 0) + 1
        for posting in entry.postings:
            sums = self._sums.setdefault((entry.posted_on, entry.topic, posting.currency), {})
            name = self._names.of(posting)
            line = (name, posting.of, posting.role is Role.RECEIVABLE, posting.amount > 0)
            sums[line] = sums.get(line, 0) + posting.amount

    def journals(self) -> Iterator[Summary]:
        """By day, topic and currency; debits before credits."""
        for journal in sorted(self._sums):
            sums = self._sums[journal]
            order = sorted(sums, key=lambda line: (not line[3], line[0], line[1] or "", line[2]))
            lines = tuple(SummaryLine(name, of, owed, sums[name, of, owed, side]) for name, of, owed, side in order)
            yield Summary(*journal, self._entries[journal], lines)
