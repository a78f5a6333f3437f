"""Stock: a row for each product and warehouse; counts: a row each, and then the rows of stock."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from shared.backoffices.documents import StockCount, StockFigure
from shared.backoffices.http import bug
from shared.backoffices.jiandaoyun.client import Condition
from shared.backoffices.jiandaoyun.company import Company
from shared.backoffices.jiandaoyun.feeds import changed_rows
from shared.backoffices.jiandaoyun.mapping import count_data, text, whole, wrapped
from shared.backoffices.jiandaoyun.settings import CountFields, Row, StockFields
from shared.backoffices.port import Feed
from shared.kernel.errors import Retry


class Stock(Company):
    """A form reserves nothing: what is sellable is a field of the merchant's, or all that is on hand."""

    def stock(self, skus: Iterable[str], warehouse: str) -> Mapping[str, StockFigure]:
        """Two requests for each 100 SKUs: products (once), and their rows of stock, summed where there are several."""
        fields = self._stock_fields()
        self._require_warehouse(warehouse)
        figures = {sku: StockFigure(sku=sku, on_hand=0, sellable=0) for sku in self.products(skus)}
        for row in self._stock_rows(fields, figures, warehouse):
            sku = text(row, fields.sku) or ""
            on_hand = whole(row.get(fields.on_hand))
            sellable = whole(row.get(fields.sellable)) if fields.sellable is not None else on_hand
            figures[sku] = StockFigure(
                sku=sku, on_hand=figures[sku].on_hand + on_hand, sellable=figures[sku].sellable + sellable
            )
        return figures

    def changed_stock(self, since: datetime, cursor: str | None) -> Feed[str]:
        """Requests as `feeds.changed_rows` says."""
        fields = self._stock_fields()
        page = changed_rows(self._api, [fields], since, cursor)
        skus = dict.fromkeys(text(row, fields.sku) for row in page.rows)
        return Feed(tuple(sku for sku in skus if sku is not None), page.cursor)

    def apply_count(self, count: StockCount) -> str:
        """Enter the count, write the rows of stock, and mark the count as applied.

        7 requests and one for each row of stock that changes, 2 for one that is new; a repeat: 1. What stands in
        several rows for one product cannot be counted: its first row takes the difference.
        """
        stock, counts = self._stock_fields(), self._mapping.counts
        if counts is None:
            raise bug("no form of counts is mapped: the capabilities say so")
        row = self._api.find(counts, counts.key, count.key)
        if row is None:
            self._require_products([line.sku for line in count.lines])
            self._require_warehouse(count.warehouse)
            row = self._api.create(counts, counts.key, count.key, count_data(count, counts))
        if not _is_applied(row, counts):
            self._write_stock(stock, count)
            self._api.update(counts, str(row["_id"]), wrapped({counts.applied: counts.applied_word}))
            row = self._api.find(counts, counts.key, count.key)
            if row is None or not _is_applied(row, counts):
                raise Retry("backoffice_outcome_unknown", "the count in Jiandaoyun is not marked as it was written")
        return str(row["_id"])

    def _write_stock(self, fields: StockFields, count: StockCount) -> None:
        held: dict[str, list[Row]] = {}
        for row in self._stock_rows(fields, [line.sku for line in count.lines], count.warehouse):
            held.setdefault(text(row, fields.sku) or "", []).append(row)
        for line in count.lines:
            rows = held.get(line.sku, [])
            others = sum(whole(row.get(fields.on_hand)) for row in rows[1:])
            if not rows:
                data = {fields.sku: line.sku, fields.warehouse: count.warehouse, fields.on_hand: line.quantity}
                self._api.create(fields, fields.sku, f"{count.key}/{line.sku}", wrapped(data), shown_as=line.sku)
            elif whole(rows[0].get(fields.on_hand)) + others != line.quantity:
                self._api.update(fields, str(rows[0]["_id"]), wrapped({fields.on_hand: line.quantity - others}))

    def _stock_rows(self, fields: StockFields, skus: Iterable[str], warehouse: str) -> Iterable[Row]:
        place = [Condition(fields.warehouse, [warehouse])] if fields.warehouse is not None else []
        return self._rows_in(fields, fields.sku, skus, *place)

    def _stock_fields(self) -> StockFields:
        if self._mapping.stock is None:
            raise bug("no form of stock is mapped: the capabilities say so")
        return self._mapping.stock


def _is_applied(row: Row, fields: CountFields) -> bool:
    return text(row, fields.applied) == fields.applied_word
