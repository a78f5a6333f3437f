"""When stock is low or out, and which change made it so: pure. Units throughout."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.inventory.models import Quantity, Sku, StockLine
from shared.kernel.model import Canonical

Days = Annotated[int, Field(ge=0, le=730)]
Percent = Annotated[int, Field(ge=0, le=1000)]
ServiceLevel = Annotated[float, Field(ge=0.5, le=0.999)]
PositiveUnits = Annotated[int, Field(ge=1, le=10**9)]


class SkuPlanning(Canonical):
    """What one SKU does differently. None: as everything else."""

    lead_days: Days | None = None
    review_days: Days | None = None
    service_level: ServiceLevel | None = None
    pack_size: PositiveUnits | None = None
    minimum_order: Quantity | None = None
    hysteresis_units: Quantity | None = None
    hysteresis_percent: Percent | None = None
    compute_points: bool | None = None


class PlanningRules(Canonical):
    """When to tell people that a SKU runs low, and how much to propose."""

    lead_days: Days = 14
    """From ordering until the goods are on the shelf."""
    review_days: Days = 7
    """Between two occasions to order."""
    service_level: ServiceLevel = 0.95
    """How often the stock should outlast lead and review time: 0.95 is 19 times out of 20."""
    pack_size: PositiveUnits = 1
    """Units in the smallest package that the supplier sells."""
    minimum_order: Quantity = 0
    """Least units that the supplier takes an order for."""
    hysteresis_units: Quantity | None = None
    """Units above the reorder point at which stock is no longer low. None: `hysteresis_percent` tells."""
    hysteresis_percent: Percent = 10
    """The same as a share of the reorder point, rounded up."""
    compute_points: bool = False
    """Derive a reorder point from past demand for lines that have none of their own."""
    purchase_requests: bool = False
    """Put a purchase request on the task list when a SKU runs low."""
    skus: dict[Sku, SkuPlanning] = {}

    def of(self, sku: str) -> "PlanningRules":
        """The rules with this SKU's own in place."""
        own = self.skus.get(sku)
        if own is None:
            return self
        changes = own.model_dump(exclude_none=True)
        if "hysteresis_percent" in changes:
            changes.setdefault("hysteresis_units", None)  # a common number of units must not hide its own share
        return self.model_copy(update=changes)

    def margin(self, point: int) -> int:
        """Units above the reorder point that must be exceeded before stock counts as sufficient again."""
        if self.hysteresis_units is not None:
            return self.hysteresis_units
        return -(-point * self.hysteresis_percent // 100)


class StockState(StrEnum):
    OK = "ok"
    LOW = "low"
    OUT = "out"


class AlertKind(StrEnum):
    LOW = "low"
    OUT_OF_STOCK = "out_of_stock"
    BACK_IN_STOCK = "back_in_stock"
    """It was out or low and is better now: for sale again, or above the reorder point with its margin."""


class Crossing(Canonical):
    """One change of state of one stock line, with the figures that people are told."""

    sku: str
    location: str
    seq: int
    """Of the stock line when it crossed."""
    kind: AlertKind
    state: StockState
    at: datetime
    free: int
    """Available units less the safety buffer."""
    point: int | None
    proposed: int = 0
    """Units to order; 0 when nothing need be ordered."""
    days_of_cover: int | None = None
    """How long the free units last at the recent rate of sale; None when that rate is unknown or nil."""

    @property
    def key(self) -> str:
        """Says which notice it is, however often it is sent."""
        return f"stock/{self.location}/{self.sku}/{self.seq}"


class StockAlert(Canonical):
    """What is remembered of one stock line between two changes."""

    sku: str
    location: str
    state: StockState
    seq: int
    """The newest of the line's changes that was looked at."""
    since: datetime
    """When the state began."""
    pending: Crossing | None = None
    """A crossing that not all channels have been told of."""
    notified_at: datetime | None = None
    """When people were last told."""

    def told(self, at: datetime) -> "StockAlert":
        return self.model_copy(update={"pending": None, "notified_at": at})


def free_units(line: StockLine) -> int:
    """What may still be sold: the units available less the safety buffer. Below zero when the buffer is touched."""
    return line.available - line.safety_buffer


def state_of(free: int, point: int | None, margin: int, before: StockState) -> StockState:
    """Out at zero, low at the reorder point; sufficient again only above the point and its margin."""
    threshold = point or 0
    if free <= 0:
        return StockState.OUT
    if free <= threshold or (before is not StockState.OK and free <= threshold + margin):
        return StockState.LOW
    return StockState.OK


def observe(
    kept: StockAlert | None, line: StockLine, *, point: int | None, margin: int, at: datetime
) -> StockAlert | None:
    """What to remember after a change of the line; its `pending` says what to tell people, if anything.

    None: the change is not newer than what was looked at already. A line that is seen at its creation has not fallen
    to anything: its state is remembered (and stands in the digest), but nobody is told.
    """
    if kept is not None and line.seq <= kept.seq:
        return None
    before = kept.state if kept else StockState.OK
    free = free_units(line)
    after = state_of(free, point, margin, before)
    kind = _kind(before, after)
    if kept is not None and kind is None:
        return kept.model_copy(update={"seq": line.seq})
    created = kept is None and line.seq == 1
    pending = None
    if kind is not None and not created:
        pending = Crossing(
            sku=line.sku, location=line.location, seq=line.seq, kind=kind, state=after, at=at, free=free, point=point
        )
    return StockAlert(
        sku=line.sku,
        location=line.location,
        state=after,
        seq=line.seq,
        since=at,
        pending=pending,
        notified_at=kept.notified_at if kept else None,
    )


def _kind(before: StockState, after: StockState) -> AlertKind | None:
    if before is after:
        return None
    if after is StockState.OUT:
        return AlertKind.OUT_OF_STOCK
    if after is StockState.LOW and before is StockState.OK:
        return AlertKind.LOW
    return AlertKind.BACK_IN_STOCK
