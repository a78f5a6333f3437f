"""Stock per SKU and location, and the changes that alone may move it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.kernel.model import Canonical

MOST_UNITS = 10**9
"""Shopify's own bound."""
Quantity = Annotated[int, Field(ge=0, le=MOST_UNITS)]
"""Whole units."""


Sku = Annotated[str, Field(min_length=1, max_length=200)]
LocationId = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")]
"""A stock location's short name in the settings."""


class Cause(Canonical):
    """Why something changed: kept on the item itself, so that a stream of changes is a ledger of movements."""

    kind: str
    """order, count, release, cancel, review …"""
    reference: str
    """What caused it: `aurora/5001#3` is revision 3 of that order."""
    actor: str = "system"


class Share(Canonical):
    """What one of several causes did to a stock line, when one write brought them all. Differences, in whole units."""

    reference: str
    """As in :class:`Cause`; kind and actor are those of the line's cause."""
    on_hand: int = 0
    reserved: int = 0


class StockLine(Canonical):
    """The stock of one SKU at one location, in whole units.

    `available` = `on_hand` - `reserved`; it is stored because a database condition cannot do arithmetic.
    """

    sku: str
    location: str
    on_hand: Quantity
    reserved: Quantity
    available: Quantity
    safety_buffer: Quantity = 0
    """Units that are never offered to a channel."""
    reorder_point: Quantity | None = None
    seq: int
    """Grows by one with every movement: by as many as there are shares when one write brought several."""
    counted_at: datetime | None = None
    """When `on_hand` was last set by a count. What left the shelf before is already in that number."""
    cause: Cause
    """Of the last movement."""
    shares: tuple[Share, ...] = ()
    """How the last write parts among the orders that it brought together, the last one being `cause`'s; empty where it
    was for one alone."""


class Count(Canonical):
    """Which count a stock line stood under."""

    at: datetime | None
    """None: it was never counted."""


class StockChange(Canonical):
    """A movement of one stock line, as differences."""

    sku: str
    location: str
    on_hand: int = 0
    reserved: int = 0
    under: Count | None = None
    """Of goods that left or came back: which count did not show it yet. Another one that comes between may, so that it
    refuses the change. None: whatever was counted meanwhile, the units move."""

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


class LevelRequest(Canonical):
    """What an operator says about one line. Fields that are None stay as they are."""

    sku: Sku
    location: LocationId
    on_hand: Quantity
    safety_buffer: Quantity | None = None
    reorder_point: Quantity | None = None


class CountedLevel(LevelRequest):
    """The same, with when it was counted and by whom."""

    counted_at: datetime
    cause: Cause


class Move(Canonical):
    """All that one write does to one stock line: a change for each of its causes, one after the other."""

    sku: str
    location: str
    kind: str
    actor: str
    shares: Annotated[tuple[Share, ...], Field(min_length=1)]
    under: Count | None = None
    """See :class:`StockChange`."""

    @property
    def cause(self) -> Cause:
        """Of the last share: what the line names afterwards."""
        return Cause(kind=self.kind, reference=self.shares[-1].reference, actor=self.actor)


StockView = Mapping[str, Mapping[str, StockLine]]
"""Stock lines by SKU, then by location. A SKU that is missing has no stock line anywhere: it is unknown."""


def net(changes: Iterable[StockChange]) -> tuple[StockChange, ...]:
    """Sum the changes by stock line and leave out what cancels: one update per line that really moves."""
    sums: dict[tuple[str, str], tuple[int, int, Count | None]] = {}
    for change in changes:
        on_hand, reserved, under = sums.get((change.sku, change.location), (0, 0, None))
        summed = on_hand + change.on_hand, reserved + change.reserved, under or change.under
        sums[change.sku, change.location] = summed
    return tuple(
        StockChange(sku=sku, location=location, on_hand=on_hand, reserved=reserved, under=under)
        for (sku, location), (on_hand, reserved, under) in sorted(sums.items())
        if on_hand or reserved
    )


def after(view: StockView, changes: Iterable[StockChange]) -> StockView:
    """The view once these changes are made, for a decision that follows them. Lines that are not there stay so."""
    lines = {sku: dict(at) for sku, at in view.items()}
    for change in changes:
        line = lines.get(change.sku, {}).get(change.location)
        if line is not None:
            levels = {
                "on_hand": line.on_hand + change.on_hand,
                "reserved": line.reserved + change.reserved,
                "available": line.available + change.available,
            }
            lines[change.sku][change.location] = line.model_copy(update=levels)
    return lines


def moves_of(parts: Iterable[tuple[Cause, Iterable[StockChange]]]) -> tuple[Move, ...]:
    """What each stock line goes through when these causes come to it in this order, line by line.

    Raises:
        ValueError: the causes are not of one kind and actor.
    """
    shares: dict[tuple[str, str], list[Share]] = {}
    under: dict[tuple[str, str], Count] = {}
    causes = set()
    for cause, changes in parts:
        causes.add((cause.kind, cause.actor))
        for change in changes:
            share = Share(reference=cause.reference, on_hand=change.on_hand, reserved=change.reserved)
            shares.setdefault((change.sku, change.location), []).append(share)
            if change.under is not None:
                under[change.sku, change.location] = change.under
    if len(causes) > 1:
        raise ValueError("only what has one kind of cause is written together")
    return tuple(
        Move(sku=sku, location=location, kind=kind, actor=actor, shares=tuple(given), under=under.get((sku, location)))
        for kind, actor in causes
        for (sku, location), given in sorted(shares.items())
    )
