"""Tax by jurisdiction and rate: what was charged, what was given back, what is owed. Pure."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from shared.finance.journal import JournalEntry, Role, Topic
from shared.finance.reports.columns import money, text
from shared.finance.reports.drawing import ranking
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.report import Amounts, Cell, Report, Row, Text, sum_of, tiles_of
from shared.finance.reports.scope import Scope
from shared.finance.reports.words import UNKNOWN


def _implied(keys: tuple[Cell, ...], amounts: Amounts) -> int | None:
    """The tax by its rate: minor units, the nearest. None where there is no rate, or it is zero."""
    rate = keys[-1] if keys else None
    try:
        fraction = Decimal(rate) if isinstance(rate, str) else Decimal(0)
    except InvalidOperation:
        return None
    if not fraction.is_finite() or fraction <= 0:
        return None
    return int((Decimal(amounts["net"] or 0) / fraction).to_integral_value(ROUND_HALF_EVEN))


_COLUMNS = (
    text("country", "Country", "国家"),
    text("region", "State or province", "州/省"),
    text("tax", "Tax", "税种"),
    text("rate", "Rate", "税率"),
    money("charged", "Tax charged", "已收税额"),
    money("refunded", "Tax given back", "已退税额"),
    money("net", "Tax owed", "应交税额", sum_of("charged", "-refunded")),
    money("base", "Base by the rate", "按税率推算税基", _implied, totalled=False),
)

_OWED_WHERE = Text("Tax owed by jurisdiction", "各辖区应交税额")


class TaxTally:
    """Tax by country, region, name and rate."""

    reaches_back = False

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._grouping = Grouping(_COLUMNS)

    def add(self, entry: JournalEntry) -> None:
        for posting in entry.postings:
            if posting.role is not Role.TAX:
                continue
            told = posting.dimensions
            keys = (told.country or UNKNOWN, told.region, told.tax_title or UNKNOWN, told.tax_rate)
            if entry.topic is Topic.REDUCTION:
                self._grouping.add(keys, posting.currency, refunded=posting.amount)
            else:
                self._grouping.add(keys, posting.currency, charged=-posting.amount)

    def reports(self) -> tuple[Report, ...]:
        rows, totals = self._grouping.rows(), self._grouping.totals()
        return (
            Report(
                name="tax",
                title=Text("Tax by jurisdiction and rate", "按辖区与税率的税额"),
                about=Text(
                    "Tax that shops charged, by where goods were sent (or billed), and what refunds gave back of it.",
                    "店铺收取的税额，按收货地（或账单地址）统计，并列出退款中退还的税额。",
                ),
                since=self._scope.since,
                until=self._scope.until,
                columns=_COLUMNS,
                rows=rows,
                totals=totals,
                notes=(
                    Text(
                        "The base is worked out from tax and rate, and may differ by the rounding of single lines. "
                        "Sales without tax are not in it.",
                        "税基由税额与税率推算，可能因逐行尾差而略有不同；免税销售不在其中。",
                    ),
                    Text("A rate is a fraction: 0.21 is 21 %.", "税率以小数表示：0.21 即 21 %。"),
                ),
                charts=ranking(
                    Text("Tax owed by jurisdiction", "各辖区应交税额"),
                    _COLUMNS,
                    _placed(rows),
                    label="country",
                    value="net",
                ),
                tiles=tiles_of(Text("Tax owed", "应交税额"), _COLUMNS, totals, "net"),
            ),
        )


def _placed(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Rows whose first cell names the region too: `US CA`."""
    return tuple(
        Row(currency, (f"{country} {region}" if region else country, region, *rest))
        for currency, (country, region, *rest) in rows
    )
