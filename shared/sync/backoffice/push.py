"""Bring the back office to an order as it is now, and take in what its warehouse has sent.

Both ways at once, because both need the sale as it stands. Called after every change of the order, after every change
that a feed names, and by operators; any number of times. One order is worked on in one place at a time: the caller
holds its lease.
"""

from dataclasses import dataclass, field

from shared.backoffices.documents import ConsignmentState, Invoice, Sale, SaleState
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
from shared.sync.backoffice.books import Books, books_of
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

MOST_STEPS = 60
"""An order of 60 refunds and payments in one go is none; it is a step that does not take."""


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
    """The back office's side of one order while a push works on it."""

    books: Books
    sale: Sale | None
    made: dict[str, str]
    credited: dict[str, Invoice] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


def push(key: OrderKey, desk: BooksDesk) -> Pushed:
    """Bring both sides together. What stops it is noted on the error desk and raised.

    Raises:
        Rejected: a person must act; see `Mirror.stop`.
        Retry, Conflict: it is to be tried again.
    """
    record = required(key, desk.orders)
    before = desk.mirrors.find(key)
    mirror = before or Mirror(shop=key.shop, order_id=key.order_id, backoffice=desk.name)
    try:
        return _push(record, mirror, before, desk)
    except (Rejected, Retry) as error:
        stored = desk.mirrors.find(key)
        stop = Stop.of(error, stored.stop if stored else None, desk.clock())
        desk.mirrors.save((stored or mirror).model_copy(update={"stop": stop}), stored)
        raise


def _push(record: OrderRecord, mirror: Mirror, before: Mirror | None, desk: BooksDesk) -> Pushed:
    order = account_of(record, desk.orders)
    warehouse = mirror.warehouse or warehouse_of(record, desk)
    stand = _Stand(
        books=books_of(order, record, desk.rules, warehouse=warehouse, services=services_of(order, desk)),
        sale=desk.office.find_sale(str(record.key)),
        made=dict(mirror.documents),
    )
    if not desk.rules.rehearsal:
        _bring_up(stand, desk.office)
    dispatches = dispatches_of(stand.sale, order, mirror.dispatches, desk)
    after = _noted(mirror, stand, record, dispatches, desk)
    if after.model_copy(update={"looked_at": mirror.looked_at}) != mirror:
        desk.mirrors.save(after, before)
    if dispatches and digest(dispatches) != record.dispatches:
        note_dispatches(record.key, dispatches, desk.orders)
    return Pushed(stand.sale, tuple(type(step).__name__ for step in stand.steps), len(dispatches))


def account_of(record: OrderRecord, orders: Desk) -> Order:
    """The account that the record was built from, or `Retry` while a newer one is on its way into it."""
    order = orders.book.find_account(record.key)
    if order is None or order.version != record.version:
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


def dispatches_of(
    sale: Sale | None, order: Order, known: tuple[Dispatch, ...], desk: BooksDesk
) -> tuple[Dispatch, ...]:
    """The sale's consignments that have left, in the storefront's words.

    One without a time keeps the time at which it was seen first: told anew it is the same.
    """
    seen = {dispatch.key: dispatch.left_at for dispatch in known}
    ordered = {line.id for line in order.lines}
    dispatches = []
    for one in sale.consignments if sale else ():
        lines = tuple(
            FulfilmentLine(line_id=line.key, quantity=line.quantity)
            for line in one.lines
            if line.key in ordered and line.quantity
        )
        key = f"{desk.name}/{one.id}"
        if one.has_left and lines:
            dispatches.append(
                Dispatch(
                    key=key,
                    lines=lines,
                    parcels=one.parcels,
                    left_at=one.left_at or seen.get(key) or desk.clock(),
                    delivered=one.state is ConsignmentState.DELIVERED,
                )
            )
    return tuple(dispatches)


def _bring_up(stand: _Stand, office: BackOffice) -> None:
    while True:
        step = next_step(stand.books, stand.sale, stand.made, stand.credited, office.capabilities)
        if step is None:
            return
        if step in stand.steps[-1:] or len(stand.steps) >= MOST_STEPS:
            raise bug(f"the back office accepts {type(step).__name__} and does not come nearer to the books")
        _take(step, stand, office)
        stand.steps.append(step)


def _take(step: Step, stand: _Stand, office: BackOffice) -> None:
    match step:
        case Record() | Amend():
            customer = office.save_customer(stand.books.customer)
            order = stand.books.sales_order(customer)
            stand.sale = office.record_sale(order) if isinstance(step, Record) else office.amend_sale(order)
        case Confirm():
            stand.sale = office.confirm_sale(stand.books.key)
        case Cancel():
            stand.sale = office.cancel_sale(stand.books.key)
        case Ship():
            stand.sale = office.ship(step.shipping)
        case PostInvoice():
            stand.sale = office.post_invoice(stand.books.key)
        case TakeBack():
            stand.made[step.goods.key] = office.take_back(step.goods)
        case IssueCredit():
            stand.credited[step.note.key] = office.credit(step.note)
            stand.made[step.note.key] = stand.credited[step.note.key].id
        case Pay():
            stand.made[step.payment.key] = office.register_payment(step.payment)
            _reckon_paid(step, stand, office)


def _reckon_paid(step: Pay, stand: _Stand, office: BackOffice) -> None:
    """What is unpaid now: of a credit note by reckoning, of the invoice by asking."""
    for key, note in stand.credited.items():
        if note.id == step.payment.invoice:
            stand.credited[key] = note.model_copy(update={"unpaid": note.unpaid - step.payment.amount})
            return
    stand.sale = office.find_sale(stand.books.key)


def _noted(
    mirror: Mirror, stand: _Stand, record: OrderRecord, dispatches: tuple[Dispatch, ...], desk: BooksDesk
) -> Mirror:
    sale = stand.sale
    return mirror.model_copy(
        update={
            "backoffice": desk.name,
            # A rehearsal brings nothing anywhere: once it is over, the order is found to be behind.
            "pushed": mirror.pushed if desk.rules.rehearsal else record.revision,
            "sale_id": sale.id if sale else None,
            "sale_number": sale.number if sale else None,
            "state": sale.state.value if sale else None,
            "warehouse": stand.books.warehouse if sale else None,
            "documents": stand.made,
            "dispatches": dispatches,
            "promised": _promised(sale, record, stand.books.warehouse, desk.rules),
            "looked_at": desk.clock(),
            "stop": None,
        }
    )


def _promised(sale: Sale | None, record: OrderRecord, warehouse: str, rules: BookRules) -> dict[str, dict[str, int]]:
    """What the back office keeps for the order: confirmed and not yet sent, a bundle as the parts it is made of."""
    places = [location for location, name in rules.warehouses.items() if name == warehouse]
    if sale is None or sale.state is not SaleState.CONFIRMED or not places:
        return {}
    shipped = sale.shipped
    bundles = {line.sku: line.components for line in record.lines if line.sku and line.components}
    units: dict[str, int] = {}
    ours = {line.line_id for line in record.lines}
    for line in sale.lines:
        left = line.quantity - shipped.get(line.key, 0)
        for part, each in parts_of(line.sku, bundles).items() if line.key in ours and left > 0 else ():
            units[part] = units.get(part, 0) + left * each
    return {places[0]: units} if units else {}
