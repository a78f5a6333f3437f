"""Journal entries: what the ledger is made of. Pure values; nothing is ever changed, only reversed."""

from datetime import date
from enum import StrEnum
from typing import Self

from pydantic import model_validator

from shared.finance.accounts import CLASS_OF, Class, Role
from shared.finance.models import Minor
from shared.kernel.model import Plentiful
from shared.kernel.money import CurrencyCode

__all__ = ["CLASS_OF", "Class", "Dimensions", "DueEntry", "JournalEntry", "Posting", "Role", "Topic"]


class Dimensions(Plentiful):
    """By what reports tell postings apart. Each may be missing."""

    shop: str | None = None
    channel: str | None = None
    sku: str | None = None
    title: str | None = None
    units: int | None = None
    """Signed like a sale: negative where goods came back."""
    country: str | None = None
    region: str | None = None
    tax_title: str | None = None
    tax_rate: str | None = None
    order: str | None = None
    """`aurora/5001`: what "the order closes to zero" is summed over."""
    payout: str | None = None
    category: str | None = None
    """Of a fee: the provider's own word."""


class Posting(Plentiful):
    """One line of an entry."""

    role: Role
    of: str | None = None
    """The shop, payment account or bank whose account it is."""
    currency: CurrencyCode
    amount: Minor
    """Debits are positive, credits negative. Never zero."""
    dimensions: Dimensions = Dimensions()


class Topic(StrEnum):
    """What an entry is about; also decides which entries a back office is told."""

    SALE = "sale"
    REDUCTION = "reduction"
    """A refund's document, or an edit that lowered the order."""
    RECEIPT = "receipt"
    """A buyer's money at a provider, in or out: captures, refunds, their reversals."""
    GIFT_CARD = "gift_card"
    FEE = "fee"
    DISPUTE = "dispute"
    RESERVE = "reserve"
    PAYOUT = "payout"
    BANK = "bank"
    CONVERSION = "conversion"
    ADJUSTMENT = "adjustment"
    COST = "cost"
    WRITE_OFF = "write_off"
    ROUNDING = "rounding"
    OPENING = "opening"


class DueEntry(Plentiful):
    """What should be on the ledger because of one source, as it is known now. Balanced in each currency."""

    source: str
    """What it stands for; there is one entry in force for each: `order/aurora/5001/sale`, `line/stripe-eu/txn_1`."""
    topic: Topic
    on: date
    """The day of the business itself, in the merchant's time zone."""
    narration: str
    """For staff, without anything personal: `#1001 sale`."""
    postings: tuple[Posting, ...]

    @model_validator(mode="after")
    def _balances(self) -> Self:
        for currency in sorted({posting.currency for posting in self.postings}):
            left = sum(posting.amount for posting in self.postings if posting.currency == currency)
            if left:
                raise ValueError(f"{self.source}: debits exceed credits by {left} minor units of {currency}")
        return self


class JournalEntry(DueEntry):
    """An entry that was posted. It stays for ever; a wrong one is reversed and posted anew."""

    number: int
    """Counts the entries of its source from 1."""
    posted_on: date
    """The day whose books it is in: `on`, or the first day that was open when it came."""
    reverses: int | None = None
    """The number of the entry that it undoes."""
    digest: str
    """Of source, topic, day, narration and postings: tells whether what is due has changed."""

    @property
    def id(self) -> str:
        return f"{self.source}#{self.number}"
