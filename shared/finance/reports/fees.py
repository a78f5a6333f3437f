"""What payment providers keep: by account with the effective rate, and by kind of fee. Pure."""

from collections import defaultdict
from datetime import date

from shared.finance.journal import JournalEntry, Role, Topic
from shared.finance.reports.columns import ACCOUNT, count, money, percent, text
from shared.finance.reports.drawing import MOST_CURRENCIES, ranking
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.origin import count_of, movements_of
from shared.finance.reports.report import Chart, Drawing, Kind, Report, Series, Text, ratio, share, sum_of, tiles_of
from shared.finance.reports.scope import Scope
from shared.finance.reports.words import UNKNOWN

_ACCOUNTS = (
    ACCOUNT,
    count("captures", "Captures", "收款笔数"),
    money("captured", "Captured", "收款总额"),
    money("in_lines", "Fees of movements", "随交易手续费"),
    money("alone", "Other fees", "其他费用"),
    money("fees", "Fees", "手续费合计", sum_of("in_lines", "alone")),
    percent("rate", "Effective rate", "实际费率", ratio("fees", "captured")),
)
_CATEGORIES = (
    ACCOUNT,
    text("category", "Kind of fee", "费用类别"),
    count("bookings", "Bookings", "笔数"),
    money("fees", "Fees", "手续费"),
)
_MOST_LINES = 6


class FeesTally:
    """Fees by account and by kind."""

    reaches_back = False

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._accounts = Grouping(_ACCOUNTS)
        self._categories = Grouping(_CATEGORIES)
        self._days: defaultdict[tuple[str, str, date], list[int]] = defaultdict(lambda: [0, 0])

    def add(self, entry: JournalEntry) -> None:
        for posting in entry.postings:
            if posting.role is not Role.FEES:
                continue
            column = "in_lines" if _is_of_a_movement(entry) else "alone"
            account, kind = posting.of or UNKNOWN, posting.dimensions.category or UNKNOWN
            self._accounts.add((account,), posting.currency, **{column: posting.amount})
            counted = {"fees": posting.amount, "bookings": count_of(entry)}
            self._categories.add((account, kind), posting.currency, **counted)
            self._days[posting.of or "", posting.currency, entry.posted_on][0] += posting.amount
        if entry.topic is Topic.RECEIPT:
            self._add_captures(entry)

    def _add_captures(self, entry: JournalEntry) -> None:
        for movement in movements_of(entry):
            if movement.gross and movement.comes_in:
                counted = {"captured": movement.gross, "captures": count_of(entry)}
                self._accounts.add((movement.account or UNKNOWN,), movement.currency, **counted)
                self._days[movement.account or "", movement.currency, entry.posted_on][1] += movement.gross

    def reports(self) -> tuple[Report, ...]:
        scope = self._scope
        categories = self._categories.rows()
        return (
            Report(
                name="fees",
                title=Text("Fees by account", "各账户手续费"),
                about=Text(
                    "What providers keep. The effective rate is all fees as a share of what was captured.",
                    "支付平台收取的费用。实际费率为全部手续费占收款总额的比例。",
                ),
                since=scope.since,
                until=scope.until,
                columns=_ACCOUNTS,
                rows=self._accounts.rows(),
                totals=self._accounts.totals(),
                notes=(
                    Text(
                        "Captured is what buyers paid for known orders, with refunds that came back: on the "
                        "ledger both are money coming in. Fees of payments of no known order are in the rate.",
                        "收款总额为已关联订单的收款，含失败后退回的退款（二者在账上同为资金流入）；"
                        "尚未关联订单的交易，其手续费计入费率。",
                    ),
                ),
                charts=self._rates(),
                tiles=(
                    *tiles_of(Text("Fees", "手续费"), _ACCOUNTS, self._accounts.totals(), "fees"),
                    *tiles_of(Text("Effective rate", "实际费率"), _ACCOUNTS, self._accounts.totals(), "rate"),
                ),
            ),
            Report(
                name="fees-by-kind",
                title=Text("Fees by kind", "按类别手续费"),
                about=Text("The same fees in the providers' own words.", "同一手续费，按支付平台自己的类别列出。"),
                since=scope.since,
                until=scope.until,
                columns=_CATEGORIES,
                rows=categories,
                totals=self._categories.totals(),
                charts=ranking(
                    Text("Fees by kind", "按类别手续费"), _CATEGORIES, categories, label="category", value="fees"
                ),
            ),
        )

    def _rates(self) -> tuple[Chart, ...]:
        """The course of the effective rate for each currency: one line for each account."""
        charts = []
        for currency in sorted({currency for _, currency, _ in self._days})[:MOST_CURRENCIES]:
            days = sorted({day for _, code, day in self._days if code == currency})
            accounts = sorted({account for account, code, _ in self._days if code == currency})[:_MOST_LINES]
            if len(days) < 2:  # noqa: PLR2004 - one day is no course of days
                continue
            series = []
            for account in accounts:
                sums = [self._days.get((account, currency, day), [0, 0]) for day in days]
                rates = tuple(share(fees, captured) if captured > 0 else None for fees, captured in sums)
                if any(rate is not None for rate in rates):
                    series.append(Series(Text(account, account) if account else UNKNOWN, rates))
            if series:
                title = Text(f"Effective rate by day, {currency}", f"每日实际费率（{currency}）")
                labels = tuple(day.isoformat() for day in days)
                charts.append(Chart(title, Drawing.LINES, labels, tuple(series), Kind.PERCENT))
        return tuple(charts)


def _is_of_a_movement(entry: JournalEntry) -> bool:
    """Whether the fee was kept from a payment, refund or dispute; else it was taken by itself."""
    return entry.topic is not Topic.FEE or entry.source.endswith("/fee")
