"""Take a person's data out of ERPNext: Customer, Contacts, Addresses, comments, drafts.

Nothing is deleted, all is written over, for Frappe keeps whatever is deleted whole in *Deleted Document*
(`frappe/model/delete_doc.py`). A name that tells who it is is changed as well: renaming follows every link
(`frappe/model/rename_doc.py`), and notes the old name in a comment, which is emptied afterwards like all others.

Not looked at: e-mails (*Communication*) and files that staff attached.
"""

import hashlib
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shared.backoffices.cards import ERASED
from shared.backoffices.documents import Forgotten
from shared.backoffices.erpnext.client import Filter
from shared.backoffices.erpnext.customers import Customers
from shared.backoffices.erpnext.mapping import details_with_key
from shared.backoffices.erpnext.schemas import DRAFT
from shared.backoffices.http import not_found
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected

_NO_LINE = "-"
"""Where ERPNext wants something: an Address without a line or a city is none."""
_EMPTY_ADDRESS: Mapping[str, Any] = {
    "address_line1": _NO_LINE,
    "address_line2": "",
    "city": _NO_LINE,
    "county": "",
    "state": "",
    "pincode": "",
    "email_id": "",
    "phone": "",
    "fax": "",
    "is_primary_address": 0,
    "is_shipping_address": 0,
    "disabled": 1,
}
_EMPTY_CONTACT: Mapping[str, Any] = {
    "first_name": ERASED,
    "middle_name": "",
    "last_name": "",
    "salutation": None,
    "gender": None,
    "company_name": "",
    "designation": "",
    "department": "",
    "image": "",
    "user": None,
    "email_ids": [],
    "phone_nos": [],
}
_EMPTY_CUSTOMER: Mapping[str, Any] = {
    "salutation": None,
    "gender": None,
    "email_id": "",
    "mobile_no": "",
    "language": None,
    "website": "",
    "tax_id": "",
    "image": "",
    "customer_primary_address": None,
    "customer_primary_contact": None,
    "primary_address": "",
}
_COPIES: Mapping[str, Any] = {
    "contact_display": "",
    "contact_mobile": "",
    "contact_email": "",
    "address_display": "",
    "shipping_address": "",
    "customer_address": None,
    "shipping_address_name": None,
    "contact_person": None,
}


class _MadeOut(NamedTuple):
    """How a document names the customer: the field that links, that of the name, and what else is copied."""

    to: str
    copy: str
    rest: Mapping[str, Any]


_DOCUMENTS = {
    "Sales Order": _MadeOut("customer", "customer_name", _COPIES),
    "Delivery Note": _MadeOut("customer", "customer_name", _COPIES),
    "Sales Invoice": _MadeOut("customer", "customer_name", _COPIES),
    "Payment Entry": _MadeOut("party", "party_name", {}),
}
_NUMBERED = re.compile(r"[A-Z]{2,10}-(.*-)?[0-9]{3,}")
"""A name that ERPNext counted: CUST-2026-00017."""


class _Person(NamedTuple):
    """The records that are to lose their content, by doctype and name."""

    key: str
    name: str
    """The name that is shown from now on."""

    def is_anonymous(self, name: str) -> bool:
        return name.startswith((self.key, ERASED))


class Forgetting(Customers):
    def forget_customer(self, key: str) -> Forgotten | None:
        """About 27 requests, and 3 for each further Contact or Address; repeated, it looks at all and writes nothing.

        What is submitted stays as it is, for nobody can change it; a Contact or an Address that belongs to somebody
        else as well is only parted from this customer.
        """
        customer = self._customer(key)
        if customer is None:
            return None
        person = _Person(key, f"{ERASED} {hashlib.sha256(key.encode()).hexdigest()[:8]}")
        kept: list[str] = []
        contacts = self._empty_linked("Contact", customer.name, person, _EMPTY_CONTACT, kept)
        addresses = self._empty_linked("Address", customer.name, person, _EMPTY_ADDRESS, kept)
        name = self._empty_customer(customer.name, person)
        self._empty_drafts(name, person)
        records = {"Customer": [name], "Contact": contacts, "Address": addresses}
        kept += self._empty_comments(records)
        kept += [*self._submitted(name), *self._change_log(records)]
        erased = ("name", "email", "phone", "language", "addresses", "notes")
        return Forgotten(erased=erased, kept=tuple(dict.fromkeys(kept)))

    def _empty_linked(
        self, doctype: str, customer: str, person: _Person, empty: Mapping[str, Any], kept: list[str]
    ) -> list[str]:
        """The names that the customer's Contacts or Addresses have in the end."""
        links = self._links_of(doctype, customer)
        taken = set(links)
        names: list[str] = []
        for name, partners in links.items():
            document = self._api.document(doctype, name) or {}
            if len(partners) > 1:
                kept.append(f"one {doctype} that is somebody else's as well")
                others = [row for row in document.get("links") or [] if row.get("link_name") != customer]
                self._api.update(doctype, name, {"links": others})
                continue
            fields = {**empty, **_title(document, person)}
            if any((document.get(field) or None) != (value or None) for field, value in fields.items()):
                self._api.update(doctype, name, fields)
            known = name
            if not person.is_anonymous(name):
                known = self._rename(doctype, name, _free_name(person.name, taken))
            taken.add(known)
            names.append(known)
        return names

    def _links_of(self, doctype: str, customer: str) -> dict[str, set[tuple[str, str]]]:
        """The customer's Contacts or Addresses, each with all whom it is linked with."""
        own = self._api.rows(
            "Dynamic Link",
            ["parent"],
            (("link_doctype", "=", "Customer"), ("link_name", "=", customer), ("parenttype", "=", doctype)),
            parent=doctype,
        )
        names = sorted({str(link["parent"]) for link in own})
        rows = self._api.rows_in(
            "Dynamic Link",
            ["parent", "link_doctype", "link_name"],
            "parent",
            names,
            ("parenttype", "=", doctype),
            parent=doctype,
        )
        partners: dict[str, set[tuple[str, str]]] = {name: set() for name in names}
        for row in rows:
            partners[str(row["parent"])].add((str(row["link_doctype"]), str(row["link_name"])))
        return partners

    def _empty_customer(self, name: str, person: _Person) -> str:
        document = self._api.document("Customer", name)
        if document is None:
            raise not_found("the customer is gone from ERPNext", "customer", "repeat the erasure")
        fields = {**_EMPTY_CUSTOMER, "customer_name": person.name, "customer_details": details_with_key("", person.key)}
        if any((document.get(field) or None) != (value or None) for field, value in fields.items()):
            self._api.update("Customer", name, fields)
        is_anonymous = person.is_anonymous(name) or _NUMBERED.fullmatch(name) is not None
        return name if is_anonymous else self._rename("Customer", name, person.name)

    def _rename(self, doctype: str, old: str, new: str) -> str:
        self._api.tell("frappe.client.rename_doc", {"doctype": doctype, "old_name": old, "new_name": new})
        return new

    def _empty_drafts(self, customer: str, person: _Person) -> None:
        """Drafts that copied the name: ERPNext fills in what is left empty from the customer, who has nothing left."""
        for doctype, made_out in _DOCUMENTS.items():
            named = ["name", made_out.copy, "title"]
            ours = ((made_out.to, "=", customer), ("docstatus", "=", DRAFT), (made_out.copy, "!=", person.name))
            for row in self._api.rows(doctype, named, ours):
                title = {"title": person.name} if row["title"] and row["title"] == row[made_out.copy] else {}
                self._api.update(doctype, str(row["name"]), {made_out.copy: person.name, **made_out.rest, **title})

    def _empty_comments(self, records: Mapping[str, Sequence[str]]) -> list[str]:
        """What staff wrote about the customer, and what Frappe noted of the old names."""
        try:
            for doctype, names in records.items():
                for comment in self._comments_on(doctype, names):
                    self._api.update("Comment", comment, {"content": ""})
        except Rejected as error:
            if error.code != Refusal.AUTH:
                raise
            return ["comments on the customer: this user has no right to write a Comment"]
        return []

    def _comments_on(self, doctype: str, names: Sequence[str]) -> list[str]:
        about: Filter = ("reference_doctype", "=", doctype)
        rows = self._api.rows_in("Comment", ["name"], "reference_name", names, about, ("content", "!=", ""))
        return [str(row["name"]) for row in rows]

    def _submitted(self, customer: str) -> list[str]:
        counts: list[str] = []
        for doctype, made_out in _DOCUMENTS.items():
            rows = self._api.rows(doctype, ["name"], ((made_out.to, "=", customer), ("docstatus", "!=", DRAFT)))
            counts += [f"{len(rows)} {doctype}"] if rows else []
        if not counts:
            return []
        return [f"copies in what is submitted, which nobody can change (bookkeeping law): {', '.join(counts)}"]

    def _change_log(self, records: Mapping[str, Sequence[str]]) -> list[str]:
        """What the fields were, where *Track Changes* is on: nobody but the Administrator may delete a Version
        (`frappe/core/doctype/version/version.json`)."""
        try:
            own = [name for names in records.values() for name in names]
            rows = self._api.rows_in("Version", ["name"], "docname", own, ("ref_doctype", "in", list(records)))
        except Rejected as error:
            if error.code != Refusal.AUTH:
                raise
            return ["the change log (Version), if ERPNext keeps one: this user may not look at it"]
        return ["the change log (Version): only ERPNext's Administrator can delete it"] if rows else []


def _title(document: Mapping[str, Any], person: _Person) -> dict[str, str]:
    """An Address's title, where it is not our key but what staff wrote."""
    title = str(document.get("address_title") or "")
    return {"address_title": person.name} if title and title != person.key else {}


def _free_name(name: str, taken: set[str]) -> str:
    return next(free for number in itertools.count(1) if (free := f"{name}-{number}") not in taken)
