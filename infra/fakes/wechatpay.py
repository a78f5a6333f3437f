"""WeChat Pay's API v3 as its documents describe it: signed calls, signed answers, bills with a digest for each day that
is over, and notifications.

It keeps its state in memory and takes the time from a clock. As an `httpx.MockTransport` handler it is called in
process. Not known of it: limits of calls.
"""

import hashlib
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import httpx

from infra.samples import wechatpay as build
from shared.kernel.clock import Clock
from shared.payments.wechatpay.mapping import ZONE
from shared.payments.wechatpay.signature import MOST_SECONDS, SCHEME, signed_headers, verifies

Json = dict[str, Any]

_AUTHORISATION = re.compile(rf'{SCHEME} (?:[a-z_]+="[^"]*",?)+')
_STATED = re.compile(r'([a-z_]+)="([^"]*)"')


@dataclass
class FakePayment:
    transaction_id: str
    order_no: str
    fen: int
    paid_at: datetime
    attach: str = ""
    refunded: int = 0


@dataclass
class _Day:
    traded: list[dict[str, str]] = field(default_factory=list)
    moved: list[dict[str, str]] = field(default_factory=list)


class WeChatPayFake:
    """One merchant, under an address of its own."""

    def __init__(self, clock: Clock, *, opening: int = 0) -> None:
        self._clock = clock
        self.merchant = build.keys("merchant")
        self.platform = build.keys("wechat")
        self.balance = opening
        self.payments: dict[str, FakePayment] = {}
        self.days: dict[date, _Day] = {}
        self.troubles: deque[httpx.Response | Exception] = deque()
        """Answers in place of the next calls'."""
        self.calls: list[str] = []
        self.bill_host = "http://wechat.fake"
        self.damages = False
        """Whether bills arrive damaged."""
        self._numbers = 0

    @property
    def credentials(self) -> dict[str, str]:
        return {
            "private_key": self.merchant.private,
            "serial_no": self.merchant.serial,
            "platform_keys": f"{self.platform.serial} {self.platform.certificate}",
        }

    # ---- what buyers and the merchant do ----

    def pay(self, order_no: str, fen: int, *, fee: int = 0, attach: str = "") -> FakePayment:
        payment = FakePayment(f"42000000{self._number():020d}", order_no, fen, self._clock(), attach)
        self.payments[payment.transaction_id] = payment
        row = build.trade_row(
            交易时间=self._now,
            微信订单号=payment.transaction_id,
            商户订单号=order_no,
            应结订单金额=build.yuan(fen),
            订单金额=build.yuan(fen),
            手续费=f"{build.yuan(fee)}000",
            商户数据包=attach,
        )
        self._today.traded.append(row)
        self._move(fen, "交易", business_no=payment.transaction_id, voucher=order_no)
        if fee:
            self._move(-fee, "扣除交易手续费", business_no=payment.transaction_id, voucher=order_no)
        return payment

    def refund(self, payment: FakePayment, fen: int, refund_no: str, *, fee_back: int = 0) -> str:
        """Its refund id. What WeChat gives back of the fee goes straight into the movement, as the notes of real bills
        say."""
        refund_id = f"503{self._number():026d}"
        payment.refunded += fen
        row = build.refund_row(
            交易时间=self._now,
            微信订单号=payment.transaction_id,
            商户订单号=payment.order_no,
            微信退款单号=refund_id,
            商户退款单号=refund_no,
            退款金额=build.yuan(fen),
            申请退款金额=build.yuan(fen),
            手续费=f"{build.yuan(-fee_back)}000",
        )
        self._today.traded.append(row)
        self._move(fee_back - fen, "退款", business_no=refund_id, flow_no=payment.transaction_id, voucher=refund_no)
        return refund_id

    def move(self, fen: int, category: str) -> None:
        """Anything else on the balance: a withdrawal (`提现`), a fee by itself, what nobody knows."""
        self._move(fen, category, business_no=f"W{self._number():09d}")

    # ---- over HTTP ----

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.troubles:
            trouble = self.troubles.popleft()
            if isinstance(trouble, Exception):
                raise trouble
            return trouble
        if not self._is_ours(request):
            return self.signed({"code": "SIGN_ERROR", "message": "签名错误"}, 401)
        self.calls.append(request.url.raw_path.decode("ascii"))
        path, query = request.url.path, request.url.params
        if path == "/v3/billdownload/file":
            return self._download(query["token"])
        if path in ("/v3/bill/tradebill", "/v3/bill/fundflowbill"):
            return self._bill_address(path.rpartition("/")[2], date.fromisoformat(query["bill_date"]))
        if path.startswith("/v3/pay/transactions/id/") and query.get("mchid") == build.MERCHANT_ID:
            return self._payment(path.rpartition("/")[2])
        return self.signed({"code": "PARAM_ERROR", "message": "参数错误"}, 400)

    def _is_ours(self, request: httpx.Request) -> bool:
        header = request.headers.get("authorization", "")
        stated = dict(_STATED.findall(header))
        if _AUTHORISATION.fullmatch(header) is None or stated.get("serial_no") != self.merchant.serial:
            return False
        target = request.url.raw_path.decode("ascii")
        content = f"{request.method}\n{target}\n{stated['timestamp']}\n{stated['nonce_str']}\n\n".encode("ascii")
        fresh = abs(self._clock().timestamp() - int(stated["timestamp"])) <= MOST_SECONDS
        signed = verifies(content, stated["signature"], self.merchant.public)
        return fresh and signed and stated["mchid"] == build.MERCHANT_ID

    def _payment(self, transaction_id: str) -> httpx.Response:
        payment = self.payments.get(transaction_id)
        if payment is None:
            return self.signed({"code": "ORDER_NOT_EXIST", "message": "订单不存在"}, 404)
        told = build.transaction(
            out_trade_no=payment.order_no,
            transaction_id=transaction_id,
            trade_state="REFUND" if payment.refunded else "SUCCESS",
            attach=payment.attach,
            success_time=payment.paid_at.astimezone(ZONE).isoformat(),
            amount={"total": payment.fen, "payer_total": payment.fen, "currency": "CNY"},
        )
        return self.signed(told)

    def _bill_address(self, kind: str, day: date) -> httpx.Response:
        if day >= self._clock().astimezone(ZONE).date():
            return self.signed({"code": "STATEMENT_CREATING", "message": "账单生成中"}, 400)
        if not self._rows(kind, day):
            return self.signed({"code": "NO_STATEMENT_EXIST", "message": "账单文件不存在"}, 400)
        digest = hashlib.sha1(self._bill(kind, day), usedforsecurity=False).hexdigest()
        url = f"{self.bill_host}/v3/billdownload/file?token={kind}.{day}"
        return self.signed({"hash_type": "SHA1", "hash_value": digest, "download_url": url})

    def _download(self, token: str) -> httpx.Response:
        kind, _, day = token.partition(".")
        content = self._bill(kind, date.fromisoformat(day))
        return httpx.Response(200, content=content[:-1] if self.damages else content)

    def signed(self, body: Json, status: int = 200) -> httpx.Response:
        raw = build.encode(body)
        headers = signed_headers(
            raw,
            private_key=self.platform.private,
            serial=self.platform.serial,
            at=self._clock().timestamp(),
            nonce=f"nonce{self._number()}",
        )
        return httpx.Response(status, content=raw, headers=headers)

    def _bill(self, kind: str, day: date) -> bytes:
        rows = self._rows(kind, day)
        return build.trade_bill(rows) if kind == "tradebill" else build.flow_bill(rows)

    def _rows(self, kind: str, day: date) -> list[dict[str, str]]:
        kept = self.days.get(day, _Day())
        return kept.traded if kind == "tradebill" else kept.moved

    @property
    def _today(self) -> _Day:
        return self.days.setdefault(self._clock().astimezone(ZONE).date(), _Day())

    @property
    def _now(self) -> str:
        return build.local_text(self._clock())

    def _move(self, fen: int, category: str, *, business_no: str, flow_no: str = "", voucher: str = "") -> None:
        self.balance += fen
        self._today.moved.append(
            build.flow_row(
                记账时间=self._now,
                微信支付业务单号=business_no,
                资金流水单号=flow_no or business_no,
                业务名称=category,
                业务类型=category,
                收支类型="收入" if fen > 0 else "支出",
                业务凭证号=voucher,
                **{"收支金额(元)": build.yuan(abs(fen)), "账户结余(元)": build.yuan(self.balance)},
            )
        )

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def next_morning(day: date) -> datetime:
    """When the bills of this day are certainly there."""
    return datetime(day.year, day.month, day.day, 11, tzinfo=ZONE) + timedelta(days=1)
