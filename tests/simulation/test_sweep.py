"""Every combination of one, two and three faults over the life of one order."""

import pytest

from tests.simulation.run import installation
from tests.simulation.sweep import OneLife, plans, sweep, told


@pytest.mark.parametrize("faults", [1, 2, 3])
def test_no_combination_of_so_many_faults_breaks_anything(faults: int) -> None:
    swept = sweep(faults)
    assert swept.runs == len(list(plans(faults)))
    assert not swept.broken, [(told(plan), what) for plan, what in swept.broken[:5]]


def test_the_faults_come_to_pass() -> None:
    """Of a sweep whose faults never met their call nothing would be learnt."""
    unmet = 0
    with installation().installed():
        for plan in plans(1):
            life = OneLife(plan, installation())
            life.play()
            unmet += bool(life.weather.left)
    assert unmet <= len(list(plans(1))) // 4
