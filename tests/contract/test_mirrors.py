"""What the stands of orders promise: the fake in memory, and the sync table on a real engine."""

import pytest

from shared.kernel.errors import Conflict
from shared.kernel.identifiers import OrderKey
from shared.orders.dispatch import Dispatch
from shared.orders.errands import Office
from shared.orders.models import FulfilmentLine, Parcel
from shared.sync.backoffice.mirror import Mirror, Mirrors, Stop, Told
from shared.sync.backoffice.table import MirrorTable
from tests.builders.orders import NOON
from tests.fakes.mirrors import FakeMirrors

KEY = OrderKey("aurora", "5001")
STOP = Stop(code="unmapped_tax", message="no tax", hint="name it", since=NOON, attempts=2, passing=False)


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def mirrors(request: pytest.FixtureRequest) -> Mirrors:
    if request.param == "fake":
        return FakeMirrors()
    return MirrorTable(request.getfixturevalue("connection"), request.getfixturevalue("table_names")["sync"])


def mirror(order_id: str = "5001", **fields: object) -> Mirror:
    return Mirror.model_validate({"shop": "aurora", "order_id": order_id, "backoffice": "erp", **fields})


def test_a_stand_is_kept_whole(mirrors: Mirrors) -> None:
    assert mirrors.find(KEY) is None
    dispatch = Dispatch(
        key="erp/1",
        lines=(FulfilmentLine(line_id="1", quantity=2),),
        parcels=(Parcel(carrier="DHL", number="JD1", url=None),),
        left_at=NOON,
    )
    full = mirror(
        pushed=3,
        sale_id="17",
        sale_number="SO-17",
        state="confirmed",
        warehouse="WH",
        documents={"aurora/5001/refund/1": "9"},
        dispatches=(dispatch,),
        promised={"main": {"MUG": 2}},
        looked_at=NOON,
    )
    saved = mirrors.save(full, None)
    assert saved.revision == 1
    assert mirrors.find(KEY) == saved


def test_nobody_overwrites_what_he_has_not_seen(mirrors: Mirrors) -> None:
    first = mirrors.save(mirror(), None)
    with pytest.raises(Conflict):
        mirrors.save(mirror(pushed=1), None)
    second = mirrors.save(mirror(pushed=2), first)
    with pytest.raises(Conflict):
        mirrors.save(mirror(pushed=1), first)
    assert mirrors.find(KEY) == second


def test_a_conflict_leaves_promises_and_stops_alone(mirrors: Mirrors) -> None:
    first = mirrors.save(mirror(promised={"main": {"MUG": 2}}), None)
    mirrors.save(mirror(promised={"main": {"MUG": 2}}), first)
    with pytest.raises(Conflict):
        mirrors.save(mirror(promised={"main": {"MUG": 9}}, stop=STOP), first)
    assert mirrors.promised("erp", "main", ["MUG"]) == {"MUG": 2}
    assert list(mirrors.stopped("aurora")) == []


def test_the_error_desk_lists_what_stopped_until_it_goes_on(mirrors: Mirrors) -> None:
    stopped = mirrors.save(mirror(stop=STOP), None)
    mirrors.save(mirror("5002"), None)
    told = mirrors.save_told(Told(shop="aurora", order_id="5002", stop=STOP), None)
    desk = {(one.order_id, one.office): one.stop for one in mirrors.stopped("aurora")}
    assert desk == {("5001", Office.BACKOFFICE): STOP, ("5002", Office.STOREFRONT): STOP}
    assert list(mirrors.stopped("borealis")) == []
    mirrors.save(mirror(pushed=1), stopped)
    mirrors.save_told(told.model_copy(update={"stop": None, "completed": True}), told)
    assert list(mirrors.stopped("aurora")) == []


def test_promises_are_summed_over_orders(mirrors: Mirrors) -> None:
    first = mirrors.save(mirror(promised={"main": {"MUG": 2, "CAP": 1}}), None)
    mirrors.save(mirror("5002", promised={"main": {"MUG": 3}, "east": {"MUG": 1}}), None)
    assert mirrors.promised("erp", "main", ["MUG", "LAMP"]) == {"MUG": 5}
    assert mirrors.promised("erp", "east", ["MUG"]) == {"MUG": 1}
    mirrors.save(mirror(promised={"main": {"MUG": 1}}), first)
    assert mirrors.promised("erp", "main", ["MUG", "CAP"]) == {"MUG": 4, "CAP": 0}
    assert mirrors.promised("other", "main", ["MUG"]) == {}


def test_what_was_told_is_kept_apart(mirrors: Mirrors) -> None:
    mirrors.save(mirror(), None)
    told = mirrors.save_told(Told(shop="aurora", order_id="5001", known={"erp/1": "9"}, digest="abc"), None)
    assert mirrors.find_told(KEY) == told
    with pytest.raises(Conflict):
        mirrors.save_told(Told(shop="aurora", order_id="5001"), None)
