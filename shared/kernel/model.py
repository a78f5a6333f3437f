"""The base of every canonical model, and what is wrong with what does not fit one."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError


class Canonical(BaseModel):
    """A value of the data standard: frozen, and closed to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
