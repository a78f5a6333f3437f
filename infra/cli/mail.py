"""Messages on their way: an intake's queue, its dead-letter queue and the archive, as `events` works with them.

The text of a message is never changed, and never shown.
"""

import gzip
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.customers.readings import CompleteCustomer, CustomerDeleted, CustomerHint, CustomersMerged, PrivacyCall
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.readings import CompleteOrder, OrderHint
from shared.platform import aws, intake_queue
from shared.platform.dead_letters import give_back, receive
from shared.platform.errand_queue import OrderErrand, is_errand, parse
from shared.platform.intake_queue import ORDERS, IntakeQueue
from shared.webhooks.delivery import Delivery
from shared.wiring.customer_desk import customer_reader
from shared.wiring.storefront import reader

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

RETRIES_EXHAUSTED = "retries_exhausted"
"""Our word for a message that SQS itself moved aside, after so many failed tries: it carries no reason."""

_PER_CALL = 10
"""SQS takes and gives no more messages at once."""
_BATCH_BYTES = 900_000
"""SQS takes 1 MiB for the whole batch."""
_HOLD_SECONDS = 300
"""How long we keep messages to ourselves; what is not put back by then comes back by itself."""
_DAY = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)(?:/(.*))?")


@dataclass(frozen=True)
class Letter:
    """One message."""

    message_id: str
    text: str = field(repr=False)
    receipt: str = field(default="", repr=False)
    reasons: Mapping[str, str] = field(default_factory=dict)
    """`code`, `field` and `reason`, as intake attaches them to what it sets aside."""
    sent_at: datetime | None = None
    received: int = 0

    @property
    def code(self) -> str:
        return self.reasons.get("code", RETRIES_EXHAUSTED)

    def envelope(self) -> dict[str, str | None]:
        """What the message says of itself, apart from its body; nothing where it is not one of ours."""
        try:
            fields = json.loads(self.text)
        except ValueError:
            fields = {}
        fields = fields if isinstance(fields, dict) else {}
        return {name: fields.get(name) if isinstance(fields.get(name), str) else None for name in ("shop", "topic")}


@contextmanager
def set_aside(
    most: int, code: str | None = None, *, queue: str = ORDERS.dead_letters_variable
) -> Iterator[list[Letter]]:
    """Messages of a dead-letter queue, up to `most` with this code; all that was looked at goes back afterwards.

    They are all taken before any is handed out, so that one which fails again and comes back is not taken twice.
    """
    url = os.environ[queue]
    seen: dict[str, Letter] = {}
    try:
        wanted = 0
        while wanted < most and (fresh := [letter for letter in _taken(url) if letter.message_id not in seen]):
            seen |= {letter.message_id: letter for letter in fresh}
            wanted += sum(code in (None, letter.code) for letter in fresh)
        yield [letter for letter in seen.values() if code in (None, letter.code)][:most]
    finally:
        give_back(url, [letter.receipt for letter in seen.values()])


def _taken(url: str) -> list[Letter]:
    return [_letter(message) for message in receive(url, hold_seconds=_HOLD_SECONDS)]


def _letter(message: "MessageTypeDef") -> Letter:
    system: Mapping[str, str] = {str(name): value for name, value in message.get("Attributes", {}).items()}
    reasons = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    sent = int(system.get("SentTimestamp", 0))
    return Letter(
        message_id=message["MessageId"],
        text=message["Body"],
        receipt=message["ReceiptHandle"],
        reasons=reasons,
        sent_at=datetime.fromtimestamp(sent / 1000, UTC) if sent else None,
        received=int(system.get("ApproximateReceiveCount", 0)),
    )


def put_through(letters: Sequence[Letter], *, and_delete: bool, intake: IntakeQueue = ORDERS) -> Iterator[int]:
    """Put the messages on the intake's queue as they are; tell after each batch how many were taken so far.

    With `and_delete` each leaves the dead-letter queue, after the intake's queue has it.

    Raises:
        Retry: `queue_refuses`, when some were not taken. Those stay where they were.
    """
    done = 0
    for batch in _batches(letters):
        entries = [{"Id": str(number), "MessageBody": letter.text} for number, letter in enumerate(batch)]
        answer = aws.sqs().send_message_batch(
            QueueUrl=os.environ[intake.url_variable],
            Entries=entries,  # type: ignore[arg-type] # a dict of text is what the stubs describe
        )
        taken = [batch[int(entry["Id"])] for entry in answer.get("Successful", [])]
        if and_delete:
            delete(taken, intake.dead_letters_variable)
        done += len(taken)
        yield done
        if len(taken) < len(batch):
            code = answer["Failed"][0].get("Code", "unknown")
            raise Retry("queue_refuses", f"the {intake.folder} queue took {done} of {len(letters)} messages: {code}")


def delete(letters: Sequence[Letter], queue: str) -> None:
    """Take at most ten letters off a queue, named by its environment variable."""
    if letters:
        aws.sqs().delete_message_batch(
            QueueUrl=os.environ[queue],
            Entries=[{"Id": str(number), "ReceiptHandle": letter.receipt} for number, letter in enumerate(letters)],
        )


def _batches(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """At most ten messages, and together small enough for one call."""
    batch: list[Letter] = []
    size = 0
    for letter in letters:
        length = len(letter.text.encode())
        if batch and (len(batch) == _PER_CALL or size + length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(letter)
        size += length
    if batch:
        yield batch


def archive_prefix(day: str, folder: str = ORDERS.folder) -> str:
    """`2026-11-23` or `2026/11/23/ab` as the prefix in a folder of the archive, or `Rejected`."""
    found = _DAY.fullmatch(day)
    if found is None:
        hint = "write it as 2026-11-23, or 2026-11-23/PREFIX for some of a day's objects"
        raise Rejected("invalid_day", f"{day[:40]!r} is no day", field="from_archive", hint=hint)
    year, month, date, rest = found.groups()
    return f"{folder}/{year}/{month}/{date}/{rest or ''}"


def archived(prefix: str) -> Iterator[Letter]:
    """The archive's messages, each once though a batch may have been delivered and kept several times."""
    bucket = os.environ["ARCHIVE_BUCKET"]
    seen: set[str] = set()
    for page in aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            for letter in _open(bucket, entry["Key"]):
                if letter.message_id not in seen:
                    seen.add(letter.message_id)
                    yield letter


def _open(bucket: str, key: str) -> list[Letter]:
    raw = aws.s3().get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        kept = [json.loads(line) for line in gzip.decompress(raw).decode("utf-8").splitlines()]
        return [Letter(message_id=entry["message_id"], text=entry["body"]) for entry in kept]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise Rejected("invalid_archive", f"{key} is no archive of ours", field="from_archive") from error


def delivery_of(letter: Letter) -> Delivery | None:
    """The delivery inside, or None where it cannot be read: not ours, or its body is no longer in the archive."""
    try:
        return intake_queue.unpack(letter.text)
    except Rejected:
        return None
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None


def order_of(delivery: Delivery) -> OrderKey | None:
    """The order that a delivery is about, or None where that cannot be read or there is none."""
    try:
        reading = reader(delivery.platform)(delivery)
    except Rejected:
        return None
    if isinstance(reading, CompleteOrder):
        return reading.order.key
    return OrderKey(delivery.shop, reading.order_id) if isinstance(reading, OrderHint) else None


def customers_of(delivery: Delivery) -> frozenset[CustomerKey]:
    """The customers that a delivery is about, none where that cannot be read or there are none."""
    try:
        reading = customer_reader(delivery.platform)(delivery)
    except Rejected:
        return frozenset()
    match reading:
        case CompleteCustomer():
            return frozenset({reading.customer.key})
        case CustomersMerged():
            ids = [reading.kept, reading.gone]
        case CustomerHint() | CustomerDeleted():
            ids = [reading.customer_id]
        case PrivacyCall():
            ids = [reading.customer_id] if reading.customer_id else []
        case _:
            ids = []
    return frozenset(CustomerKey.of_account(delivery.shop, customer_id) for customer_id in ids)


def errand_of(letter: Letter) -> OrderErrand | None:
    """The errand about an order's buyer inside, which the customers' intake takes beside deliveries."""
    if not is_errand(letter.text):
        return None
    try:
        errand = parse(letter.text)
    except Rejected:
        return None
    return errand if isinstance(errand, OrderErrand) else None
