"""An erasure takes everything of the person's and nothing else, wherever it is killed, and proves it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from infra.fakes.backoffice import MemoryBackOffice
from shared.backoffices.documents import CustomerCard
from shared.customers.commits import MergeCommit
from shared.customers.conflicts import EditConflict
from shared.customers.marks import MarkKind
from shared.customers.matching import Proposal, ProposalState
from shared.customers.merges import Merge, MergeReason, Moved
from shared.customers.models import MarketingConsent, ProfileField
from shared.customers.readings import PrivacyCall, PrivacyTopic
from shared.customers.record import CustomerFlag, Flag, ProfileDigest
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.intake import take_in
from shared.orders.models import PersonalData
from shared.orders.readings import CompleteOrder
from shared.sync.backoffice.mirror import Mirror, Stop, Told
from shared.sync.privacy.erase import work_on
from shared.sync.privacy.models import PrivacyRequest, RequestState, faults_in_chain
from shared.sync.privacy.requests import open_erasure, open_request, start
from shared.webhooks.delivery import Delivery
from tests.builders.customers import MARKER, customer, kept, profile, proven, revised
from tests.builders.orders import ADDRESS, NOON, order
from tests.fakes.order_desk import desk as order_desk
from tests.fakes.privacy import PrivacyHouse

EVE, EVA, EVI = (CustomerKey.parse(text) for text in ("aurora/customer/17", "borealis/customer/4", "aurora/guest/9f"))
ADAM = CustomerKey("aurora", "customer", "18")
EMAIL = MARKER.mark(MarkKind.EMAIL, "eve@example.test")
REDACTION = PrivacyCall(topic=PrivacyTopic.REDACT, at=NOON, customer_id="17", email="eve@example.test")
_BOUGHT_AGAIN = "customer aurora/customer/17: bought_again"
SHOP_REDACTION = PrivacyCall(topic=PrivacyTopic.SHOP_REDACT, at=NOON, customer_id=None)


def delivery(topic: str, shop: str = "aurora", **body: Any) -> Delivery:
    return Delivery(shop, "shopify", topic, "2026-11-23T09:02:11.000000000Z", json.dumps(body).encode())


def inhabited() -> PrivacyHouse:
    """Eve with an account, a guest's orders and an account at another shop; Adam, who shares her shop and nothing
    else."""
    house = PrivacyHouse()
    for key, email in ((EVE, "eve@example.test"), (EVA, "eve@example.test"), (ADAM, "adam@example.test")):
        account = customer(str(key), personal=profile(email=email, phone=None, billing=None, shipping=None))
        kept(
            house.customers,
            account,
            verification=proven(email),
            consents=(MarketingConsent(channel="email", state="subscribed"),),
            flags=(CustomerFlag(flag=Flag.ADDRESS_INCOMPLETE, detail="shipping: city"),),
            digest=ProfileDigest(values={ProfileField.EMAIL: "d"}),
            attention_since=NOON,
        )
        house.office.save_customer(CustomerCard(key=str(key), name="Somebody", email=email))
    for key, number in ((EVE, "5001"), (EVE, "5002"), (ADAM, "5003")):
        buyer = PersonalData(customer_id=key.id, email="somebody@example.test", shipping_address=ADDRESS)
        house.orders.write_account(order(order_id=number, personal=buyer, tags=("vip",)))
        house.customers.link_order(key, OrderKey("aurora", number), NOON)
        stop = Stop(
            code="x", message="Eve Shopper owes us money", hint="ask Eve", since=NOON, attempts=1, passing=False
        )
        house.mirrors.save(Mirror(shop="aurora", order_id=number, backoffice="erp", stop=stop), None)
        house.mirrors.save_told(Told(shop="aurora", order_id=number, stop=stop), None)
    house.customers.keep_conflict(
        EditConflict(
            leader=str(EVE),
            field=ProfileField.NAME,
            winner="backoffice/erp",
            loser=str(EVE),
            kept="Eve",
            lost="Evelyn",
            reason="newest",
            at=NOON,
        )
    )
    house.customers.keep_proposal(Proposal(id="p", customers=(str(EVE), str(ADAM)), reasons=(), found_at=NOON))
    house.persons.kept = {EVE, ADAM}
    house.archive.kept = {
        "orders/1": delivery("orders/create", id=5001),
        "orders/2": delivery("orders/create", id=5003, email="adam@example.test"),
        "orders/3": delivery("orders/create", id=5002),
        "orders/4": delivery("orders/create", id=7, email="eve@example.test"),
        "orders/5": delivery("orders/create", "borealis", id=5001, email="eve@example.test"),
        "customers/1": delivery("customers/update", id=17),
        "customers/2": delivery("customers/update", id=18),
    }
    house.archive.oversize = {"a": delivery("orders/create", id=5001), "b": delivery("orders/create", id=5003)}
    house.dead_letters.deliveries = {"a": delivery("orders/create", id=5001), "b": delivery("customers/update", id=18)}
    return house


def finish(house: PrivacyHouse, request: PrivacyRequest) -> PrivacyRequest:
    """Both rounds."""
    for _ in range(2):
        work_on(request.id, house.desk(), house.worker())
        house.now += timedelta(days=6)
    left = house.book.find(request.id)
    assert left is not None
    return left


def joined(house: PrivacyHouse, leader: CustomerKey, *members: CustomerKey) -> None:
    """As a merge leaves them."""
    records = [house.customers.records[key] for key in members]
    merge = Merge(
        id="m",
        leader=str(leader),
        moved=tuple(Moved(customer=str(key), from_leader=str(key)) for key in members),
        reasons=(MergeReason(kind="verified_email", weight=100),),
        by="rule",
        at=NOON,
    )
    lead = revised(house.customers.records[leader])
    house.customers.commit_merge(MergeCommit(merge, (lead, *(revised(one, leader=str(leader)) for one in records))))


def everything(house: PrivacyHouse) -> Any:
    """All that an erasure may change, but for revisions and times."""
    customers = {
        str(key): record.model_dump(exclude={"revision", "cause", "erased_at"}) | {"erased": bool(record.erased_at)}
        for key, record in house.customers.records.items()
    }
    return (
        customers,
        house.customers.customers,
        {mark: keys for mark, keys in house.customers.borne.items() if keys},
        house.customers.conflicts,
        house.orders.accounts,
        set(house.orders.forgotten),
        {key: mirror.stop for key, mirror in house.mirrors.mirrors.items()},
        {key: told.stop for key, told in house.mirrors.told.items()},
        house.persons.kept,
        house.archive.kept,
        house.archive.oversize,
        house.dead_letters.deliveries,
        [known.card for key in (EVE, EVA, ADAM) if (known := house.office.find_customer(str(key)))],
        {proposal.id: proposal.state for proposal in house.customers.kept_proposals.values()},
    )


# ---- what goes, and what stays ----


def test_a_redaction_takes_everything_of_the_customer_at_that_shop() -> None:
    house = inhabited()
    adam = house.customers.customers[ADAM]
    request = finish(house, open_request("aurora", REDACTION, house.desk()))
    assert request.state is RequestState.DONE

    record = house.customers.records[EVE]
    assert record.erased_at == NOON
    assert (record.consents, record.flags, record.attention_since, record.verification.mark) == ((), (), None, None)
    assert record.digest == ProfileDigest()
    assert house.customers.find_customer(EVE) is None
    assert EVE not in house.customers.bearers(EMAIL, most=9)
    assert list(house.customers.conflicts_of(EVE)) == []
    for number in ("5001", "5002"):
        account = house.orders.accounts[OrderKey("aurora", number)]
        assert (account.personal, account.tags) == (PersonalData(), ())
        assert house.orders.is_forgotten(account.key)
        for stand in (house.mirrors.mirrors[account.key], house.mirrors.told[account.key]):
            assert stand.stop is not None
            assert stand.stop.code == "x"
            assert "Eve" not in stand.stop.model_dump_json()
    assert set(house.archive.kept) == {"orders/2", "orders/5", "customers/2"}
    assert set(house.archive.oversize) == {"b"}
    assert set(house.dead_letters.deliveries) == {"b"}
    assert house.dead_letters.told_of == {str(EVE)}
    there = house.office.find_customer(str(EVE))
    assert there is not None
    assert (there.card.email, there.card.name) == (None, "Erased customer")
    assert house.customers.kept_proposals["p"].state is ProposalState.DISMISSED
    assert house.persons.kept == {ADAM}

    assert house.customers.customers[ADAM] == adam
    assert house.customers.records[ADAM].revision == 1
    assert house.orders.accounts[OrderKey("aurora", "5003")].tags == ("vip",)
    mirror = house.mirrors.mirrors[OrderKey("aurora", "5003")]
    assert mirror.stop is not None
    assert "Eve" in mirror.stop.message
    assert house.customers.records[EVA].erased_at is None, "the other shop's customer has asked for nothing"


def test_the_proof_has_counts_and_what_stays_and_no_data() -> None:
    house = inhabited()
    house.office.keeps = ("addresses of 2 posted invoices (bookkeeping law)",)
    request = finish(house, open_request("aurora", REDACTION, house.desk()))
    [proof] = house.book.proofs()
    assert request.proof == proof.number == 1
    assert proof.erased == {
        "archived_deliveries": 4,
        "back_office_customers": 1,
        "customers": 1,
        "dead_letters": 1,
        "orders": 2,
        "oversize_deliveries": 1,
    }
    assert "addresses of 2 posted invoices (bookkeeping law)" in [entry.what for entry in proof.kept]
    assert proof.not_done == ()
    assert (request.subjects.marks, request.parties) == ((), ())
    for text in (proof.model_dump_json(), request.model_dump_json()):
        assert "eve" not in text.lower()
        assert EMAIL.digest not in text


def test_an_operator_erases_the_whole_person() -> None:
    house = inhabited()
    joined(house, EVE, EVA)
    request = finish(house, open_erasure(EVA, by="mia", desk=house.desk()))
    assert request.state is RequestState.DONE
    for key in (EVE, EVA):
        record = house.customers.records[key]
        assert record.erased_at
        assert record.is_leader
        assert house.customers.members(key) == (key,)
    assert "orders/5" not in house.archive.kept
    assert house.customers.bearers(EMAIL, most=9) == ()
    assert not any(merge.stands for merge in house.customers.merges_of(EVE))


def test_a_member_that_is_erased_leaves_the_person() -> None:
    house = inhabited()
    joined(house, EVA, EVE)
    house.persons.kept = {EVA}
    finish(house, open_request("aurora", REDACTION, house.desk()))
    assert house.customers.records[EVE].leader == str(EVE)
    assert house.customers.members(EVA) == (EVA,)
    assert house.customers.find_customer(EVA) is not None
    assert house.customers.records[EVA].erased_at is None
    assert house.persons.kept == {EVA}
    there = house.office.find_customer(str(EVA))
    assert there is not None
    assert there.card.email == "eve@example.test"
    [proof] = house.book.proofs()
    assert [entry.what for entry in proof.not_done] == [f"customer {EVA}: shared_with_others_who_stay"]


def test_whoever_is_left_goes_by_the_one_known_longest_when_the_leader_is_erased() -> None:
    house = inhabited()
    kept(house.customers, customer(str(EVI), personal=profile(email="other@example.test", phone=None)))
    joined(house, EVE, EVA, EVI)
    finish(house, open_request("aurora", REDACTION, house.desk()))
    assert house.customers.members(EVE) == (EVE,)
    assert house.customers.members(EVA) == (EVA, EVI)
    assert {house.customers.records[key].leader for key in (EVA, EVI)} == {str(EVA)}
    [merge] = [merge for merge in house.customers.merges_of(EVA) if merge.stands]
    assert [(moved.customer, moved.from_leader) for moved in merge.moved] == [(str(EVI), str(EVI))]
    assert not any(merge.stands for merge in house.customers.merges_of(EVE))


def test_whoever_buys_again_keeps_the_new_order() -> None:
    house = inhabited()
    request = open_request("aurora", REDACTION, house.desk())
    later = order(order_id="5009", created_at=NOON + timedelta(minutes=5))
    house.orders.write_account(later)
    house.customers.link_order(EVE, later.key, NOON)
    finish(house, request)
    assert house.orders.accounts[later.key] == later
    named = open_request("aurora", PrivacyCall(PrivacyTopic.REDACT, house.now, None, orders=("5009",)), house.desk())
    finish(house, named)
    assert house.orders.is_forgotten(later.key)


@pytest.mark.parametrize(("is_sent", "email", "not_done"), [(True, None, []), (False, "eve@new.test", [_BOUGHT_AGAIN])])
def test_whoever_buys_again_keeps_the_address_in_the_back_office_until_the_goods_are_sent(
    is_sent: bool, email: str | None, not_done: list[str]
) -> None:
    house = inhabited()
    request = open_request("aurora", REDACTION, house.desk())
    work_on(request.id, house.desk(), house.worker())
    again = order(order_id="5009", created_at=NOON + timedelta(minutes=5), processed_at=NOON + timedelta(minutes=5))
    record = take_in("aurora", CompleteOrder(again), order_desk()).record
    assert record is not None
    house.orders.records[again.key] = record
    house.customers.link_order(EVE, again.key, NOON)
    house.office.save_customer(CustomerCard(key=str(EVE), name="Eve", email="eve@new.test"))
    if is_sent:
        lines = tuple(line.model_copy(update={"open": 0}) for line in record.lines)
        house.orders.records[again.key] = record.model_copy(update={"lines": lines})
    finish(house, request)
    there = house.office.find_customer(str(EVE))
    assert there is not None
    assert there.card.email == email
    [proof] = house.book.proofs()
    assert [entry.what for entry in proof.not_done] == not_done
    assert bool(list(house.tasks.all())) is bool(not_done), "a person erases it there"


def test_an_order_that_is_not_known_yet_is_forgotten_beforehand() -> None:
    house = PrivacyHouse()
    finish(house, open_request("aurora", PrivacyCall(PrivacyTopic.REDACT, NOON, "99", orders=("8001",)), house.desk()))
    house.orders.write_account(order(order_id="8001"))
    assert house.orders.accounts[OrderKey("aurora", "8001")].personal == PersonalData()


def test_the_shop_that_leaves_takes_all_its_customers_along() -> None:
    house = inhabited()
    house.steps = 0  # each run has time for one step
    slow = house.desk(has_time=lambda: False)
    request = start(open_request("aurora", SHOP_REDACTION, slow).id, by="mia", desk=slow)
    runs = 0
    while not house.book.done:
        left = work_on(request.id, slow, house.worker())
        house.now += timedelta(days=6) if left and left.state is RequestState.WATCHING else timedelta()
        runs += 1
    assert runs > 20
    assert [key for key, record in house.customers.records.items() if record.erased_at is None] == [EVA]
    assert set(house.customers.customers) == {EVA}
    assert len(house.orders.forgotten) == 3
    assert set(house.archive.kept) == {"orders/5"}
    for key in (EVE, ADAM):
        there = house.office.find_customer(str(key))
        assert there is not None
        assert there.card.email is None
    [proof] = house.book.proofs()
    assert proof.erased["customers"] == 2
    assert proof.erased["orders"] == 3


# ---- time, trouble and crashes ----


def test_what_was_under_way_is_caught_by_the_second_round() -> None:
    house = inhabited()
    request = open_request("aurora", REDACTION, house.desk())
    first = work_on(request.id, house.desk(), house.worker())
    assert first is not None
    assert (first.state, first.resume_at) == (RequestState.WATCHING, NOON + timedelta(days=5))
    assert work_on(request.id, house.desk(), house.worker()) == first
    house.archive.kept["orders/6"] = delivery("orders/updated", id=5001)
    house.now += timedelta(days=5)
    last = work_on(request.id, house.desk(), house.worker())
    assert last is not None
    assert last.state is RequestState.DONE
    assert "orders/6" not in house.archive.kept


def test_the_archive_is_searched_from_the_day_before_the_person_was_known() -> None:
    house = inhabited()
    finish(house, open_request("aurora", REDACTION, house.desk()))
    registered = house.customers.records[EVE].registered_at
    assert registered is not None
    assert set(house.archive.looked_since) == {registered - timedelta(days=1)}


def test_a_deadline_that_is_near_shortens_the_wait() -> None:
    house = inhabited()
    request = open_request("aurora", REDACTION, house.desk())
    house.now = request.due_at - timedelta(days=2)
    left = work_on(request.id, house.desk(), house.worker())
    assert left is not None
    assert left.resume_at == request.due_at - timedelta(days=1)
    assert not left.is_overdue(house.now)
    assert left.is_overdue(request.due_at + timedelta(seconds=1))


def test_a_back_office_that_refuses_stops_nothing_else_and_calls_a_person() -> None:
    house = inhabited()

    def refuse(method: str, when: str) -> None:
        if method == "forget_customer":
            raise Rejected("backoffice_auth", "Eve Shopper may not be changed")

    house.office.interrupt = refuse
    request = finish(house, open_request("aurora", REDACTION, house.desk()))
    assert request.state is RequestState.DONE
    [proof] = house.book.proofs()
    assert [(entry.where, entry.what) for entry in proof.not_done] == [("erp", f"customer {EVE}: backoffice_auth")]
    assert [task.subject for task in house.tasks.all()] == [request.id]


def test_a_back_office_that_cannot_forget_is_asked_whether_there_is_anybody_to_forget() -> None:
    house = inhabited()
    house.office = MemoryBackOffice(house.clock, capabilities={"forgets_customers": False})
    house.office.save_customer(CustomerCard(key=str(EVE), name="Eve"))
    finish(house, open_request("aurora", REDACTION, house.desk()))
    finish(house, open_request("aurora", PrivacyCall(PrivacyTopic.REDACT, house.now, "99"), house.desk()))
    first, second = house.book.proofs()
    assert [entry.what for entry in first.not_done] == [f"customer {EVE}: cannot_forget"]
    assert second.not_done == ()


def test_what_cannot_be_read_is_in_the_proof() -> None:
    house = inhabited()
    house.archive.kept["orders/9"] = Delivery("aurora", "shopify", "orders/create", "2026", b"{")
    request = finish(house, open_request("aurora", REDACTION, house.desk()))
    [proof] = house.book.proofs()
    assert [entry.where for entry in proof.not_done] == ["orders/9"]
    assert [task.subject for task in house.tasks.all()] == [request.id]


def test_what_does_not_mend_itself_is_a_persons_task_until_it_is_started_again() -> None:
    house = inhabited()

    def broken(_shop: str) -> Any:
        raise Rejected("invalid_settings", "no such database")

    request = open_request("aurora", REDACTION, house.desk())
    failed = work_on(request.id, house.desk(offices=broken), house.worker())
    assert failed is not None
    assert (failed.state, failed.failed_code) == (RequestState.FAILED, "invalid_settings")
    assert [task.subject for task in house.tasks.all()] == [request.id]
    assert work_on(request.id, house.desk(), house.worker()) == failed
    start(request.id, by="mia", desk=house.desk())
    assert finish(house, request).state is RequestState.DONE
    assert list(house.tasks.all()) == []


class Killed(Exception):
    """The worker is gone."""


_PORTS = ("requests", "customers", "orders", "mirrors", "persons", "archive", "dead_letters", "tasks")


class Mortal:
    """A port whose calls may be a worker's last, before they take effect or after."""

    def __init__(self, port: Any, tick: Callable[[], None]) -> None:
        self._port = port
        self._tick = tick

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def called(*args: Any, **named: Any) -> Any:
            self._tick()
            answer = found(*args, **named)
            self._tick()
            return answer

        return called


def _lives(call: PrivacyCall, merged: bool) -> Callable[[int | None], tuple[PrivacyHouse, int]]:
    def live(dies_at: int | None) -> tuple[PrivacyHouse, int]:
        house = inhabited()
        if merged:
            kept(house.customers, customer(str(EVI), personal=profile(email="other@example.test", phone=None)))
            joined(house, EVE, EVA, EVI)
        request = start(open_request("aurora", call, house.desk()).id, by="mia", desk=house.desk())
        ticks = 0

        def tick() -> None:
            nonlocal ticks
            ticks += 1
            if ticks == dies_at:
                raise Killed

        ports = {name: Mortal(getattr(house.desk(), name), tick) for name in _PORTS}
        mortal = house.desk(**ports, offices=lambda _: {"erp": Mortal(house.office, tick)})
        for _ in range(4):
            try:
                left = work_on(request.id, mortal, house.worker())
            except Killed:
                house.now += timedelta(hours=1)
                continue
            assert left is not None
            if left.state is RequestState.DONE:
                break
            house.now += timedelta(days=6)
        assert house.book.done, f"not done after dying at {dies_at}"
        assert len(list(house.book.proofs())) == 1
        return house, ticks

    return live


@pytest.mark.parametrize(
    ("call", "merged"),
    [(REDACTION, False), (REDACTION, True), (SHOP_REDACTION, True)],
    ids=["customer", "leader", "shop"],
)
def test_killed_at_any_call_it_comes_to_the_same_end(call: PrivacyCall, merged: bool) -> None:
    live = _lives(call, merged)
    whole, calls = live(None)
    assert calls > 100
    for moment in range(1, calls + 1):
        house, _ = live(moment)
        assert everything(house) == everything(whole), f"killed at call {moment}"


def test_out_of_reach_it_goes_on_later_where_it_stood() -> None:
    house = inhabited()
    request = open_request("aurora", REDACTION, house.desk())
    broken = [True]

    def out(method: str, when: str) -> None:
        if method == "forget_customer" and when == "before" and broken:
            broken.pop()
            raise Retry("backoffice_unreachable", "it is night there")

    house.office.interrupt = out
    with pytest.raises(Retry):
        work_on(request.id, house.desk(), house.worker())
    stands = house.book.find(request.id)
    assert stands is not None
    assert stands.place.stage == "back_office"
    assert finish(house, request).state is RequestState.DONE


# ---- the chain of proofs ----


def chain(length: int = 3) -> PrivacyHouse:
    house = PrivacyHouse()
    for number in range(length):
        finish(house, open_request("aurora", PrivacyCall(PrivacyTopic.REDACT, house.now, str(number)), house.desk()))
    return house


def test_the_chain_of_proofs_holds() -> None:
    house = chain()
    assert [proof.number for proof in house.book.proofs()] == [1, 2, 3]
    assert faults_in_chain(house.book.proofs(), house.book.closed()) == ()


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_proof_that_was_removed_is_noticed(gone: int) -> None:
    house = chain()
    del house.book.kept_proofs[gone]
    assert f"proof {gone} is missing" in faults_in_chain(house.book.proofs(), house.book.closed())


def test_a_proof_that_was_changed_or_replaced_is_noticed() -> None:
    house = chain()
    changed = house.book.kept_proofs[2].model_copy(update={"erased": {"customers": 5}})
    house.book.kept_proofs[2] = changed
    assert faults_in_chain(house.book.proofs(), house.book.closed()) == ("proof 2 was changed",)
    house.book.kept_proofs[2] = changed.sealed()
    assert faults_in_chain(house.book.proofs(), house.book.closed()) == ("proof 3 does not follow the one before it",)
