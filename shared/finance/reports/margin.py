"""What is left of sales after the cost of the goods, by product, and for how much of them the cost is known. Pure."""

from shared.finance.journal import JournalEntry, Role
from shared.finance.reports.columns import count, money, percent, text
from shared.finance.reports.drawing import ranking
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.origin import units_of
from shared.finance.reports.report import Report, Text, ratio, tiles_of
from shared.finance.reports.sales import SOLD
from shared.finance.reports.scope import Scope
from shared.finance.reports.words import NO_PRODUCT

_COLUMNS = (
    text("sku", "SKU", "SKU"),
    text("title", "Product", "商品"),
    count("units", "Units", "件数"),
    money("net", "Net goods", "商品净额"),
    money("cost", "Cost", "成本"),
    money("net_known", "Net, cost known", "已知成本净额"),
    money("margin", "Margin", "毛利"),
    percent("rate", "Margin rate", "毛利率", ratio("margin", "net_known")),
    percent("coverage", "Cost known for", "成本覆盖率", ratio("net_known", "net")),
)
_GOODS = frozenset({Role.SALES, Role.RETURNS})


class MarginTally:
    """Gross margin by product."""

    reaches_back = False

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._titles: dict[str, str] = {}
        self._sums: dict[tuple[str | None, str | None, str, str], list[int]] = {}
        """By order, SKU, title (of what has no SKU) and currency: units, net, units whose cost is known, cost."""

    def add(self, entry: JournalEntry) -> None:
        for posting in entry.postings:
            told = posting.dimensions
            if told.sku and told.title:
                self._titles[told.sku] = max(self._titles.get(told.sku, ""), told.title)
            key = (told.order, told.sku, "" if told.sku else told.title or "", posting.currency)
            if posting.role in _GOODS and entry.topic in SOLD:
                sums = self._sums.setdefault(key, [0, 0, 0, 0])
                sums[0] += units_of(posting)
                sums[1] -= posting.amount
            elif posting.role is Role.COST_OF_SALES:
                sums = self._sums.setdefault(key, [0, 0, 0, 0])
                sums[2] += units_of(posting)
                sums[3] += posting.amount

    def reports(self) -> tuple[Report, ...]:
        grouping = Grouping(_COLUMNS)
        for (_, sku, title, currency), (units, net, units_known, cost) in self._sums.items():
            known = bool(sku) and units == units_known
            grouping.add(
                (sku, self._titles.get(sku, sku) if sku else title or NO_PRODUCT),
                currency,
                units=units,
                net=net,
                cost=cost,
                net_known=net if known else 0,
                margin=net - cost if known else 0,
            )
        rows, totals = grouping.rows(rank="net"), grouping.totals()
        return (
            Report(
                name="margin",
                title=Text("Gross margin by product", "商品毛利"),
                about=Text(
                    "Goods sold less returned, and what they cost. Shipping and fees are not in it.",
                    "售出减退回的商品及其成本，不含运费与手续费。",
                ),
                since=self._scope.since,
                until=self._scope.until,
                columns=_COLUMNS,
                rows=rows,
                totals=totals,
                notes=(
                    Text(
                        "The margin is told of those sales whose units all have a cost in the currency of the sale; "
                        "“cost known for” says how much of all sales that is.",
                        "仅对全部件数均有同币种成本的销售计算毛利；“成本覆盖率”为其占商品净额的比例。",
                    ),
                ),
                charts=ranking(
                    Text("Largest margins", "毛利最高的商品"), _COLUMNS, rows, label="title", value="margin"
                ),
                tiles=(
                    *tiles_of(Text("Margin", "毛利"), _COLUMNS, totals, "margin"),
                    *tiles_of(Text("Cost known for", "成本覆盖率"), _COLUMNS, totals, "coverage"),
                ),
            ),
        )
