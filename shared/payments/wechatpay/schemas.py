"""What WeChat Pay sends: notifications and answers, as far as they are read. Unknown fields are let be.

Amounts are fen, integers. Field names are those of pay.weixin.qq.com (APIv3) as `wechatpay-go` lists them.
"""

from typing import Annotated

from pydantic import Field

from shared.kernel.money import CurrencyCode
from shared.payments.lenient import Lenient, OptionalText

Fen = Annotated[int, Field(strict=True, ge=0, le=10**15)]


class Resource(Lenient):
    """The encrypted part of a notification."""

    algorithm: str
    ciphertext: str
    associated_data: str = ""
    nonce: str


class Notification(Lenient):
    id: str
    create_time: str
    event_type: str
    resource: Resource


class Amount(Lenient):
    total: Fen
    """Of the order, before what WeChat or the merchant gives to the buyer."""
    currency: CurrencyCode = "CNY"


class Transaction(Lenient):
    """Of a notification, and of `GET /v3/pay/transactions/id/…`."""

    mchid: OptionalText = None
    sp_mchid: OptionalText = None
    sub_mchid: OptionalText = None
    out_trade_no: str
    transaction_id: OptionalText = None
    trade_state: str
    attach: OptionalText = None
    success_time: OptionalText = None
    amount: Amount | None = None
    """Missing while nobody has paid."""


class RefundAmount(Lenient):
    refund: Fen
    currency: CurrencyCode = "CNY"


class Refund(Lenient):
    """Of a notification."""

    mchid: OptionalText = None
    sp_mchid: OptionalText = None
    sub_mchid: OptionalText = None
    out_trade_no: OptionalText = None
    transaction_id: str
    refund_id: str
    out_refund_no: OptionalText = None
    refund_status: str
    success_time: OptionalText = None
    amount: RefundAmount


class BillAddress(Lenient):
    """Of `GET /v3/bill/…`."""

    download_url: str
    hash_type: str
    hash_value: str
