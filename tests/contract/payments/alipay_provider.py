from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from infra.fakes.alipay import AlipayFake
from infra.samples import alipay as build
from shared.payments.alipay.client import AlipayClient
from shared.payments.port import AccountContext
from tests.contract.payments.providers import Keys

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class AlipayProvider:
    account = "alipay-cn"
    currencies: tuple[str, ...] = ("CNY",)
    unknown_category: str | None = "月尘"

    def __init__(self) -> None:
        self._now = NOW
        self.fake = AlipayFake(lambda: self._now)
        self.keys = Keys(**self.fake.credentials)

    def feed(self) -> AlipayClient:
        http = httpx.Client(transport=httpx.MockTransport(self.fake))
        context = AccountContext(self.account, merchant_id=build.APP_ID)
        return AlipayClient(context, "http://alipay.fake", self.keys, http, lambda: NOW)

    def take(self, minor: int, currency: str, at: datetime, *, order: str, fee: int = 0) -> str:  # noqa: ARG002
        self._now = at
        trade = self.fake.pay(order, minor, fee=fee, body="for Zoë")
        self._now = NOW
        return trade.trade_no

    def give_back(self, payment_id: str, minor: int, at: datetime) -> str:
        self._now = at
        self.fake.refund(self.fake.trades[payment_id], minor, "R-1")
        self._now = NOW
        return f"{payment_id}/R-1"

    def move(self, category: str, minor: int, currency: str, at: datetime) -> None:  # noqa: ARG002
        self._now = at
        self.fake.move(minor, category)
        self._now = NOW

    def answer_next(self, status: int) -> None:
        self.fake.troubles.append(httpx.Response(status))

    def change_key(self) -> None:
        self.fake.merchant = build.keys("merchant, later")
        self.keys.stored["private_key"] = self.fake.merchant.private

    def lock_out(self) -> None:
        self.fake.merchant = build.keys("stranger")

    def held(self) -> Mapping[str, int]:
        return {"CNY": self.fake.balance}
