"""One alert for each crossing, however often and in whatever order changes are told."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from shared.inventory.low_stock import (
    AlertKind,
    Crossing,
    PlanningRules,
    SkuPlanning,
    StockAlert,
    StockState,
    free_units,
    observe,
    state_of,
)
from shared.inventory.models import Cause, StockLine
from tests.builders.orders import NOON

POINT, MARGIN = 10, 3


def line(available: int, seq: int, buffer: int = 0) -> StockLine:
    return StockLine(
        sku="MUG",
        location="main",
        on_hand=available + 2,
        reserved=2,
        available=available,
        safety_buffer=buffer,
        reorder_point=POINT,
        seq=seq,
        cause=Cause(kind="order", reference=f"aurora/{seq}#1"),
    )


@dataclass
class Observer:
    """Observes changes one by one, as the function does, and collects what people are told."""

    kept: StockAlert | None = None
    told: list[Crossing] = field(default_factory=list)

    def see(self, change: StockLine) -> None:
        at = NOON + timedelta(minutes=change.seq)
        observed = observe(self.kept, change, point=POINT, margin=MARGIN, at=at)
        if observed is None:
            return
        if observed.pending:
            self.told.append(observed.pending)
        self.kept = observed.told(at)

    def see_all(self, changes: Iterable[StockLine]) -> list[Crossing]:
        for change in changes:
            self.see(change)
        return self.told


def true_crossings(levels: Sequence[int]) -> list[tuple[int, AlertKind]]:
    """By the definition, and by other means: (position, kind) over levels in their order, the first being creation."""
    found: list[tuple[int, AlertKind]] = []
    band = 0 if levels[0] <= 0 else 1 if levels[0] <= POINT else 2
    for position, level in enumerate(levels[1:], start=1):
        inside = POINT < level <= POINT + MARGIN
        new = 0 if level <= 0 else 1 if level <= POINT or (inside and band < 2) else 2
        if new > band:
            found.append((position, AlertKind.BACK_IN_STOCK))
        if new < band:
            found.append((position, AlertKind.LOW if new else AlertKind.OUT_OF_STOCK))
        band = new
    return found


def flapping(chance: random.Random) -> list[int]:
    """Levels that hover about the point, its margin and zero."""
    levels = [chance.choice([0, 5, 10, 12, 20])]
    for _ in range(chance.randrange(5, 60)):
        levels.append(max(0, levels[-1] + chance.choice([-12, -3, -2, -1, 0, 1, 2, 3, 12])))
    return levels


def redelivered(changes: list[StockLine], chance: random.Random) -> list[StockLine]:
    """At least once: now and then the stream goes back and tells a stretch of changes again."""
    told: list[StockLine] = []
    for position, change in enumerate(changes):
        told.append(change)
        if chance.random() < 0.3:
            told += changes[chance.randrange(position + 1) : position + 1]
        if chance.random() < 0.2:
            told.append(changes[chance.randrange(position + 1)])
    return told


@pytest.mark.parametrize("block", range(10))
def test_flapping_with_duplicates_tells_once_for_each_true_crossing(block: int) -> None:
    crossed = 0
    for seed in range(block * 100, block * 100 + 100):
        chance = random.Random(seed)  # noqa: S311 - a simulation replays from its seed
        levels = flapping(chance)
        changes = [line(level, seq) for seq, level in enumerate(levels, start=1)]
        told = Observer().see_all(redelivered(changes, chance))
        assert [(each.seq - 1, each.kind) for each in told] == true_crossings(levels), f"seed {seed}"
        crossed += len(told)
    assert crossed > 100  # the simulation does cross


@pytest.mark.parametrize("block", range(10))
def test_shuffled_and_duplicated_changes_tell_once_and_end_at_the_newest_state(block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        chance = random.Random(seed)  # noqa: S311 - a simulation replays from its seed
        levels = flapping(chance)
        changes = [line(level, seq) for seq, level in enumerate(levels, start=1)]
        shuffled = chance.sample(changes * 2, len(changes) * 2)
        observer = Observer()
        told = observer.see_all(shuffled)
        newer: list[StockLine] = []
        for change in shuffled:
            if not newer or change.seq > newer[-1].seq:
                newer.append(change)
        expected = true_crossings([POINT + MARGIN + 1, *(change.available for change in newer)])
        if newer[0].seq == 1:
            expected = true_crossings([change.available for change in newer])
            expected = [(position + 1, kind) for position, kind in expected]
        assert [(each.seq, each.kind) for each in told] == [(newer[at - 1].seq, kind) for at, kind in expected], seed
        assert len({each.key for each in told}) == len(told)
        assert observer.kept is not None
        assert observer.kept.seq == len(changes)


@pytest.mark.parametrize(
    ("free", "before", "after"),
    [
        (0, StockState.OK, StockState.OUT),
        (-1, StockState.LOW, StockState.OUT),
        (1, StockState.OUT, StockState.LOW),
        (10, StockState.OK, StockState.LOW),
        (11, StockState.OK, StockState.OK),
        (11, StockState.LOW, StockState.LOW),
        (13, StockState.LOW, StockState.LOW),
        (13, StockState.OUT, StockState.LOW),
        (14, StockState.LOW, StockState.OK),
        (14, StockState.OUT, StockState.OK),
    ],
)
def test_states_at_their_borders(free: int, before: StockState, after: StockState) -> None:
    assert state_of(free, POINT, MARGIN, before) is after


def test_a_line_without_a_reorder_point_is_never_low_but_may_be_out() -> None:
    assert state_of(1, None, 0, StockState.OK) is StockState.OK
    assert state_of(0, None, 0, StockState.OK) is StockState.OUT
    assert state_of(1, None, 0, StockState.OUT) is StockState.OK


def test_the_safety_buffer_is_not_for_sale() -> None:
    assert free_units(line(12, 1, buffer=4)) == 8
    assert free_units(line(3, 1, buffer=4)) == -1


def test_a_line_that_is_created_low_is_remembered_but_not_told() -> None:
    observed = observe(None, line(0, 1), point=POINT, margin=MARGIN, at=NOON)
    assert observed is not None
    assert (observed.state, observed.pending) == (StockState.OUT, None)


def test_a_line_first_seen_low_after_its_creation_is_told() -> None:
    observed = observe(None, line(4, 57), point=POINT, margin=MARGIN, at=NOON)
    assert observed is not None
    assert observed.pending is not None
    assert (observed.pending.kind, observed.pending.free, observed.pending.key) == (
        AlertKind.LOW,
        4,
        "stock/main/MUG/57",
    )


def test_since_is_when_the_state_began() -> None:
    observer = Observer()
    observer.see_all([line(20, 1), line(10, 2), line(8, 3), line(9, 4)])
    assert observer.kept is not None
    assert observer.kept.since == NOON + timedelta(minutes=2)
    assert observer.kept.seq == 4


def test_the_margin_is_a_share_of_the_point_unless_units_are_named() -> None:
    assert [PlanningRules().margin(point) for point in (0, 1, 10, 11)] == [0, 1, 1, 2]
    assert PlanningRules(hysteresis_units=4).margin(100) == 4


def test_a_skus_own_rules_replace_the_common_ones() -> None:
    own = SkuPlanning(lead_days=30, hysteresis_percent=50)
    rules = PlanningRules(hysteresis_units=4, skus={"MUG": own})
    assert (rules.of("MUG").lead_days, rules.of("MUG").review_days, rules.of("MUG").margin(10)) == (30, 7, 5)
    assert rules.of("CUP") == rules
