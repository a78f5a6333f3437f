"""Reading what payment providers send: unknown fields are let be, for they name buyers; numbers may come as text."""

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from shared.kernel.errors import Rejected
from shared.kernel.model import faults_of

_Model = TypeVar("_Model", bound=BaseModel)


class Lenient(BaseModel):
    """A provider's object, reduced to what finance needs: nothing else of it is kept, not even in memory."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True)


def _blank_to_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _null_to_empty(value: Any) -> Any:
    return () if value is None else value


OptionalText = Annotated[str | None, BeforeValidator(_blank_to_none)]
"""Text or a number; blank is None."""
NULL_IS_EMPTY = BeforeValidator(_null_to_empty)
"""For a list that may be null: `Annotated[tuple[Item, ...], NULL_IS_EMPTY] = ()`."""


def read(model: type[_Model], value: Any, provider: str) -> _Model:
    """Validate what was parsed.

    Raises:
        Rejected: `invalid_payload` with the first field at fault, never its content.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = faults_of(error)[0]
        raise Rejected(
            "invalid_payload",
            f"{first.kind}: cannot be read as {model.__name__}",
            field=first.field,
            hint=f"{provider} sends a shape that is not known here",
        ) from error


def each_once(texts: Iterable[str | None]) -> tuple[str, ...]:
    """In their order; blanks and None are left out."""
    return tuple(dict.fromkeys(text.strip() for text in texts if text and text.strip()))
