"""The money of the trade, in the field's own words: what a shop says is owed, what providers and banks say was moved.

Amounts are integers of the currency's minor unit by ISO 4217 (`kernel.money.currency_exponent`): 1250 EUR cents, 1250
JPY, 1250 KWD fils. Nothing here is ever computed through a float. Signs are the merchant's: what comes in is positive.

Facts are what somebody else states. Each has an identity of its sender's and is stated again and again, by webhook, by
API, in overlapping files: :mod:`shared.finance.merging` makes one fact of any two statements of it, whichever comes
first. None of them holds anything personal.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.kernel.identifiers import OrderKey
from shared.kernel.model import Canonical, Plentiful
from shared.kernel.money import MAX_SUM, CurrencyCode

Minor = Annotated[int, Field(strict=True, ge=-MAX_SUM, le=MAX_SUM)]
"""Minor units of the currency that stands beside it."""
AccountId = str
"""A payment account's short name in the settings: `stripe-eu`."""
BankId = str
"""A bank account's short name in the settings."""


class Feed(StrEnum):
    """How we learnt of a fact; where two of them disagree, the one further up is believed."""

    API = "api"
    REPORT = "report"
    """A file that the provider makes for machines."""
    WEBHOOK = "webhook"
    EXPORT = "export"
    """A file that people download: columns may be missing, figures rounded."""


# ---- what a shop says ------------------------------------------------------------------------------------------------


class SoldLine(Plentiful):
    """Goods or a charge of one document, for all its units."""

    key: str
    """The storefront's line id."""
    sku: str | None
    title: str
    units: int
    net: Minor
    """After discounts, before tax."""
    gift_card: bool = False
    """A gift card that was sold: owed to its bearer, not earned."""


class TaxShare(Plentiful):
    """The tax of one document for one jurisdiction and rate."""

    country: str | None
    """ISO 3166-1 alpha-2 of where the goods go (or the bill, where nothing is sent)."""
    region: str | None
    """State or province, where the storefront tells one."""
    title: str
    rate: str | None
    """A fraction as text: `0.21`."""
    amount: Minor


class Document(Plentiful):
    """What is owed because of a sale, or no longer owed because of one refund. Amounts of a refund are positive too."""

    id: str
    """`sale`, `refund/77`, `edit/1`."""
    at: datetime
    lines: tuple[SoldLine, ...] = ()
    shipping: Minor = 0
    fees: Minor = 0
    duties: Minor = 0
    tips: Minor = 0
    taxes: tuple[TaxShare, ...] = ()
    gift_cards_deducted: Minor = 0
    """What the storefront itself took off the total for gift cards: paid by them."""
    adjustment: Minor = 0
    """The part that is none of these: goodwill, cash rounding, a discrepancy the storefront names."""
    total: Minor
    """The sum of all of the above, less `gift_cards_deducted`."""


class MovementKind(StrEnum):
    CAPTURE = "capture"
    REFUND = "refund"


class StoreMovement(Plentiful):
    """Money that the storefront says was taken or given back for an order."""

    id: str
    """The storefront's own id of the transaction; `all` where it tells only that the order is paid."""
    kind: MovementKind
    gateway: str
    """As the storefront calls it: `stripe`, `shopify_payments`, `bacs`."""
    at: datetime
    currency: CurrencyCode
    """What the buyer was charged in."""
    amount: Minor
    """Positive both ways."""
    references: tuple[str, ...] = ()
    """By which the provider may know it: a charge id, an out_trade_no, an authorisation."""


class OrderStatement(Plentiful):
    """One order, reduced to its money, as its storefront states it now."""

    shop: str
    order_id: str
    name: str
    """`#1001`."""
    channel: str
    """The channel inside the storefront: web, pos; `unknown` where it does not tell."""
    placed_at: datetime
    stated_at: datetime
    """Of the account that this was made from."""
    revision: int
    """Of the order's record: the newer statement has the larger one."""
    currency: CurrencyCode
    """The shop's books."""
    buyer_currency: CurrencyCode
    """What the buyer saw and was charged in."""
    buyer_total: Minor
    """In `buyer_currency`."""
    sale: Document | None
    """In `currency`. None where nothing is owed: a test, or cancelled before any money moved."""
    reductions: tuple[Document, ...] = ()
    """In `currency`: refunds, and edits that lowered the order."""
    movements: tuple[StoreMovement, ...] = ()
    references: tuple[str, ...] = ()
    """By which providers may name the order as a whole: its name, its id, its checkout."""
    cancelled: bool = False
    test: bool = False

    @property
    def key(self) -> OrderKey:
        return OrderKey(self.shop, self.order_id)

    @property
    def owed(self) -> int:
        """What the buyer is to have paid in the end, in `currency`."""
        sold = self.sale.total if self.sale else 0
        return sold - sum(document.total for document in self.reductions)


# ---- what a payment provider says ------------------------------------------------------------------------------------


class PaymentKind(StrEnum):
    CAPTURE = "capture"
    REFUND = "refund"
    DISPUTE = "dispute"


class PaymentState(StrEnum):
    """Only explicit words of the provider are final; any other is PENDING, plus a metric."""

    PENDING = "pending"
    AUTHORISED = "authorised"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    OPEN = "open"
    """A dispute that is not decided."""
    WON = "won"
    LOST = "lost"


class Payment(Plentiful):
    """One movement of a buyer's money as its provider states it: a charge, a refund, a dispute. Told at once; whether
    and when it reaches the merchant is said by settlement lines."""

    account: AccountId
    payment_id: str
    """The provider's own id of this movement: `ch_…`, `re_…`, `dp_…`, a trade_no."""
    kind: PaymentKind
    parent_id: str | None = None
    """Of a refund or a dispute: the charge."""
    state: PaymentState
    vendor_state: str
    currency: CurrencyCode
    amount: Minor
    """Positive. Of a charge: what was captured, or authorised while nothing is captured yet."""
    references: tuple[str, ...] = ()
    """By which the order may be found, exact: metadata, out_trade_no, invoice id, the storefront's transaction."""
    occurred_at: datetime
    stated_at: datetime
    """When the provider said so: the newer statement counts."""
    feed: Feed
    test: bool = False


class LineKind(StrEnum):
    """What a movement on a provider's balance is, whatever the provider calls it."""

    CAPTURE = "capture"
    CAPTURE_REVERSED = "capture_reversed"
    """A charge that failed afterwards, or the part of one that was not captured."""
    REFUND = "refund"
    REFUND_REVERSED = "refund_reversed"
    """A refund that came back."""
    DISPUTE = "dispute"
    DISPUTE_REVERSED = "dispute_reversed"
    FEE = "fee"
    """A fee by itself: subscription, dispute fee, network cost. A charge's own fee is in its line."""
    RESERVE_HELD = "reserve_held"
    RESERVE_RELEASED = "reserve_released"
    PAYOUT = "payout"
    PAYOUT_REVERSED = "payout_reversed"
    TOPUP = "topup"
    CONVERSION = "conversion"
    """One half of an exchange between two balances of the account."""
    ADJUSTMENT = "adjustment"
    """The provider changed the balance by its own decision; somebody has to say what it was."""
    UNKNOWN = "unknown"
    """A category that no table of ours knows. Queued, never dropped."""


class SettlementLine(Plentiful):
    """One movement on the merchant's balance at a provider: gross - fee = net."""

    account: AccountId
    line_id: str
    """The provider's id of the balance movement, unique within the account."""
    kind: LineKind
    category: str
    """The provider's own word."""
    occurred_at: datetime
    currency: CurrencyCode
    """Of the balance."""
    gross: Minor
    """As it changes the balance: refunds, disputes and payouts are negative."""
    fee: Minor
    """What the provider keeps: positive; negative where it gives some back."""
    net: Minor
    payment_id: str | None = None
    """The charge that it belongs to, also of its refunds and disputes."""
    source_id: str | None = None
    """The refund, dispute or payout itself."""
    payout_id: str | None = None
    """None while it is not paid out, or where the provider does not tell."""
    references: tuple[str, ...] = ()
    """By which the order may be found, exact."""
    buyer_currency: CurrencyCode | None = None
    """What the buyer was charged in, where the provider tells."""
    buyer_amount: Minor | None = None
    """In `buyer_currency`, signed as `gross`."""
    exchange_rate: str | None = None
    available_on: date | None = None
    test: bool = False
    feed: Feed


class PayoutState(StrEnum):
    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Payout(Plentiful):
    """What a provider sends to the bank at once."""

    account: AccountId
    payout_id: str
    state: PayoutState
    vendor_state: str
    currency: CurrencyCode
    amount: Minor
    """Positive; negative where the provider collects a debt."""
    issued_on: date
    arrives_on: date | None = None
    itemised: bool = True
    """Whether the lines name it. False for what a provider cannot link (Stripe's manual and instant payouts)."""
    references: tuple[str, ...] = ()
    """What the bank line may say: the statement descriptor, the trace number."""
    stated_at: datetime
    feed: Feed


class ProviderBalance(Canonical):
    """What the provider says it holds for the merchant, reserves and what is pending included."""

    account: AccountId
    currency: CurrencyCode
    as_of: datetime
    amount: Minor


class BankLine(Plentiful):
    """One movement on a bank account."""

    bank: BankId
    line_id: str
    """The bank's reference where it is unique; else a digest of day, amount, text, and which of equal ones it is."""
    booked_on: date
    valued_on: date | None = None
    currency: CurrencyCode
    amount: Minor
    """Positive: credited."""
    text: str
    """Purpose and reference as far as they concern a payout; what names a private person is left out."""
    references: tuple[str, ...] = ()
    feed: Feed


Fact = OrderStatement | Payment | SettlementLine | Payout | ProviderBalance | BankLine


def line_key(line: SettlementLine) -> str:
    """`stripe-eu/txn_1`: what links, matches and sources of entries call it."""
    return f"{line.account}/{line.line_id}"


def payment_key(payment: Payment) -> str:
    return f"{payment.account}/{payment.payment_id}"


def payout_key(payout: Payout) -> str:
    return f"{payout.account}/{payout.payout_id}"


def bank_key(line: BankLine) -> str:
    return f"{line.bank}/{line.line_id}"


# ---- what reconciliation says ----------------------------------------------------------------------------------------


class Rule(StrEnum):
    """How two things were found to belong together, the surest first."""

    STAFF = "staff"
    """Somebody said so."""
    REFERENCE = "reference"
    """One names the other, and the money is the same to the minor unit."""
    PARENT = "parent"
    """It belongs to a charge that is matched already: its refund, dispute, fee or reversal."""
    UNIQUE_AMOUNT = "unique_amount"
    """The only two of this amount within the window, on both sides."""
    SPLIT_TENDER = "split_tender"
    """Several payments that together pay one order, and no other combination does."""
    PAYOUT = "payout"
    """Lines that name their payout, and come to its amount."""
    BANK_REFERENCE = "bank_reference"
    BANK_AMOUNT = "bank_amount"
    """The only bank line of a payout's amount in its days, and the other way round."""


RULE_VERSION = 1
"""Raised when a rule's meaning changes: stored matches say by which one they were made."""


class Subject(StrEnum):
    """What a match joins, or a discrepancy is about."""

    ORDER = "order"
    LINE = "line"
    PAYMENT = "payment"
    PAYOUT = "payout"
    BANK = "bank"


class Item(Plentiful):
    """One thing of the reconciliation by name: `order aurora/5001`, `line stripe-eu/txn_1`."""

    subject: Subject
    id: str
    """`aurora/5001`; `stripe-eu/txn_1`; `bank-eu/…`."""

    def __str__(self) -> str:
        return f"{self.subject}:{self.id}"


class Match(Plentiful):
    """Things that belong together, and why we think so."""

    id: str
    """Derived from what it joins: the same again in every run."""
    rule: Rule
    rule_version: int = RULE_VERSION
    items: tuple[Item, ...]
    """Sorted. One order with its lines; one payout with its lines; one payout with its bank line."""
    currency: CurrencyCode
    amount: Minor
    """What was matched, signed as the lines are."""
    evidence: tuple[str, ...]
    """In words for staff, without anything personal: `transaction 551 names ch_1`, `EUR 12.50 on both sides`."""


class DiscrepancyKind(StrEnum):
    MISSING_PAYMENT = "missing_payment"
    """The shop says that it was paid; the provider knows nothing, and the time for it is over."""
    MISSING_ORDER = "missing_order"
    """Money came in that no order asks for."""
    AMOUNT_MISMATCH = "amount_mismatch"
    CURRENCY_MISMATCH = "currency_mismatch"
    PARTIAL_CAPTURE = "partial_capture"
    DUPLICATE_CAPTURE = "duplicate_capture"
    REFUND_NOT_IN_STORE = "refund_not_in_store"
    REFUND_NOT_AT_PROCESSOR = "refund_not_at_processor"
    FEE_VARIANCE = "fee_variance"
    DISPUTE_OPEN = "dispute_open"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    PAYOUT_SHORT = "payout_short"
    PAYOUT_OVER = "payout_over"
    RESERVE_HELD = "reserve_held"
    BANK_MISSING = "bank_missing"
    LATE_SETTLEMENT = "late_settlement"
    UNKNOWN_TXN = "unknown_txn"
    FX_ROUNDING = "fx_rounding"
    UNEXPECTED_BANK_LINE = "unexpected_bank_line"
    """A bank account that only takes payouts has one that no payout explains."""
    RESTATED = "restated"
    """Two statements of one fact disagree about the money."""


class Action(StrEnum):
    """What is to be done about a discrepancy unless somebody decides otherwise."""

    HOLD = "hold"
    CHASE = "chase"
    REVIEW = "review"
    RECEIVABLE = "receivable"
    PROPOSE_REFUND = "propose_refund"
    REPORT = "report"
    """Say it in the report; nothing else."""
    BLOCK_CLOSE = "block_close"
    AUTO_ROUND = "auto_round"
    """Goes to the rounding account by itself."""


class Suggestion(Canonical):
    """What may belong together. Shown to staff with its score, never posted by itself."""

    item: Item
    score: Annotated[int, Field(ge=0, le=100)]
    evidence: tuple[str, ...]


class Discrepancy(Canonical):
    """Something that does not tie out."""

    id: str
    """Derived from kind and subject: the same again in every run, for as long as it lasts."""
    kind: DiscrepancyKind
    subject: Item
    others: tuple[Item, ...] = ()
    """What else it concerns."""
    account: str | None = None
    """The payment account or bank; None where only the shop speaks."""
    currency: CurrencyCode
    expected: Minor | None = None
    found: Minor | None = None
    since: date
    """The day of business that it belongs to: ageing counts from here."""
    action: Action
    blocks_close: bool
    evidence: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def difference(self) -> int:
        return (self.found or 0) - (self.expected or 0)


class Bucket(StrEnum):
    """Where each thing that went into a reconciliation ended: in exactly one of them."""

    MATCHED = "matched"
    EXCEPTION = "exception"
    WAITING = "waiting"
    """Its counterpart may still come: it is not late yet."""
    OUTSIDE = "outside"
    """Paid by a method that no feed tells of, a test, or nothing of an order: nothing to compare with."""
    NEUTRAL = "neutral"
    """Moves money within the provider (reserve, conversion, fee by itself) and needs no order."""
