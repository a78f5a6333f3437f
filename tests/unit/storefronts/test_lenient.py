"""Reading what strangers send."""

from decimal import Decimal
from typing import Annotated, Any

import pytest

from shared.kernel.errors import Rejected
from shared.storefronts.lenient import NULL_IS_EMPTY, Lenient, OptionalDecimal, OptionalText, read, unknown_fields


class Item(Lenient):
    sku: OptionalText = None
    price: OptionalDecimal = None


class Basket(Lenient):
    id: str
    main: Item | None = None
    items: Annotated[tuple[Item, ...], NULL_IS_EMPTY] = ()


@pytest.mark.parametrize(
    ("value", "expected"), [("x", "x"), ("", None), (" \t\n", None), (None, None), (5, "5"), (Decimal("1.10"), "1.10")]
)
def test_optional_text(value: Any, expected: str | None) -> None:
    assert read(Item, {"sku": value}).sku == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.10", "1.10"), (Decimal("1.10"), "1.10"), (3, "3"), ("", None), (" ", None), (None, None)],
)
def test_optional_decimal_keeps_its_digits(value: Any, expected: str | None) -> None:
    price = read(Item, {"price": value}).price
    assert (None if price is None else str(price)) == expected


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1,5", "x", True, [], {}])
def test_what_is_no_decimal_is_refused(value: Any) -> None:
    with pytest.raises(Rejected) as refusal:
        read(Item, {"price": value})
    assert (refusal.value.code, refusal.value.field) == ("invalid_payload", "price")


@pytest.mark.parametrize("items", [None, []])
def test_null_list_is_empty(items: Any) -> None:
    assert read(Basket, {"id": 1, "items": items}).items == ()


def test_first_fault_is_named_by_its_path_and_not_quoted() -> None:
    with pytest.raises(Rejected) as refusal:
        read(Basket, {"id": 1, "items": [{}, {"sku": ["zoe@example.test"]}]})
    assert refusal.value.field == "items.1.sku"
    assert "zoe" not in str(refusal.value)
    assert refusal.value.__cause__ is not None


@pytest.mark.parametrize("value", [None, [], "x", 5])
def test_body_of_another_kind_is_refused(value: Any) -> None:
    with pytest.raises(Rejected, match="Basket"):
        read(Basket, value)


def test_unknown_fields_are_kept_by_path_as_plain_json() -> None:
    basket = read(
        Basket,
        {
            "id": 1,
            "zero": 0,
            "no": False,
            "empty": "",
            "null": None,
            "list": [],
            "map": {},
            "main": {"sku": "a", "weight": Decimal("1.10")},
            "items": [{"sku": "b"}, {"sku": "c", "deep": {"list": [Decimal("1E+5"), None, {"x": True}]}}],
        },
    )
    assert dict(unknown_fields(basket)) == {
        "zero": 0,
        "no": False,
        "main.weight": "1.10",
        "items.1.deep": {"list": ["1E+5", None, {"x": True}]},
    }
