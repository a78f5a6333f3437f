"""Customers as Odoo's contacts, with the addresses that goods and bills went to below them.

The usual billing address is the contact's own. The usual delivery address is the one below it of the type `delivery`.
An address that one order alone was made out to is of the type `other`: Odoo proposes it for nothing else, and a sale
names it as its invoice or delivery address (`address_get`, 19.0's source). An address below a contact is never changed,
because past sales and invoices point at it; a contact's own is, as Odoo's staff do it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.backoffices.cards import to_save
from shared.backoffices.documents import Address, CardField, CustomerCard, KnownCustomer
from shared.backoffices.http import bug
from shared.backoffices.odoo import mapping
from shared.backoffices.odoo.client import OdooApi
from shared.backoffices.odoo.feeds import PAGE, moment, page_after
from shared.backoffices.odoo.masters import Masters
from shared.backoffices.odoo.names import external_id, key_of
from shared.backoffices.port import Feed
from shared.kernel.clock import parse_time

PARTNER = "res.partner"
USUAL = "delivery"
BESIDE = "other"
ACTIVE_OR_NOT = ["active", "in", [True, False]]
"""Without it Odoo leaves out what staff have archived."""

_AS_CUSTOMER = {"res_partner_search_mode": "customer"}
"""Odoo then counts a new contact among the customers (`customer_rank`), as its own menu does."""

_PLACE: dict[str, Any] = {
    "street": {},
    "street2": {},
    "zip": {},
    "city": {},
    "company_name": {},
    "country_id": {"fields": {"code": {}}},
    "state_id": {"fields": {"code": {}}},
}
_BELOW: dict[str, Any] = {"child_ids": {"fields": {"type": {}, "name": {}, "write_date": {}, **_PLACE}}}
_CARD: dict[str, Any] = {"name": {}, "email": {}, "phone": {}, "lang": {}, "write_date": {}, **_PLACE, **_BELOW}

_Row = Mapping[str, Any]


class Customers:
    def __init__(self, api: OdooApi, masters: Masters) -> None:
        self._api = api
        self._masters = masters

    def save(self, card: CustomerCard) -> str:
        """One request to look, and a `load` for a new one. For one that is there another request to look, one for each
        address that may be new, and one to write what changed. Once: languages and each country, and each time a state
        that is named.
        """
        number = self.number(card.key)
        if number is None:
            return str(self._create(card))
        row = self._row(number)
        known = _card(row, card.key)
        wanted = to_save(card, known)
        is_moved = wanted.shipping is not None and not _is_same(wanted.shipping, known.shipping)
        usual = self._have_below(card, wanted.shipping, USUAL, row) if wanted.shipping and is_moved else None
        for address in _orders_own(card) if card.for_one_order else ():
            if not is_moved or address != wanted.shipping:
                self._have_below(card, address, BESIDE, row)
        values = self._changes(wanted, known) | _turns(row, usual, is_cleared=CardField.SHIPPING in wanted.cleared)
        if values:
            self._api.call(PARTNER, "write", [number], vals=values)
        return str(number)

    def find(self, key: str) -> KnownCustomer | None:
        """Two requests."""
        number = self.number(key)
        return _known(self._row(number), key) if number is not None else None

    def number(self, key: str) -> int | None:
        """Odoo's id, whether or not the contact is archived: one request."""
        return self._api.reference(external_id("customer", key))

    def save_addresses(self, card: CustomerCard, customer_id: str) -> None:
        """Have the card's addresses below a customer that is there already."""
        row = self._row(int(customer_id))
        for address in _orders_own(card):
            self._have_below(card, address, BESIDE, row)

    def changed(self, since: datetime, cursor: str | None) -> Feed[KnownCustomer]:
        """Two requests a page. A customer changes with any address below it; an address that staff archive alone is
        not told of."""
        domain: list[Any] = [["parent_id", "=", False], ["customer_rank", ">", 0], ACTIVE_OR_NOT, *page_after(cursor)]
        domain += ["|", ["write_date", ">=", moment(since)], ["child_ids.write_date", ">=", moment(since)]]
        rows = self._api.graph(PARTNER, domain, _CARD, limit=PAGE, order="id")
        names = self._api.external_ids(PARTNER, [int(row["id"]) for row in rows])
        following = str(rows[-1]["id"]) if len(rows) == PAGE else None
        known = (_known(row, key_of(names.get(int(row["id"]), ""), "customer")) for row in rows)
        return Feed(tuple(known), following)

    def _row(self, number: int) -> _Row:
        found = self._api.graph(PARTNER, [["id", "=", number], ACTIVE_OR_NOT], _CARD)
        if not found:
            raise bug("Odoo knows the customer's external id and does not show the customer")
        return found[0]

    def _create(self, card: CustomerCard) -> int:
        record = {"id": external_id("customer", card.key), "name": card.name}
        record |= {"email": card.email} if card.email is not None else {}
        record |= {"phone": card.phone} if card.phone is not None else {}
        language = self._masters.language(card.language) if card.language else None
        record |= {"lang": language} if language else {}
        record |= self._place(card.billing) if card.billing else {}
        addresses = [self._below(card, card.shipping, USUAL)] if card.shipping else []
        if card.for_one_order and card.billing and card.billing != card.shipping:
            addresses.append(self._below(card, card.billing, BESIDE))
        return self._api.load(PARTNER, record, "child_ids", addresses, context=_AS_CUSTOMER)

    def _have_below(self, card: CustomerCard, address: Address, kind: str, row: _Row) -> int:
        """The id of this address below the customer. One that was forgotten, or archived by staff, is there again."""
        number = self._api.reference(mapping.address_id(card.key, address))
        if number is not None and number in [child["id"] for child in _children(row)]:
            return number
        return self._api.load(PARTNER, {**self._below(card, address, kind), "parent_id/.id": str(row["id"])})

    def _below(self, card: CustomerCard, address: Address, kind: str) -> dict[str, str]:
        return {
            "id": mapping.address_id(card.key, address),
            "type": kind,
            "name": address.name or card.name,
            "active": "1",
            **self._place(address),
        }

    def _place(self, address: Address) -> dict[str, str]:
        return mapping.address_fields(address, *self._masters.country_and_state(address))

    def _changes(self, wanted: CustomerCard, known: CustomerCard) -> dict[str, Any]:
        """Values of the contact itself."""
        told = {"name": wanted.name, "email": wanted.email, "phone": wanted.phone}
        values: dict[str, Any] = {
            field: value for field, value in told.items() if value is not None and value != getattr(known, field)
        }
        if wanted.language is not None and wanted.language != known.language:
            language = self._masters.language(wanted.language)
            values |= {"lang": language} if language else {}
        cleared = {CardField.EMAIL: "email", CardField.PHONE: "phone", CardField.LANGUAGE: "lang"}
        values |= {name: False for field, name in cleared.items() if field in wanted.cleared and getattr(known, field)}
        if wanted.billing and not _is_same_place(wanted.billing, known.billing):
            values |= mapping.written(self._place(wanted.billing))
        if CardField.BILLING in wanted.cleared and known.billing:
            values |= dict.fromkeys(_PLACE, False)
        return values


def _turns(row: _Row, usual: int | None, *, is_cleared: bool) -> dict[str, Any]:
    """Commands that make one address the usual one, and the others no more so."""
    if usual is None and not is_cleared:
        return {}
    commands: list[list[Any]] = []
    for child in _children(row):
        kind = USUAL if child["id"] == usual else BESIDE
        if (child["type"] == USUAL or kind == USUAL) and child["type"] != kind:
            commands.append([1, child["id"], {"type": kind}])
    return {"child_ids": commands} if commands else {}


def _orders_own(card: CustomerCard) -> list[Address]:
    return list(dict.fromkeys(address for address in (card.billing, card.shipping) if address))


# ---- reading ---------------------------------------------------------------------------------------------------------


def _known(row: _Row, key: str | None) -> KnownCustomer:
    changes = [str(each["write_date"]) for each in (row, *_children(row))]
    return KnownCustomer(
        id=str(row["id"]),
        key=key,
        card=_card(row, key or f"odoo/{row['id']}"),
        changed_at=parse_time(max(changes)),
    )


def _card(row: _Row, key: str) -> CustomerCard:
    deliveries = [child for child in _children(row) if child.get("type") == USUAL]
    latest = max(deliveries, key=lambda child: (str(child["write_date"]), child["id"]), default=None)
    return CustomerCard(
        key=key,
        name=str(row.get("name") or row["id"]),
        email=row.get("email") or None,
        phone=row.get("phone") or None,
        language=str(row["lang"]).partition("_")[0] if row.get("lang") else None,
        billing=_own_address(row),
        shipping=_address(latest) if latest else None,
    )


def _children(row: _Row) -> list[dict[str, Any]]:
    return list(row.get("child_ids") or ())


def _own_address(row: _Row) -> Address | None:
    """It has no name but the customer's, which is said already: who renames the customer changes no address."""
    address = _address(row)
    return address.model_copy(update={"name": None}) if address else None


def _address(row: _Row) -> Address | None:
    street = tuple(str(row[name]) for name in ("street", "street2") if row.get(name))
    address = Address(
        name=row.get("name") or None,
        company=row.get("company_name") or None,
        street=street,
        postal_code=row.get("zip") or None,
        city=row.get("city") or None,
        subdivision=row["state_id"].get("code") or None if row.get("state_id") else None,
        country=row["country_id"].get("code") or None if row.get("country_id") else None,
    )
    return address if any((street, address.postal_code, address.city, address.country)) else None


def _is_same(address: Address, held: Address | None) -> bool:
    """Whether it reads the same as one below a customer, which has the customer's name where it has none of its own.
    Odoo keeps no company there."""
    return held is not None and address.name in (None, held.name) and _place_of(address) == _place_of(held)


def _is_same_place(address: Address, held: Address | None) -> bool:
    """Whether it reads the same as the customer's own, which has no name of its own."""
    return held is not None and (address.company, _place_of(address)) == (held.company, _place_of(held))


def _place_of(address: Address) -> tuple[str | None, ...]:
    """As Odoo holds it: two lines of a street. Its states are those that it knows, and are not compared."""
    street, *more = address.street or ("",)
    return street, ", ".join(more), address.postal_code, address.city, address.country
