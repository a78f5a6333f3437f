"""The ledger of movements: every change of a stock line, in its sequence, with its cause. Pure.

A stock line names the cause of its last change and counts its changes; the stream of the table tells them all. So the
ledger is complete, and any level at any time can be built from it again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.inventory.models import Cause, Quantity, StockLine
from shared.kernel.model import Canonical


class Movement(Canonical):
    """One change of one stock line. `on_hand` and `reserved` are differences."""

    sku: str
    location: str
    seq: int
    on_hand: int
    reserved: int
    on_hand_after: Quantity
    reserved_after: Quantity
    cause: Cause
    at: datetime
    """When the change was committed, to the second."""


@dataclass(frozen=True)
class Level:
    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


@dataclass(frozen=True)
class Audit:
    """Whether the movements of one line tell its whole story."""

    level: Level
    """What the movements add up to."""
    missing: tuple[int, ...]
    """Sequence numbers that the ledger does not hold (yet)."""
    agrees: bool
    """Nothing is missing, and the sum is what the stock line says."""


def movement_of(old: StockLine | None, new: StockLine, at: datetime) -> Movement:
    """The movement between two images of a line; the first one opens it from zero."""
    return Movement(
        sku=new.sku,
        location=new.location,
        seq=new.seq,
        on_hand=new.on_hand - (old.on_hand if old else 0),
        reserved=new.reserved - (old.reserved if old else 0),
        on_hand_after=new.on_hand,
        reserved_after=new.reserved,
        cause=new.cause,
        at=at,
    )


def level_of(movements: Iterable[Movement]) -> Level:
    """What movements add up to, from zero."""
    on_hand = reserved = 0
    for movement in movements:
        on_hand += movement.on_hand
        reserved += movement.reserved
    return Level(on_hand, reserved)


def level_at(movements: Iterable[Movement], moment: datetime) -> Level:
    """The level as it was right after `moment`."""
    return level_of(movement for movement in movements if movement.at <= moment)


def audit(movements: Sequence[Movement], line: StockLine) -> Audit:
    """Hold a line's movements against the line itself."""
    known = {movement.seq for movement in movements}
    missing = tuple(seq for seq in range(1, line.seq + 1) if seq not in known)
    level = level_of(movement for movement in movements if movement.seq <= line.seq)
    return Audit(level, missing, not missing and level == Level(line.on_hand, line.reserved))
