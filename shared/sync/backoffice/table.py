"""Orders' stands in the back office, in the sync table.

| pk | sk | what |
|---|---|---|
| `books/shop` | order | the :class:`Mirror` |
| `told/shop` | order | what the storefront was told |
| `stopped/shop` | order/office | the error desk |
| `promised/back office` | location/SKU | units that the back office keeps for our orders |
"""

from collections.abc import Iterable, Iterator, Mapping

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from shared.dynamodb.table import Operation, Table, WriteRefused, transact
from shared.kernel.errors import Conflict
from shared.kernel.identifiers import OrderKey
from shared.orders.errands import Office
from shared.sync.backoffice.mirror import Mirror, Stop, Stopped, Told


class StandItem(Model):
    """A document with the revision that writes are conditional on."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    revision = NumberAttribute()
    document: JSONAttribute = JSONAttribute()

    class Meta:
        table_name = "bound by instance"


class PromisedItem(Model):
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    units = NumberAttribute(default=0)

    class Meta:
        table_name = "bound by instance"


class MirrorTable:
    """The stands on DynamoDB."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._table = Table(connection, name, StandItem)
        self._promises = Table(connection, name, PromisedItem)

    def find(self, key: OrderKey) -> Mirror | None:
        raw = self._table.get((f"books/{key.shop}", key.order_id))
        return Mirror.stored(StandItem.from_raw_data(dict(raw)).document) if raw else None

    def save(self, mirror: Mirror, before: Mirror | None) -> Mirror:
        saved = mirror.model_copy(update={"revision": (before.revision if before else 0) + 1})
        updates = [self._promising(*change) for change in _changes(before, mirror)]
        self._save(f"books/{mirror.shop}", saved, before, Office.BACKOFFICE, updates)
        return saved

    def find_told(self, key: OrderKey) -> Told | None:
        raw = self._table.get((f"told/{key.shop}", key.order_id))
        return Told.stored(StandItem.from_raw_data(dict(raw)).document) if raw else None

    def save_told(self, told: Told, before: Told | None) -> Told:
        saved = told.model_copy(update={"revision": (before.revision if before else 0) + 1})
        self._save(f"told/{told.shop}", saved, before, Office.STOREFRONT, [])
        return saved

    def stopped(self, shop: str) -> Iterator[Stopped]:
        for raw in self._table.query(f"stopped/{shop}"):
            yield Stopped.stored(StandItem.from_raw_data(dict(raw)).document)

    def promised(self, backoffice: str, location: str, skus: Iterable[str]) -> Mapping[str, int]:
        keys = [(f"promised/{backoffice}", f"{location}/{sku}") for sku in sorted(set(skus))]
        found = self._promises.get_many(keys)
        return {raw["sk"]["S"].partition("/")[2]: int(raw["units"]["N"]) for raw in found}

    def _save(
        self,
        partition: str,
        document: Mirror | Told,
        before: Mirror | Told | None,
        office: Office,
        updates: list[Operation],
    ) -> None:
        item = StandItem(
            partition,
            document.order_id,
            revision=document.revision,
            document=document.model_dump(mode="json", exclude_defaults=True),
        )
        condition: Condition = StandItem.revision == before.revision if before else StandItem.pk.does_not_exist()
        puts = [self._table.putting(item, condition)]
        deletes = []
        entry = (f"stopped/{document.shop}", f"{document.order_id}/{office}")
        if document.stop:
            puts.append(self._table.putting(_stopped_item(entry, document, office, document.stop)))
        elif before and before.stop:
            deletes.append(self._table.deleting(entry))
        try:
            if len(puts) == 1 and not deletes and not updates:
                self._table.write(puts[0], kind="Put")
            else:
                transact(self._connection, puts=puts, updates=updates, deletes=deletes)
        except WriteRefused as error:
            raise Conflict("changed_meanwhile", f"somebody else worked on {document.key}") from error

    def _promising(self, backoffice: str, location: str, sku: str, units: int) -> Operation:
        return self._promises.updating((f"promised/{backoffice}", f"{location}/{sku}"), [PromisedItem.units.add(units)])


def _stopped_item(entry: tuple[str, str], document: Mirror | Told, office: Office, stop: Stop) -> StandItem:
    stopped = Stopped(shop=document.shop, order_id=document.order_id, office=office, stop=stop)
    return StandItem(*entry, revision=document.revision, document=stopped.model_dump(mode="json"))


def _changes(before: Mirror | None, after: Mirror) -> Iterator[tuple[str, str, str, int]]:
    """Differences of what back offices keep for the order, by back office, location and SKU."""
    units: dict[tuple[str, str, str], int] = {}
    for mirror, sign in ((after, 1), *(((before, -1),) if before else ())):
        for location, promised in mirror.promised.items():
            for sku, count in promised.items():
                key = (mirror.backoffice, location, sku)
                units[key] = units.get(key, 0) + sign * count
    for key, difference in sorted(units.items()):
        if difference:
            yield (*key, difference)
