"""What people ask for is opened once, for whom it is meant, and a person is told where nothing runs by itself."""

from datetime import timedelta
from typing import Any

import pytest

from shared.customers.readings import PrivacyCall, PrivacyTopic
from shared.customers.rules import PrivacyRules
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.intake import take_in
from shared.orders.lifecycle import ReviewState
from shared.orders.readings import CompleteOrder
from shared.sync.privacy.models import RequestKind, RequestState
from shared.sync.privacy.requests import answered, open_erasure, open_request, start
from tests.builders.customers import customer, kept, profile
from tests.builders.orders import NOON, line, order
from tests.fakes.order_desk import desk as order_desk
from tests.fakes.privacy import PrivacyHouse

EVE, EVI = CustomerKey("aurora", "customer", "17"), CustomerKey("aurora", "guest", "9f")


def call(topic: PrivacyTopic = PrivacyTopic.REDACT, **overrides: Any) -> PrivacyCall:
    fields: dict[str, Any] = {
        "customer_id": "17",
        "email": "eve@example.test",
        "phone": "030 901820",
        "orders": ("5001",),
    }
    return PrivacyCall(topic=topic, at=NOON, **(fields | overrides))


@pytest.fixture
def house() -> PrivacyHouse:
    return PrivacyHouse()


def test_a_redaction_is_opened_once_with_a_deadline_and_without_personal_data(house: PrivacyHouse) -> None:
    first = open_request("aurora", call(), house.desk())
    house.now += timedelta(hours=3)
    assert open_request("aurora", call(), house.desk()) == first
    assert (first.kind, first.shop, first.state) == (RequestKind.ERASURE, "aurora", RequestState.OPEN)
    assert first.due_at == NOON + timedelta(days=25)
    assert first.subjects.customers == (str(EVE),)
    assert first.subjects.orders == ("aurora/5001",)
    assert first.may_go_on(NOON)
    text = first.model_dump_json()
    assert "example.test" not in text
    assert "901820" not in text
    assert house.tasks.tasks == {}


def test_the_storefronts_own_number_tells_requests_apart(house: PrivacyHouse) -> None:
    requests = {
        open_request("aurora", call(PrivacyTopic.DATA_REQUEST, reference=number), house.desk()).id
        for number in ("1", "2", "1")
    }
    assert len(requests) == 2


def test_whoever_asks_again_another_day_is_heard_again(house: PrivacyHouse) -> None:
    again = PrivacyCall(topic=PrivacyTopic.REDACT, at=NOON + timedelta(days=300), customer_id="17")
    ids = {open_request("aurora", one, house.desk()).id for one in (call(), again)}
    assert len(ids) == 2


def test_another_shop_or_topic_is_another_request(house: PrivacyHouse) -> None:
    ids = {
        open_request(shop, call(topic), house.desk()).id
        for shop in ("aurora", "borealis")
        for topic in (PrivacyTopic.REDACT, PrivacyTopic.DATA_REQUEST, PrivacyTopic.SHOP_REDACT)
    }
    assert len(ids) == 6


def test_guests_of_the_same_address_are_meant_and_no_other_account(house: PrivacyHouse) -> None:
    for key in (EVE, EVI, CustomerKey("aurora", "customer", "18"), CustomerKey("borealis", "guest", "a1")):
        kept(house.customers, customer(str(key)))
    found = open_request("aurora", call(), house.desk()).subjects
    assert found.customers == (str(EVE), str(EVI))


def test_a_family_shares_a_telephone(house: PrivacyHouse) -> None:
    husband, nameless = CustomerKey("aurora", "guest", "01"), CustomerKey("aurora", "guest", "02")
    kept(house.customers, customer(str(husband), personal=profile(email="adam@example.test")))
    kept(house.customers, customer(str(nameless), personal=profile(email=None)))
    found = open_request("aurora", call(), house.desk()).subjects
    assert found.customers == (str(EVE), str(nameless))


def test_the_guest_of_a_named_order_is_meant(house: PrivacyHouse) -> None:
    house.customers.link_order(EVI, OrderKey("aurora", "5001"), NOON)
    found = open_request("aurora", call(customer_id=None, email=None, phone=None), house.desk()).subjects
    assert found.customers == (str(EVI),)


def test_a_data_request_is_a_persons_task_until_it_is_answered(house: PrivacyHouse) -> None:
    request = open_request("aurora", call(PrivacyTopic.DATA_REQUEST, reference="900"), house.desk())
    assert not request.may_go_on(NOON)
    [task] = house.tasks.all()
    assert (task.subject, task.due_at) == (request.id, request.due_at)
    assert request.id in task.advice
    with pytest.raises(Rejected, match="not_an_erasure"):
        start(request.id, by="mia", desk=house.desk())
    done = answered(request.id, by="mia", desk=house.desk())
    assert (done.state, done.closed_by, done.subjects.marks) == (RequestState.DONE, "mia", ())
    assert list(house.tasks.all()) == []
    with pytest.raises(Rejected, match="already_done"):
        answered(request.id, by="mia", desk=house.desk())
    assert open_request("aurora", call(PrivacyTopic.DATA_REQUEST, reference="900"), house.desk()) == done
    assert list(house.tasks.all()) == []


def test_an_erasure_waits_for_an_operator_where_the_rules_say_so() -> None:
    house = PrivacyHouse(rules=PrivacyRules(erase_at_once=False))
    request = open_request("aurora", call(), house.desk())
    assert not request.may_go_on(NOON)
    assert [task.subject for task in house.tasks.all()] == [request.id]
    with pytest.raises(Rejected, match="not_a_data_request"):
        answered(request.id, by="mia", desk=house.desk())
    started = start(request.id, by="mia", desk=house.desk())
    assert started.may_go_on(NOON)
    assert started.started_by == "mia"
    assert list(house.tasks.all()) == []


def test_a_whole_shop_is_never_erased_without_a_persons_word(house: PrivacyHouse) -> None:
    request = open_request("aurora", call(PrivacyTopic.SHOP_REDACT), house.desk())
    assert not request.may_go_on(NOON)
    assert [task.subject for task in house.tasks.all()] == [request.id]
    assert start(request.id, by="mia", desk=house.desk()).may_go_on(NOON)


def test_an_operator_means_the_whole_person_unless_told_otherwise(house: PrivacyHouse) -> None:
    eva = CustomerKey("borealis", "customer", "4")
    kept(house.customers, customer(str(EVE)))
    kept(house.customers, customer(str(eva)), leader=str(EVE))
    house.customers.following[EVE] = {eva}
    whole = open_erasure(eva, by="mia", desk=house.desk())
    assert (whole.subjects.customers, whole.shop) == ((str(EVE), str(eva)), None)
    alone = open_erasure(eva, by="mia", desk=house.desk(), only_this=True)
    assert (alone.subjects.customers, alone.shop) == ((str(eva),), "borealis")
    with pytest.raises(Rejected, match="unknown_customer"):
        open_erasure(EVI, by="mia", desk=house.desk())


def test_an_operator_means_the_guests_of_the_persons_addresses_too(house: PrivacyHouse) -> None:
    adam, guest_there = CustomerKey("aurora", "guest", "1"), CustomerKey("borealis", "guest", "7")
    for key in (EVE, EVI, guest_there):
        kept(house.customers, customer(str(key)))
    kept(house.customers, customer(str(adam), personal=profile(email="adam@example.test")))
    kept(house.customers, customer("borealis/customer/4"))
    found = open_erasure(EVE, by="mia", desk=house.desk()).subjects.customers
    assert found == tuple(sorted(map(str, (EVE, EVI, guest_there)))), "another account is for somebody to name"
    assert open_erasure(EVE, by="mia", desk=house.desk(), only_this=True).subjects.customers == (str(EVE),)


def test_accounts_that_the_shop_merged_into_one_are_meant_with_it(house: PrivacyHouse) -> None:
    gone, there, elsewhere = (CustomerKey.parse(f"{shop}/customer/{n}") for shop, n in _THREE)
    other = profile(email="other@example.test", phone=None)
    kept(house.customers, customer(str(EVE)))
    for key, deleted_at in ((gone, NOON), (there, None), (elsewhere, NOON)):
        kept(house.customers, customer(str(key), personal=other), leader=str(EVE), deleted_at=deleted_at)
    house.customers.following[EVE] = {gone, there, elsewhere}
    assert open_request("aurora", call(), house.desk()).subjects.customers == tuple(sorted((str(EVE), str(gone))))


_THREE = (("aurora", "3"), ("aurora", "4"), ("borealis", "5"))


def test_nobody_is_erased_by_an_operator_whose_goods_are_still_to_be_sent(house: PrivacyHouse) -> None:
    kept(house.customers, customer(str(EVE)))
    record = take_in("aurora", CompleteOrder(order(line())), order_desk()).record
    assert record is not None
    house.orders.records[record.key] = record
    house.customers.link_order(EVE, record.key, NOON)
    with pytest.raises(Rejected) as refused:
        open_erasure(EVE, by="mia", desk=house.desk())
    assert refused.value.code == "orders_open"
    assert "aurora/5001" in refused.value.message
    assert open_erasure(EVE, by="mia", desk=house.desk(), although_open=True).may_go_on(NOON)
    house.orders.records[record.key] = record.model_copy(update={"review": ReviewState.CANCELLED})
    assert open_erasure(EVE, by="mia", desk=house.desk()).subjects.customers == (str(EVE),)
