"""Wakes the pollers at once when something may have come in, so that they need not ask all the time."""

import threading
from collections.abc import Callable


class Bell:
    """Counts rings. A waiter names the count that it has seen, so that no ring between two waits is lost."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0

    @property
    def count(self) -> int:
        with self._condition:
            return self._count

    def ring(self) -> int:
        """Wake everybody, and return the new count."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()
            return self._count

    def notice(self) -> None:
        """Wake those who wait for a state, without saying that there is new work."""
        with self._condition:
            self._condition.notify_all()

    def wait_beyond(self, seen: int, timeout: float) -> int:
        """Wait until the count exceeds `seen`, `timeout` seconds at most; return the count."""
        with self._condition:
            self._condition.wait_for(lambda: self._count > seen, timeout)
            return self._count

    def wait_until(self, holds: Callable[[], bool], timeout: float) -> bool:
        """Wait until a state holds, looking at each ring and notice; return whether it does."""
        with self._condition:
            return self._condition.wait_for(holds, timeout)
