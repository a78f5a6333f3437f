"""What is remembered of low stock, and which channels took which notice."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from shared.inventory.low_stock import StockAlert


class AlertBook(Protocol):
    """One entry for each stock line that ever changed."""

    def get(self, sku: str, location: str) -> StockAlert | None:
        """The entry, read consistently."""
        ...

    def keep(self, alert: StockAlert) -> None:
        """Write an entry that was built from a newer change than the one that is there.

        Raises:
            Conflict: `changed_meanwhile`, when it is not newer: read again, decide again.
        """
        ...

    def told(self, alert: StockAlert, at: datetime) -> None:
        """Note that people were told of the entry's pending crossing. Of no effect once the entry has moved on."""
        ...

    def open_alerts(self) -> Iterable[StockAlert]:
        """The entries that are low or out, or that people still have to be told of."""
        ...


class NoticeLog(Protocol):
    """Which channel took which notice, so that a repetition reaches those only that did not."""

    def takers(self, key: str) -> frozenset[str]:
        """The channels that took the notice."""
        ...

    def taken(self, key: str, channel: str, at: datetime) -> None:
        """Note that a channel took it. Kept for a month, far longer than anything is repeated."""
        ...
