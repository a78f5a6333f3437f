"""The third act's month, made up: what two shops sold, how it was paid, and what goes wrong with it. Pure.

The same again from the same seed. Its days lie before the day that it is made for; all that goes wrong with an order
does so early enough that it is late, and not on its way, when the month is looked at.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import accumulate
from typing import Final

from infra.bench.month.baskets import moments
from shared.finance.models import DiscrepancyKind

ORDERS: Final = 200
SEED: Final = 7
DAYS: Final = 30
_BEGAN_DAYS_AGO: Final = 33
VAT: Final = Decimal("0.21")
"""Within the prices of both shops."""

PRODUCTS: Final = {
    "MUG": 1250,
    "CAP": 1890,
    "LAMP": 4900,
    "SOCKS": 795,
    "TEAPOT": 3450,
    "TRAY": 2295,
    "VASE": 2780,
    "THROW": 6400,
    "CLOCK": 3999,
    "BOWL": 1675,
}
"""Prices in cents, VAT included."""
_SHIPPING: Final = (0, 395, 495, 695)


class Gateway(StrEnum):
    """By which a buyer pays, as the first act's shops may call it."""

    STRIPE = "stripe"
    PAYPAL = "paypal"
    BANK_TRANSFER = "bacs"


class Course(StrEnum):
    """How an order goes. The value says it in the words of the table."""

    PAID = "paid"
    BY_BANK_TRANSFER = "paid by bank transfer, which no feed tells of"
    REFUNDED = "refunded in part, at the shop and at the provider"
    NO_REFERENCE = "paid without any reference to the order"
    NEVER_PAID = "the shop says paid, the provider knows nothing"
    OTHER_NUMBER = "paid under a number that is no order's"
    CHARGED_TWICE = "charged twice"
    TOO_LITTLE = "charged 5.00 less than the order"
    REFUNDED_BY_HAND = "refunded at the provider, and the shop does not know"
    REFUNDED_IN_WORDS = "refunded at the shop, and the provider did not"
    CAPTURED_IN_PART = "captured in part, the rest fell back"
    DEARER = "cost a fee that the contract does not know"
    DISPUTE_LOST = "disputed, and lost"
    DISPUTE_OPEN = "disputed, and not decided"


WRONG: Final = {
    Course.NEVER_PAID: (DiscrepancyKind.MISSING_PAYMENT,),
    Course.OTHER_NUMBER: (DiscrepancyKind.MISSING_PAYMENT, DiscrepancyKind.MISSING_ORDER),
    Course.CHARGED_TWICE: (DiscrepancyKind.DUPLICATE_CAPTURE,),
    Course.TOO_LITTLE: (DiscrepancyKind.AMOUNT_MISMATCH,),
    Course.REFUNDED_BY_HAND: (DiscrepancyKind.REFUND_NOT_IN_STORE,),
    Course.REFUNDED_IN_WORDS: (DiscrepancyKind.REFUND_NOT_AT_PROCESSOR,),
    Course.CAPTURED_IN_PART: (DiscrepancyKind.PARTIAL_CAPTURE,),
    Course.DEARER: (DiscrepancyKind.FEE_VARIANCE,),
    Course.DISPUTE_LOST: (DiscrepancyKind.DISPUTE_LOST,),
    Course.DISPUTE_OPEN: (DiscrepancyKind.DISPUTE_OPEN,),
}
"""What has to be found because of it, by the meaning of the kinds."""

_EARLY: Final = (6, 16)
"""Days of the month in which things go wrong with orders."""
_ODD: Final = (
    (Course.NO_REFERENCE, "aurora", Gateway.STRIPE),
    (Course.NEVER_PAID, "aurora", Gateway.STRIPE),
    (Course.NEVER_PAID, "borealis", Gateway.PAYPAL),
    (Course.OTHER_NUMBER, "aurora", Gateway.STRIPE),
    (Course.CHARGED_TWICE, "borealis", Gateway.STRIPE),
    (Course.TOO_LITTLE, "aurora", Gateway.STRIPE),
    (Course.REFUNDED, "aurora", Gateway.STRIPE),
    (Course.REFUNDED_BY_HAND, "borealis", Gateway.STRIPE),
    (Course.REFUNDED_IN_WORDS, "aurora", Gateway.STRIPE),
    (Course.CAPTURED_IN_PART, "aurora", Gateway.STRIPE),
    (Course.BY_BANK_TRANSFER, "borealis", Gateway.BANK_TRANSFER),
    (Course.DEARER, "borealis", Gateway.STRIPE),
    (Course.REFUNDED, "aurora", Gateway.PAYPAL),
    (Course.DISPUTE_LOST, "borealis", Gateway.STRIPE),
    (Course.NO_REFERENCE, "aurora", Gateway.STRIPE),
    (Course.DEARER, "aurora", Gateway.PAYPAL),
    (Course.DISPUTE_OPEN, "aurora", Gateway.STRIPE),
    (Course.REFUNDED, "aurora", Gateway.STRIPE),
    (Course.BY_BANK_TRANSFER, "borealis", Gateway.BANK_TRANSFER),
)
"""One order of each, in this order."""
_WAYS: Final = ((Gateway.STRIPE, 0.7), (Gateway.PAYPAL, 0.3))


@dataclass(frozen=True, slots=True)
class Item:
    """Goods of one order, VAT included."""

    sku: str
    units: int

    @property
    def gross(self) -> int:
        return PRODUCTS[self.sku] * self.units


@dataclass(frozen=True, slots=True)
class Purchase:
    """One order. Amounts are cents, VAT included."""

    shop: str
    order_id: str
    name: str
    at: datetime
    items: tuple[Item, ...]
    shipping: int
    gateway: Gateway
    course: Course

    @property
    def key(self) -> str:
        return f"{self.shop}/{self.order_id}"

    @property
    def total(self) -> int:
        return sum(item.gross for item in self.items) + self.shipping

    @property
    def refunded_at(self) -> datetime:
        """When a part of it goes back, where its course says so."""
        return self.at + timedelta(days=2, hours=3)

    @property
    def refund(self) -> int:
        """The first line's goods, of one unit."""
        return PRODUCTS[self.items[0].sku]


@dataclass(frozen=True, slots=True)
class PaidOut:
    """A payout that Stripe makes by itself."""

    at: datetime
    short_by: int = 0
    """Cents that it says are sent less than its movements come to."""
    arrives: bool = True
    """Whether the bank ever books it."""


@dataclass(frozen=True, slots=True)
class Month:
    first: date
    today: date
    """The day that it is looked at."""
    purchases: tuple[Purchase, ...]

    def moment(self, number: int, hour: int, minute: int = 0) -> datetime:
        """A time on a day of the month; the first has number 0."""
        return datetime.combine(self.first + timedelta(days=number), time(hour, minute), UTC)

    @property
    def last(self) -> date:
        return self.first + timedelta(days=DAYS - 1)

    @property
    def stripe_payouts(self) -> tuple[PaidOut, ...]:
        return (
            PaidOut(self.moment(4, 6)),
            PaidOut(self.moment(8, 6)),
            PaidOut(self.moment(12, 6), short_by=1_000),
            PaidOut(self.moment(16, 6), arrives=False),
            PaidOut(self.moment(20, 6)),
            PaidOut(self.moment(25, 6)),
        )

    @property
    def paypal_payouts(self) -> tuple[datetime, ...]:
        return tuple(self.moment(number, 5) for number in (7, 14, 21, 28))

    @property
    def unmapped_at(self) -> datetime:
        """When Stripe moves money under a word that no table of ours knows. Nobody finds out what it was: this day and
        those after it do not close."""
        return self.moment(9, 10)

    @property
    def reserved_at(self) -> datetime:
        return self.moment(13, 10)

    @property
    def stranger_at(self) -> datetime:
        """When somebody pays at Stripe for what no shop has sold."""
        return self.moment(10, 14, 30)

    @property
    def windfall_on(self) -> date:
        """When the bank has a line in Stripe's name that no payout explains."""
        return self.first + timedelta(days=22)


def month(today: date, *, seed: int = SEED, orders: int = ORDERS) -> Month:
    """The month before `today`."""
    chance = random.Random(seed)  # noqa: S311 - a month that comes again
    first = today - timedelta(days=_BEGAN_DAYS_AGO)
    placed = list(moments(first, DAYS - 1, orders, chance))
    odd = dict(zip(_odd_ones(first, placed), _ODD, strict=True))
    counter = _Counter(chance)
    return Month(first, today, tuple(counter.purchase(at, odd.get(number)) for number, at in enumerate(placed)))


def fee(amount: int, percent: str, fixed: int) -> int:
    """By the contract, to the nearest cent."""
    return int((Decimal(amount) * Decimal(percent) / 100).quantize(Decimal(1), ROUND_HALF_UP)) + fixed


def tax_in(gross: int) -> int:
    """The VAT within an amount, to the nearest cent."""
    return int((gross * VAT / (1 + VAT)).quantize(Decimal(1), ROUND_HALF_UP))


def _odd_ones(first: date, placed: Sequence[datetime]) -> Iterator[int]:
    """Which orders go another way than all others: evenly spread over the early days."""
    since, until = (datetime.combine(first + timedelta(days=number), time(), UTC) for number in _EARLY)
    early = [number for number, at in enumerate(placed) if since <= at < until]
    step = len(early) // len(_ODD)
    if not step:
        raise ValueError(f"{len(placed)} orders are too few for {len(_ODD)} that go another way")
    yield from early[: step * len(_ODD) : step]


class _Counter:
    """Where orders come in, one after the other."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._popularity = list(accumulate(1 / (rank + 2) for rank in range(len(PRODUCTS))))
        self._numbers = {"aurora": 41_001, "borealis": 7_001}
        self._odd_totals: set[int] = set()

    def purchase(self, at: datetime, odd: tuple[Course, str, Gateway] | None) -> Purchase:
        if odd is None:
            shop = self._chance.choice(("aurora", "borealis"))
            gateway = self._chance.choices([way for way, _ in _WAYS], [share for _, share in _WAYS])[0]
            return self._made(at, shop, gateway, Course.PAID)
        course, shop, gateway = odd
        made = self._made(at, shop, gateway, course)
        while made.total in self._odd_totals:  # what nothing names is told apart by its amount
            items, shipping = self._basket()
            made = replace(made, items=items, shipping=shipping)
        self._odd_totals.add(made.total)
        return made

    def _made(self, at: datetime, shop: str, gateway: Gateway, course: Course) -> Purchase:
        number = self._numbers[shop]
        self._numbers[shop] += 1
        order_id = str(5_900_000_000_000 + number * 37) if shop == "aurora" else str(number)
        items, shipping = self._basket()
        return Purchase(shop, order_id, f"#{number}", at, items, shipping, gateway, course)

    def _basket(self) -> tuple[tuple[Item, ...], int]:
        count = self._chance.choices((1, 2), (0.85, 0.15))[0]
        wanted = {self._product() for _ in range(count)}
        units = {sku: self._chance.choices((1, 2, 3), (0.8, 0.15, 0.05))[0] for sku in sorted(wanted)}
        return tuple(Item(sku, number) for sku, number in units.items()), self._chance.choice(_SHIPPING)

    def _product(self) -> str:
        return self._chance.choices(tuple(PRODUCTS), cum_weights=self._popularity)[0]
