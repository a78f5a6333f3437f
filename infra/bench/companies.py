"""A company in each back office to count requests at: the fakes of this repository, and a real Tryton where one is.

All of them sell MUG, CAP and LAMP, have the services SHIPPING, FEE and ROUNDING, and plenty on the shelf.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from infra.fakes.erpnext import FakeErpNext
from infra.fakes.jiandaoyun import FakeForm, FakeJiandaoyun
from infra.fakes.odoo import DATABASE, OUR_KEY, WAREHOUSE, FakeOdoo
from infra.tryton import company as example
from infra.tryton.server import TrytonUnavailable, program, serving
from infra.tryton.template import copy_database
from shared.backoffices.documents import CountLine, StockCount
from shared.backoffices.erpnext.backoffice import ErpNextBackOffice
from shared.backoffices.jiandaoyun.backoffice import JiandaoyunBackOffice
from shared.backoffices.jiandaoyun.client import ADDRESS
from shared.backoffices.jiandaoyun.pace import Pace
from shared.backoffices.jiandaoyun.settings import JiandaoyunMapping
from shared.backoffices.odoo.backoffice import OdooBackOffice
from shared.backoffices.port import BackOffice
from shared.backoffices.tryton.backoffice import TrytonBackOffice
from shared.kernel.clock import utc_now
from shared.kernel.credentials import Credentials

GOODS: Final = ("MUG", "CAP", "LAMP")
SERVICES: Final = ("SHIPPING", "FEE", "ROUNDING")
_COMPANY: Final = "Example Goods"
_PLENTY: Final = 100


class RequestCount:
    """HTTP requests that a client sent since the last look."""

    def __init__(self) -> None:
        self._sent = 0

    def watching(self, client: httpx.Client) -> httpx.Client:
        client.event_hooks = {"request": [self._note]}
        return client

    def take(self) -> int:
        taken, self._sent = self._sent, 0
        return taken

    def _note(self, _request: httpx.Request) -> None:
        self._sent += 1


@dataclass(frozen=True)
class Company:
    vendor: str
    """And whether it is a fake: `erpnext (fake)`."""
    office: Callable[[], BackOffice]
    """A client as a new worker has it: nothing read yet."""
    requests: RequestCount
    warehouse: str
    method: str


Opening = Callable[[], AbstractContextManager[Company]]


def companies() -> Iterator[Opening]:
    """How to open each company that can be had here."""
    yield from (_erpnext, _jiandaoyun, _odoo)
    if _has_tryton():
        yield _tryton


def fill_shelves(company: Company) -> None:
    """Have plenty of everything on the shelf, by a count that we tell."""
    lines = tuple(CountLine(sku=sku, quantity=_PLENTY) for sku in GOODS)
    count = StockCount(key="bench", warehouse=company.warehouse, counted_on=utc_now().date(), lines=lines)
    company.office().apply_count(count)


@contextmanager
def _erpnext() -> Iterator[Company]:
    fake, requests = FakeErpNext(utc_now), RequestCount()
    for doctype, name, values in _erpnext_records():
        document = fake.site.fresh(doctype, values)
        document["name"] = name
        fake.site.keep(document)
    with requests.watching(httpx.Client(transport=httpx.MockTransport(fake.answer))) as http:
        key = _always(api_key="key", api_secret="secret")  # noqa: S106 - the fake's
        yield Company(
            "erpnext (fake)",
            lambda: ErpNextBackOffice("https://erp.example.test", _COMPANY, key, http),
            requests,
            "Stores - EX",
            "Bank",
        )


def _erpnext_records() -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "Company", _COMPANY, {"default_currency": "EUR", "abbr": "EX"}
    yield "Country", "Netherlands", {"code": "nl", "country_name": "Netherlands"}
    yield "Country", "Germany", {"code": "de", "country_name": "Germany"}
    yield "Warehouse", "Stores - EX", {"company": _COMPANY, "is_group": 0}
    accounts = [{"company": _COMPANY, "default_account": "Bank - EX"}]
    yield "Mode of Payment", "Bank", {"enabled": 1, "accounts": accounts}
    for sku in (*GOODS, *SERVICES):
        item = {"item_name": sku.title(), "is_stock_item": int(sku in GOODS), "is_sales_item": 1, "disabled": 0}
        yield "Item", sku, {**item, "stock_uom": "Nos"}


@contextmanager
def _jiandaoyun() -> Iterator[Company]:
    time, requests = _PatientTime(), RequestCount()
    fake, pace = FakeJiandaoyun(time.now), Pace(time.now, time.pause)
    for (form, _), widgets in zip(_FORMS.values(), _WIDGETS, strict=True):
        fake.add_form(FakeForm(_APP, form, widgets))
    for sku in (*GOODS, *SERVICES):
        row = {"sku": sku, "name": sku.title(), "stocked": "是" if sku in GOODS else "否"}
        fake.staff_enter(fake.forms[_APP, _FORMS["products"][0]], {name: {"value": each} for name, each in row.items()})
    with requests.watching(httpx.Client(transport=httpx.MockTransport(fake.answer))) as http:
        yield Company(
            "jiandaoyun (fake)",
            lambda: JiandaoyunBackOffice(ADDRESS, _mapping(), _always(api_key=fake.key), http, time.now, pace),
            requests,
            "Main",
            "Bank",
        )


class _PatientTime:
    """The real time, and what was waited for the sake of its limits."""

    def __init__(self) -> None:
        self._waited = timedelta()

    def now(self) -> datetime:
        return utc_now() + self._waited

    def pause(self, seconds: float) -> None:
        self._waited += timedelta(seconds=seconds)


_APP: Final = "a" * 24
_GOODS_LINES: Final = {"table": "goods", "line": "line", "sku": "sku", "quantity": "quantity"}
_FORMS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "customers": ("1" * 24, {"key": "key", "name": "name"}),
    "orders": (
        "2" * 24,
        {
            **{name: name for name in ("key", "name", "placed_on", "customer", "total", "status")},
            "lines": {"table": "goods", "key": "line", "sku": "sku", "quantity": "quantity", "amount": "amount"},
        },
    ),
    "products": ("3" * 24, {"sku": "sku", "name": "name", "stocked": "stocked"}),
    "stock": ("4" * 24, {"sku": "sku", "on_hand": "on_hand"}),
    "shipments": (
        "5" * 24,
        {**{name: name for name in ("key", "order", "tracking", "shipped_at")}, "lines": _GOODS_LINES},
    ),
    "counts": (
        "6" * 24,
        {**{name: name for name in ("key", "counted_on", "applied")}, "lines": _GOODS_LINES},
    ),
}
"""By what it holds: the form's id, and its fields."""
_LINE_WIDGETS: Final = {"line": "text", "sku": "text", "quantity": "number"}
_WIDGETS: Final[tuple[dict[str, str | dict[str, str]], ...]] = (
    {"key": "text", "name": "text"},
    {
        **dict.fromkeys(("key", "name", "customer"), "text"),
        "placed_on": "datetime",
        "total": "number",
        "status": "radiogroup",
        "goods": {**_LINE_WIDGETS, "amount": "number"},
    },
    {"sku": "text", "name": "text", "stocked": "radiogroup"},
    {"sku": "text", "on_hand": "number"},
    {**dict.fromkeys(("key", "order", "tracking"), "text"), "shipped_at": "datetime", "goods": _LINE_WIDGETS},
    {"key": "text", "counted_on": "datetime", "applied": "radiogroup", "goods": _LINE_WIDGETS},
)


def _mapping() -> JiandaoyunMapping:
    forms = {name: {"app": _APP, "form": form, **fields} for name, (form, fields) in _FORMS.items()}
    return JiandaoyunMapping.model_validate({"company": _COMPANY, "currency": "EUR", "warehouses": ("Main",), **forms})


@contextmanager
def _odoo() -> Iterator[Company]:
    requests = RequestCount()
    with closing(FakeOdoo(utc_now).serve()) as server, requests.watching(httpx.Client(trust_env=False)) as http:
        url, ours = f"http://127.0.0.1:{server.port}", _always(api_key=OUR_KEY)
        yield Company("odoo (fake)", lambda: OdooBackOffice(url, DATABASE, ours, http), requests, WAREHOUSE, "Bank")


@contextmanager
def _tryton() -> Iterator[Company]:
    requests = RequestCount()
    with tempfile.TemporaryDirectory() as folder, requests.watching(httpx.Client(trust_env=False, timeout=30)) as http:
        copy_database(Path(folder))
        with serving(Path(folder)) as server:
            yield Company(
                "tryton",
                lambda: TrytonBackOffice(server.url, server.database, _always(**example.USER), http),
                requests,
                example.WAREHOUSE,
                example.METHOD,
            )


def _has_tryton() -> bool:
    try:
        program("trytond")
    except TrytonUnavailable:
        return False
    return True


def _always(**secret: str) -> Credentials:
    def credentials(*, fresh: bool = False) -> Mapping[str, str]:  # noqa: ARG001 - the port's signature
        return secret

    return credentials
