"""What staff have set up in Odoo and we look up by name: products, taxes, warehouses, journals, places."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from shared.backoffices.documents import Address, Identity, MissingRight, Product, SaleLine, Tax, Warehouse
from shared.backoffices.http import bug, not_found
from shared.backoffices.odoo.client import OdooApi
from shared.backoffices.odoo.dialect import Dialect

_RIGHTS = (
    ("read products", "product.product", "read", "Sales: User: All Documents"),
    ("read taxes", "account.tax", "read", "Invoicing: Billing"),
    ("create customers", "res.partner", "create", "Contact: Creation"),
    ("change customers", "res.partner", "write", "Contact: Creation"),
    ("create sales orders", "sale.order", "create", "Sales: User: All Documents"),
    ("change sales orders", "sale.order", "write", "Sales: User: All Documents"),
    ("drop lines of a draft", "sale.order.line", "unlink", "Sales: User: All Documents"),
    ("ship and take back goods", "stock.picking", "create", "Inventory: User"),
    ("change what is shipped", "stock.move", "write", "Inventory: User"),
    ("count stock", "stock.quant", "create", "Inventory: User (Odoo 17: Administrator)"),
    ("create invoices and credit notes", "account.move", "create", "Invoicing: Billing"),
    ("post invoices and credit notes", "account.move", "write", "Invoicing: Billing"),
    ("book payments", "account.payment", "create", "Invoicing: Billing"),
    ("read accounts for daily journals", "account.account", "read", "Invoicing: Billing"),
    ("replace drafts of daily journals", "account.move", "unlink", "Invoicing: Billing"),
    ("find journals for daily journals", "account.journal", "read", "Invoicing: Billing"),
)
"""What, on which model, and the group that Odoo's page of the user calls so (19.0)."""

_FIRST_WITH_HAS_ACCESS = 18


class Place(NamedTuple):
    """A warehouse, by Odoo's ids."""

    id: int
    name: str
    shelf: int
    """Location of what is in stock."""
    everything: int
    """Location above all of its locations."""
    incoming: int
    """Operation type of receipts."""


class Masters:
    """Looked up when asked for; taxes, warehouses, journals and countries are remembered as long as this object is."""

    def __init__(self, api: OdooApi, dialect: Dialect) -> None:
        self._api = api
        self._dialect = dialect
        self._taxes: dict[str, tuple[int, str | None]] | None = None
        self._places: dict[str, Place] | None = None
        self._journals: dict[str, int] | None = None
        self._countries: dict[str, int] = {}
        self._languages: list[str] | None = None

    def identity(self) -> Identity:
        """Three requests, the version's among them."""
        user = self._api.call("res.users", "context_get").get("uid")
        company: dict[str, Any] = {"company_id": {"fields": {"name": {}, "currency_id": {"fields": {"name": {}}}}}}
        found = self._api.graph("res.users", [["id", "=", user]], {"login": {}, **company})
        if not found or not found[0].get("company_id"):
            raise bug("Odoo does not show our own user")
        office = found[0]["company_id"]
        return Identity(
            vendor="odoo",
            version=self._api.version,
            company=office["name"],
            currency=office["currency_id"]["name"],
            user=found[0]["login"],
        )

    def missing_rights(self) -> tuple[MissingRight, ...]:
        """One request for each right. Rules on single records (another salesman's orders) do not show here."""
        missing = [
            MissingRight(what=what, hint=f"give our user the right {group}")
            for what, model, operation, group in _RIGHTS
            if not self._may(model, operation)
        ]
        if not missing and not self._dialect.tracks:
            hint = "install Odoo's module stock_delivery (Delivery - Stock)"
            missing.append(MissingRight(what="note tracking numbers", hint=hint))
        return tuple(missing)

    def _may(self, model: str, operation: str) -> bool:
        if int(self._api.version.partition(".")[0]) >= _FIRST_WITH_HAS_ACCESS:
            return bool(self._api.call(model, "has_access", [], operation=operation))
        return bool(self._api.call(model, "check_access_rights", operation=operation, raise_exception=False))

    # ---- products and taxes ----

    def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """One request. Odoo does not keep the internal reference unique (ran): the oldest product of a SKU counts."""
        kind = "is_storable" if self._dialect.has_storable else "type"
        wanted = sorted(set(skus))
        if not wanted:
            return {}
        domain = [["default_code", "in", wanted], ["sale_ok", "=", True]]
        rows = self._api.rows("product.product", domain, ["default_code", "name", kind], order="id")
        found: dict[str, Product] = {}
        for row in rows:
            sku = str(row["default_code"])
            stocked = row[kind] in (True, "product")
            found.setdefault(sku, Product(id=str(row["id"]), sku=sku, name=str(row["name"]), stocked=stocked))
        return found

    def product_ids(self, skus: Iterable[str]) -> dict[str, str]:
        """Ids by SKU, or `backoffice_not_found` of the first that is missing."""
        wanted = list(dict.fromkeys(skus))
        found = self.products(wanted)
        for sku in wanted:
            if sku not in found:
                raise not_found(
                    f"Odoo has no product with the internal reference {sku} that may be sold",
                    "sku",
                    f"create it with exactly this internal reference: {sku}",
                )
        return {sku: product.id for sku, product in found.items()}

    def taxes(self) -> tuple[Tax, ...]:
        return tuple(Tax(name=name, rate=rate) for name, (_, rate) in self._sales_taxes().items())

    def tax_ids(self, lines: Iterable[SaleLine]) -> dict[str, str]:
        """Ids by name, or `backoffice_not_found` of the first that is missing."""
        names = dict.fromkeys(name for line in lines for name in line.taxes)
        known = self._sales_taxes() if names else {}
        for name in names:
            if name not in known:
                raise not_found(
                    f"Odoo has no tax on sales named {name!r} that is not included in the price",
                    "taxes",
                    "name one of Odoo's own sales taxes in the settings, exactly as Odoo does",
                )
        return {name: str(known[name][0]) for name in names}

    def _sales_taxes(self) -> dict[str, tuple[int, str | None]]:
        """The oldest of each name; those that the price includes are left out, as our amounts are net."""
        if self._taxes is None:
            domain = [["type_tax_use", "=", "sale"], ["price_include", "=", False]]
            rows = self._api.rows("account.tax", domain, ["name", "amount", "amount_type"], order="id")
            self._taxes = {}
            for row in rows:
                self._taxes.setdefault(str(row["name"]), (int(row["id"]), _rate(row)))
        return self._taxes

    # ---- warehouses, journals ----

    def warehouses(self) -> tuple[Warehouse, ...]:
        return tuple(Warehouse(id=str(place.id), name=place.name) for place in self._warehouses().values())

    def place(self, name: str) -> Place:
        found = self._warehouses().get(name)
        if found is None:
            raise not_found(
                f"Odoo has no warehouse named {name!r}", "warehouse", "name one of Odoo's warehouses in the settings"
            )
        return found

    def _warehouses(self) -> dict[str, Place]:
        if self._places is None:
            fields = ["name", "lot_stock_id", "view_location_id", "in_type_id"]
            self._places = {
                str(row["name"]): Place(
                    id=int(row["id"]),
                    name=str(row["name"]),
                    shelf=_id(row["lot_stock_id"]),
                    everything=_id(row["view_location_id"]),
                    incoming=_id(row["in_type_id"]),
                )
                for row in self._api.rows("stock.warehouse", [], fields, order="id")
            }
        return self._places

    def payment_methods(self) -> tuple[str, ...]:
        return tuple(self._payment_journals())

    def journal(self, name: str) -> str:
        found = self._payment_journals().get(name)
        if found is None:
            raise not_found(
                f"Odoo has no bank or cash journal named {name!r}",
                "method",
                "name one of Odoo's journals in the settings",
            )
        return str(found)

    def _payment_journals(self) -> dict[str, int]:
        if self._journals is None:
            domain = [["type", "in", ["bank", "cash", "credit"]]]
            rows = self._api.rows("account.journal", domain, ["name"], order="id desc")
            self._journals = {str(row["name"]): int(row["id"]) for row in rows}
        return self._journals

    # ---- places and languages ----

    def country_and_state(self, address: Address) -> tuple[str | None, str | None]:
        """Ids. A country that Odoo does not know is left out: the buyer's address is no reason to stop an order."""
        if not address.country:
            return None, None
        if address.country not in self._countries:
            rows = self._api.rows("res.country", [["code", "=", address.country]], ["code"])
            self._countries |= {str(row["code"]): int(row["id"]) for row in rows}
        country = self._countries.get(address.country)
        if country is None or not address.subdivision:
            return _text(country), None
        either = ["|", ["code", "=", address.subdivision], ["name", "=ilike", address.subdivision]]
        states = self._api.rows("res.country.state", [["country_id", "=", country], *either], ["code"], limit=1)
        return _text(country), _text(states[0]["id"] if states else None)

    def language(self, iso: str) -> str | None:
        """Odoo's code of an installed language; None where it is not installed."""
        if self._languages is None:
            rows = self._api.rows("res.lang", [], ["code"], order="id")
            self._languages = [str(row["code"]) for row in rows]
        return next((code for code in self._languages if code.partition("_")[0] == iso.lower()), None)

    def pricelist(self, currency: str) -> str:
        """Id of a pricelist in this currency: an order has no other way to one that is not the company's."""
        rows = self._api.rows("product.pricelist", [["currency_id.name", "=", currency]], ["name"], order="id", limit=1)
        if not rows:
            raise not_found(f"Odoo has no pricelist in {currency}", "currency", f"create a pricelist in {currency}")
        return str(rows[0]["id"])


def _rate(row: Mapping[str, Any]) -> str | None:
    if row["amount_type"] != "percent":
        return None
    return f"{(Decimal(row['amount']) / 100).normalize():f}"


def _id(value: Any) -> int:
    """Of a many2one as `search_read` gives it: `[5, "WH/Stock"]`; 0 where it is empty."""
    return int(value[0]) if isinstance(value, list) and value else 0


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
