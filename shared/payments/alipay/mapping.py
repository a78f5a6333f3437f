"""Alipay's notifications and answers, as the facts of finance.

A payment is known by its `trade_no`, a refund by `trade_no/out_request_no`, in every feed alike.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

from shared.finance.models import Feed, Payment, PaymentKind, PaymentState
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected
from shared.payments.alipay.schemas import Notification, RefundInquiry, Trade
from shared.payments.alipay.signature import ZONE, is_ambiguous, read_form
from shared.payments.amounts import written_minor_units
from shared.payments.lenient import each_once, read
from shared.payments.port import AccountContext, PaymentReading
from shared.payments.references import exact, of_free_field
from shared.webhooks.delivery import Delivery

CURRENCY: Final = "CNY"
_TRADE_SYNC: Final = "trade_status_sync"
_STATES: Final = {
    "WAIT_BUYER_PAY": PaymentState.PENDING,
    "TRADE_SUCCESS": PaymentState.SUCCEEDED,
    "TRADE_FINISHED": PaymentState.SUCCEEDED,
    "TRADE_CLOSED": PaymentState.CANCELLED,
}
_TELEPHONE: Final = re.compile(r"(?:\+?86)?1[3-9]\d{9}", re.ASCII)
_TRADE_NO: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def read_payment(delivery: Delivery, context: AccountContext) -> PaymentReading:
    """What one notification says (a `PaymentReader`).

    A refund is only hinted at: a notification tells the sum of all refunds so far, from which the amount of this one
    cannot be told. The API is asked for it, and the bill lists it.

    Raises:
        Rejected: `invalid_body`, `invalid_payload`, `invalid_money`, `invalid_time`, `wrong_account`.
    """
    fields = read_form(delivery.body)
    told = read(Notification, fields, "Alipay")
    if context.merchant_id is not None and (told.app_id or told.seller_id) != context.merchant_id:
        raise Rejected("wrong_account", "the notification is for another app than this account's", field="app_id")
    if told.notify_type not in (None, _TRADE_SYNC) or told.trade_no is None or told.trade_status is None:
        return PaymentReading(nothing="the notification is not about a trade")
    if _TRADE_NO.fullmatch(told.trade_no) is None:
        raise Rejected("invalid_payload", "the trade's number is not one of Alipay's", field="trade_no")
    hints = _refunds_hinted_at(told, told.trade_no)
    if is_ambiguous(fields):
        oddity = "a field's value looks like further fields, so the API is asked what the notification should have told"
        return PaymentReading(look_up=(told.trade_no, *hints), oddities=(oddity,))
    return PaymentReading((_told(told, told.trade_no, context),), hints, oddities=_oddities(told.trade_status))


def trade_payment(answer: Mapping[str, Any], account: str, asked_at: datetime) -> Payment:
    """The charge of an `alipay.trade.query`.

    Raises:
        Rejected: `invalid_payload`, `invalid_money`, `invalid_time`.
    """
    trade = read(Trade, answer, "Alipay")
    currency = trade.trans_currency or CURRENCY
    paid = trade.send_pay_date is not None
    return Payment(
        account=account,
        payment_id=trade.trade_no,
        kind=PaymentKind.CAPTURE,
        state=_state(trade.trade_status, paid=paid),
        vendor_state=trade.trade_status,
        currency=currency,
        amount=amount(trade.total_amount, currency, field="total_amount"),
        references=references(trade.out_trade_no, free=(trade.body, trade.passback_params)),
        occurred_at=local_time(trade.send_pay_date, field="send_pay_date") if trade.send_pay_date else asked_at,
        stated_at=asked_at,
        feed=Feed.API,
    )


def refund_payment(answer: Mapping[str, Any], account: str, asked_at: datetime) -> Payment | None:
    """The refund of an `alipay.trade.fastpay.refund.query`; None where there is no such refund.

    Raises:
        Rejected: `invalid_payload`, `invalid_money`, `invalid_time`.
    """
    refund = read(RefundInquiry, answer, "Alipay")
    if refund.refund_amount is None or refund.trade_no is None or refund.out_request_no is None:
        return None
    at = refund.gmt_refund_pay
    # Without a status it is done as well: Alipay's document says so of older versions of the call.
    done = refund.refund_status in (None, "REFUND_SUCCESS")
    return Payment(
        account=account,
        payment_id=refund_id(refund.trade_no, refund.out_request_no, refund.out_trade_no),
        kind=PaymentKind.REFUND,
        parent_id=refund.trade_no,
        state=PaymentState.SUCCEEDED if done else PaymentState.PENDING,
        vendor_state=refund.refund_status or "REFUND_SUCCESS",
        currency=CURRENCY,
        amount=abs(amount(refund.refund_amount, CURRENCY, field="refund_amount")),
        references=references(refund.out_trade_no, refund.out_request_no),
        occurred_at=local_time(at, field="gmt_refund_pay") if at else asked_at,
        stated_at=asked_at,
        feed=Feed.API,
    )


def refund_id(trade_no: str, request_no: str | None, out_trade_no: str | None) -> str:
    """Of a refund without a request number of its own, Alipay takes the order's number for it."""
    return f"{trade_no}/{request_no or out_trade_no or 'refund'}"


def references(*numbers: str | None, free: tuple[str | None, ...] = ()) -> tuple[str, ...]:
    """What may name the order, exact and each once: the merchant's own numbers, and of `free`, where any text may
    stand: what is a single token and not somebody's telephone number."""
    found = [token for text in free if text for token in of_free_field(unquote(text))]
    return each_once([*exact(*numbers), *(token for token in found if not _TELEPHONE.fullmatch(token))])


def amount(text: str, currency: str, *, field: str) -> int:
    """Yuan as Alipay writes them, in minor units.

    Raises:
        Rejected: `invalid_money`, without what stands there.
    """
    return written_minor_units(text, currency, field=field)


def local_time(text: str, *, field: str) -> datetime:
    """A time of Alipay's, which is China's and without a zone, as UTC.

    Raises:
        Rejected: `invalid_time`.
    """
    return parse_time(text, field=field).replace(tzinfo=ZONE).astimezone(UTC)


def _told(told: Notification, trade_no: str, context: AccountContext) -> Payment:
    stated_at = local_time(told.notify_time, field="notify_time")
    happened = told.gmt_payment or told.gmt_create
    paid = told.gmt_payment is not None or told.gmt_refund is not None or told.refund_fee is not None
    status = told.trade_status or ""
    return Payment(
        account=context.account,
        payment_id=trade_no,
        kind=PaymentKind.CAPTURE,
        state=_state(status, paid=paid),
        vendor_state=status,
        currency=CURRENCY,
        amount=amount(told.total_amount or "", CURRENCY, field="total_amount"),
        references=references(told.out_trade_no, free=(told.body, told.passback_params)),
        occurred_at=local_time(happened, field="gmt_payment") if happened else stated_at,
        stated_at=stated_at,
        feed=Feed.WEBHOOK,
    )


def _state(status: str, *, paid: bool) -> PaymentState:
    """A trade is closed when nobody paid in time, and when all of it was given back: then it had been paid."""
    if status == "TRADE_CLOSED" and paid:
        return PaymentState.SUCCEEDED
    return _STATES.get(status, PaymentState.PENDING)


def _refunds_hinted_at(told: Notification, trade_no: str) -> tuple[str, ...]:
    """Only a notification about a refund names its request; those that come later tell the sum again, and no more."""
    refunded = told.gmt_refund is not None or told.refund_fee is not None
    return (refund_id(trade_no, told.out_biz_no, told.out_trade_no),) if refunded and told.out_biz_no else ()


def _oddities(status: str) -> tuple[str, ...]:
    return () if status in _STATES else ("a trade has a status that is not known here",)
