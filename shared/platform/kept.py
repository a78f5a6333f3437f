"""Configuration that is kept for some minutes. Standard library only: the webhooks use it."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from shared.kernel.errors import Retry, StorebridgeError

_KEEP_SECONDS = 300.0
_AT_MOST_EVERY_SECONDS = 10.0
"""A flood of forged requests must not become a flood of calls to the secret store."""

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Kept(Generic[_T]):
    """A value that is read again after some minutes, or on demand, but never more often than every few seconds.

    When it cannot be read again, the last known value goes on serving: a secret store that is down must not stop the
    shop. Before the first success the failure is raised.
    """

    def __init__(self, read: Callable[[], _T], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._monotonic = monotonic
        self._value: _T | None = None
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self._failure: StorebridgeError = Retry("not_read_yet", "the configuration was not read yet")

    def get(self, *, fresh: bool = False) -> _T:
        """The value; with `fresh`, as it is now, unless it was read a moment ago.

        Raises:
            StorebridgeError: what reading raised, as long as no value is known.
        """
        now = self._monotonic()
        is_due = fresh or self._value is None or now - self._read_at > _KEEP_SECONDS
        if is_due and now - self._tried_at > _AT_MOST_EVERY_SECONDS:
            self._try_to_read(now)
        if self._value is None:
            raise self._failure.with_traceback(None)  # or each time it is raised would be added to the last
        return self._value

    def _try_to_read(self, now: float) -> None:
        self._tried_at = now
        try:
            self._value = self._read()
        except StorebridgeError as error:
            self._failure = error
            _log.warning("configuration not renewed", extra={"code": error.code, "reason": error.message})
        else:
            self._read_at = now


_S = TypeVar("_S")


class MadeOnce(Generic[_S, _T]):
    """A function of a name and its settings, called once for each name, and again only when the settings changed.

    Settings hold mappings, so that `functools.cache` cannot take them.
    """

    def __init__(self, make: Callable[[str, _S], _T]) -> None:
        self._make = make
        self._made: dict[str, tuple[_S, _T]] = {}

    def __call__(self, name: str, settings: _S) -> _T:
        kept = self._made.get(name)
        if kept is None or kept[0] != settings:
            kept = settings, self._make(name, settings)
            self._made[name] = kept
        return kept[1]

    def cache_clear(self) -> None:
        """Forget everything, as `functools.cache` does."""
        self._made.clear()


def json_object(text: str, what: str) -> dict[str, Any]:
    """Read a configuration document. One that is broken is no message's fault: `Retry`, until somebody mends it."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Retry("bad_configuration", f"the {what} are not JSON") from error
    if not isinstance(document, dict):
        raise Retry("bad_configuration", f"the {what} are not a JSON object")
    return document
