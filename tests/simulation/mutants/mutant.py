"""What a planted defect is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """A defect in one function: `make` is given the real one and returns the faulty one."""

    name: str
    what: str
    """The defect in a sentence, as a reviewer would put it."""
    owner: Any
    """The module or class that has the function."""
    function: str
    make: Callable[[Any], Any]
    cast: str = "order desk"
    """In which histories it can show."""


def swallowing(*errors: type[BaseException]) -> Callable[[Any], Any]:
    """A function that goes on as if nothing had happened."""

    def make(real: Callable[..., Any]) -> Callable[..., Any]:
        def swallows(*args: Any, **words: Any) -> Any:
            try:
                return real(*args, **words)
            except errors:
                return None

        return swallows

    return make


def doing_nothing(_real: object) -> Callable[..., None]:
    return lambda *_args, **_words: None


def always(operation: Any) -> Any:
    """The operation with a condition that always holds; what it names stays used."""
    condition = operation["ConditionExpression"]
    whole = condition if condition.startswith("(") else f"({condition})"
    operation["ConditionExpression"] = f"{whole} OR NOT {whole}"
    return operation
