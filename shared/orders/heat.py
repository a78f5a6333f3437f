"""How contended each SKU is: counted where transactions meet, forgotten as time passes. Pure; the time is told.

A hot SKU is one at which more than one transaction in a hundred comes too late. Its orders are better committed in
groups by few writers than each by itself by many.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MOST_LOST: Final = 0.01
"""The share of transactions that may be refused before a SKU is hot."""
LEAST_TRIES: Final = 50
"""Of a SKU, before its share says anything."""
HALF_LIFE: Final = timedelta(minutes=1)
HOT_FOR: Final = timedelta(minutes=1)
"""Once hot, a SKU stays so for as long: its orders go elsewhere then, and nothing more is learnt here."""
MOST_SKUS: Final = 1_000
"""Counted at a time; the one that was quiet longest is forgotten first."""


@dataclass
class _Count:
    at: datetime
    tries: float = 0.0
    lost: float = 0.0
    hot_until: datetime | None = None

    def fade(self, now: datetime) -> None:
        left = 0.5 ** (max(timedelta(), now - self.at) / HALF_LIFE)
        self.tries, self.lost, self.at = self.tries * left, self.lost * left, now


@dataclass
class Heat:
    """What one worker has met at each SKU."""

    _counts: dict[str, _Count] = field(default_factory=dict)

    def note(self, wanted: Iterable[str], lost: Collection[str], now: datetime) -> None:
        """One transaction wanted to move these SKUs, and of some of them others were faster."""
        for sku in wanted:
            count = self._counts.pop(sku, None) or _Count(now)
            count.fade(now)
            count.tries += 1
            count.lost += sku in lost
            if count.tries >= LEAST_TRIES and count.lost > MOST_LOST * count.tries:
                count.hot_until = now + HOT_FOR
            self._counts[sku] = count
        self._forget()

    def note_beaten(self, skus: Iterable[str], now: datetime) -> None:
        """An order lost again and again at these: where that is rare, twice is no accident. They are hot at once."""
        for sku in skus:
            count = self._counts.pop(sku, None) or _Count(now)
            count.hot_until = now + HOT_FOR
            self._counts[sku] = count
        self._forget()

    def is_hot(self, sku: str, now: datetime) -> bool:
        count = self._counts.get(sku)
        return count is not None and count.hot_until is not None and now < count.hot_until

    def _forget(self) -> None:
        while len(self._counts) > MOST_SKUS:
            del self._counts[next(iter(self._counts))]
