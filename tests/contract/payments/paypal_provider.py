from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from infra.fakes.paypal import FakePayPal
from shared.payments.paypal.client import PayPalClient
from shared.payments.port import AccountContext
from tests.contract.payments.providers import Keys

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class PayPalProvider:
    account = "paypal-eu"
    currencies: tuple[str, ...] = ("EUR", "JPY", "KWD")
    unknown_category: str | None = "T7777"

    def __init__(self) -> None:
        self.fake = FakePayPal(lambda: NOW, client_id="an-app", client_secret="secret-1")
        self.keys = Keys(client_id="an-app", client_secret="secret-1")

    def feed(self) -> PayPalClient:
        http = httpx.Client(transport=httpx.MockTransport(self.fake))
        return PayPalClient(AccountContext(self.account), None, self.keys, http, lambda: NOW)

    def take(self, minor: int, currency: str, at: datetime, *, order: str, fee: int = 0) -> str:
        return self.fake.pay(minor, currency, at, fee=fee, custom_id=order, invoice_id=f"WC-{order}")

    def give_back(self, payment_id: str, minor: int, at: datetime) -> str:
        return self.fake.give_back(payment_id, minor, at)

    def move(self, category: str, minor: int, currency: str, at: datetime) -> None:
        self.fake.move(category, minor, currency, at)

    def answer_next(self, status: int) -> None:
        self.fake.answer_next(status)

    def change_key(self) -> None:
        self.fake.app = ("an-app", "secret-2")
        self.fake.forget_tokens()
        self.keys.stored["client_secret"] = "secret-2"

    def lock_out(self) -> None:
        self.fake.app = ("an-app", "another's")
        self.fake.forget_tokens()

    def held(self) -> Mapping[str, int]:
        return self.fake.held()
