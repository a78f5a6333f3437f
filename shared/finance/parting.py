"""Part an amount into whole minor units so that nothing is lost."""

from collections.abc import Sequence
from fractions import Fraction

from shared.kernel.money import Money, currency_exponent


def apportion(parts: Sequence[Fraction]) -> list[int]:
    """Round every part to a whole unit so that together they come to the rounded sum of the exact parts.

    By the largest remainder: each part is rounded down, and the units that are then missing go to the parts which
    lost most, the earlier one first where two lost alike. No part moves by a whole unit or more.
    """
    total = round(sum(parts, Fraction(0)))
    floors = [part.numerator // part.denominator for part in parts]
    missing = total - sum(floors)
    by_loss = sorted(range(len(parts)), key=lambda index: (floors[index] - parts[index], index))
    for index in by_loss[:missing]:
        floors[index] += 1
    return floors


def exact(money: Money) -> Fraction:
    """In minor units of its currency, with whatever is finer as a fraction."""
    return Fraction(money.minor, 10 ** (money.exponent - currency_exponent(money.currency)))


def proportion(amount: int, part: int, whole: int) -> int:
    """`amount` x `part` / `whole` in whole units, rounded half to even. `whole` is not zero."""
    return round(Fraction(amount * part, whole))
