"""The records of an Odoo that is not there: what any model of Odoo can do, and nothing of trade.

Only as much as our adapter and its tests ask for: domains, `search_read`, `web_search_read`, `create`, `write` with the
commands of x2many fields, external ids. Shapes are those of Odoo 19.0 as it was run: `false` for empty, many2one as
`[id, name]` or by specification, `[]` for ids that are not there.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

Values = dict[str, Any]
Computed = Callable[[Values, Mapping[str, Any]], Any]


class OdooFault(Exception):
    """What Odoo would raise: its exception's full name and its words."""

    def __init__(self, name: str, message: str, status: int = 422) -> None:
        self.name = name
        self.message = message
        self.status = status
        super().__init__(message)


def user_error(message: str) -> OdooFault:
    return OdooFault("odoo.exceptions.UserError", message)


def value_error(message: str) -> OdooFault:
    return OdooFault("builtins.ValueError", message, 500)


class Relation(NamedTuple):
    model: str
    inverse: str | None = None
    """Of a one2many: the field of the other model that points back."""
    many: bool = False


def one(model: str) -> Relation:
    return Relation(model)


def below(model: str, inverse: str) -> Relation:
    return Relation(model, inverse, many=True)


def many(model: str) -> Relation:
    return Relation(model, many=True)


class Schema(NamedTuple):
    """A model's fields with what an empty record has, and those that lead to other models."""

    fields: Mapping[str, Any]
    relations: Mapping[str, Relation]


class Store:
    """All records of one database, by model and id."""

    def __init__(self, schemas: Mapping[str, Schema], clock: Callable[[], datetime]) -> None:
        self.schemas = schemas
        self.records: dict[str, dict[int, Values]] = {model: {} for model in schemas}
        self.computed: dict[tuple[str, str], Computed] = {}
        self.names: dict[str, tuple[str, int]] = {}
        """Model and id by external id."""
        self.created: Callable[[str, Values], None] = lambda _model, _record: None
        self.written: Callable[[str, Values], None] = lambda _model, _record: None
        self._clock = clock

    # ---- writing ----

    def create(self, model: str, values: Mapping[str, Any]) -> Values:
        known = self._schema(model)
        number = max(self.records[model], default=0) + 1
        record = {"id": number, **{name: _copied(value) for name, value in known.fields.items()}}
        self.records[model][number] = record
        self._assign(model, record, values)
        self.created(model, record)
        return record

    def write(self, model: str, ids: Iterable[int], values: Mapping[str, Any]) -> None:
        for record in self.existing(model, ids):
            self._assign(model, record, values)
            self.written(model, record)

    def unlink(self, model: str, ids: Iterable[int]) -> None:
        for number in list(ids):
            self.records[model].pop(number, None)
            self.names = {name: at for name, at in self.names.items() if at != (model, number)}

    def touch(self, record: Values) -> None:
        record["write_date"] = f"{self._clock():%Y-%m-%d %H:%M:%S}"

    def _assign(self, model: str, record: Values, values: Mapping[str, Any]) -> None:
        schema = self._schema(model)
        for name, value in values.items():
            relation = schema.relations.get(name)
            if relation is None or not relation.many:
                if name not in schema.fields:
                    raise value_error(f"Invalid field {name!r} in {model!r}")
                record[name] = value
        self.touch(record)
        for name, value in values.items():
            relation = schema.relations.get(name)
            if relation is not None and relation.many:
                self._command(record, name, relation, value)

    def _command(self, record: Values, name: str, relation: Relation, commands: Sequence[Any]) -> None:
        for command in commands:
            code = command[0]
            if code == 0:
                self.create(relation.model, {**command[2], str(relation.inverse): record["id"]})
            elif code == 1:
                self.write(relation.model, [command[1]], command[2])
            elif code == 2:  # noqa: PLR2004  # Odoo's number for "delete"
                self.unlink(relation.model, [command[1]])
            else:
                record[name] = list(command[2])

    # ---- reading ----

    def existing(self, model: str, ids: Iterable[int]) -> list[Values]:
        known = self.records[model]
        return [known[number] for number in ids if number in known]

    def value(self, model: str, record: Values, name: str, context: Mapping[str, Any] | None = None) -> Any:
        schema = self._schema(model)
        if (model, name) in self.computed:
            return self.computed[model, name](record, context or {})
        relation = schema.relations.get(name)
        if relation is not None and relation.inverse:
            linked = (each for each in self.records[relation.model].values() if each[relation.inverse] == record["id"])
            return [each["id"] for each in linked if each.get("active", True)]
        if name != "id" and name not in schema.fields:
            raise value_error(f"Invalid field {name!r} in {model!r}")
        return record[name]

    def search(self, model: str, domain: Sequence[Any], options: Mapping[str, Any] | None = None) -> list[Values]:
        options = options or {}
        found = [record for record in self.records[model].values() if self._matches(model, record, domain)]
        if "active" not in {term[0] for term in domain if isinstance(term, list)}:
            found = [record for record in found if record.get("active", True)]
        found.sort(key=lambda record: record["id"], reverse=str(options.get("order", "")).endswith("desc"))
        limit = options.get("limit")
        return found[:limit] if limit else found

    def read(
        self, model: str, records: Iterable[Values], fields: Sequence[str], context: Mapping[str, Any]
    ) -> list[Values]:
        """As `search_read`: many2one as `[id, name]`."""
        relations = self._schema(model).relations

        def shown(record: Values, name: str) -> Any:
            value = self.value(model, record, name, context)
            if name in relations and not relations[name].many and value:
                return [value, self.records[relations[name].model][value].get("name", "")]
            return value

        return [{"id": record["id"], **{name: shown(record, name) for name in fields}} for record in records]

    def tell(self, model: str, record: Values, specification: Mapping[str, Any]) -> Values:
        """As `web_search_read`: what hangs on the record, as deep as the specification goes."""
        told: Values = {"id": record["id"]}
        for name, wanted in specification.items():
            value = self.value(model, record, name)
            relation = self._schema(model).relations.get(name)
            if relation is not None and "fields" in wanted:
                linked = self.existing(relation.model, value if relation.many else [value])
                deeper = [self.tell(relation.model, each, wanted["fields"]) for each in linked]
                value = deeper if relation.many else (deeper[0] if deeper else False)
            told[name] = value
        return told

    # ---- domains ----

    def _matches(self, model: str, record: Values, domain: Sequence[Any]) -> bool:
        terms = list(domain)

        def take() -> bool:
            term = terms.pop(0)
            if term in ("|", "&"):
                first, second = take(), take()
                return (first or second) if term == "|" else (first and second)
            return self._holds(model, record, *term)

        holds = True
        while terms:
            holds = take() and holds
        return holds

    def _holds(self, model: str, record: Values, path: str, operator: str, wanted: Any) -> bool:
        name, _, rest = path.partition(".")
        value = self.value(model, record, name)
        relation = self._schema(model).relations.get(name)
        if rest and relation is not None:
            linked = self.existing(relation.model, value if relation.many else [value])
            return any(self._holds(relation.model, each, rest, operator, wanted) for each in linked)
        return _compare(value, operator, wanted)

    def _schema(self, model: str) -> Schema:
        if model not in self.schemas:
            raise OdooFault("werkzeug.exceptions.NotFound", f"the model {model!r} does not exist", 404)
        return self.schemas[model]


def _compare(value: Any, operator: str, wanted: Any) -> bool:
    tests: dict[str, Callable[[], bool]] = {
        "=": lambda: value == wanted or (not wanted and not value),
        "!=": lambda: not (value == wanted or (not wanted and not value)),
        "in": lambda: value in wanted,
        "not in": lambda: value not in wanted,
        ">": lambda: bool(value) and value > wanted,
        ">=": lambda: bool(value) and value >= wanted,
        "child_of": lambda: value in (wanted, wanted + 1),
        "=like": lambda: _like(wanted).fullmatch(value or "") is not None,
        "=ilike": lambda: _like(str(wanted).lower()).fullmatch((value or "").lower()) is not None,
    }
    return tests[operator]()


def _like(pattern: str) -> re.Pattern[str]:
    """PostgreSQL's pattern, with its escapes."""
    parts = re.findall(r"\\.|.", pattern)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(part) or re.escape(part.removeprefix("\\") or part) for part in parts))


def _copied(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """As JSON: Odoo's numbers are binary fractions, ids as keys become text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value
