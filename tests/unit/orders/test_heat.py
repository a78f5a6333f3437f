"""When a SKU is hot, and when it is not any more; and which orders meet at the same stock."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.orders.grouping import groups
from shared.orders.heat import HALF_LIFE, HOT_FOR, LEAST_TRIES, MOST_SKUS, Heat
from tests.builders.orders import NOON


def tried(heat: Heat, times: int, *, lost: int = 0, sku: str = "MUG", minutes: float = 0) -> None:
    for number in range(times):
        heat.note([sku], [sku] if number < lost else [], NOON + timedelta(minutes=minutes))


def test_one_loss_in_a_hundred_is_no_heat_and_two_are() -> None:
    cool, warm = Heat(), Heat()
    tried(cool, LEAST_TRIES * 2)
    cool.note(["MUG"], ["MUG"], NOON)
    tried(warm, LEAST_TRIES * 2)
    for _ in range(2):
        warm.note(["MUG"], ["MUG"], NOON)
    assert not cool.is_hot("MUG", NOON)
    assert warm.is_hot("MUG", NOON)
    assert not warm.is_hot("CAP", NOON)


def test_few_tries_say_nothing() -> None:
    heat = Heat()
    tried(heat, LEAST_TRIES - 1, lost=LEAST_TRIES - 1)
    assert not heat.is_hot("MUG", NOON)
    tried(heat, 1)
    assert heat.is_hot("MUG", NOON)


def test_heat_passes() -> None:
    heat = Heat()
    tried(heat, 100, lost=50)
    assert heat.is_hot("MUG", NOON + HOT_FOR - timedelta(seconds=1))
    assert not heat.is_hot("MUG", NOON + HOT_FOR)


def test_what_was_long_ago_is_forgotten() -> None:
    heat = Heat()
    tried(heat, 100, lost=50)
    later = 20 * (HALF_LIFE / timedelta(minutes=1))
    tried(heat, LEAST_TRIES + 1, minutes=later)
    assert not heat.is_hot("MUG", NOON + timedelta(minutes=later))


def test_a_clock_that_goes_back_breaks_nothing() -> None:
    heat = Heat()
    tried(heat, 60, minutes=5)
    tried(heat, 60, lost=60, minutes=0)
    assert heat.is_hot("MUG", NOON)


def test_the_quietest_is_forgotten_first() -> None:
    heat = Heat()
    tried(heat, 100, lost=100)
    tried(heat, 100, lost=100, sku="CAP")
    for number in range(MOST_SKUS - 1):
        heat.note([f"S{number}"], [], NOON)
        tried(heat, 1, sku="CAP")
    assert heat.is_hot("CAP", NOON)
    assert not heat.is_hot("MUG", NOON)


def test_only_those_who_lost_grow_hot() -> None:
    heat = Heat()
    for _ in range(100):
        heat.note(["MUG", "CAP"], ["MUG"], NOON)
    assert heat.is_hot("MUG", NOON)
    assert not heat.is_hot("CAP", NOON)


def test_who_lost_twice_running_need_not_wait_for_fifty_tries() -> None:
    heat = Heat()
    heat.note_beaten(["MUG"], NOON)
    assert heat.is_hot("MUG", NOON)
    assert not heat.is_hot("MUG", NOON + HOT_FOR)
    tried(heat, LEAST_TRIES - 1, lost=3)
    assert not heat.is_hot("MUG", NOON + HOT_FOR)


def test_who_meets_whom() -> None:
    assert groups([{"A"}, {"B"}, {"A"}]) == [[0, 2]]
    assert groups([{"A"}, {"B"}, {"A", "B"}]) == [[0, 1, 2]]
    assert groups([{"A"}, {"B"}, set(), set()]) == []
    assert groups([{"A"}, {"B"}, {"B"}, {"A"}]) == [[0, 3], [1, 2]]
    assert groups([]) == []


@given(st.lists(st.sets(st.sampled_from("ABCDEFGH"), max_size=3), max_size=12))
def test_groups_share_nothing_among_each_other(wanted: list[set[str]]) -> None:
    found = groups(wanted)
    stocks = [set().union(*(wanted[place] for place in group)) for group in found]
    for number, stock in enumerate(stocks):
        assert all(stock.isdisjoint(other) for other in stocks[number + 1 :])
    grouped = {place for group in found for place in group}
    for place, skus in enumerate(wanted):
        meets = any(skus & other for number, other in enumerate(wanted) if number != place)
        assert (place in grouped) is meets
