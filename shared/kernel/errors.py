"""The errors of every room: each says what the caller is to do next.

Three families, and no others, cross the border of a use case:

* :class:`Rejected`: the input can never succeed as it is. Do not try again; mend `field` as `hint` says.
* :class:`Retry`: nothing is wrong with the input. Try again later; the message stays in its queue.
* :class:`Conflict`: someone else changed the thing meanwhile. Read it again, decide again.

A message never carries a buyer's data: it may be logged and put on a dead-letter queue as it is.
"""


class StorebridgeError(Exception):
    """Base of the three families. `code` is stable and meant for programs, `message` for people."""

    def __init__(self, code: str, message: str, *, field: str | None = None, hint: str | None = None) -> None:
        self.code = code
        self.message = message
        self.field = field
        self.hint = hint
        super().__init__(self.describe())

    def describe(self) -> str:
        """One line: the code, the field where one is at fault, what is wrong, and how to mend it."""
        where = f" [{self.field}]" if self.field else ""
        mend = f" ({self.hint})" if self.hint else ""
        return f"{self.code}{where}: {self.message}{mend}"


class Rejected(StorebridgeError):
    """Final: the same input will be refused again."""


class Retry(StorebridgeError):
    """Passing: the same input may succeed later."""


class Conflict(StorebridgeError):
    """The thing changed under the caller: read again and decide again."""
