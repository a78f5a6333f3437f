"""Customers: a Customer with its Contact, and an Address for the bill and one for the goods."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.backoffices.documents import Address, CustomerCard, KnownCustomer
from shared.backoffices.erpnext.mapping import (
    address_fields,
    customer_fields,
    details_pattern,
    details_with_key,
    key_in_details,
    known_customer,
    local_text,
)
from shared.backoffices.erpnext.office import Office
from shared.backoffices.erpnext.schemas import AddressDocument, CustomerDocument, fields_of, read
from shared.backoffices.http import bug
from shared.backoffices.port import Feed

PAGE = 50


class Customers(Office):
    """Our key is the first line of a customer's *Additional information*: ERPNext names customers itself.

    From the source of ERPNext 13 to 16 (`selling/doctype/customer/customer.py`): a new customer with an e-mail address
    or a mobile number gets a Contact of its own. Later the Contact is the one to change, and the Customer fetches it
    when it is saved.
    """

    def save_customer(self, card: CustomerCard) -> str:
        """A new one: 3 requests, and 4 for its two addresses; an unchanged one: 1, and 2 for its addresses."""
        customer = self._customer(card.key)
        if customer is None:
            fields = {**customer_fields(card), "customer_details": details_with_key("", card.key)}
            self._api.create("Customer", {"customer_type": "Individual", **fields})
            customer = self._customer(card.key)
            if customer is None:
                raise bug("ERPNext has taken a customer and does not find it")
        else:
            self._bring_up_to_date(customer, card)
        self._save_addresses(customer.name, card)
        return customer.name

    def changed_customers(self, since: datetime, cursor: str | None) -> Feed[KnownCustomer]:
        """A page of 50 by name: one request, and 3 for their addresses. An address that alone changes is not told."""
        filters = [("modified", ">=", local_text(since, self._zone()))]
        filters += [("name", ">", cursor)] if cursor is not None else []
        rows = self._api.rows("Customer", fields_of(CustomerDocument), filters, order_by="name asc", limit=PAGE)
        customers = [read(CustomerDocument, row) for row in rows]
        addresses = self._addresses_of([customer.name for customer in customers])
        countries = self._codes_of({address.country for found in addresses.values() for address in found})
        told = [
            known_customer(customer, addresses.get(customer.name, ()), countries, self._zone())
            for customer in customers
        ]
        return Feed(tuple(told), customers[-1].name if len(customers) == PAGE else None)

    def _customer(self, key: str) -> CustomerDocument | None:
        rows = self._api.rows(
            "Customer",
            fields_of(CustomerDocument),
            (("customer_details", "like", details_pattern(key)),),
            order_by="creation asc",
        )
        found = (read(CustomerDocument, row) for row in rows)
        return next((one for one in found if key_in_details(one.customer_details) == key), None)

    def _bring_up_to_date(self, customer: CustomerDocument, card: CustomerCard) -> None:
        wanted = customer_fields(card)
        changed = {name for name, value in wanted.items() if getattr(customer, name) != value}
        reached: dict[str, Any] = {name: wanted[name] for name in ("email_id", "mobile_no") if name in changed}
        if reached and customer.customer_primary_contact:
            self._api.update("Contact", customer.customer_primary_contact, _contact_fields(reached))
        if changed:
            self._api.update("Customer", customer.name, {name: wanted[name] for name in sorted(changed)})

    def _save_addresses(self, customer: str, card: CustomerCard) -> None:
        given = {"Billing": card.billing, "Shipping": card.shipping}
        wanted = {
            kind: fields
            for kind, address in given.items()
            if address is not None and (fields := self._address_fields(address, card, kind)) is not None
        }
        if not wanted:
            return
        rows = self._api.rows("Address", fields_of(AddressDocument), (("address_title", "=", card.key),))
        held = {address.address_type: address for address in (read(AddressDocument, row) for row in rows)}
        for kind, fields in wanted.items():
            known = held.get(kind)
            if known is None:
                link = {"link_doctype": "Customer", "link_name": customer}
                self._api.create("Address", {**fields, "links": [link]})
            elif any(getattr(known, name, value) != value for name, value in fields.items()):
                self._api.update("Address", known.name, fields)

    def _address_fields(self, address: Address, card: CustomerCard, kind: str) -> Mapping[str, Any] | None:
        country = self._country(address.country) if address.country else None
        return address_fields(address, card, country, kind) if country else None

    def _country(self, code: str) -> str | None:
        """ERPNext's name of a country; it keeps the codes in small letters."""
        if code not in self._countries:
            rows = self._api.rows("Country", ["name"], (("code", "=", code.lower()),), limit=1)
            self._countries[code] = str(rows[0]["name"]) if rows else None
        return self._countries[code]

    def _codes_of(self, names: set[str]) -> dict[str, str]:
        rows = self._api.rows_in("Country", ["name", "code"], "name", sorted(name for name in names if name))
        return {str(row["name"]): str(row["code"]).upper() for row in rows}

    def _addresses_of(self, customers: Sequence[str]) -> dict[str, list[AddressDocument]]:
        links = self._api.rows_in(
            "Dynamic Link",
            ["parent", "link_name"],
            "link_name",
            customers,
            ("link_doctype", "=", "Customer"),
            ("parenttype", "=", "Address"),
            parent="Address",
        )
        names = sorted({str(link["parent"]) for link in links})
        rows = self._api.rows_in("Address", fields_of(AddressDocument), "name", names)
        addresses = {address.name: address for address in (read(AddressDocument, row) for row in rows)}
        found: dict[str, list[AddressDocument]] = {}
        for link in links:
            if link["parent"] in addresses:
                found.setdefault(str(link["link_name"]), []).append(addresses[link["parent"]])
        return found


def _contact_fields(reached: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "email_id" in reached:
        fields["email_ids"] = [{"email_id": reached["email_id"], "is_primary": 1}]
    if "mobile_no" in reached:
        fields["phone_nos"] = [{"phone": reached["mobile_no"], "is_primary_mobile_no": 1}]
    return fields
