"""What WooCommerce's REST API v3 and its webhooks send, leniently.

Only what the canonical order has a place for is named; all else stays in `model_extra` and is kept as an unknown
field. Plugins change types and add fields at will, so text and numbers are read alike and almost all may be missing.
"""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from shared.kernel.money import CurrencyCode
from shared.storefronts.lenient import Lenient, OptionalDecimal, OptionalText


def _blank_is_zero(value: Any) -> Any:
    return "0" if value is None or (isinstance(value, str) and not value.strip()) else value


def _zero_is_none(value: Any) -> Any:
    return None if value in (None, "", 0, "0") else value


def _list_of_php(value: Any) -> Any:
    """PHP writes an array with gaps in its keys as an object, as plugins that filter an array often do."""
    if value is None:
        return []
    return list(value.values()) if isinstance(value, dict) else value


def absent_to_none(value: Any) -> Any:
    """PHP writes an empty map as `[]`, so an absent address or error detail may come as a list."""
    return value if isinstance(value, dict) else None


_PHP_LIST = BeforeValidator(_list_of_php)

ResourceId = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,19}$")]
"""A WordPress id: a positive integer."""
AmountText = Annotated[Decimal, BeforeValidator(_blank_is_zero)]
"""An amount in major units; "" and null are zero, for an amount of WooCommerce's is absent only where it is nothing."""
ReferenceId = Annotated[str | None, BeforeValidator(_zero_is_none)]
"""The id of another thing; 0 is none."""


class Meta(Lenient):
    """One entry of `meta_data`: a plugin's or the buyer's addition, of any shape."""

    key: OptionalText = None
    value: Any = None


class Address(Lenient):
    first_name: OptionalText = None
    last_name: OptionalText = None
    company: OptionalText = None
    address_1: OptionalText = None
    address_2: OptionalText = None
    city: OptionalText = None
    state: OptionalText = None
    postcode: OptionalText = None
    country: OptionalText = None
    email: OptionalText = None
    phone: OptionalText = None


class TaxShare(Lenient):
    """One rate's part of the tax of a line; `id` is the `rate_id` of a tax line, not its id."""

    id: str
    total: AmountText = Decimal(0)


class TaxLine(Lenient):
    rate_id: OptionalText = None
    rate_code: OptionalText = None
    label: OptionalText = None
    rate_percent: OptionalDecimal = None
    """23 is 23 %. Absent before WooCommerce 3.9."""
    tax_total: AmountText = Decimal(0)
    shipping_tax_total: AmountText = Decimal(0)


class LineItem(Lenient):
    """`price` is left out on purpose: PHP computes it as a float (10.799999999999999), after discounts."""

    id: ResourceId
    name: OptionalText = None
    parent_name: OptionalText = None
    product_id: ReferenceId = None
    variation_id: ReferenceId = None
    sku: OptionalText = None
    quantity: int
    subtotal: AmountText
    total: AmountText
    taxes: Annotated[tuple[TaxShare, ...], _PHP_LIST] = ()
    meta_data: Annotated[tuple[Meta, ...], _PHP_LIST] = ()


class ShippingLine(Lenient):
    id: ResourceId
    method_title: OptionalText = None
    method_id: OptionalText = None
    total: AmountText
    taxes: Annotated[tuple[TaxShare, ...], _PHP_LIST] = ()


class FeeLine(Lenient):
    id: ResourceId
    name: OptionalText = None
    total: AmountText
    taxes: Annotated[tuple[TaxShare, ...], _PHP_LIST] = ()


class CouponLine(Lenient):
    code: OptionalText = None
    discount: AmountText = Decimal(0)
    discount_type: OptionalText = None
    """percent, fixed_cart, fixed_product; sent since WooCommerce 8.7."""
    nominal_amount: OptionalDecimal = None


class GiftCard(Lenient):
    """A card redeemed through the Gift Cards plugin, which lowers the order's total by it."""

    id: OptionalText = None
    code: OptionalText = None
    amount: AmountText


class RefundSummary(Lenient):
    """A refund as the order names it: without its lines."""

    id: ResourceId
    reason: OptionalText = None
    total: AmountText
    """Negative."""


class RefundedItem(LineItem):
    subtotal: AmountText = Decimal(0)
    total_tax: AmountText = Decimal(0)


class RefundedExtra(Lenient):
    """Shipping or a fee given back."""

    total: AmountText
    total_tax: AmountText = Decimal(0)


class RefundDetail(Lenient):
    """A refund of its own resource. Quantities and amounts of its lines are negative, its own amount is positive."""

    id: ResourceId
    date_created: OptionalText = None
    date_created_gmt: OptionalText = None
    amount: AmountText
    reason: OptionalText = None
    line_items: Annotated[tuple[RefundedItem, ...], _PHP_LIST] = ()
    shipping_lines: Annotated[tuple[RefundedExtra, ...], _PHP_LIST] = ()
    fee_lines: Annotated[tuple[RefundedExtra, ...], _PHP_LIST] = ()


class Order(Lenient):
    id: ResourceId
    number: OptionalText = None
    status: str
    currency: CurrencyCode
    prices_include_tax: bool | None = None
    date_created: OptionalText = None
    date_created_gmt: OptionalText = None
    date_modified: OptionalText = None
    date_modified_gmt: OptionalText = None
    date_paid: OptionalText = None
    date_paid_gmt: OptionalText = None
    date_completed: OptionalText = None
    date_completed_gmt: OptionalText = None
    discount_total: AmountText = Decimal(0)
    shipping_total: AmountText = Decimal(0)
    total: AmountText
    total_tax: AmountText = Decimal(0)
    customer_id: ReferenceId = None
    customer_note: OptionalText = None
    customer_ip_address: OptionalText = None
    customer_user_agent: OptionalText = None
    created_via: OptionalText = None
    payment_method: OptionalText = None
    transaction_id: OptionalText = None
    billing: Annotated[Address | None, BeforeValidator(absent_to_none)] = None
    shipping: Annotated[Address | None, BeforeValidator(absent_to_none)] = None
    line_items: Annotated[tuple[LineItem, ...], _PHP_LIST]
    tax_lines: Annotated[tuple[TaxLine, ...], _PHP_LIST] = ()
    shipping_lines: Annotated[tuple[ShippingLine, ...], _PHP_LIST] = ()
    fee_lines: Annotated[tuple[FeeLine, ...], _PHP_LIST] = ()
    coupon_lines: Annotated[tuple[CouponLine, ...], _PHP_LIST] = ()
    gift_cards: Annotated[tuple[GiftCard, ...], _PHP_LIST] = ()
    refunds: Annotated[tuple[RefundSummary, ...], _PHP_LIST] = ()
    refund_details: tuple[RefundDetail, ...] | None = None
    """Not WooCommerce's: our client adds what GET orders/{id}/refunds says."""
    meta_data: Annotated[tuple[Meta, ...], _PHP_LIST] = ()


class ThinOrder(Lenient):
    """The whole body of `order.deleted`."""

    id: ResourceId


class ErrorDetail(Lenient):
    status: int | None = None


class RestError(Lenient):
    """A REST error: also the signed body of a delivery whose order is gone by the time it is sent."""

    code: str
    data: Annotated[ErrorDetail | None, BeforeValidator(absent_to_none)] = None
