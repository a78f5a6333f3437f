"""What became of one invocation, as Lambda reports it."""

import json
from dataclasses import dataclass

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
"""Lambda's limit on a synchronous request."""
MAX_RESPONSE_BYTES = MAX_PAYLOAD_BYTES + 100
"""Lambda's limit on a response: 6,291,556 bytes, as its own error message says."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The response, or the error document when `failed`."""

    payload: bytes
    failed: bool = False


def failure(kind: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)
