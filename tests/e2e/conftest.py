"""The whole deployment on the local stack, for the tests of a module."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from shared.dynamodb.table import connect
from shared.inventory.table import StockTable
from shared.kernel.identifiers import OrderKey
from shared.orders.record import OrderRecord
from shared.orders.table import OrderTable
from tests.builders.stock import counted

SECRETS = {"aurora": "aurora-secret", "borealis": "borealis-secret", "genuine": "wh-secret <&\"' ü 1"}
SHOPS = {
    "aurora": ("shopify", "aurora.myshopify.com"),
    "borealis": ("woocommerce", "borealis.example"),
    "genuine": ("woocommerce", "127.0.0.1:18443"),
}
CONTENTS = Contents(
    settings={
        "locations": {"main": {"name": "Main"}},
        "shops": {
            shop: {"platform": platform, "address": address, "locations": ["main"], "api_access": False}
            for shop, (platform, address) in SHOPS.items()
        },
        "review": {"duplicate_window_minutes": 0},
    },
    secrets={"webhooks": {shop: ["an-older-secret", secret] for shop, secret in SECRETS.items()}, "api": {}},
)


@dataclass
class Deployed:
    """The running deployment, and what a test looks at."""

    stack: LocalStack
    http: httpx.Client
    orders: OrderTable
    stock: StockTable
    counted: set[str] = field(default_factory=set)

    def post(self, shop: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return self.http.post(f"/webhooks/{shop}/orders", content=body, headers=headers)

    def order(self, shop: str, order_id: int | str) -> OrderRecord | None:
        return self.orders.find(OrderKey(shop, str(order_id)))

    def count_in(self, sku: str, units: int) -> None:
        self.stock.set_level(counted(sku, units))

    def set_aside(self) -> list[dict[str, str]]:
        """Reasons on the dead-letter queue; the messages are taken off it."""
        sqs: Any = self.stack.client("sqs")
        url = sqs.get_queue_url(QueueName="storebridge-orders-dead")["QueueUrl"]
        reasons = []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
            "Messages"
        ):
            for message in found:
                attributes = message.get("MessageAttributes", {})
                reasons.append({name: value["StringValue"] for name, value in attributes.items()})
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return reasons

    def waiting(self) -> int:
        """Messages that are anywhere on their way."""
        sqs: Any = self.stack.client("sqs")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        total = 0
        for queue in self.stack.deployment.queues:
            url = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            total += sum(int(value) for value in found.values())
        return total

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in self.stack.logs.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with pytest.MonkeyPatch.context() as patch, LocalStack(Options(contents=CONTENTS)) as stack:
        for name, value in stack.clients.environment().items():
            patch.setenv(name, value)
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        connection = connect()
        stock = StockTable(connection, "storebridge-stock", ("main",))
        with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as http:
            yield Deployed(stack, http, OrderTable(connection, "storebridge-orders", stock), stock)
