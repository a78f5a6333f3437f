"""The two lanes of the order intake, message by message: what goes together, what is passed on, what fails whom."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws

from functions.order_intake.handler import lambda_handler
from infra.bench.bodies import VENDORS
from infra.fakes.aws.dynamodb.connection import MemoryConnection
from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
from infra.fakes.aws.dynamodb.errors import CANCELLED, client_error
from infra.local.template import STACK_NAME, Deployment, load_deployment
from shared.inventory.table import StockTable, line_of_image
from shared.kernel.clock import utc_now
from shared.kernel.identifiers import OrderKey
from shared.orders import take_in_together
from shared.orders.record import OrderRecord
from shared.orders.table import OrderTable
from shared.platform import aws
from shared.platform.settings import parse_settings
from shared.webhooks.delivery import Delivery
from shared.wiring import order_desk, order_lanes, tables
from tests.builders.stock import counted

ROOT = Path(__file__).parents[3]
SETTINGS = parse_settings(
    {
        "locations": {"main": {"name": "Main"}},
        "shops": {"aurora": {"platform": "shopify", "address": "aurora.myshopify.com", "locations": ["main"]}},
    }
)
ORDINARY, HOT, DEAD = (f"{STACK_NAME}-{name}" for name in ("orders", "hot-orders", "orders-dead"))
_CLIENTS = (aws.sqs, aws.s3)


@cache
def deployment() -> Deployment:
    return load_deployment(ROOT / "template.yaml")


def url_of(queue: str) -> str:
    return aws.sqs().get_queue_url(QueueName=queue)["QueueUrl"]


def _name(url: str) -> str:
    return url.rpartition("/")[2]


class House:
    """The deployed intake, with tables in memory and queues in moto."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database = MemoryDynamoDb(lambda: utc_now().timestamp())
        self.stack = deployment()
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.refusing = 0
        """How many of the next transactions find another one at their items."""
        for table in self.stack.tables:
            self.database.create_table(table.definition)
        function = next(one for name, one in self.stack.functions.items() if name.endswith("-order-intake"))
        for name, value in function.environment.items():
            monkeypatch.setenv(name, value)
        for queue in self.stack.queues:
            aws.sqs().create_queue(QueueName=queue.name)
        for variable in ("ORDERS_QUEUE_URL", "HOT_ORDERS_QUEUE_URL", "ORDERS_DLQ_URL"):
            monkeypatch.setenv(variable, url_of(_name(function.environment[variable])))
        aws.s3().create_bucket(
            Bucket=function.environment["ARCHIVE_BUCKET"],
            CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
        )
        self.archive = function.environment["ARCHIVE_BUCKET"]
        connection = MemoryConnection(self._call)
        monkeypatch.setattr(tables, "connection", lambda: connection)
        for module in (tables, order_desk):
            monkeypatch.setattr(module, "settings", lambda: SETTINGS)
        monkeypatch.setattr(order_desk, "_bundles", type("Kept", (), {"get": staticmethod(dict)}))
        order_lanes._heat.cache_clear()
        self.stock = StockTable(connection, function.environment["STOCK_TABLE"], ("main",))
        self.orders = OrderTable(connection, function.environment["ORDERS_TABLE"], self.stock)
        self.stock.set_level(counted("MUG", 100))
        self.calls.clear()
        self._numbers = iter(range(10_000))

    def _call(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls.append((operation, request))
        if operation == "TransactWriteItems" and self.refusing:
            self.refusing -= 1
            reasons = [{"Code": "None"} for _ in request["TransactItems"]]
            reasons[-1] = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
            raise client_error(operation, CANCELLED, "cancelled", {"CancellationReasons": reasons})
        return self.database.call(operation, request)

    def transactions(self) -> list[int]:
        """Operations of each."""
        return [len(request["TransactItems"]) for operation, request in self.calls if operation == "TransactWriteItems"]

    def message(self, queue: str, body: str, *, received: int = 1) -> dict[str, Any]:
        number = next(self._numbers)
        return {
            "messageId": f"m{number}",
            "receiptHandle": f"r{number}",
            "body": body,
            "attributes": {"ApproximateReceiveCount": str(received)},
            "messageAttributes": {},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:{queue}",
            "awsRegion": "eu-west-1",
        }

    def deliver(self, *messages: dict[str, Any]) -> list[str]:
        """Ids of the messages that failed."""
        answer = lambda_handler({"Records": list(messages)}, LambdaContext())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def waiting(self, queue: str) -> list[str]:
        url = url_of(queue)
        bodies = []
        while found := aws.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [message["Body"] for message in found]
        return bodies

    def archived(self) -> int:
        return len(aws.s3().list_objects_v2(Bucket=self.archive).get("Contents", []))

    def record(self, order_id: int) -> OrderRecord | None:
        return self.orders.find(OrderKey("aurora", str(order_id)))

    def reserved(self) -> int:
        return self.stock.read(["MUG"])["MUG"]["main"].reserved

    def grow_hot(self) -> None:
        for _ in range(60):
            order_lanes._heat().note(["MUG"], ["MUG"], utc_now())


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    for name in ("AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        for client in _CLIENTS:
            client.cache_clear()
        yield House(monkeypatch)
    for client in _CLIENTS:
        client.cache_clear()


def body(order_id: int) -> str:
    """One MUG, for a buyer of its own."""
    post = VENDORS[0].of_lines(order_id, 1)
    told = json.loads(post.request.body)
    told["email"] = told["contact_email"] = f"{order_id}@example.test"
    raw = json.dumps(told).encode()
    return Delivery("aurora", "shopify", "orders/create", "2026-11-23T12:00:00.000000000Z", raw).to_message()


def test_orders_of_one_batch_share_a_transaction(house: House) -> None:
    ordinary = ORDINARY
    assert house.deliver(*(house.message(ordinary, body(number)) for number in (1, 2, 3))) == []
    assert house.transactions() == [4]
    assert house.reserved() == 3
    assert house.archived() == 1
    image = house.database.stream(house.stack.outputs["StockTableName"])[-1]["dynamodb"]["NewImage"]
    assert [share.reference for share in line_of_image(image).shares] == ["aurora/1#1", "aurora/2#1", "aurora/3#1"]


def test_a_message_alone_is_taken_in_as_ever(house: House) -> None:
    assert house.deliver(house.message(ORDINARY, body(1))) == []
    assert house.transactions() == [2]


def test_orders_of_a_hot_sku_are_passed_on_untouched(house: House) -> None:
    house.grow_hot()
    bodies = [body(number) for number in range(1, 13)]
    assert house.deliver(*(house.message(ORDINARY, one) for one in bodies)) == []
    assert house.calls == []
    assert sorted(house.waiting(HOT)) == sorted(bodies)
    assert house.archived() == 1


def test_the_hot_lane_commits_many_at_once_archives_nothing_and_passes_nothing_on(house: House) -> None:
    house.grow_hot()
    messages = [house.message(HOT, body(number)) for number in range(60)]
    assert house.deliver(*messages) == []
    # Claims of 60; buyers and accounts of 50 and of 10; 60 records with one stock line.
    assert house.transactions() == [60, 100, 20, 61]
    assert house.reserved() == 60
    assert house.archived() == 0
    assert house.waiting(HOT) == []


def test_an_order_that_lost_twice_is_passed_on(house: House) -> None:
    house.refusing = 2
    assert house.deliver(house.message(ORDINARY, body(1))) == []
    assert house.transactions() == [2, 2]
    assert house.waiting(HOT) == [body(1)]
    assert house.record(1) is None
    house.deliver(house.message(ORDINARY, body(2)))
    assert house.transactions() == [2, 2], "the next one is passed on at once"


def test_a_group_that_lost_twice_is_passed_on(house: House) -> None:
    house.refusing = 2
    assert house.deliver(*(house.message(ORDINARY, body(number)) for number in (1, 2))) == []
    assert house.transactions() == [3, 3]
    assert sorted(house.waiting(HOT)) == sorted([body(1), body(2)])


def test_in_the_hot_lane_one_tries_on(house: House) -> None:
    house.refusing = 4
    assert house.deliver(*(house.message(HOT, body(number)) for number in (1, 2))) == []
    assert house.reserved() == 2


def test_a_crash_after_passing_on_leaves_doubles_that_do_no_harm(house: House) -> None:
    house.grow_hot()
    house.deliver(house.message(ORDINARY, body(1)))
    house.deliver(house.message(ORDINARY, body(1), received=2))
    doubles = house.waiting(HOT)
    assert doubles == [body(1), body(1)]
    assert house.deliver(*(house.message(HOT, one) for one in doubles)) == []
    assert house.reserved() == 1
    found = house.record(1)
    assert found is not None
    assert found.revision == 1


def test_where_the_hot_queue_takes_nothing_orders_are_taken_in_here(house: House) -> None:
    house.grow_hot()
    aws.sqs().delete_queue(QueueUrl=url_of(HOT))
    assert house.deliver(*(house.message(ORDINARY, body(number)) for number in (1, 2))) == []
    assert house.reserved() == 2


def test_where_nothing_helps_the_message_stays(house: House) -> None:
    house.refusing = 2
    aws.sqs().delete_queue(QueueUrl=url_of(HOT))
    url = url_of(ORDINARY)
    aws.sqs().send_message(QueueUrl=url, MessageBody=body(1))
    (received,) = aws.sqs().receive_message(QueueUrl=url, VisibilityTimeout=30)["Messages"]
    message = house.message(ORDINARY, body(1)) | {"receiptHandle": received["ReceiptHandle"]}
    assert house.deliver(message) == [message["messageId"]]
    assert house.record(1) is None


def test_what_is_no_order_is_set_aside_and_the_others_go_together(house: House) -> None:
    messages = [house.message(ORDINARY, text) for text in (body(1), '{"format": 1}', body(2))]
    assert house.deliver(*messages) == []
    assert house.transactions() == [3]
    assert house.waiting(DEAD) == ['{"format": 1}']


def test_what_breaks_down_unforeseen_fails_one_message_and_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(take_in_together, "decide", broken)
    messages = [house.message(ORDINARY, body(number)) for number in (1, 2, 3)]
    assert house.deliver(*messages) == [messages[0]["messageId"]]
    assert house.reserved() == 2


def test_what_came_back_often_is_taken_in_by_itself(house: House) -> None:
    messages = [house.message(ORDINARY, body(number), received=4) for number in (1, 2)]
    assert house.deliver(*messages, house.message(ORDINARY, body(3))) == []
    assert house.transactions() == [2, 2, 2]
