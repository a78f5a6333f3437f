"""Put deliveries on a queue, with the standard library. Bodies too large for a message go through the archive."""

import hashlib
import os

from shared.platform.aws_http import AwsService
from shared.webhooks.delivery import Delivery, pointer_to

MAX_MESSAGE_BYTES = 1_000_000
"""SQS takes 1 MiB; some is left for what it adds itself."""


class IngressQueue:
    def __init__(self, queue: AwsService, archive: AwsService, url_variable: str) -> None:
        """`url_variable`: the environment variable that names the queue."""
        self._queue = queue
        self._archive = archive
        self._url_variable = url_variable

    def __call__(self, delivery: Delivery) -> None:
        """Return once the queue has the delivery, or raise `Retry`."""
        message = delivery.to_message()
        if len(message) > MAX_MESSAGE_BYTES:
            message = self._store(message)
        self._queue.call(
            "AmazonSQS.SendMessage",
            {"QueueUrl": os.environ[self._url_variable], "MessageBody": message},
        )

    def _store(self, message: str) -> str:
        body = message.encode()
        key = f"oversize/{hashlib.sha256(body).hexdigest()}.json"
        self._archive.put_object(os.environ["ARCHIVE_BUCKET"], key, body)
        return pointer_to(key)
