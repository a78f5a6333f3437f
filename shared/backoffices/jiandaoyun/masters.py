"""Who answers, and whether the forms are as the mapping says."""

from collections.abc import Iterator

from shared.backoffices.documents import Identity, MissingRight, Tax, Warehouse
from shared.backoffices.http import not_found
from shared.backoffices.jiandaoyun.client import Form
from shared.backoffices.jiandaoyun.company import Company
from shared.backoffices.jiandaoyun.settings import MappedField, Row, mapped_fields
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected


class Masters(Company):
    def identify(self) -> Identity:
        """One request: the fields of the form of orders. An API key knows neither its company nor a user.

        Raises:
            Rejected: `backoffice_not_found`, when that form lacks a field that the mapping names; `field` names it.
        """
        form = self._api.form(self._mapping.orders)
        for field, fault in faults(form, mapped_fields(self._mapping.orders, "orders")):
            raise not_found(f"{field.path} names {field.name}: {fault}", f"mapping.{field.path}", "mend the mapping")
        return Identity(
            vendor="jiandaoyun",
            version="API v5",
            company=self._mapping.company,
            currency=self._mapping.currency,
            user="API key",
        )

    def missing_rights(self) -> tuple[MissingRight, ...]:
        """Forms that cannot be read, and fields that are not there or hold something else: one request for each form.

        What an API key may write no call tells.
        """
        missing: list[MissingRight] = []
        for name, fields in self._mapping.forms.items():
            try:
                form = self._api.form(fields)
            except Rejected as error:
                if error.code != Refusal.REFUSED:
                    raise
                missing.append(
                    MissingRight(
                        what=f"read the form of {name}", hint=f"check its 应用 ID and 表单 ID: {error.message}"
                    )
                )
                continue
            missing += [
                MissingRight(what=f"use {field.path} ({field.name})", hint=fault)
                for field, fault in faults(form, mapped_fields(fields, name))
            ]
        return tuple(missing)

    def warehouses(self) -> tuple[Warehouse, ...]:
        """No request: those of the mapping."""
        return tuple(Warehouse(id=name, name=name) for name in self._mapping.warehouses)

    def taxes(self) -> tuple[Tax, ...]:
        return ()

    def payment_methods(self) -> tuple[str, ...]:
        return ()


def faults(form: Form, fields: Iterator[MappedField]) -> Iterator[tuple[MappedField, str]]:
    """Fields of the mapping that the form does not have so, with what is wrong."""
    for field in fields:
        widgets = _within(form.widgets, field.table)
        found = next((widget for widget in widgets if widget.get("name") == field.name), None)
        if found is None:
            yield field, _absence(widgets, field)
        elif found.get("type") not in field.kinds:
            yield field, f"it is of the type {found.get('type')}, not {' or '.join(sorted(field.kinds))}"


def _within(widgets: tuple[Row, ...], table: str | None) -> list[Row]:
    if table is None:
        return list(widgets)
    inside = next((widget.get("items") for widget in widgets if widget.get("name") == table), None)
    return [widget for widget in inside if isinstance(widget, dict)] if isinstance(inside, list) else []


def _absence(widgets: list[Row], field: MappedField) -> str:
    alias = next((widget.get("name") for widget in widgets if widget.get("widgetName") == field.name), None)
    if alias is not None:
        return f"the field has the alias {alias}, which the API knows it by: name that"
    return "there is no such field" + (f" in the sub-form {field.table}" if field.table else " in the form")
