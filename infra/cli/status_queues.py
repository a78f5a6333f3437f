"""What waits in each queue, and what was set aside: the queues by the stack's outputs, with what to type next."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from infra.cli.status_lines import Line, State, counted, lasting

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Working(NamedTuple):
    """A queue that feeds a function."""

    stage: str
    subject: str
    patience: int
    """Seconds that its oldest message may wait: the threshold of its alarm in the template."""


class SetAside(NamedTuple):
    """A queue of what failed for good."""

    stage: str
    subject: str
    next: str


WORKING: Final[Mapping[str, Working]] = {
    "OrdersQueueUrl": Working("intake", "orders to take in", 900),
    "HotOrdersQueueUrl": Working("intake", "orders of a hot SKU", 900),
    "CustomersQueueUrl": Working("intake", "customers to take in", 3600),
    "PaymentsQueueUrl": Working("intake", "payments to take in", 3600),
    "BackOfficeQueueUrl": Working("errands", "errands to the back office", 3600),
    "StorefrontQueueUrl": Working("errands", "errands to shops", 3600),
    "StockPushQueueUrl": Working("errands", "levels for shops", 1800),
    "BuyerQueueUrl": Working("errands", "mails to buyers", 3600),
}

SET_ASIDE: Final[Mapping[str, SetAside]] = {
    "OrdersDeadLetterQueueUrl": SetAside("intake", "orders set aside", "storebridge events list --dlq"),
    "CustomersDeadLetterQueueUrl": SetAside(
        "intake", "customers set aside", "storebridge events list --dlq --customers"
    ),
    "PaymentsDeadLetterQueueUrl": SetAside("intake", "payments set aside", "storebridge events list --dlq --payments"),
    "OrderRelayFailuresUrl": SetAside("relays", "order changes without effect", "storebridge desk behind"),
    "CustomerRelayFailuresUrl": SetAside("relays", "customer changes without effect", "storebridge customers list"),
    "StockRelayFailuresUrl": SetAside("relays", "stock changes without effect", "infra/runbooks/relay-failed.md"),
    "LowStockFailuresUrl": SetAside("relays", "low stock that was not told", "storebridge doctor"),
    "BackOfficeDeadLetterQueueUrl": SetAside(
        "errands", "errands to the back office given up", "storebridge desk redrive --office backoffice --dry-run"
    ),
    "StorefrontDeadLetterQueueUrl": SetAside(
        "errands", "errands to shops given up", "storebridge desk redrive --office storefront --dry-run"
    ),
    "StockPushDeadLetterQueueUrl": SetAside("errands", "levels given up", "infra/runbooks/errands-given-up.md"),
    "BuyerDeadLetterQueueUrl": SetAside(
        "errands", "mails given up", "storebridge desk redrive --office buyer --dry-run"
    ),
    "ScheduleFailuresUrl": SetAside("schedules", "scheduled runs that failed", "infra/runbooks/runs-failed.md"),
    "ManualSyncFailuresUrl": SetAside("schedules", "manual syncs that failed", "infra/runbooks/runs-failed.md"),
}


class Depth(NamedTuple):
    waiting: int
    in_flight: int
    delayed: int
    """Sent, and not to be seen before a while: errands that are put back."""


def depth_of(url: str, sqs: "SQSClient") -> Depth:
    """How many messages a queue has; SQS says so approximately."""
    names = (
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    )
    found: Mapping[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]  # type: ignore[assignment,arg-type]
    return Depth(*(int(found[name]) for name in names))


def queue_lines(
    depths: Mapping[str, Depth], oldest: Mapping[str, float] | None, names: Mapping[str, str]
) -> Iterator[Line]:
    """What to say of each queue.

    `depths`, `names`: by output. `oldest`: seconds by the queue's name; None where nobody measures it.
    """
    for output, queue in WORKING.items():
        yield _working(queue, depths[output], oldest.get(names[output], 0.0) if oldest is not None else None)
    for output, dead in SET_ASIDE.items():
        number = sum(depths[output])
        state = State.ATTENTION if number else State.OK
        yield Line(dead.stage, dead.subject, state, str(number) if number else "none", dead.next if number else None)


def _working(queue: Working, depth: Depth, oldest: float | None) -> Line:
    said = [counted(depth.waiting, "waits", "wait")]
    if depth.in_flight:
        said.append(f"{depth.in_flight} in work")
    if depth.delayed:
        said.append(f"{depth.delayed} put back")
    said.append("age not known here" if oldest is None else f"oldest {lasting(oldest)}")
    late = oldest is not None and oldest > queue.patience
    state = State.ATTENTION if late else State.OK
    return Line(queue.stage, queue.subject, state, ", ".join(said), "infra/runbooks/queue-waits.md" if late else None)
