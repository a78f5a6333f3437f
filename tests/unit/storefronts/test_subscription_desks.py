"""Both vendors list, make and remove webhooks as the port promises; the shops are the fakes."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from infra.fakes.shopify_admin import TOKEN, ShopifyAdmin
from infra.fakes.shopify_faults import Fault
from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.fakes.woocommerce_requests import failing, silent
from infra.local.shopify_schema import SCHEMA_FILE
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.port import Subscription, SubscriptionDesk, SubscriptionState
from shared.storefronts.shopify.subscriptions import CUSTOMER_TOPICS as SHOPIFY_CUSTOMER_TOPICS
from shared.storefronts.shopify.subscriptions import ORDER_TOPICS as SHOPIFY_TOPICS
from shared.storefronts.shopify.subscriptions import ShopifySubscriptions
from shared.storefronts.woocommerce.subscriptions import ORDER_TOPICS as WOOCOMMERCE_TOPICS
from shared.storefronts.woocommerce.subscriptions import WooCommerceSubscriptions

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://hooks.example/webhooks/shop/orders"
KEYS = {"access_token": TOKEN, "consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}


def keys(*, fresh: bool = False) -> dict[str, str]:
    del fresh
    return KEYS


def http(handler: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(handler))


class Shopify:
    topics = SHOPIFY_TOPICS + SHOPIFY_CUSTOMER_TOPICS

    def __init__(self) -> None:
        self.fake = ShopifyAdmin(clock=lambda: NOW)
        self.desk: SubscriptionDesk = ShopifySubscriptions("aurora.example", keys, http(self.fake.handler))

    def loses_the_answer(self) -> None:
        self.fake.expect(Fault.FAILED_AFTER)

    def fails(self) -> None:
        self.fake.expect(Fault.FAILED_BEFORE)

    def many(self, number: int) -> None:
        for each in range(number):
            self.fake.subscriptions.register("orders/create", f"https://hooks.example/{each}")


class WooCommerce:
    topics = WOOCOMMERCE_TOPICS

    def __init__(self) -> None:
        self.fake = WooCommerceFake(lambda: NOW)
        self.desk: SubscriptionDesk = WooCommerceSubscriptions("shop.example", keys, http(self.fake))

    def loses_the_answer(self) -> None:
        self.fake.troubles.plan(silent(after=True))

    def fails(self) -> None:
        self.fake.troubles.plan(failing())

    def many(self, number: int) -> None:
        for each in range(number):
            self.fake.webhooks.register("order.created", f"https://hooks.example/{each}")


@pytest.fixture(params=[Shopify, WooCommerce])
def shop(request: pytest.FixtureRequest) -> Any:
    if request.param is Shopify and not SCHEMA_FILE.exists():
        pytest.skip("Shopify's Admin schema is not there: run python -m infra.local.fetch")
    return request.param()


def test_what_is_made_is_listed_under_the_topic_that_deliveries_name(shop: Any) -> None:
    made = [shop.desk.create(topic, URL, "s3") for topic in shop.topics]
    assert shop.desk.list() == tuple(made)
    assert [(each.topic, each.url, each.state) for each in made] == [
        (topic, URL, SubscriptionState.ACTIVE) for topic in shop.topics
    ]


def test_every_page_is_listed(shop: Any) -> None:
    shop.many(230)
    assert len({each.id for each in shop.desk.list()}) == 230


def test_what_is_removed_is_gone_and_may_be_removed_again(shop: Any) -> None:
    first, second = (shop.desk.create(topic, URL, "s3") for topic in shop.topics[:2])
    shop.desk.delete(first.id)
    assert shop.desk.list() == (second,)
    shop.desk.delete(first.id)


def test_a_lost_answer_is_found_by_the_next_list(shop: Any) -> None:
    shop.loses_the_answer()
    with pytest.raises(Retry):
        shop.desk.create(shop.topics[0], URL, "s3")
    (found,) = shop.desk.list()
    assert (found.topic, found.url) == (shop.topics[0], URL)


def test_a_shop_that_fails_is_asked_again_later(shop: Any) -> None:
    for call in (shop.desk.list, lambda: shop.desk.delete("1"), lambda: shop.desk.create(shop.topics[0], URL, "")):
        shop.fails()
        with pytest.raises(Retry):
            call()


# Each vendor's own


def test_shopify_takes_a_topic_and_url_once_and_we_find_it() -> None:
    shop = Shopify()
    made = shop.desk.create("orders/create", URL, "")
    assert shop.desk.create("orders/create", URL, "") == made
    assert len(shop.fake.subscriptions.kept) == 1


def test_shopify_that_refuses_a_url_is_named() -> None:
    with pytest.raises(Rejected, match="subscription_refused"):
        Shopify().desk.create("orders/create", "http://hooks.example", "")


def test_shopify_removes_a_subscription_whose_deliveries_fail() -> None:
    shop = Shopify()
    shop.desk.create("orders/create", URL, "")
    for _ in range(8):
        shop.fake.subscriptions.note("orders/create", URL, delivered=False)
    assert shop.desk.list() == ()


def test_shopifys_other_topics_keep_their_own_names() -> None:
    shop = Shopify()
    shop.fake.subscriptions.register("products/update", URL)
    assert [each.topic for each in shop.desk.list()] == ["PRODUCTS_UPDATE"]


def test_woocommerce_is_told_the_secret() -> None:
    shop = WooCommerce()
    made = shop.desk.create("order.created", URL, "s3")
    assert shop.fake.webhooks.registered[int(made.id)].secret == "s3"


def test_woocommerces_states_are_told_apart() -> None:
    shop = WooCommerce()
    for status in ("active", "paused", "disabled", "of-some-plugin"):
        shop.fake.webhooks.register("order.created", URL, status=status)
    assert [each.state for each in shop.desk.list()] == [
        SubscriptionState.ACTIVE,
        SubscriptionState.PAUSED,
        SubscriptionState.DISABLED,
        SubscriptionState.PAUSED,
    ]


def woocommerce_that_answers(status: int, body: Any) -> WooCommerceSubscriptions:
    return WooCommerceSubscriptions("shop.example", keys, http(lambda _: httpx.Response(status, json=body)))


def test_woocommerce_that_refuses_a_webhook_is_named_by_its_code() -> None:
    desk = woocommerce_that_answers(400, {"code": "woocommerce_rest_invalid_topic", "data": {"status": 400}})
    with pytest.raises(Rejected, match=r"subscription_refused.*woocommerce_rest_invalid_topic"):
        desk.create("order.created", URL, "s3")


def test_a_key_that_may_only_read_is_a_matter_of_access() -> None:
    with pytest.raises(Rejected, match="api_access"):
        woocommerce_that_answers(403, {"code": "woocommerce_rest_cannot_create"}).create("order.created", URL, "s3")


@pytest.mark.parametrize("body", [{}, [1], [{"id": "x"}]])
def test_woocommerce_that_answers_with_something_else_is_named(body: Any) -> None:
    with pytest.raises(Rejected, match="api_error"):
        woocommerce_that_answers(200, body).list()


def test_woocommerce_ids_are_numbers() -> None:
    with pytest.raises(Rejected, match="invalid_subscription_id"):
        WooCommerce().desk.delete("../orders/1")


def test_a_webhook_that_was_refused_too_often_is_disabled_and_stays_so_until_it_is_made_anew() -> None:
    shop = WooCommerce()
    shop.fake.webhooks.send = lambda *_: 500
    old = shop.desk.create("order.created", URL, "s3")
    for number in range(7):
        shop.fake.webhooks.happened("order.created", number)
        shop.fake.webhooks.deliver()
    assert shop.desk.list() == (Subscription(old.id, "order.created", URL, SubscriptionState.DISABLED),)
