"""How long an account's lines usually come after the storefront's word: learnt from what names its order exactly.

An amount alone says little where hundreds of payments cost the same. A payment that comes at the account's usual
interval is the one meant; one that comes three weeks later, where all others come in minutes, is somebody else's.

A storefront that tells of each payment dates it by itself. One that tells only that the order is paid dates that as the
order, and the payment may come days later: the two have habits of their own, and neither is taken for the other.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from shared.finance.matching.worksheet import OrderSheet, Told
from shared.finance.models import Rule
from shared.finance.movements import EVERYTHING

_ENOUGH = 30
"""Exact pairs from which on there is a habit."""
_RARE = 200
"""One in so many pairs, at either end, is no habit."""
_USUAL = 10
"""One in so many pairs, at either end, is within the habit and not what is usual."""
_LEAST_SLACK = timedelta(minutes=15)
_MOST_SLACK = timedelta(days=1)
_AT_ONCE = timedelta(hours=1)

_Way = tuple[str, bool]
"""An account, and whether only whole orders are told as paid."""
Intervals = Mapping[_Way, list[timedelta]]


class Habit(NamedTuple):
    """From the storefront's word to the line."""

    shortest: timedelta
    longest: timedelta

    def allows(self, interval: timedelta) -> bool:
        return self.shortest <= interval <= self.longest

    @property
    def span(self) -> timedelta:
        return self.longest - self.shortest


class Habits:
    """Of each account that has one for what is told in this way; of the others, only the merchant's window speaks."""

    def __init__(self, intervals: Intervals) -> None:
        self._habits = {way: _habit(seen, _RARE) for way, seen in intervals.items() if len(seen) >= _ENOUGH}

    def of(self, account: str, told: Told) -> Habit | None:
        return self._habits.get(_way(account, told))

    def decides(self, _account: str, _told: Told) -> bool:
        """Whether a payment may be given to an order by this."""
        return True


class HabitsAtOnce(Habits):
    """Of payments that come with their orders, where nearly all do: within minutes chance makes no pair. For others it
    does not decide; they are in doubt with those for as long as their habit allows, so that none is overlooked."""

    def __init__(self, intervals: Intervals) -> None:
        super().__init__(intervals)
        usual = {way: _habit(intervals[way], _USUAL) for way in self._habits}
        self._at_once = {way: habit for way, habit in usual.items() if habit.span <= _AT_ONCE}

    def of(self, account: str, told: Told) -> Habit | None:
        return self._at_once.get(_way(account, told)) or super().of(account, told)

    def decides(self, account: str, told: Told) -> bool:
        return _way(account, told) in self._at_once


def learn_intervals(orders: Iterable[OrderSheet], rules: Mapping[str, Rule]) -> Intervals:
    """From the storefront's word to the line, sorted, of all that is paired and names each other."""
    intervals: dict[_Way, list[timedelta]] = {}
    for order in orders:
        if order.pairing is None:
            continue
        for told, charge in order.pairing.paired:
            if charge.lines and rules.get(f"{charge.account}/{charge.lines[0].line_id}") is Rule.REFERENCE:
                intervals.setdefault(_way(charge.account, told), []).append(charge.at - told.movement.at)
    return {way: sorted(seen) for way, seen in intervals.items()}


def _way(account: str, told: Told) -> _Way:
    return account, told.movement.id == EVERYTHING


def _habit(seen: list[timedelta], one_in: int) -> Habit:
    odd = len(seen) // one_in
    shortest, longest = seen[odd], seen[-1 - odd]
    slack = min(_MOST_SLACK, max(_LEAST_SLACK, (longest - shortest) / 2))
    return Habit(shortest - slack, longest + slack)
