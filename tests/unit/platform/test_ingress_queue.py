"""A delivery goes to the queue as one message; one that is too large goes by way of the archive."""

import hashlib
import json
import random

import pytest

from shared.kernel.errors import Retry
from shared.platform.ingress_queue import MAX_MESSAGE_BYTES, IngressQueue
from shared.webhooks.delivery import MAX_BODY_BYTES, Delivery
from tests.unit.platform.services import ScriptedService

QUEUE_URL = "https://sqs.example/orders"
SQS_LIMIT = 1024 * 1024


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_QUEUE_URL", QUEUE_URL)
    monkeypatch.setenv("ARCHIVE_BUCKET", "archive")


def incompressible(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311 - repeatable noise


def delivery(body: bytes) -> Delivery:
    return Delivery("aurora", "shopify", "orders/create", "2026-11-23T09:02:11.000000000Z", body)


def test_a_delivery_is_one_message() -> None:
    queue, archive = ScriptedService({}), ScriptedService({})
    given = delivery(b'{"id": 5001}')
    IngressQueue(queue, archive, "ORDERS_QUEUE_URL")(given)
    [(target, body, protocol)] = queue.calls
    assert (target, protocol) == ("AmazonSQS.SendMessage", "1.0")
    assert set(body) == {"QueueUrl", "MessageBody"}
    assert body["QueueUrl"] == QUEUE_URL
    assert Delivery.from_message(body["MessageBody"]) == given
    assert archive.objects == {}


@pytest.mark.parametrize("size", [MAX_MESSAGE_BYTES, MAX_BODY_BYTES])
def test_a_delivery_too_large_for_a_message_is_stored_and_pointed_to(size: int) -> None:
    queue, archive = ScriptedService({}), ScriptedService({})
    given = delivery(incompressible(size))
    IngressQueue(queue, archive, "ORDERS_QUEUE_URL")(given)
    [((bucket, key), stored)] = archive.objects.items()
    assert (bucket, key) == ("archive", f"oversize/{hashlib.sha256(stored).hexdigest()}.json")
    assert Delivery.from_message(stored.decode()) == given
    [(_, body, _)] = queue.calls
    assert json.loads(body["MessageBody"]) == {"stored": key}


def test_the_largest_message_fits_the_queue() -> None:
    sizes = {}
    for size in range(740_000, 760_000, 500):
        queue = ScriptedService({})
        IngressQueue(queue, ScriptedService({}), "ORDERS_QUEUE_URL")(delivery(incompressible(size)))
        sizes[size] = len(queue.calls[0][1]["MessageBody"])
    assert max(sizes.values()) <= MAX_MESSAGE_BYTES < SQS_LIMIT
    assert min(sizes.values()) < 200 < max(sizes.values())


def test_without_the_archive_nothing_is_queued() -> None:
    queue, archive = ScriptedService({}), ScriptedService({})
    archive.down = True
    with pytest.raises(Retry):
        IngressQueue(queue, archive, "ORDERS_QUEUE_URL")(delivery(incompressible(MAX_MESSAGE_BYTES)))
    assert queue.calls == []


def test_a_queue_out_of_reach_is_told() -> None:
    queue = ScriptedService({})
    queue.down = True
    with pytest.raises(Retry):
        IngressQueue(queue, ScriptedService({}), "ORDERS_QUEUE_URL")(delivery(b"{}"))
