"""Put the customer intake together: from a queue message to the customer desk, the matcher, and a link to send."""

from collections.abc import Mapping
from typing import Any

from shared.customers.intake import Outcome, Result, take_in
from shared.customers.merging import follow_storefront
from shared.customers.ports import CustomerDesk
from shared.customers.readings import CustomerHint, CustomersMerged, NothingToDo, PrivacyCall
from shared.customers.verify import Occasion, ask
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey
from shared.platform.errand_queue import OrderErrand, is_errand, parse
from shared.platform.intake import done_with
from shared.platform.intake_queue import CUSTOMERS, unpack
from shared.platform.observability import count, logger
from shared.sync.customers.learn import learn
from shared.webhooks.delivery import Delivery
from shared.wiring.customer_desk import customer_desk, customer_reader
from shared.wiring.customer_matching import match_customer
from shared.wiring.tables import order_records


def archive(messages: list[Mapping[str, Any]]) -> None:
    """Keep the raw messages before anything is done with them. Errands hold nothing that is not in the tables."""
    deliveries = [message for message in messages if not is_errand(message["body"])]
    if deliveries:
        CUSTOMERS.archive_batch(deliveries, day=f"{utc_now():%Y/%m/%d}")


def process(body: str, *, receipt_handle: str, received: int) -> None:
    """Take one message in. When this returns, the message is done with: applied, superseded, or set aside.

    Raises:
        Retry, Conflict: the message must stay in the queue; its next delivery is put off for a while.
    """
    with done_with(CUSTOMERS, body, receipt_handle=receipt_handle, received=received, thing="Customer"):
        _report(_learn(body) if is_errand(body) else _take_in(unpack(body)))


def _learn(body: str) -> Outcome:
    errand = parse(body)
    if not isinstance(errand, OrderErrand):
        raise Rejected("invalid_message", "the queue message is no errand about an order")
    order = order_records().find_account(errand.key)
    if order is None:
        return Outcome(Result.IGNORED, reason="there is no such order")
    desk = customer_desk(order.shop)
    is_real = not order.test and order.cancelled_at is None
    return _followed_up(learn(order, desk), desk, occasion=Occasion.ORDER if is_real else Occasion.REGISTRATION)


def _take_in(delivery: Delivery) -> Outcome:
    reading = customer_reader(delivery.platform)(delivery)
    desk = customer_desk(delivery.shop)
    match reading:
        case NothingToDo():
            return Outcome(Result.IGNORED, reason=reading.reason)
        case PrivacyCall():
            return _called(reading, desk)
        case CustomersMerged():
            return _merged(reading, desk)
        case _:
            return _followed_up(take_in(reading, desk), desk, occasion=Occasion.REGISTRATION)


def _called(call: PrivacyCall, desk: CustomerDesk) -> Outcome:
    from shared.wiring.customer_privacy import open_call  # noqa: PLC0415 - few deliveries are such

    request = open_call(call, desk)
    return Outcome(Result.APPLIED, reason=f"{call.topic} opened as {request.id}")


def _merged(reading: CustomersMerged, desk: CustomerDesk) -> Outcome:
    if desk.storefront is not None:  # the account that is left may not have been told of yet
        take_in(CustomerHint(reading.kept, "merged"), desk)
    merge = follow_storefront(reading, desk)
    kept = CustomerKey.of_account(desk.shop, reading.kept)
    return Outcome(Result.APPLIED if merge else Result.IGNORED, kept, desk.book.find(kept), reason="merged there")


def _followed_up(outcome: Outcome, desk: CustomerDesk, *, occasion: Occasion) -> Outcome:
    """What follows from a customer as it is now, also where the account itself was no news: a worker may have died."""
    record = outcome.record
    if record is None or record.erased_at or record.deleted_at:
        return outcome
    match_customer(record.key, desk)
    ask(record.key, desk, occasion=occasion)
    return outcome


def _report(outcome: Outcome) -> None:
    record = outcome.record
    logger().info(
        "customer taken in",
        extra={
            "result": outcome.result.value,
            "customer": str(outcome.key or ""),
            "revision": record.revision if record else None,
            "verification": record.verification.state.value if record else None,
            "flags": [flag.flag.value for flag in record.open_flags] if record else [],
            "reason": outcome.reason,
        },
    )
    count("CustomerTakenIn", result=outcome.result.value)
