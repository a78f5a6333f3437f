"""The daily close: what every account was and is, what moved, and whether it ties out. Pure."""

from collections import Counter

from shared.finance.journal import JournalEntry, Topic
from shared.finance.reports.columns import ACCOUNT, count, money, text
from shared.finance.reports.drawing import ranking
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.report import Kind, Report, Row, Text, Tile, sum_of
from shared.finance.reports.scope import Balances, Scope
from shared.finance.reports.words import ROLES, TOPICS

_ACCOUNTS = (
    text("role", "Account", "科目"),
    text("account", "Of", "明细"),
    money("before", "Before", "期初余额"),
    money("debits", "Debits", "借方"),
    money("credits", "Credits", "贷方"),
    money("after", "After", "期末余额", sum_of("before", "debits", "-credits")),
)
_TOPICS = (
    text("topic", "What moved", "业务类型"),
    count("entries", "Entries", "分录数"),
    money("debits", "Debits", "借方"),
    money("credits", "Credits", "贷方"),
)
_TIES = (
    ACCOUNT,
    text("told", "Provider's balance", "平台余额"),
    money("ours", "By the books", "账面余额"),
    money("theirs", "By the provider", "平台数"),
    money("difference", "Difference", "差额"),
)
_TOLD = Text("told", "已提供", "told")
_NOT_TOLD = Text("not told", "未提供", "not_told")


class DailyCloseTally:
    """Balances before and after, movements by topic, and the providers' balances beside ours."""

    reaches_back = True

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._balances = Balances(scope)
        self._topics: Counter[tuple[Topic, str]] = Counter()
        self._moved: Counter[tuple[Topic, str, str]] = Counter()
        self._entries = 0

    def add(self, entry: JournalEntry) -> None:
        self._balances.add(entry)
        if self._scope.before(entry):
            return
        self._entries += 1
        for currency in {posting.currency for posting in entry.postings}:
            self._topics[entry.topic, currency] += 1
        for posting in entry.postings:
            side = "debits" if posting.amount > 0 else "credits"
            self._moved[entry.topic, posting.currency, side] += abs(posting.amount)

    def reports(self) -> tuple[Report, ...]:
        return (self._accounts(), self._movements(), self._ties())

    def _accounts(self) -> Report:
        grouping, balances = Grouping(_ACCOUNTS), self._balances
        for account in balances.accounts():
            role, of, currency = account
            grouping.add(
                (ROLES[_ROLE[role]], of),
                currency,
                before=balances.before.get(account, 0),
                debits=balances.debits.get(account, 0),
                credits=balances.credits.get(account, 0),
            )
        cases = sum(case.is_open for case in self._scope.cases)
        digest = self._scope.digest
        return Report(
            name="balances",
            title=Text("Balances", "科目余额"),
            about=Text(
                "Each account before the first day and after the last one. Debits are positive.",
                "各科目的期初与期末余额；借方为正。",
            ),
            since=self._scope.since,
            until=self._scope.until,
            columns=_ACCOUNTS,
            rows=grouping.rows(as_added=True),
            totals=grouping.totals(),
            notes=(Text(f"Digest of the day's entries: {digest}", f"当日分录摘要：{digest}"),) if digest else (),
            tiles=(
                Tile(Text("Entries", "分录数"), Kind.COUNT, self._entries),
                Tile(Text("Cases open", "未处理差异"), Kind.COUNT, cases),
            ),
        )

    def _movements(self) -> Report:
        grouping = Grouping(_TOPICS)
        for topic, currency in sorted(self._topics, key=_by_topic):
            grouping.add((TOPICS[topic],), currency, entries=self._topics[topic, currency])
        for (topic, currency, side), amount in self._moved.items():
            grouping.add((TOPICS[topic],), currency, **{side: amount})
        rows = grouping.rows(as_added=True)
        return Report(
            name="movements",
            title=Text("Movements by topic", "按业务类型变动"),
            about=Text("What the entries of the period are about.", "本期分录按业务类型汇总。"),
            since=self._scope.since,
            until=self._scope.until,
            columns=_TOPICS,
            rows=rows,
            totals=grouping.totals(),
            charts=ranking(Text("Debits by topic", "各业务类型借方"), _TOPICS, rows, label="topic", value="debits"),
        )

    def _ties(self) -> Report:
        rows = tuple(
            Row(tie.currency, (tie.account, _NOT_TOLD, tie.ours, None, None))
            if tie.theirs is None
            else Row(tie.currency, (tie.account, _TOLD, tie.ours, tie.theirs, tie.theirs - tie.ours))
            for tie in sorted(self._scope.ties, key=lambda tie: (tie.account, tie.currency))
        )
        untied = sum(tie.theirs is not None and tie.theirs != tie.ours for tie in self._scope.ties)
        return Report(
            name="ties",
            title=Text("Providers' own balances", "与支付平台余额核对"),
            about=Text(
                "What the books say that each provider holds, reserves included, beside what it says itself.",
                "账面所示各平台持有金额（含保证金）与平台自报余额的对照。",
            ),
            since=self._scope.since,
            until=self._scope.until,
            columns=_TIES,
            rows=rows,
            tiles=(Tile(Text("Balances that do not tie", "未核对一致的余额"), Kind.COUNT, untied),),
        )


_ROLE = {str(role): role for role in ROLES}
_PLACE = {topic: place for place, topic in enumerate(Topic)}


def _by_topic(counted: tuple[Topic, str]) -> tuple[int, str]:
    topic, currency = counted
    return _PLACE[topic], currency
