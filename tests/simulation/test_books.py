"""The life of one order in random order, pushed into a back office by a worker that may die at any call of it: once all
is quiet, goods and money are the same on both sides.

Each seed is a test of its own, so a failing one is named, tells its history and replays by itself:
`pytest "tests/simulation/test_books.py::test_both_sides_agree_once_all_is_quiet[seed-17]"`. `SEEDS=…` plays another
number of them.

Left out, because no answer is the right one:

- a merchant who keeps part of a refund as a fee: a storefront states the whole price of the goods and less money, and
  nowhere what the difference is for. The one exception is an order that is cancelled after a goodwill refund: nothing
  of it is left, whatever the difference was for;
- a refund without goods, shipping and money: it says that nothing happened;
- parts of an unpaid order that are struck out and never deducted from what the buyer pays.

What is known to be wrong has a case of its own at the end, marked as failing; the histories make way for it where they
say so.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from shared.backoffices.documents import SaleState
from shared.kernel.errors import Rejected
from shared.kernel.money import Amount, Money
from shared.orders.dispatch import units_by_line
from shared.orders.models import (
    DiscountAllocation,
    Fulfilment,
    Order,
    OrderLine,
    PaymentState,
    Refund,
    RefundAdjustment,
    RefundLine,
    RestockKind,
    ShippingLine,
    TaxLine,
    Totals,
    Transaction,
)
from shared.orders.review import ReviewRules
from shared.sync.backoffice.bookkeeping import books_of
from shared.sync.backoffice.books import Books
from shared.sync.backoffice.push import services_of
from shared.sync.backoffice.rules import InvoiceMoment
from tests.builders.books import KEY, RULES, Company, company
from tests.builders.orders import NOON, line, order, shipment
from tests.contract.backoffices.world import Killed
from tests.fakes.order_desk import desk

SEEDS = int(os.environ.get("SEEDS", "600"))
MOST_EVENTS = 16
SKUS = ("MUG", "CAP", "LAMP")
STOCK = 50
MOMENTS = (InvoiceMoment.ORDER, InvoiceMoment.PAID, InvoiceMoment.SHIPPED)
KNOWN_REFUSALS: frozenset[str] = frozenset()
"""Codes with which a push may refuse one of these orders: none, there is nothing for a person to settle in them."""
SHIP_AT_ONCE = ReviewRules(release_when="any", hold_unclear_refunds=False)
"""Goods leave before the money is there, and whatever a refund says: what may be shipped is not the question here."""
LEFT_UNSHIPPED = (RestockKind.CANCELLED_BEFORE_SHIPPING, RestockKind.NOT_RESTOCKED, RestockKind.UNKNOWN)
KEPT = (RestockKind.NOT_RESTOCKED, RestockKind.UNKNOWN)


# ---- the storefront --------------------------------------------------------------------------------------------------


@dataclass
class Item:
    """A line as the storefront sees it. Amounts are in minor units and for all units."""

    sku: str
    units: int
    subtotal: int
    discount: int
    rate: str
    tax: int
    taken_out: int = 0
    shown: int = 0
    """Units that the storefront shows as shipped."""
    given_back: int = 0
    """Units that were refunded after they were shipped."""
    is_owed: bool = False
    """Whether units were taken off a paid order, and no money went with that."""
    is_kept: bool = False
    """Whether the buyer kept units that were refunded."""

    @property
    def line_id(self) -> str:
        return f"line-{self.sku}"

    @property
    def price(self) -> int:
        return self.subtotal - self.discount

    @property
    def open(self) -> int:
        return self.units - self.taken_out - self.shown

    def share(self, whole: int, units: int) -> int:
        """Of an amount of the line, what the next refunded units bear: together exactly all of it."""
        before = self.taken_out + self.given_back
        return whole * (before + units) // self.units - whole * before // self.units


class Storefront:
    """One order, and what the storefront tells of it."""

    def __init__(self, items: list[Item], *, currency: str, taxes_included: bool, shipping: int, paid: bool) -> None:
        self.items = items
        self.currency = currency
        self.taxes_included = taxes_included
        self.shipping = shipping
        self.shipping_tax = tax_of(shipping, "0.21", included=taxes_included)
        self.paid = paid
        self.shipping_refunded = False
        self.has_goodwill = False
        self.struck = 0
        """What the buyer was to pay and need not any more: taken off before any money came."""
        self.owed = 0
        """What was taken off a paid order and is still to be given back."""
        self.refunded = 0
        self.refunds: list[Refund] = []
        self.shipments: list[Fulfilment] = []
        self.cancelled_at: datetime | None = None
        self.minute = 0

    @property
    def total(self) -> int:
        return self.shipping_gross + sum(item.price + self._on_top(item.tax) for item in self.items)

    @property
    def shipping_gross(self) -> int:
        return self.shipping + self._on_top(self.shipping_tax)

    @property
    def charged(self) -> int:
        return self.total - self.struck

    @property
    def left(self) -> int:
        """What could still be given back."""
        return self.charged - self.refunded - self.owed

    def worth(self, item: Item, units: int) -> int:
        return item.share(item.price, units) + self._on_top(item.share(item.tax, units))

    def take_out(self, item: Item, units: int, restock: RestockKind, *, pays: bool) -> None:
        worth, line = self.worth(item, units), self._refund_line(item, units, restock)
        item.taken_out += units
        item.is_owed |= self.paid and not pays
        self._refund(worth, (line,), pays=pays)

    def give_back(self, item: Item, units: int, restock: RestockKind, *, pays: bool) -> None:
        worth, line = self.worth(item, units), self._refund_line(item, units, restock)
        item.given_back += units
        item.is_owed |= self.paid and not pays
        item.is_kept |= restock in KEPT
        self._refund(worth, (line,), pays=pays)

    def refund_shipping(self, *, pays: bool) -> None:
        self.shipping_refunded = True
        self._refund(self.shipping_gross, (), adjustments=(self._shipping_refund(),), pays=pays)

    def refund_money(self, amount: int) -> None:
        """Money alone: goodwill, or what was owed."""
        self._refund(amount, (), pays=True)

    def cancel(self) -> None:
        """All of it, before anything is shown as shipped; all money that is left goes back, the shipping's too."""
        lines = []
        for item in self.items:
            if item.open:
                lines.append(self._refund_line(item, item.open, RestockKind.CANCELLED_BEFORE_SHIPPING))
                item.taken_out += item.open
        adjustments = (self._shipping_refund(),) if self.shipping and not self.shipping_refunded else ()
        self.shipping_refunded = True
        amount = self.left + self.owed
        self.owed = 0
        self._refund(amount, tuple(lines), adjustments=adjustments, pays=True)
        self.cancelled_at = self._now()

    def ship(self, **units: int) -> None:
        """By SKU."""
        lines = []
        for item in self.items:
            if units.get(item.sku):
                item.shown += units[item.sku]
                lines.append((item.line_id, units[item.sku]))
        shown = shipment(*lines, at=self._now())
        self.shipments.append(shown.model_copy(update={"id": f"ship-{len(self.shipments) + 1}"}))

    def account(self) -> Order:
        """The order as it is now, a minute later than at the last time."""
        self.minute += 1
        stated = {
            "lines": tuple(map(self._line, self.items)),
            "currency": self.currency,
            "presentment_currency": self.currency,
            "taxes_included": self.taxes_included,
            "totals": self._totals(),
            "shipping_lines": self._shipping_lines(),
            "payment": self._payment_state(),
            "payment_methods": ("card",),
            "transactions": (self._transaction("t1", "sale", self.charged),) if self.paid else (),
            "refunds": tuple(self.refunds),
            "fulfilments": tuple(self.shipments),
            "cancelled_at": self.cancelled_at,
        }
        return order(minute=self.minute, body=f"{self.minute % 16:x}").model_copy(update=stated)

    def money(self, minor: int) -> Money:
        return Money.zero(self.currency).model_copy(update={"minor": minor})

    def _refund(
        self,
        worth: int,
        lines: tuple[RefundLine, ...],
        *,
        adjustments: tuple[RefundAdjustment, ...] = (),
        pays: bool,
    ) -> None:
        """Without `pays`, or before any money came, the refund says what was taken off and no money goes."""
        name = str(len(self.refunds) + 1)
        amount = worth if pays and self.paid else 0
        self.refunded += amount
        if not self.paid:
            self.struck += worth
        elif not pays:
            self.owed += worth
        refund = Refund(
            id=name,
            created_at=self._now(),
            amount=self._amount(amount),
            lines=lines,
            adjustments=adjustments,
            transactions=(self._transaction(f"r{name}", "refund", amount),) if amount else (),
        )
        self.refunds.append(refund)

    def _refund_line(self, item: Item, units: int, restock: RestockKind) -> RefundLine:
        return RefundLine(
            line_id=item.line_id,
            quantity=units,
            restock=restock,
            subtotal=self._amount(item.share(item.price, units)),
            tax=self._amount(item.share(item.tax, units)),
        )

    def _shipping_refund(self) -> RefundAdjustment:
        """Storefronts state it as a negative amount, without its tax."""
        net = self.shipping_gross - self.shipping_tax
        return RefundAdjustment(
            kind="shipping_refund", reason=None, amount=self._amount(-net), tax=self._amount(-self.shipping_tax)
        )

    def _line(self, item: Item) -> OrderLine:
        discount = DiscountAllocation(amount=self._amount(item.discount), application=None)
        return line(
            item.sku,
            item.units,
            unit_price=None,
            subtotal=self._amount(item.subtotal),
            discounts=(discount,) if item.discount else (),
            taxes=(self._tax(item.rate, item.tax),),
            current_quantity=item.units - item.taken_out - item.given_back,
            open_quantity=item.open,
        )

    def _shipping_lines(self) -> tuple[ShippingLine, ...]:
        price = self._amount(self.shipping)
        taxes = (self._tax("0.21", self.shipping_tax),)
        parcel = ShippingLine(id="s1", title="Parcel", price=price, discounted_price=price, taxes=taxes)
        return (parcel,) if self.shipping else ()

    def _totals(self) -> Totals:
        nothing = self._amount(0)
        return Totals(
            subtotal=self._amount(sum(item.price for item in self.items)),
            discounts=self._amount(sum(item.discount for item in self.items)),
            shipping=self._amount(self.shipping),
            fees=nothing,
            duties=nothing,
            tips=nothing,
            tax=self._amount(sum(item.tax for item in self.items) + self.shipping_tax),
            gift_cards=nothing,
            total=self._amount(self.total),
        )

    def _payment_state(self) -> PaymentState:
        if not self.paid:
            return PaymentState.VOIDED if self.cancelled_at else PaymentState.PENDING
        if not self.refunded:
            return PaymentState.PAID
        return PaymentState.REFUNDED if self.refunded >= self.charged else PaymentState.PARTIALLY_REFUNDED

    def _transaction(self, name: str, kind: str, minor: int) -> Transaction:
        return Transaction(
            id=name,
            parent_id=None,
            kind=kind,
            status="success",
            gateway="card",
            amount=self.money(minor),
            processed_at=self._now(),
        )

    def _tax(self, rate: str, minor: int) -> TaxLine:
        return TaxLine(title="VAT", rate=rate, amount=self._amount(minor))

    def _amount(self, minor: int) -> Amount:
        return Amount.single(self.money(minor))

    def _on_top(self, tax: int) -> int:
        return 0 if self.taxes_included else tax

    def _now(self) -> datetime:
        return NOON + timedelta(minutes=self.minute)


def tax_of(price: int, rate: str, *, included: bool) -> int:
    """The tax in a price, or on top of it, as the storefront rounds it: half to even, the back office half up."""
    tax = price * Decimal(rate)
    return int((tax / (1 + Decimal(rate)) if included else tax).quantize(Decimal(1), ROUND_HALF_EVEN))


# ---- a random history ------------------------------------------------------------------------------------------------


class History:
    """An order, what befalls it, and a note of all that did."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - repeatable by its seed
        self.noted = [f"seed {seed}"]
        self.refusals: list[str] = []
        """Codes."""
        self.unknown_shipments: set[str] = set()
        """SKUs that the storefront showed as shipped and the back office did not, right after a push."""
        currency = self.dice.choice(("EUR", "EUR", "EUR", "JPY", "KWD"))
        moment = self.dice.choice(MOMENTS)
        self.shop = shop_in(currency, moment)
        self.front = self._order(currency)
        self._note("placed", moment, currency, vars(self.front)["items"], self.front.shipping, self.front.paid)

    def __str__(self) -> str:
        return "\n".join(self.noted)

    def play(self) -> None:
        self._tell()
        for _ in range(self.dice.randint(2, MOST_EVENTS)):
            event = self.dice.choice(
                [
                    *(self.take_out, self.take_out, self.give_back, self.give_back, self.goodwill),
                    *(self.refund_shipping, self.pay_back, self.pay, self.cancel, self.ship_elsewhere),
                    *(self.send, self.send, self.pick, self.deliver, self.show, self.show),
                    *(self.push, self.push, self.push_and_die, self.push_and_die),
                ]
            )
            event()

    def settle(self) -> None:
        """All that waits is done: the money paid, the goods sent and shown, what is owed given back."""
        self.pay()
        self.push()
        self.send(everything=True)
        for _ in range(2):
            self.push()
            self.show()
        self.pay_back()
        self.push()

    # ---- at the storefront ----

    def take_out(self) -> None:
        """Before it is shown as shipped; the warehouse may have been faster."""
        item = self.dice.choice(self.front.items)
        if units := self._some(item.open):
            restock = self.dice.choice(LEFT_UNSHIPPED)
            pays = self._pays(item, units)
            if pays is not None:
                self._note("taken out", item.sku, units, restock, pays)
                self.front.take_out(item, units, restock, pays=pays)
                self._tell()

    def give_back(self) -> None:
        item = self.dice.choice(self.front.items)
        if units := self._some(item.shown - item.given_back):
            restock = self.dice.choice((RestockKind.RETURNED, RestockKind.RETURNED, *KEPT))
            pays = self._pays(item, units)
            if pays is not None:
                self._note("given back", item.sku, units, restock, pays)
                self.front.give_back(item, units, restock, pays=pays)
                self._tell()

    def goodwill(self) -> None:
        if self.front.paid and self.front.left > 0 and self._chance(0.3):
            amount = self.dice.randint(1, min(200, self.front.left))
            self._note("goodwill", amount)
            self.front.has_goodwill = True
            self.front.refund_money(amount)
            self._tell()

    def refund_shipping(self) -> None:
        front = self.front
        is_possible = front.shipping and not front.shipping_refunded and front.shipping_gross <= front.left
        if is_possible and self._chance(0.4):
            self._note("shipping refunded")
            front.refund_shipping(pays=True)
            self._tell()

    def pay_back(self) -> None:
        if self.front.owed:
            self._note("paid back", self.front.owed)
            self.front.refund_money(self.front.owed)
            self.front.owed = 0
            self._tell()

    def pay(self) -> None:
        if not self.front.paid and not self.front.cancelled_at and self.front.charged:
            self._note("paid", self.front.charged)
            self.front.paid = True
            self._tell()

    def cancel(self) -> None:
        if not self.front.cancelled_at and not self.front.shipments and self._chance(0.15):
            self._note("cancelled")
            self.front.cancel()
            self._tell()

    def ship_elsewhere(self) -> None:
        """The storefront's own staff ship."""
        item = self.dice.choice(self.front.items)
        if units := self._some(item.open):
            self._note("shipped by the storefront", item.sku, units)
            self.front.ship(**{item.sku: units})
            self._tell()

    def show(self) -> None:
        """The storefront is told what the back office has sent."""
        mirror = self.shop.mirrors.find(KEY)
        sent = units_by_line(mirror.dispatches) if mirror else {}
        beyond = {item.sku: min(sent.get(item.line_id, 0) - item.shown, item.open) for item in self.front.items}
        news = {sku: units for sku, units in beyond.items() if units > 0}
        if news:
            self._note("shown", news)
            self.front.ship(**news)
            self._tell()

    # ---- in the back office's warehouse ----

    def send(self, *, everything: bool = False) -> None:
        if not self._is_confirmed():
            return
        waiting = self.shop.office._open(self.shop.office._sales[str(KEY)])
        if waiting and not everything and self._chance(0.5):
            key = self.dice.choice(sorted(waiting))
            waiting = {key: self.dice.randint(1, waiting[key])}
        if waiting:
            self._note("sent", waiting)
            self.shop.office.send_off(str(KEY), waiting)

    def pick(self) -> None:
        if self._is_confirmed():
            self._note("picked")
            self.shop.office.pick(str(KEY))

    def deliver(self) -> None:
        if self._is_confirmed():
            self._note("delivered")
            self.shop.office.deliver(str(KEY))

    # ---- the worker ----

    def push(self) -> tuple[str, ...]:
        try:
            pushed = self.shop.push()
            steps = pushed.steps
            shipped = pushed.sale.shipped if pushed.sale else {}
            behind = {item.sku for item in self.front.items if item.shown > shipped.get(item.line_id, 0)}
            self.unknown_shipments |= behind if pushed.sale else set()
        except Rejected as refusal:
            self.refusals.append(refusal.code)
            steps = (f"refused: {refusal}",)
        self._note("pushed", *steps)
        return steps

    def push_and_die(self) -> None:
        """At one of the next calls of the back office, before or after it took effect; or the push ends earlier."""
        calls_left, moment = self.dice.randint(1, 9), self.dice.choice(("before", "after"))

        def die(method: str, when: str) -> None:
            nonlocal calls_left
            calls_left -= when == "before"
            if calls_left <= 0 and when == moment:
                self._note("died", moment, method)
                raise Killed

        self.shop.office.interrupt = die
        try:
            self.push()
        except Killed:
            return
        finally:
            self.shop.office.interrupt = lambda _method, _when: None

    # ---- within ----

    def _order(self, currency: str) -> Storefront:
        included = self._chance(0.6)
        items = [self._item(sku, included=included) for sku in SKUS[: self.dice.randint(1, len(SKUS))]]
        shipping = self.dice.choice((0, 495, 600))
        return Storefront(items, currency=currency, taxes_included=included, shipping=shipping, paid=self._chance(0.7))

    def _item(self, sku: str, *, included: bool) -> Item:
        units, rate = self.dice.randint(1, 4), self.dice.choice(("0.21", "0.09"))
        subtotal = units * self.dice.randint(1, 3000)
        discount = self.dice.randint(0, subtotal // 2) if self._chance(0.4) else 0
        return Item(sku, units, subtotal, discount, rate, tax_of(subtotal - discount, rate, included=included))

    def _tell(self) -> None:
        self.shop.take_in(self.front.account())

    def _some(self, most: int) -> int:
        return self.dice.randint(1, most) if most > 0 else 0

    def _pays(self, item: Item, units: int) -> bool | None:
        """Whether money goes for the units; None where less is left than they are worth (no fee is kept)."""
        if self.front.worth(item, units) > self.front.left:
            return None
        return self._chance(0.75)

    def _chance(self, of: float) -> bool:
        return self.dice.random() < of

    def _is_confirmed(self) -> bool:
        sale = self.shop.office._sales.get(str(KEY))
        return sale is not None and sale.state is SaleState.CONFIRMED

    def _note(self, *words: object) -> None:
        self.noted.append(" ".join(map(str, words)))


def shop_in(currency: str, moment: InvoiceMoment = InvoiceMoment.SHIPPED) -> Company:
    shop = company(**dict.fromkeys(SKUS, STOCK))
    shop.office.currency = currency
    shop.orders = desk(shop.room, rules=SHIP_AT_ONCE)
    shop.rules = RULES.model_copy(update={"invoice": moment})
    return shop


# ---- what holds ------------------------------------------------------------------------------------------------------


def books(shop: Company) -> Books:
    account, record = shop.orders.book.find_account(KEY), shop.record()
    assert account is not None
    buyer = shop.desk.buyers(account)
    return books_of(account, record, shop.rules, buyer=buyer, warehouse="WH", services=services_of(account, shop.desk))


def invoiced(shop: Company) -> Money:
    """What stands in the books: invoices less credit notes."""
    invoices = [one.total for sale in shop.office.sales() for one in sale.invoices if one.stands]
    notes = [-note.total for note in shop.office.credits.values()]
    return Money.total([*invoices, *notes], shop.office.currency)


def kept(front: Storefront) -> Money:
    """What the storefront charged less what it gave back."""
    return front.money(front.charged - front.refunded)


def _faults(history: History) -> Iterator[str]:
    shop, front = history.shop, history.front
    steps = history.push()
    if unknown := set(history.refusals) - KNOWN_REFUSALS:
        yield f"refused: {unknown}"
    if history.unknown_shipments:
        yield f"not known as shipped to the back office: {history.unknown_shipments}"
    if len(shop.office.sales()) > 1:
        yield "more than one sale"
    if steps:
        yield f"not at rest: {steps}"
    if not _is_misread(shop, front):
        yield from _faults_of_money(shop, front)
    yield from _faults_of_goods(shop)


def _is_misread(shop: Company, front: Storefront) -> bool:
    """Known, about one in two hundred of these lives: money that goes later than its goods is a sum without lines, and
    may be taken for other goods, where units were kept by the buyer or the warehouse was faster.
    """
    is_owed = any(item.is_owed for item in front.items)
    is_mixed = any(item.is_owed and item.is_kept and item.taken_out for item in front.items)
    return (is_owed and _was_faster(shop)) or is_mixed


def _was_faster(shop: Company) -> bool:
    """Whether the warehouse sent units that had been taken out."""
    return any("/recall/" in key for key in shop.office.returns)


def _faults_of_money(shop: Company, front: Storefront) -> Iterator[str]:
    # A sale that keeps what the warehouse was faster with is the back office's own, and it rounds in its own way.
    limit = RULES.rounding_limit if _was_faster(shop) else 0
    if abs((invoiced(shop) - kept(front)).minor) > limit:
        yield f"the storefront kept {kept(front)}, {invoiced(shop)} are invoiced"
    sale, wanted = shop.office.find_sale(str(KEY)), books(shop)
    if sale and sale.state is not SaleState.CANCELLED and abs((sale.total - wanted.total).minor) > limit:
        yield f"the books come to {wanted.total}, the sale to {sale.total}"


def _faults_of_goods(shop: Company) -> Iterator[str]:
    sale = shop.office.find_sale(str(KEY))
    shipped = sale.shipped if sale else {}
    returned = Counter[str]()
    for goods in shop.office.returns.values():
        returned.update({each.key: each.quantity for each in goods.lines})
    for sku in SKUS:
        held, there = shop.room.lines[sku, "main"], shop.office.on_hand[sku, "WH"]
        if held.on_hand != there:
            yield f"{held.on_hand} {sku} on our shelf, {there} on the back office's"
        if held.reserved or shop.mirrors.promises["erp", "main", sku]:
            yield f"{sku} is promised although nothing is open"
        if returned[f"line-{sku}"] > shipped.get(f"line-{sku}", 0):
            yield f"{returned[f'line-{sku}']} {sku} came back of {shipped.get(f'line-{sku}', 0)}"


@pytest.mark.parametrize("seed", range(SEEDS), ids=lambda seed: f"seed-{seed}")
def test_both_sides_agree_once_all_is_quiet(seed: int) -> None:
    history = History(seed)
    history.play()
    history.settle()
    faults = list(_faults(history))
    assert not faults, "\n".join([*faults, str(history)])


def test_a_history_replays_by_its_seed() -> None:
    first, second = History(7), History(7)
    for history in (first, second):
        history.play()
        history.settle()
    assert str(first) == str(second)
    assert first.shop.office.calls == second.shop.office.calls


# ---- other currencies ------------------------------------------------------------------------------------------------


def placed(item: Item, *, currency: str, taxes_included: bool = True, shipping: int = 0) -> tuple[Company, Storefront]:
    """A paid order of one line, pushed into the back office."""
    shop = shop_in(currency)
    front = Storefront([item], currency=currency, taxes_included=taxes_included, shipping=shipping, paid=True)
    tell(shop, front)
    return shop, front


def tell(shop: Company, front: Storefront) -> None:
    shop.take_in(front.account())
    shop.push()


def test_yen_tie_out_to_the_yen() -> None:
    """3 at 333, 173 of it tax, and 500 for the parcel, 87 of it tax."""
    shop, front = placed(Item("MUG", 3, 999, 0, "0.21", 173), currency="JPY", shipping=500)
    assert str(shop.sale().total) == "1499 JPY"
    shop.office.send_off(str(KEY))
    shop.push()
    assert str(invoiced(shop)) == "1499 JPY"
    front.ship(MUG=3)
    front.give_back(front.items[0], 1, RestockKind.RETURNED, pays=True)
    tell(shop, front)
    assert str(invoiced(shop)) == "1166 JPY"
    assert shop.push().steps == ()


def test_yen_on_top_of_the_price_that_do_not_divide_by_the_units() -> None:
    """3 for 1000 yen and 90 of tax: one that was taken out takes 333 and 30 with it."""
    shop, front = placed(Item("MUG", 3, 1100, 100, "0.09", 90), currency="JPY", taxes_included=False)
    assert str(shop.sale().total) == "1090 JPY"
    front.take_out(front.items[0], 1, RestockKind.CANCELLED_BEFORE_SHIPPING, pays=True)
    tell(shop, front)
    assert str(shop.sale().total) == "727 JPY"
    shop.office.send_off(str(KEY))
    shop.push()
    assert str(invoiced(shop)) == "727 JPY"
    assert shop.office.credits == {}


def test_dinars_tie_out_to_the_thousandth() -> None:
    """2 at 12.345 less 1.001 and 2.132 of tax, the parcel at 1.250 and 0.262: the back office rounds that tax up."""
    shop, front = placed(Item("MUG", 2, 24690, 1001, "0.09", 2132), currency="KWD", taxes_included=False, shipping=1250)
    assert str(shop.sale().total) == "27.333 KWD"
    shop.office.send_off(str(KEY))
    shop.push()
    front.ship(MUG=2)
    front.give_back(front.items[0], 1, RestockKind.RETURNED, pays=True)
    tell(shop, front)
    (note,) = shop.office.credits.values()
    assert str(note.total) == "12.910 KWD"
    assert str(invoiced(shop)) == "14.423 KWD"
    assert shop.office.on_hand["MUG", "WH"] == shop.room.lines["MUG", "main"].on_hand == STOCK - 1


# ---- known to be wrong -----------------------------------------------------------------------------------------------


def test_a_payment_that_was_made_and_not_noted_comes_to_rest() -> None:
    shop, front = placed(Item("MUG", 1, 1210, 0, "0.21", 210), currency="EUR")
    shop.office.send_off(str(KEY))
    shop.push()
    front.refund_money(100)
    shop.take_in(front.account())

    def die(method: str, when: str) -> None:
        if (method, when) == ("register_payment", "after"):
            raise Killed

    shop.office.interrupt = die
    with pytest.raises(Killed):
        shop.push()
    shop.office.interrupt = lambda _method, _when: None
    shop.push()
    assert shop.push().steps == ()


def test_what_the_warehouse_was_faster_with_is_credited_once_where_its_money_goes_later() -> None:
    shop = shop_in("EUR", InvoiceMoment.ORDER)
    item = Item("MUG", 2, 2420, 0, "0.21", 420)
    front = Storefront([item], currency="EUR", taxes_included=True, shipping=0, paid=True)
    tell(shop, front)
    shop.office.send_off(str(KEY))
    front.take_out(item, 1, RestockKind.CANCELLED_BEFORE_SHIPPING, pays=False)
    tell(shop, front)
    shop.push()
    front.refund_money(front.owed)
    tell(shop, front)
    assert invoiced(shop).equals(kept(front))


def test_what_the_warehouse_was_faster_with_is_invoiced_to_the_cent() -> None:
    shop = shop_in("EUR")
    cap, mug = Item("CAP", 3, 1326, 0, "0.21", 278), Item("MUG", 1, 1000, 0, "0.21", 210)
    front = Storefront([cap, mug], currency="EUR", taxes_included=False, shipping=0, paid=True)
    tell(shop, front)
    shop.office.send_off(str(KEY), {"line-CAP": 2, "line-MUG": 1})
    front.take_out(cap, 3, RestockKind.CANCELLED_BEFORE_SHIPPING, pays=True)
    for _ in range(3):
        tell(shop, front)
    assert invoiced(shop).equals(kept(front))


def test_goods_that_the_buyer_keeps_are_credited_where_their_money_goes_later() -> None:
    mug = Item("MUG", 2, 2420, 0, "0.21", 420)
    shop, front = placed(mug, currency="EUR")
    front.take_out(mug, 1, RestockKind.CANCELLED_BEFORE_SHIPPING, pays=True)
    tell(shop, front)
    shop.office.send_off(str(KEY))
    shop.push()
    front.ship(MUG=1)
    front.give_back(mug, 1, RestockKind.NOT_RESTOCKED, pays=False)
    tell(shop, front)
    front.refund_money(front.owed)
    tell(shop, front)
    assert invoiced(shop).equals(kept(front))


def test_goods_that_were_taken_out_are_credited_where_others_are_kept() -> None:
    shop = shop_in("EUR", InvoiceMoment.ORDER)
    mug = Item("MUG", 2, 2420, 0, "0.21", 420)
    front = Storefront([mug], currency="EUR", taxes_included=True, shipping=0, paid=True)
    front.ship(MUG=1)
    front.give_back(mug, 1, RestockKind.NOT_RESTOCKED, pays=True)
    tell(shop, front)
    front.take_out(mug, 1, RestockKind.CANCELLED_BEFORE_SHIPPING, pays=False)
    tell(shop, front)
    front.refund_money(front.owed)
    tell(shop, front)
    assert invoiced(shop).equals(kept(front))


def test_goodwill_is_not_the_money_of_what_is_taken_out_later() -> None:
    shop = shop_in("EUR", InvoiceMoment.ORDER)
    mug = Item("MUG", 2, 2420, 0, "0.21", 420)
    front = Storefront([mug], currency="EUR", taxes_included=True, shipping=0, paid=True)
    front.refund_money(100)
    tell(shop, front)
    front.take_out(mug, 1, RestockKind.CANCELLED_BEFORE_SHIPPING, pays=False)
    tell(shop, front)
    front.refund_money(front.owed)
    tell(shop, front)
    assert invoiced(shop).equals(kept(front))
