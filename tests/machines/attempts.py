"""Try something that may be refused."""

from collections.abc import Callable
from typing import TypeVar

from shared.kernel.errors import StorebridgeError

_T = TypeVar("_T")


def attempted(doing: Callable[[], _T]) -> _T | StorebridgeError:
    """What came of it, a refusal too."""
    try:
        return doing()
    except StorebridgeError as error:
        return error
