"""Customers as Odoo's contacts. The billing address is the contact's own; each delivery address is one below it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.backoffices.documents import Address, CustomerCard, KnownCustomer
from shared.backoffices.odoo import mapping
from shared.backoffices.odoo.client import OdooApi
from shared.backoffices.odoo.feeds import PAGE, moment, page_after
from shared.backoffices.odoo.masters import Masters
from shared.backoffices.odoo.names import external_id, key_of
from shared.backoffices.port import Feed
from shared.kernel.clock import parse_time

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
_CARD: dict[str, Any] = {"name": {}, "email": {}, "phone": {}, "lang": {}, "write_date": {}, **_PLACE}


class Customers:
    def __init__(self, api: OdooApi, masters: Masters) -> None:
        self._api = api
        self._masters = masters

    def save(self, card: CustomerCard) -> str:
        """One `load`; before it, once: languages and each country, and each time a state that is named."""
        record = {"id": external_id("customer", card.key), "name": card.name}
        record |= {"email": card.email} if card.email is not None else {}
        record |= {"phone": card.phone} if card.phone is not None else {}
        language = self._masters.language(card.language) if card.language else None
        record |= {"lang": language} if language else {}
        record |= self._place(card.billing) if card.billing else {}
        addresses = [self._delivery(card)] if card.shipping else []
        return str(self._api.load("res.partner", record, "child_ids", addresses, context=_AS_CUSTOMER))

    def save_address(self, card: CustomerCard, customer_id: str) -> None:
        """The card's delivery address alone, below a customer that is there already."""
        self._api.load("res.partner", {**self._delivery(card), "parent_id/.id": customer_id})

    def changed(self, since: datetime, cursor: str | None) -> Feed[KnownCustomer]:
        """Two requests a page. A customer changes with any address below it."""
        domain: list[Any] = [["parent_id", "=", False], ["customer_rank", ">", 0], *page_after(cursor)]
        domain += ["|", ["write_date", ">=", moment(since)], ["child_ids.write_date", ">=", moment(since)]]
        below = {"child_ids": {"fields": {"type": {}, "name": {}, "write_date": {}, **_PLACE}}}
        rows = self._api.graph("res.partner", domain, {**_CARD, **below}, limit=PAGE, order="id")
        names = self._api.external_ids("res.partner", [int(row["id"]) for row in rows])
        following = str(rows[-1]["id"]) if len(rows) == PAGE else None
        return Feed(tuple(_known(row, names.get(int(row["id"]), "")) for row in rows), following)

    def _delivery(self, card: CustomerCard) -> dict[str, str]:
        assert card.shipping is not None  # noqa: S101  # for mypy: both callers look first
        return {
            "id": mapping.address_id(card.key, card.shipping),
            "type": "delivery",
            "name": card.shipping.name or card.name,
            **self._place(card.shipping),
        }

    def _place(self, address: Address) -> dict[str, str]:
        return mapping.address_fields(address, *self._masters.country_and_state(address))


def _known(row: Mapping[str, Any], name: str) -> KnownCustomer:
    deliveries = [child for child in row.get("child_ids") or () if child.get("type") == "delivery"]
    latest = max(deliveries, key=lambda child: (str(child["write_date"]), child["id"]), default=None)
    changes = [str(each["write_date"]) for each in (row, *deliveries)]
    key = key_of(name, "customer")
    card = CustomerCard(
        key=key or f"odoo/{row['id']}",
        name=str(row.get("name") or row["id"]),
        email=row.get("email") or None,
        phone=row.get("phone") or None,
        language=str(row["lang"]).partition("_")[0] if row.get("lang") else None,
        billing=_address(row),
        shipping=_address(latest) if latest else None,
    )
    return KnownCustomer(id=str(row["id"]), key=key, card=card, changed_at=parse_time(max(changes)))


def _address(row: Mapping[str, Any]) -> Address | None:
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
