"""A hundred thousand SKUs at a shop of 1,000 points a second, in virtual time, on the published schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import pytest

from infra.fakes.shopify_admin import LOCATION, TOKEN, Plan, ShopifyAdmin
from infra.fakes.shopify_bucket import VirtualClock
from infra.local.shopify_schema import SCHEMA_FILE
from shared.inventory.channels import ChannelItem
from shared.storefronts.shopify.stock import ShopifyStock
from shared.sync.levels.bindings import Binding
from shared.sync.levels.push import ChannelDesk, push
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeStockRoom
from tests.fakes.sync import FakeBindings

pytestmark = pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")

SKUS = 100_000
POINTS_PER_SECOND = 1000.0
POINTS_PER_CALL = 10


@dataclass
class Catalogue:
    shop: ShopifyAdmin
    clock: VirtualClock
    pool: FakeStockRoom
    desk: ChannelDesk

    def skus(self) -> list[str]:
        return [f"S{number:06}" for number in range(SKUS)]

    def writes(self) -> int:
        return sum(self.shop.inventory.writes.values())


def _credentials(*, fresh: bool = False) -> Mapping[str, str]:
    assert not fresh
    return {"access_token": TOKEN}


@pytest.fixture(scope="module")
def catalogue() -> Iterator[Catalogue]:
    clock = VirtualClock()
    shop = ShopifyAdmin(clock, Plan(POINTS_PER_SECOND, POINTS_PER_SECOND))
    with httpx.Client(transport=httpx.MockTransport(shop.handler)) as http:
        channel = ShopifyStock(
            "aurora",
            "aurora.myshopify.com",
            _credentials,
            http,
            clock,
            clock.pause,
            location_id=LOCATION,
        )
        pool, bindings = FakeStockRoom(), FakeBindings()
        desk = ChannelDesk("aurora", channel, bindings, pool, dict, ("main",), 0, clock)
        made = Catalogue(shop, clock, pool, desk)
        for sku in made.skus():
            item = ChannelItem(sku=sku, item_id=shop.stock(sku, 0), location_id=LOCATION, shown=0)
            bindings.kept["aurora", sku] = Binding(shop="aurora", item=item)
            pool.set_level(counted(sku, 5))
        yield made


def test_all_of_it_takes_as_many_calls_and_seconds_as_the_limits_allow(catalogue: Catalogue) -> None:
    began = catalogue.clock.now
    report = push(catalogue.desk, catalogue.skus())
    taken = (catalogue.clock.now - began).total_seconds()
    calls = SKUS / 250
    assert len(report.written) == catalogue.writes() == SKUS
    assert catalogue.shop.counters.calls == pytest.approx(calls, rel=0.05)
    # The bucket begins with one second's worth of points.
    assert taken == pytest.approx(calls * POINTS_PER_CALL / POINTS_PER_SECOND - 1, rel=0.05)
    assert catalogue.shop.counters.throttled == 0


def test_unchanged_it_makes_no_call(catalogue: Catalogue) -> None:
    before = (catalogue.shop.counters.calls, catalogue.writes())
    push(catalogue.desk, catalogue.skus())
    assert (catalogue.shop.counters.calls, catalogue.writes()) == before


def test_ten_changes_write_ten_levels_in_one_call(catalogue: Catalogue) -> None:
    calls, writes = catalogue.shop.counters.calls, catalogue.writes()
    for sku in catalogue.skus()[:10]:
        catalogue.pool.set_level(counted(sku, 4))
    push(catalogue.desk, catalogue.skus())
    assert (catalogue.shop.counters.calls - calls, catalogue.writes() - writes) == (1, 10)
