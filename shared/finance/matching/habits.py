"""How long an account's lines usually come after the storefront's word: learnt from what names its order exactly.

An amount alone says little where hundreds of payments cost the same. A payment that comes at the account's usual
interval is the one meant; one that comes three weeks later, where all others come in minutes, is somebody else's.

A storefront that tells of each payment dates it by itself. One that tells only that the order is paid dates that as the
order, and the payment may come days later: the two have habits of their own.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from shared.finance.matching.worksheet import OrderSheet, Told
from shared.finance.models import Rule
from shared.finance.movements import EVERYTHING

_ENOUGH = 30
"""Exact pairs from which on there is a habit."""
RARE = 200
"""One in so many pairs, at either end, is no habit."""
USUAL = 10
"""One in so many pairs, at either end, is within the habit and not what is usual."""
_LEAST_SLACK = timedelta(minutes=15)
_MOST_SLACK = timedelta(days=1)

_Way = tuple[str, bool | None]
"""An account, and whether only whole orders are told as paid; None: in any way."""
Intervals = Mapping[_Way, list[timedelta]]


class Habit(NamedTuple):
    """From the storefront's word to the line."""

    shortest: timedelta
    longest: timedelta

    def allows(self, interval: timedelta) -> bool:
        return self.shortest <= interval <= self.longest


class Habits:
    """Of each account that has one; of the others, only the merchant's window speaks.

    Args:
        intervals: What was seen, sorted.
        one_in: One in so many of them, at either end, is left out.
    """

    def __init__(self, intervals: Intervals, one_in: int) -> None:
        self._habits = {way: _habit(seen, one_in) for way, seen in intervals.items() if len(seen) >= _ENOUGH}

    def of(self, account: str, told: Told) -> Habit | None:
        """Of what is told in this way; where that is seldom, of all that the account tells."""
        return self._habits.get(_way(account, told)) or self._habits.get((account, None))


def learn_intervals(orders: Iterable[OrderSheet], rules: Mapping[str, Rule]) -> Intervals:
    """From the storefront's word to the line, sorted, of all that is paired and names each other."""
    intervals: dict[_Way, list[timedelta]] = {}
    for order in orders:
        if order.pairing is None:
            continue
        for told, charge in order.pairing.paired:
            if charge.lines and rules.get(f"{charge.account}/{charge.lines[0].line_id}") is Rule.REFERENCE:
                interval = charge.at - told.movement.at
                intervals.setdefault(_way(charge.account, told), []).append(interval)
                intervals.setdefault((charge.account, None), []).append(interval)
    return {way: sorted(seen) for way, seen in intervals.items()}


def _way(account: str, told: Told) -> _Way:
    return account, told.movement.id == EVERYTHING


def _habit(seen: list[timedelta], one_in: int) -> Habit:
    odd = len(seen) // one_in
    shortest, longest = seen[odd], seen[-1 - odd]
    slack = min(_MOST_SLACK, max(_LEAST_SLACK, (longest - shortest) / 2))
    return Habit(shortest - slack, longest + slack)
