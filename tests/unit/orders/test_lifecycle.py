"""The state machines, and the invariant that no sequence of accounts breaks: Σ reserved = Σ open allocations."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.orders.effects import OrderEventKind, events_of, placeholders_of
from shared.orders.intake import take_in
from shared.orders.lifecycle import FulfilmentState, ReviewState, may_payment_move, may_review_move, status
from shared.orders.models import Order, PaymentState, RestockKind
from shared.orders.readings import CompleteOrder
from tests.builders.orders import NOON, line, order, refund, shipment
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeStockRoom, desk

SKUS = ("MUG", "CAP", "HAT")


@st.composite
def accounts(draw: st.DrawFn) -> list[Order]:
    """Accounts of two orders in any sequence: edits, shipments, returns, cancellations, stale ones."""
    result = []
    for number in range(draw(st.integers(1, 8))):
        lines, shipped, refunds = [], [], []
        for sku in draw(st.sets(st.sampled_from(SKUS), min_size=1)):
            quantity = draw(st.integers(1, 5))
            gone = draw(st.integers(0, quantity))
            back = draw(st.integers(0, gone))
            lines.append(line(sku, quantity, open_quantity=quantity - gone, current_quantity=quantity - back))
            shipped.append((f"line-{sku}", gone))
            if back:
                refunds.append(refund(f"line-{sku}", back, draw(st.sampled_from(RestockKind))))
        result.append(
            order(
                *lines,
                order_id=draw(st.sampled_from(["1", "2"])),
                minute=draw(st.integers(0, 5)),
                body="abcdef"[number % 6],
                cancelled_at=NOON if draw(st.booleans()) else None,
                fulfilments=(shipment(*shipped, at=NOON + timedelta(minutes=number)),),
                refunds=tuple(refunds),
            )
        )
    return result


@given(accounts(), st.tuples(*(st.integers(0, 6) for _ in SKUS)))
def test_reserved_is_always_what_open_lines_hold(sequence: list[Order], levels: tuple[int, ...]) -> None:
    room = FakeStockRoom()
    for sku, units in zip(SKUS, levels, strict=True):
        room.set_level(counted(sku, units))
        room.set_level(counted(sku, units, "attic"))
    counter = desk(room, locations=("main", "attic"))
    for account in sequence:
        take_in("aurora", CompleteOrder(account), counter)
        records = [found for key in ("1", "2") if (found := counter.book.find(account.key._replace(order_id=key)))]
        for (sku, location), held in room.lines.items():
            promised = sum(item.allocated.get(location, 0) for r in records for item in r.lines if item.sku == sku)
            assert held.reserved == promised
            assert 0 <= held.reserved <= held.on_hand
            assert held.available == held.on_hand - held.reserved
            left = sum(item.shipped.get(location, 0) for r in records for item in r.lines if item.sku == sku)
            opening = levels[SKUS.index(sku)]
            returned = sum(item.returned for r in records for item in r.lines if item.sku == sku)
            assert opening - left <= held.on_hand <= opening - left + returned
        for kept in records:
            assert all(sum(item.allocated.values()) <= max(item.open, 0) for item in kept.lines)


@given(accounts())
def test_every_arrival_order_ends_in_the_newest_account(sequence: list[Order]) -> None:
    counter = desk()
    for account in sequence:
        take_in("aurora", CompleteOrder(account), counter)
    for order_id in {account.order_id for account in sequence}:
        mine = [account.version for account in sequence if account.order_id == order_id]
        newest = max((v.updated_at, v.observed_at, v.body_sha256) for v in mine)
        kept = counter.book.find(sequence[0].key._replace(order_id=order_id))
        assert kept is not None
        assert (kept.version.updated_at, kept.version.observed_at, kept.version.body_sha256) == newest


def test_the_review_machine() -> None:
    assert may_review_move(ReviewState.RECEIVED, ReviewState.HELD)
    assert may_review_move(ReviewState.HELD, ReviewState.APPROVED)
    assert may_review_move(ReviewState.APPROVED, ReviewState.HELD)
    assert may_review_move(ReviewState.RELEASED, ReviewState.CANCELLED)
    assert not may_review_move(ReviewState.RELEASED, ReviewState.HELD)
    assert not may_review_move(ReviewState.HELD, ReviewState.RECEIVED)
    assert not any(may_review_move(ReviewState.CANCELLED, new) for new in (ReviewState.RECEIVED,))


def test_the_payment_machine() -> None:
    assert may_payment_move(PaymentState.PENDING, PaymentState.PAID)
    assert may_payment_move(PaymentState.DISPUTED, PaymentState.PAID)
    assert not may_payment_move(PaymentState.REFUNDED, PaymentState.PAID)


def test_one_word_for_people() -> None:
    released, allocated = ReviewState.RELEASED, FulfilmentState.ALLOCATED
    assert status(ReviewState.CANCELLED, FulfilmentState.SHIPPED, PaymentState.PAID) == "cancelled"
    assert status(released, FulfilmentState.SHIPPED, PaymentState.PAID) == "shipped"
    assert status(ReviewState.HELD, allocated, PaymentState.PAID) == "held"
    assert status(released, allocated, PaymentState.PAID) == "ready"
    assert status(released, FulfilmentState.BACKORDERED, PaymentState.PAID) == "backordered"
    assert status(released, FulfilmentState.NOT_REQUIRED, PaymentState.PAID) == "completed"


def test_events_tell_what_changed() -> None:
    room = FakeStockRoom()
    room.set_level(counted("MUG", 1))
    counter = desk(room)
    first = take_in("aurora", CompleteOrder(order(line("MUG", 2), line("X"))), counter).record
    second = take_in("aurora", CompleteOrder(order(line("MUG", 1), minute=1, body="b")), counter).record
    assert first is not None
    assert second is not None
    assert [event.kind for event in events_of(None, first)] == [
        OrderEventKind.RECEIVED,
        OrderEventKind.BACKORDERED,
        OrderEventKind.HELD,
    ]
    assert [event.id for event in events_of(first, second)] == [
        "aurora/5001#2/OrderRevised",
        "aurora/5001#2/OrderAllocated",
        "aurora/5001#2/OrderReleased",
    ]
    assert [found.sku for found in placeholders_of(None, first)] == ["X"]
    assert placeholders_of(first, first) == ()
    assert events_of(second, second) == ()
