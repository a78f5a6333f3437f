"""The finance table for dry runs: reads the real one, and keeps to itself what would be written."""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from shared.finance.cases import AuditRecord, Case, DayClose, DayState
from shared.finance.journal import JournalEntry
from shared.finance.models import Fact
from shared.finance.ports import CostPrice, Kept
from shared.finance.table import FinanceTable
from shared.platform.configuration import settings
from shared.wiring.tables import connection


class RehearsedFinanceTable(FinanceTable):
    """Days that would be closed or opened are read back, so that a close of several days comes to its end."""

    def __init__(self) -> None:
        super().__init__(connection(), os.environ["FINANCE_TABLE"], zone=settings().finance.zone)
        self._days: dict[date, DayClose] = {}

    def keep(self, facts: Iterable[Fact]) -> Kept:
        return self.foresee(facts)

    def append(self, record: AuditRecord) -> None:
        """Nothing was done, and so nothing is noted."""

    def commit_case(
        self, case: Case, *, replaces: int | None, audit: AuditRecord | None = None, link: tuple[str, str] | None = None
    ) -> None:
        """What the case would be is what the use case returns."""

    def post(self, entries: Sequence[JournalEntry]) -> None:
        raise NotImplementedError("a reconciliation has a dry run of its own")

    def day(self, day: date) -> DayClose | None:
        return self._days.get(day) or super().day(day)

    def last_closed(self) -> date | None:
        last = super().last_closed()
        would = [day for day, close in self._days.items() if close.state is DayState.CLOSED]
        return max([*would, *([last] if last else [])], default=None)

    def commit_day(
        self,
        close: DayClose,
        *,
        replaces: int | None,  # noqa: ARG002 - the port's
        audit: AuditRecord,  # noqa: ARG002
        totals: Mapping[tuple[str, str | None, str], int],  # noqa: ARG002
    ) -> None:
        self._days[close.day] = close

    def keep_costs(self, prices: Iterable[CostPrice]) -> int:
        stated = {(price.sku, price.currency, price.since): price for price in prices}
        known = {price for found in self.costs(sorted({sku for sku, _, _ in stated})).values() for price in found}
        return len(set(stated.values()) - known)
