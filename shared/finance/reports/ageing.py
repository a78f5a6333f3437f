"""How old things are, in the five classes of an ageing report. Pure."""

from typing import Final

from shared.finance.reports.report import Text

_YOUNGEST: Final = (0, 8, 31, 61, 91)
BUCKETS: Final = (
    Text("0–7 days", "0–7 天", "0-7"),
    Text("8–30 days", "8–30 天", "8-30"),
    Text("31–60 days", "31–60 天", "31-60"),
    Text("61–90 days", "61–90 天", "61-90"),
    Text("over 90 days", "90 天以上", "90+"),
)
COLUMN_KEYS: Final = ("days_0_7", "days_8_30", "days_31_60", "days_61_90", "days_over_90")


def bucket_of(days: int) -> int:
    """Which of `BUCKETS` an age belongs to; what lies in the future is new."""
    return max(place for place, youngest in enumerate(_YOUNGEST) if max(days, 0) >= youngest)
