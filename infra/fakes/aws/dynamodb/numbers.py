"""Numbers by DynamoDB's rules: up to 38 significant digits between 1E-130 and 9.9…E+125, returned without exponent
and without needless zeros ("Supported data types and naming rules" in the developer guide)."""

import re
from decimal import Context, Decimal
from functools import lru_cache
from typing import Final

from infra.fakes.aws.dynamodb.errors import Invalid

Number = int | Decimal

_FORM: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?", re.ASCII)
_MAX_DIGITS: Final = 38
_HIGHEST: Final = 125
_LOWEST: Final = -130
_LONG_EXPONENT: Final = 7
_MOST: Final = 10**_MAX_DIGITS
_LEAST: Final = -_MOST
"""Whole numbers in between have no more digits than are allowed."""
_EXACT: Final = Context(prec=600)
"""Sums of any two numbers that are allowed are exact."""


@lru_cache(maxsize=1 << 16)
def canonical(text: str) -> str:
    """The number as DynamoDB returns it, or `Invalid`."""
    sign, digits, exponent = _parts(text)
    if not digits:
        return "0"
    highest = exponent + len(digits) - 1
    if highest > _HIGHEST:
        raise Invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if highest < _LOWEST:
        raise Invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    if len(digits) > _MAX_DIGITS:
        raise Invalid("Attempting to store more than 38 significant digits in a Number")
    return ("-" if sign == "-" else "") + _plain(digits, exponent)


def _parts(text: str) -> tuple[str, str, int]:
    """Sign, significant digits and the power of ten of the last of them."""
    form = _FORM.fullmatch(text)
    whole, fraction = (form[2], form[3] or "") if form else ("", "")
    if form is None or not whole + fraction:
        raise Invalid(f"The parameter cannot be converted to a numeric value{': ' if text else ''}{text}")
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    power = _exponent(form[4] or "0") - len(fraction)
    return form[1], significant, power + len(digits) - len(significant)


def _exponent(text: str) -> int:
    """Far out of range is far enough: Python refuses to read numbers of thousands of digits."""
    digits = text.lstrip("+-").lstrip("0")
    size = int(digits or "0") if len(digits) < _LONG_EXPONENT else 10**_LONG_EXPONENT
    return -size if text.startswith("-") else size


def _plain(digits: str, exponent: int) -> str:
    if exponent >= 0:
        return digits + "0" * exponent
    whole, fraction = digits[:exponent], digits[exponent:]
    return f"{whole or '0'}.{fraction.rjust(-exponent, '0')}"


@lru_cache(maxsize=1 << 16)
def number(text: str) -> Number:
    """A canonical number to compare and to reckon with."""
    return Decimal(text) if "." in text else int(text)


def add(left: str, right: str) -> str:
    """The sum of canonical numbers, or `Invalid` where it is none."""
    try:
        total = int(left) + int(right)
    except ValueError:
        return canonical(_text(_sum(number(left), number(right))))
    return str(total) if _LEAST < total < _MOST else canonical(str(total))


def subtract(left: str, right: str) -> str:
    if right.startswith("-"):
        return add(left, right[1:])
    return add(left, "-" + right if right != "0" else right)


def _sum(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    return _EXACT.add(Decimal(left), Decimal(right))


def _text(value: Number) -> str:
    return str(value) if isinstance(value, int) else format(value, "f")


@lru_cache(maxsize=1 << 16)
def number_size(text: str) -> int:
    """Bytes of a canonical number: one for two significant digits, and one more ("DynamoDB Item sizes and formats":
    about that). Digits before and behind the point are counted apart, and a minus sign is counted, as by Dynoxide."""
    whole, _, fraction = text.lstrip("-").partition(".")
    if not fraction:
        whole = whole.rstrip("0")
    elif whole == "0":
        whole, fraction = "", fraction.lstrip("0")
    return (len(whole) + 1) // 2 + (len(fraction) + 1) // 2 + 1 + text.startswith("-")
