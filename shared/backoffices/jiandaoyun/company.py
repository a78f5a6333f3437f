"""What every part of the adapter stands on: the company's forms, and its products."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.backoffices.documents import Product
from shared.backoffices.http import not_found
from shared.backoffices.jiandaoyun.client import MOST_VALUES, Condition, JiandaoyunApi
from shared.backoffices.jiandaoyun.mapping import text
from shared.backoffices.jiandaoyun.settings import FormFields, JiandaoyunMapping, Row


class Company:
    """One company's forms. Products that it has seen it keeps as long as it lives."""

    def __init__(self, api: JiandaoyunApi, mapping: JiandaoyunMapping) -> None:
        self._api = api
        self._mapping = mapping
        self._products: dict[str, Product] = {}

    def products(self, skus: Iterable[str]) -> Mapping[str, Product]:
        """One request for each 100 SKUs that were not seen before."""
        wanted = set(skus)
        fields = self._mapping.products
        for row in self._rows_in(fields, fields.sku, sorted(wanted - set(self._products))):
            sku = text(row, fields.sku)
            if sku is not None and sku not in self._products:
                stocked = fields.stocked is None or text(row, fields.stocked) == fields.stocked_word
                name = text(row, fields.name) or sku
                self._products[sku] = Product(id=str(row["_id"]), sku=sku, name=name, stocked=stocked)
        return {sku: self._products[sku] for sku in wanted if sku in self._products}

    def _is_goods(self, sku: str) -> bool:
        return sku not in self._products or self._products[sku].stocked

    def _require_products(self, skus: Sequence[str]) -> None:
        known = self.products(skus)
        for sku in skus:
            if sku not in known:
                raise not_found(
                    f"{sku} is no product of Jiandaoyun's", "sku", f"add {sku} to the form that is mapped as products"
                )

    def _require_warehouse(self, warehouse: str) -> None:
        if warehouse not in self._mapping.warehouses:
            raise not_found(
                f"the mapping knows no warehouse {warehouse!r}",
                "warehouse",
                "name it under `warehouses` of the mapping",
            )

    def _rows_in(self, form: FormFields, field: str, values: Iterable[str], *others: Condition) -> Iterator[Row]:
        for batch in _batches(values):
            yield from self._api.rows(form, Condition(field, batch), *others)


def _batches(values: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """In groups that a page can answer whole."""
    distinct = list(dict.fromkeys(values))
    size = MOST_VALUES // 2
    for start in range(0, len(distinct), size):
        yield tuple(distinct[start : start + size])
