"""What WooCommerce says of a product's or a variation's stock."""

from decimal import ROUND_FLOOR, Decimal
from enum import Enum
from typing import Annotated

from pydantic import BeforeValidator

from shared.inventory.channels import ChannelItem
from shared.storefronts.lenient import Lenient, OptionalText
from shared.storefronts.woocommerce.schemas import ResourceId

FIELDS = "id,sku,type,manage_stock,stock_quantity"
"""WordPress leaves all else out of an answer: a product in full is some kilobytes, these are a hundred bytes."""


class Counting(Enum):
    """Where the number is kept that a product or variation shows."""

    OWN = "own"
    PARENT = "parent"
    """A variation that shows its product's number."""
    NONE = "none"


def _readable_number(value: object) -> object:
    """A number, or text that is one. Plugins send what they like, and one strange item must not stop the others."""
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


class Product(Lenient):
    """A product or a variation, as far as stock goes."""

    id: ResourceId
    sku: OptionalText = None
    type: OptionalText = None
    manage_stock: bool | str | None = None
    """True, false, or "parent" on a variation that is counted with its product."""
    stock_quantity: Annotated[Decimal | None, BeforeValidator(_readable_number)] = None

    @property
    def counting(self) -> Counting:
        if self.manage_stock in (True, "true", "yes", "1"):
            return Counting.OWN
        return Counting.PARENT if self.manage_stock == "parent" else Counting.NONE

    @property
    def shown(self) -> int | None:
        """Whole units, None where it keeps no number of its own. Counted without a number yet is 0, as in the shop.

        A plugin's fraction is rounded down, so that no part of a unit is promised as a whole one.
        """
        if self.counting is not Counting.OWN:
            return None
        return int((self.stock_quantity or Decimal(0)).to_integral_value(rounding=ROUND_FLOOR))

    def item(self, *, parent: "Product | None" = None) -> ChannelItem | None:
        """The item sold under this SKU; None without one.

        A variation without a SKU of its own is listed under its product's, and so is not known apart from its
        siblings. A variable product is sold as its variations, so it is an item only where it counts for them.
        """
        inherited = parent is not None and self.sku == parent.sku
        if self.sku is None or inherited or (self.is_variable and self.counting is Counting.NONE):
            return None
        return ChannelItem(
            sku=self.sku, item_id=self.id, parent_id=parent.id if parent is not None else None, shown=self.shown
        )

    @property
    def is_variable(self) -> bool:
        return self.type is not None and self.type.startswith("variable")
