"""How fast one shop may be asked. WooCommerce has no limits of its own: its host has, and does not tell them.

So the number of items in a batch grows by addition while the shop answers well, and is halved when it is slow,
throttles or fails; between two requests it is given a rest. All time is the injected clock's.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from shared.kernel.clock import Clock
from shared.kernel.errors import Retry

Pause = Callable[[float], None]
"""Wait for so many seconds."""

SLOW = timedelta(seconds=8)
"""100 stock updates were measured at 2.6 s on a small machine; PHP is commonly stopped after 30 s."""
PATIENCE = timedelta(seconds=45)
"""The most that one call waits for a shop that fails. The caller's queue waits longer, and costs nothing."""
LONGEST = timedelta(minutes=4)
"""A call that is not through by then is given up, so that a crawling shop does not outlast the function."""
MOST_FAILURES = 5
"""In a row; then the call is given up."""

_GROWTH = 10
_FIRST_WAIT = 1.0
_RETRY_AFTER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Pace:
    """One shop's pace, kept from call to call. Not shared between threads."""

    def __init__(self, most: int, clock: Clock, pause: Pause) -> None:
        self._most = most
        self._size = most
        self._clock = clock
        self._pause = pause
        self._failures = 0
        self._rest = 0.0
        self._retry_after: float | None = None
        self._waited = 0.0
        self._began = clock()

    @property
    def size(self) -> int:
        """Items that the next batch may hold, at least one."""
        return self._size

    def begin(self) -> None:
        """A new call: its patience is fresh, what was learnt of the shop stays."""
        self._failures = 0
        self._waited = 0.0
        self._began = self._clock()

    def rest(self) -> None:
        """Wait before a request, if the shop was slow or failed of late.

        Raises:
            Retry: `storefront_slow`, when the call has lasted too long already.
        """
        if self._clock() - self._began > LONGEST:
            raise Retry("storefront_slow", "the shop answers too slowly to be done in one call")
        if self._rest > 0:
            self._pause(self._rest)

    def observe(self, response: httpx.Response) -> None:
        """Note for how long the shop asks to be left alone (RFC 9110, 10.2.3: seconds or a date)."""
        header = response.headers.get("Retry-After") if response.status_code in _RETRY_AFTER else None
        self._retry_after = self._seconds(header) if header is not None else None

    def succeeded(self, started: datetime) -> None:
        """A request that `started` then was answered well, soon or late."""
        took = self._clock() - started
        self._failures = 0
        if took > SLOW:
            self._halve()
            self._rest = min(took.total_seconds(), SLOW.total_seconds())
        else:
            self._size = min(self._size + _GROWTH, self._most)
            self._rest = self._rest / 2 if self._rest > _FIRST_WAIT / 4 else 0.0

    def failed(self, failure: Retry) -> None:
        """A passing failure: wait and let the caller try again, or raise it when patience is out.

        Raises:
            Retry: `failure` itself.
        """
        self._halve()
        self._failures += 1
        wait = self._retry_after if self._retry_after is not None else _FIRST_WAIT * 2 ** (self._failures - 1)
        self._retry_after = None
        if self._failures >= MOST_FAILURES or self._waited + wait > PATIENCE.total_seconds():
            raise failure
        self._rest = max(self._rest, _FIRST_WAIT)
        self._waited += wait
        self._pause(wait)

    def too_many(self, sent: int) -> None:
        """The shop's host or a plugin takes smaller batches than WooCommerce does: never send so many again."""
        self._most = max(1, sent // 2)
        self._size = min(self._size, self._most)

    def _halve(self) -> None:
        self._size = max(1, self._size // 2)

    def _seconds(self, header: str) -> float | None:
        if header.strip().isdecimal():
            return float(header[:6])
        try:
            until = parsedate_to_datetime(header)
        except ValueError:
            return None
        until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
        return max(0.0, (until - self._clock()).total_seconds())
