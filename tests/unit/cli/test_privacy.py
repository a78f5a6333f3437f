"""What people asked for, as facts; and a rehearsed erasure, which foretells the real one and takes nothing."""

import json
from datetime import timedelta
from typing import Any

import pytest

from infra.cli.privacy_facts import in_order, next_step, summary, whole, would_erase
from infra.cli.privacy_rehearsal import rehearse
from shared.backoffices.documents import CustomerCard
from shared.customers.commits import MergeCommit
from shared.customers.merges import Merge, Moved
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.models import PersonalData
from shared.sync.privacy.erase import work_on
from shared.sync.privacy.models import Asker, PrivacyRequest, RequestKind, RequestState, Subjects
from shared.sync.privacy.ports import PrivacyDesk, RequestDesk
from shared.sync.privacy.requests import open_erasure
from shared.webhooks.delivery import Delivery
from tests.builders.customers import customer, kept, profile, revised
from tests.builders.orders import NOON, order
from tests.fakes.privacy import PrivacyHouse
from tests.unit.cli.conftest import Run

EVE, EVA, ADAM = (CustomerKey.parse(key) for key in ("aurora/customer/17", "borealis/customer/4", "aurora/customer/18"))
NOBODY = "http://127.0.0.1:1"


@pytest.mark.parametrize("command", ["list", "show", "start", "answered", "export", "erase", "run", "verify-proofs"])
def test_each_command_has_an_example(run: Run, command: str) -> None:
    shown = " ".join(run("privacy", command, "--help").stdout.split())
    assert f"Example: storebridge privacy {command}" in shown


def test_a_key_that_is_none_needs_no_deployment_to_be_refused(run: Run) -> None:
    for words in (("erase", "aurora/17", "--yes"), ("export", "aurora/17", "--out", "x.json")):
        refusal = json.loads(run("privacy", *words, "--json", "--local", NOBODY).stderr)
        assert refusal["error"] == "invalid_customer_key"


# ---- facts ----


def request(**fields: Any) -> PrivacyRequest:
    stated: dict[str, Any] = {
        "id": "erasure-1",
        "kind": RequestKind.ERASURE,
        "shop": "aurora",
        "subjects": Subjects(customers=(str(EVE),), marks=("email/digest",)),
        "asked_by": Asker(by="storefront", name="aurora"),
        "asked_at": NOON,
        "due_at": NOON + timedelta(days=25),
        "started_by": "rule",
    }
    return PrivacyRequest(**(stated | fields))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "by itself"),
        ({"started_by": None}, "storebridge privacy start erasure-1"),
        ({"state": RequestState.FAILED, "failed_code": "odd"}, "(odd), then: storebridge privacy start erasure-1"),
        ({"state": RequestState.WATCHING, "resume_at": NOON}, "once more from 2026-"),
        ({"kind": RequestKind.DATA_REQUEST}, "storebridge privacy answered erasure-1"),
    ],
)
def test_each_request_says_what_brings_it_on(fields: dict[str, Any], told: str) -> None:
    assert told in (next_step(request(**fields)) or "")


def test_what_is_done_needs_nothing_and_is_never_overdue() -> None:
    done = request(state=RequestState.DONE)
    assert next_step(done) is None
    late = NOON + timedelta(days=26)
    assert (summary(done, late)["overdue"], summary(request(), late)["overdue"]) == (False, True)
    assert summary(request(), NOON)["overdue"] is False


def test_digests_that_a_person_is_found_by_are_not_shown() -> None:
    assert "email/digest" not in json.dumps(whole(request(), None, NOON))


def test_what_is_due_first_comes_first() -> None:
    later, sooner = request(id="a", due_at=NOON + timedelta(days=2)), request(id="b", due_at=NOON)
    assert [one.id for one in in_order([later, sooner])] == ["b", "a"]


# ---- a rehearsal ----


def delivery(topic: str, shop: str = "aurora", **body: Any) -> Delivery:
    return Delivery(shop, "shopify", topic, "2026-11-23T09:02:11.000000000Z", json.dumps(body).encode())


def inhabited() -> PrivacyHouse:
    """Eve with accounts at two shops and two orders, and Adam; each has a delivery everywhere."""
    house = PrivacyHouse()
    records = {}
    for key, email in ((EVE, "eve@example.test"), (EVA, "eve@example.test"), (ADAM, "adam@example.test")):
        records[key] = kept(house.customers, customer(str(key), personal=profile(email=email, phone=None)))
        house.office.save_customer(CustomerCard(key=str(key), name="Somebody", email=email))
        numbered = delivery("customers/update", key.shop, id=int(key.id), email=email)
        house.archive.kept[f"customers/{key.shop}-{key.id}"] = numbered
        house.archive.oversize[f"oversize/{key.shop}-{key.id}"] = numbered
        house.dead_letters.deliveries[f"m-{key}"] = numbered
    for key, number in ((EVE, "5001"), (EVE, "5002"), (ADAM, "5003")):
        buyer = PersonalData(customer_id=key.id, email="somebody@example.test")
        house.orders.write_account(order(order_id=number, personal=buyer))
        house.customers.link_order(key, OrderKey("aurora", number), NOON)
    merge = Merge(
        id="m1", leader=str(EVE), moved=(Moved(customer=str(EVA), from_leader=str(EVA)),), reasons=(), by="mia", at=NOON
    )
    led = revised(records[EVA], leader=str(EVE))
    house.customers.commit_merge(MergeCommit(merge, (revised(records[EVE]), led)))
    return house


def ask(desk: RequestDesk) -> PrivacyRequest:
    return open_erasure(EVE, by="mia", desk=desk)


def state_of(house: PrivacyHouse) -> tuple[Any, ...]:
    return (
        dict(house.book.requests),
        dict(house.customers.records),
        dict(house.customers.customers),
        house.customers.commits,
        dict(house.orders.accounts),
        dict(house.orders.forgotten),
        dict(house.archive.kept),
        dict(house.archive.oversize),
        dict(house.dead_letters.deliveries),
        [house.office.find_customer(str(key)) for key in (EVE, EVA, ADAM)],
        list(house.tasks.all()),
    )


def test_a_rehearsal_foretells_the_first_round_and_takes_nothing() -> None:
    house = inhabited()
    before = state_of(house)
    seen: list[str] = []
    rehearsed = rehearse(ask, house.desk(), lambda one: seen.append(one.place.stage.value))
    assert state_of(house) == before
    assert house.dead_letters.told_of == set()
    assert {"customers", "dead_letters", "back_office"} <= set(seen)
    foretold = would_erase(rehearsed)
    assert foretold["would_erase"] == {
        "archived_deliveries": 2,
        "back_office_customers": 2,
        "customers": 2,
        "dead_letters": 2,
        "orders": 2,
        "oversize_deliveries": 2,
    }

    opened = ask(house.desk())
    left = work_on(opened.id, house.desk(), house.worker())
    assert left is not None
    assert would_erase(left)["would_erase"] == foretold["would_erase"]
    assert left.state is RequestState.WATCHING


def test_a_rehearsal_of_one_customer_leaves_the_others_of_the_person() -> None:
    house = inhabited()

    def only_eva(desk: RequestDesk) -> PrivacyRequest:
        return open_erasure(EVA, by="mia", desk=desk, only_this=True)

    foretold = would_erase(rehearse(only_eva, house.desk(), lambda _: None))
    assert foretold["customers"] == [str(EVA)]
    assert foretold["would_erase"]["customers"] == 1
    assert [one["what"] for one in foretold["by_hand"]] == [str(EVE)]


def test_a_rehearsal_says_what_would_stop_the_erasure() -> None:
    house = inhabited()

    def refuse(*_: Any) -> Any:
        raise Rejected("archive_odd", "no")

    house.archive.strike_oversize = refuse  # type: ignore[assignment,method-assign]
    foretold = would_erase(rehearse(ask, house.desk(), lambda _: None))
    assert foretold["failed_code"] == "archive_odd"
    assert list(house.tasks.all()) == []


def test_who_may_not_be_erased_is_told_in_a_rehearsal_too() -> None:
    def nobody(desk: RequestDesk) -> PrivacyRequest:
        return open_erasure(CustomerKey("aurora", "customer", "99"), by="mia", desk=desk)

    desk: PrivacyDesk = inhabited().desk()
    with pytest.raises(Rejected) as refused:
        rehearse(nobody, desk, lambda _: None)
    assert refused.value.code == "unknown_customer"
