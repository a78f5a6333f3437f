"""All tables with their streams, the clock, and the meter."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infra.fakes.aws.dynamodb.errors import NoTable
from infra.fakes.aws.dynamodb.metering import Meter
from infra.fakes.aws.dynamodb.storage import TableStore
from infra.fakes.aws.dynamodb.streams import Stream
from infra.fakes.aws.dynamodb.writing import Change


class Database:
    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.meter = Meter()
        self.stores: dict[str, TableStore] = {}
        self.streams: dict[str, Stream] = {}

    def create(self, definition: Mapping[str, Any]) -> None:
        store = TableStore(definition)
        name = store.schema.name
        if name in self.stores:
            raise ValueError(f"there is a table {name} already")
        self.stores[name] = store
        self.streams[name] = Stream(name, store.schema.stream_view, store.schema.key.names)

    def clear(self) -> None:
        for store in self.stores.values():
            store.clear()
        for stream in self.streams.values():
            stream.clear()
        self.meter.clear()

    def store(self, name: Any) -> TableStore:
        try:
            return self.stores[name]
        except KeyError:
            raise NoTable(name) from None

    def commit(self, changes: Iterable[Change], *, expired: bool = False) -> None:
        """Store changes that were decided upon, and tell the streams. A change that changes nothing is none."""
        at = self.now()
        for change in changes:
            if not change.changes_nothing:
                change.apply()
                self.streams[change.store.schema.name].append(change.old, change.new, at, expired=expired)
