"""Money as an integer of minor units with its currency and exponent.

No float ever touches an amount: text and `Decimal` go in, integers are stored, `Decimal` comes out.
"""

from collections.abc import Iterable
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.kernel.errors import Rejected
from shared.kernel.model import Canonical

# ISO 4217 currencies whose minor unit is not the hundredth (list of 2024-06, active codes; XXX is "no currency").
_ZERO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF XXX"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DECIMALS = "CLF UYW"
_EXPONENTS = {
    code: exponent
    for exponent, codes in ((0, _ZERO_DECIMALS), (3, _THREE_DECIMALS), (4, _FOUR_DECIMALS))
    for code in codes.split()
}
_DEFAULT_EXPONENT = 2
MAX_EXPONENT = 12
"""The finest fraction kept. A storefront with more decimals than this is refused, not rounded."""
_MAX_MAGNITUDE = 24
MAX_MINOR = 10**_MAX_MAGNITUDE
"""No amount of trade is larger; beyond it an input is hostile or broken."""
MAX_SUM = MAX_MINOR * 10**12
"""What computing may lead to: no order has so many lines and units that honest amounts exceed it."""

_EXACT = Context(prec=2 * _MAX_MAGNITUDE, traps=[InvalidOperation, Inexact])
"""Used in place of the caller's decimal context: a digit that does not fit is an error, not rounded away."""

CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


def currency_exponent(currency: str) -> int:
    """The number of decimals of the currency's minor unit by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, _DEFAULT_EXPONENT)


class Money(Canonical):
    """An exact amount: `minor` / 10**`exponent` units of `currency`.

    The exponent is the currency's own unless the source was finer (a unit price of 0.0125 EUR has exponent 4),
    so that no digit that a storefront sent is lost.
    """

    minor: Annotated[int, Field(ge=-MAX_SUM, le=MAX_SUM, strict=True)]
    currency: CurrencyCode
    exponent: Annotated[int, Field(ge=0, le=MAX_EXPONENT)]

    @model_validator(mode="after")
    def _is_not_coarser_than_its_currency(self) -> Self:
        if self.exponent < currency_exponent(self.currency):
            raise ValueError(f"{self.currency} has {currency_exponent(self.currency)} decimals, not {self.exponent}")
        return self

    @classmethod
    def parse(cls, amount: str | int | Decimal, currency: str, *, field: str | None = None) -> Self:
        """Read a decimal amount in major units, exactly: `Money.parse("12.50", "EUR")`.

        Raises:
            Rejected: `invalid_money`, when `amount` is not a finite decimal number of sane size.
        """
        if isinstance(amount, str) and "_" in amount:  # Python reads 1_000, no storefront writes it
            raise _invalid("what stands there is not a decimal amount", field)
        try:
            value = Decimal(amount)
        except InvalidOperation as error:
            raise _invalid("what stands there is not a decimal amount", field) from error
        if not value.is_finite():
            raise _invalid("the amount is not finite", field)
        if value and abs(value.adjusted()) > _MAX_MAGNITUDE:  # before anything multiplies by ten to that power
            raise _invalid("the amount is beyond any sane size", field)
        decimals = _decimals(value)
        if decimals is None or decimals > MAX_EXPONENT:
            raise _invalid(f"more than {MAX_EXPONENT} decimals", field)
        exponent = max(currency_exponent(currency), decimals)
        minor = int(value.normalize(_EXACT).scaleb(exponent, _EXACT))
        if abs(minor) > MAX_MINOR:
            raise _invalid("the amount is beyond any sane size", field)
        return cls(minor=minor, currency=currency, exponent=exponent)

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(minor=0, currency=currency, exponent=currency_exponent(currency))

    @classmethod
    def total(cls, amounts: Iterable["Money"], currency: str) -> "Money":
        """The sum of amounts of one currency; zero of `currency` when there are none."""
        result = Money.zero(currency)
        for amount in amounts:
            result = result + amount
        return result

    @property
    def decimal(self) -> Decimal:
        """The amount in major units."""
        return Decimal(self.minor).scaleb(-self.exponent, _EXACT)

    def __add__(self, other: "Money") -> "Money":
        exponent = self._common_exponent(other)
        return Money(
            minor=self._at(exponent) + other._at(exponent),
            currency=self.currency,
            exponent=exponent,
        )

    def __sub__(self, other: "Money") -> "Money":
        return self + -other

    def __neg__(self) -> "Money":
        return Money(minor=-self.minor, currency=self.currency, exponent=self.exponent)

    def __mul__(self, quantity: int) -> "Money":
        return Money(minor=self.minor * quantity, currency=self.currency, exponent=self.exponent)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.decimal:f} {self.currency}"

    def equals(self, other: "Money") -> bool:
        """Whether both are the same amount, whatever their exponents."""
        return not self - other

    def exceeds(self, other: "Money") -> bool:
        """Whether this amount is the larger one."""
        return (self - other).minor > 0

    def _at(self, exponent: int) -> int:
        return self.minor * int(10 ** (exponent - self.exponent))

    def _common_exponent(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added: convert first")
        return max(self.exponent, other.exponent)


class Amount(Canonical):
    """One amount in both currencies of an order: the shop's books, and what the buyer saw.

    Neither is ever computed from the other; a shop with one currency states the same amount twice.
    """

    shop: Money
    presentment: Money

    @classmethod
    def single(cls, money: Money) -> "Amount":
        return cls(shop=money, presentment=money)

    @classmethod
    def zero(cls, shop_currency: str, presentment_currency: str | None = None) -> "Amount":
        return cls(
            shop=Money.zero(shop_currency),
            presentment=Money.zero(presentment_currency or shop_currency),
        )

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(shop=self.shop + other.shop, presentment=self.presentment + other.presentment)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(shop=self.shop - other.shop, presentment=self.presentment - other.presentment)

    def __mul__(self, quantity: int) -> "Amount":
        return Amount(shop=self.shop * quantity, presentment=self.presentment * quantity)

    def __bool__(self) -> bool:
        return bool(self.shop) or bool(self.presentment)


def _decimals(value: Decimal) -> int | None:
    """How many decimals the finite value really needs: trailing zeros do not count. None: more than any amount has."""
    try:
        return max(0, -int(value.normalize(_EXACT).as_tuple().exponent))
    except Inexact:
        return None


def _invalid(message: str, field: str | None) -> Rejected:
    """Without what stands there: in a payload out of order that may be anything, a name too."""
    return Rejected(
        "invalid_money",
        message,
        field=field,
        hint="send a decimal number as text, such as 12.50",
    )
