"""DynamoDB in memory, for simulations: quick, and true to the answers, the stream and the units.

It is called as botocore calls the service, and answers, or raises `ClientError`, as botocore would. A conformance suite
(`tests/contract/test_dynamodb_engines.py`) sends the same requests to it and to Dynoxide.

Not imitated, since a simulation decides about it: latency, throttling and the throughput of partitions, conflicts
between transactions that run at once (calls come one after the other), reads and indexes that are behind (what was
written is seen at once, in indexes too), answers that get lost. Nor are: local secondary indexes, the parameters from
before expressions, PartiQL, parallel scans, item collection metrics, reserved words, changes of tables.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from infra.fakes.aws.dynamodb import batches, items, transactions
from infra.fakes.aws.dynamodb.database import Database
from infra.fakes.aws.dynamodb.errors import Cancelled, Invalid, NoTable, OtherRequest, Refused, as_client_error
from infra.fakes.aws.dynamodb.metering import Listener
from infra.fakes.aws.dynamodb.numbers import number
from infra.fakes.aws.dynamodb.storage import Stored
from infra.fakes.aws.dynamodb.streams import StreamRecord
from infra.fakes.aws.dynamodb.writing import Change

_OLDEST_EXPIRY: Final = 5 * 365 * 86400
"""Seconds. What should have expired longer ago than that is taken for a mistake, and stays."""
_EXPRESSIONS: Final = frozenset({"ExpressionAttributeNames", "ExpressionAttributeValues"})
_COMMON: Final = frozenset({"TableName", "ReturnConsumedCapacity"})
_WRITING: Final = (
    _COMMON | _EXPRESSIONS | {"ConditionExpression", "ReturnValuesOnConditionCheckFailure", "ReturnValues"}
)
_READING: Final = _COMMON | _EXPRESSIONS | {"ConsistentRead", "ProjectionExpression"}
_PAGING: Final = _READING | {"FilterExpression", "IndexName", "Limit", "ExclusiveStartKey", "Select"}
_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "GetItem": _READING | {"Key"},
    "PutItem": _WRITING | {"Item"},
    "UpdateItem": _WRITING | {"Key", "UpdateExpression"},
    "DeleteItem": _WRITING | {"Key"},
    "Query": _PAGING | {"KeyConditionExpression", "ScanIndexForward"},
    "Scan": _PAGING,
    "BatchGetItem": frozenset({"RequestItems", "ReturnConsumedCapacity"}),
    "BatchWriteItem": frozenset({"RequestItems", "ReturnConsumedCapacity"}),
    "TransactWriteItems": frozenset({"TransactItems", "ReturnConsumedCapacity", "ClientRequestToken"}),
    "TransactGetItems": frozenset({"TransactItems", "ReturnConsumedCapacity"}),
}


class MemoryDynamoDb:
    """Tables in memory, for one caller at a time.

    `now`: seconds since the epoch. `on_consumed`: is told operation, table, read units and write units of each call,
    once for each table, also of calls that a condition refuses.
    """

    def __init__(self, now: Callable[[], float], *, on_consumed: Listener | None = None) -> None:
        self._database = Database(now)
        self._database.meter.listener = on_consumed
        self._tokens = transactions.Tokens(now)
        database = self._database
        self._operations: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "GetItem": partial(items.get_item, database),
            "PutItem": partial(items.write_item, database, "Put"),
            "UpdateItem": partial(items.write_item, database, "Update"),
            "DeleteItem": partial(items.write_item, database, "Delete"),
            "Query": partial(items.query, database),
            "Scan": partial(items.scan, database),
            "BatchGetItem": partial(batches.batch_get, database),
            "BatchWriteItem": partial(batches.batch_write, database),
            "TransactWriteItems": partial(transactions.transact_write, database, self._tokens),
            "TransactGetItems": partial(transactions.transact_get, database),
        }

    @property
    def on_consumed(self) -> Listener | None:
        return self._database.meter.listener

    @on_consumed.setter
    def on_consumed(self, listener: Listener | None) -> None:
        self._database.meter.listener = listener

    @property
    def consumed(self) -> Mapping[str, tuple[float, float]]:
        """Read and write units by table, since the beginning or since `clear`."""
        meter = self._database.meter
        return {table: (meter.read[table], meter.written[table]) for table in {*meter.read, *meter.written}}

    def create_table(self, definition: Mapping[str, Any]) -> None:
        """`definition`: CreateTable's arguments."""
        self._database.create(definition)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a request in boto3's form. All is checked before anything is stored.

        Raises:
            ClientError: as the service refuses it.
            NotImplementedError: it asks for what is not imitated.
        """
        carry_out = self._operations.get(operation)
        if carry_out is None or not request.keys() <= _KNOWN[operation]:
            further = sorted(request.keys() - _KNOWN.get(operation, frozenset()))
            raise NotImplementedError(f"{operation} is not imitated with {', '.join(further)}")
        try:
            answer = carry_out(request)
        except (Invalid, Refused, Cancelled, NoTable, OtherRequest) as error:
            raise as_client_error(operation, error) from None
        answer["ResponseMetadata"] = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}
        return answer

    def stream(self, table: str) -> Sequence[StreamRecord]:
        """All changes of a table so far, in order, as Lambda hands them to a function."""
        return self._database.streams[table].records

    def expire(self, table: str, attribute: str) -> int:
        """Delete what has expired by now, as Time to Live does some time later; how many items that were.

        `attribute` holds the second since the epoch in which an item expires; items without such a number stay. The
        deletions are in the stream, marked as the service's own, and consume nothing.
        """
        store = self._database.store(table)
        now = self._database.now()
        expired = [
            Change(store, place, stored, None)
            for place, stored in store.everything()
            if now - _OLDEST_EXPIRY <= _expiry(stored, attribute) < now
        ]
        self._database.commit(expired, expired=True)
        return len(expired)

    def clear(self) -> None:
        """Empty all tables and streams and forget what was consumed; the tables stay."""
        self._database.clear()
        self._tokens.clear()


def _expiry(stored: Stored, attribute: str) -> float:
    value = stored.item.get(attribute, {})
    return float(number(value["N"])) if "N" in value else float("inf")
