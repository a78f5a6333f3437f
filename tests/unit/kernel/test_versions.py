"""Which of two accounts of an order is newer (`shared.kernel.versions`)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.versions import Comparison, Version, compare, counts_unasked, is_outdated

OPPOSITE = {
    Comparison.NEWER: Comparison.OLDER,
    Comparison.OLDER: Comparison.NEWER,
    Comparison.SAME: Comparison.SAME,
    Comparison.UNDECIDED: Comparison.UNDECIDED,
}


def at(second: int) -> str:
    return f"2026-11-23T09:02:{second:02}.000000000Z"


def version(updated: int, observed: int, body: str, *, fetched: bool = False) -> Version:
    return Version(updated_at=at(updated), observed_at=at(observed), body_sha256=body, fetched=fetched)


VERSIONS = st.builds(version, st.integers(0, 2), st.integers(3, 6), st.sampled_from("abc"), fetched=st.booleans())


@given(VERSIONS)
def test_an_account_is_the_same_as_itself(one: Version) -> None:
    assert compare(one, one) is Comparison.SAME


@given(VERSIONS, VERSIONS)
def test_the_storefronts_own_time_decides_where_it_differs(one: Version, other: Version) -> None:
    if one.updated_at != other.updated_at:
        expected = Comparison.NEWER if one.updated_at > other.updated_at else Comparison.OLDER
        assert compare(one, other) is expected
        assert compare(other, one) is OPPOSITE[expected]


@given(VERSIONS, VERSIONS)
def test_no_two_accounts_are_each_newer_than_the_other(one: Version, other: Version) -> None:
    assert {compare(one, other), compare(other, one)} != {Comparison.NEWER}


@given(st.lists(VERSIONS, max_size=12))
def test_the_stored_version_never_falls_back(accounts: list[Version]) -> None:
    stored: Version | None = None
    for account in accounts:
        if stored is None or compare(account, stored) is Comparison.NEWER:
            assert stored is None or account.updated_at >= stored.updated_at
            stored = account


@pytest.mark.parametrize(
    ("incoming", "stored", "expected"),
    [
        (version(0, 5, "a"), version(0, 4, "a"), Comparison.SAME),
        (version(0, 5, "a", fetched=True), version(0, 4, "a"), Comparison.SAME),
        (version(0, 5, "b"), version(0, 4, "a"), Comparison.UNDECIDED),
        (version(0, 4, "b"), version(0, 5, "a"), Comparison.UNDECIDED),
        (version(0, 5, "b", fetched=True), version(0, 4, "a"), Comparison.NEWER),
        (version(0, 4, "b", fetched=True), version(0, 5, "a"), Comparison.UNDECIDED),
        (version(0, 4, "b", fetched=True), version(0, 5, "a", fetched=True), Comparison.OLDER),
        (version(0, 4, "b"), version(0, 5, "a", fetched=True), Comparison.OLDER),
        (version(0, 5, "b"), version(0, 5, "a", fetched=True), Comparison.UNDECIDED),
        (version(0, 6, "b"), version(0, 5, "a", fetched=True), Comparison.UNDECIDED),
        (version(0, 6, "b", fetched=True), version(0, 5, "a", fetched=True), Comparison.NEWER),
        (version(1, 3, "a"), version(0, 6, "a", fetched=True), Comparison.NEWER),
    ],
)
def test_within_one_second(incoming: Version, stored: Version, expected: Comparison) -> None:
    assert compare(incoming, stored) is expected


def test_what_was_asked_for_after_reading_counts_whatever_the_clocks_say() -> None:
    stored, slow_clock = version(0, 5, "a"), version(0, 4, "b", fetched=True)
    assert is_outdated(stored, slow_clock)
    assert not is_outdated(stored, version(0, 9, "a", fetched=True))


@given(VERSIONS, VERSIONS)
def test_where_nobody_can_be_asked_one_of_two_counts(one: Version, other: Version) -> None:
    differ = (one.observed_at, one.body_sha256) != (other.observed_at, other.body_sha256)
    assert counts_unasked(one, other) + counts_unasked(other, one) == differ
