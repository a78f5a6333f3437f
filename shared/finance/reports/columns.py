"""Columns that several reports have, so that one word means one thing in all of them."""

from shared.finance.reports.report import Column, Derivation, Kind, Text


def text(key: str, en: str, zh: str) -> Column:
    return Column(key, Kind.TEXT, Text(en, zh))


def count(key: str, en: str, zh: str) -> Column:
    return Column(key, Kind.COUNT, Text(en, zh))


def money(key: str, en: str, zh: str, derive: Derivation | None = None, *, totalled: bool = True) -> Column:
    return Column(key, Kind.MONEY, Text(en, zh), derive, totalled)


def percent(key: str, en: str, zh: str, derive: Derivation) -> Column:
    return Column(key, Kind.PERCENT, Text(en, zh), derive)


DAY = Column("day", Kind.DAY, Text("Day", "日期"))
SHOP = text("shop", "Shop", "店铺")
CHANNEL = text("channel", "Channel", "渠道")
ORDER = text("order", "Order", "订单")
ACCOUNT = text("account", "Account", "账户")
