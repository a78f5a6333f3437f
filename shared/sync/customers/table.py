"""Persons' stands in back offices, in the sync table.

| pk | sk | what |
|---|---|---|
| `person/shop/customer/17` | back office | the :class:`PersonMirror` |
| `stopped-person/shop` | customer's key/back office | the error desk: that it is on it, no more |
"""

from collections.abc import Iterator

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from shared.dynamodb.table import RawItem, Table, WriteRefused, transact
from shared.kernel.errors import Conflict
from shared.kernel.identifiers import CustomerKey
from shared.sync.customers.mirror import PersonMirror


class PersonItem(Model):
    """A document with the revision that writes are conditional on."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    revision = NumberAttribute()
    document: JSONAttribute = JSONAttribute(null=True)

    class Meta:
        table_name = "bound by instance"


class PersonMirrorTable:
    """The stands on DynamoDB."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._table = Table(connection, name, PersonItem)

    def find(self, leader: CustomerKey, backoffice: str) -> PersonMirror | None:
        raw = self._table.get((_person(leader), backoffice))
        return _mirror(raw) if raw else None

    def save(self, mirror: PersonMirror, before: PersonMirror | None) -> PersonMirror:
        saved = mirror.model_copy(update={"revision": (before.revision if before else 0) + 1})
        document = saved.model_dump(mode="json", exclude_defaults=True)
        item = PersonItem(_person(saved.key), saved.backoffice, revision=saved.revision, document=document)
        condition: Condition = PersonItem.revision == before.revision if before else PersonItem.pk.does_not_exist()
        puts = [self._table.putting(item, condition)]
        deletes = []
        entry = _entry(saved)
        if saved.stop:
            puts.append(self._table.putting(PersonItem(*entry, revision=saved.revision)))
        elif before and before.stop:
            deletes.append(self._table.deleting(entry))
        try:
            if len(puts) == 1 and not deletes:
                self._table.write(puts[0], kind="Put")
            else:
                transact(self._connection, puts=puts, updates=[], deletes=deletes)
        except WriteRefused as error:
            raise Conflict("changed_meanwhile", f"somebody else worked on {mirror.leader}") from error
        return saved

    def of_person(self, leader: CustomerKey) -> Iterator[PersonMirror]:
        yield from map(_mirror, self._table.query(_person(leader), consistent=True))

    def stopped(self, shop: str) -> Iterator[PersonMirror]:
        entries = (raw["sk"]["S"].rpartition("/") for raw in self._table.query(f"stopped-person/{shop}"))
        found = (self.find(CustomerKey.parse(leader), backoffice) for leader, _, backoffice in entries)
        yield from (mirror for mirror in found if mirror is not None and mirror.stop is not None)

    def forget(self, leader: CustomerKey) -> int:
        found = list(self.of_person(leader))
        for mirror in found:
            self._table.delete(_entry(mirror))
            self._table.delete((_person(leader), mirror.backoffice))
        return len(found)


def _person(leader: CustomerKey) -> str:
    return f"person/{leader}"


def _entry(mirror: PersonMirror) -> tuple[str, str]:
    return f"stopped-person/{mirror.key.shop}", f"{mirror.leader}/{mirror.backoffice}"


def _mirror(raw: RawItem) -> PersonMirror:
    return PersonMirror.stored(PersonItem.from_raw_data(dict(raw)).document)
