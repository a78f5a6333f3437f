"""Shopify's stock against a shop that runs the published schema, and loses, delays and doubles what we send."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from infra.fakes.shopify_admin import LOCATION, TOKEN, Plan, ShopifyAdmin
from infra.fakes.shopify_bucket import VirtualClock
from infra.fakes.shopify_faults import Fault
from infra.fakes.shopify_inventory import Blame, FailedKeys, StockRules
from infra.local.shopify_schema import SCHEMA_FILE
from shared.inventory.channels import ChannelItem, LevelWrite, StockChannel, WriteOutcome, WriteStatus
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.shopify.graphql import MOST_ATTEMPTS
from shared.storefronts.shopify.stock import MOST_UNITS, ShopifyStock

pytestmark = pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")

Json = dict[str, Any]


@dataclass
class Token:
    text: str = TOKEN
    read_afresh: int = 0

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]:
        self.read_afresh += fresh
        return {"access_token": self.text}


@dataclass
class Trade:
    """A shop, and our channel to it."""

    plan: Plan = field(default_factory=lambda: Plan(10_000.0, 1000.0))
    rules: StockRules = field(default_factory=StockRules)
    token: Token = field(default_factory=Token)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.shop = ShopifyAdmin(self.clock, self.plan, self.rules)
        self.channel = self.connect(self.shop.handler)

    def connect(self, handler: Callable[[httpx.Request], httpx.Response], shop: str = "aurora") -> ShopifyStock:
        http = httpx.Client(transport=httpx.MockTransport(handler))
        clock = self.clock
        return ShopifyStock(shop, "aurora.myshopify.com", self.token, http, clock, clock.pause, location_id=LOCATION)

    def sells(self, units: int, *shown: int, **how: bool) -> list[ChannelItem]:
        """So many new items, of which each shows the given number."""
        levels = shown or (5,)
        return [self.item(f"SKU-{next(_numbers)}", levels[at % len(levels)], **how) for at in range(units)]

    def item(self, sku: str, shown: int | None, **how: bool) -> ChannelItem:
        number = self.shop.stock(sku, shown, **how)
        return ChannelItem(sku=sku, item_id=number, location_id=LOCATION, shown=shown)


_numbers = count()


def compare(items: Sequence[ChannelItem], quantity: int = 9) -> list[LevelWrite]:
    return [LevelWrite(item=item, quantity=quantity, expected=item.shown) for item in items]


def statuses(outcomes: Sequence[WriteOutcome]) -> list[WriteStatus]:
    return [outcome.status for outcome in outcomes]


def recorded(answers: Sequence[Json]) -> tuple[list[Json], Callable[[httpx.Request], httpx.Response]]:
    """What was asked, and a handler that gives these answers in turn."""
    asked: list[Json] = []
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(httpx.Response(200, content=request.content).json())
        return httpx.Response(200, json=left.pop(0))

    return asked, handle


def user_errors(*errors: Json) -> Json:
    return {"data": {"inventorySetQuantities": {"userErrors": list(errors)}}}


# Writing


def test_it_is_a_stock_channel_that_writes_250_levels_in_one_call() -> None:
    trade = Trade()
    channel: StockChannel = trade.channel
    items = trade.sells(250)
    assert channel.most_writes == 250
    assert set(statuses(channel.write(compare(items), key="push-1"))) == {WriteStatus.APPLIED}
    assert {trade.shop.shown(item.sku) for item in items} == {9}
    assert (trade.shop.counters.calls, trade.shop.counters.points) == (1, 10)


def test_more_than_a_call_carries_is_a_mistake_of_the_caller() -> None:
    trade = Trade()
    with pytest.raises(AssertionError, match="250"):
        trade.channel.write(compare(trade.sells(251)), key="push-1")
    assert trade.shop.counters.calls == 0


def test_nothing_to_write_is_no_call() -> None:
    trade = Trade()
    assert trade.channel.write([], key="push-1") == []
    assert trade.shop.counters.calls == 0


def test_a_call_says_who_wrote_why_and_what_it_expects() -> None:
    trade = Trade()
    asked, handler = recorded([user_errors()] * 2)
    (item,) = trade.sells(1)
    writes = [LevelWrite(item=item, quantity=3, expected=expected) for expected in (None, 5)]
    for write in writes:
        trade.connect(handler).write([write], key="push 1/ü")
    blind, comparing = (request["variables"] for request in asked)
    assert blind["input"]["referenceDocumentUri"] == "storebridge://push/push%201%2F%C3%BC"
    assert blind["input"]["quantities"] == [
        {
            "inventoryItemId": f"gid://shopify/InventoryItem/{item.item_id}",
            "locationId": f"gid://shopify/Location/{LOCATION}",
            "quantity": 3,
            "changeFromQuantity": None,
        }
    ]
    assert comparing["input"]["quantities"][0]["changeFromQuantity"] == 5


def test_keys_differ_by_shop_and_push_and_are_the_same_for_the_same_push() -> None:
    trade = Trade()
    asked, handler = recorded([user_errors()] * 4)
    writes = compare(trade.sells(2))
    for shop, key in (("aurora", "push-1"), ("aurora", "push-1"), ("aurora", "push-2"), ("boreal", "push-1")):
        trade.connect(handler, shop).write(writes, key=key)
    first, again, other_push, other_shop = (request["variables"]["key"] for request in asked)
    assert first == again
    assert len({first, other_push, other_shop}) == 3


def test_one_stale_level_of_250_stops_no_other() -> None:
    trade = Trade()
    items = trade.sells(250)
    trade.shop.sell(items[17].sku, 2)
    outcomes = trade.channel.write(compare(items), key="push-1")
    assert [item.sku for item, outcome in zip(items, outcomes, strict=True) if outcome.status != "applied"] == [
        items[17].sku
    ]
    assert outcomes[17].status is WriteStatus.STALE
    assert trade.shop.shown(items[17].sku) == 3
    assert {trade.shop.shown(item.sku) for item in items if item is not items[17]} == {9}


@pytest.mark.parametrize("blame", Blame)
def test_what_shopify_will_never_take_is_refused_by_its_code_and_the_rest_is_written(blame: Blame) -> None:
    trade = Trade(rules=StockRules(blame=blame))
    good = trade.sells(247)
    (bundle,) = trade.sells(1, mutable=False)
    deleted, stale = trade.sells(2)
    trade.shop.delete(deleted.sku)
    trade.shop.sell(stale.sku, 1)
    items = [*good[:100], bundle, *good[100:200], deleted, stale, *good[200:]]
    by_sku = {outcome.sku: outcome for outcome in trade.channel.write(compare(items), key="push-1")}
    assert (by_sku[bundle.sku].status, by_sku[bundle.sku].reason) == ("refused", "NON_MUTABLE_INVENTORY_ITEM")
    assert (by_sku[deleted.sku].status, by_sku[deleted.sku].reason) == ("refused", "INVALID_INVENTORY_ITEM")
    assert by_sku[stale.sku].status is WriteStatus.STALE
    assert {(by_sku[item.sku].status, trade.shop.written(item.sku)) for item in good} == {(WriteStatus.APPLIED, 1)}


def test_a_location_that_shopify_does_not_know_is_refused() -> None:
    trade = Trade()
    items = trade.sells(2)
    trade.shop.inventory.locations.clear()
    outcomes = trade.channel.write(compare(items), key="push-1")
    assert {(outcome.status, outcome.reason) for outcome in outcomes} == {(WriteStatus.REFUSED, "INVALID_LOCATION")}


@pytest.mark.parametrize(
    ("quantity", "expected", "told"),
    [
        (MOST_UNITS + 1, 5, ("refused", "INVALID_QUANTITY_TOO_HIGH")),
        (-MOST_UNITS - 1, 5, ("refused", "INVALID_QUANTITY_TOO_LOW")),
        (2**40, None, ("refused", "INVALID_QUANTITY_TOO_HIGH")),
        (9, 2**40, ("stale", "")),
    ],
)
def test_a_number_that_the_api_cannot_carry_stops_no_other(
    quantity: int, expected: int | None, told: tuple[str, str]
) -> None:
    trade = Trade()
    odd, plain = trade.sells(2)
    writes = [LevelWrite(item=odd, quantity=quantity, expected=expected), *compare([plain])]
    outcomes = trade.channel.write(writes, key="push-1")
    assert (outcomes[0].status, outcomes[0].reason) == told
    assert outcomes[1].status is WriteStatus.APPLIED


def test_the_furthest_numbers_are_carried() -> None:
    trade = Trade()
    items = trade.sells(2)
    writes = [
        LevelWrite(item=item, quantity=sign * MOST_UNITS, expected=5) for item, sign in zip(items, (1, -1), strict=True)
    ]
    assert statuses(trade.channel.write(writes, key="push-1")) == [WriteStatus.APPLIED] * 2


def test_a_second_write_to_one_item_is_stale() -> None:
    trade = Trade()
    (item,) = trade.sells(1)
    writes = [LevelWrite(item=item, quantity=quantity, expected=5) for quantity in (7, 8)]
    assert statuses(trade.channel.write(writes, key="push-1")) == [WriteStatus.APPLIED, WriteStatus.STALE]
    assert trade.shop.shown(item.sku) == 7


def test_an_unknown_code_of_one_item_sets_it_aside_under_its_name() -> None:
    trade = Trade()
    items = trade.sells(3)
    field_of_second = ["input", "quantities", "1", "quantity"]
    _asked, handler = recorded([user_errors({"code": "BRAND_NEW", "field": field_of_second}), user_errors()])
    outcomes = trade.connect(handler).write(compare(items), key="push-1")
    assert [(outcome.status, outcome.reason) for outcome in outcomes] == [
        ("applied", ""),
        ("refused", "BRAND_NEW"),
        ("applied", ""),
    ]


@pytest.mark.parametrize(
    "codes",
    [
        ("CHANGE_FROM_QUANTITY_STALE", "NON_MUTABLE_INVENTORY_ITEM"),
        ("NON_MUTABLE_INVENTORY_ITEM", "CHANGE_FROM_QUANTITY_STALE"),
    ],
)
def test_of_two_codes_of_one_item_the_final_one_counts(codes: tuple[str, str]) -> None:
    trade = Trade()
    where = ["input", "quantities", "0"]
    _asked, handler = recorded([user_errors(*({"code": code, "field": where} for code in codes))])
    (outcome,) = trade.connect(handler).write(compare(trade.sells(1)), key="push-1")
    assert (outcome.status, outcome.reason) == ("refused", "NON_MUTABLE_INVENTORY_ITEM")


@pytest.mark.parametrize("code", ["INVALID_REASON", "INVALID_REFERENCE_DOCUMENT", "COMPARE_QUANTITY_REQUIRED"])
def test_a_call_that_the_api_does_not_take_blames_no_item(code: str) -> None:
    trade = Trade()
    _asked, handler = recorded([user_errors({"code": code, "field": ["input"]})])
    with pytest.raises(Rejected, match=code) as caught:
        trade.connect(handler).write(compare(trade.sells(2)), key="push-1")
    assert caught.value.code == "api_error"


# Keys, and answers that are lost


@pytest.mark.parametrize("fault", [Fault.TIMED_OUT_AFTER, Fault.FAILED_AFTER])
def test_a_lost_answer_repeated_under_the_same_key_has_one_effect(fault: Fault) -> None:
    trade = Trade()
    items = trade.sells(3)
    trade.shop.expect(fault)
    with pytest.raises(Retry):
        trade.channel.write(compare(items), key="push-1")
    trade.shop.sell(items[0].sku, 4)
    assert statuses(trade.channel.write(compare(items), key="push-1")) == [WriteStatus.APPLIED] * 3
    assert [trade.shop.written(item.sku) for item in items] == [1, 1, 1]
    assert trade.shop.shown(items[0].sku) == 5


def test_a_level_that_came_back_to_what_was_expected_is_not_written_again() -> None:
    """The first call lost an answer after a refusal; a sale then undid what it wrote."""
    trade = Trade()
    items = [*trade.sells(2), *trade.sells(1, mutable=False)]
    trade.shop.expect(None, Fault.TIMED_OUT_AFTER)
    with pytest.raises(Retry):
        trade.channel.write(compare(items), key="push-1")
    trade.shop.sell(items[0].sku, 4)
    assert statuses(trade.channel.write(compare(items), key="push-1")) == [WriteStatus.STALE] * 3
    assert [trade.shop.written(item.sku) for item in items] == [1, 1, 0]
    assert trade.shop.shown(items[0].sku) == 5


def test_work_that_is_still_under_way_is_waited_for() -> None:
    trade = Trade()
    items = trade.sells(2)
    trade.shop.expect(Fault.SLOW)
    for _ in range(2):
        with pytest.raises(Retry):
            trade.channel.write(compare(items), key="push-1")
    trade.clock.pause(31)
    assert statuses(trade.channel.write(compare(items), key="push-1")) == [WriteStatus.APPLIED] * 2
    assert [trade.shop.written(item.sku) for item in items] == [1, 1]


def test_a_request_that_arrives_twice_has_one_effect() -> None:
    trade = Trade()
    items = trade.sells(2)
    trade.shop.expect(Fault.DUPLICATED)
    assert statuses(trade.channel.write(compare(items), key="push-1")) == [WriteStatus.APPLIED] * 2
    assert [trade.shop.written(item.sku) for item in items] == [1, 1]


def test_a_key_used_for_other_writes_is_rejected() -> None:
    trade = Trade()
    items = trade.sells(2)
    trade.channel.write(compare(items), key="push-1")
    with pytest.raises(Rejected) as caught:
        trade.channel.write(compare(items, 8), key="push-1")
    assert caught.value.code == "idempotency_mismatch"
    assert [trade.shop.shown(item.sku) for item in items] == [9, 9]


def test_writes_that_expect_nothing_get_a_new_key_where_an_attempt_failed() -> None:
    trade = Trade()
    items = [*trade.sells(2), *trade.sells(1, mutable=False)]
    writes = [LevelWrite(item=item, quantity=9, expected=None) for item in items]
    trade.shop.expect(None, Fault.TIMED_OUT_AFTER)
    with pytest.raises(Retry):
        trade.channel.write(writes, key="push-1")
    trade.shop.sell(items[0].sku, 4)
    assert statuses(trade.channel.write(writes, key="push-1")) == ["applied", "applied", "refused"]
    assert trade.shop.shown(items[0].sku) == 5


def test_an_answer_that_tells_nothing_leaves_the_outcome_unknown() -> None:
    trade = Trade()
    _asked, handler = recorded([{"data": {"inventorySetQuantities": None}}])
    with pytest.raises(Retry):
        trade.connect(handler).write(compare(trade.sells(1)), key="push-1")


# What Shopify refuses as a whole


def test_refused_credentials_are_read_again_once() -> None:
    trade = Trade(token=Token("shpat-old"))
    with pytest.raises(Rejected) as caught:
        trade.channel.write(compare(trade.sells(1)), key="push-1")
    assert (caught.value.code, trade.token.read_afresh) == ("api_access", 1)


def test_a_missing_scope_names_what_to_grant() -> None:
    trade = Trade()
    trade.shop.denied.add("inventorySetQuantities")
    with pytest.raises(Rejected, match="write_inventory") as caught:
        trade.channel.write(compare(trade.sells(1)), key="push-1")
    assert caught.value.code == "api_access"


# The pace


def test_a_hundred_thousand_levels_take_what_the_points_take() -> None:
    """400 calls of 10 points at 1,000 a second: 4 seconds, less the second's worth that the bucket began with."""
    trade = Trade(plan=Plan(1000.0, 1000.0))
    items = trade.sells(100_000)
    began = trade.clock.now
    outcomes = [
        outcome
        for start in range(0, len(items), trade.channel.most_writes)
        for outcome in trade.channel.write(compare(items[start : start + 250]), key=f"sweep-{start}")
    ]
    taken = (trade.clock.now - began).total_seconds()
    assert set(statuses(outcomes)) == {WriteStatus.APPLIED}
    assert (trade.shop.counters.calls, trade.shop.counters.throttled) == (400, 0)
    assert taken == pytest.approx((400 * 10 - 1000) / 1000, rel=0.05)


def test_a_pause_is_as_long_as_the_missing_points_need() -> None:
    trade = Trade(plan=Plan(15.0, 100.0))
    for number, item in enumerate(trade.sells(3)):
        trade.channel.write(compare([item]), key=f"push-{number}")
    assert trade.clock.waited == [0.05, 0.1]
    assert trade.shop.counters.throttled == 0


def test_points_that_came_back_meanwhile_are_not_waited_for() -> None:
    trade = Trade(plan=Plan(10.0, 100.0))
    first, second = trade.sells(2)
    trade.channel.write(compare([first]), key="push-1")
    trade.clock.now += timedelta(seconds=0.06)
    trade.channel.write(compare([second]), key="push-2")
    assert trade.clock.waited == [0.04]


def test_a_bucket_that_another_app_emptied_is_waited_for() -> None:
    trade = Trade(plan=Plan(2000.0, 100.0))
    trade.shop.expect(Fault.THROTTLED)
    assert statuses(trade.channel.write(compare(trade.sells(1)), key="push-1")) == [WriteStatus.APPLIED]
    assert trade.clock.waited == [0.1]


def test_patience_with_other_apps_has_an_end() -> None:
    trade = Trade()
    trade.shop.expect(*[Fault.THROTTLED] * (MOST_ATTEMPTS + 1))
    with pytest.raises(Retry) as caught:
        trade.channel.write(compare(trade.sells(1)), key="push-1")
    assert (caught.value.code, trade.shop.counters.calls) == ("storefront_throttled", MOST_ATTEMPTS)


def test_answers_without_a_cost_are_not_waited_for() -> None:
    trade = Trade()
    throttled = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}
    _asked, handler = recorded([throttled, user_errors()])
    trade.connect(handler).write(compare(trade.sells(1)), key="push-1")
    assert trade.clock.waited == []


def test_no_more_is_waited_for_than_a_bucket_holds() -> None:
    trade = Trade()
    status = {"maximumAvailable": 50.0, "currentlyAvailable": 0, "restoreRate": 10.0}
    cost = {"requestedQueryCost": 100, "actualQueryCost": 10, "throttleStatus": status}
    _asked, handler = recorded([user_errors() | {"extensions": {"cost": cost}}] * 2)
    channel = trade.connect(handler)
    for number in range(2):
        channel.write(compare(trade.sells(1)), key=f"push-{number}")
    assert trade.clock.waited == [5.0]


def test_a_clock_that_is_put_back_costs_no_more_than_the_filling_of_a_bucket() -> None:
    trade = Trade(plan=Plan(10.0, 100.0))
    first, second = trade.sells(2)
    trade.channel.write(compare([first]), key="push-1")
    trade.clock.now -= timedelta(hours=4)
    with pytest.raises(Retry):  # the shop's bucket goes by the same clock
        trade.channel.write(compare([second]), key="push-2")
    assert max(trade.clock.waited) == 0.1


# Reading


def test_a_read_tells_what_is_shown_and_leaves_out_what_is_gone() -> None:
    trade = Trade()
    items = trade.sells(600, 3, 4)
    trade.shop.delete(items[1].sku)
    trade.shop.sell(items[2].sku, 3)
    untracked, unstocked = trade.item("SOFT", 7, tracked=False), trade.item("ELSEWHERE", None)
    found = {item.sku: item for item in trade.channel.read([*items, untracked, unstocked])}
    assert len(found) == 601
    assert (found[items[0].sku].shown, found[items[2].sku].shown, found[items[3].sku].shown) == (3, 0, 4)
    assert (found["SOFT"].shown, found["ELSEWHERE"].shown) == (None, None)
    assert items[1].sku not in found
    assert found[items[0].sku].location_id == LOCATION


def test_reading_nothing_is_no_call() -> None:
    trade = Trade()
    assert trade.channel.read([]) == []
    assert trade.shop.counters.calls == 0


def test_a_catalogue_is_told_page_by_page() -> None:
    trade = Trade()
    items = trade.sells(2_600)
    trade.shop.stock(None, 5)
    trade.shop.stock("", 5)
    soft = trade.item("SOFT", 7, tracked=False)
    told: list[ChannelItem] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = trade.channel.catalogue(cursor)
        told, cursor, pages = [*told, *page.items], page.cursor, pages + 1
    assert told == [*items, soft.model_copy(update={"shown": None})]
    assert pages == 14


def test_what_is_deleted_between_two_pages_hides_nothing() -> None:
    trade = Trade()
    items = trade.sells(300)
    first = trade.channel.catalogue(None)
    for item in items[:50]:
        trade.shop.delete(item.sku)
    second = trade.channel.catalogue(first.cursor)
    assert [*first.items, *second.items] == items


def test_an_item_that_variants_share_is_told_once() -> None:
    trade = Trade()
    level = {"quantities": [{"quantity": 4}]}
    shared = {"id": "gid://shopify/InventoryItem/7", "tracked": True, "inventoryLevel": level}
    nodes = [{"sku": "MUG", "inventoryItem": shared}, {"sku": "MUG", "inventoryItem": shared}]
    page = {"pageInfo": {"hasNextPage": False, "endCursor": "2"}, "nodes": nodes}
    _asked, handler = recorded([{"data": {"productVariants": page}}])
    assert trade.connect(handler).catalogue(None).items == (
        ChannelItem(sku="MUG", item_id="7", location_id=LOCATION, shown=4),
    )


# Whatever goes wrong


@dataclass(frozen=True)
class Article:
    shown: int
    quantity: int
    compares: bool
    mutable: bool
    sold_before: int


articles = st.lists(
    st.builds(
        Article,
        shown=st.integers(2, 6),
        quantity=st.integers(2, 9),
        compares=st.booleans(),
        mutable=st.sampled_from([True, True, True, False]),
        sold_before=st.sampled_from([0, 0, 0, 1]),
    ),
    min_size=1,
    max_size=6,
)
sales = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), max_size=8)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    articles=articles,
    weather=st.lists(st.sampled_from([None, *Fault]), max_size=10),
    sales=sales,
    failed_keys=st.sampled_from(FailedKeys),
    blame=st.sampled_from(Blame),
)
def test_random_faults_never_lose_or_double_a_write_or_a_sale(
    articles: list[Article],
    weather: list[Fault | None],
    sales: list[tuple[int, int]],
    failed_keys: FailedKeys,
    blame: Blame,
) -> None:
    """Should Shopify forget failed keys, which its published codes deny, then nobody may buy while we repeat."""
    forgets = failed_keys is FailedKeys.FORGOTTEN
    trade = Trade(rules=StockRules(failed_keys=failed_keys, blame=blame))
    items = [trade.item(f"SKU-{at}", article.shown, mutable=article.mutable) for at, article in enumerate(articles)]
    writes = [
        LevelWrite(item=item, quantity=article.quantity, expected=article.shown if article.compares else None)
        for item, article in zip(items, articles, strict=True)
    ]
    buyers = Buyers(trade.shop)
    for item, article in zip(items, articles, strict=True):
        buyers.buy(item.sku, article.sold_before)
    trade.shop.expect(*weather)
    buying = iter([] if forgets else sales)

    def meanwhile() -> None:
        at, units = next(buying, (0, 0))
        buyers.buy(items[at % len(items)].sku, units)
        trade.clock.pause(31)

    outcomes = until_answered(trade.channel, writes, "push-1", meanwhile)

    for write, article, outcome in zip(writes, articles, outcomes, strict=True):
        sku = write.item.sku
        event(outcome.status)
        written = trade.shop.written(sku) > 0
        assert trade.shop.written(sku) <= 1 or forgets
        base = article.quantity if written else article.shown
        assert trade.shop.shown(sku) == base - buyers.counted(sku, since_write=written)
        assert written or outcome.status is not WriteStatus.APPLIED
        assert not article.mutable or outcome.status is not WriteStatus.REFUSED
        assert article.compares or outcome.status is not WriteStatus.STALE

    trade.shop.calm()
    stale = [write.item for write, outcome in zip(writes, outcomes, strict=True) if outcome.status == "stale"]
    again = [LevelWrite(item=item, quantity=4, expected=item.shown) for item in trade.channel.read(stale)]
    second = trade.channel.write(again, key="push-2")
    assert {outcome.status for outcome in second} <= {WriteStatus.APPLIED, WriteStatus.REFUSED}


class Buyers:
    """They buy what the shop shows, and remember whether they came before or after our write."""

    def __init__(self, shop: ShopifyAdmin) -> None:
        self._shop = shop
        self._bought: list[tuple[str, int, int]] = []

    def buy(self, sku: str, units: int) -> None:
        if 0 < units <= (self._shop.shown(sku) or 0):
            self._shop.sell(sku, units)
            self._bought.append((sku, units, self._shop.written(sku)))

    def counted(self, sku: str, *, since_write: bool) -> int:
        return sum(units for bought, units, writes in self._bought if bought == sku and writes >= since_write)


def until_answered(
    channel: ShopifyStock, writes: Sequence[LevelWrite], key: str, meanwhile: Callable[[], None]
) -> Sequence[WriteOutcome]:
    for _ in range(40):
        try:
            return channel.write(writes, key=key)
        except Retry:
            meanwhile()
    raise AssertionError("the faults have ended, and the channel still has no answer")
