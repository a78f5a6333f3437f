"""Customers: a row each."""

from datetime import datetime

from shared.backoffices.documents import CustomerCard, KnownCustomer
from shared.backoffices.jiandaoyun.company import Company
from shared.backoffices.jiandaoyun.feeds import changed_rows
from shared.backoffices.jiandaoyun.mapping import customer_data, is_written, known_customer
from shared.backoffices.port import Feed


class Customers(Company):
    def save_customer(self, card: CustomerCard) -> str:
        """A new one: 3 requests; a changed one: 2; an unchanged one: 1."""
        fields = self._mapping.customers
        data = customer_data(card, fields)
        row = self._api.find(fields, fields.key, card.key)
        if row is None:
            row = self._api.create(fields, fields.key, card.key, data)
        elif not is_written(row, data):
            self._api.update(fields, str(row["_id"]), data)
        return str(row["_id"])

    def changed_customers(self, since: datetime, cursor: str | None) -> Feed[KnownCustomer]:
        """Requests as `feeds.changed_rows` says."""
        fields = self._mapping.customers
        page = changed_rows(self._api, [fields], since, cursor)
        return Feed(tuple(known_customer(row, fields) for row in page.rows), page.cursor)
