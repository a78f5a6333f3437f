"""A local stack on which nothing runs by itself, with shops and a back office in this process.

Errands wait on their queues until a test runs them here, by the same wiring as the functions and with the memory back
office in the adapter's place. So a test sees what a command sent before anybody acts on it.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infra.cli.target import local_target
from infra.fakes.backoffice import MemoryBackOffice
from infra.fakes.shopify_admin import LOCATION, TOKEN, ShopifyAdmin
from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.local.stack import LocalStack
from shared.kernel.identifiers import OrderKey
from shared.orders.errands import Office, Reason
from shared.orders.intake import take_in
from shared.orders.models import Order
from shared.orders.readings import CompleteOrder
from shared.platform import configuration
from shared.platform.errand_queue import OrderErrand
from shared.platform.kept import Kept
from shared.wiring import backoffice_push, order_desk, storefront_push
from shared.wiring.order_desk import desk as desk_of
from shared.wiring.tables import stock_table
from tests.builders.orders import NOON
from tests.builders.stock import counted

AURORA, BOREALIS = "aurora.example.myshopify.com", "borealis.example"
SETTINGS: dict[str, Any] = {
    "locations": {"main": {"name": "Main"}, "annexe": {"name": "Annexe"}},
    "review": {"duplicate_window_minutes": 0},
    "shops": {
        "aurora": {
            "platform": "shopify",
            "address": AURORA,
            "locations": ["main"],
            "stock_location": LOCATION,
            "backoffice": "erp",
        },
        "borealis": {"platform": "woocommerce", "address": BOREALIS, "locations": ["main"], "backoffice": "erp"},
        "cygnus": {"platform": "woocommerce", "address": "cygnus.example", "locations": ["main"], "api_access": False},
    },
    "backoffices": {
        "erp": {
            "vendor": "odoo",
            "address": "http://127.0.0.1:1",
            "taxes": {"0.21": "VAT 21", "0.09": "VAT 9"},
            "warehouses": {"main": "WH"},
            "payment_methods": {"*": "Bank"},
            "products": {"gift_card": "FEE", "adjustment": "FEE"},
        }
    },
}
SECRETS: dict[str, dict[str, Any]] = {
    "webhooks": {},
    "api": {
        "aurora": {"access_token": TOKEN},
        "borealis": {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET},
    },
}
QUEUES = {Office.BACKOFFICE: "storebridge-backoffice", Office.STOREFRONT: "storebridge-storefront"}
_RUN = {Office.BACKOFFICE: backoffice_push.run_all, Office.STOREFRONT: storefront_push.run_all}


class QuietStack(LocalStack):
    """Tables, queues and settings, and no function that is fed by any of them."""

    def _start_pollers(self, _exits: Any) -> None:
        self._pollers = []
        self._threads = []


def noon() -> datetime:
    return NOON


@dataclass
class Trade:
    """Two shops, a back office, and their orders."""

    stack: LocalStack
    office: MemoryBackOffice = field(default_factory=lambda: MemoryBackOffice(noon))
    aurora: ShopifyAdmin = field(default_factory=lambda: ShopifyAdmin(noon))
    borealis: WooCommerceFake = field(default_factory=lambda: WooCommerceFake(noon, address=BOREALIS))

    def __post_init__(self) -> None:
        for sku in ("MUG", "CAP"):
            self.office.add_product(sku, 100)
        for sku in ("SHIPPING", "FEE", "TIP", "DUTY", "ROUNDING"):
            self.office.add_product(sku)
        with self.inside():
            for sku in ("MUG", "CAP"):
                stock_table().set_level(counted(sku, 100))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """In the deployment's environment, as a function that has read nothing yet."""
        before = dict(os.environ)
        configuration._settings = Kept(configuration.load_settings)
        order_desk._bundles = Kept(lambda: stock_table().bundles())
        local_target(self.stack.url).enter(os.environ)
        os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "Storebridge"
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def sold(self, account: Order) -> str:
        """An order came in, and its errand was sent; returns its key as operators write it."""
        with self.inside():
            take_in(account.shop, CompleteOrder(account), desk_of(account.shop))
        self.put(Office.BACKOFFICE, account.key)
        return str(account.key)

    def put(self, office: Office, key: OrderKey) -> None:
        errand = OrderErrand(shop=key.shop, order_id=key.order_id, reasons=(Reason.RECEIVED,))
        self.post(QUEUES[office], errand.model_dump_json())

    def post(self, queue: str, body: str, **attributes: str) -> None:
        stated: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        self.stack.clients.sqs.send_message(QueueUrl=self._url(queue), MessageBody=body, MessageAttributes=stated)

    def take(self, queue: str) -> list[dict[str, Any]]:
        """Every message that waits there, taken off."""
        taken = []
        url = self._url(queue)
        sqs = self.stack.clients.sqs
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                taken.append({"messageId": message["MessageId"], "body": message["Body"]})
        return taken

    def run(self, office: Office = Office.BACKOFFICE) -> int:
        """Run the errands that wait, as the office's function would; returns how many there were."""
        waiting = self.take(QUEUES[office])
        with self.inside():
            assert _RUN[office](waiting, run="test", has_time=lambda: True) == []
        return len(waiting)

    def settle(self, **changes: Any) -> None:
        """Deploy the settings, with these of the back office, or at the top."""
        document = deepcopy(SETTINGS)
        for name, value in changes.items():
            (document if name in ("notifications", "shops") else document["backoffices"]["erp"])[name] = value
        self.stack.clients.ssm.put_parameter(
            Name="/storebridge/settings", Value=json.dumps(document), Type="String", Overwrite=True
        )

    def records(self) -> Mapping[str, int]:
        """How many items each table has."""
        client = self.stack.clients.dynamodb
        return {table.name: client.scan(TableName=table.name)["Count"] for table in self.stack.deployment.tables}

    def _url(self, queue: str) -> str:
        return str(self.stack.clients.sqs.get_queue_url(QueueName=queue)["QueueUrl"])
