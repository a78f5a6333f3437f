"""Amounts of money as buyers read them. Pure."""

from shared.kernel.money import Money, currency_exponent


def amount_text(money: Money) -> str:
    """`EUR 1,234.50`, `JPY 1,200`, `KWD 0.125`: the code goes first, for `$` and `¥` are signs of several currencies.

    As many decimals as the currency has; more only where the amount needs them.
    """
    decimals = money.exponent
    minor = abs(money.minor)
    while decimals > currency_exponent(money.currency) and minor % 10 == 0:
        minor //= 10
        decimals -= 1
    whole, fraction = divmod(minor, 10**decimals)
    sign = "-" if money.minor < 0 else ""
    digits = f"{whole:,}" + (f".{fraction:0{decimals}}" if decimals else "")
    return f"{money.currency}\N{NO-BREAK SPACE}{sign}{digits}"
