"""Stock: Bins, and counts as Stock Reconciliations."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from shared.backoffices.documents import StockCount, StockFigure
from shared.backoffices.erpnext.mapping import local_text, whole
from shared.backoffices.erpnext.office import Office
from shared.backoffices.erpnext.schemas import CANCELLED, DRAFT, KEY_FIELD, SUBMITTED, BinRow, fields_of, read
from shared.backoffices.http import not_found, refused
from shared.backoffices.port import Feed, Refusal
from shared.kernel.errors import Rejected

PAGE = 200

_CURSOR = re.compile(r".{1,200}")


class Stock(Office):
    def stock(self, skus: Iterable[str], warehouse: str) -> Mapping[str, StockFigure]:
        """Two requests for each 100 SKUs: items (once), and their Bins in the warehouse. Once one for the warehouses.

        Sellable is what is there less what is promised to orders, to production and to subcontractors.
        """
        self._require_warehouse(warehouse)
        items = self._items_of(skus)
        found = self._api.rows_in("Bin", fields_of(BinRow), "item_code", sorted(items), ("warehouse", "=", warehouse))
        bins = {row.item_code: row for row in (read(BinRow, each) for each in found)}
        return {sku: _figure(sku, bins.get(sku) or BinRow(item_code=sku)) for sku in items}

    def changed_stock(self, since: datetime, cursor: str | None) -> Feed[str]:
        """A page of 200 Bins by name: one request. A Bin changes with what is there and with what is promised."""
        filters = [("modified", ">=", local_text(since, self._zone()))]
        if cursor is not None:
            if _CURSOR.fullmatch(cursor) is None:
                raise Rejected("invalid_cursor", "the cursor is not one of a list of stock", field="cursor")
            filters.append(("name", ">", cursor))
        rows = self._api.rows("Bin", ["name", "item_code"], filters, order_by="name asc", limit=PAGE)
        skus = dict.fromkeys(str(row["item_code"]) for row in rows)
        return Feed(tuple(skus), str(rows[-1]["name"]) if len(rows) == PAGE else None)

    def apply_count(self, count: StockCount) -> str:
        """A submitted Stock Reconciliation: 8 requests; a repeat: 1.

        ERPNext takes no count that changes nothing: none is written then, and the answer is `unchanged`.

        Raises:
            Rejected: `backoffice_not_found` with field `storebridge_key` on a site without it: a Stock Reconciliation
                has no other field for our key.
        """
        known = self._reconciliation(count.key)
        if known is None:
            figures = self.stock([line.sku for line in count.lines], count.warehouse)
            for line in count.lines:
                if line.sku not in figures:
                    raise not_found(f"{line.sku} is no item of ERPNext's", "sku", f"create the item {line.sku}")
            if all(figures[line.sku].on_hand == line.quantity for line in count.lines):
                return "unchanged"
            self._api.create("Stock Reconciliation", _reconciliation_document(count, self._company))
            known = self._reconciliation(count.key)
        if known is not None and known["docstatus"] == DRAFT:
            self._api.submit("Stock Reconciliation", str(known["name"]))
            known = self._reconciliation(count.key)
        if known is None or known["docstatus"] != SUBMITTED:
            raise refused("ERPNext left the Stock Reconciliation a draft: a workflow may stand against it")
        return str(known["name"])

    def _reconciliation(self, key: str) -> dict[str, Any] | None:
        filters = ((KEY_FIELD, "=", key), ("docstatus", "!=", CANCELLED))
        try:
            rows = self._api.rows("Stock Reconciliation", ["name", "docstatus"], filters, order_by="creation asc")
        except Rejected as error:
            if error.code not in (Refusal.REFUSED, Refusal.BUG):
                raise
            raise not_found(
                "ERPNext has no field for our key on Stock Reconciliations",
                KEY_FIELD,
                f"add a Custom Field {KEY_FIELD!r} of the type Data to Stock Reconciliation",
            ) from error
        return rows[0] if rows else None


def _figure(sku: str, held: BinRow) -> StockFigure:
    promised = held.reserved_qty + held.reserved_qty_for_production + held.reserved_qty_for_sub_contract
    return StockFigure(sku=sku, on_hand=whole(held.actual_qty), sellable=whole(held.actual_qty - promised))


def _reconciliation_document(count: StockCount, company: str) -> dict[str, Any]:
    """It is posted as of now: one that is dated back would change what was sold since."""
    return {
        "purpose": "Stock Reconciliation",
        "company": company,
        KEY_FIELD: count.key,
        "items": [{"item_code": line.sku, "warehouse": count.warehouse, "qty": line.quantity} for line in count.lines],
    }
