"""Which movement of a bank account is which, in every file that tells of it.

Files overlap, and no two banks mean the same by a reference: some repeat it for every part of a batch, some write the
same word everywhere. So a line is known by its day, its amount, the bank's reference or else its text, and by which it
is of those that are alike in all of these on that day. All of it is the same in every file that holds the whole day.
What a bank states in two formats (CAMT.053 and its own CSV) becomes two lines: import one format of an account.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

_BLANKS: Final = re.compile(r"\s+")
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_REFERENCE: Final = 64
_DIGEST_DIGITS: Final = 24
_SHORT_DIGITS: Final = 8


class EntryMark(NamedTuple):
    """What tells one movement from another."""

    booked_on: date
    currency: str
    amount: int
    reference: str | None
    """The bank's own."""
    text: str
    """Counts where there is no reference."""


def line_ids(marks: Iterable[EntryMark]) -> list[str]:
    """An id for each movement of one file: the bank's reference with a short digest, or a digest alone."""
    seen: Counter[str] = Counter()
    ids = []
    for mark in marks:
        key = _key(mark)
        ids.append(_id(mark.reference, key, seen[key]))
        seen[key] += 1
    return ids


def _key(mark: EntryMark) -> str:
    told = ["ref", mark.reference] if mark.reference else ["text", _BLANKS.sub(" ", mark.text).strip().casefold()]
    return json.dumps([mark.booked_on.isoformat(), mark.currency, mark.amount, *told])


def _id(reference: str | None, key: str, ordinal: int) -> str:
    digest = hashlib.sha256(f"{key}#{ordinal}".encode()).hexdigest()
    if not reference:
        return digest[:_DIGEST_DIGITS]
    return f"{_ODD.sub('-', reference)[:_LONGEST_REFERENCE]}~{digest[:_SHORT_DIGITS]}"
