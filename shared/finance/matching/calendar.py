"""When money is late. Business days are Monday to Friday; days of a calendar are whole days of 24 hours."""

from datetime import date, datetime, timedelta

_FRIDAY = 4


def add_business_days(day: date, count: int) -> date:
    """The day that is `count` business days later, or earlier where it is negative. From a Saturday, one business day
    later is Monday, one earlier is Friday."""
    step = timedelta(days=1 if count >= 0 else -1)
    for _ in range(abs(count)):
        day += step
        while day.weekday() > _FRIDAY:
            day += step
    return day


def is_over(since: datetime, days: int, as_of: datetime) -> bool:
    """Whether more than so many days went by."""
    return as_of - since > timedelta(days=days)
