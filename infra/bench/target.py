"""What a measurement is held against."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    what: str
    measured: float
    limit: float
    exact: bool
    """Whether it is a count, the same on every machine, or a time of this one."""

    @property
    def met(self) -> bool:
        return self.measured <= self.limit
