"""The ledger rebuilds any level at any time, and knows when it does not."""

from datetime import timedelta

from shared.inventory.ledger import Level, Movement, audit, level_at, level_of, movement_of
from shared.inventory.models import Cause, StockLine
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
