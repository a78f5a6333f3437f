"""Run a function without waiting for it."""

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.kernel.errors import Retry

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


@cache
def lambdas() -> "LambdaClient":
    return boto3.client("lambda", config=_CONFIG)


def invoke_later(function: str, event: Mapping[str, Any]) -> None:
    """Return once Lambda has the event: it runs the function, repeats it when it fails, and keeps what fails for good.

    Raises:
        Retry: `not_invoked`.
    """
    try:
        lambdas().invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
    except ClientError as error:
        raise Retry("not_invoked", f"Lambda does not take the event: {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise Retry("not_invoked", f"Lambda does not take the event: {type(error).__name__}") from error
