"""Orders, fetched from one shop."""

import re
from datetime import datetime
from typing import Final

import httpx

from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock, as_sortable, parse_time
from shared.kernel.errors import Retry
from shared.storefronts.http import odd_answer
from shared.storefronts.port import Change, ChangePage, Credentials
from shared.storefronts.shopify.fetching import (
    SEARCH_LAG,
    canonical,
    changed_meanwhile,
    fetch_whole,
    found_in,
    in_search,
)
from shared.storefronts.shopify.graphql import API_VERSION, AdminApi, Node
from shared.storefronts.shopify.order_query import CHANGED_ORDERS, FULFILMENT, ORDER, REFUND, webhook_shape
from shared.storefronts.shopify.resource import Resource
from shared.webhooks.delivery import Delivery

_SCOPES: Final = "read_orders, read_customers, read_products, read_inventory, read_fulfillments, read_locations"

_ORDER_GID: Final = re.compile(r"gid://shopify/Order/([0-9]{1,20})")


@misfits_are(odd_answer)
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
        order = fetch_whole(self._api, ORDER, f"gid://shopify/Order/{order_id}")
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
            body=canonical(webhook_shape(order)),
            api_version=self._api_version,
            test=bool(order.get("test")),
            fetched=True,
        )

    def changed_orders(self, since: datetime, until: datetime, cursor: str | None) -> ChangePage:
        """Orders by the time of their last change. Without the scope `read_all_orders` the last 60 days only.

        Raises:
            Retry, Rejected: as `fetch_order`.
        """
        query = f"updated_at:>='{in_search(since - SEARCH_LAG)}' AND updated_at:<='{in_search(until)}'"
        found = found_in(self._api, CHANGED_ORDERS, {"query": query, "after": cursor})
        if found is None:
            raise Retry("storefront_failed", "the shop's answer holds no list of orders")
        page = found["pageInfo"]
        listed = (_change(node) for node in found["nodes"])
        changes = tuple(change for change in listed if change is not None)
        return ChangePage(changes, page["endCursor"] if page["hasNextPage"] else None)

    def _part(self, resource: Resource, gid: str, changed: str) -> Node:
        part = fetch_whole(self._api, resource, gid, changed)
        if part is None:
            raise changed_meanwhile(resource.of)
        return part


def _change(node: Node) -> Change | None:
    gid = _ORDER_GID.fullmatch(node["admin_graphql_api_id"])
    if gid is None:
        return None
    changed, created = (parse_time(node[name], field=name) for name in ("updated_at", "created_at"))
    return Change(gid[1], changed, created)
