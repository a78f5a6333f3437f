"""A back office in memory: the promises of the port and nothing of any vendor. For the demo and the tests of the core.

Taxes are computed for each line and rounded half up to the currency's minor unit, as Tryton and Odoo do by default; so
its totals differ from a storefront's by cents now and then, as theirs do.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar

from shared.backoffices.cards import ERASED, as_saved
from shared.backoffices.documents import (
    Consignment,
    ConsignmentLine,
    ConsignmentState,
    CreditNote,
    CustomerCard,
    Forgotten,
    GoodsReturn,
    Identity,
    Invoice,
    InvoicedLine,
    InvoiceState,
    Journal,
    KnownCustomer,
    LedgerAccount,
    MissingRight,
    PaymentEntry,
    PostedJournal,
    Product,
    RecordedLine,
    Sale,
    SaleLine,
    SalesOrder,
    SaleState,
    Shipping,
    StockCount,
    StockFigure,
    Tax,
    Warehouse,
)
from shared.backoffices.http import not_found, refused
from shared.backoffices.ledger import missing_journal, require_accounts, require_currency, sums_of
from shared.backoffices.port import Capabilities, Feed
from shared.backoffices.rounding import KEY as ROUNDING
from shared.backoffices.rounding import rounding_line
from shared.kernel.clock import Clock
from shared.kernel.money import Money
from shared.orders.models import Parcel

_T = TypeVar("_T")
_PAGE = 50


@dataclass(frozen=True)
class _Customer:
    number: int
    card: CustomerCard
    changed_at: datetime
    is_ours: bool = True

    def told(self) -> KnownCustomer:
        key = self.card.key if self.is_ours else None
        return KnownCustomer(id=f"customer-{self.number}", key=key, card=self.card, changed_at=self.changed_at)


@dataclass
class _Sale:
    order: SalesOrder
    number: int
    state: SaleState = SaleState.DRAFT
    lines: dict[str, SaleLine] = field(default_factory=dict)
    consignments: list[Consignment] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)


class MemoryBackOffice:
    """One company. `interrupt(method, when)` is called `before` and `after` a call took effect, and may raise."""

    def __init__(self, clock: Clock, *, currency: str = "EUR", capabilities: Mapping[str, bool] | None = None) -> None:
        self.capabilities = Capabilities.model_validate(
            {
                "vendor": "memory",
                "tells_delivery": True,
                "sellable": "on hand - promised",
                "tried": "itself",
                **(capabilities or {}),
            }
        )
        self.clock = clock
        self.currency = currency
        self.interrupt: Callable[[str, str], None] = lambda _method, _when: None
        self.calls: list[str] = []
        self.rates = {"VAT 21": "0.21", "VAT 9": "0.09"}
        self.on_hand: dict[tuple[str, str], int] = {}
        """By SKU and warehouse."""
        self.stocked: dict[str, bool] = {}
        self.keeps: tuple[str, ...] = ()
        """What it says that it must keep of a customer that it forgets."""
        self._customers: dict[str, _Customer] = {}
        self.returns: dict[str, GoodsReturn] = {}
        self.credits: dict[str, Invoice] = {}
        self.credit_notes: dict[str, CreditNote] = {}
        self.payments: dict[str, PaymentEntry] = {}
        self.ledger = {"1100": "Receivables", "1200": "Payments", "1300": "Bank", "6200": "Payment fees"}
        """Names of the accounts by code."""
        self.closed_until: date | None = None
        """The last day whose period is closed."""
        self.journals: dict[str, Journal] = {}
        self.counts: dict[str, StockCount] = {}
        self._sales: dict[str, _Sale] = {}
        self._sale_changes: list[tuple[datetime, str]] = []
        self._stock_changes: list[tuple[datetime, str]] = []

    # ---- what there is ----

    def identify(self) -> Identity:
        self._call("identify")
        return Identity(
            vendor="memory", version="1", company="Example Goods", currency=self.currency, user="storebridge"
        )

    def missing_rights(self) -> tuple[MissingRight, ...]:
        return ()

    def warehouses(self) -> tuple[Warehouse, ...]:
        return (Warehouse(id="1", name="WH"), Warehouse(id="2", name="WH2"))

    def taxes(self) -> tuple[Tax, ...]:
        return tuple(Tax(name=name, rate=rate) for name, rate in self.rates.items())

    def payment_methods(self) -> tuple[str, ...]:
        return ("Bank", "Cash")

    def products(self, skus: Iterable[str]) -> Mapping[str, Product]:
        self._call("products")
        known = {sku: self.stocked[sku] for sku in skus if sku in self.stocked}
        return {sku: Product(id=sku, sku=sku, name=sku.title(), stocked=stocked) for sku, stocked in known.items()}

    # ---- customers ----

    def save_customer(self, card: CustomerCard) -> str:
        self._call("save_customer")
        known = self._customers.get(card.key)
        saved = as_saved(card, known.card if known else None)
        if known is None or saved != known.card:
            known = self._keep(saved)
        self._called("save_customer")
        return known.told().id

    def find_customer(self, key: str) -> KnownCustomer | None:
        self._call("find_customer")
        return self._customers[key].told() if key in self._customers else None

    def forget_customer(self, key: str) -> Forgotten | None:
        self._call("forget_customer")
        if key not in self._customers:
            return None
        nobody = CustomerCard(key=key, name=ERASED)
        if self._customers[key].card != nobody:
            self._keep(nobody)
        for sale in self._sales.values():
            if sale.order.customer.key == key:
                sale.order = sale.order.model_copy(update={"customer": nobody})
        self._called("forget_customer")
        return Forgotten(erased=("name", "email", "phone", "language", "addresses"), kept=self.keeps)

    def changed_customers(self, since: datetime, cursor: str | None) -> Feed[KnownCustomer]:
        self._call("changed_customers")
        return _page([one.told() for one in self._customers.values() if one.changed_at >= since], cursor)

    # ---- orders ----

    def find_sale(self, key: str) -> Sale | None:
        self._call("find_sale")
        return self._as_told(self._sales[key]) if key in self._sales else None

    def record_sale(self, order: SalesOrder) -> Sale:
        self._call("record_sale")
        known = self._sales.get(order.key)
        if known is None or known.state is SaleState.DRAFT:
            self._check(order.lines)
            known = known or _Sale(order, number=len(self._sales) + 1)
            self._sales[order.key] = known
            self._take_lines(known, order, {line.key: line for line in order.lines})
        self._called("record_sale")
        return self._as_told(known)

    def confirm_sale(self, key: str) -> Sale:
        self._call("confirm_sale")
        sale = self._sale(key)
        if sale.state is SaleState.DRAFT:
            sale.state = SaleState.CONFIRMED
            self._plan_consignment(sale)
            self._changed(sale)
        self._called("confirm_sale")
        return self._as_told(sale)

    def amend_sale(self, order: SalesOrder) -> Sale:
        self._call("amend_sale")
        sale = self._sale(order.key)
        if sale.state is not SaleState.CONFIRMED:
            raise refused(f"the sale is {sale.state}")
        self._check(order.lines)
        settled = self._settled(sale)
        wanted = {line.key: line for line in order.lines}
        for key, units in settled.items():
            if key not in wanted or wanted[key].quantity < units:
                wanted[key] = _scaled(sale.lines[key], units)
        self._take_lines(sale, order, wanted)
        self._plan_consignment(sale)
        self._called("amend_sale")
        return self._as_told(sale)

    def cancel_sale(self, key: str) -> Sale:
        self._call("cancel_sale")
        sale = self._sale(key)
        if any(self._settled(sale).values()) or any(invoice.stands for invoice in sale.invoices):
            raise refused("goods have been picked or an invoice is posted")
        sale.state = SaleState.CANCELLED
        sale.consignments = [_in_state(one, ConsignmentState.CANCELLED) for one in sale.consignments]
        self._changed(sale)
        self._called("cancel_sale")
        return self._as_told(sale)

    def changed_sales(self, since: datetime, cursor: str | None) -> Feed[str]:
        self._call("changed_sales")
        return _page([key for at, key in self._sale_changes if at >= since], cursor)

    # ---- after the order ----

    def ship(self, shipping: Shipping) -> Sale:
        self._call("ship")
        sale = self._sale(shipping.sale)
        if all(one.id != shipping.key for one in sale.consignments):
            units = {line.key: line.quantity for line in shipping.lines}
            self._ship(sale, shipping.key, units, shipping.parcels)
        self._called("ship")
        return self._as_told(sale)

    def take_back(self, goods: GoodsReturn) -> str:
        self._call("take_back")
        if goods.key not in self.returns:
            shipped = self._as_told(self._sale(goods.sale)).shipped
            for line in goods.lines:
                if line.quantity > shipped.get(line.key, 0):
                    raise refused(
                        f"{line.quantity} × {line.sku} cannot come back: {shipped.get(line.key, 0)} were shipped"
                    )
            self.returns[goods.key] = goods
            if goods.received:
                for line in goods.lines:
                    self._move(line.sku, goods.warehouse, line.quantity)
        self._called("take_back")
        return f"return-{goods.key}"

    def post_invoice(self, key: str) -> Sale:
        self._call("post_invoice")
        sale = self._sale(key)
        if not any(invoice.stands for invoice in sale.invoices):
            lines = tuple(InvoicedLine(key=line.key, quantity=line.quantity) for line in sale.lines.values())
            total = self._total(sale.lines.values())
            number = f"INV-{sale.number}"
            sale.invoices.append(
                Invoice(id=number, number=number, state=InvoiceState.POSTED, total=total, unpaid=total, lines=lines)
            )
            self._changed(sale)
        self._called("post_invoice")
        return self._as_told(sale)

    def credit(self, note: CreditNote) -> Invoice:
        self._call("credit")
        if note.key not in self.credits:
            self._check(note.lines)
            rounded = rounding_line(note.total, self._total(note.lines), note.rounding)
            total = self._total([*note.lines, *([rounded] if rounded else [])])
            number = f"CN-{len(self.credits) + 1}"
            self.credit_notes[note.key] = note
            self.credits[note.key] = Invoice(
                id=number, number=number, state=InvoiceState.POSTED, total=total, unpaid=total
            )
        self._called("credit")
        return self.credits[note.key]

    def register_payment(self, payment: PaymentEntry) -> str:
        self._call("register_payment")
        if payment.key not in self.payments:
            self.payments[payment.key] = payment
            self._pay(payment)
        self._called("register_payment")
        return f"payment-{payment.key}"

    # ---- journals ----

    def accounts(self) -> tuple[LedgerAccount, ...]:
        self._call("accounts")
        return tuple(LedgerAccount(code=code, name=name, kind="any") for code, name in self.ledger.items())

    def posted_journal(self, key: str) -> PostedJournal | None:
        self._call("posted_journal")
        journal = self.journals.get(key)
        if journal is None:
            return None
        moved = ((line.account, line.amount) for line in journal.lines)
        return PostedJournal(id=f"journal-{key}", sums=sums_of(moved, journal.currency))

    def post_journal(self, journal: Journal) -> str:
        self._call("post_journal")
        if journal.key not in self.journals:
            require_currency(journal, self.currency)
            require_accounts(journal, self.ledger, "memory")
            if journal.journal not in (None, "General"):
                raise missing_journal(str(journal.journal), "memory")
            if self.closed_until is not None and journal.posted_on <= self.closed_until:
                raise refused(f"the period of {journal.posted_on} is closed")
            self.journals[journal.key] = journal
        self._called("post_journal")
        return f"journal-{journal.key}"

    # ---- stock ----

    def stock(self, skus: Iterable[str], warehouse: str) -> Mapping[str, StockFigure]:
        self._call("stock")
        return {
            sku: StockFigure(
                sku=sku,
                on_hand=self.on_hand.get((sku, warehouse), 0),
                sellable=self.on_hand.get((sku, warehouse), 0) - self._promised(sku, warehouse),
            )
            for sku in skus
            if sku in self.stocked
        }

    def changed_stock(self, since: datetime, cursor: str | None) -> Feed[str]:
        self._call("changed_stock")
        return _page([sku for at, sku in self._stock_changes if at >= since], cursor)

    def apply_count(self, count: StockCount) -> str:
        self._call("apply_count")
        if count.key not in self.counts:
            self.counts[count.key] = count
            for line in count.lines:
                self._move(line.sku, count.warehouse, line.quantity - self.on_hand.get((line.sku, count.warehouse), 0))
        self._called("apply_count")
        return f"count-{count.key}"

    # ---- what staff and the test do ----

    def customers(self) -> dict[str, CustomerCard]:
        """All that there are, by key."""
        return {key: one.card for key, one in self._customers.items()}

    def edit_customer(self, key: str, **fields: Any) -> None:
        """Staff change fields of the card; None: the customer is without it from now on."""
        self._keep(CustomerCard.model_validate({**self._customers[key].card.model_dump(), **fields}))

    def add_customer(self, name: str, **fields: Any) -> str:
        """Staff enter a customer of their own, who has no key of ours. Returns the id."""
        number = len(self._customers) + 1
        card = CustomerCard.model_validate({"key": f"memory/{number}", "name": name, **fields})
        return self._keep(card, is_ours=False).told().id

    def add_product(self, sku: str, units: int | None = None, *, warehouse: str = "WH") -> None:
        """A product, with so many on the shelf; None: a service."""
        self.stocked[sku] = units is not None
        if units is not None:
            self._move(sku, warehouse, units)

    def pick(self, key: str) -> None:
        sale = self._sale(key)
        sale.consignments = [
            _in_state(one, ConsignmentState.PICKED) if one.state is ConsignmentState.WAITING else one
            for one in sale.consignments
        ]
        self._changed(sale)

    def send_off(self, key: str, units: Mapping[str, int] | None = None, parcels: tuple[Parcel, ...] = ()) -> None:
        """The warehouse ships these units by line key; None: all that is open."""
        sale = self._sale(key)
        self._ship(sale, f"{key}/out/{len(sale.consignments) + 1}", dict(units or self._open(sale)), parcels)

    def deliver(self, key: str) -> None:
        sale = self._sale(key)
        sale.consignments = [
            _in_state(one, ConsignmentState.DELIVERED) if one.state is ConsignmentState.SHIPPED else one
            for one in sale.consignments
        ]
        self._changed(sale)

    def sales(self) -> list[Sale]:
        return [self._as_told(sale) for sale in self._sales.values()]

    def order(self, key: str) -> SalesOrder:
        """The order as it was handed over last."""
        return self._sale(key).order

    # ---- within ----

    def _call(self, method: str) -> None:
        self.calls.append(method)
        self.interrupt(method, "before")

    def _called(self, method: str) -> None:
        self.interrupt(method, "after")

    def _keep(self, card: CustomerCard, *, is_ours: bool = True) -> _Customer:
        known = self._customers.get(card.key)
        number = known.number if known else len(self._customers) + 1
        self._customers[card.key] = _Customer(number, card, self.clock(), known.is_ours if known else is_ours)
        return self._customers[card.key]

    def _sale(self, key: str) -> _Sale:
        if key not in self._sales:
            raise not_found(f"there is no sale {key}", "order", "retry the order")
        return self._sales[key]

    def _check(self, lines: Iterable[SaleLine]) -> None:
        for line in lines:
            if line.sku not in self.stocked:
                raise not_found(f"{line.sku} is no product of the back office", "sku", f"create the product {line.sku}")
            for tax in line.taxes:
                if tax not in self.rates:
                    raise not_found(f"there is no tax {tax!r}", "taxes", "name one of the back office's own")

    def _take_lines(self, sale: _Sale, order: SalesOrder, lines: dict[str, SaleLine]) -> None:
        wanted = {line.key: line.quantity for line in order.lines}
        is_as_wanted = {key: line.quantity for key, line in lines.items()} == wanted
        sale.lines = {key: line for key, line in lines.items() if line.quantity}
        sale.order = order
        rounded = rounding_line(order.total, self._total(sale.lines.values()), order.rounding) if is_as_wanted else None
        if rounded:
            sale.lines[ROUNDING] = rounded
        self._changed(sale)

    def _total(self, lines: Iterable[SaleLine]) -> Money:
        return Money.total((part for line in lines for part in (line.amount, *self._tax(line))), self.currency)

    def _tax(self, line: SaleLine) -> list[Money]:
        step = Decimal(1).scaleb(-Money.zero(self.currency).exponent)
        return [
            Money.parse((line.amount.decimal * Decimal(self.rates[name])).quantize(step, ROUND_HALF_UP), self.currency)
            for name in line.taxes
        ]

    def _settled(self, sale: _Sale) -> dict[str, int]:
        units: dict[str, int] = {}
        for one in sale.consignments:
            if one.has_left or one.state is ConsignmentState.PICKED:
                for line in one.lines:
                    units[line.key] = units.get(line.key, 0) + line.quantity
        return units

    def _open(self, sale: _Sale) -> dict[str, int]:
        shipped = self._as_told(sale).shipped
        open_units = {
            key: line.quantity - shipped.get(key, 0) for key, line in sale.lines.items() if self._is_goods(line.sku)
        }
        return {key: units for key, units in open_units.items() if units > 0}

    def _is_goods(self, sku: str) -> bool:
        return self.stocked.get(sku, False)

    def _plan_consignment(self, sale: _Sale) -> None:
        """What is neither picked nor shipped waits in one consignment."""
        kept = [one for one in sale.consignments if one.state is not ConsignmentState.WAITING]
        settled = self._settled(_Sale(sale.order, sale.number, consignments=kept))
        lines = tuple(
            ConsignmentLine(key=key, sku=line.sku, quantity=line.quantity - settled.get(key, 0))
            for key, line in sale.lines.items()
            if self._is_goods(line.sku) and line.quantity > settled.get(key, 0)
        )
        waiting = Consignment(
            id=f"{sale.order.key}/waiting/{len(kept)}", number=None, state=ConsignmentState.WAITING, lines=lines
        )
        sale.consignments = [*kept, *([waiting] if lines else [])]
        for line in sale.lines.values():
            self._stock_changes.append((self.clock(), line.sku))

    def _ship(self, sale: _Sale, name: str, units: dict[str, int], parcels: tuple[Parcel, ...]) -> None:
        still_open = self._open(sale)
        for key, count in units.items():
            if count > still_open.get(key, 0):
                raise refused(f"{count} of line {key} cannot be shipped: {still_open.get(key, 0)} are open")
        lines = tuple(ConsignmentLine(key=key, sku=sale.lines[key].sku, quantity=n) for key, n in units.items())
        left = Consignment(
            id=name,
            number=name,
            state=ConsignmentState.SHIPPED,
            left_at=self.clock(),
            lines=lines,
            parcels=parcels,
        )
        sale.consignments = [*(one for one in sale.consignments if one.has_left), left]
        self._plan_consignment(sale)
        for line in lines:
            self._move(line.sku, sale.order.warehouse, -line.quantity)
        self._changed(sale)

    def _promised(self, sku: str, warehouse: str) -> int:
        return sum(
            units
            for sale in self._sales.values()
            if sale.state is SaleState.CONFIRMED and sale.order.warehouse == warehouse
            for key, units in self._open(sale).items()
            if sale.lines[key].sku == sku
        )

    def _pay(self, payment: PaymentEntry) -> None:
        for sale in self._sales.values():
            sale.invoices = [_paid(one, payment) for one in sale.invoices]
        self.credits = {key: _paid(one, payment) for key, one in self.credits.items()}

    def _move(self, sku: str, warehouse: str, units: int) -> None:
        self.on_hand[sku, warehouse] = self.on_hand.get((sku, warehouse), 0) + units
        self._stock_changes.append((self.clock(), sku))

    def _changed(self, sale: _Sale) -> None:
        self._sale_changes.append((self.clock(), sale.order.key))

    def _as_told(self, sale: _Sale) -> Sale:
        settled = self._settled(sale)
        return Sale(
            id=str(sale.number),
            number=f"SO-{sale.number}",
            key=sale.order.key,
            state=sale.state,
            lines=tuple(
                RecordedLine(key=line.key, sku=line.sku, quantity=line.quantity, settled=settled.get(line.key, 0))
                for line in sale.lines.values()
            ),
            total=self._total(sale.lines.values()),
            consignments=tuple(sale.consignments),
            invoices=tuple(sale.invoices),
        )


def _scaled(line: SaleLine, units: int) -> SaleLine:
    """The line at fewer units, each at the same price."""
    share = Decimal(units) / line.quantity
    step = Decimal(1).scaleb(-line.amount.exponent)
    amount = Money.parse((line.amount.decimal * share).quantize(step, ROUND_HALF_UP), line.amount.currency)
    return line.model_copy(update={"quantity": units, "amount": amount})


def _paid(invoice: Invoice, payment: PaymentEntry) -> Invoice:
    if invoice.id != payment.invoice:
        return invoice
    unpaid = invoice.unpaid - payment.amount
    if unpaid.minor < 0:
        raise refused("more would be paid than is due")
    return invoice.model_copy(update={"unpaid": unpaid, "state": InvoiceState.POSTED if unpaid else InvoiceState.PAID})


def _in_state(consignment: Consignment, state: ConsignmentState) -> Consignment:
    return consignment.model_copy(update={"state": state})


def _page(items: list[_T], cursor: str | None) -> Feed[_T]:
    start = int(cursor or 0)
    return Feed(tuple(items[start : start + _PAGE]), str(start + _PAGE) if len(items) > start + _PAGE else None)
