"""Keeping to Jiandaoyun's limits: calls a second of one kind, and of all kinds together.

Limits: hc.jiandaoyun.com/open/11261 §3 (50 a second for a company) and the page of each call. They count for the whole
company, so other programs and other processes of ours use them up as well: what is refused all the same is tried later.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from shared.kernel.clock import Clock

Pause = Callable[[float], None]
"""Wait for so many seconds."""

LIMITS: Mapping[str, int] = {
    "widget/list": 30,
    "data/get": 30,
    "data/list": 30,
    "data/update": 20,
    "data/batch_create": 10,
}
EVERYTHING = 50


class Pace:
    """The pace of one process. Calls are spread evenly: after each one, the next of its kind waits its share of a
    second."""

    def __init__(self, clock: Clock, pause: Pause) -> None:
        self._clock = clock
        self._pause = pause
        self._free_at: dict[str, datetime] = {}

    def wait_for(self, kind: str) -> None:
        """Wait until a call of this kind may be made, and count it as made."""
        shares = {kind: _share(LIMITS[kind]), "": _share(EVERYTHING)}
        now = self._clock()
        start = max([now, *(self._free_at[name] for name in shares if name in self._free_at)])
        if start > now:
            self._pause((start - now).total_seconds())
        for name, share in shares.items():
            self._free_at[name] = start + share


def _share(limit: int) -> timedelta:
    return timedelta(seconds=1) / limit
