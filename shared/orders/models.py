"""The canonical order: everything a storefront said about it, without loss, in the trade's words.

Money is always an :class:`Amount` (the shop's currency and the buyer's side by side). Whatever identifies a person
lives in :class:`PersonalData`, which is stored apart from the rest.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from shared.customers.models import PostalAddress
from shared.kernel.identifiers import OrderKey
from shared.kernel.model import Canonical
from shared.kernel.money import Amount, CurrencyCode, Money
from shared.kernel.versions import Version


class PaymentState(StrEnum):
    """The payment axis. An unknown vendor status is PENDING plus a metric, never a guess."""

    PENDING = "pending"
    AUTHORISED = "authorised"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    DISPUTED = "disputed"


class RestockKind(StrEnum):
    """What a storefront says became of a refunded unit."""

    NOT_RESTOCKED = "not_restocked"
    """Refunded, and the goods are not to be sold again (lost, damaged, kept by the buyer)."""
    CANCELLED_BEFORE_SHIPPING = "cancelled_before_shipping"
    """Never left the shelf: it is free to sell again."""
    RETURNED = "returned"
    """Came back from the buyer and went on the shelf."""
    UNKNOWN = "unknown"
    """The storefront does not tell (WooCommerce)."""


class TaxLine(Canonical):
    title: str
    rate: str | None
    """The rate as the storefront wrote it, a fraction: `0.23` is 23 %."""
    amount: Amount
    channel_liable: bool | None = None
    """Whether the sales channel remits this tax itself (marketplaces)."""


class DiscountApplication(Canonical):
    """One discount as it was granted; lines refer to it by its index in the order."""

    kind: str
    title: str | None
    code: str | None
    value: str | None
    value_type: str | None
    target: str | None
    """What it reduces: `line_item` or `shipping_line`."""
    selection: str | None = None
    allocation: str | None = None


class DiscountAllocation(Canonical):
    amount: Amount
    application: int | None
    """Index into `Order.discount_applications`, when the storefront tells."""


class Duty(Canonical):
    id: str
    amount: Amount
    harmonised_code: str | None = None
    country_of_origin: str | None = None
    taxes: tuple[TaxLine, ...] = ()


class OrderLine(Canonical):
    """One line. `subtotal` is before discounts and in the order's tax convention (`Order.taxes_included`)."""

    id: str
    gid: str | None = None
    product_id: str | None
    variant_id: str | None
    sku: str | None
    title: str
    variant_title: str | None = None
    vendor: str | None = None
    quantity: int
    """Units sold: as placed, plus units added by edits; removals and refunds do not lower it."""
    current_quantity: int
    """Units after edits, refunds and removals."""
    open_quantity: int
    """Units that are still to be shipped, as the storefront sees it."""
    unit_price: Amount | None
    subtotal: Amount
    discounts: tuple[DiscountAllocation, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    duties: tuple[Duty, ...] = ()
    taxable: bool | None = None
    gift_card: bool = False
    requires_shipping: bool = True
    stock_tracked: bool | None = None
    """Whether the storefront counts stock of it; None where it does not tell."""
    fulfilment_service: str | None = None


class ShippingLine(Canonical):
    id: str
    title: str
    code: str | None = None
    carrier: str | None = None
    price: Amount
    discounted_price: Amount
    discounts: tuple[DiscountAllocation, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    removed: bool = False


class Fee(Canonical):
    """A surcharge beside goods and shipping (payment surcharge, gift wrap, import fee)."""

    id: str
    title: str
    amount: Amount
    taxes: tuple[TaxLine, ...] = ()


class Tender(Canonical):
    """Something other than the main payment that paid part of the order: gift card, store credit."""

    kind: str
    id: str | None
    amount: Amount
    last_characters: str | None = None


class Transaction(Canonical):
    """A movement at a payment gateway, as the storefront reports it."""

    id: str
    parent_id: str | None
    kind: str
    """authorization, capture, sale, void, refund …, as sent."""
    status: str
    gateway: str | None
    amount: Money
    test: bool = False
    processed_at: datetime | None = None


class RefundLine(Canonical):
    line_id: str
    quantity: int
    restock: RestockKind
    location_id: str | None = None
    """The storefront's own id of the location."""
    subtotal: Amount
    tax: Amount


class RefundAdjustment(Canonical):
    """The part of a refund that is no line: shipping given back, a discrepancy."""

    kind: str
    reason: str | None
    amount: Amount
    tax: Amount


class Refund(Canonical):
    id: str
    created_at: datetime | None
    amount: Amount
    """Money that went back: successful refund transactions, not the sum of lines."""
    lines: tuple[RefundLine, ...] = ()
    lines_known: bool = True
    """False where the storefront names the refund without its lines (WooCommerce's order body)."""
    adjustments: tuple[RefundAdjustment, ...] = ()
    duties: tuple[Duty, ...] = ()
    transactions: tuple[Transaction, ...] = ()


class FulfilmentLine(Canonical):
    line_id: str
    quantity: int


class Parcel(Canonical):
    carrier: str | None
    number: str | None
    url: str | None


class Fulfilment(Canonical):
    """A shipment as the storefront knows it."""

    id: str
    status: str
    """success, pending, cancelled, error, failure …, as sent."""
    shipment_status: str | None = None
    created_at: datetime | None = None
    location_id: str | None = None
    lines: tuple[FulfilmentLine, ...] = ()
    parcels: tuple[Parcel, ...] = ()

    @property
    def counts_as_shipped(self) -> bool:
        return self.status == "success"


class Totals(Canonical):
    """The storefront's own sums. `tax` is part of the other figures when `Order.taxes_included`."""

    subtotal: Amount
    """Lines after their discounts."""
    discounts: Amount
    shipping: Amount
    """After shipping discounts."""
    fees: Amount
    duties: Amount
    tips: Amount
    tax: Amount
    gift_cards: Amount
    """Deducted from `total` by the storefront itself (WooCommerce's plugin); zero where they are tender."""
    total: Amount


class CurrentTotals(Canonical):
    """The same after edits and refunds; None where the storefront does not say."""

    subtotal: Amount | None = None
    discounts: Amount | None = None
    fees: Amount | None = None
    duties: Amount | None = None
    tax: Amount | None = None
    total: Amount | None = None


class CashRounding(Canonical):
    payment: Amount
    refund: Amount


class PersonalData(Canonical):
    """All that identifies or describes the buyer. Every field may be missing: platforms withhold them."""

    customer_id: str | None = None
    """The storefront's own id of the customer; None for a guest."""
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    accepts_marketing: bool | None = None
    locale: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    billing_address: PostalAddress | None = None
    shipping_address: PostalAddress | None = None
    note: str | None = None
    attributes: dict[str, JsonValue] = {}
    """What the buyer or a plugin attached to the order."""
    line_properties: dict[str, JsonValue] = {}
    """By line id: engravings, gift messages and the like."""
    refund_notes: dict[str, str] = {}
    unknown_fields: dict[str, JsonValue] = {}
    """What the storefront sent and no other field holds, by path. Kept so that nothing is lost."""


class Order(Canonical):
    """One version of one order."""

    shop: str
    order_id: str
    """The storefront's own id of the order, as text."""
    platform: str
    gid: str | None
    """The platform's global id, exact where JSON numbers get rounded."""
    name: str
    """What buyer and staff call it: #1001."""
    version: Version
    api_version: str | None
    raw_sha256: str
    created_at: datetime
    processed_at: datetime | None
    updated_at: datetime
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed_at: datetime | None = None
    source: str | None = None
    """The channel inside the storefront: web, pos, store-api."""
    test: bool = False
    confirmed: bool = True
    tags: tuple[str, ...] = ()
    payment: PaymentState
    vendor_payment_status: str | None
    vendor_fulfilment_status: str | None
    unknown_statuses: tuple[str, ...] = ()
    """Vendor statuses that no table of ours knows; counted as a metric."""
    payment_methods: tuple[str, ...] = ()
    outstanding: Amount | None = None
    currency: CurrencyCode
    presentment_currency: CurrencyCode
    exchange_rate: str | None = None
    taxes_included: bool
    """Whether the amounts of lines, shipping and fees contain the tax."""
    prices_shown_with_tax: bool | None = None
    duties_included: bool = False
    estimated_taxes: bool = False
    tax_exempt: bool | None = None
    lines: tuple[OrderLine, ...]
    shipping_lines: tuple[ShippingLine, ...] = ()
    discount_applications: tuple[DiscountApplication, ...] = ()
    discount_codes: tuple[str, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    fees: tuple[Fee, ...] = ()
    tenders: tuple[Tender, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    refunds: tuple[Refund, ...] = ()
    fulfilments: tuple[Fulfilment, ...] = ()
    totals: Totals
    current_totals: CurrentTotals = CurrentTotals()
    cash_rounding: CashRounding | None = None
    risk_level: str | None = None
    """The storefront's own judgement where it gives one: none, low, medium, high."""
    personal: PersonalData = PersonalData()

    @property
    def key(self) -> OrderKey:
        return OrderKey(self.shop, self.order_id)
