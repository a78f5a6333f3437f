"""What bindings, jobs and the drift log promise: the fakes in memory, and DynamoDB's tables on a real engine."""

from datetime import timedelta

import pytest
from pynamodb.connection import Connection

from shared.dynamodb.table import Table
from shared.inventory.channels import ChannelItem, LevelWrite
from shared.inventory.ledger import Movement
from shared.inventory.models import Cause
from shared.inventory.table import MovementTable, StockTable
from shared.kernel.errors import Conflict
from shared.sync.jobs import Job, Jobs
from shared.sync.levels.bindings import Binding, Bindings, UnfinishedCall
from shared.sync.levels.sweep import Drift, DriftCause, DriftLog
from shared.sync.levels.table import BindingTable, DriftTable
from shared.sync.table import JobItem, JobTable
from tests.builders.orders import NOON
from tests.fakes.sync import FakeBindings, FakeDriftLog, FakeJobs

Rooms = tuple[Bindings, Jobs, DriftLog]


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def rooms(request: pytest.FixtureRequest) -> Rooms:
    if request.param == "fake":
        return FakeBindings(), FakeJobs(), FakeDriftLog()
    connection: Connection = request.getfixturevalue("connection")
    name = request.getfixturevalue("table_names")["sync"]
    return BindingTable(connection, name), JobTable(connection, name), DriftTable(connection, name)


def binding(sku: str, shop: str = "aurora", shown: int | None = 5) -> Binding:
    item = ChannelItem(sku=sku, item_id=f"9{len(sku)}", location_id="61", shown=shown)
    return Binding(shop=shop, item=item, written_at=NOON, raise_after=NOON)


def call(key: str, minute: int = 0, writes: int = 1) -> UnfinishedCall:
    items = tuple(LevelWrite(item=binding(f"S{n}").item, quantity=n, expected=None) for n in range(writes))
    return UnfinishedCall(shop="aurora", key=key, writes=items, started_at=NOON + timedelta(minutes=minute))


def test_bindings_are_found_by_shop_and_sku(rooms: Rooms) -> None:
    bindings, _, _ = rooms
    kept = [binding(f"S{number:03}") for number in range(120)]
    bindings.keep([*kept, binding("S001", shop="borealis")])
    assert list(bindings.of("aurora", [b.sku for b in kept] + ["NEW"])) == kept
    assert [b.shop for b in bindings.of("borealis", ["S001", "S002"])] == ["borealis"]
    bindings.keep([binding("S001", shown=None)])
    assert bindings.of("aurora", ["S001"])[0].item.shown is None


def test_unfinished_calls_are_found_oldest_first_until_they_are_finished(rooms: Rooms) -> None:
    bindings, _, _ = rooms
    second, first = call("b", 1, writes=250), call("a", 0)
    bindings.begin(second)
    bindings.begin(first)
    assert list(bindings.unfinished("aurora")) == [first, second]
    assert list(bindings.unfinished("borealis")) == []
    bindings.finish(first)
    assert list(bindings.unfinished("aurora")) == [second]


def test_a_lease_is_one_holders_until_it_ends(rooms: Rooms) -> None:
    _, jobs, _ = rooms
    jobs.take("sync", "a", now=NOON, until=NOON + timedelta(minutes=1))
    jobs.take("sync", "a", now=NOON, until=NOON + timedelta(minutes=2))
    with pytest.raises(Conflict, match="taken"):
        jobs.take("sync", "b", now=NOON + timedelta(minutes=1), until=NOON + timedelta(minutes=5))
    jobs.take("sync", "b", now=NOON + timedelta(minutes=2), until=NOON + timedelta(minutes=5))
    jobs.let_go("sync", "a")
    with pytest.raises(Conflict, match="taken"):
        jobs.take("sync", "a", now=NOON + timedelta(minutes=3), until=NOON + timedelta(minutes=5))
    jobs.let_go("sync", "b")
    jobs.take("sync", "a", now=NOON + timedelta(minutes=3), until=NOON + timedelta(minutes=5))


def test_only_the_holder_saves(rooms: Rooms) -> None:
    _, jobs, _ = rooms
    job = Job(name="sync", started_at=NOON, cursor="page-2", step=1, counts={"items": 3})
    with pytest.raises(Conflict, match="lease_lost"):
        jobs.save(job, "a")
    jobs.take("sync", "a", now=NOON, until=NOON + timedelta(minutes=1))
    assert jobs.find("sync") is None
    jobs.save(job, "a")
    assert jobs.find("sync") == job
    with pytest.raises(Conflict, match="lease_lost"):
        jobs.save(job, "b")


def test_a_job_that_is_handed_in_is_kept_and_free(rooms: Rooms) -> None:
    _, jobs, _ = rooms
    job = Job(name="sync", started_at=NOON, finished_at=NOON, step=1)
    until = NOON + timedelta(minutes=1)
    with pytest.raises(Conflict, match="lease_lost"):
        jobs.hand_in(job, "a")
    jobs.take("sync", "a", now=NOON, until=until)
    jobs.hand_in(job, "a")
    assert jobs.find("sync") == job
    jobs.take("sync", "b", now=NOON, until=until)
    with pytest.raises(Conflict, match="lease_lost"):
        jobs.hand_in(job, "a")


def test_a_lease_on_what_is_no_job_leaves_nothing_behind(connection: Connection, table_names: dict[str, str]) -> None:
    """Every order is leased while somebody works on it: an item for each would stay for ever."""
    jobs = JobTable(connection, table_names["sync"])
    job = Job(name="sync", started_at=NOON)
    until = NOON + timedelta(minutes=1)
    for name in ("order", "sync"):
        jobs.take(name, "a", now=NOON, until=until)
    jobs.save(job, "a")
    for name in ("order", "sync"):
        jobs.let_go(name, "b")
        jobs.let_go(name, "a")
    assert [raw["sk"]["S"] for raw in Table(connection, table_names["sync"], JobItem).query("job")] == ["sync"]
    assert jobs.find("sync") == job


def test_drift_is_read_newest_first(rooms: Rooms) -> None:
    _, _, log = rooms
    drifts = [
        Drift(
            shop="aurora",
            sku=f"S{minute}",
            shown=minute,
            wanted=0,
            cause=DriftCause.CHANGED_IN_SHOP,
            found_at=NOON + timedelta(minutes=minute),
            corrected=True,
        )
        for minute in range(3)
    ]
    log.add(drifts)
    assert list(log.of("aurora", 2)) == [drifts[2], drifts[1]]
    assert list(log.of("borealis")) == []


def test_movements_are_kept_once_in_their_sequence(connection: Connection, table_names: dict[str, str]) -> None:
    ledger = MovementTable(connection, table_names["movements"])
    movements = [
        Movement(
            sku="MUG",
            location=location,
            seq=seq,
            on_hand=1,
            reserved=0,
            on_hand_after=seq,
            reserved_after=0,
            cause=Cause(kind="count", reference="operator"),
            at=NOON,
        )
        for location in ("attic", "main")
        for seq in range(1, 31)
    ]
    ledger.add(reversed(movements))
    ledger.add(movements[:5])
    assert list(ledger.of("MUG")) == movements
    assert [movement.seq for movement in ledger.of("MUG", "main")] == list(range(1, 31))
    assert list(ledger.of("CAP")) == []


def test_bundles_are_kept_beside_the_stock_and_are_no_stock(
    connection: Connection, table_names: dict[str, str]
) -> None:
    stock = StockTable(connection, table_names["stock"], ("main",))
    stock.define_bundle("SET", {"MUG": 2, "CAP": 1})
    stock.define_bundle("PAIR", {"MUG": 2})
    assert stock.bundles() == {"SET": {"MUG": 2, "CAP": 1}, "PAIR": {"MUG": 2}}
    assert list(stock.read_all()) == []
    stock.define_bundle("PAIR", {})
    assert list(stock.bundles()) == ["SET"]
