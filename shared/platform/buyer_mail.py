"""Letters to buyers, through SES."""

from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from shared.kernel.errors import Rejected, Retry
from shared.notifications.buyer.addresses import mailbox, named
from shared.notifications.buyer.mail import compose
from shared.platform.email import CONFIG, PASSING
from shared.platform.settings import BuyerMail
from shared.sync.tell_buyer import Letter

_OF_THE_ADDRESS = frozenset({"BadRequestException", "InvalidParameterValue"})
"""Codes that say: this address is none. All others are about us: an identity that is not verified, an account that may
not send. Those are mended by somebody, and the letters wait meanwhile."""


class SesMailer:
    """A `BuyerMailer` for one shop.

    SES has no key to repeat a request under, so that a send whose answer got lost may arrive twice.
    """

    def __init__(self, shop: BuyerMail) -> None:
        self._shop = shop

    def send(self, letter: Letter) -> None:
        recipient = mailbox(letter.to)
        mail = compose(letter, self._shop.sender_name)
        try:
            _ses().send_email(
                FromEmailAddress=named(self._shop.sender_name, self._shop.sender),
                Destination={"ToAddresses": [recipient]},
                Content={
                    "Simple": {
                        "Subject": _utf8(mail.subject),
                        "Body": {"Text": _utf8(mail.text), "Html": _utf8(mail.html)},
                        # RFC 3834: no machine is to answer, such as one that says its owner is away.
                        "Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"}],
                    }
                },
                **({"ReplyToAddresses": [self._shop.reply_to]} if self._shop.reply_to else {}),
            )
        except (BotoCoreError, ClientError) as error:
            raise _failure(error) from error


def _failure(error: BotoCoreError | ClientError) -> Retry | Rejected:
    """What SES's answer means for a letter. Its message is left out: it names the buyer."""
    if not isinstance(error, ClientError):
        return Retry("buyer_mail_unreachable", f"the outcome is unknown: {type(error).__name__}")
    code = error.response["Error"]["Code"]
    if code in _OF_THE_ADDRESS:
        return Rejected("address_unusable", f"the service answers {code}", field="email")
    if code in PASSING:
        return Retry("buyer_mail_busy", f"the service answers {code}")
    return Retry(
        "buyer_mail_refused",
        f"the service answers {code}",
        field="buyers.sender",
        hint="check the sender's identity in SES, the account's sandbox, and the parameter EmailIdentityArn",
    )


def _utf8(data: str) -> dict[str, str]:
    return {"Data": data, "Charset": "UTF-8"}


@cache
def _ses() -> Any:  # there are no stubs of this client among the requirements
    return boto3.client("sesv2", config=CONFIG)
