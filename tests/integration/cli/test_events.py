"""`storebridge events` on the local stack: what was set aside, and what goes through again."""

import gzip
import json
from typing import Any

import pytest

from infra.local.stack import LocalStack
from infra.samples import shopify
from shared.webhooks.delivery import Delivery
from tests.integration.cli.conftest import CommandLine, line

DEAD = "storebridge-orders-dead"


@pytest.fixture(autouse=True)
def _empty(stack: LocalStack) -> None:
    url = stack.clients.sqs.get_queue_url(QueueName=DEAD)["QueueUrl"]
    while messages := stack.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            stack.clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def waiting(stack: LocalStack) -> tuple[int, int]:
    """Messages of the dead-letter queue that can be taken, and that somebody keeps to himself."""
    url = stack.clients.sqs.get_queue_url(QueueName=DEAD)["QueueUrl"]
    counts: Any = stack.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(counts["ApproximateNumberOfMessages"]), int(counts["ApproximateNumberOfMessagesNotVisible"])


def message(number: int, shop: str = "aurora") -> str:
    body = shopify.Shop().order(
        line(f"SKU-{number}"), id=number, admin_graphql_api_id=shopify.gid("Order", number), name=f"#{number}"
    )
    return Delivery(
        shop=shop,
        platform="shopify",
        topic="orders/updated",
        received_at=shopify.RECEIVED_AT,
        body=shopify.encode(body),
    ).to_message()


def set_aside(stack: LocalStack, text: str, **reasons: str) -> None:
    url = stack.clients.sqs.get_queue_url(QueueName=DEAD)["QueueUrl"]
    attributes: Any = {name: {"DataType": "String", "StringValue": value} for name, value in reasons.items()}
    stack.clients.sqs.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=attributes)


def orders(storebridge: CommandLine) -> set[str]:
    return {row["order"] for row in storebridge.json("orders", "list", "--all", "--limit", "500")["orders"]}


def day_of(stack: LocalStack) -> str:
    """The archive's latest day, as operators write it."""
    keys = [entry["Key"] for entry in stack.clients.s3.list_objects_v2(Bucket="storebridge-archivebucket")["Contents"]]
    return "-".join(max(keys).split("/")[1:4])


def test_what_was_set_aside_is_listed_with_its_reason_and_without_its_body(
    storebridge: CommandLine, stack: LocalStack
) -> None:
    payload = storebridge.file("thin.json", b'{"id": 9001}')
    storebridge.json("send", payload, "--shop", "aurora")
    stack.drain()
    (event,) = storebridge.json("events", "list", "--dlq")["events"]
    assert (event["code"], event["field"], event["shop"]) == ("no_api_access", "api", "aurora")
    assert event["topic"] == "orders/updated"
    assert set(event) == {"message_id", "code", "field", "reason", "shop", "topic", "since", "received"}
    assert "no_api_access" in storebridge("events", "list", "--dlq").stdout


def test_listing_leaves_every_message_to_be_taken_at_once(storebridge: CommandLine, stack: LocalStack) -> None:
    for number in range(23):
        set_aside(stack, message(9100 + number), code="odd" if number % 2 else "even")
    assert len(storebridge.json("events", "list", "--dlq")["events"]) == 23
    assert len(storebridge.json("events", "list", "--dlq", "--code", "odd")["events"]) == 11
    assert len(storebridge.json("events", "list", "--dlq", "--limit", "7")["events"]) == 7
    assert waiting(stack) == (23, 0)


def test_a_message_that_sqs_moved_aside_has_no_reason_of_ours(storebridge: CommandLine, stack: LocalStack) -> None:
    set_aside(stack, "no message of ours")
    (event,) = storebridge.json("events", "list", "--dlq")["events"]
    assert (event["code"], event["reason"], event["shop"]) == ("retries_exhausted", None, None)


def test_nothing_set_aside_is_said_so(storebridge: CommandLine) -> None:
    assert "Nothing is set aside" in storebridge("events", "list", "--dlq").stdout


def test_replay_from_the_dlq_puts_through_and_removes_only_what_was_chosen(
    storebridge: CommandLine, stack: LocalStack
) -> None:
    for number in range(9201, 9213):
        set_aside(stack, message(number), code="mended")
    set_aside(stack, message(9299), code="other")
    done = storebridge.json("events", "replay", "--from-dlq", "--code", "mended")
    assert (done["selected"], done["replayed"], done["source"]) == (12, 12, "dlq")
    stack.drain()
    known = orders(storebridge)
    assert {f"aurora/{number}" for number in range(9201, 9213)} <= known
    assert "aurora/9299" not in known
    assert waiting(stack) == (1, 0)


def test_replay_from_the_dlq_by_order_or_shop(storebridge: CommandLine, stack: LocalStack) -> None:
    set_aside(stack, message(9301), code="x")
    set_aside(stack, message(9302), code="x")
    set_aside(stack, "no message of ours", code="x")
    done = storebridge.json("events", "replay", "--from-dlq", "--order", "aurora/9302")
    assert (done["found"], done["selected"], done["replayed"], done["unreadable"]) == (3, 1, 1, 1)
    stack.drain()
    assert {"aurora/9302"} == orders(storebridge) & {"aurora/9301", "aurora/9302"}
    assert storebridge.json("events", "replay", "--from-dlq", "--shop", "borealis")["selected"] == 0
    assert waiting(stack) == (2, 0)


def test_a_replayed_message_that_fails_again_is_set_aside_again_and_not_taken_twice(
    storebridge: CommandLine, stack: LocalStack
) -> None:
    payload = storebridge.file("thin.json", b'{"id": 9401}')
    storebridge.json("send", payload, "--shop", "aurora")
    stack.drain()
    assert storebridge.json("events", "replay", "--from-dlq")["replayed"] == 1
    stack.drain()
    assert waiting(stack) == (1, 0)


def test_a_dry_run_of_a_replay_leaves_everything(storebridge: CommandLine, stack: LocalStack) -> None:
    set_aside(stack, message(9501), code="x")
    before = storebridge.contents()
    found = storebridge.json("events", "replay", "--from-dlq", "--dry-run")
    assert (found["selected"], found["replayed"], len(found["events"])) == (1, 0, 1)
    stack.drain()
    assert waiting(stack) == (1, 0)
    assert storebridge.contents() == before


def test_replay_from_the_archive_restores_a_lost_order(storebridge: CommandLine, stack: LocalStack) -> None:
    lost = storebridge.receive(9601, line("SKU-LOST"))
    other = storebridge.receive(9602, line("SKU-OTHER"))
    for order in (lost, other):
        for sort in ("record", "account", "buyer"):
            key: Any = {"pk": {"S": order}, "sk": {"S": sort}}
            stack.clients.dynamodb.delete_item(TableName="storebridge-orders", Key=key)
    day = day_of(stack)
    seen = storebridge.json("events", "replay", "--from-archive", day, "--order", lost, "--dry-run")
    stack.drain()
    assert (seen["selected"], seen["replayed"]) == (1, 0)
    assert lost not in orders(storebridge)
    assert storebridge.json("events", "replay", "--from-archive", day, "--order", lost)["replayed"] == 1
    stack.drain()
    assert {lost} == orders(storebridge) & {lost, other}


def test_replay_of_a_whole_day_changes_nothing_that_is_known(storebridge: CommandLine, stack: LocalStack) -> None:
    known = storebridge.receive(9701, line("SKU-KNOWN"))
    before = storebridge.json("orders", "show", known)
    done = storebridge.json("events", "replay", "--from-archive", day_of(stack))
    assert done["replayed"] == done["selected"] >= 1
    stack.drain()
    assert storebridge.json("orders", "show", known) == before


def test_a_message_that_was_kept_twice_is_put_through_once(storebridge: CommandLine, stack: LocalStack) -> None:
    bucket = "storebridge-archivebucket"
    first, second = (json.dumps({"message_id": name, "body": message(9750)}) for name in ("m1", "m2"))
    for name, lines in (("a", [first]), ("b", [first, second])):
        kept = gzip.compress("\n".join(lines).encode())
        stack.clients.s3.put_object(Bucket=bucket, Key=f"orders/2020/01/02/{name}.ndjson.gz", Body=kept)
    found = storebridge.json("events", "replay", "--from-archive", "2020-01-02", "--dry-run")
    assert [event["message_id"] for event in found["events"]] == ["m1", "m2"]


def test_an_object_that_is_no_archive_is_refused_by_name(storebridge: CommandLine, stack: LocalStack) -> None:
    key = "orders/2020/01/03/notes.txt"
    stack.clients.s3.put_object(Bucket="storebridge-archivebucket", Key=key, Body=b"notes")
    refusal = storebridge.refusal("events", "replay", "--from-archive", "2020-01-03")
    assert (refusal["error"], refusal["message"]) == ("invalid_archive", f"{key} is no archive of ours")


def test_a_message_whose_body_has_left_the_archive_is_counted_and_not_judged(
    storebridge: CommandLine, stack: LocalStack
) -> None:
    set_aside(stack, json.dumps({"stored": "oversize/gone.json"}))
    found = storebridge.json("events", "replay", "--from-dlq", "--shop", "aurora", "--dry-run")
    assert (found["selected"], found["unreadable"]) == (0, 1)


def test_replay_of_a_shop_or_of_a_part_of_a_day(storebridge: CommandLine, stack: LocalStack) -> None:
    storebridge.receive(9801, line("SKU-9801"))
    day = day_of(stack)
    assert storebridge.json("events", "replay", "--from-archive", day, "--shop", "borealis")["selected"] == 0
    nothing = storebridge.json("events", "replay", "--from-archive", f"{day}/no-such-prefix")
    assert (nothing["found"], nothing["replayed"]) == (0, 0)


@pytest.mark.parametrize(
    "words",
    [
        ("replay",),
        ("replay", "--from-dlq", "--from-archive", "2026-11-23"),
        ("replay", "--from-archive", "2026-11-23", "--code", "x"),
        ("replay", "--from-dlq", "--order", "aurora/1", "--shop", "borealis"),
        ("list",),
    ],
)
def test_contradictions_are_wrong_usage(storebridge: CommandLine, words: tuple[str, ...]) -> None:
    assert storebridge.refusal("events", *words, exit_code=2)["error"] == "usage"


def test_a_day_must_be_a_day(storebridge: CommandLine) -> None:
    refusal = storebridge.refusal("events", "replay", "--from-archive", "yesterday")
    assert (refusal["error"], refusal["field"]) == ("invalid_day", "from_archive")
