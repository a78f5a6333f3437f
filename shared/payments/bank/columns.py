"""Where a bank's CSV export keeps what. Part of the settings."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.kernel.model import Canonical

_PARTS_OF_A_DAY: Final = (("%Y", "%y"), ("%m", "%b", "%B"), ("%d",))
Column = Annotated[str, StringConstraints(min_length=1, max_length=80)]
"""A heading of the file, as it is written there; compared without regard to case and surrounding blanks."""


class BankColumns(Canonical):
    booked_on: Column
    amount: Column | None = None
    """Signed; or else `debit` and `credit`."""
    debit: Column | None = None
    credit: Column | None = None
    direction: Column | None = None
    """A column that says which way an unsigned `amount` went."""
    debit_words: tuple[str, ...] = ("D", "DBIT", "debit", "Af", "S", "支出")
    """What `direction` says of money that went out."""
    credit_words: tuple[str, ...] = ("C", "CRDT", "credit", "Bij", "H", "收入")
    """What it says of money that came in. Any other word is a fault of its row: no direction is guessed."""
    currency: Column | None = None
    """None: the account's own."""
    text: Annotated[tuple[Column, ...], Field(min_length=1)]
    """The purpose first; others (the counterparty's name) are kept only where they name a payment provider."""
    reference: Column | None = None
    id: Column | None = None
    """The bank's own id of the movement, where there is one that is unique."""
    valued_on: Column | None = None
    date_format: Annotated[str, StringConstraints(min_length=2, max_length=20)] = "%Y-%m-%d"
    """As Python's `strptime` reads it: `%d.%m.%Y`."""
    decimal_mark: Literal[".", ","] = "."
    delimiter: Literal[",", ";", "\t", "|"] = ","
    encoding: Literal["utf-8", "latin-1", "cp1252", "gb18030"] = "utf-8"
    rows_before_heading: Annotated[int, Field(ge=0, le=50)] = 0

    @model_validator(mode="after")
    def _has_an_amount(self) -> Self:
        if (self.amount is None) == (self.debit is None and self.credit is None):
            raise ValueError("name either `amount`, or `debit` and `credit`")
        if self.direction is not None and self.amount is None:
            raise ValueError("`direction` goes with `amount`")
        if not all(any(part in self.date_format for part in parts) for parts in _PARTS_OF_A_DAY):
            raise ValueError("`date_format` must tell year, month and day, such as %d.%m.%Y")
        if {word.casefold() for word in self.debit_words} & {word.casefold() for word in self.credit_words}:
            raise ValueError("no word is both in `debit_words` and in `credit_words`")
        return self
