"""The trail of what everybody did: each record carries the hash of the one before. Pure.

Whoever changes, removes, inserts or reorders a record breaks the chain there, and making its hash anew breaks it one
further. Only a chain that is written anew up to its end looks whole by itself: that is found against a head that was
noted elsewhere, such as in the archived documents of a daily close.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from shared.finance.cases import AuditRecord
from shared.kernel.clock import as_sortable

NOTHING_BEFORE = "0" * 64


class Head(NamedTuple):
    """The end of a trail at some moment: proves everything up to it."""

    number: int
    hash: str


def next_record(
    last: AuditRecord | None, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, str]
) -> AuditRecord:
    """The record that follows `last`, or the first one. `detail` holds figures and reasons, nothing about buyers."""
    record = AuditRecord(
        number=last.number + 1 if last else 1,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        detail=dict(sorted(detail.items())),
        previous=last.hash if last else NOTHING_BEFORE,
        hash="",
    )
    return record.model_copy(update={"hash": hash_of(record)})


def hash_of(record: AuditRecord) -> str:
    """SHA-256 over everything in a record but its hash: JSON in UTF-8 with sorted keys and no spaces, the time in UTC
    with nine decimals."""
    told = record.model_dump(exclude={"hash"}) | {"at": as_sortable(record.at)}
    text = json.dumps(told, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def faults_in(records: Iterable[AuditRecord], expected_head: tuple[int, str] | None = None) -> tuple[str, ...]:
    """What is wrong with a trail from its first record on, each fault with its record's number; none: it is whole.

    `expected_head`: number and hash of a record as they were noted elsewhere (:class:`Head`).
    """
    return tuple(_faults(records, expected_head))


def _faults(records: Iterable[AuditRecord], expected_head: tuple[int, str] | None) -> Iterator[str]:
    before = Head(0, NOTHING_BEFORE)
    highest = 0
    found = None
    for record in records:
        yield from _out_of_place(record.number, highest)
        if record.previous != before.hash:
            yield f"record {record.number} does not follow record {before.number}"
        if record.hash != hash_of(record):
            yield f"record {record.number} was changed after it was written"
        if expected_head is not None and record.number == expected_head[0]:
            found = record.hash
        highest = max(highest, record.number)
        before = Head(record.number, record.hash)
    if expected_head is not None and found != expected_head[1]:
        missing = "is missing" if found is None else "is another one than was noted"
        yield f"record {expected_head[0]} {missing}"


def _out_of_place(number: int, highest: int) -> Iterator[str]:
    if number <= highest:
        yield f"record {number} is out of place: it comes after record {highest}"
    yield from (f"record {missing} is missing" for missing in range(highest + 1, min(number, highest + _MOST_NAMED)))
    if number > highest + _MOST_NAMED:
        yield f"records {highest + _MOST_NAMED} to {number - 1} are missing"


_MOST_NAMED = 20
