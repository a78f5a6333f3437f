"""Customers: a Customer with its Contact and its Addresses."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.backoffices.cards import to_save
from shared.backoffices.documents import CustomerCard, KnownCustomer
from shared.backoffices.erpnext.addresses import Addresses
from shared.backoffices.erpnext.mapping import (
    contact_fields,
    customer_fields,
    details_pattern,
    details_with_key,
    key_in_details,
    known_customer,
    local_text,
)
from shared.backoffices.erpnext.pages import next_place, place
from shared.backoffices.erpnext.schemas import (
    AddressDocument,
    ContactDocument,
    ContactRows,
    CustomerDocument,
    fields_of,
    read,
)
from shared.backoffices.http import bug
from shared.backoffices.port import Feed

PAGE = 50

_FEED = ("Customer", "Address", "Contact")
"""What is looked at for changes: staff edit each by itself."""
_REACHED_BY = ("email_id", "mobile_no")


class Customers(Addresses):
    """Our key is the first line of a customer's *Additional information*: ERPNext names customers itself.

    From the source of ERPNext 13 to 16 (`selling/doctype/customer/customer.py`): a new customer with an e-mail address
    or a mobile number gets a Contact of its own. Later the Contact is the one to change, and the Customer fetches it
    when it is saved. The usual addresses are the *Preferred Billing* and *Preferred Shipping Address*.
    """

    def save_customer(self, card: CustomerCard) -> str:
        """A new one: 3 requests, and one for each address; an unchanged one: 3. One more for each country, once."""
        customer = self._customer(card.key)
        if customer is None:
            fields = {**customer_fields(card), "customer_details": details_with_key("", card.key)}
            self._api.create("Customer", {"customer_type": "Individual", **fields})
            customer = self._customer(card.key)
            if customer is None:
                raise bug("ERPNext has taken a customer and does not find it")
            self._save_usual(customer.name, card, ())
        else:
            self._bring_up_to_date(customer, card)
        return customer.name

    def find_customer(self, key: str) -> KnownCustomer | None:
        """Three requests, and one for countries that were not seen before. Disabled customers are found too."""
        customer = self._customer(key)
        return self._with([customer], {customer.name: self._held_by(customer.name)})[0] if customer else None

    def changed_customers(self, since: datetime, cursor: str | None) -> Feed[KnownCustomer]:
        """Pages of 50 by name: of the customers, then of their addresses, then of their contacts. Four requests each,
        and two more for addresses and contacts."""
        stage, after = place(cursor, len(_FEED))
        filters = [("modified", ">=", local_text(since, self._zone()))]
        filters += [("name", ">", after)] if after else []
        rows = self._api.rows(_FEED[stage], ["name"], filters, order_by="name asc", limit=PAGE)
        names = [str(row["name"]) for row in rows]
        customers = names if _FEED[stage] == "Customer" else self._customers_behind(_FEED[stage], names)
        found = self._api.rows_in("Customer", fields_of(CustomerDocument), "name", customers)
        known = self._with([read(CustomerDocument, row) for row in found], self._addresses_of(customers))
        return Feed(tuple(known), next_place(stage, names, page=PAGE, stages=len(_FEED)))

    def _customers_behind(self, doctype: str, names: Sequence[str]) -> list[str]:
        links = self._api.rows_in(
            "Dynamic Link",
            ["link_name"],
            "parent",
            names,
            ("link_doctype", "=", "Customer"),
            ("parenttype", "=", doctype),
            parent=doctype,
        )
        return sorted({str(link["link_name"]) for link in links})

    def _customer(self, key: str) -> CustomerDocument | None:
        rows = self._api.rows(
            "Customer",
            fields_of(CustomerDocument),
            (("customer_details", "like", details_pattern(key)),),
            order_by="creation asc",
        )
        found = (read(CustomerDocument, row) for row in rows)
        return next((one for one in found if key_in_details(one.customer_details) == key), None)

    def _with(
        self, customers: Sequence[CustomerDocument], addresses: Mapping[str, Sequence[AddressDocument]]
    ) -> list[KnownCustomer]:
        """The customers with what is known of their contacts."""
        primary = sorted({one.customer_primary_contact for one in customers if one.customer_primary_contact})
        rows = self._api.rows_in("Contact", fields_of(ContactDocument), "name", primary)
        contacts = {contact.name: contact for contact in (read(ContactDocument, row) for row in rows)}
        countries = self._codes_of(address.country for held in addresses.values() for address in held)
        return [
            known_customer(
                customer,
                contacts.get(customer.customer_primary_contact),
                addresses.get(customer.name, ()),
                countries,
                self._zone(),
            )
            for customer in customers
        ]

    def _bring_up_to_date(self, customer: CustomerDocument, card: CustomerCard) -> None:
        held = self._held_by(customer.name)
        known = self._with([customer], {customer.name: held})[0].card
        wanted = to_save(card, known)
        self._save_fields(customer, known, wanted)
        self._save_usual(customer.name, wanted, held)
        if card.for_one_order:
            usual = (wanted.billing, wanted.shipping)
            beside = [address for address in (card.billing, card.shipping) if address not in usual]
            self._add_beside(customer.name, card.key, beside, held)

    def _save_fields(self, customer: CustomerDocument, known: CustomerCard, card: CustomerCard) -> None:
        """The Contact first: a worker who dies in between leaves a Customer that still differs from the card."""
        wanted = customer_fields(card)
        told = {"email_id": known.email or "", "mobile_no": known.phone or ""}
        reached = {name: wanted[name] for name in _REACHED_BY if name in wanted and wanted[name] != told[name]}
        if reached and customer.customer_primary_contact:
            document = self._api.document("Contact", customer.customer_primary_contact) or {}
            fields = contact_fields(read(ContactRows, document), reached)
            self._api.update("Contact", customer.customer_primary_contact, fields)
        if known.language == card.language:
            wanted.pop("language", None)  # staff may have chosen more closely: zh-TW
        changed = {name: value for name, value in wanted.items() if getattr(customer, name) != value}
        if changed:
            self._api.update("Customer", customer.name, changed)
