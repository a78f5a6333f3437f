"""The trial balance: every account's balance, and that debits are credits. Pure."""

from shared.finance.journal import CLASS_OF, JournalEntry, Role
from shared.finance.reports.columns import money, text
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.report import Report, Text, sum_of
from shared.finance.reports.scope import Balances, Scope
from shared.finance.reports.words import CLASSES, ROLES

_COLUMNS = (
    text("class", "Class", "类别"),
    text("role", "Account", "科目"),
    text("account", "Of", "明细"),
    money("debit", "Debit", "借方"),
    money("credit", "Credit", "贷方"),
    money("difference", "Difference", "差额", sum_of("debit", "-credit")),
)


class TrialTally:
    """Balances of all accounts after the last day."""

    reaches_back = True

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._balances = Balances(scope)

    def add(self, entry: JournalEntry) -> None:
        self._balances.add(entry)

    def reports(self) -> tuple[Report, ...]:
        grouping = Grouping(_COLUMNS)
        for account in self._balances.accounts():
            role, of, currency = account
            balance = self._balances.after(account)
            keys = (CLASSES[CLASS_OF[Role(role)]], ROLES[Role(role)], of)
            grouping.add(keys, currency, **{"debit" if balance > 0 else "credit": abs(balance)})
        return (
            Report(
                name="trial-balance",
                title=Text("Trial balance", "试算平衡表"),
                about=Text(
                    "The balance of each account at the end of the last day. In each currency, debits are credits.",
                    "截至最后一日各科目的余额；每一币种借贷相等。",
                ),
                since=self._scope.since,
                until=self._scope.until,
                columns=_COLUMNS,
                rows=grouping.rows(as_added=True),
                totals=grouping.totals(),
            ),
        )
