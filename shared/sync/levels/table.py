"""What shops show, and how it drifted, in the sync table: one partition for each kind of thing and shop."""

import zlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import islice

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.models import Model

from shared.dynamodb.table import Table
from shared.kernel.clock import as_sortable
from shared.sync.levels.bindings import Binding, UnfinishedCall
from shared.sync.levels.sweep import Drift


class BindingItem(Model):
    """The stored shape of a :class:`Binding`: partition `binding/shop`, sort key the SKU."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    binding: JSONAttribute = JSONAttribute()

    class Meta:
        table_name = "bound by instance"


class CallItem(Model):
    """A call whose outcome is not known: partition `call/shop`, sort key `time/key`. Compressed, for it may be long."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    call = BinaryAttribute(legacy_encoding=False)

    class Meta:
        table_name = "bound by instance"


class DriftItem(Model):
    """One correction: partition `drift/shop`, sort key `time/sku`. It expires."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    drift: JSONAttribute = JSONAttribute()
    expires_at = NumberAttribute()

    class Meta:
        table_name = "bound by instance"


class BindingTable:
    """What shops sell, and the calls that were about to be made, on DynamoDB."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._table = Table(connection, name, BindingItem)
        self._calls = Table(connection, name, CallItem)

    def of(self, shop: str, skus: Iterable[str]) -> Sequence[Binding]:
        keys = [(f"binding/{shop}", sku) for sku in sorted(set(skus))]
        found = (BindingItem.from_raw_data(dict(raw)).binding for raw in self._table.get_many(keys))
        return sorted(map(Binding.stored, found), key=lambda binding: binding.sku)

    def keep(self, bindings: Iterable[Binding]) -> None:
        self._table.put_many(
            BindingItem(f"binding/{binding.shop}", binding.sku, binding=binding.model_dump(mode="json"))
            for binding in bindings
        )

    def begin(self, call: UnfinishedCall) -> None:
        packed = zlib.compress(call.model_dump_json().encode())
        self._calls.put(CallItem(*_call_key(call), call=packed))

    def finish(self, call: UnfinishedCall) -> None:
        self._calls.delete(_call_key(call))

    def unfinished(self, shop: str) -> Sequence[UnfinishedCall]:
        waiting = (CallItem.from_raw_data(dict(raw)).call for raw in self._calls.query(f"call/{shop}", consistent=True))
        return [UnfinishedCall.stored_json(zlib.decompress(packed)) for packed in waiting]


class DriftTable:
    """The log of corrections on DynamoDB. Entries expire after 90 days."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._table = Table(connection, name, DriftItem)

    def add(self, drifts: Iterable[Drift]) -> None:
        self._table.put_many(
            DriftItem(
                f"drift/{drift.shop}",
                f"{as_sortable(drift.found_at)}/{drift.sku}",
                drift=drift.model_dump(mode="json"),
                expires_at=int((drift.found_at + _KEEP_DRIFT).timestamp()),
            )
            for drift in drifts
        )

    def of(self, shop: str, limit: int = 100) -> Iterable[Drift]:
        newest = islice(self._table.query(f"drift/{shop}", newest_first=True), limit)
        return [Drift.stored(DriftItem.from_raw_data(dict(raw)).drift) for raw in newest]


_KEEP_DRIFT = timedelta(days=90)


def _call_key(call: UnfinishedCall) -> tuple[str, str]:
    return f"call/{call.shop}", f"{as_sortable(call.started_at)}/{call.key}"
