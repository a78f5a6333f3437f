"""Put the order intake together: from a queue message to the order desk."""

from collections.abc import Mapping
from typing import Any

from shared.kernel.clock import utc_now
from shared.orders.intake import Outcome, take_in
from shared.platform.intake import done_with
from shared.platform.intake_queue import ORDERS, unpack
from shared.platform.observability import count, logger
from shared.wiring.order_desk import desk
from shared.wiring.storefront import reader


def archive(messages: list[Mapping[str, Any]]) -> None:
    """Keep the raw messages before anything is done with them."""
    ORDERS.archive_batch(messages, day=f"{utc_now():%Y/%m/%d}")


def process(body: str, *, receipt_handle: str, received: int) -> None:
    """Take one message in. When this returns, the message is done with: applied, superseded, or set aside.

    Raises:
        Retry, Conflict: the message must stay in the queue; its next delivery is put off for a while.
    """
    with done_with(ORDERS, body, receipt_handle=receipt_handle, received=received, thing="Delivery"):
        report(_take_in(body))


def _take_in(body: str) -> Outcome:
    delivery = unpack(body)
    return take_in(delivery.shop, reader(delivery.platform)(delivery), desk(delivery.shop))


def report(outcome: Outcome) -> None:
    """One line and one metric for what became of a delivery; one more for each thing that looks odd."""
    logger().info(
        "delivery taken in",
        extra={
            "result": outcome.result.value,
            "order": str(outcome.key or ""),
            "revision": outcome.record.revision if outcome.record else None,
            "status": outcome.record.status if outcome.record else None,
            "reason": outcome.reason,
        },
    )
    count("DeliveryTakenIn", result=outcome.result.value)
    for oddity in outcome.oddities:
        logger().warning("order looks odd", extra={"order": str(outcome.key), "oddity": oddity})
        count("OrderOddity", shop=outcome.key.shop if outcome.key else "unknown")
