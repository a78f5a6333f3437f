"""How a job is worked on: what is written of it, and what becomes of it when its worker fails."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from shared.kernel.errors import Conflict, Retry
from shared.sync.jobs import Job, Step, Worker, leased, work
from tests.fakes.sync import FakeJobs

NOON = datetime.fromisoformat("2026-11-25T12:00:00Z")
NAME = "sweep/aurora"


class Written(FakeJobs):
    """Notes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []

    def take(self, name: str, holder: str, *, now: datetime, until: datetime) -> None:
        self.log.append("take")
        super().take(name, holder, now=now, until=until)

    def save(self, job: Job, holder: str) -> None:
        self.log.append("save")
        super().save(job, holder)

    def hand_in(self, job: Job, holder: str) -> None:
        super().hand_in(job, holder)
        self.log[-1] = "hand in"  # it saves

    def let_go(self, name: str, holder: str) -> None:
        self.log.append("let go")
        super().let_go(name, holder)


def worker(jobs: FakeJobs, has_time: Callable[[], bool] = lambda: True) -> Worker:
    return Worker(jobs=jobs, holder="a", clock=lambda: NOON, lease=timedelta(minutes=5), has_time=has_time)


def pages(*cursors: str | None) -> Step:
    """A step for each of them: where the next one starts."""
    following = iter(cursors)
    return lambda _job: (next(following), {"items": 1})


def test_a_job_of_one_step_is_two_writes() -> None:
    jobs = Written()
    job = work(NAME, pages(None), worker(jobs))
    assert jobs.log == ["take", "hand in"]
    assert jobs.find(NAME) == job
    assert job.finished_at
    assert not jobs.leases


def test_the_lease_is_prolonged_for_each_further_step() -> None:
    jobs = Written()
    assert work(NAME, pages("b", "c", None), worker(jobs)).counts == {"items": 3}
    assert jobs.log == ["take", "save", "take", "save", "take", "hand in"]


def test_a_job_that_ran_out_of_time_is_handed_in_and_gone_on_with() -> None:
    jobs = Written()
    first = work(NAME, pages("b"), worker(jobs, has_time=lambda: False))
    assert (first.cursor, first.finished_at, jobs.leases) == ("b", None, {})
    seen: list[str | None] = []

    def step(job: Job) -> tuple[str | None, dict[str, int]]:
        seen.append(job.cursor)
        return None, {}

    second = work(NAME, step, worker(jobs))
    assert seen == ["b"]
    assert second.step == 2


def test_a_step_that_fails_leaves_the_job_as_it_was_and_the_lease_to_others() -> None:
    jobs = Written()
    work(NAME, pages(None), worker(jobs))
    before = jobs.find(NAME)

    def failing(_job: Job) -> tuple[str | None, dict[str, int]]:
        raise Retry("shop_unreachable", "no answer")

    with pytest.raises(Retry):
        work(NAME, failing, worker(jobs))
    assert jobs.find(NAME) == before
    assert not jobs.leases


def test_a_lease_that_another_took_over_meanwhile_stays_the_others() -> None:
    jobs = Written()

    def slow(_job: Job) -> tuple[str | None, dict[str, int]]:
        jobs.leases[NAME] = ("b", NOON + timedelta(hours=1))
        return None, {}

    with pytest.raises(Conflict, match="lease_lost"):
        work(NAME, slow, worker(jobs))
    assert jobs.find(NAME) is None
    assert jobs.leases[NAME][0] == "b"


def test_what_is_no_job_is_only_let_go() -> None:
    jobs = Written()
    with leased(jobs, "order", "a", now=NOON, lease=timedelta(minutes=5)):
        assert jobs.leases["order"][0] == "a"
    assert jobs.log == ["take", "let go"]
    assert not jobs.leases
