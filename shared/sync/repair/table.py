"""What is remembered of each shop, in the sync table: partition `watch`, sort key the shop."""

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.models import Model

from shared.dynamodb.table import Table
from shared.sync.repair.watch import Watch

_WATCHES = "watch"


class WatchItem(Model):
    """Of a busy shop 4 KB: one small number for each hour of seven weeks. Written once for each look at the shop."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    revision = NumberAttribute()
    watch: JSONAttribute = JSONAttribute()

    class Meta:
        table_name = "bound by instance"


class WatchTable:
    """The watches on DynamoDB."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._table = Table(connection, name, WatchItem)

    def find(self, shop: str) -> Watch | None:
        raw = self._table.get((_WATCHES, shop))
        return Watch.stored(WatchItem.from_raw_data(dict(raw)).watch) if raw else None

    def keep(self, watch: Watch) -> Watch:
        kept = watch.model_copy(update={"revision": watch.revision + 1})
        item = WatchItem(_WATCHES, watch.shop, revision=kept.revision, watch=kept.model_dump(mode="json"))
        unchanged = WatchItem.revision == watch.revision if watch.revision else WatchItem.pk.does_not_exist()
        self._table.put(item, unchanged)
        return kept
