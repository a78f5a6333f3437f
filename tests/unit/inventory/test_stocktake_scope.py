"""What a stocktake covers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.inventory.stocktake_scope import (
    AbcScope,
    AllScope,
    CatalogueEntry,
    PrefixScope,
    RandomScope,
    Scope,
    SkuScope,
    ZoneScope,
    abc_classes,
    select,
)
from shared.kernel.errors import Rejected
from shared.kernel.money import Money

KNOWN = ("CAP-1", "MUG-1", "MUG-2", "PEN-1")
CATALOGUE = {
    "MUG-1": CatalogueEntry(zone="A", unit_cost=Money.parse("10", "EUR"), moved=8),
    "MUG-2": CatalogueEntry(zone="B", unit_cost=Money.parse("1", "EUR"), moved=15),
    "CAP-1": CatalogueEntry(zone="A", unit_cost=Money.parse("1", "EUR"), moved=5),
    "GONE-1": CatalogueEntry(zone="A", unit_cost=Money.parse("99", "EUR"), moved=99),
}


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (AllScope(), KNOWN),
        (PrefixScope(prefix="MUG-"), ("MUG-1", "MUG-2")),
        (ZoneScope(zone="A"), ("CAP-1", "MUG-1")),
        (SkuScope(skus=("PEN-1", "CAP-1", "PEN-1")), ("CAP-1", "PEN-1")),
        (AbcScope(abc_class="A"), ("MUG-1",)),
        (AbcScope(abc_class="B"), ("MUG-2",)),
        (AbcScope(abc_class="C"), ("CAP-1", "PEN-1")),
        (AbcScope(abc_class="A", by="rate"), ("MUG-1", "MUG-2")),
        (AbcScope(abc_class="B", by="rate"), ("CAP-1",)),
    ],
)
def test_covers_what_it_says(scope: Scope, covered: tuple[str, ...]) -> None:
    assert select(scope, KNOWN, CATALOGUE) == covered


@pytest.mark.parametrize("scope", [PrefixScope(prefix="X"), ZoneScope(zone="X")])
def test_a_scope_over_nothing_is_refused(scope: Scope) -> None:
    with pytest.raises(Rejected) as refused:
        select(scope, KNOWN, CATALOGUE)
    assert refused.value.code == "empty_scope"


def test_a_listed_sku_that_is_not_kept_is_named() -> None:
    with pytest.raises(Rejected, match="GONE-1") as refused:
        select(SkuScope(skus=("GONE-1", "MUG-1")), KNOWN, CATALOGUE)
    assert refused.value.code == "unknown_sku"


def test_values_of_several_currencies_are_not_compared() -> None:
    mixed = {**CATALOGUE, "PEN-1": CatalogueEntry(unit_cost=Money.parse("1", "USD"), moved=1)}
    with pytest.raises(Rejected, match="mixed_currencies"):
        select(AbcScope(abc_class="A"), KNOWN, mixed)
    assert select(AbcScope(abc_class="A", by="rate"), KNOWN, mixed)


SKUS = [f"SKU-{number:03}" for number in range(200)]


def test_a_seed_draws_the_same_sample_for_ever() -> None:
    assert select(RandomScope(size=3, seed=7), SKUS, {}) == ("SKU-080", "SKU-150", "SKU-162")


@settings(deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(1, 250))
def test_a_sample_has_its_size_and_no_order_of_the_input_changes_it(seed: int, size: int) -> None:
    drawn = select(RandomScope(size=size, seed=seed), SKUS, {})
    assert len(set(drawn)) == min(size, 200)
    assert drawn == select(RandomScope(size=size, seed=seed), reversed(SKUS), {})


def test_a_sample_favours_nothing() -> None:
    drawn = [sku for seed in range(400) for sku in select(RandomScope(size=20, seed=seed), SKUS, {})]
    often = [drawn.count(sku) for sku in SKUS]
    assert min(often) > 15  # 40 are expected of each, with a standard deviation of 6
    assert max(often) < 70


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(SKUS), st.integers(0, 1000), max_size=40))
def test_no_item_of_a_lower_class_moves_faster_than_one_of_a_higher(moved: dict[str, int]) -> None:
    catalogue = {sku: CatalogueEntry(moved=units) for sku, units in moved.items()}
    classes = abc_classes(SKUS, catalogue, by="rate")
    assert set(classes) == set(SKUS)
    pace = {name: [moved.get(sku, 0) for sku in SKUS if classes[sku] == name] for name in "ABC"}
    for higher, lower in (("A", "B"), ("B", "C"), ("A", "C")):
        assert not pace[higher] or not pace[lower] or min(pace[higher]) >= max(pace[lower])
    assert 100 * sum(pace["A"]) >= 80 * sum(moved.values())
