"""One write: what it asks, whether its condition holds, and what it makes of the item."""

from collections.abc import Mapping
from typing import Any, Final

from infra.fakes.aws.dynamodb.conditions import Values
from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.metering import Units
from infra.fakes.aws.dynamodb.programs import Program, program_of
from infra.fakes.aws.dynamodb.storage import IndexChange, Place, Stored, TableStore, write_units
from infra.fakes.aws.dynamodb.values import Item, admit_item, text_size, value_size

MAX_ITEM_BYTES: Final = 400 * 1024
_NO_ITEM: Final[Item] = {}


class Write:
    """A request to write, checked as far as that goes without looking at what is stored."""

    __slots__ = ("kind", "place", "program", "request", "store", "values", "whole")

    def __init__(self, kind: str, store: TableStore, request: Mapping[str, Any]) -> None:
        """`kind`: Put, Update, Delete or ConditionCheck. Raises `Invalid`."""
        self.kind = kind
        self.store = store
        self.request = request
        self.whole: Stored | None = None
        """The item to put."""
        if kind == "Put":
            self.whole = _whole(request["Item"])
            self.place: Place = store.schema.key_of_item(self.whole.item)
            store.schema.check_index_values(self.whole.item, by_update=False)
        else:
            self.place = store.schema.key_of(request["Key"])
        self.program: Program = program_of(request)
        if self.program.update:
            _check_keys_stay(store, self.program.update.attributes)
        self.values: Values = self.program.fill(request)

    def check_index_types(self) -> None:
        """Refuse an item to put that no index could hold. Comes before the condition; in a transaction it is the
        action's reason and not the request's mistake."""
        if self.whole is not None:
            self.store.schema.check_index_types(self.whole.item)

    def holds(self, old: Stored | None) -> bool:
        condition = self.program.condition
        return condition is None or condition.holds(_NO_ITEM if old is None else old.item, self.values)

    def result(self, old: Stored | None) -> Stored | None:
        """What is to lie there afterwards, or `Invalid`."""
        if self.whole is not None:
            return self.whole
        if self.kind == "Update":
            return self._updated(old)
        return None if self.kind == "Delete" else old

    def _updated(self, old: Stored | None) -> Stored:
        if old is None:
            old = Stored(*admit_item(self.request["Key"]))
        update = self.program.update
        if update is None:
            return old
        item = update.apply(old.item, self.values)
        self.store.schema.check_index_values(item, by_update=True)
        self.store.schema.check_index_types(item)
        size = old.size
        for name in update.attributes:
            before, after = old.item.get(name), item.get(name)
            if before is None or after is None:
                size += _attribute_size(name, after) - _attribute_size(name, before)
            elif before is not after:
                size += value_size(after) - value_size(before)
        if size > MAX_ITEM_BYTES:
            raise Invalid("Item size to update has exceeded the maximum allowed size")
        return Stored(item, size)

    def refused_units(self, old: Stored | None) -> float:
        """A condition that does not hold is billed as well, by the size of the item that is there or of the one to be
        put ("Condition expressions" in the developer guide)."""
        return float(write_units(max(old.size if old else 0, self.whole.size if self.whole else 0)))


class Change:
    """A write decided upon: nothing is stored yet."""

    __slots__ = ("indexes", "new", "old", "place", "store")

    def __init__(self, store: TableStore, place: Place, old: Stored | None, new: Stored | None) -> None:
        self.store = store
        self.place = place
        self.old = old
        self.new = new
        self.indexes: list[IndexChange] = []
        if store.indexes:
            changes = [index.change(old, new) for index in store.indexes.values()]
            self.indexes = [change for change in changes if change is not None]

    @property
    def changes_nothing(self) -> bool:
        if self.old is None or self.new is None:
            return self.old is self.new
        return self.old is self.new or self.old.item == self.new.item

    def bill(self, units: Units, *, factor: int = 1) -> None:
        """The larger of the two sizes counts. Transactions bill the table twice, the indexes once: these follow
        later, by themselves (as Dynoxide has it; AWS does not say)."""
        size = max(self.old.size if self.old else 0, self.new.size if self.new else 0)
        units.table += float(factor * write_units(size))
        for change in self.indexes:
            units.add_index(change.index.schema.name, float(change.units))

    def apply(self) -> None:
        if self.new is not None:
            self.store.store(self.place, self.new)
        elif self.old is not None:
            self.store.remove(self.place)
        for change in self.indexes:
            change.index.move(change, self.place)


def _whole(given: Mapping[str, Any]) -> Stored:
    item, size = admit_item(given)
    if size > MAX_ITEM_BYTES:
        raise Invalid("Item size has exceeded the maximum allowed size")
    return Stored(item, size)


def _check_keys_stay(store: TableStore, attributes: tuple[str, ...]) -> None:
    key = store.schema.key
    for name in attributes:
        if name in {key.partition, key.sort}:
            raise Invalid(
                f"One or more parameter values were invalid: Cannot update attribute {name}."
                " This attribute is part of the key"
            )


def _attribute_size(name: str, value: Any) -> int:
    return 0 if value is None else text_size(name) + value_size(value)
