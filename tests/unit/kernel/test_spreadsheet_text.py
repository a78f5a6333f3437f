"""No text of somebody else's runs as a formula in a spreadsheet, and numbers stay numbers."""

import csv
import io
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.kernel.spreadsheet_text import guarded, is_risky

HARMLESS = ("A mug", "3-pack", "a=b", "me@shop", "", "  ", "'quoted'", "中文", "1,5", "#1001", "–", "(-5)")
RISKY = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "\tharmless",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "−1",
    "﹦1",
    "  =1",
    "\N{NO-BREAK SPACE}=1",
    "\N{IDEOGRAPHIC SPACE}=1",
    "\N{ZERO WIDTH SPACE}=1",
    "\N{ZERO WIDTH NO-BREAK SPACE}=1",
    '"=1',
    "'=1",
    "“=1",
    ' "\t=1',
)


@pytest.mark.parametrize("text", RISKY)
def test_what_a_spreadsheet_could_run_gets_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text


STRIPPED = " \"'`“”\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"
before = st.text(st.sampled_from(STRIPPED), max_size=4)
starts = st.sampled_from("=+-@\t\r\n\0＝＋－＠﹦﹢﹣﹫−")
texts = st.one_of(st.text(), st.builds(lambda *parts: "".join(parts), before, starts, st.text()))


@given(texts)
@example("\x1c=1")
def test_through_a_csv_file_nothing_runs_and_nothing_is_lost(text: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerow([guarded(text), "-12.50"])
    ((cell, number),) = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert number == "-12.50"
    assert cell in (text, f"'{text}")
    if not cell.startswith("'"):
        plain = unicodedata.normalize("NFKC", cell).lstrip(STRIPPED + "".join(map(chr, range(33))))
        assert not plain.startswith(("=", "+", "-", "@", "−"))
        assert not cell.startswith(("\t", "\r", "\n", "\0"))


@given(before, starts, st.text())
def test_no_blank_or_quote_hides_a_formula(hidden: str, start: str, rest: str) -> None:
    assert is_risky(hidden + start + rest)
