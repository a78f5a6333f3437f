"""The delivery inside a message that was kept, wherever its body is."""

from botocore.exceptions import ClientError

from shared.kernel.errors import Rejected
from shared.platform.errand_queue import parse
from shared.platform.intake_queue import unpack
from shared.webhooks.delivery import Delivery


def delivery_in(message: str) -> Delivery | None:
    """The delivery; None where there is none: an errand of ours carries no content, and a body that was too large for
    the message may have expired or been erased.

    Raises:
        Rejected: it is no message of ours.
    """
    try:
        return unpack(message)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None
    except Rejected:
        parse(message)
        return None
