"""AWS's refusals in the words of our own errors: what is wrong, and what the operator is to do."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
)
from botocore.exceptions import (
    ConnectionError as AwsConnectionError,
)

from shared.dynamodb.table import DatabaseError
from shared.kernel.errors import Rejected, Retry, StorebridgeError

AWS_ERRORS = (BotoCoreError, ClientError, DatabaseError)

_HINTS = {
    "AccessDenied": "work with a role that may do this",
    "AccessDeniedException": "work with a role that may do this",
    "ExpiredToken": "sign in again",
    "ExpiredTokenException": "sign in again",
    "ParameterNotFound": "put the settings there first: storebridge settings push FILE",
    "ResourceNotFoundException": "is this the stack that you mean? Name it with --stack",
}


def of_aws(error: Exception) -> StorebridgeError:
    """What an error of boto3 or of a table means to the operator."""
    if isinstance(error, NoCredentialsError):
        hint = "sign in to AWS, or work on a local stack with --local"
        return Rejected("no_credentials", "there are no AWS credentials here", hint=hint)
    if isinstance(error, NoRegionError):
        return Rejected("no_region", "no AWS region is chosen", field="region", hint="set AWS_REGION")
    if isinstance(error, AwsConnectionError | HTTPClientError):
        hint = "check the connection; if the stack is local, start it: python -m infra.local.serve"
        return Retry("aws_unreachable", f"AWS does not answer: {type(error).__name__}", hint=hint)
    code, message = _said(error)
    return Rejected("aws_refused", f"{code}: {message}", hint=_HINTS.get(code))


def _said(error: Exception) -> tuple[str, str]:
    if isinstance(error, DatabaseError):
        return error.cause_response_code or type(error).__name__, error.cause_response_message or "the table refuses"
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return type(error).__name__, str(error)
