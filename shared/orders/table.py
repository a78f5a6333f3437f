"""Orders in DynamoDB.

| pk | sk | what |
|---|---|---|
| `shop/order` | `record` | states, holds, what each line holds of the stock; its stream is the outbox |
| `shop/order` | `account` | the canonical order without personal data, compressed |
| `shop/order` | `buyer` | its personal data, compressed: an item of its own, so that it can be erased and expire. Of a
forgotten buyer the item stays, empty and with `forgotten_at`: no later account brings the data back |
| `fingerprint/…` | `claim` | who sent these lines and this total first; expires by itself |

The transaction holds the record and one update per stock line that moves: 2+2N write units while the record stays
within one kilobyte. Several orders may share a transaction, and in it the update of each line. Orders that need someone
are found through the sparse index `attention`.
"""

import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from shared.dynamodb.table import Operation, RawItem, Table, WriteRefused, transact
from shared.inventory.models import Move, moves_of
from shared.inventory.table import StockTable
from shared.kernel.clock import Clock, as_sortable, utc_now
from shared.kernel.errors import Conflict, Rejected, StorebridgeError
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import Commit, Contended, Fingerprint
from shared.orders.forgetting import impersonal
from shared.orders.models import Order, PersonalData
from shared.orders.record import LineState, OrderRecord

_RECORD = "record"
_ACCOUNT = "account"
_BUYER = "buyer"
_CLAIM = "claim"


class AttentionIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call] # pynamodb's own
    """Orders that need someone, by shop, longest waiting first. Only such orders are in it."""

    attention_shop = UnicodeAttribute(hash_key=True)
    attention_since = UnicodeAttribute(range_key=True)

    class Meta:
        index_name = "attention"
        projection = IncludeProjection(["review", "fulfilment", "holds", "name"])


class RecordItem(Model):
    """The stored shape of an :class:`OrderRecord`. Lines are compact rows, so that three of them take 200 bytes."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    platform = UnicodeAttribute()
    name = UnicodeAttribute()
    revision = NumberAttribute()
    version: JSONAttribute = JSONAttribute()
    review = UnicodeAttribute()
    holds: JSONAttribute = JSONAttribute(null=True)
    overridden: JSONAttribute = JSONAttribute(null=True)
    fulfilment = UnicodeAttribute()
    payment = UnicodeAttribute()
    total: JSONAttribute = JSONAttribute()
    placed_at = UnicodeAttribute()
    lines: JSONAttribute = JSONAttribute()
    unsettled = NumberAttribute(null=True)
    cancelled_by = UnicodeAttribute(null=True)
    dispatches = UnicodeAttribute(null=True)
    delivered = NumberAttribute(null=True)
    attention_shop = UnicodeAttribute(null=True)
    attention_since = UnicodeAttribute(null=True)
    cause: JSONAttribute = JSONAttribute()
    attention = AttentionIndex()

    class Meta:
        table_name = "bound by instance"


class PackedItem(Model):
    """A compressed document with the version that it states."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    stated = UnicodeAttribute()
    body = BinaryAttribute(legacy_encoding=False)
    expires_at = NumberAttribute(null=True)
    forgotten_at = UnicodeAttribute(null=True)
    """Of a buyer: since when the body is empty, for good."""

    class Meta:
        table_name = "bound by instance"


class ClaimItem(Model):
    """The order that had a fingerprint first."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    order = UnicodeAttribute()
    placed = NumberAttribute()
    expires_at = NumberAttribute()

    class Meta:
        table_name = "bound by instance"


class OrderRecords:
    """Orders for those who only look: they need no stock table."""

    def __init__(self, connection: Connection, name: str, *, clock: Clock = utc_now) -> None:
        self._table = Table(connection, name, RecordItem)
        self._clock = clock

    def find(self, key: OrderKey) -> OrderRecord | None:
        raw = self._table.get((str(key), _RECORD))
        return record_of_image(raw) if raw else None

    def find_many(self, keys: Iterable[OrderKey]) -> Mapping[OrderKey, OrderRecord]:
        wanted = dict.fromkeys((str(key), _RECORD) for key in keys)
        records = map(record_of_image, self._table.get_many(wanted))
        return {record.key: record for record in records}

    def find_account(self, key: OrderKey) -> Order | None:
        parts = {raw["sk"]["S"]: raw for raw in self._table.get_many([(str(key), _ACCOUNT), (str(key), _BUYER)])}
        if _ACCOUNT not in parts:
            return None
        order = Order.stored_json(_unpack(parts[_ACCOUNT]))
        buyer = parts.get(_BUYER)
        if buyer is None or self._is_expired(buyer):
            return order
        return order.model_copy(update={"personal": PersonalData.stored_json(_unpack(buyer))})

    def _is_expired(self, buyer: RawItem) -> bool:
        """DynamoDB deletes expired items some time later, within two days."""
        return "expires_at" in buyer and int(buyer["expires_at"]["N"]) <= self._clock().timestamp()


class BuyerTable(OrderRecords):
    """Orders whose buyers can be forgotten. Needs no stock table either."""

    def is_forgotten(self, key: OrderKey) -> bool:
        raw = self._table.get((str(key), _BUYER))
        return raw is not None and "forgotten_at" in raw

    def forget_buyer(self, key: OrderKey, at: datetime) -> bool:
        nobody = _pack(PersonalData().model_dump_json(exclude_defaults=True), key)
        marker = PackedItem(str(key), _BUYER, stated="", body=nobody, forgotten_at=as_sortable(at))
        # The account first, for of an order with a marker one may think that it is done; and once more after the
        # marker, from which on nobody writes an account with anything personal.
        self._clear_account(key)
        try:
            self._table.put(marker, PackedItem.forgotten_at.does_not_exist())
        except WriteRefused:
            return False
        self._clear_account(key)
        return True

    def unforgotten(self, shop: str) -> Iterator[OrderKey]:
        condition = (PackedItem.sk == _BUYER) & PackedItem.pk.startswith(f"{shop}/")
        for raw in self._table.scan(condition & PackedItem.forgotten_at.does_not_exist()):
            yield OrderKey.parse(raw["pk"]["S"])

    def _clear_account(self, key: OrderKey) -> None:
        raw = self._table.get((str(key), _ACCOUNT))
        if raw is None:
            return
        order = Order.stored_json(_unpack(raw))
        clean = impersonal(order)
        if clean != order:
            stated = raw["stated"]["S"]
            self._table.put(_account(clean, stated), PackedItem.stated == stated)


class Told(Protocol):
    """Who wants to know how the transactions at stock lines fare."""

    def __call__(self, wanted: Collection[str], lost: Collection[str]) -> None:
        """One transaction wanted to move the stock of these SKUs, and of some others were faster: it was refused."""
        ...


def tell_nobody(wanted: Collection[str], lost: Collection[str]) -> None:
    del wanted, lost


class OrderTable(BuyerTable):
    """The order book on DynamoDB. `buyer_days`: an order's buyer is kept that long after the order was made."""

    def __init__(
        self,
        connection: Connection,
        name: str,
        stock: StockTable,
        *,
        buyer_days: int | None = None,
        clock: Clock = utc_now,
        told: Told = tell_nobody,
    ) -> None:
        super().__init__(connection, name, clock=clock)
        self._connection = connection
        self._stock = stock
        self._buyer_days = buyer_days
        self._told = told

    def write_account(self, order: Order) -> None:
        stated, not_newer = _stated(order)
        # The buyer first: whoever sees the account also finds the buyer it belongs to.
        is_kept = self._write_buyer(order, stated, not_newer)
        self._table.put(_account(order if is_kept else impersonal(order), stated), not_newer)

    def _write_buyer(self, order: Order, stated: str, not_newer: Condition) -> bool:
        """Keep the buyer, unless it was forgotten or the order is too old for that; whether it is kept."""
        key = str(order.key)
        expires = self._expiry(order)
        if expires is not None and expires <= self._clock().timestamp():
            self._drop_buyer(key)
            return False
        buyer = PackedItem(key, _BUYER, stated=stated, body=_pack_buyer(order), expires_at=expires)
        try:
            self._table.put(buyer, not_newer & PackedItem.forgotten_at.does_not_exist())
        except WriteRefused as error:
            if error.found is None or "forgotten_at" not in error.found:
                raise
            return False
        return True

    def _expiry(self, order: Order) -> int | None:
        if self._buyer_days is None:
            return None
        return int((order.created_at + timedelta(days=self._buyer_days)).timestamp())

    def _drop_buyer(self, key: str) -> None:
        try:
            self._table.delete((key, _BUYER), PackedItem.forgotten_at.does_not_exist())
        except WriteRefused:
            return  # it was forgotten for good, and stays so

    def write_accounts(self, orders: Sequence[Order]) -> Mapping[OrderKey, StorebridgeError]:
        refused: dict[OrderKey, StorebridgeError] = {}
        for start in range(0, len(orders), _MOST_ACCOUNTS):
            some = orders[start : start + _MOST_ACCOUNTS]
            if not self._write_at_once(some):
                refused.update(self._write_one_by_one(some))
        return refused

    def _write_at_once(self, orders: Iterable[Order]) -> bool:
        """In one transaction, where every account has a usual size and a buyer that is to be kept."""
        puts = [put for order in orders for put in self._account_and_buyer(order)]
        if None in puts:
            return False
        try:
            transact(self._connection, puts=[put for put in puts if put], updates=[])
        except WriteRefused:
            return False
        return True

    def _account_and_buyer(self, order: Order) -> tuple[Operation, Operation] | tuple[None]:
        stated, not_newer = _stated(order)
        expires = self._expiry(order)
        if expires is not None and expires <= self._clock().timestamp():
            return (None,)
        try:
            account, buyer = _account(order, stated), _pack_buyer(order)
        except Rejected:
            return (None,)
        if len(account.body) + len(buyer) > _USUAL_BYTES:
            return (None,)
        kept = PackedItem(str(order.key), _BUYER, stated=stated, body=buyer, expires_at=expires)
        return (
            self._table.putting(kept, not_newer & PackedItem.forgotten_at.does_not_exist()),
            self._table.putting(account, not_newer),
        )

    def _write_one_by_one(self, orders: Iterable[Order]) -> Iterator[tuple[OrderKey, StorebridgeError]]:
        for order in orders:
            try:
                self.write_account(order)
            except (Conflict, Rejected) as error:
                yield order.key, error

    def commit(self, commit: Commit) -> None:
        if commit.changes:
            self.commit_all([commit])
            return
        self._table.write(self._writing(commit), kind="Put" if commit.replaces is None else "Update")

    def commit_all(self, commits: Sequence[Commit]) -> None:
        new = [commit for commit in commits if commit.replaces is None]
        known = [commit for commit in commits if commit.replaces is not None]
        moves = moves_of((commit.record.cause, commit.changes) for commit in commits)
        try:
            transact(
                self._connection,
                puts=[self._writing(commit) for commit in new],
                updates=[*map(self._writing, known), *map(self._stock.moving, moves)],
            )
        except WriteRefused as error:
            self._raise_contended(moves, error, first=len(commits))
            raise
        self._told([move.sku for move in moves], [])

    def _raise_contended(self, moves: Sequence[Move], error: WriteRefused, *, first: int) -> None:
        """`first`: the place of the first move among the transaction's operations."""
        lost = frozenset(move.sku for place, move in enumerate(moves, first) if place in error.refused)
        self._told([move.sku for move in moves], lost)
        if lost:
            raise Contended(lost) from error

    def _writing(self, commit: Commit) -> Operation:
        if commit.replaces is None:
            return self._creating(commit.record)
        return self._replacing(commit.record, commit.replaces)

    def claim_fingerprint(
        self, fingerprint: str, key: OrderKey, *, placed_at: datetime, window: timedelta
    ) -> OrderKey | None:
        claim = Fingerprint(fingerprint, key, placed_at, window)
        try:
            self._table.write(self._claiming(claim), kind="Put")
        except WriteRefused as error:
            if error.found is None:
                raise
            holder = ClaimItem.from_raw_data(dict(error.found))
            latest = int(placed_at.timestamp()) + int(window.total_seconds())
            return OrderKey.parse(holder.order) if holder.placed <= latest else None
        return None

    def claim_fingerprints(self, claims: Sequence[Fingerprint]) -> Mapping[OrderKey, OrderKey]:
        twins: dict[OrderKey, OrderKey] = {}
        for start in range(0, len(claims), _MOST_OPERATIONS):
            some = claims[start : start + _MOST_OPERATIONS]
            try:
                self._claim_all(some)
            except WriteRefused:
                twins.update(self._claim_one_by_one(some))
        return twins

    def _claim_all(self, claims: Sequence[Fingerprint]) -> None:
        if len({claim.value for claim in claims}) < len(claims):
            raise WriteRefused  # two of them are each other's twins, and a transaction takes no item twice
        transact(self._connection, puts=[self._claiming(claim) for claim in claims], updates=[])

    def _claim_one_by_one(self, claims: Iterable[Fingerprint]) -> Iterator[tuple[OrderKey, OrderKey]]:
        for claim in claims:
            twin = self.claim_fingerprint(claim.value, claim.key, placed_at=claim.placed_at, window=claim.window)
            if twin is not None:
                yield claim.key, twin

    def _claiming(self, claim: Fingerprint) -> Operation:
        placed, seconds = int(claim.placed_at.timestamp()), int(claim.window.total_seconds())
        item = ClaimItem(
            f"fingerprint/{claim.value}",
            _CLAIM,
            order=str(claim.key),
            placed=placed,
            expires_at=placed + seconds + _CLAIM_GRACE_SECONDS,
        )
        mine = ClaimItem.order == str(claim.key)
        return self._table.putting(item, ClaimItem.pk.does_not_exist() | mine | (ClaimItem.placed < placed - seconds))

    def needing_attention(self, shop: str) -> Iterator[OrderKey]:
        for raw in self._table.query(shop, index=AttentionIndex.Meta.index_name):
            yield OrderKey.parse(raw["pk"]["S"])

    def all_records(self, shop: str | None = None) -> Iterator[OrderRecord]:
        """Every order, in no order: for operators. Reads the whole table."""
        condition = RecordItem.sk == _RECORD
        if shop:
            condition = condition & RecordItem.pk.startswith(f"{shop}/")
        return map(record_of_image, self._table.scan(condition))

    def _creating(self, record: OrderRecord) -> Operation:
        return self._table.putting(_item(record), RecordItem.pk.does_not_exist())

    def _replacing(self, record: OrderRecord, revision: int) -> Operation:
        """Update by attribute and not by a whole put: what a newer version of the code added stays."""
        item = _item(record)
        actions = []
        for name, attribute in RecordItem.get_attributes().items():
            if attribute.is_hash_key or attribute.is_range_key:
                continue
            value = getattr(item, name)
            actions.append(attribute.remove() if value is None else attribute.set(value))
        return self._table.updating((item.pk, item.sk), actions, RecordItem.revision == revision)


_MOST_OPERATIONS = 100
"""DynamoDB takes no more in one transaction, and no more than 4 MB."""
_MOST_ACCOUNTS = _MOST_OPERATIONS // 2
_USUAL_BYTES = 40_000
"""Of an account with its buyer, compressed: fifty of them and their keys stay well below 4 MB."""


_CLAIM_GRACE_SECONDS = 3600
"""DynamoDB deletes expired items some time later; a late duplicate is still to find its twin until then."""


def is_record(key: RawItem) -> bool:
    """Whether a stream record's key is that of an order record."""
    return bool(key["sk"]["S"] == _RECORD)


def record_of_image(raw: RawItem) -> OrderRecord:
    """Read a stored record, or a stream record's image."""
    item = RecordItem.from_raw_data(dict(raw))
    key = OrderKey.parse(item.pk)
    return OrderRecord.stored(
        {
            "shop": key.shop,
            "order_id": key.order_id,
            "platform": item.platform,
            "name": item.name,
            "revision": int(item.revision),
            "version": item.version,
            "review": item.review,
            "holds": item.holds or (),
            "overridden": item.overridden or (),
            "fulfilment": item.fulfilment,
            "payment": item.payment,
            "total": item.total,
            "placed_at": item.placed_at,
            "lines": [_line_of_row(row) for row in item.lines],
            "settled": not item.unsettled,
            "cancelled_by": item.cancelled_by,
            "dispatches": item.dispatches,
            "delivered": bool(item.delivered),
            "attention_since": item.attention_since,
            "cause": item.cause,
        }
    )


def _item(record: OrderRecord) -> RecordItem:
    fields = record.model_dump(mode="json", exclude_defaults=True)
    return RecordItem(
        str(record.key),
        _RECORD,
        platform=record.platform,
        name=record.name,
        revision=record.revision,
        version=fields["version"],
        review=record.review.value,
        holds=fields.get("holds"),
        overridden=fields.get("overridden"),
        fulfilment=record.fulfilment.value,
        payment=record.payment.value,
        total=fields["total"],
        placed_at=as_sortable(record.placed_at),
        lines=[_row(line) for line in record.lines],
        unsettled=None if record.settled else 1,
        cancelled_by=record.cancelled_by,
        dispatches=record.dispatches,
        delivered=1 if record.delivered else None,
        attention_shop=record.shop if record.attention_since else None,
        attention_since=as_sortable(record.attention_since) if record.attention_since else None,
        cause=fields["cause"],
    )


def _row(line: LineState) -> list[Any]:
    row = [line.line_id, line.sku, line.kind.value, line.open, line.allocated, line.shipped, line.returned]
    further: list[Any] = [line.components, line.dispatched] if line.dispatched else [line.components]
    return [*row, *further] if line.dispatched or line.components else row


def _line_of_row(row: list[Any]) -> dict[str, Any]:
    """Rows end where the rest is as usual: a bundle's components and what was dispatched are fields eight and nine."""
    return dict(zip(LineState.model_fields, row, strict=False))


def _stated(order: Order) -> tuple[str, Condition]:
    """The account's place among the accounts of its order, and the condition that none kept is newer."""
    stated = f"{order.version.updated_at}|{order.version.observed_at}"
    return stated, PackedItem.pk.does_not_exist() | (PackedItem.stated <= stated)


def _account(order: Order, stated: str) -> PackedItem:
    body = _pack(order.model_dump_json(exclude={"personal"}, exclude_defaults=True), order.key)
    return PackedItem(str(order.key), _ACCOUNT, stated=stated, body=body)


def _pack_buyer(order: Order) -> bytes:
    """Some plugins attach megabytes of their own data. What is too large for an item stays in the archive alone."""
    try:
        return _pack(order.personal.model_dump_json(exclude_defaults=True), order.key)
    except Rejected:
        lean = order.personal.model_copy(update={"unknown_fields": {"": "too large: see the archived delivery"}})
        return _pack(lean.model_dump_json(exclude_defaults=True), order.key)


def _pack(text: str, key: OrderKey) -> bytes:
    packed = zlib.compress(text.encode("utf-8"), 9)
    if len(packed) > _MOST_PACKED_BYTES:
        raise Rejected("order_too_large", f"order {key} does not fit into an item of 400 KB even when compressed")
    return packed


_MOST_PACKED_BYTES = 390_000


def _unpack(raw: RawItem) -> bytes:
    return zlib.decompress(raw["body"]["B"])
