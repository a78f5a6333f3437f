from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.numbers import add, canonical, number, number_size, subtract

_ALLOWED = st.builds(
    lambda digits, power: format(Decimal(digits).scaleb(power), "f"),
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.integers(-90, 80),
)


@given(_ALLOWED)
def test_canonical_text_is_the_same_number_and_stays(text: str) -> None:
    found = canonical(text)
    assert Decimal(found) == Decimal(text)
    assert canonical(found) == found
    assert "E" not in found
    assert not found.startswith(("+", "-0.0000E", "."))
    assert "." not in found or not found.endswith("0")


@given(_ALLOWED, _ALLOWED)
def test_numbers_are_ordered_as_numbers(one: str, other: str) -> None:
    assert (number(canonical(one)) < number(canonical(other))) == (Decimal(one) < Decimal(other))


@given(st.integers(-(10**18), 10**18), st.integers(-(10**18), 10**18), st.integers(0, 12))
def test_sums_are_exact_or_refused(one: int, other: int, point: int) -> None:
    left, right = Decimal(one).scaleb(-point), Decimal(other)
    texts = canonical(format(left, "f")), canonical(format(right, "f"))
    assert Decimal(add(*texts)) == left + right
    assert Decimal(subtract(*texts)) == left - right


def test_nothing_is_rounded() -> None:
    with pytest.raises(Invalid, match="38 significant digits"):
        add("1" * 38, "0.1")
    assert add("9" * 38, "1") == "1" + "0" * 38
    assert subtract("5", "5") == "0"
    with pytest.raises(Invalid, match="overflow"):
        add(canonical("9.9e125"), canonical("9e124"))


@pytest.mark.parametrize("text", ["1e9999999999", "-1e9999999999", "1e-9999999999", "1e" + "9" * 5000])
def test_absurd_exponents_cost_nothing(text: str) -> None:
    with pytest.raises(Invalid, match=r"overflow|underflow"):
        canonical(text)


@pytest.mark.parametrize("text", ["1e0000000002", "100", "+0100.", "1.00E+02", "0.1e3"])
def test_one_number_has_one_text(text: str) -> None:
    assert canonical(text) == "100"


@pytest.mark.parametrize(
    ("text", "size"), [("0", 1), ("7", 2), ("-7", 3), ("100", 2), ("101", 3), ("1234", 3), ("1.5", 3), ("0.001", 2)]
)
def test_sizes(text: str, size: int) -> None:
    assert number_size(text) == size
