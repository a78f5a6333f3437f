"""What every vendor's fulfilment desk promises, whatever stops it on its way."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest

from infra.local.shopify_schema import SCHEMA_FILE
from shared.kernel.errors import Rejected, Retry
from shared.orders.dispatch import Dispatch
from shared.storefronts.port import FulfilmentDesk
from tests.contract.storefronts.fulfilment_shops import FulfilmentShop, ShopifyShop, WooCommerceShop, dispatch

needs_schema = pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")
VENDORS = [pytest.param(ShopifyShop, marks=needs_schema, id="shopify"), pytest.param(WooCommerceShop, id="woocommerce")]

Vendor = Callable[[], FulfilmentShop]
Step = Callable[[FulfilmentDesk, "Told"], None]


@pytest.fixture(params=VENDORS)
def shop(request: pytest.FixtureRequest) -> FulfilmentShop:
    made: FulfilmentShop = request.param()
    return made


def tell(
    shop: FulfilmentShop, *dispatches: Dispatch, known: Mapping[str, str] | None = None, notify_buyer: bool = True
) -> Mapping[str, str]:
    return shop.desk().tell_dispatched(shop.order_id, dispatches, known=known or {}, notify_buyer=notify_buyer)


def code(caught: pytest.ExceptionInfo[Rejected]) -> str:
    return caught.value.code


# Telling of shipments


def test_consignments_are_shown_one_after_the_other_and_the_buyer_hears_of_each(shop: FulfilmentShop) -> None:
    mug, plate = shop.lines
    first, second = dispatch(1, {mug: 1, plate: 2}, "T1"), dispatch(2, {mug: 1, plate: 1}, "T2", "T3")
    known = tell(shop, first)
    assert shop.shown() == [({mug: 1, plate: 2}, ("T1",))]
    assert len(shop.mails()) == 1
    told = tell(shop, first, second, known=known)
    assert shop.shown() == [({mug: 1, plate: 2}, ("T1",)), ({mug: 1, plate: 1}, ("T2", "T3"))]
    assert len(shop.mails()) == 2
    assert told.keys() == {first.key, second.key}
    assert told[first.key] == known[first.key]
    assert all(told.values())


def test_the_buyer_is_not_told_where_the_merchant_does_not_want_it(shop: FulfilmentShop) -> None:
    tell(shop, dispatch(1, {shop.lines[0]: 2}, "T1"), notify_buyer=False)
    assert len(shop.shown()) == 1
    assert shop.mails() == []


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("tracking", [["T1"], []])
def test_the_same_call_again_changes_nothing(shop: FulfilmentShop, tracking: list[str], *, remembered: bool) -> None:
    mug, plate = shop.lines
    dispatches = dispatch(1, {mug: 1}, *tracking, delivered=True), dispatch(2, {mug: 1, plate: 3}, *tracking[:0])
    known = tell(shop, *dispatches)
    before, writes, mails = shop.state(), shop.writes, shop.mails()
    assert tell(shop, *dispatches, known=known if remembered else {}) == known
    assert (shop.state(), shop.writes, shop.mails()) == (before, writes, mails)


def test_what_was_known_before_is_told_again(shop: FulfilmentShop) -> None:
    assert tell(shop, known={"main/stock.shipment.out/7": "99"}) == {"main/stock.shipment.out/7": "99"}


def test_what_staff_entered_by_hand_is_recognised_and_its_buyer_not_told_again(shop: FulfilmentShop) -> None:
    mug, plate = shop.lines
    shop.enter_by_hand({mug: 2}, "T1")
    mails = shop.mails()
    told = tell(shop, dispatch(1, {mug: 2}, "t 1"), dispatch(2, {plate: 1}, "T2"))
    assert len(shop.shown()) == 2
    assert len(shop.mails()) == len(mails) + 1
    assert told.keys() == {"main/stock.shipment.out/1", "main/stock.shipment.out/2"}


def test_a_number_that_comes_later_is_shown_and_told_once(shop: FulfilmentShop) -> None:
    mug, _ = shop.lines
    known = tell(shop, dispatch(1, {mug: 2}))
    assert shop.shown() == [({mug: 2}, ())]
    for _ in range(2):
        assert tell(shop, dispatch(1, {mug: 2}, "T1"), known=known) == known
    assert shop.shown() == [({mug: 2}, ("T1",))]
    assert len(shop.mails()) == 2


@pytest.mark.parametrize("remembered", [True, False])
def test_a_number_that_changes_is_corrected_in_silence(shop: FulfilmentShop, *, remembered: bool) -> None:
    mug, _ = shop.lines
    known = tell(shop, dispatch(1, {mug: 2}, "T1"))
    assert tell(shop, dispatch(1, {mug: 2}, "T2"), known=known if remembered else {}) == known
    assert shop.shown() == [({mug: 2}, ("T2",))]
    assert len(shop.mails()) == 1


def test_a_number_that_is_not_told_any_more_stays(shop: FulfilmentShop) -> None:
    mug, _ = shop.lines
    known = tell(shop, dispatch(1, {mug: 2}, "T1"))
    tell(shop, dispatch(1, {mug: 2}), known=known)
    assert shop.shown() == [({mug: 2}, ("T1",))]
    assert len(shop.mails()) == 1


# What a shop does not take


def test_an_order_that_was_cancelled_at_the_shop_takes_no_shipment(shop: FulfilmentShop) -> None:
    shop.cancel_by_hand()
    with pytest.raises(Rejected) as caught:
        tell(shop, dispatch(1, {shop.lines[0]: 1}, "T1"))
    assert code(caught) == "not_shippable"
    assert (shop.shown(), shop.mails()) == ([], [])


def test_what_was_told_before_the_cancellation_is_no_fault(shop: FulfilmentShop) -> None:
    sent = dispatch(1, {shop.lines[0]: 1}, "T1")
    known = tell(shop, sent)
    shop.cancel_by_hand()
    assert tell(shop, sent, known=known) == tell(shop, sent) == known


@pytest.mark.parametrize(("line", "units"), [(0, 3), (None, 1)])
def test_units_and_lines_that_the_shop_does_not_have_are_refused_and_the_others_told(
    shop: FulfilmentShop, line: int | None, units: int
) -> None:
    mug, plate = shop.lines
    wrong = "987654321" if line is None else mug
    with pytest.raises(Rejected) as caught:
        tell(shop, dispatch(1, {wrong: units}, "T1"), dispatch(2, {plate: 1}, "T2"))
    assert code(caught) == "not_shippable"
    assert shop.shown() == [({plate: 1}, ("T2",))]


def test_more_than_was_ordered_is_refused_over_several_consignments_too(shop: FulfilmentShop) -> None:
    mug, _ = shop.lines
    first = dispatch(1, {mug: 2}, "T1")
    known = tell(shop, first)
    with pytest.raises(Rejected) as caught:
        tell(shop, first, dispatch(2, {mug: 1}, "T2"), known=known)
    assert code(caught) == "not_shippable"
    assert len(shop.mails()) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda desk: desk.tell_dispatched("987654321", (), known={}, notify_buyer=True),
        lambda desk: desk.complete("987654321", (), known={}),
        lambda desk: desk.cancel("987654321", "The buyer changed their mind."),
    ],
)
def test_an_order_that_is_not_there_is_unknown(shop: FulfilmentShop, call: Callable[[FulfilmentDesk], Any]) -> None:
    with pytest.raises(Rejected) as caught:
        call(shop.desk())
    assert code(caught) == "unknown_order"


# Completing and cancelling


def test_an_order_is_completed_once(shop: FulfilmentShop) -> None:
    mug, plate = shop.lines
    sent = dispatch(1, {mug: 2, plate: 3}, "T1")
    known = tell(shop, sent)
    arrived = sent.model_copy(update={"delivered": True})
    shop.desk().complete(shop.order_id, (arrived,), known=known)
    assert shop.completed
    before, writes = shop.state(), shop.writes
    shop.desk().complete(shop.order_id, (arrived,), known={})
    assert (shop.state(), shop.writes) == (before, writes)


def test_a_cancelled_order_is_not_completed(shop: FulfilmentShop) -> None:
    shop.cancel_by_hand()
    with pytest.raises(Rejected) as caught:
        shop.desk().complete(shop.order_id, (), known={})
    assert code(caught) == "not_shippable"
    assert shop.cancelled


def test_an_order_is_cancelled_once_and_the_buyer_is_not_told_by_us(shop: FulfilmentShop) -> None:
    shop.desk().cancel(shop.order_id, "Out of stock.")
    assert shop.cancelled
    before, writes = shop.state(), shop.writes
    shop.desk().cancel(shop.order_id, "Out of stock.")
    assert (shop.state(), shop.writes, shop.mails()) == (before, writes, [])


def test_what_was_shipped_and_completed_is_not_cancelled(shop: FulfilmentShop) -> None:
    mug, plate = shop.lines
    sent = dispatch(1, {mug: 2, plate: 3}, "T1")
    known = tell(shop, sent)
    shop.desk().complete(shop.order_id, (sent,), known=known)
    with pytest.raises(Rejected) as caught:
        shop.desk().cancel(shop.order_id, "Too late.")
    assert code(caught) == "not_shippable"
    assert not shop.cancelled


# Whatever stops it


class Killed(BaseException):
    """The function is stopped: nothing is caught, nothing is said."""


class Told:
    """What the caller remembers, if it does."""

    def __init__(self, *, remembers: bool) -> None:
        self._remembers = remembers
        self.known: Mapping[str, str] = {}

    def take(self, known: Mapping[str, str]) -> None:
        self.known = known if self._remembers else {}


class Line:
    """The way to the shop, cut at one of the calls: before it arrives, or before its answer does."""

    def __init__(self, shop: FulfilmentShop, cut_at: int, *, after: bool) -> None:
        self._shop = shop
        self._cut_at = cut_at
        self._after = after
        self.calls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self.calls != self._cut_at:
            return self._shop.handle(request)
        if self._after:
            self._shop.handle(request)
        raise Killed


def steps(shop: FulfilmentShop) -> Sequence[Step]:
    """An order's life: a first part, a second without a number, the number, the delivery, and the end of it."""
    mug, plate = shop.lines
    first = dispatch(1, {mug: 1, plate: 1}, "T1")
    second, numbered = dispatch(2, {mug: 1}), dispatch(2, {mug: 1}, "T2")
    third = dispatch(3, {plate: 2}, "T3", delivered=True)

    def telling(*dispatches: Dispatch) -> Step:
        def step(desk: FulfilmentDesk, told: Told) -> None:
            told.take(desk.tell_dispatched(shop.order_id, dispatches, known=told.known, notify_buyer=True))

        return step

    def completing(desk: FulfilmentDesk, told: Told) -> None:
        desk.complete(shop.order_id, (first, numbered, third), known=told.known)

    return [telling(first, second), telling(first, numbered), telling(first, numbered, third), completing]


def cancelling(shop: FulfilmentShop) -> Sequence[Step]:
    return [lambda desk, _told: desk.cancel(shop.order_id, "Out of stock.")]


def live(shop: FulfilmentShop, script: Sequence[Step], line: Line, *, remembers: bool) -> None:
    """Take each step until it is through, as a queue would have it: later, and with all but the shop forgotten."""
    told = Told(remembers=remembers)
    for step in script:
        for _attempt in range(4):
            try:
                step(shop.desk(line), told)
                break
            except (Killed, Retry):
                shop.clock.pause(40)
        else:
            raise AssertionError("the line is whole again, and still the step does not end")


@pytest.mark.parametrize("remembers", [True, False])
@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("script", [steps, cancelling])
@pytest.mark.parametrize("vendor", VENDORS)
def test_whichever_call_is_cut_each_consignment_is_shown_once_and_told_once(
    vendor: Vendor, script: Callable[[FulfilmentShop], Sequence[Step]], *, after: bool, remembers: bool
) -> None:
    undisturbed = vendor()
    whole = Line(undisturbed, 0, after=after)
    live(undisturbed, script(undisturbed), whole, remembers=remembers)
    assert whole.calls > 1
    for cut_at in range(1, whole.calls + 1):
        shop = vendor()
        live(shop, script(shop), Line(shop, cut_at, after=after), remembers=remembers)
        assert shop.shown() == undisturbed.shown()
        assert len(shop.mails()) == len(undisturbed.mails())
        assert (shop.completed, shop.cancelled) == (undisturbed.completed, undisturbed.cancelled)


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_answer_that_is_lost_is_said_to_be_unknown(vendor: Vendor) -> None:
    shop = vendor()
    sent = dispatch(1, {shop.lines[0]: 1}, "T1")

    def losing(request: httpx.Request) -> httpx.Response:
        writes = shop.writes
        answer = shop.handle(request)
        if shop.writes > writes:
            raise httpx.ReadTimeout("too slow", request=request)
        return answer

    with pytest.raises(Retry) as caught:
        shop.desk(losing).tell_dispatched(shop.order_id, (sent,), known={}, notify_buyer=True)
    assert caught.value.code == "storefront_outcome_unknown"
    shop.clock.pause(61)
    tell(shop, sent)
    assert (len(shop.shown()), len(shop.mails())) == (1, 1)
