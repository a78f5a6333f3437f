"""What `storebridge status` says: lines, each with its state and the next command, and the verdict on all. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from infra.cli.order_facts import Json


class State(StrEnum):
    OK = "ok"
    TODO = "to do"
    """All works; something waits for a person, as on any day."""
    ATTENTION = "attention"
    """Something does not work as it should."""
    UNKNOWN = "unknown"
    """It could not be asked."""
    NOT_HERE = "not here"
    """This deployment has no such figure."""


@dataclass(frozen=True)
class Line:
    stage: str
    """`intake`, `relays`, `shops` …: what belongs together, in the order in which an order comes by."""
    subject: str
    state: State
    said: str
    next: str | None = None
    """The command to type, or the runbook to read."""

    def facts(self) -> Json:
        return {
            "stage": self.stage,
            "subject": self.subject,
            "state": self.state.value,
            "said": self.said,
            "next": self.next,
        }


HEALTHY, NEEDS_ATTENTION, CANNOT_TELL = 0, 1, 2
"""How the command ends."""


def exit_code(lines: Iterable[Line]) -> int:
    """What does not work goes before what is not known: the first is certain."""
    states = {line.state for line in lines}
    if State.ATTENTION in states:
        return NEEDS_ATTENTION
    return CANNOT_TELL if State.UNKNOWN in states else HEALTHY


def verdict(lines: Sequence[Line]) -> str:
    """All of it in one sentence."""
    wrong = [line for line in lines if line.state is State.ATTENTION]
    unknown = [line for line in lines if line.state is State.UNKNOWN]
    waiting = [line for line in lines if line.state is State.TODO]
    if wrong:
        first = f"Needs attention: {_named(wrong)}."
    elif unknown:
        first = f"Cannot tell: {_named(unknown)} could not be asked."
    else:
        first = "Healthy."
    return f"{first} For people to do: {_named(waiting)}." if waiting else first


_MOST_NAMED = 3


def _named(lines: Sequence[Line]) -> str:
    names = list(dict.fromkeys(line.subject for line in lines))
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def lasting(seconds: float) -> str:
    """A length of time as people say it: `40 s`, `12 min`, `5 h`, `3 days`."""
    for unit, length, until in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < until:
            return f"{round(seconds / length)} {unit}"
    return f"{round(seconds / 86_400)} days"
