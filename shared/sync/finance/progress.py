"""How far one payment account's feed has been read: what the next look begins from, and what a close asks for. Pure."""

from datetime import datetime
from typing import Protocol

from shared.kernel.model import Canonical


class FeedProgress(Canonical):
    """One payment account's. Two times, for providers show movements late."""

    account: str
    revision: int = 0
    """Grows by one with every change that is kept."""
    asked_until: datetime | None = None
    """The API was asked for everything that came about before."""
    read_until: datetime | None = None
    """Everything that came about before is in our books: by the API, what it was asked for less the provider's lag; by
    files, the newest movement in one. A day is read when this is not before its end."""
    last_run_at: datetime | None = None
    last_error: str | None = None
    """Code of what stopped the last look; None when nothing did."""

    def listed(self, asked_until: datetime, read_until: datetime, at: datetime) -> "FeedProgress":
        """After a look that came to its end. Neither time ever falls back."""
        return self.model_copy(
            update={
                "asked_until": _later(self.asked_until, asked_until),
                "read_until": _later(self.read_until, read_until),
                "last_run_at": at,
                "last_error": None,
            }
        )

    def heard(self, last_movement: datetime, at: datetime) -> "FeedProgress":
        """After a file, of an account whose provider is not asked. Files are taken to follow each other without gaps:
        a day counts as read when a file tells of a later one. What a file dates ahead of now has not come about."""
        read_until = _later(self.read_until, min(last_movement, at))
        return self.model_copy(update={"read_until": read_until, "last_run_at": at, "last_error": None})

    def stopped(self, error: str, at: datetime) -> "FeedProgress":
        return self.model_copy(update={"last_run_at": at, "last_error": error})


class FeedProgresses(Protocol):
    """Raises `Retry` when the store is out of reach."""

    def find(self, account: str) -> FeedProgress | None: ...

    def keep(self, progress: FeedProgress) -> FeedProgress:
        """Keep it, and return it with its new revision.

        Raises:
            Conflict: somebody else kept one meanwhile.
        """
        ...

    def all(self) -> tuple[FeedProgress, ...]:
        """Every account's, in the order of their names."""
        ...


def _later(known: datetime | None, told: datetime) -> datetime:
    return told if known is None else max(known, told)
