"""Orders: a row each, with their lines in a sub-form, and the shipments of them."""

from collections.abc import Sequence
from datetime import datetime

from shared.backoffices.documents import Consignment, Sale, SalesOrder, SaleState, Shipping
from shared.backoffices.http import bug, not_found, refused
from shared.backoffices.jiandaoyun.client import Condition, JiandaoyunApi
from shared.backoffices.jiandaoyun.company import Company
from shared.backoffices.jiandaoyun.feeds import changed_rows
from shared.backoffices.jiandaoyun.mapping import (
    amended_data,
    order_data,
    order_lines,
    sale_of,
    shipment_data,
    shipments_of,
    text,
    units_by_line,
    whole_shipment,
    wrapped,
)
from shared.backoffices.jiandaoyun.settings import FormFields, JiandaoyunMapping, Row
from shared.backoffices.port import Feed
from shared.kernel.clock import Clock
from shared.kernel.errors import Retry


class Sales(Company):
    """A form knows no drafts: an order that is recorded counts. Its total is what the storefront charges."""

    def __init__(self, api: JiandaoyunApi, mapping: JiandaoyunMapping, clock: Clock) -> None:
        super().__init__(api, mapping)
        self._clock = clock

    def find_sale(self, key: str) -> Sale | None:
        """Two requests: order and shipments, or its products (once) where shipments are told by the order's status."""
        row = self._order(key)
        return self._told(row) if row is not None else None

    def record_sale(self, order: SalesOrder) -> Sale:
        """A new one: 5 requests; a repeat: 2. The taxes of its lines are not kept."""
        fields = self._mapping.orders
        row = self._order(order.key)
        if row is None:
            self._require_products([line.sku for line in order.lines if line.quantity])
            self._require_warehouse(order.warehouse)
            row = self._api.create(fields, fields.key, order.key, order_data(order, fields))
        return self._told(row)

    def confirm_sale(self, key: str) -> Sale:
        """It is confirmed as it is recorded: 2 requests."""
        return self._told(self._required(key))

    def amend_sale(self, order: SalesOrder) -> Sale:
        """6 requests; a repeat: 3. Rows of the sub-form that stay keep their ids."""
        fields = self._mapping.orders
        row = self._required(order.key)
        sale = self._told(row)
        if sale.state is SaleState.CANCELLED:
            raise refused("the order is cancelled in Jiandaoyun")
        self._require_products([line.sku for line in order.lines if line.quantity])
        data = amended_data(order_lines(row, fields.lines), order, fields, units_by_line(sale.consignments))
        if data is None:
            return sale
        self._api.update(fields, str(row["_id"]), data)
        amended = self._required(order.key)
        settled = units_by_line(sale.consignments)
        if amended_data(order_lines(amended, fields.lines), order, fields, settled) is not None:
            raise Retry("backoffice_outcome_unknown", "the order in Jiandaoyun is not as it was written")
        return self._told(amended)

    def cancel_sale(self, key: str) -> Sale:
        """5 requests; a repeat: 2."""
        fields = self._mapping.orders
        row = self._required(key)
        sale = self._told(row)
        if sale.state is SaleState.CANCELLED:
            return sale
        if fields.status is None:
            raise bug("no status is mapped by which an order could be cancelled: the capabilities say so")
        if any(line.settled for line in sale.lines):
            raise refused("goods of the order have been picked or shipped in Jiandaoyun")
        self._api.update(fields, str(row["_id"]), wrapped({fields.status: fields.words.cancelled}))
        sale = self._told(self._required(key))
        if sale.state is not SaleState.CANCELLED:
            raise Retry("backoffice_outcome_unknown", "the order in Jiandaoyun is not cancelled as it was written")
        return sale

    def changed_sales(self, since: datetime, cursor: str | None) -> Feed[str]:
        """Orders, then shipments. Requests as `feeds.changed_rows` says."""
        orders, shipments = self._mapping.orders, self._mapping.shipments
        forms: list[FormFields] = [orders, *([shipments] if shipments is not None else [])]
        page = changed_rows(self._api, forms, since, cursor)
        field = orders.key if page.form == 0 or shipments is None else shipments.order
        keys = dict.fromkeys(text(row, field) for row in page.rows)
        return Feed(tuple(key for key in keys if key is not None), page.cursor)

    def ship(self, shipping: Shipping) -> Sale:
        """Enter a shipment made elsewhere: 5 requests; a repeat: 2."""
        fields = self._mapping.shipments
        if fields is None or fields.key is None:
            raise bug("no form of shipments with a key is mapped: the capabilities say so")
        row = self._required(shipping.sale)
        sale = self._told(row)
        if all(one.number != shipping.key for one in sale.consignments):
            _require_open(sale, shipping)
            self._api.create(fields, fields.key, shipping.key, shipment_data(shipping, fields, self._clock()))
            sale = self._told(row)
        return sale

    def _order(self, key: str) -> Row | None:
        fields = self._mapping.orders
        return self._api.find(fields, fields.key, key)

    def _required(self, key: str) -> Row:
        row = self._order(key)
        if row is None:
            raise not_found(f"there is no order {key} in Jiandaoyun", "order", "retry the order")
        return row

    def _told(self, row: Row) -> Sale:
        return sale_of(row, self._mapping.orders, self._consignments(row), self._mapping.currency)

    def _consignments(self, row: Row) -> Sequence[Consignment]:
        orders, fields = self._mapping.orders, self._mapping.shipments
        lines = order_lines(row, orders.lines)
        if fields is not None:
            rows = self._api.rows(fields, Condition(fields.order, [text(row, orders.key) or ""]))
            return shipments_of(rows, fields, lines)
        if orders.status is None:
            return ()
        self.products([line.sku for line in lines])
        return whole_shipment(row, orders, self._is_goods)


def _require_open(sale: Sale, shipping: Shipping) -> None:
    left = {line.key: line.quantity - line.settled for line in sale.lines}
    for line in shipping.lines:
        if line.quantity > left.get(line.key, 0):
            raise refused(f"{line.quantity} × {line.sku} cannot be shipped: {left.get(line.key, 0)} are open")
