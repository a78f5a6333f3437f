"""Reading what strangers send: unknown and missing fields, numbers as text, text as numbers."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError

from shared.kernel.errors import Rejected
from shared.kernel.model import faults_of

_Model = TypeVar("_Model", bound=BaseModel)


class Lenient(BaseModel):
    """A vendor's object: unknown fields are kept aside in `model_extra`, so that nothing is lost."""

    model_config = ConfigDict(frozen=True, extra="allow", coerce_numbers_to_str=True, hide_input_in_errors=True)


def _blank_to_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _null_to_empty(value: Any) -> Any:
    return [] if value is None else value


OptionalText = Annotated[str | None, BeforeValidator(_blank_to_none)]
"""Text or a number; blank is None."""
OptionalDecimal = Annotated[Decimal | None, BeforeValidator(_blank_to_none)]
"""A decimal as text or number; WooCommerce sends "" where there is none."""
NULL_IS_EMPTY = BeforeValidator(_null_to_empty)
"""For a list that may be null: `Annotated[tuple[Line, ...], NULL_IS_EMPTY] = ()`."""


def read(model: type[_Model], value: Any) -> _Model:
    """Validate a parsed body, or raise `Rejected` naming the first field at fault, never its content."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = faults_of(error)[0]
        raise Rejected(
            "invalid_payload",
            f"{first.kind}: cannot be read as {model.__name__}",
            field=first.field,
            hint="the storefront or one of its plugins sends a shape that is not known here",
        ) from error


def unknown_fields(model: BaseModel, path: str = "") -> Iterator[tuple[str, JsonValue]]:
    """All that was sent and no field of ours holds, by dotted path; empty values are left out."""
    for name, value in (model.model_extra or {}).items():
        if value not in (None, "", [], {}):
            yield f"{path}{name}", _plain(value)
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from unknown_fields(value, f"{path}{name}.")
        elif isinstance(value, tuple):
            yield from _unknown_in_items(value, f"{path}{name}")


def _unknown_in_items(items: Iterable[Any], path: str) -> Iterator[tuple[str, JsonValue]]:
    for index, item in enumerate(items):
        if isinstance(item, BaseModel):
            yield from unknown_fields(item, f"{path}.{index}.")


def _plain(value: Any) -> JsonValue:
    """JSON without decimals: a number with a fraction is kept as its text."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)
