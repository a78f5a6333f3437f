"""What is on the shelf and what of it may be sold.

The shelf is the warehouse's storage zone: what is picked lies in the output zone and is sold already, so the quantity of
the whole warehouse says too much (run on 8.2.1: a count of 42 and a shipment on its way gave 44). Sellable is Tryton's
forecast of that zone: what lies there, less what shipments that wait will take. Goods on order are not in it, because
they arrive in the input zone. Shipments that are drafts have not asked the shelf yet, so theirs is taken off here.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.backoffices.documents import StockCount, StockFigure
from shared.backoffices.http import refused
from shared.backoffices.port import Feed
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.customers import moved_since
from shared.backoffices.tryton.mapping import SHIPMENT
from shared.backoffices.tryton.masters import MOST_VALUES, Masters, rows
from shared.backoffices.tryton.schemas import Answer

INVENTORY = "stock.inventory"
PAGE = 500

_FEEDS = (("moves", "stock.move"), ("lines", "sale.line"))
"""An amendment deletes planned moves and so leaves no trace among them, but it changes the sale's lines."""


class _CountRow(Answer):
    state: str


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
        """Three requests; one where it was done before. The key is the inventory's number, which staff read.

        Tryton takes the count as that of the end of its day: what moved later than that is kept.
        """
        made = rows(self._api, _CountRow, INVENTORY, [["number", "=", count.key], ["company", "=", self._api.company]])
        number = made[0].id if made else self._drafted_count(count)
        if not made or made[0].state == "draft":
            self._api.press(INVENTORY, "confirm", number)
        elif made[0].state == "cancelled":
            raise refused(f"the count {count.key} was cancelled in Tryton")
        return str(number)

    def _drafted_count(self, count: StockCount) -> int:
        place = self._masters.warehouse(count.warehouse)
        self._masters.products(line.sku for line in count.lines)
        lines = [{"product": self._masters.product(line.sku).id, "quantity": line.quantity} for line in count.lines]
        values = {
            "number": count.key,
            "company": self._api.company,
            "location": place.storage_location,
            "date": count.counted_on,
            "lines": [["create", lines]],
        }
        return self._api.create(INVENTORY, values)

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
