"""Tables in DynamoDB, for the areas' `table.py` files and nobody else.

pynamodb gives the item classes (the shape of what is stored, conditions, update expressions); the calls go through
its `Connection`, bound to a table by instance and not by class: one botocore client serves all tables (pynamodb's
models would make one each, 75 to 100 ms), and a test can have as many tables as it likes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import botocore.exceptions
from pynamodb.attributes import NumberAttribute
from pynamodb.connection import Connection
from pynamodb.connection.base import MetaTable
from pynamodb.constants import ITEM as AS_ITEM
from pynamodb.exceptions import CancellationReason, PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from shared.kernel.errors import Conflict, Retry

RawItem = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB writes it: `{"sku": {"S": "MUG"}}`."""
Key = tuple[str, str]
"""Partition and sort key: every table of ours has both, as text."""
DatabaseError = PynamoDBException
"""What pynamodb raises for whatever is neither a conflict nor passing: a missing table, no permission."""
Operation = dict[str, Any]
"""One action of a transaction."""

_MAX_KEYS_PER_READ = 100
_MAX_ITEMS_PER_WRITE = 25
_CONFLICTS = frozenset({"ConditionalCheckFailed", "ConditionalCheckFailedException", "TransactionConflict"})


def connect(*, connect_seconds: float = 2.0, read_seconds: float = 3.0) -> Connection:
    """A connection to the engine that the environment names (`AWS_ENDPOINT_URL_DYNAMODB` or AWS itself)."""
    return Connection(connect_timeout_seconds=connect_seconds, read_timeout_seconds=read_seconds)


class WriteRefused(Conflict):
    """A condition did not hold, or another transaction was at the same item: read again and decide again."""

    def __init__(self, found: RawItem | None = None, refused: Collection[int] = ()) -> None:
        super().__init__("changed_meanwhile", "the data changed since it was read")
        self.found = found
        """The item that refused, where DynamoDB returned it."""
        self.refused = refused
        """Which operations of a transaction were refused: their places, deletes first, then puts, then updates."""


class Table:
    """One table, with text keys."""

    def __init__(self, connection: Connection, name: str, item: type[Model]) -> None:
        self.connection = connection
        self.name = name
        self._keys = _key_names(item)
        # pynamodb has no public way to describe a table without asking the service for it.
        if name not in connection._tables:  # noqa: SLF001
            connection.add_meta_table(_describe(name, item))

    def get(self, key: Key) -> RawItem | None:
        """One item, read consistently."""
        with _translated():
            answer = self.connection.get_item(self.name, key[0], key[1], consistent_read=True)
        found: RawItem | None = answer.get("Item")
        return found

    def get_many(self, keys: Iterable[Key]) -> Iterator[RawItem]:
        """Items by key, read consistently, in no order; missing ones are left out."""
        wanted = [dict(zip(self._keys, key, strict=True)) for key in keys]
        while wanted:
            batch, wanted = wanted[:_MAX_KEYS_PER_READ], wanted[_MAX_KEYS_PER_READ:]
            with _translated():
                answer = self.connection.batch_get_item(self.name, batch, consistent_read=True)  # type: ignore[arg-type]
            yield from answer["Responses"].get(self.name, ())
            unread = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", ())
            if len(unread) == len(batch):
                raise Retry("database_busy", "the table throttles reads")
            wanted += [{name: value["S"] for name, value in key.items()} for key in unread]

    def query(
        self,
        partition: str,
        *,
        index: str | None = None,
        condition: Condition | None = None,
        consistent: bool = False,
        newest_first: bool = False,
        page: int | None = None,
    ) -> Iterator[RawItem]:
        """All items of a partition in the order of the sort key, or against it, page by page: as many at a time as
        come in one answer, or fewer for callers that want only the first ones."""
        start: Any = None
        while True:
            with _translated():
                answer = self.connection.query(
                    self.name,
                    partition,
                    index_name=index,
                    range_key_condition=condition,
                    consistent_read=consistent,
                    exclusive_start_key=start,
                    scan_index_forward=not newest_first,
                    limit=page,
                )
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if not start:
                return

    def scan(self, condition: Condition | None = None) -> Iterator[RawItem]:
        """Every item of the table that meets the condition: for operators, never for functions."""
        start: Any = None
        while True:
            with _translated():
                answer = self.connection.scan(self.name, filter_condition=condition, exclusive_start_key=start)
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if not start:
                return

    def put(self, item: Model, condition: Condition | None = None) -> None:
        """Write a whole item, or raise :class:`WriteRefused`."""
        self.write(self.putting(item, condition), kind="Put")

    def put_many(self, items: Iterable[Model]) -> None:
        """Write whole items without conditions, in calls of 25 and in no order.

        Raises:
            Retry: the table throttles; some of them may be written.
        """
        waiting = [dict(item.serialize()) for item in items]
        while waiting:
            batch, waiting = waiting[:_MAX_ITEMS_PER_WRITE], waiting[_MAX_ITEMS_PER_WRITE:]
            with _translated():
                answer = self.connection.batch_write_item(self.name, put_items=batch)
            left = [request["PutRequest"]["Item"] for request in answer.get("UnprocessedItems", {}).get(self.name, ())]
            if len(left) == len(batch):
                raise Retry("database_busy", "the table throttles writes")
            waiting += left

    def update(self, key: Key, actions: Sequence[Action], condition: Condition | None = None) -> None:
        """Change an item, or raise :class:`WriteRefused`."""
        self.write(self.updating(key, actions, condition), kind="Update")

    def count(self, key: Key, counter: NumberAttribute, also: Sequence[Action] = ()) -> int:
        """Add one to an item's counter, making the item where there is none, and return what it says then."""
        operation = self.connection.get_operation_kwargs(
            self.name, key[0], key[1], actions=[counter.add(1), *also], return_values="UPDATED_NEW"
        )
        with _translated():
            answer = self.connection.dispatch("UpdateItem", operation)
        return int(answer["Attributes"][counter.attr_name]["N"])

    def delete(self, key: Key, condition: Condition | None = None) -> None:
        """Remove an item, or raise :class:`WriteRefused`."""
        with _translated():
            self.connection.delete_item(self.name, key[0], key[1], condition=condition)

    def putting(self, item: Model, condition: Condition | None = None) -> Operation:
        attributes = item.serialize()
        partition, sort = (attributes.pop(name)["S"] for name in self._keys)
        return self.connection.get_operation_kwargs(
            self.name,
            partition,
            sort,
            key=AS_ITEM,
            attributes=attributes,
            condition=condition,
            return_values_on_condition_failure="ALL_OLD",
        )

    def updating(self, key: Key, actions: Sequence[Action], condition: Condition | None = None) -> Operation:
        return self.connection.get_operation_kwargs(
            self.name,
            key[0],
            key[1],
            actions=actions,
            condition=condition,
            return_values_on_condition_failure="ALL_OLD",
        )

    def deleting(self, key: Key) -> Operation:
        return self.connection.get_operation_kwargs(self.name, key[0], key[1])

    def write(self, operation: Operation, *, kind: str) -> None:
        """Send one prepared operation by itself."""
        with _translated():
            self.connection.dispatch(f"{kind}Item", operation)


def transact(
    connection: Connection,
    *,
    puts: Sequence[Operation],
    updates: Sequence[Operation],
    deletes: Sequence[Operation] = (),
) -> None:
    """Write all or nothing, at most 100 operations. botocore adds a token, so that its own retries apply once.

    Raises:
        WriteRefused: a condition did not hold, or another transaction was at one of the items.
        Retry: throttled, or the outcome is unknown: read again before deciding what to do.
    """
    with _translated():
        try:
            connection.transact_write_items([], deletes, puts, updates)
        except PynamoDBException as error:
            _raise_cancelled(error)
            raise


def _raise_cancelled(error: PynamoDBException) -> None:
    reasons: list[CancellationReason | None] = list(getattr(error, "cancellation_reasons", ()))
    refused = {
        place: reason for place, reason in enumerate(reasons) if reason is not None and reason.code in _CONFLICTS
    }
    if refused and all(reason is None or reason.code in _CONFLICTS for reason in reasons):
        found: list[Any] = [reason.raw_item for reason in refused.values() if reason.raw_item]
        raise WriteRefused(found[0] if found else None, refused.keys()) from error


@contextmanager
def _translated() -> Iterator[None]:
    """Turn pynamodb's and botocore's errors into what the caller is to do next."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in _CONFLICTS:
            raise WriteRefused(_refusing_item(error)) from error
        _raise_retry(error.response["Error"]["Code"], error)
        raise
    except botocore.exceptions.BotoCoreError as error:
        raise Retry("database_unreachable", f"the outcome is unknown: {type(error).__name__}") from error
    except PynamoDBException as error:
        if isinstance(error.cause, botocore.exceptions.BotoCoreError):
            # Before its code is asked for: pynamodb looks for one in the response, and a time-out's is None.
            raise Retry("database_unreachable", f"the outcome is unknown: {type(error.cause).__name__}") from error
        code = error.cause_response_code
        if code in _CONFLICTS:
            raise WriteRefused from error
        _raise_retry(code or "", error)
        raise


def _refusing_item(error: botocore.exceptions.ClientError) -> RawItem | None:
    """pynamodb re-raises botocore's error without the item that it carries."""
    response: Any = getattr(error.__cause__, "response", None) or error.response
    item: RawItem | None = response.get("Item")
    return item


_PASSING = frozenset(
    {
        "InternalServerError",
        "ItemCollectionSizeLimitExceededException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionCanceledException",
        "TransactionInProgressException",
    }
)


def _raise_retry(code: str, error: Exception) -> None:
    if code in _PASSING:
        raise Retry("database_busy", f"the table answers {code}") from error


@cache
def _key_names(item: type[Model]) -> tuple[str, ...]:
    attributes = item.get_attributes().values()
    return (
        *(attribute.attr_name for attribute in attributes if attribute.is_hash_key),
        *(attribute.attr_name for attribute in attributes if attribute.is_range_key),
    )


def _describe(name: str, item: type[Model]) -> MetaTable:
    schema: Any = item._get_schema()  # noqa: SLF001 - the same that pynamodb's own connection is made from
    return MetaTable(
        {
            "TableName": name,
            "KeySchema": schema["key_schema"],
            "AttributeDefinitions": schema["attribute_definitions"],
            "GlobalSecondaryIndexes": [
                {"IndexName": index["index_name"], "KeySchema": index["key_schema"]}
                for index in schema["global_secondary_indexes"]
            ],
            "LocalSecondaryIndexes": [],
        }
    )
