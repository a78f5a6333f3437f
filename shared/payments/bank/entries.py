"""One movement as a bank states it, whatever the format of its file, and the line that is kept of it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from shared.finance.models import BankLine, Feed
from shared.payments.bank.identity import EntryMark, line_ids
from shared.payments.bank.privacy import kept_text, redacted


class BankEntry(NamedTuple):
    booked_on: date
    valued_on: date | None
    currency: str
    amount: int
    """Minor units; positive: credited."""
    purposes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Of counterparties."""
    own_reference: str | None = None
    """The bank's reference of this movement."""
    references: tuple[str, ...] = ()
    """By which others may know it."""

    @property
    def mark(self) -> EntryMark:
        texts = (redacted(text) for text in (*self.purposes, *self.references))
        return EntryMark(self.booked_on, self.currency, self.amount, self.own_reference, " ".join(texts))


def lines_of(bank: str, entries: Sequence[BankEntry], words: Iterable[str], feed: Feed) -> tuple[BankLine, ...]:
    """The lines of one file. `words`: what names the merchant's payment providers."""
    wanted = tuple(words)
    ids = line_ids([entry.mark for entry in entries])
    return tuple(_line(bank, line_id, entry, wanted, feed) for line_id, entry in zip(ids, entries, strict=True))


def _line(bank: str, line_id: str, entry: BankEntry, words: tuple[str, ...], feed: Feed) -> BankLine:
    told = (entry.own_reference, *entry.references)
    return BankLine(
        bank=bank,
        line_id=line_id,
        booked_on=entry.booked_on,
        valued_on=entry.valued_on,
        currency=entry.currency,
        amount=entry.amount,
        text=kept_text(entry.purposes, entry.names, words),
        references=tuple(dict.fromkeys(redacted(reference) for reference in told if reference)),
        feed=feed,
    )
