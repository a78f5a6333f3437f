"""The scheduled look at back offices: what changed becomes errands, levels and news; trouble stops no other."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from shared.backoffices.documents import CustomerCard
from shared.inventory.models import StockLine
from shared.kernel.errors import Retry
from shared.kernel.identifiers import CustomerKey
from shared.orders.errands import Office, Reason
from shared.platform import bus
from shared.platform.errand_queue import CustomerErrand, OrderErrand
from shared.platform.settings import parse_settings
from shared.sync.backoffice.mirror import Mirror, Stop
from shared.sync.customers.feed import FeedDesk
from shared.sync.customers.mirror import PersonMirror
from shared.wiring import backoffice_pull, customer_push
from tests.builders.books import KEY, Company, account, company, taxed
from tests.builders.customers import MARKER
from tests.builders.orders import NOON
from tests.builders.persons import EVE, SHOPS, TWIN, Persons
from tests.builders.stock import counted
from tests.fakes.sync import FakeJobs

OFFICE = {"vendor": "tryton", "address": "https://erp.example", "database": "x", "warehouses": {"main": "WH"}}
SHOP = {"platform": "woocommerce", "address": "shop.example", "locations": ["main"], "backoffice": "erp"}


class Surroundings:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, **office: Any) -> None:
        self.shop: Company = company(MUG=10)
        self.now = NOON
        self.jobs = FakeJobs()
        self.sent: list[str] = []
        self.persons = Persons()
        self.customers: list[str] = []
        self.settings = parse_settings(
            {
                "locations": {"main": {"name": "Main"}},
                "shops": {"aurora": SHOP},
                "backoffices": {"erp": {**OFFICE, **office}},
            }
        )
        replacements: dict[str, Any] = {
            "settings": lambda: self.settings,
            "office": lambda _name, _connected: self.shop.office,
            "job_table": lambda: self.jobs,
            "mirror_table": lambda: self.shop.mirrors,
            "stock_table": lambda: self.shop.room,
            "utc_now": self.clock,
            "send": self.send,
            "count": lambda *_, **__: None,
        }
        for name, replacement in replacements.items():
            monkeypatch.setattr(backoffice_pull, name, replacement)
        monkeypatch.setattr(customer_push, "feed_desk", self.feed_desk)
        monkeypatch.setattr(customer_push, "person_mirrors", lambda: self.persons.mirrors)
        monkeypatch.setattr(bus, "publish_customers", self.publish)

    def clock(self) -> Any:
        self.now += timedelta(milliseconds=1)
        return self.now

    def send(self, errands: Iterable[OrderErrand | CustomerErrand], office: Office) -> None:
        assert office is Office.BACKOFFICE
        for errand in errands:
            if isinstance(errand, CustomerErrand) or errand.reasons == (Reason.ASKED,):
                self.sent.append(str(errand.key))

    def feed_desk(self, name: str) -> FeedDesk:
        return FeedDesk(
            name=name,
            shops=frozenset(self.settings.shops),
            finder=self.persons.book,
            mirrors=self.persons.mirrors,
            marker=MARKER,
            country_of=lambda _shop: "DE",
        )

    def publish(self, changed: Iterable[Any]) -> None:
        self.customers += [one.customer for one in changed]

    def look(self, *, later: timedelta = timedelta(minutes=1)) -> str:
        self.now += later
        self.sent.clear()
        return backoffice_pull.look_at_all(lambda: True, run=f"run-{self.now}")["erp"]

    def stop(self, *, passing: bool) -> None:
        stop = Stop(code="x", message="x", since=NOON, attempts=1, passing=passing)
        order_id = f"70{passing:d}"
        self.shop.mirrors.save(Mirror(shop="aurora", order_id=order_id, backoffice="erp", stop=stop), None)
        leader = f"aurora/customer/70{passing:d}"
        self.persons.mirrors.save(PersonMirror(leader=leader, backoffice="erp", stop=stop), None)


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    return Surroundings(monkeypatch)


def test_sales_that_changed_there_are_looked_at(around: Surroundings) -> None:
    around.shop.take_in(account(taxed("MUG", 1, "12.50", "2.17")))
    around.shop.push()
    around.shop.office.send_off(str(KEY))
    assert around.look() == "done"
    assert around.sent == [str(KEY)]
    assert around.customers == ["aurora/customer/77"]


def test_sales_of_shops_that_we_do_not_know_are_left_alone(around: Surroundings) -> None:
    around.settings = around.settings.model_copy(update={"shops": {}})
    around.shop.take_in(account(taxed("MUG", 1, "12.50", "2.17")))
    around.shop.push()
    assert around.look() == "done"
    assert around.sent == []


def test_it_looks_as_often_as_it_is_told(around: Surroundings) -> None:
    assert around.look() == "done"
    assert around.look(later=timedelta(seconds=5)) == "fresh"
    assert around.look(later=timedelta(seconds=50)) == "done"


def test_what_waited_for_a_back_office_is_woken_once_when_it_answers_again(around: Surroundings) -> None:
    around.look()
    around.stop(passing=True)
    around.stop(passing=False)
    around.look()
    assert around.sent == []

    def down(_method: str, _when: str) -> None:
        raise Retry("backoffice_unreachable", "no answer")

    around.shop.office.interrupt = down
    assert around.look() == "backoffice_unreachable"
    around.shop.office.interrupt = lambda _method, _when: None
    assert around.look() == "done"
    assert around.sent == ["aurora/701", "aurora/customer/701"]
    around.look()
    assert around.sent == []


def test_stock_is_followed_where_the_back_office_owns_it(monkeypatch: pytest.MonkeyPatch) -> None:
    around = Surroundings(monkeypatch, owns_stock=["main"])
    monkeypatch.setattr(around.shop.room, "read_all", lambda: list(around.shop.room.lines.values()), raising=False)
    around.shop.office.add_product("MUG", 5)
    assert around.look() == "done"
    assert around.shop.room.lines["MUG", "main"].available == 15


def test_stock_that_is_ours_is_not_followed(around: Surroundings) -> None:
    around.shop.office.add_product("MUG", 5)
    around.look()
    assert around.shop.room.lines["MUG", "main"].available == 10


def test_the_daily_sweep_takes_every_sku_once_and_reads_the_table_once(monkeypatch: pytest.MonkeyPatch) -> None:
    around = Surroundings(monkeypatch, owns_stock=["main"])
    skus = [f"S{number:03}" for number in range(450)]
    for sku in skus:
        around.shop.room.set_level(counted(sku, 1))
        around.shop.office.add_product(sku, 2)
    around.shop.office._stock_changes.clear()
    reads = []

    def read_all() -> list[StockLine]:
        reads.append(1)
        return list(around.shop.room.lines.values())

    monkeypatch.setattr(around.shop.room, "read_all", read_all, raising=False)
    assert around.look() == "done"
    assert {around.shop.room.lines[sku, "main"].available for sku in skus} == {2}
    assert around.jobs.jobs["backoffice_stock_sweep/erp"].step == 3
    assert len(reads) == 1


def test_a_customer_whom_staff_edited_is_looked_at_and_our_own_echo_is_not(around: Surroundings) -> None:
    around.persons.register()
    around.persons.bring()
    around.shop.office.save_customer(around.persons.party())
    assert around.look() == "done"
    assert around.sent == []
    assert around.jobs.jobs["backoffice_customers/erp"].counts["echoes"] == 1
    around.shop.office.edit_customer(str(EVE), phone="+4930901821")
    around.look()
    assert around.sent == [str(EVE)]
    assert around.customers[-1] == str(EVE)


def test_an_edit_of_a_party_is_news_of_whom_the_person_goes_by(around: Surroundings) -> None:
    around.persons.register()
    around.persons.register(TWIN)
    around.persons.merge(EVE, TWIN)
    around.settings = around.settings.model_copy(
        update={"shops": dict.fromkeys(SHOPS, around.settings.shops["aurora"])}
    )
    around.shop.office.add_customer("Somebody of their own")
    for key in (TWIN, CustomerKey("unknown", "customer", "1"), CustomerKey("aurora", "customer", "unheard-of")):
        around.shop.office.save_customer(CustomerCard(key=str(key), name="Eve"))
    around.look()
    assert around.sent == [str(EVE)]
