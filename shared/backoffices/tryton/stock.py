"""What is on the shelf and what of it may be sold.

The shelf is the warehouse's storage zone: what is picked lies in the output zone and is sold already, so the quantity
of the whole warehouse says too much (run on 8.2.1: a count of 42 and a shipment on its way gave 44). Sellable is
Tryton's forecast of that zone: what lies there, less what shipments that wait will take. Goods on order are not in it,
because they arrive in the input zone. Shipments that are drafts have not asked the shelf yet, so theirs is taken off.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from shared.backoffices.documents import StockCount, StockFigure
from shared.backoffices.http import refused
from shared.backoffices.port import Feed
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.customers import moved_since
from shared.backoffices.tryton.mapping import SHIPMENT
from shared.backoffices.tryton.masters import MOST_VALUES, Masters, rows
from shared.backoffices.tryton.schemas import Answer, Number, Text

INVENTORY = "stock.inventory"
PAGE = 500

_FEEDS = (("moves", "stock.move"), ("lines", "sale.line"))
"""An amendment deletes planned moves and so leaves no trace among them, but it changes the sale's lines."""


class _CountLineRow(Answer):
    product: int
    quantity: Number


class _CountRow(Answer):
    state: str
    create_uid: int
    lines: tuple[_CountLineRow, ...] = Field(alias="lines.")


class _NoteRow(Answer):
    resource: str
    message: Text


class Stock:
    def __init__(self, api: TrytonApi, masters: Masters) -> None:
        self._api = api
        self._masters = masters

    def figures(self, skus: Iterable[str], warehouse: str) -> Mapping[str, StockFigure]:
        """Two requests for 200 products."""
        place = self._masters.warehouse(warehouse)
        wanted = list(dict.fromkeys(skus))
        figures: dict[str, StockFigure] = {}
        for start in range(0, len(wanted), MOST_VALUES):
            batch = wanted[start : start + MOST_VALUES]
            shelf = self._api.rows(
                "product.product",
                [["code", "in", batch], ["type", "=", "goods"]],
                ["code", "quantity", "forecast_quantity"],
                context={"locations": [place.storage_location], "with_childs": True},
            )
            drafted = self._drafted(batch, place.output_location) if shelf else {}
            for row in shelf:
                sellable = _units(row["forecast_quantity"]) - drafted.get(row["code"], 0)
                figures[row["code"]] = StockFigure(sku=row["code"], on_hand=_units(row["quantity"]), sellable=sellable)
        return figures

    def changed(self, since: datetime, cursor: str | None) -> Feed[str]:
        """One request for a page of five hundred moves, then of lines of sales."""
        name, _, after = (cursor or "moves:0").partition(":")
        model = dict(_FEEDS)[name]
        domain = [["id", ">", int(after)], ["product", "!=", None], moved_since("", since)]
        found = self._api.rows(model, domain, ["product.code"], limit=PAGE)
        skus = dict.fromkeys(str(row["product."]["code"]) for row in found if row["product."]["code"])
        if len(found) == PAGE:
            return Feed(tuple(skus), f"{name}:{found[-1]['id']}")
        return Feed(tuple(skus), "lines:0" if name == "moves" else None)

    def count(self, count: StockCount) -> str:
        """Four requests, one more where there was a count of the same day; two where it was done before.

        An inventory has no field for a key, so the key is a note on it, which staff read beside it. A draft of ours
        that has no note yet was left by a run before this one: it is taken where it says the same.

        Tryton takes the count as that of the end of its day: what moved later than that is kept.
        """
        domain = [["location", "=", self._shelf(count)], ["date", "=", count.counted_on]]
        made = rows(self._api, _CountRow, INVENTORY, domain)
        notes = self._notes(made)
        found = next((row for row in made if count.key in notes.get(row.id, ())), None)
        number = found.id if found else self._noted(count, [row for row in made if row.id not in notes])
        if found is None or found.state == "draft":
            self._api.press(INVENTORY, "confirm", number)
        elif found.state == "cancelled":
            raise refused(f"the count {count.key} was cancelled in Tryton")
        return str(number)

    def _notes(self, inventories: list[_CountRow]) -> dict[int, list[str]]:
        """Tryton lets notes be searched by the records that they are on, and not otherwise."""
        if not inventories:
            return {}
        resources = {f"{INVENTORY},{row.id}": row.id for row in inventories}
        notes: dict[int, list[str]] = {}
        for note in rows(self._api, _NoteRow, "ir.note", [["resource", "in", list(resources)]]):
            notes.setdefault(resources[note.resource], []).append(note.message)
        return notes

    def _noted(self, count: StockCount, without_note: list[_CountRow]) -> int:
        """A draft with the count's lines and its key."""
        wanted = self._lines(count)
        left = [
            row.id
            for row in without_note
            if row.state == "draft"
            and row.create_uid == self._api.user_id
            and {line.product: int(line.quantity) for line in row.lines} == wanted
        ]
        number = left[0] if left else self._draft(count)
        self._api.create("ir.note", {"resource": f"{INVENTORY},{number}", "message": count.key})
        return number

    def _draft(self, count: StockCount) -> int:
        lines = [{"product": product, "quantity": units} for product, units in self._lines(count).items()]
        values = {
            "company": self._api.company,
            "location": self._shelf(count),
            "date": count.counted_on,
            "lines": [["create", lines]],
        }
        return self._api.create(INVENTORY, values)

    def _shelf(self, count: StockCount) -> int:
        return self._masters.warehouse(count.warehouse).storage_location

    def _lines(self, count: StockCount) -> dict[int, int]:
        """Units by Tryton's product."""
        self._masters.products(line.sku for line in count.lines)
        return {self._masters.product(line.sku).id: line.quantity for line in count.lines}

    def _drafted(self, skus: list[str], output: int) -> dict[str, int]:
        """Units of shipments that are drafts still, by product."""
        domain = [
            ["product.code", "in", skus],
            ["state", "=", "draft"],
            ["from_location", "=", output],
            ["shipment.state", "=", "draft", SHIPMENT],
        ]
        units: dict[str, Decimal] = {}
        for row in self._api.rows("stock.move", domain, ["product.code", "internal_quantity"]):
            code = row["product."]["code"]
            units[code] = units.get(code, Decimal(0)) + row["internal_quantity"]
        return {code: _units(quantity) for code, quantity in units.items()}


def _units(quantity: Any) -> int:
    """Whole ones; what is less than one is cut off."""
    return int(quantity or 0)
