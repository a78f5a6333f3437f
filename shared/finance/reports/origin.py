"""What an entry as a whole belongs to, and how its money at a provider parts into gross and fee. Pure."""

from collections import defaultdict
from typing import NamedTuple

from shared.finance.journal import JournalEntry, Posting, Role


class Origin(NamedTuple):
    """Where a sale or refund came from; any of it may be unknown."""

    shop: str | None
    channel: str | None
    order: str | None


def origin_of(entry: JournalEntry) -> Origin:
    """What any posting of the entry tells: reports by channel count tax and shipping with the goods."""
    shop = channel = order = None
    for posting in entry.postings:
        told = posting.dimensions
        shop = shop or told.shop or (posting.of if posting.role is Role.RECEIVABLE else None)
        channel = channel or told.channel
        order = order or told.order
    return Origin(shop, channel, order)


def count_of(entry: JournalEntry) -> int:
    """An entry counts once; one that undoes another takes it away again."""
    return 1 if entry.reverses is None else -1


def currencies_of(entry: JournalEntry) -> list[str]:
    """An order that gift cards paid in full owes nothing, and counts all the same: every currency of the entry."""
    return sorted({posting.currency for posting in entry.postings})


def units_of(posting: Posting) -> int:
    return posting.dimensions.units or 0


class Movement(NamedTuple):
    """What one entry did to the balance at a provider: gross - fee. Minor units."""

    account: str | None
    currency: str
    gross: int
    fee: int
    comes_in: bool
    """Whether it is, or undoes, money that came in."""


def movements_of(entry: JournalEntry) -> tuple[Movement, ...]:
    """What the entry did to each clearing account, the fee that it names there told apart."""
    moved: defaultdict[tuple[str | None, str], int] = defaultdict(int)
    fees: defaultdict[tuple[str | None, str], int] = defaultdict(int)
    for posting in entry.postings:
        if posting.role is Role.CLEARING:
            moved[posting.of, posting.currency] += posting.amount
        elif posting.role is Role.FEES:
            fees[posting.of, posting.currency] += posting.amount
    found = []
    for account, currency in sorted({*moved, *fees}, key=lambda key: (key[0] or "", key[1])):
        fee = fees[account, currency]
        gross = moved[account, currency] + fee
        found.append(Movement(account, currency, gross, fee, (gross > 0) == (entry.reverses is None)))
    return tuple(found)
