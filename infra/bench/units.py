"""What one account of an order costs in DynamoDB: units by kind of request, as the engine itself counts them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import boto3

from infra.bench.bodies import SKUS, VENDORS, Vendor
from infra.bench.memory import LOCATION, empty_desk
from infra.demo.shops import Post
from infra.local.children import Children
from infra.local.dynoxide import start_engine
from infra.local.stack import ROOT
from infra.local.template import load_deployment
from shared.dynamodb.table import connect
from shared.inventory.levels import set_level
from shared.inventory.models import LevelRequest
from shared.inventory.table import StockTable
from shared.kernel.clock import utc_now
from shared.orders.intake import Result, take_in
from shared.orders.ports import Desk
from shared.orders.table import OrderTable
from shared.sync.backoffice.table import MirrorTable
from shared.sync.table import JobTable
from shared.webhooks.delivery import Delivery
from shared.wiring.storefront import reader

LINES: Final = 3
READS: Final = ("BatchGetItem", "GetItem", "Query")
_PLENTY: Final = 1000


@dataclass(frozen=True)
class Request:
    operation: str
    units: float
    items: int = 1
    """Written or asked for; of a query, the query."""


@dataclass(frozen=True)
class UnitCost:
    """One account of an order taken in."""

    platform: str
    account: str
    result: str
    requests: tuple[Request, ...]

    @property
    def read(self) -> float:
        return sum(request.units for request in self.requests if request.operation in READS)

    @property
    def written(self) -> float:
        return sum(request.units for request in self.requests if request.operation not in READS)

    @property
    def transaction(self) -> float:
        return sum(request.units for request in self.requests if request.operation == "TransactWriteItems")


class Meter:
    """Notes the capacity that every answer to a botocore client states, indexes included."""

    def __init__(self, client: Any) -> None:
        self._requests: list[Request] = []
        self._items = 1
        client.meta.events.register("before-parameter-build.dynamodb.*", self._count)
        client.meta.events.register("after-call.dynamodb.*", self._note)

    def take(self) -> tuple[Request, ...]:
        """What was noted since the last time."""
        taken, self._requests = tuple(self._requests), []
        return taken

    def _count(self, *, params: dict[str, Any], **_: Any) -> None:
        asked = params.get("RequestItems", {}).values()
        self._items = len(params.get("TransactItems", ())) or sum(len(one["Keys"]) for one in asked) or 1

    def _note(self, *, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        stated = parsed.get("ConsumedCapacity", [])
        tables = stated if isinstance(stated, list) else [stated]
        if not tables and parsed["ResponseMetadata"]["HTTPStatusCode"] < 300:  # noqa: PLR2004 - HTTP's successes
            raise AssertionError(f"the engine does not say what {model.name} consumed")
        units = sum(float(table["CapacityUnits"]) for table in tables)
        self._requests.append(Request(str(model.name), units, self._items))


def measure() -> list[UnitCost]:
    """Take in a new order, the same again, an update that moves no stock, and a cancellation, for each vendor."""
    with _desk() as (desk, meter):
        return [cost for vendor in VENDORS for cost in _story(vendor, desk, meter)]


def _story(vendor: Vendor, desk: Desk, meter: Meter) -> Iterator[UnitCost]:
    accounts = {
        "new order": vendor.of_lines(7001, LINES),
        "the same again": vendor.of_lines(7001, LINES),
        "update, stock unmoved": vendor.of_lines(7001, LINES, minute=1),
        "cancellation": vendor.of_lines(7001, LINES, minute=2, **_cancelled(vendor)),
    }
    for account, post in accounts.items():
        meter.take()
        result = _take_in(vendor, post, desk)
        yield UnitCost(vendor.platform, account, result.value, meter.take())


def _take_in(vendor: Vendor, post: Post, desk: Desk) -> Result:
    received_at = "2026-11-23T12:00:00.000000000Z"
    topic = {"shopify": "orders/updated", "woocommerce": "order.updated"}[vendor.platform]
    delivery = Delivery(vendor.shop, vendor.platform, topic, received_at, post.request.body)
    return take_in(vendor.shop, reader(vendor.platform)(delivery), desk).result


def _cancelled(vendor: Vendor) -> dict[str, Any]:
    if vendor.platform == "woocommerce":
        return {"status": "cancelled"}
    return {"cancelled_at": "2026-11-23T11:00:00Z", "cancel_reason": "customer"}


@contextmanager
def _desk() -> Iterator[tuple[Desk, Meter]]:
    """A desk on a real engine in memory, with stock on the shelf."""
    with tables() as (connection, names):
        stock = StockTable(connection, names["stock"], (LOCATION,))
        for sku in SKUS:
            set_level(stock, utc_now, LevelRequest(sku=sku, location=LOCATION, on_hand=_PLENTY), actor="bench")
        orders = OrderTable(connection, names["orders"], stock)
        yield replace(empty_desk(), book=orders, stock=stock), Meter(connection.client)


@contextmanager
def sync_table() -> Iterator[tuple[MirrorTable, JobTable, Meter]]:
    """What the sync table holds of orders and leases, on a real engine in memory, and what every request costs."""
    with tables() as (connection, names):
        yield MirrorTable(connection, names["sync"]), JobTable(connection, names["sync"]), Meter(connection.client)


@contextmanager
def tables() -> Iterator[tuple[Any, dict[str, str]]]:
    """A connection to the deployment's tables, and their names by what they hold."""
    with Children() as children:
        endpoint = start_engine(children, ROOT / ".cache" / "dynoxide", None)
        os.environ.update(
            AWS_ENDPOINT_URL_DYNAMODB=endpoint,
            AWS_ACCESS_KEY_ID="local",
            AWS_SECRET_ACCESS_KEY="local",  # noqa: S106 - any will do on loopback
            AWS_DEFAULT_REGION="eu-west-1",
        )
        names = _create_tables(endpoint, ROOT / "template.yaml")
        yield connect(), names


def _create_tables(endpoint: str, template: Path) -> dict[str, str]:
    client = boto3.client("dynamodb", endpoint_url=endpoint)
    names = {}
    for table in load_deployment(template).tables:
        names[table.name.rpartition("-")[2]] = table.name
        client.create_table(**table.definition)
    return names
