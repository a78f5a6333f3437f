"""Transactions: all actions or none."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from infra.fakes.aws.dynamodb.database import Database
from infra.fakes.aws.dynamodb.errors import CONDITION_FAILED, Cancelled, Invalid, OtherRequest
from infra.fakes.aws.dynamodb.items import Answer, Request, look_up, refusing_item, shown
from infra.fakes.aws.dynamodb.metering import Units, consumed, read_units
from infra.fakes.aws.dynamodb.storage import Stored, TableStore
from infra.fakes.aws.dynamodb.writing import Change, Write

_MAX_ACTIONS: Final = 100
_MAX_BYTES: Final = 4 << 20
_TOKEN_SECONDS: Final = 600
_KINDS: Final = frozenset({"Put", "Update", "Delete", "ConditionCheck"})
_KNOWN: Final = frozenset(
    {
        "TableName",
        "Key",
        "Item",
        "UpdateExpression",
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValuesOnConditionCheckFailure",
    }
)
_FACTOR: Final = 2
"""Each item is read or written twice: to prepare and to commit."""

_Decided = tuple[Write, Stored | None, Change | None, dict[str, Any]]


class Tokens:
    """Which requests were carried out, for ten minutes: the same once more is not carried out again."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._seen: dict[str, tuple[float, str]] = {}

    def clear(self) -> None:
        self._seen.clear()

    def is_done(self, request: Request) -> bool:
        token = request.get("ClientRequestToken")
        done = self._seen.get(token) if token is not None else None
        if done is None or self._now() - done[0] >= _TOKEN_SECONDS:
            return False
        if done[1] != _text(request):
            raise OtherRequest
        return True

    def remember(self, request: Request) -> None:
        token = request.get("ClientRequestToken")
        if token is not None:
            self._seen[token] = (self._now(), _text(request))


def _text(request: Request) -> str:
    return json.dumps(request["TransactItems"], sort_keys=True, default=repr)


def transact_write(database: Database, tokens: Tokens, request: Request) -> Answer:
    """Raises `Cancelled` where a condition does not hold or an update cannot be made of the item that is there."""
    writes = _writes(database, request["TransactItems"])
    if tokens.is_done(request):
        return _repeated(database, writes, request)
    decided = [_decide(write) for write in writes]
    _bill_and_check(database, decided)
    changes = [change for _, _, change, _ in decided if change is not None]
    _check_bytes(changes)
    database.commit(changes)
    tokens.remember(request)
    units: dict[str, Units] = {}
    for change in changes:
        change.bill(units.setdefault(change.store.schema.name, Units()), factor=_FACTOR)
    for table, spent in units.items():
        database.meter.count_written("TransactWriteItems", table, spent.total)
    return _with_units({}, request, units, "Write")


def _writes(database: Database, items: list[Mapping[str, Any]]) -> list[Write]:
    if not 1 <= len(items) <= _MAX_ACTIONS:
        raise Invalid(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have"
            f" length {'less' if items else 'greater'} than or equal to {_MAX_ACTIONS if items else 1}"
        )
    writes = []
    places = set()
    for item in items:
        if len(item) != 1:
            raise Invalid("TransactItems can only contain one of Check, Put, Update or Delete")
        ((kind, given),) = item.items()
        if kind not in _KINDS:
            raise Invalid("TransactItems can only contain one of Check, Put, Update or Delete")
        if not given.keys() <= _KNOWN:
            raise NotImplementedError(f"{kind} is not imitated with {', '.join(sorted(given.keys() - _KNOWN))}")
        write = Write(kind, database.store(given["TableName"]), given)
        writes.append(write)
        places.add((given["TableName"], write.place))
    if len(places) < len(writes):
        raise Invalid("Transaction request cannot include multiple operations on one item")
    return writes


def _decide(write: Write) -> _Decided:
    """The change of one action, or the reason why there is none."""
    old = write.store.find(write.place)
    try:
        write.check_index_types()
        if not write.holds(old):
            reason: dict[str, Any] = {"Code": "ConditionalCheckFailed", "Message": CONDITION_FAILED}
            found = refusing_item(write.request, old)
            return write, old, None, reason if found is None else {"Item": found, **reason}
        new = write.result(old)
    except Invalid as error:
        return write, old, None, {"Code": "ValidationError", "Message": str(error)}
    return write, old, Change(write.store, write.place, old, new), {"Code": "None"}


def _bill_and_check(database: Database, decided: list[_Decided]) -> None:
    """Refuse the transaction if one of its actions has a reason to. That is billed like what was refused alone, twice
    (AWS says of transactions only that failed ones may consume units: the upper bound is taken)."""
    if all(change is not None for _, _, change, _ in decided):
        return
    spent: dict[str, float] = {}
    for write, old, _, _ in decided:
        table = write.store.schema.name
        spent[table] = spent.get(table, 0.0) + _FACTOR * write.refused_units(old)
    for table, units in spent.items():
        database.meter.count_written("TransactWriteItems", table, units)
    raise Cancelled([reason for _, _, _, reason in decided])


def _check_bytes(changes: list[Change]) -> None:
    if sum(change.new.size for change in changes if change.new) > _MAX_BYTES:
        raise Invalid(
            "Collection size of items exceeded, which can also be caused by the aggregate size of the items in the"
            " transaction exceeding the 4MB limit"
        )


def _repeated(database: Database, writes: list[Write], request: Request) -> Answer:
    """A transaction that was carried out already: its items are read and nothing is written."""
    units: dict[str, Units] = {}
    for write in writes:
        old = write.store.find(write.place)
        spent = units.setdefault(write.store.schema.name, Units())
        spent.table += _FACTOR * read_units(old.size if old else 0, consistent=True)
    for table, read in units.items():
        database.meter.count_read("TransactWriteItems", table, read.total)
    return _with_units({}, request, units, "Read")


def transact_get(database: Database, request: Request) -> Answer:
    """Items as they were at one moment."""
    gets: list[Mapping[str, Any]] = [item["Get"] for item in request["TransactItems"]]
    if not 1 <= len(gets) <= _MAX_ACTIONS:
        raise Invalid(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have"
            f" length {'less' if gets else 'greater'} than or equal to {_MAX_ACTIONS if gets else 1}"
        )
    stores: list[TableStore] = [database.store(get["TableName"]) for get in gets]
    places = {(store.schema.name, store.schema.key_of(get["Key"])) for store, get in zip(stores, gets, strict=True)}
    if len(places) < len(gets):
        raise Invalid("Transaction request cannot include multiple operations on one item")
    units: dict[str, Units] = {}
    responses: list[Answer] = []
    for store, get in zip(stores, gets, strict=True):
        stored, program = look_up(store, get["Key"], get)
        spent = units.setdefault(store.schema.name, Units())
        spent.table += _FACTOR * read_units(stored.size if stored else 0, consistent=True)
        responses.append({"Item": shown(stored, program)} if stored else {})
    for table, read in units.items():
        database.meter.count_read("TransactGetItems", table, read.total)
    return _with_units({"Responses": responses}, request, units, "Read")


def _with_units(answer: Answer, request: Request, units: Mapping[str, Units], kind: str) -> Answer:
    mode = request.get("ReturnConsumedCapacity")
    capacities = [consumed(mode, table, spent, kind=kind) for table, spent in units.items()]
    if mode is not None and mode != "NONE":
        answer["ConsumedCapacity"] = capacities
    return answer
