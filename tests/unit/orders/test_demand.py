"""What an account asks of the stock, where the trade is odd: SKUs that change, bundles that change, many locations."""

from dataclasses import replace

import pytest

from shared.inventory.models import MOST_UNITS, Cause
from shared.kernel.identifiers import OrderKey
from shared.orders.dispatch import Dispatch
from shared.orders.intake import take_in
from shared.orders.models import FulfilmentLine, Order, RestockKind
from shared.orders.note_dispatches import note_dispatches
from shared.orders.ports import Desk
from shared.orders.readings import CompleteOrder
from shared.orders.reconsider import reconsider
from shared.orders.record import LineKind, OrderRecord
from tests.builders.orders import NOON, line, order, refund, shipment
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeStockRoom, desk

KEY = OrderKey("aurora", "5001")


def _told(counter: Desk, account: Order) -> OrderRecord:
    take_in("aurora", CompleteOrder(account), counter)
    found = counter.book.find(KEY)
    assert found is not None
    return found


def _on_hand(room: FakeStockRoom) -> dict[str, int]:
    return {sku: held.on_hand for (sku, _), held in sorted(room.lines.items())}


def test_what_left_under_an_earlier_sku_leaves_once() -> None:
    room = FakeStockRoom()
    room.set_level(counted("CUP", 5))
    room.set_level(counted("MUG", 5))
    counter = desk(room)
    sent = (shipment(("1", 2)),)
    _told(counter, order(line("CUP", 2, id="1", open_quantity=0), fulfilments=sent))
    assert _on_hand(room) == {"CUP": 3, "MUG": 5}
    renamed = line("MUG", 3, id="1", open_quantity=1)
    record = _told(counter, order(renamed, minute=1, body="b", fulfilments=sent))
    assert _on_hand(room) == {"CUP": 3, "MUG": 5}
    assert {(held.sku, sum(held.shipped.values()), held.open) for held in record.lines} == {
        ("CUP", 2, 0),
        ("MUG", 0, 1),
    }
    more = (shipment(("1", 3)),)
    record = _told(counter, order(line("MUG", 3, id="1", open_quantity=0), minute=2, body="c", fulfilments=more))
    assert _on_hand(room) == {"CUP": 3, "MUG": 4}
    back = (refund("1", 1, RestockKind.RETURNED),)
    record = _told(
        counter, order(line("CUP", 3, id="1", open_quantity=0), minute=3, body="d", fulfilments=more, refunds=back)
    )
    assert sum(_on_hand(room).values()) == 8
    assert sum(sum(held.shipped.values()) for held in record.lines) == 3


def test_what_the_back_office_sent_leaves_once_too() -> None:
    room = FakeStockRoom()
    room.set_level(counted("CUP", 1))
    room.set_level(counted("MUG", 1))
    counter = desk(room)
    _told(counter, order(line("CUP", 1, id="1")))
    note_dispatches(
        KEY, [Dispatch(key="erp/1", lines=(FulfilmentLine(line_id="1", quantity=1),), left_at=NOON)], counter
    )
    record = _told(counter, order(line("MUG", 1, id="1"), minute=1, body="b"))
    assert _on_hand(room) == {"CUP": 0, "MUG": 1}
    assert not any(held.open for held in record.lines)


@pytest.mark.parametrize("later", [{}, {"MUG": 5}])
def test_a_bundle_that_was_sent_at_once_comes_back_as_what_it_was(later: dict[str, int]) -> None:
    """It was never allocated, so nothing but what left says of what it was made."""
    room = FakeStockRoom()
    room.set_level(counted("MUG", 5))
    room.set_level(counted("CAP", 5))
    bundles = {"SET": {"MUG": 2, "CAP": 1}}
    counter = replace(desk(room), bundles=lambda: bundles)
    sent = line("SET", 1, id="1", open_quantity=0)
    _told(counter, order(sent, fulfilments=(shipment(("1", 1)),)))
    assert _on_hand(room) == {"CAP": 4, "MUG": 3}
    bundles = {"SET": later} if later else {}
    _told(counter, order(line("SET", 1, id="1", open_quantity=0), minute=1, body="b"))
    assert _on_hand(room) == {"CAP": 5, "MUG": 5}


def test_a_hundred_and_one_locations_come_to_an_end() -> None:
    """No line would ever fit into a transaction with a stock line for each location."""
    room = FakeStockRoom()
    locations = tuple(f"store-{number}" for number in range(101))
    for location in locations:
        room.set_level(counted("MUG", 1, location))
        room.set_level(counted("CAP", 1, location))
    counter = desk(room, locations=locations)
    record = _told(counter, order(line("MUG", 101, id="1"), line("CAP", 101, id="2")))
    assert record.settled
    assert record.revision < 10
    assert not any(held.short for held in record.lines)
    assert room.lines["CAP", "store-100"].cause == Cause(kind="order", reference=record.cause.reference)


def test_a_return_comes_to_its_end_where_the_shelf_is_full() -> None:
    """Of what never runs out, the line says all that it can; a refused transaction would be tried again for ever."""
    room = FakeStockRoom()
    room.set_level(counted("MUG", 2))
    counter = desk(room)
    sent = (shipment(("1", 1)),)
    _told(counter, order(line("MUG", 1, id="1", open_quantity=0), fulfilments=sent))
    room.set_level(counted("MUG", MOST_UNITS))
    back = (refund("1", 1, RestockKind.RETURNED),)
    record = _told(
        counter, order(line("MUG", 1, id="1", open_quantity=0), minute=1, body="b", refunds=back, fulfilments=sent)
    )
    assert record.lines[0].returned == 1
    assert _on_hand(room) == {"MUG": MOST_UNITS}


def test_an_order_keeps_what_it_holds_of_a_bundle_that_is_no_more() -> None:
    room = FakeStockRoom()
    room.set_level(counted("MUG", 2))
    room.set_level(counted("CAP", 1))
    bundles = {"SET": {"MUG": 2, "CAP": 1}}
    counter = replace(desk(room), bundles=lambda: bundles)
    _told(counter, order(line("SET", 1, id="1")))
    bundles = {}
    assert reconsider(KEY, counter).after is None
    record = _told(counter, order(line("SET", 2, id="1"), minute=1, body="b"))
    (held,) = record.lines
    assert (held.allocated, held.short, held.kind) == ({"main": 1}, 1, LineKind.STOCKED)


def test_an_order_that_holds_nothing_is_bound_to_no_bundle_of_old() -> None:
    room = FakeStockRoom()
    room.set_level(counted("MUG", 2))
    room.set_level(counted("CAP", 1))
    bundles = {"SET": {"MUG": 2, "CAP": 1}}
    counter = replace(desk(room), bundles=lambda: bundles)
    _told(counter, order(line("SET", 1, id="1")))
    _told(counter, order(line("SET", 0, id="1"), minute=1, body="b"))
    bundles = {"SET": {"MUG": 1}}
    record = _told(counter, order(line("SET", 2, id="1"), minute=2, body="c"))
    assert (record.lines[0].allocated, record.lines[0].components) == ({"main": 2}, {"MUG": 1})
