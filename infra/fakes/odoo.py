"""An Odoo that is not there, over loopback: the calls of JSON-2 and JSON-RPC that our adapter makes.

It stands in where no Odoo is installed. Its behaviour is that of Odoo 19.0 Community as it was run, except where a
module here says otherwise; the contract suite holds both to the same promises. Rights, languages, a warehouse's steps
and everything that staff could do beyond ship, pick and count are left out. With `generation=17` fields have the names
that Odoo 17 gives them by its source, and unit prices its two decimals; that much of 17 was never run.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

from infra.fakes.odoo_load import load
from infra.fakes.odoo_models import SCHEMAS
from infra.fakes.odoo_store import OdooFault, Schema, Store, Values, plain, user_error
from infra.fakes.odoo_trade import Trade
from infra.local.answers import Answer, json_answer
from infra.local.http_server import LoopbackServer, QuietHandler
from shared.kernel.clock import Clock

DATABASE = "storebridge"
WAREHOUSE = "Main"
OUR_KEY = "key-of-storebridge"
STAFF_KEY = "key-of-staff"

_WITH_MEMO = 18
_WITH_TAX_IDS = 19
_WITHOUT_VALUES = 2
"""Parts of a command that deletes."""
_SINCE_18_OF_COMPANIES = frozenset({"user_fiscalyear_lock_date", "user_hard_lock_date"})
_SINCE_18 = frozenset({"is_storable", "matched_payment_ids", "invoice_ids"})


class FakeOdoo:
    """One database with one furnished company."""

    def __init__(self, clock: Clock, *, generation: int = 19) -> None:
        self.generation = generation
        self.store = Store(SCHEMAS, clock)
        self.trade = Trade(self.store)
        self.keys = {OUR_KEY: "storebridge", STAFF_KEY: "admin"}
        self.denied: set[tuple[str, str]] = set()
        """Models and operations that our user has no right to; only `has_access` tells of them."""
        self.calls: list[str] = []
        self.faults: list[OdooFault] = []
        """Each is what the next call ends in, in place of its answer."""
        self._lock = threading.Lock()
        _furnish(self.store, goods="consu" if generation >= _WITH_MEMO else "product")

    # ---- calls ----

    def call(self, model: str, method: str, ids: Sequence[int] | None, arguments: Mapping[str, Any]) -> Any:
        """One call, one transaction.

        Raises:
            OdooFault: as Odoo would.
        """
        with self._lock:
            self.calls.append(f"{model}/{method}")
            if self.faults:
                raise self.faults.pop(0)
            handler = self._handlers(model, ids or []).get(method)
            if handler is None:
                raise OdooFault("werkzeug.exceptions.NotFound", f"the method {model}.{method} does not exist", 404)
            return plain(handler(arguments))

    def _handlers(self, model: str, ids: Sequence[int]) -> dict[str, Callable[[Mapping[str, Any]], Any]]:
        trade = {
            ("sale.order", "action_confirm"): lambda _given: self.trade.confirm(ids),
            ("sale.order", "action_cancel"): lambda _given: self.trade.cancel(ids),
            ("stock.picking", "button_validate"): lambda given: self.trade.validate(ids, given.get("context") or {}),
            ("stock.picking", "action_confirm"): lambda _given: self.trade.confirm_transfer(ids),
            ("stock.quant", "action_apply_inventory"): lambda given: self.trade.apply_count(
                ids, given.get("context") or {}
            ),
            ("account.move", "action_post"): lambda _given: self.trade.post(ids),
            ("account.payment", "action_post"): lambda _given: self.trade.post_payment(ids),
            ("account.move", "js_assign_outstanding_line"): lambda given: self.trade.set_against(ids, given["line_id"]),
            ("ir.model.data", "check_object_reference"): self._reference,
            ("res.users", "context_get"): lambda _given: {"lang": "en_US", "tz": False, "uid": 1},
        }
        any_model: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "search_read": partial(self._search_read, model),
            "web_search_read": partial(self._web_search_read, model),
            "fields_get": partial(self._fields_get, model),
            "get_external_id": lambda _given: self._external_ids(model, ids),
            "load": partial(self._load, model),
            "create": partial(self._create, model),
            "write": lambda given: self._write(model, ids, given["vals"], given.get("context") or {}),
            "unlink": lambda _given: self._unlink(model, ids),
            self._access_method(): lambda given: (model, given["operation"]) not in self.denied,
        }
        return any_model | {method: handler for (owner, method), handler in trade.items() if owner == model}

    def _access_method(self) -> str:
        return "has_access" if self.generation >= _WITH_MEMO else "check_access_rights"

    def _search_read(self, model: str, given: Mapping[str, Any]) -> list[Values]:
        fields = [self._today(model, name) for name in given["fields"]]
        records = self.store.search(model, self._domain(model, given["domain"]), given)
        rows = self.store.read(model, records, fields, given.get("context") or {})
        return [{self._told(model, name): value for name, value in row.items()} for row in rows]

    def _web_search_read(self, model: str, given: Mapping[str, Any]) -> Values:
        records = self.store.search(model, self._domain(model, given["domain"]), given)
        specification = self._renamed(model, given["specification"], self._today)
        told = [self._renamed(model, self.store.tell(model, each, specification), self._told) for each in records]
        return {"length": len(told), "records": told}

    def _fields_get(self, model: str, given: Mapping[str, Any]) -> Values:
        schema = self.store.schemas[model]
        known = {*schema.fields, *schema.relations} - (_SINCE_18 if self.generation < _WITH_MEMO else set())
        known -= _SINCE_18_OF_COMPANIES if self.generation < _WITH_MEMO else set()
        known -= {"period_lock_date"} if self.generation >= _WITH_MEMO else set()
        known -= {"mobile"} if model == "res.partner" and self.generation >= _WITH_TAX_IDS else set()
        known -= {"name"} if model == "stock.move" and self.generation >= _WITH_TAX_IDS else set()
        names = {self._told(model, name) for name in known}
        digits = False if self.generation >= _WITH_TAX_IDS else [16, 2]
        return {name: {"type": "float", "digits": digits} for name in given["allfields"] if name in names}

    def _external_ids(self, model: str, ids: Sequence[int]) -> Values:
        names = {number: name for name, (owner, number) in self.store.names.items() if owner == model}
        return {str(number): names.get(number, "") for number in ids}

    def _reference(self, given: Mapping[str, Any]) -> list[Any]:
        name = f"{given['module']}.{given['xml_id']}"
        if name not in self.store.names:
            raise OdooFault("builtins.ValueError", f"External ID not found in the system: {name}", 500)
        model, number = self.store.names[name]
        sees_all = (given.get("context") or {}).get("active_test") is False
        is_seen = any(sees_all or each.get("active", True) for each in self.store.existing(model, [number]))
        return [model, number if is_seen else False]

    def _load(self, model: str, given: Mapping[str, Any]) -> Values:
        columns = ["/".join(self._today(model, part) for part in column.split("/")) for column in given["fields"]]
        rows = [
            [self._rounded(column, cell) for column, cell in zip(columns, row, strict=True)] for row in given["data"]
        ]
        if model == "stock.picking" and self.generation < _WITH_TAX_IDS and "move_ids/name" not in columns:
            told = {"type": "error", "message": "Missing required value for the field 'Description' (name)"}
            return {"ids": False, "messages": [told], "nextrow": 0}
        loaded = load(self.store, model, columns, rows)
        if (given.get("context") or {}).get("res_partner_search_mode") == "customer":
            for partner in self.store.existing(model, loaded["ids"] or ()):
                partner["customer_rank"] = max(partner["customer_rank"], 1)
        return loaded

    def _rounded(self, column: str, cell: str) -> str:
        """Before 19 a unit price has the digits of "Product Price"."""
        if self.generation >= _WITH_TAX_IDS or not column.endswith("price_unit") or not cell:
            return cell
        return str(Decimal(cell).quantize(Decimal("0.01"), ROUND_HALF_UP))

    def _create(self, model: str, given: Mapping[str, Any]) -> list[int]:
        if model == "stock.quant":
            return [self._counted(values) for values in given["vals_list"]]
        return [
            int(self.store.create(model, _decimals(self.store, model, values))["id"]) for values in given["vals_list"]
        ]

    def _counted(self, values: Mapping[str, Any]) -> int:
        quant = self.trade.quant(values["product_id"], values["location_id"])
        quant["inventory_quantity"] = Decimal(str(values["inventory_quantity"]))
        return int(quant["id"])

    def _write(self, model: str, ids: Sequence[int], values: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
        if model == "res.partner" and not context.get("tracking_disable"):
            self._discuss(ids, values)
        self.store.write(model, ids, _decimals(self.store, model, values))
        return True

    def _discuss(self, ids: Sequence[int], values: Mapping[str, Any]) -> None:
        """What the module `mail` writes down of a contact's changes."""
        for partner in self.store.existing("res.partner", ids):
            for name in ("name", "email", "phone"):
                if name in values and values[name] != partner[name]:
                    told = {
                        "model": "res.partner",
                        "res_id": partner["id"],
                        "body": f"{partner[name]} → {values[name]}",
                    }
                    self.store.create("mail.message", told)

    def _unlink(self, model: str, ids: Sequence[int]) -> bool:
        for line in self.store.existing(model, ids) if model == "sale.order.line" else ():
            if self.store.records["sale.order"][line["order_id"]]["state"] == "sale":
                raise user_error("Once a sales order is confirmed, you can't remove one of its lines.")
        orders = {line["order_id"] for line in self.store.existing(model, ids)} if model == "sale.order.line" else set()
        if model == "account.move":
            lines = [
                line["id"] for each in ids for line in self.store.search(f"{model}.line", [["move_id", "=", each]])
            ]
            self.store.unlink(f"{model}.line", lines)
        self.store.unlink(model, ids)
        self.store.write("sale.order", orders, {})
        return True

    # ---- names of other generations ----

    def _today(self, model: str, name: str) -> str:
        """The present name of a field that a caller names."""
        if name == "tax_id" and self.generation < _WITH_TAX_IDS:
            return "tax_ids"
        return "memo" if (model, name) == ("account.payment", "ref") and self.generation < _WITH_MEMO else name

    def _told(self, model: str, name: str) -> str:
        """The name that this generation gives a field."""
        if (model, name) == ("sale.order.line", "tax_ids") and self.generation < _WITH_TAX_IDS:
            return "tax_id"
        return "ref" if (model, name) == ("account.payment", "memo") and self.generation < _WITH_MEMO else name

    def _domain(self, model: str, domain: Sequence[Any]) -> list[Any]:
        return [[self._today(model, term[0]), *term[1:]] if isinstance(term, list) else term for term in domain]

    def _renamed(self, model: str, tree: Any, name: Callable[[str, str], str]) -> Any:
        """A specification or what was told by it, field by field down the relations."""
        if isinstance(tree, list):
            return [self._renamed(model, each, name) for each in tree]
        if not isinstance(tree, dict):
            return tree
        if set(tree) == {"fields"}:
            return {"fields": self._renamed(model, tree["fields"], name)}
        return {
            name(model, field): self._renamed(self._behind(model, field), below, name) for field, below in tree.items()
        }

    def _behind(self, model: str, field: str) -> str:
        relation = SCHEMAS[model].relations.get(field) if model in SCHEMAS else None
        return relation.model if relation is not None else ""

    # ---- over HTTP ----

    def serve(self, port: int = 0) -> LoopbackServer:
        return LoopbackServer(port, partial(_Handler, self))

    def answer(self, path: str, headers: Mapping[str, str], body: Any) -> Answer:
        if path == "/web/version":
            return json_answer(
                200, {"version": f"{self.generation}.0", "version_info": [self.generation, 0, 0, "final", 0, ""]}
            )
        if path == "/jsonrpc":
            return json_answer(200, {"jsonrpc": "2.0", "id": body.get("id"), **self._json_rpc(body["params"])})
        if path.startswith("/json/2/") and self.generation >= _WITH_TAX_IDS:
            return self._json_2(path, headers, body)
        return Answer(404, b"<h1>Not Found</h1>", {"content-type": "text/html"})

    def _json_2(self, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        kind, _, key = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or key not in self.keys:
            return _error(OdooFault("werkzeug.exceptions.Unauthorized", "Invalid apikey", 401))
        model, method = path.removeprefix("/json/2/").split("/")
        arguments = {name: value for name, value in body.items() if name != "ids"}
        try:
            return json_answer(200, self.call(model, method, body.get("ids"), arguments))
        except OdooFault as fault:
            return _error(fault)

    def _json_rpc(self, params: Mapping[str, Any]) -> Values:
        service, method, given = params["service"], params["method"], params["args"]
        if (service, method) == ("common", "version"):
            return {"result": {"server_version": f"{self.generation}.0"}}
        if (service, method) == ("common", "authenticate"):
            return {"result": 1 if self.keys.get(given[2]) == given[1] else False}
        _database, _user, key, model, name, positional, named = given
        try:
            self._require_key(key)
            if name == "create":
                return {"result": self.call(model, name, None, {**named, "vals_list": positional[0]})}
            return {"result": self.call(model, name, positional[0] if positional else None, named)}
        except OdooFault as fault:
            data = {"name": fault.name, "message": fault.message, "debug": "Traceback (most recent call last): …"}
            return {"error": {"code": 200, "message": "Odoo Server Error", "data": data}}

    def _require_key(self, key: str) -> None:
        if key not in self.keys:
            raise OdooFault("odoo.exceptions.AccessDenied", "Access Denied")


class _Handler(QuietHandler):
    def __init__(self, odoo: FakeOdoo, *args: Any) -> None:
        self._odoo = odoo
        super().__init__(*args)

    def do_GET(self) -> None:  # noqa: N802  # http.server calls it so
        self.answer(self._odoo.answer(self.path, {}, {}))

    def do_POST(self) -> None:  # noqa: N802  # http.server calls it so
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(self.read_body() or b"{}", parse_float=Decimal)
        self.answer(self._odoo.answer(self.path, headers, body))


def _error(fault: OdooFault) -> Answer:
    told = {
        "name": fault.name,
        "message": fault.message,
        "arguments": [fault.message],
        "context": {},
        "debug": "Traceback …",
    }
    return json_answer(fault.status, told)


def _decimals(store: Store, model: str, values: Mapping[str, Any]) -> Values:
    """Numbers as the records hold them, in the commands of x2many fields too."""
    schema = store.schemas[model]
    return {name: _decimal(store, schema, name, value) for name, value in values.items()}


def _decimal(store: Store, schema: Schema, name: str, value: Any) -> Any:
    relation = schema.relations.get(name)
    if relation is not None and relation.inverse:
        return [
            [*command[:2], _decimals(store, relation.model, command[2])] if len(command) > _WITHOUT_VALUES else command
            for command in value
        ]
    return Decimal(str(value)) if isinstance(schema.fields.get(name), Decimal) else value


def _furnish(store: Store, goods: str) -> None:
    """The company that `infra.odoo.furnish` makes in a real one. `goods`: the type of products that are counted."""
    euro = store.create("res.currency", {"name": "EUR"})
    company = store.create("res.company", {"name": "Example Goods", "currency_id": euro["id"]})
    store.create("res.users", {"name": "Storebridge", "login": "storebridge", "company_id": company["id"]})
    store.create("res.lang", {"name": "English", "code": "en_US"})
    store.create("res.country", {"name": "Netherlands", "code": "NL"})
    store.create("account.journal", {"name": "Bank", "type": "bank", "code": "BNK1"})
    store.create("account.journal", {"name": "Miscellaneous Operations", "type": "general", "code": "MISC"})
    for code, name, kind in (
        ("101401", "Bank", "asset_cash"),
        ("101404", "Outstanding Payments", "asset_current"),
        ("620000", "Bank Fees", "expense"),
    ):
        store.create("account.account", {"code": code, "name": name, "account_type": kind})
    for name, amount in (("VAT 21", 21), ("VAT 9", 9)):
        store.create("account.tax", {"name": name, "amount": Decimal(amount)})
    for sku in ("MUG", "CAP", "LAMP"):
        store.create("product.product", {"name": sku.title(), "default_code": sku, "type": goods, "is_storable": True})
    for sku in ("SHIPPING", "FEE", "ROUNDING"):
        store.create("product.product", {"name": sku.title(), "default_code": sku, "type": "service"})
    view = store.create("stock.location", {"name": "WH", "usage": "view"})
    shelf = store.create("stock.location", {"name": "WH/Stock"})
    store.create("stock.location", {"name": "Customers", "usage": "customer"})
    types = [
        store.create("stock.picking.type", {"name": code, "code": code})["id"] for code in ("incoming", "outgoing")
    ]
    store.create(
        "stock.warehouse",
        {
            "name": WAREHOUSE,
            "view_location_id": view["id"],
            "lot_stock_id": shelf["id"],
            "in_type_id": types[0],
            "out_type_id": types[1],
        },
    )
