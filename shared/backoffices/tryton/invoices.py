"""Invoices, credit notes and payments.

A credit note is an invoice with negative quantities, as Tryton's own are, under our key as its reference. Its lines
come from the lines of the sale where the sale was amended below what is invoiced, so that the sale is even again;
otherwise from those of the invoice: from the sale they would make Tryton offer to invoice the goods once more.

A payment is booked by Tryton's own wizard (`account.invoice.pay`), which reconciles it. Its key begins the description
of the entry that it makes. Source: the modules account_invoice and sale of 8.2, read and run.
"""

from typing import Any

from shared.backoffices.documents import CreditNote, Invoice, PaymentEntry, SaleLine
from shared.backoffices.http import bug, refused
from shared.backoffices.rounding import rounding_line
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.mapping import (
    SALE_LINE,
    as_invoice,
    goods_and_charges,
    is_credit,
    key_of,
    line_values,
)
from shared.backoffices.tryton.masters import Masters, literal, rows
from shared.backoffices.tryton.sales import Sales
from shared.backoffices.tryton.schemas import InvoiceLineRow, InvoiceRow, SaleRow
from shared.kernel.errors import Retry
from shared.kernel.money import Money

INVOICE = "account.invoice"
INVOICE_LINE = "account.invoice.line"

_PAY = "wizard.account.invoice.pay"
_STANDING = frozenset({"posted", "paid"})
_UNPOSTED = frozenset({"draft", "validated"})


class Invoices:
    def __init__(self, api: TrytonApi, masters: Masters, sales: Sales) -> None:
        self._api = api
        self._masters = masters
        self._sales = sales

    def post(self, key: str) -> SaleRow:
        """Six requests, two more where Tryton asks about taxes that are not its products' usual ones; one where it was
        done before.
        """
        row = self._sales.required(key)
        if _invoice_of(row, _STANDING) is not None:
            return row
        if row.state not in ("processing", "done"):
            raise _not_processed(row)
        if _invoice_of(row, _UNPOSTED) is None:
            self._api.press("sale.sale", "manual_invoice", row.id)
            row = self._sales.required(key)
        draft = _invoice_of(row, _UNPOSTED)
        if draft is None:
            raise refused(f"Tryton makes no invoice for the sale {key}: see whether one was cancelled there")
        if draft.reference != key and draft.state == "draft":
            self._api.write(INVOICE, [draft.id], {"reference": key, "description": row.description})
        self._api.press(INVOICE, "post", draft.id)
        row = self._sales.required(key)
        if _invoice_of(row, _STANDING) is None:
            raise refused(f"the invoice of the sale {key} is not posted in Tryton")
        return row

    def credit(self, note: CreditNote) -> Invoice:
        """Six requests, one more for each product that is not on the invoice, three more for a rounding line, two where
        Tryton asks about taxes; one where it was done before.
        """
        known = self._find(note.key)
        if known is None or known.state == "draft":
            known = self._drafted(note, known)
            known = self._rounded(note, known)
        if known.state in _UNPOSTED:
            self._api.press(INVOICE, "post", known.id)
            known = self._required(note.key)
        if known.state not in _STANDING:
            raise refused(f"the credit note {note.key} is {known.state} in Tryton")
        return as_invoice(known, {})

    def pay(self, payment: PaymentEntry) -> str:
        """Six requests; one where it was done before."""
        booked = self._booked(payment)
        if booked is None:
            self._book(payment)
            booked = self._booked(payment)
        if booked is None:
            raise refused(f"the payment {payment.key} is not booked in Tryton")
        return booked

    # ---- credit notes ----

    def _find(self, key: str) -> InvoiceRow | None:
        """The older one of two. A cancelled one is as if it were not."""
        domain = [["reference", "=", key], ["type", "=", "out"], ["state", "!=", "cancelled"]]
        return next(iter(rows(self._api, InvoiceRow, INVOICE, [*domain, ["company", "=", self._api.company]])), None)

    def _required(self, key: str) -> InvoiceRow:
        found = self._find(key)
        if found is None:
            raise Retry("backoffice_busy", f"somebody has taken the credit note {key} away meanwhile")
        return found

    def _drafted(self, note: CreditNote, known: InvoiceRow | None) -> InvoiceRow:
        row = self._sales.required(note.sale)
        invoice = _invoice_of(row, _STANDING)
        if invoice is None:
            raise refused(f"there is no posted invoice of the sale {note.sale} that could be credited")
        lines = [self._credited(line, row, invoice) for line in note.lines if line.quantity]
        if known is None:
            values = {
                "company": self._api.company,
                "type": "out",
                "party": invoice.party,
                "invoice_address": invoice.invoice_address,
                "account": invoice.account,
                "journal": invoice.journal,
                "currency": invoice.currency.id,
                "reference": note.key,
                "description": note.name,
                "invoice_date": note.issued_on,
                "lines": [["create", lines]],
            }
            self._api.create(INVOICE, values)
        elif not _holds(known, lines) or not _comes_to(known, note.total):
            commands = [["delete", [line.id for line in known.lines]], ["create", lines]]
            self._api.write(INVOICE, [known.id], {"lines": commands})
        return self._required(note.key)

    def _rounded(self, note: CreditNote, draft: InvoiceRow) -> InvoiceRow:
        computed = Money.parse(-draft.total_amount, draft.currency.code)
        rounded = rounding_line(note.total, computed, note.rounding)
        if rounded is None:
            return draft
        values = self._values(rounded, account=self._account(rounded.sku, draft.party))
        self._api.write(INVOICE, [draft.id], {"lines": [["create", [values]]]})
        draft = self._required(note.key)
        if not _comes_to(draft, note.total):
            raise refused(f"the credit note {note.key} does not come to {note.total} with its rounding line")
        return draft

    def _credited(self, line: SaleLine, row: SaleRow, invoice: InvoiceRow) -> dict[str, Any]:
        sold = next((each for each in goods_and_charges(row) if key_of(each) == line.key), None)
        billed = next((each for each in invoice.lines if sold and each.origin == f"{SALE_LINE},{sold.id}"), None)
        account = billed.account if billed and billed.account else self._account(line.sku, invoice.party)
        values = self._values(line, account=account)
        if sold is not None and sold.quantity_to_invoice <= -line.quantity:
            return {**values, "origin": f"{SALE_LINE},{sold.id}"}
        return {**values, "origin": f"{INVOICE_LINE},{billed.id}"} if billed else values

    def _values(self, line: SaleLine, *, account: int) -> dict[str, Any]:
        product = self._masters.product(line.sku)
        taxes = [self._masters.tax(name) for name in line.taxes]
        values = line_values(line, product.id, product.sale_uom, taxes, self._masters.price_digits)
        return {**values, "quantity": -line.quantity, "account": account, "invoice_type": "out"}

    def _account(self, sku: str, party: int) -> int:
        """The account of revenue that Tryton's own form would propose."""
        product = self._masters.product(sku)
        form = {
            "id": -1,
            "type": "line",
            "invoice_type": "out",
            "company": self._api.company,
            "product": product.id,
            "party": party,
            "taxes": [],
        }
        proposed = self._api.call(f"model.{INVOICE_LINE}.on_change_product", form)
        account = proposed.get("account") if isinstance(proposed, dict) else None
        if not isinstance(account, int):
            raise refused(f"the product {sku} has no account of revenue in Tryton")
        return account

    # ---- payments ----

    def _booked(self, payment: PaymentEntry) -> str | None:
        """The entry whose description begins with the key."""
        domain = ["OR", ["description", "=", payment.key], ["description", "like", f"{literal(payment.key)} %"]]
        found = self._api.rows("account.move", [["company", "=", self._api.company], domain], ["id"])
        return str(found[0]["id"]) if found else None

    def _book(self, payment: PaymentEntry) -> None:
        number = int(payment.invoice)
        invoices = rows(self._api, InvoiceRow, INVOICE, [["id", "=", number]])
        if not invoices:
            raise refused(f"there is no invoice {payment.invoice} in Tryton to be paid")
        invoice = invoices[0]
        amount = payment.amount.decimal
        context = {"active_model": INVOICE, "active_id": number, "active_ids": [number]}
        start = {
            "payee": invoice.party,
            "amount": -amount if is_credit(invoice) else amount,
            "currency": invoice.currency.id,
            "company": self._api.company,
            "invoice_account": invoice.account,
            "payment_method": self._masters.method(payment.method),
            "date": payment.paid_on,
            "description": f"{payment.key} {payment.reference}".strip(),
        }
        made = self._api.call(f"{_PAY}.create", context=context)
        if not isinstance(made, list) or not made:
            raise bug("Tryton opens the wizard of payments with something other than a session")
        forms = {"start": start, "ask": {"type": "partial"}}
        self._api.call(f"{_PAY}.execute", made[0], forms, "pay", context=context)
        self._api.call(f"{_PAY}.delete", made[0])


def _invoice_of(row: SaleRow, states: frozenset[str]) -> InvoiceRow | None:
    return next((each for each in row.invoices if each.state in states and not is_credit(each)), None)


def _not_processed(row: SaleRow) -> Exception:
    if row.state == "confirmed":
        return Retry("backoffice_busy", f"Tryton has not processed the sale {row.reference} yet")
    return refused(f"the sale {row.reference} is {row.state} and is not to be invoiced")


def _comes_to(row: InvoiceRow, total: Money) -> bool:
    return Money.parse(-row.total_amount, row.currency.code).equals(total)


def _holds(row: InvoiceRow, lines: list[dict[str, Any]]) -> bool:
    """Whether a draft has these lines, a rounding line aside."""
    recorded = {each.note: each for each in row.lines}
    return all(values["note"] in recorded and _is_so(recorded[values["note"]], values) for values in lines)


def _is_so(line: InvoiceLineRow, values: dict[str, Any]) -> bool:
    return (
        line.product is not None
        and line.product.id == values["product"]
        and line.quantity == values["quantity"]
        and line.unit_price == values["unit_price"]
        and sorted(line.taxes) == sorted(values["taxes"][0][1])
    )
