"""What a shop changed and never told us is found and queued, once, whatever interrupts the search."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.clock import as_sortable
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.storefronts.port import Change, ChangePage
from shared.sync.jobs import Job, Worker, work
from shared.sync.repair.missed import Compared, Search, compare, cursor_of, place_of
from shared.sync.repair.rules import RepairRules
from shared.sync.repair.silence import HOUR
from shared.sync.repair.watch import Watch, Window
from tests.builders.orders import NOON
from tests.fakes.sync import FakeJobs, FakeWatches

MINUTE = timedelta(minutes=1)
RULES = RepairRules()


class Side:
    """A shop's list, two to a page, and our records of it: taken in at once when they are queued."""

    def __init__(self) -> None:
        self.shop: dict[str, Change] = {}
        self.ours: dict[str, str] = {}
        self.queued: list[str] = []
        self.gone: set[str] = set()
        self.windows: list[Window] = []
        self.fails: list[bool] = []

    def sell(self, name: str, at: datetime, *, changed: datetime | None = None, known: bool = False) -> None:
        self.shop[name] = Change(name, changed or at, at)
        if known:
            self.ours[name] = as_sortable(changed or at)

    def changes(self, window: Window, cursor: str | None) -> ChangePage:
        if self.fails and self.fails.pop(0):
            raise Retry("storefront_failed", "down")
        self.windows.append(window)
        inside = [each for each in self.shop.values() if window.since <= each.changed_at <= window.until]
        listed = sorted(inside, key=lambda each: (each.changed_at, each.id))
        start = int(cursor or 0)
        more = start + 2 < len(listed)
        return ChangePage(tuple(listed[start : start + 2]), str(start + 2) if more else None)

    def known(self, ids: Iterable[str]) -> Mapping[str, str]:
        return {name: self.ours[name] for name in ids if name in self.ours}

    def queue(self, ids: Iterable[str]) -> frozenset[str]:
        found = frozenset(ids) - self.gone
        self.queued += sorted(found)
        self.ours |= {name: as_sortable(self.shop[name].changed_at) for name in found}
        return found


class House:
    def __init__(self) -> None:
        self.side, self.jobs, self.watches = Side(), FakeJobs(), FakeWatches()
        self.now = NOON
        self._runs = count(1)

    def run(self, *, pages: int = 1000) -> Job:
        search = Search("aurora", self.side, self.watches, RULES)
        left = iter(range(pages - 1))
        worker = Worker(
            jobs=self.jobs,
            holder=f"run-{next(self._runs)}",
            clock=lambda: self.now,
            lease=timedelta(minutes=10),
            has_time=lambda: next(left, None) is not None,
        )
        return work("order_repair/aurora", search.page, worker)

    def watch(self) -> Watch:
        found = self.watches.find("aurora")
        assert found is not None
        return found


def test_what_is_missing_and_what_is_newer_is_queued_and_counted_apart() -> None:
    house = House()
    house.side.sell("1", NOON - 30 * MINUTE, known=True)
    house.side.sell("2", NOON - 29 * MINUTE)
    house.side.sell("3", NOON - 28 * MINUTE, known=True)
    house.side.sell("3", NOON - 28 * MINUTE, changed=NOON - 20 * MINUTE)
    assert house.run().counts == {"listed": 3, "missing": 1, "newer": 1, "queued": 2, "same": 1}
    assert house.side.queued == ["2", "3"]
    house.now += 15 * MINUTE
    assert house.run().counts["queued"] == 0


def test_a_record_that_is_newer_than_the_list_is_left_alone() -> None:
    changes = [Change("1", NOON), Change("2", NOON), Change("3", NOON)]
    known = {"1": as_sortable(NOON + MINUTE), "2": as_sortable(NOON)}
    assert compare(changes, known) == Compared(missing=frozenset({"3"}), newer=frozenset(), same=2)


def test_each_look_reaches_back_into_the_one_before_and_never_to_the_last_minute() -> None:
    house = House()
    house.run()
    house.now += 15 * MINUTE
    house.run()
    first, second = house.side.windows
    assert first == Window(NOON - MINUTE - timedelta(hours=24), NOON - MINUTE)
    assert second == Window(NOON - 16 * MINUTE, NOON + 14 * MINUTE)


def test_what_changed_within_the_last_minute_waits_for_its_webhook() -> None:
    house = House()
    house.side.sell("1", NOON - timedelta(seconds=59))
    house.run()
    assert house.side.queued == []
    house.now += 15 * MINUTE
    house.run()
    assert house.side.queued == ["1"]


def test_a_search_goes_on_where_it_stopped_under_the_same_window() -> None:
    house = House()
    for number in range(7):
        house.side.sell(str(number), NOON - (30 - number) * MINUTE)
    assert house.run(pages=2).finished_at is None
    house.now += 45 * MINUTE
    job = house.run()
    assert job.finished_at
    assert len(set(house.side.windows)) == 1
    assert house.side.queued == [str(number) for number in range(7)]
    assert house.watch().listed_until == NOON - MINUTE


def test_a_shop_that_is_down_loses_nothing() -> None:
    house = House()
    house.run()
    for _ in range(10):
        house.now += 15 * MINUTE
        house.side.sell(str(house.now), house.now - 5 * MINUTE)
        house.side.fails = [True]
        with pytest.raises(Retry):
            house.run()
    house.now += 15 * MINUTE
    house.run()
    house.now += 15 * MINUTE
    house.run()
    assert len(house.side.queued) == len(set(house.side.queued)) == 10


def test_what_the_shop_no_longer_has_is_not_counted_as_missing() -> None:
    house = House()
    house.side.sell("1", NOON - 30 * MINUTE)
    house.side.gone = {"1"}
    assert (house.run().counts["missing"], house.side.queued) == (0, [])


def test_drafts_are_neither_orders_nor_missing() -> None:
    house = House()
    house.side.shop["1"] = Change("1", NOON - 30 * MINUTE, NOON - 30 * MINUTE, is_draft=True)
    assert house.run().counts["listed"] == 0
    assert house.watch().last_order_at is None


def test_an_order_that_two_pages_list_is_compared_once() -> None:
    house = House()
    at = NOON - 30 * MINUTE
    house.side.shop |= {name: Change("7", at + n * MINUTE, at) for n, name in enumerate(("7", "a", "b"))}
    job = house.run()
    assert (job.counts["listed"], job.counts["missing"]) == (1, 1)


def test_two_runs_do_not_search_one_shop_at_once() -> None:
    house = House()
    house.jobs.take("order_repair/aurora", "other", now=NOON, until=NOON + HOUR)
    with pytest.raises(Conflict, match="taken"):
        house.run()


def test_a_strange_cursor_is_refused() -> None:
    job = Job(name="x", started_at=NOON, cursor="42")
    with pytest.raises(Rejected, match="invalid_cursor"):
        place_of(job, Watch(shop="aurora"), RULES)


@given(st.text(min_size=1), st.integers(0, 10**6))
def test_a_cursor_brings_back_its_window(cursor: str, seconds: int) -> None:
    window = Window(NOON - timedelta(seconds=seconds), NOON)
    job = Job(name="x", started_at=NOON + HOUR, cursor=cursor_of(window, cursor))
    assert place_of(job, Watch(shop="aurora"), RULES) == (window, cursor)


# The rhythm


def test_each_order_is_counted_once_however_often_it_is_listed() -> None:
    """Orders every minute of a day, each changed again an hour later, a look every 15 minutes."""
    house = House()
    house.run()
    for minute in range(24 * 60):
        at = NOON + minute * MINUTE
        house.side.sell(str(minute), at, known=True)
        if minute >= 60:
            house.side.sell(str(minute - 60), at - HOUR, changed=at, known=True)
        if minute % 15 == 14:
            house.now = at + MINUTE
            house.run()
    rhythm = house.watch().rhythm
    assert rhythm is not None
    assert sum(rhythm.counts) == 24 * 60 - 16  # those of the overlap are the next look's
    assert set(rhythm.counts[24:47]) == {60}
    assert house.watch().last_order_at == NOON + (24 * 60 - 1) * MINUTE


def test_a_page_that_is_listed_again_after_a_crash_is_not_counted_again() -> None:
    house = House()
    house.run()
    for number in range(3):
        house.side.sell(str(number), NOON + number * MINUTE, known=True)
    house.now = NOON + HOUR
    house.run(pages=1)
    (job,) = house.jobs.jobs.values()
    counted = house.watch()
    assert counted.rhythm is not None
    assert sum(counted.rhythm.counts) == 2
    # The job was not saved, though the watch was: the step is done again.
    house.jobs.jobs["order_repair/aurora"] = job.model_copy(update={"cursor": None, "step": 0})
    house.run(pages=1)
    assert house.watch() == counted
    house.run()
    after = house.watch().rhythm
    assert after is not None
    assert sum(after.counts) == 3
