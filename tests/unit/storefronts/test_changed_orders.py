"""Both clients list what changed within a period: all of it, whatever moves meanwhile, in the vendor's own words."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.kernel.errors import Rejected, Retry
from shared.storefronts.port import Change, ChangePage, StorefrontClient
from shared.storefronts.shopify.client import ShopifyClient
from shared.storefronts.shopify.fetching import SEARCH_LAG
from shared.storefronts.woocommerce.client import WooCommerceClient

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SINCE = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
UNTIL = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TOKENS = {"access_token": "t", "consumer_key": "k", "consumer_secret": "s"}


def http(handler: Any) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(handler))


def keys(*, fresh: bool = False) -> dict[str, str]:
    del fresh
    return TOKENS


def pages(client: StorefrontClient) -> Iterator[ChangePage]:
    cursor = None
    for _ in range(100):
        page = client.changed_orders(SINCE, UNTIL, cursor)
        yield page
        cursor = page.cursor
        if cursor is None:
            return
    raise AssertionError("the list does not end")


class Shopify:
    """Answers the search with what is in the period, page by page."""

    def __init__(self, *ids: int) -> None:
        self.ids = ids
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        variables = json.loads(request.content)["variables"]
        self.asked.append(variables)
        start = int(variables["after"] or 0)
        times = {"updated_at": "2026-11-22T12:00:00Z", "created_at": "2026-11-22T11:00:00Z"}
        listed = self.ids[start : start + 2]
        nodes = [{"admin_graphql_api_id": f"gid://shopify/Order/{number}", **times} for number in listed]
        info = {"hasNextPage": start + 2 < len(self.ids), "endCursor": str(start + 2)}
        return httpx.Response(200, json={"data": {"found": {"nodes": nodes, "pageInfo": info}}})

    @property
    def client(self) -> ShopifyClient:
        return ShopifyClient("aurora", "aurora.example", keys, http(self), lambda: NOW)


def test_shopify_lists_every_page_under_one_search() -> None:
    shop = Shopify(11, 12, 13, 14, 15)
    assert [page.ids for page in pages(shop.client)] == [("11", "12"), ("13", "14"), ("15",)]
    assert [asked["after"] for asked in shop.asked] == [None, "2", "4"]
    assert len({asked["query"] for asked in shop.asked}) == 1


def test_shopify_tells_when_each_changed_and_was_created() -> None:
    (page,) = pages(Shopify(11).client)
    hour = timedelta(hours=1)
    assert page.changes == (Change("11", SINCE + 2 * hour, SINCE + hour),)


def test_shopify_begins_earlier_by_what_its_search_lags() -> None:
    shop = Shopify()
    assert shop.client.changed_orders(SINCE, UNTIL, None) == ((), None)
    assert timedelta(minutes=10) == SEARCH_LAG
    query = "updated_at:>='2026-11-22T09:50:00Z' AND updated_at:<='2026-11-23T10:00:00Z'"
    assert shop.asked[0]["query"] == query


def test_shopify_without_a_list_is_asked_again() -> None:
    client = ShopifyClient(
        "aurora",
        "aurora.example",
        keys,
        http(lambda _: httpx.Response(200, json={"data": {"found": None}})),
        lambda: NOW,
    )
    with pytest.raises(Retry, match="list of orders"):
        client.changed_orders(SINCE, UNTIL, None)


class WooCommerce:
    """Lists as WooCommerce 10.0.2 does: by offset, `after` and `before` without the second named."""

    def __init__(self, changed: dict[int, datetime]) -> None:
        self.changed = changed
        self.asked: list[dict[str, str]] = []
        self.drafts: set[int] = set()
        self.meanwhile: dict[int, dict[int, datetime]] = {}
        """What changes after so many requests."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        self.asked.append(query)
        assert (query["dates_are_gmt"], query["orderby"], query["order"]) == ("true", "modified", "asc")
        after, before = (datetime.fromisoformat(query[f"modified_{edge}"] + "+00:00") for edge in ("after", "before"))
        listed = sorted((when, number) for number, when in self.changed.items() if after < when < before)
        size = int(query["per_page"])
        start = (int(query["page"]) - 1) * size
        body = [
            {
                "id": number,
                "status": "checkout-draft" if number in self.drafts else "processing",
                "date_modified_gmt": f"{when:%Y-%m-%dT%H:%M:%S}",
            }
            for when, number in listed[start : start + size]
        ]
        self.changed |= self.meanwhile.get(len(self.asked), {})
        return httpx.Response(200, json=body)

    @property
    def client(self) -> WooCommerceClient:
        return WooCommerceClient("borealis", "borealis.example", keys, http(self), lambda: NOW)

    def listed(self) -> list[int]:
        return [int(order_id) for page in pages(self.client) for order_id in page.ids]


def test_woocommerce_lists_the_period_with_both_its_edges() -> None:
    second = timedelta(seconds=1)
    shop = WooCommerce({1: SINCE - second, 2: SINCE, 3: UNTIL, 4: UNTIL + second})
    assert shop.listed() == [2, 3]
    assert shop.asked[0]["modified_after"] == "2026-11-22T09:59:59"
    assert shop.asked[0]["_fields"] == "id,status,date_created_gmt,date_modified_gmt"


def test_woocommerce_tells_drafts_of_its_checkout_from_orders() -> None:
    shop = WooCommerce({1: SINCE, 2: SINCE})
    shop.drafts = {2}
    assert [(change.id, change.is_draft) for page in pages(shop.client) for change in page.changes] == [
        ("1", False),
        ("2", True),
    ]


def test_woocommerce_lists_all_of_many_pages() -> None:
    shop = WooCommerce({number: SINCE + timedelta(seconds=number) for number in range(1, 330)})
    assert set(shop.listed()) == set(range(1, 330))
    assert len(shop.asked) < 9


def test_woocommerce_lists_all_of_one_crowded_second() -> None:
    """A bulk edit in the shop changes hundreds of orders at once."""
    crowded = {number: SINCE + timedelta(minutes=1) for number in range(1, 171)}
    shop = WooCommerce(crowded | {500: SINCE, 501: UNTIL})
    assert set(shop.listed()) == {*range(1, 171), 500, 501}


def test_woocommerce_misses_none_when_one_changes_while_the_list_is_read() -> None:
    """The first order leaves the period, so by offset each later one would move one place forward."""
    shop = WooCommerce({number: SINCE + timedelta(seconds=number) for number in range(1, 121)})
    shop.meanwhile = {1: {1: NOW}, 2: {2: NOW}}
    assert set(shop.listed()) == set(range(1, 121))


@pytest.mark.parametrize("body", [{}, [1], [{"id": "x", "date_modified_gmt": "2026-11-22T10:00:00"}]])
def test_woocommerce_that_answers_with_something_else_is_named(body: Any) -> None:
    client = WooCommerceClient(
        "borealis", "borealis.example", keys, http(lambda _: httpx.Response(200, json=body)), lambda: NOW
    )
    with pytest.raises(Rejected) as refused:
        client.changed_orders(SINCE, UNTIL, None)
    assert refused.value.code == "api_error"


@pytest.mark.parametrize("cursor", ["x", "1:2:3", "2026-11-22:1"])
def test_woocommerce_refuses_a_cursor_that_is_none_of_its(cursor: str) -> None:
    with pytest.raises(Rejected, match="invalid_cursor"):
        WooCommerce({}).client.changed_orders(SINCE, UNTIL, cursor)
