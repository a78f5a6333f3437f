"""A real Tryton as a world of the contract suite. Staff's acts go over RPC as its administrator."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from infra.tryton import company
from infra.tryton.server import Server, TrytonUnavailable, program, serving
from infra.tryton.template import admin, copy_database
from shared.backoffices.port import BackOffice
from shared.backoffices.tryton.backoffice import TrytonBackOffice
from shared.kernel.clock import utc_now
from shared.orders.models import Parcel
from tests.contract.backoffices.world import Killed

SHIPMENT = "stock.shipment.out"


def unavailable() -> str | None:
    try:
        program("trytond")
    except TrytonUnavailable as error:
        return str(error)
    return None


@contextmanager
def world() -> Iterator["TrytonWorld"]:
    with tempfile.TemporaryDirectory() as folder:
        copy_database(Path(folder))
        with serving(Path(folder)) as server, httpx.Client(trust_env=False) as http:
            yield TrytonWorld(server, http)


class TrytonWorld:
    warehouse = company.WAREHOUSE
    vat21 = company.VAT_21
    vat9 = company.VAT_9
    method = company.METHOD

    def __init__(self, server: Server, http: httpx.Client) -> None:
        self._server = server
        self._http = http
        self.staff = admin(server, http)
        self._first = self._client(http)
        self._first.identify()
        self.office: BackOffice = self._first

    def fresh(self) -> BackOffice:
        return self._client(self._http)

    def killing(self, at: int, *, after: bool, logged_in: bool = False) -> BackOffice:
        """`logged_in`: the worker has a session already, so that it dies at its work."""
        office = self._client(httpx.Client(transport=_Deadly(self._http, at, after=after)))
        if logged_in:
            for name in ("_session", "_user_id", "_preferences"):
                setattr(office._api, name, getattr(self._first._api, name))
        return office

    def as_user(self, login: str) -> BackOffice:
        """A client of another user, made here, who belongs to no group and to the company."""
        password = "nobody-in-particular"
        values = {"name": login, "login": login, "password": password, "company": self.staff.company}
        self.staff.create("res.user", {**values, "companies": [["add", [self.staff.company]]]})

        def credentials(*, fresh: bool = False) -> Mapping[str, str]:
            return {"user": login, "password": password}

        return TrytonBackOffice(self._server.url, self._server.database, credentials, self._http)

    def put_on_shelf(self, sku: str, units: int) -> None:
        staff = self.staff
        (product,) = staff.rows("product.product", [["code", "=", sku]], ["id"])
        (place,) = staff.rows("stock.location", [["name", "=", self.warehouse]], ["storage_location"])
        values = {
            "company": staff.company,
            "location": place["storage_location"],
            "date": utc_now().date(),
            "lines": [["create", [{"product": product["id"], "quantity": units}]]],
        }
        staff.press("stock.inventory", "confirm", staff.create("stock.inventory", values))

    def pick(self, key: str) -> None:
        for shipment in self._open(key):
            if shipment["state"] == "waiting":
                self.staff.press(SHIPMENT, "assign_force", shipment["id"])
                self.staff.press(SHIPMENT, "pick", shipment["id"])

    def send_off(self, key: str, units: Mapping[str, int] | None = None, parcels: Sequence[Parcel] = ()) -> None:
        for shipment in self._open(key):
            number = shipment["id"]
            if units is not None:
                self._make_smaller(number, units)
            if shipment["state"] == "waiting":
                self.staff.press(SHIPMENT, "assign_force", number)
                self.staff.press(SHIPMENT, "pick", number)
            if parcels:
                self.staff.write(SHIPMENT, [number], {"shipping_reference": parcels[0].number})
            if shipment["state"] != "packed":
                self.staff.press(SHIPMENT, "pack", number)
            self.staff.press(SHIPMENT, "ship", number)

    def deliver(self, key: str) -> None:
        for shipment in self._open(key, "shipped"):
            self.staff.press(SHIPMENT, "do", shipment["id"])

    def count_documents(self, key: str) -> Mapping[str, int]:
        like = f"{key}%"
        sales = self.staff.rows("sale.sale", [["reference", "like", like]], ["id"])
        invoices = self.staff.rows("account.invoice", [["reference", "like", like]], ["total_amount"])
        return {
            "sales": len(sales),
            "invoices": sum(row["total_amount"] >= 0 for row in invoices),
            "credits": sum(row["total_amount"] < 0 for row in invoices),
            "returns": len(self.staff.rows("stock.shipment.out.return", [["reference", "like", like]], ["id"])),
            "payments": len(self.staff.rows("account.move", [["description", "like", like]], ["id"])),
        }

    def _client(self, http: httpx.Client) -> TrytonBackOffice:
        def credentials(*, fresh: bool = False) -> Mapping[str, str]:
            return company.USER

        return TrytonBackOffice(self._server.url, self._server.database, credentials, http)

    def _open(self, key: str, *states: str) -> list[dict[str, Any]]:
        wanted = list(states or ("waiting", "assigned", "picked", "packed"))
        (sale,) = self.staff.rows("sale.sale", [["reference", "=", key]], ["shipments.state"])
        return [shipment for shipment in sale["shipments."] if shipment["state"] in wanted]

    def _make_smaller(self, number: int, units: Mapping[str, int]) -> None:
        """What is to be fetched from the shelf, before anybody goes."""
        fields = ["inventory_moves.product.code", "inventory_moves.quantity"]
        (shipment,) = self.staff.rows(SHIPMENT, [["id", "=", number]], fields)
        for move in shipment["inventory_moves."]:
            self.staff.write("stock.move", [move["id"]], {"quantity": units.get(move["product."]["code"], 0)})


class _Deadly(httpx.BaseTransport):
    """Passes requests on until the worker dies at one of them."""

    def __init__(self, http: httpx.Client, at: int, *, after: bool) -> None:
        self._http = http
        self._left = at
        self._after = after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_last = self._left == 0
        self._left -= 1
        if is_last and not self._after:
            raise Killed
        answer = self._http.send(request)
        if is_last:
            raise Killed
        return httpx.Response(answer.status_code, headers={"content-type": "application/json"}, content=answer.content)
