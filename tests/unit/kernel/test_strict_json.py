"""JSON from strangers: read without loss, or refused by name."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.kernel.errors import Rejected
from shared.kernel.strict_json import MAX_DEPTH, parse

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_genuine_json_comes_out_as_it_went_in(value: Any, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8")) == value


@pytest.mark.parametrize(
    "number", ["12.333333333333334", "1234567890123456789.01", "0.10", "1e2", "-0.0", "1E400", "1e-400"]
)
def test_numbers_with_a_fraction_keep_every_digit(number: str) -> None:
    value = parse(number.encode())
    assert isinstance(value, Decimal)
    assert str(value) == str(Decimal(number))


def test_large_integers_stay_exact() -> None:
    assert parse(b"820982911946154508123456789") == 820982911946154508123456789


@pytest.mark.parametrize(
    "number",
    [
        "1e401",
        "1e-401",
        "1e99999999999999999999",
        "0.0e-9999999999999999999",
        "9" * 5000,
        "NaN",
        "Infinity",
        "-Infinity",
    ],
)
def test_number_out_of_range_is_refused(number: str) -> None:
    for raw in (number, f'{{"total":{number}}}', f"[{number}]"):
        with pytest.raises(Rejected) as refusal:
            parse(raw.encode())
        assert refusal.value.code == "invalid_json"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":1}x',
        b"\xef\xbb\xbf{}",
        b"\xff",
        b'"\xed\xa0\x80"',
        b'"a\nb"',
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":1}',
        b'{"x":[{"a":1,"b":2,"a":1}]}',
        b'"\\ud800"',
        b'"\\uDC00 alone"',
        b'{"\\ud800":1}',
        b'"\\',
        b"]" * 100,
    ],
)
def test_faulty_json_is_refused(raw: bytes) -> None:
    with pytest.raises(Rejected) as refusal:
        parse(raw)
    assert refusal.value.code == "invalid_json"


def test_whole_surrogate_pair_and_escaped_backslash_are_fine() -> None:
    assert parse(b'"\\uD83D\\uDE00"') == "😀"
    assert parse(b'"\\\\ud800"') == "\\ud800"


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_bounded(opening: bytes, closing: bytes) -> None:
    parse(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(Rejected) as refusal:
            parse(opening * depth + b"1" + closing * depth)
        assert refusal.value.code == "json_too_deep"


@given(st.lists(st.sampled_from(['"', "\\", "[", "{", "]", "}", "a"]), max_size=30).map("".join))
def test_brackets_inside_strings_are_no_depth(text: str) -> None:
    deep = text + "[" * 100
    assert parse(json.dumps({"note": deep, deep: [text]}).encode()) == {"note": deep, deep: [text]}


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\ud8e1.+-NaIf0', max_size=60).map(str.encode))
@example(b'{"\\u')
def test_no_bytes_crash_it(raw: bytes) -> None:
    with suppress(Rejected):
        json.dumps(parse(raw), default=str).encode("utf-8")


def test_message_quotes_nothing_of_the_body() -> None:
    with pytest.raises(Rejected) as refusal:
        parse(b'{"email":"zoe@example.test","email":1}')
    assert "zoe" not in str(refusal.value)
