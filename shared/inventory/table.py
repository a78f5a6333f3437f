"""Stock lines in DynamoDB: key `sku`, then `location`."""

from collections.abc import Iterable, Sequence
from typing import cast

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Value
from pynamodb.models import Model

from shared.dynamodb.table import Operation, RawItem, Table, WriteRefused
from shared.inventory.bundles import Bundles, Components
from shared.inventory.ledger import Movement
from shared.inventory.models import Cause, CountedLevel, StockChange, StockLine, StockView
from shared.kernel.clock import as_sortable, parse_time
from shared.kernel.errors import Conflict


class StockItem(Model):
    """The stored shape of a :class:`StockLine`."""

    sku = UnicodeAttribute(hash_key=True)
    location = UnicodeAttribute(range_key=True)
    on_hand = NumberAttribute()
    reserved = NumberAttribute()
    available = NumberAttribute()
    safety_buffer = NumberAttribute(default=0)
    reorder_point = NumberAttribute(null=True)
    seq = NumberAttribute()
    counted_at = UnicodeAttribute(null=True)
    cause: JSONAttribute = JSONAttribute()

    class Meta:
        table_name = "bound by instance"


class BundleItem(Model):
    """What a bundle is made of. All bundles share one partition; the sort key is the bundle's SKU."""

    sku = UnicodeAttribute(hash_key=True)
    location = UnicodeAttribute(range_key=True)
    components: JSONAttribute = JSONAttribute()

    class Meta:
        table_name = "bound by instance"


class MovementItem(Model):
    """The stored shape of a :class:`Movement`: by SKU, then `location/seq`."""

    sku = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    on_hand = NumberAttribute()
    reserved = NumberAttribute()
    on_hand_after = NumberAttribute()
    reserved_after = NumberAttribute()
    cause: JSONAttribute = JSONAttribute()
    at = UnicodeAttribute()

    class Meta:
        table_name = "bound by instance"


_BUNDLES = "~bundle"
"""No SKU of a shop: a partition for the definitions of bundles."""


class StockTable:
    """The stock room on DynamoDB."""

    def __init__(self, connection: Connection, name: str, locations: Sequence[str]) -> None:
        """`locations` are all the merchant's: an order's SKUs are looked up at each of them in one call."""
        self._table = Table(connection, name, StockItem)
        self._locations = locations

    def read(self, skus: Iterable[str]) -> StockView:
        keys = [(sku, location) for sku in sorted(set(skus)) for location in self._locations]
        view: dict[str, dict[str, StockLine]] = {}
        for line in map(_line, self._table.get_many(keys)):
            view.setdefault(line.sku, {})[line.location] = line
        return view

    def read_all(self) -> Iterable[StockLine]:
        """Every line there is, in no order: for operators."""
        return (_line(raw) for raw in self._table.scan() if is_stock_line(raw))

    def bundles(self) -> Bundles:
        """Every bundle there is."""
        return {
            item.location: dict(item.components)
            for item in map(BundleItem.from_raw_data, map(dict, self._table.query(_BUNDLES, consistent=True)))
        }

    def define_bundle(self, sku: str, components: Components) -> None:
        """Say what a bundle is made of from now on; without components it is no bundle any more.

        Orders that hold stock for it keep the composition under which they took it.
        """
        if components:
            self._table.put(BundleItem(_BUNDLES, sku, components=dict(components)))
        else:
            self._table.delete((_BUNDLES, sku))

    def set_level(self, level: CountedLevel) -> StockLine:
        actions = [
            StockItem.on_hand.set(level.on_hand),
            StockItem.available.set(Value(level.on_hand) - (StockItem.reserved | 0)),
            StockItem.reserved.set(StockItem.reserved | 0),
            StockItem.seq.set((StockItem.seq | 0) + 1),
            StockItem.counted_at.set(as_sortable(level.counted_at)),
            StockItem.cause.set(level.cause.model_dump()),
            StockItem.safety_buffer.set(
                (StockItem.safety_buffer | 0) if level.safety_buffer is None else level.safety_buffer
            ),
        ]
        if level.reorder_point is not None:
            actions.append(StockItem.reorder_point.set(level.reorder_point))
        room_for_promises = StockItem.reserved.does_not_exist() | (StockItem.reserved <= level.on_hand)
        try:
            self._table.update((level.sku, level.location), actions, room_for_promises)
        except WriteRefused as error:
            raise _too_few(level, error.found) from error
        raw = self._table.get((level.sku, level.location))
        if raw is None:
            raise Conflict("changed_meanwhile", "the stock line was removed while it was set", field="sku")
        return _line(raw)

    def applying(self, change: StockChange, cause: Cause) -> Operation:
        """One action of a transaction: move a line, or refuse when that would promise or take what is not there."""
        actions = [
            StockItem.seq.add(1),
            StockItem.cause.set(cause.model_dump()),
        ]
        guards: list[Condition] = [StockItem.sku.exists()]
        for attribute, units in (
            (StockItem.on_hand, change.on_hand),
            (StockItem.reserved, change.reserved),
            (StockItem.available, change.available),
        ):
            if units:
                actions.append(attribute.add(units))
            if units < 0:
                guards.append(attribute >= -units)
        condition = guards[0]
        for guard in guards[1:]:
            condition = condition & guard
        return self._table.updating((change.sku, change.location), actions, condition)


class MovementTable:
    """The ledger on DynamoDB: only ever added to."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._table = Table(connection, name, MovementItem)

    def add(self, movements: Iterable[Movement]) -> None:
        """Write movements; one that is there already is the same, for a sequence number is used once."""
        self._table.put_many(_movement_item(movement) for movement in movements)

    def of(self, sku: str, location: str | None = None) -> Sequence[Movement]:
        """The movements of a SKU, by location and then in their sequence."""
        condition = MovementItem.entry.startswith(f"{location}/") if location else None
        return [_movement(raw) for raw in self._table.query(sku, condition=condition, consistent=True)]


def is_stock_line(key: RawItem) -> bool:
    """Whether an item, or a stream record's key, is a stock line and not a bundle's definition."""
    return bool(key["sku"]["S"] != _BUNDLES)


def line_of_image(raw: RawItem) -> StockLine:
    """Read a stream record's image."""
    return _line(raw)


def _line(raw: RawItem) -> StockLine:
    item = StockItem.from_raw_data(dict(raw))
    reorder_point = cast("float | None", item.reorder_point)
    return StockLine(
        sku=item.sku,
        location=item.location,
        on_hand=int(item.on_hand),
        reserved=int(item.reserved),
        available=int(item.available),
        safety_buffer=int(item.safety_buffer),
        reorder_point=None if reorder_point is None else int(reorder_point),
        seq=int(item.seq),
        counted_at=parse_time(item.counted_at) if item.counted_at else None,
        cause=Cause.model_validate(item.cause),
    )


def _movement_item(movement: Movement) -> MovementItem:
    return MovementItem(
        movement.sku,
        f"{movement.location}/{movement.seq:012}",
        on_hand=movement.on_hand,
        reserved=movement.reserved,
        on_hand_after=movement.on_hand_after,
        reserved_after=movement.reserved_after,
        cause=movement.cause.model_dump(),
        at=as_sortable(movement.at),
    )


def _movement(raw: RawItem) -> Movement:
    item = MovementItem.from_raw_data(dict(raw))
    location, _, seq = item.entry.rpartition("/")
    return Movement(
        sku=item.sku,
        location=location,
        seq=int(seq),
        on_hand=int(item.on_hand),
        reserved=int(item.reserved),
        on_hand_after=int(item.on_hand_after),
        reserved_after=int(item.reserved_after),
        cause=Cause.model_validate(item.cause),
        at=parse_time(item.at),
    )


def _too_few(level: CountedLevel, found: RawItem | None) -> Conflict:
    promised = f"{_line(found).reserved} units are" if found else "more is"
    return Conflict(
        "reserved_exceeds_count",
        f"{promised} promised to orders, but only {level.on_hand} were counted",
        field="on_hand",
        hint="cancel or ship the orders that hold them, or count again",
    )
