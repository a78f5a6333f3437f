"""Many workers in one thread, in virtual time: each runs until it sleeps, and the next one to wake is the next to run.

Code under simulation is ordinary synchronous code. Whatever stands for a network call sleeps, and others run meanwhile;
nothing else ever switches, so that a run depends on its seed alone.
"""

import heapq
from collections.abc import Callable
from itertools import count

from greenlet import getcurrent, greenlet


class VirtualTime:
    """Seconds since the epoch that pass only while everybody sleeps.

    `order`: who goes first of those that wake at the same moment: a seeded generator's `random`, or none to keep the
    order in which they went to sleep. `on_switch`: called whenever a worker goes on, with the time that it is then.
    """

    def __init__(
        self,
        start: float,
        *,
        order: Callable[[], float] | None = None,
        on_switch: Callable[[float], None] | None = None,
    ) -> None:
        self._now = start
        self._order = order or (lambda: 0.0)
        self._on_switch = on_switch
        self._waiting: list[tuple[float, float, int, greenlet]] = []
        self._numbers = count()
        self._scheduler = getcurrent()
        self._until = float("inf")
        self._most: int | None = None
        self.switches = 0
        """How often somebody went on, from one worker to the next or after a pause that nobody else woke in."""

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let others run until so many seconds have passed; within a worker only."""
        me = getcurrent()
        if me is self._scheduler:
            raise RuntimeError("only a worker may sleep: spawn one")
        wakes = self._now + max(0.0, seconds)
        nobody_else = not self._waiting or self._waiting[0][0] > wakes
        if nobody_else and wakes <= self._until and (self._most is None or self.switches < self._most):
            self._go_on(wakes)
            return
        self._wake(me, wakes)
        self._scheduler.switch()

    def spawn(self, work: Callable[[], object], *, after: float = 0.0) -> None:
        """Have a worker do this, from so many seconds on. What it raises ends the run."""
        self._wake(greenlet(work, self._scheduler), self._now + after)

    def run_until_quiet(self, *, until: float = float("inf"), at_most: int | None = None) -> bool:
        """Run until nobody waits any more, or the next one wakes after `until`; False in the latter case.

        Raises:
            Restless: `at_most` so many switches were not enough.
        """
        self._until, self._most = until, None if at_most is None else self.switches + at_most
        while self._waiting:
            if self._waiting[0][0] > until:
                self._now = max(self._now, until)
                return False
            if self._most is not None and self.switches >= self._most:
                raise Restless(f"{len(self._waiting)} still wait after {at_most} switches")
            at, _, _, worker = heapq.heappop(self._waiting)
            self._go_on(at)
            worker.switch()
        return True

    def _go_on(self, at: float) -> None:
        self._now = max(self._now, at)
        self.switches += 1
        if self._on_switch is not None:
            self._on_switch(self._now)

    def _wake(self, worker: greenlet, at: float) -> None:
        heapq.heappush(self._waiting, (at, self._order(), next(self._numbers), worker))


class Restless(AssertionError):
    """Work that should have come to an end did not."""
