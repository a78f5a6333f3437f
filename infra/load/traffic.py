"""What the two shops send, and when: made up from one seed, so that a run can be repeated exactly. Pure.

Orders arrive as a Poisson process, and each brings its own story: most are placed and left alone; some are changed,
some cancelled; some of it is delivered twice, some in the wrong order; and now and then somebody forges a delivery.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Any, Final

from infra.demo.shops import MORNING, Post, aurora, aurora_line, borealis, borealis_line
from infra.samples import shopify
from shared.kernel.clock import sortable_time
from shared.kernel.identifiers import OrderKey

SKUS: Final = ("MUG", "CAP", "LAMP")
FIRST_ORDER: Final = 20_001
SHOPS: Final = ("aurora", "borealis")
DELIVERIES_PER_ORDER: Final = 1.6
"""About so many, by the shares below."""

_CHANGED: Final = 0.25
_CHANGED_TWICE: Final = 0.08
_CANCELLED: Final = 0.12
_REPEATED: Final = 0.1
"""Of genuine deliveries: sent once more, the same to the byte."""
_OVERTAKEN: Final = 0.3
"""Of changes: delivered before the account that they replace."""
_FORGED: Final = 0.03
_PAUSE: Final = 2.0
"""Seconds between two deliveries about one order, on average."""
_MOST_UNITS: Final = 3


class Kind(StrEnum):
    NEW = "new order"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    REPEATED = "exact repeat"
    OVERTAKEN = "overtaken"
    """An older account that arrives after a newer one."""
    FORGED = "forged"


@dataclass(frozen=True)
class Account:
    """One version of one order, as its shop tells of it."""

    key: OrderKey
    updated_at: str
    """As the order's record keeps it: sortable text."""
    sha256: str
    cancelled: bool
    post: Post


@dataclass(frozen=True)
class Sending:
    """One delivery: when it leaves the shop, in seconds from the start, and what it says."""

    at: float
    kind: Kind
    account: Account
    post: Post
    """What is sent: the account's own, or a forgery of it."""


def plan(orders: int, per_second: float, seed: int) -> list[Sending]:
    """Deliveries of so many orders, about `per_second` of them, by the time of sending."""
    chance = Random(seed)  # noqa: S311 - repeatable on purpose
    arrivals = per_second / DELIVERIES_PER_ORDER
    now = 0.0
    sendings: list[Sending] = []
    for number in range(orders):
        now += chance.expovariate(arrivals)
        sendings += _story(chance, FIRST_ORDER + number, now)
    return sorted(sendings, key=lambda sending: sending.at)


def _story(chance: Random, order_id: int, start: float) -> Iterator[Sending]:
    accounts = _accounts(chance, order_id)
    order = _order_of_delivery(chance, len(accounts))
    at = start
    newest = -1
    for place in order:
        account = accounts[place]
        kind = Kind.OVERTAKEN if place < newest else _kind(account, place)
        newest = max(newest, place)
        yield Sending(at, kind, account, account.post)
        if chance.random() < _REPEATED:
            yield Sending(at + chance.expovariate(1 / _PAUSE), Kind.REPEATED, account, account.post)
        at += chance.expovariate(1 / _PAUSE)
    if chance.random() < _FORGED:
        yield Sending(at, Kind.FORGED, accounts[-1], _forged(accounts[-1].post))


def _accounts(chance: Random, order_id: int) -> list[Account]:
    shop = SHOPS[order_id % len(SHOPS)]
    changes = 1 + (chance.random() < _CHANGED) + (chance.random() < _CHANGED_TWICE)
    baskets = [_basket(chance) for _ in range(changes)]
    accounts = [_account(shop, order_id, minute, basket) for minute, basket in enumerate(baskets)]
    if chance.random() < _CANCELLED:
        accounts.append(_account(shop, order_id, changes, baskets[-1], cancelled=True))
    return accounts


def _basket(chance: Random) -> dict[str, int]:
    skus = chance.sample(SKUS, chance.randint(1, len(SKUS)))
    return {sku: chance.randint(1, _MOST_UNITS) for sku in skus}


def _account(shop: str, order_id: int, minute: int, basket: dict[str, int], *, cancelled: bool = False) -> Account:
    post = (_at_aurora if shop == "aurora" else _at_borealis)(order_id, minute, basket, cancelled=cancelled)
    body = json.loads(post.request.body)
    stated = body["updated_at"] if shop == "aurora" else f"{body['date_modified_gmt']}Z"
    return Account(
        key=OrderKey(shop, str(order_id)),
        updated_at=sortable_time(stated),
        sha256=hashlib.sha256(post.request.body).hexdigest(),
        cancelled=cancelled,
        post=post,
    )


def _at_aurora(order_id: int, minute: int, basket: dict[str, int], *, cancelled: bool) -> Post:
    lines = [aurora_line(sku, units, id=place + 1) for place, (sku, units) in enumerate(sorted(basket.items()))]
    changes: dict[str, Any] = {"customer": shopify.customer(id=order_id, email=f"buyer-{order_id}@example.test")}
    if cancelled:
        changes |= {"cancelled_at": _instant(minute), "cancel_reason": "customer"}
    topic = "orders/cancelled" if cancelled else "orders/updated" if minute else "orders/create"
    return aurora(order_id, *lines, minute=minute, topic=topic, **changes)


def _at_borealis(order_id: int, minute: int, basket: dict[str, int], *, cancelled: bool) -> Post:
    lines = [borealis_line(sku, units, id=place + 1) for place, (sku, units) in enumerate(sorted(basket.items()))]
    changes: dict[str, Any] = {"customer_id": 0, **({"status": "cancelled"} if cancelled else {})}
    return borealis(order_id, *lines, minute=minute, topic="order.updated" if minute else "order.created", **changes)


def _instant(minute: int) -> str:
    return f"{MORNING + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"


def _order_of_delivery(chance: Random, accounts: int) -> list[int]:
    order = list(range(accounts))
    for place in range(1, accounts):
        if chance.random() < _OVERTAKEN:
            order[place - 1], order[place] = order[place], order[place - 1]
    return order


def _kind(account: Account, place: int) -> Kind:
    if account.cancelled:
        return Kind.CANCELLED
    return Kind.CHANGED if place else Kind.NEW


def _forged(post: Post) -> Post:
    """The signature of another body: a total that somebody would like to pay."""
    return post.with_body(post.request.body.replace(b"12.5", b"0.01", 1))
