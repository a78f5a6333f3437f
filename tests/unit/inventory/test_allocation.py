"""Which location gives which units."""

from hypothesis import given
from hypothesis import strategies as st

from shared.inventory.allocation import Want, allocate
from shared.inventory.bundles import affected, shelf_skus

FREE = {"MUG": {"main": 1, "attic": 5}, "CAP": {"main": 9, "attic": 2}}
SET = {"SET": {"MUG": 2, "CAP": 1}}


def test_one_location_that_has_everything_wins() -> None:
    assert allocate([Want("MUG", 2), Want("CAP", 2)], FREE, ("main", "attic"), {}) == [{"attic": 2}, {"attic": 2}]


def test_otherwise_each_comes_whole_from_somewhere() -> None:
    assert allocate([Want("MUG", 4), Want("CAP", 8)], FREE, ("main", "attic"), {}) == [{"attic": 4}, {"main": 8}]


def test_split_only_when_no_location_has_enough() -> None:
    assert allocate([Want("MUG", 6)], FREE, ("main", "attic"), {}) == [{"main": 1, "attic": 5}]


def test_what_is_missing_is_not_given() -> None:
    assert allocate([Want("MUG", 9), Want("NEW", 1)], FREE, ("main", "attic"), {}) == [{"main": 1, "attic": 5}, {}]


def test_a_bundle_comes_from_where_all_its_components_are() -> None:
    assert allocate([Want("SET", 2)], FREE, ("main", "attic"), SET) == [{"attic": 2}]


def test_a_bundle_and_its_component_do_not_take_the_same_unit() -> None:
    assert allocate([Want("SET", 2), Want("MUG", 2)], FREE, ("attic",), SET) == [{"attic": 2}, {"attic": 1}]


def test_which_skus_a_bundle_touches() -> None:
    assert shelf_skus(["SET", "HAT"], SET) == {"MUG", "CAP", "HAT"}
    assert affected(["CAP"], SET) == {"CAP", "SET"}


@given(
    st.lists(st.tuples(st.sampled_from(["MUG", "CAP", "SET"]), st.integers(0, 6)), max_size=5),
    st.dictionaries(st.sampled_from(["MUG", "CAP"]), st.dictionaries(st.sampled_from("ab"), st.integers(0, 9))),
)
def test_never_more_than_there_is_nor_than_was_asked(
    wants: list[tuple[str, int]], free: dict[str, dict[str, int]]
) -> None:
    given_units = allocate([Want(*want) for want in wants], free, ("a", "b"), SET)
    taken: dict[tuple[str, str], int] = {}
    for (sku, units), given_to in zip(wants, given_units, strict=True):
        assert sum(given_to.values()) <= units
        for location, count in given_to.items():
            for part, each in SET.get(sku, {sku: 1}).items():
                taken[part, location] = taken.get((part, location), 0) + count * each
    for (part, location), count in taken.items():
        assert count <= free.get(part, {}).get(location, 0)
