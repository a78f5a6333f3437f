"""What an export of the journal is, whatever the program that reads it."""

from typing import Protocol

from shared.finance.journal import JournalEntry


class Export(Protocol):
    """Entries go by once; nothing of them is kept but what is written. The same entries give the same bytes."""

    def add(self, entry: JournalEntry) -> None: ...

    def finish(self) -> bytes:
        """The file, UTF-8. Called once, after the last entry."""
        ...
