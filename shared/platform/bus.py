"""Events for the merchant's own rules, on the deployment's EventBridge bus."""

import os
from collections.abc import Sequence

from shared.customers.effects import CustomerEvent
from shared.kernel.errors import Retry
from shared.kernel.model import Canonical
from shared.orders.effects import OrderEvent
from shared.platform import aws

SOURCE = "storebridge.orders"
CUSTOMERS = "storebridge.customers"
_MOST_PER_CALL = 10


class CustomerChanged(Canonical):
    """A customer changed in a back office. No personal data: whoever needs it asks the back office."""

    backoffice: str
    customer: str
    """Our key of it (`aurora/customer/17`), or `id/` and the back office's own id for one that is not ours."""


def publish(events: Sequence[OrderEvent]) -> None:
    """Put the events on the bus, in order; a repeated call repeats them under the same ids.

    Raises:
        Retry: the bus did not take all of them.
    """
    _put(SOURCE, [(event.kind.value, event) for event in events])


def publish_customers(changed: Sequence[CustomerChanged]) -> None:
    """The same for customers that changed in a back office."""
    _put(CUSTOMERS, [("CustomerChanged", event) for event in changed])


def publish_customer_events(events: Sequence[CustomerEvent]) -> None:
    """Put what happened to customers here on the bus, in order, as `publish` does."""
    _put(CUSTOMERS, [(event.kind.value, event) for event in events])


def _put(source: str, events: Sequence[tuple[str, Canonical]]) -> None:
    for start in range(0, len(events), _MOST_PER_CALL):
        batch = events[start : start + _MOST_PER_CALL]
        answer = aws.events().put_events(
            Entries=[
                {
                    "EventBusName": os.environ["EVENT_BUS_NAME"],
                    "Source": source,
                    "DetailType": kind,
                    "Detail": event.model_dump_json(),
                    "Resources": [],
                }
                for kind, event in batch
            ]
        )
        if answer["FailedEntryCount"]:
            raise Retry("bus_refused", f"the bus did not take {answer['FailedEntryCount']} of {len(batch)} events")
