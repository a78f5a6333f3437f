"""Two live shops that sell one pool: a Shopify fake and a WooCommerce fake on loopback, connected to a local stack.

Buyers buy at the fakes, the fakes send signed webhooks to the stack, the stack writes levels back to the fakes: the
whole circle, over HTTP.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Lock

import httpx

from infra.fakes import shopify_admin
from infra.fakes.shopify_admin import LOCATION, TOKEN, ShopifyAdmin, SoldOut
from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.fakes.woocommerce_state import OutOfStock
from infra.local.provision import Contents
from infra.samples import shopify
from shared.kernel.clock import utc_now
from shared.storefronts.woocommerce.subscriptions import CUSTOMER_TOPICS

AURORA = "aurora.example.myshopify.com"
BOREALIS = "borealis.example"
SECRET = "twin-secret"  # noqa: S105 - made up
_ORDER_TOPICS = ("order.created", "order.updated")


@dataclass
class Twins:
    """Aurora on Shopify, Borealis on WooCommerce."""

    aurora: ShopifyAdmin
    borealis: WooCommerceFake
    ports: Mapping[str, int]
    http: httpx.Client
    stack_url: str = ""
    refused: dict[str, int] = field(default_factory=lambda: {"aurora": 0, "borealis": 0})
    """Buyers that a shop turned away because it showed nothing left."""
    sold: dict[str, int] = field(default_factory=lambda: {"aurora": 0, "borealis": 0})
    _lock: Lock = field(default_factory=Lock)

    @property
    def environment(self) -> dict[str, str]:
        """What the stack's functions need to reach the shops."""
        return {"STOREBRIDGE_LOCAL_STOREFRONTS": json.dumps(dict(self.ports))}

    def connect(self, stack_url: str) -> None:
        """Have the shops send their webhooks to this stack."""
        self.stack_url = stack_url
        url = "https://storebridge.example/webhooks/borealis"
        for what, topics in (("orders", _ORDER_TOPICS), ("customers", CUSTOMER_TOPICS)):
            for topic in topics:
                self.borealis.webhooks.register(topic, f"{url}/{what}", secret=SECRET)

    def stock(self, sku: str, shown: int) -> None:
        """Both shops sell this SKU, and show so many."""
        self.aurora.stock(sku, shown)
        self.borealis.add_product(sku, shown)

    def shown(self, sku: str) -> dict[str, int | float | None]:
        return {"aurora": self.aurora.shown(sku), "borealis": self.borealis.shown(sku)}

    def buy(self, shop: str, sku: str, units: int = 1) -> bool:
        """A buyer tries; True when the shop took the order (its webhook is sent at once, or waits in its queue)."""
        try:
            if shop == "aurora":
                self._send_from_aurora(self.aurora.sell(sku, units))
            else:
                self.borealis.sell(sku, units, block_checkout=False)
        except (SoldOut, OutOfStock):
            with self._lock:
                self.refused[shop] += 1
            return False
        with self._lock:
            self.sold[shop] += units
        return True

    def deliver(self) -> None:
        """Let WooCommerce work off its queue of webhooks, and Shopify send what shipping and cancelling caused, and
        what happened to its customers."""
        while self.borealis.deliver():
            pass
        for body in self.aurora.take_webhooks():
            self._send_from_aurora(body, topic="orders/updated")
        for topic, body in self.aurora.customers.take_webhooks():
            self._send_from_aurora(body, topic=topic, endpoint="customers")

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """How the shops reach the stack: the address in the webhook is ours, wherever it listens."""
        path = httpx.URL(url).path
        return self.http.post(f"{self.stack_url}{path}", content=body, headers=dict(headers)).status_code

    def _send_from_aurora(self, body: shopify.Json, topic: str = "orders/create", endpoint: str = "orders") -> None:
        request = shopify.signed_request(body, topic=topic, secret=SECRET, address=AURORA)
        self.send(f"https://storebridge.example/webhooks/aurora/{endpoint}", request.headers, request.body)


def contents(*, buffers: Mapping[str, int] | None = None, duplicate_window_minutes: int = 0) -> Contents:
    """Settings and secrets for a stack that serves both."""
    kept_back = buffers or {}
    common = {"locations": ["main"], "order_delay_seconds": 2, "sweep_every_minutes": 0}
    return Contents(
        settings={
            "locations": {"main": {"name": "Main warehouse"}},
            "shops": {
                "aurora": {
                    "platform": "shopify",
                    "address": AURORA,
                    "stock_location": LOCATION,
                    "stock_buffer": kept_back.get("aurora", 0),
                    **common,
                },
                "borealis": {
                    "platform": "woocommerce",
                    "address": BOREALIS,
                    "stock_buffer": kept_back.get("borealis", 0),
                    **common,
                },
            },
            "review": {"duplicate_window_minutes": duplicate_window_minutes},
        },
        secrets={
            "webhooks": {"aurora": [SECRET], "borealis": [SECRET]},
            "api": {
                "aurora": {"access_token": TOKEN},
                "borealis": {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET},
            },
        },
    )


@contextmanager
def twins() -> Iterator[Twins]:
    """Both shops, up on loopback. Call `connect` once the stack is up."""
    aurora = ShopifyAdmin(clock=utc_now)
    aurora.customers.address = AURORA
    borealis = WooCommerceFake(utc_now, address=BOREALIS)
    with (
        closing(shopify_admin.serve(aurora)) as first,
        closing(borealis.serve()) as second,
        httpx.Client(timeout=30, trust_env=False) as http,
    ):
        pair = Twins(aurora, borealis, {AURORA: first.port, BOREALIS: second.port}, http)
        borealis.webhooks.send = pair.send
        yield pair
