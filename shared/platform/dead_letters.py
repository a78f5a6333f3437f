"""The dead-letter queues: how they are looked through, and how an erasure deletes what is theirs and nothing else."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from shared.kernel.errors import Rejected, Retry
from shared.platform import aws
from shared.platform.archive import reachable
from shared.platform.deliveries import delivery_in
from shared.platform.errand_queue import CustomerErrand, VerificationErrand, parse
from shared.sync.privacy.ports import IsTheirs, Struck

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

QUEUES = (
    "ORDERS_DLQ_URL",
    "CUSTOMERS_DLQ_URL",
    "BACKOFFICE_DLQ_URL",
    "STOREFRONT_DLQ_URL",
    "BUYER_DLQ_URL",
    "PAYMENTS_DLQ_URL",
)
"""The environment variables that name them."""

_PER_CALL = 10
"""SQS gives and takes no more messages at once."""
_HOLD_SECONDS = 600
"""How long we keep messages to ourselves; what is not put back by then comes back by itself."""
_MOST_HELD = 50_000
"""SQS lets 120,000 messages of a queue be out at once; operators and the redrive need some."""
_EMPTY_TRIES = 3
_Figure = Literal["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


class SqsDeadLetters:
    """All dead-letter queues that hold deliveries or errands."""

    def strike(self, is_theirs: IsTheirs, customers: frozenset[str]) -> Struck:
        with reachable():
            struck = [_strike_queue(variable, is_theirs, customers) for variable in QUEUES]
        return Struck(
            looked_at=sum(one.looked_at for one in struck),
            removed=sum(one.removed for one in struck),
            unread=tuple(name for one in struck for name in one.unread),
        )


def _strike_queue(variable: str, is_theirs: IsTheirs, customers: frozenset[str]) -> Struck:
    """Every message is taken once, and held until all were seen: one that went back at once would come again."""
    url = os.environ[variable]
    if _count(url, "ApproximateNumberOfMessagesNotVisible"):
        # Whatever somebody else holds at the moment would not be seen.
        raise Retry("dead_letters_in_use", "somebody else is looking at what was set aside")
    held: dict[str, str] = {}
    removed, unread = 0, []
    try:
        for message in _messages(url, held):
            try:
                theirs = _is_theirs(message["Body"], is_theirs, customers)
            except Rejected:
                unread.append(f"{variable.removesuffix('_URL').lower()}/{message['MessageId']}")
                continue
            if theirs:
                aws.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                del held[message["MessageId"]]
                removed += 1
    finally:
        give_back(url, list(held.values()))
    return Struck(looked_at=len(held) + removed, removed=removed, unread=tuple(unread))


def _is_theirs(body: str, is_theirs: IsTheirs, customers: frozenset[str]) -> bool:
    """An errand for a customer that is gone has nothing left to do. One for an order has."""
    delivery = delivery_in(body)
    if delivery is not None:
        return is_theirs(delivery)
    try:
        errand = parse(body)
    except Rejected:  # it points at a body that is gone
        return False
    return isinstance(errand, CustomerErrand | VerificationErrand) and str(errand.key) in customers


def _messages(url: str, held: dict[str, str]) -> Iterator["MessageTypeDef"]:
    """Each message once; `held` gets the receipt of each by its id."""
    while fresh := [
        message for message in receive(url, hold_seconds=_HOLD_SECONDS) if message["MessageId"] not in held
    ]:
        held.update({message["MessageId"]: message["ReceiptHandle"] for message in fresh})
        if len(held) > _MOST_HELD:
            raise Retry("too_many_dead_letters", f"more than {_MOST_HELD} messages are set aside")
        yield from fresh


def receive(url: str, *, hold_seconds: int) -> list["MessageTypeDef"]:
    """Some messages with all that is attached to them, held for so long; none when there are no more.

    AWS asks only some of its servers unless it is told to wait, so an empty answer is checked against the queue's own
    count before it is believed.
    """
    for attempt in range(_EMPTY_TRIES):
        answer = aws.sqs().receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_PER_CALL,
            VisibilityTimeout=hold_seconds,
            WaitTimeSeconds=min(attempt, 1),
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            MessageAttributeNames=["All"],
        )
        if messages := answer.get("Messages"):
            return messages
        if not _count(url, "ApproximateNumberOfMessages"):
            break
    return []


def _count(url: str, which: _Figure) -> int:
    return int(aws.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=[which])["Attributes"][which])


def give_back(url: str, receipts: Sequence[str]) -> None:
    """Let others see them again. Those that were deleted meanwhile are refused one by one, which is as it should be."""
    for start in range(0, len(receipts), _PER_CALL):
        aws.sqs().change_message_visibility_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts[start : start + _PER_CALL])
            ],
        )
