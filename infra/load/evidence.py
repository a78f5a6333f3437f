"""Look into tables, queues, bus, shops and back office once all is quiet."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import boto3
from botocore.config import Config

from infra.load.traffic import SHOPS, SKUS
from infra.load.verdict import Event, Evidence
from infra.load.victim import Victim
from infra.load.world import World
from shared.dynamodb.table import connect
from shared.inventory.models import Cause, CountedLevel
from shared.inventory.table import MovementTable, StockTable
from shared.kernel.clock import as_sortable, utc_now
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import OrderKey
from shared.orders.table import OrderTable
from shared.sync.backoffice.table import MirrorTable
from shared.sync.table import JobTable
from shared.webhooks.delivery import Delivery
from shared.wiring.errands import LEASE

EVENTS_QUEUE: Final = "load-events"
LOCATION: Final = "main"
_STACK: Final = "storebridge"
_GIVEN_UP: Final = ("-dead", "-failures")
"""How the names of queues end that hold what was set aside, or tell of what failed for good."""
_CONFIG: Final = Config(proxies={}, retries={"mode": "standard"})


class Inspector:
    """Whoever counts in before the traffic, and counts up after it. For one start of the stack."""

    def __init__(self, victim: Victim) -> None:
        self._environment = victim.environment
        self._sqs: Any = self._client("sqs")

    def open_up(self, opening: Mapping[str, int]) -> None:
        """Count the opening stock in, and have every order event of the bus kept on a queue, as a merchant might."""
        with _reaching(self._environment):
            stock = StockTable(connect(), f"{_STACK}-stock", (LOCATION,))
            cause = Cause(kind="count", reference="opening", actor="load")
            for sku, units in opening.items():
                level = CountedLevel(sku=sku, location=LOCATION, on_hand=units, counted_at=utc_now(), cause=cause)
                stock.set_level(level)
        events = self._client("events")
        url = self._sqs.create_queue(QueueName=EVENTS_QUEUE)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        (bus,) = [one["Name"] for one in events.list_event_buses()["EventBuses"] if one["Name"] != "default"]
        pattern = json.dumps({"source": ["storebridge.orders"]})
        events.put_rule(Name=EVENTS_QUEUE, EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule=EVENTS_QUEUE, EventBusName=bus, Targets=[{"Id": EVENTS_QUEUE, "Arn": arn}])

    def end_leases_of_the_dead(self, killed_at: datetime) -> int:
        """End the leases that were taken before the kill, and return how many: nobody is left to give them back.

        On AWS they run out by themselves after six minutes. That is all that is hurried here.
        """
        dynamodb = self._client("dynamodb", self._environment["AWS_ENDPOINT_URL_DYNAMODB"])
        found = dynamodb.query(
            TableName=f"{_STACK}-sync",
            KeyConditionExpression="pk = :job",
            FilterExpression="held_until < :taken_later AND attribute_exists(holder)",
            ExpressionAttributeValues={":job": {"S": "job"}, ":taken_later": {"S": as_sortable(killed_at + LEASE)}},
        )["Items"]
        with _reaching(self._environment):
            jobs = JobTable(connect(), f"{_STACK}-sync")
            for lease in found:
                jobs.let_go(lease["sk"]["S"], lease["holder"]["S"])
        return len(found)

    def collect(self, world: World) -> Evidence:
        """All that is left. Takes the events and the dead letters off their queues."""
        queues = [url.rpartition("/")[2] for url in self._sqs.list_queues()["QueueUrls"]]
        dead = {name: list(self._taken(name)) for name in queues if name.endswith(_GIVEN_UP)}
        letters = [letter for messages in dead.values() for letter in messages]
        with _reaching(self._environment):
            connection = connect(read_seconds=30.0)
            stock = StockTable(connection, f"{_STACK}-stock", (LOCATION,))
            orders = OrderTable(connection, f"{_STACK}-orders", stock)
            movements = MovementTable(connection, f"{_STACK}-movements")
            mirrors = MirrorTable(connection, f"{_STACK}-sync")
            return Evidence(
                records={record.key: record for record in orders.all_records()},
                stock=sorted(stock.read_all(), key=lambda line: line.sku),
                ledger={sku: movements.of(sku, LOCATION) for sku in SKUS},
                events=[_event(json.loads(message)["detail"]) for message in self._taken(EVENTS_QUEUE)],
                set_aside=frozenset(filter(None, map(_account_of, letters))),
                dead={name: len(messages) for name, messages in dead.items()},
                waiting={name: self._length(name) for name in queues if name not in dead and name != EVENTS_QUEUE},
                shown=world.shown(),
                sales=_sales(world),
                stopped=tuple(str(entry.key) for shop in SHOPS for entry in mirrors.stopped(shop)),
            )

    def _client(self, service: str, endpoint: str | None = None) -> Any:
        given = self._environment
        session = boto3.session.Session(
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
            region_name=given["AWS_REGION"],
        )
        # boto3's overloads want a literal name
        return session.client(service, endpoint_url=endpoint or given["AWS_ENDPOINT_URL"], config=_CONFIG)  # type: ignore[call-overload]

    def _taken(self, queue: str) -> Iterator[str]:
        url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        while found := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            yield from (message["Body"] for message in found)
            entries = [{"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]} for message in found]
            self._sqs.delete_message_batch(QueueUrl=url, Entries=entries)

    def _length(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in found.values())


@contextmanager
def _reaching(environment: Mapping[str, str]) -> Iterator[None]:
    """pynamodb finds its engine by the process's environment alone."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _event(detail: Mapping[str, Any]) -> Event:
    order = f"{detail['shop']}/{detail['order_id']}"
    return Event(str(detail["id"]), str(detail.get("kind", "")), order, json.dumps(detail, sort_keys=True))


def _account_of(letter: str) -> tuple[OrderKey, str] | None:
    """The order and the account's digest inside a dead letter, where it is a delivery about an order."""
    try:
        delivery = Delivery.from_message(letter)
        number = json.loads(delivery.body)["id"]
    except (Rejected, ValueError, KeyError, TypeError):
        return None
    return OrderKey(delivery.shop, str(number)), hashlib.sha256(delivery.body).hexdigest()


def _sales(world: World) -> dict[str, list[str]] | None:
    if world.office is None:
        return None
    sales: dict[str, list[str]] = {}
    for record in world.office.store.records["sale.order"].values():
        sales.setdefault(str(record["origin"]), []).append(str(record["state"]))
    return sales
