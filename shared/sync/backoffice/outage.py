"""A back office that does not answer is not asked by everybody in turn: its errands wait without trying."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.kernel.errors import Retry

PAUSE_SECONDS = 20.0
"""How long nobody tries after somebody found it out of reach."""


class Outages:
    """What one process knows of back offices that are out of reach. Time is monotonic seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: dict[str, float] = {}

    @contextmanager
    def unless_down(self, name: str) -> Iterator[None]:
        """Do the block's work, unless the back office was found out of reach a moment ago.

        Raises:
            Retry: `backoffice_unreachable`, at once and without asking.
        """
        if self._monotonic() < self._until.get(name, float("-inf")):
            raise Retry("backoffice_unreachable", f"{name} did not answer a moment ago")
        try:
            yield
        except Retry as error:
            if error.code in ("backoffice_unreachable", "backoffice_outcome_unknown"):
                self._until[name] = self._monotonic() + PAUSE_SECONDS
            raise
        self._until.pop(name, None)
