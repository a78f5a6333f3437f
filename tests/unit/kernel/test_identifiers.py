"""The names that cross rooms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import Rejected
from shared.kernel.identifiers import SHOP_PATTERN, OrderKey, is_shop_id


@pytest.mark.parametrize("text", ["a", "aurora", "aurora-pl", "a1", "9", "a" * 40, "a--b"])
def test_shop_id(text: str) -> None:
    assert is_shop_id(text)


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a_b", "a/b", "a\n", " a", "ä", "٣", "a" * 41])
def test_anything_else_is_none(text: str) -> None:
    assert not is_shop_id(text)


@given(st.from_regex(SHOP_PATTERN, fullmatch=True), st.from_regex(r"[A-Za-z0-9_/-]{1,40}", fullmatch=True))
def test_order_key_is_read_as_it_is_written(shop: str, order_id: str) -> None:
    key = OrderKey(shop.strip(), order_id)
    assert OrderKey.parse(str(key)) == key


@pytest.mark.parametrize("text", ["", "/", "aurora", "aurora/", "/5001", "Aurora/5001", "a\n/1", "-/1"])
def test_anything_else_is_no_order_key(text: str) -> None:
    with pytest.raises(Rejected) as refusal:
        OrderKey.parse(text)
    assert (refusal.value.code, refusal.value.field) == ("invalid_order_key", "order")
