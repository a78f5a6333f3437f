"""Bring the levels that one shop shows in step with the pool.

Every write says what it expects the shop to show now, and is stored before it is made. So two workers, a crash at any
point, or a time-out with unknown outcome end in the same state, and a sale that we have not heard of is noticed.

Lower at once, raise with care: when a shop shows less than we believed, a sale may be on its way to us. Raising the
level at once would sell that unit twice; so it is looked at again after a while.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from shared.inventory.bundles import Bundles, shelf_skus
from shared.inventory.channels import ChannelItem, LevelWrite, StockChannel, WriteStatus
from shared.inventory.ports import StockReader
from shared.inventory.sellable import sellable
from shared.kernel.clock import Clock
from shared.kernel.model import Canonical
from shared.sync.levels.bindings import Binding, Bindings, UnfinishedCall

_ROUNDS = 4
"""A level that is stale this often in a row is left to the next run."""
_NAMESPACE = uuid.UUID("2f1b6f7e-6a51-5f0e-9d37-6d1c0a5b9c11")


@dataclass(frozen=True)
class ChannelDesk:
    """One shop's stock, and everything needed to keep it in step."""

    shop: str
    channel: StockChannel
    bindings: Bindings
    stock: StockReader
    bundles: Callable[[], Bundles]
    locations: Sequence[str]
    buffer: int
    """Units that this channel never shows."""
    clock: Clock
    order_delay: timedelta = timedelta(seconds=60)
    """How long an order may take from the shop to here; after this time its sale is in our own number."""


class LevelChange(Canonical):
    """A level that the shop was made to show."""

    sku: str
    before: int | None
    after: int


@dataclass
class PushReport:
    written: list[LevelChange] = field(default_factory=list)
    set_aside: dict[str, str] = field(default_factory=dict)
    """SKUs that the shop will not take, with its reason."""
    later: set[str] = field(default_factory=set)
    """SKUs to look at again after a while."""


def push(desk: ChannelDesk, skus: Iterable[str]) -> PushReport:
    """Make the shop show what it may sell of these SKUs; what shows the right number costs no call.

    Raises:
        Retry: the shop is out of reach or the outcome of a call is unknown; call again with the same SKUs.
        Rejected: the shop refuses our credentials.
    """
    report = PushReport()
    _finish_unfinished(desk, report)
    waiting = frozenset(skus)
    for _ in range(_ROUNDS):
        bound = {binding.sku: binding for binding in desk.bindings.of(desk.shop, waiting)}
        waiting = frozenset(_write_all(desk, _needed_writes(desk, bound, report), bound, report))
        if not waiting:
            return report
    report.later |= waiting
    return report


def wanted(desk: ChannelDesk, skus: Iterable[str]) -> Mapping[str, int]:
    """What the shop may sell of each of these SKUs now; those that stock does not know are left out."""
    bundles = desk.bundles()
    asked = frozenset(skus)
    stock = desk.stock.read(shelf_skus(asked, bundles))
    return {
        sku: sellable(sku, stock, bundles, locations=desk.locations, buffer=desk.buffer)
        for sku in asked
        if shelf_skus([sku], bundles) <= stock.keys()
    }


def _needed_writes(desk: ChannelDesk, bound: Mapping[str, Binding], report: PushReport) -> list[LevelWrite]:
    now = desk.clock()
    writes, heard = [], []
    for sku, quantity in sorted(wanted(desk, bound).items()):
        binding = bound[sku]
        shown = binding.item.shown
        if quantity == shown and binding.raise_after:
            heard.append(binding.model_copy(update={"raise_after": None}))  # the sale is in our own number now
        if binding.set_aside or shown is None or quantity == shown:
            continue
        if quantity > shown and binding.raise_after and now < binding.raise_after:
            report.later.add(sku)
            continue
        writes.append(LevelWrite(item=binding.item, quantity=quantity, expected=shown))
    if heard:
        desk.bindings.keep(heard)
    return writes


def _write_all(
    desk: ChannelDesk, writes: Sequence[LevelWrite], bound: Mapping[str, Binding], report: PushReport
) -> list[str]:
    """Write in as few calls as can be; return the SKUs that were stale and have to be decided again."""
    stale: list[str] = []
    for start in range(0, len(writes), desk.channel.most_writes):
        batch = tuple(writes[start : start + desk.channel.most_writes])
        call = UnfinishedCall(shop=desk.shop, key=_key(desk, batch), writes=batch, started_at=desk.clock())
        desk.bindings.begin(call)
        stale += _make(desk, call, bound, report)
    return stale


def _finish_unfinished(desk: ChannelDesk, report: PushReport) -> None:
    """Repeat the calls whose outcome nobody knows, each under its key."""
    for call in desk.bindings.unfinished(desk.shop):
        bound = {binding.sku: binding for binding in desk.bindings.of(desk.shop, (w.item.sku for w in call.writes))}
        report.later |= set(_make(desk, call, bound, report))


def _make(desk: ChannelDesk, call: UnfinishedCall, bound: Mapping[str, Binding], report: PushReport) -> list[str]:
    outcomes = desk.channel.write(call.writes, key=call.key)
    now = desk.clock()
    kept, stale = [], []
    for write, outcome in zip(call.writes, outcomes, strict=True):
        binding = bound.get(write.item.sku)
        if binding is None or binding.item.item_id != write.item.item_id:
            continue  # bound anew since
        if outcome.status is WriteStatus.APPLIED:
            report.written.append(_change(write))
            item = binding.item.model_copy(update={"shown": write.quantity})
            kept.append(binding.model_copy(update={"item": item, "written_at": now, "raise_after": None}))
        elif outcome.status is WriteStatus.REFUSED:
            report.set_aside[write.item.sku] = outcome.reason
            kept.append(binding.model_copy(update={"set_aside": outcome.reason or "refused"}))
        else:
            stale.append(binding)
    kept += _reread(desk, stale, report)
    desk.bindings.keep(kept)
    desk.bindings.finish(call)
    return [binding.sku for binding in stale]


def _reread(desk: ChannelDesk, stale: Sequence[Binding], report: PushReport) -> list[Binding]:
    """Learn what the shop really shows; less than we believed may be a sale whose order is on its way."""
    if not stale:
        return []
    found = {item.item_id: item for item in desk.channel.read([binding.item for binding in stale])}
    result = []
    for binding in stale:
        item = found.get(binding.item.item_id)
        if item is None:
            report.set_aside[binding.sku] = "gone"
            result.append(binding.model_copy(update={"set_aside": "gone"}))
        else:
            result.append(seen(desk, binding, item))
    return result


def seen(desk: ChannelDesk, binding: Binding, item: ChannelItem) -> Binding:
    """The binding after the shop was seen to show this, just now."""
    now, believed = desk.clock(), binding.item.shown
    fewer = believed is not None and item.shown is not None and item.shown < believed
    raise_after = now + desk.order_delay if fewer else binding.raise_after
    return binding.model_copy(update={"item": item, "seen_at": now, "raise_after": raise_after})


def _change(write: LevelWrite) -> LevelChange:
    return LevelChange(sku=write.item.sku, before=write.expected, after=write.quantity)


def _key(desk: ChannelDesk, writes: Sequence[LevelWrite]) -> str:
    """The same for the same writes at the same moment, and for no other call."""
    content = "|".join(write.model_dump_json() for write in writes)
    digest = hashlib.sha256(f"{desk.shop}|{desk.clock().isoformat()}|{content}".encode()).hexdigest()
    return str(uuid.uuid5(_NAMESPACE, digest))
