"""Invoices, credit notes and payments.

An invoice is written as the journal entry itself and not through Odoo's dialogue, which bills ordered or delivered
units as each product's policy says, and knows no key. Linked to the sale's lines it counts there as Odoo's own would.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.backoffices.documents import CreditNote, Invoice, PaymentEntry, Sale, SaleLine, SaleState
from shared.backoffices.http import not_found, refused
from shared.backoffices.odoo import mapping
from shared.backoffices.odoo.client import OdooApi
from shared.backoffices.odoo.dialect import Dialect
from shared.backoffices.odoo.masters import Masters
from shared.backoffices.odoo.names import external_id
from shared.backoffices.odoo.sales import Found, Sales
from shared.backoffices.odoo.schemas import Bill, Line, read
from shared.backoffices.rounding import rounding_line
from shared.kernel.errors import Rejected

_OPEN: dict[str, Any] = {"reconciled": {}, "amount_residual": {}, "account_type": {}}


class Invoices:
    def __init__(self, api: OdooApi, dialect: Dialect, masters: Masters, sales: Sales) -> None:
        self._api = api
        self._dialect = dialect
        self._masters = masters
        self._sales = sales

    # ---- invoices ----

    def post(self, key: str) -> Sale:
        """Seven requests; two when an invoice stands already."""
        found = self._sales.require(key)
        sale = found.told
        if sale.invoice is not None:
            return sale
        if sale.state not in (SaleState.CONFIRMED, SaleState.DONE):
            raise refused(f"the sale {sale.number} is {found.order.state}: there is nothing to invoice")
        self._require_no_other_draft(found)
        number = self._drafted(found)
        draft = self._bill(number)
        if draft.amount_total != found.order.amount_total:
            raise Rejected(
                "totals_differ",
                f"the invoice would come to {draft.amount_total}, the sale to {found.order.amount_total}",
                field="total",
                hint="compare the draft invoice in Odoo with its sale, then retry the order",
            )
        refusal = self._api.attempt("account.move", "action_post", [number])
        sale = self._sales.require(key).told
        if sale.invoice is None:
            raise refused(refusal or f"Odoo does not post the invoice of {sale.number} and does not say why")
        return sale

    def _require_no_other_draft(self, found: Found) -> None:
        """A draft of staff's own would bill the sale a second time."""
        drafts = [
            bill.id for bill in found.order.invoice_ids if bill.state == "draft" and bill.move_type == "out_invoice"
        ]
        names = self._api.external_ids("account.move", drafts)
        if any(names.get(number) != self._name(found) for number in drafts):
            raise refused(f"the sale {found.order.name} has a draft invoice that staff have made: post or delete it")

    def _name(self, found: Found) -> str:
        """Another one for each invoice that staff have cancelled."""
        cancelled = sum(bill.state == "cancel" for bill in found.order.invoice_ids)
        return external_id("invoice", found.key, str(cancelled + 1))

    def _drafted(self, found: Found) -> int:
        order = found.order
        record = {
            "id": self._name(found),
            "move_type": "out_invoice",
            "partner_id/.id": _text(order.partner_invoice_id or order.partner_id),
            "partner_shipping_id/.id": _text(order.partner_shipping_id),
            "invoice_origin": order.name or "",
            "ref": order.client_order_ref or "",
            "currency_id/.id": _text(order.currency_id.id if order.currency_id else None),
            "invoice_payment_term_id/.id": _text(order.payment_term_id),
            "fiscal_position_id/.id": _text(order.fiscal_position_id),
        }
        lines = [line for line in order.order_line if not line.display_type and line.product_uom_qty]
        rows = [_billed(external_id("invoice", found.key, "line", str(line.id)), line) for line in lines]
        return self._api.load("account.move", record, "invoice_line_ids", rows)

    # ---- credit notes ----

    def credit(self, note: CreditNote) -> Invoice:
        """Eight requests, three more with a rounding line; one when it is posted already.

        It is not linked to the invoice: Odoo would settle the two against each other, and what is paid out by the
        provider would stay open (19.0's source, `_reconcile_reversed_moves`). Nor to the sale's lines, which would
        become billable again.
        """
        bill = self._note(note)
        if bill is None or bill.state == "draft":
            draft = self._drafted_note(note)
            draft = draft if bill is None else self._without_more(note, draft)
            bill = self._posted(note, self._tied_out(note, draft))
        if bill.state != "posted":
            raise refused(f"the credit note {note.name} is cancelled in Odoo")
        return mapping.invoice(bill, {})

    def _drafted_note(self, note: CreditNote) -> Bill:
        found = self._sales.require(note.sale)
        products = self._masters.product_ids(line.sku for line in note.lines)
        taxes = self._masters.tax_ids(note.lines)
        order = found.order
        record = {
            "id": external_id("credit", note.key),
            "move_type": "out_refund",
            "partner_id/.id": _text(order.partner_invoice_id or order.partner_id),
            "invoice_date": note.issued_on.isoformat(),
            "invoice_origin": note.key,
            "ref": note.name,
            "currency_id/.id": _text(order.currency_id.id if order.currency_id else None),
        }
        rows = [self._credited(note, line, products, taxes) for line in note.lines]
        return self._bill(self._api.load("account.move", record, "invoice_line_ids", rows))

    def _credited(
        self, note: CreditNote, line: SaleLine, products: Mapping[str, str], taxes: Mapping[str, str]
    ) -> dict[str, str]:
        return {
            "id": external_id("credit", note.key, "line", line.key),
            "product_id/.id": products[line.sku],
            "name": line.title,
            "quantity": str(line.quantity),
            "price_unit": mapping.unit_price(line.amount, line.quantity, self._dialect.price_digits),
            "discount": "0",
            "tax_ids/.id": ",".join(taxes[name] for name in line.taxes),
        }

    def _without_more(self, note: CreditNote, bill: Bill) -> Bill:
        """The draft of an earlier attempt without what this note does not name: its rounding line above all."""
        names = self._api.external_ids("account.move.line", [line.id for line in bill.invoice_line_ids])
        wanted = {external_id("credit", note.key, "line", line.key) for line in note.lines}
        extra = [line.id for line in bill.invoice_line_ids if names.get(line.id) not in wanted]
        if extra:
            commands = [[2, number] for number in extra]
            self._api.call("account.move", "write", [bill.id], vals={"invoice_line_ids": commands})
            bill = self._bill(bill.id)
        return bill

    def _tied_out(self, note: CreditNote, bill: Bill) -> Bill:
        """The draft with its rounding line, where it needs one."""
        computed = mapping.money(bill.amount_total, bill.currency_id.name if bill.currency_id else None)
        line = rounding_line(note.total, computed, note.rounding)
        if line is None:
            return bill
        products = self._masters.product_ids([line.sku])
        row = self._credited(note, line, products, {})
        self._api.load("account.move", {"id": external_id("credit", note.key)}, "invoice_line_ids", [row])
        return self._bill(bill.id)

    def _posted(self, note: CreditNote, bill: Bill) -> Bill:
        if not mapping.money(bill.amount_total, note.total.currency).equals(note.total):
            raise refused(f"the credit note {note.name} does not come to {note.total}, rounding line included")
        refusal = self._api.attempt("account.move", "action_post", [bill.id])
        bill = self._bill(bill.id)
        if bill.state == "draft":
            raise refused(refusal or f"Odoo does not post the credit note {note.name} and does not say why")
        return bill

    def _note(self, note: CreditNote) -> Bill | None:
        bills = self._bills([["invoice_origin", "=", note.key], ["move_type", "=", "out_refund"]])
        return bills[0] if bills else None

    def _bill(self, number: int) -> Bill:
        bills = self._bills([["id", "=", number]])
        if not bills:
            raise not_found("Odoo has no such invoice", "invoice", "look for it in Odoo: somebody has deleted it")
        return bills[0]

    def _bills(self, domain: Sequence[object]) -> list[Bill]:
        specification = mapping.bill_specification(payments=self._dialect.invoices_name_payments)["fields"]
        return [read(Bill, row) for row in self._api.graph("account.move", domain, specification, order="id")]

    # ---- payments ----

    def pay(self, payment: PaymentEntry) -> str:
        """Seven requests, five where the journal makes no entry; three when it is booked already."""
        if not payment.invoice.isdecimal():
            raise not_found(f"Odoo has no invoice {payment.invoice}", "invoice", "retry the order")
        bill = self._bill(int(payment.invoice))
        number, state = self._payment(payment) or (self._drafted_payment(payment, bill), "draft")
        refusal = self._api.attempt("account.payment", "action_post", [number]) if state == "draft" else ""
        state, open_lines = self._entry(number)
        if state == "draft":
            raise refused(refusal or "Odoo does not post the payment and does not say why")
        for line in open_lines:
            self._api.call("account.move", "js_assign_outstanding_line", [bill.id], line_id=line)
        if open_lines and self._entry(number)[1] == open_lines:
            raise refused(f"Odoo does not set the payment against {bill.name}: it has less open than was paid")
        return str(number)

    def _payment(self, payment: PaymentEntry) -> tuple[int, str] | None:
        memo = self._dialect.memo
        rows = self._api.rows("account.payment", [[memo, "=like", f"{_like(payment.key)} %"]], ["state"], order="id")
        return (int(rows[0]["id"]), str(rows[0]["state"])) if rows else None

    def _drafted_payment(self, payment: PaymentEntry, bill: Bill) -> int:
        record = {
            "id": external_id("payment", payment.key),
            "payment_type": "inbound" if bill.move_type == "out_invoice" else "outbound",
            "partner_type": "customer",
            "partner_id/.id": _text(bill.partner_id),
            "amount": f"{payment.amount.decimal:f}",
            "currency_id/.id": _text(bill.currency_id.id if bill.currency_id else None),
            "journal_id/.id": self._masters.journal(payment.method),
            "date": payment.paid_on.isoformat(),
            self._dialect.memo: f"{payment.key} {payment.reference}",
        }
        if self._dialect.payments_name_invoices:
            record["invoice_ids/.id"] = str(bill.id)
        return self._api.load("account.payment", record)

    def _entry(self, number: int) -> tuple[str, list[int]]:
        """The payment's state, and which lines of its entry no invoice has been set against.

        A payment without an entry of its own has none: it names its invoice (since 18, by its source; Community's own
        journals made entries when it was run).
        """
        lines = {"move_id": {"fields": {"line_ids": {"fields": _OPEN}}}}
        (row,) = self._api.graph("account.payment", [["id", "=", number]], {"state": {}, **lines})
        entry = row.get("move_id") or {}
        return str(row["state"]), [
            int(line["id"])
            for line in entry.get("line_ids") or ()
            if line["account_type"] == "asset_receivable" and not line["reconciled"] and line["amount_residual"]
        ]


def _billed(name: str, line: Line) -> dict[str, str]:
    return {
        "id": name,
        "product_id/.id": _text(line.product_id.id if line.product_id else None),
        "name": line.name or line.sku,
        "quantity": f"{line.product_uom_qty.normalize():f}",
        "price_unit": f"{line.price_unit:f}",
        "discount": f"{line.discount:f}",
        "tax_ids/.id": ",".join(str(tax) for tax in line.taxes),
        "sale_line_ids/.id": str(line.id),
    }


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _text(number: int | None) -> str:
    return "" if number is None else str(number)
