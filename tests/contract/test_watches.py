"""What is remembered of shops: the fake in memory, and DynamoDB's table on a real engine."""

from datetime import timedelta

import pytest
from pynamodb.connection import Connection

from shared.kernel.errors import Conflict
from shared.sync.repair.silence import Rhythm
from shared.sync.repair.table import WatchTable
from shared.sync.repair.watch import Watch, Watches
from tests.builders.orders import NOON
from tests.fakes.sync import FakeWatches


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def watches(request: pytest.FixtureRequest) -> Watches:
    if request.param == "fake":
        return FakeWatches()
    connection: Connection = request.getfixturevalue("connection")
    return WatchTable(connection, request.getfixturevalue("table_names")["sync"])


def test_a_watch_comes_back_as_it_was_kept(watches: Watches) -> None:
    assert watches.find("aurora") is None
    watch = Watch(
        shop="aurora",
        listed_until=NOON,
        taken_in="2026-11-23T12:00:00.000000000Z#0",
        counted_until=NOON - timedelta(minutes=15),
        rhythm=Rhythm(begins=NOON - timedelta(hours=3), counts=(1, 0, 2)),
        last_order_at=NOON - timedelta(microseconds=1),
        silent_since=NOON,
    )
    kept = watches.keep(watch)
    assert kept == watch.model_copy(update={"revision": 1})
    assert watches.find("aurora") == kept
    assert watches.find("borealis") is None


def test_only_one_of_two_keeps_its_change(watches: Watches) -> None:
    first = watches.keep(Watch(shop="aurora"))
    with pytest.raises(Conflict):
        watches.keep(Watch(shop="aurora"))
    second = watches.keep(first.model_copy(update={"listed_until": NOON}))
    with pytest.raises(Conflict):
        watches.keep(first)
    assert watches.find("aurora") == second


def test_seven_busy_weeks_fit_into_some_kilobytes(watches: Watches) -> None:
    counts = tuple(100 + number % 900 for number in range(7 * 168 + 3))
    watch = watches.keep(Watch(shop="aurora", rhythm=Rhythm(begins=NOON, counts=counts)))
    assert watches.find("aurora") == watch
    assert len(watch.model_dump_json()) < 6_000
