"""A company in Odoo, real or not, as a world of the contract suite; its staff call it the same way as we do."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import httpx

from shared.backoffices.documents import CustomerCard
from shared.backoffices.odoo.backoffice import OdooBackOffice, TransportName
from shared.backoffices.odoo.client import Json2, JsonRpc
from shared.backoffices.port import BackOffice
from shared.kernel.credentials import Credentials
from shared.orders.models import Parcel
from tests.contract.backoffices.world import Killed

_PERSONAL = ("name", "email", "phone", "street", "street2", "zip", "city")


class Address(NamedTuple):
    """Where a company is, and the keys of our user and of its staff."""

    url: str
    database: str
    warehouse: str
    ours: str
    staff: str
    memo: str = "memo"
    """The field of a payment that bears our key."""
    lock: str = "fiscalyear_lock_date"
    """The field of a company with the last day that is locked."""


class OdooWorld:
    vat21 = "VAT 21"
    vat9 = "VAT 9"
    method = "Bank"
    journal = "Miscellaneous Operations"

    def __init__(self, address: Address, transport: TransportName = "json2") -> None:
        self._address = address
        self._transport = transport
        self._http = httpx.Client(trust_env=False)
        self.warehouse = address.warehouse
        self.office: BackOffice = self.fresh()

    def close(self) -> None:
        self._http.close()

    def fresh(self) -> BackOffice:
        return self._client(self._http)

    def killing(self, at: int, *, after: bool) -> BackOffice:
        return self._client(httpx.Client(transport=_Deadly(self._http, at, after=after)))

    def _client(self, http: httpx.Client) -> BackOffice:
        ours = _credentials("storebridge", self._address.ours)
        return OdooBackOffice(self._address.url, self._address.database, ours, http, transport=self._transport)

    # ---- what staff do ----

    def put_on_shelf(self, sku: str, units: int) -> None:
        (product,) = self._staff("product.product", "search_read", domain=[["default_code", "=", sku]], fields=[])
        (place,) = self._staff(
            "stock.warehouse", "search_read", domain=[["name", "=", self.warehouse]], fields=["lot_stock_id"]
        )
        counted = {"product_id": product["id"], "location_id": place["lot_stock_id"][0], "inventory_quantity": units}
        quants = self._staff("stock.quant", "create", vals_list=[counted], context={"inventory_mode": True})
        self._staff("stock.quant", "action_apply_inventory", ids=quants)

    def pick(self, key: str) -> None:
        for picking in self._open_deliveries(key):
            commands = [
                [1, move["id"], {"quantity": int(move["product_uom_qty"]), "picked": True}]
                for move in picking["move_ids"]
            ]
            self._staff("stock.picking", "write", ids=[picking["id"]], vals={"move_ids": commands})

    def send_off(self, key: str, units: Mapping[str, int] | None = None, parcels: Sequence[Parcel] = ()) -> None:
        tracking = {"carrier_tracking_ref": ",".join(str(parcel.number) for parcel in parcels)} if parcels else {}
        for picking in self._open_deliveries(key):
            commands = []
            for move in picking["move_ids"]:
                wanted = (
                    int(move["product_uom_qty"]) if units is None else units.get(move["product_id"]["default_code"], 0)
                )
                commands.append([1, move["id"], {"quantity": wanted, "picked": bool(wanted)}])
            self._staff("stock.picking", "write", ids=[picking["id"]], vals={"move_ids": commands, **tracking})
            context = {"skip_backorder": True}
            assert self._staff("stock.picking", "button_validate", ids=[picking["id"]], context=context) is True

    def deliver(self, key: str) -> None:
        """Odoo cannot tell."""

    def edit_customer(self, key: str, *, name: str, email: str) -> None:
        self._staff("res.partner", "write", ids=[self._customer(key)], vals={"name": name, "email": email})

    def deactivate_customer(self, key: str) -> None:
        self._staff("res.partner", "write", ids=[self._customer(key)], vals={"active": False})

    def cities(self, key: str) -> tuple[str | None, str | None]:
        city: dict[str, Any] = {"fields": {"city": {}}}
        told = self._staff(
            "sale.order",
            "web_search_read",
            domain=[["origin", "=", key]],
            specification={"partner_invoice_id": city, "partner_shipping_id": city},
        )
        (order,) = told["records"]
        return order["partner_invoice_id"]["city"], order["partner_shipping_id"]["city"]

    def traces(self, word: str) -> list[str]:
        """In the contacts and in what was said about them, archived or not."""
        contacts = self._staff(
            "res.partner", "search_read", domain=[["active", "in", [True, False]]], fields=list(_PERSONAL)
        )
        said = self._staff("mail.message", "search_read", domain=[], fields=["body"])
        return [repr(row) for row in [*contacts, *said] if word in repr(row)]

    def held(self, card: CustomerCard) -> CustomerCard:
        """The billing address is the customer's own, and has no name beside the customer's."""
        if card.billing is None:
            return card
        return card.model_copy(update={"billing": card.billing.model_copy(update={"name": None})})

    def _customer(self, key: str) -> int:
        found = self.fresh().find_customer(key)
        assert found is not None
        return int(found.id)

    def _open_deliveries(self, key: str) -> list[dict[str, Any]]:
        product: dict[str, Any] = {"product_id": {"fields": {"default_code": {}}}}
        moves = {"move_ids": {"fields": {"state": {}, "product_uom_qty": {}, **product}}}
        domain = [
            ["sale_id.origin", "=", key],
            ["picking_type_code", "=", "outgoing"],
            ["state", "not in", ["done", "cancel"]],
        ]
        found = self._staff("stock.picking", "web_search_read", domain=domain, specification={"state": {}, **moves})
        records: list[dict[str, Any]] = found["records"]
        for picking in records:
            picking["move_ids"] = [move for move in picking["move_ids"] if move["state"] not in ("done", "cancel")]
        return records

    def count_documents(self, key: str) -> Mapping[str, int]:
        below = f"{key}/%"
        billed = "invoice_line_ids.sale_line_ids.order_id.origin"
        return {
            "sales": self._count("sale.order", ["origin", "=", key]),
            "invoices": self._count("account.move", [billed, "=", key], ["move_type", "=", "out_invoice"]),
            "credits": self._count(
                "account.move", ["invoice_origin", "=like", below], ["move_type", "=", "out_refund"]
            ),
            "returns": self._count("stock.picking", ["origin", "=like", below], ["picking_type_code", "=", "incoming"]),
            "payments": self._count("account.payment", [self._address.memo, "=like", below]),
        }

    @property
    def accounts(self) -> tuple[str, str, str]:
        """Of whatever chart the company has."""
        kinds = ["asset_cash", "asset_current", "expense"]
        found = self._staff("account.account", "search_read", domain=[["account_type", "in", kinds]], fields=["code"])
        one, two, three, *_ = sorted(row["code"] for row in found)
        return one, two, three

    def count_journals(self, key: str) -> int:
        return self._count("account.move", ["invoice_origin", "=like", f"{key}%"])

    def close_books(self, until: date) -> bool:
        (company,) = self._staff("res.company", "search_read", domain=[], fields=[], order="id", limit=1)
        self._staff("res.company", "write", ids=[company["id"]], vals={self._address.lock: until.isoformat()})
        return True

    def _count(self, model: str, *domain: list[Any]) -> int:
        return len(self._staff(model, "search_read", domain=list(domain), fields=[]))

    def _staff(self, model: str, method: str, ids: Sequence[int] | None = None, **arguments: Any) -> Any:
        way = Json2 if self._transport == "json2" else JsonRpc
        staff = _credentials("admin", self._address.staff)
        return way(self._address.url, self._address.database, staff, self._http).call(model, method, ids, arguments)


def _credentials(user: str, key: str) -> Credentials:
    def read(*, fresh: bool = False) -> Mapping[str, str]:
        return {"api_key": key, "user": user}

    return read


class _Deadly(httpx.BaseTransport):
    """Sends with another client, and dies at one request."""

    def __init__(self, http: httpx.Client, at: int, *, after: bool) -> None:
        self._http = http
        self._at = at
        self._after = after
        self._seen = -1

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._seen += 1
        if self._seen == self._at and not self._after:
            raise Killed
        response = self._http.send(request)
        if self._seen == self._at:
            raise Killed
        return httpx.Response(response.status_code, headers=response.headers, content=response.content)
