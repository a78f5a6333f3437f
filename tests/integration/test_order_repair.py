"""Webhooks are lost, one is disabled and one deleted: after the repair every order is here, and all is sent again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import tenacity
from pynamodb.connection import Connection

from functions.order_repair.handler import lambda_handler
from infra.fakes.shopify_admin import TOKEN, Plan, ShopifyAdmin
from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.local.shopify_schema import SCHEMA_FILE
from infra.samples import shopify
from shared.inventory.table import StockTable
from shared.kernel.clock import as_sortable
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.identifiers import OrderKey
from shared.orders.intake import take_in
from shared.orders.ports import Desk
from shared.orders.review import ReviewRules
from shared.orders.table import OrderTable
from shared.platform.settings import parse_settings
from shared.storefronts.shopify.client import ShopifyClient
from shared.storefronts.shopify.subscriptions import ORDER_TOPICS as SHOPIFY_TOPICS
from shared.storefronts.shopify.subscriptions import ShopifySubscriptions
from shared.storefronts.woocommerce.client import WooCommerceClient
from shared.storefronts.woocommerce.signature import authenticate
from shared.storefronts.woocommerce.subscriptions import ORDER_TOPICS as WOOCOMMERCE_TOPICS
from shared.storefronts.woocommerce.subscriptions import WooCommerceSubscriptions
from shared.sync.order_pull import OrderPull
from shared.sync.repair.silence import Rhythm
from shared.sync.repair.table import WatchTable
from shared.sync.repair.watch import Watch
from shared.sync.table import JobTable, TaskTable
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import Ping, WebhookRequest
from shared.wiring import order_repair, subscription_desk
from shared.wiring.storefront import reader
from tests.builders.orders import NOON
from tests.builders.stock import counted

pytestmark = pytest.mark.skipif(
    not SCHEMA_FILE.exists(), reason="Shopify's schema is not there: run python -m infra.local.fetch"
)

BASE = "https://hooks.example/prod"
SECRET = "s3cret"
ORDERS = 50
KEYS = {"access_token": TOKEN, "consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}
SETTINGS = parse_settings(
    {
        "locations": {"main": {"name": "Main"}},
        "shops": {
            "aurora": {
                "platform": "shopify",
                "address": "aurora.example",
                "locations": ["main"],
                "repair": {"customers": False},
            },
            "borealis": {
                "platform": "woocommerce",
                "address": "borealis.example",
                "locations": ["main"],
                "repair": {"customers": False},
            },
            "closed": {
                "platform": "shopify",
                "address": "closed.example",
                "locations": ["main"],
                "api_access": False,
            },
        },
    }
)


def keys(*, fresh: bool = False) -> Mapping[str, str]:
    del fresh
    return KEYS


@dataclass
class House:
    """Both shops, and tables of our own."""

    connection: Connection
    names: Mapping[str, str]
    now: datetime = NOON
    queue: list[Delivery] = field(default_factory=list)
    loses: bool = True
    """Every third order's deliveries come nowhere."""
    number: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        self.stock = StockTable(self.connection, self.names["stock"], ("main",))
        self.orders = OrderTable(self.connection, self.names["orders"], self.stock)
        self.jobs = JobTable(self.connection, self.names["sync"])
        self.tasks = TaskTable(self.connection, self.names["sync"])
        self.watches = WatchTable(self.connection, self.names["sync"])
        self.aurora = ShopifyAdmin(clock=self.clock, plan=Plan(maximum_available=100_000.0))
        self.borealis = WooCommerceFake(self.clock, address="borealis.example", send=self.send)
        self.http = {
            "aurora": httpx.Client(transport=httpx.MockTransport(self.aurora.handler)),
            "borealis": httpx.Client(transport=httpx.MockTransport(self.borealis)),
        }
        self.stock.set_level(counted("MUG", 500))
        self.aurora.stock("MUG", 500)
        self.borealis.add_product("MUG", 500)
        for topic in SHOPIFY_TOPICS:
            self.aurora.subscriptions.register(topic, self.url("aurora"))
        for topic in WOOCOMMERCE_TOPICS:
            self.borealis.webhooks.register(topic, self.url("borealis"), secret=SECRET)

    def clock(self) -> datetime:
        return self.now

    @staticmethod
    def url(shop: str) -> str:
        return f"{BASE}/webhooks/{shop}/orders"

    # The shops sell, and their webhooks arrive, or do not

    def sell(self) -> set[OrderKey]:
        """Both shops sell, one order each minute; who was sold what."""
        sold = set()
        for self.number in range(ORDERS):
            self.now += timedelta(minutes=1)
            body = self.aurora.sell("MUG", 1)
            sold.add(OrderKey("aurora", str(body["id"])))
            for url in self.aurora.subscriptions.urls("orders/create"):
                self._arrived(self._delivery("aurora", "orders/create", shopify.encode(body)), url)
            sold.add(OrderKey("borealis", str(self.borealis.sell("MUG", 1).id)))
            self.borealis.deliver()
        return sold

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        request = WebhookRequest(headers, body)
        if not isinstance(authenticate(request, secrets=[SECRET], shop_address="borealis.example"), Ping):
            self._arrived(self._delivery("borealis", headers["x-wc-webhook-topic"], body), url)
        return 200

    def _arrived(self, delivery: Delivery, url: str) -> None:
        assert url == self.url(delivery.shop)
        if self.loses and self.number % 3 == 0:
            self.lost += 1
        else:
            self.queue.append(delivery)

    def _delivery(self, shop: str, topic: str, body: bytes) -> Delivery:
        platform = SETTINGS.shop(shop).platform
        return Delivery(shop, platform, topic, as_sortable(self.now), body)

    # Our side

    def take_in(self) -> None:
        desk = Desk(
            book=self.orders,
            stock=self.stock,
            storefront=None,
            locations=("main",),
            rules=ReviewRules(duplicate_window_minutes=0),
            clock=self.clock,
            retrying=lambda: tenacity.Retrying(
                retry=tenacity.retry_if_exception_type(Conflict), stop=tenacity.stop_after_attempt(9), reraise=True
            ),
        )
        for delivery in self.queue:
            take_in(delivery.shop, reader(delivery.platform)(delivery), desk)
        self.queue.clear()

    def known(self) -> set[OrderKey]:
        return {record.key for record in self.orders.all_records()}

    def pull(self, shop: str) -> OrderPull:
        client = ShopifyClient if shop == "aurora" else WooCommerceClient
        connected = SETTINGS.shop(shop)
        return OrderPull(
            shop=shop,
            platform=connected.platform,
            client=client(shop, connected.address, keys, self.http[shop], self.clock),
            reader=reader(connected.platform),
            book=self.orders,
            enqueue=self.queue.append,
            clock=self.clock,
        )

    def subscriptions(self, shop: str) -> Any:
        desk = ShopifySubscriptions if shop == "aurora" else WooCommerceSubscriptions
        return desk(SETTINGS.shop(shop).address, keys, self.http[shop])

    def repair(self, *, milliseconds: int = 900_000) -> dict[str, dict[str, str]]:
        self.now += timedelta(minutes=15)
        context: Any = SimpleNamespace(
            aws_request_id=f"run-{self.now}", get_remaining_time_in_millis=lambda: milliseconds
        )
        return lambda_handler({}, context)


@pytest.fixture
def house(connection: Connection, table_names: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> House:
    made = House(connection, table_names)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Test")
    monkeypatch.setenv("WEBHOOK_BASE_URL", BASE)
    for name, value in {
        "settings": lambda: SETTINGS,
        "utc_now": made.clock,
        "job_table": lambda: made.jobs,
        "task_table": lambda: made.tasks,
        "watch_table": lambda: made.watches,
        "order_pull": made.pull,
        "subscription_desk": made.subscriptions,
        "signing_secret": lambda _: SECRET,
    }.items():
        monkeypatch.setattr(order_repair, name, value)
    monkeypatch.setattr(subscription_desk, "settings", lambda: SETTINGS)
    return made


def test_after_the_repair_every_order_is_here_and_all_is_sent_again(house: House) -> None:
    sold = house.sell()
    assert house.lost > ORDERS // 2
    house.take_in()
    missed = sold - house.known()
    assert {key.shop for key in missed} == {"aurora", "borealis"}
    (deleted,) = [
        number for number, each in house.aurora.subscriptions.kept.items() if each["topic"] == "ORDERS_CREATE"
    ]
    del house.aurora.subscriptions.kept[deleted]
    disabled = next(each for each in house.borealis.webhooks.registered.values() if each.topic == "order.created")
    disabled.status = "disabled"

    parts = {"subscriptions": "repaired", "orders": "done"}
    assert house.repair() == {"aurora": parts, "borealis": parts}
    queued = {
        OrderKey(each.shop, reading.order.order_id)
        for each in house.queue
        if hasattr(reading := reader(each.platform)(each), "order")
    }
    assert missed <= queued
    house.take_in()
    assert house.known() == sold
    assert house.aurora.subscriptions.urls("orders/create") == [house.url("aurora")]
    hooks = house.borealis.webhooks.registered.values()
    assert sorted(each.topic for each in hooks) == sorted(WOOCOMMERCE_TOPICS)
    assert {(each.status, each.secret, each.delivery_url) for each in hooks} == {
        ("active", SECRET, house.url("borealis"))
    }

    quiet = {"subscriptions": "kept", "orders": "done"}
    assert house.repair() == {"aurora": quiet, "borealis": quiet}
    assert house.queue == []

    house.loses = False
    again = house.sell()
    house.take_in()
    assert house.known() == sold | again
    house.repair()
    assert house.queue == []


def test_a_search_without_time_is_gone_on_with_by_later_runs(house: House) -> None:
    house.loses = True
    sold = house.sell()
    assert house.repair(milliseconds=1000) == {
        shop: {"subscriptions": "no_time", "orders": "no_time"} for shop in ("aurora", "borealis")
    }
    house.queue.clear()
    house.repair()
    house.take_in()
    assert house.known() == sold


def test_one_shops_trouble_stops_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.aurora.tokens.clear()
    sold = house.sell()
    house.queue.clear()
    assert house.repair() == {
        "aurora": {"subscriptions": "api_access", "orders": "api_access"},
        "borealis": {"subscriptions": "kept", "orders": "done"},
    }
    house.take_in()
    assert house.known() == {key for key in sold if key.shop == "borealis"}

    def no_secret(_: str) -> str:
        raise Rejected("no_secret", "none")

    house.aurora.tokens.add(TOKEN)
    house.borealis.webhooks.registered.clear()
    monkeypatch.setattr(order_repair, "signing_secret", no_secret)
    assert house.repair() == {
        "aurora": {"subscriptions": "kept", "orders": "done"},
        "borealis": {"subscriptions": "no_secret", "orders": "done"},
    }
    house.take_in()
    assert house.known() == sold


def test_listing_costs_one_call_for_fifty_orders_that_are_known(house: House) -> None:
    house.loses = False
    house.sell()
    house.take_in()
    house.repair()
    before = house.aurora.counters.calls, len(house.borealis.requests)
    assert house.queue == []
    house.repair()
    assert (house.aurora.counters.calls - before[0], len(house.borealis.requests) - before[1]) == (2, 2)


def test_what_a_shop_may_not_send_is_a_task_until_it_does(house: House) -> None:
    for hook in house.borealis.webhooks.registered.values():
        hook.status = "paused"
    assert house.repair()["borealis"]["subscriptions"] == "lost"
    assert [task.id for task in house.tasks.all()] == ["subscription_lost/borealis/orders"]
    for hook in house.borealis.webhooks.registered.values():
        hook.status = "active"
    assert house.repair()["borealis"]["subscriptions"] == "kept"
    assert list(house.tasks.all()) == []


def test_without_an_address_of_our_own_subscriptions_are_left_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEBHOOK_BASE_URL")
    house.aurora.subscriptions.kept.clear()
    assert house.repair()["aurora"] == {"subscriptions": "no_base_url", "orders": "done"}
    assert house.aurora.subscriptions.kept == {}


def test_what_was_missed_is_counted_apart_from_what_was_only_late(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.sell()
    house.take_in()
    missed = {shop: ORDERS - sum(key.shop == shop for key in house.known()) for shop in ("aurora", "borealis")}
    capsys.readouterr()
    house.repair()
    told = capsys.readouterr().out
    for shop, number in missed.items():
        assert f'"shop":"{shop}","OrdersMissed":[{float(number)}]' in told.replace(" ", "")


def test_a_shop_that_falls_silent_calls_a_person_once(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    last = house.now - timedelta(hours=2)
    rhythm = Rhythm(begins=last - timedelta(weeks=7), counts=(10,) * (7 * 168))
    house.watches.keep(Watch(shop="borealis", listed_until=last, counted_until=last, rhythm=rhythm, last_order_at=last))
    for _ in range(3):
        house.repair()
    assert [task.id for task in house.tasks.all()] == ["shop_silent/borealis/orders"]
    assert capsys.readouterr().out.count('"ShopSilent":[1.0]') == 3  # an alarm lasts as long as the silence
    house.borealis.sell("MUG", 1)
    house.repair()
    assert "ShopSilent" not in capsys.readouterr().out
    assert list(house.tasks.all()) == []
