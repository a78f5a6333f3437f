"""Customers: Tryton's parties, under a code of ours, which Tryton keeps unique.

An address is never changed, because past sales and invoices point at it: a new one is added, and takes over the use for
invoices or deliveries. The usual address is the one that is marked for its use; one order's own stands unmarked beside
it. An e-mail address and a telephone number are changed in place: the first of their kind.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.backoffices.cards import to_save
from shared.backoffices.documents import Address, CardField, CustomerCard, KnownCustomer
from shared.backoffices.http import not_found, refused
from shared.backoffices.port import Feed, Refusal
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.masters import rows
from shared.backoffices.tryton.parties import (
    USES,
    contacts_of,
    first_contact,
    is_same_contact,
    known,
    same_address,
)
from shared.backoffices.tryton.schemas import AddressRow, Coded, PartyRow
from shared.kernel.errors import Rejected

PAGE = 100
PARTY = "party.party"
ACTIVE_OR_NOT = ["active", "in", [True, False]]
"""Without it Tryton leaves out what staff have deactivated."""
_SHUT = frozenset({"name", "lang"})
"""Of a party that is out of use Tryton changes no field of its own: it is in use for a moment then. A worker that dies
in this moment leaves it in use. Addresses and contacts are records of their own and are not concerned (8.2, ran)."""

_Wanted = list[tuple[Address, tuple[str, ...]]]


class Customers:
    def __init__(self, api: TrytonApi) -> None:
        self._api = api
        self._places: dict[tuple[str, str], int] = {}
        self._languages: dict[str, int] | None = None

    def save(self, card: CustomerCard) -> str:
        """One request to look, one to write where something changed, two where staff have deactivated it.

        One more for each country, state and language.
        """
        for attempt in _less_and_less(card):
            try:
                return str(self._save(attempt))
            except Rejected as refusal:
                if refusal.code != Refusal.REFUSED:
                    raise
        raise refused("Tryton takes neither the customer nor the customer's addresses: a rule of its own is against it")

    def find(self, key: str) -> KnownCustomer | None:
        """One request."""
        party = self._find(key)
        return known(party) if party else None

    def changed(self, since: datetime, cursor: str | None) -> Feed[KnownCustomer]:
        """One request for a page of a hundred parties. A change of an address or a contact counts as the party's."""
        places = ["", "addresses.", "contact_mechanisms."]
        movements = ["OR", *(moved_since(place, since) for place in places)]
        domain = [["id", ">", int(cursor or 0)], ACTIVE_OR_NOT, movements]
        found = rows(self._api, PartyRow, PARTY, domain, limit=PAGE)
        return Feed(tuple(known(row) for row in found), str(found[-1].id) if len(found) == PAGE else None)

    def addresses(self, party: int) -> tuple[AddressRow, ...]:
        found = rows(self._api, PartyRow, PARTY, [["id", "=", party], ACTIVE_OR_NOT])
        if not found:
            raise not_found("the customer is gone from Tryton", "customer", "retry the order")
        return found[0].addresses

    def _save(self, card: CustomerCard) -> int:
        party = self._find(card.key)
        if party is None:
            return self._api.create(PARTY, self._new(card))
        changes = self._changes(card, party)
        if changes and not party.active and changes.keys() & _SHUT:
            self._api.write(PARTY, [party.id], {"active": True})
            changes["active"] = False
        if changes:
            self._api.write(PARTY, [party.id], changes)
        return party.id

    def _find(self, key: str) -> PartyRow | None:
        """By code. One that staff have deactivated counts too: its code stays taken."""
        found = rows(self._api, PartyRow, PARTY, [["code", "=", key], ACTIVE_OR_NOT])
        return found[0] if found else None

    def _new(self, card: CustomerCard) -> dict[str, Any]:
        addresses = [self._address_values(address, uses) for address, uses in _wanted(card)]
        contacts = [{"type": kind, "value": value} for kind, value in _contacts(card) if value]
        return {
            "code": card.key,
            "name": card.name,
            "lang": self._language(card.language),
            "addresses": [["create", addresses or [dict.fromkeys(USES, True)]]],
            "contact_mechanisms": [["create", contacts]],
        }

    def _changes(self, card: CustomerCard, party: PartyRow) -> dict[str, Any]:
        wanted = to_save(card, known(party).card)
        changes: dict[str, Any] = {}
        if wanted.name != (party.name or party.code):
            changes["name"] = wanted.name
        language = self._language(wanted.language)
        if language is not None and (party.lang is None or party.lang.id != language):
            changes["lang"] = language
        if CardField.LANGUAGE in wanted.cleared and party.lang is not None:
            changes["lang"] = None
        addresses = self._address_commands(wanted, card, party)
        contacts = _contact_commands(wanted, party)
        changes |= {"addresses": addresses} if addresses else {}
        changes |= {"contact_mechanisms": contacts} if contacts else {}
        return changes

    def _address_commands(self, wanted: CustomerCard, card: CustomerCard, party: PartyRow) -> list[list[Any]]:
        """`wanted` has the addresses that are to be the usual ones, `card` those that have to be there."""
        usual = _wanted(wanted)
        commands: list[list[Any]] = []
        for address, uses in usual:
            kept = same_address(address, party.addresses)
            if kept is None:
                commands.append(["create", [self._address_values(address, uses)]])
            elif not all(getattr(kept, use) for use in uses):
                commands.append(["write", [kept.id], dict.fromkeys(uses, True)])
            commands += _unmarked(uses, (other for other in party.addresses if other is not kept))
        commands += _unmarked(_cleared_uses(wanted), party.addresses)
        there = [address for address, _ in usual]
        for address, _ in _wanted(card):
            if address not in there and same_address(address, party.addresses) is None:
                commands.append(["create", [self._address_values(address, ())]])
        if not commands and not party.addresses:  # a sale needs one
            commands.append(["create", [dict.fromkeys(USES, True)]])
        return commands

    def _address_values(self, address: Address, uses: tuple[str, ...]) -> dict[str, Any]:
        country = self._place("country.country", [["code", "=", address.country]], address.country)
        if country is None and address.country:
            raise not_found(
                f"there is no country {address.country} in Tryton",
                "country",
                "import the countries with trytond_import_countries, then retry the order",
            )
        named = ["OR", ["code", "=", f"{address.country}-{address.subdivision}"], ["name", "=", address.subdivision]]
        region = [["country", "=", country], named]
        return {
            "party_name": address.company or address.name,
            "attn": address.name if address.company else None,
            "street_unstructured": "\n".join(address.street) or None,
            "postal_code": address.postal_code,
            "city": address.city,
            "country": country,
            "subdivision": self._place("country.subdivision", region, address.subdivision and country and named[1][2]),
            **dict.fromkeys(uses, True),
        }

    def _place(self, model: str, domain: list[Any], code: object) -> int | None:
        """The id of a country or a state; None where none is asked for or Tryton has none."""
        if not code:
            return None
        place = (model, str(code))
        if place not in self._places:
            found = rows(self._api, Coded, model, domain, limit=1)
            if not found:
                return None
            self._places[place] = found[0].id
        return self._places[place]

    def _language(self, code: str | None) -> int | None:
        """Only of those that the merchant prints documents in; any other leaves Tryton's default."""
        if code is None:
            return None
        if self._languages is None:
            domain = [["translatable", "=", True]]
            self._languages = {row.code: row.id for row in rows(self._api, Coded, "ir.lang", domain)}
        return self._languages.get(code)


def _less_and_less(card: CustomerCard) -> tuple[CustomerCard, ...]:
    """Tryton checks e-mail addresses and telephone numbers: a buyer's slip of the pen is not to stop the order."""
    without_phone = card.model_copy(update={"phone": None})
    cards = (card, without_phone, without_phone.model_copy(update={"email": None}))
    return tuple(dict.fromkeys(cards))


def moved_since(place: str, since: datetime, *kind: str) -> list[Any]:
    """A clause for records that were made or changed since then. `place` leads to them; `kind` names their model."""
    return [
        "OR",
        [f"{place}write_date", ">=", since, *kind],
        [f"{place}create_date", ">=", since, *kind],
    ]


def _wanted(card: CustomerCard) -> _Wanted:
    """Each address once, with what it is for."""
    if card.billing == card.shipping or card.shipping is None or card.billing is None:
        only = card.billing or card.shipping
        uses = ("invoice",) if card.shipping is None else ("delivery",)
        return [(only, USES if card.billing == card.shipping else uses)] if only else []
    return [(card.billing, ("invoice",)), (card.shipping, ("delivery",))]


def _cleared_uses(card: CustomerCard) -> tuple[str, ...]:
    uses = ((CardField.BILLING, "invoice"), (CardField.SHIPPING, "delivery"))
    return tuple(use for field, use in uses if field in card.cleared)


def _unmarked(uses: tuple[str, ...], addresses: Iterable[AddressRow]) -> list[list[Any]]:
    """Commands that take these uses from the addresses. They stay: past documents, and open ones, point at them."""
    commands: list[list[Any]] = []
    for address in addresses:
        past = [use for use in uses if getattr(address, use)]
        if past:
            commands.append(["write", [address.id], dict.fromkeys(past, False)])
    return commands


def _contacts(card: CustomerCard) -> list[tuple[str, str | None]]:
    return [("email", card.email), ("phone", card.phone)]


def _contact_commands(card: CustomerCard, party: PartyRow) -> list[list[Any]]:
    commands: list[list[Any]] = []
    for kind, value in _contacts(card):
        first = first_contact(kind, party)
        if value and first is None:
            commands.append(["create", [{"type": kind, "value": value}]])
        elif value and first and not is_same_contact(first, value):
            commands.append(["write", [first.id], {"value": value}])
        elif first and kind in card.cleared:
            commands.append(["delete", [contact.id for contact in contacts_of(kind, party)]])
    return commands
