"""How a shop that is not there may misbehave, and what it counts."""

from dataclasses import dataclass
from enum import Enum, auto


class Fault(Enum):
    """What goes wrong with one request."""

    THROTTLED = auto()
    """Another app has emptied the bucket."""
    DROPPED = auto()
    """The connection breaks before the request arrives."""
    TIMED_OUT_BEFORE = auto()
    """The request is lost, and the caller waits in vain."""
    TIMED_OUT_AFTER = auto()
    """The request is carried out, and its answer is lost."""
    FAILED_BEFORE = auto()
    """HTTP 503; nothing was done."""
    FAILED_AFTER = auto()
    """HTTP 502 from a proxy; the request was carried out."""
    DUPLICATED = auto()
    """The request arrives twice; the caller sees the second answer."""
    SLOW = auto()
    """The caller's patience ends first: the work is done a while later, and its key is taken until then."""


class Lost(Exception):
    """No answer comes: the caller waits until its patience ends, or loses the connection at once."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.waits_in_vain = fault is not Fault.DROPPED


@dataclass
class Counters:
    """What the shop saw. Points are those spent in the end."""

    calls: int = 0
    throttled: int = 0
    points: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
