"""What the stands of persons promise: the fake in memory, and the sync table on a real engine."""

import pytest

from shared.customers.maintenance import Base, SideBase
from shared.customers.models import ProfileField
from shared.kernel.errors import Conflict
from shared.kernel.identifiers import CustomerKey
from shared.sync.backoffice.mirror import Stop
from shared.sync.customers.mirror import PersonMirror, PersonMirrors
from shared.sync.customers.table import PersonMirrorTable
from tests.builders.orders import NOON, version
from tests.fakes.person_mirrors import FakePersonMirrors

KEY = CustomerKey("aurora", "customer", "17")
STOP = Stop(code="customer_refused", message="no", field="email", since=NOON, attempts=1, passing=False)


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def mirrors(request: pytest.FixtureRequest) -> PersonMirrors:
    if request.param == "fake":
        return FakePersonMirrors()
    return PersonMirrorTable(request.getfixturevalue("connection"), request.getfixturevalue("table_names")["sync"])


def mirror(key: CustomerKey = KEY, backoffice: str = "erp", **fields: object) -> PersonMirror:
    return PersonMirror.model_validate({"leader": str(key), "backoffice": backoffice, **fields})


def test_a_stand_is_kept_whole(mirrors: PersonMirrors) -> None:
    assert mirrors.find(KEY, "erp") is None
    side = SideBase(
        values={ProfileField.PHONE: "ab"}, in_step=(ProfileField.PHONE,), begun=(ProfileField.NAME, ProfileField.EMAIL)
    )
    base = Base(sides={str(KEY): side, "backoffice/erp": SideBase()}, taken={ProfileField.PHONE: str(KEY)})
    full = mirror(party_id="17", base=base, seen={str(KEY): version(3)}, looked_at=NOON, stop=STOP)
    saved = mirrors.save(full, None)
    assert saved.revision == 1
    assert mirrors.find(KEY, "erp") == saved
    assert mirrors.find(KEY, "other") is None


def test_nobody_overwrites_what_he_has_not_seen(mirrors: PersonMirrors) -> None:
    first = mirrors.save(mirror(), None)
    with pytest.raises(Conflict):
        mirrors.save(mirror(party_id="1", stop=STOP), None)
    second = mirrors.save(mirror(party_id="2"), first)
    with pytest.raises(Conflict):
        mirrors.save(mirror(party_id="1", stop=STOP), first)
    assert mirrors.find(KEY, "erp") == second
    assert list(mirrors.stopped("aurora")) == []


def test_the_error_desk_lists_who_stopped_until_it_goes_on(mirrors: PersonMirrors) -> None:
    twin = CustomerKey("borealis", "customer", "4")
    stopped = mirrors.save(mirror(stop=STOP), None)
    mirrors.save(mirror(twin, stop=STOP), None)
    assert list(mirrors.stopped("aurora")) == [stopped]
    mirrors.save(mirror(), stopped)
    assert list(mirrors.stopped("aurora")) == []


def test_a_person_may_stand_in_several_back_offices_and_is_forgotten_in_all(mirrors: PersonMirrors) -> None:
    one, two = mirrors.save(mirror(stop=STOP), None), mirrors.save(mirror(backoffice="books"), None)
    assert sorted(mirrors.of_person(KEY), key=lambda found: found.backoffice) == [two, one]
    assert mirrors.forget(KEY) == 2
    assert mirrors.forget(KEY) == 0
    assert list(mirrors.of_person(KEY)) == []
    assert list(mirrors.stopped("aurora")) == []
