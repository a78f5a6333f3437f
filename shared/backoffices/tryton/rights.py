"""What our user must be allowed, read from Tryton's own rules of access."""

from typing import NamedTuple

from shared.backoffices.documents import MissingRight
from shared.backoffices.tryton.client import TrytonApi


class _Need(NamedTuple):
    model: str
    what: str
    module: str
    group: str
    """As Tryton calls it in English."""
    rights: tuple[str, ...] = ("read", "write", "create")


class _Button(NamedTuple):
    model: str
    name: str
    what: str
    group: str


_NEEDS = (
    _Need("party.party", "keep customers", "party", "Party Administration"),
    _Need("sale.sale", "record sales", "sale", "Sales", ("read", "write", "create", "delete")),
    _Need("sale.amendment", "amend sales", "sale_amendment", "Sales", ("read", "write", "create", "delete")),
    _Need("stock.shipment.out", "ship goods", "stock", "Stock"),
    _Need("stock.shipment.out.return", "take goods back", "stock", "Stock"),
    _Need("stock.move", "plan goods", "stock", "Stock"),
    _Need("stock.inventory", "book counts", "stock", "Stock"),
    _Need("stock.package", "read parcels", "stock_package_shipping", "Stock", ("read",)),
    _Need("account.invoice", "post invoices and credit notes", "account_invoice", "Accounting"),
    _Need("account.move", "book payments and daily journals", "account", "Accounting"),
    _Need("account.period", "read periods", "account", "Accounting", ("read",)),
)
_BUTTONS = (
    _Button("sale.amendment", "validate_amendment", "validate amendments", "Sale Amendment"),
    _Button(
        "stock.shipment.out", "assign_force", "ship what Tryton does not see on the shelf", "Stock Force Assignment"
    ),
    _Button("sale.sale", "manual_invoice", "invoice sales", "Sales"),
)


def missing_rights(api: TrytonApi) -> tuple[MissingRight, ...]:
    """Three requests."""
    present = set(api.call("model.ir.model.list_models"))
    access = api.call("model.ir.model.access.get_access", [need.model for need in _NEEDS if need.model in present])
    missing = []
    for need in _NEEDS:
        if need.model not in present:
            missing.append(MissingRight(what=need.what, hint=f"activate Tryton's module {need.module}"))
        elif not all(access[need.model][right] for right in need.rights):
            missing.append(MissingRight(what=need.what, hint=f"add the user to the group {need.group}"))
    return (*missing, *_missing_buttons(api))


def _missing_buttons(api: TrytonApi) -> list[MissingRight]:
    """A button that names groups is for their members alone."""
    domain = [["model", "in", [button.model for button in _BUTTONS]]]
    found = api.rows("ir.model.button", domain, ["model", "name", "groups"])
    groups = {(row["model"], row["name"]): set(row["groups"]) for row in found}
    mine = set(api.preferences.get("groups") or ())
    missing = []
    for button in _BUTTONS:
        allowed = groups.get((button.model, button.name), set())
        if allowed and not allowed & mine:
            missing.append(MissingRight(what=button.what, hint=f"add the user to the group {button.group}"))
    return missing
