"""Whatever happens in whatever order: after posting, the book is the shelf as it was counted, and no unit is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.inventory import stocktake_posting
from shared.inventory.models import Cause
from shared.inventory.stocktake import Correction, LineOutcome, correction_of
from tests.fakes.stocktake_world import KINDS, World, tell
from tests.fakes.stocktakes import FakeStockRoll, FakeStocktakeBook

CAUSE = Cause(kind="order", reference="aurora/1#1")


def world() -> World:
    stock = FakeStockRoll()
    return World(FakeStocktakeBook(stock), stock, lambda change: stock.move(change, CAUSE))


STEP = st.tuples(st.sampled_from(KINDS), st.integers(0, 2), st.integers(1, 60))


@settings(deadline=None, max_examples=300)
@given(st.lists(STEP, max_size=60))
def test_any_order_of_events(steps: list[tuple[str, int, int]]) -> None:
    made = world()
    made.step("open", 0, 0)
    for step in steps:
        made.step(*step)


def test_long_stories_post_much_and_end_every_way() -> None:
    worlds = [tell(world(), seed, 400) for seed in range(60)]
    assert sum(each.posted for each in worlds) > 300
    outcomes = [line.outcome for each in worlds for name in each.sessions for line in each.book.lines(name)]
    for outcome in LineOutcome:
        assert outcomes.count(outcome) > 5, outcome
    assert outcomes.count(None) > 5
    decided_by = [
        len(line.counts) for each in worlds for name in each.sessions for line in each.book.lines(name) if line.outcome
    ]
    assert {1, 2, 3} <= set(decided_by)


def _ignoring_time(*arguments: object) -> object:
    """The mistake that this is all about: the count taken as the new level."""
    found = correction_of(*arguments)  # type: ignore[arg-type] # passed on as they are
    if isinstance(found, Correction):
        line, deciding, stock = arguments[1], arguments[2], arguments[3]
        units = deciding.counted - stock.on_hand  # type: ignore[attr-defined]
        return (
            Correction(
                found.sku, found.location, units, found.counted_at, found.taken_under, found.creates, found.cause
            )
            if line
            else found
        )
    return found


def test_a_count_posted_as_the_new_level_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stocktake_posting, "correction_of", _ignoring_time)
    with pytest.raises(AssertionError, match="book = shelf"):
        _ = [tell(world(), seed, 200) for seed in range(20)]
