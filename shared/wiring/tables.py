"""The deployment's tables over one connection."""

import os
from functools import cache

from pynamodb.connection import Connection

from shared.dynamodb.table import connect
from shared.inventory.table import StockTable, StocktakeTable
from shared.orders.table import OrderRecords, OrderTable, Told, tell_nobody
from shared.platform.configuration import settings
from shared.sync.table import TaskTable


@cache
def connection() -> Connection:
    return connect()


def stock_table() -> StockTable:
    """With the locations that the settings name now."""
    return StockTable(connection(), os.environ["STOCK_TABLE"], tuple(settings().locations))


def order_table(*, told: Told = tell_nobody) -> OrderTable:
    buyer_days = settings().privacy.buyer_days
    return OrderTable(connection(), os.environ["ORDERS_TABLE"], stock_table(), buyer_days=buyer_days, told=told)


def order_records() -> OrderRecords:
    return OrderRecords(connection(), os.environ["ORDERS_TABLE"])


def task_table() -> TaskTable:
    return TaskTable(connection(), os.environ["SYNC_TABLE"])


def stocktake_table() -> StocktakeTable:
    return StocktakeTable(connection(), os.environ["STOCKTAKES_TABLE"], stock_table())
