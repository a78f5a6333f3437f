"""The port of every way to tell staff something: a notice, and who takes it."""

from collections.abc import Mapping
from typing import Literal, Protocol

from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry
from shared.kernel.model import Canonical
from shared.sync.alerts import NoticeLog

Language = Literal["en", "zh"]
"""English, Simplified Chinese."""

_LINES_LEFT_OUT = len("… +999999".encode())

Fact = tuple[str, str]
"""A label and its value."""


class Notice(Canonical):
    """A message to staff, in words that every channel can set in its own way. No buyer's data."""

    key: str
    """The same for the same matter, however often it is sent."""
    language: Language
    title: str
    """One line."""
    text: str
    facts: tuple[Fact, ...] = ()
    """About the one thing that the notice is about."""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    """A list of things, each with as many cells as there are columns."""

    def lines(self) -> list[str]:
        """The notice as lines of plain text, the title first."""
        colon = "：" if self.language == "zh" else ": "
        facts = [f"{label}{colon}{value}" for label, value in self.facts]
        return [self.title, self.text, *facts, *(self._listed(row) for row in self.rows)]

    def plain(self, most_bytes: int) -> str:
        """The lines as one text of at most so many bytes of UTF-8; the last line says how many were left out."""
        return "\n".join(fitting(self.lines(), most_bytes))

    def _listed(self, row: tuple[str, ...]) -> str:
        return " · ".join(f"{name} {cell}" for name, cell in zip(self.columns, row, strict=True) if cell)


class Notifier(Protocol):
    def send(self, notice: Notice) -> None:
        """Hand the notice over.

        Raises:
            Retry: the channel is out of reach, throttles, or the outcome is unknown: send it again.
            Rejected: the channel will never take it as things are: somebody has to mend its settings.
        """
        ...


class SetAside(Protocol):
    def __call__(self, notice: Notice, channel: str, error: Rejected) -> None:
        """Keep a notice that a channel will never take, with the reason, where people look at failures.

        Raises:
            Retry: it could not be kept.
        """
        ...


def deliver(
    notice: Notice, notifiers: Mapping[str, Notifier], *, log: NoticeLog, set_aside: SetAside, clock: Clock
) -> None:
    """Send the notice by every channel that has not taken it yet. A failing channel stops no other.

    Raises:
        Retry: `notice_undelivered`, when some channels failed in passing. Delivered again, it reaches those only.
    """
    takers = log.takers(notice.key)
    failed: list[str] = []
    for channel, notifier in notifiers.items():
        if channel not in takers:
            try:
                _hand_over(notice, channel, notifier, set_aside)
                log.taken(notice.key, channel, clock())
            except Retry as error:
                failed.append(f"{channel} ({error.code})")
    if failed:
        raise Retry("notice_undelivered", f"not every channel took the notice: {', '.join(failed)}")


def _hand_over(notice: Notice, channel: str, notifier: Notifier, set_aside: SetAside) -> None:
    try:
        notifier.send(notice)
    except Rejected as error:
        set_aside(notice, channel, error)


def fitting(lines: list[str], most_bytes: int, *, per_line: int = 1) -> list[str]:
    """As many of the lines as fit into so many bytes of UTF-8, and then `… +3` for three that do not.

    `per_line` is what a channel writes around each line: the line's end at least.
    """
    sizes = [len(line.encode()) + per_line for line in lines]
    if sum(sizes) - per_line <= most_bytes:
        return lines
    room = most_bytes - _LINES_LEFT_OUT - per_line
    for index, size in enumerate(sizes):
        room -= size
        if room < 0:
            return [*lines[:index], f"… +{len(lines) - index}"]
    return lines
