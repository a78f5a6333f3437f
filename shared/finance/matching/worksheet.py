"""What one run has laid out on the table: the inputs by name, and what the stages have found so far.

The one mutable thing here. It is made by :func:`shared.finance.matching.reconcile.reconcile`, handed from stage to
stage, and never leaves it. Everything is laid out in the order of its name, so that the order of the inputs is lost.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from shared.finance.inputs import Inputs
from shared.finance.matching.calendar import is_over
from shared.finance.matching.gateways import Gateways, Route
from shared.finance.matching.references import ReferenceIndex
from shared.finance.models import (
    BankLine,
    Bucket,
    Discrepancy,
    Item,
    LineKind,
    Match,
    MovementKind,
    OrderStatement,
    Payment,
    PaymentKind,
    PaymentState,
    Payout,
    Rule,
    SettlementLine,
    StoreMovement,
    Subject,
    bank_key,
    line_key,
    payment_key,
    payout_key,
)

_T = TypeVar("_T")

_CLEARLY_BEFORE = timedelta(days=2)

NOTHING = ""
"""The link that says "belongs to nothing"."""


@dataclass(slots=True, eq=False)
class Told:
    """One movement as the storefront tells it, and where it is looked for."""

    movement: StoreMovement
    route: Route


@dataclass(slots=True, eq=False)
class Charge:
    """What one charge came to, by its settlement lines or, before they come, by the provider's word."""

    account: str
    id: str
    """The provider's id of the charge; of a line that names none, its own."""
    currency: str
    net: int
    """In `currency`, the buyer's where it is told; less what was reversed."""
    full: int
    at: datetime
    lines: tuple[SettlementLine, ...]
    word: Payment | None = None
    """Where there are no lines."""

    @property
    def references(self) -> frozenset[str]:
        """Every word by which it can be known."""
        if self.word is not None:
            return frozenset((self.word.payment_id, *self.word.references))
        return frozenset(words_of(self.lines))


@dataclass(frozen=True, slots=True)
class Pairing:
    """An order's movements of one kind against the provider's."""

    paired: tuple[tuple[Told, Charge], ...] = ()
    """The same money."""
    differing: tuple[tuple[Told, Charge], ...] = ()
    """They mean each other, and the money differs."""
    told: tuple[Told, ...] = ()
    """Only the storefront tells of them."""
    charged: tuple[Charge, ...] = ()
    """Only the provider tells of them."""


@dataclass(slots=True, eq=False)
class OrderSheet:
    """One order and all that was found to belong to it."""

    statement: OrderStatement
    key: str
    captures: tuple[Told, ...]
    refunds: tuple[Told, ...]
    lines: list[SettlementLine] = field(default_factory=list)
    payments: tuple[Payment, ...] = ()
    """Of which no settlement line is here."""
    known_charges: tuple[str, ...] = ()
    pairing: Pairing | None = None
    """Of the captures; None when something was added since it was made."""
    is_pending: bool = False
    is_uneven: bool = False
    """Captures less refunds are not known to be what is owed."""
    is_even: bool | None = None
    """Captures less refunds are what is owed, by the storefront's own figures; None: not worked out yet."""

    @property
    def item(self) -> Item:
        return Item(subject=Subject.ORDER, id=self.key)


class Worksheet:
    """See the module. Keys are as in :class:`shared.finance.inputs.Inputs`: `stripe-eu/txn_1`, `aurora/5001`."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.as_of = inputs.as_of
        self.zone = inputs.rules.zone
        self.today = self.day(inputs.as_of)
        self.gateways = Gateways(inputs.rules, inputs.accounts)
        orders = _by_name(inputs.orders, lambda order: str(order.key))
        self.orders = {key: self._sheet(key, order) for key, order in orders.items()}
        self.payments: dict[str, Payment] = _by_name(inputs.payments, payment_key)
        self.lines: dict[str, SettlementLine] = _by_name(inputs.lines, line_key)
        self.payouts: dict[str, Payout] = _by_name(inputs.payouts, payout_key)
        self.bank_lines: dict[str, BankLine] = _by_name(inputs.bank_lines, lambda one: f"{one.bank}/{one.line_id}")
        self.index = ReferenceIndex(orders.values(), inputs.accounts)

        self.order_of: dict[str, str] = {}
        self.rule_of: dict[str, Rule] = {}
        self.charge_orders: dict[str, str] = {}
        """Charges, `stripe-eu/ch_1`, to the order's key."""
        self.linked_to_nothing: set[str] = set()
        self.tied: set[str] = set()
        """Orders and lines of which only together it is known that they belong to each other."""
        self.unripe: set[str] = set()
        """Lines and orders that fit each other by their amount, once the feed had time for both."""
        self.unpriced: set[str] = set()
        """Lines whose currency is in question: by which the contract priced them is not known."""
        self.fee_bases: dict[str, tuple[int, ...]] = {}
        """Amounts by which the fee of a line may have been worked out, besides its own."""
        self.buckets: dict[Subject, dict[str, Bucket]] = {subject: {} for subject in Subject}
        """By name, and not by item: of a hundred thousand of them most are named once, at the end."""
        self._items: dict[Subject, dict[str, Item]] = {subject: {} for subject in Subject}
        self.discrepancies: list[Discrepancy] = []
        self.matches: list[Match] = []
        self.wanting: list[OrderSheet] = list(self.orders.values())
        """Orders for which something may still be looked for. Once nothing is, nothing will be again."""
        self.spare: list[SettlementLine] = list(self.lines.values())
        """Lines that may belong to no order yet. One that was given to an order stays there."""
        self.is_settling = {line.account for line in self.lines.values()}
        """Accounts of which settlement lines are known at all."""
        self.starts = self._window_starts()
        self.taken_back = _taken_back(inputs.lines)
        """By charge: what of it was reversed, negative, in the buyer's money."""

    def _sheet(self, key: str, order: OrderStatement) -> OrderSheet:
        told = tuple(Told(one, self.gateways.route(order.shop, one.gateway)) for one in order.movements)
        return OrderSheet(
            statement=order,
            key=key,
            captures=tuple(one for one in told if one.movement.kind is MovementKind.CAPTURE),
            refunds=tuple(one for one in told if one.movement.kind is MovementKind.REFUND),
        )

    def _window_starts(self) -> dict[str, datetime]:
        """From when on each account's feed is here whole: what is older was matched with what an earlier run saw.

        That is where the look-back begins, and some days more for lines that came before their orders; or earlier,
        where the feed plainly goes back further.
        """
        usual = self.as_of - timedelta(days=self.inputs.rules.look_back_days)
        earliest: dict[str, datetime] = {}
        for line in self.lines.values():
            if line.occurred_at < earliest.get(line.account, usual - _CLEARLY_BEFORE):
                earliest[line.account] = line.occurred_at
        margin = timedelta(days=self.inputs.rules.before_order_days)
        return {name: earliest.get(name, usual + margin) for name in self.inputs.accounts}

    # ---- days ----

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def feed_should_have(self, accounts: Iterable[str], at: datetime) -> bool:
        """Whether every one of these accounts' feeds would tell by now of what happened at this time."""
        calendars = [self.inputs.accounts[name].calendar for name in accounts if name in self.inputs.accounts]
        days = max((one.feed_days + one.grace_days for one in calendars), default=0)
        return is_over(at, days, self.as_of)

    def is_earlier(self, accounts: Iterable[str], at: datetime) -> bool:
        """Whether it is so old that its counterpart may be in an earlier run's window."""
        return any(at < self.starts[name] for name in accounts if name in self.starts)

    # ---- what was found ----

    def link(self, line: SettlementLine, order: str, rule: Rule) -> None:
        """The line belongs to the order. Of a capture, its charge does as well, and whatever else names that."""
        key = line_key(line)
        self.order_of[key] = order
        self.rule_of[key] = rule
        if line.payment_id and is_capture(line):
            self.charge_orders.setdefault(f"{line.account}/{line.payment_id}", order)
        sheet = self.orders.get(order)
        if sheet is not None:
            sheet.lines.append(line)
            sheet.pairing = None

    def put(self, item: Item, bucket: Bucket) -> None:
        self.buckets[item.subject][item.id] = bucket

    def bucket_of(self, item: Item) -> Bucket | None:
        return self.buckets[item.subject].get(item.id)

    def put_if_nowhere(self, item: Item, bucket: Bucket) -> None:
        self.buckets[item.subject].setdefault(item.id, bucket)

    def named(self, subject: Subject, name: str) -> Item:
        """The item of this name, the same one for everybody who asks."""
        item = self._items[subject].get(name)
        if item is None:
            item = self._items[subject][name] = Item(subject=subject, id=name)
        return item

    def forget_references(self) -> None:
        """Nothing is looked for by name any more: of a large shop's month the index is a tenth of all memory."""
        self.index = ReferenceIndex((), {})

    def forget_pairings(self) -> None:
        """Everything is stated: what was paired with what is of no use any more."""
        for order in self.orders.values():
            order.pairing = None

    def buckets_by_item(self) -> dict[Item, Bucket]:
        """Everything with where it ended, sorted. The last thing that is asked: what is told is forgotten."""
        told: dict[Item, Bucket] = {}
        for subject in sorted(Subject):
            ended = self.buckets.pop(subject)
            told.update((self.named(subject, name), ended[name]) for name in sorted(ended))
            del self._items[subject]
        return told

    def state(self, discrepancy: Discrepancy, *culprits: Item) -> None:
        """It does not tie out; the subject and the culprits are exceptions."""
        self.discrepancies.append(discrepancy)
        for item in (discrepancy.subject, *culprits):
            self.put(item, Bucket.EXCEPTION)


def _by_name(things: Iterable[_T], name: Callable[[_T], str]) -> dict[str, _T]:
    return dict(sorted(((name(thing), thing) for thing in things), key=lambda pair: pair[0]))


def _taken_back(lines: Iterable[SettlementLine]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        if line.kind is LineKind.CAPTURE_REVERSED:
            sums[charge_key(line)] = sums.get(charge_key(line), 0) + buyer_money(line)[1]
    return sums


def charge_key(line: SettlementLine) -> str:
    return f"{line.account}/{line.payment_id or line.line_id}"


def line_item(line: SettlementLine) -> Item:
    return Item(subject=Subject.LINE, id=line_key(line))


def payment_item(payment: Payment) -> Item:
    return Item(subject=Subject.PAYMENT, id=payment_key(payment))


def payout_item(payout: Payout) -> Item:
    return Item(subject=Subject.PAYOUT, id=payout_key(payout))


def bank_item(line: BankLine) -> Item:
    return Item(subject=Subject.BANK, id=bank_key(line))


def is_capture(line: SettlementLine) -> bool:
    return line.kind is LineKind.CAPTURE


def is_charged(payment: Payment) -> bool:
    """Whether the provider says that it took the buyer's money."""
    return payment.kind is PaymentKind.CAPTURE and payment.state is PaymentState.SUCCEEDED and not payment.test


def words_of(lines: Iterable[SettlementLine]) -> Iterable[str]:
    """Every word by which lines can be known."""
    for line in lines:
        yield from line.references
        if line.payment_id:
            yield line.payment_id
        if line.source_id:
            yield line.source_id


def buyer_money(line: SettlementLine) -> tuple[str, int]:
    """What the buyer was charged or given back, where the provider tells it; else what the balance saw of it."""
    if line.buyer_amount is not None and line.buyer_currency is not None:
        return line.buyer_currency, line.buyer_amount
    return line.currency, line.gross
