"""Sales orders: recording, confirming, amending, cancelling.

A sale is found by its source document (`origin`), where our key stands for staff to read. Where staff have changed
that, its external id still finds it. Lines are known by their external ids alone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shared.backoffices.documents import RecordedLine, Sale, SaleLine, SalesOrder, SaleState
from shared.backoffices.http import not_found, refused
from shared.backoffices.odoo import mapping
from shared.backoffices.odoo.client import OdooApi
from shared.backoffices.odoo.customers import Customers
from shared.backoffices.odoo.dialect import Dialect
from shared.backoffices.odoo.feeds import PAGE, moment, place
from shared.backoffices.odoo.masters import Masters
from shared.backoffices.odoo.names import external_id, key_of
from shared.backoffices.odoo.schemas import Line, Order, read
from shared.backoffices.port import Feed
from shared.backoffices.rounding import KEY as ROUNDING
from shared.backoffices.rounding import rounding_line
from shared.kernel.errors import Rejected
from shared.kernel.money import Money

_CHANGES: tuple[tuple[str, dict[str, Any], list[Any]], ...] = (
    ("sale.order", {}, []),
    ("stock.picking", {"sale_id": {}}, [["sale_id", "!=", False]]),
    (
        "account.move",
        {"invoice_line_ids": {"fields": {"sale_line_ids": {"fields": {"order_id": {}}}}}},
        [["move_type", "=", "out_invoice"]],
    ),
)
_ADDRESSES = ("partner_shipping_id/id", "partner_invoice_id/id")


class Found(NamedTuple):
    """A sale as Odoo has it, and which of its lines are ours."""

    key: str
    order: Order
    keys: Mapping[int, str]
    """Our line keys by Odoo's line id."""

    @property
    def told(self) -> Sale:
        return mapping.told(self.order, self.key, self.keys)

    @property
    def lines(self) -> dict[str, Line]:
        return {self.keys[line.id]: line for line in self.order.order_line if line.id in self.keys}


class Sales:
    def __init__(self, api: OdooApi, dialect: Dialect, masters: Masters, customers: Customers) -> None:
        self._api = api
        self._dialect = dialect
        self._masters = masters
        self._customers = customers

    # ---- finding ----

    def find(self, key: str) -> Found | None:
        """Two requests; two as well where there is none. Once, three more for the dialect."""
        for order in self._orders([["origin", "=", key]]):
            found = self._with_keys(key, order)
            if found.keys:
                return found
        hidden = self._api.reference(external_id("sale", key))
        return self._by_id(key, hidden) if hidden else None

    def require(self, key: str) -> Found:
        found = self.find(key)
        if found is None:
            raise not_found(f"Odoo has no sale of the order {key}", "order", "retry the order")
        return found

    def _by_id(self, key: str, number: int) -> Found:
        orders = self._orders([["id", "=", number]])
        if not orders:
            raise not_found(f"Odoo has no sale of the order {key}", "order", "retry the order")
        return self._with_keys(key, orders[0])

    def _orders(self, domain: list[Any]) -> list[Order]:
        specification = mapping.order_specification(
            self._dialect.line_taxes, tracks=self._dialect.tracks, payments=self._dialect.invoices_name_payments
        )
        return [read(Order, row) for row in self._api.graph("sale.order", domain, specification, order="id")]

    def _with_keys(self, key: str, order: Order) -> Found:
        names = self._api.external_ids("sale.order.line", [line.id for line in order.order_line])
        keys = {number: key_of(name, "sale", key, "line") for number, name in names.items()}
        return Found(key, order, {number: name for number, name in keys.items() if name is not None})

    # ---- recording ----

    def record(self, order: SalesOrder) -> Sale:
        """Six requests for a new one, four more with a rounding line. Once: taxes, warehouses and the dialect."""
        found = self.find(order.key)
        if found is not None and found.told.state is not SaleState.DRAFT:
            return found.told
        found = self._written(order, list(order.lines), {})
        extra = [line.id for key, line in found.lines.items() if key not in _names(order)]
        extra += [line.id for line in found.order.order_line if line.id not in found.keys and not line.display_type]
        if extra:
            self._api.call("sale.order.line", "unlink", extra)
            found = self._by_id(order.key, found.order.id)
        return self._tied_out(order, found).told

    def amend(self, order: SalesOrder) -> Sale:
        """Six requests, three or four more where the rounding line changes.

        Odoo lowers and cancels open moves by itself as the lines go down, raises them or makes new ones as they go up
        (ran against 19.0). It refuses a quantity below what was delivered.
        """
        found = self.require(order.key)
        if found.told.state is not SaleState.CONFIRMED:
            raise refused(f"the sale {found.order.name} is {found.order.state}, and takes no amendment")
        settled = {line.key: line for line in found.told.lines if line.settled}
        lines = [_at_least(line, settled.get(line.key)) for line in order.lines]
        unnamed = {
            key: settled[key].settled if key in settled else 0 for key in found.lines if key not in _names(order)
        }
        foreign = [line.key for line in found.told.lines if line.key not in found.lines and line.quantity]
        if foreign:
            self._drop(found, frozenset(foreign) - settled.keys())
        found = self._written(order, lines, unnamed, found)
        self._require_lowered(found)
        wanted = {line.key: line.quantity for line in order.lines}
        if all(line.settled <= wanted.get(line.key, 0) for line in settled.values()):
            return self._tied_out(order, found).told
        return self._without_rounding(order, found).told

    def _drop(self, found: Found, keys: frozenset[str]) -> None:
        """Set lines that staff have added to 0: a confirmed sale's lines cannot be deleted."""
        ids = [line.id for line in found.order.order_line if f"odoo/{line.id}" in keys]
        if ids:
            self._api.call("sale.order.line", "write", ids, vals={"product_uom_qty": 0})

    def _written(
        self, order: SalesOrder, lines: Sequence[SaleLine], unnamed: Mapping[str, int], known: Found | None = None
    ) -> Found:
        """Load the order with these lines; those that it does not name go to so many units, at their price."""
        products = self._masters.product_ids(line.sku for line in order.lines)
        taxes = self._masters.tax_ids(order.lines)
        record = self._head(order) if known is None else {"id": external_id("sale", order.key)}
        wanted = {line.key: line for line in order.lines}
        rows = []
        for line in lines:
            was = known.lines.get(line.key) if known and line.quantity != wanted[line.key].quantity else None
            rows.append(self._row(order.key, line, products, taxes, was))
        rows += [self._at(order.key, key, units, known.lines[key]) for key, units in unnamed.items() if known]
        number = self._loaded(order, record, rows)
        found = self._by_id(order.key, number)
        if mapping.order_total(found.order).currency != order.currency:
            self._api.load("sale.order", {**record, "pricelist_id/.id": self._masters.pricelist(order.currency)})
            self._loaded(order, record, rows)
            found = self._by_id(order.key, number)
        return found

    def _head(self, order: SalesOrder) -> dict[str, str]:
        head = {
            "id": external_id("sale", order.key),
            "partner_id/.id": order.customer_id,
            "client_order_ref": order.name,
            "origin": order.key,
            "date_order": f"{order.placed_on.isoformat()} 00:00:00",
            "warehouse_id/.id": str(self._masters.place(order.warehouse).id),
        }
        buyer = order.customer
        if buyer.shipping:
            head["partner_shipping_id/id"] = mapping.address_id(buyer.key, buyer.shipping)
        if buyer.for_one_order and buyer.billing:
            head["partner_invoice_id/id"] = mapping.address_id(buyer.key, buyer.billing)
        return head

    def _loaded(self, order: SalesOrder, record: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> int:
        try:
            return self._api.load("sale.order", record, "order_line", rows)
        except Rejected:
            named = [record[field] for field in _ADDRESSES if field in record]
            if all(self._api.reference(name) is not None for name in named):
                raise
        self._customers.save_addresses(order.customer, order.customer_id)
        return self._api.load("sale.order", record, "order_line", rows)

    def _row(
        self,
        key: str,
        line: SaleLine,
        products: Mapping[str, str],
        taxes: Mapping[str, str],
        was: Line | None,
    ) -> dict[str, str]:
        price = mapping.unit_price(line.amount, line.quantity, self._dialect.price_digits)
        return {
            "id": external_id("sale", key, "line", line.key),
            "product_id/.id": products[line.sku],
            "name": line.title,
            "product_uom_qty": str(line.quantity),
            "price_unit": f"{was.price_unit:f}" if was else price,
            "discount": f"{was.discount:f}" if was else "0",
            f"{self._dialect.line_taxes}/.id": ",".join(taxes[name] for name in line.taxes),
        }

    def _at(self, key: str, name: str, units: int, line: Line) -> dict[str, str]:
        """A line that is there, at other units and otherwise as it is."""
        return {
            "id": external_id("sale", key, "line", name),
            "product_id/.id": str(line.product_id.id) if line.product_id else "",
            "name": line.name or line.sku,
            "product_uom_qty": str(units),
            "price_unit": f"{line.price_unit:f}",
            "discount": f"{line.discount:f}",
            f"{self._dialect.line_taxes}/.id": ",".join(str(tax) for tax in line.taxes),
        }

    # ---- totals ----

    def _tied_out(self, order: SalesOrder, found: Found) -> Found:
        """Have the rounding line that the other lines need, and none where they need none."""
        there = found.lines.get(ROUNDING)
        carried = mapping.money(there.price_subtotal, order.currency) if there else Money.zero(order.currency)
        line = rounding_line(order.total, mapping.order_total(found.order) - carried, order.rounding)
        if line is None:
            return self._without_rounding(order, found)
        if there is not None and carried.equals(line.amount):
            return found
        products = self._masters.product_ids([order.rounding.sku])
        row = self._row(order.key, line, products, {}, None)
        self._api.load("sale.order", {"id": external_id("sale", order.key)}, "order_line", [row])
        return self._require_total(order, self._by_id(order.key, found.order.id))

    def _require_total(self, order: SalesOrder, found: Found) -> Found:
        total = mapping.order_total(found.order)
        if not total.equals(order.total):
            raise Rejected(
                "totals_differ",
                f"the sale comes to {total} and not to {order.total}, rounding line included",
                field="total",
                hint="look at the rounding line in Odoo: its product must be a service that no pricelist touches",
            )
        return found

    def _without_rounding(self, order: SalesOrder, found: Found) -> Found:
        there = found.lines.get(ROUNDING)
        if there is None or not there.product_uom_qty:
            return found
        if found.told.state is SaleState.DRAFT:
            self._api.call("sale.order.line", "unlink", [there.id])
        else:
            row = self._at(order.key, ROUNDING, 0, there)
            self._api.load("sale.order", {"id": external_id("sale", order.key)}, "order_line", [row])
        return self._by_id(order.key, found.order.id)

    def _require_lowered(self, found: Found) -> None:
        """Odoo must not ship more than the amended lines say. It has never been seen to, and was seen in 19.0 alone."""
        ordered = {line.id: line.product_uom_qty for line in found.order.order_line}
        for picking in found.order.picking_ids:
            for move in picking.move_ids if picking.is_to_buyer and picking.is_open else ():
                if move.is_open and move.product_uom_qty > ordered.get(move.sale_line_id or 0, move.product_uom_qty):
                    raise refused(f"{picking.name} still ships more than was left of the order: lower it in Odoo")

    # ---- confirming, cancelling ----

    def confirm(self, key: str) -> Sale:
        """Five requests, two when it is confirmed already."""
        found = self.require(key)
        if found.told.state is not SaleState.DRAFT:
            return found.told
        refusal = self._api.attempt("sale.order", "action_confirm", [found.order.id])
        sale = self._by_id(key, found.order.id).told
        if sale.state is SaleState.DRAFT:
            raise refused(refusal or f"Odoo leaves {sale.number} a quotation and does not say why")
        return sale

    def cancel(self, key: str) -> Sale:
        """Five requests, two when it is cancelled already.

        Odoo itself would cancel a sale whose goods are delivered (ran), so what stands against it is looked at here.
        """
        found = self.require(key)
        sale = found.told
        if sale.state is SaleState.CANCELLED:
            return sale
        if any(line.settled for line in sale.lines) or sale.invoice is not None:
            raise refused(f"the sale {sale.number} has goods picked or shipped, or an invoice")
        refusal = self._api.attempt(
            "sale.order", "action_cancel", [found.order.id], context={"disable_cancel_warning": True}
        )
        sale = self._by_id(key, found.order.id).told
        if sale.state is not SaleState.CANCELLED:
            raise refused(refusal or f"Odoo does not cancel {sale.number} and does not say why")
        return sale

    # ---- changes ----

    def changed(self, since: datetime, cursor: str | None) -> Feed[str]:
        """Sales, then deliveries and returns, then invoices; two requests a page.

        A pick is told of, and so is a payment of an invoice: Odoo then writes the delivery and the invoice (ran).
        """
        number, after = place(cursor)
        model, specification, domain = _CHANGES[min(number, len(_CHANGES) - 1)]
        changed = [["write_date", ">=", moment(since)], ["id", ">", after], *domain]
        rows = self._api.graph(model, changed, specification, limit=PAGE, order="id")
        names = self._api.external_ids("sale.order", sorted({each for row in rows for each in _sales_of(model, row)}))
        keys = [key_of(name, "sale") for name in names.values()]
        return Feed(tuple(key for key in keys if key is not None), _following(number, rows))


def _following(number: int, rows: Sequence[Mapping[str, Any]]) -> str | None:
    if len(rows) == PAGE:
        return f"{number}:{rows[-1]['id']}"
    return f"{number + 1}:0" if number + 1 < len(_CHANGES) else None


def _sales_of(model: str, row: Mapping[str, Any]) -> set[int]:
    if model == "sale.order":
        return {int(row["id"])}
    if model == "stock.picking":
        return {int(row["sale_id"])} if row.get("sale_id") else set()
    sold = (sold for line in row.get("invoice_line_ids") or () for sold in line.get("sale_line_ids") or ())
    return {int(line["order_id"]) for line in sold if line.get("order_id")}


def _names(order: SalesOrder) -> frozenset[str]:
    return frozenset({*(line.key for line in order.lines), ROUNDING})


def _at_least(line: SaleLine, settled: RecordedLine | None) -> SaleLine:
    if settled is None or settled.settled <= line.quantity:
        return line
    return line.model_copy(update={"quantity": settled.settled})
