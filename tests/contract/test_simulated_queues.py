"""The simulation's queues answer as moto's SQS does: what is handed out, when, how often, and where it ends."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import boto3
import pytest
import time_machine
from moto import mock_aws

from tests.simulation.cloud.queues import Queue

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
VISIBILITY = 30
MOST_RECEIVES = 3


class World(Protocol):
    def send(self, body: str, delay: int = 0) -> None: ...
    def receive(self, most: int = 10) -> list[tuple[str, str, int]]:
        """Receipt, body and how often it was received."""
        ...

    def delete(self, receipt: str) -> None: ...
    def show_after(self, receipt: str, seconds: int) -> None: ...
    def dead(self) -> list[str]: ...
    def wait(self, seconds: float) -> None: ...


class Simulated:
    def __init__(self) -> None:
        self._now = START.timestamp()
        self._dead = Queue("dead")
        self._queue = Queue("orders", VISIBILITY, MOST_RECEIVES, self._dead)
        self._dice = random.Random(1)  # noqa: S311 - repeatable

    def send(self, body: str, delay: int = 0) -> None:
        self._queue.send(body, at=self._now + delay)

    def receive(self, most: int = 10) -> list[tuple[str, str, int]]:
        records = [one.record("orders") for one in self._queue.receive(most, self._dice, now=self._now)]
        return [
            (one["receiptHandle"], one["body"], int(one["attributes"]["ApproximateReceiveCount"])) for one in records
        ]

    def delete(self, receipt: str) -> None:
        self._queue.delete(receipt)

    def show_after(self, receipt: str, seconds: int) -> None:
        self._queue.change_visibility(receipt, seconds, now=self._now)

    def dead(self) -> list[str]:
        return sorted(message.body for message in self._dead.messages.values())

    def wait(self, seconds: float) -> None:
        self._now += seconds


class Moto:
    def __init__(self, clock: time_machine.Traveller) -> None:
        self._clock = clock
        self._sqs: Any = boto3.client("sqs", region_name="eu-west-1")
        self._dead = self._sqs.create_queue(QueueName="dead")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._dead, AttributeNames=["QueueArn"])["Attributes"]
        policy = {"deadLetterTargetArn": attributes["QueueArn"], "maxReceiveCount": MOST_RECEIVES}
        settings: Any = {"VisibilityTimeout": str(VISIBILITY), "RedrivePolicy": json.dumps(policy)}
        self._queue = self._sqs.create_queue(QueueName="orders", Attributes=settings)["QueueUrl"]

    def send(self, body: str, delay: int = 0) -> None:
        self._sqs.send_message(QueueUrl=self._queue, MessageBody=body, DelaySeconds=delay)

    def receive(self, most: int = 10) -> list[tuple[str, str, int]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=most, AttributeNames=["All"], WaitTimeSeconds=0
        )
        return [
            (one["ReceiptHandle"], one["Body"], int(one["Attributes"]["ApproximateReceiveCount"]))
            for one in answer.get("Messages", ())
        ]

    def delete(self, receipt: str) -> None:
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=receipt)

    def show_after(self, receipt: str, seconds: int) -> None:
        self._sqs.change_message_visibility(QueueUrl=self._queue, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    def dead(self) -> list[str]:
        answer = self._sqs.receive_message(QueueUrl=self._dead, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        return sorted(one["Body"] for one in answer.get("Messages", ()))

    def wait(self, seconds: float) -> None:
        self._clock.shift(timedelta(seconds=seconds))


@pytest.fixture(params=["simulated", "moto"])
def queues(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    if request.param == "simulated":
        yield Simulated()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    with time_machine.travel(START, tick=False) as clock, mock_aws():
        yield Moto(clock)


def _bodies(received: list[tuple[str, str, int]]) -> list[str]:
    return sorted(body for _, body, _ in received)


def test_a_message_in_flight_is_nobody_elses_until_its_visibility_ends(queues: World) -> None:
    queues.send("a")
    assert _bodies(queues.receive()) == ["a"]
    assert queues.receive() == []
    queues.wait(VISIBILITY + 1)
    ((_, body, times),) = queues.receive()
    assert (body, times) == ("a", 2)


def test_a_deleted_message_never_comes_again(queues: World) -> None:
    queues.send("a")
    queues.send("b")
    received = queues.receive()
    assert _bodies(received) == ["a", "b"]
    (receipt,) = [receipt for receipt, body, _ in received if body == "a"]
    queues.delete(receipt)
    queues.wait(VISIBILITY + 1)
    assert _bodies(queues.receive()) == ["b"]


def test_a_delayed_message_waits(queues: World) -> None:
    queues.send("later", delay=60)
    assert queues.receive() == []
    queues.wait(61)
    assert _bodies(queues.receive()) == ["later"]


@pytest.mark.parametrize("seconds", [0, 5, 300])
def test_visibility_can_be_set_anew(queues: World, seconds: int) -> None:
    queues.send("a")
    ((receipt, _, _),) = queues.receive()
    queues.show_after(receipt, seconds)
    if seconds:
        queues.wait(seconds - 1)
        assert queues.receive() == []
    queues.wait(2)
    assert _bodies(queues.receive()) == ["a"]


def test_what_is_received_too_often_ends_among_the_dead(queues: World) -> None:
    queues.send("poison")
    for _ in range(MOST_RECEIVES):
        assert _bodies(queues.receive()) == ["poison"]
        queues.wait(VISIBILITY + 1)
    assert queues.dead() == []
    assert queues.receive() == []
    assert queues.dead() == ["poison"]


def test_no_more_than_asked_for_is_handed_out(queues: World) -> None:
    for number in range(5):
        queues.send(str(number))
    first, second = queues.receive(most=2), queues.receive(most=10)
    assert (len(first), len(second)) == (2, 3)
    assert _bodies([*first, *second]) == ["0", "1", "2", "3", "4"]
