"""Money: Sales Invoices, credit notes, Payment Entries."""

from decimal import Decimal
from typing import Any

from shared.backoffices.documents import CreditNote, Invoice, InvoiceState, PaymentEntry, Sale, SaleLine
from shared.backoffices.erpnext.mapping import credit_document, credit_row, invoice_of, of_source
from shared.backoffices.erpnext.orders import Orders
from shared.backoffices.erpnext.schemas import (
    CANCELLED,
    DRAFT,
    SUBMITTED,
    InvoiceDocument,
    fields_of,
    read,
)
from shared.backoffices.http import bug, not_found, refused
from shared.backoffices.rounding import rounding_line
from shared.kernel.errors import Rejected

_MAKE_INVOICE = "erpnext.selling.doctype.sales_order.sales_order.make_sales_invoice"
_MAKE_PAYMENT = "erpnext.accounts.doctype.payment_entry.payment_entry.get_payment_entry"
_OURS = "storebridge "


class Invoices(Orders):
    """Invoices are found by the order in their rows, credit notes by *Customer's Purchase Order*, payments by *Remarks*
    (with *Custom Remarks* on, as ERPNext writes its own there otherwise; their *Reference No* is the bank's)."""

    def post_invoice(self, key: str) -> Sale:
        """One invoice that ERPNext draws up of the whole order: 10 requests while nothing has left; a repeat: 5."""
        order = self._required(key)
        if order.docstatus != SUBMITTED:
            raise refused("the Sales Order is not submitted")
        sale = self._told(order)
        if sale.invoice is not None:
            return sale
        name = self._draft_invoice(sale) or self._new_invoice(sale)
        self._api.submit("Sales Invoice", name)
        sale = self._told(order)
        if sale.invoice is None:
            raise refused("ERPNext left the Sales Invoice a draft: a workflow may stand against it")
        return sale

    def credit(self, note: CreditNote) -> Invoice:
        """A submitted Sales Invoice that is a return: 9 requests; the rounding line takes 2 more; a repeat: 1."""
        known = self._credit_note(note.key)
        if known is not None and known.docstatus == SUBMITTED:
            return invoice_of(known)
        if known is None or not invoice_of(known).total.equals(note.total):
            known = self._write_credit(known, note)
        self._api.submit("Sales Invoice", known.name)
        posted = self._credit_note(note.key)
        if posted is None or posted.docstatus != SUBMITTED:
            raise refused("ERPNext left the credit note a draft: a workflow may stand against it")
        return invoice_of(posted)

    def register_payment(self, payment: PaymentEntry) -> str:
        """A submitted Payment Entry: 7 requests; a repeat: 1. The account is the one of the Mode of Payment."""
        known = self._payment(payment.key)
        if known is None:
            self._api.create("Payment Entry", self._payment_document(payment))
            known = self._payment(payment.key)
        if known is not None and known["docstatus"] == DRAFT:
            self._api.submit("Payment Entry", str(known["name"]))
            known = self._payment(payment.key)
        if known is None or known["docstatus"] != SUBMITTED:
            raise refused("ERPNext left the Payment Entry a draft: a workflow may stand against it")
        return str(known["name"])

    def _draft_invoice(self, sale: Sale) -> str | None:
        """A draft over the whole order, as a worker who died has left it or as staff have begun it."""
        name = None
        for invoice in sale.invoices:
            if invoice.state is not InvoiceState.DRAFT:
                continue
            if invoice.total.equals(sale.total):
                name = name or invoice.id
            elif self._is_ours(invoice.id, sale.key):
                self._api.delete("Sales Invoice", invoice.id)
            else:
                raise refused(f"the draft {invoice.id} over {invoice.total} stands in the invoice's way")
        return name

    def _is_ours(self, name: str, key: str) -> bool:
        document = self._api.document("Sales Invoice", name)
        return document is not None and read(InvoiceDocument, document).remarks == f"{_OURS}{key}"

    def _new_invoice(self, sale: Sale) -> str:
        source = self._api.ask(_MAKE_INVOICE, source_name=sale.id)
        if not isinstance(source, dict):
            raise bug("ERPNext draws up something other than an invoice")
        items = [of_source(row) for row in source.get("items") or []]
        ours = {"items": items, "remarks": f"{_OURS}{sale.key}", "update_stock": 0, "disable_rounded_total": 1}
        return str(self._api.create("Sales Invoice", {**of_source(source), **ours})["name"])

    def _credit_note(self, key: str) -> InvoiceDocument | None:
        rows = self._api.rows(
            "Sales Invoice",
            fields_of(InvoiceDocument),
            (("po_no", "=", key), ("is_return", "=", 1), ("docstatus", "!=", CANCELLED)),
            order_by="creation asc",
        )
        return read(InvoiceDocument, rows[0]) if rows else None

    def _write_credit(self, known: InvoiceDocument | None, note: CreditNote) -> InvoiceDocument:
        lines = [line for line in note.lines if line.quantity]
        self._require_items(lines, note.rounding.sku)
        header = credit_document(note, self._company, self._required(note.sale).customer, self._tax_accounts(lines))
        document = self._save_credit(known, header, lines)
        rounding = rounding_line(note.total, invoice_of(document).total, note.rounding)
        if rounding is not None:
            document = self._save_credit(document, header, [*lines, rounding])
        total = invoice_of(document).total
        if not total.equals(note.total):
            raise Rejected(
                "totals_differ",
                f"the credit is {note.total}, ERPNext computes {total} with the rounding line",
                field="total",
                hint=f"let the item {note.rounding.sku} bear no tax in ERPNext, then retry the order",
            )
        return document

    def _save_credit(
        self, known: InvoiceDocument | None, header: dict[str, Any], lines: list[SaleLine]
    ) -> InvoiceDocument:
        document = {**header, "items": [credit_row(line) for line in lines]}
        if known is None:
            name = str(self._api.create("Sales Invoice", document)["name"])
        else:
            name = known.name
            self._api.update("Sales Invoice", name, document)
        return read(InvoiceDocument, self._api.document("Sales Invoice", name))

    def _payment(self, key: str) -> dict[str, Any] | None:
        rows = self._api.rows(
            "Payment Entry",
            ["name", "docstatus"],
            (("remarks", "=", key), ("docstatus", "!=", CANCELLED)),
            order_by="creation asc",
        )
        return rows[0] if rows else None

    def _payment_document(self, payment: PaymentEntry) -> dict[str, Any]:
        source = self._api.ask(
            _MAKE_PAYMENT, dt="Sales Invoice", dn=payment.invoice, bank_account=self._account_of(payment.method)
        )
        references = source.get("references") if isinstance(source, dict) else None
        if not references:
            raise refused(f"nothing is unpaid on {payment.invoice}")
        goes_out = Decimal(str(references[0].get("allocated_amount") or 0)) < 0
        amount = payment.amount.decimal
        day = payment.paid_on.isoformat()
        return {
            **of_source(source),
            "mode_of_payment": payment.method,
            "posting_date": day,
            "reference_no": payment.reference,
            "reference_date": day,
            "remarks": payment.key,
            "custom_remarks": 1,
            "paid_amount": str(amount),
            "received_amount": str(amount),
            "references": [{**of_source(references[0]), "allocated_amount": str(-amount if goes_out else amount)}],
        }

    def _account_of(self, method: str) -> str:
        document = self._api.document("Mode of Payment", method)
        rows = (document or {}).get("accounts") or []
        accounts = [str(row["default_account"]) for row in rows if row.get("company") == self._company]
        if not accounts:
            raise not_found(
                f"there is no Mode of Payment {method!r} with an account of {self._company}",
                "method",
                "set its default account in ERPNext, or name another one in the settings",
            )
        return accounts[0]
