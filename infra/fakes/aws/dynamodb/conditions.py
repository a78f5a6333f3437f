"""Conditions as functions of an item and the request's values."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn

from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.grammar import (
    Among,
    Between,
    Both,
    Call,
    Comparison,
    Condition,
    Either,
    Given,
    Not,
    Operand,
    Path,
    Size,
)
from infra.fakes.aws.dynamodb.numbers import number
from infra.fakes.aws.dynamodb.paths import Names, finder, named
from infra.fakes.aws.dynamodb.values import KEY_TYPES, LONG_NAMES, SETS, TYPES, Item, Value, kind_of, scalar

Values = Mapping[str, Value]
Holds = Callable[[Item, Values], bool]
Find = Callable[[Item, Values], Value | None]
Check = Callable[[Values], None]

_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class RequiredKind(NamedTuple):
    """That a value is of one of some kinds."""

    name: str
    kinds: frozenset[str]
    expression: str
    what: str

    def refuse(self, value: Value) -> NoReturn:
        found = kind_of(value)
        shown = LONG_NAMES[found] if self.expression == "UpdateExpression" else found
        raise Invalid(
            f"Invalid {self.expression}: Incorrect operand type for operator or function;"
            f" {self.what}, operand type: {shown}"
        )


@dataclass(frozen=True)
class Compiled:
    """A condition made ready for calls with the same text and the same names."""

    holds: Holds
    kinds: tuple[RequiredKind, ...]
    checks: tuple[Check, ...]
    """What is to be true of the values, whatever the item is."""
    names: frozenset[str]
    values: frozenset[str]
    """Which placeholders it uses."""
    attributes: frozenset[str]
    """The item's attributes that it looks at."""


def compile_condition(tree: Condition, names: Names, kind: str = "ConditionExpression") -> Compiled:
    maker = Maker(names, kind)
    holds = _Conditions(maker).make(tree)
    return Compiled(
        holds,
        tuple(maker.kinds),
        tuple(maker.checks),
        frozenset(maker.used_names),
        frozenset(maker.used_values),
        frozenset(maker.attributes),
    )


class Maker:
    """What the making of conditions and of updates has in common: operands, and a list of what was used."""

    def __init__(self, names: Names, kind: str) -> None:
        self.names = names
        self.kind = kind
        self.kinds: list[RequiredKind] = []
        self.checks: list[Check] = []
        self.used_names: set[str] = set()
        self.used_values: set[str] = set()
        self.attributes: set[str] = set()

    def path(self, path: Path) -> Path:
        try:
            found = named(path, self.names)
        except Invalid as error:
            raise Invalid(f"Invalid {self.kind}: {error}") from error
        self.used_names.update(step for step in path.steps if isinstance(step, str) and step.startswith("#"))
        self.attributes.add(str(found.steps[0]))
        return found

    def given(self, operand: Given) -> str:
        self.used_values.add(operand.name)
        return operand.name

    def operand(self, operand: Operand) -> Find:
        if isinstance(operand, Given):
            name = self.given(operand)
            return lambda _, values: values[name]
        steps = self.path(operand.path if isinstance(operand, Size) else operand).steps
        found = finder(steps)
        if isinstance(operand, Size):
            return lambda item, _: _size(found(item))
        if len(steps) == 1:
            name = str(steps[0])
            return lambda item, _: item.get(name)
        return lambda item, _: found(item)

    def require_kind(self, operand: Any, kinds: frozenset[str], what: str) -> None:
        """Refuse a value of another kind, even where the condition would not come to it."""
        if isinstance(operand, Given):
            self.kinds.append(RequiredKind(operand.name, kinds, self.kind, what))


def _size(value: Value | None) -> Value | None:
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind in {"N", "BOOL", "NULL"}:
        return None
    # Text is measured in units of UTF-16, as Java does it.
    return {"N": str(len(content.encode("utf-16-le", "surrogatepass")) // 2 if kind == "S" else len(content))}


class _Conditions:
    def __init__(self, maker: Maker) -> None:
        self._maker = maker

    def make(self, tree: Condition) -> Holds:
        making: Mapping[type[Any], Callable[[Any], Holds]] = {
            Both: self._both,
            Either: self._either,
            Not: self._not,
            Comparison: self._comparison,
            Between: self._between,
            Among: self._among,
            Call: self._call,
        }
        return making[type(tree)](tree)

    def _both(self, tree: Both) -> Holds:
        parts = tuple(self.make(part) for part in tree.parts)
        if len(parts) == 2:  # noqa: PLR2004 - the usual case, made fast
            first, second = parts
            return lambda item, values: first(item, values) and second(item, values)
        return lambda item, values: all(part(item, values) for part in parts)

    def _either(self, tree: Either) -> Holds:
        parts = tuple(self.make(part) for part in tree.parts)
        return lambda item, values: any(part(item, values) for part in parts)

    def _not(self, tree: Not) -> Holds:
        part = self.make(tree.part)
        return lambda item, values: not part(item, values)

    def _comparison(self, tree: Comparison) -> Holds:
        left, right = self._maker.operand(tree.left), self._maker.operand(tree.right)
        if tree.sign == "=":
            return lambda item, values: (one := left(item, values)) is not None and one == right(item, values)
        if tree.sign == "<>":
            return lambda item, values: left(item, values) != right(item, values)
        for operand in (tree.left, tree.right):
            self._maker.require_kind(operand, KEY_TYPES, f"operator: {tree.sign}")
        order = _ORDERS[tree.sign]
        return lambda item, values: _ordered(order, left(item, values), right(item, values))

    def _between(self, tree: Between) -> Holds:
        operands = (tree.operand, tree.lowest, tree.highest)
        for operand in operands:
            self._maker.require_kind(operand, KEY_TYPES, "operator: BETWEEN")
        self._check_bounds(tree.lowest, tree.highest)
        found, lowest, highest = map(self._maker.operand, operands)

        def holds(item: Item, values: Values) -> bool:
            value = found(item, values)
            return _ordered(operator.ge, value, lowest(item, values)) and _ordered(
                operator.le, value, highest(item, values)
            )

        return holds

    def _check_bounds(self, lowest: Operand, highest: Operand) -> None:
        if not (isinstance(lowest, Given) and isinstance(highest, Given)):
            return
        low, high, kind = lowest.name, highest.name, self._maker.kind

        def check(values: Values) -> None:
            problem = None
            if kind_of(values[low]) != kind_of(values[high]):
                problem = "same data type for lower and upper bounds"
            elif scalar(values[low]) > scalar(values[high]):
                problem = "upper bound to be greater than or equal to lower bound"
            if problem:
                raise Invalid(
                    f"Invalid {kind}: The BETWEEN operator requires {problem}; lower bound operand:"
                    f" AttributeValue: {_shown(values[low])}, upper bound operand:"
                    f" AttributeValue: {_shown(values[high])}"
                )

        self._maker.checks.append(check)

    def _among(self, tree: Among) -> Holds:
        found = self._maker.operand(tree.operand)
        choices = tuple(map(self._maker.operand, tree.choices))

        def holds(item: Item, values: Values) -> bool:
            value = found(item, values)
            return value is not None and any(value == choice(item, values) for choice in choices)

        return holds

    def _call(self, tree: Call) -> Holds:
        operands = tuple(map(self._maker.operand, tree.operands))
        first = operands[0]
        if tree.function == "attribute_exists":
            return lambda item, values: first(item, values) is not None
        if tree.function == "attribute_not_exists":
            return lambda item, values: first(item, values) is None
        if tree.function == "begins_with":
            for operand in tree.operands:
                self._maker.require_kind(operand, frozenset({"S", "B"}), "operator or function: begins_with")
        if tree.function == "attribute_type":
            self._check_type(tree.operands[1])
        test, second = _TESTS[tree.function], operands[1]
        return lambda item, values: test(first(item, values), second(item, values))

    def _check_type(self, operand: Operand) -> None:
        self._maker.require_kind(operand, frozenset({"S"}), "operator or function: attribute_type")
        if not isinstance(operand, Given):
            raise Invalid(
                f"Invalid {self._maker.kind}: Incorrect operand type for operator or function;"
                " operator or function: attribute_type, operand type: PATH"
            )

        def check(values: Values) -> None:
            if values[operand.name]["S"] not in TYPES:
                raise Invalid(
                    f"Invalid {self._maker.kind}: Invalid attribute type name found; type: {values[operand.name]['S']}"
                )

        self._maker.checks.append(check)


def _shown(value: Value) -> str:
    ((kind, content),) = value.items()
    return f"{{{kind}:{content}}}"


def _ordered(order: Callable[[Any, Any], bool], left: Value | None, right: Value | None) -> bool:
    """Values of different kinds, and missing ones, have no order: nothing about them is true."""
    if left is None or right is None:
        return False
    if "N" in left:
        return "N" in right and order(number(left["N"]), number(right["N"]))
    kind = kind_of(left)
    return kind in KEY_TYPES and kind in right and order(left[kind], right[kind])


def _begins_with(value: Value | None, start: Value | None) -> bool:
    if value is None or start is None:
        return False
    kind = kind_of(value)
    return kind in {"S", "B"} and kind in start and bool(value[kind].startswith(start[kind]))


def _contains(value: Value | None, part: Value | None) -> bool:
    if value is None or part is None:
        return False
    ((kind, content),) = value.items()
    if kind == "L":
        return part in content
    wanted = kind if kind in {"S", "B"} else kind[0]
    return (kind in {"S", "B"} or kind in SETS) and wanted in part and part[wanted] in content


def _is_of_type(value: Value | None, kind: Value | None) -> bool:
    return value is not None and kind is not None and kind_of(value) == kind["S"]


_TESTS: Final[Mapping[str, Callable[[Value | None, Value | None], bool]]] = {
    "begins_with": _begins_with,
    "contains": _contains,
    "attribute_type": _is_of_type,
}
