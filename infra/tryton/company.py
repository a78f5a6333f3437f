"""The example company: what a merchant has set up before Storebridge is connected to it.

Told over RPC by the administrator. Everything that settings and tests name is a constant here.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from shared.backoffices.tryton.client import TrytonApi

WAREHOUSE = "Warehouse"
VAT_21 = "VAT 21 %"
VAT_9 = "VAT 9 %"
METHOD = "Bank"
USER = {"user": "storebridge", "password": "storebridge-of-the-example"}
GOODS = ("MUG", "CAP", "LAMP")
SERVICES = ("SHIPPING", "FEE", "ROUNDING")
GROUPS = (
    ("sale", "group_sale"),
    ("sale_amendment", "group_sale_amendment"),
    ("stock", "group_stock"),
    ("stock", "group_stock_force_assignment"),
    ("account", "group_account"),
)
"""All that the adapter's user belongs to."""

_COUNTRIES = {
    "NL": ("Netherlands", {"NL-NH": "Noord-Holland", "NL-ZH": "Zuid-Holland"}),
    "DE": ("Germany", {"DE-BE": "Berlin", "DE-BY": "Bayern"}),
    "US": ("United States", {"US-TX": "Texas", "US-NY": "New York"}),
    "GB": ("United Kingdom", {"GB-LND": "London, City of"}),
}
_FIRST_YEAR = 2026


def found(tryton: TrytonApi, today: date) -> None:
    """Set up everything. The database has been made with its modules and is empty otherwise."""
    _countries(tryton)
    company = _company(tryton)
    _accounts(tryton, company)
    for year in range(min(_FIRST_YEAR, today.year - 1), today.year + 2):
        _fiscal_year(tryton, company, year)
    _payment(tryton, company)
    _catalogue(tryton)
    _user(tryton, company)


def _countries(tryton: TrytonApi) -> None:
    for code, (name, subdivisions) in _COUNTRIES.items():
        values = [{"code": key, "name": called, "type": "province"} for key, called in subdivisions.items()]
        tryton.create("country.country", {"code": code, "name": name, "subdivisions": [["create", values]]})


def _company(tryton: TrytonApi) -> int:
    euro = {
        "name": "Euro",
        "code": "EUR",
        "numeric_code": "978",
        "symbol": "€",
        "digits": 2,
        "rounding": Decimal("0.01"),
        "rates": [["create", [{"date": date(_FIRST_YEAR - 1, 1, 1), "rate": Decimal(1)}]]],
    }
    currency = tryton.create("currency.currency", euro)
    party = tryton.create("party.party", {"name": "Example Goods", "addresses": [["create", [{"city": "Utrecht"}]]]})
    company = tryton.create("company.company", {"party": party, "currency": currency})
    (admin,) = tryton.rows("res.user", [["login", "=", "admin"]], ["id"])
    tryton.write("res.user", [admin["id"]], {"companies": [["add", [company]]], "company": company})
    tryton.forget()
    return company


def _accounts(tryton: TrytonApi, company: int) -> None:
    chart = _identifier(tryton, "account", "account_template_root_en")
    session = tryton.call("wizard.account.create_chart.create")[0]
    step = "wizard.account.create_chart.execute"
    chosen: dict[str, Any] = {"account": {"company": company, "account_template": chart}}
    tryton.call(step, session, chosen, "create_account")
    kinds = {kind: _account(tryton, kind) for kind in ("receivable", "payable", "expense", "revenue")}
    chosen["properties"] = {
        "company": company,
        "account_receivable": kinds["receivable"],
        "account_payable": kinds["payable"],
        "category_account_expense": kinds["expense"],
        "category_account_revenue": kinds["revenue"],
    }
    tryton.call(step, session, chosen, "create_properties")
    for name, rate in ((VAT_21, "0.21"), (VAT_9, "0.09")):
        account = _account_of_code(tryton, "6.3.6")
        values = {"name": name, "description": name, "company": company, "type": "percentage", "rate": Decimal(rate)}
        tryton.create("account.tax", {**values, "invoice_account": account, "credit_note_account": account})


def _fiscal_year(tryton: TrytonApi, company: int, year: int) -> None:
    def sequence(kind: str) -> int:
        (found_kind,) = tryton.rows("ir.sequence.type", [["name", "=", kind]], ["id"])
        values = {"name": f"{kind} {year}", "sequence_type": found_kind["id"], "company": company}
        return tryton.create("ir.sequence.strict", {**values, "prefix": f"{year}-"})

    invoices, notes = sequence("Invoice"), sequence("Invoice")
    numbered = {
        "company": company,
        "in_invoice_sequence": invoices,
        "out_invoice_sequence": invoices,
        "in_credit_note_sequence": notes,
        "out_credit_note_sequence": notes,
    }
    values = {
        "name": str(year),
        "company": company,
        "start_date": date(year, 1, 1),
        "end_date": date(year, 12, 31),
        "move_sequence": sequence("Account Move"),
        "invoice_sequences": [["create", [numbered]]],
    }
    tryton.press("account.fiscalyear", "create_period", tryton.create("account.fiscalyear", values))


def _payment(tryton: TrytonApi, company: int) -> None:
    tryton.create("account.invoice.payment_term", {"name": "At once", "lines": [["create", [{"type": "remainder"}]]]})
    (journal,) = tryton.rows("account.journal", [["type", "=", "cash"]], ["id"])
    bank = _account_of_code(tryton, "1.1.1")
    values = {"name": METHOD, "company": company, "journal": journal["id"]}
    tryton.create("account.invoice.payment.method", {**values, "credit_account": bank, "debit_account": bank})


def _catalogue(tryton: TrytonApi) -> None:
    unit = _identifier(tryton, "product", "uom_unit")
    values = {
        "name": "Everything",
        "accounting": True,
        "account_expense": _account(tryton, "expense"),
        "account_revenue": _account(tryton, "revenue"),
    }
    category = tryton.create("product.category", values)
    for sku in (*GOODS, *SERVICES):
        kind = "goods" if sku in GOODS else "service"
        tryton.create("product.template", product(sku, kind, unit=unit, category=category))


def product(sku: str, kind: str, *, unit: int, category: int) -> dict[str, Any]:
    """What a product that is sold consists of. Its name, and its code, are the SKU."""
    return {
        "name": sku.title(),
        "type": kind,
        "default_uom": unit,
        "sale_uom": unit,
        "salable": True,
        "list_price": Decimal(10),
        "account_category": category,
        "products": [["create", [{"suffix_code": sku}]]],
    }


def _user(tryton: TrytonApi, company: int) -> None:
    values: Mapping[str, Any] = {
        "name": "Storebridge",
        "login": USER["user"],
        "password": USER["password"],
        "groups": [["add", [_identifier(tryton, module, name) for module, name in GROUPS]]],
        "companies": [["add", [company]]],
        "company": company,
    }
    tryton.create("res.user", values)


def _account(tryton: TrytonApi, kind: str) -> int:
    """The chart's first account of the kind that postings may go to."""
    domain = [[f"type.{kind}", "=", True], ["closed", "!=", True]]
    return int(tryton.rows("account.account", domain, ["id"], limit=1)[0]["id"])


def _account_of_code(tryton: TrytonApi, code: str) -> int:
    return int(tryton.rows("account.account", [["code", "=", code]], ["id"])[0]["id"])


def _identifier(tryton: TrytonApi, module: str, name: str) -> int:
    return int(tryton.call("model.ir.model.data.get_id", module, name))
