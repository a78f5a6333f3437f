"""What a queue-fed intake does with its messages beside their content: archive, unpack, set aside, pace."""

import gzip
import hashlib
import json
import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from shared.kernel.errors import StorebridgeError
from shared.platform import aws
from shared.webhooks.delivery import Delivery, stored_key

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_FIRST_PAUSE_SECONDS = 5
_LONGEST_PAUSE_SECONDS = 900
_MOST_PER_CALL = 10
_MOST_BYTES_PER_CALL = 1_000_000
"""SQS takes 1 MiB, of one message or of a call's together; some is left for what it adds itself."""


class IntakeQueue(NamedTuple):
    """One intake's queue, its dead-letter queue, and its part of the archive."""

    url_variable: str
    dead_letters_variable: str
    folder: str

    def archive_batch(self, messages: Iterable[Mapping[str, Any]], *, day: str) -> None:
        """Keep the raw messages of a batch in one object, before anything is done with them.

        The same batch delivered again writes the same object. The archive is what `events replay` reads.
        """
        bodies = {message["messageId"]: message["body"] for message in messages}
        lines = "\n".join(json.dumps({"message_id": name, "body": bodies[name]}) for name in sorted(bodies))
        name = hashlib.sha256("".join(sorted(bodies)).encode()).hexdigest()[:32]
        aws.s3().put_object(
            Bucket=os.environ["ARCHIVE_BUCKET"],
            Key=f"{self.folder}/{day}/{name}.ndjson.gz",
            Body=gzip.compress(lines.encode(), mtime=0),
            ContentType="application/x-ndjson",
            ContentEncoding="gzip",
        )

    def set_aside(self, body: str, error: StorebridgeError) -> None:
        """Put a message that can never succeed straight onto the dead-letter queue, with the reason beside it."""
        attributes = {"code": error.code, "field": error.field or "-", "reason": error.message[:1000] or "-"}
        aws.sqs().send_message(
            QueueUrl=os.environ[self.dead_letters_variable],
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )

    def postpone(self, receipt_handle: str, received: int) -> None:
        """Have a message delivered again after a pause that doubles each time, up to a quarter of an hour."""
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(received - 1, 16))
        jittered = int(pause * random.uniform(0.8, 1.0))  # noqa: S311 - spreads load, hides nothing
        aws.sqs().change_message_visibility(
            QueueUrl=os.environ[self.url_variable], ReceiptHandle=receipt_handle, VisibilityTimeout=jittered
        )

    def is_source_of(self, message: Mapping[str, Any]) -> bool:
        """Whether a message, as Lambda hands it over, comes from this queue."""
        name = os.environ[self.url_variable].rpartition("/")[2]
        return str(message.get("eventSourceARN", "")).rpartition(":")[2] == name

    def pass_on(self, bodies: Sequence[str]) -> list[bool]:
        """Put messages onto this queue as they are, and tell of each whether the queue has it now; where that is not
        known, no."""
        taken = [False] * len(bodies)
        for places in _calls(bodies):
            for place in self._sent(bodies, places):
                taken[place] = True
        return taken

    def _sent(self, bodies: Sequence[str], places: Sequence[int]) -> set[int]:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(place), "MessageBody": bodies[place]} for place in places
        ]
        try:
            answer = aws.sqs().send_message_batch(QueueUrl=os.environ[self.url_variable], Entries=entries)
        except (BotoCoreError, ClientError):
            return set()
        return set(places) - {int(failure["Id"]) for failure in answer.get("Failed", ())}


def _calls(bodies: Sequence[str]) -> Iterator[list[int]]:
    """Places of the bodies by call: ten at the most, and together no larger than one message may be."""
    places: list[int] = []
    size = 0
    for place, body in enumerate(bodies):
        length = len(body.encode())
        if places and (len(places) == _MOST_PER_CALL or size + length > _MOST_BYTES_PER_CALL):
            yield places
            places, size = [], 0
        places.append(place)
        size += length
    if places:
        yield places


ORDERS: Final = IntakeQueue("ORDERS_QUEUE_URL", "ORDERS_DLQ_URL", "orders")
HOT_ORDERS: Final = IntakeQueue("HOT_ORDERS_QUEUE_URL", "ORDERS_DLQ_URL", "orders")
"""For orders of a SKU at which others are often faster: few workers take them in, many at a time."""
PAYMENTS: Final = IntakeQueue("PAYMENTS_QUEUE_URL", "PAYMENTS_DLQ_URL", "payments")
CUSTOMERS: Final = IntakeQueue("CUSTOMERS_QUEUE_URL", "CUSTOMERS_DLQ_URL", "customers")


def unpack(body: str) -> Delivery:
    """Read a message, fetching its body from the archive if it was too large for the queue."""
    key = stored_key(body)
    if key is not None:
        stored = aws.s3().get_object(Bucket=os.environ["ARCHIVE_BUCKET"], Key=key)
        body = stored["Body"].read().decode("utf-8", "replace")  # what is not UTF-8 is no message of ours
    return Delivery.from_message(body)
