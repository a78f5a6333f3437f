"""Addresses: what a customer's usual ones are, and an order's own beside them.

An Address that was written once is not changed: documents point at it. Another one is made, and takes over as the
preferred one; ERPNext sees to it that there is one of a kind (`validate_preferred_address` in Frappe's source).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from shared.backoffices.documents import Address, CardField, CustomerCard
from shared.backoffices.erpnext.client import Filter
from shared.backoffices.erpnext.mapping import BILL_TO, SHIP_TO, address_fields, reads_as
from shared.backoffices.erpnext.office import Office
from shared.backoffices.erpnext.schemas import AddressDocument, fields_of, read

_PREFERRED = {CardField.BILLING: "is_primary_address", CardField.SHIPPING: "is_shipping_address"}


class _Wanted(NamedTuple):
    fields: Mapping[str, Any]
    flags: tuple[str, ...]


class Addresses(Office):
    def _addresses_of(self, customers: Sequence[str]) -> dict[str, list[AddressDocument]]:
        """Those in use, by customer: two requests for each hundred."""
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
        rows = self._api.rows_in("Address", fields_of(AddressDocument), "name", names, ("disabled", "=", 0))
        addresses = {address.name: address for address in (read(AddressDocument, row) for row in rows)}
        found: dict[str, list[AddressDocument]] = {}
        for link in links:
            if link["parent"] in addresses:
                found.setdefault(str(link["link_name"]), []).append(addresses[link["parent"]])
        return found

    def _held_by(self, customer: str) -> list[AddressDocument]:
        """Those of one customer that are in use, the oldest first: one request."""
        mine = [("link_doctype", "Customer"), ("link_name", customer), ("parenttype", "Address")]
        filters: list[Filter] = [(f"Dynamic Link.{field}", "=", value) for field, value in mine]
        rows = self._api.rows(
            "Address", fields_of(AddressDocument), [*filters, ("disabled", "=", 0)], order_by="creation asc"
        )
        return [read(AddressDocument, row) for row in rows]

    def _save_usual(self, customer: str, card: CustomerCard, held: Iterable[AddressDocument]) -> None:
        """Have the card's addresses as the preferred ones: one request for each that is not so yet."""
        known = list(held)
        for wanted in self._wanted({CardField.BILLING: card.billing, CardField.SHIPPING: card.shipping}):
            same = [address for address in known if reads_as(address, wanted.fields)]
            if not any(all(getattr(address, flag) for flag in wanted.flags) for address in same):
                self._prefer(customer, card, wanted, same)
        for kind in sorted(card.cleared & _PREFERRED.keys()):
            for address in known:
                if getattr(address, _PREFERRED[kind]):
                    self._api.update("Address", address.name, {_PREFERRED[kind]: 0})

    def _add_beside(
        self, customer: str, key: str, addresses: Iterable[Address | None], held: Sequence[AddressDocument]
    ) -> None:
        """Have these addresses among the customer's, usual or not."""
        for wanted in self._wanted(dict(zip(_PREFERRED, addresses, strict=False))):
            if not any(reads_as(address, wanted.fields) for address in held):
                self._create(customer, key, wanted, ())

    def _own_addresses(self, customer: str, card: CustomerCard) -> dict[str, str]:
        """The names of the card's addresses by a document's fields; without those that ERPNext does not have."""
        held = self._held_by(customer)
        found: dict[str, str] = {}
        for field, address in ((BILL_TO, card.billing), (SHIP_TO, card.shipping)):
            fields = self._fields(address) if address is not None else None
            names = [each.name for each in held if fields is not None and reads_as(each, fields)]
            found |= {field: names[0]} if names else {}
        return found

    def _wanted(self, addresses: Mapping[CardField, Address | None]) -> list[_Wanted]:
        """Each address once, with what it is preferred for."""
        wanted: list[_Wanted] = []
        for kind, address in addresses.items():
            fields = self._fields(address) if address is not None else None
            if fields is None:
                continue
            if wanted and wanted[0].fields == fields:
                wanted[0] = _Wanted(fields, (*wanted[0].flags, _PREFERRED[kind]))
            else:
                wanted.append(_Wanted(fields, (_PREFERRED[kind],)))
        return wanted

    def _prefer(self, customer: str, card: CustomerCard, wanted: _Wanted, same: Sequence[AddressDocument]) -> None:
        if same:
            self._api.update("Address", same[0].name, dict.fromkeys(wanted.flags, 1))
        else:
            self._create(customer, card.key, wanted, wanted.flags)

    def _create(self, customer: str, key: str, wanted: _Wanted, flags: Iterable[str]) -> None:
        """Its title is the customer's key, for ERPNext names an Address by its title, and a name is seen everywhere."""
        kind = "Billing" if _PREFERRED[CardField.BILLING] in wanted.flags else "Shipping"
        link = {"link_doctype": "Customer", "link_name": customer}
        named = {"address_title": key, "address_type": kind, **dict.fromkeys(flags, 1), "links": [link]}
        self._api.create("Address", {**wanted.fields, **named})

    def _fields(self, address: Address) -> dict[str, Any] | None:
        country = self._country(address.country) if address.country else None
        return address_fields(address, country) if country else None

    def _country(self, code: str) -> str | None:
        """ERPNext's name of a country; it keeps the codes in small letters."""
        if code not in self._countries:
            rows = self._api.rows("Country", ["name"], (("code", "=", code.lower()),), limit=1)
            self._countries[code] = str(rows[0]["name"]) if rows else None
        return self._countries[code]

    def _codes_of(self, names: Iterable[str]) -> dict[str, str]:
        """Two-letter codes by ERPNext's names of countries; those that were seen before cost no request."""
        known = {name: code for code, name in self._countries.items() if name is not None}
        missing = sorted({name for name in names if name} - known.keys())
        for row in self._api.rows_in("Country", ["name", "code"], "name", missing):
            known[str(row["name"])] = str(row["code"] or "").upper()
            self._countries[known[str(row["name"])]] = str(row["name"])
        return known
