"""What the contract suite needs of a payment provider beside the port.

A vendor adds a module `<vendor>_provider.py` with a class of the shape of :class:`Provider`, and its name to
`PROVIDERS`.
"""

import importlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Protocol

from shared.payments.port import PaymentFeed

PROVIDERS: Final = (
    "tests.contract.payments.alipay_provider:AlipayProvider",
    "tests.contract.payments.paypal_provider:PayPalProvider",
    "tests.contract.payments.shopify_payments_provider:ShopifyPaymentsProvider",
    "tests.contract.payments.stripe_provider:StripeProvider",
    "tests.contract.payments.wechatpay_provider:WeChatPayProvider",
)
"""Append yours: `module:class`."""

PERSONAL: Final = ("Zoë", "Ünal", "zoe@example.test", "Hauptstr", "+49301234567")
"""Whom the fakes' payments name, and no fact may."""


class Keys:
    """Credentials that count how often they are read anew, and may be changed in the store meanwhile."""

    def __init__(self, **values: str) -> None:
        self.stored = values
        self.read_anew = 0
        self._cached = dict(values)

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]:
        if fresh:
            self.read_anew += 1
            self._cached = dict(self.stored)
        return self._cached


class Provider(Protocol):
    """One account `account`, at a fake that is spoken to over HTTP, or at the real thing."""

    account: str
    currencies: tuple[str, ...]
    """Which currencies it knows, of EUR, JPY, KWD and CNY."""
    unknown_category: str | None
    """A word for a movement that no table of ours knows; None where the provider's data has no such word."""
    keys: Keys

    def feed(self) -> PaymentFeed:
        """A client as a new worker has it: nothing cached."""
        ...

    def take(self, minor: int, currency: str, at: datetime, *, order: str, fee: int = 0) -> str:
        """A buyer, who is named as `PERSONAL`, pays for an order; the provider's id of the charge."""
        ...

    def give_back(self, payment_id: str, minor: int, at: datetime) -> str:
        """Part of a charge goes back; the provider's id of the refund."""
        ...

    def move(self, category: str, minor: int, currency: str, at: datetime) -> None:
        """A movement of this category."""
        ...

    def answer_next(self, status: int) -> None:
        """Whatever is asked next by who is let in is answered with this HTTP status."""
        ...

    def change_key(self) -> None:
        """Staff changed the credentials at the provider and in our store: the old ones are refused."""
        ...

    def lock_out(self) -> None:
        """The provider refuses whatever credentials we have."""
        ...

    def held(self) -> Mapping[str, int]:
        """What the provider holds, in minor units by currency."""
        ...


def provider(name: str) -> Provider:
    module, _, kind = name.partition(":")
    make: Callable[[], Provider] = getattr(importlib.import_module(module), kind)
    return make()
