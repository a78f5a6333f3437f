"""A silence is improbable by the shop's own weeks, or it is none."""

from datetime import datetime, timedelta
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.sync.repair.rules import RepairRules
from shared.sync.repair.silence import HOUR, WEEK, News, Rhythm, horizon, judge, news
from tests.unit.sync.repair.simulated_shops import BEGINS, Shop, alarms

RULES = RepairRules()
NOW = BEGINS + 6 * WEEK + timedelta(days=2, hours=15)


def steady(per_hour: int, *, until: datetime = NOW) -> Rhythm:
    """So many orders in every hour."""
    return Rhythm(begins=BEGINS, counts=(per_hour,) * ((until - BEGINS) // HOUR))


def test_a_rhythm_counts_by_the_hour_and_forgets_the_oldest() -> None:
    rhythm = Rhythm(begins=BEGINS).plus([BEGINS, BEGINS + HOUR * 2.5, BEGINS + HOUR * 2.9, BEGINS - HOUR])
    assert rhythm.counts == (1, 0, 2)
    assert rhythm.since(BEGINS + HOUR * 1.5) == Rhythm(begins=BEGINS + HOUR, counts=(0, 2))
    assert rhythm.since(BEGINS - WEEK) == rhythm
    assert rhythm.since(BEGINS + WEEK) == Rhythm(begins=BEGINS + WEEK, counts=())


def test_an_hours_orders_are_spread_over_it() -> None:
    rhythm = Rhythm(begins=BEGINS, counts=(4, 8, 12))
    assert rhythm.between(BEGINS + HOUR / 2, BEGINS + HOUR * 1.25) == pytest.approx(4.0)
    assert rhythm.between(BEGINS - WEEK, BEGINS + WEEK) == 24
    assert rhythm.between(BEGINS + 3 * HOUR, BEGINS + WEEK) == 0


def test_a_silence_is_named_with_what_the_weeks_before_brought() -> None:
    silence = judge(steady(10), NOW - HOUR, NOW, RULES)
    assert silence is not None
    assert (silence.since, silence.lasted) == (NOW - HOUR, HOUR)
    assert silence.usual == (10.0,) * 6
    assert silence.chance == pytest.approx(exp(-10))


def test_it_takes_as_many_missing_orders_as_the_odds_say() -> None:
    """One in a thousand is 6.9 orders that did not come."""
    assert judge(steady(1), NOW - 6.8 * HOUR, NOW, RULES) is None
    assert judge(steady(1), NOW - 7 * HOUR, NOW, RULES) is not None
    assert judge(steady(1), NOW - 7 * HOUR, NOW, RepairRules(silence_one_in=10_000)) is None


def test_nothing_shorter_than_half_an_hour_is_a_silence() -> None:
    busy = steady(1000)
    assert judge(busy, NOW - timedelta(minutes=29), NOW, RULES) is None
    assert judge(busy, NOW - timedelta(minutes=30), NOW, RULES) is not None


def test_a_young_shop_is_never_called_silent() -> None:
    young = Rhythm(begins=NOW - 3 * WEEK, counts=(50,) * (3 * 168))
    assert judge(young, NOW - 5 * HOUR, NOW, RULES) is None
    assert judge(young, NOW + 2 * HOUR, NOW + 7 * HOUR, RULES) is not None


def test_what_happened_in_one_of_the_weeks_is_not_improbable() -> None:
    quiet_week = list(steady(10).counts)
    same_time = (NOW - 2 * WEEK - BEGINS) // HOUR
    quiet_week[same_time - 6 : same_time + 6] = [0] * 12
    assert judge(Rhythm(begins=BEGINS, counts=tuple(quiet_week)), NOW - 3 * HOUR, NOW, RULES) is None


def test_a_burst_in_one_week_is_nothing_to_expect_in_the_next() -> None:
    burst = list(steady(1).counts)
    same_time = (NOW - WEEK - BEGINS) // HOUR
    burst[same_time - 3 : same_time + 3] = [500] * 6
    assert judge(Rhythm(begins=BEGINS, counts=tuple(burst)), NOW - 2 * HOUR, NOW, RULES) is None


def test_the_weeks_of_a_silence_longer_than_one_are_not_its_own() -> None:
    assert judge(steady(1, until=NOW - 2 * WEEK), NOW - 2 * WEEK, NOW, RULES) is None


def test_a_rhythm_is_kept_for_as_long_as_it_is_asked_for() -> None:
    kept = steady(10).since(horizon(NOW, RULES))
    assert len(kept.counts) <= 7 * 168 + 3
    long = NOW - timedelta(days=6.9)
    assert judge(kept, long, NOW, RULES) == judge(steady(10), long, NOW, RULES)


def test_people_are_called_once_and_called_off_once() -> None:
    silence = judge(steady(10), NOW - HOUR, NOW, RULES)
    assert news(None, NOW - HOUR, silence) is News.ALARM
    assert news(NOW - HOUR, NOW - HOUR, silence) is News.NONE
    assert news(NOW - HOUR, NOW - HOUR, None) is News.NONE
    assert news(NOW - HOUR, NOW, None) is News.ALL_CLEAR
    assert news(None, NOW, None) is News.NONE


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(0, 6), st.integers(0, 11))
def test_a_busy_shop_that_falls_silent_by_day_is_noticed_within_two_hours(seed: int, weekday: int, hour: int) -> None:
    """1,000 orders a day, falling silent between 8:00 and 20:00 in its seventh week."""
    cut = BEGINS + 6 * WEEK + timedelta(days=weekday, hours=8 + hour)
    placed = [at for at in Shop(1000, seed, weeks=7, unevenness=0.1).orders() if at < cut]
    called = [at for at in alarms(placed, RULES, until=cut + 2 * HOUR, looks_from=cut) if at >= cut]
    assert len(called) == 1


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([30.0, 100.0, 300.0]))
def test_the_night_of_a_shop_that_sleeps_is_no_silence(seed: int, orders_a_day: float) -> None:
    """From the last order before midnight to six in the morning, each night of a week."""
    shop = Shop(orders_a_day, seed, weeks=7, unevenness=0.0, bursts_a_month=0.0)
    called = alarms(shop.orders(), RULES, looks_from=BEGINS + 6 * WEEK)
    assert not [at for at in called if at.hour < 6]
