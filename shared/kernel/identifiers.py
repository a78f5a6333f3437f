"""Names of things that cross rooms. Standard library only."""

import re
from typing import NamedTuple, Self

from shared.kernel.errors import Rejected

SHOP_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
"""A shop's short name in the settings: lower case letters, digits, hyphens."""

_SHOP = re.compile(SHOP_PATTERN)
_ORDER_ID = re.compile(r"[!-~]{1,200}")


class OrderKey(NamedTuple):
    """One order of one shop. Written `shop/order`, as operators type it."""

    shop: str
    order_id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `shop/order`, or raise `Rejected`."""
        shop, separator, order_id = text.partition("/")
        if not separator or not _ORDER_ID.fullmatch(order_id) or not is_shop_id(shop):
            raise Rejected(
                "invalid_order_key",
                f"{text[:80]!r} does not name an order",
                field="order",
                hint="write SHOP/ORDER, such as aurora/5001",
            )
        return cls(shop, order_id)

    def __str__(self) -> str:
        return f"{self.shop}/{self.order_id}"


def is_shop_id(text: str) -> bool:
    return _SHOP.fullmatch(text) is not None
