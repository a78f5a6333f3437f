"""The base of every canonical model."""

from pydantic import BaseModel, ConfigDict


class Canonical(BaseModel):
    """A value of the data standard: frozen, and closed to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
