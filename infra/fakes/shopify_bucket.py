"""Shopify's bucket of points, and the time that tests and simulations hand to it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import floor
from typing import Any

from shared.kernel.clock import Clock

_ROUNDING = 1e-6


@dataclass
class VirtualClock:
    """Time that passes only when somebody waits."""

    now: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    waited: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += timedelta(seconds=seconds)


class Bucket:
    """Points that come back with time, up to `maximum`."""

    def __init__(self, clock: Clock, maximum: float, restore_rate: float) -> None:
        self.maximum = maximum
        self.restore_rate = restore_rate
        self._clock = clock
        self._points = maximum
        self._as_of = clock()

    def available(self) -> float:
        now = self._clock()
        restored = (now - self._as_of).total_seconds() * self.restore_rate
        self._points, self._as_of = min(self.maximum, self._points + restored), now
        return self._points

    def take(self, points: float) -> bool:
        """Take the points if they are all there."""
        if self.available() + _ROUNDING < points:
            return False
        self._points -= points
        return True

    def give_back(self, points: float) -> None:
        self._points = min(self.maximum, self.available() + points)

    def drain(self) -> None:
        self.available()
        self._points = 0.0

    def status(self) -> dict[str, Any]:
        """The state as each answer tells it, in whole points."""
        return {
            "maximumAvailable": float(self.maximum),
            "currentlyAvailable": floor(self.available() + _ROUNDING),
            "restoreRate": float(self.restore_rate),
        }
