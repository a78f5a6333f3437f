"""Taking a customer's personal data out of Tryton.

Tryton's own wizard (`party.erase`) waits until every sale is done and every invoice paid, is open to the group Party
Administration alone, and blanks the addresses of posted invoices as well. So it is done here by what our user may do
anyway, in one write of the party, which Tryton does whole or not at all.

An address is one record for all documents that point at it: sales, shipments, invoices. One that an invoice with a
number points at stays as it is, because the law keeps invoices as they were sent; it is deactivated, so that nobody
takes it for a new document. All others are blanked and deactivated. They are not deleted: of sales and shipments that
are done Tryton would empty the field, and a sale without an address takes no change any more (8.2, `ondelete` of
`sale.sale`). Only the invoices of the user's own company are seen: one party in several companies is for staff.
"""

from typing import Any

from shared.backoffices.cards import ERASED
from shared.backoffices.documents import Forgotten
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.customers import ACTIVE_OR_NOT, PARTY
from shared.backoffices.tryton.masters import rows
from shared.backoffices.tryton.schemas import ErasableAddressRow, ErasablePartyRow

_ADDRESS = "party.address"
_TEXTS = (
    "party_name",
    "attn",
    "street_unstructured",
    "street_name",
    "building_name",
    "building_number",
    "unit_number",
    "floor_number",
    "room_number",
    "post_box",
    "private_bag",
    "post_office",
    "postal_code",
    "city",
)
"""Those that Tryton's own wizard blanks (`party.erase` of 8.2), country and subdivision beside them."""
_EMPTY: dict[str, Any] = dict.fromkeys((*_TEXTS, "country", "subdivision"))
_ASIDE = {"active": False}


class Erasure:
    def __init__(self, api: TrytonApi) -> None:
        self._api = api

    def forget(self, key: str) -> Forgotten | None:
        """Seven requests to look; one to write, and one each for notes and attachments, where there is anything. One
        more where something is out of use: Tryton changes it only while it is in use (8.2, ran).
        """
        found = rows(self._api, ErasablePartyRow, PARTY, [["code", "=", key], ACTIVE_OR_NOT])
        if not found:
            return None
        party = found[0]
        addresses = rows(self._api, ErasableAddressRow, _ADDRESS, [["party", "=", party.id], ACTIVE_OR_NOT])
        invoiced = self._invoiced(party.id)
        kept = [address for address in addresses if address.id in invoiced]
        told = [address for address in addresses if address.id not in invoiced and not _is_empty(address)]
        named = {name: value for name, value in (("name", ERASED), ("lang", None)) if getattr(party, name) != value}
        asleep: dict[str, Any] = {"active": True} if named and not party.active else {}
        asleep |= _commands("addresses", _writing([each for each in told if not each.active], {"active": True}))
        if asleep:
            self._api.write(PARTY, [party.id], asleep)
        aside = [address for address in addresses if address.active and address not in told]
        changes = {
            **named,
            **({"active": False} if named and not party.active else {}),
            **_commands("addresses", _writing(told, {**_EMPTY, **_ASIDE}) + _writing(aside, _ASIDE)),
            **_commands("contact_mechanisms", self._deletion("party.contact_mechanism", party.id)),
            **_commands("identifiers", self._deletion("party.identifier", party.id)),
        }
        if changes:
            self._api.write(PARTY, [party.id], changes)
        self._delete_papers([f"{PARTY},{party.id}", *(f"{_ADDRESS},{address.id}" for address in addresses)])
        return Forgotten(
            erased=("name", "email", "phone", "language", "addresses"),
            kept=(f"addresses of posted invoices: {len(kept)} (bookkeeping law)",) if kept else (),
        )

    def _invoiced(self, party: int) -> frozenset[int]:
        """Addresses that an invoice points at which has had its number, whatever became of it."""
        domain = [["invoice_address.party", "=", party], ["number", "!=", None]]
        found = self._api.rows("account.invoice", domain, ["invoice_address"])
        return frozenset(row["invoice_address"] for row in found)

    def _deletion(self, model: str, party: int) -> list[list[Any]]:
        found = self._api.rows(model, [["party", "=", party], ACTIVE_OR_NOT], ["id"])
        return [["delete", [row["id"] for row in found]]] if found else []

    def _delete_papers(self, resources: list[str]) -> None:
        """What staff have written down about the customer."""
        for model in ("ir.note", "ir.attachment"):
            found = self._api.rows(model, [["resource", "in", resources]], ["id"])
            if found:
                self._api.delete(model, [row["id"] for row in found])


def _commands(field: str, commands: list[list[Any]]) -> dict[str, list[list[Any]]]:
    return {field: commands} if commands else {}


def _writing(addresses: list[ErasableAddressRow], values: dict[str, Any]) -> list[list[Any]]:
    return [["write", [address.id for address in addresses], values]] if addresses else []


def _is_empty(address: ErasableAddressRow) -> bool:
    return not any(getattr(address, name) for name in _EMPTY)
