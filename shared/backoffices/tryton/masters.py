"""What settings name and documents point at: products, taxes, warehouses, methods of payment, units of price.

What was found is kept for as long as the adapter lives; what was not found is asked for again.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from shared.backoffices.http import not_found
from shared.backoffices.tryton.client import Domain, TrytonApi
from shared.backoffices.tryton.schemas import Answer, Coded, Named, ProductRow, TaxRow, WarehouseRow, fields_of, read
from shared.kernel import strict_json
from shared.kernel.errors import Rejected

_Row = TypeVar("_Row", bound=Answer)

MOST_VALUES = 200
"""Of one `in` clause; SQLite takes a few hundred parameters in all."""
_PRICE_DIGITS = 4
"""Tryton's own default (`[product] price_decimal`)."""


class Masters:
    def __init__(self, api: TrytonApi) -> None:
        self._api = api
        self._products: dict[str, ProductRow] = {}
        self._warehouses: dict[str, WarehouseRow] = {}
        self._taxes: dict[str, TaxRow] = {}
        self._methods: dict[str, int] = {}
        self._currencies: dict[str, int] = {}
        self._digits: int | None = None

    def products(self, skus: Iterable[str]) -> Mapping[str, ProductRow]:
        """Those that are products which may be sold: one request for 200 that are not known yet."""
        wanted = list(dict.fromkeys(skus))
        missing = [sku for sku in wanted if sku not in self._products]
        for start in range(0, len(missing), MOST_VALUES):
            domain = [["code", "in", missing[start : start + MOST_VALUES]], ["salable", "=", True]]
            for row in rows(self._api, ProductRow, "product.product", domain):
                self._products.setdefault(row.code, row)  # codes are not unique in Tryton: the oldest counts
        return {sku: self._products[sku] for sku in wanted if sku in self._products}

    def product(self, sku: str) -> ProductRow:
        found = self.products([sku]).get(sku)
        if found is None:
            raise not_found(
                f"{sku} is no product in Tryton that may be sold",
                "sku",
                f"create a product of the code {sku} that is salable, then retry the order",
            )
        return found

    def warehouses(self) -> tuple[WarehouseRow, ...]:
        found = rows(self._api, WarehouseRow, "stock.location", [["type", "=", "warehouse"]])
        self._warehouses = {row.name: row for row in found}
        return tuple(found)

    def warehouse(self, name: str) -> WarehouseRow:
        if name not in self._warehouses:
            self.warehouses()
        try:
            return self._warehouses[name]
        except KeyError as error:
            raise not_found(
                f"there is no warehouse {name!r} in Tryton", "warehouse", "name one of Tryton's own in the settings"
            ) from error

    def taxes(self) -> tuple[TaxRow, ...]:
        """Taxes on sales that are no part of another."""
        kinds = ["OR", ["group", "=", None], ["group.kind", "in", ["sale", "both"]]]
        found = rows(
            self._api, TaxRow, "account.tax", [["parent", "=", None], ["company", "=", self._api.company], kinds]
        )
        self._taxes = {row.name: row for row in found}
        return tuple(found)

    def tax(self, name: str) -> int:
        if name not in self._taxes:
            self.taxes()
        try:
            return self._taxes[name].id
        except KeyError as error:
            raise not_found(
                f"there is no tax {name!r} in Tryton", "taxes", "name one of Tryton's own in the settings"
            ) from error

    def methods(self) -> tuple[str, ...]:
        domain = [["company", "=", self._api.company]]
        self._methods = {row.name: row.id for row in rows(self._api, Named, "account.invoice.payment.method", domain)}
        return tuple(self._methods)

    def method(self, name: str) -> int:
        if name not in self._methods:
            self.methods()
        try:
            return self._methods[name]
        except KeyError as error:
            raise not_found(
                f"there is no payment method {name!r} in Tryton", "method", "name one of Tryton's own in the settings"
            ) from error

    def currency(self, code: str) -> int:
        if code not in self._currencies:
            found = rows(self._api, Coded, "currency.currency", [["code", "=", code]])
            if not found:
                raise not_found(f"there is no currency {code} in Tryton", "currency", f"create {code} with its rates")
            self._currencies[code] = found[0].id
        return self._currencies[code]

    @property
    def price_digits(self) -> int:
        """How many decimals a unit price has: Tryton's configuration (`price_decimal`) decides."""
        if self._digits is None:
            field = self._api.call("model.sale.line.fields_get", ["unit_price"])
            self._digits = _digits_of(field)
        return self._digits


def rows(api: TrytonApi, model: type[_Row], name: str, domain: Domain, *, limit: int | None = None) -> list[_Row]:
    """Records that match, by ascending id, read as the model."""
    return [read(model, row) for row in api.rows(name, domain, fields_of(model), limit=limit)]


def literal(text: str) -> str:
    """For a `like`: what stands for any letter elsewhere stands for itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _digits_of(answer: object) -> int:
    """From `{"unit_price": {"digits": "[null, 4]"}}`: whole digits and decimals, as text."""
    try:
        field = answer["unit_price"]["digits"]  # type: ignore[index]
        digits = strict_json.parse(field.encode("ascii"))[1]
    except (KeyError, TypeError, AttributeError, IndexError, Rejected):
        return _PRICE_DIGITS
    return digits if isinstance(digits, int) else _PRICE_DIGITS
