"""A WooCommerce shop's stock, against a fake shop with WooCommerce's habits."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count, pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.fakes.woocommerce_requests import Request, Trouble, Troubles, failing, silent, slow, throttled
from shared.inventory.channels import ChannelItem, LevelWrite, StockChannel, WriteStatus
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.woocommerce.stock import WooCommerceStock

Outcomes = list[tuple[str, str, str]]


class Time:
    """A clock that only moves when somebody waits."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.pauses: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.pass_(seconds)

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Rig:
    def __init__(self) -> None:
        self.time = Time()
        self.fake = WooCommerceFake(self.time, pause=self.time.pass_)
        self.channel = self.connect()
        self._numbers = count(1)

    def connect(self, handler: Callable[[httpx.Request], httpx.Response] | None = None) -> StockChannel:
        """A channel that knows nothing of earlier calls."""
        http = httpx.Client(transport=httpx.MockTransport(handler or self.fake))
        return WooCommerceStock("borealis", "shop.example", _keys, http, self.time, self.time.pause)

    def item(self, sku: str) -> ChannelItem:
        product = self.fake.shop.by_sku(sku)
        assert product is not None
        parent = str(product.parent.id) if product.parent is not None else None
        shown = self.fake.shown(sku)
        return ChannelItem(
            sku=sku, item_id=str(product.id), parent_id=parent, shown=None if shown is None else int(shown)
        )

    def level(self, sku: str, quantity: int, expected: int | None = None) -> LevelWrite:
        return LevelWrite(item=self.item(sku), quantity=quantity, expected=expected)

    def write(self, *writes: LevelWrite, key: str | None = None, channel: StockChannel | None = None) -> Outcomes:
        """Under a key of its own, unless one is given."""
        outcomes = (channel or self.channel).write(writes, key=key or f"key-{next(self._numbers)}")
        return [(outcome.sku, outcome.status.value, outcome.reason) for outcome in outcomes]

    def posts(self) -> list[int]:
        """How many items each batch held."""
        return [len(request.body["update"]) for request in self.fake.requests if request.method == "POST"]


def _keys(*, fresh: bool = False) -> Mapping[str, str]:
    return {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}


@pytest.fixture
def rig() -> Rig:
    return Rig()


def _fill(rig: Rig) -> list[str]:
    """150 products, and two with 60 and 40 variations."""
    skus = [f"SKU-{number}" for number in range(150)]
    for sku in skus:
        rig.fake.add_product(sku, 5)
    for name, variations in (("SHIRT", 60), ("SHOE", 40)):
        parent = rig.fake.add_product(name, variable=True, manage_stock=False)
        for number in range(variations):
            skus.append(f"{name}-{number}")
            rig.fake.add_variation(parent, skus[-1], 5)
    return skus


def _applied(writes: Sequence[LevelWrite]) -> Outcomes:
    return [(write.item.sku, "applied", "") for write in writes]


# Writing


@pytest.mark.parametrize(("expected", "reads"), [(None, 0), (5, 5)])
def test_250_items_take_a_batch_for_each_hundred_products_and_each_variable_product(
    rig: Rig, expected: int | None, reads: int
) -> None:
    skus = _fill(rig)
    assert rig.channel.most_writes == 100
    for start in range(0, 250, 100):
        writes = [rig.level(sku, 7 + len(sku), expected) for sku in skus[start : start + 100]]
        assert rig.write(*writes, key=f"k{start}") == _applied(writes)
    assert rig.posts() == [100, 50, 50, 10, 40]
    assert len(rig.fake.requests) == 5 + reads
    assert all(rig.fake.shown(sku) == 7 + len(sku) for sku in skus)
    assert set(rig.fake.shop.stock_writes.values()) == {1}


def test_nothing_but_the_number_is_sent(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    rig.write(rig.level("MUG", 3))
    [request] = rig.fake.requests
    assert request.body == {"update": [{"id": int(rig.item("MUG").item_id), "stock_quantity": 3}]}


def test_outcomes_are_in_the_order_of_the_writes(rig: Rig) -> None:
    shirt = rig.fake.add_product("SHIRT", variable=True, manage_stock=False)
    for sku in ("S", "L"):
        rig.fake.add_variation(shirt, sku, 5)
    for sku in ("A", "B"):
        rig.fake.add_product(sku, 5)
    writes = [rig.level(sku, 1) for sku in ("L", "B", "S", "A")]
    assert rig.write(*writes) == _applied(writes)


def test_number_may_be_below_nothing(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    assert rig.write(rig.level("MUG", -3)) == [("MUG", "applied", "")]
    assert rig.fake.shown("MUG") == -3


def _bad_items(rig: Rig) -> dict[str, ChannelItem]:
    mug = rig.item("MUG")
    return {
        "woocommerce_rest_product_invalid_id": mug.model_copy(update={"sku": "X1", "item_id": "999999"}),
        "woocommerce_rest_invalid_product_id": rig.item("SHIRT-L").model_copy(update={"sku": "X2", "parent_id": None}),
        "woocommerce_rest_product_variation_invalid_id": mug.model_copy(
            update={"sku": "X3", "item_id": "999998", "parent_id": rig.item("SHIRT-L").parent_id}
        ),
        "invalid_id": mug.model_copy(update={"sku": "X4", "item_id": "../orders"}),
        "not_tracked": rig.item("BOOK"),
        "stock_kept_by_parent": rig.item("BAG-RED"),
    }


def _shop_with_bad_items(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    rig.fake.add_product("BOOK", manage_stock=False)
    rig.fake.add_variation(rig.fake.add_product("SHIRT", variable=True, manage_stock=False), "SHIRT-L", 5)
    rig.fake.add_variation(rig.fake.add_product("BAG", 9, variable=True), "BAG-RED", manage_stock=False)


def test_bad_items_are_refused_with_the_shops_code_and_stop_no_other(rig: Rig) -> None:
    _shop_with_bad_items(rig)
    bad = _bad_items(rig)
    writes = [
        rig.level("MUG", 1),
        *(LevelWrite(item=item, quantity=1, expected=None) for item in bad.values()),
        rig.level("SHIRT-L", 2),
    ]
    outcomes = rig.write(*writes)
    assert outcomes[0] == ("MUG", "applied", "")
    assert outcomes[1:-1] == [(item.sku, "refused", reason) for reason, item in bad.items()]
    assert outcomes[-1] == ("SHIRT-L", "applied", "")
    assert [rig.fake.shown(sku) for sku in ("MUG", "SHIRT-L", "BOOK", "BAG-RED")] == [1, 2, None, 9]


def test_what_is_expected_of_bad_items_is_refused_before_any_write(rig: Rig) -> None:
    _shop_with_bad_items(rig)
    bad = _bad_items(rig)
    writes = [LevelWrite(item=item, quantity=1, expected=5) for item in bad.values()]
    outcomes = rig.write(*writes, rig.level("MUG", 1, 5))
    reasons = [reason for _, _, reason in outcomes[:-1]]
    assert reasons == ["not_found"] * 3 + ["invalid_id", "not_tracked", "stock_kept_by_parent"]
    assert outcomes[-1] == ("MUG", "applied", "")
    assert rig.posts() == [1]


def test_stock_is_never_counted_from_now_on_because_of_us(rig: Rig) -> None:
    book = rig.fake.add_product("BOOK", manage_stock=False)
    rig.write(rig.level("BOOK", 5))
    assert book.manage_stock is False


# What is expected


@pytest.mark.parametrize("variation", [False, True])
def test_changed_number_is_stale_and_stays(rig: Rig, *, variation: bool) -> None:
    if variation:
        rig.fake.add_variation(rig.fake.add_product("P", variable=True, manage_stock=False), "MUG", 5)
    else:
        rig.fake.add_product("MUG", 5)
    rig.fake.add_product("CUP", 5)
    rig.fake.sell("MUG", 2)
    assert rig.write(rig.level("MUG", 9, 5), rig.level("CUP", 9, 5)) == [("MUG", "stale", ""), ("CUP", "applied", "")]
    assert (rig.fake.shown("MUG"), rig.fake.shown("CUP")) == (3, 9)


def test_wanted_number_that_somebody_else_wrote_is_stale(rig: Rig) -> None:
    """It may be a sale of just as many, which the next decision has to know of."""
    rig.fake.add_product("MUG", 5)
    rig.fake.sell("MUG", 2)
    assert rig.write(rig.level("MUG", 3, 5)) == [("MUG", "stale", "")]


def test_number_that_is_shown_already_is_not_written_again(rig: Rig) -> None:
    """Each write comes back to us as a webhook, even of the same number."""
    rig.fake.add_product("MUG", 5)
    assert rig.write(rig.level("MUG", 5, 5)) == [("MUG", "applied", "")]
    assert rig.posts() == []


def test_sale_between_reading_and_writing_is_overwritten(rig: Rig) -> None:
    """The limit of a shop without compare-and-set: the race is narrowed, not closed."""
    rig.fake.add_product("MUG", 5)

    def sell_before_the_write(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            rig.fake.sell("MUG", 2)
        return rig.fake(request)

    assert rig.write(rig.level("MUG", 9, 5), channel=rig.connect(sell_before_the_write)) == [("MUG", "applied", "")]
    assert rig.fake.shown("MUG") == 9


# Answers that are lost


@pytest.mark.parametrize("expected", [None, 5])
def test_write_whose_answer_was_lost_is_repeated_to_the_same_end(rig: Rig, expected: int | None) -> None:
    rig.fake.add_product("MUG", 5)
    rig.fake.troubles.plan(*([None] if expected else []), silent(after=True))
    assert rig.write(rig.level("MUG", 3, expected)) == [("MUG", "applied", "")]
    assert rig.fake.shown("MUG") == 3


@pytest.mark.parametrize("expected", [None, 5])
def test_call_that_was_given_up_is_repeated_under_its_key(rig: Rig, expected: int | None) -> None:
    rig.fake.add_product("MUG", 5)
    write = rig.level("MUG", 3, expected)
    rig.fake.troubles.plan(*([None] if expected else []), silent(after=True), *[silent(after=False)] * 9)
    with pytest.raises(Retry):
        rig.write(write, key="k1")
    rig.fake.troubles = Troubles()
    assert rig.write(write, key="k1") == [("MUG", "applied", "")]
    assert rig.fake.shown("MUG") == 3


def test_call_repeated_under_its_key_has_one_effect(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    write = rig.level("MUG", 3)
    for _ in range(2):
        assert rig.write(write, key="k1") == [("MUG", "applied", "")]
        rig.fake.sell("MUG", 1)
    assert rig.fake.shown("MUG") == 1
    assert rig.write(write, key="k2") == [("MUG", "applied", "")]
    assert rig.fake.shown("MUG") == 3


def test_another_key_does_not_claim_what_an_earlier_one_wrote(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    rig.write(rig.level("MUG", 3, 5), key="k1")
    stale = LevelWrite(item=rig.item("MUG"), quantity=3, expected=5)
    assert rig.write(stale, key="k2") == [("MUG", "stale", "")]


def test_sale_after_a_lost_answer_is_not_overwritten(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    seen: list[str] = []

    def lose_the_answer(request: httpx.Request) -> httpx.Response:
        response = rig.fake(request)
        seen.append(request.method)
        if seen == ["GET", "POST"]:
            rig.fake.sell("MUG", 1)
            raise httpx.ReadTimeout("too slow", request=request)
        return response

    assert rig.write(rig.level("MUG", 3, 5), channel=rig.connect(lose_the_answer)) == [("MUG", "stale", "")]
    assert rig.fake.shown("MUG") == 2


def _cut(reply: Any) -> Any:
    return {"update": reply["update"][:1]}


def test_answer_without_some_item_leaves_the_outcome_unknown(rig: Rig) -> None:
    for sku in ("A", "B"):
        rig.fake.add_product(sku, 5)

    def cut(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=_cut(rig.fake(request).json()))

    with pytest.raises(Retry) as failure:
        rig.write(rig.level("A", 1), rig.level("B", 1), channel=rig.connect(cut))
    assert failure.value.code == "outcome_unknown"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"update": {}}),
        httpx.Response(404, json={"code": "rest_no_route"}),
        httpx.Response(301, headers={"location": "https://www.shop.example"}),
        httpx.Response(400, json={"code": "rest_invalid_param"}),
    ],
)
def test_what_is_not_woocommerce_is_an_error_of_the_api(rig: Rig, answer: httpx.Response) -> None:
    rig.fake.add_product("MUG", 5)
    with pytest.raises(Rejected) as refusal:
        rig.write(rig.level("MUG", 1), channel=rig.connect(lambda _: answer))
    assert refusal.value.code == "api_error"


def test_refused_key_is_an_error_of_access(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    with pytest.raises(Rejected) as refusal:
        rig.write(rig.level("MUG", 1), channel=rig.connect(lambda _: httpx.Response(401)))
    assert refusal.value.code == "api_access"


def test_gone_product_takes_its_variations_with_it(rig: Rig) -> None:
    gone = httpx.Response(404, json={"code": "woocommerce_rest_product_invalid_id"})
    shirt = rig.fake.add_product("SHIRT", variable=True)
    rig.fake.add_variation(shirt, "SHIRT-L", 5)
    channel = rig.connect(lambda _: gone)
    refused = [("SHIRT-L", "refused", "woocommerce_rest_product_invalid_id")]
    assert rig.write(rig.level("SHIRT-L", 1), channel=channel) == refused
    assert channel.read([rig.item("SHIRT-L")]) == []


# Pace


def _products(rig: Rig, number: int = 100) -> list[LevelWrite]:
    for index in range(number):
        rig.fake.add_product(f"SKU-{index}", 5)
    return [rig.level(f"SKU-{index}", 7) for index in range(number)]


def test_smaller_batches_are_sent_to_a_shop_that_takes_no_more(rig: Rig) -> None:
    writes = _products(rig)
    rig.fake.routes.batch_limit = 30
    assert rig.write(*writes) == _applied(writes)
    assert rig.posts() == [100, 50, 25, 25, 50, 25, 25]
    rig.fake.requests.clear()
    rig.write(*writes)
    assert rig.posts() == [25] * 4


def test_shop_that_takes_no_batch_at_all(rig: Rig) -> None:
    writes = _products(rig, 3)
    rig.fake.routes.batch_limit = 0
    with pytest.raises(Rejected):
        rig.write(*writes)


def test_throttled_channel_waits_as_long_as_it_is_told_sends_less_and_recovers(rig: Rig) -> None:
    writes = _products(rig)
    rig.fake.troubles.plan(throttled("7"))
    assert rig.write(*writes) == _applied(writes)
    assert rig.time.pauses[0] == 7.0
    assert rig.posts() == [100, 50, 50]
    rig.fake.requests.clear()
    for _ in range(6):
        rig.write(*writes)
    assert rig.posts()[-1] == 100
    rig.time.pauses.clear()
    rig.write(*writes)
    assert rig.time.pauses == []


@pytest.mark.parametrize("status", [429, 503])
def test_date_to_come_back_at_is_kept(rig: Rig, status: int) -> None:
    writes = _products(rig, 1)
    until = rig.time() + timedelta(seconds=20)
    rig.fake.troubles.plan(Trouble(throttled().kind, status=status, retry_after=format_datetime(until, usegmt=True)))
    rig.write(*writes)
    assert rig.time.pauses[0] == 20.0


@pytest.mark.parametrize("header", ["soon", "-5", "", "7.5", "Mon, 99 Nov 2026 09:00:00 GMT"])
def test_unreadable_date_to_come_back_at_is_our_own_choice(rig: Rig, header: str) -> None:
    writes = _products(rig, 1)
    rig.fake.troubles.plan(throttled(header))
    assert rig.write(*writes) == _applied(writes)
    assert rig.time.pauses[0] == 1.0


def test_long_wait_is_left_to_the_queue(rig: Rig) -> None:
    writes = _products(rig, 1)
    rig.fake.troubles.plan(throttled("3600"))
    with pytest.raises(Retry) as failure:
        rig.write(*writes)
    assert failure.value.code == "storefront_throttled"
    assert rig.time.pauses == []


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (throttled(), "storefront_throttled"),
        (failing(502), "storefront_failed"),
        (silent(after=False), "storefront_unreachable"),
    ],
)
def test_shop_that_keeps_failing_is_given_up(rig: Rig, trouble: Trouble, code: str) -> None:
    writes = _products(rig, 1)
    rig.fake.troubles.otherwise = lambda: trouble
    with pytest.raises(Retry) as failure:
        rig.write(*writes)
    assert failure.value.code == code
    assert len(rig.fake.requests) == 5
    assert sum(rig.time.pauses) <= 45


def test_patience_is_fresh_for_each_call(rig: Rig) -> None:
    writes = _products(rig, 1)
    for _ in range(3):
        rig.fake.troubles.plan(*[failing()] * 4)
        assert rig.write(*writes) == _applied(writes)


def test_slow_shop_is_sent_less_and_rested(rig: Rig) -> None:
    writes = _products(rig)
    rig.fake.seconds_per_item = 0.1
    for _ in range(4):
        rig.write(*writes)
    sizes = rig.posts()
    assert sizes[:6] == [100, 50, 50, 70, 30, 90]
    assert all(after <= before // 2 for before, after in pairwise(sizes) if before > 80)
    assert rig.time.pauses[0] == 8.0


def test_crawling_shop_is_given_up_in_time_and_gets_on_with_each_call(rig: Rig) -> None:
    writes = [write.model_copy(update={"expected": 5}) for write in _products(rig)]
    rig.fake.routes.batch_limit = 2
    rig.fake.troubles.otherwise = lambda: slow(9.0)
    written = []
    for _ in range(3):
        began = rig.time()
        with pytest.raises(Retry) as failure:
            rig.write(*writes, key="k1")
        assert failure.value.code == "storefront_slow"
        assert rig.time() - began < timedelta(minutes=5)
        written.append(sum(rig.fake.shown(write.item.sku) == 7 for write in writes))
    assert 0 < written[0] < written[1] < written[2] < 100
    rig.fake.troubles.otherwise = lambda: None
    assert rig.write(*writes, key="k1") == _applied(writes)
    assert set(rig.fake.shop.stock_writes.values()) == {1}


def test_shop_that_is_slower_than_we_wait_is_sent_less_until_it_answers(rig: Rig) -> None:
    writes = _products(rig)
    rig.fake.seconds_per_item = 1.0
    assert rig.write(*writes) == _applied(writes)
    assert rig.posts()[:4] == [100, 50, 25, 12]


# Reading


def test_items_are_read_as_they_are_now_and_those_gone_are_left_out(rig: Rig) -> None:
    skus = _fill(rig)
    rig.fake.add_product("BOOK", manage_stock=False)
    rig.fake.add_variation(rig.fake.add_product("BAG", 9, variable=True), "BAG-RED", manage_stock=False)
    rig.fake.add_product("DEBT", -3)
    items = [rig.item(sku) for sku in ["BOOK", *skus, "BAG-RED", "BAG", "DEBT"]]
    rig.fake.sell("SKU-7", 2)
    gone = rig.fake.shop.by_sku("SKU-8")
    assert gone is not None
    rig.fake.shop.delete_product(gone)
    read = {item.sku: item.shown for item in rig.channel.read(items)}
    expected: dict[str, int | None] = dict.fromkeys(skus, 5)
    del expected["SKU-8"]
    assert read == expected | {"SKU-7": 3, "BOOK": None, "BAG-RED": None, "BAG": 9, "DEBT": -3}
    assert list(read) == [item.sku for item in items if item.sku != "SKU-8"]
    assert len(rig.fake.requests) == 2 + 3


@pytest.mark.parametrize(("shown", "whole"), [(2.5, 2), (-0.5, -1), (3.0, 3)])
def test_fraction_is_rounded_down(rig: Rig, shown: float, whole: int) -> None:
    rig.fake.shop.add_product("TEA", shown)
    assert [item.shown for item in rig.channel.read([rig.item("TEA")])] == [whole]
    assert [item.shown for item in rig.channel.catalogue(None).items] == [whole]
    assert rig.write(rig.level("TEA", 9, whole)) == [("TEA", "applied", "")]


@pytest.mark.parametrize(("number", "shown"), [('"5"', 5), ("null", 0), ('""', 0), ('"five"', 0), ("1e3", 1000)])
def test_number_is_read_however_it_is_written(rig: Rig, number: str, shown: int) -> None:
    mug = rig.fake.add_product("MUG", 77)
    body = rig.fake(_get(f"/products/{mug.id}")).content
    raw = b"[" + body.replace(b'"stock_quantity":77', b'"stock_quantity":' + number.encode()) + b"]"
    channel = rig.connect(lambda _: httpx.Response(200, content=raw))
    assert [item.shown for item in channel.read([rig.item("MUG")])] == [shown]


def _get(path: str) -> httpx.Request:
    client = httpx.Client(auth=(CONSUMER_KEY, CONSUMER_SECRET))
    request = client.build_request("GET", f"https://shop.example/wp-json/wc/v3{path}")
    return next(httpx.BasicAuth(CONSUMER_KEY, CONSUMER_SECRET).auth_flow(request))


def test_failing_read_is_repeated(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    rig.fake.troubles.plan(failing(), silent(after=True))
    assert [item.shown for item in rig.channel.read([rig.item("MUG")])] == [5]


# The catalogue


def _pages(rig: Rig, cursor: str | None = None) -> list[tuple[str | None, list[ChannelItem]]]:
    """All pages from a cursor, each by a channel that knows nothing of the ones before."""
    pages = []
    while True:
        page = rig.connect().catalogue(cursor)
        pages.append((cursor, list(page.items)))
        cursor = page.cursor
        if cursor is None:
            return pages
        assert len(pages) < 100


def _large_shop(rig: Rig) -> list[str]:
    """260 products, of which 14 are variable; one of them has 230 variations."""
    skus = []
    for number in range(260):
        sku = f"SKU-{number}"
        if number % 20 != 7 and number != 100:
            rig.fake.add_product(sku, number)
            skus.append(sku)
            continue
        parent = rig.fake.add_product(sku, variable=True, manage_stock=False)
        for index in range(230 if number == 100 else 3):
            skus.append(f"{sku}-{index}")
            rig.fake.add_variation(parent, skus[-1], index)
    return skus


def _skus(pages: Sequence[tuple[str | None, list[ChannelItem]]]) -> list[str]:
    return [item.sku for _, items in pages for item in items]


def test_catalogue_is_read_in_pages_and_resumed_at_every_cursor(rig: Rig) -> None:
    skus = _large_shop(rig)
    pages = _pages(rig)
    assert len(pages) > 4
    assert any("/" in (cursor or "") for cursor, _ in pages)
    assert sorted(_skus(pages)) == sorted(skus)
    for index, (cursor, _) in enumerate(pages):
        assert _pages(rig, cursor) == pages[index:]


def test_place_within_one_products_variations_is_not_anothers(rig: Rig) -> None:
    first = rig.fake.add_product("FIRST", variable=True, manage_stock=False)
    second = rig.fake.add_product("SECOND", variable=True, manage_stock=False)
    skus = [f"SECOND-{number}" for number in range(5)] + [f"FIRST-{number}" for number in range(150)]
    for sku in skus:
        rig.fake.add_variation(first if sku.startswith("FIRST") else second, sku, 1)
    assert sorted(_skus(_pages(rig))) == sorted(skus)


def test_catalogue_of_3_pages_costs_3_requests(rig: Rig) -> None:
    for number in range(298):
        rig.fake.add_product(f"SKU-{number}", 1)
    assert [len(items) for _, items in _pages(rig)] == [100, 99, 99]
    assert len(rig.fake.requests) == 3


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 199, 200])
def test_catalogue_of_any_length_ends(rig: Rig, number: int) -> None:
    for index in range(number):
        rig.fake.add_product(f"SKU-{index}", 1)
    assert _skus(_pages(rig)) == [f"SKU-{index}" for index in range(number)]


def test_catalogue_says_how_each_item_is_counted(rig: Rig) -> None:
    rig.fake.add_product("", 5)
    rig.fake.add_product("DEBT", -3)
    rig.fake.add_product("BOOK", manage_stock=False)
    shirt = rig.fake.add_product("SHIRT", variable=True, manage_stock=False)
    rig.fake.add_variation(shirt, "SHIRT-L", 5)
    rig.fake.add_variation(shirt, "", 7)
    bag = rig.fake.add_product("BAG", 9, variable=True)
    rig.fake.add_variation(bag, "BAG-RED", manage_stock=False)
    items = [(item.sku, item.parent_id, item.shown) for item in rig.channel.catalogue(None).items]
    assert items == [
        ("DEBT", None, -3),
        ("BOOK", None, None),
        ("SHIRT-L", str(shirt.id), 5),
        ("BAG-RED", str(bag.id), None),
        ("BAG", None, 9),
    ]


def test_what_is_listed_can_be_written(rig: Rig) -> None:
    _large_shop(rig)
    items = [item for _, page in _pages(rig) for item in page]
    for start in range(0, len(items), 100):
        writes = [
            LevelWrite(item=item, quantity=1000 + start, expected=item.shown) for item in items[start : start + 100]
        ]
        assert rig.write(*writes, key=str(start)) == _applied(writes)


@pytest.mark.parametrize("cursor", ["", "2", "1:2/3", "a:b", "1:2/3@4", "1:2 ", "-1:2", "١:٢"])
def test_strange_cursor_is_refused(rig: Rig, cursor: str) -> None:
    with pytest.raises(Rejected) as refusal:
        rig.channel.catalogue(cursor)
    assert refusal.value.code == "invalid_cursor"


def test_product_that_a_plugin_hides_ends_nothing(rig: Rig) -> None:
    for number in range(250):
        rig.fake.add_product(f"SKU-{number}", 1)
    hidden = {rig.item(f"SKU-{number}").item_id for number in (50, 99, 198, 199)}

    def hide(request: httpx.Request) -> httpx.Response:
        response = rig.fake(request)
        shown = [body for body in response.json() if str(body["id"]) not in hidden]
        return httpx.Response(200, json=shown, headers={"X-WP-Total": response.headers["X-WP-Total"]})

    found, cursor = [], None
    for _ in range(6):
        page = rig.connect(hide).catalogue(cursor)
        found += [item.item_id for item in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert cursor is None
    assert len(found) == len(set(found)) == 246


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_what_is_deleted_meanwhile_hides_nothing_else(data: st.DataObject) -> None:
    rig = Rig()
    for number in range(230):
        variable = number in {3, 100, 210}
        product = rig.fake.add_product(f"SKU-{number}", 1, variable=variable)
        for index in range(120 if variable else 0):
            rig.fake.add_variation(product, f"SKU-{number}-{index}", 1)
    deleted: set[str] = set()
    found: list[str] = []
    cursor = None
    while True:
        page = rig.connect().catalogue(cursor)
        found += [item.sku for item in page.items]
        cursor = page.cursor
        if cursor is None:
            break
        gone = data.draw(st.sets(st.integers(0, 229), max_size=3) | st.just(set(range(220))))
        for sku in {f"SKU-{number}" for number in gone}:
            if (product_gone := rig.fake.shop.by_sku(sku)) is not None:
                deleted |= {sku, *(each.sku for each in rig.fake.shop.variations(product_gone.id))}
                rig.fake.shop.delete_product(product_gone)
    assert len(found) == len(set(found))
    assert {product.sku for product in rig.fake.shop.products.values()} <= set(found)


# Whatever happens

TROUBLES = st.lists(
    st.none()
    | st.sampled_from([throttled(), throttled("3"), throttled("9999"), slow(12.0), slow(25.0)])
    | st.builds(failing, st.sampled_from([500, 502, 503, 504, 408]), after=st.booleans())
    | st.builds(silent, after=st.booleans()),
    max_size=14,
)


ROUNDS = st.lists(st.tuples(st.lists(st.integers(-5, 99), min_size=8, max_size=8), TROUBLES), max_size=4)


@settings(deadline=None)
@given(rounds=ROUNDS, guarded=st.booleans())
def test_channel_ends_with_what_was_written_last_or_a_retry(
    rounds: list[tuple[list[int], list[Trouble | None]]], *, guarded: bool
) -> None:
    rig = Rig()
    skus = _eight(rig)
    for number, (quantities, troubles) in enumerate(rounds):
        before = [rig.fake.shown(sku) for sku in skus]
        writes = [
            rig.level(sku, quantity, int(was or 0) if guarded else None)
            for sku, quantity, was in zip(skus, quantities, before, strict=True)
        ]
        rig.fake.troubles.plan(*troubles)
        while True:
            try:
                outcomes = rig.write(*writes, key=f"k{number}")
                break
            except Retry:
                after = [rig.fake.shown(sku) for sku in skus]
                assert all(n in pair for n, *pair in zip(after, before, quantities, strict=True))
        assert outcomes == _applied(writes)
        assert [rig.fake.shown(sku) for sku in skus] == quantities
    assert all(request.body.keys() <= {"update"} for request in rig.fake.requests)


def _eight(rig: Rig) -> list[str]:
    skus = [f"SKU-{number}" for number in range(8)]
    parent = rig.fake.add_product("PARENT", variable=True, manage_stock=False)
    for sku in skus[:5]:
        rig.fake.add_product(sku, 5)
    for sku in skus[5:]:
        rig.fake.add_variation(parent, sku, 5)
    return skus


def test_statuses_are_the_ports(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    [outcome] = rig.channel.write([rig.level("MUG", 3)], key="k")
    assert outcome.status is WriteStatus.APPLIED
    assert outcome.item_id == rig.item("MUG").item_id


def _body(request: Request) -> str:
    return json.dumps(request.body)


def test_no_relative_change_is_ever_sent(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    rig.write(rig.level("MUG", 3, 5))
    assert not any("inventory_delta" in _body(request) for request in rig.fake.requests)
