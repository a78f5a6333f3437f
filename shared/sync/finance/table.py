"""How far payment feeds were read, in the sync table: partition `payment_feed`, sort key the account."""

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.models import Model

from shared.dynamodb.table import Table
from shared.sync.finance.progress import FeedProgress

_FEEDS = "payment_feed"


class ProgressItem(Model):
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    revision = NumberAttribute()
    progress: JSONAttribute = JSONAttribute()

    class Meta:
        table_name = "bound by instance"


class FeedProgressTable:
    """The `FeedProgresses` on DynamoDB."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._table = Table(connection, name, ProgressItem)

    def find(self, account: str) -> FeedProgress | None:
        raw = self._table.get((_FEEDS, account))
        return FeedProgress.stored(ProgressItem.from_raw_data(dict(raw)).progress) if raw else None

    def keep(self, progress: FeedProgress) -> FeedProgress:
        kept = progress.model_copy(update={"revision": progress.revision + 1})
        item = ProgressItem(_FEEDS, kept.account, revision=kept.revision, progress=kept.model_dump(mode="json"))
        unchanged = (
            ProgressItem.revision == progress.revision if progress.revision else ProgressItem.pk.does_not_exist()
        )
        self._table.put(item, unchanged)
        return kept

    def all(self) -> tuple[FeedProgress, ...]:
        found = self._table.query(_FEEDS)
        return tuple(FeedProgress.stored(ProgressItem.from_raw_data(dict(raw)).progress) for raw in found)
