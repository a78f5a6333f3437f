"""The ledger rebuilds any level at any time, and knows when it does not."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inventory.ledger import Level, Movement, audit, level_at, level_of, movement_of, movements_of
from shared.inventory.models import Cause, Share, StockChange, StockLine, after, moves_of
from shared.inventory.table import line_of_image
from tests.builders.orders import NOON


def line(seq: int, on_hand: int, reserved: int) -> StockLine:
    return StockLine(
        sku="MUG",
        location="main",
        on_hand=on_hand,
        reserved=reserved,
        available=on_hand - reserved,
        seq=seq,
        cause=Cause(kind="order", reference=f"aurora/1#{seq}"),
    )


IMAGES = [line(1, 10, 0), line(2, 10, 3), line(3, 7, 0), line(4, 12, 0)]


def ledger() -> list[Movement]:
    return [
        movement_of(old, new, NOON + timedelta(minutes=new.seq))
        for old, new in zip([None, *IMAGES], IMAGES, strict=False)
    ]


def test_movements_are_differences_with_their_cause() -> None:
    third = ledger()[2]
    assert (third.on_hand, third.reserved, third.on_hand_after, third.reserved_after) == (-3, -3, 7, 0)
    assert third.cause.reference == "aurora/1#3"


def test_any_level_at_any_time() -> None:
    assert level_of(ledger()) == Level(12, 0)
    assert level_at(ledger(), NOON + timedelta(minutes=2)) == Level(10, 3)
    assert level_at(ledger(), NOON) == Level(0, 0)


def test_an_audit_agrees_with_the_line() -> None:
    assert audit(ledger(), IMAGES[-1]).agrees


def test_an_audit_names_what_is_missing() -> None:
    found = audit([movement for movement in ledger() if movement.seq != 3], IMAGES[-1])
    assert (found.missing, found.agrees) == ((3,), False)


def test_an_audit_finds_a_wrong_sum() -> None:
    assert not audit(ledger(), line(4, 99, 0)).agrees


def grouped(seq: int, on_hand: int, reserved: int, *shares: tuple[int, int]) -> StockLine:
    last = line(seq, on_hand, reserved)
    told = [
        Share(reference=f"aurora/{number}#1", on_hand=one, reserved=two) for number, (one, two) in enumerate(shares)
    ]
    return last.model_copy(update={"shares": tuple(told), "cause": Cause(kind="order", reference=told[-1].reference)})


def test_each_order_of_a_group_is_a_movement_of_its_own() -> None:
    before, now = line(4, 10, 2), grouped(7, 9, 5, (0, 3), (-1, -1), (0, 1))
    found = movements_of(before, now, NOON)
    assert [(one.seq, one.cause.reference) for one in found] == [
        (5, "aurora/0#1"), (6, "aurora/1#1"), (7, "aurora/2#1"),
    ]  # fmt: skip
    assert [(one.on_hand, one.reserved) for one in found] == [(0, 3), (-1, -1), (0, 1)]
    assert [(one.on_hand_after, one.reserved_after) for one in found] == [(10, 5), (9, 4), (9, 5)]


def test_a_line_that_one_order_moved_is_one_movement() -> None:
    assert movements_of(line(1, 10, 0), line(2, 10, 3), NOON) == (movement_of(line(1, 10, 0), line(2, 10, 3), NOON),)


@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=6), max_size=6))
def test_the_ledger_of_groups_is_whole(sales: list[list[int]]) -> None:
    """However orders were put together, their movements tell the line's whole story, without a gap."""
    now = line(1, 1000, 0)
    ledger = list(movements_of(None, now, NOON))
    for units in sales:
        seq, reserved = now.seq + len(units), now.reserved + sum(units)
        new = grouped(seq, 1000, reserved, *((0, each) for each in units))
        new = new.model_copy(update={"shares": new.shares if len(units) > 1 else ()})
        ledger += movements_of(now, new, NOON)
        now = new
    found = audit(ledger, now)
    assert found.agrees
    assert [movement.seq for movement in ledger] == list(range(1, now.seq + 1))
    assert [movement.reserved for movement in ledger[1:]] == [each for units in sales for each in units]


def test_shares_that_an_older_version_of_the_code_left_behind_are_not_taken_for_news() -> None:
    """It changes the line and its cause, and knows nothing of shares."""
    raw = {
        "sku": {"S": "MUG"}, "location": {"S": "main"}, "on_hand": {"N": "9"}, "reserved": {"N": "3"},
        "available": {"N": "6"}, "safety_buffer": {"N": "0"}, "seq": {"N": "5"},
        "cause": {"S": '{"kind": "order", "reference": "aurora/2#1", "actor": "system"}'},
        "shares": {"S": '[["aurora/1#1", 0, 1], ["aurora/2#1", 0, 2]]'},
    }  # fmt: skip
    assert [share.reserved for share in line_of_image(raw).shares] == [1, 2]
    changed = {**raw, "cause": {"S": '{"kind": "order", "reference": "aurora/3#1", "actor": "system"}'}}
    assert line_of_image(changed).shares == ()


def test_what_comes_to_a_line_together_is_told_apart_by_its_causes() -> None:
    mug, cap = (StockChange(sku=sku, location="main", reserved=2) for sku in ("MUG", "CAP"))
    first, second = (Cause(kind="order", reference=f"aurora/{number}#1") for number in (1, 2))
    caps, mugs = moves_of([(first, [mug]), (second, [mug, cap])])
    assert (caps.sku, caps.cause, len(caps.shares)) == ("CAP", second, 1)
    assert (mugs.sku, mugs.cause) == ("MUG", second)
    assert [share.reference for share in mugs.shares] == [first.reference, second.reference]
    with pytest.raises(ValueError, match="one kind of cause"):
        moves_of([(first, [mug]), (Cause(kind="release", reference="aurora/1#2"), [mug])])
    assert moves_of([(first, [])]) == ()


def test_a_view_after_changes_leaves_the_view_before_as_it_was() -> None:
    view = {"MUG": {"main": line(1, 10, 2)}}
    later = after(view, [StockChange(sku="MUG", location="main", on_hand=-1, reserved=3)])
    found = later["MUG"]["main"]
    assert (found.on_hand, found.reserved, found.available) == (9, 5, 4)
    assert view["MUG"]["main"] == line(1, 10, 2)
    assert after(view, [StockChange(sku="CAP", location="main", reserved=1)]) == view
