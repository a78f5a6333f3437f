"""Disputes: what was taken, what came back, what was lost, what is open. Pure."""

from collections import Counter
from datetime import date

from shared.finance.journal import JournalEntry, Posting, Role, Topic
from shared.finance.reports.columns import ACCOUNT, ORDER, count, money, percent
from shared.finance.reports.drawing import stacks
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.origin import count_of, movements_of, origin_of
from shared.finance.reports.report import Column, Kind, Report, Text, ratio, sum_of, tiles_of
from shared.finance.reports.scope import Scope
from shared.finance.reports.words import EARLIER, UNKNOWN, UNTIED

_FIGURES = (
    money("before", "Open before", "期初未决"),
    money("taken", "Disputed", "争议金额"),
    money("returned", "Came back", "已返还"),
    money("lost", "Lost", "已损失"),
    money("other", "Other", "其他"),
    money("open", "Open", "期末未决", sum_of("before", "taken", "-returned", "-lost", "other")),
)
_ACCOUNTS = (
    ACCOUNT,
    count("disputes", "New disputes", "新增争议"),
    *_FIGURES,
    money("captured", "Captured", "收款总额"),
    percent("rate", "Disputed of captured", "争议率", ratio("taken", "captured")),
)
_ORDERS = (Column("since", Kind.DAY, Text("Since", "起始日")), ACCOUNT, ORDER, *_FIGURES)
_DRAWN = tuple(column.heading for column in _FIGURES[1:4])


class DisputesTally:
    """Disputes by account, and by order."""

    reaches_back = True

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._sums: dict[tuple[str | None, str | None, str], Counter[str]] = {}
        self._since: dict[tuple[str | None, str | None, str], date] = {}
        self._captured: Counter[tuple[str | None, str]] = Counter()

    def add(self, entry: JournalEntry) -> None:
        for posting in entry.postings:
            if posting.role is Role.DISPUTED:
                self._add_disputed(entry, posting)
        if entry.topic is Topic.RECEIPT and not self._scope.before(entry):
            for movement in movements_of(entry):
                if movement.comes_in:
                    self._captured[movement.account, movement.currency] += movement.gross

    def _add_disputed(self, entry: JournalEntry, posting: Posting) -> None:
        key = (posting.of, origin_of(entry).order, posting.currency)
        self._since[key] = min(self._since.get(key, entry.on), entry.on)
        sums = self._sums.setdefault(key, Counter())
        column, sign = ("before", 1) if self._scope.before(entry) else _column_of(entry, posting)
        sums[column] += sign * posting.amount
        if column == "taken":
            sums["disputes"] += count_of(entry)

    def reports(self) -> tuple[Report, ...]:
        accounts, orders = Grouping(_ACCOUNTS), Grouping(_ORDERS)
        for (role, of, currency), amount in self._scope.opening.items():
            if role == Role.DISPUTED:
                accounts.add((of or UNKNOWN,), currency, before=amount)
                orders.add((None, of or UNKNOWN, EARLIER), currency, before=amount)
        for (of, order, currency), sums in self._sums.items():
            accounts.add((of or UNKNOWN,), currency, **sums)
            figures = {name: amount for name, amount in sums.items() if name != "disputes"}
            keys = (self._since[of, order, currency], of or UNKNOWN, order or UNTIED)
            orders.add(keys, currency, **figures)
        for (of, currency), amount in self._captured.items():
            accounts.add((of or UNKNOWN,), currency, captured=amount)
        scope, rows, totals = self._scope, accounts.rows(), accounts.totals()
        return (
            Report(
                name="disputes",
                title=Text("Disputes by account", "各账户争议"),
                about=Text(
                    "Money that providers took for disputes, and how these ended.", "支付平台因争议扣回的款项及其结果。"
                ),
                since=scope.since,
                until=scope.until,
                columns=_ACCOUNTS,
                rows=rows,
                totals=totals,
                notes=(
                    Text(
                        "What is open is a receivable from the provider: it comes back, or is lost.",
                        "未决金额为对支付平台的应收款：或返还，或损失。",
                    ),
                ),
                charts=stacks(Text("Disputes", "争议"), _DRAWN, rows, label=0, first=3),
                tiles=tiles_of(Text("Disputes open", "未决争议"), _ACCOUNTS, totals, "open"),
            ),
            Report(
                name="disputed-orders",
                title=Text("Disputes by order", "按订单争议"),
                about=Text("The same disputes by order.", "同一争议，按订单列出。"),
                since=scope.since,
                until=scope.until,
                columns=_ORDERS,
                rows=orders.rows(),
                totals=orders.totals(),
            ),
        )


def _column_of(entry: JournalEntry, posting: Posting) -> tuple[str, int]:
    if any(other.role is Role.DISPUTE_LOSSES for other in entry.postings):
        return "lost", -1
    if entry.topic is not Topic.DISPUTE:
        return "other", 1
    return ("taken", 1) if (posting.amount > 0) == (entry.reverses is None) else ("returned", -1)
