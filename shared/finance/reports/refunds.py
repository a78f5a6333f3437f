"""Refunds: what shops credited, beside what buyers were paid back. Pure."""

from shared.finance.journal import JournalEntry, Role, Topic
from shared.finance.reports.columns import DAY, ORDER, SHOP, count, money, text
from shared.finance.reports.drawing import by_day
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.origin import count_of, currencies_of, origin_of
from shared.finance.reports.report import Report, Row, Text, figure, sum_of, tiles_of
from shared.finance.reports.scope import Scope
from shared.finance.reports.words import UNKNOWN, UNTIED

_DAYS = (
    DAY,
    SHOP,
    count("documents", "Refunds", "退款笔数"),
    money("credited", "Goods and charges", "商品与附加费"),
    money("tax", "Tax", "税额"),
    money("total", "Refunded by shops", "店铺退款", sum_of("credited", "tax")),
    money("paid_back", "Paid back to buyers", "已退给买家"),
    money("to_pay", "Difference", "差额", sum_of("total", "-paid_back")),
)
_DOCUMENTS = (
    DAY,
    ORDER,
    text("document", "Document", "单据"),
    money("credited", "Goods and charges", "商品与附加费"),
    money("tax", "Tax", "税额"),
    money("total", "Total", "合计", sum_of("credited", "tax")),
)


class RefundsTally:
    """Refunds by day and shop, and one by one."""

    reaches_back = False

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._days = Grouping(_DAYS)
        self._documents = Grouping(_DOCUMENTS)

    def add(self, entry: JournalEntry) -> None:
        if entry.topic is Topic.REDUCTION:
            self._add_document(entry)
        elif entry.topic in (Topic.RECEIPT, Topic.GIFT_CARD):
            self._add_paid_back(entry)

    def _add_document(self, entry: JournalEntry) -> None:
        origin = origin_of(entry)
        keys = (entry.posted_on, origin.shop or UNKNOWN)
        document = (entry.posted_on, origin.order or UNTIED, entry.source)
        for currency in currencies_of(entry):
            mine = [posting for posting in entry.postings if posting.currency == currency]
            tax = sum(posting.amount for posting in mine if posting.role is Role.TAX)
            total = -sum(posting.amount for posting in mine if posting.role is Role.RECEIVABLE)
            self._days.add(keys, currency, documents=count_of(entry), credited=total - tax, tax=tax)
            self._documents.add(document, currency, credited=total - tax, tax=tax)

    def _add_paid_back(self, entry: JournalEntry) -> None:
        shop = origin_of(entry).shop or UNKNOWN
        for posting in entry.postings:
            goes_out = (posting.amount > 0) == (entry.reverses is None)
            if posting.role is Role.RECEIVABLE and goes_out:
                self._days.add((entry.posted_on, shop), posting.currency, paid_back=posting.amount)

    def reports(self) -> tuple[Report, ...]:
        scope, rows, totals = self._scope, self._days.rows(), self._days.totals()
        refunded = (Text("Refunded by shops", "店铺退款"), _total)
        return (
            Report(
                name="refunds",
                title=Text("Refunds by day", "按日退款"),
                about=Text(
                    "What shops credited to buyers, and what providers and gift cards paid back for orders.",
                    "店铺向买家退款的金额，以及支付平台与礼品卡实际退还的金额。",
                ),
                since=scope.since,
                until=scope.until,
                columns=_DAYS,
                rows=rows,
                totals=totals,
                notes=(
                    Text(
                        "Edits that lowered an order count as refunds. A charge that failed after it was booked counts "
                        "as paid back.",
                        "降低订单金额的修改视为退款；入账后失败的收款视为已退还。",
                    ),
                    Text(
                        "A difference on one day is usual: providers book some days after the shop.",
                        "单日出现差额属正常：支付平台入账通常晚于店铺数日。",
                    ),
                ),
                charts=by_day(Text("Refunds by day", "每日退款"), rows, day=0, parts=(refunded,)),
                tiles=tiles_of(Text("Refunded by shops", "店铺退款"), _DAYS, totals, "total"),
            ),
            Report(
                name="refund-documents",
                title=Text("Refunds one by one", "退款明细"),
                about=Text("Each refund and each edit that lowered an order.", "每笔退款及降低订单金额的修改。"),
                since=scope.since,
                until=scope.until,
                columns=_DOCUMENTS,
                rows=self._documents.rows(),
                totals=self._documents.totals(),
            ),
        )


def _total(row: Row) -> int:
    return figure(_DAYS, row, "total")
