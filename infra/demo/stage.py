"""Where the demo plays: the local stack, with what a scene needs to act and to look."""

import json
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from infra.demo.shops import Post
from infra.fakes.twins import Twins
from infra.local.stack import LocalStack
from shared.dynamodb.table import connect
from shared.inventory.levels import set_level
from shared.inventory.models import LevelRequest, StockLine
from shared.inventory.stocktakes import StocktakeDesk
from shared.inventory.table import MovementTable, StockTable, StocktakeTable
from shared.kernel.clock import utc_now
from shared.kernel.identifiers import OrderKey
from shared.orders.record import OrderRecord
from shared.orders.table import OrderTable
from shared.sync.table import AlertTable, TaskTable
from shared.wiring.order_desk import retry_conflicts

WORKERS = 8
_PATIENCE_SECONDS = 150.0
"""An errand whose outcome is unknown is tried again after more than a minute."""


@dataclass
class Stage:
    stack: LocalStack
    shops: Twins
    orders: OrderTable
    stock: StockTable
    tasks: TaskTable
    alerts: AlertTable
    stocktakes: StocktakeDesk
    events_queue: str
    http: httpx.Client
    answers: Counter[int] = field(default_factory=Counter)
    accepted: set[OrderKey] = field(default_factory=set)
    """Orders of which at least one delivery was answered with 2xx."""

    @classmethod
    def on(cls, stack: LocalStack, shops: Twins) -> "Stage":
        """Connect to a stack that is up, and subscribe a queue to every event on its bus."""
        os.environ.update(stack.clients.environment(), AWS_REGION="eu-west-1", AWS_DEFAULT_REGION="eu-west-1")
        tables = {table.name.rpartition("-")[2]: table.name for table in stack.deployment.tables}
        connection = connect()
        stock = StockTable(connection, tables["stock"], ("main",))
        shops.connect(stack.url)
        return cls(
            stack=stack,
            shops=shops,
            stock=stock,
            orders=OrderTable(connection, tables["orders"], stock),
            tasks=TaskTable(connection, tables["sync"]),
            alerts=AlertTable(connection, tables["sync"]),
            stocktakes=StocktakeDesk(
                book=StocktakeTable(connection, tables["stocktakes"], stock),
                stock=stock,
                movements=MovementTable(connection, tables["movements"]),
                clock=utc_now,
                retrying=retry_conflicts,
            ),
            events_queue=_subscribe(stack),
            http=httpx.Client(base_url=stack.url, timeout=30, trust_env=False),
        )

    def deliver(self, *posts: Post) -> list[int]:
        """Send one after the other, and return the answers' status codes."""
        return [self._post(post) for post in posts]

    def deliver_at_once(self, posts: Iterable[Post]) -> list[int]:
        """Send from several senders at the same time."""
        with ThreadPoolExecutor(WORKERS) as senders:
            return list(senders.map(self._post, posts))

    def settle(self) -> None:
        """Wait until every queue and stream is quiet, the shops' own webhooks included."""
        self.shops.deliver()
        self.stack.drain(_PATIENCE_SECONDS)

    def order(self, shop: str, order_id: int | str) -> OrderRecord:
        found = self.orders.find(OrderKey(shop, str(order_id)))
        if found is None:
            raise LookupError(f"order {shop}/{order_id} is not there")
        return found

    def is_known(self, shop: str, order_id: int | str) -> bool:
        return self.orders.find(OrderKey(shop, str(order_id))) is not None

    def count_in(self, sku: str, units: int, *, reorder_point: int | None = None) -> StockLine:
        request = LevelRequest(sku=sku, location="main", on_hand=units, reorder_point=reorder_point)
        return set_level(self.stock, utc_now, request, actor="demo")

    def level(self, sku: str) -> StockLine:
        return self.stock.read([sku])[sku]["main"]

    def set_aside(self) -> list[dict[str, str]]:
        """The reasons on the dead-letter queue, without taking anything off it."""
        (name,) = [queue.name for queue in self.stack.deployment.queues if queue.name.endswith("-orders-dead")]
        return [
            {key: value["StringValue"] for key, value in message.get("MessageAttributes", {}).items()}
            for message in _receive_all(self.stack.client("sqs"), name, delete=False)
        ]

    def published(self) -> list[dict[str, Any]]:
        """Every event that the bus passed on."""
        messages = _receive_all(self.stack.client("sqs"), self.events_queue, delete=True)
        return [json.loads(message["Body"]) for message in messages]

    def fire(self, schedule: str) -> None:
        """Have the schedule come round now, and wait until all is quiet again."""
        self.trigger(schedule)
        self.settle()

    def trigger(self, schedule: str) -> None:
        """The same, without waiting for what follows."""
        (name,) = [known for known in self.stack.schedules.names if schedule in known]
        self.stack.schedules.fire(name)

    def _post(self, post: Post) -> int:
        answer = self.http.post(
            f"/webhooks/{post.shop}/orders", content=post.request.body, headers=dict(post.request.headers)
        )
        self.answers[answer.status_code] += 1
        if answer.is_success and post.order_id:
            self.accepted.add(OrderKey(post.shop, post.order_id))
        return answer.status_code


def _subscribe(stack: LocalStack) -> str:
    """A rule on the bus, as a merchant would make one, that passes every order event to a queue of ours."""
    (bus,) = stack.deployment.buses
    sqs, events = stack.client("sqs"), stack.client("events")
    url = sqs.create_queue(QueueName="demo-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="demo", EventBusName=bus, EventPattern=json.dumps({"source": ["storebridge.orders"]}))
    events.put_targets(Rule="demo", EventBusName=bus, Targets=[{"Id": "demo", "Arn": arn}])
    return "demo-events"


def _receive_all(sqs: Any, queue: str, *, delete: bool) -> list[dict[str, Any]]:
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found: list[dict[str, Any]] = []
    while batch := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60, MessageAttributeNames=["All"]
    ).get("Messages"):
        found += batch
    for message in found:
        if delete:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        else:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    return found
