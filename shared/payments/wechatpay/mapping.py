"""WeChat Pay's notifications and answers, as the facts of finance.

A payment is known by its `transaction_id`, a refund by its `refund_id`, in every feed alike.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from shared.finance.models import Feed, Payment, PaymentKind, PaymentState
from shared.kernel import strict_json
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected, Retry
from shared.payments.lenient import each_once, read
from shared.payments.port import AccountContext, PaymentReader, PaymentReading
from shared.payments.references import exact, of_free_field
from shared.payments.wechatpay.resource import opened, resource_keys
from shared.payments.wechatpay.schemas import Notification, Refund, Transaction
from shared.webhooks.delivery import Delivery

ZONE: Final = timezone(timedelta(hours=8))
"""Times in bills have no zone and are China's, which has had no summer time since 1991."""
_STATES: Final = {
    "SUCCESS": PaymentState.SUCCEEDED,
    "REFUND": PaymentState.SUCCEEDED,  # paid, and something of it was given back since
    "CLOSED": PaymentState.CANCELLED,
    "REVOKED": PaymentState.CANCELLED,
    "PAYERROR": PaymentState.FAILED,
    "NOTPAY": PaymentState.PENDING,
    "USERPAYING": PaymentState.PENDING,
    "ACCEPT": PaymentState.PENDING,
}
_REFUND_STATES: Final = {
    "SUCCESS": PaymentState.SUCCEEDED,
    "CLOSED": PaymentState.CANCELLED,
    "PROCESSING": PaymentState.PENDING,
    # The buyer's card is gone: the money waits at WeChat until the merchant says where it goes.
    "ABNORMAL": PaymentState.PENDING,
}
_PROVIDER: Final = "WeChat Pay"
_TELEPHONE: Final = re.compile(r"(?:\+?86)?1[3-9]\d{9}", re.ASCII)
_TRANSACTIONS: Final = "TRANSACTION."
_REFUNDS: Final = "REFUND."
_STUCK: Final = "ABNORMAL"
_MAY_BE_OLD: Final = frozenset({"unreadable_resource", "bad_secret"})


def reader(secrets: Sequence[str]) -> PaymentReader:
    """A `PaymentReader` with the API v3 keys among an account's webhook secrets.

    Raises:
        Rejected: `bad_secret`, for a key that is none.
    """
    keys = resource_keys(secrets)

    def read_payment(delivery: Delivery, context: AccountContext) -> PaymentReading:
        """Raises `Rejected`: `invalid_json`, `invalid_payload`, `unreadable_resource`, `invalid_time`,
        `wrong_account`."""
        told = read(Notification, strict_json.parse(delivery.body), _PROVIDER)
        if not told.event_type.startswith((_TRANSACTIONS, _REFUNDS)):
            return PaymentReading(nothing="the notification is about neither a payment nor a refund")
        inside = opened(told.resource, keys)
        stated_at = parse_time(told.create_time, field="create_time")
        if told.event_type.startswith(_REFUNDS):
            return _of_refund(read(Refund, inside, _PROVIDER), context, stated_at)
        return _of_transaction(read(Transaction, inside, _PROVIDER), context, stated_at)

    return read_payment


def reader_by(kept: Callable[[], Sequence[str]], fresh: Callable[[], Sequence[str]]) -> PaymentReader:
    """As :func:`reader`, with the account's webhook secrets; with `fresh` ones where none of those that were kept opens
    a delivery, for the key may have been changed since.

    The reader raises `Retry` `bad_secret` for a key that is none: no delivery's fault.
    """

    def read_payment(delivery: Delivery, context: AccountContext) -> PaymentReading:
        try:
            return reader(kept())(delivery, context)
        except Rejected as refusal:
            if refusal.code not in _MAY_BE_OLD:
                raise
        try:
            return reader(fresh())(delivery, context)
        except Rejected as refusal:
            if refusal.code == "bad_secret":
                raise Retry(refusal.code, refusal.message, field=refusal.field, hint=refusal.hint) from refusal
            raise

    return read_payment


def transaction_payment(answer: Mapping[str, Any], context: AccountContext, asked_at: datetime) -> Payment | None:
    """The charge of a `GET /v3/pay/transactions/id/…`; None while nobody has paid anything.

    Raises:
        Rejected: `invalid_payload`, `invalid_time`, `wrong_account`.
    """
    transaction = read(Transaction, answer, _PROVIDER)
    _require_merchant(transaction, context)
    return _payment(transaction, context.account, asked_at, Feed.API)


def references(*numbers: str | None, free: str | None = None) -> tuple[str, ...]:
    """What may name the order, exact and each once: the merchant's own numbers, and of `free`, where any text may
    stand: what is a single token and not somebody's telephone number."""
    found = of_free_field(free)
    return each_once([*exact(*numbers), *(token for token in found if not _TELEPHONE.fullmatch(token))])


def local_time(text: str, *, field: str) -> datetime:
    """A time of a bill, which is China's and without a zone, as UTC.

    Raises:
        Rejected: `invalid_time`.
    """
    return parse_time(text, field=field).replace(tzinfo=ZONE).astimezone(UTC)


def _of_transaction(transaction: Transaction, context: AccountContext, stated_at: datetime) -> PaymentReading:
    _require_merchant(transaction, context)
    payment = _payment(transaction, context.account, stated_at, Feed.WEBHOOK)
    if payment is None:
        return PaymentReading(nothing="nobody has paid yet")
    return PaymentReading((payment,), oddities=_oddities(transaction.trade_state, _STATES))


def _of_refund(refund: Refund, context: AccountContext, stated_at: datetime) -> PaymentReading:
    _require_merchant(refund, context)
    payment = Payment(
        account=context.account,
        payment_id=refund.refund_id,
        kind=PaymentKind.REFUND,
        parent_id=refund.transaction_id,
        state=_REFUND_STATES.get(refund.refund_status, PaymentState.PENDING),
        vendor_state=refund.refund_status,
        currency=refund.amount.currency,
        amount=refund.amount.refund,
        references=references(refund.out_trade_no, refund.out_refund_no),
        occurred_at=parse_time(refund.success_time, field="success_time") if refund.success_time else stated_at,
        stated_at=stated_at,
        feed=Feed.WEBHOOK,
    )
    stuck = ("a refund is stuck: say at pay.weixin.qq.com where its money goes",)
    odd = stuck if refund.refund_status == _STUCK else _oddities(refund.refund_status, _REFUND_STATES)
    return PaymentReading((payment,), oddities=odd)


def _payment(transaction: Transaction, account: str, stated_at: datetime, feed: Feed) -> Payment | None:
    if transaction.transaction_id is None or transaction.amount is None:
        return None
    paid_at = transaction.success_time
    return Payment(
        account=account,
        payment_id=transaction.transaction_id,
        kind=PaymentKind.CAPTURE,
        state=_STATES.get(transaction.trade_state, PaymentState.PENDING),
        vendor_state=transaction.trade_state,
        currency=transaction.amount.currency,
        amount=transaction.amount.total,
        references=references(transaction.out_trade_no, free=transaction.attach),
        occurred_at=parse_time(paid_at, field="success_time") if paid_at else stated_at,
        stated_at=stated_at,
        feed=feed,
    )


def _require_merchant(told: Transaction | Refund, context: AccountContext) -> None:
    """A partner's notifications name two merchants: the partner, and the one who sells."""
    named = {told.mchid, told.sub_mchid, told.sp_mchid} - {None}
    if context.merchant_id is not None and context.merchant_id not in named:
        raise Rejected("wrong_account", "the payment is another merchant's than this account's", field="mchid")


def _oddities(status: str, known: Mapping[str, PaymentState]) -> tuple[str, ...]:
    return () if status in known else ("a payment or refund has a status that is not known here",)
