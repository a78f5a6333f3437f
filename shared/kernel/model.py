"""The bases of every canonical model, and what is wrong with what does not fit one."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError

QUIET: Final = ConfigDict(hide_input_in_errors=True)
"""For a type adapter: as every model, it quotes nothing of what it refuses."""


class Canonical(BaseModel):
    """A value of the data standard: frozen, and closed to fields it does not know.

    What it refuses it does not quote: an error of pydantic's ends in a log wherever nobody expected it, and what is
    refused may be a buyer's. The same holds of every other model here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def stored(cls, document: object) -> Self:
        """Read what was stored by this version of the code or by a newer one: while a new version takes a tenth of the
        traffic first, and after it was rolled back, both read what either has written. Fields that this one does not
        know are left out."""
        return cls.model_validate(document, extra="ignore")

    @classmethod
    def stored_json(cls, text: str | bytes) -> Self:
        """The same of JSON text."""
        return cls.model_validate_json(text, extra="ignore")


class Plentiful(Canonical):
    """A value that lies in memory by the ten thousands, in less than half the room.

    Pydantic keeps a set of its own in every instance, with the names of the fields that were told (728 bytes for five
    of them already, more than all their values). Here all instances of a class share one, of all fields: what was told
    is not told apart from what was left at its default. Nothing may ask for that (`exclude_unset`, `model_fields_set`).
    """

    def model_post_init(self, _context: Any, /) -> None:
        object.__setattr__(self, "__pydantic_fields_set__", _names_of(type(self)))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        copied = super().model_copy(update=update, deep=deep)
        copied.model_post_init(None)
        return copied


@cache
def _names_of(kind: type[Plentiful]) -> set[str]:
    """Shared, and a set because pydantic copies it before it adds to the copy."""
    return set(kind.model_fields)


class Fault(NamedTuple):
    """One field that does not fit, without its content: that may be a buyer's, or a secret."""

    field: str
    """Dotted path; empty where the whole is at fault."""
    kind: str
    message: str


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """Every fault that pydantic found, the first one first; there is at least one."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return tuple(Fault(".".join(str(part) for part in one["loc"]), one["type"], one["msg"]) for one in found)
