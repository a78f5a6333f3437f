"""A fake Jiandaoyun company, built from the documentation, as a world of the contract suite."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import httpx

from infra.fakes.jiandaoyun import FakeForm, FakeJiandaoyun, Row
from shared.backoffices.documents import CustomerCard
from shared.backoffices.jiandaoyun.backoffice import JiandaoyunBackOffice
from shared.backoffices.jiandaoyun.client import ADDRESS
from shared.backoffices.jiandaoyun.pace import Pace
from shared.backoffices.jiandaoyun.settings import JiandaoyunMapping
from shared.backoffices.port import BackOffice
from shared.kernel.clock import utc_now
from shared.orders.models import Parcel
from tests.contract.backoffices.world import Killed

APP = "59264073a2a60c0c08e20bfb"
_ADDRESS_WIDGETS = {"recipient": "text", "street": "text", "postal_code": "text", "city": "text", "country": "text"}
_ADDRESS = {name: name for name in _ADDRESS_WIDGETS}


def entry(number: int) -> str:
    return f"59264073a2a60c0c08e20c{number:02x}"


MAPPING = JiandaoyunMapping.model_validate(
    {
        "company": "示例贸易",
        "currency": "EUR",
        "warehouses": ("上海仓",),
        "customers": {
            "app": APP,
            "form": entry(1),
            "key": "_widget_1529400746031",
            "name": "name",
            "email": "email",
            "phone": "phone",
            "language": "language",
            "shipping": _ADDRESS,
            "billing": {
                "area": "area",
                "recipient": "payer",
                "postal_code": "bill_code",
                "country": "bill_country",
            },
        },
        "orders": {
            "app": APP,
            "form": entry(2),
            "key": "order_key",
            "name": "name",
            "placed_on": "placed_on",
            "customer": "customer",
            "currency": "currency",
            "warehouse": "warehouse",
            "total": "total",
            "status": "status",
            "lines": {
                "table": "lines",
                "key": "line_key",
                "sku": "sku",
                "title": "title",
                "quantity": "quantity",
                "amount": "amount",
            },
            "shipping": _ADDRESS,
        },
        "products": {"app": APP, "form": entry(3), "sku": "sku", "name": "name", "stocked": "stocked"},
        "stock": {"app": APP, "form": entry(4), "sku": "sku", "warehouse": "warehouse", "on_hand": "on_hand"},
        "shipments": {
            "app": APP,
            "form": entry(5),
            "key": "key",
            "order": "order_key",
            "tracking": "tracking",
            "carrier": "carrier",
            "shipped_at": "shipped_at",
            "lines": {"table": "goods", "line": "line_key", "sku": "sku", "quantity": "quantity"},
        },
        "counts": {
            "app": APP,
            "form": entry(6),
            "key": "key",
            "counted_on": "counted_on",
            "warehouse": "warehouse",
            "applied": "applied",
            "lines": {"table": "goods", "sku": "sku", "quantity": "quantity"},
        },
        "journals": {
            "app": APP,
            "form": entry(7),
            "key": "key",
            "name": "name",
            "posted_on": "posted_on",
            "lines": {"table": "lines", "account": "account", "debit": "debit", "credit": "credit", "label": "label"},
        },
        "accounts": {"app": APP, "form": entry(8), "code": "code", "name": "name", "kind": "kind"},
    }
)

_GOODS = {"line_key": "text", "sku": "text", "quantity": "number"}
FORMS: dict[int, dict[str, str | dict[str, str]]] = {
    1: {
        "_widget_1529400746031": "text",
        "name": "text",
        "email": "text",
        "phone": "text",
        "language": "text",
        "area": "address",
        "payer": "text",
        "bill_code": "text",
        "bill_country": "text",
        **_ADDRESS_WIDGETS,
    },
    2: {
        "order_key": "text",
        "name": "text",
        "placed_on": "datetime",
        "customer": "text",
        "currency": "combo",
        "warehouse": "combo",
        "total": "number",
        "status": "radiogroup",
        "lines": {**_GOODS, "title": "textarea", "amount": "number"},
        **_ADDRESS_WIDGETS,
    },
    3: {"sku": "text", "name": "text", "stocked": "radiogroup"},
    4: {"sku": "text", "warehouse": "combo", "on_hand": "number"},
    5: {
        "key": "text",
        "order_key": "text",
        "tracking": "text",
        "carrier": "text",
        "shipped_at": "datetime",
        "goods": _GOODS,
    },
    6: {"key": "text", "counted_on": "datetime", "warehouse": "combo", "applied": "radiogroup", "goods": _GOODS},
    7: {
        "key": "text",
        "name": "text",
        "posted_on": "datetime",
        "lines": {"account": "combo", "debit": "number", "credit": "number", "label": "text"},
    },
    8: {"code": "text", "name": "text", "kind": "combo"},
}


def wrap(**values: object) -> Row:
    return {name: {"value": value} for name, value in values.items()}


def example_company(fake: FakeJiandaoyun) -> None:
    """The forms, and its products."""
    for number, widgets in FORMS.items():
        fake.add_form(FakeForm(APP, entry(number), copy.deepcopy(widgets)))
    for sku in ("MUG", "CAP", "LAMP", "SHIPPING", "FEE", "ROUNDING"):
        stocked = "是" if sku in ("MUG", "CAP", "LAMP") else "否"
        fake.staff_enter(fake.forms[APP, entry(3)], wrap(sku=sku, name=sku.title(), stocked=stocked))


def add_accounts(fake: FakeJiandaoyun) -> None:
    for code, name in (("1012", "支付宝"), ("1002", "银行存款"), ("6603", "手续费")):
        fake.staff_enter(fake.forms[APP, entry(8)], wrap(code=code, name=name, kind="科目"))


class Time:
    """The real time, and what was waited."""

    def __init__(self) -> None:
        self._waited = timedelta()

    def now(self) -> datetime:
        return utc_now() + self._waited

    def pause(self, seconds: float) -> None:
        self._waited += timedelta(seconds=seconds)


def credentials(*, fresh: bool = False) -> Mapping[str, str]:
    return {"api_key": "an-api-key"}


class JiandaoyunWorld:
    warehouse = "上海仓"
    vat21 = "VAT 21"
    vat9 = "VAT 9"
    method = "Bank"
    accounts = ("1012", "6603", "1002")
    journal = None

    def __init__(self) -> None:
        self._time = Time()
        self._pace = Pace(self._time.now, self._time.pause)
        self.fake = FakeJiandaoyun(self._time.now)
        example_company(self.fake)
        add_accounts(self.fake)
        self._http = httpx.Client(transport=httpx.MockTransport(self.fake.answer))
        self.office: BackOffice = self._client(self._http)

    def _client(self, http: httpx.Client) -> BackOffice:
        return JiandaoyunBackOffice(ADDRESS, MAPPING, credentials, http, self._time.now, self._pace)

    def fresh(self) -> BackOffice:
        return self._client(self._http)

    def killing(self, at: int, *, after: bool) -> BackOffice:
        seen = -1

        def answer(request: httpx.Request) -> httpx.Response:
            nonlocal seen
            seen += 1
            if seen == at and not after:
                raise Killed
            response = self.fake.answer(request)
            if seen == at:
                raise Killed
            return response

        return self._client(httpx.Client(transport=httpx.MockTransport(answer)))

    def put_on_shelf(self, sku: str, units: int) -> None:
        form = self._form(4)
        row = next((row for row in form.rows.values() if row["sku"] == sku), None)
        if row is None:
            self.fake.staff_enter(form, wrap(sku=sku, warehouse=self.warehouse, on_hand=units))
        else:
            self.fake.staff_change(form, row, wrap(on_hand=units), in_bulk=True)

    def pick(self, key: str) -> None:
        self._enter_shipment(key, None, (), left_at=None)

    def send_off(self, key: str, units: Mapping[str, int] | None = None, parcels: Sequence[Parcel] = ()) -> None:
        """Staff name the order and the goods by SKU."""
        self._enter_shipment(key, units, parcels, left_at=f"{self._time.now():%Y-%m-%dT%H:%M:%S}.000Z")

    def deliver(self, key: str) -> None:
        raise NotImplementedError("Jiandaoyun does not tell")

    def edit_customer(self, key: str, *, name: str, email: str) -> None:
        self.fake.staff_change(self._form(1), self._row_of(1, key), wrap(name=name, email=email))

    def deactivate_customer(self, key: str) -> None:
        """A form knows no such thing."""

    def cities(self, key: str) -> tuple[str | None, str | None]:
        return None, self._row_of(2, key)["city"]

    def traces(self, word: str) -> list[str]:
        """In the forms: the company's log is out of reach for us as for everybody."""
        return [
            f"{form.entry} {row}" for form in self.fake.forms.values() for row in form.rows.values() if word in f"{row}"
        ]

    def _row_of(self, number: int, key: str) -> Row:
        return next(row for row in self._form(number).rows.values() if key in row.values())

    def held(self, card: CustomerCard) -> CustomerCard:
        return card

    def count_documents(self, key: str) -> Mapping[str, int]:
        sales = sum(str(row["order_key"]).startswith(key) for row in self._form(2).rows.values())
        return {"sales": sales, "invoices": 0, "credits": 0, "returns": 0, "payments": 0}

    def count_journals(self, key: str) -> int:
        return sum(str(row["key"]).startswith(key) for row in self._form(7).rows.values())

    def close_books(self, until: date) -> bool:  # noqa: ARG002  # a form knows no periods
        return False

    def _form(self, number: int) -> FakeForm:
        return self.fake.forms[APP, entry(number)]

    def _enter_shipment(
        self, key: str, units: Mapping[str, int] | None, parcels: Sequence[Parcel], *, left_at: str | None
    ) -> None:
        sale = self.fresh().find_sale(key)
        assert sale is not None
        waiting = {line.sku: line.quantity - line.settled for line in sale.lines if line.sku in ("MUG", "CAP", "LAMP")}
        goods = [wrap(sku=sku, quantity=n) for sku, n in (waiting if units is None else units).items() if n]
        values = wrap(order_key=key, goods=goods, tracking=", ".join(parcel.number or "" for parcel in parcels))
        self.fake.staff_enter(self._form(5), values | (wrap(shipped_at=left_at) if left_at else {}))


def unavailable() -> str | None:
    return None


@contextmanager
def world() -> Iterator[JiandaoyunWorld]:
    made = JiandaoyunWorld()
    yield made
    assert made.fake.refused_calls == 0, "the limits of the documentation were passed"
