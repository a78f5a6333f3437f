"""How one merchant's orders are to stand in the books: the part of the settings that the pure rules need."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.inventory.models import LocationId, Sku
from shared.kernel.model import Canonical

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
AnyMethod = "*"
"""Stands for every payment method that is not named."""


class InvoiceMoment(StrEnum):
    ORDER = "order"
    """As soon as the order is confirmed."""
    PAID = "paid"
    SHIPPED = "shipped"
    """When everything has left."""
    NEVER = "never"
    """Invoices are made by somebody else."""


class ChargeProducts(Canonical):
    """The back office's service products for what is no goods, by SKU."""

    shipping: Sku = "SHIPPING"
    fee: Sku = "FEE"
    tip: Sku = "TIP"
    duty: Sku = "DUTY"
    gift_card: Sku = "GIFT-CARD"
    """For what a storefront deducts from the total for a gift card."""
    adjustment: Sku = "ADJUSTMENT"
    """For the part of a refund that is neither goods nor shipping."""
    rounding: Sku = "ROUNDING"
    no_sku: Sku | None = None
    """For order lines without a SKU (custom items). None: such an order waits until somebody gives it one."""


class BookRules(Canonical):
    taxes: dict[str, Name] = {}
    """The back office's sales tax for each of the storefronts': `"NL/0.21"` before `"0.21"` before the title that the
    storefront shows (`"MwSt"`). A rate that is not here stops the order: wrong books are worse than late ones."""
    products: ChargeProducts = ChargeProducts()
    rounding_limit: Annotated[int, Field(ge=0, le=1000)] = 5
    """In minor units: how far the back office's total may be off by its own way of rounding."""
    invoice: InvoiceMoment = InvoiceMoment.SHIPPED
    invoice_by_method: dict[str, InvoiceMoment] = {}
    """By the storefront's payment method, where it differs: `{"cod": "shipped", "bacs": "paid"}`."""
    payment_methods: dict[str, Name] = {}
    """The back office's journal or method for each of the storefronts' payment methods; `"*"` for all others. A
    payment of a method that is not here is not booked."""
    record_when: Literal["received", "released"] = "received"
    """When an order is first recorded: at once, as a draft that is confirmed on release; or only on release."""
    warehouses: dict[LocationId, Name] = {}
    """The back office's warehouse of each stock location."""
    owns_stock: tuple[LocationId, ...] = ()
    """Locations whose stock is the back office's to say; of all others it is ours. Counts are told to it everywhere."""
    complete_when: Literal["shipped", "delivered", "told"] = "told"
    """When the storefront is told that an order is complete. `told`: on delivery where the back office can tell it, on
    shipment otherwise."""
    rehearsal: bool = False
    """Write nothing to the back office; only work out what would be written."""
