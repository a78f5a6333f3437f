"""The Odoo that is not there without a network between, and a client of it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import httpx

from infra.fakes.odoo import DATABASE, OUR_KEY, WAREHOUSE, FakeOdoo
from shared.backoffices.documents import Address, CustomerCard, Rounding, SaleLine, SalesOrder
from shared.backoffices.odoo.backoffice import OdooBackOffice, TransportName
from shared.kernel.money import Money

NOW = datetime(2026, 11, 23, 9, 2, 9, 120000, tzinfo=UTC)
KEY = "aurora/5001"
BUYER = CustomerCard(
    key="aurora/buyer",
    name="Ada Lovelace",
    email="ada@example.test",
    shipping=Address(street=("Keizersgracht 1",), postal_code="1015 AA", city="Amsterdam", country="NL"),
)


def credentials(*, fresh: bool = False) -> Mapping[str, str]:
    return {"api_key": OUR_KEY, "user": "storebridge"}


def odoo(*, generation: int = 19) -> FakeOdoo:
    return FakeOdoo(lambda: NOW, generation=generation)


def office(fake: FakeOdoo, transport: TransportName = "json2") -> OdooBackOffice:
    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content or b"{}", parse_float=Decimal)
        told = fake.answer(request.url.path, dict(request.headers), body)
        return httpx.Response(told.status, content=told.body, headers=dict(told.headers))

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return OdooBackOffice("odoo.example.test", DATABASE, credentials, http, transport=transport)


def put_on_shelf(fake: FakeOdoo, sku: str, units: int) -> None:
    (product,) = fake.store.search("product.product", [["default_code", "=", sku]])
    warehouse = next(iter(fake.store.records["stock.warehouse"].values()))
    quant = fake.trade.quant(product["id"], warehouse["lot_stock_id"])
    quant["inventory_quantity"] = Decimal(units)
    fake.trade.apply_count([quant["id"]], {})


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


def line(key: str, sku: str, quantity: int, amount: str, *taxes: str) -> SaleLine:
    return SaleLine(key=key, sku=sku, title=sku.title(), quantity=quantity, amount=eur(amount), taxes=taxes)


def order(
    customer: str, *lines: SaleLine, total: str, buyer: CustomerCard = BUYER, currency: str = "EUR"
) -> SalesOrder:
    return SalesOrder(
        key=KEY,
        name="#1001",
        placed_on=NOW.date(),
        customer=buyer,
        customer_id=customer,
        currency=currency,
        warehouse=WAREHOUSE,
        lines=lines,
        total=Money.parse(total, currency),
        rounding=Rounding(sku="ROUNDING", limit=Money.parse("0.05", currency)),
    )
