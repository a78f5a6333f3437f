"""What we ask of a shop's WooCommerce REST API v3."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx

from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock, as_sortable, parse_time
from shared.kernel.errors import Rejected
from shared.storefronts.http import odd_answer
from shared.storefronts.port import Change, ChangePage, Credentials
from shared.storefronts.woocommerce.mapping import PLATFORM
from shared.storefronts.woocommerce.rest import (
    PAGE_SIZE,
    RestApi,
    error_code,
    json_body,
    require_ok,
    serialised,
    unexpected,
)
from shared.webhooks.delivery import Delivery

MAX_PAGES = 100
"""No order has ten thousand refunds; a header that says so is broken."""

_NO_SUCH_ORDER = frozenset({"woocommerce_rest_shop_order_invalid_id", "woocommerce_rest_invalid_order_id"})
_ORDER_ID = re.compile(r"[1-9][0-9]{0,19}")
_CURSOR = re.compile(r"([0-9]{1,12}):([0-9]{1,6})")
_DRAFT = "checkout-draft"
_ORDERS_PER_PAGE = 50
_SECOND = timedelta(seconds=1)
"""WooCommerce's dates know no less."""


@misfits_are(odd_answer)
class WooCommerceClient:
    """One shop's orders (a `StorefrontClient`), over TLS with the shop's REST key.

    No `dp` is sent, so amounts come at the shop's own decimals, as in its webhooks. More decimals look more exact, but
    WooCommerce rounds each line to the shop's decimals before it sums them (unless `Round tax at subtotal level` is
    on): with `dp=6` a line of 17.647059 no longer adds up to the total of 33.30, and the two accounts of one order
    would differ in every figure.
    """

    def __init__(self, shop: str, address: str, credentials: Credentials, http: httpx.Client, clock: Clock) -> None:
        self._shop = shop
        self._rest = RestApi(address, credentials, http)
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
            body=serialised(order),
            fetched=True,
        )

    def changed_orders(self, since: datetime, until: datetime, cursor: str | None) -> ChangePage:
        """Orders by the time of their last change; those in the bin are not listed.

        Each page begins at the last change of the page before, not at a page number: an order that changes meanwhile
        leaves its place, and would move another over the edge of a page. Only where one second fills a page, the
        next page of that second is asked for. Source: WooCommerce's REST API documentation, "List all orders", and
        10.0.2 as it was observed.

        Raises:
            Retry, Rejected: as `fetch_order`; `invalid_cursor`.
        """
        after, page = _place(cursor) if cursor else (since - _SECOND, 1)
        listed = tuple(change for change in self._changed(after, until, page) if change.changed_at <= until)
        if len(listed) < _ORDERS_PER_PAGE:
            return ChangePage(listed, None)
        following = listed[-1].changed_at - _SECOND
        return ChangePage(listed, _cursor(following, 1) if following > after else _cursor(after, page + 1))

    def _changed(self, after: datetime, until: datetime, page: int) -> list[Change]:
        params = {
            "modified_after": _gmt(after),
            "modified_before": _gmt(until + _SECOND),
            "dates_are_gmt": "true",
            "orderby": "modified",
            "order": "asc",
            "per_page": str(_ORDERS_PER_PAGE),
            "page": str(page),
            "_fields": "id,status,date_created_gmt,date_modified_gmt",
        }
        body = json_body(require_ok(self._rest.get("/orders", params)))
        if not isinstance(body, list):
            raise unexpected("the shop answers with something other than a list of orders")
        return [_change(order) for order in body]

    def _order(self, order_id: str) -> dict[str, Any] | None:
        response = self._rest.get(f"/orders/{order_id}")
        if response.status_code == HTTPStatus.NOT_FOUND and error_code(response) in _NO_SUCH_ORDER:
            return None
        body = json_body(require_ok(response))
        if not isinstance(body, dict):
            raise unexpected("the shop answers with something other than an order")
        return body

    def _refunds(self, order_id: str) -> Iterator[Any]:
        """All refunds, oldest first: one that is made meanwhile comes last and moves none to another page."""
        page, pages = 1, 1
        while page <= pages:
            params = {"per_page": str(PAGE_SIZE), "page": str(page), "orderby": "id", "order": "asc"}
            response = require_ok(self._rest.get(f"/orders/{order_id}/refunds", params))
            body = json_body(response)
            if not isinstance(body, list):
                raise unexpected("the shop answers with something other than a list of refunds")
            yield from body
            page, pages = page + 1, _page_count(response)


def _change(order: Any) -> Change:
    if not isinstance(order, dict) or _ORDER_ID.fullmatch(str(order.get("id"))) is None:
        raise unexpected("the shop lists something other than orders")
    created = order.get("date_created_gmt")
    return Change(
        str(order["id"]),
        parse_time(str(order.get("date_modified_gmt")), field="date_modified_gmt"),
        parse_time(str(created), field="date_created_gmt") if created else None,
        is_draft=order.get("status") == _DRAFT,
    )


def _gmt(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


def _cursor(after: datetime, page: int) -> str:
    return f"{int(after.timestamp())}:{page}"


def _place(cursor: str) -> tuple[datetime, int]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise Rejected("invalid_cursor", "the cursor is not one of a list of orders", field="cursor")
    return datetime.fromtimestamp(int(found[1]), UTC), int(found[2])


def _page_count(response: httpx.Response) -> int:
    text = response.headers.get("X-WP-TotalPages", "1")
    pages = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else MAX_PAGES + 1
    if pages > MAX_PAGES:
        raise unexpected("the shop counts its pages of refunds strangely")
    return pages
