"""What a WooCommerce shop says of itself, and what our key may do there."""

from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.fakes.woocommerce_requests import silent
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.port import Inspection, Need, ShopFacts
from shared.storefronts.woocommerce.inspection import WooCommerceInspection


def woo() -> WooCommerceFake:
    fake = WooCommerceFake(lambda: datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    fake.add_product("MUG", 3)
    fake.sell("MUG", 1)
    return fake


def kept(found: dict[str, str], *, fresh: bool = False) -> dict[str, str]:
    return found


def facts(shop: WooCommerceFake, secret: str = CONSUMER_SECRET) -> ShopFacts:
    http = httpx.Client(transport=httpx.MockTransport(shop))
    keys = {"consumer_key": CONSUMER_KEY, "consumer_secret": secret}
    found: Inspection = WooCommerceInspection("shop.example", partial(kept, keys), http)
    return found.facts()


def rights(found: ShopFacts) -> dict[str, bool | None]:
    return {right.what: right.granted for right in found.rights}


def test_a_key_that_may_do_all() -> None:
    found = facts(woo())
    assert (found.version, found.currency, found.prices_include_tax) == ("10.0.2", "EUR", True)
    assert found.locations is None
    assert rights(found) == {
        "read orders": True,
        "read customers": True,
        "write orders": True,
        "write products": True,
        "write webhooks": True,
        "write customers": True,
    }


def test_nothing_is_changed_to_find_out() -> None:
    shop = woo()
    order = next(iter(shop.shop.orders.values()))
    before, shown = dict(order.body), shop.shown("MUG")
    facts(shop)
    assert order.body == before
    assert shop.shown("MUG") == shown
    assert not shop.shop.stock_writes
    assert [request.body for request in shop.requests if request.method != "GET"] == [{}, {}, {}, {}]


def test_a_key_that_may_only_read() -> None:
    shop = woo()
    shop.may_write = False
    found = facts(shop)
    assert rights(found) == {
        "read orders": True,
        "read customers": True,
        "write orders": False,
        "write products": False,
        "write webhooks": False,
        "write customers": False,
    }
    assert [right.needs for right in found.rights][1:] == [
        (Need.CUSTOMERS,),
        (Need.FULFILMENT,),
        (Need.STOCK,),
        (),
        (Need.CUSTOMERS,),
    ]


def test_a_shop_managers_key_may_change_customers_though_not_many_at_once() -> None:
    shop = woo()
    shop.routes.customers.batches = False
    assert rights(facts(shop))["write customers"] is None


def test_a_user_who_may_not_look_at_accounts() -> None:
    shop = woo()
    shop.routes.customers.listed = False
    assert rights(facts(shop))["read customers"] is False


def test_a_user_who_may_not_read_the_settings() -> None:
    shop = woo()
    shop.routes.settings.readable = False
    found = facts(shop)
    assert (found.version, found.currency, found.prices_include_tax) == (None, None, None)
    assert rights(found)["write orders"]


def test_a_currency_that_is_none_is_refused() -> None:
    shop = woo()
    shop.routes.settings.currency = "euro"
    with pytest.raises(Rejected, match="invalid_payload"):
        facts(shop)


def test_refused_credentials() -> None:
    with pytest.raises(Rejected, match="api_access"):
        facts(woo(), secret="other")


def test_a_shop_out_of_reach() -> None:
    shop = woo()
    shop.troubles.plan(silent(after=False))
    with pytest.raises(Retry, match="storefront_unreachable"):
        facts(shop)
