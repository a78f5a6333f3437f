"""Customers: a row each."""

from datetime import datetime

from shared.backoffices.cards import ERASED, to_save
from shared.backoffices.documents import CustomerCard, Forgotten, KnownCustomer, SaleState
from shared.backoffices.jiandaoyun.client import Condition
from shared.backoffices.jiandaoyun.feeds import changed_rows
from shared.backoffices.jiandaoyun.mapping import (
    changed_data,
    customer_data,
    emptied_address,
    emptied_customer,
    known_customer,
)
from shared.backoffices.jiandaoyun.sales import Sales
from shared.backoffices.jiandaoyun.settings import Row
from shared.backoffices.port import Feed, Refusal
from shared.kernel.errors import Rejected

LOG = "the forms' log of operations (数据操作日志), which the API can neither read nor empty"


class Customers(Sales):
    """A row has one address of each kind. An order's own stands in the order's row, as far as it is mapped there."""

    def save_customer(self, card: CustomerCard) -> str:
        """A new one: 3 requests; a changed one: 2; an unchanged one: 1."""
        fields = self._mapping.customers
        row = self._customer(card.key)
        if row is None:
            row = self._api.create(fields, fields.key, card.key, customer_data(card, fields))
        else:
            self._bring_up_to_date(row, to_save(card, known_customer(row, fields).card))
        return str(row["_id"])

    def find_customer(self, key: str) -> KnownCustomer | None:
        """One request."""
        row = self._customer(key)
        return known_customer(row, self._mapping.customers) if row is not None else None

    def changed_customers(self, since: datetime, cursor: str | None) -> Feed[KnownCustomer]:
        """Requests as `feeds.changed_rows` says."""
        fields = self._mapping.customers
        page = changed_rows(self._api, [fields], since, cursor)
        return Feed(tuple(known_customer(row, fields) for row in page.rows), page.cursor)

    def forget_customer(self, key: str) -> Forgotten | None:
        """Empty what is mapped of the customer, and of the customer's orders unless they still have to be shipped.

        2 requests and 2 for each order that names an address; repeated, it writes nothing. Fields that are not mapped
        are staff's own, and stay.
        """
        fields = self._mapping.customers
        row = self._customer(key)
        if row is None:
            return None
        emptied = changed_data(row, emptied_customer(ERASED, fields))
        if emptied:
            self._api.update(fields, str(row["_id"]), emptied)
        kept = self._empty_orders(str(row["_id"]))
        return Forgotten(erased=("name", "email", "phone", "language", "addresses"), kept=(*kept, LOG))

    def _customer(self, key: str) -> Row | None:
        fields = self._mapping.customers
        return self._api.find(fields, fields.key, key)

    def _bring_up_to_date(self, row: Row, card: CustomerCard) -> None:
        fields = self._mapping.customers
        data = changed_data(row, customer_data(card, fields))
        after = {**row, **{name: wrap["value"] for name, wrap in data.items()}}
        # Staff may have split a street into district and rest: that reads the same, and stays as they wrote it.
        if known_customer(after, fields).card != known_customer(row, fields).card:
            self._api.update(fields, str(row["_id"]), data)

    def _empty_orders(self, customer: str) -> tuple[str, ...]:
        orders = self._mapping.orders
        emptied = emptied_address(orders.shipping)
        if not emptied:
            return ()
        try:
            rows = list(self._api.rows(orders, Condition(orders.customer, [customer])))
        except Rejected as error:
            if error.code != Refusal.REFUSED:
                raise
            return (f"addresses of orders: Jiandaoyun cannot search {orders.customer}; make it a 单行文本",)
        waiting = 0
        for row in rows:
            data = changed_data(row, emptied)
            if data and self._is_to_be_shipped(row):
                waiting += 1
            elif data:
                self._api.update(orders, str(row["_id"]), data)
        return (
            (f"addresses of {waiting} orders whose goods have not all left, as far as Jiandaoyun tells",)
            if waiting
            else ()
        )

    def _is_to_be_shipped(self, row: Row) -> bool:
        sale = self._told(row)
        if sale.state is not SaleState.CONFIRMED:
            return False
        shipped = sale.shipped
        self.products([line.sku for line in sale.lines])
        return any(line.quantity > shipped.get(line.key, 0) for line in sale.lines if self._is_goods(line.sku))
