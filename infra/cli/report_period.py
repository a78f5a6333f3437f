"""The days that a report is asked about, by any of the ways to say them."""

import calendar
import re
from datetime import date
from typing import Final, NamedTuple

from infra.cli.money_options import read_day
from shared.kernel.errors import Rejected

_MONTH: Final = re.compile(r"(\d{4})-(\d\d)")
_LAST_MONTH: Final = 12


class Period(NamedTuple):
    since: date
    until: date
    """The last day, included."""


def read_period(since: str | None, until: str | None, *, month: str | None, day: str | None) -> Period:
    """From one day to another, or a whole month, or one day.

    Raises:
        Rejected: `no_period`, `two_periods`, `invalid_period`, `invalid_day`, `invalid_month`.
    """
    ways = [name for name, told in (("from", since or until), ("month", month), ("day", day)) if told]
    if not ways:
        hint = "--from DAY --to DAY, --month 2026-11, or --day DAY"
        raise Rejected("no_period", "say of which days", field="from", hint=hint)
    if len(ways) > 1:
        raise Rejected("two_periods", "say the days in one way", field=ways[1])
    if month:
        return _month(month)
    if day:
        only = read_day(day, "day")
        return Period(only, only)
    return _from_to(since, until)


def _from_to(since: str | None, until: str | None) -> Period:
    if not (since and until):
        field = "to" if since else "from"
        raise Rejected("invalid_period", "say the first day and the last one", field=field)
    period = Period(read_day(since, "from"), read_day(until, "to"))
    if period.until < period.since:
        raise Rejected("invalid_period", "the last day is before the first", field="to")
    return period


def _month(text: str) -> Period:
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= _LAST_MONTH or not int(found[1]):
        raise Rejected("invalid_month", f"{text[:40]!r} is no month", field="month", hint="write it as 2026-11")
    year, month = int(found[1]), int(found[2])
    return Period(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
