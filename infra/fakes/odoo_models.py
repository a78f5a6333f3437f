"""The models of an Odoo that is not there, with the fields that our adapter and its tests know."""

from decimal import Decimal
from typing import Any

from infra.fakes.odoo_store import Relation, Schema, below, many, one

_NONE = False
_ZERO = Decimal(0)


def _schema(fields: dict[str, Any], **relations: Relation) -> Schema:
    """Stored many2one and many2many fields are added to the fields, empty."""
    stored: dict[str, Any] = {
        name: [] if relation.many else _NONE for name, relation in relations.items() if relation.inverse is None
    }
    return Schema({"name": _NONE, "write_date": _NONE, **fields, **stored}, relations)


SCHEMAS = {
    "res.company": _schema(
        dict.fromkeys(
            ("user_fiscalyear_lock_date", "user_hard_lock_date", "fiscalyear_lock_date", "period_lock_date"), _NONE
        ),
        currency_id=one("res.currency"),
    ),
    "res.currency": _schema({}),
    "res.lang": _schema({"code": _NONE}),
    "res.country": _schema({"code": _NONE}),
    "res.country.state": _schema({"code": _NONE}, country_id=one("res.country")),
    "res.users": _schema({"login": _NONE}, company_id=one("res.company")),
    "res.partner": _schema(
        {
            **dict.fromkeys(("email", "phone", "mobile", "lang", "street", "street2", "zip", "city"), _NONE),
            **dict.fromkeys(("company_name", "vat", "website", "function", "comment", "image_1920"), _NONE),
            "active": True,
            "type": "contact",
            "customer_rank": 0,
        },
        country_id=one("res.country"),
        state_id=one("res.country.state"),
        parent_id=one("res.partner"),
        child_ids=below("res.partner", "parent_id"),
    ),
    "mail.message": _schema({"model": _NONE, "res_id": 0, "body": _NONE}),
    "ir.attachment": _schema({"res_model": _NONE, "res_id": 0}),
    "product.product": _schema(
        {
            "default_code": _NONE,
            "type": "consu",
            "is_storable": False,
            "sale_ok": True,
            "qty_available": _ZERO,
            "outgoing_qty": _ZERO,
        }
    ),
    "product.pricelist": _schema({}, currency_id=one("res.currency")),
    "account.tax": _schema({"amount": _ZERO, "amount_type": "percent", "type_tax_use": "sale", "price_include": False}),
    "account.journal": _schema({"type": "bank", "code": _NONE}),
    "account.account": _schema({"code": _NONE, "account_type": _NONE}),
    "stock.location": _schema({"usage": "internal"}),
    "stock.picking.type": _schema({"code": "internal"}),
    "stock.warehouse": _schema(
        {"delivery_steps": "ship_only"},
        lot_stock_id=one("stock.location"),
        view_location_id=one("stock.location"),
        in_type_id=one("stock.picking.type"),
        out_type_id=one("stock.picking.type"),
    ),
    "stock.quant": _schema(
        {"quantity": _ZERO, "inventory_quantity": _ZERO, "lot_id": _NONE, "package_id": _NONE, "owner_id": _NONE},
        product_id=one("product.product"),
        location_id=one("stock.location"),
    ),
    "sale.order": _schema(
        {"state": "draft", "origin": _NONE, "client_order_ref": _NONE, "date_order": _NONE, "amount_total": _ZERO},
        partner_id=one("res.partner"),
        partner_invoice_id=one("res.partner"),
        partner_shipping_id=one("res.partner"),
        payment_term_id=one("res.partner"),
        fiscal_position_id=one("res.partner"),
        currency_id=one("res.currency"),
        pricelist_id=one("product.pricelist"),
        warehouse_id=one("stock.warehouse"),
        order_line=below("sale.order.line", "order_id"),
        picking_ids=below("stock.picking", "sale_id"),
        invoice_ids=many("account.move"),
    ),
    "sale.order.line": _schema(
        {
            "product_uom_qty": Decimal(1),
            "price_unit": _ZERO,
            "price_subtotal": _ZERO,
            "discount": _ZERO,
            "display_type": _NONE,
        },
        order_id=one("sale.order"),
        product_id=one("product.product"),
        tax_ids=many("account.tax"),
    ),
    "stock.picking": _schema(
        {
            **dict.fromkeys(("origin", "date_done", "carrier_tracking_ref", "carrier_tracking_url"), _NONE),
            "state": "draft",
            "picking_type_code": _NONE,
            "carrier_id": _NONE,
        },
        picking_type_id=one("stock.picking.type"),
        partner_id=one("res.partner"),
        location_id=one("stock.location"),
        location_dest_id=one("stock.location"),
        sale_id=one("sale.order"),
        backorder_id=one("stock.picking"),
        return_id=one("stock.picking"),
        move_ids=below("stock.move", "picking_id"),
    ),
    "stock.move": _schema(
        {
            "state": "draft",
            "product_uom_qty": _ZERO,
            "quantity": _ZERO,
            "picked": False,
            "to_refund": False,
            "reference": _NONE,
        },
        product_id=one("product.product"),
        picking_id=one("stock.picking"),
        sale_line_id=one("sale.order.line"),
        origin_returned_move_id=one("stock.move"),
        location_id=one("stock.location"),
        location_dest_id=one("stock.location"),
    ),
    "account.move": _schema(
        {
            **dict.fromkeys(("invoice_origin", "ref", "invoice_date", "date"), _NONE),
            "state": "draft",
            "move_type": "entry",
            "amount_total": _ZERO,
            "amount_residual": _ZERO,
            "paid": _ZERO,
        },
        journal_id=one("account.journal"),
        partner_id=one("res.partner"),
        partner_shipping_id=one("res.partner"),
        invoice_payment_term_id=one("res.partner"),
        fiscal_position_id=one("res.partner"),
        currency_id=one("res.currency"),
        invoice_line_ids=below("account.move.line", "move_id"),
        line_ids=below("account.move.line", "move_id"),
        matched_payment_ids=many("account.payment"),
    ),
    "account.move.line": _schema(
        {
            "quantity": Decimal(1),
            "price_unit": _ZERO,
            "discount": _ZERO,
            "display_type": "product",
            "account_type": "income",
            "reconciled": False,
            "amount_residual": _ZERO,
            "debit": _ZERO,
            "credit": _ZERO,
        },
        move_id=one("account.move"),
        account_id=one("account.account"),
        product_id=one("product.product"),
        tax_ids=many("account.tax"),
        sale_line_ids=many("sale.order.line"),
    ),
    "account.payment": _schema(
        {
            **dict.fromkeys(("payment_type", "partner_type", "date", "memo"), _NONE),
            "state": "draft",
            "amount": _ZERO,
        },
        partner_id=one("res.partner"),
        currency_id=one("res.currency"),
        journal_id=one("account.journal"),
        move_id=one("account.move"),
        invoice_ids=many("account.move"),
    ),
}
