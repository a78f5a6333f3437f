"""Reads of many items: queries and scans, page by page."""

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from infra.fakes.aws.dynamodb.conditions import Values
from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.key_conditions import key_range
from infra.fakes.aws.dynamodb.metering import Units, read_units
from infra.fakes.aws.dynamodb.paths import excerpt
from infra.fakes.aws.dynamodb.programs import Program, reading_program_of
from infra.fakes.aws.dynamodb.schema import KeySchema
from infra.fakes.aws.dynamodb.storage import Index, TableStore
from infra.fakes.aws.dynamodb.values import Item, Scalar, admit, item_size

_PAGE_BYTES: Final = 1 << 20
_SELECTIONS: Final = ("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")

Row = tuple[Item, int]
"""An item as the table or the index has it, and its bytes."""


class Reading:
    """A query or a scan of a table or of one of its indexes, checked."""

    def __init__(self, store: TableStore, request: Mapping[str, Any]) -> None:
        self.store = store
        self.request = request
        name = request.get("IndexName")
        self.index: Index | None = store.indexes[store.schema.index(name).name] if name is not None else None
        self.consistent = bool(request.get("ConsistentRead"))
        if self.index and self.consistent:
            raise Invalid("Consistent reads are not supported on global secondary indexes")
        self.limit: int | None = request.get("Limit")
        if self.limit is not None and self.limit < 1:
            raise Invalid(
                "1 validation error detected: Value at 'Limit' failed to satisfy constraint:"
                " Member must have value greater than or equal to 1"
            )
        self.program: Program = reading_program_of(request)
        self.values: Values = self.program.fill(request)
        self.selection: str | None = request.get("Select")
        self._check_selection()

    @property
    def key(self) -> KeySchema:
        return self.index.schema.key if self.index else self.store.schema.key

    def query(self) -> tuple[dict[str, Any], Units]:
        """A page of one partition."""
        if not self.program.key_terms:
            raise Invalid(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
            )
        wanted = key_range(self.program.key_terms, self.values, self.key)
        self._check_filter()
        order, by, row = self._partition(wanted.partition)
        start, end = wanted.places(order, by)
        start, end = self._after_start(order, start, end, wanted.partition)
        page = order[start:end] if self._is_forward else reversed(order[start:end])
        return self._page(map(row, page))

    def scan(self) -> tuple[dict[str, Any], Units]:
        """A page of everything, in an order that says nothing: by a sum over the partition key's text."""
        held: Mapping[Scalar, Any] = self.index.partitions if self.index else self.store.partitions
        partitions = sorted((_scattered(partition), partition) for partition in held)
        start = self._start()
        first = _scattered(start.partition) if start else (0, "")
        rows: list[Row] = []
        for place, partition in partitions:
            if start and place < first:
                continue
            order, _, row = self._partition(partition)
            behind = bisect_right(order, start.entry) if start and place == first else 0
            rows += map(row, order[behind:])
        return self._page(rows)

    @property
    def _is_forward(self) -> bool:
        return bool(self.request.get("ScanIndexForward", True))

    def _partition(self, key: Scalar) -> tuple[list[Any], Callable[[Any], Scalar] | None, Callable[[Any], Row]]:
        """A partition's order, what it is ordered by, and how to come to an item from there."""
        if self.index:
            return self.index.partitions.get(key, []), _sort_key, self._index_row
        partition = self.store.partitions.get(key)
        if partition is None:
            return [], None, _no_row
        items = partition.items

        def row(sort: Scalar) -> Row:
            return items[sort].item, items[sort].size

        return partition.order, None, row

    def _index_row(self, entry: tuple[Scalar, Scalar, Scalar]) -> Row:
        stored = self.store.find(entry[1:])
        if stored is None or self.index is None:
            raise AssertionError("an index has an entry without an item")
        item = self.index.project(stored.item)
        return item, item_size(item)

    def _start(self) -> "_Start | None":
        given = self.request.get("ExclusiveStartKey")
        if not given:
            return None
        types = {**self.store.schema.key.types(), **self.key.types()}
        if given.keys() != types.keys() or any(kind not in given[name] for name, kind in types.items()):
            raise Invalid("The provided starting key is invalid")
        key = {name: admit(value) for name, value in given.items()}
        place = self.store.schema.key_of({name: key[name] for name in self.store.schema.key.names})
        own: Any = self.key.of_item(key)
        return _Start(own[0], (own[1], *place) if self.index else own[1])

    def _after_start(self, order: list[Any], start: int, end: int, partition: Scalar) -> tuple[int, int]:
        after = self._start()
        if after is None:
            return start, end
        if after.partition != partition:
            raise Invalid("The provided starting key is outside query boundaries based on provided conditions")
        if self._is_forward:
            return max(start, bisect_right(order, after.entry)), end
        return start, max(start, min(end, bisect_left(order, after.entry)))

    def _page(self, rows: Iterable[Row]) -> tuple[dict[str, Any], Units]:
        found: list[Item] = []
        size = seen = 0
        last: Item | None = None
        more = False
        kept, projection = self.program.condition, self.program.projection
        for item, bytes_ in rows:
            if seen == self.limit or (seen and size + bytes_ > _PAGE_BYTES):
                more = True
                break
            size += bytes_
            seen += 1
            last = item
            if kept is None or kept.holds(item, self.values):
                found.append(item.copy() if projection is None else excerpt(item, projection))
        answer: dict[str, Any] = {"Count": len(found), "ScannedCount": seen}
        if self.selection != "COUNT":
            answer["Items"] = found
        if last is not None and (more or seen == self.limit):
            answer["LastEvaluatedKey"] = self._place_of(last)
        return answer, self._units(size)

    def _place_of(self, item: Item) -> Item:
        return {name: item[name] for name in (*self.store.schema.key.names, *self.key.names)}

    def _units(self, size: int) -> Units:
        spent = read_units(size, consistent=self.consistent)
        return Units(0.0, {self.index.schema.name: spent}) if self.index else Units(spent)

    def _check_filter(self) -> None:
        if self.program.condition:
            for name in self.key.names:
                if name in self.program.condition.attributes:
                    raise Invalid(
                        f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
                    )

    def _check_selection(self) -> None:
        projects = self.program.projection is not None
        if self.selection is not None and self.selection not in _SELECTIONS:
            raise Invalid(
                f"1 validation error detected: Value '{self.selection}' at 'select' failed to satisfy constraint:"
                f" Member must satisfy enum value set: [{', '.join(_SELECTIONS)}]"
            )
        if self.selection == "SPECIFIC_ATTRIBUTES" and not projects:
            raise Invalid(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
            )
        if projects and self.selection not in {None, "SPECIFIC_ATTRIBUTES"}:
            what = {"COUNT": "only the Count"}.get(str(self.selection), str(self.selection))
            raise Invalid(f"Cannot specify the ProjectionExpression when choosing to get {what}")
        if self.index:
            self._check_projected(self.index)

    def _check_projected(self, index: Index) -> None:
        projected, name = index.schema.projected, index.schema.name
        if projected is None:
            return
        if self.selection == "ALL_ATTRIBUTES":
            _refuse(
                f"Select type ALL_ATTRIBUTES is not supported for global secondary index {name}"
                " because its projection type is not ALL"
            )
        wanted = {str(steps[0]) for steps in self.program.projection or ()}
        if not wanted <= projected:
            _refuse(f"Global secondary index {name} does not project [{', '.join(sorted(wanted - projected))}]")


@dataclass(frozen=True)
class _Start:
    partition: Scalar
    entry: Any


def _refuse(why: str) -> NoReturn:
    raise Invalid(f"One or more parameter values were invalid: {why}")


def _sort_key(entry: tuple[Scalar, Scalar, Scalar]) -> Scalar:
    return entry[0]


def _no_row(_: Any) -> NoReturn:
    raise AssertionError("an empty partition has no rows")


def _scattered(partition: Scalar) -> tuple[int, str]:
    text = str(partition)
    return zlib.crc32(text.encode("utf-8", "surrogatepass")), text
