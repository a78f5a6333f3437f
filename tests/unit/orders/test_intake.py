"""Taking accounts of orders in: versions, hints, cancellations, edits, refunds. In the trade's words, on fakes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.kernel.errors import Rejected, Retry
from shared.orders.decision import Commit
from shared.orders.intake import Result, take_in
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.models import Order, RestockKind
from shared.orders.ports import Desk
from shared.orders.readings import CompleteOrder, NothingToDo, OrderHint
from shared.orders.reconsider import reconsider
from shared.orders.record import HoldReason, LineKind, OrderRecord
from tests.builders.orders import NOON, line, order, refund, shipment, version
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeOrderBook, FakeStockRoom, FakeStorefront, desk


def stocked(**units: int) -> FakeStockRoom:
    room = FakeStockRoom()
    for sku, on_hand in units.items():
        room.set_level(counted(sku, on_hand))
    return room


def sent(account: Order, at: Desk) -> Result:
    return take_in("aurora", CompleteOrder(account), at).result


def record_of(account: Order, at: Desk) -> OrderRecord:
    found = at.book.find(account.key)
    assert found is not None
    return found


def mug(room: FakeStockRoom, location: str = "main") -> tuple[int, int, int]:
    held = room.lines["MUG", location]
    return held.on_hand, held.reserved, held.available


def test_a_good_order_is_allocated_and_released() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    account = order(line("MUG", 2))
    assert sent(account, counter) is Result.APPLIED
    kept = record_of(account, counter)
    assert (kept.review, kept.fulfilment, kept.status) == (ReviewState.RELEASED, FulfilmentState.ALLOCATED, "ready")
    assert mug(room) == (5, 2, 3)
    assert kept.attention_since is None


def test_the_same_account_again_changes_nothing() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    assert sent(order(line("MUG", 2)), counter) is Result.APPLIED
    assert sent(order(line("MUG", 2)), counter) is Result.DUPLICATE
    assert mug(room) == (5, 2, 3)


def test_one_body_delivered_twice_at_once_leaves_an_order_that_can_go_on() -> None:
    """WooCommerce sends created and updated together. The slower worker keeps its account over the faster one's, and
    loses the commit: the two say the same, so nothing waits for anything newer."""
    room = stocked(MUG=0)
    counter = desk(room)
    first, second = (order(line("MUG"), version=version(observed=minute)) for minute in (0, 1))

    class Overtaken(FakeOrderBook):
        def write_account(self, account: Order) -> None:
            if account is second and self.find(account.key) is None:
                assert sent(first, counter) is Result.APPLIED
            super().write_account(account)

    book = Overtaken(room)
    counter = replace(counter, book=book)
    assert sent(second, counter) is Result.DUPLICATE
    account = book.find_account(first.key)
    assert account is not None
    assert account.version != record_of(first, counter).version, "each worker kept what it saw"
    room.set_level(counted("MUG", 1))
    looked_at = reconsider(first.key, counter)
    assert looked_at.postponed == ""
    assert record_of(first, counter).review is ReviewState.RELEASED


def test_an_older_account_is_superseded() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    sent(order(line("MUG", 1), minute=5, body="b"), counter)
    assert sent(order(line("MUG", 4), minute=1), counter) is Result.SUPERSEDED
    assert mug(room) == (5, 1, 4)


def test_an_edit_moves_the_difference() -> None:
    room = stocked(MUG=5, CAP=5)
    counter = desk(room)
    sent(order(line("MUG", 3)), counter)
    sent(order(line("MUG", 1), line("CAP", 2), minute=1, body="b"), counter)
    assert mug(room) == (5, 1, 4)
    assert room.lines["CAP", "main"].reserved == 2


def test_a_line_that_vanishes_gives_its_stock_back() -> None:
    room = stocked(MUG=5, CAP=5)
    counter = desk(room)
    sent(order(line("MUG", 3), line("CAP")), counter)
    sent(order(line("CAP"), minute=1, body="b"), counter)
    assert mug(room) == (5, 0, 5)


def test_a_cancellation_gives_everything_back() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    sent(order(line("MUG", 3)), counter)
    gone = order(line("MUG", 3), minute=1, body="b", cancelled_at=NOON)
    sent(gone, counter)
    kept = record_of(gone, counter)
    assert (kept.review, kept.cancelled_by, kept.attention_since) == (ReviewState.CANCELLED, "storefront", None)
    assert mug(room) == (5, 0, 5)


def test_a_cancellation_may_come_before_the_order() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    sent(order(line("MUG", 3), minute=1, body="b", cancelled_at=NOON), counter)
    assert sent(order(line("MUG", 3)), counter) is Result.SUPERSEDED
    assert mug(room) == (5, 0, 5)


def test_the_storefront_may_reopen_what_it_cancelled() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    sent(order(line("MUG", 3), cancelled_at=NOON), counter)
    again = order(line("MUG", 3), minute=1, body="b")
    sent(again, counter)
    assert record_of(again, counter).review is ReviewState.RELEASED
    assert mug(room) == (5, 3, 2)


def test_a_refund_before_shipping_frees_the_unit() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    sent(order(line("MUG", 3)), counter)
    sent(
        order(
            line("MUG", 3, current_quantity=2, open_quantity=2),
            minute=1,
            body="b",
            refunds=(refund("line-MUG", 1, RestockKind.CANCELLED_BEFORE_SHIPPING),),
        ),
        counter,
    )
    assert mug(room) == (5, 2, 3)


def test_shipping_takes_the_goods_off_the_shelf() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    sent(order(line("MUG", 3)), counter)
    part = order(line("MUG", 3, open_quantity=1), minute=1, body="b", fulfilments=(shipment(("line-MUG", 2)),))
    sent(part, counter)
    assert mug(room) == (3, 1, 2)
    assert record_of(part, counter).fulfilment is FulfilmentState.PARTIALLY_SHIPPED
    whole = order(line("MUG", 3, open_quantity=0), minute=2, body="c", fulfilments=(shipment(("line-MUG", 3)),))
    sent(whole, counter)
    assert mug(room) == (2, 0, 2)
    assert record_of(whole, counter).fulfilment is FulfilmentState.SHIPPED


def test_a_cancelled_shipment_puts_the_goods_back_and_reserves_them_again() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    sent(order(line("MUG", 2, open_quantity=0), fulfilments=(shipment(("line-MUG", 2)),)), counter)
    assert mug(room) == (3, 0, 3)
    undone = order(line("MUG", 2), minute=1, body="b", fulfilments=(shipment(("line-MUG", 2), status="cancelled"),))
    sent(undone, counter)
    assert mug(room) == (5, 2, 3)


def test_a_return_puts_the_goods_back() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    gone = shipment(("line-MUG", 3))
    sent(order(line("MUG", 3, open_quantity=0), fulfilments=(gone,)), counter)
    back = order(
        line("MUG", 3, current_quantity=2, open_quantity=0),
        minute=1,
        body="b",
        fulfilments=(gone,),
        refunds=(refund("line-MUG", 1, RestockKind.RETURNED),),
    )
    sent(back, counter)
    assert sent(back, counter) is Result.DUPLICATE
    assert mug(room) == (3, 0, 3)


def test_what_left_before_the_count_is_in_the_count() -> None:
    room = FakeStockRoom()
    room.set_level(counted("MUG", 5, at=NOON))
    counter = desk(room)
    shipped = shipment(("line-MUG", 3), at=NOON - timedelta(hours=1))
    sent(order(line("MUG", 3, open_quantity=0), fulfilments=(shipped,)), counter)
    assert mug(room) == (5, 0, 5)


def test_a_reserved_unit_that_left_before_the_count_only_loses_its_reservation() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    sent(order(line("MUG", 3)), counter)
    room.set_level(counted("MUG", 3, at=NOON + timedelta(hours=2)))  # two were gone when the shelf was counted
    shipped = shipment(("line-MUG", 2), at=NOON + timedelta(hours=1))
    sent(order(line("MUG", 3, open_quantity=1), minute=1, body="b", fulfilments=(shipped,)), counter)
    assert mug(room) == (3, 1, 2)


def test_a_count_before_the_commit_is_not_taken_from_for_what_it_shows_already() -> None:
    """Two left. Before that is in the book, somebody counts what is still there."""
    room = stocked(MUG=5)

    class CountedMeanwhile(FakeOrderBook):
        def commit(self, commit: Commit) -> None:
            if not self.commits:
                room.set_level(counted("MUG", 3, at=NOON + timedelta(hours=2)))
            super().commit(commit)

    shipped = shipment(("line-MUG", 2), at=NOON + timedelta(hours=1))
    counter = replace(desk(room), book=CountedMeanwhile(room))
    assert sent(order(line("MUG", 2, open_quantity=0), fulfilments=(shipped,)), counter) is Result.APPLIED
    assert mug(room) == (3, 0, 3)


def test_short_stock_is_allocated_in_part_and_held() -> None:
    room = stocked(MUG=2)
    counter = desk(room)
    account = order(line("MUG", 3))
    sent(account, counter)
    kept = record_of(account, counter)
    assert (kept.review, kept.fulfilment) == (ReviewState.HELD, FulfilmentState.BACKORDERED)
    assert [(hold.reason, hold.detail) for hold in kept.holds] == [(HoldReason.STOCK_SHORT, "units short: MUG 1")]
    assert mug(room) == (2, 2, 0)


def test_an_unknown_sku_becomes_a_placeholder_and_the_rest_goes_on() -> None:
    room = stocked(MUG=5)
    counter = desk(room)
    account = order(line("MUG", 1), line("MYSTERY", 2))
    sent(account, counter)
    kept = record_of(account, counter)
    assert kept.review is ReviewState.RELEASED
    assert [(item.sku, item.kind) for item in kept.unmapped] == [("MYSTERY", LineKind.UNMAPPED)]
    assert kept.attention_since == NOON
    assert mug(room) == (5, 1, 4)


def test_custom_lines_and_gift_cards_need_no_stock() -> None:
    counter = desk()
    account = order(
        line(None, id="custom", product_id=None, variant_id=None), line("CARD", gift_card=True, requires_shipping=False)
    )
    sent(account, counter)
    kept = record_of(account, counter)
    assert {item.kind for item in kept.lines} == {LineKind.UNTRACKED}
    assert kept.fulfilment is FulfilmentState.NOT_REQUIRED


def test_two_lines_of_one_sku_share_its_stock() -> None:
    room = stocked(MUG=3)
    counter = desk(room)
    account = order(line("MUG", 2, id="a"), line("MUG", 2, id="b"))
    sent(account, counter)
    assert mug(room) == (3, 3, 0)
    assert [item.short for item in record_of(account, counter).lines] == [0, 1]


def test_an_order_leaves_from_one_location_where_one_can_serve_it() -> None:
    room = stocked(MUG=1, CAP=1)
    room.set_level(counted("MUG", 2, "attic"))
    room.set_level(counted("CAP", 2, "attic"))
    counter = desk(room, locations=("main", "attic"))
    account = order(line("MUG", 2), line("CAP", 1))
    sent(account, counter)
    assert [item.allocated for item in record_of(account, counter).lines] == [{"attic": 2}, {"attic": 1}]


def test_more_stock_lines_than_a_transaction_takes_are_allocated_in_steps() -> None:
    skus = [f"SKU-{number:03}" for number in range(250)]
    room = stocked(**dict.fromkeys(skus, 1))
    counter = desk(room)
    account = order(*(line(sku) for sku in skus))
    outcome = take_in("aurora", CompleteOrder(account), counter)
    assert outcome.record is not None
    assert outcome.record.settled
    assert outcome.record.revision >= 3
    assert all(room.lines[sku, "main"].reserved == 1 for sku in skus)
    assert outcome.record.review is ReviewState.RELEASED


def test_a_large_order_is_cancelled_in_steps() -> None:
    skus = [f"SKU-{number:03}" for number in range(250)]
    room = stocked(**dict.fromkeys(skus, 1))
    counter = desk(room)
    sent(order(*(line(sku) for sku in skus)), counter)
    outcome = take_in("aurora", OrderHint("5001", "deleted"), counter)
    assert outcome.record is not None
    again = take_in("aurora", OrderHint("5001", "deleted"), counter)
    assert again.result is Result.DUPLICATE
    assert not any(held.reserved for held in room.lines.values())


def test_two_accounts_of_one_second_are_settled_by_asking() -> None:
    room = stocked(MUG=9)
    truth = order(line("MUG", 4), body="c", version=version(0, "c", observed=9, fetched=True))
    storefront = FakeStorefront(lambda _: truth)
    counter = desk(room, storefront=storefront)
    sent(order(line("MUG", 1)), counter)
    assert sent(order(line("MUG", 2), body="b"), counter) is Result.APPLIED
    assert storefront.asked == ["5001"]
    assert mug(room) == (9, 4, 5)
    assert sent(order(line("MUG", 1)), counter) is Result.SUPERSEDED
    assert storefront.asked == ["5001"]


def test_what_came_after_we_asked_may_have_been_said_before() -> None:
    """A hint and the account it was of at once: the hint was followed up before the account came, which says less."""
    at_first, now = (
        order(line("MUG", 4), body="c", version=version(0, "c", observed=minute, fetched=True)) for minute in (1, 9)
    )
    room = stocked(MUG=9)
    counter = desk(room, storefront=FakeStorefront(lambda _: now))
    sent(order(line("MUG", 1), version=version(0, "a", observed=2)), counter)
    assert sent(at_first, counter) is Result.APPLIED
    assert mug(room) == (9, 4, 5)


def test_whoever_loses_a_tie_leaves_no_account_beside_the_record() -> None:
    """The process ended after the account was written. Its order would wait for ever: no review, no dispatch."""
    truth = order(line("MUG", 1), version=version(0, "a", observed=9, fetched=True))
    counter = desk(stocked(MUG=9), storefront=FakeStorefront(lambda _: truth))
    sent(order(line("MUG", 1)), counter)
    other = order(line("MUG", 2), body="b", version=version(0, "b", observed=1))
    counter.book.write_account(other)
    assert sent(other, counter) is Result.SUPERSEDED
    kept = counter.book.find_account(truth.key)
    assert kept is not None
    assert kept.lines == truth.lines
    assert not reconsider(truth.key, counter).postponed


def test_of_a_tie_that_the_storefront_cannot_settle_yet_nothing_is_thrown_away() -> None:
    """It answers with what it showed before: the account that is kept would stay beside a record of another."""
    stale = order(line("MUG", 3), body="c", minute=-1, version=version(-1, "c", observed=9, fetched=True))
    counter = desk(stocked(MUG=9), storefront=FakeStorefront(lambda _: stale))
    sent(order(line("MUG", 1)), counter)
    other = order(line("MUG", 2), body="b", version=version(0, "b", observed=1))
    counter.book.write_account(other)
    with pytest.raises(Retry, match="account_ahead"):
        sent(other, counter)


@pytest.mark.parametrize("bodies", [("a", "b"), ("b", "a")])
def test_without_a_question_every_order_of_arrival_ends_the_same(bodies: tuple[str, str]) -> None:
    room = stocked(MUG=9)
    counter = desk(room)
    units = {"a": 1, "b": 2}
    for body in bodies:
        sent(order(line("MUG", units[body]), body=body), counter)
    assert mug(room) == (9, 2, 7)


def test_a_hint_is_followed_up() -> None:
    account = order(line("MUG", 1), version=version(0, "c", fetched=True))
    room = stocked(MUG=5)
    outcome = take_in("aurora", OrderHint("5001", "thin"), desk(room, storefront=FakeStorefront(lambda _: account)))
    assert outcome.result is Result.APPLIED
    assert mug(room) == (5, 1, 4)


def test_a_hint_that_cannot_be_followed_up_says_what_to_do() -> None:
    with pytest.raises(Rejected) as refused:
        take_in("aurora", OrderHint("5001", "thin"), desk())
    assert refused.value.code == "no_api_access"
    assert "API credentials" in refused.value.describe()


def test_a_hint_falls_back_on_what_it_says_itself() -> None:
    counter = desk()
    take_in("aurora", OrderHint("5001", "refund_lines_missing", partial=order()), counter)
    assert record_of(order(), counter).revision == 1


def test_an_order_that_is_gone_is_cancelled() -> None:
    room = stocked(MUG=5)
    counter = desk(room, storefront=FakeStorefront(lambda _: None))
    sent(order(line("MUG", 3)), counter)
    outcome = take_in("aurora", OrderHint("5001", "deleted"), counter)
    assert outcome.record is not None
    assert outcome.record.review is ReviewState.CANCELLED
    assert mug(room) == (5, 0, 5)


def test_an_order_that_is_gone_and_was_never_here_is_ignored() -> None:
    counter = desk(storefront=FakeStorefront(lambda _: None))
    assert take_in("aurora", OrderHint("5001", "deleted"), counter).result is Result.IGNORED


def test_a_draft_is_ignored() -> None:
    assert take_in("aurora", NothingToDo("checkout draft"), desk()).result is Result.IGNORED


def test_the_second_of_two_alike_is_held_and_stays_held() -> None:
    room = stocked(MUG=9)
    counter = desk(room)
    sent(order(), counter)
    twin = order(order_id="5002")
    sent(twin, counter)
    assert [hold.reason for hold in record_of(twin, counter).holds] == [HoldReason.POSSIBLE_DUPLICATE]
    sent(order(order_id="5002", minute=3, body="b"), counter)
    assert [hold.reason for hold in record_of(twin, counter).holds] == [HoldReason.POSSIBLE_DUPLICATE]


def test_orders_far_apart_are_no_duplicates() -> None:
    counter = desk(stocked(MUG=9))
    sent(order(), counter)
    later = order(order_id="5002", processed_at=NOON + timedelta(minutes=11))
    sent(later, counter)
    assert record_of(later, counter).review is ReviewState.RELEASED


def test_an_unknown_status_is_reported() -> None:
    outcome = take_in("aurora", CompleteOrder(order(unknown_statuses=("financial: frozen",))), desk())
    assert outcome.oddities == ("unknown status financial: frozen",)


def test_a_bundle_takes_its_components_together() -> None:
    room = stocked(MUG=10, CAP=3)
    counter = replace(desk(room), bundles=lambda: {"SET": {"MUG": 2, "CAP": 1}})
    account = order(line("SET", 2), line("MUG", 1))
    sent(account, counter)
    assert (room.lines["MUG", "main"].reserved, room.lines["CAP", "main"].reserved) == (5, 2)
    kept = record_of(account, counter)
    assert (kept.lines[0].allocated, kept.lines[0].components) == ({"main": 2}, {"MUG": 2, "CAP": 1})


def test_a_bundle_is_short_when_one_component_is() -> None:
    room = stocked(MUG=10, CAP=1)
    counter = replace(desk(room), bundles=lambda: {"SET": {"MUG": 2, "CAP": 1}})
    sent(order(line("SET", 2)), counter)
    assert record_of(order(), counter).lines[0].short == 1
    assert (room.lines["MUG", "main"].reserved, room.lines["CAP", "main"].reserved) == (2, 1)


def test_a_bundle_that_is_composed_anew_gives_back_what_it_took() -> None:
    room = stocked(MUG=10, CAP=5)
    sent(order(line("SET", 2)), replace(desk(room), bundles=lambda: {"SET": {"MUG": 2, "CAP": 1}}))
    later = desk(room)
    book = FakeOrderBook(room)
    first = replace(later, book=book, bundles=lambda: {"SET": {"MUG": 2, "CAP": 1}})
    account = order(line("SET", 1), order_id="5009")
    sent(account, first)
    composed_anew = replace(later, book=book, bundles=lambda: {"SET": {"CAP": 3}})
    before = (room.lines["MUG", "main"].reserved, room.lines["CAP", "main"].reserved)
    sent(order(line("SET", 1), order_id="5009", minute=1, body="b", cancelled_at=NOON), composed_anew)
    assert (room.lines["MUG", "main"].reserved, room.lines["CAP", "main"].reserved) == (before[0] - 2, before[1] - 1)


def test_shipping_a_bundle_takes_its_components_off_the_shelf() -> None:
    room = stocked(MUG=10, CAP=5)
    counter = replace(desk(room), bundles=lambda: {"SET": {"MUG": 2, "CAP": 1}})
    sent(order(line("SET", 2)), counter)
    gone = order(line("SET", 2, open_quantity=0), minute=1, body="b", fulfilments=(shipment(("line-SET", 2)),))
    sent(gone, counter)
    assert mug(room) == (6, 0, 6)
    assert room.lines["CAP", "main"].on_hand == 3


def test_a_review_does_not_take_the_same_account_seen_twice_for_news() -> None:
    """Two workers had one delivery; the slower kept the account as it saw it, some moments later."""
    room = stocked(MUG=1)
    counter = desk(room)
    account = order(line("MUG", 2))
    sent(account, counter)
    later = account.version.model_copy(update={"observed_at": "2026-11-23T23:59:59.000000000Z"})
    counter.book.write_account(account.model_copy(update={"version": later}))
    assert reconsider(account.key, counter).after is None
    assert record_of(account, counter).revision == 1
