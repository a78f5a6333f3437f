"""An erasure goes through the archive and the dead-letter queues: theirs is gone, the rest is there to the byte."""

import gzip
import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.kernel.errors import Retry
from shared.platform import aws, dead_letters
from shared.platform.archive import S3Archive
from shared.platform.dead_letters import QUEUES, SqsDeadLetters
from shared.platform.errand_queue import CustomerErrand, OrderErrand, VerificationErrand
from shared.platform.ingress_queue import MAX_MESSAGE_BYTES
from shared.platform.intake_queue import CUSTOMERS, ORDERS
from shared.sync.privacy.ports import Struck
from shared.webhooks.delivery import Delivery, pointer_to

pytestmark = pytest.mark.usefixtures("aws_services")

DAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


def letter(name: str, *, shop: str = "aurora") -> str:
    return Delivery(shop, "shopify", "orders/create", "2026-11-23T09:02:11.000000000Z", name.encode()).to_message()


def is_eves(delivery: Delivery) -> bool:
    return delivery.body.startswith(b"eve")


@pytest.fixture(autouse=True)
def _names(aws_services: None, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.s3().create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    monkeypatch.setenv("ARCHIVE_BUCKET", "archive")
    for variable in QUEUES:
        monkeypatch.setenv(variable, aws.sqs().create_queue(QueueName=variable.lower())["QueueUrl"])


def archive(day: str, *bodies: str, queue: Any = ORDERS) -> None:
    queue.archive_batch([{"messageId": body[-40:], "body": body} for body in bodies], day=day)


def kept() -> dict[str, bytes]:
    listed = aws.s3().list_objects_v2(Bucket="archive").get("Contents", [])
    return {one["Key"]: aws.s3().get_object(Bucket="archive", Key=one["Key"])["Body"].read() for one in listed}


def bodies() -> list[str]:
    lines = [json.loads(line) for packed in kept().values() for line in gzip.decompress(packed).decode().split("\n")]
    return sorted(Delivery.from_message(line["body"]).body.decode() for line in lines)


def strike_all(folder: str, since: datetime | None = None, per_page: int = 2) -> list[Struck]:
    struck, cursor = [], None
    while True:
        struck.append(S3Archive(per_page=per_page).strike(folder, since, cursor, is_eves))
        cursor = struck[-1].cursor
        if cursor is None:
            return struck


def test_their_lines_go_and_the_others_stay_to_the_byte() -> None:
    archive("2026/11/23", letter("adam 1"), letter("adam 2"))
    untouched = kept()
    archive("2026/11/23", letter("eve 1"), letter("adam 3"))
    archive("2026/11/24", letter("eve 2"), letter("eve 3"))
    archive("2026/11/25", letter("eve 4"), queue=CUSTOMERS)
    struck = strike_all("orders")
    assert (sum(one.removed for one in struck), sum(one.looked_at for one in struck)) == (3, 6)
    assert [one.unread for one in struck] == [()] * len(struck)
    assert untouched.items() <= kept().items()
    assert bodies() == ["adam 1", "adam 2", "adam 3", "eve 4"]
    assert len(kept()) == 3, "an object without a line is gone"
    assert sum(one.removed for one in strike_all("customers")) == 1
    assert sum(one.removed for one in strike_all("orders")) == 0


def test_what_is_left_of_a_batch_can_be_replayed() -> None:
    archive("2026/11/23", letter("eve 1"), letter("adam 1"))
    [before] = kept()
    strike_all("orders")
    [(name, packed)] = kept().items()
    assert name == before
    assert json.loads(gzip.decompress(packed)) == {"message_id": letter("adam 1")[-40:], "body": letter("adam 1")}
    assert packed[4:8] == bytes(4), "no time stamp of gzip's"


def test_the_search_starts_at_the_day() -> None:
    for day in ("2026/11/21", "2026/11/22", "2026/11/23", "2027/01/01"):
        archive(day, letter(f"eve of {day}"))
    strike_all("orders", DAY.replace(day=22))
    assert bodies() == ["eve of 2026/11/21"]


def test_pages_join_without_a_gap() -> None:
    for number in range(7):
        archive(f"2026/11/{10 + number}", letter(f"eve {number}"), letter(f"adam {number}"))
    assert len(strike_all("orders", per_page=3)) == 3
    assert bodies() == [f"adam {number}" for number in range(7)]


def test_what_cannot_be_read_is_named_and_left() -> None:
    archive("2026/11/23", letter("eve 1"), "no message of ours")
    aws.s3().put_object(Bucket="archive", Key="orders/2026/11/24/broken.ndjson.gz", Body=b"\x1f\x8bno gzip")
    aws.s3().put_object(Bucket="archive", Key="orders/2026/11/25/list.ndjson.gz", Body=gzip.compress(b"[1]"))
    struck = strike_all("orders", per_page=9)[0]
    assert struck.removed == 1
    first = next(name for name in kept() if "/23/" in name)
    assert struck.unread == (first, "orders/2026/11/24/broken.ndjson.gz", "orders/2026/11/25/list.ndjson.gz")
    assert b"no message of ours" in gzip.decompress(kept()[first])


def test_errands_hold_nothing() -> None:
    archive("2026/11/23", OrderErrand(shop="aurora", order_id="1").model_dump_json(), queue=CUSTOMERS)
    before = kept()
    assert strike_all("customers") == [Struck(None, 1, 0, ())]
    assert kept() == before


def test_bodies_that_were_too_large_are_found_through_their_pointers_and_by_themselves() -> None:
    large = letter("eve " + "x" * 100)
    assert len(large) < MAX_MESSAGE_BYTES
    for name, text in (("a", large), ("b", letter("adam 1")), ("c", "{}")):
        aws.s3().put_object(Bucket="archive", Key=f"oversize/{name}.json", Body=text.encode())
    archive("2026/11/23", pointer_to("oversize/a.json"), letter("adam 2"))
    archive("2026/11/23", pointer_to("oversize/gone.json"))
    assert sum(one.removed for one in strike_all("orders")) == 1
    struck = S3Archive().strike_oversize(None, None, is_eves)
    assert (struck.removed, struck.unread) == (1, ("oversize/c.json",))
    assert {name for name in kept() if name.startswith("oversize/")} == {"oversize/b.json", "oversize/c.json"}
    assert S3Archive().strike_oversize(datetime(2999, 1, 1, tzinfo=UTC), None, is_eves).looked_at == 0


def test_an_archive_out_of_reach_is_tried_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_BUCKET", "elsewhere")
    with pytest.raises(Retry) as refused:
        S3Archive().strike("orders", None, None, is_eves)
    assert refused.value.code == "archive_unreachable"


# ---- dead-letter queues ----


def url(variable: str) -> str:

    return os.environ[variable]


def put(variable: str, *texts: str) -> None:
    for text in texts:
        aws.sqs().send_message(QueueUrl=url(variable), MessageBody=text)


def waiting(variable: str) -> list[str]:
    found: list[str] = []
    while answer := aws.sqs().receive_message(QueueUrl=url(variable), MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in answer]
    return sorted(found)


def test_their_dead_letters_are_deleted_and_the_others_can_be_received_at_once() -> None:
    others = [letter(f"adam {number}") for number in range(23)]
    put("ORDERS_DLQ_URL", *others[:12], letter("eve 1"), *others[12:])
    put("CUSTOMERS_DLQ_URL", letter("eve 2"), "no message of ours")
    order = OrderErrand(shop="aurora", order_id="5001").model_dump_json()
    put("BACKOFFICE_DLQ_URL", order, CustomerErrand(leader="aurora/customer/17").model_dump_json())
    eves = VerificationErrand(customer="aurora/customer/17", asked=1).model_dump_json()
    adams = VerificationErrand(customer="aurora/customer/18", asked=1).model_dump_json()
    put("BUYER_DLQ_URL", eves, adams)
    put("STOREFRONT_DLQ_URL", pointer_to("oversize/gone.json"))

    struck = SqsDeadLetters().strike(is_eves, frozenset({"aurora/customer/17"}))
    assert struck.removed == 4
    assert struck.looked_at == 24 + 2 + 2 + 2 + 1
    [unread] = struck.unread
    assert unread.startswith("customers_dlq/")
    assert waiting("ORDERS_DLQ_URL") == sorted(others)
    assert waiting("CUSTOMERS_DLQ_URL") == ["no message of ours"]
    assert waiting("BACKOFFICE_DLQ_URL") == [order]
    assert waiting("BUYER_DLQ_URL") == [adams]
    assert waiting("STOREFRONT_DLQ_URL") == [pointer_to("oversize/gone.json")]


def test_messages_go_back_also_when_looking_at_them_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    put("ORDERS_DLQ_URL", letter("eve 1"), letter("adam 1"))
    monkeypatch.setattr(dead_letters, "_MOST_HELD", 1)
    with pytest.raises(Retry, match="too_many_dead_letters"):
        SqsDeadLetters().strike(is_eves, frozenset())
    assert len(waiting("ORDERS_DLQ_URL")) == 2


def test_what_somebody_else_holds_is_waited_for() -> None:
    put("ORDERS_DLQ_URL", letter("eve 1"))
    [held] = aws.sqs().receive_message(QueueUrl=url("ORDERS_DLQ_URL"))["Messages"]
    with pytest.raises(Retry, match="dead_letters_in_use"):
        SqsDeadLetters().strike(is_eves, frozenset())
    aws.sqs().change_message_visibility(
        QueueUrl=url("ORDERS_DLQ_URL"), ReceiptHandle=held["ReceiptHandle"], VisibilityTimeout=0
    )
    assert SqsDeadLetters().strike(is_eves, frozenset()).removed == 1
