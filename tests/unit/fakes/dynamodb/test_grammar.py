import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.grammar import (
    Both,
    Comparison,
    Either,
    Given,
    Not,
    Path,
    read_condition,
    read_projection,
    read_update,
)


def test_not_binds_closer_than_and_and_and_closer_than_or() -> None:
    a, b, c = (Comparison("=", Path((name,)), Given(f":{name}")) for name in "abc")
    assert read_condition("NOT a = :a AND b = :b OR c = :c") == Either((Both((Not(a), b)), c))
    assert read_condition("NOT (a = :a AND (b = :b OR c = :c))") == Not(Both((a, Either((b, c)))))


def test_words_that_look_like_operators_are_names_too() -> None:
    assert read_condition("android = :a") == Comparison("=", Path(("android",)), Given(":a"))
    assert read_condition("notes=:a AND index[0].x<>:b") == Both(
        (
            Comparison("=", Path(("notes",)), Given(":a")),
            Comparison("<>", Path(("index", 0, "x")), Given(":b")),
        )
    )
    assert read_projection("size, #0.#1[3]") == (Path(("size",)), Path(("#0", "#1", 3)))


_WORDS = [
    *("SET", "REMOVE", "ADD", "DELETE", "AND", "NOT", "OR", "BETWEEN", "IN", "size", "contains", "if_not_exists"),
    *("a", "#b", ":c", "0", "=", "<>", "(", ")", "[", "]", ".", ",", "+", "-"),
]


@pytest.mark.parametrize("read", [read_condition, read_update, read_projection])
@given(
    text=st.one_of(
        st.text(max_size=40),
        st.lists(
            st.sampled_from(_WORDS),
            max_size=14,
        ).map(" ".join),
    )
)
def test_any_text_is_read_or_refused(read: object, text: str) -> None:
    assert callable(read)
    with contextlib.suppress(Invalid):
        read(text)
