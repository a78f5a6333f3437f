"""The queues of errands: something changed, somebody is to look at it.

An errand that fails for now is put back by itself, each time after twice as long, so that it does not end on the
dead-letter queue because a back office was down for an afternoon. What stops it is on the error desk meanwhile.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from shared.inventory.models import LocationId, Sku
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import SHOP_PATTERN, CustomerKey, OrderKey
from shared.kernel.model import QUIET, Canonical
from shared.orders.errands import Errand, Office, Reason
from shared.platform import aws

_MOST_PER_CALL = 10
_LONGEST_DELAY_SECONDS = 900
MOST_ATTEMPTS = 300
"""With delays that double up to a quarter of an hour, three days: a back office may be down over a weekend."""

_A_MINUTE = 5
"""The attempt before which there is a pause of more than a minute."""

QUEUE_OF = {
    Office.BACKOFFICE: "BACKOFFICE_QUEUE_URL",
    Office.STOREFRONT: "STOREFRONT_QUEUE_URL",
    Office.CUSTOMERS: "CUSTOMERS_QUEUE_URL",
    Office.BUYER: "BUYER_QUEUE_URL",
    Office.FINANCE: "PAYMENTS_QUEUE_URL",
}
"""The environment variable that names each office's queue."""


Attempt = Annotated[int, Field(ge=0, le=1_000_000)]
"""How often the errand was put back: what it waits for doubles with it, so it is bounded where it is read."""


class OrderErrand(Canonical):
    """Look at one order."""

    what: Literal["order"] = "order"
    shop: Annotated[str, Field(pattern=SHOP_PATTERN)]
    order_id: str
    reasons: tuple[Reason, ...] = ()
    attempt: Attempt = 0

    @property
    def key(self) -> OrderKey:
        return OrderKey(self.shop, self.order_id)

    @classmethod
    def of(cls, errand: Errand) -> "OrderErrand":
        return cls(shop=errand.shop, order_id=errand.order_id, reasons=errand.reasons)


class CountErrand(Canonical):
    """Tell a back office what was counted."""

    what: Literal["count"] = "count"
    backoffice: Annotated[str, Field(pattern=SHOP_PATTERN)]
    location: LocationId
    sku: Sku
    seq: int
    """Of the stock line, right after the count: names the count."""
    on_hand: Annotated[int, Field(ge=0)]
    counted_at: AwareDatetime
    """When the count was booked."""
    attempt: Attempt = 0


class CustomerErrand(Canonical):
    """Bring one person's storefronts and back office together."""

    what: Literal["customer"] = "customer"
    leader: str
    """Key of the customer whom the person goes by."""
    attempt: Attempt = 0

    @property
    def key(self) -> CustomerKey:
        return CustomerKey.parse(self.leader)


class VerificationErrand(Canonical):
    """Send one customer the link that proves the e-mail address."""

    what: Literal["verification"] = "verification"
    customer: str
    asked: int
    """Which link it is: `Verification.asked` at the time. A newer one replaces it."""
    attempt: Attempt = 0

    @property
    def key(self) -> CustomerKey:
        return CustomerKey.parse(self.customer)


AnErrand = OrderErrand | CountErrand | CustomerErrand | VerificationErrand
_reader: TypeAdapter[AnErrand] = TypeAdapter(Annotated[AnErrand, Field(discriminator="what")], config=QUIET)


def is_errand(body: str) -> bool:
    """Whether a message of a queue that takes other things too is an errand: all of ours begin alike."""
    return body.startswith('{"what":')


def parse(body: str) -> AnErrand:
    try:
        return _reader.validate_json(body, extra="ignore")  # a newer version may say more
    except ValueError as error:
        raise Rejected("invalid_message", "the queue message is not an errand of ours") from error


def again(errand: AnErrand, *, after_a_minute: bool = False) -> AnErrand:
    """The errand for another try; after a minute at the least where the outcome of a write is to show first."""
    attempt = errand.attempt + 1
    return errand.model_copy(update={"attempt": max(attempt, _A_MINUTE) if after_a_minute else attempt})


def delay_of(errand: AnErrand) -> int:
    """Seconds until it is run: at once, then 5, 10, 20 …"""
    return min(_LONGEST_DELAY_SECONDS, 5 * 2 ** min(errand.attempt - 1, 20)) if errand.attempt else 0


def send(errands: Iterable[AnErrand], office: Office) -> None:
    """Put errands on the office's queue, each after its delay.

    Raises:
        Retry: the queue did not take all of them. Those it took do no harm.
    """
    waiting: Sequence[AnErrand] = list(errands)
    for start in range(0, len(waiting), _MOST_PER_CALL):
        batch = waiting[start : start + _MOST_PER_CALL]
        answer = aws.sqs().send_message_batch(
            QueueUrl=os.environ[QUEUE_OF[office]],
            Entries=[
                {
                    "Id": str(number),
                    "MessageBody": errand.model_dump_json(),
                    "DelaySeconds": delay_of(errand),
                }
                for number, errand in enumerate(batch)
            ],
        )
        if answer.get("Failed"):
            raise Retry("queue_refused", f"the queue did not take {len(answer['Failed'])} of {len(batch)} errands")
