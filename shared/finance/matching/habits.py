"""How long an account's lines usually come after the storefront's word: learnt from what names its order exactly.

An amount alone says little where hundreds of payments cost the same. A payment that comes at the account's usual
interval is the one meant; one that comes three weeks later, where all others come in minutes, is somebody else's.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from shared.finance.matching.worksheet import OrderSheet
from shared.finance.models import Rule

_ENOUGH = 30
"""Exact pairs from which on an account has a habit."""
_RARE = 200
"""One in so many pairs, at either end, is no habit."""
_USUAL = 10
"""One in so many pairs, at either end, is within the habit and not what is usual."""
_LEAST_SLACK = timedelta(minutes=15)
_MOST_SLACK = timedelta(days=1)


class Habit(NamedTuple):
    """From the storefront's word to the line."""

    shortest: timedelta
    longest: timedelta
    usual_shortest: timedelta
    usual_longest: timedelta
    """Between which all but the odd ones come: seconds, where nearly everybody pays at once."""

    @property
    def usual(self) -> "Habit":
        return self._replace(shortest=self.usual_shortest, longest=self.usual_longest)

    def allows(self, interval: timedelta) -> bool:
        return self.shortest <= interval <= self.longest


def learn_habits(orders: Iterable[OrderSheet], rules: dict[str, Rule]) -> dict[str, Habit]:
    """The habit of each account that has one; of the others, only the merchant's window speaks."""
    intervals: dict[str, list[timedelta]] = {}
    for order in orders:
        if order.pairing is None:
            continue
        for told, charge in order.pairing.paired:
            if charge.lines and rules.get(f"{charge.account}/{charge.lines[0].line_id}") is Rule.REFERENCE:
                intervals.setdefault(charge.account, []).append(charge.at - told.movement.at)
    return {account: _habit(sorted(seen)) for account, seen in intervals.items() if len(seen) >= _ENOUGH}


def _habit(seen: list[timedelta]) -> Habit:
    return Habit(*_between(seen, _RARE), *_between(seen, _USUAL))


def _between(seen: list[timedelta], one_in: int) -> tuple[timedelta, timedelta]:
    odd = len(seen) // one_in
    shortest, longest = seen[odd], seen[-1 - odd]
    slack = min(_MOST_SLACK, max(_LEAST_SLACK, (longest - shortest) / 2))
    return shortest - slack, longest + slack
