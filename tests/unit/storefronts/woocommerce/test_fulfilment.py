"""Shipments told to a WooCommerce shop, whose notes, meta and extensions others use as well."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from infra.fakes.shopify_bucket import VirtualClock
from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.fakes.woocommerce_requests import failing, silent, throttled
from shared.kernel.errors import Rejected, Retry
from shared.orders.dispatch import Dispatch
from shared.orders.models import Parcel
from shared.storefronts.woocommerce import dispatch_record, tracking_items
from shared.storefronts.woocommerce.client import WooCommerceClient
from shared.storefronts.woocommerce.fulfilment import SETTLING, WooCommerceFulfilment
from shared.storefronts.woocommerce.mapping import read_order
from tests.contract.storefronts.fulfilment_shops import LEFT_AT, dispatch

Json = dict[str, Any]
Handler = Callable[[httpx.Request], httpx.Response]

STAFFS = {
    "tracking_provider": "dhl",
    "custom_tracking_provider": "",
    "custom_tracking_link": "",
    "tracking_number": "S1",
    "date_shipped": 1795392000,
    "tracking_id": "0cc175b9c0f1b6a831c399e269772661",
    "products_list": [{"product": 12, "qty": 1.5}],
}


class Trade:
    """A shop with an order of two mugs and three plates, and our desk there."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.shop = WooCommerceFake(self.clock)
        goods = [(self.shop.add_product("MUG", 9), 2), (self.shop.add_product("PLATE", 9), 3)]
        self.order = self.shop.shop.create_order(goods, "processing", "checkout")
        self.id = str(self.order.id)
        self.mug, self.plate = (str(line["id"]) for line in self.order.body["line_items"])

    def http(self, handler: Handler | None = None) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(handler or self.shop))

    def desk(self, handler: Handler | None = None) -> WooCommerceFulfilment:
        return WooCommerceFulfilment("borealis", "https://shop.example/", _keys, self.http(handler), self.clock)

    def tell(
        self, *dispatches: Dispatch, known: Mapping[str, str] | None = None, notify_buyer: bool = True
    ) -> Mapping[str, str]:
        return self.desk().tell_dispatched(self.id, dispatches, known=known or {}, notify_buyer=notify_buyer)

    def meta(self, key: str) -> Any:
        return next((meta["value"] for meta in self.order.body["meta_data"] if meta["key"] == key), None)

    def set_meta(self, key: str, value: Any) -> None:
        self.shop.shop.set_meta(self.order, [{"key": key, "value": value}])

    def items(self) -> Any:
        return self.meta(tracking_items.META_KEY)

    def mails(self) -> list[str]:
        return [mail.text for mail in self.shop.shop.mails]

    def calls(self) -> list[tuple[str, str]]:
        return [(each.method, each.path.removeprefix(f"/orders/{self.id}")) for each in self.shop.requests]


def _keys(*, fresh: bool = False) -> Mapping[str, str]:
    return {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}


@pytest.fixture
def trade() -> Trade:
    return Trade()


# What is written


def test_a_consignment_is_a_note_with_what_left_and_where_to_follow_it(trade: Trade) -> None:
    trade.order.body["line_items"][0]["name"] = "Blue <b>Mug</b>\n"
    told = trade.tell(dispatch(1, {trade.mug: 1, trade.plate: 3}, "T1", "T2"))
    (note,) = trade.order.notes
    goods, first, second, mark = note["note"].split("\n")
    assert goods == f"Shipped: 1 × Blue bMug/b, 3 × {trade.order.body['line_items'][1]['name']}"
    assert first == "Tracking: DHL T1 https://track.example/T1"
    assert second == "Tracking: DHL T2 https://track.example/T2"
    assert mark.startswith("Ref. ")
    assert note["customer_note"] is True
    assert told == {"main/stock.shipment.out/1": str(note["id"])}


def test_the_extension_reads_the_number_and_others_items_stay(trade: Trade) -> None:
    trade.set_meta(tracking_items.META_KEY, [STAFFS, "not an item"])
    trade.tell(dispatch(1, {trade.mug: 1}, "T1"))
    staffs, odd, ours = trade.items()
    assert staffs == STAFFS | {"products_list": [{"product": 12, "qty": "1.5"}]}
    assert odd == "not an item"
    assert ours == {
        "tracking_provider": "",
        "custom_tracking_provider": "DHL",
        "custom_tracking_link": "https://track.example/T1",
        "tracking_number": "T1",
        "date_shipped": str(int(LEFT_AT.timestamp())),
        "tracking_id": tracking_items.tracking_id("main/stock.shipment.out/1", "t1"),
    }


def test_our_own_mapping_reads_what_we_wrote(trade: Trade) -> None:
    trade.tell(dispatch(1, {trade.mug: 2, trade.plate: 3}, "T1"))
    trade.desk().complete(trade.id, (), known={})
    delivery = WooCommerceClient("borealis", "shop.example", _keys, trade.http(), trade.clock).fetch_order(trade.id)
    assert delivery is not None
    reading = read_order(delivery)
    (fulfilment,) = reading.order.fulfilments  # type: ignore[union-attr]
    assert fulfilment.parcels == (Parcel(carrier="DHL", number="T1", url="https://track.example/T1"),)


def test_a_list_that_php_made_an_object_is_read_as_a_list(trade: Trade) -> None:
    trade.set_meta(tracking_items.META_KEY, {"1": STAFFS})
    trade.tell(dispatch(1, {trade.mug: 1}, "T1"))
    assert [item["tracking_number"] for item in trade.items()] == ["S1", "T1"]


@pytest.mark.parametrize("value", ["", None, 7, [None]])
def test_meta_that_is_no_list_of_items_hinders_nobody(trade: Trade, value: Any) -> None:
    trade.order.body["meta_data"] = [{"id": 1, "key": tracking_items.META_KEY, "value": value}]
    trade.tell(dispatch(1, {trade.mug: 1}, "T1"))
    assert [item["tracking_number"] for item in trade.items() if item] == ["T1"]


def test_without_a_number_the_extensions_meta_is_not_touched(trade: Trade) -> None:
    trade.tell(dispatch(1, {trade.mug: 1}))
    assert trade.items() is None
    assert "Tracking" not in trade.mails()[0]


def test_a_changed_number_takes_the_old_ones_place_and_staff_are_told(trade: Trade) -> None:
    trade.set_meta(tracking_items.META_KEY, [STAFFS])
    known = trade.tell(dispatch(1, {trade.mug: 1}, "T1"))
    trade.tell(dispatch(1, {trade.mug: 1}, "T2"), known=known)
    assert [item["tracking_number"] for item in trade.items()] == ["S1", "T2"]
    assert [note["customer_note"] for note in trade.order.notes] == [True, False]
    assert "T2" in trade.order.notes[1]["note"]


def test_a_number_that_changes_back_and_forth_is_noted_once_each(trade: Trade) -> None:
    for number in ("T1", "T2", "T3", "T2", "T3"):
        trade.tell(dispatch(1, {trade.mug: 1}, number))
    assert len(trade.order.notes) == 3
    assert [item["tracking_number"] for item in trade.items()] == ["T3"]


def test_a_link_that_changes_is_brought_up_to_date(trade: Trade) -> None:
    sent = dispatch(1, {trade.mug: 1}, "T1")
    trade.tell(sent)
    moved = Parcel(carrier="DHL", number="T1", url="https://track.example/new/T1")
    trade.tell(sent.model_copy(update={"parcels": (moved,)}))
    assert [item["custom_tracking_link"] for item in trade.items()] == ["https://track.example/new/T1"]


def test_a_first_consignment_takes_five_calls_and_a_known_one_a_single_call(trade: Trade) -> None:
    sent = dispatch(1, {trade.mug: 1}, "T1")
    trade.tell(sent)
    assert trade.calls() == [("GET", ""), ("POST", ""), ("GET", "/notes"), ("POST", "/notes"), ("POST", "")]
    trade.shop.requests.clear()
    trade.tell(sent)
    assert trade.calls() == [("GET", "")]


def test_our_writes_come_back_as_updates(trade: Trade) -> None:
    trade.shop.webhooks.register("order.updated", "https://hooks.example/")
    trade.tell(dispatch(1, {trade.mug: 1}, "T1"))
    assert trade.shop.deliver() == 1


# What others did


def test_staff_who_take_our_item_away_are_not_contradicted(trade: Trade) -> None:
    sent = dispatch(1, {trade.mug: 1}, "T1")
    trade.tell(sent)
    trade.set_meta(tracking_items.META_KEY, [])
    trade.tell(sent)
    assert trade.items() == []


def test_a_note_that_staff_deleted_is_not_written_again(trade: Trade) -> None:
    sent = dispatch(1, {trade.mug: 1}, "T1")
    known = trade.tell(sent)
    trade.order.notes.clear()
    trade.clock.pause(600)
    assert trade.tell(sent) == known
    assert len(trade.mails()) == 1


@pytest.mark.parametrize("damage", [None, "", "{", '[{"key": 1}]', {"a": 1}])
@pytest.mark.parametrize("tracking", [("T1",), ()])
def test_a_record_that_was_lost_or_damaged_mails_nobody_again(
    trade: Trade, damage: Any, tracking: tuple[str, ...]
) -> None:
    sent = dispatch(1, {trade.mug: 1}, *tracking)
    known = trade.tell(sent)
    trade.set_meta(dispatch_record.META_KEY, damage)
    told = trade.tell(sent)
    assert told.keys() == known.keys()
    assert trade.tell(sent) == told
    assert len(trade.mails()) == 1


def test_what_is_known_needs_no_record(trade: Trade) -> None:
    sent = dispatch(1, {trade.mug: 1}, "T1")
    assert trade.tell(sent, known={sent.key: "77"}) == trade.tell(sent) == {sent.key: "77"}
    assert trade.mails() == []
    assert [item["tracking_number"] for item in trade.items()] == ["T1"]


def test_a_second_parcel_beside_one_that_staff_entered_is_added(trade: Trade) -> None:
    trade.set_meta(tracking_items.META_KEY, [STAFFS])
    told = trade.tell(dispatch(1, {trade.mug: 1}, "S 1", "T2"))
    assert told == {"main/stock.shipment.out/1": STAFFS["tracking_id"]}
    assert [item["tracking_number"] for item in trade.items()] == ["S1", "T2"]
    assert trade.mails() == []


# Answers that are lost


@pytest.mark.parametrize("trouble", [silent(after=True), failing(502, after=True), silent(after=False)])
def test_a_note_may_still_come_for_a_minute(trade: Trade, trouble: Any) -> None:
    sent = dispatch(1, {trade.mug: 1}, "T1")
    trade.shop.troubles.plan(None, None, None, trouble)
    with pytest.raises(Retry) as caught:
        trade.tell(sent)
    assert caught.value.code == "storefront_outcome_unknown"
    if not trouble.after:
        with pytest.raises(Retry) as caught:
            trade.tell(sent)
        assert caught.value.code == "storefront_outcome_unknown"
        trade.clock.pause(SETTLING.total_seconds())
    trade.tell(sent)
    assert len(trade.mails()) == 1


@pytest.mark.parametrize("calls_before", range(5))
def test_a_throttled_call_says_so_and_is_made_up_for(trade: Trade, calls_before: int) -> None:
    sent = dispatch(1, {trade.mug: 1}, "T1")
    trade.shop.troubles.plan(*[None] * calls_before, throttled())
    with pytest.raises(Retry) as caught:
        trade.tell(sent)
    assert caught.value.code == "storefront_throttled"
    trade.clock.pause(61)
    trade.tell(sent)
    assert (len(trade.mails()), len(trade.items())) == (1, 1)


def test_of_two_notes_the_second_is_written_though_the_first_was_lost(trade: Trade) -> None:
    dispatches = dispatch(1, {trade.mug: 1}, "T1"), dispatch(2, {trade.mug: 1}, "T2")
    trade.shop.troubles.plan(None, None, None, silent(after=True))
    with pytest.raises(Retry):
        trade.tell(*dispatches)
    trade.clock.pause(61)
    assert len(trade.tell(*dispatches)) == 2
    assert len(trade.mails()) == 2


# Completing and cancelling


@pytest.mark.parametrize("status", ["processing", "on-hold"])
def test_an_open_order_is_completed(trade: Trade, status: str) -> None:
    trade.order.body["status"] = status
    trade.desk().complete(trade.id, (), known={})
    assert trade.order.status == "completed"


@pytest.mark.parametrize("status", ["pending", "refunded", "cancelled", "failed", "trash", "shipped-by-hand"])
def test_no_other_is(trade: Trade, status: str) -> None:
    trade.order.body["status"] = status
    with pytest.raises(Rejected) as caught:
        trade.desk().complete(trade.id, (), known={})
    assert caught.value.code == "not_shippable"
    assert trade.order.status == status


@pytest.mark.parametrize("status", ["cancelled", "refunded", "failed", "trash", "checkout-draft"])
def test_an_order_that_is_off_takes_no_shipment(trade: Trade, status: str) -> None:
    trade.order.body["status"] = status
    with pytest.raises(Rejected) as caught:
        trade.tell(dispatch(1, {trade.mug: 1}, "T1"))
    assert caught.value.code == "not_shippable"
    assert status in caught.value.message


def test_a_cancellation_tells_staff_why_once(trade: Trade) -> None:
    trade.shop.troubles.plan(None, None, None, silent(after=False))
    with pytest.raises(Retry) as caught:
        trade.desk().cancel(trade.id, "Out of <i>stock</i>.")
    assert caught.value.code == "storefront_outcome_unknown"
    trade.desk().cancel(trade.id, "Out of <i>stock</i>.")
    (note,) = trade.order.notes
    assert note["note"].startswith("Cancelled by Storebridge: Out of istock/i.\nRef. ")
    assert note["customer_note"] is False
    assert trade.order.status == "cancelled"


def test_woocommerce_gives_the_stock_back_by_itself(trade: Trade) -> None:
    """It cannot be told not to; our next level sets the number right."""
    assert trade.shop.shown("MUG") == 7
    trade.desk().cancel(trade.id, "Out of stock.")
    assert trade.shop.shown("MUG") == 9


@pytest.mark.parametrize("status", ["cancelled", "refunded", "trash"])
def test_what_is_off_already_stays_as_it_is(trade: Trade, status: str) -> None:
    trade.order.body["status"] = status
    trade.desk().cancel(trade.id, "Out of stock.")
    assert (trade.order.status, trade.order.notes) == (status, [])


# Answers that are strange


@pytest.mark.parametrize("order_id", ["0", "12/notes", "", "abc"])
def test_what_can_be_no_orders_id_is_unknown_and_asks_nobody(trade: Trade, order_id: str) -> None:
    with pytest.raises(Rejected) as caught:
        trade.desk().cancel(order_id, "Out of stock.")
    assert caught.value.code == "unknown_order"
    assert trade.shop.requests == []


def test_an_order_that_goes_away_meanwhile_is_unknown(trade: Trade) -> None:
    def vanish(request: httpx.Request) -> httpx.Response:
        answer = trade.shop(request)
        trade.shop.shop.orders.clear()
        return answer

    with pytest.raises(Rejected) as caught:
        trade.desk(vanish).tell_dispatched(trade.id, [dispatch(1, {trade.mug: 1}, "T1")], known={}, notify_buyer=True)
    assert caught.value.code == "unknown_order"


@pytest.mark.parametrize(
    ("path", "status", "body", "code"),
    [
        ("", 401, {}, "api_access"),
        ("", 404, {"code": "rest_no_route"}, "api_error"),
        ("", 200, {"id": 1}, "invalid_payload"),
        ("/notes", 200, {"id": 1}, "api_error"),
        ("/notes", 200, [{"note": "x"}], "invalid_payload"),
    ],
)
def test_a_strange_answer_is_no_reason_to_write(trade: Trade, path: str, status: int, body: Any, code: str) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.endswith(f"{trade.id}{path}"):
            return httpx.Response(status, content=json.dumps(body))
        return trade.shop(request)

    with pytest.raises(Rejected) as caught:
        trade.desk(handle).tell_dispatched(trade.id, [dispatch(1, {trade.mug: 1}, "T1")], known={}, notify_buyer=True)
    assert caught.value.code == code
    assert trade.mails() == []


def test_our_record_carries_nothing_of_the_buyer(trade: Trade) -> None:
    trade.tell(dispatch(1, {trade.mug: 1}, "T1"))
    text = trade.meta(dispatch_record.META_KEY)
    assert text.isascii()
    billing = trade.order.body["billing"]
    assert not any(value in text for value in billing.values() if value)
