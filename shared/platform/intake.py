"""What becomes of a message that an intake cannot take in: set aside for good, or put off for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.kernel.errors import Conflict, Rejected, Retry
from shared.platform.intake_queue import IntakeQueue
from shared.platform.observability import count, logger


@contextmanager
def done_with(queue: IntakeQueue, body: str, *, receipt_handle: str, received: int, thing: str) -> Iterator[None]:
    """Take one message in, inside. After it the message is done with: taken in, or set aside.

    `thing`: what the queue brings, in a log's and a metric's words: `Delivery`, `Customer`, `Payment`.

    Raises:
        Retry, Conflict: the message must stay in the queue; its next delivery is put off for a while.
    """
    try:
        yield
    except Rejected as error:
        facts = {"code": error.code, "field": error.field, "reason": error.message}
        logger().error(f"{thing.lower()} set aside", extra=facts)
        count(f"{thing}SetAside", code=error.code)
        queue.set_aside(body, error)
    except (Retry, Conflict) as error:
        logger().warning(f"{thing.lower()} postponed", extra={"code": error.code, "received": received})
        count(f"{thing}Postponed", code=error.code)
        queue.postpone(receipt_handle, received)
        raise
