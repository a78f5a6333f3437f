"""The tables of what moves and of what shops show, over the same connection."""

import os

from shared.inventory.table import MovementTable
from shared.sync.levels.table import BindingTable, DriftTable
from shared.sync.table import JobTable
from shared.wiring.tables import connection


def movement_table() -> MovementTable:
    return MovementTable(connection(), os.environ["MOVEMENTS_TABLE"])


def binding_table() -> BindingTable:
    return BindingTable(connection(), os.environ["SYNC_TABLE"])


def drift_table() -> DriftTable:
    return DriftTable(connection(), os.environ["SYNC_TABLE"])


def job_table() -> JobTable:
    return JobTable(connection(), os.environ["SYNC_TABLE"])
