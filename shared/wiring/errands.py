"""Run a batch of errands: each by itself, one order in one place at a time, what fails put back after a while."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry, StorebridgeError
from shared.orders.errands import Office
from shared.platform import aws
from shared.platform.errand_queue import (
    MOST_ATTEMPTS,
    AnErrand,
    CustomerErrand,
    OrderErrand,
    VerificationErrand,
    again,
    parse,
    send,
)
from shared.platform.observability import count, logger
from shared.sync.jobs import leased
from shared.wiring.level_tables import job_table

LEASE = timedelta(minutes=6)
"""Longer than a function that runs errands may take."""

Run = Callable[[AnErrand], str]
"""Run one errand; returns what was done, for the log."""


def run_batch(
    records: Sequence[Mapping[str, Any]], run: Run, office: Office, *, holder: str, has_time: Callable[[], bool]
) -> list[str]:
    """Run the errands of a batch; the same order twice in a batch is looked at once.

    Returns the ids of messages that are no errands: they end on the dead-letter queue.

    Raises:
        Retry: what has to be run again could not be put back; the whole batch is delivered again.
    """
    errands, unreadable = _read(records)
    for subject, errand in errands.items():
        if not has_time():
            send([errand], office)
            continue
        try:
            with leased(job_table(), f"{office}/{subject}", holder, now=utc_now(), lease=LEASE):
                done = run(errand)
        except Rejected as error:
            _tell(error, subject, office)
            if not isinstance(errand, OrderErrand | CustomerErrand):  # the error desk could not show it
                _set_aside(errand, error)
        except (Retry, Conflict) as error:
            _put_back(errand, error, subject, office)
        else:
            logger().info("errand run", extra={"office": office, "subject": subject, "done": done})
    return unreadable


def _read(records: Sequence[Mapping[str, Any]]) -> tuple[dict[str, AnErrand], list[str]]:
    errands: dict[str, AnErrand] = {}
    unreadable = []
    for record in records:
        try:
            errand = parse(record["body"])
        except Rejected:
            unreadable.append(record["messageId"])
        else:
            errands.setdefault(_subject(errand), errand)
    return errands, unreadable


def _subject(errand: AnErrand) -> str:
    if isinstance(errand, OrderErrand):
        return str(errand.key)
    if isinstance(errand, CustomerErrand):
        return f"person/{errand.leader}"
    if isinstance(errand, VerificationErrand):
        return f"verification/{errand.customer}"
    return f"count/{errand.backoffice}/{errand.location}/{errand.sku}/{errand.seq}"


def _tell(error: StorebridgeError, subject: str, office: Office) -> None:
    """An order's reason is on the error desk; the log has no words of a back office's, for they may name a person."""
    logger().error("errand stopped", extra={"office": office, "subject": subject, "code": error.code})
    count("ErrandStopped", office=office, code=error.code)


def _put_back(errand: AnErrand, error: StorebridgeError, subject: str, office: Office) -> None:
    logger().warning(
        "errand postponed",
        extra={"office": office, "subject": subject, "code": error.code, "attempt": errand.attempt},
    )
    count("ErrandPostponed", office=office, code=error.code)
    if errand.attempt < MOST_ATTEMPTS:
        send([again(errand, after_a_minute=error.code.endswith("outcome_unknown"))], office)
        return
    count("ErrandGivenUp", office=office)
    _set_aside(errand, error)


def _set_aside(errand: AnErrand, error: StorebridgeError) -> None:
    aws.sqs().send_message(
        QueueUrl=os.environ["DEAD_LETTER_QUEUE_URL"],
        MessageBody=errand.model_dump_json(),
        MessageAttributes={"code": {"DataType": "String", "StringValue": error.code}},
    )
