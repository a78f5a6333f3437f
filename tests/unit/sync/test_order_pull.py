"""Orders that are asked for again reach intake as any delivery does, and nothing else writes them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.samples import shopify, woocommerce
from shared.kernel.clock import as_sortable
from shared.kernel.errors import Rejected, Retry
from shared.orders.intake import Result, take_in
from shared.orders.readings import OrderHint
from shared.storefronts.port import ChangePage
from shared.storefronts.shopify.mapping import read_order as read_shopify
from shared.storefronts.woocommerce.mapping import read_order as read_woocommerce
from shared.sync.manual import OrderState
from shared.sync.order_pull import OrderPull
from shared.webhooks.delivery import Delivery
from tests.fakes.order_desk import FakeOrderBook, FakeStockRoom, desk

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
READERS = {"shopify": read_shopify, "woocommerce": read_woocommerce}


class Client:
    """A storefront's client that knows some orders; an error in an order's place is raised."""

    def __init__(self, orders: Mapping[str, bytes | Exception], platform: str) -> None:
        self.orders, self.platform = orders, platform
        self.asked: list[str] = []

    def fetch_order(self, order_id: str) -> Delivery | None:
        self.asked.append(order_id)
        found = self.orders.get(order_id)
        if isinstance(found, Exception):
            raise found
        return delivery(found, self.platform) if found is not None else None

    def changed_orders(self, since: datetime, until: datetime, cursor: str | None) -> ChangePage:
        raise AssertionError((since, until, cursor))


def delivery(body: bytes, platform: str, at: datetime = NOW) -> Delivery:
    return Delivery(
        shop="aurora", platform=platform, topic="orders/updated", received_at=as_sortable(at), body=body, fetched=True
    )


class Pull:
    """An order desk and a shop beside it; what is queued is kept in a list."""

    def __init__(self, orders: Mapping[str, bytes | Exception], platform: str = "shopify") -> None:
        self.queue: list[Delivery] = []
        self.desk = desk(FakeStockRoom())
        self.client = Client(orders, platform)
        book = self.desk.book
        assert isinstance(book, FakeOrderBook)
        self.orders = OrderPull(
            shop="aurora",
            platform=platform,
            client=self.client,
            reader=READERS[platform],
            book=book,
            enqueue=self.queue.append,
            clock=lambda: NOW,
        )

    def state(self, order_id: str, *, dry_run: bool = False) -> tuple[OrderState, bool, int]:
        """The state, whether it says that it queued, and what it did queue."""
        self.queue.clear()
        finding = self.orders.pull(order_id, dry_run=dry_run)
        assert finding.order_id == order_id
        return finding.state, finding.queued, len(self.queue)

    def take_in(self, given: Delivery) -> Result:
        return take_in("aurora", READERS[given.platform](given), self.desk).result


def shopify_order(**overrides: Any) -> bytes:
    return shopify.encode(shopify.Shop().order(shopify.Shop().line(1, sku="A"), **overrides))


def test_an_order_is_queued_as_the_shop_states_it_now() -> None:
    pull = Pull({"5001": shopify_order()})
    assert pull.state("5001", dry_run=True) == (OrderState.NEW, True, 0)
    assert pull.state("5001") == (OrderState.NEW, True, 1)
    (queued,) = pull.queue
    assert queued.fetched
    assert pull.take_in(queued) is Result.APPLIED
    assert pull.state("5001") == (OrderState.SAME, True, 1)
    assert pull.take_in(pull.queue[0]) is Result.DUPLICATE


def test_a_record_of_before_is_told_from_one_of_after() -> None:
    pull = Pull({"5001": shopify_order(updated_at="2026-11-23T10:00:00Z")})
    for minute, state in ((59, OrderState.NEWER), (61, OrderState.OLDER)):
        at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC) + timedelta(minutes=minute)
        body = shopify_order(updated_at=f"{at:%Y-%m-%dT%H:%M:%SZ}")
        assert pull.take_in(delivery(body, "shopify", at)) is Result.APPLIED
        assert pull.state("5001")[0] is state


def test_an_order_that_nobody_knows_is_not_queued() -> None:
    assert Pull({}).state("404") == (OrderState.UNKNOWN, False, 0)


@pytest.mark.parametrize("platform", ["shopify", "woocommerce"])
def test_an_order_that_only_we_know_becomes_a_hint_that_it_is_gone(platform: str) -> None:
    body = shopify_order() if platform == "shopify" else woocommerce.encode(woocommerce.order(id=5001))
    pull = Pull({}, platform)
    assert pull.take_in(delivery(body, platform)) is Result.APPLIED
    assert pull.state("5001", dry_run=True) == (OrderState.GONE, True, 0)
    assert pull.state("5001") == (OrderState.GONE, True, 1)
    assert not pull.queue[0].fetched
    assert READERS[platform](pull.queue[0]) == OrderHint("5001", "deleted")


def test_a_draft_is_no_order() -> None:
    body = woocommerce.encode(woocommerce.order(id=18, status="checkout-draft"))
    assert Pull({"18": body}, "woocommerce").state("18") == (OrderState.DRAFT, False, 0)


@pytest.mark.parametrize("platform", ["shopify", "woocommerce"])
def test_an_order_that_cannot_be_fetched_now_is_left_to_intake(platform: str) -> None:
    pull = Pull({"5001": Retry("storefront_throttled", "slow down")}, platform)
    assert pull.state("5001", dry_run=True) == (OrderState.POSTPONED, True, 0)
    assert pull.state("5001") == (OrderState.POSTPONED, True, 1)
    assert READERS[platform](pull.queue[0]) == OrderHint("5001", "thin")


def test_a_shop_that_fails_three_times_in_a_row_is_left_alone() -> None:
    down: dict[str, bytes | Exception] = {str(n): Retry("storefront_failed", "down") for n in range(1, 10)}
    pull = Pull(down | {"2": shopify_order()})
    found = list(pull.orders.pull_all(map(str, range(1, 10)), dry_run=False))
    assert pull.client.asked == ["1", "2", "3", "4", "5"]
    assert [finding.order_id for finding in found] == [str(n) for n in range(1, 10)]
    assert len(pull.queue) == 9


def test_a_refusal_of_our_credentials_is_no_matter_of_one_order() -> None:
    pull = Pull({"5001": Rejected("api_access", "no")})
    with pytest.raises(Rejected, match="api_access"):
        list(pull.orders.pull_all(["5001"], dry_run=False))


def test_it_stops_when_the_time_is_out_but_never_before_the_first() -> None:
    pull = Pull({})
    left = iter([True, False])
    found = pull.orders.pull_all(["1", "2", "3", "4"], dry_run=False, has_time=lambda: next(left))
    assert [finding.order_id for finding in found] == ["1", "2"]
    only = pull.orders.pull_all(["1", "2"], dry_run=False, has_time=lambda: False)
    assert [finding.order_id for finding in only] == ["1"]


def test_what_there_is_no_time_to_fetch_is_left_to_intake() -> None:
    pull = Pull({str(n): shopify_order() for n in range(1, 5)})
    left = iter([True, False])
    found = list(pull.orders.queue_all(["1", "2", "3", "4"], has_time=lambda: next(left)))
    assert [finding.order_id for finding in found] == ["1", "2", "3", "4"]
    assert pull.client.asked == ["1", "2"]
    assert [finding.state for finding in found[2:]] == [OrderState.POSTPONED] * 2
    assert [READERS["shopify"](each) for each in pull.queue[2:]] == [OrderHint("3", "thin"), OrderHint("4", "thin")]
