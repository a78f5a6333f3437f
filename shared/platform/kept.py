"""Configuration that is kept for some minutes. Standard library only: the webhooks use it."""

import json
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from shared.kernel.errors import Retry

_KEEP_SECONDS = 300.0
_AT_MOST_EVERY_SECONDS = 10.0
"""A flood of forged requests must not become a flood of calls to the secret store."""

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """A value that is read again after some minutes, or on demand, but not more often than every few seconds."""

    def __init__(self, read: Callable[[], _T], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._monotonic = monotonic
        self._value: _T | None = None
        self._read_at = float("-inf")

    def get(self, *, fresh: bool = False) -> _T:
        age = self._monotonic() - self._read_at
        if self._value is None or age > (_AT_MOST_EVERY_SECONDS if fresh else _KEEP_SECONDS):
            self._value = self._read()
            self._read_at = self._monotonic()
        return self._value


def json_object(text: str, what: str) -> dict[str, Any]:
    """Read a configuration document. One that is broken is no message's fault: `Retry`, until somebody mends it."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Retry("bad_configuration", f"the {what} are not JSON") from error
    if not isinstance(document, dict):
        raise Retry("bad_configuration", f"the {what} are not a JSON object")
    return document
