"""Customers in DynamoDB.

| pk | sk | what |
|---|---|---|
| `shop/customer/17` | `record` | states, flags, leader; its stream is the outbox. No personal data |
| `shop/customer/17` | `profile` | the canonical customer with its personal data, compressed; may expire |
| `shop/customer/17` | `member/…` | another customer that goes by this one |
| `shop/customer/17` | `merge/…` | a merge into this person, undone or not |
| `shop/customer/17` | `order/…` | an order of this customer |
| `shop/customer/17` | `conflict/…` | an edit that lost; expires by itself |
| `shop/customer/17` | `conflicts-of/…` | a leader under whom an edit of this customer lost or won; expires too |
| `order/shop/5001` | `customer` | whose order it is |
| `mark/kind/digest` | customer's key | who bears a mark |
| `proposal`, `proposal/decided` | its id | two customers that may be one person |
| `counter/…` | the period | registrations in a row; expires by itself |

Customers that need someone are found through the sparse index `attention`.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from shared.customers.commits import CustomerCommit, MergeCommit
from shared.customers.conflicts import EditConflict
from shared.customers.marks import Mark
from shared.customers.matching import Proposal, ProposalState
from shared.customers.merges import Merge
from shared.customers.models import Customer
from shared.customers.record import CustomerRecord
from shared.dynamodb.table import Operation, RawItem, Table, WriteRefused, transact
from shared.kernel.clock import Clock, as_sortable, utc_now
from shared.kernel.identifiers import CustomerKey, OrderKey

_RECORD = "record"
_PROFILE = "profile"
_MEMBER = "member/"
_MERGE = "merge/"
_ORDER = "order/"
_CONFLICT = "conflict/"
_CONFLICTS_OF = "conflicts-of/"
_CUSTOMER = "customer"
_OPEN = "proposal"
_DECIDED = "proposal/decided"
_CONFLICTS_KEPT = timedelta(days=90)
_COUNTERS_KEPT = timedelta(days=2)


class AttentionIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call] # pynamodb's own
    """Customers that need someone, by shop, longest waiting first. Only such customers are in it."""

    attention_shop = UnicodeAttribute(hash_key=True)
    attention_since = UnicodeAttribute(range_key=True)

    class Meta:
        index_name = "attention"
        projection = IncludeProjection(["revision"])


class RecordItem(Model):
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    revision = NumberAttribute()
    record: JSONAttribute = JSONAttribute()
    attention_shop = UnicodeAttribute(null=True)
    attention_since = UnicodeAttribute(null=True)
    attention = AttentionIndex()

    class Meta:
        table_name = "bound by instance"


class PersonalItem(Model):
    """A compressed document with personal data, that may expire."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    body = BinaryAttribute(legacy_encoding=False)
    expires_at = NumberAttribute(null=True)

    class Meta:
        table_name = "bound by instance"


class PlainItem(Model):
    """Keys that say it all, or a small document beside them."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    value: JSONAttribute = JSONAttribute(null=True)
    expires_at = NumberAttribute(null=True)

    class Meta:
        table_name = "bound by instance"


class CounterItem(Model):
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    registrations = NumberAttribute()
    expires_at = NumberAttribute()

    class Meta:
        table_name = "bound by instance"


class CustomerTable:
    """The customer book on DynamoDB. `profile_days`: personal data expires that long after the last commit."""

    def __init__(
        self, connection: Connection, name: str, *, profile_days: int | None = None, clock: Clock = utc_now
    ) -> None:
        self._connection = connection
        self._table = Table(connection, name, RecordItem)
        self._profile_days = profile_days
        self._clock = clock

    # ---- customers ----

    def find(self, key: CustomerKey) -> CustomerRecord | None:
        raw = self._table.get((str(key), _RECORD))
        return record_of_image(raw) if raw else None

    def find_many(self, keys: Iterable[CustomerKey]) -> Mapping[CustomerKey, CustomerRecord]:
        wanted = dict.fromkeys((str(key), _RECORD) for key in keys)
        records = map(record_of_image, self._table.get_many(wanted))
        return {record.key: record for record in records}

    def find_customer(self, key: CustomerKey) -> Customer | None:
        raw = self._table.get((str(key), _PROFILE))
        return Customer.stored_json(_unpack(raw)) if raw else None

    def commit(self, commit: CustomerCommit) -> None:
        key = str(commit.record.key)
        expires = self._expiry()
        puts = [self._putting_record(commit.record, commit.replaces)]
        deletes: list[Operation] = []
        if commit.forget:
            deletes.append(self._table.deleting((key, _PROFILE)))
        elif commit.customer is not None:
            puts.append(self._table.putting(self._profile(commit.customer, expires)))
        if commit.marks is not None:
            # Where profiles expire their marks do with them, so each commit puts off both.
            fresh = commit.marks if self._profile_days is not None else commit.marks - commit.bore
            puts += [self._table.putting(PlainItem(_pk(mark), key, expires_at=expires)) for mark in sorted(fresh)]
            deletes += [self._table.deleting((_pk(mark), key)) for mark in sorted(commit.bore - commit.marks)]
        transact(self._connection, puts=puts, updates=[], deletes=deletes)

    def bearers(self, mark: Mark, *, most: int) -> tuple[CustomerKey, ...]:
        found = self._table.query(_pk(mark), consistent=True, page=most)  # a shop's own number is borne by thousands
        return tuple(CustomerKey.parse(raw["sk"]["S"]) for raw in islice(found, most))

    def needing_attention(self, shop: str) -> Iterator[CustomerKey]:
        for raw in self._table.query(shop, index=AttentionIndex.Meta.index_name):
            yield CustomerKey.parse(raw["pk"]["S"])

    def all_records(self, shop: str | None = None) -> Iterator[CustomerRecord]:
        condition = RecordItem.sk == _RECORD
        if shop:
            condition = condition & RecordItem.pk.startswith(f"{shop}/")
        return map(record_of_image, self._table.scan(condition))

    # ---- one person's customers ----

    def members(self, leader: CustomerKey) -> tuple[CustomerKey, ...]:
        found = self._sorted(str(leader), _MEMBER)
        return (leader, *(CustomerKey.parse(raw["sk"]["S"].removeprefix(_MEMBER)) for raw in found))

    def commit_merge(self, commit: MergeCommit) -> None:
        merge = commit.merge
        came_from = {moved.customer: moved.from_leader for moved in merge.moved}
        puts = [self._putting_record(record, record.revision - 1) for record in commit.records]
        deletes: list[Operation] = []
        for record in commit.records:
            key = str(record.key)
            former = came_from.get(key, key) if merge.stands else merge.leader
            if former != key:
                deletes.append(self._table.deleting((former, _MEMBER + key)))
            if record.leader != key:
                puts.append(self._table.putting(PlainItem(record.leader, _MEMBER + key)))
        puts.append(
            self._table.putting(PlainItem(merge.leader, _merge_sort(merge), value=merge.model_dump(mode="json")))
        )
        transact(self._connection, puts=puts, updates=[], deletes=deletes)

    def merges_of(self, leader: CustomerKey) -> Iterator[Merge]:
        for raw in self._sorted(str(leader), _MERGE, newest_first=True):
            yield Merge.stored(_value(raw))

    def keep_proposal(self, proposal: Proposal) -> bool:
        if self.find_proposal(proposal.id) is not None:
            return False
        new = self._table.putting(_plain(_OPEN, proposal), PlainItem.pk.does_not_exist())
        # Of one that is decided at this moment nothing may be left that looks open, for nobody could decide it again.
        undecided = self._connection.get_operation_kwargs(
            self._table.name, _DECIDED, proposal.id, condition=PlainItem.pk.does_not_exist()
        )
        try:
            transact(self._connection, puts=[new], updates=[], deletes=[undecided])
        except WriteRefused:
            if self.find_proposal(proposal.id) is None:
                raise
            return False
        return True

    def find_proposal(self, proposal_id: str) -> Proposal | None:
        found = {raw["pk"]["S"]: raw for raw in self._table.get_many([(_OPEN, proposal_id), (_DECIDED, proposal_id)])}
        raw = found.get(_DECIDED) or found.get(_OPEN)
        return Proposal.stored(_value(raw)) if raw else None

    def decide_proposal(self, proposal: Proposal) -> None:
        decided = self._table.putting(_plain(_DECIDED, proposal), PlainItem.pk.does_not_exist())
        transact(self._connection, puts=[decided], updates=[], deletes=[self._table.deleting((_OPEN, proposal.id))])

    def proposals(self) -> Iterator[Proposal]:
        found = (Proposal.stored(_value(raw)) for raw in self._table.query(_OPEN))
        is_open = (proposal for proposal in found if proposal.state is ProposalState.OPEN)
        yield from sorted(is_open, key=lambda proposal: (proposal.found_at, proposal.id))

    # ---- orders ----

    def link_order(self, key: CustomerKey, order: OrderKey, at: datetime) -> None:
        before = self.customer_of(order)
        if before == key:
            return
        owner = PlainItem(_ORDER + str(order), _CUSTOMER, value=str(key))
        unmoved = PlainItem.pk.does_not_exist() if before is None else PlainItem.value == str(before)
        link = PlainItem(str(key), _ORDER + str(order), value=as_sortable(at))
        gone = [] if before is None else [self._table.deleting((str(before), _ORDER + str(order)))]
        puts = [self._table.putting(owner, unmoved), self._table.putting(link)]
        transact(self._connection, puts=puts, updates=[], deletes=gone)

    def customer_of(self, order: OrderKey) -> CustomerKey | None:
        raw = self._table.get((_ORDER + str(order), _CUSTOMER))
        return CustomerKey.parse(_value(raw)) if raw else None

    def orders_of(self, key: CustomerKey) -> Iterator[OrderKey]:
        for raw in self._sorted(str(key), _ORDER):
            yield OrderKey.parse(raw["sk"]["S"].removeprefix(_ORDER))

    # ---- edits on both sides at once ----

    def keep_conflict(self, conflict: EditConflict) -> None:
        body = zlib.compress(conflict.model_dump_json().encode(), 9)
        expires = int((conflict.at + _CONFLICTS_KEPT).timestamp())
        for side in _customers_of(conflict):  # first, so that each finds what is about them, by whomever they go
            self._table.put(PlainItem(side, _CONFLICTS_OF + conflict.leader, expires_at=expires))
        self._table.put(PersonalItem(conflict.leader, _CONFLICT + conflict.id, body=body, expires_at=expires))

    def conflicts_of(self, leader: CustomerKey) -> Iterator[EditConflict]:
        for raw in self._sorted(str(leader), _CONFLICT, newest_first=True):
            yield EditConflict.stored_json(_unpack(raw))

    def forget_conflicts(self, leader: CustomerKey) -> int:
        own = [(str(leader), raw["sk"]["S"]) for raw in self._sorted(str(leader), _CONFLICT)]
        named_under = [raw["sk"]["S"] for raw in self._sorted(str(leader), _CONFLICTS_OF)]
        others = [
            (conflict.leader, _CONFLICT + conflict.id)
            for sort in named_under
            for conflict in self.conflicts_of(CustomerKey.parse(sort.removeprefix(_CONFLICTS_OF)))
            if str(leader) in _customers_of(conflict)
        ]
        for key in (*own, *others, *((str(leader), sort) for sort in named_under)):
            self._table.delete(key)
        return len(own) + len(others)

    # ---- registrations in a row ----

    def count_registration(self, counter: str, at: datetime, *, minutes: int) -> int:
        seconds = minutes * 60
        period = int(at.timestamp()) // seconds * seconds
        expires = int((at + _COUNTERS_KEPT).timestamp())
        kept = [CounterItem.expires_at.set(expires)]
        return self._table.count((f"counter/{counter}", str(period)), CounterItem.registrations, kept)

    # ---- how things are written ----

    def _putting_record(self, record: CustomerRecord, replaces: int | None) -> Operation:
        item = RecordItem(
            str(record.key),
            _RECORD,
            revision=record.revision,
            record=record.model_dump(mode="json", exclude_defaults=True),
            attention_shop=record.shop if record.attention_since else None,
            attention_since=as_sortable(record.attention_since) if record.attention_since else None,
        )
        free = RecordItem.pk.does_not_exist() if replaces is None else RecordItem.revision == replaces
        return self._table.putting(item, free)

    def _expiry(self) -> int | None:
        if self._profile_days is None:
            return None
        return int((self._clock() + timedelta(days=self._profile_days)).timestamp())

    def _profile(self, customer: Customer, expires: int | None) -> PersonalItem:
        body = zlib.compress(customer.model_dump_json(exclude_defaults=True).encode(), 9)
        return PersonalItem(str(customer.key), _PROFILE, body=body, expires_at=expires)

    def _sorted(self, partition: str, prefix: str, *, newest_first: bool = False) -> Iterator[RawItem]:
        condition = PlainItem.sk.startswith(prefix)
        return self._table.query(partition, condition=condition, consistent=True, newest_first=newest_first)


def is_record(key: RawItem) -> bool:
    """Whether a stream record's key is that of a customer's record."""
    return bool(key["sk"]["S"] == _RECORD)


def record_of_image(raw: RawItem) -> CustomerRecord:
    """Read a stored record, or a stream record's image. What a newer version of the code added is left aside."""
    stored = RecordItem.from_raw_data(dict(raw)).record
    return CustomerRecord.stored({name: stored[name] for name in CustomerRecord.model_fields if name in stored})


def _pk(mark: Mark) -> str:
    return f"mark/{mark}"


def _plain(partition: str, proposal: Proposal) -> PlainItem:
    return PlainItem(partition, proposal.id, value=proposal.model_dump(mode="json"))


def _customers_of(conflict: EditConflict) -> set[str]:
    """The sides that are customers other than the leader: a back office is written with a slash less."""
    sides = {conflict.winner, conflict.loser} - {conflict.leader}
    return {side for side in sides if side.count("/") == 2}  # noqa: PLR2004


def _merge_sort(merge: Merge) -> str:
    return f"{_MERGE}{as_sortable(merge.at)}/{merge.id}"


def _value(raw: RawItem) -> Any:
    return PlainItem.from_raw_data(dict(raw)).value


def _unpack(raw: RawItem) -> bytes:
    return zlib.decompress(raw["body"]["B"])
