"""Names of things that cross rooms. Standard library only."""

import re
from typing import NamedTuple, Self

from shared.kernel.errors import Rejected

SHOP_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
"""A shop's short name in the settings: lower case letters, digits, hyphens."""

_SHOP = re.compile(SHOP_PATTERN)
_ORDER_ID = re.compile(r"[!-~]{1,200}")
_CUSTOMER_ID = re.compile(r"[!-.0-~]{1,100}")


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


class CustomerKey(NamedTuple):
    """One customer of one shop: `aurora/customer/17` for an account there, `aurora/guest/9f…` for a guest.

    A guest's id is a keyed digest of what the guest is known by, so that the key does not tell who it is.
    """

    shop: str
    kind: str
    id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `shop/customer/id` or `shop/guest/id`, or raise `Rejected`."""
        shop, _, rest = text.partition("/")
        kind, _, customer_id = rest.partition("/")
        if kind not in CUSTOMER_KINDS or not _CUSTOMER_ID.fullmatch(customer_id) or not is_shop_id(shop):
            raise Rejected(
                "invalid_customer_key",
                f"{text[:80]!r} does not name a customer",
                field="customer",
                hint="write SHOP/customer/ID or SHOP/guest/ID, such as aurora/customer/17",
            )
        return cls(shop, kind, customer_id)

    @classmethod
    def of_account(cls, shop: str, customer_id: str) -> Self:
        return cls(shop, "customer", customer_id)

    @property
    def is_guest(self) -> bool:
        return self.kind == "guest"

    def __str__(self) -> str:
        return f"{self.shop}/{self.kind}/{self.id}"


CUSTOMER_KINDS = ("customer", "guest")


def is_shop_id(text: str) -> bool:
    return _SHOP.fullmatch(text) is not None
