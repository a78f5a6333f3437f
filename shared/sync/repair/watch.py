"""What is remembered of one shop from one look to the next. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Protocol

from shared.kernel.model import Canonical
from shared.sync.repair.rules import RepairRules
from shared.sync.repair.silence import HOUR, Rhythm, horizon


class Window(NamedTuple):
    """The period of one look at what changed."""

    since: datetime
    until: datetime


class Watch(Canonical):
    """Some kilobytes for each shop."""

    shop: str
    revision: int = 0
    """Grows by one with every change that is kept."""
    listed_until: datetime | None = None
    """Everything that changed before has been compared with our records."""
    taken_in: str | None = None
    """The page that was counted last: a page that is listed again is not counted again."""
    counted_until: datetime | None = None
    """The rhythm knows the orders placed before."""
    rhythm: Rhythm | None = None
    last_order_at: datetime | None = None
    """When the newest order that we have seen was placed."""
    silent_since: datetime | None = None
    """The last order before a silence that people have been told of, while it lasts."""

    def counted(
        self, page: str, placed: Iterable[datetime], window: Window, rules: RepairRules, *, is_last: bool
    ) -> "Watch":
        """After a page of a window, with the times at which its orders were placed.

        The newest orders, of the overlap, are counted by the next look, which sees them all: a list may follow the
        orders late. One that changes between the end of a look and its listing is not counted: fewer, never more.
        """
        orders = list(placed)
        begins = self.counted_until or _next_hour(window.since)
        ends = max(begins, window.until - rules.overlap)
        rhythm = (self.rhythm or Rhythm(begins=begins)).plus(at for at in orders if begins <= at < ends)
        newest = max([at for at in (self.last_order_at, *orders) if at is not None], default=None)
        return self.model_copy(
            update={
                "taken_in": page,
                "rhythm": rhythm.since(horizon(window.until, rules)),
                "last_order_at": newest,
                "counted_until": ends if is_last else begins,
                "listed_until": window.until if is_last else self.listed_until,
            }
        )


def _next_hour(moment: datetime) -> datetime:
    whole = moment.replace(minute=0, second=0, microsecond=0)
    return whole if whole == moment else whole + HOUR


class Watches(Protocol):
    def find(self, shop: str) -> Watch | None: ...

    def keep(self, watch: Watch) -> Watch:
        """Keep a change of what was found, and return it with its new revision.

        Raises:
            Conflict: somebody else kept one meanwhile.
        """
        ...
