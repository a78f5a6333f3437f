"""A shop with its books, in memory: an order desk, a back office, and what joins them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from infra.fakes.backoffice import MemoryBackOffice
from shared.backoffices.documents import Sale
from shared.kernel.clock import Clock
from shared.kernel.identifiers import OrderKey
from shared.kernel.money import Amount, Money
from shared.orders.intake import take_in
from shared.orders.models import Order, OrderLine, ShippingLine, TaxLine, Totals, Transaction
from shared.orders.ports import Desk
from shared.orders.readings import CompleteOrder
from shared.orders.record import OrderRecord
from shared.sync.backoffice.push import BooksDesk, Pushed, push
from shared.sync.backoffice.rules import BookRules, ChargeProducts, InvoiceMoment
from shared.sync.backoffice.services import ServiceCatalogue
from shared.sync.customers.buyers import Buyers
from tests.builders.customers import MARKER
from tests.builders.orders import NOON, ZERO, line, order
from tests.builders.stock import counted
from tests.fakes.customers import FakeCustomerBook
from tests.fakes.mirrors import FakeMirrors
from tests.fakes.order_desk import FakeStockRoom, desk

KEY = OrderKey("aurora", "5001")
RULES = BookRules(
    taxes={"0.21": "VAT 21", "0.09": "VAT 9"},
    warehouses={"main": "WH"},
    payment_methods={"*": "Bank"},
    invoice=InvoiceMoment.SHIPPED,
    products=ChargeProducts(gift_card="FEE", adjustment="FEE"),
)


class SteppingClock:
    """One second later at every look."""

    def __init__(self, start: datetime = NOON) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class Company:
    room: FakeStockRoom
    orders: Desk
    office: MemoryBackOffice
    mirrors: FakeMirrors = field(default_factory=FakeMirrors)
    rules: BookRules = RULES
    clock: Clock = field(default_factory=SteppingClock)
    customers: FakeCustomerBook = field(default_factory=FakeCustomerBook)

    @property
    def desk(self) -> BooksDesk:
        services = ServiceCatalogue(self.office, lambda: 0.0)
        buyers = Buyers(self.customers, MARKER)
        return BooksDesk("erp", self.office, self.rules, self.orders, self.mirrors, services, buyers, self.clock)

    def take_in(self, account: Order) -> OrderRecord:
        take_in(account.shop, CompleteOrder(account), self.orders)
        return self.record(account.key)

    def push(self, key: OrderKey = KEY) -> Pushed:
        return push(key, self.desk)

    def record(self, key: OrderKey = KEY) -> OrderRecord:
        found = self.orders.book.find(key)
        assert found is not None
        return found

    def sale(self, key: OrderKey = KEY) -> Sale:
        found = self.office.find_sale(str(key))
        assert found is not None
        return found

    @property
    def invoiced(self) -> Money:
        """What stands in the books: invoices less credit notes."""
        invoices = [one.total for sale in self.office.sales() for one in sale.invoices if one.stands]
        notes = [-note.total for note in self.office.credits.values()]
        return Money.total([*invoices, *notes], "EUR")


def company(**units: int) -> Company:
    """A company with so many of each SKU on both shelves."""
    room = FakeStockRoom()
    clock = SteppingClock()
    office = MemoryBackOffice(clock)
    for sku, count in units.items():
        room.set_level(counted(sku, count))
        office.add_product(sku, count)
    for sku in ("SHIPPING", "FEE", "TIP", "DUTY", "ROUNDING"):
        office.add_product(sku)
    return Company(room, desk(room), office, clock=clock)


def euros(amount: str) -> Amount:
    return Amount.single(Money.parse(amount, "EUR"))


def vat(amount: str, rate: str = "0.21") -> TaxLine:
    return TaxLine(title="VAT", rate=rate, amount=euros(amount))


def taxed(sku: str, units: int, gross: str, tax: str, rate: str = "0.21", **overrides: object) -> OrderLine:
    """A line whose price contains the tax, as European shops state it."""
    return line(
        sku,
        units,
        **{"subtotal": euros(gross), "taxes": (vat(tax, rate),), "unit_price": None, **overrides},
    )


def shipping(gross: str, tax: str) -> ShippingLine:
    return ShippingLine(id="s1", title="Parcel", price=euros(gross), discounted_price=euros(gross), taxes=(vat(tax),))


def paid_by(amount: str, transaction_id: str = "t1", *, kind: str = "sale", gateway: str = "card") -> Transaction:
    return Transaction(
        id=transaction_id,
        parent_id=None,
        kind=kind,
        status="success",
        gateway=gateway,
        amount=Money.parse(amount, "EUR"),
        processed_at=NOON,
    )


def account(*lines: OrderLine, ship: ShippingLine | None = None, minute: int = 0, **overrides: object) -> Order:
    """An order whose totals are the sum of its lines and its shipping, taxes included."""
    subtotal, tax = ZERO, ZERO
    for item in lines:
        subtotal = subtotal + item.subtotal
        for one in item.taxes:
            tax = tax + one.amount
        for discount in item.discounts:
            subtotal = subtotal - discount.amount
    delivery = ship.discounted_price if ship else ZERO
    for one in ship.taxes if ship else ():
        tax = tax + one.amount
    total = subtotal + delivery
    totals = Totals(
        subtotal=subtotal,
        discounts=ZERO,
        shipping=delivery,
        fees=ZERO,
        duties=ZERO,
        tips=ZERO,
        tax=tax,
        gift_cards=ZERO,
        total=total,
    )
    fields: dict[str, Any] = {
        "totals": totals,
        "shipping_lines": (ship,) if ship else (),
        "transactions": (paid_by(f"{total.shop.decimal:f}"),),
        "payment_methods": ("card",),
        "body": f"{minute % 16:x}",
        **overrides,
    }
    return order(*lines, minute=minute, **fields)
