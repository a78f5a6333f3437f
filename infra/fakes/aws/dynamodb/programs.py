"""A request's expressions, compiled once for each text with its names, and the values that fill them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from infra.fakes.aws.dynamodb.conditions import Check, Compiled, RequiredKind, Values, compile_condition
from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.grammar import Steps, read_condition, read_projection, read_update
from infra.fakes.aws.dynamodb.key_conditions import KeyTerm, key_terms
from infra.fakes.aws.dynamodb.paths import check_apart, named
from infra.fakes.aws.dynamodb.updates import CompiledUpdate, compile_update
from infra.fakes.aws.dynamodb.values import Value, admit

_KEY: Final = "KeyConditionExpression"
_NO_VALUES: Final[Mapping[str, Value]] = {}
NameItems = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Program:
    """All expressions of one request or of one action of a transaction."""

    condition: Compiled | None
    update: CompiledUpdate | None
    projection: tuple[Steps, ...] | None
    key_terms: tuple[KeyTerm, ...]
    kinds: tuple[RequiredKind, ...]
    checks: tuple[Check, ...]
    values: frozenset[str]
    """The placeholders of values that are used."""

    def fill(self, request: Mapping[str, Any]) -> Values:
        """The request's values, in canonical form, or `Invalid` where they do not fit the expressions."""
        given = request.get("ExpressionAttributeValues")
        if given is None:
            if self.values:
                _refuse_undefined(min(self.values))
            return _NO_VALUES
        if given.keys() != self.values:
            self._refuse_values(given)
        try:
            values = {name: admit(value) for name, value in given.items()}
        except Invalid:
            values = {name: _admitted(name, value) for name, value in given.items()}
        for required in self.kinds:
            if required.kinds.isdisjoint(values[required.name]):
                required.refuse(values[required.name])
        for check in self.checks:
            check(values)
        return values

    def _refuse_values(self, given: Mapping[str, Any]) -> None:
        for name in given:
            if not name.startswith(":"):
                raise Invalid(f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{name}"')
        missing = self.values - given.keys()
        if missing:
            _refuse_undefined(min(missing))
        unused = ", ".join(sorted(given.keys() - self.values))
        raise Invalid(f"Value provided in ExpressionAttributeValues unused in expressions: keys: {{{unused}}}")


def _refuse_undefined(name: str) -> None:
    raise Invalid(f"An expression attribute value used in expression is not defined; attribute value: {name}")


def _admitted(name: str, value: Any) -> Value:
    try:
        return admit(value)
    except Invalid as error:
        raise Invalid(f"ExpressionAttributeValues contains invalid value: {error} for key {name}") from error


_NOTHING: Final = Program(None, None, None, (), (), (), frozenset())


def program_of(request: Mapping[str, Any]) -> Program:
    """The compiled expressions of a request, or `Invalid`."""
    condition, update = request.get("ConditionExpression"), request.get("UpdateExpression")
    names = request.get("ExpressionAttributeNames")
    if condition is None and update is None:
        return _without_expressions(names, request.get("ExpressionAttributeValues"))
    return _compiled(condition, update, tuple(names.items()) if names else ())


def reading_program_of(request: Mapping[str, Any]) -> Program:
    """The same of a request that reads."""
    texts = tuple(request.get(kind) for kind in ("FilterExpression", "ProjectionExpression", "KeyConditionExpression"))
    names = request.get("ExpressionAttributeNames")
    if texts == (None, None, None):
        return _without_expressions(names, request.get("ExpressionAttributeValues"))
    return _compiled_reading(*texts, tuple(names.items()) if names else ())


def _without_expressions(names: Any, values: Any) -> Program:
    if names is not None:
        raise Invalid("ExpressionAttributeNames can only be specified when using expressions")
    if values is not None:
        raise Invalid("ExpressionAttributeValues can only be specified when using expressions")
    return _NOTHING


@lru_cache(maxsize=8192)
def _compiled(condition_text: str | None, update_text: str | None, given_names: NameItems) -> Program:
    names = _names(given_names)
    update = compile_update(read_update(update_text), names) if update_text is not None else None
    condition = compile_condition(read_condition(condition_text), names) if condition_text is not None else None
    parts = [part for part in (update, condition) if part is not None]
    _check_used(names, frozenset[str]().union(*(part.names for part in parts)))
    kinds = tuple(required for part in parts for required in part.kinds)
    checks = tuple(check for part in parts for check in part.checks)
    return Program(condition, update, None, (), kinds, checks, frozenset[str]().union(*(part.values for part in parts)))


@lru_cache(maxsize=8192)
def _compiled_reading(
    filter_text: str | None, projection_text: str | None, key_text: str | None, given_names: NameItems
) -> Program:
    names = _names(given_names)
    kept = _condition(filter_text, "FilterExpression", names)
    key = _condition(key_text, _KEY, names)
    wanted = read_projection(projection_text) if projection_text is not None else ()
    projection = [named(path, names) for path in wanted]
    check_apart(projection, "ProjectionExpression")
    parts = [part for part in (kept, key) if part is not None]
    steps = (step for path in wanted for step in path.steps)
    shown = frozenset(step for step in steps if isinstance(step, str) and step.startswith("#"))
    _check_used(names, shown.union(*(part.names for part in parts)))
    return Program(
        kept,
        None,
        tuple(path.steps for path in projection) or None,
        key_terms(read_condition(key_text, _KEY), names) if key_text is not None else (),
        tuple(required for part in parts for required in part.kinds),
        tuple(check for part in parts for check in part.checks),
        frozenset[str]().union(*(part.values for part in parts)),
    )


def _condition(text: str | None, kind: str, names: Mapping[str, str]) -> Compiled | None:
    return None if text is None else compile_condition(read_condition(text, kind), names, kind)


def _names(given: NameItems) -> dict[str, str]:
    for name, _ in given:
        if not name.startswith("#"):
            raise Invalid(f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{name}"')
    return dict(given)


def _check_used(names: Mapping[str, str], used: frozenset[str]) -> None:
    unused = ", ".join(sorted(names.keys() - used))
    if unused:
        raise Invalid(f"Value provided in ExpressionAttributeNames unused in expressions: keys: {{{unused}}}")
