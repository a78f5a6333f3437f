"""Where a machine's orders and stock are kept, and what was written there: the fakes by one lock, or the real tables.

Both tell every change of a record and of a stock line in the order in which it was committed, old and new together,
as the streams of the tables would.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Protocol

from infra.fakes.aws.dynamodb.connection import MemoryConnection
from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
from infra.local.template import load_deployment
from shared.dynamodb.table import RawItem
from shared.inventory.bundles import Bundles, Components
from shared.inventory.models import Cause, CountedLevel, StockChange, StockLine
from shared.inventory.ports import StockRoom
from shared.inventory.table import StockTable, is_stock_line, line_of_image
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import Commit
from shared.orders.forgetting import impersonal
from shared.orders.models import Order
from shared.orders.ports import GroupBook
from shared.orders.record import OrderRecord
from shared.orders.table import OrderTable, is_record, record_of_image
from tests.builders.orders import NOON
from tests.fakes.order_desk import FakeOrderBook, FakeStockRoom

RecordChange = tuple[OrderRecord | None, OrderRecord]
LineChange = tuple[StockLine | None, StockLine]
LOCATIONS = ("main", "attic")


class Place(Protocol):
    """A merchant's orders and stock, empty at first."""

    @property
    def book(self) -> GroupBook: ...

    @property
    def room(self) -> StockRoom: ...

    def bundles(self) -> Bundles: ...

    def define_bundle(self, sku: str, components: Components) -> None: ...

    def forget_buyer(self, key: OrderKey, at: datetime) -> bool: ...

    def record_changes(self) -> Sequence[RecordChange]:
        """All so far."""
        ...

    def line_changes(self) -> Sequence[LineChange]:
        """All so far."""
        ...


NewPlace = Callable[[Callable[[], datetime]], Place]


class _WatchedRoom(FakeStockRoom):
    """Tells what changed."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[LineChange] = []
        self._seen: dict[tuple[str, str], StockLine] = {}

    def set_level(self, level: CountedLevel) -> StockLine:
        line = super().set_level(level)
        self.note()
        return line

    def move(self, change: StockChange, cause: Cause) -> StockLine:
        line = super().move(change, cause)
        self.note()
        return line

    def note(self) -> None:
        for key, line in self.lines.items():
            old = self._seen.get(key)
            if old != line:
                self.changes.append((old, line))
                self._seen[key] = line


class _WatchedBook(FakeOrderBook):
    """Tells what changed, and can forget buyers as the table does."""

    def __init__(self, room: _WatchedRoom) -> None:
        super().__init__(room)
        self.changes: list[RecordChange] = []
        self.forgotten: set[OrderKey] = set()
        self._room = room

    def write_account(self, order: Order) -> None:
        super().write_account(impersonal(order) if order.key in self.forgotten else order)

    def commit_all(self, commits: Sequence[Commit]) -> None:
        old = {commit.record.key: self.records.get(commit.record.key) for commit in commits}
        super().commit_all(commits)
        self.changes += [(old[commit.record.key], commit.record) for commit in commits]
        self._room.note()


class FakePlace:
    """In memory, by one lock."""

    def __init__(self, _clock: Callable[[], datetime]) -> None:
        self._room = _WatchedRoom()
        self._book = _WatchedBook(self._room)
        self._bundles: dict[str, Mapping[str, int]] = {}

    @property
    def book(self) -> GroupBook:
        return self._book

    @property
    def room(self) -> StockRoom:
        return self._room

    def bundles(self) -> Bundles:
        return dict(self._bundles)

    def define_bundle(self, sku: str, components: Components) -> None:
        self._bundles[sku] = dict(components)
        if not components:
            del self._bundles[sku]

    def forget_buyer(self, key: OrderKey, _at: datetime) -> bool:
        known = key in self._book.forgotten
        self._book.forgotten.add(key)
        if key in self._book.accounts:
            self._book.accounts[key] = impersonal(self._book.accounts[key])
        return not known

    def record_changes(self) -> Sequence[RecordChange]:
        return self._book.changes

    def line_changes(self) -> Sequence[LineChange]:
        return self._room.changes


class TablePlace:
    """In the real tables, on a DynamoDB in memory that all machines of a process share, one after the other."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        connection = memory_tables(clock)
        self._database = _database()[0]
        self._stock = StockTable(connection, "stock", LOCATIONS)
        self._orders = OrderTable(connection, "orders", self._stock, clock=clock)
        self._records: list[RecordChange] = []
        self._lines: list[LineChange] = []
        self._read = {"orders": 0, "stock": 0}

    @property
    def book(self) -> GroupBook:
        return self._orders

    @property
    def room(self) -> StockRoom:
        return self._stock

    def bundles(self) -> Bundles:
        return self._stock.bundles()

    def define_bundle(self, sku: str, components: Components) -> None:
        self._stock.define_bundle(sku, components)

    def forget_buyer(self, key: OrderKey, at: datetime) -> bool:
        return self._orders.forget_buyer(key, at)

    def record_changes(self) -> Sequence[RecordChange]:
        for old, new in self._images("orders", is_record):
            self._records.append((record_of_image(old) if old else None, record_of_image(new)))
        return self._records

    def line_changes(self) -> Sequence[LineChange]:
        for old, new in self._images("stock", is_stock_line):
            self._lines.append((line_of_image(old) if old else None, line_of_image(new)))
        return self._lines

    def _images(self, table: str, is_wanted: Callable[[RawItem], bool]) -> Iterator[tuple[RawItem | None, RawItem]]:
        """Old and new images of what the stream tells since the last look."""
        stream = self._database.stream(table)
        told = stream[self._read[table] :]
        self._read[table] = len(stream)
        for record in told:
            if is_wanted(record["dynamodb"]["Keys"]):
                yield record["dynamodb"].get("OldImage"), record["dynamodb"]["NewImage"]


def memory_tables(clock: Callable[[], datetime]) -> MemoryConnection:
    """A connection to all tables, empty, for the machine that starts now."""
    database, connection = _database()
    database.clear()
    _clock[0] = clock
    return connection


_clock: list[Callable[[], datetime]] = []
"""Of the machine that runs now."""


@cache
def _database() -> tuple[MemoryDynamoDb, MemoryConnection]:
    """With all tables of the template, by their roles: `orders`, `stock`, `finance` …"""
    _clock.append(lambda: NOON)
    database = MemoryDynamoDb(lambda: _clock[0]().timestamp())
    for table in load_deployment(_ROOT / "template.yaml").tables:
        database.create_table({**table.definition, "TableName": table.name.rpartition("-")[2]})
    return database, MemoryConnection(database.call)


_ROOT = Path(__file__).parents[2]
