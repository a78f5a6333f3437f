"""Errands about customers: one person at a time, every back office of the person, trouble with one stops no other."""

from collections.abc import Iterable
from typing import Any

import pytest

from infra.fakes.backoffice import MemoryBackOffice
from shared.kernel.errors import Rejected, Retry
from shared.orders.errands import Office
from shared.platform.errand_queue import CustomerErrand
from shared.platform.settings import parse_settings
from shared.sync.backoffice.outage import Outages
from shared.wiring import customer_push
from tests.builders.customers import MARKER
from tests.builders.persons import EVE, TWIN, Persons

ERP = {"vendor": "tryton", "address": "https://erp.example", "database": "x"}


class Surroundings:
    """Two shops, each with a back office of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.persons = Persons()
        self.offices = {"erp": self.persons.office, "books": MemoryBackOffice(self.persons.tick)}
        self.sent: list[str] = []
        shop = {"platform": "woocommerce", "locations": ["main"], "country": "DE", "api_access": False}
        self.settings = parse_settings(
            {
                "locations": {"main": {"name": "Main"}},
                "shops": {
                    "aurora": {**shop, "address": "a.example", "backoffice": "erp"},
                    "borealis": {**shop, "address": "b.example", "backoffice": "books"},
                },
                "backoffices": {"erp": ERP, "books": ERP},
            }
        )
        replacements: dict[str, Any] = {
            "settings": lambda: self.settings,
            "office": lambda name, _connected: self.offices[name],
            "customer_table": lambda: self.persons.book,
            "person_mirrors": lambda: self.persons.mirrors,
            "marker": lambda: MARKER,
            "utc_now": self.persons.tick,
            "send": self.send,
            "_accounts": lambda _shop: None,
        }
        for name, replacement in replacements.items():
            monkeypatch.setattr(customer_push, name, replacement)

    def send(self, errands: Iterable[CustomerErrand], office: Office) -> None:
        assert office is Office.BACKOFFICE
        self.sent += [errand.leader for errand in errands]

    def bring(self, leader: str = str(EVE)) -> str:
        return customer_push.bring(CustomerErrand(leader=leader), Outages(lambda: 0.0))

    def down(self, name: str, error: Exception) -> None:
        def interrupt(_method: str, _when: str) -> None:
            raise error

        self.offices[name].interrupt = interrupt


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    surroundings = Surroundings(monkeypatch)
    surroundings.persons.register()
    surroundings.persons.register(TWIN)
    return surroundings


def test_a_person_is_one_party_in_the_back_office_of_the_shop(around: Surroundings) -> None:
    assert "backoffice/erp email" in around.bring()
    assert list(around.offices["erp"].customers()) == [str(EVE)]
    assert list(around.offices["books"].customers()) == []
    assert around.bring() == "nothing to do"


def test_a_person_at_shops_with_two_back_offices_is_one_party_in_each(around: Surroundings) -> None:
    around.persons.merge(EVE, TWIN)
    around.bring()
    assert [list(one.customers()) for one in around.offices.values()] == [[str(EVE)], [str(EVE)]]


def test_who_goes_by_another_is_looked_at_with_that_one(around: Surroundings) -> None:
    around.persons.merge(EVE, TWIN)
    around.bring(str(TWIN))
    assert around.sent == [str(EVE)]
    assert around.offices["books"].customers() == {}


def test_a_back_office_that_the_person_has_left_is_looked_at_too(around: Surroundings) -> None:
    merge = around.persons.merge(EVE, TWIN)
    around.bring()
    around.persons.part(merge)
    around.bring()
    assert around.offices["books"].customers()[str(EVE)].email is None
    assert around.offices["erp"].customers()[str(EVE)].email == "eve@example.test"


def test_trouble_with_one_back_office_stops_no_other_and_what_passes_is_tried_again(around: Surroundings) -> None:
    around.persons.merge(EVE, TWIN)
    around.down("erp", Rejected("backoffice_auth", "no"))
    with pytest.raises(Rejected):
        around.bring()
    assert list(around.offices["books"].customers()) == [str(EVE)]
    around.down("books", Retry("backoffice_unreachable", "no answer"))
    with pytest.raises(Retry):
        around.bring()


def test_nobody_is_looked_for_whom_we_do_not_know(around: Surroundings) -> None:
    assert around.bring("aurora/customer/99") == "nobody whom we know"
