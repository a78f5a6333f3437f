from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from infra.fakes.stripe import FakeStripe
from shared.payments.port import AccountContext
from shared.payments.stripe.amounts import iso_minor
from shared.payments.stripe.client import StripeClient
from tests.contract.payments.providers import Keys

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class StripeProvider:
    account = "stripe-eu"
    currencies: tuple[str, ...] = ("EUR", "JPY", "KWD")
    unknown_category: str | None = "moon_dust"

    def __init__(self) -> None:
        self.fake = FakeStripe("sk_made_up_1")
        self.keys = Keys(secret_key="sk_made_up_1")

    def feed(self) -> StripeClient:
        http = httpx.Client(transport=httpx.MockTransport(self.fake))
        return StripeClient(AccountContext(self.account), None, self.keys, http, lambda: NOW)

    def take(self, minor: int, currency: str, at: datetime, *, order: str, fee: int = 0) -> str:
        return self.fake.charge(minor, currency, at, metadata={"order_id": order, "note": "for Zoë"}, fee=fee)

    def give_back(self, payment_id: str, minor: int, at: datetime) -> str:
        return self.fake.refund(payment_id, minor, at)

    def move(self, category: str, minor: int, currency: str, at: datetime) -> None:
        self.fake.move(category, minor, currency, at)

    def answer_next(self, status: int) -> None:
        self.fake.answer_next(status)

    def change_key(self) -> None:
        self.fake.key = "sk_made_up_2"
        self.keys.stored["secret_key"] = "sk_made_up_2"

    def lock_out(self) -> None:
        self.fake.key = "another's"

    def held(self) -> Mapping[str, int]:
        return {code.upper(): iso_minor(amount, code.upper()) for code, amount in self.fake.held().items()}
