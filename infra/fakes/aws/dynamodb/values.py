"""Attribute values: what DynamoDB takes, what it makes of it, and how many bytes it counts.

What was admitted is never changed afterwards: numbers are canonical, sets are sorted, so that two values are equal
when they compare equal. Items share their values, with the answers too; callers may change an answer's item but not
what is in its values.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.numbers import canonical, number, number_size

Value = dict[str, Any]
"""`{"S": "MUG"}`."""
Item = dict[str, Value]
Scalar = Any
"""A key's value to compare by: text, bytes or number."""

_MAX_DEPTH: Final = 32
_CONTAINER_BYTES: Final = 3
_ELEMENT_BYTES: Final = 1
KEY_TYPES: Final = frozenset({"S", "N", "B"})
SETS: Final = {"SS": "string", "NS": "number", "BS": "binary"}
TYPES: Final = frozenset({*KEY_TYPES, *SETS, "M", "L", "BOOL", "NULL"})
LONG_NAMES: Final = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "SS": "STRING_SET",
    "NS": "NUMBER_SET",
    "BS": "BINARY_SET",
    "M": "MAP",
    "L": "LIST",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
}


def admit_item(given: Mapping[str, Any]) -> tuple[Item, int]:
    """A copy of an item, checked and brought to its canonical form, and its bytes."""
    item: Item = {}
    size = 0
    for name, value in given.items():
        # Text first and in line: most of what is stored is text.
        if "S" in value and len(value) == 1 and type(value["S"]) is str:
            content = value["S"]
            item[name] = {"S": content}
            size += len(content) if content.isascii() else text_size(content)
        else:
            admitted = item[name] = admit(value)
            size += value_size(admitted)
        size += len(name) if name.isascii() else text_size(name)
    if "" in item:
        raise Invalid("One or more parameter values were invalid: An attribute name must not be empty")
    return item, size


def admit(value: Any, depth: int = 1) -> Value:
    """A copy of a value, checked and brought to its canonical form, or `Invalid`."""
    if "S" in value and len(value) == 1 and type(value["S"]) is str:
        return {"S": value["S"]}
    if "N" in value and len(value) == 1 and type(value["N"]) is str:
        return number_value(value["N"])
    return _admit(value, depth)


@lru_cache(maxsize=1 << 16)
def number_value(text: str) -> Value:
    """A number's value: one for all that hold it."""
    return {"N": canonical(text)}


def _admit(value: Any, depth: int) -> Value:
    if len(value) != 1:
        what = "has more than one datatypes set" if value else "is empty"
        raise Invalid(f"Supplied AttributeValue {what}, must contain exactly one of the supported datatypes")
    ((kind, content),) = value.items()
    taking = _TAKING.get(kind)
    if taking is None:
        raise Invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    return {kind: taking(content, depth)}


def _text(content: Any, _: int) -> str:
    if not isinstance(content, str):
        raise Invalid(f"{type(content).__name__} cannot be converted to String")
    return str(content)


def _number(content: Any, depth: int) -> str:
    return canonical(_text(content, depth))


def _binary(content: Any, _: int) -> bytes:
    # boto3's own wrapper of bytes has them as `value`.
    return bytes(getattr(content, "value", content))


def _flag(content: Any, _: int) -> bool:
    return bool(content)


def _null(content: Any, _: int) -> bool:
    if content is not True:
        raise Invalid(
            "One or more parameter values were invalid: Null attribute value types must have the value of true"
        )
    return True


def _list(content: Any, depth: int) -> list[Value]:
    _check_depth(depth)
    return [admit(value, depth + 1) for value in content]


def _map(content: Any, depth: int) -> dict[str, Value]:
    _check_depth(depth)
    return {name: admit(value, depth + 1) for name, value in content.items()}


def _check_depth(depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise Invalid("Nesting Levels have exceeded supported limits")


def _set_of(
    kind: str, take: Callable[[Any, int], Any], order: Callable[[Any], Any] | None
) -> Callable[[Any, int], Any]:
    def taking(content: Any, depth: int) -> list[Any]:
        members = sorted((take(member, depth) for member in content), key=order)
        if not members:
            raise Invalid(f"One or more parameter values were invalid: An {kind} set  may not be empty")
        if any(one == next_ for one, next_ in pairwise(members)):
            raise Invalid("One or more parameter values were invalid: Input collection contains duplicates")
        return members

    return taking


_TAKING: Final[Mapping[str, Callable[[Any, int], Any]]] = {
    "S": _text,
    "N": _number,
    "B": _binary,
    "BOOL": _flag,
    "NULL": _null,
    "L": _list,
    "M": _map,
    "SS": _set_of("string", _text, None),
    "NS": _set_of("number", _number, number),
    "BS": _set_of("binary", _binary, None),
}


def set_value(kind: str, members: set[Any]) -> Value:
    """A set of what other sets held."""
    return {kind: sorted(members, key=number if kind == "NS" else None)}


def kind_of(value: Value) -> str:
    return next(iter(value))


def text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def item_size(item: Mapping[str, Value]) -> int:
    """Bytes that DynamoDB counts for an item's limits and units ("DynamoDB Item sizes and formats")."""
    size = 0
    for name, value in item.items():
        size += len(name) if name.isascii() else text_size(name)
        if "S" in value:
            content = value["S"]
            size += len(content) if content.isascii() else text_size(content)
        else:
            size += value_size(value)
    return size


def value_size(value: Value) -> int:
    """Bytes of an admitted value."""
    if "S" in value:
        content = value["S"]
        return len(content) if content.isascii() else text_size(content)
    if "N" in value:
        return number_size(value["N"])
    ((kind, content),) = value.items()
    return _SIZES[kind](content)


def _one_byte(_: Any) -> int:
    return 1


def _list_size(content: Any) -> int:
    return _CONTAINER_BYTES + sum([_ELEMENT_BYTES + value_size(value) for value in content])


def _map_size(content: Any) -> int:
    return _CONTAINER_BYTES + sum(
        [_ELEMENT_BYTES + text_size(name) + value_size(value) for name, value in content.items()]
    )


_SIZES: Final[Mapping[str, Callable[[Any], int]]] = {
    "S": text_size,
    "N": number_size,
    "B": len,
    "BOOL": _one_byte,
    "NULL": _one_byte,
    "L": _list_size,
    "M": _map_size,
    "SS": lambda content: sum(map(text_size, content)),
    "NS": lambda content: sum(map(number_size, content)),
    "BS": lambda content: sum(map(len, content)),
}


def scalar(value: Value) -> Scalar:
    """What an admitted text, number or binary value is ordered by. Text: code points, which is UTF-8's order."""
    ((kind, content),) = value.items()
    return number(content) if kind == "N" else content
