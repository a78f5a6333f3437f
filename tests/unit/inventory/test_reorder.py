"""Proposals: monotone, in whole packs, enough, and quiet when enough is there or on its way."""

import math
import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.inventory.ledger import Movement
from shared.inventory.low_stock import PlanningRules, StockState
from shared.inventory.models import Cause
from shared.inventory.reorder import (
    Forecast,
    _gamma_cdf,
    _sba,
    _tsb_mix,
    daily_sales,
    forecast,
    point_of,
    propose,
    reorder_point,
    urgency,
    weekly,
)

DAILY = st.lists(st.integers(0, 40), min_size=28, max_size=120)
RULES = PlanningRules()


def steady(units: int, days: int = 182) -> list[int]:
    return [units] * days


@settings(max_examples=60, deadline=None)
@given(
    DAILY, st.integers(0, 60), st.integers(1, 60), st.sampled_from([0.5, 0.8, 0.9, 0.95]), st.sampled_from([0, 0.04])
)
def test_a_level_grows_with_lead_time_and_service_level(
    daily: list[int], lead: int, longer: int, service: float, higher: float
) -> None:
    expected = forecast(daily)
    assert expected is not None
    base = PlanningRules(lead_days=lead, service_level=service)
    stricter = PlanningRules(lead_days=lead + longer, service_level=service + higher)
    assert reorder_point(expected, stricter) >= reorder_point(expected, base)
    quantities = [
        propose(free=5, on_order=0, point=None, expected=expected, rules=rules).quantity for rules in (base, stricter)
    ]
    assert quantities[1] >= quantities[0]


@settings(max_examples=100, deadline=None)
@given(
    daily=DAILY,
    free=st.integers(-5, 500),
    on_order=st.integers(0, 500),
    pack=st.integers(1, 48),
    minimum=st.integers(0, 200),
    point=st.none() | st.integers(0, 100),
)
def test_a_quantity_is_nothing_or_whole_packs_of_at_least_the_minimum_that_reach_the_target(
    daily: list[int], free: int, on_order: int, pack: int, minimum: int, point: int | None
) -> None:
    rules = PlanningRules(pack_size=pack, minimum_order=minimum)
    proposal = propose(free=free, on_order=on_order, point=point, expected=forecast(daily), rules=rules)
    position = free + on_order
    if position >= proposal.target:
        assert proposal.quantity == 0
        return
    assert proposal.quantity % pack == 0
    assert proposal.quantity >= minimum
    assert position + proposal.quantity >= proposal.target
    assert proposal.quantity - pack < max(minimum, proposal.target - position)  # not a pack more than needed
    assert proposal.target > (point or 0) + rules.margin(point or 0)  # so that it is no longer low


def test_nothing_is_proposed_when_what_is_on_order_suffices() -> None:
    expected = forecast(steady(3))
    without = propose(free=4, on_order=0, point=None, expected=expected, rules=RULES)
    assert without.quantity > 0
    assert propose(free=4, on_order=without.quantity, point=None, expected=expected, rules=RULES).quantity == 0


@pytest.mark.parametrize(
    ("minimum", "pack", "quantity"),
    [(0, 1, 8), (0, 5, 10), (8, 1, 8), (9, 1, 9), (50, 1, 50), (50, 12, 60), (48, 12, 48)],
)
def test_a_small_need_is_raised_to_the_minimum_and_then_to_whole_packs(minimum: int, pack: int, quantity: int) -> None:
    rules = PlanningRules(hysteresis_units=0, minimum_order=minimum, pack_size=pack)
    proposal = propose(free=3, on_order=0, point=10, expected=None, rules=rules)
    assert (proposal.target, proposal.quantity) == (11, quantity)


def test_steady_demand_needs_no_safety_stock() -> None:
    rules = PlanningRules(lead_days=14, review_days=7)
    expected = forecast(steady(3))
    assert expected is not None
    assert reorder_point(expected, rules) == 63
    proposal = propose(free=21, on_order=0, point=None, expected=expected, rules=rules)
    assert (proposal.target, proposal.quantity, proposal.days_of_cover) == (84, 63, 7)


def test_without_a_past_a_proposal_leaves_the_line_sufficient() -> None:
    rules = PlanningRules(hysteresis_units=2, pack_size=6)
    proposal = propose(free=3, on_order=0, point=10, expected=forecast([1] * 20), rules=rules)
    assert (proposal.target, proposal.quantity, proposal.days_of_cover) == (13, 12, None)


def test_a_point_is_computed_only_when_planning_asks_and_the_line_has_none() -> None:
    expected = forecast(steady(3))
    asks = PlanningRules(compute_points=True)
    assert point_of(7, expected, asks) == 7
    assert point_of(None, expected, RULES) is None
    assert point_of(None, None, asks) is None
    assert point_of(None, expected, asks) == 63


def test_the_backtest_picks_sba_for_intermittent_and_the_mix_for_dying_demand() -> None:
    chance = random.Random(7)  # noqa: S311 - a simulation replays from its seed
    lumpy = [chance.choice([4, 5, 6]) if day % 21 == 3 else 0 for day in range(364)]
    dying = [chance.randrange(8, 12) for _ in range(200)] + [0] * 164
    assert forecast(lumpy) == _sba(weekly(lumpy))
    assert forecast(dying) == _tsb_mix(weekly(dying))
    faded, stubborn = _tsb_mix(weekly(dying)), _sba(weekly(dying))
    assert faded.mean < 0.1 * stubborn.mean  # Croston's method never hears of the end


def test_the_same_past_gives_the_same_forecast_whatever_is_asked() -> None:
    chance = random.Random(11)  # noqa: S311 - a simulation replays from its seed
    daily = [chance.randrange(0, 9) for _ in range(200)]
    assert forecast(daily) == forecast(list(daily))


def test_weeks_are_counted_back_from_the_last_day_and_censored_weeks_are_left_out() -> None:
    daily = [9, *[1] * 7, *[1, 1, None, 1, 1, 1, 1], *[2] * 7]
    assert weekly(daily) == [7, 14]
    assert forecast(daily) is None


def test_levels_cover_what_they_promise() -> None:
    """Poisson demand: a level for 0.9 holds in about nine of ten later periods."""
    chance = random.Random(3)  # noqa: S311 - a simulation replays from its seed

    def poisson(mean: float) -> int:
        limit, units, product = math.exp(-mean), 0, chance.random()
        while product > limit:
            units, product = units + 1, product * chance.random()
        return units

    held = total = 0
    for _ in range(60):
        past = [poisson(1.5) for _ in range(364)]
        expected = forecast(past)
        assert expected is not None
        level = expected.quantile(0.9, 3)
        for _ in range(20):
            held += sum(poisson(1.5) for _ in range(21)) <= level
            total += 1
    assert 0.84 <= held / total <= 0.96


@pytest.mark.parametrize(
    ("shape", "x", "expected"),
    [
        (1.0, 2.302585092994046, 0.9),
        (1.0, 0.1, 1 - math.exp(-0.1)),
        (2.0, 3.0, 1 - 4 * math.exp(-3)),
        (0.5, 0.5, 0.6826894921370859),  # within one standard deviation of the normal distribution
    ],
)
def test_the_gamma_distribution_has_its_known_values(shape: float, x: float, expected: float) -> None:
    assert _gamma_cdf(shape, x) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("mean", "variance", "probability", "expected"),
    [
        (4.0, 4.0, 0.95, 8),  # Poisson(4): F(7) = 0.9489, F(8) = 0.9786
        (1.0, 2.0, 0.9, 3),  # geometric: F(n) = 1 - 0.5^(n+1); F(2) = 0.875, F(3) = 0.9375
        (1.0, 2.0, 0.875, 2),
        (0.0, 1.0, 0.99, 0),
    ],
)
def test_counted_quantiles_have_their_known_values(
    mean: float, variance: float, probability: float, expected: int
) -> None:
    assert Forecast(mean, variance, counted=True).quantile(probability, 1) == expected


def test_what_is_out_comes_first_and_then_what_runs_out_soonest() -> None:
    rows = [
        (StockState.LOW, None, 1),
        (StockState.LOW, 9, 3),
        (StockState.OUT, 0, 0),
        (StockState.LOW, 2, 30),
        (StockState.OUT, None, -2),
    ]
    assert sorted(rows, key=lambda row: urgency(*row)) == [rows[2], rows[4], rows[3], rows[1], rows[0]]


TODAY = date(2026, 11, 23)


def movement(day: int, on_hand: int, reserved: int, left: int, kind: str = "order") -> Movement:
    """`day` days before today; `left` units available after it."""
    at = datetime(2026, 11, 23, 12, tzinfo=UTC) - timedelta(days=day)
    return Movement(
        sku="MUG",
        location="main",
        seq=1,
        on_hand=on_hand,
        reserved=reserved,
        on_hand_after=left,
        reserved_after=0,
        cause=Cause(kind=kind, reference="r"),
        at=at,
    )


def test_sales_are_what_orders_take_and_shipping_takes_nothing_more() -> None:
    movements = [
        movement(5, 10, 0, 10, "count"),
        movement(5, 0, 3, 7),
        movement(4, -3, -3, 7),
        movement(3, -2, 0, 5),
        movement(2, 0, -1, 6, "cancel"),
        movement(2, 0, 4, 2),
        movement(0, 0, 2, 0),
    ]
    assert daily_sales(movements, today=TODAY, days=30) == [3, 0, 2, 3, 0]
    assert daily_sales(movements, today=TODAY, days=2) == [3, 0]


def test_days_out_of_stock_tell_nothing_of_demand() -> None:
    movements = [movement(5, 2, 0, 2, "count"), movement(4, 0, 2, 0), movement(2, 9, 0, 9, "count")]
    assert daily_sales(movements, today=TODAY, days=30) == [0, 2, None, None, 0]
    assert daily_sales(movements, today=TODAY, days=3) == [None, None, 0]


def test_what_is_sold_on_the_day_of_the_delivery_counts() -> None:
    movements = [
        movement(3, 2, 0, 2, "count"),
        movement(3, 0, 2, 0),
        movement(1, 9, 0, 9, "count"),
        movement(1, 0, 4, 5),
    ]
    assert daily_sales(movements, today=TODAY, days=30) == [2, None, 4]


def test_no_movements_mean_that_nothing_is_known() -> None:
    assert daily_sales([], today=TODAY, days=30) == ()
