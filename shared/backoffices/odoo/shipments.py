"""Deliveries that others have shipped, and returns: Odoo's transfers (`stock.picking`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.backoffices.documents import GoodsReturn, Sale, SaleState, Shipping
from shared.backoffices.http import refused
from shared.backoffices.odoo import mapping
from shared.backoffices.odoo.client import OdooApi
from shared.backoffices.odoo.dialect import Dialect
from shared.backoffices.odoo.masters import Masters, Place
from shared.backoffices.odoo.names import external_id
from shared.backoffices.odoo.sales import Found, Sales
from shared.backoffices.odoo.schemas import Move, Picking, read
from shared.orders.models import Parcel

_WITHOUT_ASKING = {"skip_backorder": True, "skip_sms": True, "skip_immediate": True}
"""Without the first, validating a part answers 200 with a dialogue and does nothing (ran)."""

_MOST_TRANSFERS = 20
"""No sale has so many open deliveries: something does not move on."""


class Shipments:
    def __init__(self, api: OdooApi, dialect: Dialect, masters: Masters, sales: Sales) -> None:
        self._api = api
        self._dialect = dialect
        self._masters = masters
        self._sales = sales

    def ship(self, shipping: Shipping) -> Sale:
        """Eight requests when one open delivery has it all, ten when a part of it stays; two when it is done already.

        Units and key go into the open delivery in one request, its source document (`origin`) becoming the key. A
        transfer that Odoo splits off for the rest inherits that text; its `backorder_id` tells it, and it gets its own.
        """
        for _ in range(_MOST_TRANSFERS):
            found = self._sales.require(shipping.sale)
            ours = _of_key(found, shipping.key)
            waiting = next((picking for picking in ours if picking.is_open), None)
            if waiting is not None:
                self._validate(waiting)
                continue
            missing = _missing(shipping, found, ours)
            if missing:
                self._assign(shipping, found, missing)
                continue
            split = [one for one in found.order.picking_ids if one.origin == shipping.key and one not in ours]
            if split:
                ids = [one.id for one in split]
                self._api.call("stock.picking", "write", ids, vals={"origin": found.order.name})
                found = self._sales.require(shipping.sale)
            return found.told
        raise refused(f"the deliveries of {shipping.sale} do not come to what was shipped")

    def _assign(self, shipping: Shipping, found: Found, missing: Mapping[str, int]) -> None:
        """Mark units of the first open delivery that has some of them as picked for this shipment, and no others."""
        if found.told.state is not SaleState.CONFIRMED:
            raise refused(f"the sale {found.order.name} is {found.order.state}: nothing of it can be shipped")
        for picking in _open_deliveries(found):
            wanted = _units_from(picking, found, missing)
            if wanted:
                commands = [[1, move.id, _picked(wanted.get(move.id))] for move in picking.move_ids if move.is_open]
                values = {"origin": shipping.key, "move_ids": commands, **self._tracking(shipping.parcels)}
                self._api.call("stock.picking", "write", [picking.id], vals=values)
                return
        listed = ", ".join(f"{units} of line {key}" for key, units in missing.items())
        raise refused(f"the sale {found.order.name} has no open delivery with {listed}")

    def _tracking(self, parcels: Sequence[Parcel]) -> dict[str, str]:
        numbers = [parcel.number for parcel in parcels if parcel.number]
        return {"carrier_tracking_ref": ",".join(numbers)} if numbers and self._dialect.tracks else {}

    def _validate(self, picking: Picking) -> None:
        refusal = self._api.attempt("stock.picking", "button_validate", [picking.id], context=_WITHOUT_ASKING)
        if self._state(picking.id) != "done":
            raise refused(refusal or f"Odoo does not validate {picking.name}: it asks something that staff must answer")

    def _state(self, number: int) -> str:
        rows = self._api.rows("stock.picking", [["id", "=", number]], ["state"])
        return str(rows[0]["state"]) if rows else "gone"

    # ---- returns ----

    def take_back(self, goods: GoodsReturn) -> str:
        """Seven requests when received, four when expected; one when it is there already.

        The transfer is what Odoo's own return dialogue makes, in one `load` under our external id: the dialogue knows
        no key. Its moves do not count as delivered back (`to_refund`): money is apart.
        """
        there = self._api.rows(
            "stock.picking", [["origin", "=", goods.key], ["picking_type_code", "=", "incoming"]], ["state"], order="id"
        )
        number = int(there[0]["id"]) if there else self._returned(goods)
        state = str(there[0]["state"]) if there else "draft"
        if state == "draft":
            self._api.attempt("stock.picking", "action_confirm", [number])
        if goods.received and state != "done":
            self._receive(number)
        return str(number)

    def _returned(self, goods: GoodsReturn) -> int:
        place = self._masters.place(goods.warehouse)
        found = self._sales.require(goods.sale)
        rows = [row for line in goods.lines for row in _rows_back(goods, line.key, line.quantity, found, place)]
        done = {str(row["origin_returned_move_id/.id"]) for row in rows}
        origin = next(
            (one for one in found.order.picking_ids if any(str(move.id) in done for move in one.move_ids)), None
        )
        customers = self._customers_location(rows)
        for row in rows:
            row["location_id/.id"] = customers
        record = {
            "id": external_id("return", goods.key),
            "picking_type_id/.id": str(place.incoming),
            "partner_id/.id": str(found.order.partner_shipping_id or ""),
            "location_id/.id": customers,
            "location_dest_id/.id": str(place.shelf),
            "origin": goods.key,
            "return_id/.id": str(origin.id) if origin else "",
        }
        return self._api.load("stock.picking", record, "move_ids", rows)

    def _customers_location(self, rows: Sequence[Mapping[str, str]]) -> str:
        """Where the goods are now, by Odoo's books: where their move brought them."""
        moves = self._api.rows(
            "stock.move", [["id", "=", int(rows[0]["origin_returned_move_id/.id"])]], ["location_dest_id"]
        )
        return str(moves[0]["location_dest_id"][0])

    def _receive(self, number: int) -> None:
        specification: dict[str, Any] = {
            "state": {},
            "name": {},
            "move_ids": {"fields": {"state": {}, "product_uom_qty": {}}},
        }
        (row,) = self._api.graph("stock.picking", [["id", "=", number]], specification)
        picking = read(Picking, row)
        if not picking.is_open:
            return
        commands = [
            [1, move.id, {"quantity": mapping.whole(move.product_uom_qty), "picked": True}]
            for move in picking.move_ids
            if move.is_open
        ]
        self._api.call("stock.picking", "write", [number], vals={"move_ids": commands})
        self._validate(picking)


def _of_key(found: Found, key: str) -> list[Picking]:
    """Deliveries of this shipment. One that was split off from another of them has only inherited the key."""
    named = {one.id: one for one in found.order.picking_ids if one.origin == key and one.state != "cancel"}
    return [one for one in named.values() if one.backorder_id not in named]


def _missing(shipping: Shipping, found: Found, ours: Sequence[Picking]) -> dict[str, int]:
    gone: dict[str, int] = {}
    for picking in ours:
        for move in picking.move_ids:
            key = found.keys.get(move.sale_line_id or 0)
            if key is not None and move.state == "done":
                gone[key] = gone.get(key, 0) + mapping.whole(move.quantity)
    wanted: dict[str, int] = {}
    for line in shipping.lines:
        wanted[line.key] = wanted.get(line.key, 0) + line.quantity
    return {key: units - gone.get(key, 0) for key, units in wanted.items() if units > gone.get(key, 0)}


def _open_deliveries(found: Found) -> list[Picking]:
    pickings = [one for one in found.order.picking_ids if one.is_to_buyer and one.is_open]
    if any(one.picking_type_code == "internal" and one.is_open for one in found.order.picking_ids):
        raise refused(f"{found.order.name} is shipped in several steps: its earlier ones are to be done in Odoo first")
    return sorted(pickings, key=lambda picking: picking.id)


def _units_from(picking: Picking, found: Found, missing: Mapping[str, int]) -> dict[int, int]:
    """Units by move that this delivery has of what is missing."""
    left = dict(missing)
    taken: dict[int, int] = {}
    for move in picking.move_ids:
        key = found.keys.get(move.sale_line_id or 0)
        units = min(left.get(key or "", 0), mapping.whole(move.product_uom_qty)) if move.is_open else 0
        if key is not None and units:
            taken[move.id] = units
            left[key] -= units
    return taken


def _picked(units: int | None) -> dict[str, Any]:
    """Odoo ships what is marked as picked, and leaves the rest of the delivery reserved as it is."""
    return {"picked": False} if units is None else {"quantity": units, "picked": True}


def _rows_back(goods: GoodsReturn, key: str, units: int, found: Found, place: Place) -> list[dict[str, str]]:
    """One row for each delivery that the units came with, the latest first."""
    rows: list[dict[str, str]] = []
    left = units
    for move in _shipped_moves(found, key):
        part = min(left, mapping.whole(move.quantity))
        if part and move.product_id:
            rows.append(
                {
                    "id": external_id("return", goods.key, "line", key, str(move.id)),
                    "product_id/.id": str(move.product_id.id),
                    "product_uom_qty": str(part),
                    "location_id/.id": "",
                    "location_dest_id/.id": str(place.shelf),
                    "origin_returned_move_id/.id": str(move.id),
                    "sale_line_id/.id": str(move.sale_line_id or ""),
                    "to_refund": "0",
                }
            )
            left -= part
    if left:
        raise refused(f"{units} of line {key} cannot come back: {units - left} were shipped")
    return rows


def _shipped_moves(found: Found, key: str) -> list[Move]:
    moves = [
        move
        for picking in found.order.picking_ids
        for move in picking.move_ids
        if picking.is_to_buyer and move.state == "done" and found.keys.get(move.sale_line_id or 0) == key
    ]
    return sorted(moves, key=lambda move: move.id, reverse=True)
