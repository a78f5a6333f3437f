"""Amounts as providers and banks write them, to minor units. Exact, or refused: nothing is rounded."""

import re
from decimal import Decimal
from typing import Final

from shared.kernel.errors import Rejected
from shared.kernel.money import Money, currency_exponent

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_OTHER_MARK: Final = {".": ",", ",": "."}
_SYMBOLS: Final = re.compile(r"[$€£¥₩￥]|\b[A-Z]{3}\b|\b(?:A|C|HK|NZ|S|US)(?=\$)")
_BLANKS: Final = re.compile(r"[\s\u00a0\u202f'’]+")
_MINUS: Final = str.maketrans({"\u2212": "-", "\u2013": "-"})


def minor_units(amount: str | int | Decimal, currency: str, *, field: str | None = None) -> int:
    """A decimal amount in major units as minor units of the currency: `12.50`, `EUR` is 1250.

    Raises:
        Rejected: `invalid_money`; also for more decimals than the currency has, for a provider's balance has none.
    """
    if not _CURRENCY.fullmatch(currency):
        raise Rejected("invalid_money", "the currency is not a code of three capital letters", field=field)
    money = Money.parse(amount, currency, field=field)
    if money.exponent > currency_exponent(currency):
        raise Rejected("invalid_money", f"{currency} has no such small fractions", field=field)
    return money.minor


def plain_decimal(written: str, *, decimal_mark: str = ".", field: str | None = None) -> str:
    """An amount as exports for people write it, as plain decimal text: `$1,234.50`, `1.234,50-`, `(12.00)`, `1'250.00`.

    Marks of thousands must stand where thousands are, so that a decimal comma is never taken for one.

    Raises:
        Rejected: `invalid_money`.
    """
    text = _BLANKS.sub("", _SYMBOLS.sub("", written.translate(_MINUS)))
    negative = False
    if text.startswith("(") and text.endswith(")"):
        text, negative = text[1:-1], True
    if text.endswith("-"):
        text, negative = text[:-1], not negative
    if text.startswith(("-", "+")):
        text, negative = text[1:], negative != text.startswith("-")
    found = _shape(decimal_mark).fullmatch(text)
    if found is None:
        raise Rejected("invalid_money", "what stands there is not an amount", field=field)
    whole = (found["whole"] or "0").replace(_OTHER_MARK[decimal_mark], "")
    return f"{'-' if negative else ''}{whole}.{found['part'] or '0'}"


def _shape(decimal_mark: str) -> re.Pattern[str]:
    mark, other = re.escape(decimal_mark), re.escape(_OTHER_MARK[decimal_mark])
    whole = rf"(?P<whole>[0-9]{{1,3}}(?:{other}[0-9]{{3}})+|[0-9]+)?"
    return re.compile(rf"(?=.*[0-9]){whole}(?:{mark}(?P<part>[0-9]*))?")
