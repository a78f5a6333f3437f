"""The ends of what a stock line can say, in the fake and in the tables: nothing is written that cannot be read."""

import pytest
from pynamodb.connection import Connection

from shared.inventory.models import MOST_UNITS, Cause, StockChange
from shared.inventory.ports import StockRoom
from shared.inventory.receipts import Receipt, receive
from shared.inventory.table import StockTable
from shared.kernel.errors import Conflict
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeStockRoom


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def room(request: pytest.FixtureRequest) -> StockRoom:
    if request.param == "fake":
        return FakeStockRoom()
    connection: Connection = request.getfixturevalue("connection")
    names: dict[str, str] = request.getfixturevalue("table_names")
    return StockTable(connection, names["stock"], ("main",))


def _received(room: StockRoom, units: int) -> int:
    receipt = Receipt(sku="MUG", location="main", units=units, reference="a slip of the finger")
    return receive(room, receipt, actor="ann").on_hand


def test_a_shelf_holds_no_more_than_a_line_can_say(room: StockRoom) -> None:
    room.set_level(counted("MUG", 1))
    assert _received(room, MOST_UNITS - 1) == MOST_UNITS
    with pytest.raises(Conflict, match="too_many_units"):
        _received(room, 1)
    assert room.read(["MUG"])["MUG"]["main"].on_hand == MOST_UNITS
    assert _received(room, -MOST_UNITS) == 0


def test_what_is_taken_away_is_refused_as_such(room: StockRoom) -> None:
    room.set_level(counted("MUG", MOST_UNITS))
    with pytest.raises(Conflict, match="not_on_shelf"):
        room.move(
            StockChange(sku="MUG", location="main", on_hand=-MOST_UNITS - 1), Cause(kind="receipt", reference="broken")
        )
