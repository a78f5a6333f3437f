"""A shop's stock as if it were written to: the same use cases run over it, and nothing changes.

A dry run that asked other questions than the real run could promise what then does not happen. So it is the real one,
over a channel that reads truly and only pretends to write.
"""

import dataclasses
from collections.abc import Iterable, Sequence

from shared.inventory.channels import CataloguePage, ChannelItem, LevelWrite, StockChannel, WriteOutcome, WriteStatus
from shared.sync.levels.bindings import Binding, Bindings, UnfinishedCall
from shared.sync.levels.push import ChannelDesk, LevelChange, PushReport, push, seen
from shared.sync.levels.sweep import Drift, DriftLog


def rehearsed(desk: ChannelDesk) -> ChannelDesk:
    """The same desk, whose writes and notes stay in this process."""
    return dataclasses.replace(
        desk, channel=RehearsedChannel(desk.channel), bindings=RehearsedBindings(desk.bindings, desk.shop)
    )


class RehearsedChannel:
    """Reads from a channel, and remembers what it was told to write."""

    def __init__(self, channel: StockChannel) -> None:
        self._channel = channel
        self._written: dict[tuple[str, str | None], int] = {}
        self.most_writes = channel.most_writes

    def write(self, writes: Sequence[LevelWrite], *, key: str) -> Sequence[WriteOutcome]:  # noqa: ARG002 - the port's
        found = {_place(item): item for item in self.read([write.item for write in writes])}
        return [self._write(write, found.get(_place(write.item))) for write in writes]

    def read(self, items: Sequence[ChannelItem]) -> Sequence[ChannelItem]:
        return [self._as_written(item) for item in self._channel.read(items)]

    def catalogue(self, cursor: str | None) -> CataloguePage:
        page = self._channel.catalogue(cursor)
        return page.model_copy(update={"items": tuple(map(self._as_written, page.items))})

    def _write(self, write: LevelWrite, found: ChannelItem | None) -> WriteOutcome:
        status, reason = _foreseen(write, found)
        if status is WriteStatus.APPLIED:
            self._written[_place(write.item)] = write.quantity
        return WriteOutcome(sku=write.item.sku, item_id=write.item.item_id, status=status, reason=reason)

    def _as_written(self, item: ChannelItem) -> ChannelItem:
        return item.model_copy(update={"shown": self._written.get(_place(item), item.shown)})


def _foreseen(write: LevelWrite, found: ChannelItem | None) -> tuple[WriteStatus, str]:
    if found is None:
        return WriteStatus.REFUSED, "gone"
    if found.shown is None:
        return WriteStatus.REFUSED, "not_counted"
    stale = write.expected is not None and found.shown not in (write.expected, write.quantity)
    return (WriteStatus.STALE if stale else WriteStatus.APPLIED), ""


def _place(item: ChannelItem) -> tuple[str, str | None]:
    return item.item_id, item.location_id


class RehearsedBindings:
    """What is kept of one shop, with changes that nobody else sees."""

    def __init__(self, bindings: Bindings, shop: str) -> None:
        self._bindings = bindings
        self._kept: dict[str, Binding] = {}
        self._calls = {call.key: call for call in bindings.unfinished(shop)}

    def of(self, shop: str, skus: Iterable[str]) -> Sequence[Binding]:
        asked = frozenset(skus)
        known = {binding.sku: binding for binding in self._bindings.of(shop, asked - self._kept.keys())}
        known |= {sku: self._kept[sku] for sku in asked & self._kept.keys()}
        return [known[sku] for sku in sorted(known)]

    def keep(self, bindings: Iterable[Binding]) -> None:
        self._kept |= {binding.sku: binding for binding in bindings}

    def begin(self, call: UnfinishedCall) -> None:
        self._calls[call.key] = call

    def finish(self, call: UnfinishedCall) -> None:
        self._calls.pop(call.key, None)

    def unfinished(self, shop: str) -> Sequence[UnfinishedCall]:
        return sorted((call for call in self._calls.values() if call.shop == shop), key=lambda call: call.started_at)


class ListedDrift:
    """A log that also remembers what this run put into it; under a name of its own for a rehearsal."""

    def __init__(self, log: DriftLog, name: str) -> None:
        self._log = log
        self._name = name
        self.changes: list[LevelChange] = []

    def add(self, drifts: Iterable[Drift]) -> None:
        found = list(drifts)
        self.changes += [LevelChange(sku=d.sku, before=d.shown, after=d.wanted) for d in found if d.corrected]
        self._log.add(drift.model_copy(update={"shop": self._name}) for drift in found)

    def of(self, shop: str, limit: int = 100) -> Iterable[Drift]:
        return self._log.of(shop, limit)


def look_and_push(desk: ChannelDesk, skus: Iterable[str]) -> PushReport:
    """See what the shop shows of these SKUs now, and make it show what it should. What was set aside is tried again.

    A push alone trusts what it knows of the shop; whoever asks for a SKU by name does so because he does not.

    Raises:
        Retry, Rejected: as `push`.
    """
    known = desk.bindings.of(desk.shop, skus)
    found = {_place(item): item for item in desk.channel.read([binding.item for binding in known])} if known else {}
    looked_at = [_looked_at(desk, binding, found.get(_place(binding.item))) for binding in known]
    desk.bindings.keep(looked_at)
    return push(desk, (binding.sku for binding in looked_at if binding.set_aside is None))


def _looked_at(desk: ChannelDesk, binding: Binding, item: ChannelItem | None) -> Binding:
    if item is None:
        return binding.model_copy(update={"set_aside": "gone"})
    return seen(desk, binding, item).model_copy(update={"set_aside": None})
