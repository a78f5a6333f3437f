"""Calls about many items, each by itself: nothing holds them together."""

from collections.abc import Mapping
from typing import Any, Final

from infra.fakes.aws.dynamodb.database import Database
from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.items import Answer, Request, look_up, shown
from infra.fakes.aws.dynamodb.metering import Units, consumed, read_units
from infra.fakes.aws.dynamodb.writing import Change, Write

_MAX_WRITES: Final = 25
_MAX_READS: Final = 100
_MAX_READ_BYTES: Final = 16 << 20
_DUPLICATES: Final = "Provided list of item keys contains duplicates"


def batch_get(database: Database, request: Request) -> Answer:
    """Items by key, of several tables. What would make the answer larger than 16 MB stays unread."""
    wanted: Mapping[str, Mapping[str, Any]] = request["RequestItems"]
    _check_count("keys", {table: given["Keys"] for table, given in wanted.items()}, _MAX_READS)
    found: dict[str, list[Any]] = {}
    unread: dict[str, Any] = {}
    capacities = []
    left = _MAX_READ_BYTES
    for table, given in wanted.items():
        rows = _rows(database, table, given)
        units = Units()
        found[table] = []
        for key, stored, program in rows:
            size = stored.size if stored else 0
            if size > left:
                unread.setdefault(table, {**given, "Keys": []})["Keys"].append(key)
                continue
            left -= size
            units.table += read_units(size, consistent=bool(given.get("ConsistentRead")))
            if stored:
                found[table].append(shown(stored, program))
        database.meter.count_read("BatchGetItem", table, units.total)
        capacities.append(consumed(request.get("ReturnConsumedCapacity"), table, units))
    return _with_units({"Responses": found, "UnprocessedKeys": unread}, capacities)


def _rows(database: Database, table: str, given: Mapping[str, Any]) -> list[Any]:
    store = database.store(table)
    places = [store.schema.key_of(key) for key in given["Keys"]]
    if len(set(places)) < len(places):
        raise Invalid(_DUPLICATES)
    return [(key, *look_up(store, key, given)) for key in given["Keys"]]


def batch_write(database: Database, request: Request) -> Answer:
    """Puts and deletes without conditions, of several tables: all are checked before any is stored."""
    wanted: Mapping[str, list[Mapping[str, Any]]] = request["RequestItems"]
    _check_count("member", wanted, _MAX_WRITES)
    writes = {table: [_write(database, table, given) for given in requests] for table, requests in wanted.items()}
    for those in writes.values():
        if len({write.place for write in those}) < len(those):
            raise Invalid(_DUPLICATES)
    changes = {table: [_change(write) for write in those] for table, those in writes.items()}
    capacities = []
    for table, decided in changes.items():
        units = Units()
        database.commit(decided)
        for change in decided:
            change.bill(units)
        database.meter.count_written("BatchWriteItem", table, units.total)
        capacities.append(consumed(request.get("ReturnConsumedCapacity"), table, units))
    return _with_units({"UnprocessedItems": {}}, capacities)


def _write(database: Database, table: str, given: Mapping[str, Any]) -> Write:
    store = database.store(table)
    if given.keys() == {"PutRequest"}:
        return Write("Put", store, given["PutRequest"])
    if given.keys() == {"DeleteRequest"}:
        return Write("Delete", store, given["DeleteRequest"])
    raise Invalid(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
    )


def _change(write: Write) -> Change:
    write.check_index_types()
    old = write.store.find(write.place)
    return Change(write.store, write.place, old, write.result(old))


def _check_count(what: str, by_table: Mapping[str, Any], most: int) -> None:
    if not by_table or not all(by_table.values()):
        raise Invalid(
            f"1 validation error detected: Value at 'requestItems' ({what}) failed to satisfy constraint:"
            " Member must have length greater than or equal to 1"
        )
    if sum(map(len, by_table.values())) > most:
        raise Invalid(
            f"1 validation error detected: Value at 'requestItems' ({what}) failed to satisfy constraint:"
            f" Member must have length less than or equal to {most}"
        )


def _with_units(answer: Answer, capacities: list[Any]) -> Answer:
    shown_ = [capacity for capacity in capacities if capacity is not None]
    if shown_:
        answer["ConsumedCapacity"] = shown_
    return answer
