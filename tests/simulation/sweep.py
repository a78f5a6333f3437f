"""Every combination of one, two or three faults over the life of one order: nine in ten failures of real systems need
no more than three (Yuan and others, OSDI 2014).

The order is bought, paid for, edited and cancelled; each kind of call that the desk makes for it can fail at its first
and its second time, in each way. The weather is planned, everything else always the same.
"""

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from infra.fakes.virtual_time import Restless
from tests.simulation.cloud.weather import FAULTS, Calm, Fate, Planned
from tests.simulation.history import History, Plan
from tests.simulation.invariants import Broken
from tests.simulation.shop import Habits

Fault = tuple[tuple[str, int], Fate]
"""At which call, how many times it was met before, and what becomes of it."""
_POINTS: Final = (
    "order-webhook: SendMessage storebridge-orders",
    "order-intake: PutObject",
    "order-intake: GetItem storebridge-orders",
    "order-intake: PutItem storebridge-orders",
    "order-intake: BatchGetItem storebridge-stock",
    "order-intake: TransactWriteItems storebridge-orders",
    "order-intake: ChangeMessageVisibility storebridge-orders",
)
"""The calls of an order's life at the desk, in their order; the last one only follows a failure."""


@dataclass
class Swept:
    points: int
    runs: int = 0
    broken: list[tuple[tuple[Fault, ...], str]] = field(default_factory=list)


class OneLife(History):
    """One order from its purchase to its cancellation, with faults where they were planned."""

    NAME = "one life"

    def __init__(self, faults: tuple[Fault, ...], installation: Any) -> None:
        self.faults = faults
        super().__init__(0, installation)
        self.weather = Planned(dict(faults))
        self.cloud.weather = self.weather

    def _plan(self) -> Plan:
        settings = self._settings(has_api=True, twins=False, careful=True)
        return Plan(self.FUNCTIONS, settings, Habits(), {"MUG": 3, "CAP": 2}, has_api=True)

    def _live(self) -> None:
        steps = (
            lambda: self.shop.place("5001", {"MUG": 2, "CAP": 1}, status="pending"),
            lambda: self.shop.change("5001", status="processing"),
            lambda: self.shop.change("5001", units={"MUG": 1, "CAP": 2}),
            lambda: self.shop.change("5001", status="cancelled"),
        )
        for number, step in enumerate(steps):
            self._later(30.0 * number, f"step {number}", step)
        self._run()

    def _calm_down(self) -> None:
        self.cloud.weather = Calm()
        super()._calm_down()


def sweep(faults: int) -> Swept:
    """Play the life once for each combination of so many faults, all at different calls."""
    from tests.simulation.run import installation  # noqa: PLC0415 - the runner knows the sweep

    swept = Swept(len(_POINTS))
    with installation().installed():
        for plan in plans(faults):
            swept.runs += 1
            broken = _play(plan, installation())
            if broken is not None:
                swept.broken.append((plan, str(broken)))
    return swept


def plans(faults: int) -> Iterator[tuple[Fault, ...]]:
    """Combinations: of three faults at the first meeting of each call only, or they would be a million."""
    meetings = (0, 1) if faults < _MANY else (0,)
    places = [(point, times) for point in _POINTS for times in meetings]
    for chosen in itertools.combinations(places, faults):
        for fates in itertools.product(FAULTS, repeat=faults):
            yield tuple(zip(chosen, fates, strict=True))


_MANY: Final = 3


def _play(plan: tuple[Fault, ...], installation: Any) -> Broken | Restless | None:
    random.seed(0)
    return OneLife(plan, installation).play().broken


def told(plan: tuple[Fault, ...]) -> Mapping[str, str]:
    """A plan in words, for whoever reads of it."""
    return {f"{point} ({times + 1}.)": fate.name.lower() for (point, times), fate in plan}
