"""Amounts as providers and banks write them, to minor units. Exact, or refused: nothing is rounded."""

import re
from decimal import Decimal
from functools import cache
from typing import Final

from shared.kernel.errors import Rejected
from shared.kernel.money import Money, currency_exponent

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_OTHER_MARK: Final = {".": ",", ",": "."}
_SYMBOLS: Final = re.compile(r"[$€£¥₩￥]|\b[A-Z]{3}\b|\b(?:A|C|HK|NZ|S|US)(?=\$)")
_AROUND: Final = re.compile(r"^[\s'’]+|[\s'’]+$|(?<=[-+(])\s+|\s+(?=[-)]$)")
"""Blanks that part no digits."""
_BLANK_MARKS: Final = " '’\u00a0\u202f\u2009"
"""What some write between thousands, in place of a point or a comma."""
_CODE: Final = re.compile(r"\b[A-Z]{3}\b", re.ASCII)
_DECIMALS_LIKE_THOUSANDS: Final = 3
_MINUS: Final = str.maketrans({"\u2212": "-", "\u2013": "-"})


def minor_units(amount: str | int | Decimal, currency: str, *, field: str | None = None) -> int:
    """A decimal amount in major units as minor units of the currency: `12.50`, `EUR` is 1250.

    Raises:
        Rejected: `invalid_money`; also for more decimals than the currency has, for a provider's balance has none.
    """
    if not _CURRENCY.fullmatch(currency):
        raise Rejected("invalid_money", "the currency is not a code of three capital letters", field=field)
    if isinstance(amount, str) and not _NUMBER.fullmatch(amount.strip()):
        # Without what stands there: in a row whose columns have moved that is somebody's name as well as a number.
        raise _no_amount(field)
    money = Money.parse(amount, currency, field=field)
    if money.exponent > currency_exponent(currency):
        raise Rejected("invalid_money", f"{currency} has no such small fractions", field=field)
    return money.minor


def written_minor_units(written: str, currency: str, *, decimal_mark: str = ".", field: str | None = None) -> int:
    """An amount as exports for people write it (see :func:`plain_decimal`), in minor units of the currency.

    Of a currency with three decimals, `1,250` may be a thousand or one and a quarter: it is refused.

    Raises:
        Rejected: `invalid_money`; also where the code of another currency stands beside the amount.
    """
    if any(code != currency for code in _CODE.findall(written)):
        raise Rejected("invalid_money", "it is written in another currency", field=field)
    plain = plain_decimal(written, decimal_mark=decimal_mark, field=field)
    has_thousands = _OTHER_MARK[decimal_mark] in written and decimal_mark not in written
    if has_thousands and currency_exponent(currency) == _DECIMALS_LIKE_THOUSANDS:
        raise Rejected("invalid_money", "its thousands may be decimals", field=field)
    return minor_units(plain, currency, field=field)


def plain_decimal(written: str, *, decimal_mark: str = ".", field: str | None = None) -> str:
    """An amount as exports for people write it, as plain decimal text: `$1,234.50`, `1.234,50-`, `(12.00)`, `1'250.00`.

    Marks of thousands, blanks too, must stand where thousands are, all of one kind, and not after a leading zero: so a
    decimal comma is never taken for one, nor two numbers for one.

    Raises:
        Rejected: `invalid_money`.
    """
    text = _AROUND.sub("", _SYMBOLS.sub("\t", written.translate(_MINUS)).strip())
    negative = False
    if text.startswith("(") and text.endswith(")"):
        text, negative = text[1:-1], True
    if text.endswith("-"):
        text, negative = text[:-1], not negative
    if text.startswith(("-", "+")):
        text, negative = text[1:], negative != text.startswith("-")
    found = _shape(decimal_mark).fullmatch(text.strip())
    if found is None:
        raise _no_amount(field)
    whole = (found["whole"] or "0").replace(found["mark"] or "", "")
    return f"{'-' if negative else ''}{whole}.{found['part'] or '0'}"


@cache
def _shape(decimal_mark: str) -> re.Pattern[str]:
    mark, marks = re.escape(decimal_mark), re.escape(_OTHER_MARK[decimal_mark] + _BLANK_MARKS)
    whole = rf"(?P<whole>[1-9][0-9]{{0,2}}(?P<mark>[{marks}])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*|[0-9]+)?"
    return re.compile(rf"(?=.*[0-9]){whole}(?:{mark}(?P<part>[0-9]*))?")


def _no_amount(field: str | None) -> Rejected:
    return Rejected("invalid_money", "what stands there is not an amount", field=field)
