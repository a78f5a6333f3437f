"""Orders as Tryton's sales, found again by their reference.

`invoice_method` is `manual`: no invoice is made when the sale is processed or amended, only when one is asked for, and
then one over all lines. With `order` Tryton would add a draft credit note of its own to each amendment after it.
"""

from collections.abc import Iterable
from typing import Any

from shared.backoffices.documents import Address, Sale, SaleLine, SalesOrder, SaleState
from shared.backoffices.http import not_found, refused
from shared.backoffices.port import Feed
from shared.backoffices.rounding import KEY as ROUNDING
from shared.backoffices.rounding import rounding_line
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.customers import Customers, moved_since
from shared.backoffices.tryton.mapping import (
    LEFT,
    SHIPMENT,
    Left,
    as_sale,
    goods_and_charges,
    key_of,
    left_from,
    line_values,
    sale_state,
)
from shared.backoffices.tryton.masters import Masters, rows
from shared.backoffices.tryton.parties import same_address
from shared.backoffices.tryton.schemas import AddressRow, LogRow, SaleLineRow, SaleRow
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import OrderKey
from shared.kernel.money import Money

PAGE = 100


class Sales:
    def __init__(self, api: TrytonApi, masters: Masters, customers: Customers) -> None:
        self._api = api
        self._masters = masters
        self._customers = customers

    # ---- reading ----

    def find_row(self, key: str) -> SaleRow | None:
        """One request. A reference is not unique in Tryton: of two the older one counts."""
        return next(iter(self.find_rows([key])), None)

    def find_rows(self, references: list[str]) -> list[SaleRow]:
        domain = [["reference", "in", references], ["company", "=", self._api.company]]
        return rows(self._api, SaleRow, "sale.sale", domain)

    def required(self, key: str) -> SaleRow:
        row = self.find_row(key)
        if row is None:
            raise not_found(f"there is no sale {key} in Tryton", "order", "retry the order")
        return row

    def told(self, row: SaleRow) -> Sale:
        """The row as the port has it: one more request where something has left, for the moment when it did."""
        return as_sale(row, self._moments(row))

    def changed(self, since: Any, cursor: str | None) -> Feed[str]:
        """One request for a page of a hundred."""
        places = ["", "lines.", "lines.moves.", "lines.moves.package.", "lines.invoice_lines.invoice."]
        movements = [moved_since(place, since) for place in places]
        movements.append(moved_since("lines.moves.shipment.", since, SHIPMENT))
        domain = [
            ["id", ">", int(cursor or 0)],
            ["company", "=", self._api.company],
            ["reference", "like", "%/%"],
            ["OR", *movements],
        ]
        found = self._api.rows("sale.sale", domain, ["reference"], limit=PAGE)
        keys = tuple(str(row["reference"]) for row in found if _is_ours(str(row["reference"])))
        return Feed(keys, str(found[-1]["id"]) if len(found) == PAGE else None)

    def _moments(self, row: SaleRow) -> dict[str, Left]:
        gone = [f"{SHIPMENT},{shipment.id}" for shipment in row.shipments if shipment.state in LEFT]
        if not gone:
            return {}
        domain = [
            ["resource", "in", gone],
            ["event", "=", "transition"],
            ["target", "in", ["state:shipped", "state:done"]],
        ]
        return left_from(rows(self._api, LogRow, "ir.model.log", domain))

    # ---- recording ----

    def record(self, order: SalesOrder) -> SaleRow:
        """Four requests for a new sale, two more where the total needs a rounding line; two for one that is so already.

        Beside those: one for each kind of product, tax and warehouse that was not seen before.
        """
        row = self.find_row(order.key)
        if row is not None and sale_state(row) is not SaleState.DRAFT:
            return row
        lines = self.new_lines(order.lines)
        header = self._header(order)
        if row is None:
            self._api.create("sale.sale", {**header, **self._fixed(order), "lines": [["create", lines]]})
            row = self.required(order.key)
        else:
            row = self._reshaped(row, header, lines, order)
        return self._rounded(row, order)

    def confirm(self, key: str) -> SaleRow:
        """Four requests."""
        row = self.required(key)
        if sale_state(row) is SaleState.CANCELLED:
            raise refused(f"the sale {key} is cancelled")
        if row.state == "draft":
            self._api.press("sale.sale", "quote", row.id)
        if row.state in ("draft", "quotation"):
            self._api.press("sale.sale", "confirm", row.id)
            return self.required(key)
        return row

    def new_lines(self, lines: Iterable[SaleLine]) -> list[dict[str, Any]]:
        """Lines of quantity 0 are left out.

        Raises:
            Rejected: `backoffice_not_found` with field `sku` or `taxes`.
        """
        wanted = [line for line in lines if line.quantity]
        self._masters.products(line.sku for line in wanted)
        return [self._values(line) for line in wanted]

    def _values(self, line: SaleLine) -> dict[str, Any]:
        product = self._masters.product(line.sku)
        taxes = [self._masters.tax(name) for name in line.taxes]
        return line_values(line, product.id, product.sale_uom, taxes, self._masters.price_digits)

    def _fixed(self, order: SalesOrder) -> dict[str, Any]:
        """What no change of the order touches."""
        return {
            "company": self._api.company,
            "reference": order.key,
            "currency": self._masters.currency(order.currency),
            "invoice_method": "manual",
            "shipment_method": "order",
        }

    def _header(self, order: SalesOrder) -> dict[str, Any]:
        party = int(order.customer_id)
        addresses = self._customers.addresses(party)
        billing = _address_of(order.customer.billing or order.customer.shipping, "invoice", addresses)
        shipping = _address_of(order.customer.shipping or order.customer.billing, "delivery", addresses)
        return {
            "party": party,
            "invoice_address": billing,
            "shipment_address": shipping,
            "warehouse": self._masters.warehouse(order.warehouse).id,
            "description": order.name,
            "sale_date": order.placed_on,
        }

    def _reshaped(
        self, row: SaleRow, header: dict[str, Any], lines: list[dict[str, Any]], order: SalesOrder
    ) -> SaleRow:
        if _is_so(row, header, lines) and Money.parse(row.total_amount, row.currency.code).equals(order.total):
            return row
        if row.state == "quotation":
            self._api.press("sale.sale", "draft", row.id)
        commands = [["delete", [line.id for line in row.lines]], ["create", lines]]
        self._api.write("sale.sale", [row.id], {**header, "lines": commands})
        return self.required(order.key)

    def _rounded(self, row: SaleRow, order: SalesOrder) -> SaleRow:
        rounded = rounding_line(order.total, Money.parse(row.total_amount, row.currency.code), order.rounding)
        if rounded is None:
            return row
        self._api.write("sale.sale", [row.id], {"lines": [["create", self.new_lines([rounded])]]})
        row = self.required(order.key)
        return exact(row, order)


def exact(row: SaleRow, order: SalesOrder) -> SaleRow:
    """The row, whose total was to have become the order's. A rounding product that bears a tax would spoil it."""
    if not Money.parse(row.total_amount, row.currency.code).equals(order.total):
        raise refused(f"the sale {order.key} does not come to {order.total} with its rounding line")
    return row


def changes_of(line: SaleLineRow, values: dict[str, Any]) -> bool:
    """Whether a line is other than the values say."""
    return (
        line.product is None
        or line.product.id != values["product"]
        or line.quantity != values["quantity"]
        or line.unit_price != values["unit_price"]
        or sorted(line.taxes) != sorted(values["taxes"][0][1])
    )


def _is_so(row: SaleRow, header: dict[str, Any], lines: list[dict[str, Any]]) -> bool:
    recorded = {key_of(line): line for line in goods_and_charges(row)}
    wanted = {values["note"]: values for values in lines}
    return (
        (row.party, row.invoice_address, row.shipment_address)
        == (header["party"], header["invoice_address"], header["shipment_address"])
        and row.warehouse is not None
        and row.warehouse.id == header["warehouse"]
        and recorded.keys() - {ROUNDING} == wanted.keys()
        and not any(changes_of(recorded[key], values) for key, values in wanted.items())
    )


def _address_of(address: Address | None, use: str, among: tuple[AddressRow, ...]) -> int:
    """The one that reads the same, or else the one that is marked for the use, or else the first."""
    found = same_address(address, among) if address else None
    marked = [row for row in among if getattr(row, use)] or list(among)
    if found is None and not marked:
        raise not_found("the customer has no address in Tryton", "customer", "add an address, then retry the order")
    return (found or marked[0]).id


def _is_ours(reference: str) -> bool:
    """Whether a reference is the key of an order. Staff's own references may hold a slash as well."""
    try:
        OrderKey.parse(reference)
    except Rejected:
        return False
    return True
