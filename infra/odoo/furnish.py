"""Furnishes an empty company, inside Odoo: `odoo shell` is given this file, and `env` is Odoo's own.

It prints one line that begins with FACTS: what clients need to know. No program of ours imports it.
"""

import json
import sys

env = globals()["env"]  # given by Odoo's shell

company = env.company
company.write({"name": "Example Goods", "country_id": env.ref("base.nl").id, "currency_id": env.ref("base.EUR").id})
env.ref("base.EUR").active = True
warehouse = env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
warehouse.name = "Main"

for name, amount in (("VAT 21", 21), ("VAT 9", 9)):
    env["account.tax"].create(
        {"name": name, "amount": amount, "type_tax_use": "sale", "price_include_override": "tax_excluded"}
    )
for sku in ("MUG", "CAP", "LAMP"):
    env["product.product"].create({"name": sku.title(), "default_code": sku, "type": "consu", "is_storable": True})
for sku in ("SHIPPING", "FEE", "ROUNDING"):
    env["product.product"].create({"name": sku.title(), "default_code": sku, "type": "service"})
# Half of the products are billed as ordered and half as delivered: our invoices must not depend on it.
env["product.product"].search([("default_code", "in", ("MUG", "SHIPPING"))]).write({"invoice_policy": "delivery"})

rights = (
    "base.group_user",
    "base.group_partner_manager",
    "sales_team.group_sale_salesman_all_leads",
    "stock.group_stock_user",
    "account.group_account_invoice",
)
user = (
    env["res.users"]
    .with_context(no_reset_password=True)
    .create(
        {
            "name": "Storebridge",
            "login": "storebridge",
            "group_ids": [(6, 0, [env.ref(name).id for name in rights])],
            "company_id": company.id,
            "company_ids": [(6, 0, [company.id])],
        }
    )
)


def api_key(login: str) -> str:
    owner = env["res.users"].search([("login", "=", login)])
    keys = env["res.users.apikeys"].with_user(owner).sudo()
    return str(keys._generate("rpc", "storebridge", None))  # noqa: SLF001  # Odoo has no public way


facts = {"warehouse": warehouse.name, "keys": {"storebridge": api_key("storebridge"), "admin": api_key("admin")}}
env.cr.commit()
sys.stdout.write(f"FACTS{json.dumps(facts)}\n")
