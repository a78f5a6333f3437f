"""Goods on their way to the buyer and back: Tryton's customer shipments and customer returns.

Facts are from the module stock 8.2.1, its source and runs of it. A shipment goes draft, waiting, assigned, picked,
packed, shipped, done. Its moves to the buyer may be made smaller while it waits; when it is shipped the sale plans the
rest in a shipment of its own.
"""

from typing import Any

from shared.backoffices.documents import GoodsReturn, Shipping
from shared.backoffices.http import refused
from shared.backoffices.tryton.amendments import Amendments
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.mapping import (
    LEFT,
    SALE_LINE,
    SHIPMENT,
    goods_and_charges,
    key_of,
    open_units,
    parcels_of,
)
from shared.backoffices.tryton.masters import Masters, rows
from shared.backoffices.tryton.sales import Sales
from shared.backoffices.tryton.schemas import Answer, SaleRow, SentMoveRow, ShipmentRow, WarehouseRow
from shared.kernel.errors import Retry
from shared.orders.models import Parcel

RETURN = "stock.shipment.out.return"

_UNTOUCHED = frozenset({"draft", "waiting", "assigned"})
_OPEN = _UNTOUCHED | {"picked", "packed"}
_NEXT = {
    "draft": "wait",
    "waiting": "assign_force",
    "assigned": "pick",
    "picked": "pack",
    "packed": "ship",
}
"""Assigned by force: the goods have left, whatever Tryton thinks is on the shelf."""


class _ReturnRow(Answer):
    reference: str
    state: str


class Shipments:
    def __init__(self, api: TrytonApi, masters: Masters, sales: Sales, amendments: Amendments) -> None:
        self._api = api
        self._masters = masters
        self._sales = sales
        self._amendments = amendments

    def ship(self, shipping: Shipping) -> SaleRow:
        """Nine requests for all that waits, two more for a part of it: each state of the shipment is one, and Tryton
        asks once whether it may go without a carrier. One where it was done before.
        """
        row = self._sales.required(shipping.sale)
        if row.state == "confirmed":
            raise Retry("backoffice_busy", f"Tryton has not processed the sale {row.reference} yet")
        shipment = _ours(row, shipping.key) or self._claimed(row, shipping)
        state = shipment.state
        if state in LEFT:
            return row
        if shipping.parcels and not parcels_of(shipment):
            self._api.write(SHIPMENT, [shipment.id], {"shipping_reference": _numbers(shipping.parcels)})
        while state in _NEXT:
            self._api.press(SHIPMENT, _NEXT[state], shipment.id)
            state = _after(_NEXT[state])
        row = self._sales.required(shipping.sale)
        gone = _ours(row, shipping.key)
        if gone is None or gone.state not in LEFT:
            raise refused(f"the shipment {shipping.key} does not leave in Tryton")
        return row

    def take_back(self, goods: GoodsReturn) -> str:
        """Six requests for goods that are received, four for goods that are expected; one where it was done before."""
        made = rows(self._api, _ReturnRow, RETURN, [["reference", "=", goods.key]])
        number = made[0].id if made else self._expected_back(goods)
        state = made[0].state if made else "draft"
        if goods.received and state == "draft":
            self._api.press(RETURN, "receive", number)
            state = "received"
        if goods.received and state == "received":
            self._api.press(RETURN, "do", number)
        return str(number)

    # ---- to the buyer ----

    def _claimed(self, row: SaleRow, shipping: Shipping) -> ShipmentRow:
        """A shipment of the sale with exactly these units under our key: the waiting one, made smaller if need be."""
        wanted = _wanted_units(row, shipping)
        chosen = _suiting(row, wanted)
        if chosen is None:
            row = self._amendments.replan(row)
            chosen = _suiting(row, wanted)
        if chosen is None:
            raise refused(f"the goods of {shipping.key} wait in several shipments: ship them in Tryton")
        commands = [
            ["write", [move.id], {"quantity": wanted.get(move.origin, 0)}]
            for move in chosen.outgoing_moves
            if move.state != "cancelled" and int(move.quantity) != wanted.get(move.origin, 0)
        ]
        if not commands:
            self._api.write(SHIPMENT, [chosen.id], {"reference": shipping.key})
            return chosen
        self._set_back(chosen)
        self._api.write(SHIPMENT, [chosen.id], {"reference": shipping.key, "outgoing_moves": commands})
        return chosen.model_copy(update={"state": "draft"})

    def _set_back(self, shipment: ShipmentRow) -> None:
        """To draft, without moves from the shelf: picking would bring the moves to the buyer up to those again."""
        if shipment.state == "assigned":
            self._api.press(SHIPMENT, "wait", shipment.id)
        if shipment.state != "draft":
            self._api.press(SHIPMENT, "draft", shipment.id)

    # ---- back ----

    def _expected_back(self, goods: GoodsReturn) -> int:
        row = self._sales.required(goods.sale)
        sent = self._sent(row)
        for line in goods.lines:
            count = sum(int(move.quantity) for move in sent.get(line.key, []))
            if line.quantity > count:
                raise refused(f"{line.quantity} × {line.sku} cannot come back: {count} were shipped")
        warehouse = self._masters.warehouse(goods.warehouse)
        moves = [
            _move_back(move, units, warehouse, self._api.company)
            for line in goods.lines
            for move, units in _shares(sent[line.key], line.quantity)
        ]
        values = {
            "reference": goods.key,
            "company": self._api.company,
            "customer": row.party,
            "contact_address": row.shipment_address,
            "warehouse": warehouse.id,
            "warehouse_storage": warehouse.storage_location,
            "warehouse_input": warehouse.input_location,
            "moves": [["create", moves]],
        }
        return self._api.create(RETURN, values)

    def _sent(self, row: SaleRow) -> dict[str, list[SentMoveRow]]:
        """The moves to the buyer in shipments that have left, by the line's key."""
        keys = {f"{SALE_LINE},{line.id}": key_of(line) for line in goods_and_charges(row)}
        left = {f"{SHIPMENT},{each.id}" for each in row.shipments if each.state in LEFT}
        moves = rows(self._api, SentMoveRow, "stock.move", [["origin", "in", list(keys)], ["state", "!=", "cancelled"]])
        found: dict[str, list[SentMoveRow]] = {}
        for move in moves:
            if move.shipment in left:
                found.setdefault(keys[move.origin], []).append(move)
        return found


def _ours(row: SaleRow, key: str) -> ShipmentRow | None:
    return next((each for each in row.shipments if each.reference == key and each.state != "cancelled"), None)


def _wanted_units(row: SaleRow, shipping: Shipping) -> dict[str, int]:
    """By Tryton's reference of the line.

    Raises:
        Rejected: `backoffice_refused` when more is shipped than is open.
    """
    lines = {key_of(line): line for line in goods_and_charges(row)}
    left = {f"{SHIPMENT},{each.id}" for each in row.shipments if each.state in LEFT}
    wanted: dict[str, int] = {}
    for each in shipping.lines:
        line = lines.get(each.key)
        gone = sum(int(move.quantity) for move in line.moves if move.shipment in left) if line else 0
        still = int(line.quantity) - gone if line else 0
        if line is None or each.quantity > still:
            raise refused(f"{each.quantity} of line {each.key} cannot be shipped: {still} are open")
        wanted[f"{SALE_LINE},{line.id}"] = wanted.get(f"{SALE_LINE},{line.id}", 0) + each.quantity
    return wanted


def _suiting(row: SaleRow, wanted: dict[str, int]) -> ShipmentRow | None:
    """The shipment with just these units, however far it is; or else one that nobody has picked and that has more."""
    free = [each for each in row.shipments if each.state in _OPEN and not each.reference]
    exact = [each for each in free if open_units(each) == wanted]
    larger = [
        each
        for each in free
        if each.state in _UNTOUCHED and all(open_units(each).get(line, 0) >= count for line, count in wanted.items())
    ]
    return next(iter(exact + larger), None)


def _numbers(parcels: tuple[Parcel, ...]) -> str | None:
    return ", ".join(parcel.number for parcel in parcels if parcel.number) or None


def _after(button: str) -> str:
    return {"wait": "waiting", "assign_force": "assigned", "pick": "picked", "pack": "packed"}.get(button, "shipped")


def _shares(moves: list[SentMoveRow], units: int) -> list[tuple[SentMoveRow, int]]:
    """So many units, taken from the moves in their order."""
    shares = []
    for move in moves:
        share = min(units, int(move.quantity))
        if share:
            shares.append((move, share))
            units -= share
    return shares


def _move_back(move: SentMoveRow, units: int, warehouse: WarehouseRow, company: int) -> dict[str, Any]:
    """Its origin is the move out, not the sale's line: the line would count it as one more unit shipped."""
    return {
        "product": move.product,
        "unit": move.unit,
        "quantity": units,
        "from_location": move.to_location,
        "to_location": warehouse.input_location,
        "unit_price": move.unit_price,
        "currency": move.currency,
        "company": company,
        "origin": f"stock.move,{move.id}",
    }
