"""What DynamoDB refuses, in the form in which botocore raises it."""

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

CANCELLED: Final = "TransactionCanceledException"
CONDITION_FAILED: Final = "The conditional request failed"
_REFUSED: Final = 400


class Invalid(Exception):
    """A request that breaks a rule of DynamoDB; the message is the service's."""


class NoTable(Exception):
    """There is no table of that name."""


class Refused(Exception):
    """A condition does not hold. `found`: the item that refused, where the request wants it."""

    def __init__(self, found: Mapping[str, Any] | None) -> None:
        super().__init__(CONDITION_FAILED)
        self.found = found


class Cancelled(Exception):
    """A transaction is not carried out. `reasons`: one for each of its actions."""

    def __init__(self, reasons: list[dict[str, Any]]) -> None:
        super().__init__(CANCELLED)
        self.reasons = reasons


class OtherRequest(Exception):
    """A token that belongs to another request."""


def client_error(operation: str, code: str, message: str, further: Mapping[str, Any] | None = None) -> ClientError:
    """`further`: what the service's answer holds beside the message (`Item`, `CancellationReasons`)."""
    response: Any = {
        "Error": {"Message": message, "Code": code},
        "ResponseMetadata": {"HTTPStatusCode": _REFUSED, "HTTPHeaders": {}, "RetryAttempts": 0},
        **(further or {}),
    }
    return ClientError(response, operation)


def as_client_error(operation: str, error: Exception) -> ClientError:
    """One of the errors above as botocore raises it."""
    if isinstance(error, Refused):
        further = {"message": CONDITION_FAILED, **({"Item": dict(error.found)} if error.found is not None else {})}
        return client_error(operation, "ConditionalCheckFailedException", CONDITION_FAILED, further)
    if isinstance(error, Cancelled):
        codes = ", ".join(reason["Code"] for reason in error.reasons)
        message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
        return client_error(operation, CANCELLED, message, {"Message": message, "CancellationReasons": error.reasons})
    if isinstance(error, NoTable):
        message = "Requested resource not found"
        return client_error(operation, "ResourceNotFoundException", message, {"message": message})
    if isinstance(error, OtherRequest):
        code = "IdempotentParameterMismatchException"
        return client_error(operation, code, f"An error occurred ({code})")
    return client_error(operation, "ValidationException", str(error))
