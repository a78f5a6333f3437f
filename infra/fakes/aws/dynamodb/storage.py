"""Where items lie: by partition, in the order of the sort key, and in the indexes that hold them."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.fakes.aws.dynamodb.schema import IndexSchema, TableSchema
from infra.fakes.aws.dynamodb.values import Item, Scalar, item_size

Place = tuple[Scalar, Scalar]
"""Partition and sort key."""
Entry = tuple[Scalar, Scalar, Scalar]
"""Of an index's partition: the index's sort key, then the item's place in the table."""


class Stored:
    """An item as it lies in a table. Never changed, only replaced."""

    __slots__ = ("item", "size")

    def __init__(self, item: Item, size: int) -> None:
        self.item = item
        self.size = size
        """In bytes."""


@dataclass(frozen=True, slots=True)
class IndexChange:
    """What a write does to an index, and the units that it takes."""

    index: "Index"
    before: Place | None
    after: Place | None
    units: int


class Index:
    def __init__(self, schema: IndexSchema) -> None:
        self.schema = schema
        self.partitions: dict[Scalar, list[Entry]] = {}

    def project(self, item: Item) -> Item:
        projected = self.schema.projected
        return item if projected is None else {name: value for name, value in item.items() if name in projected}

    def change(self, old: Stored | None, new: Stored | None) -> IndexChange | None:
        """How the index follows a write; nothing where it is as before.

        One unit for each kilobyte of an entry that is made, removed or changed; a changed key removes one and makes
        one ("Using Global Secondary Indexes", "Write capacity units").
        """
        before = self.schema.key.of_item(old.item) if old else None
        after = self.schema.key.of_item(new.item) if new else None
        if before is None and after is None:
            return None
        here = [self.project(stored.item) for stored in (old, new) if stored and self.schema.key.of_item(stored.item)]
        if before == after:
            if here[0] == here[1]:
                return None
            return IndexChange(self, before, after, max(map(_units, here)))
        return IndexChange(self, before, after, sum(map(_units, here)))

    def move(self, change: IndexChange, place: Place) -> None:
        if change.before == change.after:
            return
        if change.before is not None:
            partition, sort = change.before
            entries = self.partitions[partition]
            del entries[bisect_left(entries, (sort, *place))]
            if not entries:
                del self.partitions[partition]
        if change.after is not None:
            partition, sort = change.after
            insort(self.partitions.setdefault(partition, []), (sort, *place))


def _units(item: Item) -> int:
    return write_units(item_size(item))


def write_units(size: int) -> int:
    """One for each kilobyte begun."""
    return -(-size // 1024) or 1


class Partition:
    __slots__ = ("items", "order")

    def __init__(self) -> None:
        self.items: dict[Scalar, Stored] = {}
        self.order: list[Scalar] = []


class TableStore:
    """A table's items and its indexes."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.schema = TableSchema(definition)
        self.partitions: dict[Scalar, Partition] = {}
        self.indexes = {index.name: Index(index) for index in self.schema.indexes}

    def clear(self) -> None:
        self.partitions.clear()
        for index in self.indexes.values():
            index.partitions.clear()

    def find(self, place: Place) -> Stored | None:
        partition = self.partitions.get(place[0])
        return None if partition is None else partition.items.get(place[1])

    def store(self, place: Place, new: Stored) -> None:
        partition = self.partitions.get(place[0])
        if partition is None:
            partition = self.partitions[place[0]] = Partition()
        if place[1] not in partition.items:
            insort(partition.order, place[1])
        partition.items[place[1]] = new

    def remove(self, place: Place) -> None:
        partition = self.partitions[place[0]]
        del partition.items[place[1]]
        del partition.order[bisect_left(partition.order, place[1])]
        if not partition.order:
            del self.partitions[place[0]]

    def everything(self) -> Iterator[tuple[Place, Stored]]:
        for partition, held in self.partitions.items():
            for sort, stored in held.items.items():
                yield (partition, sort), stored
