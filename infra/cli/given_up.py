"""Errands that were given up: the dead-letter queues of the two errand queues, and the way back.

An errand carries no content, so it goes back as a new one: its attempts are counted from the beginning.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from infra.cli.mail import waiting
from shared.kernel.errors import Rejected
from shared.orders.errands import Office
from shared.platform import aws
from shared.platform.errand_queue import CountErrand, OrderErrand, parse, send

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

DEAD_LETTERS_OF: Final[Mapping[Office, str]] = {
    Office.BACKOFFICE: "BACKOFFICE_DLQ_URL",
    Office.STOREFRONT: "STOREFRONT_DLQ_URL",
}
"""The environment variable that names each office's dead-letter queue."""

_PER_CALL = 10
_EMPTY_TRIES = 3
_HOLD_SECONDS = 300
"""How long we keep messages to ourselves; what is not put back by then comes back by itself."""


@dataclass(frozen=True)
class GivenUp:
    """One message of a dead-letter queue."""

    message_id: str
    receipt: str = field(repr=False)
    code: str | None
    """Why it was given up; None for one that SQS itself moved aside."""
    errand: OrderErrand | CountErrand | None
    """None where it is no errand of ours: it stays where it is."""

    @property
    def subject(self) -> str | None:
        """`aurora/5001`, or the count that was to be told."""
        if isinstance(self.errand, CountErrand):
            return f"count of {self.errand.sku} at {self.errand.location}"
        return str(self.errand.key) if self.errand else None


@contextmanager
def given_up(office: Office, most: int) -> Iterator[list[GivenUp]]:
    """Up to so many messages of the office's dead-letter queue; those that are not taken off it go back afterwards.

    They are all received before any is handed out, so that one which comes back at once is not seen twice.
    """
    url = os.environ[DEAD_LETTERS_OF[office]]
    seen: dict[str, GivenUp] = {}
    try:
        while len(seen) < most and (fresh := [one for one in _receive(url) if one.message_id not in seen]):
            seen |= {one.message_id: one for one in fresh}
        yield list(seen.values())[:most]
    finally:
        _give_back(url, list(seen.values()))


def put_back(letters: Sequence[GivenUp], office: Office) -> Iterator[int]:
    """Put the errands on their queue, and tell after each batch how many it took so far.

    Each leaves the dead-letter queue only after the queue has it. One that is put back twice does no harm.

    Raises:
        Retry: `queue_refused`; the rest stays where it is.
    """
    done = 0
    readable = [letter for letter in letters if letter.errand is not None]
    for start in range(0, len(readable), _PER_CALL):
        batch = readable[start : start + _PER_CALL]
        send([letter.errand.model_copy(update={"attempt": 0}) for letter in batch if letter.errand], office)
        _take_off(batch, office)
        done += len(batch)
        yield done


def _receive(url: str) -> list[GivenUp]:
    """Some messages, or none when there are no more: an empty answer is checked against the queue's own count."""
    for attempt in range(_EMPTY_TRIES):
        answer = aws.sqs().receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_PER_CALL,
            VisibilityTimeout=_HOLD_SECONDS,
            WaitTimeSeconds=min(attempt, 1),
            MessageAttributeNames=["All"],
        )
        if messages := answer.get("Messages"):
            return [_letter(message) for message in messages]
        if not waiting(url):
            break
    return []


def _letter(message: "MessageTypeDef") -> GivenUp:
    try:
        errand = parse(message["Body"])
    except Rejected:
        errand = None
    reasons = {name: value.get("StringValue") for name, value in message.get("MessageAttributes", {}).items()}
    return GivenUp(message["MessageId"], message["ReceiptHandle"], reasons.get("code"), errand)


def _take_off(letters: Sequence[GivenUp], office: Office) -> None:
    aws.sqs().delete_message_batch(
        QueueUrl=os.environ[DEAD_LETTERS_OF[office]],
        Entries=[{"Id": str(number), "ReceiptHandle": letter.receipt} for number, letter in enumerate(letters)],
    )


def _give_back(url: str, letters: Sequence[GivenUp]) -> None:
    """Let others see them again. Those that were taken off meanwhile are refused one by one, as it should be."""
    for start in range(0, len(letters), _PER_CALL):
        batch = letters[start : start + _PER_CALL]
        aws.sqs().change_message_visibility_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                for number, letter in enumerate(batch)
            ],
        )
