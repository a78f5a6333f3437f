"""What a Shopify shop says of itself."""

from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from infra.fakes.shopify_admin import LOCATION, TOKEN, ShopifyAdmin
from infra.fakes.shopify_faults import Fault
from infra.samples.shopify import gid
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.port import Inspection, Need, ShopFacts, ShopLocation
from shared.storefronts.shopify import client, customers, fulfilment, inspection, stock, subscriptions
from shared.storefronts.shopify.inspection import NEEDED, ShopifyInspection


def admin() -> ShopifyAdmin:
    return ShopifyAdmin(lambda: datetime(2026, 11, 23, 12, 0, tzinfo=UTC))


def kept(found: dict[str, str], *, fresh: bool = False) -> dict[str, str]:
    return found


def facts(shop: ShopifyAdmin, token: str = TOKEN) -> ShopFacts:
    http = httpx.Client(transport=httpx.MockTransport(shop.handler))
    found: Inspection = ShopifyInspection("aurora.example.myshopify.com", partial(kept, {"access_token": token}), http)
    return found.facts()


def test_a_shop_that_granted_all() -> None:
    shop = admin()
    found = facts(shop)
    assert (found.name, found.currency, found.prices_include_tax) == ("Example Goods", "EUR", True)
    assert found.locations == (ShopLocation(id=LOCATION, name="Main warehouse", active=True),)
    assert all(right.granted for right in found.rights)
    assert shop.inventory.writes == {}


def test_a_scope_that_is_missing_is_named_with_what_needs_it() -> None:
    shop = admin()
    shop.profile.scopes -= {"write_inventory", "read_all_orders"}
    missing = {right.what: right for right in facts(shop).rights if not right.granted}
    assert missing.keys() == {"write_inventory", "read_inventory", "read_all_orders"}
    assert missing["write_inventory"].needs == (Need.STOCK,)
    assert missing["read_all_orders"].needs == ()
    assert "60 days" in missing["read_all_orders"].without


def test_locations_are_not_asked_for_without_their_scope() -> None:
    shop = admin()
    shop.profile.scopes.discard("read_locations")
    shop.denied.add("locations")
    assert facts(shop).locations is None


def test_a_location_that_is_switched_off_is_told_as_such() -> None:
    shop = admin()
    shop.profile.closed.add(gid("Location", LOCATION))
    (found,) = facts(shop).locations or ()
    assert not found.active


def test_refused_credentials() -> None:
    with pytest.raises(Rejected, match="api_access"):
        facts(admin(), token="shpat-other")


def test_a_shop_out_of_reach() -> None:
    shop = admin()
    shop.weather = lambda: Fault.DROPPED
    with pytest.raises(Retry, match="storefront_unreachable"):
        facts(shop)


OF_CALLS = (
    (client._SCOPES, Need.ORDERS),
    (stock._SCOPES, Need.STOCK),
    (fulfilment._SCOPES, Need.FULFILMENT),
    (customers._SCOPES, Need.CUSTOMERS),
)


def named(scopes: str) -> set[str]:
    return {scope.strip() for scope in scopes.split(",")}


def test_every_scope_that_our_calls_name_is_looked_at() -> None:
    all_named = set().union(*(named(scopes) for scopes, _ in OF_CALLS))
    assert all_named == NEEDED.keys() - {"read_all_orders"}
    assert named(subscriptions._SCOPES) <= all_named
    for scopes, need in OF_CALLS:
        assert named(scopes) == {scope for scope, needs in NEEDED.items() if need in needs}
    assert set(inspection._WITHOUT) == {scope for scope, needs in NEEDED.items() if not needs}


def test_customers_that_may_not_be_written_are_a_matter_of_customers_alone() -> None:
    shop = admin()
    shop.profile.scopes -= {"write_customers"}
    shop.profile.scopes |= {"read_customers"}
    (missing,) = (right for right in facts(shop).rights if not right.granted)
    assert (missing.what, missing.needs) == ("write_customers", (Need.CUSTOMERS,))
