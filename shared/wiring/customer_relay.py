"""Put the customer relay together: from a change of a record to events, errands, links to send, orders to release."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.customers.effects import changes_standing, events_of, persons_to_bring_together, wants_link
from shared.customers.record import CustomerRecord
from shared.customers.table import is_record, record_of_image
from shared.kernel.errors import Retry
from shared.orders.errands import Office
from shared.orders.reconsider import reconsider
from shared.orders.record import HoldReason
from shared.platform import bus
from shared.platform.configuration import settings
from shared.platform.errand_queue import CustomerErrand, VerificationErrand, send
from shared.platform.observability import logger
from shared.wiring.customer_desk import customer_desk
from shared.wiring.customer_matching import match_customer
from shared.wiring.customer_tables import customer_table
from shared.wiring.order_desk import desk
from shared.wiring.tables import order_records


def relay(change: Mapping[str, Any], *, happened_at: datetime) -> None:  # noqa: ARG001 - as every relay is called
    """Pass one stream record on. Called again with the same record it repeats the same events and errands.

    Raises:
        Retry: bus, queue or tables are out of reach; the stream delivers the record again.
    """
    if not is_record(change["Keys"]) or "NewImage" not in change:
        return
    old = record_of_image(change["OldImage"]) if "OldImage" in change else None
    new = record_of_image(change["NewImage"])
    shop = settings().shops.get(new.shop)
    bus.publish_customer_events(events_of(old, new))
    if shop is None:
        return
    if shop.backoffice is not None:
        persons = persons_to_bring_together(old, new)
        send([CustomerErrand(leader=str(leader)) for leader in persons], Office.BACKOFFICE)
    if wants_link(old, new):
        send([VerificationErrand(customer=str(new.key), asked=new.verification.asked)], Office.BUYER)
    if changes_standing(old, new):
        match_customer(new.key, customer_desk(new.shop))
        _look_at_orders_again(new)


_OF_THE_BUYER = frozenset({HoldReason.CUSTOMER_UNVERIFIED, HoldReason.CUSTOMER_REJECTED})


def _look_at_orders_again(record: CustomerRecord) -> None:
    """At once, and not only when the review comes round: the buyer has just followed the link, and waits."""
    for key, order in order_records().find_many(customer_table().orders_of(record.key)).items():
        if any(hold.reason in _OF_THE_BUYER for hold in order.holds):
            looked_at = reconsider(key, desk(key.shop))
            if looked_at.postponed:
                raise Retry(looked_at.postponed, f"order {key} is to be looked at again")
            logger().info("order looked at again", extra={"order": str(key), "customer": str(record.key)})
