"""Customers: Tryton's parties, under a code of ours, which Tryton keeps unique.

An address is never changed, because past sales and invoices point at it: a new one is added, and takes over the use for
invoices or deliveries. An e-mail address and a telephone number are changed in place: the first of their kind.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.backoffices.documents import Address, CustomerCard, KnownCustomer
from shared.backoffices.http import not_found, refused
from shared.backoffices.port import Feed, Refusal
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.masters import rows
from shared.backoffices.tryton.schemas import AddressRow, Coded, ContactRow, PartyRow
from shared.kernel.errors import Rejected

PAGE = 100

_USES = ("invoice", "delivery")
_ACTIVE_OR_NOT = ["active", "in", [True, False]]
"""Without it Tryton leaves out what staff have deactivated."""


class Customers:
    def __init__(self, api: TrytonApi) -> None:
        self._api = api
        self._places: dict[tuple[str, str], int] = {}
        self._languages: dict[str, int] | None = None

    def save(self, card: CustomerCard) -> str:
        """One request to look, one to write where something changed; one more for each country, state and language."""
        for attempt in _less_and_less(card):
            try:
                return str(self._save(attempt))
            except Rejected as refusal:
                if refusal.code != Refusal.REFUSED:
                    raise
        raise refused("Tryton takes neither the customer nor the customer's addresses: a rule of its own is against it")

    def changed(self, since: datetime, cursor: str | None) -> Feed[KnownCustomer]:
        """One request for a page of a hundred parties. A change of an address or a contact counts as the party's."""
        places = ["", "addresses.", "contact_mechanisms."]
        domain = [["id", ">", int(cursor or 0)], ["OR", *(moved_since(place, since) for place in places)]]
        found = rows(self._api, PartyRow, "party.party", domain, limit=PAGE)
        return Feed(tuple(_known(row) for row in found), str(found[-1].id) if len(found) == PAGE else None)

    def addresses(self, party: int) -> tuple[AddressRow, ...]:
        found = rows(self._api, PartyRow, "party.party", [["id", "=", party], _ACTIVE_OR_NOT])
        if not found:
            raise not_found("the customer is gone from Tryton", "customer", "retry the order")
        return found[0].addresses

    def _save(self, card: CustomerCard) -> int:
        party = self._find(card.key)
        if party is None:
            return self._api.create("party.party", self._new(card))
        changes = self._changes(card, party)
        if changes:
            self._api.write("party.party", [party.id], changes)
        return party.id

    def _find(self, key: str) -> PartyRow | None:
        """By code. One that staff have deactivated counts too: its code stays taken."""
        found = rows(self._api, PartyRow, "party.party", [["code", "=", key], _ACTIVE_OR_NOT])
        return found[0] if found else None

    def _new(self, card: CustomerCard) -> dict[str, Any]:
        addresses = [self._address_values(address, uses) for address, uses in _wanted(card)]
        contacts = [{"type": kind, "value": value} for kind, value in _contacts(card)]
        return {
            "code": card.key,
            "name": card.name,
            "lang": self._language(card.language),
            "addresses": [["create", addresses or [dict.fromkeys(_USES, True)]]],
            "contact_mechanisms": [["create", contacts]],
        }

    def _changes(self, card: CustomerCard, party: PartyRow) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if card.name != party.name:
            changes["name"] = card.name
        language = self._language(card.language)
        if language is not None and (party.lang is None or party.lang.id != language):
            changes["lang"] = language
        commands = self._address_commands(card, party)
        if commands:
            changes["addresses"] = commands
        contacts = [command for kind, value in _contacts(card) if (command := _contact_command(kind, value, party))]
        if contacts:
            changes["contact_mechanisms"] = contacts
        return changes

    def _address_commands(self, card: CustomerCard, party: PartyRow) -> list[list[Any]]:
        commands: list[list[Any]] = []
        for address, uses in _wanted(card):
            kept = same_address(address, party.addresses)
            if kept is None:
                commands.append(["create", [self._address_values(address, uses)]])
            elif not all(getattr(kept, use) for use in uses):
                commands.append(["write", [kept.id], dict.fromkeys(uses, True)])
            for other in party.addresses:
                past = [use for use in uses if getattr(other, use)]
                if past and other is not kept:
                    commands.append(["write", [other.id], dict.fromkeys(past, False)])
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


def same_address(address: Address, among: tuple[AddressRow, ...]) -> AddressRow | None:
    """The oldest that reads the same."""
    wanted = _as_read(address)
    return next((row for row in among if _as_read(_as_address(row)) == wanted), None)


def _as_read(address: Address) -> tuple[str, ...]:
    street = tuple(part for line in address.street for part in line.split("\n"))
    fields = (address.company, address.name, *street, "", address.postal_code, address.city, address.country)
    return tuple((field or "").strip() for field in fields)


def _as_address(row: AddressRow) -> Address:
    subdivision = row.subdivision.code.partition("-")[2] if row.subdivision else ""
    return Address(
        name=(row.attn or row.party_name) or None,
        company=row.party_name if row.attn and row.party_name else None,
        street=tuple(line for line in row.street.split("\n") if line),
        postal_code=row.postal_code or None,
        city=row.city or None,
        subdivision=subdivision or None,
        country=row.country.code if row.country else None,
    )


def _wanted(card: CustomerCard) -> list[tuple[Address, tuple[str, ...]]]:
    """Each address once, with what it is for."""
    if card.billing == card.shipping or card.shipping is None or card.billing is None:
        only = card.billing or card.shipping
        uses = ("invoice",) if card.shipping is None else ("delivery",)
        return [(only, _USES if card.billing == card.shipping else uses)] if only else []
    return [(card.billing, ("invoice",)), (card.shipping, ("delivery",))]


def _contacts(card: CustomerCard) -> list[tuple[str, str]]:
    return [(kind, value) for kind, value in (("email", card.email), ("phone", card.phone)) if value]


def _contact_command(kind: str, value: str, party: PartyRow) -> list[Any] | None:
    first = _first_contact(kind, party)
    if first is None:
        return ["create", [{"type": kind, "value": value}]]
    return None if _squeezed(first.value) == _squeezed(value) else ["write", [first.id], {"value": value}]


def _first_contact(kind: str, party: PartyRow) -> ContactRow | None:
    return next((contact for contact in party.contact_mechanisms if contact.type == kind), None)


def _squeezed(value: str) -> str:
    """Tryton writes telephone numbers its own way, with blanks, where the library phonenumbers is installed."""
    return value.replace(" ", "").casefold()


def _known(row: PartyRow) -> KnownCustomer:
    contacts: Mapping[str, ContactRow | None] = {kind: _first_contact(kind, row) for kind in ("email", "phone")}
    key = row.code if "/" in row.code else None
    return KnownCustomer(
        id=str(row.id),
        key=key,
        card=CustomerCard(
            key=key or f"tryton/{row.id}",
            name=row.name or row.code,
            email=contacts["email"].value if contacts["email"] else None,
            phone=contacts["phone"].value if contacts["phone"] else None,
            language=row.lang.code if row.lang else None,
            billing=_used_for("invoice", row),
            shipping=_used_for("delivery", row),
        ),
        changed_at=row.write_date,
    )


def _used_for(use: str, row: PartyRow) -> Address | None:
    """The address that staff marked for it, or else the first one."""
    marked = [address for address in row.addresses if getattr(address, use)] or list(row.addresses)
    return _as_address(marked[0]) if marked else None
