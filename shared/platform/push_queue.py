"""The queue of SKUs whose level may have to change in the shops."""

import json
import os
from collections.abc import Iterable, Sequence
from typing import Annotated, Self

from pydantic import Field

from shared.kernel.errors import Rejected, Retry
from shared.kernel.model import Canonical
from shared.platform import aws

_MOST_PER_CALL = 10
_LONGEST_DELAY_SECONDS = 900
MOST_ATTEMPTS = 20
"""With delays that double up to a quarter of an hour, about four hours."""


class PushRequest(Canonical):
    """Look at one SKU: in every shop, or in one that could not be served before."""

    sku: str
    shop: str | None = None
    attempt: Annotated[int, Field(ge=0, le=1_000_000)] = 0

    @classmethod
    def parse(cls, body: str) -> Self:
        try:
            return cls.stored_json(body)
        except ValueError as error:
            raise Rejected("invalid_message", "the queue message is not a push request of ours") from error

    def again(self, shop: str) -> Self:
        return self.model_copy(update={"shop": shop, "attempt": self.attempt + 1})


def delay_of(request: PushRequest) -> int:
    """Seconds until it is looked at: at once, then 5, 10, 20 …"""
    return min(_LONGEST_DELAY_SECONDS, 5 * 2 ** min(request.attempt - 1, 20)) if request.attempt else 0


def request_push(requests: Iterable[PushRequest], *, at_least: int = 0) -> None:
    """Put requests on the queue, each after its delay, or `at_least` so many seconds later.

    Raises:
        Retry: the queue did not take all of them. Those it took do no harm.
    """
    waiting: Sequence[PushRequest] = list(requests)
    for start in range(0, len(waiting), _MOST_PER_CALL):
        batch = waiting[start : start + _MOST_PER_CALL]
        answer = aws.sqs().send_message_batch(
            QueueUrl=os.environ["PUSH_QUEUE_URL"],
            Entries=[
                {
                    "Id": str(number),
                    "MessageBody": json.dumps(request.model_dump(exclude_defaults=True)),
                    "DelaySeconds": max(at_least, delay_of(request)),
                }
                for number, request in enumerate(batch)
            ],
        )
        if answer.get("Failed"):
            raise Retry("queue_refused", f"the queue did not take {len(answer['Failed'])} of {len(batch)} requests")
