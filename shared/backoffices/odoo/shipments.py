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
from shared.backoffices.odoo.schemas import Move, Picking
from shared.orders.models import Parcel

_WITHOUT_ASKING = {"skip_backorder": True, "skip_sms": True, "skip_immediate": True}
"""Without the first, validating a part answers 200 with a dialogue and does nothing (ran)."""

_UNANSWERED = "Odoo does not validate the transfer: it asks something that staff must answer"
_MOST_TRANSFERS = 20
"""No sale has so many open deliveries: something does not move on."""


class Shipments:
    def __init__(self, api: OdooApi, dialect: Dialect, masters: Masters, sales: Sales) -> None:
        self._api = api
        self._dialect = dialect
        self._masters = masters
        self._sales = sales

    def ship(self, shipping: Shipping) -> Sale:
        """Six requests when one open delivery has it all, seven when a part of it stays; two when it is done already.

        Units and key go into the open delivery in one request, its source document (`origin`) becoming the key. A
        transfer that Odoo splits off for the rest inherits that text; its `backorder_id` tells it, and it gets its own.
        """
        found = self._sales.require(shipping.sale)
        for _ in range(_MOST_TRANSFERS):
            ours = _of_key(found, shipping.key)
            waiting = next((picking.id for picking in ours if picking.is_open), None)
            missing = {} if waiting else _missing(shipping, found, ours)
            if waiting is None and not missing:
                self._rename_rest(found, shipping.key, ours)
                return found.told
            number = waiting or self._assign(shipping, found, missing)
            refusal = self._api.attempt("stock.picking", "button_validate", [number], context=_WITHOUT_ASKING)
            found = self._sales.require(shipping.sale)
            if any(picking.id == number and picking.is_open for picking in found.order.picking_ids):
                raise refused(refusal or _UNANSWERED)
        raise refused(f"the deliveries of {shipping.sale} do not come to what was shipped")

    def _rename_rest(self, found: Found, key: str, ours: Sequence[Picking]) -> None:
        """Give what Odoo has split off for later the sale as its source again: it is not of this shipment."""
        rest = [picking.id for picking in found.order.picking_ids if picking.origin == key and picking not in ours]
        if rest:
            self._api.call("stock.picking", "write", rest, vals={"origin": found.order.name})

    def _assign(self, shipping: Shipping, found: Found, missing: Mapping[str, int]) -> int:
        """Mark units of the first open delivery that has some of them as picked for this shipment, and no others."""
        if found.told.state is not SaleState.CONFIRMED:
            raise refused(f"the sale {found.order.name} is {found.order.state}: nothing of it can be shipped")
        deliveries = _open_deliveries(found)
        short = _short(deliveries, found, missing)
        if short:
            listed = ", ".join(f"{units} of line {key}" for key, units in short.items())
            raise refused(f"the sale {found.order.name} has no open delivery with {listed}")
        for picking in deliveries:
            wanted = _units_from(picking, found, missing)
            if wanted:
                commands = [[1, move.id, _picked(wanted.get(move.id))] for move in picking.move_ids if move.is_open]
                values = {"origin": shipping.key, "move_ids": commands, **self._tracking(shipping.parcels)}
                self._api.call("stock.picking", "write", [picking.id], vals=values)
                return picking.id
        raise refused(f"the sale {found.order.name} has no open delivery")

    def _tracking(self, parcels: Sequence[Parcel]) -> dict[str, str]:
        numbers = [parcel.number for parcel in parcels if parcel.number]
        return {"carrier_tracking_ref": ",".join(numbers)} if numbers and self._dialect.tracks else {}

    # ---- returns ----

    def take_back(self, goods: GoodsReturn) -> str:
        """Six requests, once one more; one when it is there already.

        The transfer is what Odoo's own return dialogue makes, in one `load` under our external id: the dialogue knows
        no key. Its moves do not count as delivered back (`to_refund`): money is apart.
        """
        number, state = self._there(goods) or (self._returned(goods), "draft")
        refusal = ""
        if goods.received and state != "done":  # it confirms a draft, and takes all units where none is picked (ran)
            refusal = self._api.attempt("stock.picking", "button_validate", [number], context=_WITHOUT_ASKING)
        elif state == "draft":
            refusal = self._api.attempt("stock.picking", "action_confirm", [number])
        else:
            return str(number)
        there = self._there(goods)
        if there is None or there[1] == "draft" or (goods.received and there[1] != "done"):
            raise refused(refusal or _UNANSWERED)
        return str(number)

    def _there(self, goods: GoodsReturn) -> tuple[int, str] | None:
        domain = [["origin", "=", goods.key], ["picking_type_code", "=", "incoming"], ["backorder_id", "=", False]]
        rows = self._api.rows("stock.picking", domain, ["state"], order="id", limit=1)
        return (int(rows[0]["id"]), str(rows[0]["state"])) if rows else None

    def _returned(self, goods: GoodsReturn) -> int:
        place = self._masters.place(goods.warehouse)
        found = self._sales.require(goods.sale)
        rows = [row for line in goods.lines for row in _rows_back(goods, line.key, line.quantity, found, place)]
        if self._dialect.moves_have_names:
            rows = [{**row, "name": goods.key} for row in rows]
        origin = next(
            (
                picking
                for picking in found.order.picking_ids
                if any(str(move.id) == rows[0]["origin_returned_move_id/.id"] for move in picking.move_ids)
            ),
            None,
        )
        record = {
            "id": external_id("return", goods.key),
            "picking_type_id/.id": str(place.incoming),
            "partner_id/.id": str(found.order.partner_shipping_id or ""),
            "location_id/.id": rows[0]["location_id/.id"],
            "location_dest_id/.id": str(place.shelf),
            "origin": goods.key,
            "return_id/.id": str(origin.id) if origin else "",
        }
        return self._api.load("stock.picking", record, "move_ids", rows)


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


def _short(deliveries: Sequence[Picking], found: Found, missing: Mapping[str, int]) -> dict[str, int]:
    """What all open deliveries together do not have: looked at before a part of it is sent off."""
    short = dict(missing)
    for picking in deliveries:
        for move in picking.move_ids:
            key = found.keys.get(move.sale_line_id or 0)
            if key in short and move.is_open:
                short[key] -= mapping.whole(move.product_uom_qty)
    return {key: units for key, units in short.items() if units > 0}


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
                    "location_id/.id": str(move.location_dest_id or ""),
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
