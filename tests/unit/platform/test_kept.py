"""A kept value is read seldom, and never more often than every few seconds, whatever is asked."""

import traceback
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import Retry
from shared.platform.kept import Kept
from tests.unit.platform.clocks import VirtualClock


class Source:
    def __init__(self) -> None:
        self.reads = 0
        self.down = False

    def __call__(self) -> int:
        self.reads += 1
        if self.down:
            raise Retry("aws_unreachable", "down")
        return self.reads


def test_a_value_is_read_when_it_is_first_wanted_and_then_kept() -> None:
    source, clock = Source(), VirtualClock()
    kept = Kept(source, clock)
    assert source.reads == 0
    assert [kept.get() for _ in range(5)] == [1] * 5


def test_a_value_is_read_again_after_five_minutes() -> None:
    source, clock = Source(), VirtualClock()
    kept = Kept(source, clock)
    kept.get()
    clock.pass_(299)
    assert kept.get() == 1
    clock.pass_(2)
    assert kept.get() == 2


def test_a_fresh_value_is_had_at_most_every_ten_seconds() -> None:
    source, clock = Source(), VirtualClock()
    kept = Kept(source, clock)
    kept.get()
    assert kept.get(fresh=True) == 1
    clock.pass_(10.5)
    assert kept.get(fresh=True) == 2
    assert kept.get(fresh=True) == 2


def test_a_fresh_read_renews_the_age_for_everybody() -> None:
    source, clock = Source(), VirtualClock()
    kept = Kept(source, clock)
    kept.get()
    clock.pass_(200)
    kept.get(fresh=True)
    clock.pass_(200)
    assert kept.get() == 2


def test_a_failed_read_is_no_value_and_is_tried_again_after_a_while() -> None:
    source, clock = Source(), VirtualClock()
    kept = Kept(source, clock)
    source.down = True
    for _ in range(100):
        with pytest.raises(Retry):
            kept.get(fresh=True)
    source.down = False
    clock.pass_(10.1)
    assert kept.get() == 2


def test_the_last_known_value_serves_while_the_source_is_down() -> None:
    source, clock = Source(), VirtualClock()
    kept = Kept(source, clock)
    known = kept.get()
    source.down = True
    clock.pass_(3_600)
    assert kept.get() == kept.get(fresh=True) == known
    source.down = False
    clock.pass_(10.1)
    assert kept.get() == 3


def test_an_empty_value_is_kept_as_well() -> None:
    reads: list[int] = []

    def read() -> dict[str, str]:
        reads.append(1)
        return {}

    kept = Kept(read, VirtualClock())
    assert kept.get() == kept.get() == {}
    assert len(reads) == 1


@given(st.lists(st.tuples(st.floats(0, 400), st.booleans()), max_size=60))
def test_reads_keep_their_distance_and_values_their_age(steps: list[tuple[float, bool]]) -> None:
    clock = VirtualClock()
    read_at: list[float] = []

    def read() -> float:
        read_at.append(clock.now)
        return clock.now

    kept = Kept(read, clock)
    for seconds, fresh in steps:
        clock.pass_(seconds)
        age = clock.now - kept.get(fresh=fresh)
        assert age <= (10 if fresh else 300)
    assert all(later - earlier > 10 for earlier, later in pairwise(read_at))


def test_a_failure_that_is_told_again_and_again_does_not_grow() -> None:
    def fail() -> str:
        raise Retry("unreachable", "no answer")

    kept = Kept(fail, lambda: 0.0)
    lengths = set()
    for _ in range(5):
        with pytest.raises(Retry) as caught:
            kept.get()
        lengths.add(len(list(traceback.walk_tb(caught.value.__traceback__))))
    assert len(lengths) == 1
