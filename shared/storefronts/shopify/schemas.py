"""What Shopify sends about an order, read leniently: the REST shape that webhooks keep in every API version.

Only what the mapping reads is declared. Everything else stays in `model_extra` and ends in the order's unknown
fields, so a field that Shopify adds tomorrow is kept today. Amounts stay text until their currency is known.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from shared.storefronts.lenient import NULL_IS_EMPTY, Lenient, OptionalText

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""An id as text. JSON tools that hold numbers as doubles round it: see :class:`Resource`."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


def split_tags(value: Any) -> Any:
    """Webhooks state tags as one text, with commas between."""
    if isinstance(value, str):
        return [tag.strip() for tag in value.split(",") if tag.strip()]
    return [] if value is None else value


class Resource(Lenient):
    """Something with an id. The global id is text, so it is exact where the number was rounded on its way."""

    id: Id
    admin_graphql_api_id: OptionalText = None


class MoneyFigure(Lenient):
    amount: OptionalText = None
    currency_code: OptionalText = None
    currency: OptionalText = None
    """`total_unsettled_set` spells `currency_code` so; `XXX` or null where Shopify knows none."""


class MoneySet(Lenient):
    """One amount in the shop's currency and in the buyer's."""

    shop_money: MoneyFigure | None = None
    presentment_money: MoneyFigure | None = None


class TaxLine(Lenient):
    title: OptionalText = None
    rate: OptionalText = None
    price: OptionalText = None
    price_set: MoneySet | None = None
    channel_liable: bool | None = None


TaxLines = Annotated[tuple[TaxLine, ...], NULL_IS_EMPTY]


class DiscountAllocation(Lenient):
    amount: OptionalText = None
    amount_set: MoneySet | None = None
    discount_application_index: int | None = None


Allocations = Annotated[tuple[DiscountAllocation, ...], NULL_IS_EMPTY]


class DiscountApplication(Lenient):
    type: OptionalText = None
    title: OptionalText = None
    description: OptionalText = None
    code: OptionalText = None
    value: OptionalText = None
    value_type: OptionalText = None
    target_type: OptionalText = None
    target_selection: OptionalText = None
    allocation_method: OptionalText = None


class DiscountCode(Lenient):
    code: OptionalText = None


class Duty(MoneySet):
    """A duty on a line: the amounts stand in the object itself. Source: shopify.dev, REST Order."""

    id: OptionalText = None
    harmonized_system_code: OptionalText = None
    country_code_of_origin: OptionalText = None
    tax_lines: TaxLines = ()


class RefundedDuty(Lenient):
    duty_id: OptionalText = None
    amount_set: MoneySet | None = None


class Fee(Lenient):
    id: OptionalText = None
    name: OptionalText = None
    price_set: MoneySet | None = None
    tax_lines: TaxLines = ()


class Attribute(Lenient):
    """A buyer's or a plugin's note: plugins put numbers, booleans and lists in the value."""

    name: OptionalText = None
    value: Any = None


Attributes = Annotated[tuple[Attribute, ...], NULL_IS_EMPTY]


class LineItem(Resource):
    product_id: OptionalText = None
    variant_id: OptionalText = None
    sku: OptionalText = None
    title: OptionalText = None
    variant_title: OptionalText = None
    vendor: OptionalText = None
    quantity: int
    current_quantity: int | None = None
    fulfillable_quantity: int | None = None
    price: OptionalText = None
    price_set: MoneySet | None = None
    discount_allocations: Allocations = ()
    tax_lines: TaxLines = ()
    duties: Annotated[tuple[Duty, ...], NULL_IS_EMPTY] = ()
    taxable: bool | None = None
    gift_card: bool | None = None
    requires_shipping: bool | None = None
    variant_inventory_management: OptionalText = None
    fulfillment_service: OptionalText = None
    properties: Attributes = ()

    @property
    def tip(self) -> bool:
        """A gratuity that Shopify also lists as a line: there is nothing to pick."""
        return bool((self.model_extra or {}).get("tip"))


class ShippingLine(Lenient):
    id: OptionalText = None
    title: OptionalText = None
    code: OptionalText = None
    carrier_identifier: OptionalText = None
    price: OptionalText = None
    price_set: MoneySet | None = None
    discounted_price: OptionalText = None
    discounted_price_set: MoneySet | None = None
    discount_allocations: Allocations = ()
    tax_lines: TaxLines = ()
    is_removed: bool | None = None


class LineReference(Lenient):
    """A copy of a line inside a refund or a fulfilment. The order's own line says the rest, so extras are dropped."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    id: OptionalText = None
    admin_graphql_api_id: OptionalText = None
    quantity: int | None = None


class RefundLineItem(Lenient):
    line_item_id: OptionalText = None
    line_item: LineReference | None = None
    quantity: int
    restock_type: OptionalText = None
    location_id: OptionalText = None
    subtotal: OptionalText = None
    subtotal_set: MoneySet | None = None
    total_tax: OptionalText = None
    total_tax_set: MoneySet | None = None


class OrderAdjustment(Lenient):
    kind: OptionalText = None
    reason: OptionalText = None
    amount: OptionalText = None
    amount_set: MoneySet | None = None
    tax_amount: OptionalText = None
    tax_amount_set: MoneySet | None = None


class RefundShippingLine(Lenient):
    """Shipping given back, as positive amounts; older API versions say it as an adjustment."""

    subtotal_amount_set: MoneySet | None = None
    tax_amount_set: MoneySet | None = None


class Receipt(Lenient):
    """The gateway's own words: free in form, so only what a gift card needs is read."""

    gift_card_id: OptionalText = None
    gift_card_last_characters: OptionalText = None


class Transaction(Resource):
    parent_id: OptionalText = None
    kind: OptionalText = None
    status: OptionalText = None
    gateway: OptionalText = None
    amount: OptionalText = None
    currency: OptionalText = None
    amount_set: MoneySet | None = None
    test: bool | None = None
    created_at: OptionalText = None
    processed_at: OptionalText = None
    receipt: Annotated[Receipt | None, BeforeValidator(lambda value: value if isinstance(value, dict) else None)] = None


Transactions = Annotated[tuple[Transaction, ...], NULL_IS_EMPTY]


class Refund(Resource):
    created_at: OptionalText = None
    note: OptionalText = None
    refund_line_items: Annotated[tuple[RefundLineItem, ...], NULL_IS_EMPTY] = ()
    order_adjustments: Annotated[tuple[OrderAdjustment, ...], NULL_IS_EMPTY] = ()
    refund_shipping_lines: Annotated[tuple[RefundShippingLine, ...], NULL_IS_EMPTY] = ()
    duties: Annotated[tuple[RefundedDuty, ...], NULL_IS_EMPTY] = ()
    transactions: Transactions = ()


class Fulfillment(Resource):
    status: OptionalText = None
    shipment_status: OptionalText = None
    created_at: OptionalText = None
    location_id: OptionalText = None
    line_items: Annotated[tuple[LineReference, ...], NULL_IS_EMPTY] = ()
    tracking_company: OptionalText = None
    tracking_number: OptionalText = None
    tracking_numbers: Annotated[tuple[OptionalText, ...], NULL_IS_EMPTY] = ()
    tracking_url: OptionalText = None
    tracking_urls: Annotated[tuple[OptionalText, ...], NULL_IS_EMPTY] = ()
    tracking_companies: Annotated[tuple[OptionalText, ...], NULL_IS_EMPTY] = ()
    """Only in bodies that our client fetched: webhooks name one carrier for all parcels."""


class Address(Lenient):
    first_name: OptionalText = None
    last_name: OptionalText = None
    name: OptionalText = None
    company: OptionalText = None
    address1: OptionalText = None
    address2: OptionalText = None
    city: OptionalText = None
    province: OptionalText = None
    province_code: OptionalText = None
    zip: OptionalText = None
    country: OptionalText = None
    country_code: OptionalText = None
    phone: OptionalText = None


class Customer(Lenient):
    id: OptionalText = None
    admin_graphql_api_id: OptionalText = None
    email: OptionalText = None
    phone: OptionalText = None
    first_name: OptionalText = None
    last_name: OptionalText = None


class ClientDetails(Lenient):
    browser_ip: OptionalText = None
    user_agent: OptionalText = None


class Risk(Lenient):
    recommendation: OptionalText = None
    """Only in bodies that our client fetched: webhooks do not tell."""


class Order(Resource):
    """A whole order. Required is only what an order cannot be without."""

    name: OptionalText = None
    created_at: str
    updated_at: str
    processed_at: OptionalText = None
    cancelled_at: OptionalText = None
    cancel_reason: OptionalText = None
    closed_at: OptionalText = None
    source_name: OptionalText = None
    test: bool | None = None
    confirmed: bool | None = None
    tags: Annotated[tuple[str, ...], BeforeValidator(split_tags)] = ()
    financial_status: OptionalText = None
    fulfillment_status: OptionalText = None
    payment_gateway_names: Annotated[tuple[str, ...], NULL_IS_EMPTY] = ()
    currency: Currency
    presentment_currency: Currency | None = None
    taxes_included: bool | None = None
    duties_included: bool | None = None
    estimated_taxes: bool | None = None
    tax_exempt: bool | None = None

    line_items: tuple[LineItem, ...]
    shipping_lines: Annotated[tuple[ShippingLine, ...], NULL_IS_EMPTY] = ()
    discount_applications: Annotated[tuple[DiscountApplication, ...], NULL_IS_EMPTY] = ()
    discount_codes: Annotated[tuple[DiscountCode, ...], NULL_IS_EMPTY] = ()
    tax_lines: TaxLines = ()
    additional_fees: Annotated[tuple[Fee, ...], NULL_IS_EMPTY] = ()
    transactions: tuple[Transaction, ...] | None = None
    """Only in bodies that our client fetched; None in a webhook."""
    refunds: Annotated[tuple[Refund, ...], NULL_IS_EMPTY] = ()
    fulfillments: Annotated[tuple[Fulfillment, ...], NULL_IS_EMPTY] = ()
    risk: Risk | None = None

    subtotal_price: OptionalText = None
    subtotal_price_set: MoneySet | None = None
    total_discounts: OptionalText = None
    total_discounts_set: MoneySet | None = None
    total_shipping_price_set: MoneySet | None = None
    total_tax: OptionalText = None
    total_tax_set: MoneySet | None = None
    total_tip_received: OptionalText = None
    total_tip_received_set: MoneySet | None = None
    total_price: OptionalText = None
    total_price_set: MoneySet | None = None
    total_outstanding: OptionalText = None
    total_outstanding_set: MoneySet | None = None
    original_total_duties_set: MoneySet | None = None
    original_total_additional_fees_set: MoneySet | None = None
    current_subtotal_price: OptionalText = None
    current_subtotal_price_set: MoneySet | None = None
    current_total_discounts: OptionalText = None
    current_total_discounts_set: MoneySet | None = None
    current_total_tax: OptionalText = None
    current_total_tax_set: MoneySet | None = None
    current_total_price: OptionalText = None
    current_total_price_set: MoneySet | None = None
    current_total_duties_set: MoneySet | None = None
    current_total_additional_fees_set: MoneySet | None = None
    total_cash_rounding_payment_adjustment_set: MoneySet | None = None
    total_cash_rounding_refund_adjustment_set: MoneySet | None = None

    email: OptionalText = None
    contact_email: OptionalText = None
    phone: OptionalText = None
    buyer_accepts_marketing: bool | None = None
    customer_locale: OptionalText = None
    browser_ip: OptionalText = None
    client_details: ClientDetails | None = None
    customer: Customer | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    note: OptionalText = None
    note_attributes: Attributes = ()
