"""Key conditions: which part of a partition a query reads."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.grammar import Between, Both, Call, Comparison, Condition, Given, Operand, Path
from infra.fakes.aws.dynamodb.paths import Names, named
from infra.fakes.aws.dynamodb.schema import KeySchema
from infra.fakes.aws.dynamodb.values import Scalar, Value, scalar

_MIRRORED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MAX_TERMS: Final = 2


@dataclass(frozen=True)
class KeyTerm:
    """One attribute's part: `sign` is a comparator, BETWEEN or begins_with."""

    attribute: str
    sign: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class KeyRange:
    """A partition, and the sort keys within it."""

    partition: Scalar
    sign: str | None
    bounds: tuple[Scalar, ...]

    def places(self, order: list[Any], key: Callable[[Any], Scalar] | None) -> tuple[int, int]:
        """From where to where the range goes in a sorted list."""
        if self.sign is None:
            return 0, len(order)
        first, last = self.bounds[0], self.bounds[-1]
        if self.sign == "begins_with":
            start = bisect_left(order, first, key=key)
            end = start
            while end < len(order) and (key(order[end]) if key else order[end]).startswith(first):
                end += 1
            return start, end
        start, end = 0, len(order)
        if self.sign in {"=", ">=", "BETWEEN"}:
            start = bisect_left(order, first, key=key)
        elif self.sign == ">":
            start = bisect_right(order, first, key=key)
        if self.sign in {"=", "<=", "BETWEEN"}:
            end = bisect_right(order, last, key=key)
        elif self.sign == "<":
            end = bisect_left(order, first, key=key)
        return start, max(start, end)


def key_terms(tree: Condition, names: Names) -> tuple[KeyTerm, ...]:
    """The terms of a key condition, or `Invalid` for what only other conditions may say."""
    parts = _flat(tree)
    if len(parts) > _MAX_TERMS:
        raise Invalid("Conditions can be of length 1 or 2 only")
    return tuple(_term(part, names) for part in parts)


def _flat(tree: Condition) -> list[Condition]:
    return [inner for part in tree.parts for inner in _flat(part)] if isinstance(tree, Both) else [tree]


def _term(tree: Condition, names: Names) -> KeyTerm:
    if isinstance(tree, Comparison) and tree.sign in _MIRRORED:
        if isinstance(tree.left, Given):
            return _of(tree.right, _MIRRORED[tree.sign], (tree.left,), names)
        return _of(tree.left, tree.sign, (tree.right,), names)
    if isinstance(tree, Between):
        return _of(tree.operand, "BETWEEN", (tree.lowest, tree.highest), names)
    if isinstance(tree, Call) and tree.function == "begins_with":
        return _of(tree.operands[0], "begins_with", tree.operands[1:], names)
    sign = getattr(tree, "sign", None) or getattr(tree, "function", None) or type(tree).__name__
    raise Invalid(f"Invalid operator used in KeyConditionExpression: {sign}")


def _of(operand: Operand, sign: str, values: tuple[Operand, ...], names: Names) -> KeyTerm:
    if not isinstance(operand, Path):
        raise Invalid("Invalid condition in KeyConditionExpression: no attribute of the key")
    if len(operand.steps) > 1:
        raise Invalid(
            "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes"
        )
    given = tuple(value.name for value in values if isinstance(value, Given))
    if len(given) < len(values):
        raise Invalid("Invalid condition in KeyConditionExpression: keys are compared with values alone")
    return KeyTerm(str(named(operand, names).steps[0]), sign, given)


def key_range(terms: tuple[KeyTerm, ...], values: Mapping[str, Value], schema: KeySchema) -> KeyRange:
    """What a query reads of a table or index with these keys, or `Invalid`."""
    by_name = {term.attribute: term for term in terms}
    partition = by_name.pop(schema.partition, None)
    if partition is None:
        _refuse_missing(schema.partition)
    if partition.sign != "=":
        raise Invalid("Query key condition not supported")
    bound = _bound(values[partition.values[0]], schema.partition, schema.partition_type)
    if len(terms) == 1:
        return KeyRange(bound, None, ())
    sort = by_name.get(schema.sort) if schema.sort else None
    if sort is None:
        _refuse_missing(schema.sort or schema.partition)
    bounds = tuple(_bound(values[name], sort.attribute, schema.sort_type) for name in sort.values)
    return KeyRange(bound, sort.sign, bounds)


def _refuse_missing(attribute: str) -> NoReturn:
    raise Invalid(f"Query condition missed key schema element: {attribute}")


def _bound(value: Value, attribute: str, kind: str) -> Scalar:
    if kind not in value:
        raise Invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
    if kind != "N" and not value[kind]:
        raise Invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty"
            f" {'string' if kind == 'S' else 'binary'} value. Key: {attribute}"
        )
    return scalar(value)
