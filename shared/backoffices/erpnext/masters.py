"""What the site has to begin with: who answers, rights, warehouses, taxes, ways of payment, items."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from shared.backoffices.documents import Identity, MissingRight, Product, Tax, Warehouse
from shared.backoffices.erpnext.office import Office
from shared.backoffices.erpnext.schemas import KEY_FIELD
from shared.backoffices.http import bug, not_found
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected

_RIGHTS = (
    ("Item", "read"),
    ("Bin", "read"),
    ("Warehouse", "read"),
    ("Item Tax Template", "read"),
    ("Mode of Payment", "read"),
    ("Country", "read"),
    ("Company", "read"),
    ("Customer", "create"),
    ("Customer", "write"),
    ("Contact", "write"),
    ("Address", "create"),
    ("Address", "write"),
    ("Comment", "write"),
    ("Version", "read"),
    ("Sales Order", "create"),
    ("Sales Order", "submit"),
    ("Sales Order", "cancel"),
    ("Delivery Note", "create"),
    ("Delivery Note", "submit"),
    ("Sales Invoice", "create"),
    ("Sales Invoice", "submit"),
    ("Sales Invoice", "delete"),
    ("Payment Entry", "create"),
    ("Payment Entry", "submit"),
    ("Account", "read"),
    ("Journal Entry", "create"),
    ("Journal Entry", "submit"),
    ("Stock Reconciliation", "create"),
    ("Stock Reconciliation", "submit"),
)


class Masters(Office):
    def identify(self) -> Identity:
        """Three requests: user, versions, company."""
        user = str(self._api.ask("frappe.auth.get_logged_user"))
        versions = self._api.ask("frappe.utils.change_log.get_versions")
        apps = versions if isinstance(versions, dict) else {}
        if "erpnext" not in apps:
            raise bug("the site is one of Frappe's, and has no ERPNext")
        company = self._api.document("Company", self._company)
        if company is None:
            raise not_found(f"there is no company {self._company!r} in ERPNext", "company", "name it as ERPNext does")
        return Identity(
            vendor="erpnext",
            version=str(apps["erpnext"].get("version")),
            company=self._company,
            currency=str(company.get("default_currency")),
            user=user,
        )

    def missing_rights(self) -> tuple[MissingRight, ...]:
        """ERPNext's own answer for each right, and whether the fields and the setting that we need are there.

        32 requests: it is for the doctor. Negative rates are needed for gift cards and for rounding downwards.
        """
        missing = [
            MissingRight(
                what=f"{right} {doctype}", hint=f"grant {right!r} on {doctype} in the Role Permissions Manager"
            )
            for doctype, right in _RIGHTS
            if not self._may(doctype, right)
        ]
        if not self._takes_negative_rates():
            missing.append(
                MissingRight(
                    what="enter lines that lower the total",
                    hint="switch on 'Allow Negative rates for Items' in Selling Settings, and let the user read them",
                )
            )
        missing += [
            MissingRight(
                what=f"keep our key on {doctype}",
                hint=f"add a Custom Field {KEY_FIELD!r} of the type Data to {doctype}, with Allow on Submit",
            )
            for doctype, parent in (("Stock Reconciliation", None), ("Sales Order Item", "Sales Order"))
            if not self._has_key_field(doctype, parent)
        ]
        return tuple(missing)

    def warehouses(self) -> tuple[Warehouse, ...]:
        """One request. Groups of warehouses hold no goods, and are left out."""
        rows = self._api.rows("Warehouse", ["name"], (("company", "=", self._company), ("is_group", "=", 0)))
        return tuple(Warehouse(id=str(row["name"]), name=str(row["name"])) for row in rows)

    def taxes(self) -> tuple[Tax, ...]:
        """The company's Item Tax Templates: one request, and one for each. Its rate is the sum of its accounts'."""
        rows = self._api.rows("Item Tax Template", ["name"], (("company", "=", self._company), ("disabled", "=", 0)))
        templates = [self._template(str(row["name"])) for row in rows]
        return tuple(
            Tax(
                name=template.name,
                rate=f"{sum((detail.tax_rate for detail in template.taxes), Decimal(0)).scaleb(-2).normalize():f}",
            )
            for template in templates
        )

    def payment_methods(self) -> tuple[str, ...]:
        """One request: the Modes of Payment."""
        return tuple(str(row["name"]) for row in self._api.rows("Mode of Payment", ["name"], (("enabled", "=", 1),)))

    def products(self, skus: Iterable[str]) -> Mapping[str, Product]:
        """One request for each 100 SKUs: items by their code."""
        return {
            sku: Product(id=item.name, sku=sku, name=item.item_name or sku, stocked=bool(item.is_stock_item))
            for sku, item in self._items_of(skus).items()
        }

    def _may(self, doctype: str, right: str) -> bool:
        answer = self._api.ask("frappe.client.has_permission", doctype=doctype, docname="", perm_type=right)
        return isinstance(answer, dict) and bool(answer.get("has_permission"))

    def _takes_negative_rates(self) -> bool:
        try:
            value = self._api.ask(
                "frappe.client.get_single_value", doctype="Selling Settings", field="allow_negative_rates_for_items"
            )
        except Rejected as error:
            if error.code == Refusal.AUTH:
                return False
            raise
        return str(value) == "1"

    def _has_key_field(self, doctype: str, parent: str | None) -> bool:
        """A field that is not there makes ERPNext refuse (16) or fail (13) to list it."""
        try:
            self._api.rows(doctype, [KEY_FIELD], parent=parent, limit=1)
        except Rejected as error:
            if error.code in (Refusal.REFUSED, Refusal.BUG):
                return False
            raise
        return True
