"""What we ask of a shop's WooCommerce REST API v3."""

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import httpx

from shared.kernel import strict_json
from shared.kernel.clock import Clock, as_sortable
from shared.kernel.errors import Rejected
from shared.storefronts.delivery import Delivery
from shared.storefronts.http import TIMEOUT, call
from shared.storefronts.port import Credentials
from shared.storefronts.woocommerce.mapping import PLATFORM

PAGE_SIZE = 100
"""The most that WooCommerce lists at once."""
MAX_PAGES = 100
"""No order has ten thousand refunds; a header that says so is broken."""

_NO_SUCH_ORDER = frozenset({"woocommerce_rest_shop_order_invalid_id", "woocommerce_rest_invalid_order_id"})
_ORDER_ID = re.compile(r"[1-9][0-9]{0,19}")
_ERROR_CODE = re.compile(r"[a-z_]{1,80}")
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)


class WooCommerceClient:
    """One shop's orders (a `StorefrontClient`), over TLS with the shop's REST key.

    No `dp` is sent, so amounts come at the shop's own decimals, as in its webhooks. More decimals look more exact, but
    WooCommerce rounds each line to the shop's decimals before it sums them (unless `Round tax at subtotal level` is
    on): with `dp=6` a line of 17.647059 no longer adds up to the total of 33.30, and the two accounts of one order
    would differ in every figure.
    """

    def __init__(self, shop: str, address: str, credentials: Credentials, http: httpx.Client, clock: Clock) -> None:
        self._shop = shop
        self._base = f"https://{_SCHEME.sub('', address.strip()).rstrip('/')}/wp-json/wc/v3"
        self._credentials = credentials
        self._http = http
        self._clock = clock

    def fetch_order(self, order_id: str) -> Delivery | None:
        """The order as it is now, with its refunds' lines under `refund_details`; None when there is no such order.

        `received_at` is the time before the first request: a change made meanwhile is newer than this account.

        Raises:
            Retry: the shop is out of reach, throttles, or fails.
            Rejected: `invalid_order_id`; `api_access` when the shop refuses our credentials; `api_error` when what
                answers is not WooCommerce's REST API or it refuses the request.
        """
        if _ORDER_ID.fullmatch(order_id) is None:
            raise Rejected("invalid_order_id", "a WooCommerce order id is a positive number", field="order_id")
        asked_at = as_sortable(self._clock())
        order = self._order(order_id)
        if order is None:
            return None
        if order.get("refunds"):
            order["refund_details"] = list(self._refunds(order_id))
        return Delivery(
            shop=self._shop,
            platform=PLATFORM,
            topic="order.updated",
            received_at=asked_at,
            body=_serialise(order),
            fetched=True,
        )

    def _order(self, order_id: str) -> dict[str, Any] | None:
        response = self._get(f"/orders/{order_id}")
        if response.status_code == HTTPStatus.NOT_FOUND and _error_code(response) in _NO_SUCH_ORDER:
            return None
        body = _json(_require_ok(response))
        if not isinstance(body, dict):
            raise _unexpected("the shop answers with something other than an order")
        return body

    def _refunds(self, order_id: str) -> Iterator[Any]:
        """All refunds, oldest first: one that is made meanwhile comes last and moves none to another page."""
        page, pages = 1, 1
        while page <= pages:
            params = {"per_page": str(PAGE_SIZE), "page": str(page), "orderby": "id", "order": "asc"}
            response = _require_ok(self._get(f"/orders/{order_id}/refunds", params))
            body = _json(response)
            if not isinstance(body, list):
                raise _unexpected("the shop answers with something other than a list of refunds")
            yield from body
            page, pages = page + 1, _page_count(response)

    def _get(self, path: str, params: Mapping[str, str] | None = None) -> httpx.Response:
        def send(credentials: Mapping[str, str]) -> httpx.Response:
            return self._http.get(
                self._base + path,
                params=params,
                auth=_basic_auth(credentials),
                follow_redirects=False,
                timeout=TIMEOUT,
            )

        return call(send, self._credentials)


def _basic_auth(credentials: Mapping[str, str]) -> httpx.BasicAuth:
    try:
        return httpx.BasicAuth(credentials["consumer_key"], credentials["consumer_secret"])
    except KeyError as error:
        raise Rejected(
            "api_access",
            f"the shop's credentials lack {error.args[0]}",
            field="api",
            hint="create a REST API key in WooCommerce and store its consumer_key and consumer_secret",
        ) from error


def _require_ok(response: httpx.Response) -> httpx.Response:
    if response.is_redirect:
        raise _unexpected("the shop redirects", hint="set the shop's address to the one it redirects to")
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise _unexpected(
            f"the shop has no such route ({_error_code(response) or 'not an answer of its REST API'})",
            hint="check the shop's address, and that its permalinks are not set to plain",
        )
    if response.status_code != HTTPStatus.OK:
        raise _unexpected(f"HTTP {response.status_code} ({_error_code(response) or 'no code'})")
    return response


def _unexpected(message: str, *, hint: str = "check the shop's address and its WooCommerce") -> Rejected:
    return Rejected("api_error", message, field="address", hint=hint)


def _json(response: httpx.Response) -> Any:
    try:
        return strict_json.parse(response.content)
    except Rejected as error:
        raise _unexpected(
            f"the answer is not JSON: {error.message}",
            hint="a plugin, a firewall or a maintenance page may answer in WooCommerce's place",
        ) from error


def _error_code(response: httpx.Response) -> str | None:
    """The REST error's code, if that is what was sent: nothing else of a strange answer goes into a message."""
    try:
        body = strict_json.parse(response.content)
    except Rejected:
        return None
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else None


def _page_count(response: httpx.Response) -> int:
    text = response.headers.get("X-WP-TotalPages", "1")
    pages = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else MAX_PAGES + 1
    if pages > MAX_PAGES:
        raise _unexpected("the shop counts its pages of refunds strangely")
    return pages


def _serialise(order: dict[str, Any]) -> bytes:
    """The same bytes for the same account: keys sorted, and numbers with a fraction as text, digit for digit."""
    return json.dumps(order, sort_keys=True, separators=(",", ":"), default=str).encode("utf-8")
