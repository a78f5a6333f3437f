"""Update expressions as functions that change an item of the caller's own.

All operands are taken from the item as it was; then everything is set, added and taken from sets, and removed last:
in lists from the back, so that indexes mean places in the list as it was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from infra.fakes.aws.dynamodb.conditions import Check, Find, Maker, RequiredKind, Values
from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.grammar import Action, Appended, Given, IfMissing, Path, Source, Steps, Sum, Update
from infra.fakes.aws.dynamodb.numbers import add, subtract
from infra.fakes.aws.dynamodb.paths import Names, check_apart, finder, remove, write
from infra.fakes.aws.dynamodb.values import SETS, Item, Value, kind_of, set_value

_MISSING: Final = "The provided expression refers to an attribute that does not exist in the item"
_WRONG_TYPE: Final = "An operand in the update expression has an incorrect data type"
_KIND: Final = "UpdateExpression"

Removed = None


@dataclass(frozen=True)
class CompiledUpdate:
    """An update made ready for calls with the same text and the same names."""

    changes: tuple[tuple[Steps, Find], ...]
    """By place: what is to stand there then, or nothing."""
    kinds: tuple[RequiredKind, ...]
    checks: tuple[Check, ...]
    names: frozenset[str]
    values: frozenset[str]
    attributes: tuple[str, ...]
    """Top attributes that it may change."""
    targets: tuple[Steps, ...]
    """The places that it may change."""

    def apply(self, old: Item, values: Values) -> Item:
        """The item as it is afterwards, or `Invalid`."""
        results = [(steps, find(old, values)) for steps, find in self.changes]
        new = old.copy()
        for steps, value in results:
            if value is not None and len(steps) == 1:
                new[steps[0]] = value  # type: ignore[index] # the first step is a name
            elif value is None:
                remove(new, steps)
            else:
                write(new, steps, value)
        return new


def compile_update(tree: Update, names: Names) -> CompiledUpdate:
    maker = Maker(names, _KIND)
    sources = _Sources(maker)
    actions = [(action, maker.path(action.path)) for action in tree.actions]
    targets = [path for _, path in actions]
    check_apart(targets, _KIND)
    changes = [(path.steps, sources.of_action(action, path)) for action, path in sorted(actions, key=_order)]
    return CompiledUpdate(
        tuple(changes),
        tuple(maker.kinds),
        tuple(maker.checks),
        frozenset(maker.used_names),
        frozenset(maker.used_values),
        tuple(dict.fromkeys(str(path.steps[0]) for path in targets)),
        tuple(path.steps for path in targets),
    )


def _order(action: tuple[Action, Path]) -> tuple[bool, list[int]]:
    is_removal = action[0].section == "REMOVE"
    indexes = [step for step in action[1].steps if isinstance(step, int)]
    return is_removal, [-index for index in indexes] if is_removal else indexes


class _Sources:
    def __init__(self, maker: Maker) -> None:
        self._maker = maker

    def of_action(self, action: Action, path: Path) -> Find:
        if action.source is None:
            return lambda _, __: Removed
        if action.section == "SET":
            return self._required(action.source)
        if not isinstance(action.source, Given):
            raise Invalid(_WRONG_TYPE)
        kinds = frozenset(SETS) | ({"N"} if action.section == "ADD" else frozenset())
        self._maker.require_kind(action.source, kinds, f"operator: {action.section}")
        before, name = finder(path.steps), self._maker.given(action.source)
        change = _added if action.section == "ADD" else _taken
        if len(path.steps) > 1 or action.section != "ADD":
            return lambda item, values: change(before(item), values[name])
        attribute = str(path.steps[0])

        def count(item: Item, values: Values) -> Value | None:
            # What stock is counted with, made fast.
            there, given = item.get(attribute), values[name]
            if there is not None and "N" in there and "N" in given:
                return {"N": add(there["N"], given["N"])}
            return _added(there, given)

        return count

    def _required(self, source: Source) -> Find:
        found = self._find(source)
        if isinstance(source, Given):
            return found

        def required(item: Item, values: Values) -> Value:
            value = found(item, values)
            if value is None:
                raise Invalid(_MISSING)
            return value

        return required

    def _find(self, source: Source) -> Find:
        if isinstance(source, Sum):
            return self._sum(source)
        if isinstance(source, IfMissing):
            return self._if_missing(source)
        if isinstance(source, Appended):
            return self._appended(source)
        return self._maker.operand(source)

    def _sum(self, source: Sum) -> Find:
        for operand in (source.left, source.right):
            self._maker.require_kind(operand, frozenset({"N"}), f"operator or function: {source.sign}")
        left, right = self._required(source.left), self._required(source.right)
        reckon: Callable[[str, str], str] = add if source.sign == "+" else subtract

        def total(item: Item, values: Values) -> Value:
            one, other = left(item, values), right(item, values)
            try:
                return {"N": reckon(one["N"], other["N"])}  # type: ignore[index] # both are required
            except KeyError:
                raise Invalid(_WRONG_TYPE) from None

        return total

    def _if_missing(self, source: IfMissing) -> Find:
        found = finder(self._maker.path(source.path).steps)
        otherwise = self._find(source.otherwise)

        def value(item: Item, values: Values) -> Value | None:
            there = found(item)
            return otherwise(item, values) if there is None else there

        return value

    def _appended(self, source: Appended) -> Find:
        for operand in (source.left, source.right):
            self._maker.require_kind(operand, frozenset({"L"}), "operator or function: list_append")
        left, right = self._required(source.left), self._required(source.right)

        def both(item: Item, values: Values) -> Value:
            lists: list[Any] = [left(item, values), right(item, values)]
            if any("L" not in one for one in lists):
                raise Invalid(_WRONG_TYPE)
            return {"L": [*lists[0]["L"], *lists[1]["L"]]}

        return both


def _added(before: Value | None, given: Value) -> Value:
    if before is None:
        return given
    if "N" in given and "N" in before:
        return {"N": add(before["N"], given["N"])}
    kind = kind_of(given)
    if kind not in before:
        raise Invalid(_WRONG_TYPE)
    return set_value(kind, {*before[kind], *given[kind]})


def _taken(before: Value | None, given: Value) -> Value | None:
    if before is None:
        return Removed
    kind = kind_of(given)
    if kind not in before:
        raise Invalid(_WRONG_TYPE)
    left = set(before[kind]) - set(given[kind])
    return set_value(kind, left) if left else Removed
