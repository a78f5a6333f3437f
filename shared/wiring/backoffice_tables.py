"""The table of orders' stands in the back office, over the same connection as the others."""

import os

from shared.sync.backoffice.table import MirrorTable
from shared.wiring.tables import connection


def mirror_table() -> MirrorTable:
    return MirrorTable(connection(), os.environ["SYNC_TABLE"])
