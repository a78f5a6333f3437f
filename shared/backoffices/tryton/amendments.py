"""Changing one's mind about a sale that Tryton has processed, by its module sale_amendment.

An amendment changes lines, lets what is not picked yet be planned anew, and shows staff who changed what. Facts are
from the modules' source, 8.2.0, and were run:

* It cannot add a line, and a line is created on a draft sale only. But a line may be moved: new ones are created on a
  helper, a draft sale that lives for a moment, moved with quantity 0, and brought to their quantity by the amendment.
* It changes no taxes. A line whose taxes change gives its key to a new line, and goes to 0.
* It deletes every planned move to the buyer that is a draft, and so spoils shipments that are assigned or picked, whose
  moves to the buyer are drafts still. Assigned ones are set back to waiting first. Picked ones are packed for the
  moment of the amendment, and then unpacked again.
* A processed sale cannot be cancelled. With all its lines at 0 Tryton calls it done, and so empty it counts as
  cancelled.
"""

from typing import Any

from shared.backoffices.documents import SalesOrder, SaleState
from shared.backoffices.http import refused
from shared.backoffices.rounding import KEY as ROUNDING
from shared.backoffices.rounding import rounding_line
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.mapping import (
    SHIPMENT,
    goods_and_charges,
    is_credit,
    key_of,
    sale_state,
    settled_units,
)
from shared.backoffices.tryton.sales import Sales, changes_of, exact
from shared.backoffices.tryton.schemas import SaleLineRow, SaleRow
from shared.kernel.errors import Retry
from shared.kernel.money import Money

NOTE = "Storebridge"
"""Description of our amendments, which tells a draft that we left from staff's own."""

_AMENDABLE = frozenset({"processing", "done"})

Change = dict[str, Any]


class Amendments:
    def __init__(self, api: TrytonApi, sales: Sales) -> None:
        self._api = api
        self._sales = sales

    def amend(self, order: SalesOrder) -> SaleRow:
        """Four requests where lines change; five more where lines are added; three more where the rounding line has to
        change; one where nothing does. Two for the shipments that are picked, one for those that are assigned.

        A worker that dies while picked shipments are packed leaves them packed: nothing tells that they were not.
        """
        row = self._without_helper(order.key)
        _require_amendable(row)
        values = {each["note"]: each for each in self._sales.new_lines(order.lines)}
        row = self._brought_to(row, values)
        if any(line.quantity > _wanted(line, values) for line in _but_rounding(row)):
            return row  # goods that left or are packed cannot be taken out: the total is the sale's own
        return self._rounded(row, order)

    def cancel(self, key: str) -> SaleRow:
        """Three requests for a draft, four for one that was processed."""
        row = self._sales.required(key)
        if sale_state(row) is SaleState.CANCELLED:
            return row
        if row.state in _AMENDABLE:
            return self._empty(row)
        if row.state == "confirmed":
            self._api.press("sale.sale", "draft", row.id)
        self._api.press("sale.sale", "cancel", row.id)
        return self._sales.required(key)

    def replan(self, row: SaleRow) -> SaleRow:
        """Let Tryton plan anew what is not picked yet, together."""
        return self._carry_out(row, {})

    def _empty(self, row: SaleRow) -> SaleRow:
        standing = [invoice for invoice in row.invoices if not is_credit(invoice)]
        if any(settled_units(row).values()) or any(each.state not in ("draft", "cancelled") for each in standing):
            raise refused(f"goods of {row.reference} have been picked, or its invoice is posted")
        return self._carry_out(row, {line.id: _at(line, 0) for line in goods_and_charges(row) if line.quantity})

    def _brought_to(self, row: SaleRow, values: dict[str, dict[str, Any]]) -> SaleRow:
        row = self._without_old_taxes(row, values)
        known = {key_of(line) for line in goods_and_charges(row)}
        row = self._with_lines(row, [each for key, each in values.items() if key not in known])
        settled = settled_units(row)
        changes: dict[int, Change] = {}
        for line in _but_rounding(row):
            change = _change(line, values.get(key_of(line)), settled.get(line.id, 0))
            if change:
                changes[line.id] = change
        if changes:
            return self._carry_out(row, changes)
        self._discard_drafts(row)
        return row

    def _without_old_taxes(self, row: SaleRow, values: dict[str, dict[str, Any]]) -> SaleRow:
        """Take the key from lines whose taxes change. Goods that were picked keep the taxes they were sold with."""
        settled = settled_units(row)
        old = [
            line.id
            for line in _but_rounding(row)
            if (wanted := values.get(key_of(line)))
            and sorted(wanted["taxes"][0][1]) != sorted(line.taxes)
            and not settled.get(line.id)
        ]
        if not old:
            return row
        self._api.write("sale.line", old, {"note": None})
        return self._sales.required(row.reference)

    def _rounded(self, row: SaleRow, order: SalesOrder) -> SaleRow:
        """Set the rounding line to what is needed now; it was left as it was until the other lines stood."""
        total = Money.parse(row.total_amount, row.currency.code)
        if total.equals(order.total):
            return row
        line = next((line for line in goods_and_charges(row) if key_of(line) == ROUNDING), None)
        before = Money.parse(line.quantity * line.unit_price, row.currency.code) if line else Money.zero(order.currency)
        wanted = rounding_line(order.total, total - before, order.rounding)
        values = self._sales.new_lines([wanted] if wanted else [])
        if line is None:
            row = self._with_lines(row, values)
            line = next(line for line in goods_and_charges(row) if key_of(line) == ROUNDING)
        change = _change(line, values[0] if values else None, 0)
        return exact(self._carry_out(row, {line.id: change} if change else {}), order)

    def _without_helper(self, key: str) -> SaleRow:
        """The sale. A helper that a run before this one has left is deleted."""
        found = self._sales.find_rows([key, _helper(key)])
        left = [row.id for row in found if row.reference != key]
        if left:
            self._api.press("sale.sale", "delete", *left)
        return next((row for row in found if row.reference == key), None) or self._sales.required(key)

    def _with_lines(self, row: SaleRow, lines: list[dict[str, Any]]) -> SaleRow:
        """Add lines of quantity 0, which mean nothing until an amendment gives them one."""
        if not lines:
            return row
        values = {
            "company": self._api.company,
            "party": row.party,
            "currency": row.currency.id,
            "reference": _helper(row.reference),
            "invoice_method": "manual",
            "lines": [["create", [{**line, "quantity": 0} for line in lines]]],
        }
        helper = self._api.create("sale.sale", values)
        made = self._api.rows("sale.line", [["sale", "=", helper]], ["id"])
        self._api.write("sale.line", [each["id"] for each in made], {"sale": row.id})
        self._api.press("sale.sale", "delete", helper)
        return self._sales.required(row.reference)

    def _carry_out(self, row: SaleRow, changes: dict[int, Change]) -> SaleRow:
        self._discard_drafts(row)
        picked = self._make_way(row)
        lines = [{"action": "line", "line": line, **change} for line, change in changes.items()]
        values = {"sale": row.id, "description": NOTE, "lines": [["create", lines]]}
        amendment = self._api.create("sale.amendment", values)
        self._api.press("sale.amendment", "validate_amendment", amendment)
        if picked:
            self._api.press(SHIPMENT, "pick", *picked)
        after = self._sales.required(row.reference)
        _require_amendable(after)
        return after

    def _discard_drafts(self, row: SaleRow) -> None:
        """Amendments of ours that a run before this one has left in the middle."""
        drafts = [each.id for each in row.amendments if each.state == "draft" and each.description == NOTE]
        if drafts:
            self._api.press("sale.amendment", "delete", *drafts)

    def _make_way(self, row: SaleRow) -> list[int]:
        """Have no shipment assigned or picked; the ids of those that were picked."""
        assigned = [shipment.id for shipment in row.shipments if shipment.state == "assigned"]
        picked = [shipment.id for shipment in row.shipments if shipment.state == "picked"]
        if assigned:
            self._api.press(SHIPMENT, "wait", *assigned)
        if picked:
            self._api.press(SHIPMENT, "pack", *picked)
        return picked


def _helper(key: str) -> str:
    """Reference of the draft sale on which lines are born. No order has such a key: it holds blanks."""
    return f"{key} (being amended)"


def _require_amendable(row: SaleRow) -> None:
    """Tryton may process sales in its queue: one that waits there takes no amendment yet."""
    if row.state == "confirmed":
        raise Retry("backoffice_busy", f"Tryton has not processed the sale {row.reference} yet")
    if row.state not in _AMENDABLE:
        raise refused(f"the sale {row.reference} is {row.state} and takes no amendment")


def _but_rounding(row: SaleRow) -> list[SaleLineRow]:
    return [line for line in goods_and_charges(row) if key_of(line) != ROUNDING]


def _wanted(line: SaleLineRow, values: dict[str, dict[str, Any]]) -> int:
    found = values.get(key_of(line))
    return int(found["quantity"]) if found else 0


def _change(line: SaleLineRow, values: dict[str, Any] | None, settled: int) -> Change | None:
    """What an amendment is to say of the line; None where it is as it should be."""
    wanted = int(values["quantity"]) if values else 0
    if wanted < settled or values is None:
        units = max(wanted, settled)
        return _at(line, units) if line.quantity != units else None
    if not changes_of(line, {**values, "taxes": [["add", list(line.taxes)]]}):
        return None
    return {name: values[name] for name in ("product", "unit", "quantity", "unit_price", "description")}


def _at(line: SaleLineRow, units: int) -> Change:
    """The line as it is, at another quantity."""
    return {
        "product": line.product.id if line.product else None,
        "unit": line.unit,
        "quantity": units,
        "unit_price": line.unit_price,
        "description": line.description,
    }
