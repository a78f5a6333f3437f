"""What has changed: by asking whether anything has, and then looking through the whole form.

Pushes are not sent for what is imported, changed or deleted in bulk (hc.jiandaoyun.com/doc/10732), and no filter on
the time of the last change is documented. So `dataModifyTime` of the form (14216) is asked for first, and all rows are
read only when it is later than what the caller knows.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from shared.backoffices.jiandaoyun.client import PAGE, JiandaoyunApi
from shared.backoffices.jiandaoyun.mapping import changed_at
from shared.backoffices.jiandaoyun.settings import FormFields, Row
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected

_CURSOR = re.compile(r"([0-9]):([0-9a-f]{24})?")


class Page(NamedTuple):
    form: int
    """Which of the forms it is a page of."""
    rows: tuple[Row, ...]
    cursor: str | None


def changed_rows(api: JiandaoyunApi, forms: Sequence[FormFields], since: datetime, cursor: str | None) -> Page:
    """One page of the forms' rows that changed at or after `since`; a page may have none.

    Two requests for a form that has changed, one more for each further 100 rows; one for a form that has not.
    """
    index, after = _place(cursor, len(forms))
    form = forms[index]
    if after is None and not _has_changed(api, form, since):
        return Page(index, (), _following(index, len(forms)))
    rows = api.page(form, after)
    changed = tuple(row for row in rows if changed_at(row) >= since)
    if len(rows) == PAGE:
        return Page(index, changed, f"{index}:{rows[-1]['_id']}")
    return Page(index, changed, _following(index, len(forms)))


def _has_changed(api: JiandaoyunApi, form: FormFields, since: datetime) -> bool:
    """Where the time is not told, or not understood, it may have."""
    told = api.form(form).changed_at
    try:
        return told is None or parse_time(told) >= since
    except Rejected:
        return True


def _following(index: int, forms: int) -> str | None:
    return f"{index + 1}:" if index + 1 < forms else None


def _place(cursor: str | None, forms: int) -> tuple[int, str | None]:
    found = _CURSOR.fullmatch(cursor if cursor is not None else "0:")
    if found is None or int(found[1]) >= forms:
        raise Rejected("invalid_cursor", "the cursor is not one of a list of changes", field="cursor")
    return int(found[1]), found[2]
