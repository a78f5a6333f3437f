"""A year of simulated shops: how often people are called for nothing, and how soon when it is something.

Each shop sleeps, sells more on some days than on others, has weeks of uneven trade (a fifth more or less than the week
before), two mailings a month that bring four times the orders for four hours, and two changes of clocks.
"""

from datetime import timedelta

import pytest

from shared.sync.repair.rules import RepairRules
from shared.sync.repair.silence import HOUR, WEEK
from tests.unit.sync.repair.simulated_shops import BEGINS, Shop, alarms

RULES = RepairRules()


@pytest.mark.parametrize("orders_a_day", [10, 100, 1000])
def test_a_year_holds_few_alarms_for_nothing(orders_a_day: float) -> None:
    """Measured over eight such years of each: see `shared/sync/repair/silence.py`."""
    assert len(alarms(Shop(orders_a_day, seed=1).orders(), RULES)) <= 3


@pytest.mark.parametrize(("orders_a_day", "hours"), [(1000, 1.25), (300, 2.5), (100, 5.0), (30, 16.0), (10, 54.0)])
@pytest.mark.parametrize("weekday", range(0, 7, 2))
def test_a_shop_that_falls_silent_at_noon_is_noticed_in_time(orders_a_day: float, hours: float, weekday: int) -> None:
    cut = BEGINS + 8 * WEEK + timedelta(days=weekday, hours=12)
    placed = [at for at in Shop(orders_a_day, seed=weekday, weeks=9).orders() if at < cut]
    called = [at for at in alarms(placed, RULES, looks_from=cut, until=cut + hours * HOUR) if at >= cut]
    assert len(called) == 1
