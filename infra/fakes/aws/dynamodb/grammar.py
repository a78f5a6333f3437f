"""DynamoDB's expressions as trees: conditions, filters and key conditions, updates, projections.

The grammar is the developer guide's ("Condition and filter expressions, operators, and functions", "Using update
expressions", "Using projection expressions"). Names and values stay the placeholders that they are in the text, so that
a text is read once. Reserved words are not refused.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from infra.fakes.aws.dynamodb.errors import Invalid

Steps = tuple[str | int, ...]
_One = TypeVar("_One")


@dataclass(frozen=True)
class Path:
    """An attribute, and where in it: names and indexes."""

    steps: Steps

    def __str__(self) -> str:
        return "[" + ", ".join(f"[{step}]" if isinstance(step, int) else step for step in self.steps) + "]"


@dataclass(frozen=True)
class Given:
    """A value of `ExpressionAttributeValues`."""

    name: str


@dataclass(frozen=True)
class Size:
    path: Path


@dataclass(frozen=True)
class Comparison:
    sign: str
    left: "Operand"
    right: "Operand"


@dataclass(frozen=True)
class Between:
    operand: "Operand"
    lowest: "Operand"
    highest: "Operand"


@dataclass(frozen=True)
class Among:
    operand: "Operand"
    choices: tuple["Operand", ...]


@dataclass(frozen=True)
class Call:
    function: str
    operands: tuple["Operand", ...]


@dataclass(frozen=True)
class Not:
    part: "Condition"


@dataclass(frozen=True)
class Both:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Either:
    parts: tuple["Condition", ...]


Operand = Path | Given | Size
Condition = Comparison | Between | Among | Call | Not | Both | Either


@dataclass(frozen=True)
class Sum:
    sign: str
    left: "Source"
    right: "Source"


@dataclass(frozen=True)
class IfMissing:
    path: Path
    otherwise: "Source"


@dataclass(frozen=True)
class Appended:
    left: "Source"
    right: "Source"


Source = Path | Given | Sum | IfMissing | Appended


@dataclass(frozen=True)
class Action:
    """One change: what becomes of a path. `source` is None where it is removed."""

    section: str
    path: Path
    source: Source | None


@dataclass(frozen=True)
class Update:
    actions: tuple[Action, ...]


Tree = Condition | Update

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<word>[#:]?[A-Za-z_0-9]+)|(?P<sign><>|<=|>=|[=<>()\[\],.+-])|(?P<other>\S))", re.ASCII
)
_COMPARATORS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
_ARITY: Final = {"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}
_SECTIONS: Final = ("SET", "REMOVE", "ADD", "DELETE")
_MAX_BYTES: Final = 4096


@lru_cache(maxsize=4096)
def read_condition(text: str, kind: str = "ConditionExpression") -> Condition:
    """The tree of a condition, a filter or a key condition; `kind` names it in what `Invalid` says."""
    reader = _ConditionReader(text, kind)
    tree = reader.condition()
    reader.end()
    return tree


@lru_cache(maxsize=4096)
def read_update(text: str) -> Update:
    return _UpdateReader(text, "UpdateExpression").update()


@lru_cache(maxsize=4096)
def read_projection(text: str) -> tuple[Path, ...]:
    reader = _Reader(text, "ProjectionExpression")
    paths = reader.several(reader.path)
    reader.end()
    return paths


class _Reader:
    """Reads what all expressions have in common."""

    def __init__(self, text: str, kind: str) -> None:
        self.kind = kind
        if not text.strip():
            raise self.wrong("The expression can not be empty;")
        if len(text) > _MAX_BYTES:
            raise self.wrong(f"Expression size has exceeded the maximum allowed size; expression size: {len(text)}")
        self._tokens = [found.group().strip() for found in _TOKEN.finditer(text)]
        self._at = 0

    def wrong(self, why: str) -> Invalid:
        return Invalid(f"Invalid {self.kind}: {why}")

    def unexpected(self) -> Invalid:
        token = self.peek() or "<EOF>"
        near = " ".join(self._tokens[max(0, self._at - 1) : self._at + 2])
        return self.wrong(f'Syntax error; token: "{token}", near: "{near}"')

    def peek(self) -> str:
        """The next token, or nothing at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def peek_word(self) -> str:
        return self.peek().upper()

    def next(self) -> str:
        token = self.peek()
        self._at += 1
        return token

    def take(self, token: str) -> bool:
        """Pass a token if it comes next. Words are written in any case."""
        if self.peek_word() != token:
            return False
        self._at += 1
        return True

    def need(self, token: str) -> None:
        if not self.take(token):
            raise self.unexpected()

    def end(self) -> None:
        if self.peek():
            raise self.unexpected()

    def is_call(self) -> bool:
        return self._tokens[self._at + 1 : self._at + 2] == ["("] and _is_name(self.peek())

    def several(self, one: Callable[[], _One]) -> tuple[_One, ...]:
        found = [one()]
        while self.take(","):
            found.append(one())
        return tuple(found)

    def path(self) -> Path:
        return Path((self._name(), *self._further_steps()))

    def _name(self) -> str:
        if not _is_name(self.peek()):
            raise self.unexpected()
        return self.next()

    def _further_steps(self) -> Iterator[str | int]:
        while True:
            if self.take("."):
                yield self._name()
            elif self.take("["):
                if not self.peek().isdecimal():
                    raise self.unexpected()
                yield int(self.next())
                self.need("]")
            else:
                return

    def given(self) -> Given:
        if not self.peek().startswith(":") or self.peek() == ":":
            raise self.unexpected()
        return Given(self.next())


def _is_name(token: str) -> bool:
    return token[:1].isalpha() or token[:1] == "_" or (token[:1] == "#" and len(token) > 1)


class _ConditionReader(_Reader):
    def condition(self) -> Condition:
        parts = [self._all()]
        while self.take("OR"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _all(self) -> Condition:
        parts = [self._negated()]
        while self.take("AND"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _negated(self) -> Condition:
        return Not(self._negated()) if self.take("NOT") else self._single()

    def _single(self) -> Condition:
        if self.take("("):
            return self._in_parentheses()
        if self.is_call() and self.peek() != "size":
            return self._call()
        operand = self._operand()
        if self.peek() in _COMPARATORS:
            return self._comparison(operand)
        if self.take("BETWEEN"):
            lowest = self._operand()
            self.need("AND")
            return Between(operand, lowest, self._operand())
        if self.take("IN"):
            self.need("(")
            choices = self.several(self._operand)
            self.need(")")
            return Among(operand, choices)
        raise self.unexpected()

    def _in_parentheses(self) -> Condition:
        start = self._at
        inner = self.condition()
        self.need(")")
        if self._tokens[start] == "(" and self._tokens[self._at - 2] == ")" and self._closes(start) == self._at - 2:
            raise self.wrong("The expression has redundant parentheses;")
        return inner

    def _closes(self, start: int) -> int:
        depth = 0
        for place in range(start, len(self._tokens)):
            depth += {"(": 1, ")": -1}.get(self._tokens[place], 0)
            if depth == 0:
                return place
        raise self.unexpected()

    def _comparison(self, left: Operand) -> Comparison:
        sign = self.next()
        right = self._operand()
        self._distinct(sign, (left, right))
        return Comparison(sign, left, right)

    def _distinct(self, what: str, operands: tuple[Operand, ...]) -> None:
        first = operands[0]
        if isinstance(first, Path) and first in operands[1:]:
            raise self.wrong(
                "The first operand must be distinct from the remaining operands for this operator or function;"
                f" operator: {what}, first operand: {first}"
            )

    def _operand(self) -> Operand:
        if self.peek().startswith(":"):
            return self.given()
        if not self.is_call():
            return self.path()
        if self.peek() != "size":
            raise self._unknown_function()
        self.next()
        self.need("(")
        path = self.path()
        self.need(")")
        return Size(path)

    def _call(self) -> Call:
        if self.peek() not in _ARITY:
            raise self._unknown_function()
        function = self.next()
        self.need("(")
        operands = self.several(self._operand)
        self.need(")")
        self._check_call(function, operands)
        return Call(function, operands)

    def _check_call(self, function: str, operands: tuple[Operand, ...]) -> None:
        if len(operands) != _ARITY[function]:
            raise self.wrong(
                "Incorrect number of operands for operator or function;"
                f" operator or function: {function}, number of operands: {len(operands)}"
            )
        if function.startswith("attribute_") and not isinstance(operands[0], Path):
            raise self.wrong(f"Operator or function requires a document path; operator or function: {function}")
        self._distinct(function, operands)

    def _unknown_function(self) -> Invalid:
        return self.wrong(f"Invalid function name; function: {self.peek()}")


class _UpdateReader(_Reader):
    def update(self) -> Update:
        actions: list[Action] = []
        seen: set[str] = set()
        while self.peek():
            section = self.peek_word()
            if section not in _SECTIONS:
                raise self.unexpected()
            if section in seen:
                raise self.wrong(f'The "{section}" section can only be used once in an update expression;')
            seen.add(section)
            self.next()
            actions += self.several(
                {"SET": self._setting, "REMOVE": self._removing}.get(section, self._taking(section))
            )
        return Update(tuple(actions))

    def _setting(self) -> Action:
        path = self.path()
        self.need("=")
        return Action("SET", path, self._source())

    def _removing(self) -> Action:
        return Action("REMOVE", self.path(), None)

    def _taking(self, section: str) -> Callable[[], Action]:
        def taking() -> Action:
            return Action(section, self.path(), self.given())

        return taking

    def _source(self) -> Source:
        left = self._term()
        if self.peek() in {"+", "-"}:
            return Sum(self.next(), left, self._term())
        return left

    def _term(self) -> Source:
        if self.take("("):
            inner = self._source()
            self.need(")")
            return inner
        if self.peek().startswith(":"):
            return self.given()
        return self._function() if self.is_call() else self.path()

    def _function(self) -> Source:
        function = self.next()
        if function not in {"if_not_exists", "list_append"}:
            raise self.wrong(f"Invalid function name; function: {function}")
        self.need("(")
        operands = self.several(self._source)
        self.need(")")
        if len(operands) != 2:  # noqa: PLR2004 - both take two
            raise self.wrong(
                "Incorrect number of operands for operator or function;"
                f" operator or function: {function}, number of operands: {len(operands)}"
            )
        first, second = operands
        if function == "list_append":
            return Appended(first, second)
        if not isinstance(first, Path):
            raise self.wrong("Operator or function requires a document path; operator or function: if_not_exists")
        return IfMissing(first, second)
