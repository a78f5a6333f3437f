"""`load` of an Odoo that is not there: records and those below them by external ids, all or nothing.

As 19.0 did when it was run: the answer is 200 with `ids` or with `ids: false` and messages; what has an external id
already is changed, lines without one would be added again; a many2many takes several ids with commas between them.
"""

import copy
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from infra.fakes.odoo_store import OdooFault, Store, Values, user_error

_BOOLEANS = frozenset({"to_refund", "active"})
_REQUIRED = {"sale.order": "partner_id", "res.partner": "name", "account.move": "move_type"}


def load(store: Store, model: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Values:
    before = copy.deepcopy((store.records, store.names))
    try:
        ids = [_loaded(store, model, columns, group) for group in _groups(rows)]
    except OdooFault as fault:
        store.records, store.names = before
        return {"ids": False, "messages": [{"type": "error", "record": 0, "message": fault.message}], "nextrow": 0}
    return {"ids": ids, "messages": [], "nextrow": 0}


def _groups(rows: Sequence[Sequence[str]]) -> list[list[Sequence[str]]]:
    """A record's first row has its external id in the first column; rows without one carry more of its lines."""
    groups: list[list[Sequence[str]]] = []
    for row in rows:
        if row[0]:
            groups.append([])
        groups[-1].append(row)
    return groups


def _loaded(store: Store, model: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    own, lines = _split(store, model, columns)
    values = _values(store, model, {name: rows[0][index] for name, index in own.items()})
    children: list[tuple[str, str, Values]] = []
    for field, places in lines.items():
        relation = store.schemas[model].relations[field]
        for row in rows:
            cells = {name: row[index] for name, index in places.items()}
            if any(cells.values()):
                below = _values(store, relation.model, cells)
                children.append((relation.model, str(relation.inverse), below))
    return _put(store, model, values, children)


def _split(store: Store, model: str, columns: Sequence[str]) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Columns of the record itself, and those of each one2many."""
    own: dict[str, int] = {}
    lines: dict[str, dict[str, int]] = {}
    for index, column in enumerate(columns):
        field, _, rest = column.partition("/")
        relation = store.schemas[model].relations.get(field)
        if relation is not None and relation.inverse:
            lines.setdefault(field, {})[rest] = index
        else:
            own[column] = index
    return own, lines


def _put(store: Store, model: str, values: Values, children: Sequence[tuple[str, str, Values]]) -> int:
    name = values.pop("id")
    at = store.names.get(name)
    if at is None:
        required = _REQUIRED.get(model)
        if required and not values.get(required):
            raise user_error(f"Missing required value for the field {required!r}")
        number = int(store.create(model, values)["id"])
        store.names[name] = (model, number)
    else:
        number = at[1]
        store.write(model, [number], values)
    for below, inverse, line in children:
        _put(store, below, {**line, inverse: number}, ())
    store.written(model, store.records[model][number])
    return number


def _values(store: Store, model: str, cells: Mapping[str, str]) -> Values:
    values: Values = {}
    for column, text in cells.items():
        field, _, how = column.partition("/")
        values[field] = text if field == "id" else _value(store, model, field, how, text)
    return values


def _value(store: Store, model: str, field: str, how: str, text: str) -> Any:
    schema = store.schemas[model]
    relation = schema.relations.get(field)
    if relation is not None and relation.many:
        return [[6, 0, [int(part) for part in text.split(",") if part]]]
    if relation is not None and how == "id":
        if text not in store.names:
            raise user_error(f"No matching record found for external id {text!r} in field {field!r}")
        return store.names[text][1]
    if relation is not None:
        return int(text) if text else False
    if field in _BOOLEANS:
        return text == "1"
    return Decimal(text) if isinstance(schema.fields.get(field), Decimal) else text or False
