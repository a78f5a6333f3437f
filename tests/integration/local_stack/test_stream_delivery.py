"""What becomes of a stream's records when the function fails, without a stream, a function or a clock."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from infra.local.outcomes import Outcome
from infra.local.streams import Delivery, stream_record
from infra.local.template import StreamSource

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams.type_defs import RecordTypeDef

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PLAIN = StreamSource(
    table="things",
    function="watcher",
    batch_size=10,
    starting_position="TRIM_HORIZON",
    partial_failures=False,
    bisect=False,
    max_retries=2,
    max_age=-1,
    failure_queue="failures",
)
Behaviour = Callable[[list[str]], Outcome]


@dataclass
class World:
    """Records what the delivery does, and behaves as told."""

    behaviour: Behaviour
    source: StreamSource = PLAIN
    calls: list[list[str]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    stop_after: int = 100
    limit: int = 6 * 1024 * 1024

    def deliver(self, *names: str, age: timedelta = timedelta()) -> bool:
        return Delivery(
            self.source,
            "arn:stream",
            "arn:function",
            invoke=self.invoke,
            send=lambda queue, text: self.sent.append({"queue": queue, **json.loads(text)}),
            clock=lambda: NOW,
            wait=self.wait,
            limit=self.limit,
        ).deliver("shard-1", [record(name, NOW - age) for name in names])

    def invoke(self, _function: str, payload: bytes) -> Outcome:
        names = [item["dynamodb"]["SequenceNumber"] for item in json.loads(payload)["Records"]]
        self.calls.append(names)
        return self.behaviour(names)

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return len(self.waits) >= self.stop_after

    @property
    def given_up(self) -> list[tuple[str, str, int]]:
        return [
            (note["DDBStreamBatchInfo"]["startSequenceNumber"], note["DDBStreamBatchInfo"]["endSequenceNumber"],
             note["DDBStreamBatchInfo"]["batchSize"])
            for note in self.sent
        ]  # fmt: skip


def record(name: str, arrived: datetime) -> "RecordTypeDef":
    return {
        "eventID": name,
        "eventName": "INSERT",
        "dynamodb": {
            "Keys": {"pk": {"S": name}},
            "NewImage": {"pk": {"S": name}, "raw": {"B": b"\x00\xff"}, "all": {"L": [{"BS": [b"\x01"]}]}},
            "SequenceNumber": name,
            "ApproximateCreationDateTime": arrived,
        },
    }


def fail_on(*bad: str) -> Behaviour:
    return lambda names: Outcome(b"{}", failed=bool(set(names) & set(bad)))


def report(*bad: str) -> Behaviour:
    def reply(names: list[str]) -> Outcome:
        failures = [{"itemIdentifier": name} for name in names if name in bad]
        return Outcome(json.dumps({"batchItemFailures": failures}).encode())

    return reply


def test_success_is_one_call() -> None:
    world = World(fail_on())
    assert world.deliver("1", "2", "3")
    assert (world.calls, world.sent, world.waits) == ([["1", "2", "3"]], [], [])


def test_a_failing_batch_is_retried_whole_with_growing_pauses_and_then_given_up() -> None:
    world = World(fail_on("2"))
    assert world.deliver("1", "2", "3")
    assert world.calls == [["1", "2", "3"]] * 3
    assert world.waits == sorted(set(world.waits))
    assert len(world.waits) == 2
    assert world.given_up == [("1", "3", 3)]
    assert world.sent[0]["queue"] == "failures"
    assert world.sent[0]["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert world.sent[0]["requestContext"]["approximateInvokeCount"] == 3


def test_bisecting_isolates_the_bad_record_and_keeps_the_order() -> None:
    world = World(fail_on("3"), replace(PLAIN, bisect=True))
    assert world.deliver("1", "2", "3", "4")
    taken = [names for names in world.calls if "3" not in names]
    assert taken == [["1", "2"], ["4"]]
    assert world.given_up == [("3", "3", 1)]


def test_halving_does_not_count_as_a_retry() -> None:
    world = World(fail_on("1"), replace(PLAIN, bisect=True, max_retries=0))
    assert world.deliver("1", "2", "3", "4")
    assert world.calls == [["1", "2", "3", "4"], ["1", "2"], ["1"], ["2"], ["3", "4"]]
    assert world.given_up == [("1", "1", 1)]


def test_a_partial_failure_starts_again_at_the_first_failed_record() -> None:
    world = World(report("3"), replace(PLAIN, partial_failures=True, bisect=True, max_retries=0))
    assert world.deliver("1", "2", "3", "4")
    assert world.calls == [["1", "2", "3", "4"], ["3", "4"], ["3"], ["4"]]
    assert world.given_up == [("3", "3", 1)]


def test_a_malformed_reply_fails_the_batch() -> None:
    world = World(
        lambda _: Outcome(b'{"batchItemFailures": [{}]}'), replace(PLAIN, partial_failures=True, max_retries=0)
    )
    assert world.deliver("1", "2")
    assert world.given_up == [("1", "2", 2)]


def test_records_past_their_age_are_given_up_without_a_call() -> None:
    world = World(fail_on(), replace(PLAIN, max_age=60))
    assert world.deliver("1", age=timedelta(seconds=61))
    assert world.calls == []
    assert world.sent[0]["requestContext"]["condition"] == "RecordAgeExceeded"
    assert world.deliver("2", age=timedelta(seconds=60))
    assert world.calls == [["2"]]


def test_without_a_bound_retries_go_on_until_asked_to_stop() -> None:
    world = World(fail_on("1"), replace(PLAIN, max_retries=-1), stop_after=12)
    assert not world.deliver("1")
    assert len(world.calls) == 12
    assert world.sent == []


def test_without_a_failure_queue_the_shard_moves_on() -> None:
    world = World(fail_on("1"), replace(PLAIN, failure_queue=None))
    assert world.deliver("1")
    assert world.sent == []


def test_records_too_large_for_one_event_are_delivered_in_parts_and_in_order() -> None:
    world = World(fail_on("2"), replace(PLAIN, max_retries=0), limit=700)
    assert world.deliver("1", "2", "3")
    assert world.calls == [["1"], ["2"], ["3"]]
    assert world.given_up == [("2", "2", 1)]


def test_binary_values_travel_as_base64_and_times_as_seconds() -> None:
    change = stream_record(record("1", NOW), "arn:stream")["dynamodb"]
    assert change["NewImage"]["raw"] == {"B": "AP8="}
    assert change["NewImage"]["all"] == {"L": [{"BS": ["AQ=="]}]}
    assert change["ApproximateCreationDateTime"] == NOW.timestamp()
