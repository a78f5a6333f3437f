"""What feeds functions from queues: Lambda's event source mapping for SQS."""

import base64
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from infra.local.bell import Bell
from infra.local.intrinsics import ACCOUNT, REGION
from infra.local.outcomes import MAX_PAYLOAD_BYTES, Outcome
from infra.local.replies import failed_items
from infra.local.template import QueueSource

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

RECEIVE_LIMIT = 10
"""Messages that SQS hands out at once."""
_ENVELOPE = len(b'{"Records": []}')

Invoke = Callable[[str, bytes], Outcome]
"""Run a function (by name) on an event."""


class Poller(Protocol):
    """Something that takes work from a source and runs functions on it, one step at a time."""

    @property
    def name(self) -> str: ...

    def step(self) -> bool:
        """Take what is there, if anything; say whether there was."""
        ...

    def waiting(self) -> bool:
        """Whether the source holds work for later: messages in flight, or to be tried again."""
        ...


class QueuePoller:
    """Takes batches from one queue. What the function fails on comes back after `retry_after` seconds.

    On AWS it comes back when the visibility timeout ends; here time is compressed. The queue itself counts receipts
    and moves a message to its dead-letter queue.
    """

    def __init__(self, source: QueueSource, sqs: "SQSClient", invoke: Invoke, *, retry_after: int) -> None:
        self._source = source
        self._sqs = sqs
        self._invoke = invoke
        self._retry_after = retry_after
        self._url = sqs.get_queue_url(QueueName=source.queue)["QueueUrl"]

    @property
    def name(self) -> str:
        return f"{self._source.queue} to {self._source.function}"

    def step(self) -> bool:
        records = [sqs_record(message, self._source.queue) for message in self._receive()]
        for batch in split_by_size(records):
            self._deliver(batch)
        return bool(records)

    def waiting(self) -> bool:
        found = self._sqs.get_queue_attributes(
            QueueUrl=self._url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
        return any(int(number) for number in found.values())

    def _receive(self) -> "list[MessageTypeDef]":
        messages: list[MessageTypeDef] = []
        while len(messages) < self._source.batch_size:
            wanted = min(RECEIVE_LIMIT, self._source.batch_size - len(messages))
            received = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=wanted,
                WaitTimeSeconds=0,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            messages += received
            if len(received) < wanted:
                break
        return messages

    def _deliver(self, batch: list[dict[str, Any]]) -> None:
        outcome = self._invoke(self._source.function, json.dumps({"Records": batch}).encode())
        receipts: dict[str, str] = {record["messageId"]: record["receiptHandle"] for record in batch}
        failed = failed_items(outcome, receipts, partial=self._source.partial_failures)
        for message_id in failed:
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipts[message_id], VisibilityTimeout=self._retry_after
            )
        self._delete([receipt for message_id, receipt in receipts.items() if message_id not in failed])

    def _delete(self, receipts: list[str]) -> None:
        for start in range(0, len(receipts), RECEIVE_LIMIT):
            entries = receipts[start : start + RECEIVE_LIMIT]
            self._sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(entries)],
            )


Item = TypeVar("Item")


def split_by_size(
    records: Iterable[Item], limit: int = MAX_PAYLOAD_BYTES, *, as_json: Callable[[Item], Any] = lambda item: item
) -> Iterator[list[Item]]:
    """Cut into batches whose events stay under Lambda's payload limit, as Lambda does."""
    batch: list[Item] = []
    size = _ENVELOPE
    for record in records:
        record_size = len(json.dumps(as_json(record))) + len(", ")
        if batch and size + record_size > limit:
            yield batch
            batch, size = [], _ENVELOPE
        batch.append(record)
        size += record_size
    if batch:
        yield batch


def sqs_record(message: "MessageTypeDef", queue: str) -> dict[str, Any]:
    """A message as it appears in the event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: _message_attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
        "awsRegion": REGION,
    }


def _message_attribute(value: Any) -> dict[str, Any]:
    attribute = {"dataType": value["DataType"], "stringListValues": [], "binaryListValues": []}
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        attribute["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode("ascii")
    return attribute


FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.8
"""Seconds between two looks at an empty source that rings no bell (a message that becomes visible again)."""


class PollerThread:
    """Steps a poller for as long as there is work, then waits for the bell."""

    def __init__(self, poller: Poller, bell: Bell) -> None:
        self._poller = poller
        self._bell = bell
        self._stopping = threading.Event()
        self._quiet_at = -1
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=poller.name, daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        return self._poller.name

    def quiet_since(self, mark: int) -> bool:
        """Whether it found nothing when it looked after that ring of the bell."""
        if self.failure is not None:
            raise RuntimeError(f"{self.name} broke down") from self.failure
        return self._quiet_at >= mark

    def stop(self) -> None:
        self._stopping.set()
        self._bell.ring()
        self._thread.join()

    def _run(self) -> None:
        pause = FIRST_PAUSE
        try:
            while not self._stopping.is_set():
                heard = self._bell.count
                if self._poller.step():
                    pause = FIRST_PAUSE
                    continue
                self._quiet_at = heard
                self._bell.notice()
                pause = min(pause * 2, LONGEST_PAUSE) if self._bell.wait_beyond(heard, pause) == heard else FIRST_PAUSE
        except BaseException as error:
            self.failure = error
            raise
