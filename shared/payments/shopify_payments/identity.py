"""Which movement of a Shopify Payments balance is which, whether the API tells of it or the CSV export.

The export states no id of a movement, and so the API's own cannot be used: the same movement would be posted twice.
Both state the second, the order's name, and what the balance changed by; movements that are alike in all of these are
counted, in an order that both can make. That the export's `Transaction Date` is the API's `transactionDate` is general
knowledge, and was not checked against a live shop. Two movements that are alike and of different payouts (a buyer paid
twice the same in one second) can be taken for each other in an export of one payout. The order's name stays: an order
that was paid by card cannot be deleted [general knowledge].
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

_DIGITS: Final = 16


class MovementMark(NamedTuple):
    at: datetime
    order: str | None
    """Its name, `#1001`."""
    currency: str
    net: int
    """Minor units."""
    gross: int
    kind: str
    """With `gross`, puts those that are alike in order."""


def movement_ids(marks: Sequence[MovementMark]) -> list[str]:
    """An id for each movement. Movements of one second must be handed in together."""
    seen: Counter[str] = Counter()
    ids = [""] * len(marks)
    for place in sorted(range(len(marks)), key=lambda place: (marks[place].gross, marks[place].kind)):
        key = _key(marks[place])
        ids[place] = _id(marks[place].at, key, seen[key])
        seen[key] += 1
    return ids


def second_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _key(mark: MovementMark) -> str:
    order = (mark.order or "").strip().casefold()
    return json.dumps([second_of(mark.at).isoformat(), order, mark.currency, mark.net])


def _id(at: datetime, key: str, ordinal: int) -> str:
    digest = hashlib.sha256(f"{key}#{ordinal}".encode()).hexdigest()
    return f"{second_of(at):%Y%m%dT%H%M%SZ}-{digest[:_DIGITS]}"
