"""Alipay's gateway as its documents describe it: signed calls, signed answers, and a bill for each day that is over.

It keeps its state in memory and takes the time from a clock. As an `httpx.MockTransport` handler it is called in
process. Not known of it: limits of calls, and the order of a bill's rows (here the balance's begin with the newest).
"""

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx

from infra.samples import alipay as build
from shared.kernel.clock import Clock
from shared.payments.alipay.gateway import request_content
from shared.payments.alipay.signature import ZONE, sign, verify

Json = dict[str, Any]


@dataclass
class FakeTrade:
    trade_no: str
    order_no: str
    fen: int
    fee: int
    paid_at: datetime
    body: str = ""
    refunds: dict[str, int] = field(default_factory=dict)
    """Fen by request number."""


@dataclass
class _Day:
    traded: list[dict[str, str]] = field(default_factory=list)
    moved: list[dict[str, str]] = field(default_factory=list)


class AlipayFake:
    """One merchant, under an address of its own."""

    def __init__(self, clock: Clock, *, opening: int = 0) -> None:
        self._clock = clock
        self.app_id = build.APP_ID
        self.merchant = build.keys("merchant")
        self.alipay = build.keys("alipay")
        self.balance = opening
        self.trades: dict[str, FakeTrade] = {}
        self.days: dict[date, _Day] = {}
        self.troubles: deque[httpx.Response | Exception] = deque()
        """Answers in place of the next calls'."""
        self.calls: list[tuple[str, Json]] = []
        self.bill_host = "http://alipay.fake"
        self._numbers = 0

    @property
    def credentials(self) -> dict[str, str]:
        return {
            "app_id": self.app_id,
            "private_key": self.merchant.private,
            "alipay_public_key": self.alipay.public,
        }

    # ---- what buyers and the merchant do ----

    def pay(self, order_no: str, fen: int, *, fee: int = 0, body: str = "") -> FakeTrade:
        trade = FakeTrade(f"20261123220014{self._number():014d}", order_no, fen, fee, self._clock(), body)
        self.trades[trade.trade_no] = trade
        at = build.local_text(self._clock())
        self._today.traded.append(
            build.trade_row(
                支付宝交易号=f"{trade.trade_no}\t",
                商户订单号=f"{order_no}\t",
                创建时间=at,
                完成时间=at,
                **{
                    "订单金额（元）": build.yuan(fen),
                    "商家实收（元）": build.yuan(fen),
                    "服务费（元）": build.yuan(-fee),
                },
            )
        )
        self._move(fen, "在线支付", order_no=order_no, business_no=trade.trade_no)
        if fee:
            self._move(-fee, "收费", order_no=order_no, business_no=trade.trade_no)
        return trade

    def refund(self, trade: FakeTrade, fen: int, request_no: str, *, fee_back: int = 0) -> None:
        trade.refunds[request_no] = fen
        at = build.local_text(self._clock())
        amounts = {
            "订单金额（元）": build.yuan(-fen),
            "商家实收（元）": build.yuan(-fen),
            "服务费（元）": build.yuan(fee_back),
        }
        self._today.traded.append(
            build.trade_row(
                支付宝交易号=f"{trade.trade_no}\t",
                商户订单号=f"{trade.order_no}\t",
                业务类型="退款",
                创建时间=at,
                完成时间=at,
                **{"退款批次号/请求号": f"{request_no}\t"},
                **amounts,
            )
        )
        self._move(-fen, "交易退款", order_no=trade.order_no, business_no=trade.trade_no)
        if fee_back:
            self._move(fee_back, "退费", order_no=trade.order_no, business_no=trade.trade_no)

    def move(self, fen: int, category: str) -> None:
        """Anything else on the balance: a withdrawal (`提现`), a fee by itself, what nobody knows."""
        self._move(fen, category)

    # ---- over HTTP ----

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.troubles:
            trouble = self.troubles.popleft()
            if isinstance(trouble, Exception):
                raise trouble
            return trouble
        if request.method == "GET" and request.url.path == "/bill":
            return self._download(request.url.params["type"], date.fromisoformat(request.url.params["date"]))
        if request.method != "POST" or request.url.path != "/gateway.do":
            return httpx.Response(404)
        return self._answer(dict(parse_qsl(request.content.decode("utf-8"), strict_parsing=True)))

    def _answer(self, fields: dict[str, str]) -> httpx.Response:
        if fields.get("app_id") != self.app_id:
            refusal = {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-app-id"}
            return httpx.Response(200, json={"error_response": refusal})
        method = fields["method"]
        if not verify(request_content(fields), fields["sign"], [self.merchant.public]):
            node: Json = {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-signature"}
        else:
            content = json.loads(fields["biz_content"])
            self.calls.append((method, content))
            node = self._node(method, content)
        text = json.dumps(node, ensure_ascii=False)
        signature = sign(text.encode("utf-8"), self.alipay.private)
        whole = f'{{"{method.replace(".", "_")}_response":{text},"sign":{json.dumps(signature)}}}'
        return httpx.Response(200, content=whole.encode("utf-8"), headers={"content-type": "text/html;charset=utf-8"})

    def _node(self, method: str, content: Json) -> Json:
        if method == "alipay.trade.query":
            return self._trade(content)
        if method == "alipay.trade.fastpay.refund.query":
            return self._refund(content)
        if method == "alipay.data.dataservice.bill.downloadurl.query":
            return self._bill_address(content)
        return {"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.INVALID_PARAMETER"}

    def _trade(self, content: Json) -> Json:
        trade = self.trades.get(content["trade_no"])
        if trade is None:
            return {
                "code": "40004",
                "msg": "Business Failed",
                "sub_code": "ACQ.TRADE_NOT_EXIST",
                "sub_msg": "交易不存在",
            }
        closed = sum(trade.refunds.values()) >= trade.fen
        return {
            "code": "10000",
            "msg": "Success",
            "trade_no": trade.trade_no,
            "out_trade_no": trade.order_no,
            "trade_status": "TRADE_CLOSED" if closed else "TRADE_SUCCESS",
            "total_amount": build.yuan(trade.fen),
            "send_pay_date": build.local_text(trade.paid_at),
            "buyer_logon_id": build.BUYER,
            "buyer_user_id": "2088000000000999",
            "body": trade.body,
        }

    def _refund(self, content: Json) -> Json:
        trade = self.trades.get(content["trade_no"])
        fen = trade.refunds.get(content["out_request_no"]) if trade else None
        done: Json = {"code": "10000", "msg": "Success"}
        if trade is None or fen is None:
            return done
        return done | {
            "trade_no": trade.trade_no,
            "out_trade_no": trade.order_no,
            "out_request_no": content["out_request_no"],
            "total_amount": build.yuan(trade.fen),
            "refund_amount": build.yuan(fen),
            "refund_status": "REFUND_SUCCESS",
        }

    def _bill_address(self, content: Json) -> Json:
        day, kind = date.fromisoformat(content["bill_date"]), content["bill_type"]
        if day >= self._clock().astimezone(ZONE).date() or not self._rows(day, kind):
            return {
                "code": "40004",
                "msg": "Business Failed",
                "sub_code": "isp.bill_not_exist",
                "sub_msg": "账单不存在",
            }
        url = f"{self.bill_host}/bill?type={kind}&date={day}"
        return {"code": "10000", "msg": "Success", "bill_download_url": url}

    def _download(self, kind: str, day: date) -> httpx.Response:
        rows = self._rows(day, kind)
        bill = build.trade_bill(rows) if kind == "trade" else build.flow_bill(rows[::-1])
        title = "业务明细" if kind == "trade" else "账务明细"
        return httpx.Response(200, content=build.packed_bill(bill, title=title))

    def _rows(self, day: date, kind: str) -> list[dict[str, str]]:
        kept = self.days.get(day, _Day())
        return kept.traded if kind == "trade" else kept.moved

    @property
    def _today(self) -> _Day:
        return self.days.setdefault(self._clock().astimezone(ZONE).date(), _Day())

    def _move(self, fen: int, category: str, *, order_no: str = "", business_no: str = "") -> None:
        self.balance += fen
        amounts = {
            "收入金额（+元）": build.yuan(max(fen, 0)),
            "支出金额（-元）": build.yuan(min(fen, 0)),
            "账户余额（元）": build.yuan(self.balance),
        }
        self._today.moved.append(
            build.flow_row(
                账务流水号=f"9{self._number():014d}\t",
                业务流水号=f"{business_no}\t",
                商户订单号=f"{order_no}\t",
                发生时间=build.local_text(self._clock()),
                业务类型=category,
                **amounts,
            )
        )

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def next_morning(day: date) -> datetime:
    """When the bills of this day are certainly there."""
    return datetime(day.year, day.month, day.day, 11, tzinfo=ZONE) + timedelta(days=1)
