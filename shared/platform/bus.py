"""Events for the merchant's own rules, on the deployment's EventBridge bus."""

import os
from collections.abc import Sequence

from shared.kernel.errors import Retry
from shared.orders.effects import OrderEvent
from shared.platform import aws

SOURCE = "storebridge.orders"
_MOST_PER_CALL = 10


def publish(events: Sequence[OrderEvent]) -> None:
    """Put the events on the bus, in order; a repeated call repeats them under the same ids.

    Raises:
        Retry: the bus did not take all of them.
    """
    for start in range(0, len(events), _MOST_PER_CALL):
        batch = events[start : start + _MOST_PER_CALL]
        answer = aws.events().put_events(
            Entries=[
                {
                    "EventBusName": os.environ["EVENT_BUS_NAME"],
                    "Source": SOURCE,
                    "DetailType": event.kind.value,
                    "Detail": event.model_dump_json(),
                    "Resources": [],
                }
                for event in batch
            ]
        )
        if answer["FailedEntryCount"]:
            raise Retry("bus_refused", f"the bus did not take {answer['FailedEntryCount']} of {len(batch)} events")
