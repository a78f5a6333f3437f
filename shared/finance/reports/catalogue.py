"""Every report and export by its name, for the command line and for the daily close. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from shared.finance.exports.beancount import BeancountExport
from shared.finance.exports.hledger import HledgerExport
from shared.finance.exports.port import Export
from shared.finance.exports.quickbooks import QuickbooksExport
from shared.finance.exports.xero import XeroExport
from shared.finance.journal import JournalEntry
from shared.finance.reports.daily_close import DailyCloseTally
from shared.finance.reports.disputes import DisputesTally
from shared.finance.reports.exceptions import ExceptionsTally
from shared.finance.reports.fees import FeesTally
from shared.finance.reports.margin import MarginTally
from shared.finance.reports.payouts import PayoutsTally
from shared.finance.reports.receivables import ReceivablesTally
from shared.finance.reports.refunds import RefundsTally
from shared.finance.reports.render_csv import render_csv
from shared.finance.reports.render_html import render_html
from shared.finance.reports.render_json import render_json
from shared.finance.reports.render_xlsx import render_xlsx
from shared.finance.reports.report import Language, Report, Text
from shared.finance.reports.sales import SalesTally
from shared.finance.reports.scope import Scope, Tally, tally
from shared.finance.reports.tax import TaxTally
from shared.finance.reports.trial import TrialTally
from shared.kernel.errors import Rejected

Format = Literal["html", "xlsx", "csv", "json"]
EVERYTHING: Final = "all"


class KnownReport(NamedTuple):
    title: Text
    about: Text
    make: Callable[[Scope], Tally]


class KnownExport(NamedTuple):
    about: Text
    suffix: str
    make: Callable[[Mapping[str, str]], Export]


REPORTS: Final[Mapping[str, KnownReport]] = {
    "sales": KnownReport(Text("Sales", "销售"), Text("by day, channel and product", "按日、渠道与商品"), SalesTally),
    "refunds": KnownReport(Text("Refunds", "退款"), Text("by day and one by one", "按日汇总与明细"), RefundsTally),
    "margin": KnownReport(
        Text("Gross margin", "毛利"), Text("by product, where the cost is known", "按商品（已知成本）"), MarginTally
    ),
    "tax": KnownReport(Text("Tax", "税额"), Text("by jurisdiction and rate", "按辖区与税率"), TaxTally),
    "receivables": KnownReport(
        Text("Receivables", "应收账款"), Text("by age, and the orders open", "账龄与未结订单"), ReceivablesTally
    ),
    "fees": KnownReport(
        Text("Fees", "手续费"),
        Text("by account with the effective rate, and by kind", "各账户实际费率与类别"),
        FeesTally,
    ),
    "payouts": KnownReport(
        Text("Payouts", "提现"), Text("one by one, and the money at providers", "提现明细与平台资金变动"), PayoutsTally
    ),
    "disputes": KnownReport(Text("Disputes", "争议"), Text("by account and by order", "按账户与订单"), DisputesTally),
    "exceptions": KnownReport(
        Text("Exceptions", "差异"), Text("by age, and one by one", "账龄与明细"), ExceptionsTally
    ),
    "close": KnownReport(
        Text("Daily close", "日结"),
        Text("balances, movements, providers' own balances", "余额、变动、与平台余额核对"),
        DailyCloseTally,
    ),
    "trial": KnownReport(
        Text("Trial balance", "试算平衡表"), Text("every account's balance", "各科目余额"), TrialTally
    ),
}
EXPORTS: Final[Mapping[str, KnownExport]] = {
    "beancount": KnownExport(Text("journal for beancount", "beancount 日记账"), "beancount", BeancountExport),
    "hledger": KnownExport(Text("journal for hledger", "hledger 日记账"), "journal", HledgerExport),
    "quickbooks": KnownExport(Text("journals for QuickBooks", "QuickBooks 日记账"), "csv", QuickbooksExport),
    "xero": KnownExport(Text("manual journals for Xero", "Xero 手工日记账"), "csv", XeroExport),
}
_EVERYTHING_TITLE: Final = Text("Finance report", "财务报表")
_CLOSE_TITLE: Final = Text("Daily close", "日结报表")


def make_reports(name: str, entries: Iterable[JournalEntry], scope: Scope) -> tuple[Report, ...]:
    """The tables of one report, or of `all`; the entries are read once.

    Raises:
        Rejected: `unknown_report`.
    """
    if name == EVERYTHING:
        known = tuple(REPORTS.values())
    elif name in REPORTS:
        known = (REPORTS[name],)
    else:
        raise _unknown("report", name, (*REPORTS, EVERYTHING))
    return tally([one.make(scope) for one in known], entries, scope)


def write_reports(name: str, reports: Sequence[Report], form: Format, *, language: Language) -> Mapping[str, bytes]:
    """Files by their names: one, or for CSV one for each table."""
    title = REPORTS[name].title if name in REPORTS else _EVERYTHING_TITLE
    if form == "csv":
        return {f"{report.name}.csv": render_csv(report, language) for report in reports}
    if form == "html":
        content = render_html(reports, language, title=title)
    else:
        content = render_xlsx(reports, language) if form == "xlsx" else render_json(reports)
    return {f"{name}.{form}": content}


def make_export(name: str, entries: Iterable[JournalEntry], scope: Scope, names: Mapping[str, str]) -> bytes:
    """The journal of the scope's days in the form of one program. `names`: `FinanceRules.ledger_names`.

    Raises:
        Rejected: `unknown_export`.
    """
    if name not in EXPORTS:
        raise _unknown("export", name, tuple(EXPORTS))
    export = EXPORTS[name].make(names)
    for entry in entries:
        if scope.since <= entry.posted_on <= scope.until:
            export.add(entry)
    return export.finish()


def statements_of_day(
    entries: Iterable[JournalEntry], scope: Scope, *, names: Mapping[str, str], language: Language
) -> Mapping[str, bytes]:
    """What the daily close keeps of a day (or of several): all reports in each form, and every export; by file name.

    `entries` are read once and not kept. They may begin before the scope's first day, so that open orders, payouts and
    disputes are told one by one; `scope.opening` are the balances before the first of them.
    """
    exports = {name: known.make(names) for name, known in EXPORTS.items()}
    passing = _written(entries, exports.values(), scope)
    reports = tally([known.make(scope) for known in REPORTS.values()], passing, scope)
    files = {
        "report.html": render_html(reports, language, title=_CLOSE_TITLE),
        "report.xlsx": render_xlsx(reports, language),
        "report.json": render_json(reports),
    }
    files |= {f"csv/{report.name}.csv": render_csv(report, language) for report in reports}
    files |= {f"journal/{name}.{EXPORTS[name].suffix}": export.finish() for name, export in exports.items()}
    return files


def _written(entries: Iterable[JournalEntry], exports: Iterable[Export], scope: Scope) -> Iterable[JournalEntry]:
    """The same entries, those of the scope's days written to the exports on their way."""
    writers = tuple(exports)
    for entry in entries:
        if scope.since <= entry.posted_on <= scope.until:
            for export in writers:
                export.add(entry)
        yield entry


def _unknown(what: str, name: str, known: Sequence[str]) -> Rejected:
    return Rejected(
        f"unknown_{what}", f"there is no {what} {name[:40]!r}", field="name", hint=f"choose one of {', '.join(known)}"
    )
