"""A customer's payload that cannot be read is refused without a word of what it says: refusals go into logs and onto
dead-letter queues. Every field of every kind of delivery has its turn at being out of order."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.samples import shopify, woocommerce
from infra.samples.shopify_customers import account
from shared.kernel.errors import Rejected
from shared.storefronts.port import CustomerReader
from shared.storefronts.shopify.customer_mapping import read_customer as read_shopify
from shared.storefronts.woocommerce.customer_mapping import read_customer as read_woocommerce
from shared.webhooks.delivery import Delivery

CANARY = "canary.bird@canary.test"
OUT_OF_ORDER: tuple[Any, ...] = (
    CANARY,
    [CANARY],
    {CANARY: CANARY},
    CANARY * 99,
    f"2026-11-23T09:02:09Z {CANARY}",
    None,
)
_PERSON = {"id": 17, "email": "eve@example.test", "phone": "+4930901820"}
_SHOP = {"shop_id": 1, "shop_domain": "aurora.example", "customer": _PERSON}
_MERGE = {
    "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/17",
    "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/18",
    "status": "completed",
}
DELIVERIES: tuple[tuple[CustomerReader, Delivery], ...] = (
    (read_shopify, shopify.delivery(account(), topic="customers/update")),
    (read_shopify, shopify.delivery(_MERGE, topic="customers/merge")),
    (read_shopify, shopify.delivery(_SHOP | {"orders_to_redact": [5001]}, topic="customers/redact")),
    (read_shopify, shopify.delivery(_SHOP | {"data_request": {"id": 9}}, topic="customers/data_request")),
    (read_woocommerce, woocommerce.delivery(woocommerce.customer(), topic="customer.updated")),
)


def spoilt(body: Any) -> Iterator[Any]:
    """The body with each of its parts out of order in turn."""
    for path in _paths(body):
        for value in OUT_OF_ORDER:
            changed = [copy.deepcopy(body)]
            part: Any = changed
            for step in (0, *path)[:-1]:
                part = part[step]
            part[(0, *path)[-1]] = value
            yield changed[0]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        yield from _paths(one, (*path, step))


@pytest.mark.parametrize(("read", "genuine"), DELIVERIES, ids=[delivery.topic for _, delivery in DELIVERIES])
def test_a_refusal_says_nothing_of_what_is_refused(read: CustomerReader, genuine: Delivery) -> None:
    bodies = [json.dumps(body).encode() for body in spoilt(json.loads(genuine.body))]
    whole = f'"{CANARY}": 1, "{CANARY}": 2'
    bodies += [CANARY.encode(), f"{{{whole}}}".encode(), genuine.body[:-1] + f", {whole}}}".encode()]
    refusals = [refusal for body in bodies if (refusal := _refusal(read, genuine._replace(body=body)))]
    assert len(refusals) > len(OUT_OF_ORDER)
    said = [f"{error} {error.code} {error.field} {error.message} {error.hint}".casefold() for error in refusals]
    assert not any("canary" in words for words in said)


def _refusal(read: CustomerReader, delivery: Delivery) -> Rejected | None:
    try:
        read(delivery)
    except Rejected as error:
        return error
    return None
