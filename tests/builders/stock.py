"""Counted stock for tests."""

from datetime import datetime, timedelta

from shared.inventory.models import Cause, CountedLevel
from tests.builders.orders import NOON

LONG_AGO = NOON - timedelta(days=30)


def counted(sku: str, on_hand: int, location: str = "main", at: datetime = LONG_AGO) -> CountedLevel:
    cause = Cause(kind="count", reference="opening", actor="test")
    return CountedLevel(sku=sku, location=location, on_hand=on_hand, counted_at=at, cause=cause)
