"""Whether a shop is silent beyond belief, judged by its own rhythm. Pure.

The rhythm is how many orders were placed in each hour of the last weeks. A silence, from the last order to now, is held
against the same stretch of each week before: Tuesday 14:20 to 17:00 against the six Tuesdays before it. The week that
brought least is what the shop may be said to bring in that time, and a silence is improbable when a Poisson process of
that rate would hardly ever make one so long (`exp(-orders)`).

Why the least of the weeks, and not the mean by weekday and hour: orders come in bursts, and their number drifts. A
campaign doubles one week's mean and says nothing of this week; after a holiday, or in a summer of half the trade, the
mean lags behind for weeks and would call every lull an alarm. The least of the weeks needs no model of any of it: what
happened before, it does not call improbable. Each week also counts by the least of its stretch as it is, one hour
earlier and one hour later, so that a change of clocks, or of opening hours, is no silence either.

It costs time: about half as many orders more must fail to come than the mean would need. Measured over nine simulated
years of each shop (`tests/unit/sync/repair/simulated_shops.py`: they sleep, their weeks of trade are uneven, mailings
bring bursts, clocks change twice), looked at every 15 minutes, by the default of one in 1,000:

| orders a day | false alarms a year | noticed after, when it falls silent by day: median, at most |
|---|---|---|
| 3 | 0.3 | 68 h, 104 h |
| 10 | 0.3 | 24 h, 52 h |
| 30 | 0.7 | 6 h, 15 h |
| 100 | 1.0 | 2 h 30, 4 h 45 |
| 300 | 1.4 | 45 min, 1 h 30 |
| 1,000 | 0.8 | 30 min, 45 min |

By night it is noticed in the morning. One in 5,000 makes a quarter of the false alarms, or fewer. A shop of fewer than
about two orders a day is hardly ever called silent: no week of it is sure to bring seven.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from math import exp

from shared.kernel.model import Canonical
from shared.sync.repair.rules import RepairRules

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
_SHIFTS = (-HOUR, timedelta(0), HOUR)


class Rhythm(Canonical):
    """How many orders were placed in each hour."""

    begins: datetime
    """The start of the first hour."""
    counts: tuple[int, ...] = ()
    """One number for each hour from there, without the last ones that brought none."""

    def plus(self, placed: Iterable[datetime]) -> "Rhythm":
        """With these orders; those from before it begins are not counted."""
        counts = list(self.counts)
        for at in placed:
            hour = (at - self.begins) // HOUR
            if hour >= 0:
                counts += [0] * (hour + 1 - len(counts))
                counts[hour] += 1
        return self.model_copy(update={"counts": tuple(counts)})

    def since(self, begins: datetime) -> "Rhythm":
        """Without the whole hours before this time."""
        gone = max(0, (begins - self.begins) // HOUR)
        return Rhythm(begins=self.begins + gone * HOUR, counts=self.counts[gone:])

    def between(self, start: datetime, end: datetime) -> float:
        """How many orders were placed, where an hour's are spread evenly over it."""
        first, last = (start - self.begins) / HOUR, (end - self.begins) / HOUR
        hours = range(max(0, int(first)), min(len(self.counts), int(last) + 1))
        return sum(self.counts[hour] * (min(last, hour + 1) - max(first, hour)) for hour in hours)


class Silence(Canonical):
    """One that is improbable."""

    since: datetime
    """The last order."""
    lasted: timedelta
    usual: tuple[float, ...]
    """How many orders the same stretch brought at least, the newest week first."""
    chance: float
    """How often such a silence would come by itself."""


def judge(rhythm: Rhythm, last_order_at: datetime, now: datetime, rules: RepairRules) -> Silence | None:
    """The silence at `now`, if it is improbable; None also while too little is known of the shop."""
    lasted = now - last_order_at
    if lasted < rules.shortest_silence:
        return None
    weeks = _usual(rhythm, max(last_order_at, now - WEEK), now, rules.history_weeks)
    if len(weeks) < rules.history_weeks_needed:
        return None
    chance = exp(-min(weeks))
    if chance * rules.silence_one_in > 1:
        return None
    return Silence(since=last_order_at, lasted=lasted, usual=weeks, chance=chance)


def _usual(rhythm: Rhythm, start: datetime, end: datetime, most: int) -> tuple[float, ...]:
    known = (number * WEEK for number in range(1, most + 1) if start - number * WEEK - HOUR >= rhythm.begins)
    return tuple(min(rhythm.between(start - back + shift, end - back + shift) for shift in _SHIFTS) for back in known)


def horizon(now: datetime, rules: RepairRules) -> datetime:
    """From when on the rhythm is needed: all weeks before a silence of a week, and an hour."""
    return now - (rules.history_weeks + 1) * WEEK - 2 * HOUR


class News(StrEnum):
    NONE = "none"
    ALARM = "alarm"
    ALL_CLEAR = "all_clear"


def news(silent_since: datetime | None, last_order_at: datetime | None, silence: Silence | None) -> News:
    """What people are to be told: one alarm for each silence, and one all-clear.

    `silent_since` is the last order before the silence that they know of. That one lasts until an order comes, however
    probable it may have become.
    """
    if silent_since is not None:
        ended = last_order_at is not None and last_order_at > silent_since
        return News.ALL_CLEAR if ended else News.NONE
    return News.ALARM if silence is not None else News.NONE
