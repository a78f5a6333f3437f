"""What a buyer is told of an order, and when: a pure function of the order as it is now.

Nothing remembers what has happened since the last look. All notices that are due are worked out anew each time, each
with a key; whoever sends them keeps the keys of those that were taken, and so each is sent once.

Those keys are kept for a month. What carries a time of its own is told within `TOO_OLD` of it, so that no key is
needed for longer. What has no such time (an order that is released after a week, a parcel that arrives after two) is
told where a note or an earlier notice says that we were there when it began; it is noted before, and so forgotten
before the notice itself is.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from shared.kernel.identifiers import OrderKey
from shared.kernel.model import Canonical
from shared.kernel.money import Money
from shared.orders.dispatch import Dispatch
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.models import Fulfilment, FulfilmentLine, Order, Parcel, Refund
from shared.orders.record import HoldReason, OrderRecord


class BuyerNoticeKind(StrEnum):
    CONFIRMED = "confirmed"
    HELD_FOR_VERIFICATION = "held_for_verification"
    SHIPPED = "shipped"
    """One for each consignment, with its parcels."""
    DELIVERED = "delivered"
    REFUNDED = "refunded"


class BuyerNotice(Canonical):
    """One thing to tell one buyer. The words are chosen where it is sent; no personal data here."""

    key: str
    """The same for the same matter, however often it is worked out: `buyer/aurora/5001/shipped/erp/12`."""
    kind: BuyerNoticeKind
    happened_at: datetime
    """When it did; where nobody tells, when what it ends began."""
    lines: tuple[FulfilmentLine, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    amount: Money | None = None
    """What went back, as the buyer paid it."""
    follows: tuple[str, ...] = ()
    """Keys of notes and notices. Where one of them is noted, this is news however long ago it happened."""
    unless: tuple[str, ...] = ()
    """Keys of notices that say all of this and more."""


class SentGoods(Canonical):
    """One consignment of the order, whoever told of it first."""

    key: str
    lines: tuple[FulfilmentLine, ...]
    parcels: tuple[Parcel, ...]
    left_at: datetime | None
    """None where the storefront does not tell."""

    @property
    def is_numbered(self) -> bool:
        return bool(self.parcels) and all(parcel.number for parcel in self.parcels)


TOO_OLD = timedelta(days=3)
"""What happened longer ago is not told any more: an order that is taken in late, or a shop that was just connected."""

_ALL_LEFT = frozenset({FulfilmentState.SHIPPED, FulfilmentState.DELIVERED})
_CONFIRMED = frozenset({ReviewState.RELEASED})
_WAITING = frozenset({ReviewState.RECEIVED, ReviewState.HELD, ReviewState.APPROVED})


def due_notices(
    order: Order,
    record: OrderRecord,
    dispatches: Sequence[Dispatch],
    kinds: Collection[BuyerNoticeKind],
    now: datetime,
    *,
    is_noted: Callable[[str], bool] = lambda _key: False,
    shown: Collection[str] = frozenset(),
) -> tuple[BuyerNotice, ...]:
    """The notices of these kinds that the buyer has yet to get, in the order in which they make sense to a reader.

    `is_noted`: whether a notice's key, or a note's of :func:`notes_of`, was kept. `shown`: ids of fulfilments that the
    storefront has because we told it of the back office's. Test orders are told nothing.
    """
    if order.test:
        return ()
    candidates = _notices(order, record, sent_goods(order.fulfilments, dispatches, shown))
    return tuple(notice for notice in candidates if notice.kind in kinds and _is_news(notice, now, is_noted))


def notes_of(
    order: Order,
    record: OrderRecord,
    dispatches: Sequence[Dispatch],
    now: datetime,
    *,
    shown: Collection[str] = frozenset(),
) -> tuple[str, ...]:
    """Keys to note, because something began in time whose end has no time of its own: waiting, being on its way."""
    if order.test:
        return ()
    notes = []
    if record.review in _WAITING and _is_recent(record.placed_at, now):
        notes.append(_waiting(record.key))
    sent = sent_goods(order.fulfilments, dispatches, shown)
    if not _is_delivered(record) and any(one.left_at and _is_recent(one.left_at, now) for one in sent):
        notes.append(_on_its_way(record.key))
    return tuple(notes)


def sent_goods(
    fulfilments: Iterable[Fulfilment], dispatches: Sequence[Dispatch], shown: Collection[str] = frozenset()
) -> tuple[SentGoods, ...]:
    """The order's consignments, each once: the back office's own, and the storefront's that none of these stands for.

    Both sides tell each other of what they sent, and neither has a key of the other's. A fulfilment is the back
    office's when it is among `shown`, shares a tracking number with one of its consignments, or holds the same goods;
    one that the back office heard of from us (`by_storefront`) is the storefront's.
    """
    of_office = [dispatch for dispatch in dispatches if not dispatch.by_storefront]
    ours = _units(line for dispatch in of_office for line in dispatch.lines)
    theirs = _units(line for dispatch in dispatches if dispatch.by_storefront for line in dispatch.lines)
    numbers = _numbers(parcel for dispatch in of_office for parcel in dispatch.parcels)
    told = [
        SentGoods(key=dispatch.key, lines=dispatch.lines, parcels=dispatch.parcels, left_at=dispatch.left_at)
        for dispatch in of_office
    ]
    standing = [fulfilment for fulfilment in fulfilments if fulfilment.counts_as_shipped]
    unclear = []
    for fulfilment in standing:
        if fulfilment.id in shown or _numbers(fulfilment.parcels) & numbers:
            ours -= _units(fulfilment.lines)
        else:
            unclear.append(fulfilment)
    for fulfilment in sorted(unclear, key=_by_age):
        units = _units(fulfilment.lines)
        own = units & theirs or (Counter() if units & ours else units)
        theirs -= own
        ours -= units - own
        if own:
            told.append(_of_storefront(fulfilment, own))
    return tuple(told)


def _by_age(fulfilment: Fulfilment) -> tuple[bool, float, str]:
    at = fulfilment.created_at
    return at is None, at.timestamp() if at else 0.0, fulfilment.id


def _of_storefront(fulfilment: Fulfilment, units: Counter[str]) -> SentGoods:
    lines = tuple(FulfilmentLine(line_id=line_id, quantity=count) for line_id, count in units.items())
    return SentGoods(key=fulfilment.id, lines=lines, parcels=fulfilment.parcels, left_at=fulfilment.created_at)


def _notices(order: Order, record: OrderRecord, sent: Sequence[SentGoods]) -> Iterator[BuyerNotice]:
    base = _base(record.key)
    waiting = (_waiting(record.key),)
    if record.review is ReviewState.HELD and any(
        hold.reason is HoldReason.CUSTOMER_UNVERIFIED for hold in record.holds
    ):
        kind = BuyerNoticeKind.HELD_FOR_VERIFICATION
        yield BuyerNotice(key=f"{base}/{kind}", kind=kind, happened_at=record.placed_at, follows=waiting)
    if record.review in _CONFIRMED:
        kind = BuyerNoticeKind.CONFIRMED
        yield BuyerNotice(key=f"{base}/{kind}", kind=kind, happened_at=record.placed_at, follows=waiting)
    for consignment in sent:
        yield from _shipped(base, consignment, order)
    times = [one.left_at for one in sent if one.left_at]
    if times and _is_delivered(record):
        kind = BuyerNoticeKind.DELIVERED
        yield BuyerNotice(key=f"{base}/{kind}", kind=kind, happened_at=max(times), follows=(_on_its_way(record.key),))
    for refund in order.refunds:
        yield from _refunded(base, refund)


def _shipped(base: str, sent: SentGoods, order: Order) -> Iterator[BuyerNotice]:
    """What is not shipped at all, such as a gift card, is no goods; nor is a consignment of nothing else."""
    parcelled = {line.id for line in order.lines if line.requires_shipping and not line.gift_card}
    lines = tuple(line for line in sent.lines if line.line_id in parcelled and line.quantity > 0)
    if not lines or sent.left_at is None:
        return
    plain = f"{base}/{BuyerNoticeKind.SHIPPED}/{sent.key}"
    numbered = f"{plain}/numbered"
    yield BuyerNotice(
        key=numbered if sent.is_numbered else plain,
        kind=BuyerNoticeKind.SHIPPED,
        happened_at=sent.left_at,
        lines=lines,
        parcels=sent.parcels,
        follows=(plain,) if sent.is_numbered else (),
        unless=() if sent.is_numbered else (numbered,),
    )


def _refunded(base: str, refund: Refund) -> Iterator[BuyerNotice]:
    """A refund counts from when its money went, which may be days after it was entered."""
    times = [one.processed_at for one in refund.transactions if one.processed_at]
    happened_at = max(times, default=refund.created_at)
    amount = refund.amount.presentment
    if happened_at is not None and amount.minor > 0:
        kind = BuyerNoticeKind.REFUNDED
        yield BuyerNotice(key=f"{base}/{kind}/{refund.id}", kind=kind, happened_at=happened_at, amount=amount)


def _is_news(notice: BuyerNotice, now: datetime, is_noted: Callable[[str], bool]) -> bool:
    if not _is_recent(notice.happened_at, now) and not any(map(is_noted, notice.follows)):
        return False
    return not any(map(is_noted, (notice.key, *notice.unless)))


def _is_delivered(record: OrderRecord) -> bool:
    """Whether the buyer has all of it: the back office's word counts once nothing is left to send."""
    if record.fulfilment is FulfilmentState.DELIVERED:
        return True
    return record.delivered and record.fulfilment in _ALL_LEFT


def _is_recent(happened_at: datetime, now: datetime) -> bool:
    return now - happened_at <= TOO_OLD


def _base(key: OrderKey) -> str:
    return f"buyer/{key}"


def _waiting(key: OrderKey) -> str:
    return f"{_base(key)}/note/waiting"


def _on_its_way(key: OrderKey) -> str:
    return f"{_base(key)}/note/on_its_way"


def _units(lines: Iterable[FulfilmentLine]) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in lines:
        units[line.line_id] += line.quantity
    return +units


def _numbers(parcels: Iterable[Parcel]) -> frozenset[str]:
    """However people put spaces and capitals."""
    return frozenset("".join(parcel.number.split()).casefold() for parcel in parcels if parcel.number)
