"""Calls to one shop's Admin GraphQL API (REST has been legacy since October 2024)."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

from shared.kernel import strict_json
from shared.kernel.clock import Clock, as_sortable
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.delivery import Delivery
from shared.storefronts.http import TIMEOUT, call
from shared.storefronts.port import Credentials
from shared.storefronts.shopify.order_query import FULFILMENT, ORDER, REFUND, Node, Resource, webhook_shape

API_VERSION: Final = "2026-10"
_PASSING = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})


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
        self._url = f"https://{address}/admin/api/{api_version}/graphql.json"
        self._credentials = credentials
        self._http = http
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
                variables = {"id": gid, "after": page["pageInfo"]["endCursor"]}
                following = self._ask(resource.next_page(connection), variables)
                if following is None:
                    raise _order_changed()
                _same_state(following, state)
                page = following[connection.name]
                nodes += page["nodes"]
            found[connection.name] = nodes
        return found

    def _ask(self, document: str, variables: Mapping[str, str]) -> Node | None:
        """The answer to one query: the object under `found`."""

        def send(credentials: Mapping[str, str]) -> httpx.Response:
            return self._http.post(
                self._url,
                json={"query": document, "variables": variables},
                headers={"X-Shopify-Access-Token": credentials["access_token"]},
                timeout=TIMEOUT,
            )

        answer = _answer(call(send, self._credentials))
        _judge_errors(answer.get("errors"))
        data = answer.get("data")
        if not isinstance(data, dict) or "found" not in data:
            raise Retry("storefront_failed", "the shop's answer holds no data")
        found = data["found"]
        return found if isinstance(found, dict) else None


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.status_code != HTTPStatus.OK:
        raise Rejected(
            "api_error",
            f"the shop answers with HTTP {response.status_code}",
            field="api",
            hint="check the shop's address, that it is open, and that the API version is still served",
        )
    try:
        answer = strict_json.parse(response.content)
    except Rejected as error:
        raise Retry("storefront_failed", "the shop's answer is not JSON") from error
    if not isinstance(answer, dict):
        raise Retry("storefront_failed", "the shop's answer is not an object")
    return answer


def _judge_errors(errors: Any) -> None:
    """Turn GraphQL's errors into ours by their code alone: messages may quote data."""
    if not errors:
        return
    codes = {_code(error) for error in errors} if isinstance(errors, list) else {""}
    if "THROTTLED" in codes:
        raise Retry("storefront_throttled", "the shop asks us to slow down")
    if "ACCESS_DENIED" in codes:
        raise Rejected(
            "api_access",
            "the shop's app may not read all of an order",
            field="api",
            hint="grant read_orders, read_customers, read_products, read_inventory, read_fulfillments, read_locations",
        )
    if codes <= _PASSING:
        raise Retry("storefront_failed", "the shop fails to answer the query")
    raise Rejected("api_error", "the shop refuses the query", field="api", hint="check the API version in the settings")


def _code(error: Any) -> str:
    extensions = error.get("extensions") if isinstance(error, dict) else None
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code if isinstance(code, str) else ""


def _same_state(found: Node, changed: str | None) -> str:
    """The order's time of change, which must not move while its pages are read."""
    state: str = (found.get("state") or found)["updated_at"]
    if changed is not None and state != changed:
        raise _order_changed()
    return state


def _order_changed() -> Retry:
    return Retry("order_changed", "the order changed while it was read")


def _canonical(body: Node) -> bytes:
    """The same order gives the same bytes, whatever the order of the answer's keys."""
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8")
