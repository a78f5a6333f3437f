"""People of two shops on a quiet stack: customers that the real intake took in, and what waits on the queues."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest

from infra.local.stack import LocalStack
from shared.customers.intake import take_in
from shared.customers.models import Customer
from shared.customers.readings import CompleteCustomer
from shared.kernel.identifiers import OrderKey
from shared.platform import privacy_keys
from shared.sync.customers.learn import learn
from shared.webhooks.delivery import Delivery
from shared.wiring import backoffice_connection
from shared.wiring.customer_desk import customer_desk
from shared.wiring.customer_matching import match_customer
from shared.wiring.tables import order_table
from tests.builders.customers import customer
from tests.integration.cli.conftest import disconnect
from tests.integration.cli.quiet import SETTINGS, Trade

BACKOFFICE, CUSTOMERS, BUYER = "storebridge-backoffice", "storebridge-customers", "storebridge-buyer"
DEAD_CUSTOMERS, DEAD_BUYER = f"{CUSTOMERS}-dead", f"{BUYER}-dead"
ARCHIVE = "storebridge-archivebucket"
SENDER = {"sender": "shop@aurora.test", "sender_name": "Aurora"}


@contextmanager
def trading(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trade]:
    """Two shops and a back office of this process; every queue that commands work with is empty afterwards."""
    forget()
    made = Trade(stack)
    monkeypatch.setattr(backoffice_connection, "_adapter", lambda _name, _connected: made.office)
    yield made
    made.settle()
    for queue in (BACKOFFICE, CUSTOMERS, BUYER, DEAD_CUSTOMERS, DEAD_BUYER, "storebridge-orders-dead"):
        made.take(queue)
    forget()


def forget() -> None:
    """As in a new process."""
    disconnect()
    privacy_keys._kept.cache_clear()
    backoffice_connection._connection.cache_clear()


def shops(**of_aurora: Any) -> dict[str, Any]:
    """The shops of the settings, with these words of the first one's."""
    made: dict[str, Any] = deepcopy(SETTINGS["shops"])
    made["aurora"] |= of_aurora
    return made


def registered(trade: Trade, key: str, **overrides: Any) -> Customer:
    """A customer as their storefront's webhook told of them."""
    account = customer(key, **overrides)
    with trade.inside():
        take_in(CompleteCustomer(account), customer_desk(account.shop))
    return account


def matched(trade: Trade, account: Customer) -> None:
    """Look for the same person, as the intake does after each account."""
    with trade.inside():
        match_customer(account.key, customer_desk(account.shop))


def bought(trade: Trade, order: str) -> None:
    """The intake learns of the order's buyer."""
    key = OrderKey.parse(order)
    with trade.inside():
        account = order_table().find_account(key)
        assert account is not None
        learn(account, customer_desk(key.shop))


def delivery(body: dict[str, Any], *, topic: str = "customers/update", shop: str = "aurora") -> str:
    """A storefront's delivery as it is on the queue."""
    return Delivery(
        shop=shop,
        platform="shopify",
        topic=topic,
        received_at="2026-11-23T09:02:11.000000000Z",
        body=json.dumps(body).encode(),
    ).to_message()


def bodies(trade: Trade, queue: str) -> list[str]:
    """The text of each message that waits there, taken off."""
    return [message["body"] for message in trade.take(queue)]
