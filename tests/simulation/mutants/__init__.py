"""Plausible defects, each put into the running code: the simulation has to notice every one of them.

Each is something that a good engineer has once written, or that a library does by default.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.simulation.cloud.installation import swapped
from tests.simulation.mutants import intake, outside, stock
from tests.simulation.mutants.mutant import Mutant

MUTANTS: Final = {mutant.name: mutant for mutant in (*intake.MUTANTS, *stock.MUTANTS, *outside.MUTANTS)}


@contextmanager
def installed(name: str | None) -> Iterator[None]:
    """Within it, the code has this defect; with none, it has none."""
    if name is None:
        yield
        return
    mutant = MUTANTS[name]
    real = getattr(mutant.owner, mutant.function)
    with swapped(mutant.owner, **{mutant.function: mutant.make(real)}):
        yield


__all__ = ["MUTANTS", "Mutant", "installed"]
