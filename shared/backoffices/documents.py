"""What we hand to a back office and what it tells us, in the trade's words and the same for every vendor.

Units are whole. Amounts of lines are for all their units together, after discounts and before tax. Every document that
we have written carries a key of ours, unique in the back office: that is how it is found again after a lost answer.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.inventory.models import Quantity, Sku
from shared.kernel.model import Canonical
from shared.kernel.money import CurrencyCode, Money
from shared.orders.models import Parcel

Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
Units = Annotated[int, Field(ge=1, le=10**9)]


# ---- customers -------------------------------------------------------------------------------------------------------


class Address(Canonical):
    name: str | None = None
    company: str | None = None
    street: tuple[str, ...] = ()
    postal_code: str | None = None
    city: str | None = None
    subdivision: str | None = None
    """Code of the state or province without the country: `TX`, `NH`; its name where no code is known."""
    country: str | None = None
    """ISO 3166-1 alpha-2."""


class CardField(StrEnum):
    """What a customer can be without."""

    EMAIL = "email"
    PHONE = "phone"
    LANGUAGE = "language"
    BILLING = "billing"
    SHIPPING = "shipping"


class CustomerCard(Canonical):
    """One customer. Any field but the name may be missing: storefronts withhold them."""

    key: Key
    name: str
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    """ISO 639-1."""
    billing: Address | None = None
    shipping: Address | None = None
    cleared: frozenset[CardField] = frozenset()
    """Fields that the customer is to be without from now on. Each of them is None above."""
    for_one_order: bool = False
    """The card of one order's buyer: a customer that exists keeps name, e-mail, phone and language where it has them,
    and its usual addresses; the order's addresses are added beside them."""
    is_kept_up: bool = False
    """With `for_one_order`: what the customer's accounts say comes here by itself. Of the order not even that is taken
    which the customer lacks: it would look like an edit of the back office's staff, and go to the storefronts."""


class KnownCustomer(Canonical):
    """A customer as the back office holds it."""

    id: str
    key: str | None
    """None for one that did not come from us."""
    card: CustomerCard
    """`billing` and `shipping` are the usual addresses; None where it has none. A name that stands in for a forgotten
    one, or for one that was never told, is a name like any other."""
    changed_at: datetime


class Forgotten(Canonical):
    """What became of a customer's personal data in the back office."""

    erased: tuple[str, ...]
    """`name`, `email`, `phone`, `addresses`: in words for people, never their content."""
    kept: tuple[str, ...] = ()
    """What must stay, and why: `addresses of 2 posted invoices (bookkeeping law)`."""


# ---- orders ----------------------------------------------------------------------------------------------------------


class SaleLine(Canonical):
    """One line of a sale or of a credit note."""

    key: Key
    """The storefront's line id; `shipping/…`, `fee/…`, `duty/…`, `tip`, `gift_card`, `rounding` for charges."""
    sku: Sku
    title: str
    quantity: Quantity
    amount: Money
    """Net of all units. Negative for what lowers the total (a gift card that the storefront deducts)."""
    taxes: tuple[str, ...] = ()
    """Names of the back office's own taxes; empty: the line bears none."""
    goods: bool = True
    """Whether it is handed to the warehouse. False for charges."""


class Rounding(Canonical):
    """How to make totals equal to the cent where the back office computes taxes or unit prices a little differently."""

    sku: Sku
    """Product of the line that takes the difference, without tax."""
    limit: Money
    """The largest difference that is only rounding. Beyond it something is set up wrongly, and nothing is confirmed."""


class SalesOrder(Canonical):
    """An order as it is to stand in the back office now."""

    key: Key
    """`aurora/5001`."""
    name: str
    """What buyer and staff call it: #1001."""
    placed_on: date
    customer: CustomerCard
    customer_id: str
    """The back office's own id of the saved customer."""
    currency: CurrencyCode
    warehouse: str
    """Name of the back office's warehouse that ships it."""
    lines: tuple[SaleLine, ...]
    """Without the rounding line. Lines of quantity 0 are left out."""
    total: Money
    """What the storefront charges for these lines, taxes included. The recorded sale comes to exactly this."""
    rounding: Rounding


class SaleState(StrEnum):
    DRAFT = "draft"
    """Recorded; nothing is promised or shipped on its account."""
    CONFIRMED = "confirmed"
    DONE = "done"
    CANCELLED = "cancelled"


class RecordedLine(Canonical):
    key: str
    sku: str
    quantity: int
    settled: int = 0
    """Units that no amendment may take out any more: picked, packed or shipped."""


class ConsignmentState(StrEnum):
    WAITING = "waiting"
    PICKED = "picked"
    """Picked or packed; it has not left."""
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class ConsignmentLine(Canonical):
    key: str
    sku: str
    quantity: int


class Consignment(Canonical):
    """What leaves the warehouse together."""

    id: str
    """Unique within the back office."""
    number: str | None
    state: ConsignmentState
    left_at: datetime | None = None
    lines: tuple[ConsignmentLine, ...] = ()
    parcels: tuple[Parcel, ...] = ()

    @property
    def has_left(self) -> bool:
        return self.state in (ConsignmentState.SHIPPED, ConsignmentState.DELIVERED)


class InvoiceState(StrEnum):
    DRAFT = "draft"
    POSTED = "posted"
    PAID = "paid"
    CANCELLED = "cancelled"


class InvoicedLine(Canonical):
    key: str
    quantity: int


class Invoice(Canonical):
    id: str
    number: str | None
    state: InvoiceState
    total: Money
    """Taxes included."""
    unpaid: Money
    lines: tuple[InvoicedLine, ...] = ()

    @property
    def stands(self) -> bool:
        return self.state in (InvoiceState.POSTED, InvoiceState.PAID)


class Sale(Canonical):
    """An order as the back office holds it."""

    id: str
    number: str | None
    key: str
    state: SaleState
    lines: tuple[RecordedLine, ...]
    """The rounding line included, under the key `rounding`."""
    total: Money
    """As the back office computed it, taxes included."""
    consignments: tuple[Consignment, ...] = ()
    """To the buyer. Returns are not among them."""
    invoices: tuple[Invoice, ...] = ()
    """Credit notes are not among them."""

    @property
    def shipped(self) -> dict[str, int]:
        """Units that left, by line key."""
        units: dict[str, int] = {}
        for consignment in self.consignments:
            for line in consignment.lines if consignment.has_left else ():
                units[line.key] = units.get(line.key, 0) + line.quantity
        return units

    @property
    def invoice(self) -> Invoice | None:
        """The invoice that stands; the oldest where there are several."""
        return next((invoice for invoice in self.invoices if invoice.stands), None)


# ---- after the order -------------------------------------------------------------------------------------------------


class GoodsLine(Canonical):
    key: str
    """Of the sale's line."""
    sku: Sku
    quantity: Units


class Shipping(Canonical):
    """Goods that somebody else than the back office's warehouse has shipped: the storefront's staff, a 3PL."""

    key: Key
    """`aurora/5001/shipped/3`: the storefront's fulfilment."""
    sale: Key
    lines: tuple[GoodsLine, ...]
    parcels: tuple[Parcel, ...] = ()


class GoodsReturn(Canonical):
    """Shipped goods that come back. It says nothing about money."""

    key: Key
    sale: Key
    lines: tuple[GoodsLine, ...]
    warehouse: str
    received: bool
    """True: they are on the shelf again. False: they are expected, and the warehouse will receive them."""


class CreditNote(Canonical):
    """Money given back. It says nothing about goods."""

    key: Key
    sale: Key
    name: str
    """What staff read as its reference: `#1001 refund 77`."""
    issued_on: date
    lines: tuple[SaleLine, ...]
    """What is credited, as positive amounts. Charges such as a goodwill refund have lines too."""
    total: Money
    """Positive; taxes included. The note comes to exactly this."""
    rounding: Rounding


class PaymentEntry(Canonical):
    """Money that came in for an invoice, or went out for a credit note."""

    key: Key
    invoice: str
    """The back office's id of the posted invoice or credit note."""
    amount: Money
    """Positive both ways. Never more than is unpaid."""
    method: str
    """Name of the back office's journal or payment method."""
    paid_on: date
    reference: str


# ---- journals --------------------------------------------------------------------------------------------------------


AccountCode = Annotated[str, Field(min_length=1, max_length=64)]
"""As the back office's own chart of accounts has it: `6200`."""


class JournalLine(Canonical):
    account: AccountCode
    amount: Money
    """A debit is positive, a credit negative. Never zero."""
    label: str
    """What staff read in the line. Nothing about buyers."""


class Journal(Canonical):
    """What a day brought that the back office has no documents of. There is none that does not balance."""

    key: Key
    name: str
    """What staff read as its reference."""
    posted_on: date
    journal: str | None = None
    """Name of the back office's own journal; None: its general one."""
    currency: CurrencyCode
    lines: Annotated[tuple[JournalLine, ...], Field(min_length=2, max_length=1000)]

    @model_validator(mode="after")
    def _balances(self) -> Self:
        if any(line.amount.currency != self.currency or not line.amount for line in self.lines):
            raise ValueError(f"{self.key}: every line moves an amount of {self.currency}")
        left = Money.total((line.amount for line in self.lines), self.currency)
        if left:
            raise ValueError(f"{self.key}: debits and credits differ by {left}")
        return self


class PostedJournal(Canonical):
    """A journal entry that stands in the back office under a key of ours."""

    id: str
    sums: dict[AccountCode, Money]
    """What it moves on each account, by its code; a debit is positive."""


class LedgerAccount(Canonical):
    """An account that entries may be posted to."""

    code: AccountCode
    name: str
    kind: str
    """In the vendor's own words: `Expense`, `asset_current`. For people."""


# ---- stock -----------------------------------------------------------------------------------------------------------


class StockFigure(Canonical):
    """Whole units of one SKU in one warehouse; fractions are cut off."""

    sku: str
    on_hand: int
    """On the shelf. May be negative where the back office allows it."""
    sellable: int
    """By the definition in `Capabilities.sellable`. May be negative: sold more than there is."""


class CountLine(Canonical):
    sku: Sku
    quantity: Quantity
    """Units on the shelf, absolute."""


class StockCount(Canonical):
    key: Key
    warehouse: str
    counted_on: date
    lines: Annotated[tuple[CountLine, ...], Field(min_length=1)]


# ---- what there is ---------------------------------------------------------------------------------------------------


class Product(Canonical):
    id: str
    sku: str
    name: str
    stocked: bool
    """False for services."""


class Warehouse(Canonical):
    id: str
    name: str


class Tax(Canonical):
    name: str
    rate: str | None
    """A fraction: `0.21`. None for one that is no percentage."""


class Identity(Canonical):
    """Who answers, and as whom we speak."""

    vendor: str
    version: str
    company: str
    currency: CurrencyCode
    user: str


class MissingRight(Canonical):
    """Something that our user may not do and would have to."""

    what: str
    """`create sales orders`."""
    hint: str
    """What to grant, in the vendor's words."""
