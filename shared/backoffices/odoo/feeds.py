"""Lists of changes: by the time of the last write, page by page along the ids.

Odoo stamps a record with the time at which its transaction began, and its JSON cuts that to seconds (19.0, ran and
documented): a caller overlaps its periods by longer than a transaction takes.
"""

import re
from datetime import UTC, datetime
from typing import Any

from shared.kernel.errors import Rejected

PAGE = 200
_CURSOR = re.compile(r"(?:([0-9]):)?([0-9]{1,18})")


def moment(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def page_after(cursor: str | None) -> list[Any]:
    return [["id", ">", place(cursor)[1]]] if cursor else []


def place(cursor: str | None) -> tuple[int, int]:
    """Which list of several, and the last id that was told of."""
    if cursor is None:
        return 0, 0
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise Rejected("invalid_cursor", "the cursor is not one of Odoo's changes", field="cursor")
    return int(found[1] or 0), int(found[2])
