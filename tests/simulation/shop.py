"""A storefront that sells, changes its mind and tells of it: late, twice, out of order, or never.

WooCommerce's shape, because its times know whole seconds only: two changes of one second are told apart by asking.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from shared.kernel.clock import as_sortable, utc_now
from shared.kernel.errors import Retry
from shared.storefronts.port import Change, ChangePage
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import sign_hmac_sha256
from tests.fakes.channel import FakeChannel
from tests.simulation.cloud.clients import SECRET
from tests.simulation.cloud.cloud import Cloud, Crash, Failures

SHOP: Final = "borealis"
CANARY: Final = "Quetzalcoatlus"
"""In everything personal that a buyer states: it may be in the tables, and nowhere else."""
STOREFRONT: Final = Failures(
    lambda: Retry("storefront_unreachable", "no answer"), lambda: Retry("storefront_throttled", "slow down")
)
_PRICE_CENTS: Final = 1250
_LATEST_SECONDS: Final = 70_000
"""The first look for missed orders goes back a day: a deployment looks every few minutes, a history once at its end."""
_RETRIES_AFTER: Final = (10.0, 60.0, 600.0, 3600.0)


@dataclass(frozen=True)
class Account:
    """One state of an order, as the shop told of it."""

    second: str
    """When it changed, as the shop says it."""
    body: bytes
    units: Mapping[str, int]
    """By SKU."""
    status: str

    @property
    def is_cancelled(self) -> bool:
        return self.status == "cancelled"

    @property
    def is_paid(self) -> bool:
        return self.status in ("processing", "completed")


@dataclass(frozen=True)
class Habits:
    """How badly a shop tells of its orders."""

    lost: float = 0.0
    """How many of its deliveries never come."""
    twice: float = 0.0
    at_once: bool = False
    """Whether its deliveries come within milliseconds, so that several are worked on at a time."""
    late: float = 0.0
    """How many of them come many hours late."""
    thin: float = 0.0
    """How many of them only say that something changed (`order.deleted` and the like are not meant)."""
    retries: bool = True
    """Whether it sends again what was not answered with 200."""


@dataclass
class Shop:
    cloud: Cloud
    habits: Habits
    orders: dict[str, list[Account]] = field(default_factory=dict)
    accepted: list[tuple[str, int]] = field(default_factory=list)
    """Deliveries that were answered with 200: order and number of the account."""
    refused: list[int] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    channel: FakeChannel = field(default_factory=FakeChannel)
    counts_itself: bool = True
    """Whether it takes what it sells off the levels that it shows."""

    # ---- what buyers and the shop's staff do ----

    def place(self, order_id: str, units: Mapping[str, int], *, status: str = "processing") -> None:
        self.orders[order_id] = []
        for sku, quantity in units.items():
            if self.counts_itself and self.channel.shown.get(sku) is not None:
                self.channel.sell(sku, quantity)
        self._account(order_id, units, status)

    def change(self, order_id: str, *, units: Mapping[str, int] | None = None, status: str | None = None) -> None:
        last = self.orders[order_id][-1]
        self._account(order_id, last.units if units is None else units, status or last.status)

    def _account(self, order_id: str, units: Mapping[str, int], status: str) -> None:
        accounts = self.orders[order_id]
        second = f"{utc_now():%Y-%m-%dT%H:%M:%S}"
        created = accounts[0].second if accounts else second
        body = _body(order_id, created, second, tuple(units.items()), status, len(accounts))
        accounts.append(Account(second, body, dict(units), status))
        self._tell(order_id, len(accounts) - 1)

    # ---- webhooks ----

    def _tell(self, order_id: str, number: int) -> None:
        dice, habits = self.cloud.dice, self.habits
        for _ in range(2 if dice.random() < habits.twice else 1):
            if dice.random() >= habits.lost:
                late = dice.random() < habits.late
                delay = dice.random() * (_LATEST_SECONDS if late else 0.03 if habits.at_once else 5)
                thin = dice.random() < habits.thin
                self.cloud.time.spawn(lambda thin=thin: self._deliver(order_id, number, thin=thin), after=delay)  # type: ignore[misc]

    def _deliver(self, order_id: str, number: int, *, thin: bool) -> None:
        account = self.orders[order_id][number]
        body = json.dumps({"id": int(order_id)}).encode() if thin else account.body
        event = _request(body, "order.updated" if number else "order.created")
        for pause in (*_RETRIES_AFTER, None):
            if self._post(event):
                self.accepted.append((order_id, number))
                return
            if pause is None or not self.habits.retries:
                return
            self.cloud.time.sleep(pause)

    def _post(self, event: dict[str, Any]) -> bool:
        try:
            answer = self.cloud.run("order-webhook", event, seconds=10.0)
        except Crash:
            return False
        self.refused += [answer["statusCode"]] if answer["statusCode"] != 200 else []
        return bool(answer["statusCode"] == 200)

    # ---- its API (a `StorefrontClient`) ----

    def fetch_order(self, order_id: str) -> Delivery | None:
        asked_at = as_sortable(utc_now())

        def do() -> Delivery | None:
            if order_id in self.deleted or order_id not in self.orders:
                return None
            body = self.orders[order_id][-1].body
            return Delivery(SHOP, "woocommerce", "order.updated", asked_at, body, fetched=True)

        return self.cloud.call("GET order", do, STOREFRONT)

    def changed_orders(self, since: datetime, until: datetime, cursor: str | None) -> ChangePage:
        def do() -> ChangePage:
            found = sorted(
                (at, key) for key, accounts in self.orders.items() if since <= (at := _time(accounts[-1])) <= until
            )
            start = int(cursor or 0)
            page = found[start : start + 2]
            more = start + 2 < len(found)
            changes = tuple(Change(key, at, _time(self.orders[key][0])) for at, key in page)
            return ChangePage(changes, str(start + 2) if more else None)

        return self.cloud.call("GET orders", do, STOREFRONT)


def _time(account: Account) -> datetime:
    return datetime.fromisoformat(account.second).replace(tzinfo=UTC)


@lru_cache(maxsize=4096)
def _body(
    order_id: str, created: str, second: str, units: tuple[tuple[str, int], ...], status: str, number: int
) -> bytes:
    total = _PRICE_CENTS * sum(quantity for _, quantity in units)
    paid = second if status in ("processing", "completed") else None
    return json.dumps(
        {
            "id": int(order_id),
            "number": order_id,
            "status": status,
            "currency": "EUR",
            "prices_include_tax": True,
            "date_created_gmt": created,
            "date_modified_gmt": second,
            "date_paid_gmt": paid,
            "total": _euros(total),
            "total_tax": "0.00",
            "discount_total": "0.00",
            "shipping_total": "0.00",
            "customer_note": f"change {number}",
            "billing": _BUYER | {"email": f"{CANARY.lower()}{order_id}@example.test"},
            "shipping": _BUYER,
            "line_items": [
                {
                    "id": _line_id(sku),
                    "name": sku,
                    "sku": sku,
                    "product_id": _line_id(sku),
                    "variation_id": 0,
                    "quantity": quantity,
                    "subtotal": _euros(_PRICE_CENTS * quantity),
                    "total": _euros(_PRICE_CENTS * quantity),
                    "subtotal_tax": "0.00",
                    "total_tax": "0.00",
                }
                for sku, quantity in units
                if quantity
            ],
        }
    ).encode()


_BUYER: Final = {
    "first_name": CANARY,
    "last_name": CANARY,
    "address_1": f"{CANARY} Street 1",
    "city": "Utrecht",
    "postcode": "3511",
    "country": "NL",
}


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _line_id(sku: str) -> int:
    return sum(sku.encode())


def _request(body: bytes, topic: str) -> dict[str, Any]:
    """What API Gateway hands to the webhook."""
    return {
        "pathParameters": {"shop": SHOP},
        "headers": {
            "content-type": "application/json",
            "x-wc-webhook-signature": sign_hmac_sha256(body, SECRET),
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-source": f"https://{SHOP}.example/",
            "x-wc-webhook-delivery-id": "1",
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
