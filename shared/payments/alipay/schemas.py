"""What Alipay sends: notifications and answers, as far as they are read. Unknown fields are let be.

Amounts are yuan as text. Field names are those of open.alipay.com (`alipay.trade.query`,
`alipay.trade.fastpay.refund.query`, and the notify document), as Alipay's own Java SDK lists them.
"""

from shared.kernel.money import CurrencyCode
from shared.payments.lenient import Lenient, OptionalText


class Notification(Lenient):
    """`trade_status_sync`: the trade as it is now, told again when its state changes or money is given back."""

    notify_type: OptionalText = None
    notify_time: str
    app_id: OptionalText = None
    seller_id: OptionalText = None
    trade_no: OptionalText = None
    out_trade_no: OptionalText = None
    trade_status: OptionalText = None
    total_amount: OptionalText = None
    refund_fee: OptionalText = None
    """The sum of all refunds of the trade so far, not this one's amount."""
    out_biz_no: OptionalText = None
    """Of a notification about a refund: the refund's request number (`out_request_no`)."""
    gmt_create: OptionalText = None
    gmt_payment: OptionalText = None
    gmt_refund: OptionalText = None
    body: OptionalText = None
    passback_params: OptionalText = None


class Trade(Lenient):
    """The answer of `alipay.trade.query`."""

    trade_no: str
    out_trade_no: OptionalText = None
    trade_status: str
    total_amount: str
    trans_currency: CurrencyCode | None = None
    send_pay_date: OptionalText = None
    """When it was paid."""
    body: OptionalText = None
    passback_params: OptionalText = None


class RefundInquiry(Lenient):
    """The answer of `alipay.trade.fastpay.refund.query`: nothing but its code where there is no such refund."""

    trade_no: OptionalText = None
    out_trade_no: OptionalText = None
    out_request_no: OptionalText = None
    refund_amount: OptionalText = None
    refund_status: OptionalText = None
    gmt_refund_pay: OptionalText = None


class BillAddress(Lenient):
    """The answer of `alipay.data.dataservice.bill.downloadurl.query`. The address holds for 30 seconds."""

    bill_download_url: str
