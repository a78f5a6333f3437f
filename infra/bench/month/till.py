"""What comes about in the month, written down on all sides at once: at the shop, at the provider, and as the truth.

Each side says only what it knows. Which order a movement belongs to is in :attr:`Till.belongs`, for the score alone.
"""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

from infra.bench.month.merchant import Account, Shop, exchanged, rate
from shared.finance.models import (
    DiscrepancyKind,
    Document,
    Feed,
    Item,
    LineKind,
    MovementKind,
    OrderStatement,
    Payment,
    PaymentKind,
    PaymentState,
    SettlementLine,
    StoreMovement,
    Subject,
)

_CATEGORIES: Final[dict[str, dict[LineKind, str]]] = {
    "paypal": {
        LineKind.CAPTURE: "T0006",
        LineKind.CAPTURE_REVERSED: "T1106",
        LineKind.REFUND: "T1107",
        LineKind.REFUND_REVERSED: "T1116",
        LineKind.DISPUTE: "T1201",
        LineKind.DISPUTE_REVERSED: "T1202",
        LineKind.FEE: "T0100",
        LineKind.PAYOUT: "T0400",
        LineKind.RESERVE_HELD: "T2101",
        LineKind.RESERVE_RELEASED: "T2102",
        LineKind.CONVERSION: "T0200",
    },
    "shopify": {
        LineKind.CAPTURE: "CHARGE",
        LineKind.REFUND: "REFUND",
        LineKind.DISPUTE: "DISPUTE",
        LineKind.PAYOUT: "TRANSFER",
    },
    "stripe": {
        LineKind.CAPTURE: "charge",
        LineKind.CAPTURE_REVERSED: "partial_capture_reversal",
        LineKind.REFUND: "refund",
        LineKind.REFUND_REVERSED: "refund_failure",
        LineKind.DISPUTE: "dispute",
        LineKind.DISPUTE_REVERSED: "dispute_reversal",
        LineKind.FEE: "fee",
        LineKind.PAYOUT: "payout",
        LineKind.RESERVE_HELD: "risk_reserved_funds",
        LineKind.RESERVE_RELEASED: "risk_reserved_funds",
    },
}
_CHARGES: Final = {"paypal": "PAYID", "shopify": "sp", "alipay": "2026", "wechat": "4200"}
_DISPUTE_FEES: Final = {"EUR": 2000, "USD": 1500, "GBP": 2000, "JPY": 1500, "KWD": 5000, "CNY": 10000}
_SPREAD: Final = Decimal("0.004")
"""By how much a provider's rate differs from the shop's."""


class Tie(Enum):
    """Where the payment and the order name each other."""

    BOTH = "both"
    MOVEMENT = "the shop names the charge"
    LINE = "the provider names the order"
    SHARED = "both name a third thing: a payment intent, an out_trade_no"
    FACT = "only the webhook named the order, the feed of lines does not"
    NONE = "nowhere"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in the month."""

    kind: DiscrepancyKind
    items: frozenset[Item]
    """What an exception may be about to have found it."""


@dataclass(slots=True)
class Draft:
    """An order on its way."""

    shop: Shop
    order_id: str
    name: str
    placed_at: datetime
    sale: Document
    account: Account
    gateway: str
    buyer_currency: str
    buyer_total: int
    rate: Decimal
    """Of the shop: its own currency for one unit of the buyer's."""
    movements: list[StoreMovement] = field(default_factory=list)
    reductions: list[Document] = field(default_factory=list)
    cancelled: bool = False
    test: bool = False
    owes: bool = True

    @property
    def key(self) -> str:
        return f"{self.shop.id}/{self.order_id}"

    @property
    def item(self) -> Item:
        return Item(subject=Subject.ORDER, id=self.key)

    @property
    def references(self) -> tuple[str, ...]:
        own = {self.name, self.name.removeprefix("#"), self.order_id}
        transactions = {movement.id for movement in self.movements if movement.id.isdecimal()}
        return tuple(sorted(own | transactions))

    def in_books(self, buyers: int) -> int:
        """An amount that the buyer saw, in the shop's currency."""
        if self.buyer_currency == self.shop.currency:
            return buyers
        return exchanged(buyers, self.buyer_currency, self.shop.currency, self.rate)


@dataclass(slots=True)
class Entry:
    """A movement on a provider's balance, before it is known which payout has it."""

    account: Account
    line_id: str
    kind: LineKind
    at: datetime
    currency: str
    gross: int
    fee: int = 0
    category: str | None = None
    payment_id: str | None = None
    source_id: str | None = None
    references: tuple[str, ...] = ()
    buyer_currency: str | None = None
    buyer_amount: int | None = None
    rate: str | None = None
    test: bool = False
    stuck: bool = False
    """Whether the provider does not pay it out, though its day is over."""
    payout_id: str | None = None
    available_on: date | None = None

    @property
    def net(self) -> int:
        return self.gross - self.fee

    @property
    def item(self) -> Item:
        return Item(subject=Subject.LINE, id=f"{self.account.id}/{self.line_id}")

    def line(self) -> SettlementLine:
        """What the feed says; what it does not tell is not written down, as in any store."""
        categories = _CATEGORIES.get(self.account.vendor, _CATEGORIES["stripe"])
        told = {
            "payment_id": self.payment_id,
            "source_id": self.source_id,
            "payout_id": self.payout_id,
            "references": self.references or None,
            "buyer_currency": self.buyer_currency,
            "buyer_amount": self.buyer_amount,
            "exchange_rate": self.rate,
            "available_on": self.available_on,
            "test": self.test or None,
        }
        return SettlementLine(
            account=self.account.id,
            line_id=self.line_id,
            kind=self.kind,
            category=self.category or categories.get(self.kind, str(self.kind)),
            occurred_at=self.at,
            currency=self.currency,
            gross=self.gross,
            fee=self.fee,
            net=self.net,
            feed=Feed.REPORT if self.account.vendor in {"paypal", "alipay", "wechat"} else Feed.API,
            **{name: value for name, value in told.items() if value is not None},
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """How one charge comes about; usually the shop hears of it at once and says the same."""

    tie: Tie = Tie.BOTH
    stated: int | None = None
    """What the shop says was taken, where that is something else."""
    told: bool = True
    """Whether the shop knows of it at all."""
    currency: str | None = None
    """What the buyer is charged in, where it is not the order's."""


USUAL: Final = Terms()
UNTOLD: Final = Terms(Tie.LINE, told=False)


@dataclass(slots=True)
class Charge:
    draft: Draft
    payment_id: str
    amount: int
    """In the buyer's currency."""
    currency: str
    at: datetime
    entry: Entry
    fact: Item

    @property
    def items(self) -> frozenset[Item]:
        return frozenset((self.draft.item, self.entry.item, self.fact))


@dataclass
class Till:
    """All that is said of the month."""

    chance: random.Random
    as_of: datetime
    orders: list[OrderStatement] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    truth: list[Fault] = field(default_factory=list)
    belongs: dict[str, str] = field(default_factory=dict)
    """`stripe-eu/txn_1` to the key of the order whose money it is."""
    known_charges: dict[str, str] = field(default_factory=dict)
    undecidable: set[tuple[str, str, int]] = field(default_factory=set)
    """Account, currency and amount of payments without an order, and of orders without a payment, of which nothing
    else is known: of one amount they would be a pair to anybody, and no truth could say otherwise."""
    waiting: set[Item] = field(default_factory=set)
    """Orders whose charge is not in the feed yet."""
    _named: int = 0

    def name(self, prefix: str) -> str:
        """A new id. Its order says nothing about the time, as with providers' ids."""
        self._named += 1
        return f"{prefix}_{self.chance.getrandbits(40):010x}{self._named:x}"

    def charge_name(self, account: Account) -> str:
        return self.name(_CHARGES.get(account.vendor, "ch"))

    def number(self) -> str:
        """A storefront's id of a transaction."""
        self._named += 1
        return str(6_000_000_000_000 + self.chance.randrange(10**6) * 10**6 + self._named)

    def plant(self, kind: DiscrepancyKind, *items: Item) -> None:
        self.truth.append(Fault(kind, frozenset(items)))

    # ---- charges ---------------------------------------------------------------------------------------------------

    def charge(self, draft: Draft, amount: int, at: datetime, terms: Terms = USUAL) -> Charge | None:
        """Take `amount` of the buyer's currency. None, and nothing at all, where that is after the month's end."""
        if at >= self.as_of:
            return None
        currency = terms.currency or draft.buyer_currency
        payment_id = self.charge_name(draft.account)
        shared = self.name("pi") if terms.tie is Tie.SHARED else None
        named = self._hear(draft, payment_id if shared is None else shared, amount, at, terms) if terms.told else None
        references = self._order_names(draft, named, terms.tie) if shared is None else (shared,)
        entry = self._enter_charge(draft, payment_id, currency, amount, at)
        if terms.tie in (Tie.BOTH, Tie.LINE, Tie.SHARED):
            entry.references = references
        self.entries.append(entry)
        self.belongs[f"{draft.account.id}/{entry.line_id}"] = draft.key
        if draft.account.tells_payments and not (terms.tie is Tie.NONE and self.chance.random() < 0.5):  # noqa: PLR2004
            self.tell(draft.account, payment_id, entry.at, currency, amount, references)
        if entry.at + draft.account.lag > self.as_of:
            self.waiting.add(draft.item)
        fact = Item(subject=Subject.PAYMENT, id=f"{draft.account.id}/{payment_id}")
        return Charge(draft, payment_id, amount, currency, at, entry, fact)

    def claim(self, draft: Draft, amount: int, at: datetime, references: tuple[str, ...] = ()) -> None:
        """The shop says that so much was taken, and nobody else does."""
        self._state(draft, MovementKind.CAPTURE, amount, at, references)

    def tell(
        self,
        account: Account,
        payment_id: str,
        at: datetime,
        currency: str,
        amount: int,
        references: tuple[str, ...],
        state: PaymentState = PaymentState.SUCCEEDED,
    ) -> None:
        """A webhook of a charge."""
        self.payments.append(
            Payment(
                account=account.id,
                payment_id=payment_id,
                kind=PaymentKind.CAPTURE,
                state=state,
                vendor_state=str(state),
                currency=currency,
                amount=amount,
                references=references,
                occurred_at=at,
                stated_at=at + timedelta(seconds=2),
                feed=Feed.WEBHOOK,
            )
        )

    def reverse_part(self, charge: Charge, amount: int) -> Entry:
        """The part of a charge that was authorised and not captured; the fee on it comes back."""
        account, entry = charge.draft.account, charge.entry
        kept = account.fee(entry.gross - amount, entry.currency)
        back = Entry(
            account,
            self.name("txn"),
            LineKind.CAPTURE_REVERSED,
            entry.at,
            entry.currency,
            -amount,
            fee=kept - entry.fee,
            payment_id=charge.payment_id,
            references=entry.references,
        )
        return self._follow(charge, back)

    # ---- what comes after ------------------------------------------------------------------------------------------

    def refund(self, charge: Charge, amount: int, at: datetime, *, named: bool = True) -> Entry | None:
        """The provider gives back; the shop is told by whoever calls. None where that is after the month's end."""
        if at >= self.as_of:
            return None
        refund_id = self.name("re")
        gross, stated_rate = self._settled(charge.draft, charge.currency, charge.entry.currency, amount)
        entry = Entry(
            charge.draft.account,
            self.name("txn"),
            LineKind.REFUND,
            at,
            charge.entry.currency,
            -gross,
            payment_id=charge.payment_id,
            source_id=refund_id,
            references=charge.entry.references if named else (),
            rate=stated_rate,
        )
        if stated_rate:
            entry.buyer_currency, entry.buyer_amount = charge.currency, -amount
        if charge.draft.account.vendor == "paypal" and self.chance.random() < 0.3:  # noqa: PLR2004
            entry.fee = -(charge.entry.fee * amount // (2 * charge.amount))
        self._tell_later(charge, refund_id, PaymentKind.REFUND, PaymentState.SUCCEEDED, amount, at)
        return self._follow(charge, entry)

    def record_refund(self, draft: Draft, document: Document, amount: int, refund: Entry | None) -> None:
        """The shop says that it gave so much back, by this refund of the provider's or by none."""
        draft.reductions.append(document)
        names = (refund.source_id,) if refund and refund.source_id and self.chance.random() < 0.8 else ()  # noqa: PLR2004
        self._state(draft, MovementKind.REFUND, amount, document.at, names)

    def dispute(self, charge: Charge, at: datetime, state: PaymentState) -> tuple[Entry, Item]:
        """The bank takes a charge back, with a fee."""
        dispute_id = self.name("dp")
        entry = Entry(
            charge.draft.account,
            self.name("txn"),
            LineKind.DISPUTE,
            at,
            charge.entry.currency,
            -charge.entry.gross,
            fee=_DISPUTE_FEES[charge.entry.currency],
            payment_id=charge.payment_id,
            source_id=dispute_id,
        )
        self._follow(charge, entry)
        self._tell_later(charge, dispute_id, PaymentKind.DISPUTE, state, charge.amount, at)
        return entry, Item(subject=Subject.PAYMENT, id=f"{charge.draft.account.id}/{dispute_id}")

    def give_back(self, charge: Charge, taken: Entry, kind: LineKind, at: datetime) -> Entry:
        """What a refund or a dispute took comes back, its fee too."""
        back = Entry(
            taken.account,
            self.name("txn"),
            kind,
            at,
            taken.currency,
            -taken.gross,
            fee=-taken.fee,
            payment_id=taken.payment_id,
            source_id=taken.source_id,
        )
        return self._follow(charge, back)

    def close_order(self, draft: Draft) -> None:
        """Write down what the shop says of the order at the month's end."""
        stated = max((movement.at for movement in draft.movements), default=draft.placed_at)
        self.orders.append(
            OrderStatement(
                shop=draft.shop.id,
                order_id=draft.order_id,
                name=draft.name,
                channel="web",
                placed_at=draft.placed_at,
                stated_at=stated,
                revision=1 + len(draft.movements),
                currency=draft.shop.currency,
                buyer_currency=draft.buyer_currency,
                buyer_total=draft.buyer_total,
                sale=draft.sale if draft.owes else None,
                reductions=tuple(draft.reductions),
                movements=tuple(draft.movements) if draft.owes else (),
                references=draft.references,
                cancelled=draft.cancelled,
                test=draft.test,
            )
        )

    # ---- the parts of it -------------------------------------------------------------------------------------------

    def _hear(self, draft: Draft, name: str, amount: int, at: datetime, terms: Terms) -> str | None:
        """The shop hears of a charge: the id of what it writes down."""
        names = (name,) if terms.tie in (Tie.BOTH, Tie.MOVEMENT, Tie.SHARED) else ()
        return self._state(draft, MovementKind.CAPTURE, amount if terms.stated is None else terms.stated, at, names)

    def _state(self, draft: Draft, kind: MovementKind, amount: int, at: datetime, names: tuple[str, ...]) -> str:
        """WooCommerce says once that all is paid, dated as the order itself, and so does the adapter of ours."""
        as_one = draft.shop.platform == "woocommerce" and kind is MovementKind.CAPTURE and not names
        if as_one and draft.movements and draft.movements[-1].id == "all":
            known = draft.movements.pop()
            draft.movements.append(known.model_copy(update={"amount": known.amount + amount}))
            return "all"
        movement = StoreMovement(
            id="all" if as_one else self.number(),
            kind=kind,
            gateway=draft.gateway,
            at=draft.placed_at if as_one else at,
            currency=draft.buyer_currency,
            amount=amount,
            references=names,
        )
        draft.movements.append(movement)
        return movement.id

    def _order_names(self, draft: Draft, transaction: str | None, tie: Tie) -> tuple[str, ...]:
        """How the provider names the order, if it does."""
        if tie in (Tie.NONE, Tie.MOVEMENT):
            return ()
        if draft.account.vendor == "shopify":
            return (draft.order_id, transaction) if transaction and transaction != "all" else (draft.order_id,)
        return (self.chance.choice((draft.name, draft.name.removeprefix("#"), draft.order_id)),)

    def _enter_charge(self, draft: Draft, payment_id: str, currency: str, amount: int, at: datetime) -> Entry:
        account = draft.account
        kept = currency if currency in account.currencies else account.currencies[0]
        gross, stated_rate = self._settled(draft, currency, kept, amount)
        other = stated_rate is not None or self.chance.random() < 0.1  # noqa: PLR2004
        told = stated_rate is not None or account.vendor in {"stripe", "shopify"}
        return Entry(
            account,
            self.name("txn"),
            LineKind.CAPTURE,
            at - self._delay(),
            kept,
            gross,
            fee=account.fee(gross, kept, other=other),
            payment_id=payment_id,
            source_id=payment_id,
            buyer_currency=currency if told else None,
            buyer_amount=amount if told else None,
            rate=stated_rate,
        )

    def _settled(self, draft: Draft, bought: str, kept: str, amount: int) -> tuple[int, str | None]:
        """What comes onto the balance. Shopify keeps the rate that its shop showed; others have their own."""
        if bought == kept:
            return amount, None
        fair = rate(bought, kept)
        if draft.account.vendor == "shopify" and bought == draft.buyer_currency:
            fair = draft.rate
        else:
            swing = Decimal(self.chance.randrange(-1000, 1001)).scaleb(-3) * _SPREAD
            fair = (fair * (1 + swing)).quantize(Decimal("0.000001"))
        return exchanged(amount, bought, kept, fair), f"{fair:f}"

    def _delay(self) -> timedelta:
        """From the charge until the shop hears of it: seconds, seldom minutes."""
        return timedelta(seconds=min(900.0, self.chance.lognormvariate(1.0, 1.3)))

    def _follow(self, charge: Charge, entry: Entry) -> Entry:
        self.entries.append(entry)
        self.belongs[f"{entry.account.id}/{entry.line_id}"] = charge.draft.key
        return entry

    def _tell_later(
        self, charge: Charge, own_id: str, kind: PaymentKind, state: PaymentState, amount: int, at: datetime
    ) -> None:
        """Disputes are told of everywhere, refunds where charges are."""
        if kind is PaymentKind.REFUND and not charge.draft.account.tells_payments:
            return
        self.payments.append(
            Payment(
                account=charge.draft.account.id,
                payment_id=own_id,
                kind=kind,
                parent_id=charge.payment_id,
                state=state,
                vendor_state=str(state),
                currency=charge.currency,
                amount=amount,
                occurred_at=at,
                stated_at=at + timedelta(seconds=2),
                feed=Feed.WEBHOOK,
            )
        )
