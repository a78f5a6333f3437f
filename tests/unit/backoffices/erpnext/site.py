"""A fake site for the unit tests, and a client of it."""

from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from infra.fakes.erpnext import FakeErpNext
from shared.backoffices.documents import CustomerCard, Rounding, SaleLine, SalesOrder
from shared.backoffices.erpnext.backoffice import ErpNextBackOffice
from shared.kernel.money import Money
from tests.contract.backoffices.erpnext_world import COMPANY, example_site

NOW = datetime(2026, 11, 23, 9, 2, 9, 120000, tzinfo=UTC)
KEY = "aurora/5001"


def credentials(*, fresh: bool = False) -> Mapping[str, str]:
    return {"api_key": "key", "api_secret": "secret"}


def site(*, custom_fields: tuple[str, ...] = ("Stock Reconciliation", "Sales Order Item")) -> FakeErpNext:
    fake = FakeErpNext(lambda: NOW, custom_fields=custom_fields)
    example_site(fake)
    return fake


def office(fake: FakeErpNext) -> ErpNextBackOffice:
    http = httpx.Client(transport=httpx.MockTransport(fake.answer))
    return ErpNextBackOffice("erp.example.test", COMPANY, credentials, http)


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


def line(key: str, sku: str, quantity: int, amount: str, *taxes: str) -> SaleLine:
    return SaleLine(key=key, sku=sku, title=sku.title(), quantity=quantity, amount=eur(amount), taxes=taxes)


def order(customer: str, *lines: SaleLine, total: str) -> SalesOrder:
    return SalesOrder(
        key=KEY,
        name="#1001",
        placed_on=NOW.date(),
        customer=CustomerCard(key="aurora/buyer", name="Ada Lovelace"),
        customer_id=customer,
        currency="EUR",
        warehouse="Stores - EX",
        lines=lines,
        total=eur(total),
        rounding=Rounding(sku="ROUNDING", limit=eur("0.05")),
    )
