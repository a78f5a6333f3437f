"""What Odoo does by itself when records of trade are made, changed and confirmed, as seen in 19.0.

Simpler than Odoo: one warehouse step, one place for all goods, no kits, lots or units of measure, one currency rate.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from infra.fakes.odoo_store import Store, Values, user_error

_CENT = Decimal("0.01")
_OPEN = ("draft", "confirmed", "assigned", "waiting", "partially_available")


class Trade:
    def __init__(self, store: Store) -> None:
        self.store = store
        store.created = self._created
        store.written = self._written
        computed = store.computed
        computed["product.product", "qty_available"] = lambda record, _context: self.on_hand(record["id"])
        computed["product.product", "outgoing_qty"] = lambda record, _context: self._outgoing(record["id"])

    # ---- sales ----

    def confirm(self, ids: Iterable[int]) -> bool:
        for order in self.store.existing("sale.order", ids):
            if order["state"] not in ("draft", "sent"):
                raise user_error("Some orders are not in a state requiring confirmation.")
            self._set("sale.order", order, state="sale")
            for line in self._lines(order):
                self._follow(order, line)
        return True

    def cancel(self, ids: Iterable[int]) -> bool:
        """It does not mind goods that are delivered; draft invoices go with it."""
        for order in self.store.existing("sale.order", ids):
            self._set("sale.order", order, state="cancel")
            for picking in self._pickings(order):
                if picking["state"] != "done":
                    self._cancel(picking)
            for bill in self.store.existing("account.move", self.store.value("sale.order", order, "invoice_ids")):
                if bill["state"] == "draft":
                    self._set("account.move", bill, state="cancel")
        return True

    def _lines(self, order: Values) -> list[Values]:
        return [line for line in self.store.records["sale.order.line"].values() if line["order_id"] == order["id"]]

    def _pickings(self, order: Values) -> list[Values]:
        return [one for one in self.store.records["stock.picking"].values() if one["sale_id"] == order["id"]]

    def _follow(self, order: Values, line: Values) -> None:
        """Have open moves for what of a confirmed line has not left: more, fewer, or cancelled ones."""
        product = self.store.records["product.product"].get(line["product_id"])
        if product is None or product["type"] == "service":
            return
        moves = [
            move
            for move in self.store.records["stock.move"].values()
            if move["sale_line_id"] == line["id"] and not move["origin_returned_move_id"]
        ]
        done = sum((move["quantity"] for move in moves if move["state"] == "done"), Decimal(0))
        if line["product_uom_qty"] < done:
            raise user_error(
                "The ordered quantity of a sale order line cannot be decreased below the amount already delivered."
            )
        waiting = [move for move in moves if move["state"] in _OPEN]
        difference = line["product_uom_qty"] - done - sum((move["product_uom_qty"] for move in waiting), Decimal(0))
        if difference > 0:
            self._demand(order, line, difference, waiting)
        for move in waiting if difference < 0 else ():
            lowered = min(move["product_uom_qty"], -difference)
            difference += lowered
            self._lower(move, move["product_uom_qty"] - lowered)

    def _demand(self, order: Values, line: Values, units: Decimal, waiting: list[Values]) -> None:
        if waiting:
            self._set("stock.move", waiting[0], product_uom_qty=waiting[0]["product_uom_qty"] + units)
            self._reserve(waiting[0])
            return
        open_pickings = [one for one in self._pickings(order) if self._is_waiting(one)]
        picking = open_pickings[0] if open_pickings else self._delivery(order)
        move = self.store.create(
            "stock.move",
            {
                "picking_id": picking["id"],
                "product_id": line["product_id"],
                "product_uom_qty": units,
                "sale_line_id": line["id"],
                "state": "confirmed",
                "location_id": picking["location_id"],
                "location_dest_id": picking["location_dest_id"],
            },
        )
        self._reserve(move)

    def _is_waiting(self, picking: Values) -> bool:
        return picking["picking_type_code"] == "outgoing" and picking["state"] in _OPEN

    def _delivery(self, order: Values) -> Values:
        warehouse = self.store.records["stock.warehouse"][order["warehouse_id"]]
        customers = next(
            number for number, place in self.store.records["stock.location"].items() if place["usage"] == "customer"
        )
        return self.store.create(
            "stock.picking",
            {
                "picking_type_id": warehouse["out_type_id"],
                "sale_id": order["id"],
                "partner_id": order["partner_shipping_id"],
                "origin": order["name"],
                "state": "assigned",
                "location_id": warehouse["lot_stock_id"],
                "location_dest_id": customers,
            },
        )

    def _lower(self, move: Values, units: Decimal) -> None:
        values: Values = {"product_uom_qty": units, "quantity": min(move["quantity"], units)}
        self._set("stock.move", move, **values, **({} if units else {"state": "cancel"}))
        picking = self.store.records["stock.picking"][move["picking_id"]]
        if all(each["state"] == "cancel" for each in self._moves(picking)):
            self._set("stock.picking", picking, state="cancel")

    # ---- transfers ----

    def validate(self, ids: Iterable[int], context: Mapping[str, Any]) -> Any:
        """True; without `skip_backorder` a dialogue and nothing done where a part stays."""
        for picking in self.store.existing("stock.picking", ids):
            if picking["state"] == "done":
                continue
            self.confirm_transfer([picking["id"]])
            moves = [move for move in self._moves(picking) if move["state"] in _OPEN]
            leaving = [move for move in moves if move["picked"]] or [move for move in moves if move["quantity"]]
            if not any(move["quantity"] for move in leaving):
                raise user_error("You cannot validate a transfer if no quantities are reserved.")
            rest = [move for move in moves if move not in leaving or move["quantity"] < move["product_uom_qty"]]
            if rest and not context.get("skip_backorder"):
                return {"type": "ir.actions.act_window", "res_model": "stock.backorder.confirmation"}
            self._split_off(picking, rest, leaving)
            for move in leaving:
                self._done(picking, move)
            self._set("stock.picking", picking, state="done", date_done=picking["write_date"])
        return True

    def confirm_transfer(self, ids: Iterable[int]) -> bool:
        for picking in self.store.existing("stock.picking", ids):
            if picking["state"] == "draft":
                self._set("stock.picking", picking, state="assigned")
                for move in self._moves(picking):
                    self._set("stock.move", move, state="assigned", quantity=move["product_uom_qty"])
        return True

    def _moves(self, picking: Values) -> list[Values]:
        return [move for move in self.store.records["stock.move"].values() if move["picking_id"] == picking["id"]]

    def _split_off(self, picking: Values, rest: list[Values], leaving: list[Values]) -> None:
        """What stays goes into a transfer of its own; it inherits the source document, but no tracking number."""
        if not rest:
            return
        kept = ("picking_type_id", "sale_id", "partner_id", "origin", "location_id", "location_dest_id")
        values = {name: picking[name] for name in kept}
        backorder = self.store.create("stock.picking", {**values, "state": "assigned", "backorder_id": picking["id"]})
        for move in rest:
            if move in leaving:
                left = move["product_uom_qty"] - move["quantity"]
                copied = {
                    name: move[name] for name in ("product_id", "sale_line_id", "location_id", "location_dest_id")
                }
                more = {"product_uom_qty": left, "state": "confirmed", "picking_id": backorder["id"]}
                self._set("stock.move", move, product_uom_qty=move["quantity"])
                self._reserve(self.store.create("stock.move", {**copied, **more}))
            else:
                self._set("stock.move", move, picking_id=backorder["id"], picked=False)

    def _done(self, picking: Values, move: Values) -> None:
        self._set("stock.move", move, state="done", picked=True)
        sign = {"outgoing": -1, "incoming": 1}.get(picking["picking_type_code"], 0)
        self._put_on_shelf(move["product_id"], sign * move["quantity"])

    def _cancel(self, picking: Values) -> None:
        self._set("stock.picking", picking, state="cancel")
        for move in self._moves(picking):
            if move["state"] in _OPEN:
                self._set("stock.move", move, state="cancel", quantity=Decimal(0))

    # ---- stock ----

    def on_hand(self, product: int) -> Decimal:
        quants = self.store.records["stock.quant"].values()
        return sum((quant["quantity"] for quant in quants if quant["product_id"] == product), Decimal(0))

    def _outgoing(self, product: int) -> Decimal:
        return sum(
            (
                move["product_uom_qty"]
                for move in self.store.records["stock.move"].values()
                if move["product_id"] == product
                and move["state"] in _OPEN
                and move["state"] != "draft"
                and self._leaves(move)
            ),
            Decimal(0),
        )

    def _leaves(self, move: Values) -> bool:
        picking = self.store.records["stock.picking"].get(move["picking_id"])
        return picking is not None and picking["picking_type_code"] == "outgoing"

    def _reserve(self, move: Values) -> None:
        reserved = sum(
            (
                other["quantity"]
                for other in self.store.records["stock.move"].values()
                if other["product_id"] == move["product_id"]
                and other["state"] in _OPEN
                and other["id"] != move["id"]
                and self._leaves(other)
            ),
            Decimal(0),
        )
        free = max(self.on_hand(move["product_id"]) - reserved, Decimal(0))
        taken = min(move["product_uom_qty"], free)
        state = "assigned" if taken == move["product_uom_qty"] else "partially_available" if taken else "confirmed"
        self._set("stock.move", move, quantity=taken, state=state)

    def _put_on_shelf(self, product: int, units: Decimal) -> None:
        shelf = next(iter(self.store.records["stock.warehouse"].values()))["lot_stock_id"]
        quant = self.quant(product, shelf)
        self._set("stock.quant", quant, quantity=quant["quantity"] + units)

    def quant(self, product: int, place: int) -> Values:
        """The stock line of a product and place; creating one in a count's mode gives the one that is there."""
        for quant in self.store.records["stock.quant"].values():
            if (quant["product_id"], quant["location_id"]) == (product, place):
                return quant
        return self.store.create("stock.quant", {"product_id": product, "location_id": place})

    def apply_count(self, ids: Iterable[int], context: Mapping[str, Any]) -> None:
        """Make a move for each line, one of nothing as well; its reference is the name that the context gives."""
        for quant in self.store.existing("stock.quant", ids):
            difference = quant["inventory_quantity"] - quant["quantity"]
            self.store.create(
                "stock.move",
                {
                    "product_id": quant["product_id"],
                    "product_uom_qty": abs(difference),
                    "quantity": abs(difference),
                    "reference": context.get("inventory_name") or "Product Quantity Updated",
                    "state": "done",
                },
            )
            self._set("stock.quant", quant, quantity=quant["inventory_quantity"])

    # ---- money ----

    def post(self, ids: Iterable[int]) -> bool:
        for bill in self.store.existing("account.move", ids):
            if bill["state"] != "draft":
                raise user_error(f"The entry {bill['name']} (id {bill['id']}) must be in draft.")
            prefix = {"out_invoice": "INV", "out_refund": "RINV", "entry": "MISC"}[bill["move_type"]]
            posted = sum(
                each["move_type"] == bill["move_type"] and each["state"] == "posted"
                for each in self.store.records["account.move"].values()
            )
            if bill["move_type"] == "entry":
                self._require_balance(bill)
                self._leave_locked_days(bill)
            self._set("account.move", bill, state="posted", name=f"{prefix}/2026/{posted + 1:05}")
        return False

    def _require_balance(self, entry: Values) -> None:
        lines = self.store.search("account.move.line", [["move_id", "=", entry["id"]]])
        if sum(line["debit"] - line["credit"] for line in lines):
            raise user_error("The entry is not balanced.")

    def _leave_locked_days(self, entry: Values) -> None:
        """An entry of a locked day goes to the first day after, without a word."""
        for company in self.store.records["res.company"].values():
            last = company["user_fiscalyear_lock_date"]
            if last and entry["date"] <= last:
                entry["date"] = f"{date.fromisoformat(last) + timedelta(days=1)}"

    def post_payment(self, ids: Iterable[int]) -> None:
        """A second time it is let pass."""
        for payment in self.store.existing("account.payment", ids):
            if payment["state"] != "draft":
                continue
            entry = self.store.create("account.move", {"state": "posted", "partner_id": payment["partner_id"]})
            sign = -1 if payment["payment_type"] == "inbound" else 1
            self.store.create(
                "account.move.line",
                {
                    "move_id": entry["id"],
                    "account_type": "asset_receivable",
                    "amount_residual": sign * payment["amount"],
                    "display_type": "payment_term",
                },
            )
            self._set("account.payment", payment, state="in_process", move_id=entry["id"])

    def set_against(self, ids: Iterable[int], number: int) -> None:
        (bill,) = self.store.existing("account.move", ids)
        line = self.store.records["account.move.line"][number]
        units = min(bill["amount_total"] - bill["paid"], abs(line["amount_residual"]))
        self._set("account.move", bill, paid=bill["paid"] + units)
        left = abs(line["amount_residual"]) - units
        sign = -1 if line["amount_residual"] < 0 else 1
        self._set("account.move.line", line, amount_residual=sign * left, reconciled=not left)

    # ---- what follows from a change ----

    def _set(self, model: str, record: Values, **values: Any) -> None:
        self.store.write(model, [record["id"]], values)

    def _created(self, model: str, record: Values) -> None:
        follow = {
            "sale.order": self._new_order,
            "stock.picking": self._new_picking,
            "account.move": self._new_entry,
            "account.move.line": self._new_line,
        }.get(model)
        if follow is not None:
            follow(record)
        self._written(model, record)

    def _new_order(self, order: Values) -> None:
        company = next(iter(self.store.records["res.company"].values()))
        order["name"] = f"S{order['id']:05}"
        order["currency_id"] = order["currency_id"] or company["currency_id"]
        order["partner_invoice_id"] = order["partner_invoice_id"] or order["partner_id"]
        order["partner_shipping_id"] = order["partner_shipping_id"] or order["partner_id"]

    def _new_picking(self, picking: Values) -> None:
        code = self.store.records["stock.picking.type"][picking["picking_type_id"]]["code"]
        picking["picking_type_code"] = code
        picking["name"] = f"WH/{'OUT' if code == 'outgoing' else 'IN'}/{picking['id']:05}"

    def _new_entry(self, bill: Values) -> None:
        company = next(iter(self.store.records["res.company"].values()))
        bill["currency_id"] = bill["currency_id"] or company["currency_id"]

    def _new_line(self, line: Values) -> None:
        for sold in self.store.existing("sale.order.line", line["sale_line_ids"]):
            order = self.store.records["sale.order"][sold["order_id"]]
            order["invoice_ids"] = sorted({*order["invoice_ids"], line["move_id"]})

    def _written(self, model: str, record: Values) -> None:
        if model == "sale.order":
            self._total(record)
        elif model == "sale.order.line":
            record["price_subtotal"] = _subtotal(record, "product_uom_qty")
            order = self.store.records["sale.order"].get(record["order_id"])
            if order is not None:
                self._total(order)
                if order["state"] == "sale":
                    self._follow(order, record)
        elif model == "account.move":
            self._bill_total(record)
        elif model == "account.move.line" and record["move_id"] in self.store.records["account.move"]:
            bill = self.store.records["account.move"][record["move_id"]]
            if bill["state"] == "posted" and record["display_type"] == "product":
                raise user_error("You cannot modify the following readonly fields on a posted move: invoice_line_ids")
            self._new_line(record)
            self._bill_total(bill)

    def _total(self, order: Values) -> None:
        order["amount_total"] = self._amount(self._lines(order), "product_uom_qty")

    def _bill_total(self, bill: Values) -> None:
        lines = [
            line
            for line in self.store.records["account.move.line"].values()
            if line["move_id"] == bill["id"] and line["display_type"] == "product"
        ]
        bill["amount_total"] = self._amount(lines, "quantity")
        bill["amount_residual"] = bill["amount_total"] - bill["paid"]

    def _amount(self, lines: Iterable[Values], units: str) -> Decimal:
        """Taxes are rounded once for each tax, as 19.0 does by default ("Round per Tax", its source)."""
        total = Decimal(0)
        bases: dict[int, Decimal] = {}
        for line in lines:
            subtotal = _subtotal(line, units)
            total += subtotal
            for tax in line["tax_ids"]:
                bases[tax] = bases.get(tax, Decimal(0)) + subtotal
        for tax, base in bases.items():
            total += _cents(base * self.store.records["account.tax"][tax]["amount"] / 100)
        return total


def _subtotal(line: Values, units: str) -> Decimal:
    return _cents(Decimal(line["price_unit"]) * Decimal(line[units]) * (1 - Decimal(line["discount"]) / 100))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
