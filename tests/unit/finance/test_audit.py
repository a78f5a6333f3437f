"""The trail: whatever is done to it afterwards is found, and named by the number of the record."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from shared.finance.audit import NOTHING_BEFORE, faults_in, hash_of, next_record
from shared.finance.cases import AuditRecord
from shared.finance.recording import record
from shared.kernel.errors import Conflict
from tests.builders.orders import NOON
from tests.fakes.finance import FakeFinanceBook

LENGTH = 6


def trail(length: int = LENGTH) -> list[AuditRecord]:
    made: list[AuditRecord] = []
    for number in range(1, length + 1):
        at = NOON + timedelta(minutes=number)
        detail = {"amount": str(number), "reason": "rounding"}
        made.append(next_record(made[-1] if made else None, at, "mia", "case.resolved", f"d{number}", detail))
    return made


CHANGES: dict[str, Any] = {
    "number": 99,
    "at": NOON + timedelta(days=1),
    "actor": "noa",
    "action": "case.accepted",
    "subject": "other",
    "detail": {"amount": "1000000", "reason": "rounding"},
    "previous": "f" * 64,
    "hash": "f" * 64,
}
PLACES = pytest.mark.parametrize("place", range(LENGTH))


def test_a_trail_as_it_was_written_is_whole() -> None:
    made = trail()
    assert faults_in(made) == ()
    assert faults_in([]) == ()
    assert [one.number for one in made] == [1, 2, 3, 4, 5, 6]
    assert made[0].previous == NOTHING_BEFORE
    assert [one.previous for one in made[1:]] == [one.hash for one in made[:-1]]
    for head in made:
        assert faults_in(made, (head.number, head.hash)) == ()


def test_the_hash_is_the_same_whatever_the_zone_and_the_order_of_the_figures() -> None:
    one = next_record(None, NOON, "mia", "day.closed", "2026-11-24", {"a": "1", "b": "2"})
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9)))
    other = next_record(None, elsewhere, "mia", "day.closed", "2026-11-24", {"b": "2", "a": "1"})
    assert one.hash == other.hash
    again = AuditRecord.model_validate_json(one.model_dump_json())
    assert hash_of(again) == one.hash


def test_the_hash_is_what_anybody_can_work_out_by_hand() -> None:
    """`printf '%s' '{"action":…}' | sha256sum`: fixed for ever, since stored trails are held against it."""
    made = next_record(None, datetime(2026, 11, 24, 9, 2, 9, tzinfo=UTC), "mia", "day.closed", "2026-11-23", {"é": "1"})
    assert made.hash == "00e15852df39c11be5d03eb186fa811a165dcdff2bf915c382872ccf5d5e411e"


@PLACES
@pytest.mark.parametrize("field", CHANGES)
def test_a_changed_field_is_found(field: str, place: int) -> None:
    made = trail()
    changed = made[place].model_copy(update={field: CHANGES[field]})
    found = faults_in([*made[:place], changed, *made[place + 1 :]])
    assert any(fault.startswith(f"record {changed.number} ") for fault in found)


@PLACES
@pytest.mark.parametrize("field", [field for field in CHANGES if field not in ("hash", "previous", "number")])
def test_a_changed_record_whose_hash_was_made_anew_is_found(field: str, place: int) -> None:
    """In the middle by the record after it; at the end only by a head that was noted elsewhere."""
    made = trail()
    changed = made[place].model_copy(update={field: CHANGES[field]})
    changed = changed.model_copy(update={"hash": hash_of(changed)})
    forged = [*made[:place], changed, *made[place + 1 :]]
    if place + 1 < LENGTH:
        assert faults_in(forged) == (f"record {place + 2} does not follow record {place + 1}",)
    else:
        assert faults_in(forged) == ()
        assert faults_in(forged, (LENGTH, made[-1].hash)) == ("record 6 is another one than was noted",)


@PLACES
def test_a_trail_that_was_written_anew_up_to_its_end_is_found_against_a_head(place: int) -> None:
    made = trail()
    forged = made[:place]
    for one in made[place:]:
        last = forged[-1] if forged else None
        forged.append(next_record(last, one.at, "noa", one.action, one.subject, one.detail))
    assert faults_in(forged) == ()
    for head in made[place:]:
        assert faults_in(forged, (head.number, head.hash)) == (f"record {head.number} is another one than was noted",)


@PLACES
def test_a_removed_record_is_found(place: int) -> None:
    made = trail()
    found = faults_in([*made[:place], *made[place + 1 :]], (LENGTH, made[-1].hash))
    assert f"record {place + 1} is missing" in found


@given(data=st.data())
def test_records_in_another_order_are_found(data: st.DataObject) -> None:
    made = trail()
    other = data.draw(st.permutations(made))
    assert bool(faults_in(other)) == (other != made)


@PLACES
def test_an_inserted_record_is_found(place: int) -> None:
    made = trail()
    inserted = next_record(made[place], NOON, "noa", "case.resolved", "d9", {})
    found = faults_in([*made[: place + 1], inserted, *made[place + 1 :]])
    assert (place + 1 == LENGTH) == (found == ())
    twice = faults_in([*made[: place + 1], made[place], *made[place + 1 :]])
    assert twice[0] == f"record {place + 1} is out of place: it comes after record {place + 1}"


def test_a_trail_whose_head_was_cut_off_is_found() -> None:
    made = trail()
    assert faults_in(made[:-2], (LENGTH, made[-1].hash)) == ("record 6 is missing",)


def test_very_many_missing_records_are_named_together() -> None:
    made = trail(2)
    far = made[1].model_copy(update={"number": 5_000})
    found = faults_in([made[0], far])
    assert len(found) < 25
    assert "records 21 to 4999 are missing" in found


# ---- putting something on it ----


class _BusyBook(FakeFinanceBook):
    """Somebody else is faster, as often as it says."""

    def __init__(self, faster: int) -> None:
        super().__init__()
        self.faster = faster

    def append(self, record: AuditRecord) -> None:
        if self.faster:
            self.faster -= 1
            super().append(next_record(self.last_record(), NOON, "noa", "case.commented", "d9", {}))
        super().append(record)


def retrying() -> Retrying:
    return Retrying(retry=retry_if_exception_type(Conflict), stop=stop_after_attempt(4), reraise=True)


def test_a_record_goes_after_those_of_others() -> None:
    book = _BusyBook(3)
    made = record(book, lambda: NOON, retrying, ("mia", "file.imported", "9f"), {"new": "3"})
    assert made.number == 4
    assert faults_in(book.records(), (4, made.hash)) == ()


def test_gives_up_when_others_are_always_faster() -> None:
    book = _BusyBook(4)
    with pytest.raises(Conflict):
        record(book, lambda: NOON, retrying, ("mia", "file.imported", "9f"), {})
    assert [one.actor for one in book.records()] == ["noa"] * 4
