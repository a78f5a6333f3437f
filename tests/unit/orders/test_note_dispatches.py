"""The warehouse sends goods: our stock and our record follow, whatever the storefront says and when."""

from datetime import timedelta
from typing import Any

import pytest

from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import OrderKey
from shared.orders.dispatch import Dispatch, digest
from shared.orders.intake import take_in
from shared.orders.lifecycle import FulfilmentState
from shared.orders.models import FulfilmentLine, Order, Parcel
from shared.orders.note_dispatches import note_dispatches
from shared.orders.ports import Desk
from shared.orders.readings import CompleteOrder
from tests.builders.orders import NOON, line, order, shipment
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeOrderBook, FakeStockRoom, desk

KEY = OrderKey("aurora", "5001")


def sent(units: int, key: str = "erp/1", **overrides: Any) -> Dispatch:
    fields = {"key": key, "lines": (FulfilmentLine(line_id="line-MUG", quantity=units),), "left_at": NOON, **overrides}
    return Dispatch(**fields)


def counter(units: int = 9) -> tuple[FakeStockRoom, Desk]:
    room = FakeStockRoom()
    room.set_level(counted("MUG", units, at=NOON - timedelta(hours=1)))
    at = desk(room)
    take(order(line("MUG", 3)), at)
    return room, at


def take(account: Order, at: Desk) -> None:
    take_in("aurora", CompleteOrder(account), at)


def level(room: FakeStockRoom) -> tuple[int, int]:
    held = room.lines["MUG", "main"]
    return held.on_hand, held.reserved


def test_goods_leave_the_shelf_once() -> None:
    room, at = counter()
    record = note_dispatches(KEY, [sent(2)], at)
    assert record.fulfilment is FulfilmentState.PARTIALLY_SHIPPED
    assert level(room) == (7, 1)
    assert isinstance(at.book, FakeOrderBook)
    commits = at.book.commits
    note_dispatches(KEY, [sent(2)], at)
    assert (level(room), at.book.commits) == ((7, 1), commits)


def test_the_storefront_hears_of_it_later_and_nothing_moves_twice() -> None:
    room, at = counter()
    note_dispatches(KEY, [sent(2)], at)
    take(order(line("MUG", 3), minute=1, body="b"), at)
    assert level(room) == (7, 1)
    take(order(line("MUG", 3, open_quantity=1), minute=2, body="c", fulfilments=(shipment(("line-MUG", 2)),)), at)
    assert level(room) == (7, 1)
    note_dispatches(KEY, [sent(2), sent(1, "erp/2")], at)
    assert level(room) == (6, 0)
    take(order(line("MUG", 3, open_quantity=0), minute=3, body="d", fulfilments=(shipment(("line-MUG", 3)),)), at)
    assert level(room) == (6, 0)


def test_what_left_before_the_count_is_in_the_count() -> None:
    room, at = counter()
    room.set_level(counted("MUG", 7, at=NOON + timedelta(hours=1)))
    note_dispatches(KEY, [sent(2)], at)
    assert level(room) == (7, 1)


def test_new_tracking_is_a_new_revision_and_delivery_the_last() -> None:
    _, at = counter()
    first = note_dispatches(KEY, [sent(3)], at)
    tracked = sent(3, parcels=(Parcel(carrier=None, number="1Z", url=None),))
    second = note_dispatches(KEY, [tracked], at)
    assert second.revision == first.revision + 1
    assert second.dispatches == digest([tracked])
    last = note_dispatches(KEY, [tracked.model_copy(update={"delivered": True})], at)
    assert last.fulfilment is FulfilmentState.DELIVERED


def test_an_order_cancelled_meanwhile_has_shipped_all_the_same() -> None:
    room, at = counter()
    take(order(line("MUG", 3), minute=1, body="b", cancelled_at=NOON), at)
    assert level(room) == (9, 0)
    record = note_dispatches(KEY, [sent(3)], at)
    assert record.fulfilment is FulfilmentState.SHIPPED
    assert level(room) == (6, 0)


def test_it_waits_for_an_account_that_is_on_its_way() -> None:
    _, at = counter()
    at.book.write_account(order(line("MUG", 3), minute=5, body="e"))
    with pytest.raises(Retry):
        note_dispatches(KEY, [sent(1)], at)


def test_an_unknown_order_is_refused() -> None:
    _, at = counter()
    with pytest.raises(Rejected):
        note_dispatches(OrderKey("aurora", "1"), [sent(1)], at)
