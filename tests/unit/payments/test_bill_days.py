"""Feeds that are bills of days."""

from datetime import UTC, date, datetime, timedelta

from shared.finance.models import Fact, Feed, LineKind, SettlementLine
from shared.payments.bill_days import BillDays

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_refund_that_bears_the_time_of_its_sale_is_told_with_its_day() -> None:
    """It is in the bill of no other day: left out for its time, its money would be missing for ever."""
    sold_at = NOW - timedelta(days=40)
    refund = SettlementLine(
        account="cn",
        line_id="T1/R1",
        kind=LineKind.REFUND,
        category="退款",
        occurred_at=sold_at,
        currency="CNY",
        gross=-100,
        fee=0,
        net=-100,
        feed=Feed.REPORT,
    )

    def bills_of(day: date) -> tuple[Fact, ...]:
        return (refund,) if day == date(2026, 11, 23) else ()

    days = BillDays(UTC, timedelta(0), lambda: NOW)
    page = days.page(NOW - timedelta(hours=20), NOW, None, bills_of)
    assert page == ((refund,), None)
