"""What operators do: release, cancel, and look again."""

import pytest

from shared.kernel.errors import Rejected
from shared.kernel.identifiers import OrderKey
from shared.orders.cancel import cancel
from shared.orders.intake import take_in
from shared.orders.lifecycle import ReviewState
from shared.orders.models import Order, PaymentState
from shared.orders.ports import Desk
from shared.orders.readings import CompleteOrder
from shared.orders.reconsider import reconsider_shop
from shared.orders.record import HoldReason, OrderRecord
from shared.orders.release import release
from tests.builders.orders import NOON, line, order
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeStockRoom, desk

KEY = OrderKey("aurora", "5001")


def _desk_with(account: Order, **units: int) -> tuple[Desk, FakeStockRoom]:
    room = FakeStockRoom()
    for sku, on_hand in units.items():
        room.set_level(counted(sku, on_hand))
    counter = desk(room)
    take_in("aurora", CompleteOrder(account), counter)
    return counter, room


def _found(counter: Desk) -> OrderRecord:
    found = counter.book.find(KEY)
    assert found is not None
    return found


def test_release_overrules_for_good() -> None:
    unpaid = order(payment=PaymentState.PENDING)
    counter, _ = _desk_with(unpaid, MUG=5)
    assert _found(counter).review is ReviewState.HELD
    released = release(KEY, counter, by="mia")
    assert (released.review, released.overridden) == (ReviewState.RELEASED, (HoldReason.PAYMENT_PENDING,))
    assert (released.cause.kind, released.cause.actor) == ("release", "mia")
    assert released.attention_since is None
    take_in("aurora", CompleteOrder(order(minute=1, body="b", payment=PaymentState.PENDING)), counter)
    assert _found(counter).review is ReviewState.RELEASED


@pytest.mark.parametrize("twice", [release, cancel])
def test_doing_it_twice_is_refused(twice: object) -> None:
    counter, _ = _desk_with(order(payment=PaymentState.PENDING), MUG=5)
    action = release if twice is release else cancel
    action(KEY, counter, by="mia")
    with pytest.raises(Rejected):
        action(KEY, counter, by="mia")


def test_an_unknown_order_is_refused_by_name() -> None:
    with pytest.raises(Rejected, match="there is no order aurora/5001"):
        release(KEY, desk(), by="mia")


def test_cancel_gives_back_and_stays() -> None:
    counter, room = _desk_with(order(line("MUG", 3)), MUG=5)
    cancelled = cancel(KEY, counter, by="mia")
    assert (cancelled.review, cancelled.cancelled_by) == (ReviewState.CANCELLED, "mia")
    assert room.lines["MUG", "main"].reserved == 0
    take_in("aurora", CompleteOrder(order(line("MUG", 3), minute=1, body="b")), counter)
    assert _found(counter).review is ReviewState.CANCELLED
    assert room.lines["MUG", "main"].reserved == 0


def test_looking_again_allocates_what_came_in() -> None:
    counter, room = _desk_with(order(line("MUG", 3)), MUG=2)
    assert _found(counter).review is ReviewState.HELD
    room.set_level(counted("MUG", 9, at=NOON))
    (looked_at,) = reconsider_shop("aurora", counter)
    assert looked_at.after is not None
    assert looked_at.after.review is ReviewState.RELEASED
    assert room.lines["MUG", "main"].reserved == 3
    assert list(reconsider_shop("aurora", counter)) == []


def test_looking_again_maps_a_sku_that_is_known_now() -> None:
    counter, room = _desk_with(order(line("NEW", 1)))
    assert _found(counter).unmapped
    room.set_level(counted("NEW", 4))
    (looked_at,) = reconsider_shop("aurora", counter)
    assert looked_at.after is not None
    assert not looked_at.after.unmapped
    assert room.lines["NEW", "main"].reserved == 1


def test_looking_again_writes_nothing_when_nothing_changed() -> None:
    counter, _ = _desk_with(order(line("MUG", 3)), MUG=2)
    before = _found(counter)
    (looked_at,) = reconsider_shop("aurora", counter)
    assert looked_at.after is None
    assert _found(counter) == before


@pytest.mark.parametrize("by", ["storefront", "ann"])
def test_nobody_releases_what_is_cancelled(by: str) -> None:
    """The review knows a step from cancelled to released, for storefronts that reopen; operators may not take it."""
    counter, room = _desk_with(order(cancelled_at=NOON if by == "storefront" else None), MUG=5)
    if by != "storefront":
        cancel(KEY, counter, by=by)
    with pytest.raises(Rejected, match="not_releasable"):
        release(KEY, counter, by="ben")
    assert _found(counter).review is ReviewState.CANCELLED
    assert room.lines["MUG", "main"].reserved == 0
