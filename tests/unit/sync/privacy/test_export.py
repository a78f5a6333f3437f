"""The export holds everything that is kept about the person, and nothing about anybody else."""

import json
from datetime import timedelta

import pytest

from shared.backoffices.documents import CustomerCard
from shared.customers.conflicts import EditConflict
from shared.customers.models import ProfileField
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.models import PersonalData
from shared.sync.privacy.export import PersonExport, export_person
from tests.builders.customers import customer, kept, profile
from tests.builders.orders import NOON, order
from tests.fakes.privacy import PrivacyHouse

EVE, EVA, ADAM = (
    CustomerKey.parse(text) for text in ("aurora/customer/17", "borealis/customer/4", "aurora/customer/18")
)


@pytest.fixture
def house() -> PrivacyHouse:
    made = PrivacyHouse()
    kept(made.customers, customer(str(EVE)))
    kept(made.customers, customer(str(EVA), personal=profile(first_name="Eva")), leader=str(EVE))
    kept(made.customers, customer(str(ADAM), personal=profile(email="adam@example.test")))
    made.customers.following[EVE] = {EVA}
    for key, number, minute in ((EVE, "5002", 1), (EVE, "5001", 2), (ADAM, "5003", 0)):
        buyer = PersonalData(email=f"{key.id}@buyers.test")
        made.orders.write_account(order(order_id=number, created_at=NOON + timedelta(minutes=minute), personal=buyer))
        made.customers.link_order(key, OrderKey("aurora", number), NOON)
        made.office.save_customer(CustomerCard(key=str(key), name=f"Number {key.id}"))
    made.customers.keep_conflict(
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
    return made


@pytest.mark.parametrize("asked", [EVE, EVA])
def test_whoever_of_the_person_is_asked_for_all_is_in_it(house: PrivacyHouse, asked: CustomerKey) -> None:
    export = export_person(asked, house.desk())
    assert export.person == str(EVE)
    eve, eva = export.customers
    assert eve.customer == house.customers.customers[EVE]
    assert [one.order_id for one in eve.orders] == ["5002", "5001"], "the oldest first"
    assert eve.orders[0].personal.email == "17@buyers.test"
    assert [conflict.lost for conflict in eve.conflicts] == ["Evelyn"]
    assert [known.customer.card.name for known in eve.back_offices] == ["Number 17"]
    assert eva.customer is not None
    assert eva.customer.personal.first_name == "Eva"
    assert "adam" not in export.model_dump_json()
    assert "Number 18" not in export.model_dump_json()


def test_it_is_the_same_document_every_time_and_can_be_read_back(house: PrivacyHouse) -> None:
    first, second = (export_person(EVE, house.desk()).model_dump_json() for _ in range(2))
    assert first == second
    assert json.loads(first)["schema_version"] == "storebridge.person/1"
    assert PersonExport.model_validate_json(first) == export_person(EVE, house.desk())


def test_nobody_is_exported_who_is_not_known(house: PrivacyHouse) -> None:
    with pytest.raises(Rejected, match="unknown_customer"):
        export_person(CustomerKey("aurora", "customer", "99"), house.desk())
