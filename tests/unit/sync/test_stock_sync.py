"""Sweeps: what drifted is corrected and explained; killed anywhere, a sweep goes on and ends the same."""

from datetime import timedelta
from itertools import count

import pytest

from shared.kernel.errors import Conflict, Retry
from shared.sync.jobs import Job, Worker, work
from shared.sync.levels.sweep import DriftCause, sweep_page
from tests.builders.orders import NOON
from tests.fakes.sync import FakeDriftLog, FakeJobs
from tests.unit.sync.test_push import Shop

NAME = "stock_sync/aurora"


class Sweep:
    def __init__(self, shop: Shop) -> None:
        self.shop, self.jobs, self.log = shop, FakeJobs(), FakeDriftLog()
        self._runs = count(1)

    def run(self, *, pages: int = 10_000) -> Job:
        left = iter(range(pages - 1))
        worker = Worker(
            jobs=self.jobs,
            holder=f"run-{next(self._runs)}",
            clock=lambda: self.shop.now,
            lease=timedelta(minutes=2),
            has_time=lambda: next(left, None) is not None,
        )
        return work(NAME, lambda job: sweep_page(self.shop.desk, self.log, job), worker)


def shop_of(skus: int, *, pool: int = 5, shown: int | None = None) -> Shop:
    shop = Shop({f"S{number:04}": pool for number in range(skus)})
    for number in range(skus):
        shop.channel.shown[f"S{number:04}"] = pool if shown is None else shown
    return shop


def test_binds_what_the_shop_sells_and_corrects_it() -> None:
    sweep = Sweep(shop_of(250, shown=1))
    job = sweep.run()
    assert job.counts == {"items": 250, "unknown": 0, "drifted": 250, "written": 250, "set_aside": 0}
    assert set(sweep.shop.channel.shown.values()) == {5}
    assert {drift.cause for drift in sweep.log.drifts} == {DriftCause.FIRST_SEEN}


def test_an_unchanged_catalogue_costs_no_write_anywhere() -> None:
    sweep = Sweep(shop_of(250))
    sweep.run()
    kept = sweep.shop.bindings.writes
    job = sweep.run()
    assert (sweep.shop.channel.calls, job.counts["written"], sweep.shop.bindings.writes) == (0, 0, kept)


def test_ten_changed_levels_write_ten() -> None:
    sweep = Sweep(shop_of(250))
    sweep.run()
    for number in range(10):
        sweep.shop.have(f"S{number:04}", 3)
    job = sweep.run()
    assert (job.counts["written"], sweep.shop.channel.writes) == (10, 10)
    assert {(drift.cause, drift.size) for drift in sweep.log.drifts} == {(DriftCause.NOT_PUSHED, 2)}


def test_each_correction_says_why() -> None:
    sweep = Sweep(shop_of(3))
    sweep.run()
    sweep.shop.channel.shown |= {"S0000": 50, "S0001": 4}
    sweep.run()
    found = {drift.sku: (drift.cause, drift.size, drift.corrected) for drift in sweep.log.drifts}
    assert found == {
        "S0000": (DriftCause.CHANGED_IN_SHOP, 45, True),
        "S0001": (DriftCause.SALE_ON_ITS_WAY, -1, False),
    }
    sweep.shop.later()
    sweep.run()
    assert sweep.shop.channel.shown["S0001"] == 5


def test_what_stock_does_not_know_is_counted_and_left_alone() -> None:
    shop = shop_of(2)
    shop.channel.shown["MYSTERY"] = 9
    assert Sweep(shop).run().counts["unknown"] == 1
    assert shop.channel.shown["MYSTERY"] == 9


def test_goes_on_where_it_stopped() -> None:
    sweep = Sweep(shop_of(450, shown=1))
    first = sweep.run(pages=2)
    assert (first.finished_at, first.counts["items"]) == (None, 200)
    second = sweep.run()
    assert (second.finished_at, second.counts["items"]) == (NOON, 450)
    assert sweep.shop.channel.writes == 450


@pytest.mark.parametrize("at", range(6))
def test_killed_anywhere_it_ends_the_same_without_a_second_write(at: int) -> None:
    sweep = Sweep(shop_of(250, shown=1))
    write, calls = sweep.shop.channel.write, count()

    def dies(*args: object, **kwargs: object) -> object:
        if next(calls) == at // 2:
            if at % 2:
                write(*args, **kwargs)  # type: ignore[arg-type]
            raise Retry("killed", "the worker is gone")
        return write(*args, **kwargs)  # type: ignore[arg-type]

    sweep.shop.channel.write = dies  # type: ignore[method-assign, assignment]
    for _ in range(3):
        try:
            sweep.run()
        except Retry:
            continue
    assert set(sweep.shop.channel.shown.values()) == {5}
    assert sweep.shop.channel.writes == 250
    assert not sweep.shop.bindings.calls


def test_two_runs_cannot_overlap() -> None:
    sweep = Sweep(shop_of(1))
    sweep.jobs.take(NAME, "another", now=NOON, until=NOON + timedelta(minutes=2))
    with pytest.raises(Conflict, match="taken"):
        sweep.run()
    sweep.shop.later(timedelta(minutes=3))
    assert sweep.run().finished_at


def test_a_run_that_lost_its_lease_writes_no_more() -> None:
    sweep = Sweep(shop_of(250))
    page = sweep.shop.channel.catalogue

    def slow(cursor: str | None) -> object:
        sweep.jobs.leases[NAME] = ("another", NOON + timedelta(hours=1))
        return page(cursor)

    sweep.shop.channel.catalogue = slow  # type: ignore[method-assign, assignment]
    with pytest.raises(Conflict):
        sweep.run()
    assert NAME not in sweep.jobs.jobs
