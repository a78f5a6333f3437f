"""Taking a customer's personal data out of Odoo.

Contacts cannot be deleted once a sale points at them; they are blanked, and those below the customer archived. One that
a posted invoice points at stays as it is, because the law keeps invoices as they were sent, and Odoo prints an invoice
from its contact: bills of our orders are made out to an address below the customer for that reason. The customer itself
is blanked in any case; an invoice that staff have made out to it directly keeps no more than its printed file.

Odoo writes a contact's changes of name, e-mail and telephone into its discussion, the old value with the new one
(`mail`, 19.0's source): the whole discussion is deleted, and the erasure itself is written without one.
"""

from typing import Any

from shared.backoffices.cards import ERASED
from shared.backoffices.documents import Forgotten
from shared.backoffices.odoo.client import OdooApi
from shared.backoffices.odoo.customers import ACTIVE_OR_NOT, PARTNER, Customers
from shared.backoffices.odoo.dialect import Dialect

_TEXTS = (
    "email",
    "phone",
    "lang",
    "street",
    "street2",
    "zip",
    "city",
    "country_id",
    "state_id",
    "company_name",
    "vat",
    "website",
    "function",
    "comment",
    "image_1920",
)
_SILENTLY = {"tracking_disable": True}
_SIZES = {"bin_size": True}
"""Of a picture Odoo then tells the size alone."""

_Row = dict[str, Any]


class Erasure:
    def __init__(self, api: OdooApi, dialect: Dialect, customers: Customers) -> None:
        self._api = api
        self._dialect = dialect
        self._customers = customers

    def forget(self, key: str) -> Forgotten | None:
        """Five requests to look, and one for each kind of record where there is anything to erase: the customer, the
        contacts below it, those that stay, discussions, files.
        """
        number = self._customers.number(key)
        if number is None:
            return None
        texts = (*_TEXTS, *(("mobile",) if self._dialect.has_mobile else ()))
        domain = ["|", ["id", "=", number], ["parent_id", "=", number], ACTIVE_OR_NOT]
        rows = self._api.rows(PARTNER, domain, ["name", "active", *texts], order="id", context=_SIZES)
        below = [row for row in rows if row["id"] != number]
        invoiced = self._invoiced([row["id"] for row in below])
        nothing = dict.fromkeys(texts, False)
        self._write([row for row in rows if row["id"] == number], {"name": ERASED, **nothing})
        told = [row for row in below if row["id"] not in invoiced]
        self._write(told, {"name": ERASED, **nothing, "active": False})
        self._write([row for row in below if row["id"] in invoiced], {"active": False})
        self._delete_discussions([row["id"] for row in rows])
        return Forgotten(
            erased=("name", "email", "phone", "language", "addresses", "discussion"),
            kept=(f"addresses of posted invoices: {len(invoiced)} (bookkeeping law)",) if invoiced else (),
        )

    def _invoiced(self, contacts: list[int]) -> frozenset[int]:
        """Those of the contacts that a posted invoice points at."""
        either = ["|", ["partner_id", "in", contacts], ["partner_shipping_id", "in", contacts]]
        fields = ["partner_id", "partner_shipping_id"]
        rows = self._api.rows("account.move", [["state", "=", "posted"], *either], fields, order="id")
        named = {row[field][0] for row in rows for field in fields if row[field]}
        return frozenset(named & set(contacts))

    def _write(self, rows: list[_Row], values: _Row) -> None:
        other = [row["id"] for row in rows if any((row[name] or False) != value for name, value in values.items())]
        if other:
            self._api.call(PARTNER, "write", other, vals=values, context=_SILENTLY)

    def _delete_discussions(self, contacts: list[int]) -> None:
        """What was written about the contacts, and files that staff have attached."""
        for model, named in (("mail.message", "model"), ("ir.attachment", "res_model")):
            rows = self._api.rows(model, [[named, "=", PARTNER], ["res_id", "in", contacts]], ["res_id"], order="id")
            if rows:
                self._api.call(model, "unlink", [row["id"] for row in rows])
