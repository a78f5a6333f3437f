"""The three functions that serve buyers: their handlers, on real tables, with AWS's other services beside."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.ses.models import ses_backends
from pynamodb.connection import Connection

from functions.customer_verification.handler import lambda_handler as handle_verification
from functions.notify.handler import lambda_handler as handle_errands
from functions.order_tracking.handler import lambda_handler as handle_tracking
from infra.local.answers import Answer
from infra.local.gateway import Request, Routes, handle
from infra.local.intrinsics import ACCOUNT, REGION
from infra.local.outcomes import Outcome
from infra.local.template import Route
from shared.customers.table import CustomerTable
from shared.inventory.table import StockTable
from shared.kernel.links import Link, sign
from shared.orders.decision import Commit
from shared.orders.models import Order
from shared.orders.record import OrderRecord
from shared.orders.table import OrderTable
from shared.platform import aws, buyer_mail, configuration, privacy_keys
from shared.platform.errand_queue import AnErrand
from shared.platform.kept import Kept
from shared.sync.backoffice.mirror import Mirror
from shared.sync.backoffice.table import MirrorTable
from shared.wiring import customer_desk, customer_verification, errands, order_tracking, tables
from shared.wiring import notify as notify_wiring
from tests.builders.orders import NOON

SENDER = "shop@example.test"
BASE = "https://orders.example"
ROOT = "a root of the tests, of no other use, long enough"
ROUTES = (
    Route(method="GET", path="/track/{token}", function="order_tracking"),
    Route(method="GET", path="/verify/{token}", function="customer_verification"),
    Route(method="POST", path="/verify/{token}", function="customer_verification"),
)
HANDLERS = {"order_tracking": handle_tracking, "customer_verification": handle_verification}
_WATCHES = (customer_desk, customer_verification, errands, notify_wiring, order_tracking)
"""Modules that look at the clock."""
_CLIENTS = (aws.sqs, aws.secrets_manager, buyer_mail._ses)


def settings(**shop: Any) -> dict[str, Any]:
    buyers = {"sender": SENDER, "sender_name": "Aurora & 极光", "notices": ["confirmed", "shipped", "refunded"]}
    connected = {
        "platform": "shopify",
        "address": "aurora.example",
        "locations": ["main"],
        "api_access": False,
        "buyers": buyers,
        "customers": {"verification": {"ask": "registration"}},
    }
    return {
        "locations": {"main": {"name": "Main", "country": "NL"}},
        "shops": {"aurora": connected | shop},
        "public_url": BASE,
    }


@dataclass
class PagesHouse:
    """Everything that a buyer meets."""

    orders: OrderTable
    mirrors: MirrorTable
    customers: CustomerTable
    queue: str
    dead: str
    now: datetime = NOON

    # ---- what is so ----

    def keep(self, account: Order, record: OrderRecord) -> None:
        self.orders.write_account(account)
        self.orders.commit(Commit(record=record, changes=(), replaces=None))

    def sends(self, mirror: Mirror) -> None:
        self.mirrors.save(mirror, self.mirrors.find(mirror.key))

    # ---- what buyers do ----

    def address(self, purpose: str, subject: str, expires_at: datetime, nonce: str = "") -> str:
        """The path of a link that is genuine."""
        keys = privacy_keys.derive({"root": ROOT}).link_keys
        return f"/{purpose}/{sign(Link(purpose, subject, expires_at, nonce), keys)}"

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
        """One request, as the gateway hands it to a function."""
        named = {"content-type": "application/x-www-form-urlencoded"} if body else {}
        pairs = tuple((name.replace("_", "-"), value) for name, value in {**named, **headers}.items())
        return handle(Request(method, target, pairs, body, "192.0.2.1"), Routes(ROUTES), self.invoke)

    def invoke(self, function: str, payload: bytes) -> Outcome:
        reply = HANDLERS[function](json.loads(payload), None)
        return Outcome(json.dumps(reply).encode())

    def lose_keys(self) -> None:
        """From now on nobody can tell a genuine link from a forged one."""
        boto3.client("secretsmanager").delete_secret(SecretId="privacy", ForceDeleteWithoutRecovery=True)
        privacy_keys._kept.cache_clear()

    def take_keys(self, secret: Mapping[str, Any]) -> None:
        """From now on links are signed with this secret."""
        boto3.client("secretsmanager").put_secret_value(SecretId="privacy", SecretString=json.dumps(secret))
        privacy_keys._kept.cache_clear()

    # ---- what the queue brings ----

    def run(self, *errands: AnErrand | str) -> list[str]:
        bodies = [one if isinstance(one, str) else one.model_dump_json() for one in errands]
        records = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
        context: Any = SimpleNamespace(aws_request_id="run-1", get_remaining_time_in_millis=lambda: 60_000)
        failures = handle_errands({"Records": records}, context)["batchItemFailures"]
        return [failure["itemIdentifier"] for failure in failures]

    @property
    def mails(self) -> list[Any]:
        sent: list[Any] = ses_backends[ACCOUNT][REGION].sent_messages
        return sent

    def waiting(self, url: str) -> list[dict[str, Any]]:
        """Bodies of a queue's messages, those that are delayed too."""
        sqs: Any = boto3.client("sqs")
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        delayed = int(counts["ApproximateNumberOfMessagesDelayed"])
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in found] + [{}] * delayed


@contextmanager
def pages_house(
    connection: Connection, names: Mapping[str, str], document: Mapping[str, Any], folder: Path
) -> Iterator[PagesHouse]:
    """The functions on fresh tables, with these settings."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        file = folder / "settings.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        for client in _CLIENTS:
            client.cache_clear()
        boto3.client("sesv2").create_email_identity(EmailIdentity=SENDER)
        boto3.client("secretsmanager").create_secret(Name="privacy", SecretString=json.dumps({"root": ROOT}))
        queues = [boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("buyer", "buyer-dead")]
        for name, value in {
            "STOREBRIDGE_SETTINGS": str(file),
            "PRIVACY_SECRET_ID": "privacy",
            "ORDERS_TABLE": names["orders"],
            "SYNC_TABLE": names["sync"],
            "CUSTOMERS_TABLE": names["customers"],
            "BUYER_QUEUE_URL": queues[0],
            "DEAD_LETTER_QUEUE_URL": queues[1],
            "PUBLIC_URL": "https://api.example",
            "POWERTOOLS_METRICS_NAMESPACE": "Storebridge",
            "POWERTOOLS_SERVICE_NAME": "tests",
        }.items():
            patch.setenv(name, value)
        patch.setattr(configuration, "_settings", Kept(configuration.load_settings))
        privacy_keys._kept.cache_clear()
        tables.connection.cache_clear()
        stock = StockTable(connection, names["stock"], ("main",))
        house = PagesHouse(
            orders=OrderTable(connection, names["orders"], stock),
            mirrors=MirrorTable(connection, names["sync"]),
            customers=CustomerTable(connection, names["customers"], clock=lambda: house.now),
            queue=queues[0],
            dead=queues[1],
        )
        for module in _WATCHES:
            patch.setattr(module, "utc_now", lambda: house.now)
        yield house
    privacy_keys._kept.cache_clear()
    tables.connection.cache_clear()
    for client in _CLIENTS:
        client.cache_clear()
