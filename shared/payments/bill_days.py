"""Feeds that are bills: one for each day of the provider's, ready some hours after the day is over."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from shared.finance.models import Fact, ProviderBalance
from shared.kernel.clock import Clock
from shared.payments.http import refused
from shared.payments.port import FeedPage

BALANCE_DAYS: Final = 31
"""How far back the last movement is looked for, whose row tells the balance."""

BillsOf = Callable[[date], Iterable[Fact]]
"""What a day's bills tell; nothing where there is none, for nothing moved."""


@dataclass(frozen=True, slots=True)
class BillDays:
    zone: tzinfo
    """Where the provider's days begin."""
    ready_after: timedelta
    """A day's end: before that, its bills are not asked for."""
    clock: Clock

    @property
    def lag_hours(self) -> int:
        """A movement just after a day begins is told when the bills of the day are ready."""
        return 24 + int(self.ready_after / timedelta(hours=1))

    def page(self, since: datetime, until: datetime, cursor: str | None, bills_of: BillsOf) -> FeedPage:
        """One day as a page of a feed, of those that have something of the time from `since` to `until`: its bills as
        a whole, for a movement is in the bill of one day alone, and a time in it may be of another (of the sale that a
        refund is of). A day whose bills are not ready ends the walk.

        Raises:
            Rejected: `payments_refused`, for a cursor that is no day; and what the bills raise.
        """
        day = _day(cursor) if cursor else since.astimezone(self.zone).date()
        if not self._is_ready(day) or self._begins(day) >= until:
            return FeedPage((), None)
        facts = tuple(bills_of(day))
        following = day + timedelta(days=1)
        goes_on = self._begins(following) < until and self._is_ready(following)
        return FeedPage(facts, following.isoformat() if goes_on else None)

    def newest_balance(self, bills_of: BillsOf) -> FeedPage:
        """What the account held after the last movement that a bill tells of; nothing where none has moved of late."""
        today = self.clock().astimezone(self.zone).date()
        for back in range(1, BALANCE_DAYS + 1):
            day = today - timedelta(days=back)
            held = tuple(fact for fact in self._told(day, bills_of) if isinstance(fact, ProviderBalance))
            if held:
                return FeedPage(held, None)
        return FeedPage((), None)

    def _told(self, day: date, bills_of: BillsOf) -> Iterable[Fact]:
        return bills_of(day) if self._is_ready(day) else ()

    def _is_ready(self, day: date) -> bool:
        return self.clock() >= self._begins(day + timedelta(days=1)) + self.ready_after

    def _begins(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


def _day(cursor: str) -> date:
    try:
        return date.fromisoformat(cursor)
    except ValueError as error:
        raise refused("the place to go on from is not a day") from error
