"""How figures are written: exact decimal text of minor units, and as people read them. Pure, without any float."""

from decimal import Decimal

from shared.finance.reports.report import Kind
from shared.kernel.money import currency_exponent

_COMPACT = ((10**9, "bn"), (10**6, "m"), (10**3, "k"))


def plain(minor: int, currency: str) -> str:
    """`-1234.50`: for programs and CSV files."""
    return _scaled(minor, currency_exponent(currency), grouped=False)


def decimal_of(minor: int, currency: str) -> Decimal:
    return Decimal(plain(minor, currency))


def read(value: int, kind: Kind, currency: str | None = None) -> str:
    """`-1,234.50`, `1.43 %`, `12,000`: for people. Without the currency's code."""
    if kind is Kind.MONEY:
        return _scaled(value, currency_exponent(currency or ""), grouped=True)
    if kind is Kind.PERCENT:
        return f"{_scaled(value, 2, grouped=True)}\N{NO-BREAK SPACE}%"
    return f"{value:,}"


def percent_plain(hundredths: int) -> str:
    """`1.43` for 1.43 %."""
    return _scaled(hundredths, 2, grouped=False)


def compact(value: int, kind: Kind, currency: str | None = None) -> str:
    """As short as an axis needs it: `12k`, `1.5m`, `2.5 %`."""
    decimals = {Kind.MONEY: currency_exponent(currency or ""), Kind.PERCENT: 2}.get(kind, 0)
    number = Decimal(value).scaleb(-decimals)
    unit = ""
    for size, name in _COMPACT:
        if abs(number) >= size:
            number, unit = number / size, name
            break
    text = f"{number.normalize():f}"
    return f"{text}{unit}{'%' if kind is Kind.PERCENT else ''}"


def _scaled(value: int, decimals: int, *, grouped: bool) -> str:
    whole, fraction = divmod(abs(value), 10**decimals)
    sign = "-" if value < 0 else ""
    digits = f"{whole:,}" if grouped else str(whole)
    return sign + digits + (f".{fraction:0{decimals}}" if decimals else "")
