"""What feeds functions from tables' streams: Lambda's event source mapping for DynamoDB Streams."""

import base64
import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from infra.local.intrinsics import REGION
from infra.local.lambdas import SendToQueue
from infra.local.outcomes import MAX_PAYLOAD_BYTES, Outcome
from infra.local.pollers import Invoke, split_by_size
from infra.local.replies import failed_items
from infra.local.template import StreamSource
from shared.kernel.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_dynamodbstreams.type_defs import RecordTypeDef

FIRST_BACKOFF: Final = 0.1
LONGEST_BACKOFF: Final = 5.0
"""Seconds between two tries of a failing batch."""

Wait = Callable[[float], bool]
"""Wait that many seconds; True asks to stop now."""


class Checkpoints(Protocol):
    """How far each shard has been read, by sequence number."""

    def get(self, shard: str, /) -> str | None: ...

    def put(self, shard: str, sequence_number: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one shard that stay in order, and how often they were retried."""

    records: "list[RecordTypeDef]"
    retries: int = 0


@dataclass(frozen=True, slots=True)
class FailedCall:
    outcome: Outcome
    condition: str


@dataclass(frozen=True)
class Delivery:
    """Brings records of one shard to the function, in order, by the mapping's rules for failures.

    A partial failure moves the start of the batch to the first record that failed. Where the first record itself
    fails, the batch is halved if the mapping bisects, which does not count as a retry; else it is retried. Batches
    out of retries or out of age go to the on-failure queue as a pointer into the stream, and the shard moves on.
    """

    source: StreamSource
    stream_arn: str
    function_arn: str
    invoke: Invoke
    send: SendToQueue
    clock: Clock
    wait: Wait
    limit: int = MAX_PAYLOAD_BYTES
    """Bytes of one event."""

    def deliver(self, shard: str, records: "list[RecordTypeDef]") -> bool:
        """Go on until every record was taken or given up; False when asked to stop before that."""
        parts = split_by_size(records, self.limit, as_json=lambda record: stream_record(record, self.stream_arn))
        work = [Batch(part) for part in parts]
        backoff = FIRST_BACKOFF
        while work:
            batch = work.pop(0)
            if self._too_old(batch):
                self._give_up(shard, batch, FailedCall(Outcome(b"null"), "RecordAgeExceeded"))
                continue
            outcome = self._call(batch)
            first = self._first_failure(batch, outcome)
            if first is None:
                backoff = FIRST_BACKOFF
                continue
            again = self._again(batch, first)
            if not again:
                self._give_up(shard, batch, FailedCall(outcome, "RetryAttemptsExhausted"))
                continue
            work = again + work
            if self.wait(backoff):
                return False
            backoff = min(backoff * 2, LONGEST_BACKOFF)
        return True

    def _call(self, batch: Batch) -> Outcome:
        event = {"Records": [stream_record(record, self.stream_arn) for record in batch.records]}
        return self.invoke(self.source.function, json.dumps(event).encode())

    def _first_failure(self, batch: Batch, outcome: Outcome) -> int | None:
        numbers = [_number(record) for record in batch.records]
        failed = failed_items(outcome, numbers, partial=self.source.partial_failures)
        return min((numbers.index(number) for number in failed), default=None)

    def _again(self, batch: Batch, first: int) -> list[Batch]:
        if first > 0:
            return [Batch(batch.records[first:])]
        if self.source.bisect and len(batch.records) > 1:
            middle = len(batch.records) // 2
            return [Batch(batch.records[:middle], batch.retries), Batch(batch.records[middle:], batch.retries)]
        if 0 <= self.source.max_retries <= batch.retries:
            return []
        return [Batch(batch.records, batch.retries + 1)]

    def _too_old(self, batch: Batch) -> bool:
        limit = self.source.max_age
        return limit >= 0 and self.clock() - _arrived(batch.records[-1]) > timedelta(seconds=limit)

    def _give_up(self, shard: str, batch: Batch, call: FailedCall) -> None:
        if self.source.failure_queue is None:
            return
        record = {
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": self.function_arn,
                "condition": call.condition,
                "approximateInvokeCount": batch.retries + 1,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled" if call.outcome.failed else None,
            },
            "version": "1.0",
            "timestamp": _iso(self.clock()),
            "DDBStreamBatchInfo": {
                "shardId": shard,
                "startSequenceNumber": _number(batch.records[0]),
                "endSequenceNumber": _number(batch.records[-1]),
                "approximateArrivalOfFirstRecord": _iso(_arrived(batch.records[0])),
                "approximateArrivalOfLastRecord": _iso(_arrived(batch.records[-1])),
                "batchSize": len(batch.records),
                "streamArn": self.stream_arn,
            },
        }
        self.send(self.source.failure_queue, json.dumps(record))


class StreamPoller:
    """Reads one table's stream, shard by shard."""

    def __init__(
        self,
        source: StreamSource,
        stream_arn: str,
        streams: "DynamoDBStreamsClient",
        delivery: Delivery,
        checkpoints: Checkpoints,
    ) -> None:
        self._source = source
        self._stream_arn = stream_arn
        self._streams = streams
        self._delivery = delivery
        self._checkpoints = checkpoints
        self._iterators: dict[str, str | None] = {}

    @property
    def name(self) -> str:
        return f"stream of {self._source.table} to {self._source.function}"

    def step(self) -> bool:
        progress = [self._step(shard) for shard in self._shards()]
        return any(progress)

    def waiting(self) -> bool:
        return False

    def _shards(self) -> list[str]:
        described = self._streams.describe_stream(StreamArn=self._stream_arn)["StreamDescription"]
        return [shard["ShardId"] for shard in described.get("Shards", [])]

    def _step(self, shard: str) -> bool:
        if shard not in self._iterators:
            self._iterators[shard] = self._iterator(shard)
        iterator = self._iterators[shard]
        if iterator is None:  # closed and read to its end
            return False
        answer = self._streams.get_records(ShardIterator=iterator, Limit=self._source.batch_size)
        records = answer["Records"]
        if records:
            if not self._delivery.deliver(shard, records):
                return False
            self._checkpoints.put(shard, _number(records[-1]))
        self._iterators[shard] = answer.get("NextShardIterator")
        return bool(records)

    def _iterator(self, shard: str) -> str:
        seen = self._checkpoints.get(shard)
        if seen is not None:
            return self._streams.get_shard_iterator(
                StreamArn=self._stream_arn,
                ShardId=shard,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                SequenceNumber=seen,
            )["ShardIterator"]
        return self._streams.get_shard_iterator(
            StreamArn=self._stream_arn,
            ShardId=shard,
            ShardIteratorType="TRIM_HORIZON" if self._source.starting_position == "TRIM_HORIZON" else "LATEST",
        )["ShardIterator"]


def stream_arn_of(table: str, dynamodb: "DynamoDBClient") -> str:
    return dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]


def stream_record(record: "RecordTypeDef", stream_arn: str) -> dict[str, Any]:
    """A change as it appears in the event: times are epoch seconds, binary values are base64."""
    change: dict[str, Any] = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = _arrived(record).timestamp()
    for image in ("Keys", "NewImage", "OldImage"):
        if image in change:
            change[image] = {name: _attribute(value) for name, value in change[image].items()}
    return {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record.get("eventVersion", "1.1"),
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
        "eventSourceARN": stream_arn,
    }


def _attribute(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {name: _attribute(item) for name, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_attribute(item) for item in value]
    return value


def _number(record: "RecordTypeDef") -> str:
    return record["dynamodb"]["SequenceNumber"]


def _arrived(record: "RecordTypeDef") -> datetime:
    return record["dynamodb"]["ApproximateCreationDateTime"]


def _iso(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S.%f}Z"
