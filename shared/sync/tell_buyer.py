"""Write to buyers: what became of their orders, and the link that proves an address."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

from shared.customers.marks import Marker
from shared.customers.ports import CustomerFinder
from shared.customers.record import CustomerRecord, VerificationState
from shared.customers.verify import VERIFY, nonce_of
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.kernel.links import Link
from shared.kernel.model import Canonical
from shared.kernel.money import Money
from shared.orders.buyer_notices import BuyerNotice, BuyerNoticeKind, due_notices, notes_of
from shared.orders.dispatch import Dispatch
from shared.orders.models import Order
from shared.orders.ports import OrderFinder
from shared.orders.record import OrderRecord
from shared.sync.alerts import NoticeLog
from shared.sync.backoffice.mirror import Mirrors, Told
from shared.sync.carriers import TrackedParcel, tracked

Language = Literal["en", "zh"]

TRACK = "track"
"""Purpose of links to an order's page; their subject is the order's key."""

_MAIL = "mail"
"""The channel that took a notice; the other one says that it would not."""
_REFUSED = "mail_refused"
_NOTE = "note"


class Goods(Canonical):
    """A line of the consignment, as the buyer ordered it."""

    title: str
    units: int


class NoticeLetter(Canonical):
    """One notice of an order, to be put into words."""

    kind: BuyerNoticeKind
    to: str
    """The buyer's address as the storefront gave it: it may be none."""
    language: Language
    order_name: str
    goods: tuple[Goods, ...] = ()
    parcels: tuple[TrackedParcel, ...] = ()
    amount: Money | None = None
    link: str
    """Of the order's page."""


class VerificationLetter(Canonical):
    """The link that proves an address."""

    to: str
    language: Language
    link: str
    hours: int
    """How long it holds."""


Letter = NoticeLetter | VerificationLetter


class BuyerMailer(Protocol):
    def send(self, letter: Letter) -> None:
        """Put it into words and hand it over.

        Raises:
            Retry: the service is out of reach, throttles, or refuses us as things are: send it again.
            Rejected: this address never gets mail.
        """
        ...


class AccountFinder(OrderFinder, Protocol):
    def find_account(self, key: OrderKey) -> Order | None:
        """The whole canonical order; its personal data is empty once the buyer was forgotten."""
        ...


@dataclass(frozen=True)
class BuyerDesk:
    """One shop, as far as we write to its buyers about orders."""

    orders: AccountFinder
    mirrors: Mirrors
    log: NoticeLog
    mailer: BuyerMailer
    address_of: Callable[[Link], str]
    """The address of a page behind a signed link."""
    kinds: Collection[BuyerNoticeKind]
    language: Language
    """For buyers whose own is not known."""
    track_days: int
    clock: Clock


@dataclass(frozen=True)
class VerificationDesk:
    """One shop, as far as its customers are asked to prove their addresses."""

    customers: CustomerFinder
    marker: Marker
    log: NoticeLog
    mailer: BuyerMailer
    address_of: Callable[[Link], str]
    language: Language
    link_hours: int
    clock: Clock


class Outcome(Canonical):
    """What became of the letters, as counts."""

    sent: dict[str, int] = {}
    """By kind."""
    refused: int = 0
    """Letters that the address does not take. They are not tried again."""


def tell_buyer(key: OrderKey, desk: BuyerDesk) -> Outcome:
    """Send the buyer every notice that is due and was not sent yet. Repeated, it sends what failed.

    A letter whose outcome is unknown is sent again: better twice than never. An order whose buyer is not known, has no
    address or was forgotten is told nothing.

    Raises:
        Retry: `notice_undelivered`, when some letters failed in passing; the others are on their way.
    """
    order = desk.orders.find_account(key)
    record = desk.orders.find(key)
    if order is None or record is None or not order.personal.email:
        return Outcome()
    mirror = desk.mirrors.find(key)
    dispatches = mirror.dispatches if mirror else ()
    shown = shown_by_us(desk.mirrors.find_told(key))
    _note(notes_of(order, record, dispatches, desk.clock(), shown=shown), desk)
    due = _due(order, record, dispatches, shown, desk)
    letters = [(notice.key, notice.kind.value, _letter(notice, order, desk)) for notice in due]
    return _send_each(letters, desk.mailer, desk.log, desk.clock)


def shown_by_us(told: Told | None) -> frozenset[str]:
    """Ids of the storefront's fulfilments that stand for the back office's consignments."""
    return frozenset(each for ids in (told.known if told else {}).values() for each in ids.split(","))


def send_verification(key: CustomerKey, asked: int, desk: VerificationDesk) -> Outcome:
    """Send the link that was asked for, unless it is answered, replaced, or the address is another one meanwhile.

    Raises:
        Retry: `notice_undelivered`.
    """
    record = desk.customers.find(key)
    customer = desk.customers.find_customer(key) if record and _is_wanted(record, asked) else None
    address = customer.personal.email if customer else None
    if record is None or customer is None or not address or not _is_about(record, address, desk.marker):
        return Outcome()
    letter_key = f"{VERIFY}/{key}/{asked}"
    if desk.log.takers(letter_key):
        return Outcome()
    expires_at = desk.clock() + timedelta(hours=desk.link_hours)
    letter = VerificationLetter(
        to=address,
        language=language_of(customer.personal.language) or desk.language,
        link=desk.address_of(Link(VERIFY, str(key), expires_at, nonce_of(record, desk.marker))),
        hours=desk.link_hours,
    )
    return _send_each([(letter_key, VERIFY, letter)], desk.mailer, desk.log, desk.clock)


def language_of(locale: str | None) -> Language | None:
    """Ours for a locale such as `zh-CN`, `zh_Hant_TW` or `en`; None for one that we do not write."""
    tongue = (locale or "").replace("_", "-").partition("-")[0].lower()
    if tongue == "zh":
        return "zh"
    return "en" if tongue == "en" else None


def _is_wanted(record: CustomerRecord, asked: int) -> bool:
    verification = record.verification
    is_open = verification.state is VerificationState.PENDING and verification.asked == asked
    return is_open and record.erased_at is None


def _is_about(record: CustomerRecord, address: str, marker: Marker) -> bool:
    return record.verification.mark == marker.email(address)


def _note(keys: Collection[str], desk: BuyerDesk) -> None:
    for key in keys:
        if not desk.log.takers(key):
            desk.log.taken(key, _NOTE, desk.clock())


def _due(
    order: Order, record: OrderRecord, dispatches: tuple[Dispatch, ...], shown: frozenset[str], desk: BuyerDesk
) -> tuple[BuyerNotice, ...]:
    return due_notices(
        order,
        record,
        dispatches,
        desk.kinds,
        desk.clock(),
        is_noted=lambda key: bool(desk.log.takers(key)),
        shown=shown,
    )


def _letter(notice: BuyerNotice, order: Order, desk: BuyerDesk) -> NoticeLetter:
    expires_at = desk.clock() + timedelta(days=desk.track_days)
    return NoticeLetter(
        kind=notice.kind,
        to=order.personal.email or "",
        language=language_of(order.personal.locale) or desk.language,
        order_name=order.name,
        goods=tuple(_goods(notice, order)),
        parcels=tuple(map(tracked, notice.parcels)),
        amount=notice.amount,
        link=desk.address_of(Link(TRACK, str(order.key), expires_at)),
    )


def _goods(notice: BuyerNotice, order: Order) -> Iterator[Goods]:
    titles = {line.id: (line.title, line.variant_title) for line in order.lines}
    for line in notice.lines:
        title, variant = titles[line.line_id]
        yield Goods(title=f"{title} – {variant}" if variant else title, units=line.quantity)


def _send_each(
    letters: Sequence[tuple[str, str, Letter]], mailer: BuyerMailer, log: NoticeLog, clock: Clock
) -> Outcome:
    """One that fails stops no other."""
    sent: Counter[str] = Counter()
    refused = 0
    failed = []
    for key, kind, letter in letters:
        try:
            mailer.send(letter)
        except Rejected:
            log.taken(key, _REFUSED, clock())
            refused += 1
        except Retry as error:
            failed.append(f"{kind} ({error.code})")
        else:
            log.taken(key, _MAIL, clock())
            sent[kind] += 1
    if failed:
        raise Retry("notice_undelivered", f"not every letter was taken: {', '.join(failed)}")
    return Outcome(sent=dict(sent), refused=refused)
