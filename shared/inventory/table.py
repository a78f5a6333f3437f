"""Stock lines in DynamoDB: key `sku`, then `location`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, cast

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Value
from pynamodb.models import Model

from shared.dynamodb.table import Operation, RawItem, Table, WriteRefused, transact
from shared.inventory.bundles import Bundles, Components
from shared.inventory.ledger import Movement
from shared.inventory.models import (
    MOST_UNITS,
    Cause,
    CountedLevel,
    Move,
    Share,
    StockChange,
    StockLine,
    StockView,
    moves_of,
)
from shared.kernel.clock import as_sortable, parse_time
from shared.kernel.errors import Conflict

if TYPE_CHECKING:
    from shared.inventory.stocktake import Correction, Stocktake, StocktakeLine


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
    shares: JSONAttribute = JSONAttribute(null=True)
    """Rows of reference, on hand and reserved. They are the last write's only if they end with its cause: a version of
    the code that knows nothing of shares leaves them as they were."""

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
            StockItem.shares.remove(),
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

    def move(self, change: StockChange, cause: Cause) -> StockLine:
        key = (change.sku, change.location)
        try:
            self._table.write(self.applying(change, cause), kind="Update")
        except WriteRefused as error:
            if error.found is not None or min(change.on_hand, change.available) < 0 or change.reserved:
                raise _refused(change, error.found) from error
            first = StockItem(
                *key, on_hand=change.on_hand, reserved=0, available=change.on_hand, seq=1, cause=cause.model_dump()
            )
            self._table.put(first, StockItem.sku.does_not_exist())
        raw = self._table.get(key)
        if raw is None:
            raise Conflict("changed_meanwhile", "the stock line was removed while it was moved", field="sku")
        return _line(raw)

    def follow(self, known: StockLine | None, change: StockChange, cause: Cause) -> StockLine | None:
        key = (change.sku, change.location)
        try:
            if known is None:
                first = StockItem(
                    *key, on_hand=change.on_hand, reserved=0, available=change.on_hand, seq=1, cause=cause.model_dump()
                )
                self._table.put(first, StockItem.sku.does_not_exist())
            else:
                actions = [
                    StockItem.seq.add(1),
                    StockItem.cause.set(cause.model_dump()),
                    StockItem.shares.remove(),
                    StockItem.on_hand.add(change.on_hand),
                    StockItem.available.add(change.on_hand),
                ]
                self._table.update(key, actions, StockItem.seq == known.seq)
        except WriteRefused:
            return None
        raw = self._table.get(key)
        return _line(raw) if raw else None

    def applying(self, change: StockChange, cause: Cause) -> Operation:
        """One action of a transaction: move a line, or refuse when that would promise or take what is not there."""
        (move,) = moves_of([(cause, [change])])
        return self.moving(move)

    def moving(self, move: Move) -> Operation:
        """The same for all that one transaction brings to a line: refused unless each of its shares, one after the
        other, finds what it takes, and leaves no more than a line can say, under the count that it was judged by."""
        actions = [
            StockItem.seq.add(len(move.shares)),
            StockItem.cause.set(move.cause.model_dump()),
            StockItem.shares.set(_rows(move.shares)) if len(move.shares) > 1 else StockItem.shares.remove(),
        ]
        guards: list[Condition] = [StockItem.sku.exists()]
        if move.under is not None:
            guards.append(_counted(move.under.at))
        for attribute, steps in (
            (StockItem.on_hand, [share.on_hand for share in move.shares]),
            (StockItem.reserved, [share.reserved for share in move.shares]),
            (StockItem.available, [share.on_hand - share.reserved for share in move.shares]),
        ):
            *_, units = levels = list(accumulate(steps))
            if units:
                actions.append(attribute.add(units))
            if min(levels) < 0:
                guards.append(attribute >= -min(levels))
            if attribute is StockItem.on_hand and max(levels) > 0:
                guards.append(attribute <= MOST_UNITS - max(levels))
        condition = guards[0]
        for guard in guards[1:]:
            condition = condition & guard
        return self._table.updating((move.sku, move.location), actions, condition)

    def correcting(self, correction: "Correction") -> Operation:
        """One action of a transaction: add a count's variance, unless another count came between or promises break.

        A line that was found on the shelf and not in the book is made by it.
        """
        units = correction.on_hand
        actions = [
            StockItem.on_hand.set((StockItem.on_hand | 0) + units),
            StockItem.available.set((StockItem.available | 0) + units),
            StockItem.reserved.set(StockItem.reserved | 0),
            StockItem.safety_buffer.set(StockItem.safety_buffer | 0),
            StockItem.seq.set((StockItem.seq | 0) + 1),
            StockItem.counted_at.set(as_sortable(correction.counted_at)),
            StockItem.cause.set(correction.cause.model_dump()),
            StockItem.shares.remove(),
        ]
        condition = _counted(correction.taken_under)
        if not correction.creates:
            condition = condition & StockItem.sku.exists()
        if units < 0:
            condition = condition & (StockItem.on_hand >= -units) & (StockItem.available >= -units)
        elif units > 0:
            condition = condition & (StockItem.on_hand.does_not_exist() | (StockItem.on_hand <= MOST_UNITS - units))
        return self._table.updating((correction.sku, correction.location), actions, condition)


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


def _counted(at: datetime | None) -> Condition:
    """That the line stands under the count of this time; None: under none."""
    if at is None:
        return StockItem.counted_at.does_not_exist()
    return StockItem.counted_at == as_sortable(at)


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
        cause=Cause.stored(item.cause),
        shares=_shares(item),
    )


def _rows(shares: Iterable[Share]) -> list[list[str | int]]:
    return [[share.reference, share.on_hand, share.reserved] for share in shares]


def _shares(item: StockItem) -> tuple[Share, ...]:
    rows = item.shares or ()
    if not rows or rows[-1][0] != item.cause["reference"]:
        return ()
    return tuple(
        Share(reference=reference, on_hand=on_hand, reserved=reserved) for reference, on_hand, reserved in rows
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
        cause=Cause.stored(item.cause),
        at=parse_time(item.at),
    )


def _refused(change: StockChange, found: RawItem | None) -> Conflict:
    takes = min(change.on_hand, change.available) < 0
    if found is None or takes or _line(found).on_hand + change.on_hand <= MOST_UNITS:
        return _not_on_shelf(change, found)
    return Conflict(
        "too_many_units",
        f"with {change.on_hand} more there would be more than {MOST_UNITS} units on the shelf",
        field="units",
        hint="look at the number again; or count the shelf",
    )


def _not_on_shelf(change: StockChange, found: RawItem | None) -> Conflict:
    free = f"{_line(found).available} units are" if found else "nothing is"
    return Conflict(
        "not_on_shelf",
        f"{free} on the shelf and not promised to orders, so {-change.available} cannot be taken",
        field="units",
        hint="count the shelf, or cancel the orders that hold the units",
    )


def _too_few(level: CountedLevel, found: RawItem | None) -> Conflict:
    promised = f"{_line(found).reserved} units are" if found else "more is"
    return Conflict(
        "reserved_exceeds_count",
        f"{promised} promised to orders, but only {level.on_hand} were counted",
        field="on_hand",
        hint="cancel or ship the orders that hold them, or count again",
    )


class StocktakeItem(Model):
    """A stocktake's session or one of its lines, as a document with the revision that writes are conditional on."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    revision = NumberAttribute()
    document: JSONAttribute = JSONAttribute()

    class Meta:
        table_name = "bound by instance"


class StocktakeTable:
    """The stocktake book on DynamoDB.

    | pk | sk | what |
    |---|---|---|
    | `session` | session's id | scope, rules, state |
    | `lines/` + session's id | SKU | all counts of the line, and what became of it |
    """

    def __init__(self, connection: Connection, name: str, stock: StockTable) -> None:
        self._connection = connection
        self._table = Table(connection, name, StocktakeItem)
        self._stock = stock

    def open(self, session: "Stocktake", lines: "Sequence[StocktakeLine]") -> None:
        items = [_line_item(session.id, line) for line in lines]
        for start in range(0, len(items), _MOST_PUTS):
            puts = [self._putting(item, None) for item in items[start : start + _MOST_PUTS]]
            transact(self._connection, puts=puts, updates=[])
        # Last, for it is what makes the session there.
        self._put(_session_item(session), None)

    def sessions(self) -> "Iterable[Stocktake]":
        return list(map(_session, self._table.query(_SESSIONS, consistent=True)))

    def find(self, session_id: str) -> "Stocktake | None":
        raw = self._table.get((_SESSIONS, session_id))
        return _session(raw) if raw else None

    def save(self, session: "Stocktake") -> None:
        self._put(_session_item(session), session.revision - 1)

    def lines(self, session_id: str) -> "Sequence[StocktakeLine]":
        return list(map(_stocktake_line, self._table.query(_lines_of(session_id), consistent=True)))

    def find_line(self, session_id: str, sku: str) -> "StocktakeLine | None":
        raw = self._table.get((_lines_of(session_id), sku))
        return _stocktake_line(raw) if raw else None

    def record(self, session_id: str, line: "StocktakeLine") -> None:
        self._put(_line_item(session_id, line), line.revision - 1 or None)

    def post(self, session_id: str, line: "StocktakeLine", correction: "Correction") -> None:
        writing = self._putting(_line_item(session_id, line), line.revision - 1)
        transact(self._connection, puts=[writing], updates=[self._stock.correcting(correction)])

    def _put(self, item: StocktakeItem, replaces: int | None) -> None:
        self._table.write(self._putting(item, replaces), kind="Put")

    def _putting(self, item: StocktakeItem, replaces: int | None) -> Operation:
        fresh = StocktakeItem.pk.does_not_exist()
        return self._table.putting(item, fresh if replaces is None else StocktakeItem.revision == replaces)


_SESSIONS = "session"
_MOST_PUTS = 100
"""DynamoDB takes no more operations in one transaction."""


def _lines_of(session_id: str) -> str:
    return f"lines/{session_id}"


def _session_item(session: "Stocktake") -> StocktakeItem:
    document = session.model_dump(mode="json")
    return StocktakeItem(_SESSIONS, session.id, revision=session.revision, document=document)


def _line_item(session_id: str, line: "StocktakeLine") -> StocktakeItem:
    document = line.model_dump(mode="json", exclude_defaults=True)
    return StocktakeItem(_lines_of(session_id), line.sku, revision=line.revision, document=document)


def _session(raw: RawItem) -> "Stocktake":
    from shared.inventory.stocktake import Stocktake  # noqa: PLC0415 - no function counts, and each loads this module

    return Stocktake.stored(StocktakeItem.from_raw_data(dict(raw)).document)


def _stocktake_line(raw: RawItem) -> "StocktakeLine":
    from shared.inventory.stocktake import StocktakeLine  # noqa: PLC0415 - as above

    return StocktakeLine.stored(StocktakeItem.from_raw_data(dict(raw)).document)
