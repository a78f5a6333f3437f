"""Time: aware UTC everywhere, and a text form that sorts like the instant it names."""

import re
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, UTC, datetime

from shared.kernel.errors import Rejected

Clock = Callable[[], datetime]
"""What a use case asks for the time. Tests and simulations hand in their own."""

_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9})\d*)?"
    r"(?P<zone>Z|z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)


def utc_now() -> datetime:
    return datetime.now(UTC)


def parse_time(text: str, *, field: str | None = None) -> datetime:
    """Read an ISO 8601 time; one without a zone is UTC (WooCommerce's `*_gmt` fields). Microsecond precision."""
    return _read(text, field)[0]


def sortable_time(text: str, *, field: str | None = None) -> str:
    """Normalise an ISO 8601 time to UTC text with nine decimals: text order is time order.

    Shopify stamps deliveries to the nanosecond, which `datetime` cannot hold.
    """
    instant, nanoseconds = _read(text, field)
    return f"{instant.replace(tzinfo=None, microsecond=0).isoformat()}.{nanoseconds}Z"


def as_sortable(instant: datetime) -> str:
    """The text form of :func:`sortable_time` for an aware time."""
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}000Z"


def _read(text: str, field: str | None) -> tuple[datetime, str]:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise _not_a_time(field)
    fraction = (found["fraction"] or "").ljust(9, "0")
    zone = (found["zone"] or "Z").upper()
    zone = "+00:00" if zone == "Z" else zone
    try:
        instant = datetime.fromisoformat(f"{found['date']}T{found['time']}.{fraction[:6]}{zone}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _not_a_time(field) from error
    if not MINYEAR < instant.year < MAXYEAR:  # in another zone it would be outside of all years
        raise _not_a_time(field)
    return instant, fraction


def _not_a_time(field: str | None) -> Rejected:
    """Without what stands there: in a payload out of order that may be anything, a telephone number too."""
    return Rejected(
        "invalid_time",
        "what stands there is not a time",
        field=field,
        hint="send ISO 8601, such as 2026-11-23T09:02:09Z",
    )
