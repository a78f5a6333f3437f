"""What the operator sees: one JSON document, or tables with the same facts; errors apart, on the other stream."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from rich.console import Console, RenderableType
from rich.status import Status
from rich.table import Table
from rich.text import Text

from shared.kernel.errors import StorebridgeError

Facts = Mapping[str, Any]
"""What a command found or did, ready for JSON. Tables are made from nothing else."""
Render = Callable[[Any], Iterable[RenderableType]]
"""Facts, as people read them."""

PIPED_WIDTH = 200
"""Columns of a table that goes to a file or another program: nothing is cut to a terminal that is not there."""

_STYLES = {
    "held": "red",
    "approved": "cyan",
    "backordered": "yellow",
    "unallocated": "yellow",
    "cancelled": "dim",
    "ready": "green",
    "completed": "green",
    "shipped": "green",
    "delivered": "green",
    "ok": "green",
    "fault": "bold red",
}


class Output:
    """Standard output for the answer, standard error for everything else."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = _console(stderr=False)
        self._err = _console(stderr=True)

    def show(self, facts: Facts, render: Render) -> None:
        """The answer of a command: once, and nothing else goes to standard output."""
        if self.as_json:
            sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=2) + "\n")
            return
        for part in render(facts):
            self._out.print(part)

    def note(self, text: str) -> None:
        """Something to know beside the answer."""
        if not self.as_json:
            self._err.print(cell(text))

    def fail(self, error: StorebridgeError) -> None:
        """What went wrong and how to mend it, on one line or as one JSON document."""
        if self.as_json:
            document = {"error": error.code, "field": error.field, "message": error.message, "hint": error.hint}
            sys.stderr.write(json.dumps(document, ensure_ascii=False) + "\n")
            return
        where = f" [{error.field}]" if error.field else ""
        mend = f" ({error.hint})" if error.hint else ""
        line = Text.assemble((error.code, "bold red"), where, ": ", printable(error.message), (printable(mend), "cyan"))
        self._err.print(line, soft_wrap=True)

    def progress(self, text: str) -> AbstractContextManager[Status]:
        """Say on a terminal what is being waited for; call `update` on what it gives."""
        console = self._err if not self.as_json else Console(stderr=True, quiet=True)
        return console.status(text)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=PIPED_WIDTH)


def table(*columns: str, rows: Iterable[Sequence[Any]], title: str | None = None) -> Table:
    """A table whose cells are shown as they are: neither markup nor control characters in them do anything."""
    made = Table(*columns, title=title, title_justify="left", title_style="bold")
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made


def pairs(facts: Mapping[str, Any]) -> Table:
    """Names and values, one pair in a line; what is not known is left out."""
    made = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        if value not in (None, ""):
            made.add_row(Text(name, style="bold"), cell(value))
    return made


def cell(value: Any) -> Text:
    text = printable("-" if value is None else str(value))
    return Text(text, style=_STYLES.get(text, ""))


def printable(text: str) -> str:
    """Without what a terminal would obey: names come from shops."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{MIDDLE DOT}" for character in text
    )
