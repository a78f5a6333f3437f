"""Every planted defect is noticed, the usual one within a hundred histories."""

from typing import Final

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.run import play_all

MOST: Final = 1000


@pytest.mark.parametrize("name", MUTANTS)
def test_the_defect_is_noticed(name: str) -> None:
    tally = play_all(range(MOST), mutant=name, until_broken=True)
    assert tally.broken, f"{name}: not noticed in {tally.histories} histories"
