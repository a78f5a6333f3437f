"""Every planted defect is noticed, the usual one within a hundred histories."""

from typing import Final

import pytest

from tests.simulation.cloud.installation import ROOT
from tests.simulation.mutants import MUTANTS
from tests.simulation.run import play_all

MOST: Final = 1000


@pytest.mark.parametrize("name", MUTANTS)
def test_the_defect_is_noticed(name: str) -> None:
    tally = play_all(range(MOST), mutant=name, cast=MUTANTS[name].cast, until_broken=True)
    assert tally.broken, f"{name}: not noticed in {tally.histories} histories"
    assert not tally.broken[0][1].startswith("errors"), f"{name}: the defect itself is broken: {tally.broken}"


def test_the_docs_name_every_defect() -> None:
    told = (ROOT / "infra" / "docs" / "simulation.md").read_text(encoding="utf-8")
    assert [name for name in MUTANTS if f"| {name} |" not in told] == []
