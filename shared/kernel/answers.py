"""Answers of vendors that are not of the shape which their API documents."""

import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import PurePath
from types import FunctionType
from typing import Any, Final, TypeVar

from shared.kernel.errors import StorebridgeError

_Adapter = TypeVar("_Adapter")
_MISFITS: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading raises where a field is missing, null, or of another kind than is documented."""


def misfits_are(refusal: Callable[[str], StorebridgeError]) -> Callable[[type[_Adapter]], type[_Adapter]]:
    """Decorates a vendor's adapter: where an answer lacks what its API documents, its methods raise `refusal` of a
    sentence that says where in our code, and never what the answer holds: the text of such an error may quote a buyer.

    A mistake of our own in reading looks the same from here, and is told in the same way: by its kind and its place.
    """

    def decorate(adapter: type[_Adapter]) -> type[_Adapter]:
        methods = {name: method for each in reversed(adapter.__mro__) for name, method in vars(each).items()}
        for name, method in methods.items():
            if isinstance(method, FunctionType) and not name.startswith("_"):
                setattr(adapter, name, _judged(method, refusal))
        return adapter

    return decorate


def _judged(method: Callable[..., Any], refusal: Callable[[str], StorebridgeError]) -> Callable[..., Any]:
    @wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return method(*arguments, **named)
        except _MISFITS as error:
            told = refusal(f"an answer is not of the shape that its API documents ({_place(error)})")
            raise told from None  # its cause's text may quote the answer

    return call


def _place(error: BaseException) -> str:
    """The kind, and the last line of ours that it went through: `KeyError, fetching 33`."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "shared" in PurePath(frame.filename).parts]
    last = (ours or list(frames))[-1]
    return f"{type(error).__name__}, {PurePath(last.filename).stem} {last.lineno}"
