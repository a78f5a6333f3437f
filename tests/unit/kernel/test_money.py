"""Money is exact, or it is refused."""

from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency
from pydantic import ValidationError

from shared.kernel.errors import Rejected
from shared.kernel.money import MAX_EXPONENT, MAX_SUM, Amount, Money, currency_exponent

CODES = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])
SAFE = 10**20
"""Minor units that may be added up and refined by a few decimals without leaving the bounds."""


@st.composite
def monies(draw: st.DrawFn, codes: st.SearchStrategy[str] = CODES) -> Money:
    code = draw(codes)
    exponent = currency_exponent(code)
    return Money(
        minor=draw(st.integers(-SAFE, SAFE)), currency=code, exponent=draw(st.integers(exponent, exponent + 2))
    )


EUROS = monies(st.just("EUR"))


@pytest.mark.parametrize("currency", [entry for entry in Currency if entry.exponent is not None], ids=lambda c: c.code)
def test_exponent_is_that_of_iso_4217(currency: Currency) -> None:
    assert currency_exponent(currency.code) == currency.exponent


@pytest.mark.parametrize(
    ("text", "currency", "minor", "exponent"),
    [
        ("12.50", "EUR", 1250, 2),
        ("-0.01", "EUR", -1, 2),
        ("-0", "EUR", 0, 2),
        ("1000.00", "JPY", 1000, 0),
        ("1.25", "KWD", 1250, 3),
        ("0.0125", "EUR", 125, 4),
        ("12.500000", "EUR", 1250, 2),
        ("1E+3", "EUR", 100000, 2),
        ("0E+30", "EUR", 0, 2),
        ("0E-50", "EUR", 0, 2),
        ("1." + "0" * 5000, "EUR", 100, 2),
        ("0.000000000001", "EUR", 1, 12),
        ("999999999999.999999999999", "EUR", 10**24 - 1, 12),
        (7, "JPY", 7, 0),
        (Decimal("1.10"), "EUR", 110, 2),
    ],
)
def test_amount_is_read_exactly(text: str | int | Decimal, currency: str, minor: int, exponent: int) -> None:
    assert Money.parse(text, currency) == Money(minor=minor, currency=currency, exponent=exponent)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "12,50",
        "1.2.3",
        "EUR 5",
        "0x10",
        "NaN",
        "sNaN",
        "-Infinity",
        "1e999999999",
        "1e-999999999",
        "1e25",
        "0.0000000000001",
        "1" * 5000,
        "1.00000000000000000000000000000000000000000001",
        "9999999999999999999999.999999999999",
    ],
)
def test_anything_else_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(Rejected) as refusal:
        Money.parse(text, "EUR", field="total")
    assert (refusal.value.code, refusal.value.field) == ("invalid_money", "total")
    assert len(str(refusal.value)) < 200


@given(EUROS)
def test_text_goes_there_and_back(money: Money) -> None:
    amount, _, code = str(money).partition(" ")
    again = Money.parse(amount, code)
    assert again.equals(money)
    assert again.exponent <= money.exponent


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_what_is_accepted_is_exact_and_what_is_not_is_refused(value: Decimal) -> None:
    try:
        money = Money.parse(value, "EUR")
    except Rejected:
        assert value
        return
    with localcontext(prec=200):
        assert money.decimal == value
    assert money.exponent <= MAX_EXPONENT


@given(EUROS)
def test_the_callers_decimal_context_rounds_nothing(money: Money) -> None:
    with localcontext(prec=3):
        assert Money.parse(str(money).split()[0], "EUR").equals(money)


@given(EUROS, EUROS, EUROS)
def test_addition_keeps_the_laws(a: Money, b: Money, c: Money) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert (a + b - b).equals(a)
    assert not a - a
    assert a - b == -(b - a)
    assert a.exceeds(b) == (a.decimal > b.decimal)
    assert (a * 3).equals(a + a + a)


@given(st.lists(EUROS, max_size=8))
def test_total_is_the_sum(amounts: list[Money]) -> None:
    with localcontext(prec=60):
        assert Money.total(amounts, "EUR").decimal == sum((amount.decimal for amount in amounts), Decimal(0))


def test_total_of_nothing_is_zero() -> None:
    assert Money.total([], "KWD") == Money(minor=0, currency="KWD", exponent=3)


@pytest.mark.parametrize("combine", [Money.__add__, Money.__sub__, Money.equals, Money.exceeds])
def test_currencies_do_not_mix(combine: Callable[[Money, Money], object]) -> None:
    with pytest.raises(ValueError, match="convert first"):
        combine(Money.zero("EUR"), Money.zero("USD"))


@pytest.mark.parametrize(
    ("minor", "currency", "exponent"),
    [
        (1.0, "EUR", 2),
        ("1", "EUR", 2),
        (True, "EUR", 2),
        (1, "eur", 2),
        (1, "EURO", 2),
        (1, "EUR", 1),
        (1, "KWD", 2),
        (1, "EUR", 13),
        (MAX_SUM + 1, "EUR", 2),
    ],
)
def test_no_other_money_can_be_made(minor: object, currency: str, exponent: int) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"minor": minor, "currency": currency, "exponent": exponent})


@given(monies())
def test_json_goes_there_and_back(money: Money) -> None:
    assert Money.model_validate_json(money.model_dump_json()) == money


@given(EUROS, EUROS)
def test_amount_adds_both_sides(a: Money, b: Money) -> None:
    both = Amount(shop=a, presentment=b)
    assert both + both == both * 2
    assert not both - both
    assert bool(both) == bool(a or b)
    assert Amount.single(a) == Amount(shop=a, presentment=a)


def test_amount_of_two_currencies() -> None:
    assert Amount.zero("EUR", "JPY") == Amount(shop=Money.zero("EUR"), presentment=Money.zero("JPY"))
    assert Amount.zero("EUR") == Amount.single(Money.zero("EUR"))
