"""Invoke the function for manual syncs, and read its answer."""

import json
import os
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from shared.kernel.errors import Rejected, Retry
from shared.sync.manual import SyncRequest, SyncResult

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_LONGEST_SECONDS = 910
"""Lambda's own limit, and a little more. Asking twice would only meet one's own lease."""


def ask(request: SyncRequest) -> SyncResult:
    """What the function answers.

    Raises:
        Rejected: with the code, field and hint that it gives.
        Retry: `function_failed`, when it broke down.
    """
    answer = _lambdas().invoke(
        FunctionName=os.environ["MANUAL_SYNC_FUNCTION"], Payload=request.model_dump_json(exclude_none=True).encode()
    )
    document: dict[str, Any] = json.load(answer["Payload"])
    if answer.get("FunctionError"):
        kind = document.get("errorType") or "unknown"
        raise Retry("function_failed", f"the function broke down: {kind}", hint="see the logs of manual_sync")
    if "error" in document:
        raise Rejected(document["error"], document["message"], field=document.get("field"), hint=document.get("hint"))
    return SyncResult.model_validate(document)


def _lambdas() -> "LambdaClient":
    config = Config(
        connect_timeout=5, read_timeout=_LONGEST_SECONDS, tcp_keepalive=True, retries={"total_max_attempts": 1}
    )
    return boto3.client("lambda", config=config)
