"""Put the payment intake together: from a queue message to the facts of finance.

Nothing of it is archived: what a provider delivers names buyers, and the provider tells it again when asked.
"""

from typing import NamedTuple

from shared.finance.ports import Kept
from shared.finance.statements import statement_of
from shared.kernel.errors import Rejected, Retry
from shared.payments.port import PaymentReading
from shared.platform.configuration import settings
from shared.platform.errand_queue import OrderErrand, is_errand, parse
from shared.platform.intake import done_with
from shared.platform.intake_queue import PAYMENTS, unpack
from shared.platform.observability import count, logger
from shared.sync.finance.hints import follow_hints
from shared.webhooks.delivery import Delivery
from shared.wiring.finance_tables import finance_table
from shared.wiring.payment_accounts import context_of, reader_of
from shared.wiring.tables import order_records


class _Outcome(NamedTuple):
    subject: str
    """The order, or the payment account."""
    kept: Kept = Kept()
    reason: str | None = None


def process(body: str, *, receipt_handle: str, received: int) -> None:
    """Take one message in. When this returns, the message is done with: kept, known already, or set aside.

    Raises:
        Retry, Conflict: the message must stay in the queue; its next delivery is put off for a while.
    """
    with done_with(PAYMENTS, body, receipt_handle=receipt_handle, received=received, thing="Payment"):
        _report(_state_order(body) if is_errand(body) else _take_in(unpack(body)))


def _state_order(body: str) -> _Outcome:
    """Keep what the shop says is owed for an order, as it is now."""
    errand = parse(body)
    if not isinstance(errand, OrderErrand):
        raise Rejected("invalid_message", "the queue message is no errand about an order")
    records = order_records()
    order, record = records.find_account(errand.key), records.find(errand.key)
    if order is None:
        return _Outcome(str(errand.key), reason="there is no such order")
    statement = statement_of(order, record.revision if record else 0)
    return _Outcome(str(errand.key), finance_table().keep([statement]))


def _take_in(delivery: Delivery) -> _Outcome:
    account = settings().payment_account(delivery.shop)
    reading: PaymentReading = reader_of(delivery.shop, account)(delivery, context_of(delivery.shop, account))
    for oddity in reading.oddities:
        logger().warning("payment looks odd", extra={"account": delivery.shop, "oddity": oddity})
        count("PaymentOddity", vendor=account.vendor)
    kept = finance_table().keep(reading.facts)
    if reading.look_up:
        kept = kept + _looked_up(delivery.shop, reading.look_up, is_known=bool(reading.facts))
    return _Outcome(delivery.shop, kept, reading.nothing)


def _looked_up(name: str, payment_ids: tuple[str, ...], *, is_known: bool) -> Kept:
    """`is_known`: the delivery told of the payment beside, and only hints at more, which the feed will tell too."""
    account = settings().payment_account(name)
    if not account.api_access:
        if is_known:
            count("PaymentNotLookedUp", vendor=account.vendor)
            return Kept()
        raise Rejected(
            "no_api_access",
            f"the delivery only hints at a payment, and we may not ask account {name} anything",
            field=f"payments.{name}.api_access",
        )
    from shared.wiring.payment_feeds import feed_of  # noqa: PLC0415 - httpx, and few deliveries need it

    followed = follow_hints(payment_ids, feed_of(name, account), finance_table())
    if followed.missing:
        raise Retry("payment_unknown", f"the provider does not know {len(followed.missing)} payments it told of")
    return followed.kept


def _report(outcome: _Outcome) -> None:
    kept = outcome.kept
    facts = {"subject": outcome.subject, "new": kept.new, "changed": kept.changed, "reason": outcome.reason}
    logger().info("payment taken in", extra=facts)
    count("PaymentTakenIn", result="kept" if kept.new or kept.changed else "nothing")
