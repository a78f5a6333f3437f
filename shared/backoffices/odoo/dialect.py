"""What differs between Odoo's versions and installed modules, found out by asking which fields there are.

* `sale.order.line`: the taxes are `tax_ids` since 19, `tax_id` before. Its `price_unit` is kept unrounded since 19
  (ran: 3.33333333 came back whole), and at the digits of the precision "Product Price" before.
* `account.payment`: our words stand in `memo` since 18, in `ref` before. Since 18 a payment may have no journal entry
  of its own, and is then among the invoice's `matched_payment_ids`.
* `product.product`: goods that are counted are `is_storable` since 18, of type `product` before.
* `stock.move`: it must have a `name` before 19, and has none since.
* `res.partner`: a second telephone number, `mobile`, before 19.
* `stock.picking`: `carrier_tracking_ref` comes with the module `stock_delivery`.

Only 19.0 was run; for 17 and 18 the names are from their source. `stock.move` has `quantity` and `picked` since 17. A
count is applied by Inventory's users in 19 (ran), and by its administrators alone in 17 (its `stock.quant`).
"""

from typing import Any

from shared.backoffices.odoo.client import OdooApi

UNROUNDED = 10
"""Decimals of a unit price where Odoo keeps all: a float of 16 digits has room for them below a million."""

_NAMES = {
    "sale.order.line": ("tax_ids", "tax_id", "price_unit"),
    "account.move": ("matched_payment_ids",),
    "account.payment": ("memo", "ref", "invoice_ids"),
    "product.product": ("is_storable",),
    "res.company": ("user_fiscalyear_lock_date", "user_hard_lock_date", "fiscalyear_lock_date", "period_lock_date"),
    "res.partner": ("mobile",),
    "stock.move": ("name",),
    "stock.picking": ("carrier_tracking_ref", "carrier_tracking_url", "carrier_id"),
}


class Dialect:
    """One database's. Each model costs one request, once."""

    def __init__(self, api: OdooApi) -> None:
        self._api = api
        self._known: dict[str, dict[str, Any]] = {}

    @property
    def line_taxes(self) -> str:
        return "tax_ids" if "tax_ids" in self._fields("sale.order.line") else "tax_id"

    @property
    def price_digits(self) -> int:
        digits = self._fields("sale.order.line").get("price_unit", {}).get("digits")
        return int(digits[1]) if isinstance(digits, list) else UNROUNDED

    @property
    def memo(self) -> str:
        return "memo" if "memo" in self._fields("account.payment") else "ref"

    @property
    def payments_name_invoices(self) -> bool:
        return "invoice_ids" in self._fields("account.payment")

    @property
    def invoices_name_payments(self) -> bool:
        return "matched_payment_ids" in self._fields("account.move")

    @property
    def has_storable(self) -> bool:
        return "is_storable" in self._fields("product.product")

    @property
    def moves_have_names(self) -> bool:
        return "name" in self._fields("stock.move")

    @property
    def has_mobile(self) -> bool:
        return "mobile" in self._fields("res.partner")

    @property
    def lock_dates(self) -> tuple[str, ...]:
        """Fields of the company with the last day that our user may not post to: since 18 they know of exceptions made
        for a user, and of a lock that knows none."""
        known = self._fields("res.company")
        mine = tuple(name for name in known if name.startswith("user_"))
        return mine or tuple(known)

    @property
    def tracks(self) -> bool:
        return "carrier_tracking_ref" in self._fields("stock.picking")

    def _fields(self, model: str) -> dict[str, Any]:
        if model not in self._known:
            asked = list(_NAMES[model])
            self._known[model] = dict(
                self._api.call(model, "fields_get", allfields=asked, attributes=["type", "digits"])
            )
        return self._known[model]
