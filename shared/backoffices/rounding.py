"""Totals that tie out to the cent, although every system rounds in its own way."""

from shared.backoffices.documents import Rounding, SaleLine
from shared.kernel.errors import Rejected
from shared.kernel.money import Money

KEY = "rounding"


def rounding_line(wanted: Money, computed: Money, rounding: Rounding) -> SaleLine | None:
    """The line that brings the back office's total of the other lines to the wanted one; None where it is that already.

    Raises:
        Rejected: `totals_differ`, when the difference is too large to be rounding.
    """
    difference = wanted - computed
    if not difference:
        return None
    if max(difference, -difference, key=lambda money: money.minor).exceeds(rounding.limit):
        raise Rejected(
            "totals_differ",
            f"the storefront's total is {wanted}, the back office computes {computed}",
            field="total",
            hint="compare the taxes in the settings with those of the back office, then retry the order",
        )
    return SaleLine(key=KEY, sku=rounding.sku, title="Rounding", quantity=1, amount=difference, goods=False)
