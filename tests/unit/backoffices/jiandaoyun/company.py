"""A fake company for the unit tests, and a client of it. Its clock stands still unless somebody waits."""

from datetime import UTC, datetime, timedelta

import httpx

from infra.fakes.jiandaoyun import FakeForm, FakeJiandaoyun
from shared.backoffices.documents import CustomerCard, Rounding, SaleLine, SalesOrder
from shared.backoffices.jiandaoyun.backoffice import JiandaoyunBackOffice
from shared.backoffices.jiandaoyun.client import ADDRESS
from shared.backoffices.jiandaoyun.pace import Pace
from shared.backoffices.jiandaoyun.settings import JiandaoyunMapping
from shared.kernel.money import Money
from tests.contract.backoffices.jiandaoyun_world import APP, MAPPING, credentials, entry, example_company

START = datetime(2026, 11, 23, 9, 2, 9, tzinfo=UTC)
KEY = "aurora/5001"


class Hours:
    def __init__(self) -> None:
        self.time = START
        self.waited: list[float] = []

    def now(self) -> datetime:
        return self.time

    def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.time += timedelta(seconds=seconds)


class Company:
    def __init__(self, mapping: JiandaoyunMapping = MAPPING) -> None:
        self.hours = Hours()
        self.fake = FakeJiandaoyun(self.hours.now)
        example_company(self.fake)
        http = httpx.Client(transport=httpx.MockTransport(self.fake.answer))
        pace = Pace(self.hours.now, self.hours.pause)
        self.office = JiandaoyunBackOffice(ADDRESS, mapping, credentials, http, self.hours.now, pace)

    def form(self, number: int) -> FakeForm:
        return self.fake.forms[APP, entry(number)]


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


def line(key: str, sku: str, quantity: int, amount: str) -> SaleLine:
    return SaleLine(key=key, sku=sku, title=sku.title(), quantity=quantity, amount=eur(amount))


def order(*lines: SaleLine, total: str) -> SalesOrder:
    return SalesOrder(
        key=KEY,
        name="#1001",
        placed_on=START.date(),
        customer=CustomerCard(key="aurora/buyer", name="Ada Lovelace"),
        customer_id="000000000000000000000001",
        currency="EUR",
        warehouse="上海仓",
        lines=lines,
        total=eur(total),
        rounding=Rounding(sku="ROUNDING", limit=eur("0.05")),
    )
