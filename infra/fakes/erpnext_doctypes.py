"""The doctypes of the fake ERPNext and their fields, as far as they are used: from the doctypes' definitions.

Frappe ignores a field that it does not know. The fake refuses it, so that a misspelt one is found.
"""

from dataclasses import dataclass, field

KEY_FIELD = "storebridge_key"
META = frozenset({"doctype", "name", "owner", "creation", "modified", "docstatus", "idx"})
CHILD_META = META | {"parent", "parenttype", "parentfield"}
CHECKS = frozenset(
    {
        "is_return",
        "is_group",
        "disabled",
        "enabled",
        "is_stock_item",
        "is_sales_item",
        "has_variants",
        "update_stock",
        "is_primary_address",
        "is_shipping_address",
    }
)
"""Fields that are 0 where nothing is said."""


@dataclass(frozen=True)
class Doctype:
    fields: frozenset[str]
    tables: dict[str, str] = field(default_factory=dict)
    """Field and the doctype of its rows."""
    series: str = ""
    """How documents are numbered; empty: they are named by `named_by`."""
    named_by: str = ""
    submittable: bool = False
    required: frozenset[str] = frozenset()
    on_submit: frozenset[str] = frozenset()
    """Fields that may be changed after submission."""
    is_child: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PRICED = (
    "item_code item_name description qty rate price_list_rate discount_percentage amount uom stock_uom"
    " conversion_factor warehouse item_tax_template item_tax_rate"
)
_HEADER = (
    "customer company title currency conversion_rate ignore_pricing_rule disable_rounded_total net_total grand_total"
    " total_taxes_and_charges po_no status set_warehouse selling_price_list customer_name customer_address"
    " address_display shipping_address_name shipping_address contact_person contact_display contact_mobile"
    " contact_email"
)

DOCTYPES = {
    "Company": Doctype(_words("default_currency abbr"), named_by="company_name"),
    "Country": Doctype(_words("code country_name"), named_by="country_name"),
    "Warehouse": Doctype(_words("company is_group warehouse_name"), named_by="warehouse_name"),
    "Item": Doctype(
        _words("item_code item_name is_stock_item is_sales_item has_variants disabled stock_uom"),
        {"taxes": "Item Tax"},
        named_by="item_code",
    ),
    "Item Tax": Doctype(_words("item_tax_template tax_category"), is_child=True),
    "Item Tax Template": Doctype(
        _words("title company disabled"), {"taxes": "Item Tax Template Detail"}, named_by="title"
    ),
    "Item Tax Template Detail": Doctype(_words("tax_type tax_rate"), is_child=True),
    "Mode of Payment": Doctype(
        _words("enabled type mode_of_payment"), {"accounts": "Mode of Payment Account"}, named_by="mode_of_payment"
    ),
    "Mode of Payment Account": Doctype(_words("company default_account"), is_child=True),
    "Customer": Doctype(
        _words(
            "customer_name customer_type customer_details email_id mobile_no language customer_primary_contact"
            " customer_primary_address primary_address customer_group territory salutation gender website tax_id image"
            " disabled"
        ),
        named_by="customer_name",
        required=_words("customer_name customer_type"),
    ),
    "Contact": Doctype(
        _words(
            "first_name middle_name last_name salutation gender company_name designation department image user"
            " email_id mobile_no"
        ),
        {"email_ids": "Contact Email", "phone_nos": "Contact Phone", "links": "Dynamic Link"},
        named_by="first_name",
    ),
    "Contact Email": Doctype(_words("email_id is_primary"), is_child=True),
    "Contact Phone": Doctype(_words("phone is_primary_phone is_primary_mobile_no"), is_child=True),
    "Address": Doctype(
        _words(
            "address_title address_type address_line1 address_line2 city county state pincode country email_id phone"
            " fax disabled is_primary_address is_shipping_address"
        ),
        {"links": "Dynamic Link"},
        named_by="address_title",
        required=_words("address_line1 city country address_type"),
    ),
    "Comment": Doctype(_words("comment_type reference_doctype reference_name content"), series="COMMENT-"),
    "Version": Doctype(_words("ref_doctype docname data"), series="VERSION-"),
    "Dynamic Link": Doctype(_words("link_doctype link_name"), is_child=True),
    "Sales Order": Doctype(
        _words(f"{_HEADER} order_type transaction_date delivery_date per_delivered per_billed"),
        {"items": "Sales Order Item", "taxes": "Sales Taxes and Charges"},
        series="SAL-ORD-2026-",
        submittable=True,
        required=_words("customer company currency transaction_date order_type"),
        on_submit=_words("title po_no delivery_date"),
    ),
    "Sales Order Item": Doctype(
        _words(f"{_PRICED} delivery_date additional_notes delivered_qty billed_amt picked_qty"),
        on_submit=_words("delivery_date"),
        is_child=True,
    ),
    "Sales Taxes and Charges": Doctype(
        _words("charge_type account_head description rate tax_amount included_in_print_rate"), is_child=True
    ),
    "Delivery Note": Doctype(
        _words(f"{_HEADER} posting_date posting_time set_posting_time is_return return_against lr_no transporter_name"),
        {"items": "Delivery Note Item", "taxes": "Sales Taxes and Charges"},
        series="MAT-DN-2026-",
        submittable=True,
        required=_words("customer company"),
        on_submit=_words("title"),
    ),
    "Delivery Note Item": Doctype(_words(f"{_PRICED} against_sales_order so_detail dn_detail"), is_child=True),
    "Sales Invoice": Doctype(
        _words(
            f"{_HEADER} posting_date due_date set_posting_time is_return return_against update_stock remarks"
            " outstanding_amount debit_to"
        ),
        {"items": "Sales Invoice Item", "taxes": "Sales Taxes and Charges"},
        series="ACC-SINV-2026-",
        submittable=True,
        required=_words("customer company"),
        on_submit=_words("title"),
    ),
    "Sales Invoice Item": Doctype(_words(f"{_PRICED} sales_order so_detail dn_detail delivery_note"), is_child=True),
    "Payment Entry": Doctype(
        _words(
            "payment_type party_type party company posting_date mode_of_payment paid_from paid_to paid_amount"
            " received_amount reference_no reference_date remarks custom_remarks status party_name title"
        ),
        {"references": "Payment Entry Reference"},
        series="ACC-PAY-2026-",
        submittable=True,
        required=_words("payment_type party paid_amount received_amount company"),
    ),
    "Payment Entry Reference": Doctype(
        _words("reference_doctype reference_name total_amount outstanding_amount allocated_amount"), is_child=True
    ),
    "Account": Doctype(
        _words("account_name account_number account_type root_type account_currency company is_group disabled"),
        named_by="account_name",
    ),
    "Journal Entry": Doctype(
        _words("voucher_type company posting_date cheque_no cheque_date user_remark total_debit total_credit"),
        {"accounts": "Journal Entry Account"},
        series="ACC-JV-2026-",
        submittable=True,
        required=_words("voucher_type company posting_date"),
    ),
    "Journal Entry Account": Doctype(
        _words("account debit_in_account_currency credit_in_account_currency user_remark"), is_child=True
    ),
    "Stock Reconciliation": Doctype(
        _words("purpose company posting_date posting_time set_posting_time"),
        {"items": "Stock Reconciliation Item"},
        series="MAT-RECO-2026-",
        submittable=True,
        required=_words("purpose company"),
    ),
    "Stock Reconciliation Item": Doctype(_words("item_code warehouse qty valuation_rate"), is_child=True),
    "Bin": Doctype(
        _words("item_code warehouse actual_qty reserved_qty reserved_qty_for_production reserved_qty_for_sub_contract"),
        series="BIN-",
    ),
}
