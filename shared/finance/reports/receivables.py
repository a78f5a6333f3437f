"""What buyers still owe, by how long they have owed it. Pure.

An order's balance is the sum of all postings on the receivable that name it. Its age counts from the first day of
business that it was booked for. A credit (paid, and refunded by nobody yet) is negative and ages too.
"""

from datetime import date

from shared.finance.journal import JournalEntry, Role
from shared.finance.reports.ageing import BUCKETS, COLUMN_KEYS, bucket_of
from shared.finance.reports.columns import ORDER, SHOP, count, money
from shared.finance.reports.drawing import stacks
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.report import Column, Kind, Report, Text, sum_of, tiles_of
from shared.finance.reports.scope import Scope
from shared.finance.reports.words import EARLIER, UNKNOWN, UNTIED

_AGES = (
    SHOP,
    count("orders", "Orders open", "未结订单"),
    *(money(key, bucket.en, bucket.zh) for key, bucket in zip(COLUMN_KEYS, BUCKETS, strict=True)),
    money("earlier", "From before", "此前余额"),
    money("total", "Open", "未结金额", sum_of(*COLUMN_KEYS, "earlier")),
)
_ORDERS = (
    Column("since", Kind.DAY, Text("Since", "起始日")),
    SHOP,
    ORDER,
    Column("age", Kind.COUNT, Text("Days", "天数"), totalled=False),
    money("open", "Open", "未结金额"),
)


class ReceivablesTally:
    """Ageing by shop as of the last day, and the orders that are open."""

    reaches_back = True

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._open: dict[tuple[str | None, str | None, str], int] = {}
        self._since: dict[tuple[str | None, str | None, str], date] = {}

    def add(self, entry: JournalEntry) -> None:
        for posting in entry.postings:
            if posting.role is Role.RECEIVABLE:
                key = (posting.of, posting.dimensions.order, posting.currency)
                self._open[key] = self._open.get(key, 0) + posting.amount
                self._since[key] = min(self._since.get(key, entry.on), entry.on)

    def reports(self) -> tuple[Report, ...]:
        ages, orders = Grouping(_AGES), Grouping(_ORDERS)
        for (role, of, currency), amount in self._scope.opening.items():
            if role == Role.RECEIVABLE and amount:
                ages.add((of or UNKNOWN,), currency, earlier=amount)
                orders.add((None, of or UNKNOWN, EARLIER), currency, open=amount)
        for key, amount in self._open.items():
            if not amount:
                continue
            of, order, currency = key
            days = (self._scope.until - self._since[key]).days
            aged = {COLUMN_KEYS[bucket_of(days)]: amount, "orders": int(order is not None)}
            ages.add((of or UNKNOWN,), currency, **aged)
            orders.add((self._since[key], of or UNKNOWN, order or UNTIED), currency, age=days, open=amount)
        rows, scope = ages.rows(), self._scope
        return (
            Report(
                name="receivables",
                title=Text("Receivables by age", "应收账款账龄"),
                about=Text(
                    "What buyers owe at the end of the last day, by how long. Negative amounts are owed to buyers.",
                    "截至最后一日买家所欠金额，按账龄分列；负数为应退买家。",
                ),
                since=scope.since,
                until=scope.until,
                columns=_AGES,
                rows=rows,
                totals=ages.totals(),
                notes=(
                    Text(
                        "“From before” is the balance with which the entries of this report begin: which orders it "
                        "is of is not told by them.",
                        "“此前余额”为本报表所含分录之前的余额，分录中未说明属于哪些订单。",
                    ),
                ),
                charts=stacks(Text("Open by age", "按账龄未结金额"), BUCKETS, rows, label=0, first=2),
                tiles=tiles_of(Text("Owed by buyers", "买家应付"), _AGES, ages.totals(), "total"),
            ),
            Report(
                name="open-orders",
                title=Text("Orders open", "未结订单"),
                about=Text("Each order whose balance is not zero, the oldest first.", "余额不为零的订单，最早的在前。"),
                since=scope.since,
                until=scope.until,
                columns=_ORDERS,
                rows=orders.rows(),
                totals=orders.totals(),
            ),
        )
