"""What the intake does with its messages beside the order: archive, unpack, set aside, pace."""

import gzip
import json
import os
from typing import Any

import pytest

from shared.kernel.errors import Rejected
from shared.platform import aws, intake_queue
from shared.webhooks.delivery import Delivery

pytestmark = pytest.mark.usefixtures("aws_services")

BUYER = "eve@example.test"
DELIVERY = Delivery(
    "aurora", "shopify", "orders/create", "2026-11-23T09:02:11.000000000Z", json.dumps({"email": BUYER}).encode()
)


@pytest.fixture(autouse=True)
def _names(aws_services: None, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.s3().create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    monkeypatch.setenv("ARCHIVE_BUCKET", "archive")
    monkeypatch.setenv("ORDERS_QUEUE_URL", aws.sqs().create_queue(QueueName="orders")["QueueUrl"])
    monkeypatch.setenv("ORDERS_DLQ_URL", aws.sqs().create_queue(QueueName="orders-dead")["QueueUrl"])


def message(name: str, body: str) -> dict[str, Any]:
    return {"messageId": name, "body": body, "receiptHandle": f"handle of {name} now"}


def archived() -> dict[str, bytes]:
    listed = aws.s3().list_objects_v2(Bucket="archive").get("Contents", [])
    return {
        item["Key"]: aws.s3().get_object(Bucket="archive", Key=item["Key"])["Body"].read()
        for item in listed
        if "Key" in item
    }


def test_a_batch_is_archived_line_by_line() -> None:
    intake_queue.ORDERS.archive_batch([message("m2", "two"), message("m1", '{"a": "é\n"}')], day="2026/11/23")
    [(key, packed)] = archived().items()
    assert key.startswith("orders/2026/11/23/")
    assert key.endswith(".ndjson.gz")
    lines = gzip.decompress(packed).decode().split("\n")
    assert [json.loads(line) for line in lines] == [
        {"message_id": "m1", "body": '{"a": "é\n"}'},
        {"message_id": "m2", "body": "two"},
    ]


def test_the_same_batch_again_is_the_same_object_to_the_byte() -> None:
    batch = [message("m1", "one"), message("m2", "two")]
    intake_queue.ORDERS.archive_batch(batch, day="2026/11/23")
    first = archived()
    redelivered = [{**item, "receiptHandle": "another"} for item in reversed(batch)]
    intake_queue.ORDERS.archive_batch(redelivered, day="2026/11/23")
    assert archived() == first
    assert [packed[4:8] for packed in first.values()] == [bytes(4)]  # gzip's own time stamp


def test_another_batch_is_another_object() -> None:
    intake_queue.ORDERS.archive_batch([message("m1", "one"), message("m2", "two")], day="2026/11/23")
    intake_queue.ORDERS.archive_batch([message("m1", "one")], day="2026/11/23")
    intake_queue.ORDERS.archive_batch([message("m3", "one")], day="2026/11/23")
    assert len(archived()) == 3


def test_a_message_is_unpacked() -> None:
    assert intake_queue.unpack(DELIVERY.to_message()) == DELIVERY


def test_a_message_too_large_for_the_queue_is_fetched_from_the_archive() -> None:
    aws.s3().put_object(Bucket="archive", Key="oversize/x.json", Body=DELIVERY.to_message().encode())
    assert intake_queue.unpack('{"stored": "oversize/x.json"}') == DELIVERY


@pytest.mark.parametrize("body", ["", "nonsense", "[]", "12", '{"stored": 12}', '{"format": 1}', "null"])
def test_a_message_of_nobody_is_refused_for_good(body: str) -> None:
    with pytest.raises(Rejected, match="invalid_message"):
        intake_queue.unpack(body)


def test_what_is_set_aside_keeps_its_message_and_says_why_without_the_buyer() -> None:
    error = Rejected("invalid_payload", "cannot be read as Order", field="line_items.0.price", hint="ask the vendor")
    intake_queue.ORDERS.set_aside(DELIVERY.to_message(), error)
    [set_aside] = received("ORDERS_DLQ_URL")
    assert Delivery.from_message(set_aside["Body"]) == DELIVERY
    attributes = {name: value["StringValue"] for name, value in set_aside["MessageAttributes"].items()}
    assert attributes == {
        "code": "invalid_payload",
        "field": "line_items.0.price",
        "reason": "cannot be read as Order",
    }
    assert BUYER not in json.dumps(set_aside)


def test_a_reason_is_never_empty_and_never_endless() -> None:
    """SQS takes no empty attribute, and counts attributes into the message's size."""
    intake_queue.ORDERS.set_aside("x", Rejected("code", ""))
    intake_queue.ORDERS.set_aside("x", Rejected("code", "y" * 5000))
    reasons = {item["MessageAttributes"]["reason"]["StringValue"] for item in received("ORDERS_DLQ_URL")}
    assert reasons == {"-", "y" * 1000}


class Visibility:
    """Notes for how long messages are hidden."""

    def __init__(self) -> None:
        self.pauses: list[int] = []

    def change_message_visibility(self, **given: Any) -> None:
        assert given["QueueUrl"] == os.environ["ORDERS_QUEUE_URL"]
        assert given["ReceiptHandle"] == "handle"
        self.pauses.append(given["VisibilityTimeout"])


@pytest.fixture
def visibility(monkeypatch: pytest.MonkeyPatch) -> Visibility:
    noted = Visibility()
    monkeypatch.setattr(aws, "sqs", lambda: noted)
    return noted


def test_pauses_double_up_to_a_quarter_of_an_hour(visibility: Visibility, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.platform.intake_queue.random.uniform", lambda _least, most: most)
    for count in range(1, 12):
        intake_queue.ORDERS.postpone("handle", count)
    assert visibility.pauses == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]


@pytest.mark.parametrize("received", [1, 3, 8, 9, 1000, 10**9])
def test_pauses_are_spread_but_stay_within_a_fifth(visibility: Visibility, received: int) -> None:
    for _ in range(50):
        intake_queue.ORDERS.postpone("handle", received)
    longest = min(900, 5 * 2 ** min(received - 1, 16))
    assert all(int(longest * 0.8) <= pause <= longest for pause in visibility.pauses)


def test_a_postponed_message_is_hidden_in_its_queue() -> None:
    url = os.environ["ORDERS_QUEUE_URL"]
    aws.sqs().send_message(QueueUrl=url, MessageBody="x")
    [taken] = aws.sqs().receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    intake_queue.ORDERS.postpone(taken["ReceiptHandle"], 5)
    assert received("ORDERS_QUEUE_URL") == []


def received(queue: str) -> list[Any]:
    answer = aws.sqs().receive_message(
        QueueUrl=os.environ[queue], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    return list(answer.get("Messages", []))
