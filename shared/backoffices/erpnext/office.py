"""What every part of the adapter stands on: the site, the company, and what seldom changes, asked for once."""

from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.backoffices.documents import SaleLine
from shared.backoffices.erpnext.client import Filter, FrappeApi
from shared.backoffices.erpnext.schemas import ItemRow, TaxTemplate, fields_of, read
from shared.backoffices.http import bug, not_found


class Office:
    """One company of one site. What it has learnt of taxes, countries and items it keeps as long as it lives."""

    def __init__(self, api: FrappeApi, company: str) -> None:
        self._api = api
        self._company = company
        self._zone_of_site: ZoneInfo | None = None
        self._templates: dict[str, TaxTemplate] = {}
        self._items: dict[str, ItemRow] = {}
        self._warehouses: frozenset[str] = frozenset()
        self._countries: dict[str, str | None] = {}
        self._currency: str | None = None

    def _zone(self) -> ZoneInfo:
        """The site's time zone: all its times are told in it, without saying so."""
        if self._zone_of_site is None:
            answer = self._api.ask("frappe.client.get_time_zone")
            name = str(answer.get("time_zone") or "UTC") if isinstance(answer, dict) else "UTC"
            try:
                self._zone_of_site = ZoneInfo(name)
            except (ZoneInfoNotFoundError, OSError, ValueError) as error:
                raise bug(f"ERPNext's time zone {name[:40]!r} is not known here") from error
        return self._zone_of_site

    def _items_of(self, skus: Iterable[str]) -> Mapping[str, ItemRow]:
        """Items that may be sold, by their code, which is their name as well. A template of variants may not."""
        wanted = set(skus)
        missing = wanted - set(self._items)
        sold: list[Filter] = [("disabled", "=", 0), ("is_sales_item", "=", 1), ("has_variants", "=", 0)]
        found = self._api.rows_in("Item", fields_of(ItemRow), "name", sorted(missing), *sold)
        self._items |= {row.name: row for row in (read(ItemRow, each) for each in found)}
        return {sku: self._items[sku] for sku in wanted if sku in self._items}

    def _require_items(self, lines: Iterable[SaleLine], *others: str) -> None:
        skus = [line.sku for line in lines] + list(others)
        known = self._items_of(skus)
        for sku in skus:
            if sku not in known:
                raise not_found(
                    f"{sku} is no item of ERPNext's that may be sold", "sku", f"create the item {sku} in ERPNext"
                )

    def _require_warehouse(self, warehouse: str) -> None:
        if warehouse not in self._warehouses:
            rows = self._api.rows("Warehouse", ["name"], (("company", "=", self._company), ("is_group", "=", 0)))
            self._warehouses = frozenset(str(row["name"]) for row in rows)
        if warehouse not in self._warehouses:
            raise not_found(
                f"{self._company} has no warehouse {warehouse!r} in ERPNext",
                "warehouse",
                "name one as ERPNext does, with the company's abbreviation: Stores - EX",
            )

    def _tax_accounts(self, lines: Iterable[SaleLine]) -> list[str]:
        """The accounts of all Item Tax Templates that the lines name."""
        accounts = []
        for line in lines:
            if len(line.taxes) > 1:
                raise not_found(
                    f"an item of ERPNext's bears one Item Tax Template, not {len(line.taxes)}",
                    "taxes",
                    "make one Item Tax Template in ERPNext of all accounts, and name it in the settings",
                )
            accounts += [detail.tax_type for tax in line.taxes for detail in self._template(tax).taxes]
        return accounts

    def _template(self, name: str) -> TaxTemplate:
        if name not in self._templates:
            document = self._api.document("Item Tax Template", name)
            if document is None or document.get("company") not in (None, self._company):
                raise not_found(
                    f"there is no Item Tax Template {name!r}", "taxes", "name one of ERPNext's as its list shows it"
                )
            self._templates[name] = read(TaxTemplate, document)
        return self._templates[name]
