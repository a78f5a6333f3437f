"""Lets the third act's month happen at the providers and the bank, and keeps the truth about it.

Stripe is a twin that the stack asks over HTTP; PayPal is an account whose settlement reports somebody downloads, and
the bank one whose statements are; both come as files that overlap.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from infra.demo.finance_month import WRONG, Course, Gateway, Month, Purchase, fee
from infra.fakes.payment_twins import STRIPE, StripeTwin
from infra.samples import paypal as samples
from shared.finance.matching.calendar import add_business_days
from shared.finance.models import DiscrepancyKind

PAYPAL: Final = "paypal-eu"
BANK: Final = "main"
STRIPE_FEES: Final = ("1.5", 25)
PAYPAL_FEES: Final = ("2.49", 35)
BANK_COLUMNS: Final = {
    "booked_on": "Datum",
    "amount": "Bedrag",
    "text": ["Omschrijving"],
    "id": "Volgnummer",
    "delimiter": ";",
    "decimal_mark": ",",
}
"""As the bank's export has them, for the settings."""
UNMAPPED: Final = "goodwill_2026"
"""Stripe's word for a movement that no table of ours has."""
_UNMAPPED_AMOUNT: Final = 750
_RESERVED: Final = -6_000
_TOO_DEAR: Final = 137
_TOO_LITTLE: Final = 500
_STRANGER: Final = 8_642
_WINDFALL: Final = 32_109
_DISPUTE_FEE: Final = 2_000
_BANK_DAYS: Final = 2
"""Business days until a payout of Stripe's is at the bank."""
_NO_ORDER: Final = "5999999999999"
"""A number of the shape of Aurora's, and of no order."""


class Planted(NamedTuple):
    """One thing that is wrong, and what it is about."""

    kind: DiscrepancyKind
    what: str
    items: frozenset[str]
    """As an exception names them: `order:aurora/5001`, `line:stripe-eu/txn_1`."""


class File(NamedTuple):
    name: str
    content: bytes


class _Booked(NamedTuple):
    on: date
    amount: int
    text: str
    number: int


class _Settled(NamedTuple):
    at: datetime
    row: dict[str, str]


@dataclass
class Providers:
    """What happened at Stripe, at PayPal and at the bank."""

    month: Month
    stripe: StripeTwin
    planted: list[Planted] = field(default_factory=list)
    payments: dict[str, str] = field(default_factory=dict)
    """By the order's key: what the provider calls its payment."""
    charges: dict[str, str] = field(default_factory=dict)
    """The truth: `stripe-eu/ch_1` to the key of the order that it names or that only its amount can tell; blank where
    it names none that there is."""
    paypal_holds: int = 0
    """Cents that PayPal holds for the merchant."""
    settled: list[_Settled] = field(default_factory=list)
    booked: list[_Booked] = field(default_factory=list)
    second_charge: str = ""
    """The one that the buyer who was charged twice is to get back."""
    owed_again: str = ""
    """Key of the order that was paid under another number."""
    mistyped: str = ""
    """The charge that paid it."""

    # ---- the month goes by ----

    def live(self) -> None:
        """Let everything happen, in the order of time: a payout takes what is there."""
        for _, happen in sorted(self._happenings(), key=lambda one: one[0]):
            happen()

    def _happenings(self) -> Iterator[tuple[datetime, Callable[[], None]]]:
        month = self.month
        for purchase in month.purchases:
            yield from self._course(purchase)
        for number, payout in enumerate(month.stripe_payouts):
            yield payout.at, lambda number=number: self._pay_out(number)  # type: ignore[misc]
        for at in month.paypal_payouts:
            yield at, lambda at=at: self._sweep(at)  # type: ignore[misc]
        yield month.unmapped_at, self._move_unmapped
        yield month.reserved_at, self._reserve
        yield month.stranger_at, self._meet_stranger
        yield datetime.combine(month.windfall_on, time(9), month.unmapped_at.tzinfo), self._windfall

    def _course(self, purchase: Purchase) -> Iterator[tuple[datetime, Callable[[], None]]]:
        at = purchase.at + timedelta(seconds=40)
        if purchase.gateway is Gateway.STRIPE:
            yield at, lambda: self._at_stripe(purchase, at)
            yield from self._later_at_stripe(purchase)
        elif purchase.gateway is Gateway.PAYPAL:
            yield at, lambda: self._at_paypal(purchase, at)
            if purchase.course is Course.REFUNDED:
                yield purchase.refunded_at, lambda: self._paypal_refund(purchase)

    # ---- Stripe ----

    def _at_stripe(self, purchase: Purchase, at: datetime) -> None:
        if purchase.course is Course.NEVER_PAID:
            self._plant(purchase)
            return
        number = {Course.NO_REFERENCE: "", Course.OTHER_NUMBER: _NO_ORDER}.get(purchase.course, purchase.order_id)
        amount = purchase.total - (_TOO_LITTLE if purchase.course is Course.TOO_LITTLE else 0)
        charge = self._charge(amount, at, number, dearer=purchase.course is Course.DEARER)
        self.charges[f"{STRIPE}/{charge}"] = purchase.key
        if purchase.course is Course.OTHER_NUMBER:
            self.owed_again, self.mistyped = purchase.key, f"{STRIPE}/{charge}"
            self.charges[self.mistyped] = ""
            self._plant_of(DiscrepancyKind.MISSING_PAYMENT, purchase.course, f"order:{purchase.key}")
            self._plant_of(DiscrepancyKind.MISSING_ORDER, purchase.course, *self._items_of(charge))
            return
        self.payments[purchase.key] = charge
        if purchase.course is Course.CHARGED_TWICE:
            self.second_charge = self._charge(amount, at + timedelta(seconds=5), number)
            self.charges[f"{STRIPE}/{self.second_charge}"] = purchase.key
            self._plant(purchase, *self._items_of(charge), *self._items_of(self.second_charge))
        elif purchase.course in WRONG and purchase.course not in _LATER:
            self._plant(purchase, *self._items_of(charge))

    def _later_at_stripe(self, purchase: Purchase) -> Iterator[tuple[datetime, Callable[[], None]]]:
        """What becomes of the charge."""
        match purchase.course:
            case Course.REFUNDED | Course.REFUNDED_BY_HAND:
                yield purchase.refunded_at, lambda: self._refund(purchase)
            case Course.CAPTURED_IN_PART:
                yield purchase.at + timedelta(seconds=41), lambda: self._fall_back(purchase)
            case Course.DISPUTE_LOST | Course.DISPUTE_OPEN:
                yield purchase.at + timedelta(days=3), lambda: self._dispute(purchase)

    def _charge(self, amount: int, at: datetime, number: str, *, dearer: bool = False) -> str:
        cost = fee(amount, *STRIPE_FEES) + (_TOO_DEAR if dearer else 0)
        names = {"order_id": number} if number else {}
        return self.stripe.charge(amount, "EUR", at, fee=cost, **names)

    def _refund(self, purchase: Purchase) -> None:
        charge = self.payments[purchase.key]
        refund = self.stripe.refund(charge, purchase.refund, purchase.refunded_at)
        if purchase.course is Course.REFUNDED_BY_HAND:
            line = self.stripe.api.shown("refunds", refund)["balance_transaction"]
            self._plant(purchase, f"line:{STRIPE}/{line}", f"payment:{STRIPE}/{refund}")

    def _fall_back(self, purchase: Purchase) -> None:
        """A third of what was authorised is not captured: Stripe reverses it by a movement of its own."""
        charge = self.payments[purchase.key]
        part = purchase.total // 3
        line = self.stripe.move("partial_capture_reversal", -part, "EUR", purchase.at + timedelta(seconds=41))
        self.stripe.api.shown("balance_transactions", line)["source"] = charge
        self.stripe.api.shown("charges", charge)["amount_captured"] -= part
        self._plant(purchase, *self._items_of(charge), f"line:{STRIPE}/{line}")

    def _dispute(self, purchase: Purchase) -> None:
        charge = self.payments[purchase.key]
        at = purchase.at + timedelta(days=3)
        dispute = self.stripe.dispute(charge, at, fee=_DISPUTE_FEE)
        if purchase.course is Course.DISPUTE_LOST:
            self.stripe.api.shown("disputes", dispute)["status"] = "lost"
        line = dispute.replace("dp_", "txn_")  # the twin numbers a dispute and its movement alike
        self._plant(purchase, *self._items_of(charge), f"line:{STRIPE}/{line}", f"payment:{STRIPE}/{dispute}")

    def _pay_out(self, number: int) -> None:
        payout = self.month.stripe_payouts[number]
        arrives = add_business_days(payout.at.date(), _BANK_DAYS)
        payout_id = self.stripe.pay_out(
            "EUR", payout.at, arrives=datetime.combine(arrives, time(), payout.at.tzinfo), short_by=payout.short_by
        )
        item = f"payout:{STRIPE}/{payout_id}"
        if payout.short_by:
            self._plant_of(DiscrepancyKind.PAYOUT_SHORT, "a payout is 10.00 less than its movements", item)
        if not payout.arrives:
            self._plant_of(DiscrepancyKind.BANK_MISSING, "a payout never arrives at the bank", item)
            return
        self.stripe.arrive(payout_id, datetime.combine(arrives, time(7), payout.at.tzinfo))
        self._book(arrives, self.stripe.amount_of(payout_id), f"STRIPE PAYMENTS {payout_id}")

    def _move_unmapped(self) -> None:
        line = self.stripe.move(UNMAPPED, _UNMAPPED_AMOUNT, "EUR", self.month.unmapped_at)
        what = f"Stripe moves 7.50 and calls it {UNMAPPED}"
        self._plant_of(DiscrepancyKind.UNKNOWN_TXN, what, f"line:{STRIPE}/{line}")

    def _reserve(self) -> None:
        line = self.stripe.move("risk_reserved_funds", _RESERVED, "EUR", self.month.reserved_at)
        self._plant_of(DiscrepancyKind.RESERVE_HELD, "Stripe keeps 60.00 back", f"line:{STRIPE}/{line}")

    def _meet_stranger(self) -> None:
        charge = self._charge(_STRANGER, self.month.stranger_at, _NO_ORDER[:-1] + "8")
        self.charges[f"{STRIPE}/{charge}"] = ""
        what = "money comes in for an order that no shop has"
        self._plant_of(DiscrepancyKind.MISSING_ORDER, what, *self._items_of(charge))

    def _items_of(self, charge: str) -> tuple[str, str]:
        line = self.stripe.api.shown("charges", charge)["balance_transaction"]
        return f"line:{STRIPE}/{line}", f"payment:{STRIPE}/{charge}"

    @property
    def stripe_holds(self) -> int:
        """Cents that Stripe holds for the merchant."""
        return self.stripe.api.held()["eur"]

    @property
    def stripe_movements(self) -> int:
        """How many there are on its balance."""
        return self.stripe.api.movements

    # ---- PayPal ----

    def _at_paypal(self, purchase: Purchase, at: datetime) -> None:
        if purchase.course is Course.NEVER_PAID:
            self._plant(purchase)
            return
        cost = fee(purchase.total, *PAYPAL_FEES) + (_TOO_DEAR if purchase.course is Course.DEARER else 0)
        payment = self._settle("T0006", purchase.total, at, cost=cost, custom=purchase.order_id)
        self.payments[purchase.key] = payment
        self.charges[f"{PAYPAL}/{payment}"] = purchase.key
        if purchase.course in WRONG:
            self._plant(purchase, f"line:{PAYPAL}/{payment}.T0006.{purchase.total:+d}EUR")

    def _paypal_refund(self, purchase: Purchase) -> None:
        of = self.payments[purchase.key]
        self._settle("T1107", -purchase.refund, purchase.refunded_at, custom=purchase.order_id, of=of)

    def _sweep(self, at: datetime) -> None:
        """What is there goes to the bank, where it arrives on the next business day."""
        amount = self.paypal_holds
        payout = self._settle("T0400", -amount, at)
        self._book(add_business_days(at.date(), 1), amount, f"PAYPAL EUROPE {payout}")

    def _settle(self, code: str, amount: int, at: datetime, *, cost: int = 0, custom: str = "", of: str = "") -> str:
        """One movement of a settlement report; its transaction id."""
        transaction = f"{len(self.settled) + 1:08d}XV020574X"
        moment = f"{at:%Y/%m/%d %H:%M:%S} +0000"
        row = samples.settled(
            transaction_id=transaction,
            invoice_id="",
            paypal_reference_id=of,
            paypal_reference_id_type="TXN" if of else "",
            transaction_event_code=code,
            transaction_initiation_date=moment,
            transaction_completion_date=moment,
            transaction_debit_or_credit="CR" if amount > 0 else "DR",
            gross_transaction_amount=str(abs(amount)),
            fee_amount=str(cost),
            custom_field=custom,
        )
        self.settled.append(_Settled(at, row))
        self.paypal_holds += amount - cost
        return transaction

    def settlement_reports(self) -> tuple[File, File]:
        """Two reports, of which the second begins before the first one ends."""
        until, since = self.month.moment(17, 0), self.month.moment(12, 0)
        first = samples.settlement(*(one.row for one in self.settled if one.at < until))
        second = samples.settlement(*(one.row for one in self.settled if one.at >= since))
        return File("STL-first.csv", first), File("STL-second.csv", second)

    # ---- the bank ----

    def _windfall(self) -> None:
        number = self._book(self.month.windfall_on, _WINDFALL, "STRIPE PAYMENTS CORRECTION")
        what = "the bank has a line of Stripe's that no payout explains"
        self._plant_of(DiscrepancyKind.UNEXPECTED_BANK_LINE, what, f"bank:{BANK}/{number}")

    def _book(self, on: date, amount: int, text: str) -> int:
        number = 90_001 + len(self.booked)
        self.booked.append(_Booked(on, amount, text, number))
        return number

    def statements(self) -> tuple[File, File]:
        """Two exports of the bank's, of which the second begins before the first one ends."""
        until, since = self.month.first + timedelta(days=18), self.month.first + timedelta(days=10)
        first = [one for one in self.booked if one.on < until]
        second = [one for one in self.booked if one.on >= since]
        return File("bank-first.csv", _statement(first)), File("bank-second.csv", _statement(second))

    # ---- the truth ----

    def _plant(self, purchase: Purchase, *items: str) -> None:
        for kind in WRONG[purchase.course]:
            self._plant_of(kind, purchase.course, f"order:{purchase.key}", *items)

    def _plant_of(self, kind: DiscrepancyKind, what: str, *items: str) -> None:
        self.planted.append(Planted(kind, str(what), frozenset(items)))


_LATER: Final = frozenset({Course.CAPTURED_IN_PART, Course.DISPUTE_LOST, Course.DISPUTE_OPEN, Course.REFUNDED_BY_HAND})
"""Courses in which the charge is right, and goes wrong afterwards."""


def _statement(booked: Iterable[_Booked]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(["Volgnummer", "Datum", "Bedrag", "Omschrijving"])
    for one in booked:
        amount = f"{Decimal(one.amount).scaleb(-2):.2f}".replace(".", ",")
        writer.writerow([one.number, one.on.isoformat(), amount, one.text])
    return text.getvalue().encode("utf-8")
