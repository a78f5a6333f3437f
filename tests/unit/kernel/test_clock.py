"""Text order is time order."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.clock import as_sortable, parse_time, sortable_time
from shared.kernel.errors import Rejected

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001 - bounds are naive


@pytest.mark.parametrize(
    ("text", "sortable"),
    [
        ("2026-11-23T09:02:09", "2026-11-23T09:02:09.000000000Z"),
        ("2026-11-23 09:02:09", "2026-11-23T09:02:09.000000000Z"),
        ("2026-11-23T09:02:09Z", "2026-11-23T09:02:09.000000000Z"),
        (" 2026-11-23T09:02:09z\n", "2026-11-23T09:02:09.000000000Z"),
        ("2026-11-23T10:02:09+01:00", "2026-11-23T09:02:09.000000000Z"),
        ("2026-11-23T14:32:09+0530", "2026-11-23T09:02:09.000000000Z"),
        ("2026-11-23T23:30:00-05:00", "2026-11-24T04:30:00.000000000Z"),
        ("2026-11-23T09:02:09.290670248Z", "2026-11-23T09:02:09.290670248Z"),
        ("2026-11-23T09:02:09.2906702489Z", "2026-11-23T09:02:09.290670248Z"),
        ("2026-11-23T09:02:09.5Z", "2026-11-23T09:02:09.500000000Z"),
        ("0099-01-01T00:00:00Z", "0099-01-01T00:00:00.000000000Z"),
    ],
)
def test_time_is_normalised(text: str, sortable: str) -> None:
    assert sortable_time(text) == sortable


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-23",
        "2026-02-30T00:00:00Z",
        "2026-11-23T24:00:01Z",
        "2026-11-23T09:02:60Z",
        "2026-11-23T09:02:09+25:00",
        "2026-11-23T09:02:09.Z",
        "0000-00-00T00:00:00",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        "٢٠٢٦-11-23T09:02:09Z",
        "1795424588",
    ],
)
def test_anything_else_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(Rejected) as refusal:
        sortable_time(text, field="date_modified_gmt")
    assert (refusal.value.code, refusal.value.field) == ("invalid_time", "date_modified_gmt")


@given(TIMES, TIMES)
def test_text_sorts_as_the_instants(one: datetime, other: datetime) -> None:
    assert (as_sortable(one) < as_sortable(other)) == (one < other)
    assert (as_sortable(one) == as_sortable(other)) == (one == other)


@given(TIMES)
def test_both_ways_into_text_agree(instant: datetime) -> None:
    assert sortable_time(instant.astimezone(UTC).isoformat()) == as_sortable(instant)
    assert sortable_time(as_sortable(instant)) == as_sortable(instant)
    assert parse_time(as_sortable(instant)) == instant


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))
def test_nanoseconds_still_sort(one: int, other: int) -> None:
    texts = [sortable_time(f"2026-11-23T09:02:09.{nanoseconds:09}Z") for nanoseconds in (one, other)]
    assert (texts[0] < texts[1]) == (one < other)


@given(st.text(max_size=60))
def test_no_text_crashes_it(text: str) -> None:
    with suppress(Rejected):
        assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-01-01T00:00:00+00:00"])
def test_a_time_that_no_zone_can_show_is_refused(text: str) -> None:
    """A stranger's year 9999 must not stop whoever asks which day that is in Shanghai."""
    with pytest.raises(Rejected, match="invalid_time"):
        parse_time(text)
    assert parse_time("9998-12-31T23:59:59Z").astimezone(timezone(timedelta(hours=14))).year == 9999
