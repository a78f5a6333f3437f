"""The exceptions queue by kind and age: what does not tie out yet. Out of cases, not of postings. Pure."""

from shared.finance.cases import Case
from shared.finance.journal import JournalEntry
from shared.finance.reports.ageing import BUCKETS, COLUMN_KEYS, bucket_of
from shared.finance.reports.columns import ACCOUNT, count, money, text
from shared.finance.reports.drawing import stacks
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.report import Column, Kind, Report, Text, Tile
from shared.finance.reports.scope import Scope
from shared.finance.reports.words import KINDS, UNKNOWN

_KIND = text("kind", "What does not tie out", "差异类型")
_KINDS = (
    _KIND,
    count("cases", "Cases", "数量"),
    *(count(key, bucket.en, bucket.zh) for key, bucket in zip(COLUMN_KEYS, BUCKETS, strict=True)),
    count("blocking", "Block the close", "阻止关账"),
)
_CASES = (
    Column("since", Kind.DAY, Text("Since", "起始日")),
    _KIND,
    text("subject", "What it is about", "对象"),
    ACCOUNT,
    text("owner", "Owner", "负责人"),
    text("state", "State", "状态"),
    Column("age", Kind.COUNT, Text("Days", "天数"), totalled=False),
    money("expected", "Expected", "应有", totalled=False),
    money("found", "Found", "实有", totalled=False),
    money("difference", "Difference", "差额", totalled=False),
)
_STATES = {
    "open": Text("open", "待处理", "open"),
    "proposed": Text("proposed", "待复核", "proposed"),
}


class ExceptionsTally:
    """Open cases by kind and age as of the last day, and one by one."""

    reaches_back = False

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, entry: JournalEntry) -> None:
        """Entries tell nothing of cases."""

    def reports(self) -> tuple[Report, ...]:
        scope = self._scope
        kinds, listed = Grouping(_KINDS), Grouping(_CASES, keeps_zeros=True)
        cases = [case for case in scope.cases if case.is_open]
        for case in cases:
            found = case.discrepancy
            bucket = COLUMN_KEYS[bucket_of(case.age_days(scope.until))]
            kinds.add((KINDS[found.kind],), None, cases=1, blocking=int(found.blocks_close), **{bucket: 1})
            _list(listed, case, scope)
        rows = kinds.rows()
        return (
            Report(
                name="exceptions",
                title=Text("Exceptions by age", "差异账龄"),
                about=Text(
                    "What does not tie out and nobody has resolved yet, by kind and by age.",
                    "尚未核对一致且未处理的差异，按类型与账龄分列。",
                ),
                since=scope.since,
                until=scope.until,
                columns=_KINDS,
                rows=rows,
                totals=kinds.totals(),
                charts=stacks(Text("Exceptions by age", "差异账龄"), BUCKETS, rows, label=0, first=2, kind=Kind.COUNT),
                tiles=(Tile(Text("Cases open", "未处理差异"), Kind.COUNT, len(cases)),),
            ),
            Report(
                name="open-cases",
                title=Text("Exceptions one by one", "差异明细"),
                about=Text("Each case that is open, the oldest first.", "每项未处理差异，最早的在前。"),
                since=scope.since,
                until=scope.until,
                columns=_CASES,
                rows=listed.rows(),
            ),
        )


def _list(listed: Grouping, case: Case, scope: Scope) -> None:
    found = case.discrepancy
    keys = (
        found.since,
        KINDS[found.kind],
        str(found.subject),
        found.account or UNKNOWN,
        case.owner,
        _STATES.get(case.state, Text(case.state, case.state)),
    )
    amounts = {"expected": found.expected or 0, "found": found.found or 0, "difference": found.difference}
    listed.add(keys, found.currency, age=max(case.age_days(scope.until), 0), **amounts)
