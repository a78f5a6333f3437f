"""Stripe's integer amounts to minor units by ISO 4217, and back. Pure.

For most currencies they are the same. Stripe counts these otherwise (docs.stripe.com, "Supported currencies"):

* MGA has no decimals at Stripe; by ISO its minor unit is written as a hundredth.
* ISK and UGX have no decimals by ISO; Stripe takes them with two, which are 00 (ISK by the documentation; UGX is on its
  list of zero-decimal currencies and has the same remark, which was not checked with the real API).
* BHD, JOD, KWD, OMR and TND have three decimals at both, the last of them 0 where a card network is charged.
* HUF and TWD have two at both; only payouts of theirs are whole. Nothing is to be done about that here.
* Other currencies of three decimals by ISO (IQD, LYD) are no currencies of Stripe's; were one to come, it is taken by
  its ISO unit.
"""

from typing import Final

from shared.kernel.errors import Rejected
from shared.kernel.money import currency_exponent

_STRIPE_EXPONENTS: Final = {"MGA": 0, "ISK": 2, "UGX": 2}
"""Where Stripe's unit is not ISO's."""


def iso_minor(amount: int, currency: str, *, field: str | None = None) -> int:
    """Minor units of `currency` (capital letters) for an amount of Stripe's API.

    Raises:
        Rejected: `invalid_money` for a fraction that the currency does not have: nothing is rounded.
    """
    iso = currency_exponent(currency)
    stripe = _STRIPE_EXPONENTS.get(currency, iso)
    if stripe <= iso:
        return int(amount * 10 ** (iso - stripe))
    whole, rest = divmod(abs(amount), 10 ** (stripe - iso))
    if rest:
        raise Rejected("invalid_money", f"{currency} has no such small fractions", field=field)
    return int(whole if amount >= 0 else -whole)


def stripe_amount(minor: int, currency: str) -> int:
    """What Stripe's API says for so many minor units. For fakes and samples."""
    iso = currency_exponent(currency)
    stripe = _STRIPE_EXPONENTS.get(currency, iso)
    return int(minor * 10 ** (stripe - iso)) if stripe >= iso else int(minor // 10 ** (iso - stripe))
