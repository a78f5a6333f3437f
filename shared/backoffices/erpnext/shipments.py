"""Goods that leave and goods that come back: Delivery Notes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.backoffices.documents import GoodsReturn, Sale, Shipping
from shared.backoffices.erpnext.mapping import Json, key_of, of_source, parcel_fields, whole
from shared.backoffices.erpnext.orders import Note, Orders
from shared.backoffices.erpnext.schemas import (
    CANCELLED,
    DRAFT,
    SUBMITTED,
    DocumentRow,
    NoteDocument,
    OrderDocument,
    fields_of,
    read,
)
from shared.backoffices.http import bug, refused

_MAKE_NOTE = "erpnext.selling.doctype.sales_order.sales_order.make_delivery_note"
_MAKE_RETURN = "erpnext.stock.doctype.delivery_note.delivery_note.make_sales_return"


class Shipments(Orders):
    """Our key is a note's *Customer's Purchase Order* (`po_no`), which ERPNext fills in only where it is empty (13)."""

    def ship(self, shipping: Shipping) -> Sale:
        """A submitted Delivery Note of these units: 12 requests; a repeat: 8.

        When no goods stay open, it takes the order's services along, so that ERPNext counts the order as delivered.
        """
        order = self._required(shipping.sale)
        note = next(iter(self._notes_of(shipping.key, is_return=0)), None)
        if note is None:
            note = self._create_note(self._drawn_up(order, shipping))
        self._submit_note(note)
        return self._told(order)

    def take_back(self, goods: GoodsReturn) -> str:
        """A return for each Delivery Note that the units left by: 10 requests for one note; a repeat: 7.

        It is submitted where the goods were received, else it stays a draft for the warehouse. It does not refer to
        the order: ERPNext would take the goods for undelivered again, and ship them a second time. A site whose
        Selling Settings require a Sales Order for every Delivery Note may refuse that.
        """
        order = self._required(goods.sale)
        notes = [note for note in self._notes(order) if note.document.docstatus == SUBMITTED]
        for note, rows in self._still_to_return(order, notes, goods):
            source = self._api.ask(_MAKE_RETURN, source_name=note.document.name)
            self._api.create("Delivery Note", _return_document(source, rows, goods))
        returns = self._notes_of(goods.key, is_return=1)
        if goods.received:
            for one in returns:
                self._submit_note(one)
        return ", ".join(sorted(one.name for one in returns))

    def _notes_of(self, key: str, *, is_return: int) -> list[NoteDocument]:
        rows = self._api.rows(
            "Delivery Note",
            fields_of(NoteDocument),
            (("po_no", "=", key), ("is_return", "=", is_return), ("docstatus", "!=", CANCELLED)),
            order_by="creation asc",
        )
        return [read(NoteDocument, row) for row in rows]

    def _create_note(self, document: Json) -> NoteDocument:
        return read(NoteDocument, self._api.create("Delivery Note", document))

    def _submit_note(self, note: NoteDocument) -> None:
        if note.docstatus != DRAFT:
            return
        self._api.submit("Delivery Note", note.name)
        document = self._api.document("Delivery Note", note.name)
        if document is None or read(NoteDocument, document).docstatus != SUBMITTED:
            raise refused("ERPNext left the Delivery Note a draft: a workflow may stand against it")

    def _drawn_up(self, order: OrderDocument, shipping: Shipping) -> Json:
        if order.docstatus != SUBMITTED:
            raise refused("the Sales Order is not submitted")
        source = _object(self._api.ask(_MAKE_NOTE, source_name=order.name))
        rows = _rows(source)
        open_units = {str(row.get("so_detail")): whole(read(DocumentRow, {"name": "", **row}).qty) for row in rows}
        wanted = _by_row(order, {line.key: line.quantity for line in shipping.lines})
        for row in order.items:
            units, left = wanted.get(row.name, 0), open_units.get(row.name, 0)
            if units > left:
                raise refused(f"{units} × {row.item_code} cannot be shipped: {left} are open")
        services = self._services(order)
        if all(wanted.get(name, 0) == units for name, units in open_units.items() if name not in services):
            wanted |= {name: open_units[name] for name in services if name in open_units}
        items = [{**row, "qty": wanted[row["so_detail"]]} for row in rows if wanted.get(str(row.get("so_detail")))]
        return {**of_source(source), "items": items, "po_no": shipping.key, **parcel_fields(shipping.parcels)}

    def _services(self, order: OrderDocument) -> set[str]:
        items = self._items_of(row.item_code for row in order.items)
        return {row.name for row in order.items if row.item_code in items and not items[row.item_code].is_stock_item}

    def _still_to_return(
        self, order: OrderDocument, notes: Sequence[Note], goods: GoodsReturn
    ) -> list[tuple[Note, dict[str, int]]]:
        """Notes with the units to take back by their row, less what returns of this key hold already."""
        sent = {row.name: row for note in notes for row in note.rows}
        returned = self._returned(sent)
        ours = {one.name for one in self._notes_of(goods.key, is_return=1)} if returned else set()
        wanted = _by_row(order, {line.key: line.quantity for line in goods.lines})
        for row in returned:
            if row.parent in ours:
                wanted[sent[row.dn_detail].so_detail] += whole(row.qty)
        left = {name: whole(row.qty) for name, row in sent.items()}
        for row in returned:
            left[row.dn_detail] += whole(row.qty)
        plan = [(note, _share(note, wanted, left)) for note in notes]
        for line in order.items:
            if wanted.get(line.name, 0) > 0:
                raise refused(f"{wanted[line.name]} × {line.item_code} cannot come back: so many were not shipped")
        return [(note, rows) for note, rows in plan if rows]

    def _returned(self, sent: Iterable[str]) -> list[DocumentRow]:
        """Rows of returns, whose quantities are negative."""
        rows = self._api.rows_in(
            "Delivery Note Item",
            fields_of(DocumentRow),
            "dn_detail",
            sorted(sent),
            ("docstatus", "!=", CANCELLED),
            parent="Delivery Note",
        )
        return [read(DocumentRow, row) for row in rows]


def _share(note: Note, wanted: dict[str, int], left: Mapping[str, int]) -> dict[str, int]:
    """What of the wanted units this note can give back, by its row; `wanted` is lowered by it."""
    rows = {}
    for row in note.rows:
        units = min(wanted.get(row.so_detail, 0), left[row.name])
        if units > 0:
            rows[row.name] = units
            wanted[row.so_detail] -= units
    return rows


def _return_document(source: Any, units: Mapping[str, int], goods: GoodsReturn) -> Json:
    document = _object(source)
    items = [
        {**row, "qty": -units[row["dn_detail"]], "warehouse": goods.warehouse, **_WITHOUT_ORDER}
        for row in _rows(document)
        if row.get("dn_detail") in units
    ]
    return {**of_source(document), "items": items, "po_no": goods.key}


_WITHOUT_ORDER = {"so_detail": None, "against_sales_order": None}


def _by_row(order: OrderDocument, units: Mapping[str, int]) -> dict[str, int]:
    """By the order's rows instead of our keys."""
    rows = {key_of(row): row.name for row in order.items}
    unknown = sorted(set(units) - set(rows))
    if unknown:
        raise refused(f"the Sales Order has no line {unknown[0]}")
    return {rows[key]: count for key, count in units.items()}


def _object(source: Any) -> Json:
    if not isinstance(source, dict):
        raise bug("ERPNext draws up something other than a document")
    return source


def _rows(source: Json) -> list[Json]:
    return [of_source(row) for row in source.get("items") or []]
