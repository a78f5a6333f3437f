"""What an account held after the last of its movements, where each states the balance that it left. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple


class Held(NamedTuple):
    """One movement of a statement, in the order of the file."""

    at: datetime
    change: int
    balance: int
    """After it."""


def last_balance(movements: Sequence[Held]) -> Held | None:
    """The last movement, whether the file begins with the oldest or the newest; None where there is none.

    Of movements in one second, the last is the one whose balance no other starts from; where that does not decide,
    the order of the file does.
    """
    if not movements:
        return None
    newest = max(movement.at for movement in movements)
    last = [movement for movement in movements if movement.at == newest]
    openings = Counter(movement.balance - movement.change for movement in last)
    ends = [movement for movement in last if not openings[movement.balance]]
    if len(ends) == 1:
        return ends[0]
    newest_first = movements[0].at > movements[-1].at
    return last[0] if newest_first else last[-1]
