from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from infra.fakes.wechatpay import WeChatPayFake
from infra.samples import wechatpay as build
from shared.payments.port import AccountContext
from shared.payments.wechatpay.client import WeChatPayClient
from tests.contract.payments.providers import Keys

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class WeChatPayProvider:
    account = "wechat-cn"
    currencies: tuple[str, ...] = ("CNY",)
    unknown_category: str | None = "月尘"

    def __init__(self) -> None:
        self._now = NOW
        self.fake = WeChatPayFake(lambda: self._now)
        self.keys = Keys(**self.fake.credentials)

    def feed(self) -> WeChatPayClient:
        http = httpx.Client(transport=httpx.MockTransport(self.fake))
        context = AccountContext(self.account, merchant_id=build.MERCHANT_ID)
        return WeChatPayClient(context, "http://wechat.fake", self.keys, http, lambda: NOW)

    def take(self, minor: int, currency: str, at: datetime, *, order: str, fee: int = 0) -> str:  # noqa: ARG002
        self._now = at
        payment = self.fake.pay(order, minor, fee=fee, attach="for Zoë")
        self._now = NOW
        return payment.transaction_id

    def give_back(self, payment_id: str, minor: int, at: datetime) -> str:
        self._now = at
        refund_id = self.fake.refund(self.fake.payments[payment_id], minor, "R-1")
        self._now = NOW
        return refund_id

    def move(self, category: str, minor: int, currency: str, at: datetime) -> None:  # noqa: ARG002
        self._now = at
        self.fake.move(minor, category)
        self._now = NOW

    def answer_next(self, status: int) -> None:
        """A refusal is signed as every answer of WeChat's."""
        self.fake.troubles.append(self.fake.signed({"code": "PARAM_ERROR", "message": "参数错误"}, status))

    def change_key(self) -> None:
        self.fake.merchant = build.keys("merchant, later")
        self.keys.stored |= {"private_key": self.fake.merchant.private, "serial_no": self.fake.merchant.serial}

    def lock_out(self) -> None:
        self.fake.merchant = build.keys("stranger")

    def held(self) -> Mapping[str, int]:
        return {"CNY": self.fake.balance}
