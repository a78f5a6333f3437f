"""Stock: figures, changes and counts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.backoffices.documents import StockCount, StockFigure
from shared.backoffices.http import refused
from shared.backoffices.odoo.client import OdooApi
from shared.backoffices.odoo.dialect import Dialect
from shared.backoffices.odoo.feeds import PAGE, moment, page_after
from shared.backoffices.odoo.masters import Masters, Place
from shared.backoffices.port import Feed
from shared.kernel.errors import Retry

_COUNTING = {"inventory_mode": True}


class Stock:
    def __init__(self, api: OdooApi, dialect: Dialect, masters: Masters) -> None:
        self._api = api
        self._dialect = dialect
        self._masters = masters

    def figures(self, skus: Iterable[str], warehouse: str) -> Mapping[str, StockFigure]:
        """One request for all; once, the warehouses and the dialect. Goods that Odoo does not count are left out."""
        wanted = sorted(set(skus))
        place = self._masters.place(warehouse)
        counted = ["is_storable", "=", True] if self._dialect.has_storable else ["type", "=", "product"]
        context = {"warehouse_id": place.id, "warehouse": place.id}  # the second is Odoo 17's word
        rows = self._api.rows(
            "product.product",
            [["default_code", "in", wanted], ["sale_ok", "=", True], counted],
            ["default_code", "qty_available", "outgoing_qty"],
            order="id",
            context=context,
        )
        found: dict[str, StockFigure] = {}
        for row in rows:
            sku = str(row["default_code"])
            on_hand = Decimal(row["qty_available"])
            found.setdefault(
                sku, StockFigure(sku=sku, on_hand=int(on_hand), sellable=int(on_hand - Decimal(row["outgoing_qty"])))
            )
        return found

    def changed(self, since: datetime, cursor: str | None) -> Feed[str]:
        """One request a page, by the moves: neither a product nor its stock line is written reliably when goods move.

        (`stock.quant` lines of sold-out products vanish, `product.product` keeps its `write_date`: ran against 19.0.)
        """
        domain = [["write_date", ">=", moment(since)], *page_after(cursor)]
        product: dict[str, Any] = {"product_id": {"fields": {"default_code": {}}}}
        rows = self._api.graph("stock.move", domain, product, limit=PAGE, order="id")
        return Feed(_skus_of(rows), str(rows[-1]["id"]) if len(rows) == PAGE else None)

    def count(self, count: StockCount) -> str:
        """Six requests; one when it was applied already.

        Applying makes a move for each line, one without a difference as well (ran), and all of them bear our key as
        their reference. Until then the lines wait in Odoo's list of counts, where they may be overwritten.
        """
        done = self._moves(count.key)
        if done:
            return done
        place = self._masters.place(count.warehouse)
        products = self._masters.product_ids(line.sku for line in count.lines)
        shelves = self._shelves([int(product) for product in products.values()], place)
        counted = [
            {
                "product_id": int(products[line.sku]),
                "location_id": shelves.get(int(products[line.sku]), place.shelf),
                "inventory_quantity": line.quantity,
            }
            for line in count.lines
        ]
        quants = self._api.call("stock.quant", "create", vals_list=counted, context=_COUNTING)
        refusal = self._api.attempt(
            "stock.quant", "action_apply_inventory", _ids(quants), context={"inventory_name": count.key, **_COUNTING}
        )
        done = self._moves(count.key)
        if refusal:
            raise refused(refusal)
        if not done:
            raise Retry("backoffice_busy", "goods moved in Odoo while they were counted")
        return done

    def _moves(self, key: str) -> str:
        """The reference of the moves that this count has made; empty where there are none."""
        rows = self._api.rows("stock.move", [["reference", "=", key], ["state", "=", "done"]], ["reference"], limit=1)
        return str(rows[0]["reference"]) if rows else ""

    def _shelves(self, products: Sequence[int], place: Place) -> dict[int, int]:
        """The one place in the warehouse where each product lies. One in several cannot be counted as a whole."""
        domain = [
            ["product_id", "in", list(products)],
            ["location_id", "child_of", place.everything],
            ["location_id.usage", "=", "internal"],
            ["quantity", "!=", 0],
        ]
        rows = self._api.rows("stock.quant", domain, ["product_id", "location_id", "lot_id", "package_id", "owner_id"])
        shelves: dict[int, int] = {}
        for row in rows:
            product, shelf = int(row["product_id"][0]), int(row["location_id"][0])
            if product in shelves or _is_split(row):
                raise refused(
                    f"{row['product_id'][1]} lies in several places or lots of {place.name}: count it in Odoo"
                )
            shelves[product] = shelf
        return shelves


def _skus_of(moves: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Of the moves' products; one without an internal reference has none."""
    codes = (move["product_id"].get("default_code") for move in moves if isinstance(move.get("product_id"), dict))
    return tuple(dict.fromkeys(str(code) for code in codes if code))


def _is_split(row: Mapping[str, Any]) -> bool:
    return bool(row["lot_id"] or row["package_id"] or row["owner_id"])


def _ids(value: Any) -> list[int]:
    return [int(number) for number in value] if isinstance(value, list) else [int(value)]
