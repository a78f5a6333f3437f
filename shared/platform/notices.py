"""Notices to an SNS topic, and those that a channel will never take to the failure queue."""

import os
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from shared.kernel.errors import Rejected, Retry
from shared.notifications.port import Notice
from shared.platform import aws
from shared.platform.email import CONFIG, refusal

_MOST_SUBJECT = 99
"""SNS takes less than 100 characters, without control characters."""
_MOST_BYTES = 250_000
"""SNS takes 256 KiB, attributes included."""


class TopicNotifier:
    """A `Notifier` that publishes to a topic of the merchant's, for whoever subscribes: mail, SMS, functions."""

    def __init__(self, topic_arn: str) -> None:
        self._topic_arn = topic_arn

    def send(self, notice: Notice) -> None:
        subject = "".join(character if character.isprintable() else " " for character in notice.title)
        try:
            _sns().publish(
                TopicArn=self._topic_arn,
                Subject=subject[:_MOST_SUBJECT],
                Message=notice.plain(_MOST_BYTES),
                MessageAttributes={"key": {"DataType": "String", "StringValue": notice.key}},
            )
        except (BotoCoreError, ClientError) as error:
            raise refusal("topic_arn", error) from error


def set_aside(notice: Notice, channel: str, error: Rejected) -> None:
    """Put a notice onto the failure queue, with the channel and the reason beside it, or raise `Retry`."""
    attributes = {"channel": channel, "code": error.code, "field": error.field or "-", "reason": error.message[:1000]}
    try:
        aws.sqs().send_message(
            QueueUrl=os.environ["NOTICE_FAILURES_URL"],
            MessageBody=notice.model_dump_json(),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
    except (BotoCoreError, ClientError) as failure:
        raise Retry("queue_unreachable", f"the failure queue did not take it: {type(failure).__name__}") from failure


@cache
def _sns() -> Any:  # there are no stubs of this client among the requirements
    return boto3.client("sns", config=CONFIG)
