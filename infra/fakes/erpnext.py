"""An ERPNext site in memory, spoken to over HTTP: Frappe's REST API as its documentation has it.

`/api/resource/<DocType>` lists and creates, `/api/resource/<DocType>/<name>` reads, changes and deletes,
`/api/method/<path>` calls. Every request is one transaction: what fails changes nothing.
"""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import httpx

from infra.fakes.erpnext_site import FrappeError, Json, Site
from infra.fakes.erpnext_trade import Trade
from shared.kernel.clock import Clock

_DEFAULT_LIMIT = 20
_CANCELLED = 2
_CREATED_LATER = frozenset({"name", "owner", "creation", "modified", "docstatus", "idx", "doctype"})


class FakeErpNext:
    """One site with one company. `answer` is a handler for `httpx.MockTransport`.

    `broken` is asked for each request, and may return an answer in the site's place.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        zone: str = "Asia/Kolkata",
        custom_fields: tuple[str, ...] = ("Stock Reconciliation", "Sales Order Item"),
    ) -> None:
        self.site = Site(clock, zone, custom_fields)
        self.trade = Trade(self.site)
        self.key = "key:secret"
        self.names_by_customer = True
        """*Customer Naming By* in Selling Settings; otherwise by a series."""
        self.denied: set[tuple[str, str]] = set()
        """Doctype and right that the user lacks."""
        self.requests: list[str] = []
        self.broken: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(f"{request.method} {unquote(request.url.path)}")
        broken = self.broken(request)
        if broken is not None:
            return broken
        kept = copy.deepcopy(self.site.documents)
        try:
            self._authenticate(request)
            return _json(200, self._route(request))
        except FrappeError as error:
            self.site.documents = kept
            return failure(error)

    def _authenticate(self, request: httpx.Request) -> None:
        if request.headers.get("authorization") != f"token {self.key}":
            raise FrappeError("Authentication required", "AuthenticationError", 401)

    def _route(self, request: httpx.Request) -> Json:
        raw = request.url.raw_path.decode("ascii").partition("?")[0]
        parts = [unquote(part) for part in raw.split("/")]
        body = json.loads(request.content, parse_float=Decimal) if request.content else {}
        match parts:
            case ["", "api", "resource", doctype]:
                return {"data": self._collection(request, doctype, body)}
            case ["", "api", "resource", doctype, name]:
                return self._resource(request, doctype, name, body)
            case ["", "api", "method", method]:
                return {"message": self._call(method, {**request.url.params, **body})}
        raise FrappeError("Not found", "PageDoesNotExistError", 404)

    def _collection(self, request: httpx.Request, doctype: str, body: Json) -> Any:
        if request.method == "POST":
            self._allow(doctype, "create")
            return self._insert(self.site.fresh(doctype, body))
        params = request.url.params
        self._allow(params.get("parent") or doctype, "read")
        if self.site.doctype(doctype).is_child and not params.get("parent"):
            raise FrappeError("Insufficient Permission", "PermissionError", 403)
        return self.site.list(
            doctype,
            json.loads(params.get("fields", '["name"]')),
            json.loads(params.get("filters", "[]")),
            params.get("order_by", ""),
            int(params.get("limit_page_length", _DEFAULT_LIMIT)),
        )

    def _resource(self, request: httpx.Request, doctype: str, name: str, body: Json) -> Json:
        document = self.site.get(doctype, name)
        if request.method == "GET":
            self._allow(doctype, "read")
            return {"data": document}
        if request.method == "PUT":
            self._allow(doctype, "write")
            return {"data": self._save(document, body)}
        if request.method == "DELETE":
            self._allow(doctype, "delete")
            if document["docstatus"] == 1:
                raise FrappeError(f"{doctype} {name}: Submitted Record cannot be deleted.")
            del self.site.documents[doctype][name]
            return {"message": "ok"}
        raise FrappeError("Method not allowed", "PermissionError", 403)

    def _insert(self, document: Json) -> Json:
        self.trade.validate(document)
        self.site.keep(document)
        if document["doctype"] == "Customer":
            self.trade.customer_saved(document)
        return document

    def _save(self, document: Json, values: Json) -> Json:
        before, after = document["docstatus"], values.get("docstatus", document["docstatus"])
        if (before, after) not in ((0, 0), (0, 1), (1, 1), (1, 2)):
            raise FrappeError(f"Cannot change docstatus from {before} to {after}", "DocstatusTransitionError")
        changed = {name: value for name, value in values.items() if name not in _CREATED_LATER}
        kept = copy.deepcopy(document)
        if before == 1:
            self._refuse_after_submit(document, changed)
        self.site.assign(document, changed)
        if after == _CANCELLED:
            return self._cancel(document)
        if before == 0:
            self.trade.validate(document)
        document["docstatus"] = after
        self.site.keep(document)
        if (before, after) == (0, 1):
            self._allow(document["doctype"], "submit")
            self.trade.submitted(document)
        if document["doctype"] == "Customer":
            self.trade.customer_saved(document)
        self.trade.changed(kept, document)
        return document

    def _cancel(self, document: Json) -> Json:
        self._allow(document["doctype"], "cancel")
        document["docstatus"] = 2
        self.site.keep(document)
        self.trade.cancelled(document)
        return document

    def _refuse_after_submit(self, document: Json, changed: Json) -> None:
        allowed = self.site.doctype(document["doctype"]).on_submit
        for name, value in changed.items():
            if name not in allowed and document.get(name) != value:
                raise FrappeError(f"Not allowed to change {name} after submission", "UpdateAfterSubmitError")

    def _call(self, method: str, params: Json) -> Any:
        methods: dict[str, Callable[[Json], Any]] = {
            "frappe.auth.get_logged_user": lambda _: "storebridge@example.test",
            "frappe.utils.change_log.get_versions": lambda _: {"erpnext": {"title": "ERPNext", "version": "15.38.0"}},
            "frappe.client.get_time_zone": lambda _: {"time_zone": str(self.site.zone)},
            "frappe.client.has_permission": self._has_permission,
            "frappe.client.get_single_value": lambda _: int(self.trade.negative_rates),
            "frappe.client.set_value": self._set_value,
            "frappe.client.rename_doc": self._rename,
            "erpnext.controllers.accounts_controller.update_child_qty_rate": self._update_items,
            "erpnext.selling.doctype.sales_order.sales_order.make_delivery_note": lambda given: self.trade.note_for(
                self.site.get("Sales Order", given["source_name"])
            ),
            "erpnext.selling.doctype.sales_order.sales_order.make_sales_invoice": lambda given: self.trade.invoice_for(
                self.site.get("Sales Order", given["source_name"])
            ),
            "erpnext.stock.doctype.delivery_note.delivery_note.make_sales_return": lambda given: self.trade.return_for(
                self.site.get("Delivery Note", given["source_name"])
            ),
            "erpnext.accounts.doctype.payment_entry.payment_entry.get_payment_entry": lambda given: (
                self.trade.payment_for(self.site.get(given["dt"], given["dn"]), given["bank_account"])
            ),
        }
        if method not in methods:
            raise FrappeError(f"Failed to get method for command {method}", "ValidationError")
        return methods[method](params)

    def _has_permission(self, params: Json) -> Json:
        self.site.doctype(params["doctype"])
        return {"has_permission": (params["doctype"], params["perm_type"]) not in self.denied}

    def _rename(self, params: Json) -> str:
        """Only with the right to write; a customer whose name is what he is called is called so too."""
        doctype, new = params["doctype"], params["new_name"]
        self._allow(doctype, "write")
        self.site.rename(doctype, params["old_name"], new)
        if doctype == "Customer" and self.names_by_customer:
            self.site.get(doctype, new)["customer_name"] = new
        return str(new)

    def _set_value(self, params: Json) -> Json:
        """Of a row: its parent is saved. After submission only fields with *Allow on Submit* change."""
        doctype = params["doctype"]
        row = next(row for row in self.site.rows(doctype) if row["name"] == params["name"])
        parent = self.site.get(row["parenttype"], row["parent"])
        allowed = self.site.doctype(doctype).on_submit | {"storebridge_key"}
        if parent["docstatus"] == 1 and params["fieldname"] not in allowed:
            raise FrappeError(f"Not allowed to change {params['fieldname']} after submission", "UpdateAfterSubmitError")
        self.site.assign(row, {params["fieldname"]: params["value"]})
        self.site.keep(parent)
        return parent

    def _update_items(self, params: Json) -> None:
        self._allow("Sales Order", "write")
        order = self.site.get(params["parent_doctype"], params["parent_doctype_name"])
        self.trade.update_items(order, json.loads(params["trans_items"], parse_float=Decimal))

    def _allow(self, doctype: str, right: str) -> None:
        self.site.doctype(doctype)
        if (doctype, right) in self.denied:
            raise FrappeError(f"No permission for {doctype}", "PermissionError", 403)


def failure(error: FrappeError) -> httpx.Response:
    """An error as Frappe answers it, traceback and all."""
    shown = json.dumps([json.dumps({"message": error.message, "title": "Message", "indicator": "red"})])
    return _json(
        error.status,
        {
            "exc_type": error.name,
            "exception": f"frappe.exceptions.{error.name}: {error.message}",
            "exc": json.dumps(['Traceback (most recent call last):\n  File "apps/frappe/frappe/app.py", line 110 …']),
            "_server_messages": shown,
        },
    )


def _json(status: int, body: Any) -> httpx.Response:
    """Amounts as JSON numbers, as Frappe sends its floats."""
    return httpx.Response(
        status, content=json.dumps(body, default=float).encode(), headers={"content-type": "application/json"}
    )
