"""What a queue-fed intake does with its messages beside their content: archive, unpack, set aside, pace."""

import gzip
import hashlib
import json
import os
import random
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from shared.kernel.errors import StorebridgeError
from shared.platform import aws
from shared.webhooks.delivery import Delivery, stored_key

_FIRST_PAUSE_SECONDS = 5
_LONGEST_PAUSE_SECONDS = 900


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


ORDERS: Final = IntakeQueue("ORDERS_QUEUE_URL", "ORDERS_DLQ_URL", "orders")
PAYMENTS: Final = IntakeQueue("PAYMENTS_QUEUE_URL", "PAYMENTS_DLQ_URL", "payments")
CUSTOMERS: Final = IntakeQueue("CUSTOMERS_QUEUE_URL", "CUSTOMERS_DLQ_URL", "customers")


def unpack(body: str) -> Delivery:
    """Read a message, fetching its body from the archive if it was too large for the queue."""
    key = stored_key(body)
    if key is not None:
        stored = aws.s3().get_object(Bucket=os.environ["ARCHIVE_BUCKET"], Key=key)
        body = stored["Body"].read().decode("utf-8")
    return Delivery.from_message(body)
