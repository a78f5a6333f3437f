"""Stocktakes as CSV: what is read, what is refused, and what a spreadsheet can never run."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.inventory.stocktake import Count, Stocktake, StocktakeLine, StocktakeState, review
from shared.inventory.stocktake_csv import (
    RESULT_COLUMNS,
    dated,
    read_catalogue,
    read_counts,
    result,
    sheet,
    write,
)
from shared.inventory.stocktake_scope import AllScope, CatalogueEntry
from shared.kernel.errors import Rejected
from shared.kernel.money import Money
from tests.builders.orders import NOON

SESSION = Stocktake(id="s1", location="main", scope=AllScope(), opened_at=NOON, opened_by="lead")


def rows_of(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def refusal(content: bytes) -> Rejected:
    with pytest.raises(Rejected) as refused:
        read_counts(content)
    return refused.value


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_reads_what_spreadsheets_write(mark: bytes, separator: str, end: str) -> None:
    lines = ["SKU, counted ,Counter,counted_at", "杯,3,mia,2026-11-23T09:02:09Z", ",,,", '"A""1",0,,']
    content = mark + end.join(line.replace(",", separator) for line in lines).encode()
    first, second = read_counts(content)
    assert (first.row, first.sku, first.counted, first.counter) == (2, "杯", 3, "mia")
    assert first.counted_at == datetime(2026, 11, 23, 9, 2, 9, tzinfo=UTC)
    assert (second.row, second.sku, second.counted, second.counter, second.counted_at) == (4, 'A"1', 0, None, None)


def test_a_row_without_a_number_is_not_counted() -> None:
    assert [row.sku for row in read_counts(b"sku,counted\nA,\nB,0\n")] == ["B"]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("A,-1,,", "counted"),
        ("A,1.0,,", "counted"),
        ("A,1e3,,", "counted"),
        ("A,٣,,", "counted"),
        ("A,1000000001,,", "counted"),
        ("A,=1+1,,", "counted"),
        (",1,,", "sku"),
        ("A\tB,1,,", "sku"),
        ("A,1,,2026-11-23T09:02:09", "counted_at"),
        ("A,1,,yesterday", "counted_at"),
        ("A,1,,2026-13-23T09:02:09Z", "counted_at"),
        ("OK,1,,", "sku"),
        (f"A,1,{'n' * 101},", "counter"),
    ],
)
def test_a_bad_row_is_refused_by_row_and_column(row: str, column: str) -> None:
    error = refusal(f"sku,counted,counter,counted_at\nOK,1,,\n{row}\n".encode())
    assert (error.code, error.field) == ("invalid_rows", column)
    assert error.message.startswith(f"row 3, {column}: ")


def test_all_faults_are_told_at_once_but_not_without_end() -> None:
    error = refusal(("sku,counted\n" + "".join(f"S{n},x\n" for n in range(30))).encode())
    assert error.message.count("row ") == 20
    assert error.message.endswith("and 10 more")


def test_the_row_is_the_line_of_the_file_even_after_line_breaks_in_cells() -> None:
    error = refusal(b'sku,counted,note\nA,1,"two\nlines"\n\nB,x,\n')
    assert error.message.startswith("row 5, counted")


def test_a_message_does_not_repeat_names() -> None:
    assert "Jane" not in refusal(b"sku,counted,counter\nA,x,Jane Doe\n").describe()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"sku\nA\n",
        b"sku,counted,counted\n",
        b"sku,counted,colour\n",
        "sku,counted\nMüller,1\n".encode("cp1252"),
        b'sku,counted\n"A,1\n',
        b"sku,counted\nA\0,1\n",
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    assert refusal(content).code == "unreadable_csv"


def test_a_row_with_too_many_cells_is_refused() -> None:
    assert refusal(b"sku,counted\nA,1,2\n").code == "invalid_rows"


def test_the_same_row_of_the_same_file_has_the_same_source_and_no_other() -> None:
    content = b"sku,counted\nA,1\nB,1\n"
    sources = [row.source for row in read_counts(content)]
    assert sources == [row.source for row in read_counts(content)]
    assert len({*sources, *(row.source for row in read_counts(content + b"C,1\n"))}) == 5


def test_somebody_says_when_it_was_counted() -> None:
    rows = read_counts(b"sku,counted,counted_at\nA,1,2026-11-23T09:02:09+08:00\nB,1,\n")
    stamped = dated(rows, NOON)
    assert [row.counted_at for row in stamped] == [datetime(2026, 11, 23, 1, 2, 9, tzinfo=UTC), NOON]
    with pytest.raises(Rejected, match="row 3, counted_at") as refused:
        dated(rows, None)
    assert refused.value.code == "invalid_rows"


def test_reads_a_catalogue() -> None:
    found = read_catalogue(b"sku;zone;unit_cost;moved\nA;Z1;3.2;40\nB;;;\n", "EUR")
    assert found == {
        "A": CatalogueEntry(zone="Z1", unit_cost=Money.parse("3.2", "EUR"), moved=40),
        "B": CatalogueEntry(),
    }


@pytest.mark.parametrize(
    ("row", "currency"), [("A;-1;", "EUR"), ("A;x;", "EUR"), ("A;1;", None), ("A;;-2", "EUR"), ("A;NaN;", "EUR")]
)
def test_a_bad_catalogue_is_refused(row: str, currency: str | None) -> None:
    with pytest.raises(Rejected, match="row 2, "):
        read_catalogue(f"sku;unit_cost;moved\n{row}\n".encode(), currency)


def lines(*skus: str) -> list[StocktakeLine]:
    return [StocktakeLine(sku=sku) for sku in skus]


def test_a_sheet_says_nothing_of_the_book() -> None:
    header, *rows = rows_of(sheet(lines("B", "A")))
    assert header == ["sku", "zone", "counted", "counter", "counted_at"]
    assert rows == [["A", "", "", "", ""], ["B", "", "", "", ""]]


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_runs_as_a_formula_and_numbers_stay_numbers(beginning: str) -> None:
    _, row = rows_of(write(("a", "b", "c", "d"), [(f"{beginning}1", -5, Decimal("-0.50"), None)]))
    assert row == [f"'{beginning}1", "-5", "-0.50", ""]


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
    | st.from_regex(r"'*[=+@-]\w+", fullmatch=True)
)
def test_a_sku_comes_back_as_it_went(sku: str) -> None:
    content = sheet(lines(sku))
    cell = rows_of(content)[1][0]
    assert cell[0] not in "=+-@\t\r"
    filled = content.decode("utf-8-sig").rstrip("\r\n").removesuffix(",,,") + ",1,,"
    (row,) = read_counts(filled.encode())
    assert row.sku == sku


def test_the_result_tells_counts_variances_and_value() -> None:
    def taken(counter: str, counted: int) -> Count:
        return Count(counter=counter, counted=counted, counted_at=NOON, recorded_at=NOON, book=10, seq=1)

    mug = StocktakeLine(
        sku="-MUG", unit_cost=Money.parse("1.5", "EUR"), counts=(taken("=mia", 7), taken("noa", 7)), found=True
    )
    closed = SESSION.model_copy(update={"state": StocktakeState.COUNTED})
    header, first, second = rows_of(result(review(closed, [mug, *lines("PEN")])))
    assert tuple(header) == RESULT_COLUMNS
    told = dict(zip(header, first, strict=True))
    assert (told["sku"], told["counter"], told["found"]) == ("'-MUG", "'=mia / noa", "yes")
    assert (told["counted"], told["book"], told["variance"], told["value"]) == ("7", "10", "-3", "-4.50")
    assert dict(zip(header, second, strict=True)) == dict.fromkeys(header, "") | {
        "sku": "PEN", "standing": "uncounted", "counts": "0",
    }  # fmt: skip


@pytest.mark.parametrize("state", [StocktakeState.DRAFT, StocktakeState.COUNTING])
def test_there_is_no_result_while_people_count(state: StocktakeState) -> None:
    with pytest.raises(Rejected) as refused:
        result(review(SESSION.model_copy(update={"state": state, "opened_at": NOON - timedelta(1)}), []))
    assert refused.value.code == "blind_count"
