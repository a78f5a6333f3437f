"""The ledger of movements: every change of a stock line, in its sequence, with its cause. Pure.

A stock line names the cause of its last change and counts its movements; the stream of the table tells them all. So the
ledger is complete, and any level at any time can be built from it again. One write may bring several orders: then the
line tells the share of each, and each is a movement of its own.
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


def movements_of(old: StockLine | None, new: StockLine, at: datetime) -> tuple[Movement, ...]:
    """The movements between two images of a line: one, or one for each order that a single write brought together."""
    if len(new.shares) <= 1:
        return (movement_of(old, new, at),)
    on_hand = new.on_hand - sum(share.on_hand for share in new.shares)
    reserved = new.reserved - sum(share.reserved for share in new.shares)
    movements = []
    for seq, share in enumerate(new.shares, start=new.seq - len(new.shares) + 1):
        on_hand, reserved = on_hand + share.on_hand, reserved + share.reserved
        movements.append(
            Movement(
                sku=new.sku,
                location=new.location,
                seq=seq,
                on_hand=share.on_hand,
                reserved=share.reserved,
                on_hand_after=on_hand,
                reserved_after=reserved,
                cause=new.cause.model_copy(update={"reference": share.reference}),
                at=at,
            )
        )
    return tuple(movements)


def movement_of(old: StockLine | None, new: StockLine, at: datetime) -> Movement:
    """The whole difference between two images of a line as one movement; the first one opens it from zero."""
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
