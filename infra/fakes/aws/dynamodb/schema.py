"""What CreateTable says of a table, made ready to be asked for each call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.values import Item, Scalar, Value, admit, kind_of, scalar, text_size

_MAX_PARTITION_BYTES: Final = 2048
_MAX_SORT_BYTES: Final = 1024
_NO_MATCH: Final = "The provided key element does not match the schema"
NO_SORT_KEY: Final = ""
"""Stands for the sort key where a table has none."""


@dataclass(frozen=True)
class KeySchema:
    """A partition key and, mostly, a sort key, with their types."""

    partition: str
    partition_type: str
    sort: str | None
    sort_type: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.partition,) if self.sort is None else (self.partition, self.sort)

    def types(self) -> dict[str, str]:
        return {
            name: kind for name, kind in ((self.partition, self.partition_type), (self.sort, self.sort_type)) if name
        }

    def of_item(self, item: Item) -> tuple[Scalar, Scalar] | None:
        """An item's place in an index, or nothing where it lacks one of the index's keys."""
        partition = item.get(self.partition)
        if partition is None:
            return None
        if self.sort is None:
            return scalar(partition), NO_SORT_KEY
        sort = item.get(self.sort)
        return None if sort is None else (scalar(partition), scalar(sort))


@dataclass(frozen=True)
class IndexSchema:
    name: str
    key: KeySchema
    projected: frozenset[str] | None
    """Attributes that the index holds, or None for all."""


class TableSchema:
    def __init__(self, definition: Mapping[str, Any]) -> None:
        types = {given["AttributeName"]: given["AttributeType"] for given in definition["AttributeDefinitions"]}
        self.name: str = definition["TableName"]
        self.key = _key_schema(definition["KeySchema"], types)
        if definition.get("LocalSecondaryIndexes"):
            raise NotImplementedError("local secondary indexes are not imitated")
        self.indexes = tuple(_index(given, types, self.key) for given in definition.get("GlobalSecondaryIndexes", ()))
        stream = definition.get("StreamSpecification", {})
        self.stream_view: str | None = stream["StreamViewType"] if stream.get("StreamEnabled") else None
        self.index_keys = tuple(
            (name, kind, index.name) for index in self.indexes for name, kind in index.key.types().items()
        )
        self._is_text = set(self.key.types().values()) == {"S"} and self.key.sort is not None

    def key_of(self, key: Mapping[str, Any]) -> tuple[Scalar, Scalar]:
        """The place that a request's key names, or `Invalid`."""
        if self._is_text and len(key) == 2:  # noqa: PLR2004 - the usual case, made fast
            try:
                partition, sort = key[self.key.partition]["S"], key[self.key.sort]["S"]  # type: ignore[index]
            except KeyError:
                raise Invalid(_NO_MATCH) from None
            if (place := _short_place(partition, sort)) is not None:
                return place
        return self._key_of(key)

    def _key_of(self, key: Mapping[str, Any]) -> tuple[Scalar, Scalar]:
        types = self.key.types()
        if key.keys() != types.keys() or any(kind not in key[name] for name, kind in types.items()):
            raise Invalid(_NO_MATCH)
        return self._place({name: admit(value) for name, value in key.items()})

    def key_of_item(self, item: Item) -> tuple[Scalar, Scalar]:
        """The place of an admitted item, or `Invalid`."""
        if self._is_text:
            partition, sort = item.get(self.key.partition, _NO_VALUE), item.get(self.key.sort or "", _NO_VALUE)
            if (place := _short_place(partition.get("S"), sort.get("S"))) is not None:
                return place
        for name, kind in self.key.types().items():
            value = item.get(name)
            if value is None:
                raise Invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
            if kind not in value:
                raise Invalid(
                    f"One or more parameter values were invalid: Type mismatch for key {name} expected: {kind}"
                    f" actual: {kind_of(value)}"
                )
        return self._place(item)

    def _place(self, key: Mapping[str, Value]) -> tuple[Scalar, Scalar]:
        partition = key[self.key.partition]
        _check_key(self.key.partition, partition)
        if _key_bytes(partition) > _MAX_PARTITION_BYTES:
            raise Invalid(
                "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of"
                f"{_MAX_PARTITION_BYTES} bytes"
            )
        if self.key.sort is None:
            return scalar(partition), NO_SORT_KEY
        sort = key[self.key.sort]
        _check_key(self.key.sort, sort)
        if _key_bytes(sort) > _MAX_SORT_BYTES:
            raise Invalid(
                "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size"
                f" limit of {_MAX_SORT_BYTES} bytes"
            )
        return scalar(partition), scalar(sort)

    def check_index_types(self, item: Item) -> None:
        """Refuse an item whose attribute is of another type than an index's key."""
        for name, kind, index in self.index_keys:
            value = item.get(name)
            if value is not None and kind not in value:
                raise Invalid(
                    f"One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: {kind}"
                    f" Actual: {kind_of(value)} IndexName: {index}"
                )

    def check_index_values(self, item: Item, *, by_update: bool) -> None:
        """Refuse an item in which an index's key is empty."""
        for name, kind, index in self.index_keys:
            value = item.get(name)
            if value is not None and kind != "N" and value.get(kind) in {"", b""}:
                raise Invalid(
                    _EMPTY_BY_UPDATE if by_update else f"{_EMPTY_BY_PUT} IndexName: {index}, IndexKey: {name}"
                )

    def index(self, name: str) -> IndexSchema:
        for index in self.indexes:
            if index.name == name:
                return index
        raise Invalid(f"The table does not have the specified index: {name}")


_EMPTY_BY_UPDATE: Final = (
    "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a"
    " value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value."
)
_EMPTY_BY_PUT: Final = (
    "One or more parameter values are not valid. A value specified for a secondary index key is not supported."
    " The AttributeValue for a key attribute cannot contain an empty string value."
)


_NO_VALUE: Final[Value] = {}


def _short_place(partition: Any, sort: Any) -> tuple[str, str] | None:
    """The place of keys that need no closer look: there are both, and no character has more than four bytes."""
    if partition and sort and len(partition) <= _MAX_SORT_BYTES // 4 and len(sort) <= _MAX_SORT_BYTES // 4:
        return partition, sort
    return None


def _check_key(name: str, value: Value) -> None:
    ((kind, content),) = value.items()
    if kind != "N" and not content:
        what = "string" if kind == "S" else "binary"
        raise Invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty"
            f" {what} value. Key: {name}"
        )


def _key_bytes(value: Value) -> int:
    ((kind, content),) = value.items()
    return text_size(content) if kind == "S" else len(content)


def _key_schema(given: list[Mapping[str, str]], types: Mapping[str, str]) -> KeySchema:
    names = {element["KeyType"]: element["AttributeName"] for element in given}
    sort = names.get("RANGE")
    return KeySchema(names["HASH"], types[names["HASH"]], sort, types[sort] if sort else "S")


def _index(given: Mapping[str, Any], types: Mapping[str, str], table: KeySchema) -> IndexSchema:
    key = _key_schema(given["KeySchema"], types)
    projection = given["Projection"]
    if projection["ProjectionType"] == "ALL":
        return IndexSchema(given["IndexName"], key, None)
    further = projection.get("NonKeyAttributes", ())
    return IndexSchema(given["IndexName"], key, frozenset({*table.names, *key.names, *further}))
