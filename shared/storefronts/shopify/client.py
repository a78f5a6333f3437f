"""Orders, fetched from one shop."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx

from shared.kernel.clock import Clock, as_sortable, parse_time
from shared.kernel.errors import Retry
from shared.storefronts.delivery import Delivery
from shared.storefronts.port import Change, ChangePage, Credentials
from shared.storefronts.shopify.graphql import API_VERSION, AdminApi
from shared.storefronts.shopify.order_query import (
    CHANGED_ORDERS,
    FULFILMENT,
    ORDER,
    REFUND,
    Node,
    Resource,
    webhook_shape,
)

_SCOPES: Final = "read_orders, read_customers, read_products, read_inventory, read_fulfillments, read_locations"

SEARCH_LAG: Final = timedelta(minutes=10)
"""Shopify's search follows the orders with a delay: a list begins that much earlier."""

_ORDER_GID: Final = re.compile(r"gid://shopify/Order/([0-9]{1,20})")


class ShopifyClient:
    """A `StorefrontClient`. `address` is the shop's own (`name.myshopify.com`), `shop` its name in the settings."""

    def __init__(
        self,
        shop: str,
        address: str,
        credentials: Credentials,
        http: httpx.Client,
        clock: Clock,
        api_version: str = API_VERSION,
    ) -> None:
        self._shop = shop
        self._api = AdminApi(address, credentials, http, api_version, scopes=_SCOPES)
        self._clock = clock
        self._api_version = api_version

    def fetch_order(self, order_id: str) -> Delivery | None:
        """The whole order as it is now, in the webhook's shape; None when the shop has no such order.

        The account counts as made when the first question was put, so that a delivery which overtakes the answer is
        never taken for an older one.

        Raises:
            Retry: `storefront_unreachable`, `storefront_throttled`, `storefront_failed`; `order_changed` when the
                order changed between two pages.
            Rejected: `api_access` for refused credentials or missing scopes, `api_error` for anything else.
        """
        received_at = as_sortable(self._clock())
        order = self._whole(ORDER, f"gid://shopify/Order/{order_id}", None)
        if order is None:
            return None
        changed = order["updated_at"]
        order["refunds"] = [self._part(REFUND, item["id"], changed) for item in order["refunds"]]
        order["fulfillments"] = [self._part(FULFILMENT, item["id"], changed) for item in order["fulfillments"]]
        return Delivery(
            shop=self._shop,
            platform="shopify",
            topic="orders/updated",
            received_at=received_at,
            body=_canonical(webhook_shape(order)),
            api_version=self._api_version,
            test=bool(order.get("test")),
            fetched=True,
        )

    def changed_orders(self, since: datetime, until: datetime, cursor: str | None) -> ChangePage:
        """Orders by the time of their last change. Without the scope `read_all_orders` the last 60 days only.

        Raises:
            Retry, Rejected: as `fetch_order`.
        """
        query = f"updated_at:>='{_in_search(since - SEARCH_LAG)}' AND updated_at:<='{_in_search(until)}'"
        found = self._ask(CHANGED_ORDERS, {"query": query, "after": cursor})
        if found is None:
            raise Retry("storefront_failed", "the shop's answer holds no list of orders")
        page = found["pageInfo"]
        listed = (_change(node) for node in found["nodes"])
        changes = tuple(change for change in listed if change is not None)
        return ChangePage(changes, page["endCursor"] if page["hasNextPage"] else None)

    def _part(self, resource: Resource, gid: str, changed: str) -> Node:
        part = self._whole(resource, gid, changed)
        if part is None:
            raise _order_changed()
        return part

    def _whole(self, resource: Resource, gid: str, changed: str | None) -> Node | None:
        """The resource with every page of its connections, all of one state of the order."""
        found = self._ask(resource.document, {"id": gid})
        if found is None:
            return None
        state = _same_state(found, changed)
        for connection in resource.connections:
            page = found[connection.name]
            nodes = list(page["nodes"])
            while page["pageInfo"]["hasNextPage"]:
                variables: dict[str, str | None] = {"id": gid, "after": page["pageInfo"]["endCursor"]}
                following = self._ask(resource.next_page(connection), variables)
                if following is None:
                    raise _order_changed()
                _same_state(following, state)
                page = following[connection.name]
                nodes += page["nodes"]
            found[connection.name] = nodes
        return found

    def _ask(self, document: str, variables: Mapping[str, str | None]) -> Node | None:
        """The answer to one query: the object under `found`."""
        data = self._api.ask(document, variables)
        if "found" not in data:
            raise Retry("storefront_failed", "the shop's answer holds no data")
        found = data["found"]
        return found if isinstance(found, dict) else None


def _same_state(found: Node, changed: str | None) -> str:
    """The order's time of change, which must not move while its pages are read."""
    state: str = (found.get("state") or found)["updated_at"]
    if changed is not None and state != changed:
        raise _order_changed()
    return state


def _change(node: Node) -> Change | None:
    gid = _ORDER_GID.fullmatch(node["admin_graphql_api_id"])
    if gid is None:
        return None
    changed, created = (parse_time(node[name], field=name) for name in ("updated_at", "created_at"))
    return Change(gid[1], changed, created)


def _in_search(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _order_changed() -> Retry:
    return Retry("order_changed", "the order changed while it was read")


def _canonical(body: Node) -> bytes:
    """The same order gives the same bytes, whatever the order of the answer's keys."""
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8")
