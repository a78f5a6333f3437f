"""What ERPNext does with its documents: totals, reservations, deliveries, invoices, payments, counts.

From the source of ERPNext 13 to 16, in words of our own and as far as Storebridge depends on it; never compared with a
real site. Amounts have the two digits of *Currency Precision*.
"""

import copy
import json
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from infra.fakes.erpnext_site import FrappeError, Json, Site

_CENT = Decimal("0.01")
_CANCELLED = 2
_FREE = 100
"""Per cent of discount."""
_PRICED = ("Sales Order", "Delivery Note", "Sales Invoice")
_FROM_ORDER = {"Delivery Note": "against_sales_order", "Sales Invoice": "sales_order"}
_PREFERRED = ("is_primary_address", "is_shipping_address")
_ADDRESSES = (
    ("customer_address", "address_display", "is_primary_address"),
    ("shipping_address_name", "shipping_address", "is_shipping_address"),
)
"""A document's fields for the name of an address and for its text, and what makes one the usual one."""
_DRAWN = (
    "customer",
    "company",
    "currency",
    "po_no",
    "title",
    "disable_rounded_total",
    "set_warehouse",
    "customer_address",
    "shipping_address_name",
    "contact_person",
)
_SHOWN = ("address_line1", "address_line2", "city", "state", "pincode", "country")


class Trade:
    """The rules. `negative_rates` is the switch in Selling Settings, `tracked` the doctypes with *Track Changes*."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.negative_rates = True
        self.tracked: frozenset[str] = frozenset({"Customer", "Comment"})
        self.books_closed_until = ""
        """The last day of the last Period Closing Voucher."""

    # ---- saving ----

    def validate(self, document: Json) -> None:
        doctype = document["doctype"]
        if doctype in _PRICED:
            self._validate_priced(document)
        if doctype == "Contact":
            self._validate_contact(document)
        if doctype == "Address":
            self._validate_address(document)
        if doctype == "Sales Order" and not document.get("delivery_date"):
            raise FrappeError("Please enter Delivery Date")
        if doctype == "Delivery Note":
            self._validate_note(document)
        if doctype == "Sales Invoice" and document["docstatus"] == 0:
            document["outstanding_amount"] = 0
        if doctype == "Payment Entry":
            self._validate_payment(document)
        if doctype == "Journal Entry":
            self._validate_entry(document)
        if doctype == "Stock Reconciliation" and not self._changed_rows(document):
            raise FrappeError(
                "None of the items have any change in quantity or value.", "EmptyStockReconciliationItemsError"
            )

    def _validate_entry(self, document: Json) -> None:
        if document["cheque_no"] and not document["cheque_date"]:
            raise FrappeError("Reference No & Reference Date is required")
        debit, credit = (
            sum(_number(row[f"{side}_in_account_currency"]) for row in document["accounts"])
            for side in ("debit", "credit")
        )
        for row in document["accounts"]:
            if row["account"] not in self._site.documents["Account"]:
                raise FrappeError(f"Could not find Row #{row['idx']}: Account: {row['account']}", "LinkValidationError")
        if debit != credit:
            raise FrappeError("Total Debit must be equal to Total Credit.")
        document |= {"total_debit": debit, "total_credit": credit}

    def customer_saved(self, customer: Json) -> None:
        """A new customer's Contact; later the Contact is the one that knows how he is reached."""
        contact = customer.get("customer_primary_contact")
        if contact:
            held = self._site.get("Contact", contact)
            customer |= {"email_id": held["email_id"], "mobile_no": held["mobile_no"]}
        elif customer.get("email_id") or customer.get("mobile_no"):
            email, mobile = customer.get("email_id"), customer.get("mobile_no")
            values = {
                "first_name": customer["customer_name"],
                "email_ids": [{"email_id": email, "is_primary": 1}] if email else [],
                "phone_nos": [{"phone": mobile, "is_primary_mobile_no": 1}] if mobile else [],
                "links": [{"link_doctype": "Customer", "link_name": customer["name"]}],
            }
            made = self._site.fresh("Contact", values)
            self.validate(made)
            self._site.keep(made)
            customer["customer_primary_contact"] = made["name"]

    def changed(self, before: Json, after: Json) -> None:
        """The change log, which Frappe calls versions."""
        changes = [[name, before[name], after[name]] for name in sorted(before) if before[name] != after[name]]
        changes = [change for change in changes if change[0] not in ("modified", "modified_by")]
        if after["doctype"] in self.tracked and changes:
            data = json.dumps({"changed": changes}, default=str)
            values = {"ref_doctype": after["doctype"], "docname": after["name"], "data": data}
            self._site.keep(self._site.fresh("Version", values))

    def _validate_contact(self, contact: Json) -> None:
        """The primary address and number, as the Contact itself shows them. A single address is the primary one."""
        emails, phones = contact["email_ids"], contact["phone_nos"]
        for row in emails if len(emails) == 1 else ():
            row["is_primary"] = 1
        contact["email_id"] = next((row["email_id"] for row in emails if row["is_primary"]), "")
        contact["mobile_no"] = next((row["phone"] for row in phones if row["is_primary_mobile_no"]), "")
        if sum(bool(row["is_primary"]) for row in emails) > 1:
            raise FrappeError("Only one Email ID can be set as primary.")

    def _validate_address(self, address: Json) -> None:
        """There is one preferred address of a kind: another one is preferred no more."""
        parties = {(link["link_doctype"], link["link_name"]) for link in address["links"]}
        for flag in _PREFERRED:
            for other in self._site.documents["Address"].values():
                shared = parties & {(link["link_doctype"], link["link_name"]) for link in other["links"]}
                if address[flag] and shared and other["name"] != address["name"] and not other["disabled"]:
                    other[flag] = 0

    def _fill_in_party(self, document: Json) -> None:
        """What a document says of its customer, where it says nothing yet: copies, which later changes do not reach."""
        customer = self._site.link("Customer", document["customer"])
        document["customer_name"] = customer["customer_name"]
        document["title"] = document.get("title") or customer["customer_name"]
        for field, text, flag in _ADDRESSES:
            document[field] = document.get(field) or self._default_address(customer["name"], flag)
            if document[field] and not document.get(text):
                address = self._site.link("Address", document[field])
                document[text] = "<br>".join(str(address[part]) for part in _SHOWN if address[part])
        contact = document.get("contact_person") or customer.get("customer_primary_contact")
        if contact:
            held = self._site.link("Contact", contact)
            document["contact_person"] = contact
            document["contact_display"] = document.get("contact_display") or held["first_name"]
            document["contact_email"] = document.get("contact_email") or held["email_id"]
            document["contact_mobile"] = document.get("contact_mobile") or held["mobile_no"]

    def _default_address(self, customer: str, flag: str) -> str | None:
        mine = [
            address
            for address in self._site.documents["Address"].values()
            if any(link["link_name"] == customer for link in address["links"]) and not address["disabled"]
        ]
        found = sorted(mine, key=lambda address: not address[flag])
        return str(found[0]["name"]) if found else None

    def _validate_priced(self, document: Json) -> None:
        self._fill_in_party(document)
        if not document.get("items"):
            raise FrappeError(f"{document['doctype']}: Items is required", "MandatoryError")
        for row in document["items"]:
            self._validate_row(row, document)
        self.calculate(document)

    def _validate_row(self, row: Json, document: Json) -> None:
        item = self._site.link("Item", row["item_code"])
        quantity = _number(row["qty"])
        if not quantity:
            raise FrappeError("Quantity should not be zero")
        if (quantity < 0) != bool(document.get("is_return")):
            raise FrappeError(f"For an item {row['item_code']}, quantity must be the other way round")
        if _number(row["rate"]) < 0 and not self.negative_rates:
            raise FrappeError(f"For item <b>{row['item_code']}</b>, rate must be a positive number")
        row["warehouse"] = row.get("warehouse") or document.get("set_warehouse")
        if row["warehouse"]:
            self._site.link("Warehouse", row["warehouse"])
        elif item["is_stock_item"] and document["doctype"] != "Sales Invoice":
            raise FrappeError(f"Delivery warehouse required for stock item {row['item_code']}", "WarehouseRequired")
        row["uom"] = row.get("uom") or item["stock_uom"]
        row["item_name"] = row.get("item_name") or item["item_name"]
        own = [tax["item_tax_template"] for tax in item.get("taxes") or []]
        row["item_tax_template"] = row.get("item_tax_template") or next(iter(own), None)
        if row["item_tax_template"]:
            self._site.link("Item Tax Template", row["item_tax_template"])
            if own and row["item_tax_template"] not in own:
                raise FrappeError(f"Invalid Item Tax Template for item {row['item_code']}")

    def calculate(self, document: Json) -> None:
        """Amounts, the taxes of each account, and the total."""
        net = Decimal(0)
        for row in document["items"]:
            if not _number(row["rate"]) and _number(row.get("discount_percentage")) != _FREE:
                row["rate"] = row.get("price_list_rate") or 0
            row["rate"] = _rounded(_number(row["rate"]))
            row["amount"] = _rounded(row["rate"] * _number(row["qty"]))
            net += row["amount"]
        total = net
        for tax in document.get("taxes") or []:
            rates = (self._rate(row, tax) * row["amount"] / 100 for row in document["items"])
            tax["tax_amount"] = _rounded(sum(rates, Decimal(0)))
            total += tax["tax_amount"]
        document |= {"net_total": net, "grand_total": total, "total_taxes_and_charges": total - net}

    def _rate(self, row: Json, tax: Json) -> Decimal:
        if row.get("item_tax_template"):
            details = self._site.get("Item Tax Template", row["item_tax_template"])["taxes"]
            for detail in details:
                if detail["tax_type"] == tax["account_head"]:
                    return _number(detail["tax_rate"])
        return _number(tax["rate"])

    def _validate_note(self, document: Json) -> None:
        day, _, time = self._site.now().partition(" ")
        document["posting_date"] = document.get("posting_date") or day
        document["posting_time"] = document.get("posting_time") or time.removeprefix("0")
        if not document.get("is_return"):
            return
        for row in document["items"]:
            sent = self._row_of("Delivery Note", document["return_against"], row["dn_detail"])
            others = (
                _number(other["qty"])
                for other in self._site.rows("Delivery Note Item")
                if other["dn_detail"] == sent["name"] and other["docstatus"] == 1 and other["name"] != row["name"]
            )
            if _number(sent["qty"]) + sum(others, Decimal(0)) + _number(row["qty"]) < 0:
                raise FrappeError(f"Cannot return more than {sent['qty']} for Item {row['item_code']}", "OverReturn")

    def _validate_payment(self, document: Json) -> None:
        document["party_name"] = self._site.link("Customer", document["party"])["customer_name"]
        document["title"] = document["party_name"]
        if not document.get("reference_no"):
            raise FrappeError("Reference No and Reference Date is mandatory for Bank transaction")
        if not document.get("custom_remarks"):
            document["remarks"] = f"Amount {document['paid_amount']} received from {document['party']}"
        for reference in document["references"]:
            invoice = self._site.link("Sales Invoice", reference["reference_name"])
            if invoice["docstatus"] != 1:
                raise FrappeError(f"Sales Invoice {invoice['name']} must be submitted")
            allocated, unpaid = _number(reference["allocated_amount"]), _number(invoice["outstanding_amount"])
            if abs(allocated) > abs(unpaid) or (allocated < 0) != (unpaid < 0):
                raise FrappeError("Row #1: Allocated Amount cannot be greater than outstanding amount.")

    # ---- submitting, cancelling ----

    def submitted(self, document: Json) -> None:
        doctype = document["doctype"]
        if doctype == "Sales Order":
            self._reserve(document)
        elif doctype == "Delivery Note":
            self._deliver(document)
        elif doctype == "Sales Invoice":
            document["outstanding_amount"] = document["grand_total"]
        elif doctype == "Payment Entry":
            for reference in document["references"]:
                invoice = self._site.get("Sales Invoice", reference["reference_name"])
                invoice["outstanding_amount"] = _number(invoice["outstanding_amount"]) - _number(
                    reference["allocated_amount"]
                )
                invoice["modified"] = self._site.now()
        elif doctype == "Journal Entry" and str(document["posting_date"]) <= self.books_closed_until:
            raise FrappeError(f"Books have been closed till the period ending on {self.books_closed_until}")
        elif doctype == "Stock Reconciliation":
            for row in document["items"]:
                self.bin(row["item_code"], row["warehouse"])["actual_qty"] = _number(row["qty"])
                self._touch_bin(row["item_code"], row["warehouse"])
        self._set_status(document)

    def cancelled(self, document: Json) -> None:
        if document["doctype"] != "Sales Order":
            raise FrappeError("The fake cancels Sales Orders alone", "NotImplementedError", 501)
        for doctype, link in _FROM_ORDER.items():
            for row in self._site.rows(f"{doctype} Item"):
                if row[link] == document["name"] and row["docstatus"] == 1:
                    raise FrappeError(
                        f"Cannot delete or cancel because Sales Order <a href='/x'>{document['name']}</a> is linked"
                        f" with {doctype} {row['parent']}",
                        "LinkExistsError",
                    )
                if doctype == "Sales Invoice" and row[link] == document["name"] and row["docstatus"] == 0:
                    raise FrappeError(f"Sales Invoice {row['parent']} must be deleted before cancelling")
        self._reserve(document)
        self._set_status(document)

    def _deliver(self, note: Json) -> None:
        for row in note["items"]:
            if self._site.get("Item", row["item_code"])["is_stock_item"]:
                held = self.bin(row["item_code"], row["warehouse"])
                if held["actual_qty"] < _number(row["qty"]):
                    raise FrappeError(f"{row['qty']} units of {row['item_code']} needed", "NegativeStockError")
            if row.get("so_detail"):
                ordered = self._row_of("Sales Order", row["against_sales_order"], row["so_detail"])
                delivered = _number(ordered["delivered_qty"]) + _number(row["qty"])
                if delivered > _number(ordered["qty"]):
                    raise FrappeError(f"This document is over limit for item {row['item_code']}", "OverAllowance")
                ordered["delivered_qty"] = delivered
        for row in note["items"]:
            if self._site.get("Item", row["item_code"])["is_stock_item"]:
                self.bin(row["item_code"], row["warehouse"])["actual_qty"] -= _number(row["qty"])
                self._touch_bin(row["item_code"], row["warehouse"])
        for name in {row["against_sales_order"] for row in note["items"] if row.get("against_sales_order")}:
            order = self._site.get("Sales Order", name)
            self._reserve(order)
            self._set_status(order)
            order["modified"] = self._site.now()

    def _set_status(self, document: Json) -> None:
        if document["docstatus"] == _CANCELLED:
            document["status"] = "Cancelled"
        elif document["doctype"] == "Sales Order":
            done = all(_number(row["delivered_qty"]) >= _number(row["qty"]) for row in document["items"])
            document["status"] = "To Bill" if done else "To Deliver and Bill"

    # ---- stock ----

    def bin(self, sku: str, warehouse: str) -> Json:
        for held in self._site.documents["Bin"].values():
            if (held["item_code"], held["warehouse"]) == (sku, warehouse):
                return held
        made = self._site.fresh("Bin", {"item_code": sku, "warehouse": warehouse})
        made |= {"actual_qty": Decimal(0), "reserved_qty": Decimal(0)}
        made |= {"reserved_qty_for_production": 0, "reserved_qty_for_sub_contract": 0}
        self._site.keep(made)
        return made

    def _touch_bin(self, sku: str, warehouse: str) -> None:
        self.bin(sku, warehouse)["modified"] = self._site.now()

    def _reserve(self, order: Json) -> None:
        for row in order["items"]:
            if self._site.get("Item", row["item_code"])["is_stock_item"]:
                self.reserve_anew(row["item_code"], row["warehouse"])

    def reserve_anew(self, sku: str, warehouse: str) -> None:
        promised = sum(
            (
                _number(row["qty"]) - _number(row["delivered_qty"])
                for row in self._site.rows("Sales Order Item")
                if (row["item_code"], row["warehouse"], row["docstatus"]) == (sku, warehouse, 1)
            ),
            Decimal(0),
        )
        self.bin(sku, warehouse)["reserved_qty"] = promised
        self._touch_bin(sku, warehouse)

    def _changed_rows(self, document: Json) -> bool:
        return any(
            self.bin(row["item_code"], row["warehouse"])["actual_qty"] != _number(row["qty"])
            for row in document["items"]
        )

    # ---- the methods ----

    def update_items(self, order: Json, rows: list[Json]) -> None:
        """*Update Items* of a submitted order. A new row bears its item's own tax, whatever the caller says."""
        if order["docstatus"] != 1:
            raise FrappeError("Cannot update items of an order that is not submitted")
        named = {row.get("docname") for row in rows}
        kept = [row for row in order["items"] if row["name"] in named]
        for row in order["items"]:
            if row["name"] not in named and _number(row["delivered_qty"]):
                raise FrappeError(f"Cannot delete item {row['item_code']} which has already been delivered")
        touched = {(row["item_code"], row["warehouse"]) for row in order["items"]}
        by_name = {row["name"]: row for row in kept}
        for values in rows:
            row = by_name.get(values.get("docname", ""))
            if row is None:
                row = self._site.row("Sales Order Item", {"item_code": values["item_code"]}, order, "items")
                row["delivered_qty"] = 0
                kept.append(row)
            if _number(values["qty"]) < _number(row["delivered_qty"]):
                raise FrappeError("Cannot set quantity less than delivered quantity.")
            row |= {name: values[name] for name in ("qty", "rate", "delivery_date", "description") if name in values}
        order["items"] = kept
        self.validate(order)
        self._site.keep(order)
        self._set_status(order)
        touched |= {(row["item_code"], row["warehouse"]) for row in kept}
        for sku, warehouse in touched:
            if self._site.get("Item", sku)["is_stock_item"]:
                self.reserve_anew(sku, warehouse)

    def note_for(self, order: Json) -> Json:
        rows = [
            _drawn(row, qty=_number(row["qty"]) - _number(row["delivered_qty"]))
            | {"against_sales_order": order["name"], "so_detail": row["name"]}
            for row in order["items"]
            if _number(row["delivered_qty"]) < _number(row["qty"])
        ]
        return self._drawn_document("Delivery Note", order, rows)

    def invoice_for(self, order: Json) -> Json:
        rows = [
            _drawn(row, qty=_number(row["qty"])) | {"sales_order": order["name"], "so_detail": row["name"]}
            for row in order["items"]
        ]
        return self._drawn_document("Sales Invoice", order, rows)

    def return_for(self, note: Json) -> Json:
        rows = [
            _drawn(row, qty=-_number(row["qty"]))
            | {"against_sales_order": row["against_sales_order"], "so_detail": row["so_detail"]}
            | {"dn_detail": row["name"]}
            for row in note["items"]
        ]
        return self._drawn_document("Delivery Note", note, rows) | {"is_return": 1, "return_against": note["name"]}

    def payment_for(self, invoice: Json, account: str) -> Json:
        unpaid = _number(invoice["outstanding_amount"])
        reference = {
            "reference_doctype": "Sales Invoice",
            "reference_name": invoice["name"],
            "total_amount": invoice["grand_total"],
            "outstanding_amount": unpaid,
            "allocated_amount": unpaid,
        }
        return {
            "doctype": "Payment Entry",
            "__islocal": 1,
            "payment_type": "Receive" if unpaid > 0 else "Pay",
            "party_type": "Customer",
            "party": invoice["customer"],
            "company": invoice["company"],
            "paid_to" if unpaid > 0 else "paid_from": account,
            "paid_amount": abs(unpaid),
            "received_amount": abs(unpaid),
            "references": [reference] if unpaid else [],
        }

    def _drawn_document(self, doctype: str, source: Json, rows: list[Json]) -> Json:
        if source["docstatus"] != 1:
            raise FrappeError(f"{source['doctype']} {source['name']} must be submitted")
        if not rows:
            raise FrappeError("Nothing is left to be drawn up")
        taxes = [
            {name: tax[name] for name in ("charge_type", "account_head", "description", "rate")}
            for tax in source.get("taxes") or []
        ]
        header = {name: source[name] for name in _DRAWN if source.get(name) is not None}
        return {"doctype": doctype, "__islocal": 1, "__onload": {}, **header, "items": rows, "taxes": taxes}

    def _row_of(self, doctype: str, parent: Any, name: Any) -> Json:
        rows: list[Json] = self._site.link(doctype, parent)["items"]
        for row in rows:
            if row["name"] == name:
                return row
        raise FrappeError(f"Could not find Row of {doctype}: {name}", "LinkValidationError")


def _drawn(row: Json, *, qty: Decimal) -> Json:
    names = ("item_code", "item_name", "description", "rate", "price_list_rate", "discount_percentage", "uom")
    drawn = {name: copy.deepcopy(row.get(name)) for name in (*names, "warehouse", "item_tax_template")}
    return drawn | {"qty": qty, "__islocal": 1}


def _number(value: Any) -> Decimal:
    return Decimal(str(value or 0))


def _rounded(amount: Decimal) -> Decimal:
    """ERPNext's default is the banker's rounding."""
    return amount.quantize(_CENT, ROUND_HALF_EVEN)
