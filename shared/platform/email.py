"""Notices by e-mail, through SES."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.kernel.errors import Rejected, Retry
from shared.notifications.email import message
from shared.notifications.port import Notice

PASSING = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServiceErrorException",
        "KMSThrottlingException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Codes of AWS that say: later."""
CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


class EmailNotifier:
    """A `Notifier` that sends one message to all recipients.

    SES has no key to repeat a request under, so that a send whose answer got lost may arrive twice.
    """

    def __init__(self, sender: str, recipients: Sequence[str]) -> None:
        self._sender = sender
        self._recipients = recipients

    def send(self, notice: Notice) -> None:
        try:
            _ses().send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": list(self._recipients)},
                Content={
                    "Simple": {
                        "Subject": _utf8(message.subject(notice)),
                        "Body": {"Text": _utf8(message.text(notice)), "Html": _utf8(message.html(notice))},
                    }
                },
            )
        except (BotoCoreError, ClientError) as error:
            raise refusal("email", error) from error


def refusal(channel: str, error: BotoCoreError | ClientError) -> Retry | Rejected:
    """What an AWS service's failure means for a notice. Its message is left out: it may name recipients."""
    if not isinstance(error, ClientError):
        return Retry(f"{channel}_unreachable", f"the outcome is unknown: {type(error).__name__}")
    code = error.response["Error"]["Code"]
    if code in PASSING or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:  # noqa: PLR2004 - HTTP
        return Retry(f"{channel}_busy", f"the service answers {code}")
    return Rejected(
        f"{channel}_refused",
        f"the service answers {code}",
        field=f"notifications.{channel}",
        hint="check the address in the settings, its verification, and the deployment's parameters that allow it",
    )


def _utf8(data: str) -> dict[str, str]:
    return {"Data": data, "Charset": "UTF-8"}


@cache
def _ses() -> Any:  # there are no stubs of this client among the requirements
    return boto3.client("sesv2", config=CONFIG)
