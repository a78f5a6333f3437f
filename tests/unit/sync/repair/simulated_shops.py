"""Shops that sell by a rhythm of their own, for as long as a test likes. Seeded: the same each time."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from shared.sync.repair.rules import RepairRules
from shared.sync.repair.silence import HOUR, News, Rhythm, horizon, judge, news

BEGINS = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday."""
LOOK = timedelta(minutes=15)
DAY = (0, 0, 0, 0, 0, 0, 1, 3, 5, 6, 6, 6, 7, 6, 5, 5, 6, 7, 9, 11, 12, 9, 4, 1)
"""How a shop that sleeps spreads its orders over its hours."""
WEEKDAYS = (1.0, 1.0, 1.0, 1.0, 1.1, 0.9, 1.2)
_SUMMER = (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Shop:
    """`orders_a_day` on average, in weeks of uneven trade, with bursts after mailings, and clocks that change."""

    orders_a_day: float
    seed: int
    weeks: int = 60
    unevenness: float = 0.2
    """How far one week's trade strays from the last one's, as the sigma of a logarithm."""
    bursts_a_month: float = 2.0

    def orders(self) -> list[datetime]:
        random = Random(self.seed)  # noqa: S311 - a simulation
        placed: list[datetime] = []
        trade, burst_until = 1.0, BEGINS
        for hour in range(self.weeks * 168):
            start = BEGINS + hour * HOUR
            if hour % 168 == 0:
                # Drawn back to the usual, so that it wanders without running away.
                trade = trade**0.7 * random.lognormvariate(0, self.unevenness)
            if random.random() < self.bursts_a_month / 30 / 24:
                burst_until = start + 4 * HOUR
            rate = self._rate(start) * trade * (4 if start < burst_until else 1)
            placed += _arrivals(random, start, rate)
        return placed

    def _rate(self, start: datetime) -> float:
        local = start + (HOUR if _SUMMER[0] <= start < _SUMMER[1] else timedelta(0))
        return self.orders_a_day * DAY[local.hour] / sum(DAY) * WEEKDAYS[local.weekday()]


def _arrivals(random: Random, start: datetime, rate: float) -> list[datetime]:
    """A Poisson process over one hour."""
    found: list[datetime] = []
    at = random.expovariate(rate) if rate else 1.0
    while at < 1.0:
        found.append(start + at * HOUR)
        at += random.expovariate(rate)
    return found


def alarms(
    placed: Sequence[datetime],
    rules: RepairRules,
    *,
    looks_from: datetime = BEGINS,
    until: datetime | None = None,
) -> list[datetime]:
    """When people are called, by one who looks every 15 minutes and counts as the repair does."""
    called: list[datetime] = []
    silent_since: datetime | None = None
    now, end = looks_from, until or placed[-1]
    rhythm = Rhythm(begins=BEGINS)
    taken = 0
    while now < end:
        now += LOOK
        arrived = bisect_right(placed, now, taken)
        if arrived > taken:
            rhythm = rhythm.plus(placed[taken:arrived]).since(horizon(now, rules))
            taken = arrived
        last = placed[taken - 1] if taken else None
        silence = judge(rhythm, last, now, rules) if last is not None else None
        told = news(silent_since, last, silence)
        if told is News.ALARM:
            called.append(now)
            silent_since = last
        elif told is News.ALL_CLEAR:
            silent_since = None
    return called
