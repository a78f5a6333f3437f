"""Bring the back office to an order as it is now, and take in what its warehouse has sent.

Both ways at once, because both need the sale as it stands. Called after every change of the order, after every change
that a feed names, and by operators; any number of times. One order is worked on in one place at a time: the caller
holds its lease.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.backoffices.documents import Consignment, ConsignmentState, Invoice, Sale, SaleState
from shared.backoffices.http import bug
from shared.backoffices.port import BackOffice
from shared.inventory.bundles import parts_of
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import OrderKey
from shared.orders.dispatch import Dispatch, digest
from shared.orders.models import FulfilmentLine, Order
from shared.orders.note_dispatches import note_dispatches
from shared.orders.ports import Desk
from shared.orders.record import OrderRecord
from shared.orders.release import required
from shared.sync.backoffice.bookkeeping import books_of
from shared.sync.backoffice.books import CANCELLED_BY_US, SHIPPED, Books
from shared.sync.backoffice.customer import Buyer
from shared.sync.backoffice.mirror import Mirror, Mirrors, Stop
from shared.sync.backoffice.plan import (
    Amend,
    Cancel,
    Confirm,
    IssueCredit,
    Pay,
    PostInvoice,
    Record,
    Ship,
    Step,
    TakeBack,
    next_step,
)
from shared.sync.backoffice.rules import BookRules
from shared.sync.backoffice.services import ServiceCatalogue

MOST_STEPS = 300
"""No order has so many refunds and payments in one go; it is a step that does not take."""
MOST_PROMISED = 40
"""SKUs of one order whose promise is told: old and new ones are changed in one transaction of 100 operations."""


@dataclass(frozen=True)
class BooksDesk:
    """One shop's books: everything that a push works with."""

    name: str
    """The back office's, in the settings."""
    office: BackOffice
    rules: BookRules
    orders: Desk
    mirrors: Mirrors
    services: ServiceCatalogue
    buyers: Callable[[Order], Buyer]
    """Whom the back office knows as an order's buyer. Raises `Retry` when that cannot be found out."""
    clock: Clock


@dataclass(frozen=True)
class Pushed:
    sale: Sale | None
    steps: tuple[str, ...]
    """What was done, in words of the trade; nothing where both sides agreed already."""
    dispatches: int
    """Consignments that have left so far."""


@dataclass
class _Stand:
    """The back office's side of one order while a push works on it, as far as it has come."""

    made: dict[str, str]
    warehouse: str | None
    dispatches: tuple[Dispatch, ...]
    looked: bool = False
    """Whether the sale has been read: what we know of it is true then, whatever stops the push afterwards."""
    sale: Sale | None = None
    services: frozenset[str] = frozenset()
    credited: dict[str, Invoice] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


def push(key: OrderKey, desk: BooksDesk) -> Pushed:
    """Bring both sides together. What stops it is noted on the error desk and raised.

    A stop keeps nothing back that is known: what the back office has promised and sent is taken in all the same.

    Raises:
        Rejected: a person must act; see `Mirror.stop`.
        Retry, Conflict: it is to be tried again.
    """
    run = _Run.of(key, desk)
    stopped = _bring_together(run, desk)
    run.save(_noted(run, stopped, desk), desk)
    if run.has_news:
        note_dispatches(key, run.stand.dispatches, desk.orders)
    if stopped is not None:
        raise stopped
    stand = run.stand
    return Pushed(stand.sale, tuple(type(step).__name__ for step in stand.steps), len(stand.dispatches))


@dataclass
class _Run:
    """One push: both sides as they are known so far."""

    record: OrderRecord
    mirror: Mirror
    saved: Mirror | None
    """The mirror as it is kept, whichever back office it is of."""
    stand: _Stand

    @classmethod
    def of(cls, key: OrderKey, desk: BooksDesk) -> "_Run":
        saved = desk.mirrors.find(key)
        mirror = _own(saved, key, desk)
        stand = _Stand(dict(mirror.documents), mirror.warehouse, mirror.dispatches)
        return cls(required(key, desk.orders), mirror, saved, stand)

    @property
    def has_news(self) -> bool:
        """Whether more has left, or with other tracking, than the record knows of."""
        return bool(self.stand.dispatches) and digest(self.stand.dispatches) != self.record.dispatches

    def save(self, mirror: Mirror, desk: BooksDesk) -> None:
        """Keep the mirror where it says something new."""
        is_news = mirror.model_copy(update={"looked_at": self.mirror.looked_at}) != self.mirror
        if is_news or (self.saved is not None and self.saved.backoffice != desk.name):
            self.mirror = self.saved = desk.mirrors.save(mirror, self.saved)


def _own(before: Mirror | None, key: OrderKey, desk: BooksDesk) -> Mirror:
    """What is known of this back office's side: nothing, where the shop was joined with another one until now."""
    if before is not None and before.backoffice == desk.name:
        return before
    return Mirror(shop=key.shop, order_id=key.order_id, backoffice=desk.name, revision=before.revision if before else 0)


def _bring_together(run: _Run, desk: BooksDesk) -> Rejected | Retry | None:
    """Look, take in what has left, then take step after step; returns what stopped it, if anything did."""
    stand = run.stand
    try:
        order = account_of(run.record, desk.orders)
        stand.sale = desk.office.find_sale(str(run.record.key))
        stand.services = services_of(order, desk)
        stand.looked = True
        _refuse_withdrawn(stand, desk)
        _take_in_dispatches(run, order, desk)
        stand.warehouse = stand.warehouse or warehouse_of(run.record, desk)
        books = books_of(
            order,
            run.record,
            desk.rules,
            buyer=desk.buyers(order),
            warehouse=stand.warehouse,
            services=stand.services,
        )
        if not desk.rules.rehearsal:
            _bring_up(books, stand, desk.office)
    except (Rejected, Retry) as error:
        stopped: Rejected | Retry | None = error
    else:
        stopped = None
    if stand.looked and not _withdrawn(stand, desk):
        stand.dispatches = dispatches_of(stand, order, run.record, desk)
    return stopped


def _take_in_dispatches(run: _Run, order: Order, desk: BooksDesk) -> None:
    """Before the books are worked out: what has left is no longer there to be taken out of the order.

    The mirror is saved first, because the storefront is told of it as soon as the record has changed.
    """
    run.stand.dispatches = dispatches_of(run.stand, order, run.record, desk)
    if run.has_news:
        run.save(run.mirror.model_copy(update={"dispatches": run.stand.dispatches}), desk)
        run.record = note_dispatches(run.record.key, run.stand.dispatches, desk.orders)


def account_of(record: OrderRecord, orders: Desk) -> Order:
    """The account that the record was built from, or `Retry` while a newer one is on its way into it."""
    order = orders.book.find_account(record.key)
    if order is None or not order.version.states_the_same(record.version):
        raise Retry("account_ahead", f"a newer account of order {record.key} is on its way into the record")
    return order


def warehouse_of(record: OrderRecord, desk: BooksDesk) -> str:
    """The warehouse that ships most of the order; a back office's sale has one."""
    units: dict[str, int] = {}
    for line in record.lines:
        for location, count in (*line.allocated.items(), *line.shipped.items()):
            units[location] = units.get(location, 0) + count
    mapped = {location: count for location, count in units.items() if location in desk.rules.warehouses}
    serving = [location for location in desk.orders.locations if location in desk.rules.warehouses]
    if not mapped and not serving:
        raise Rejected(
            "no_warehouse",
            "none of the shop's locations has a warehouse in the back office",
            field=f"backoffices.{desk.name}.warehouses",
            hint='name it in the settings: warehouses = { main = "…" }',
        )
    return desk.rules.warehouses[max(mapped, key=lambda place: (mapped[place], place)) if mapped else serving[0]]


def services_of(order: Order, desk: BooksDesk) -> frozenset[str]:
    """SKUs of the order that the back office sells but does not ship."""
    return desk.services.among(line.sku for line in order.lines if line.sku)


def dispatches_of(stand: _Stand, order: Order, record: OrderRecord, desk: BooksDesk) -> tuple[Dispatch, ...]:
    """The consignments that have left, in the storefront's words.

    Services are no goods: they count as done with the first consignment. One without a time keeps the time at which it
    was seen first: told anew it is the same.
    """
    entered = {name for key, names in stand.made.items() if SHIPPED in key for name in names.split(",")}
    seen = {dispatch.key: dispatch.left_at for dispatch in stand.dispatches}
    ordered = {line.id for line in order.lines}
    dispatches: list[Dispatch] = []
    for one in _sent(stand):
        key = f"{desk.name}/{one.id}"
        lines = [
            FulfilmentLine(line_id=line.key, quantity=line.quantity)
            for line in one.lines
            if line.key in ordered and line.quantity
        ]
        if lines and not dispatches:
            lines += _done_services(order, record, stand.services)
        if lines:
            dispatches.append(
                Dispatch(
                    key=key,
                    lines=tuple(lines),
                    parcels=one.parcels,
                    left_at=one.left_at or seen.get(key) or desk.clock(),
                    delivered=one.state is ConsignmentState.DELIVERED,
                    by_storefront=one.id in entered,
                )
            )
    return tuple(dispatches)


def _sent(stand: _Stand) -> list[Consignment]:
    """Consignments that have left, the first one first."""
    left = [one for one in (stand.sale.consignments if stand.sale else ()) if one.has_left]
    return sorted(left, key=lambda one: (one.left_at.timestamp() if one.left_at else 0.0, one.id))


def _done_services(order: Order, record: OrderRecord, services: frozenset[str]) -> list[FulfilmentLine]:
    units = {line.line_id: line.open + sum(line.shipped.values()) for line in record.lines}
    return [
        FulfilmentLine(line_id=line.id, quantity=units[line.id])
        for line in order.lines
        if line.sku in services and units.get(line.id)
    ]


def _withdrawn(stand: _Stand, desk: BooksDesk) -> set[str]:
    """Consignments that were sent, and that the back office does not show as sent any more."""
    return {dispatch.key for dispatch in stand.dispatches} - {f"{desk.name}/{one.id}" for one in _sent(stand)}


def _refuse_withdrawn(stand: _Stand, desk: BooksDesk) -> None:
    gone = sorted(_withdrawn(stand, desk))
    if gone:
        raise Rejected(
            "dispatch_withdrawn",
            f"{', '.join(gone)} had left, and the back office does not show it as sent any more",
            field="consignments",
            hint="restore it in the back office; what really came back is a return",
        )


def _bring_up(books: Books, stand: _Stand, office: BackOffice) -> None:
    while True:
        step = next_step(books, stand.sale, stand.made, stand.credited, office.capabilities)
        if step is None:
            return
        if step in stand.steps[-1:] or len(stand.steps) >= MOST_STEPS:
            raise bug(f"the back office accepts {type(step).__name__} and does not come nearer to the books")
        _take(step, books, stand, office)
        stand.steps.append(step)


def _take(step: Step, books: Books, stand: _Stand, office: BackOffice) -> None:
    match step:
        case Record() | Amend():
            order = books.sales_order(office.save_customer(books.customer))
            stand.sale = office.record_sale(order) if isinstance(step, Record) else office.amend_sale(order)
        case Confirm():
            stand.sale = office.confirm_sale(books.key)
        case Cancel():
            stand.sale = office.cancel_sale(books.key)
            stand.made[f"{books.key}{CANCELLED_BY_US}"] = stand.sale.id
        case Ship():
            known = {one.id for one in stand.sale.consignments} if stand.sale else set()
            stand.sale = office.ship(step.shipping)
            new = sorted(one.id for one in stand.sale.consignments if one.has_left and one.id not in known)
            stand.made[step.shipping.key] = ",".join(new)
        case PostInvoice():
            stand.sale = office.post_invoice(books.key)
        case TakeBack():
            stand.made[step.goods.key] = office.take_back(step.goods)
        case IssueCredit():
            _note_credit(step, books, stand, office.credit(step.note))
        case Pay():
            stand.made[step.payment.key] = office.register_payment(step.payment)
            _reckon_paid(step, books, stand, office)


def _note_credit(step: IssueCredit, books: Books, stand: _Stand, note: Invoice) -> None:
    """One that is paid out already needs no payment of ours: somebody may have died before he could note it."""
    stand.credited[step.note.key] = note
    stand.made[step.note.key] = note.id
    due = (payment for credit in books.credits if credit.key == step.note.key for payment in credit.paid_out)
    for payment in due if note.unpaid.minor <= 0 else ():
        stand.made.setdefault(payment.key, note.id)


def _reckon_paid(step: Pay, books: Books, stand: _Stand, office: BackOffice) -> None:
    """What is unpaid now: of a credit note by reckoning, of the invoice by asking."""
    for key, note in stand.credited.items():
        if note.id == step.payment.invoice:
            stand.credited[key] = note.model_copy(update={"unpaid": note.unpaid - step.payment.amount})
            return
    stand.sale = office.find_sale(books.key)


def _noted(run: _Run, stopped: Rejected | Retry | None, desk: BooksDesk) -> Mirror:
    """The mirror after this push; of a sale that could not be read, what was known stays."""
    mirror, stand, record = run.mirror, run.stand, run.record
    now = desk.clock()
    stop = Stop.of(stopped, mirror.stop, now) if stopped else None
    if not stand.looked:
        return mirror.model_copy(update={"stop": stop})
    sale = stand.sale
    # A rehearsal brings nothing anywhere: once it is over, the order is found to be behind.
    pushed = mirror.pushed if stopped or desk.rules.rehearsal else record.revision
    return mirror.model_copy(
        update={
            "pushed": pushed,
            "sale_id": sale.id if sale else None,
            "sale_number": sale.number if sale else None,
            "state": sale.state.value if sale else None,
            "warehouse": stand.warehouse if sale else None,
            "documents": stand.made,
            "dispatches": stand.dispatches,
            "promised": _promised(stand, record, desk.rules),
            "looked_at": now,
            "stop": stop,
        }
    )


def _promised(stand: _Stand, record: OrderRecord, rules: BookRules) -> dict[str, dict[str, int]]:
    """What the back office keeps for the order: confirmed and not yet sent, a bundle as the parts it is made of.

    Of an order of very many SKUs the first ones only: we show too little of the others rather than too much.
    """
    sale = stand.sale
    places = [location for location, name in rules.warehouses.items() if name == stand.warehouse]
    if sale is None or sale.state is not SaleState.CONFIRMED or not places:
        return {}
    shipped = sale.shipped
    bundles = {line.sku: line.components for line in record.lines if line.sku and line.components}
    units: dict[str, int] = {}
    ours = {line.line_id for line in record.lines}
    for line in sale.lines:
        left = line.quantity - shipped.get(line.key, 0)
        is_kept = line.key in ours and line.sku not in stand.services and left > 0
        for part, each in parts_of(line.sku, bundles).items() if is_kept else ():
            units[part] = units.get(part, 0) + left * each
    return {places[0]: dict(sorted(units.items())[:MOST_PROMISED])} if units else {}
