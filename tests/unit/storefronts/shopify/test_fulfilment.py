"""Shipments told to a Shopify shop that ships from several places, holds back, refuses and loses answers."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest

from infra.fakes.shopify_admin import LOCATION, TOKEN, ShopifyAdmin
from infra.fakes.shopify_bucket import VirtualClock
from infra.fakes.shopify_faults import Fault
from infra.local.shopify_schema import SCHEMA_FILE
from infra.samples import shopify
from shared.kernel.errors import Rejected, Retry
from shared.orders.dispatch import Dispatch
from shared.orders.models import FulfilmentLine, Parcel
from shared.storefronts.shopify.fulfilment import ShopifyFulfilment
from shared.storefronts.shopify.tracking import tracking_input
from tests.contract.storefronts.fulfilment_shops import dispatch

pytestmark = pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")

Json = dict[str, Any]
Handler = Callable[[httpx.Request], httpx.Response]
OTHER_LOCATION = "62"
ORDER = str(shopify.ORDER_ID)


class Trade:
    """A shop with an order of so many units of lines 11, 12 …, and our desk there."""

    def __init__(self, *units: int) -> None:
        self.shop = ShopifyAdmin(VirtualClock())
        made = shopify.Shop()
        lines = [made.line(11 + at, quantity=number, sku=f"SKU-{at}") for at, number in enumerate(units or (2, 3))]
        self.shop.put_order(made.order(*lines))
        self.order = self.shop.order(ORDER)
        self.asked: list[Json] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(json.loads(request.content))
        return self.shop.handler(request)

    def desk(self, handler: Handler | None = None) -> ShopifyFulfilment:
        http = httpx.Client(transport=httpx.MockTransport(handler or self.handle))
        return ShopifyFulfilment("aurora", "aurora.myshopify.com", _token, http, self.shop.clock)

    def tell(self, *dispatches: Dispatch, known: Mapping[str, str] | None = None) -> Mapping[str, str]:
        return self.desk().tell_dispatched(ORDER, dispatches, known=known or {}, notify_buyer=True)

    def refused(self, *dispatches: Dispatch) -> Rejected:
        with pytest.raises(Rejected) as caught:
            self.tell(*dispatches)
        assert caught.value.code == "not_shippable"
        return caught.value

    def shipped(self) -> list[dict[str, int]]:
        return [_units(each) for each in self.order["fulfillments"] if each["status"] == "success"]

    def numbers(self) -> list[list[str]]:
        return [each["tracking_numbers"] for each in self.order["fulfillments"]]

    def mutations(self) -> list[Json]:
        return [asked for asked in self.asked if asked["query"].startswith("mutation")]

    def mails(self) -> list[tuple[str, ...]]:
        return [mail.numbers for mail in self.shop.fulfilment.mails]


def _token(*, fresh: bool = False) -> Mapping[str, str]:
    return {"access_token": TOKEN}


def _units(fulfilment: Json) -> dict[str, int]:
    return {str(line["id"]): line["quantity"] for line in fulfilment["line_items"]}


def key(number: int) -> str:
    return f"main/stock.shipment.out/{number}"


# Which fulfilment order, and from where


def test_one_consignment_from_two_locations_is_two_fulfilments_and_one_mail() -> None:
    trade = Trade(2, 3)
    trade.shop.fulfilment.route(trade.order, {LOCATION: {"11": 1}, OTHER_LOCATION: {"11": 1, "12": 3}})
    told = trade.tell(dispatch(1, {"11": 2, "12": 2}, "T1"))
    assert trade.shipped() == [{"11": 1, "12": 2}, {"11": 1}]
    assert trade.numbers() == [["T1"], ["T1"]]
    assert trade.mails() == [("T1",)]
    assert told == {key(1): ",".join(str(each["id"]) for each in trade.order["fulfillments"])}
    assert trade.tell(dispatch(1, {"11": 2, "12": 2}, "T2"), known=told) == told
    assert trade.numbers() == [["T2"], ["T2"]]
    assert trade.mails() == [("T1",)]


@pytest.mark.parametrize("tracking", [("T1",), ()])
@pytest.mark.parametrize("after", [True, False])
def test_a_consignment_that_was_cut_in_half_is_told_to_its_end(tracking: tuple[str, ...], *, after: bool) -> None:
    for cut_at in range(1, 5):
        trade = Trade(2, 3)
        trade.shop.fulfilment.route(trade.order, {LOCATION: {"11": 1}, OTHER_LOCATION: {"11": 1, "12": 3}})
        sent = dispatch(1, {"11": 2, "12": 3}, *tracking, delivered=True)
        calls = 0

        def cut(request: httpx.Request, trade: Trade = trade, cut_at: int = cut_at) -> httpx.Response:
            nonlocal calls
            calls += 1
            if calls != cut_at:
                return trade.handle(request)
            if after:
                trade.handle(request)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            trade.desk(cut).tell_dispatched(ORDER, [sent], known={}, notify_buyer=True)
        trade.tell(sent)
        assert sorted(trade.shipped(), key=len) == [{"11": 1}, {"11": 1, "12": 3}]
        assert trade.mails() == [tracking]
        assert [len(each["events"]) for each in trade.order["fulfillments"]] == [1, 1]


def test_the_parts_of_a_consignment_are_known_by_its_number_though_more_units_are_open() -> None:
    trade = Trade(4)
    trade.shop.fulfilment.route(trade.order, {"71": {"11": 2}, "72": {"11": 1}, "73": {"11": 1}})
    sent = dispatch(1, {"11": 3}, "T1")
    assert trade.tell(sent) == trade.tell(sent)
    assert trade.shipped() == [{"11": 2}, {"11": 1}]


def test_two_consignments_of_one_call_do_not_take_the_same_units() -> None:
    trade = Trade(2)
    trade.shop.fulfilment.route(trade.order, {LOCATION: {"11": 1}, OTHER_LOCATION: {"11": 1}})
    trade.tell(dispatch(1, {"11": 1}, "T1"), dispatch(2, {"11": 1}, "T2"))
    assert trade.numbers() == [["T1"], ["T2"]]


def test_a_number_that_comes_later_for_two_locations_is_one_mail() -> None:
    trade = Trade(2)
    trade.shop.fulfilment.route(trade.order, {LOCATION: {"11": 1}, OTHER_LOCATION: {"11": 1}})
    known = trade.tell(dispatch(1, {"11": 2}))
    trade.tell(dispatch(1, {"11": 2}, "T1"), known=known)
    assert trade.numbers() == [["T1"], ["T1"]]
    assert trade.mails() == [(), ("T1",)]


def test_lines_that_are_delivered_in_different_ways_go_apart() -> None:
    trade = Trade(1, 1)
    desk = trade.shop.fulfilment
    desk.route(trade.order, {LOCATION: {"11": 1}})
    picked_up = trade.order["fulfillmentOrders"]
    desk.route(trade.order, {LOCATION: {"12": 1}}, method="PICK_UP")
    trade.order["fulfillmentOrders"] += picked_up
    trade.tell(dispatch(1, {"11": 1, "12": 1}, "T1"))
    assert len(trade.shipped()) == 2
    assert trade.mails() == [("T1",)]


def test_several_fulfilment_orders_at_one_location_are_one_fulfilment() -> None:
    trade = Trade(4)
    desk = trade.shop.fulfilment
    desk.route(trade.order, {LOCATION: {"11": 1}})
    first = trade.order["fulfillmentOrders"]
    desk.route(trade.order, {LOCATION: {"11": 3}})
    trade.order["fulfillmentOrders"] += first
    trade.tell(dispatch(1, {"11": 4}, "T1"))
    (create,) = trade.mutations()
    assert len(create["variables"]["fulfillment"]["lineItemsByFulfillmentOrder"]) == 2
    assert trade.shipped() == [{"11": 4}]


def test_all_pages_of_fulfilment_orders_and_of_their_lines_are_read() -> None:
    trade = Trade(*[1] * 200)
    lines = [str(11 + at) for at in range(200)]
    many = {str(700 + at): {line: 1} for at, line in enumerate(lines[:12])}
    trade.shop.fulfilment.route(trade.order, {**many, LOCATION: dict.fromkeys(lines[12:], 1)})
    trade.tell(dispatch(1, dict.fromkeys(lines[100:], 1), "T1"), dispatch(2, {lines[11]: 1}, "T2"))
    assert [sum(each.values()) for each in trade.shipped()] == [100, 1]
    trade.asked.clear()
    assert len(trade.tell(dispatch(1, dict.fromkeys(lines[100:], 1)))) == 1
    assert trade.mutations() == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("ON_HOLD", "holds the lines back"),
        ("SCHEDULED", "scheduled"),
        ("INCOMPLETE", "gave the lines back"),
        ("CANCELLED", "fewer units"),
        ("CLOSED", "fewer units"),
    ],
)
def test_a_fulfilment_order_that_is_not_open_is_judged_before_anything_is_sent(status: str, reason: str) -> None:
    trade = Trade()
    trade.order["fulfillmentOrders"][0]["status"] = status
    error = trade.refused(dispatch(1, {"11": 1}, "T1"))
    assert reason in error.message
    assert error.hint
    assert trade.mutations() == []


def test_work_in_progress_may_be_shipped() -> None:
    trade = Trade()
    trade.order["fulfillmentOrders"][0]["status"] = "IN_PROGRESS"
    trade.tell(dispatch(1, {"11": 1}, "T1"))
    assert trade.shipped() == [{"11": 1}]


def test_a_location_that_is_gone_is_a_place_like_any() -> None:
    trade = Trade()
    (waiting,) = trade.order["fulfillmentOrders"]
    waiting["deliveryMethod"] = None
    desk = trade.desk(_without_location(trade))
    with pytest.raises(Rejected):
        desk.tell_dispatched(ORDER, [dispatch(1, {"99": 1})], known={}, notify_buyer=True)


def _without_location(trade: Trade) -> Handler:
    def handle(request: httpx.Request) -> httpx.Response:
        answer = trade.handle(request).json()
        for node in answer["data"]["order"]["fulfillmentOrders"]["nodes"]:
            node["assignedLocation"]["location"] = None
        return httpx.Response(200, json=answer)

    return handle


# What staff did


def test_what_staff_shipped_as_one_counts_for_several_consignments() -> None:
    trade = Trade(2, 3)
    trade.shop.fulfilment.ship(trade.order, {"11": 2, "12": 3})
    dispatches = dispatch(1, {"11": 2}, "T1"), dispatch(2, {"12": 3}, "T2")
    known = trade.tell(*dispatches)
    assert len(trade.order["fulfillments"]) == 1
    assert set(known.values()) == {str(trade.order["fulfillments"][0]["id"])}
    assert trade.numbers() == [["T1", "T2"]]
    trade.asked.clear()
    assert trade.tell(*dispatches, known=known) == trade.tell(*dispatches) == known
    assert trade.mutations() == []


def test_what_staff_shipped_as_one_has_arrived_when_all_of_it_has() -> None:
    trade = Trade(2, 3)
    trade.shop.fulfilment.ship(trade.order, {"11": 2, "12": 3})
    arrived, under_way = dispatch(1, {"11": 2}, "T1", delivered=True), dispatch(2, {"12": 3}, "T2")
    trade.tell(arrived, under_way)
    assert trade.order["fulfillments"][0]["events"] == []
    trade.tell(arrived, under_way.model_copy(update={"delivered": True}))
    assert len(trade.order["fulfillments"][0]["events"]) == 1


def test_what_staff_shipped_in_part_is_completed() -> None:
    trade = Trade(2)
    trade.shop.fulfilment.ship(trade.order, {"11": 1}, numbers=["T1"])
    told = trade.tell(dispatch(1, {"11": 2}, "T1"))
    assert trade.shipped() == [{"11": 1}, {"11": 1}]
    assert trade.mails() == []
    assert told[key(1)].count(",") == 1


def test_what_staff_undid_stays_undone_and_is_not_touched() -> None:
    trade = Trade()
    sent = dispatch(1, {"11": 1}, "T1")
    known = trade.tell(sent)
    trade.shop.fulfilment.undo(trade.order["fulfillments"][0])
    trade.asked.clear()
    changed = dispatch(1, {"11": 1}, "T2", delivered=True)
    assert trade.tell(changed, known=known) == known
    assert trade.mutations() == []


def test_units_that_staff_opened_again_may_be_shipped_again_by_another_consignment() -> None:
    trade = Trade()
    known = trade.tell(dispatch(1, {"11": 2}, "T1"))
    trade.shop.fulfilment.undo(trade.order["fulfillments"][0])
    trade.tell(dispatch(1, {"11": 2}, "T1"), dispatch(2, {"11": 2}, "T2"), known=known)
    assert trade.shipped() == [{"11": 2}]


def test_two_consignments_under_one_number_are_told_apart_by_their_lines() -> None:
    trade = Trade(2, 3)
    dispatches = dispatch(1, {"11": 1}, "T1"), dispatch(2, {"12": 1}, "T1")
    assert trade.tell(*dispatches) == trade.tell(*dispatches) == trade.tell(*reversed(dispatches))
    assert trade.shipped() == [{"11": 1}, {"12": 1}]


def test_a_consignment_without_a_number_takes_the_fulfilment_that_has_none() -> None:
    trade = Trade(2)
    without, numbered = dispatch(1, {"11": 1}), dispatch(2, {"11": 1}, "T2")
    trade.tell(without)
    trade.tell(numbered, without)
    assert sorted(trade.numbers()) == [[], ["T2"]]
    assert trade.mails() == [(), ("T2",)]


# Tracking


def test_tracking_is_told_as_shopify_matches_it() -> None:
    parcels = (
        Parcel(carrier="DHL ", number="T1", url=None),
        Parcel(carrier="UPS", number=" T2 ", url="https://track.example/T2"),
        Parcel(carrier="DHL", number=None, url="https://track.example/none"),
        Parcel(carrier=None, number="T3", url="javascript:alert(1)"),
        Parcel(carrier="", number="t 3", url="https://[broken"),
    )
    assert tracking_input(parcels) == {
        "company": "DHL / UPS",
        "numbers": ["T2", "T1", "t 3"],
        "urls": ["https://track.example/T2"],
    }
    assert tracking_input([Parcel(carrier="Own van", number=None, url=None)]) == {"company": "Own van"}
    assert tracking_input([]) is None


def test_a_link_that_comes_later_is_shown_and_another_name_of_the_carrier_is_no_change() -> None:
    trade = Trade()
    bare = dispatch(1, {"11": 1})
    parcel = Parcel(carrier="DHL", number="T1", url=None)
    known = trade.tell(bare.model_copy(update={"parcels": (parcel,)}))
    linked = parcel.model_copy(update={"url": "https://track.example/T1"})
    trade.tell(bare.model_copy(update={"parcels": (linked,)}), known=known)
    assert trade.order["fulfillments"][0]["tracking_urls"] == ["https://track.example/T1"]
    trade.asked.clear()
    renamed = linked.model_copy(update={"carrier": "DHL Express"})
    trade.tell(bare.model_copy(update={"parcels": (renamed,)}), known=known)
    assert trade.mutations() == []


def test_a_delivery_is_told_once_and_not_where_the_carrier_told_it() -> None:
    trade = Trade()
    sent = dispatch(1, {"11": 1}, "T1", delivered=True)
    known = trade.tell(sent)
    trade.tell(sent, known=known)
    trade.order["fulfillments"][0]["shipment_status"] = None  # events alone say it now
    trade.tell(sent, known=known)
    assert [event["status"] for event in trade.order["fulfillments"][0]["events"]] == ["DELIVERED"]


def test_what_the_shop_shows_is_read_by_its_pages_of_events() -> None:
    trade = Trade()
    known = trade.tell(dispatch(1, {"11": 1}, "T1"))
    made = trade.order["fulfillments"][0]
    made["events"] = [{"status": "IN_TRANSIT", "id": shopify.gid("FulfillmentEvent", at)} for at in range(130)]
    made["events"].append({"status": "DELIVERED", "id": shopify.gid("FulfillmentEvent", 999)})
    trade.tell(dispatch(1, {"11": 1}, "T1", delivered=True), known=known)
    assert len(made["events"]) == 131


# Completing and cancelling


def test_completing_tells_what_arrived_and_archives_the_order() -> None:
    trade = Trade(1, 1)
    known = trade.tell(dispatch(1, {"11": 1}, "T1"), dispatch(2, {"12": 1}, "T2"))
    arrived, counts_as_arrived = dispatch(1, {"11": 1}, "T1", delivered=True), dispatch(2, {"12": 1}, "T2")
    trade.desk().complete(ORDER, [arrived, counts_as_arrived], known=known)
    assert [len(each["events"]) for each in trade.order["fulfillments"]] == [1, 0]
    assert trade.order["closed_at"]


def test_a_cancellation_refunds_restocks_and_notifies_nothing() -> None:
    trade = Trade()
    trade.shop.stock("SKU-0", 5)
    trade.desk().cancel(ORDER, "Out of stock. " * 30)
    assert trade.shop.shown("SKU-0") == 5
    assert trade.mails() == []
    assert len(trade.order["cancellation"]["staffNote"]) == 255
    assert trade.order["cancellation"]["refundMethod"] == {"originalPaymentMethodsRefund": False}


def test_staff_may_cancel_between_our_looking_and_our_asking() -> None:
    trade = Trade()

    def meanwhile(request: httpx.Request) -> httpx.Response:
        if b"orderCancel" in request.content:
            trade.order["cancelled_at"] = "2026-11-23T09:00:00Z"
        return trade.handle(request)

    trade.desk(meanwhile).cancel(ORDER, "Out of stock.")
    assert trade.order["cancel_reason"] is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [("INTERNAL_ERROR", (Retry, "storefront_failed")), ("NOT_FOUND", (Rejected, "unknown_order"))],
)
def test_what_a_cancellation_is_refused_for(error: str, expected: tuple[type[Exception], str]) -> None:
    trade = Trade()
    with pytest.raises(expected[0]) as caught:
        trade.desk(answering(trade, user_errors(error, "Nobody"))).cancel(ORDER, "Out of stock.")
    assert getattr(caught.value, "code", "") == expected[1]


# What goes wrong


def answering(trade: Trade, answer: Json) -> Handler:
    """Every mutation is answered so."""

    def handle(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["query"].startswith("mutation"):
            return httpx.Response(200, json=answer)
        return trade.handle(request)

    return handle


def user_errors(code: str, message: str, *path: str) -> Json:
    return {"data": {"result": {"userErrors": [{"code": code, "message": message, "field": list(path)}]}}}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Fulfillment order has an unfulfillable status= closed.", "not open"),
        ("Invalid fulfillment order line item quantity requested.", "fewer units"),
        ("All fulfillment orders must have the same delivery method type.", "different ways"),
        ("Tracking url is invalid", "tracking number or link"),
        ("Zoë Ünal said no", "refuses"),
    ],
)
def test_a_refusal_is_told_in_plain_words_and_never_quoted(message: str, reason: str) -> None:
    trade = Trade()
    desk = trade.desk(answering(trade, user_errors("", message, "fulfillment")))
    with pytest.raises(Rejected) as caught:
        desk.tell_dispatched(ORDER, [dispatch(1, {"11": 1}, "T1")], known={}, notify_buyer=True)
    assert caught.value.code == "not_shippable"
    assert reason in caught.value.message
    assert "Zoë" not in caught.value.describe()


@pytest.mark.parametrize("fault", [Fault.TIMED_OUT_AFTER, Fault.FAILED_AFTER, Fault.TIMED_OUT_BEFORE, Fault.DROPPED])
def test_what_became_of_a_lost_mutation_is_unknown_and_told_once_in_the_end(fault: Fault) -> None:
    trade = Trade()
    sent = dispatch(1, {"11": 1}, "T1")
    trade.shop.expect(None, fault)
    with pytest.raises(Retry) as caught:
        trade.tell(sent)
    assert caught.value.code == "storefront_outcome_unknown"
    trade.tell(sent)
    assert trade.shipped() == [{"11": 1}]
    assert trade.mails() == [("T1",)]


@pytest.mark.parametrize("calls_before", [0, 1])
def test_a_throttled_call_says_so(calls_before: int) -> None:
    trade = Trade()
    trade.shop.expect(*[None] * calls_before, Fault.THROTTLED)
    with pytest.raises(Retry) as caught:
        trade.tell(dispatch(1, {"11": 1}, "T1"))
    assert caught.value.code == "storefront_throttled"
    assert trade.shipped() == []


@pytest.mark.parametrize(
    "answer",
    [{"data": {}}, {"data": {"result": None}}, {"data": {"result": {"fulfillment": None, "userErrors": []}}}],
)
def test_an_answer_that_tells_nothing_leaves_the_outcome_unknown(answer: Json) -> None:
    trade = Trade()
    with pytest.raises(Retry) as caught:
        trade.desk(answering(trade, answer)).tell_dispatched(
            ORDER, [dispatch(1, {"11": 1}, "T1")], known={}, notify_buyer=True
        )
    assert caught.value.code == "storefront_outcome_unknown"


@pytest.mark.parametrize("field", ["order", "fulfillmentCreate"])
def test_a_missing_scope_is_named_and_stops_all(field: str) -> None:
    trade = Trade()
    trade.shop.denied.add(field)
    with pytest.raises(Rejected) as caught:
        trade.tell(dispatch(1, {"11": 1}, "T1"))
    assert caught.value.code == "api_access"
    assert "write_merchant_managed_fulfillment_orders" in (caught.value.hint or "")


def test_a_part_that_is_gone_while_it_is_read_is_read_again_later() -> None:
    trade = Trade()
    trade.tell(dispatch(1, {"11": 1}, "T1"))
    number = trade.order["fulfillments"][0]["admin_graphql_api_id"]

    def vanish(request: httpx.Request) -> httpx.Response:
        if b"ShippedLines" in request.content:
            trade.shop._objects.pop(number, None)
        return trade.handle(request)

    with pytest.raises(Retry) as caught:
        trade.desk(vanish).tell_dispatched(ORDER, [dispatch(1, {"11": 1}, "T1")], known={}, notify_buyer=True)
    assert caught.value.code == "order_changed"


def test_first_of_several_refusals_is_raised_and_nothing_is_lost() -> None:
    trade = Trade()
    bad = Dispatch(key="x", lines=(FulfilmentLine(line_id="99", quantity=1),), left_at=trade.shop.clock())
    error = trade.refused(bad, dispatch(1, {"11": 9}), dispatch(2, {"12": 1}, "T2"))
    assert "line of this shipment" in error.message
    assert trade.shipped() == [{"12": 1}]


def calls(trade: Trade) -> Sequence[str]:
    return [asked["query"].split("(")[0] for asked in trade.asked]


def test_a_first_consignment_takes_two_calls_and_a_known_one_a_single_call() -> None:
    trade = Trade()
    sent = dispatch(1, {"11": 1}, "T1")
    known = trade.tell(sent)
    assert calls(trade) == ["query OrderToShip", "mutation Ship"]
    trade.asked.clear()
    trade.tell(sent, known=known)
    assert calls(trade) == ["query OrderToShip"]
