"""A payment provider's API in memory, and how far it was read: the same promises as the ports."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from shared.finance.models import Payment, ProviderBalance, SettlementLine
from shared.kernel.errors import Conflict, StorebridgeError
from shared.payments.port import FeedCapabilities, FeedPage
from shared.sync.finance.progress import FeedProgress


class FakeFeedProgresses:
    def __init__(self) -> None:
        self.kept: dict[str, FeedProgress] = {}

    def find(self, account: str) -> FeedProgress | None:
        return self.kept.get(account)

    def keep(self, progress: FeedProgress) -> FeedProgress:
        found = self.kept.get(progress.account)
        if (found.revision if found else 0) != progress.revision:
            raise Conflict("changed_meanwhile", "somebody else kept one")
        self.kept[progress.account] = progress.model_copy(update={"revision": progress.revision + 1})
        return self.kept[progress.account]

    def all(self) -> tuple[FeedProgress, ...]:
        return tuple(self.kept[account] for account in sorted(self.kept))


@dataclass
class FakePaymentFeed:
    """Lists lines by their time, so many on a page; a cursor is the place of the line that it follows."""

    clock: Callable[[], datetime]
    lines: list[SettlementLine] = field(default_factory=list)
    shown: Callable[[SettlementLine, datetime], bool] = lambda _line, _now: True
    """Whether the provider shows a line yet."""
    payments: dict[str, Payment] = field(default_factory=dict)
    balance: ProviderBalance | None = None
    page: int = 2
    lag_hours: int = 0
    fails: list[StorebridgeError | None] = field(default_factory=list)
    """What the next calls raise, one by one."""
    asked: list[tuple[datetime, datetime, str | None]] = field(default_factory=list)

    @property
    def capabilities(self) -> FeedCapabilities:
        return FeedCapabilities(
            vendor="fake", tells_balance=self.balance is not None, lag_hours=self.lag_hours, tried="nothing"
        )

    def settled(self, since: datetime, until: datetime, cursor: str | None) -> FeedPage:
        self.asked.append((since, until, cursor))
        self._bite()
        start = int(cursor or 0)
        found = sorted(
            (line for line in self.lines if since <= line.occurred_at < until and self.shown(line, self.clock())),
            key=lambda line: (line.occurred_at, line.line_id),
        )
        end = start + self.page
        return FeedPage(tuple(found[start:end]), str(end) if end < len(found) else None)

    def balances(self) -> FeedPage:
        self._bite()
        return FeedPage((self.balance,) if self.balance else (), None)

    def payment(self, payment_id: str) -> Payment | None:
        self._bite()
        return self.payments.get(payment_id)

    def _bite(self) -> None:
        error = self.fails.pop(0) if self.fails else None
        if error is not None:
            raise error
