"""What goes wrong, and when: one decision at each call that leaves a function."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol


class Fate(Enum):
    """What becomes of one call."""

    FINE = auto()
    THROTTLED = auto()
    """Refused at once, nothing happened."""
    CONFLICT = auto()
    """Refused because another transaction is at one of the items; where there are no transactions, throttled."""
    LOST = auto()
    """A time-out, and nothing happened."""
    ANSWER_LOST = auto()
    """A time-out, and it did happen."""
    CRASH_BEFORE = auto()
    """The worker dies, and nothing happened."""
    CRASH_AFTER = auto()
    """The worker dies right after it happened."""


FAULTS = tuple(fate for fate in Fate if fate is not Fate.FINE)
_LONG_STALL_SECONDS = 1000.0
_FOCUSED = 0.25


class Weather(Protocol):
    def fate(self, point: str) -> Fate:
        """What becomes of this call. `point`: function and call, `order_intake: TransactWriteItems orders`."""
        ...

    def latency(self) -> float:
        """Seconds until the other side has done its part."""
        ...

    def chance(self, of: str) -> bool:
        """Whether this happens now: `duplicate`, `ack_lost`, `redelivered`."""
        ...


@dataclass
class Storm:
    """Random faults, as many as the budget holds. Each history draws its own kinds and rates: a storm of one kind finds
    what a mixture of all hides (swarm testing: Groce and others, ISSTA 2012)."""

    dice: random.Random
    kinds: tuple[Fate, ...] = FAULTS
    rate: float = 0.05
    budget: int = 6
    stalls: float = 0.0
    """How often a call takes so long that leases and visibility run out meanwhile."""
    focus: str | None = None
    """The function whose calls it mostly befalls."""
    chances: Mapping[str, float] = field(default_factory=dict)
    happened: list[tuple[str, Fate]] = field(default_factory=list)
    is_over: bool = False

    def fate(self, point: str) -> Fate:
        if self.is_over or not self.budget or not self.rate or self.dice.random() >= self._odds(point):
            return Fate.FINE
        self.budget -= 1
        fate = self.dice.choice(self.kinds)
        self.happened.append((point, fate))
        return fate

    def _odds(self, point: str) -> float:
        if self.focus is None:
            return self.rate
        return _FOCUSED if point.startswith(self.focus) else self.rate / 10

    def latency(self) -> float:
        if not self.is_over and self.stalls and self.budget and self.dice.random() < self.stalls:
            self.budget -= 1
            return self.dice.random() * _LONG_STALL_SECONDS
        return self.dice.random() * 0.02

    def chance(self, of: str) -> bool:
        odds = self.chances.get(of, 0.0)
        return not self.is_over and odds > 0 and self.dice.random() < odds


class Calm:
    """Nothing goes wrong, and everything takes the same time."""

    def __init__(self, seconds: float = 0.01) -> None:
        self._seconds = seconds

    def fate(self, point: str) -> Fate:
        del point
        return Fate.FINE

    def latency(self) -> float:
        return self._seconds

    def chance(self, of: str) -> bool:
        del of
        return False


class Planned(Calm):
    """Named faults at named calls: `(point, how many times it was met before)`. For sweeps."""

    def __init__(self, faults: Mapping[tuple[str, int], Fate]) -> None:
        super().__init__()
        self._faults = dict(faults)
        self.met: dict[str, int] = {}

    def fate(self, point: str) -> Fate:
        times = self.met.get(point, 0)
        self.met[point] = times + 1
        return self._faults.pop((point, times), Fate.FINE)

    @property
    def left(self) -> tuple[tuple[str, int], ...]:
        """Faults whose call never came."""
        return tuple(self._faults)
