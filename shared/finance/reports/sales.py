"""What was sold: by day, by channel, by product. Pure.

By day and by channel, each row is the whole of what sales and their reductions did to the receivable from buyers:
gross - returns + charges = net; net + tax + gift cards = owed by buyers.
"""

from shared.finance.journal import JournalEntry, Posting, Role, Topic
from shared.finance.reports.columns import CHANNEL, DAY, SHOP, count, money, percent, text
from shared.finance.reports.drawing import by_day, ranking
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.origin import count_of, currencies_of, origin_of, units_of
from shared.finance.reports.report import Report, Row, Text, figure, ratio, sum_of, tiles_of
from shared.finance.reports.scope import Scope
from shared.finance.reports.words import NO_PRODUCT, UNKNOWN

SOLD = frozenset({Topic.SALE, Topic.REDUCTION})
"""What changes how much buyers owe for goods."""

_FIGURES = (
    count("orders", "Orders", "订单数"),
    count("units", "Units", "件数"),
    money("gross", "Gross goods", "商品毛额"),
    money("returns", "Returns and credits", "退回与减额"),
    money("charges", "Shipping and charges", "运费与附加费"),
    money("net", "Net sales", "销售净额", sum_of("gross", "-returns", "charges")),
    money("tax", "Tax", "税额"),
    money("gift_cards", "Gift cards", "礼品卡"),
    money("owed", "Owed by buyers", "买家应付", sum_of("net", "tax", "gift_cards")),
)
_BY_DAY = (DAY, *_FIGURES)
_BY_CHANNEL = (SHOP, CHANNEL, *_FIGURES)
_BY_PRODUCT = (
    text("sku", "SKU", "SKU"),
    text("title", "Product", "商品"),
    count("units", "Units", "件数"),
    money("gross", "Gross goods", "商品毛额"),
    money("returns", "Returns and credits", "退回与减额"),
    money("net", "Net goods", "商品净额", sum_of("gross", "-returns")),
    percent("returned", "Returned", "退回率", ratio("returns", "gross")),
)
_DISCOUNTS = Text(
    "Goods are booked after discounts: what was taken off before the sale is not in the ledger.",
    "商品按折后金额入账；销售前的折扣不在账内。",
)
_CARDS = Text(
    "Gift cards: sold less redeemed at checkout. They are owed to their bearers and are no sales.",
    "礼品卡：售出减去结账时抵扣的金额，属负债，不计入销售。",
)
_NOT_PRODUCT = Text(
    "Shipping and goodwill that were credited stand in one row, for they belong to no product.",
    "退还的运费与补偿不属于任何商品，合列一行。",
)

_COLUMN = {
    Role.SALES: ("gross", -1),
    Role.RETURNS: ("returns", 1),
    Role.TAX: ("tax", -1),
    Role.GIFT_CARDS: ("gift_cards", -1),
}
_NOT_SOLD = frozenset({Role.RECEIVABLE, Role.COST_OF_SALES, Role.INVENTORY})
"""The other side of the entry, and goods leaving the stock: no part of what buyers owe."""


def _goods(row: Row) -> int:
    return figure(_BY_DAY, row, "gross") - figure(_BY_DAY, row, "returns")


def _charges(row: Row) -> int:
    return figure(_BY_DAY, row, "charges")


_PARTS = (
    (Text("Goods less returns", "商品净额"), _goods),
    (Text("Shipping and charges", "运费与附加费"), _charges),
)


class SalesTally:
    """Sales by day, by channel and by product."""

    reaches_back = False

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._days = Grouping(_BY_DAY)
        self._channels = Grouping(_BY_CHANNEL)
        self._products = Grouping(_BY_PRODUCT)
        self._titles: dict[str, str] = {}

    def add(self, entry: JournalEntry) -> None:
        if entry.topic not in SOLD:
            return
        origin = origin_of(entry)
        channel = (origin.shop or UNKNOWN, origin.channel or UNKNOWN)
        groups = ((self._days, (entry.posted_on,)), (self._channels, channel))
        orders = count_of(entry) if entry.topic is Topic.SALE else 0
        for currency in currencies_of(entry):
            for grouping, keys in groups:
                grouping.add(keys, currency, orders=orders)
        for posting in entry.postings:
            if posting.role in _NOT_SOLD:
                continue
            name, sign = _COLUMN.get(posting.role, ("charges", -1))
            units = units_of(posting) if posting.role in (Role.SALES, Role.RETURNS) else 0
            for grouping, keys in groups:
                grouping.add(keys, posting.currency, units=units, **{name: sign * posting.amount})
            if posting.role in (Role.SALES, Role.RETURNS):
                self._add_product(posting, name, sign)

    def _add_product(self, posting: Posting, name: str, sign: int) -> None:
        told = posting.dimensions
        key = f"sku {told.sku}" if told.sku else f"title {told.title}" if told.title else ""
        self._titles[key] = max(self._titles.get(key, ""), told.title or "")
        amounts = {name: sign * posting.amount}
        self._products.add((told.sku, key or NO_PRODUCT), posting.currency, units=units_of(posting), **amounts)

    def reports(self) -> tuple[Report, ...]:
        scope = self._scope
        days, channels = self._days.rows(), self._channels.rows()
        products = self._named(self._products.rows(rank="net"))
        return (
            Report(
                name="sales-by-day",
                title=Text("Sales by day", "按日销售"),
                about=Text(
                    "Sales and their reductions on the day that they were booked.", "按入账日汇总的销售、退款与减额。"
                ),
                since=scope.since,
                until=scope.until,
                columns=_BY_DAY,
                rows=days,
                totals=self._days.totals(),
                notes=(_DISCOUNTS, _CARDS),
                charts=by_day(Text("Net sales by day", "每日销售净额"), days, day=0, parts=_PARTS),
                tiles=tiles_of(Text("Net sales", "销售净额"), _BY_DAY, self._days.totals(), "net"),
            ),
            Report(
                name="sales-by-channel",
                title=Text("Sales by channel", "按渠道销售"),
                about=Text("The same sales by shop and channel.", "同一销售数据，按店铺与渠道汇总。"),
                since=scope.since,
                until=scope.until,
                columns=_BY_CHANNEL,
                rows=channels,
                totals=self._channels.totals(),
                notes=(_DISCOUNTS, _CARDS),
                charts=ranking(
                    Text("Net sales by channel", "各渠道销售净额"), _BY_CHANNEL, channels, label="channel", value="net"
                ),
            ),
            Report(
                name="sales-by-product",
                title=Text("Sales by product", "按商品销售"),
                about=Text("Goods sold and returned, without shipping and tax.", "售出与退回的商品，不含运费与税。"),
                since=scope.since,
                until=scope.until,
                columns=_BY_PRODUCT,
                rows=products,
                totals=self._products.totals(),
                notes=(_DISCOUNTS, _NOT_PRODUCT),
                charts=ranking(
                    Text("Best sellers, net", "畅销商品（净额）"), _BY_PRODUCT, products, label="title", value="net"
                ),
            ),
        )

    def _named(self, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        """Rows with the title of each product; of several titles that one had, the last in the alphabet."""
        return tuple(
            Row(currency, (sku, self._titles[key] if isinstance(key, str) else key, *figures))
            for currency, (sku, key, *figures) in rows
        )
