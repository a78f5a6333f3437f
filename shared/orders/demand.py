"""What an account of an order asks of the stock: the difference between its lines and what they already hold.

Everything is a running total per line (allocated, shipped, returned), so applying the same account again moves
nothing, and a newer one moves exactly the difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.inventory.allocation import Shelves, Want, allocate
from shared.inventory.bundles import Bundles, parts_of, shelf_skus
from shared.inventory.models import MOST_UNITS, Count, StockChange, StockView, net
from shared.orders.models import Fulfilment, Order, OrderLine, RestockKind
from shared.orders.record import NOT_FROM_STOCK, LineKind, LineState

MAX_STOCK_LINES = 99
"""DynamoDB takes 100 actions in a transaction; the order itself is one of them."""


@dataclass(frozen=True)
class LineDemand:
    """What one line needs now."""

    line_id: str
    sku: str | None
    kind: LineKind
    open: int
    shipped: int
    shipped_at: datetime | None
    returned: int
    returned_at: datetime | None
    dispatched: int = 0


Dispatched = Mapping[str, tuple[int, datetime | None]]
"""Units that the back office has sent, by line id, and when the last of them left where that is news."""


@dataclass(frozen=True)
class StockPlan:
    lines: tuple[LineState, ...]
    changes: tuple[StockChange, ...]
    settled: bool
    """False when lines were left for another step because one transaction is full."""


class _Shelf:
    """The stock while a plan is made: what is there, less what this plan has moved so far.

    Lines speak of the SKU that was sold; what moves are its parts, the components of a bundle or the SKU itself.
    """

    def __init__(self, stock: StockView, locations: Sequence[str], bundles: Bundles) -> None:
        self.locations = locations
        self.changes: list[StockChange] = []
        self.bundles = bundles
        self._stock = stock
        self._touched: set[tuple[str, str]] = set()

    def reserve(self, sku: str, location: str, units: int) -> None:
        """Promise units, or with a negative number take a promise back."""
        for part, each in parts_of(sku, self.bundles).items():
            self._move(part, location, reserved=units * each)

    def ship(self, sku: str, location: str, units: int, *, at: datetime | None, reserved: bool) -> None:
        """Take units off the shelf. What left before the part was last counted is missing from that count already."""
        for part, each in parts_of(sku, self.bundles).items():
            gone = 0 if self._is_in_count(part, location, at) else -units * each
            self._move(part, location, on_hand=gone, reserved=-units * each if reserved else 0)

    def put_back(self, sku: str, location: str, units: int, *, at: datetime | None) -> None:
        """Put units on the shelf, unless a later count found them there already. Of what never runs out, a line says
        as much as it can, and no more comes back to it."""
        for part, each in parts_of(sku, self.bundles).items():
            if not self._is_in_count(part, location, at):
                self._move(part, location, on_hand=min(units * each, self._space(part, location)))

    def carries(self, sku: str, location: str) -> bool:
        return all(location in self._stock.get(part, {}) for part in parts_of(sku, self.bundles))

    def free(self, sku: str, location: str) -> int:
        """Units that may still be taken."""
        return Shelves(self.available(parts_of(sku, self.bundles)), self.bundles).available(sku, location)

    def is_in_count(self, sku: str, location: str, moment: datetime | None) -> bool:
        """Whether every part was counted after `moment`: then the counts already show what happened at that time."""
        return all(self._is_in_count(part, location, moment) for part in parts_of(sku, self.bundles))

    def available(self, skus: Iterable[str]) -> dict[str, dict[str, int]]:
        """Free units of SKUs on the shelf, by location."""
        free = {sku: {place: line.available for place, line in self._stock.get(sku, {}).items()} for sku in set(skus)}
        for change in net(self.changes):
            if change.location in free.get(change.sku, {}):
                free[change.sku][change.location] += change.available
        return free

    def has_room_for_line(self, sku: str | None) -> bool:
        """Whether one more order line fits into the transaction, at the worst from every location.

        The first always may: a merchant of a hundred locations would wait for ever otherwise. What it takes of them
        is looked at shelf by shelf.
        """
        most = len(self.locations) * len(parts_of(sku or "", self.bundles))
        return not self._touched or len(self._touched) + most <= MAX_STOCK_LINES

    def has_room_for(self, sku: str, location: str) -> bool:
        new = {(part, location) for part in parts_of(sku, self.bundles)} - self._touched
        return len(self._touched) + len(new) <= MAX_STOCK_LINES

    def _space(self, part: str, location: str) -> int:
        line = self._stock.get(part, {}).get(location)
        moved = sum(change.on_hand for change in self.changes if (change.sku, change.location) == (part, location))
        return MOST_UNITS - (line.on_hand if line else 0) - moved

    def _move(self, sku: str, location: str, *, on_hand: int = 0, reserved: int = 0) -> None:
        under = Count(at=self._counted_at(sku, location)) if on_hand else None
        change = StockChange(sku=sku, location=location, on_hand=on_hand, reserved=reserved, under=under)
        self.changes.append(change)
        self._touched.add((sku, location))

    def _is_in_count(self, sku: str, location: str, moment: datetime | None) -> bool:
        counted_at = self._counted_at(sku, location)
        return bool(counted_at and moment and moment <= counted_at)

    def _counted_at(self, sku: str, location: str) -> datetime | None:
        line = self._stock.get(sku, {}).get(location)
        return line.counted_at if line else None


def demand_of(
    order: Order, stock: StockView, bundles: Bundles, dispatched: Dispatched, *, cancelled: bool
) -> tuple[LineDemand, ...]:
    """What each line of this account needs. A cancelled order needs nothing more.

    Units that the back office has sent count as shipped, whether the storefront has heard of them or not.
    """
    nothing = (0, None)
    return tuple(
        _with_dispatched(
            _line_demand(order, line, _kind(line, stock, bundles), cancelled=cancelled),
            *dispatched.get(line.id, nothing),
        )
        for line in order.lines
    )


def demand_of_cancelled(previous: Sequence[LineState]) -> tuple[LineDemand, ...]:
    """What the lines need once nothing more is to be shipped, without looking at the order again."""
    return tuple(_without_need(state) for state in previous)


def bundles_of(previous: Sequence[LineState], today: Bundles) -> Bundles:
    """Today's bundles, but each line that holds stock keeps the composition under which it took it."""
    return {**today, **{state.sku: state.components for state in previous if state.sku and state.components}}


def skus_of(order: Order | None, previous: Sequence[LineState], today: Bundles) -> frozenset[str]:
    """The SKUs whose stock a plan may look at or move."""
    ordered = {line.sku for line in order.lines if line.sku} if order else set()
    named = ordered | {state.sku for state in previous if state.sku}
    return shelf_skus(named, bundles_of(previous, today)) | shelf_skus(named, today)


def plan(
    demands: Sequence[LineDemand],
    previous: Sequence[LineState],
    stock: StockView,
    locations: Sequence[str],
    bundles: Bundles,
) -> StockPlan:
    """Work out each line's new state and the stock changes that lead there.

    First what must be booked, line by line: shipped, returned, given back. Then new units are allocated for the
    whole order at once, so that it leaves from as few locations as can be.
    """
    shelf = _Shelf(stock, locations, bundles_of(previous, bundles))
    held = {(state.line_id, state.sku): state for state in previous}
    told = {(demand.line_id, demand.sku) for demand in demands}
    vanished, wanted = _parted(demands, [_without_need(state) for key, state in held.items() if key not in told])
    lines: list[LineState] = []
    settled = True
    for demand in (*vanished, *wanted):
        state = held.get((demand.line_id, demand.sku)) or _nothing_yet(demand)
        if not shelf.has_room_for_line(demand.sku):
            lines.append(state)
            settled = False
            continue
        booked = _book(demand, state, shelf)
        if demand not in vanished or booked.shipped or booked.returned:
            lines.append(booked)
    lines, all_considered = _allocate(lines, shelf)
    return StockPlan(lines=tuple(lines), changes=net(shelf.changes), settled=settled and all_considered)


def _parted(demands: Sequence[LineDemand], vanished: Sequence[LineDemand]) -> tuple[list[LineDemand], list[LineDemand]]:
    """What is left of lines that are not told of any more, and what is wanted of those that are.

    A line that goes by another SKU now is both: what left or came back did so once, so as much of it as is booked
    under an earlier SKU stays there. (WooCommerce's order lines take the SKU that the product has today: from general
    knowledge, not checked.)
    """
    wanted = {(demand.line_id, demand.sku): demand for demand in demands}
    renamed = {demand.line_id: (demand.line_id, demand.sku) for demand in demands}
    left = []
    for gone in vanished:
        key = renamed.get(gone.line_id)
        if key is None:
            left.append(gone)
            continue
        now = wanted[key]
        shipped = min(gone.shipped, now.shipped)
        returned = max(0, now.returned - gone.returned)
        wanted[key] = replace(now, shipped=now.shipped - shipped, returned=returned)
        left.append(replace(gone, shipped=shipped))
    return left, list(wanted.values())


def _line_demand(order: Order, line: OrderLine, kind: LineKind, *, cancelled: bool) -> LineDemand:
    shipments = [shipment for shipment in order.fulfilments if shipment.counts_as_shipped]
    returns = [
        (refund.created_at, item.quantity)
        for refund in order.refunds
        for item in refund.lines
        if item.line_id == line.id and item.restock is RestockKind.RETURNED
    ]
    return LineDemand(
        line_id=line.id,
        sku=line.sku,
        kind=kind,
        open=0 if cancelled else line.open_quantity,
        shipped=sum(_units_of(shipment, line.id) for shipment in shipments),
        shipped_at=max((s.created_at for s in shipments if s.created_at and _units_of(s, line.id)), default=None),
        returned=sum(units for _, units in returns),
        returned_at=max((moment for moment, _ in returns if moment), default=None),
    )


def _with_dispatched(demand: LineDemand, units: int, left_at: datetime | None) -> LineDemand:
    unknown_to_storefront = units - demand.shipped
    if unknown_to_storefront <= 0:
        return replace(demand, dispatched=units)
    still_open = max(0, demand.open - unknown_to_storefront)
    return replace(demand, open=still_open, shipped=units, shipped_at=left_at, dispatched=units)


def _units_of(shipment: Fulfilment, line_id: str) -> int:
    return sum(item.quantity for item in shipment.lines if item.line_id == line_id)


def _kind(line: OrderLine, stock: StockView, bundles: Bundles) -> LineKind:
    if line.gift_card or line.stock_tracked is False:
        return LineKind.UNTRACKED
    if line.sku and all(part in stock for part in parts_of(line.sku, bundles)):
        return LineKind.STOCKED
    is_custom = line.sku is None and line.product_id is None
    is_service = line.stock_tracked is None and not line.requires_shipping
    return LineKind.UNTRACKED if is_custom or is_service else LineKind.UNMAPPED


def _without_need(state: LineState) -> LineDemand:
    return LineDemand(
        line_id=state.line_id,
        sku=state.sku,
        kind=state.kind,
        open=0,
        shipped=sum(state.shipped.values()),
        shipped_at=None,
        returned=state.returned,
        returned_at=None,
    )


def _nothing_yet(demand: LineDemand) -> LineState:
    return LineState(line_id=demand.line_id, sku=demand.sku, kind=demand.kind, open=demand.open)


def _book(demand: LineDemand, state: LineState, shelf: _Shelf) -> LineState:
    allocated, shipped = dict(state.allocated), dict(state.shipped)
    newly_shipped = demand.shipped - sum(shipped.values())
    if newly_shipped > 0:
        _ship(demand, newly_shipped, allocated, shipped, shelf)
    elif newly_shipped < 0:
        _take_back(demand, -newly_shipped, shipped, shelf)
    if demand.returned > state.returned:
        _restock(demand, demand.returned - state.returned, shipped, shelf)
    keep = demand.open if demand.kind is LineKind.STOCKED else 0
    _give_back(demand, sum(allocated.values()) - keep, allocated, shelf)
    return LineState(
        line_id=demand.line_id,
        sku=demand.sku,
        kind=demand.kind,
        open=demand.open,
        allocated=_without_zeros(allocated),
        shipped=_without_zeros(shipped),
        returned=max(demand.returned, state.returned),
        components=state.components,
        dispatched=max(demand.dispatched, state.dispatched),
    )


def _ship(demand: LineDemand, units: int, allocated: dict[str, int], shipped: dict[str, int], shelf: _Shelf) -> None:
    """Take shipped units from what was reserved, then from free stock; what neither has is noted as such."""
    sku = demand.sku or ""
    for location in list(allocated):
        taken = min(allocated[location], units)
        allocated[location] -= taken
        shipped[location] = shipped.get(location, 0) + taken
        shelf.ship(sku, location, taken, at=demand.shipped_at, reserved=True)
        units -= taken
    for location in shelf.locations if demand.kind is LineKind.STOCKED else ():
        taken = min(shelf.free(sku, location), units)
        if taken and not shelf.is_in_count(sku, location, demand.shipped_at):
            shipped[location] = shipped.get(location, 0) + taken
            shelf.ship(sku, location, taken, at=demand.shipped_at, reserved=False)
            units -= taken
    if units:
        shipped[NOT_FROM_STOCK] = shipped.get(NOT_FROM_STOCK, 0) + units


def _take_back(demand: LineDemand, units: int, shipped: dict[str, int], shelf: _Shelf) -> None:
    """A shipment was cancelled: its goods are on the shelf again."""
    for location in list(shipped):
        undone = min(shipped[location], units)
        shipped[location] -= undone
        units -= undone
        if undone and location != NOT_FROM_STOCK and demand.sku:
            shelf.put_back(demand.sku, location, undone, at=None)


def _restock(demand: LineDemand, units: int, shipped: dict[str, int], shelf: _Shelf) -> None:
    """Returned goods go back where they came from, or to the first location that carries the SKU."""
    for location in (*(place for place in shipped if place != NOT_FROM_STOCK), *shelf.locations):
        if demand.sku and shelf.carries(demand.sku, location):
            shelf.put_back(demand.sku, location, units, at=demand.returned_at)
            return


def _give_back(demand: LineDemand, surplus: int, allocated: dict[str, int], shelf: _Shelf) -> None:
    for location in reversed(list(allocated)):
        freed = min(allocated[location], max(0, surplus))
        if freed and demand.sku:
            allocated[location] -= freed
            surplus -= freed
            shelf.reserve(demand.sku, location, -freed)


def _allocate(lines: list[LineState], shelf: _Shelf) -> tuple[list[LineState], bool]:
    wants = [Want(line.sku or "", line.short) for line in lines]
    on_shelf = shelf.available(shelf_skus((want.sku for want in wants if want.units), shelf.bundles))
    complete = True
    result = []
    for line, given in zip(lines, allocate(wants, on_shelf, shelf.locations, shelf.bundles), strict=True):
        allocated = dict(line.allocated)
        for location, units in given.items():
            if line.sku and shelf.has_room_for(line.sku, location):
                shelf.reserve(line.sku, location, units)
                allocated[location] = allocated.get(location, 0) + units
            else:
                complete = False
        # What it holds, and what it took: units that come back are the same that left.
        is_taken = allocated or any(place != NOT_FROM_STOCK for place in line.shipped)
        components = shelf.bundles.get(line.sku or "") if is_taken else None
        result.append(line.model_copy(update={"allocated": allocated, "components": components}))
    return result, complete


def _without_zeros(units: dict[str, int]) -> dict[str, int]:
    return {location: count for location, count in units.items() if count}
