"""Long work that survives its worker: a cursor, a lease, and what was done so far."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.kernel.clock import Clock
from shared.kernel.errors import Conflict
from shared.kernel.model import Canonical


class Job(Canonical):
    """One piece of long work, by name. Saved after every step."""

    name: str
    """`stock_sync/aurora`."""
    cursor: str | None = None
    """Where the next step starts; None before the first and after the last."""
    step: int = 0
    started_at: datetime
    finished_at: datetime | None = None
    counts: dict[str, int] = {}
    """What was done so far, by word."""

    def done(self, cursor: str | None, counts: dict[str, int], now: datetime) -> "Job":
        """The job after a step that ended at `cursor`."""
        total = {word: self.counts.get(word, 0) + counts.get(word, 0) for word in {*self.counts, *counts}}
        return self.model_copy(
            update={
                "cursor": cursor,
                "step": self.step + 1,
                "counts": dict(sorted(total.items())),
                "finished_at": None if cursor else now,
            }
        )


class Jobs(Protocol):
    def find(self, name: str) -> Job | None: ...

    def take(self, name: str, holder: str, *, now: datetime, until: datetime) -> None:
        """Take the lease on a job, or prolong one's own.

        Raises:
            Conflict: `taken`, while somebody else's lease runs.
        """
        ...

    def save(self, job: Job, holder: str) -> None:
        """Keep the job as it is now.

        Raises:
            Conflict: `lease_lost`, when somebody else took it over meanwhile.
        """
        ...

    def hand_in(self, job: Job, holder: str) -> None:
        """Keep the job as it is now and give the lease back, in one write.

        Raises:
            Conflict: as `save`.
        """
        ...

    def let_go(self, name: str, holder: str) -> None:
        """Give the lease back, if one still has it."""
        ...


@dataclass(frozen=True)
class Worker:
    """Who works on a job, and for how long at most."""

    jobs: Jobs
    holder: str
    """Different for every run."""
    clock: Clock
    lease: timedelta
    """Longer than any single step."""
    has_time: Callable[[], bool]
    """Whether there is time for another step."""


Step = Callable[[Job], tuple[str | None, dict[str, int]]]
"""Do the part that starts at the job's cursor; return the next cursor (None: that was the last) and counts.

A step may be repeated after a crash: it must come to the same end.
"""


def work(name: str, step: Step, worker: Worker) -> Job:
    """Go on with the job where it stands, or start it anew when the last run was finished, until time runs out.

    Raises:
        Conflict: somebody else is at it.
        StorebridgeError: what a step raised; the next run starts that step again.
    """
    with leased(worker.jobs, name, worker.holder, now=worker.clock(), lease=worker.lease) as lease:
        job = worker.jobs.find(name)
        if job is None or job.finished_at:  # kept with its first step: until then there is nothing to go on with
            job = Job(name=name, started_at=worker.clock())
        while True:
            cursor, counts = step(job)
            now = worker.clock()
            job = job.done(cursor, counts, now)
            if job.finished_at or not worker.has_time():
                lease.hand_in(job)
                return job
            worker.jobs.save(job, worker.holder)
            worker.jobs.take(name, worker.holder, now=now, until=now + worker.lease)


@dataclass
class Lease:
    """One that is held. Whoever has done the job hands it in, and need not give the lease back beside that."""

    jobs: Jobs
    holder: str
    is_over: bool = False

    def hand_in(self, job: Job) -> None:
        """See `Jobs.hand_in`."""
        self.jobs.hand_in(job, self.holder)
        self.is_over = True


@contextmanager
def leased(jobs: Jobs, name: str, holder: str, *, now: datetime, lease: timedelta) -> Iterator[Lease]:
    """Alone at something for as long as the block runs; `Conflict` (`taken`) while somebody else is at it."""
    jobs.take(name, holder, now=now, until=now + lease)
    held = Lease(jobs, holder)
    try:
        yield held
    finally:
        if not held.is_over:
            jobs.let_go(name, holder)


def is_taken(error: Conflict) -> bool:
    return error.code == "taken"
