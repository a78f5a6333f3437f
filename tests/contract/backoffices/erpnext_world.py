"""A fake ERPNext site, built from the documentation, as a world of the contract suite."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from urllib.parse import quote

import httpx

from infra.fakes.erpnext import FakeErpNext
from infra.fakes.erpnext_site import Json
from shared.backoffices.documents import CustomerCard
from shared.backoffices.erpnext.backoffice import ErpNextBackOffice
from shared.backoffices.port import BackOffice
from shared.kernel.clock import utc_now
from shared.orders.models import Parcel
from tests.contract.backoffices.world import Killed

COMPANY = "Example Goods"


def credentials(*, fresh: bool = False) -> Mapping[str, str]:
    return {"api_key": "key", "api_secret": "secret"}


def example_site(fake: FakeErpNext) -> None:
    """The company, its taxes and its items."""
    template = {"company": COMPANY, "disabled": 0}
    records: list[tuple[str, str, Json]] = [
        ("Company", "company_name", {"default_currency": "EUR", "abbr": "EX"}),
        ("Country", "Netherlands", {"code": "nl", "country_name": "Netherlands"}),
        ("Warehouse", "All Warehouses - EX", {"company": COMPANY, "is_group": 1}),
        ("Warehouse", "Stores - EX", {"company": COMPANY, "is_group": 0}),
        ("Item Tax Template", "VAT 21 - EX", {**template, "taxes": [{"tax_type": "VAT - EX", "tax_rate": 21}]}),
        ("Item Tax Template", "VAT 9 - EX", {**template, "taxes": [{"tax_type": "VAT low - EX", "tax_rate": 9}]}),
        ("Mode of Payment", "Bank", {"enabled": 1, "accounts": [{"company": COMPANY, "default_account": "Bank - EX"}]}),
    ]
    for number, name, kind in (
        ("1200", "Payments", "Bank"),
        ("1300", "House bank", "Bank"),
        ("6200", "Payment fees", "Expense Account"),
    ):
        account = {"account_name": name, "account_number": number, "account_type": kind, "account_currency": "EUR"}
        records.append(("Account", f"{number} - {name} - EX", {**account, "company": COMPANY}))
    records.append(("Account", "Expenses - EX", {"account_name": "Expenses", "company": COMPANY, "is_group": 1}))
    for sku in ("MUG", "CAP", "LAMP", "SHIPPING", "FEE", "ROUNDING"):
        is_stocked = int(sku in ("MUG", "CAP", "LAMP"))
        values = {"item_name": sku.title(), "is_stock_item": is_stocked, "is_sales_item": 1, "disabled": 0}
        records.append(("Item", sku, {**values, "stock_uom": "Nos"}))
    for doctype, name, values in records:
        document = fake.site.fresh(doctype, values)
        document["name"] = COMPANY if doctype == "Company" else name
        fake.site.keep(document)


class ErpNextWorld:
    warehouse = "Stores - EX"
    vat21 = "VAT 21 - EX"
    vat9 = "VAT 9 - EX"
    method = "Bank"
    accounts = ("1200", "6200", "1300")
    journal = "Bank Entry"

    def __init__(self) -> None:
        self.fake = FakeErpNext(utc_now)
        self.fake.trade.tracked = frozenset()  # as the adapter's description says of a site that forgets everything
        example_site(self.fake)
        self._http = httpx.Client(transport=httpx.MockTransport(self.fake.answer))
        self.office: BackOffice = self._client(self._http)

    def _client(self, http: httpx.Client) -> BackOffice:
        return ErpNextBackOffice("https://erp.example.test", COMPANY, credentials, http)

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
        if self.office.stock([sku], self.warehouse)[sku].on_hand == units:
            return
        rows = [{"item_code": sku, "warehouse": self.warehouse, "qty": units}]
        values = {"purpose": "Stock Reconciliation", "company": COMPANY, "items": rows}
        self._submit("Stock Reconciliation", self._staff("POST", "Stock Reconciliation", values)["name"])

    def pick(self, key: str) -> None:
        self._drawn_note(key)

    def send_off(self, key: str, units: Mapping[str, int] | None = None, parcels: Sequence[Parcel] = ()) -> None:
        self._submit("Delivery Note", self._drawn_note(key, units, parcels)["name"])

    def deliver(self, key: str) -> None:
        raise NotImplementedError("ERPNext does not tell")

    def edit_customer(self, key: str, *, name: str, email: str) -> None:
        """In two forms: the Contact is one of its own."""
        customer = self._customer(key)
        self._staff("PUT", f"Contact/{quote(customer['customer_primary_contact'])}", {"email_ids": [_primary(email)]})
        self._staff("PUT", f"Customer/{quote(customer['name'])}", {"customer_name": name})

    def deactivate_customer(self, key: str) -> None:
        self._staff("PUT", f"Customer/{quote(self._customer(key)['name'])}", {"disabled": 1})

    def cities(self, key: str) -> tuple[str | None, str | None]:
        order = next(one for one in self.fake.site.documents["Sales Order"].values() if one["po_no"] == key)
        addresses = self.fake.site.documents["Address"]
        bill, goods = (addresses[order[field]]["city"] for field in ("customer_address", "shipping_address_name"))
        return bill, goods

    def traces(self, word: str) -> list[str]:
        return [
            f"{doctype} {name}"
            for doctype, documents in self.fake.site.documents.items()
            for name, document in documents.items()
            if word in f"{name} {document!r}"
        ]

    def _customer(self, key: str) -> Json:
        customers = self.fake.site.documents["Customer"].values()
        return next(one for one in customers if one["customer_details"] == f"storebridge {key}")

    def held(self, card: CustomerCard) -> CustomerCard:
        return card

    def count_documents(self, key: str) -> Mapping[str, int]:
        documents = self.fake.site.documents

        def count(doctype: str, field: str, *, is_return: int | None = None, rest: str = "") -> int:
            return sum(
                str(one[field] or "").startswith(key + rest)
                for one in documents[doctype].values()
                if is_return is None or int(one["is_return"] or 0) == is_return
            )

        return {
            "sales": count("Sales Order", "po_no"),
            "invoices": count("Sales Invoice", "po_no", is_return=0),
            "credits": count("Sales Invoice", "po_no", is_return=1),
            "returns": count("Delivery Note", "po_no", is_return=1),
            "payments": count("Payment Entry", "remarks"),
        }

    def count_journals(self, key: str) -> int:
        entries = self.fake.site.documents["Journal Entry"].values()
        return sum(str(one["cheque_no"]).startswith(key) for one in entries)

    def close_books(self, until: date) -> bool:
        self.fake.trade.books_closed_until = until.isoformat()
        return True

    def _drawn_note(self, key: str, units: Mapping[str, int] | None = None, parcels: Sequence[Parcel] = ()) -> Json:
        order = next(one for one in self.fake.site.documents["Sales Order"].values() if one["po_no"] == key)
        drawn = {name: value for name, value in self.fake.trade.note_for(order).items() if not name.startswith("__")}
        rows = [{name: value for name, value in row.items() if name != "__islocal"} for row in drawn["items"]]
        if units is not None:
            rows = [{**row, "qty": units[row["item_code"]]} for row in rows if row["item_code"] in units]
        numbers = ", ".join(parcel.number or "" for parcel in parcels)
        return self._staff("POST", "Delivery Note", {**drawn, "items": rows, "lr_no": numbers})

    def _submit(self, doctype: str, name: str) -> None:
        self._staff("PUT", f"{doctype}/{name}", {"docstatus": 1})

    def _staff(self, verb: str, path: str, values: Json) -> Json:
        request = httpx.Request(
            verb,
            f"https://erp.example.test/api/resource/{path}",
            json={name: _plain(value) for name, value in values.items()},
            headers={"authorization": "token key:secret"},
        )
        response = self.fake.answer(request)
        assert response.status_code == 200, response.text
        document: Json = response.json()["data"]
        return document


def _primary(email: str) -> Json:
    return {"email_id": email, "is_primary": 1}


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [{name: _plain(each) for name, each in row.items()} for row in value]
    return value if value is None or isinstance(value, str | int | dict) else str(value)


def unavailable() -> str | None:
    return None


@contextmanager
def world() -> Iterator[ErpNextWorld]:
    yield ErpNextWorld()
