"""Lists of changes that are looked for in several doctypes, one after the other: where a page begins."""

import re
from collections.abc import Sequence

from shared.kernel.errors import Rejected

_CURSOR = re.compile(r"([0-9]):(.{0,200})")


def place(cursor: str | None, stages: int) -> tuple[int, str]:
    """The stage, and the name after which its page begins; empty at its beginning.

    Raises:
        Rejected: `invalid_cursor`.
    """
    found = _CURSOR.fullmatch(cursor if cursor is not None else "0:")
    if found is None or int(found[1]) >= stages:
        raise Rejected("invalid_cursor", "the cursor is not one of a list of changes", field="cursor")
    return int(found[1]), found[2]


def next_place(stage: int, names: Sequence[str], *, page: int, stages: int) -> str | None:
    if len(names) == page:
        return f"{stage}:{names[-1]}"
    return f"{stage + 1}:" if stage + 1 < stages else None
