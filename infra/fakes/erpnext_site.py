"""The documents of the fake ERPNext site, and what Frappe does with any of them: names, links, lists, `docstatus`.

Built from Frappe's documentation and source; never compared with a real site.
"""

import copy
import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from infra.fakes.erpnext_doctypes import CHECKS, CHILD_META, DOCTYPES, KEY_FIELD, META, Doctype
from shared.kernel.clock import Clock

Json = dict[str, Any]

_OWN = 3
"""Parts of a condition on the listed doctype's own field; one on a child table's names the table first."""
_PRICED = ("Sales Order", "Delivery Note", "Sales Invoice")
_LINKS = {
    "Customer": [(doctype, "customer") for doctype in _PRICED],
    "Contact": [("Customer", "customer_primary_contact"), *((doctype, "contact_person") for doctype in _PRICED)],
    "Address": [
        ("Customer", "customer_primary_address"),
        *((doctype, field) for doctype in _PRICED for field in ("customer_address", "shipping_address_name")),
    ],
}
_DYNAMIC_LINKS = (
    ("Dynamic Link", "link_doctype", "link_name"),
    ("Comment", "reference_doctype", "reference_name"),
    ("Version", "ref_doctype", "docname"),
    ("Payment Entry", "party_type", "party"),
)


class FrappeError(Exception):
    """An error as the site answers it: `status`, class and what the user is shown."""

    def __init__(self, message: str, name: str = "ValidationError", status: int = 417) -> None:
        super().__init__(message)
        self.message = message
        self.name = name
        self.status = status


class Site:
    """All documents by doctype and name. `custom_fields` are the doctypes that have the field for our key."""

    def __init__(self, clock: Clock, zone: str, custom_fields: Iterable[str]) -> None:
        self.documents: dict[str, dict[str, Json]] = {name: {} for name in DOCTYPES}
        self.custom_fields = set(custom_fields)
        self.zone = ZoneInfo(zone)
        self._clock = clock
        self._last = datetime.min.replace(tzinfo=self.zone)
        self._numbers = itertools.count(1)

    def now(self) -> str:
        """The site's time, without a zone; no two documents are changed at the same microsecond."""
        self._last = max(self._clock().astimezone(self.zone), self._last + timedelta(microseconds=1))
        return f"{self._last:%Y-%m-%d %H:%M:%S.%f}"

    def at(self, moment: datetime) -> None:
        """Nothing is noted before this time any more."""
        self._last = max(self._last, moment.astimezone(self.zone))

    def doctype(self, name: str) -> Doctype:
        if name not in DOCTYPES:
            raise FrappeError(f"DocType {name} not found", "DoesNotExistError", 404)
        return DOCTYPES[name]

    def get(self, doctype: str, name: str) -> Json:
        self.doctype(doctype)
        if name not in self.documents[doctype]:
            raise FrappeError(f"{doctype} {name} not found", "DoesNotExistError", 404)
        return self.documents[doctype][name]

    def link(self, doctype: str, name: Any) -> Json:
        if name not in self.documents[doctype]:
            raise FrappeError(f"Could not find {doctype}: {name}", "LinkValidationError")
        return self.documents[doctype][name]

    def fields(self, doctype: str) -> frozenset[str]:
        shape = self.doctype(doctype)
        custom = frozenset({KEY_FIELD}) if doctype in self.custom_fields else frozenset()
        return shape.fields | frozenset(shape.tables) | (CHILD_META if shape.is_child else META) | custom

    # ---- writing ----

    def fresh(self, doctype: str, values: Json) -> Json:
        """A document of these values, not kept yet."""
        document: Json = {name: 0 if name in CHECKS else None for name in self.fields(doctype) if name not in META}
        document |= {"doctype": doctype, "docstatus": 0, "name": None}
        self.assign(document, {name: value for name, value in values.items() if name != "name"})
        return document

    def assign(self, document: Json, values: Json) -> None:
        doctype = document["doctype"]
        known, tables = self.fields(doctype), self.doctype(doctype).tables
        for name, value in values.items():
            if name not in known | {KEY_FIELD}:
                raise FrappeError(f"{doctype} has no field {name}: Frappe would ignore it", "UnknownFieldError")
            if name in tables:
                document[name] = [self.row(tables[name], row, document, name) for row in value or []]
            elif name in known:  # the key's field is ignored where it was not added, as Frappe does
                document[name] = value

    def row(self, doctype: str, values: Json, parent: Json, parentfield: str) -> Json:
        row: Json = {name: None for name in self.fields(doctype) if name not in CHILD_META}
        row |= {"doctype": doctype, "parentfield": parentfield, "parenttype": parent["doctype"]}
        row["name"] = values.get("name") or f"{next(self._numbers):010x}"
        self.assign(row, {name: value for name, value in values.items() if name not in CHILD_META})
        return row

    def keep(self, document: Json) -> None:
        """Save a document under its name, a new one under a new name."""
        doctype = document["doctype"]
        shape = self.doctype(doctype)
        for name in sorted(shape.required):
            if document.get(name) in (None, ""):
                raise FrappeError(f"Error: Value missing for {doctype}: {name}", "MandatoryError")
        if document["name"] is None:
            document["name"] = self._name(document, shape)
            document["creation"] = self.now()
        document["modified"] = self.now()
        for table in shape.tables:
            for index, row in enumerate(document.get(table) or [], start=1):
                row |= {"idx": index, "parent": document["name"], "docstatus": document["docstatus"]}
                row["modified"] = document["modified"]
        self.documents[doctype][document["name"]] = document

    def _name(self, document: Json, shape: Doctype) -> str:
        if shape.series:
            return f"{shape.series}{next(self._numbers):05d}"
        wanted = str(document.get(shape.named_by) or "")
        if document["doctype"] == "Address":
            wanted = f"{wanted}-{document['address_type']}"
        if document["doctype"] == "Contact":
            wanted += "".join(f"-{link['link_name']}" for link in document["links"][:1])
        held = self.documents[document["doctype"]]
        return wanted if wanted not in held else f"{wanted} - {next(self._numbers)}"

    def rename(self, doctype: str, old: str, new: str) -> None:
        """Give a document another name, with all that links to it, and note the old one in a comment."""
        document = self.get(doctype, old)
        if new in self.documents[doctype]:
            raise FrappeError(f"Another {doctype} with name {new} exists, select another name")
        self.documents[doctype] = {new if name == old else name: each for name, each in self.documents[doctype].items()}
        document["name"] = new
        for table in self.doctype(doctype).tables:
            for row in document.get(table) or []:
                row["parent"] = new
        for holder, field in _LINKS[doctype]:
            for row in self.rows(holder):
                if row.get(field) == old:
                    row[field] = new
        for holder, kind, field in _DYNAMIC_LINKS:
            for row in self.rows(holder):
                if (row.get(kind), row.get(field)) == (doctype, old):
                    row[field] = new
        content = f"renamed from <strong>{old}</strong> to <strong>{new}</strong>"
        values = {"comment_type": "Edit", "reference_doctype": doctype, "reference_name": new, "content": content}
        self.keep(self.fresh("Comment", values))

    # ---- lists ----

    def rows(self, doctype: str) -> Iterable[Json]:
        """Every document of a doctype; of a child table the rows in whatever parent."""
        if not self.doctype(doctype).is_child:
            return self.documents[doctype].values()
        return (
            row
            for parent, shape in DOCTYPES.items()
            for table, child in shape.tables.items()
            if child == doctype
            for document in self.documents[parent].values()
            for row in document.get(table) or []
        )

    def list(self, doctype: str, fields: list[str], filters: list[list[Any]], order_by: str, limit: int) -> list[Json]:
        named = [(doctype, name) for name in fields]
        named += [(condition[0] if len(condition) > _OWN else doctype, condition[-3]) for condition in filters]
        for of, name in named:
            if name not in self.fields(of):
                raise FrappeError(f"Field not permitted in query: {name}", "DataError")
        found = [row for row in self.rows(doctype) if _meets(row, filters)]
        name, _, direction = (order_by or "modified desc").partition(" ")
        found.sort(key=lambda row: (str(row.get(name) or ""), str(row["name"])), reverse=direction == "desc")
        return [{name: copy.deepcopy(row.get(name)) for name in fields} for row in found[: limit or None]]


def _meets(document: Json, filters: Sequence[Sequence[Any]]) -> bool:
    """Conditions on the fields of a child table must be met by one of its rows, all by the same."""
    own = [condition for condition in filters if len(condition) == _OWN]
    of_rows = [condition for condition in filters if len(condition) > _OWN]
    children = {condition[0] for condition in of_rows}
    tables = [table for table, child in DOCTYPES[document["doctype"]].tables.items() if child in children]
    return all(_passes(document, *condition) for condition in own) and all(
        any(all(_passes(row, *condition[-3:]) for condition in of_rows) for row in document.get(table) or [])
        for table in tables
    )


def _passes(row: Json, name: str, operator: str, value: Any) -> bool:
    held = row.get(name)
    if operator == "in":
        return held in value
    if operator == "like":
        return str(held or "").startswith(str(value).removesuffix("%"))
    held, value = (held or 0, int(value)) if isinstance(held, int) else (str(held or ""), str(value))
    if operator == "=":
        return bool(held == value)
    if operator == "!=":
        return bool(held != value)
    if operator == ">":
        return bool(held > value)
    if operator == ">=":
        return bool(held >= value)
    raise FrappeError(f"Operator must be one of =, !=, >, >=, in, like: {operator}")
