"""How evidence tells money and things: short, for staff, without anything personal."""

from shared.kernel.money import currency_exponent


def amount_text(currency: str, minor: int) -> str:
    """`EUR 12.50`, `JPY -1250`, `KWD 1.250`."""
    exponent = currency_exponent(currency)
    sign = "-" if minor < 0 else ""
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    if exponent == 0:
        return f"{currency} {sign}{digits}"
    return f"{currency} {sign}{digits[:-exponent]}.{digits[-exponent:]}"
