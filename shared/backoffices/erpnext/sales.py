"""Sales: recorded as drafts, confirmed, amended, cancelled."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.backoffices.documents import Sale, SaleLine, SalesOrder
from shared.backoffices.erpnext.addresses import Addresses
from shared.backoffices.erpnext.mapping import (
    NO_ADDRESSES,
    added_row,
    amended_row,
    is_as_wanted,
    is_key_of_sale,
    is_same_rate,
    key_of,
    local_text,
    money,
    order_document,
    order_row,
    settled,
    unit_rate,
    whole,
)
from shared.backoffices.erpnext.orders import Orders, prepared
from shared.backoffices.erpnext.pages import next_place, place
from shared.backoffices.erpnext.schemas import DRAFT, KEY_FIELD, SUBMITTED, OrderDocument, OrderRow
from shared.backoffices.http import not_found, refused
from shared.backoffices.port import Feed
from shared.backoffices.rounding import KEY as ROUNDING
from shared.backoffices.rounding import rounding_line
from shared.kernel.errors import Rejected
from shared.kernel.money import Money

PAGE = 100

_UPDATE_ITEMS = "erpnext.controllers.accounts_controller.update_child_qty_rate"
_FEED = (("Sales Order", ""), ("Delivery Note", "against_sales_order"), ("Sales Invoice", "sales_order"))
"""What is looked at for changes, and the field of its rows that names the order."""


class Sales(Orders, Addresses):
    def record_sale(self, order: SalesOrder) -> Sale:
        """A new one: 6 requests and one for each tax not seen before; the rounding line takes 2 more; a repeat: 3."""
        known = self._order(order.key)
        if known is not None and known.docstatus != DRAFT:
            return self._told(known)
        addresses = self._own_addresses(order.customer_id, order.customer)
        if known is None or not _stands_for(known, order, addresses):
            known = self._write_draft(known, order, addresses)
        known = self._tie_out(known, order)
        return self._told(known)

    def confirm_sale(self, key: str) -> Sale:
        """Submit it, which reserves its goods: 6 requests; a repeat: 4."""
        order = self._required(key)
        if order.docstatus == DRAFT:
            self._api.submit("Sales Order", order.name)
            order = self._order_named(order.name)
            if order.docstatus == DRAFT:
                raise refused("ERPNext left the Sales Order a draft: a workflow may stand against it")
        return self._told(order)

    def amend_sale(self, order: SalesOrder) -> Sale:
        """Bring its rows to the order by *Update Items*: 8 requests, and one for each tax not seen before; a repeat: 6.

        Another rounding takes 2 more, and so does each row that is added.

        *Update Items* (`update_child_qty_rate`) knows quantities and rates. It can neither change the tax of a row nor
        give one to a row that it adds: that bears its item's own. And it leaves such a row without our key, for which
        no standard field may be written once an order is submitted.

        Raises:
            Rejected: beside what the port names, `backoffice_refused` when a tax differs from what ERPNext would take,
                and `backoffice_not_found` with field `storebridge_key` when a row is to be added on a site without
                that field; both before anything was changed.
        """
        document = self._required(order.key)
        if document.docstatus != SUBMITTED or document.status == "Closed":
            raise refused(f"the Sales Order is {document.status or 'not submitted'}")
        document = self._with_keys(document, _wanted(order))
        self._require_amendable(document, order)
        units = prepared(self._notes(document))
        document = self._amend(document, order, units, _kept_rounding(document, order.currency))
        rounding = self._rounding(document, order) if _is_settled(document, order) else None
        return self._told(self._amend(document, order, units, rounding))

    def cancel_sale(self, key: str) -> Sale:
        """Cancel it: 8 requests; a repeat: 4. A draft is submitted first: ERPNext cancels nothing else."""
        order = self._required(key)
        if order.docstatus not in (DRAFT, SUBMITTED):
            return self._told(order)
        sale = self._told(order)
        if any(line.settled for line in sale.lines) or sale.invoice is not None:
            raise refused("goods have been picked or an invoice is posted")
        for invoice in sale.invoices:
            if invoice.number is None:
                self._api.delete("Sales Invoice", invoice.id)
        if order.docstatus == DRAFT:
            self._api.submit("Sales Order", order.name)
        self._api.cancel("Sales Order", order.name)
        return self._told(self._order_named(order.name))

    def changed_sales(self, since: datetime, cursor: str | None) -> Feed[str]:
        """Pages of 100: Sales Orders (one request each), then Delivery Notes and invoices (3 each). By name, so that
        what changes meanwhile moves nothing to another page."""
        stage, after = place(cursor, len(_FEED))
        doctype, reference = _FEED[stage]
        filters = [("modified", ">=", local_text(since, self._zone()))]
        filters += [("name", ">", after)] if after else []
        rows = self._api.rows(doctype, ["name", "po_no"], filters, order_by="name asc", limit=PAGE)
        names = [str(row["name"]) for row in rows]
        found = self._orders_behind(doctype, reference, names) if reference else rows
        keys = dict.fromkeys(str(row.get("po_no") or "") for row in found)
        return Feed(
            tuple(key for key in keys if is_key_of_sale(key)), next_place(stage, names, page=PAGE, stages=len(_FEED))
        )

    def _orders_behind(self, doctype: str, reference: str, names: Sequence[str]) -> list[dict[str, Any]]:
        rows = self._api.rows_in(f"{doctype} Item", [reference], "parent", names, parent=doctype)
        orders = {str(row[reference]) for row in rows if row.get(reference)}
        return self._api.rows_in("Sales Order", ["po_no"], "name", sorted(orders))

    def _write_draft(
        self, known: OrderDocument | None, order: SalesOrder, addresses: Mapping[str, str]
    ) -> OrderDocument:
        lines = _wanted(order)
        self._require_items(lines, order.rounding.sku)
        self._require_warehouse(order.warehouse)
        return self._save_draft(known, order, lines, addresses)

    def _save_draft(
        self,
        known: OrderDocument | None,
        order: SalesOrder,
        lines: Sequence[SaleLine],
        addresses: Mapping[str, str] = NO_ADDRESSES,
    ) -> OrderDocument:
        document = order_document(order, self._company, self._tax_accounts(lines), addresses)
        document["items"] = [order_row(line, order) for line in lines]
        if known is None:
            name = str(self._api.create("Sales Order", document)["name"])
        else:
            name = known.name
            self._api.update("Sales Order", name, document)
        return self._order_named(name)

    def _tie_out(self, document: OrderDocument, order: SalesOrder) -> OrderDocument:
        """Have the draft's total exact, by a rounding line where ERPNext computes otherwise than the storefront."""
        kept = _kept_rounding(document, order.currency)
        wanted = self._rounding(document, order)
        if _amount(wanted, order.currency).equals(_amount(kept, order.currency)):
            return document
        document = self._save_draft(document, order, [*_wanted(order), *([wanted] if wanted else [])])
        total = money(document.grand_total, document.currency)
        if not total.equals(order.total):
            raise Rejected(
                "totals_differ",
                f"the storefront's total is {order.total}, ERPNext computes {total} with the rounding line",
                field="total",
                hint=f"let the item {order.rounding.sku} bear no tax in ERPNext, then retry the order",
            )
        return document

    def _rounding(self, document: OrderDocument, order: SalesOrder) -> SaleLine | None:
        kept = _kept_rounding(document, order.currency)
        computed = money(document.grand_total, document.currency) - _amount(kept, order.currency)
        return rounding_line(order.total, computed, order.rounding)

    def _amend(
        self, document: OrderDocument, order: SalesOrder, units: dict[str, int], rounding: SaleLine | None
    ) -> OrderDocument:
        lines = [*_wanted(order), *([rounding] if rounding else [])]
        rows = _amendment(document, order, lines, units)
        if rows is None:
            return document
        if any("docname" not in row for row in rows) and not _keeps_keys(document):
            raise _lacks_key_field()
        self._api.tell(
            _UPDATE_ITEMS,
            {
                "parent_doctype": "Sales Order",
                "parent_doctype_name": document.name,
                "trans_items": json.dumps(rows),
                "child_docname": "items",
            },
        )
        return self._with_keys(self._order_named(document.name), lines)

    def _with_keys(self, document: OrderDocument, lines: Sequence[SaleLine]) -> OrderDocument:
        """Give the rows that *Update Items* added their keys; after a death in between, the next worker does it."""
        held = {row.key for row in document.items}
        missing = [line for line in lines if line.key not in held]
        changed = False
        for row in document.items:
            key = _key_for(row, missing)
            if key is not None:
                self._api.tell(
                    "frappe.client.set_value",
                    {"doctype": "Sales Order Item", "name": row.name, "fieldname": KEY_FIELD, "value": key},
                )
                missing = [line for line in missing if line.key != key]
                changed = True
        return self._order_named(document.name) if changed else document

    def _require_amendable(self, document: OrderDocument, order: SalesOrder) -> None:
        lines = _wanted(order)
        self._require_items(lines, order.rounding.sku)
        held = {row.key: row for row in document.items}
        accounts = {tax.account_head for tax in document.taxes}
        for line in lines:
            row = held.get(line.key)
            tax = row.item_tax_template if row is not None else self._own_tax(line.sku)
            wanted = line.taxes[0] if line.taxes else ""
            if tax != wanted:
                raise refused(f"ERPNext taxes {line.sku} by {tax or 'nothing'} in a confirmed order, not by {wanted}")
            if not accounts.issuperset(self._tax_accounts([line])):
                raise refused(f"the confirmed order has no account for the tax {wanted}: ERPNext adds none later")

    def _own_tax(self, sku: str) -> str:
        """The Item Tax Template that ERPNext gives to a row of this item."""
        item = self._api.document("Item", sku) or {}
        own = [tax for tax in item.get("taxes") or [] if not tax.get("tax_category")]
        return str(own[0].get("item_tax_template") or "") if own else ""


def _wanted(order: SalesOrder) -> list[SaleLine]:
    return [line for line in order.lines if line.quantity]


def _stands_for(document: OrderDocument, order: SalesOrder, addresses: Mapping[str, str]) -> bool:
    rows = [row for row in document.items if row.key != ROUNDING]
    lines = _wanted(order)
    return (
        document.customer == order.customer_id
        and all(getattr(document, field) == name for field, name in addresses.items())
        and len(rows) == len(lines)
        and all(is_as_wanted(row, line) for row, line in zip(rows, lines, strict=True))
    )


def _kept_rounding(document: OrderDocument, currency: str) -> SaleLine | None:
    """The rounding line as it is."""
    row = next((row for row in document.items if row.key == ROUNDING), None)
    if row is None:
        return None
    amount = money(row.rate, currency)
    return SaleLine(key=ROUNDING, sku=row.item_code, title="Rounding", quantity=1, amount=amount, goods=False)


def _amount(line: SaleLine | None, currency: str) -> Money:
    return line.amount if line is not None else Money.zero(currency)


def _amendment(
    document: OrderDocument, order: SalesOrder, lines: Sequence[SaleLine], units: dict[str, int]
) -> list[dict[str, Any]] | None:
    """All rows as *Update Items* is to leave them; None where they are so already.

    No row goes below what has been picked, packed or shipped; where the order wants less, the row keeps its rate.
    """
    missing = {line.key: line for line in lines}
    rows: list[dict[str, Any]] = []
    changed = False
    for row in document.items:
        line = missing.get(key_of(row))
        line = missing.pop(line.key) if line is not None and line.sku == row.item_code else None
        quantity = max(line.quantity if line is not None else 0, settled(row, units))
        keeps_rate = line is None or quantity != line.quantity or is_same_rate(row, line)
        rate = row.rate if line is None or keeps_rate else unit_rate(line)
        changed = changed or quantity != whole(row.qty) or rate != row.rate
        if quantity:
            rows.append(amended_row(row, quantity=quantity, rate=rate))
    rows += [added_row(line, order) for line in missing.values()]
    return rows if changed or missing else None


def _is_settled(document: OrderDocument, order: SalesOrder) -> bool:
    """Whether the rows have come to exactly the order's quantities."""
    held = {key_of(row): whole(row.qty) for row in document.items if row.key != ROUNDING}
    return held == {line.key: line.quantity for line in _wanted(order)}


def _keeps_keys(document: OrderDocument) -> bool:
    return any(KEY_FIELD in row.model_fields_set for row in document.items)


def _key_for(row: OrderRow, missing: Sequence[SaleLine]) -> str | None:
    """The key of the line that an unnamed row was added for."""
    if row.key is not None:
        return None
    return next((line.key for line in missing if line.sku == row.item_code), None)


def _lacks_key_field() -> Rejected:
    return not_found(
        "ERPNext has no field for our key on the rows of a confirmed Sales Order",
        KEY_FIELD,
        f"add a Custom Field {KEY_FIELD!r} of the type Data to Sales Order Item, with Allow on Submit",
    )
