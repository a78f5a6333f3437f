"""The tables of finance."""

import os

from shared.finance.table import FinanceTable
from shared.platform.configuration import settings
from shared.sync.finance.table import FeedProgressTable
from shared.wiring.tables import connection


def finance_table() -> FinanceTable:
    return FinanceTable(connection(), os.environ["FINANCE_TABLE"], zone=settings().finance.zone)


def progress_table() -> FeedProgressTable:
    return FeedProgressTable(connection(), os.environ["SYNC_TABLE"])
