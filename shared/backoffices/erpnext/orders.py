"""A Sales Order as ERPNext holds it, with its Delivery Notes and Sales Invoices."""

from typing import NamedTuple

from shared.backoffices.documents import Consignment, Invoice, Sale
from shared.backoffices.erpnext.mapping import (
    consignment_lines,
    consignment_of,
    invoice_of,
    invoiced_lines,
    sale_of,
    units_by_row,
)
from shared.backoffices.erpnext.office import Office
from shared.backoffices.erpnext.schemas import (
    CANCELLED,
    DRAFT,
    DocumentRow,
    InvoiceDocument,
    NoteDocument,
    OrderDocument,
    fields_of,
    read,
)
from shared.backoffices.http import not_found


class Note(NamedTuple):
    """A Delivery Note to the buyer, with the rows that came from the order."""

    document: NoteDocument
    rows: tuple[DocumentRow, ...]


class Orders(Office):
    """The key of a sale is its *Customer's Purchase Order* (`po_no`), which ERPNext does not hold to be unique.

    A sale that staff cancelled and amended is found as its newest version: ERPNext copies `po_no` to it.
    """

    def find_sale(self, key: str) -> Sale | None:
        """A draft: 2 requests; a confirmed one: 4, and one more each where there are Delivery Notes and invoices."""
        order = self._order(key)
        return self._told(order) if order is not None else None

    def _order(self, key: str) -> OrderDocument | None:
        rows = self._api.rows(
            "Sales Order",
            ["name", "docstatus"],
            (("po_no", "=", key), ("company", "=", self._company)),
            order_by="creation asc",
        )
        standing = [row for row in rows if row.get("docstatus") != CANCELLED] or rows[-1:]
        return self._order_named(str(standing[0]["name"])) if standing else None

    def _order_named(self, name: str) -> OrderDocument:
        document = self._api.document("Sales Order", name)
        if document is None:
            raise not_found("the Sales Order is gone", "order", "retry the order")
        return read(OrderDocument, document)

    def _required(self, key: str) -> OrderDocument:
        order = self._order(key)
        if order is None:
            raise not_found(f"there is no Sales Order for {key}", "order", "retry the order")
        return order

    def _told(self, order: OrderDocument) -> Sale:
        if order.docstatus == DRAFT:
            return sale_of(order, (), (), {})
        notes = self._notes(order)
        return sale_of(order, self._consignments(order, notes), self._invoices(order), prepared(notes))

    def _notes(self, order: OrderDocument) -> list[Note]:
        found = self._api.rows(
            "Delivery Note Item",
            fields_of(DocumentRow),
            (("against_sales_order", "=", order.name),),
            parent="Delivery Note",
        )
        rows = [read(DocumentRow, row) for row in found]
        documents = self._api.rows_in(
            "Delivery Note",
            fields_of(NoteDocument),
            "name",
            sorted({row.parent for row in rows}),
            ("is_return", "=", 0),
        )
        return [
            Note(document, tuple(row for row in rows if row.parent == document.name))
            for document in (read(NoteDocument, each) for each in documents)
        ]

    def _consignments(self, order: OrderDocument, notes: list[Note]) -> list[Consignment]:
        if not notes:
            return []
        items = self._items_of(row.item_code for row in order.items)
        zone = self._zone()

        def is_stocked(sku: str) -> bool:
            return sku not in items or bool(items[sku].is_stock_item)

        return [consignment_of(note.document, consignment_lines(note.rows, order, is_stocked), zone) for note in notes]

    def _invoices(self, order: OrderDocument) -> list[Invoice]:
        found = self._api.rows(
            "Sales Invoice Item", fields_of(DocumentRow), (("sales_order", "=", order.name),), parent="Sales Invoice"
        )
        rows = [read(DocumentRow, row) for row in found]
        documents = self._api.rows_in(
            "Sales Invoice",
            fields_of(InvoiceDocument),
            "name",
            sorted({row.parent for row in rows}),
            ("is_return", "=", 0),
        )
        invoices = (read(InvoiceDocument, each) for each in documents)
        return [
            invoice_of(invoice, invoiced_lines((row for row in rows if row.parent == invoice.name), order))
            for invoice in invoices
        ]


def prepared(notes: list[Note]) -> dict[str, int]:
    """Units by the order's row that left, or that a draft of a Delivery Note is about to send."""
    return units_by_row(row for note in notes if note.document.docstatus != CANCELLED for row in note.rows)
