"""PayPal's transaction event codes (T-codes), as kinds of movements. Pure.

The first two digits are the group, which PayPal calls sufficient for reconciliation; a code goes before its group where
it means something else. Source: developer.paypal.com, "Transaction event codes"; the single codes of T15 and T21 are
from general knowledge and were not checked, only their groups count here. What is in no group is of kind `unknown`.
"""

import re
from typing import Final

from shared.finance.models import LineKind

_RESERVE: Final = "reserve"
"""Held or released: its sign says which."""
_CODES: Final[dict[str, LineKind | str]] = {
    "T1101": LineKind.PAYOUT_REVERSED,
    "T1104": LineKind.TOPUP,
    "T1105": _RESERVE,
    "T1106": LineKind.DISPUTE,
    "T1107": LineKind.REFUND,
    "T1108": LineKind.FEE,
    "T1109": LineKind.FEE,
    "T1110": LineKind.DISPUTE,
    "T1111": LineKind.DISPUTE_REVERSED,
    "T1113": LineKind.REFUND,
    "T1201": LineKind.DISPUTE,
    "T1202": LineKind.DISPUTE_REVERSED,
    "T1205": LineKind.DISPUTE_REVERSED,
    "T1207": LineKind.DISPUTE,
    "T1208": LineKind.DISPUTE_REVERSED,
}
_GROUPS: Final[dict[str, LineKind | str]] = {
    "T00": LineKind.CAPTURE,
    "T01": LineKind.FEE,
    "T02": LineKind.CONVERSION,
    "T03": LineKind.TOPUP,
    "T04": LineKind.PAYOUT,
    "T05": LineKind.ADJUSTMENT,
    "T06": LineKind.PAYOUT,
    "T07": LineKind.TOPUP,
    "T08": LineKind.ADJUSTMENT,
    "T09": LineKind.ADJUSTMENT,
    "T10": LineKind.ADJUSTMENT,
    "T11": LineKind.ADJUSTMENT,
    "T12": LineKind.ADJUSTMENT,
    "T14": LineKind.ADJUSTMENT,
    "T15": _RESERVE,
    "T16": LineKind.TOPUP,
    "T17": LineKind.PAYOUT,
    "T18": LineKind.ADJUSTMENT,
    "T19": LineKind.ADJUSTMENT,
    "T20": LineKind.ADJUSTMENT,
    "T21": _RESERVE,
    "T22": LineKind.ADJUSTMENT,
}
_OPPOSITES: Final = {
    LineKind.DISPUTE: LineKind.DISPUTE_REVERSED,
    LineKind.DISPUTE_REVERSED: LineKind.DISPUTE,
    LineKind.REFUND: LineKind.REFUND_REVERSED,
    LineKind.PAYOUT: LineKind.PAYOUT_REVERSED,
}
"""The same code with the other sign: PayPal writes both directions under most codes."""
_LEAVES: Final = frozenset({LineKind.DISPUTE, LineKind.REFUND, LineKind.PAYOUT})
_SHAPE: Final = re.compile(r"T[0-9]{4}", re.ASCII)
_NO_MOVEMENTS: Final = ("T13", "T98")
"""Authorisations, and what is there to be displayed only: nothing moves on the balance."""


def moves(code: str) -> bool:
    """Whether transactions with this code change the balance at all."""
    return not code.startswith(_NO_MOVEMENTS)


def kind_of(code: str, gross: int) -> LineKind:
    """The kind of a movement of this sign. Money that the merchant himself paid to somebody is under the codes of
    payments too: an adjustment, for no order explains it."""
    if not _SHAPE.fullmatch(code):
        return LineKind.UNKNOWN
    kind = _CODES.get(code, _GROUPS.get(code[:3], LineKind.UNKNOWN))
    if kind == _RESERVE:
        return LineKind.RESERVE_HELD if gross < 0 else LineKind.RESERVE_RELEASED
    found = LineKind(kind)
    if found is LineKind.CAPTURE and gross < 0:
        return LineKind.ADJUSTMENT
    leaves = gross < 0 or (gross == 0 and found in _LEAVES)
    if found in _OPPOSITES and leaves != (found in _LEAVES):
        return _OPPOSITES[found]
    return found
