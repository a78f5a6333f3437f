"""A bank's own CSV, by the columns of the settings."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.finance.models import BankLine
from shared.kernel.errors import Rejected
from shared.kernel.money import currency_exponent
from shared.payments.amounts import minor_units, plain_decimal, written_minor_units
from shared.payments.bank.columns import BankColumns
from shared.payments.bank.reader import reader_for
from shared.payments.port import AccountContext, FileFacts
from tests.unit.payments.bank.files import BANK, WORDS

GERMAN = BankColumns(
    booked_on="Buchungstag",
    valued_on="Valutadatum",
    amount="Betrag",
    currency="Waehrung",
    text=("Verwendungszweck", "Beguenstigter"),
    reference="Referenz",
    date_format="%d.%m.%Y",
    decimal_mark=",",
    delimiter=";",
    encoding="latin-1",
    rows_before_heading=2,
)
GERMAN_FILE = (
    "Kontoauszug\n\n"
    '"Buchungstag";"Valutadatum";"Betrag";"Waehrung";"Verwendungszweck";"Beguenstigter";"Referenz"\n'
    '"03.11.2026";"04.11.2026";"1.234,56";"EUR";"STRIPE\nPAYOUT";"Stripe Technology";"po_1"\n'
    '"03.11.2026";"";"-20,00";"EUR";"Miete";"Jörg Müller";""\n'
    "\n"
    '"";"";"";"";"Summe";"";""\n'
)
DUTCH = BankColumns(
    booked_on="Datum",
    amount="Bedrag (EUR)",
    direction="Af Bij",
    text=("Mededelingen",),
    id="Volgnr",
    date_format="%Y%m%d",
    decimal_mark=",",
)
SIDES = BankColumns(booked_on="Date", debit="Paid out", credit="Paid in", text=("Details",), date_format="%d/%m/%Y")


def lines(found: FileFacts) -> list[BankLine]:
    return [fact for fact in found.facts if isinstance(fact, BankLine)]


def read(columns: BankColumns, text: str, context: AccountContext = BANK) -> FileFacts:
    return reader_for("csv", columns, WORDS)(text.encode(columns.encoding), context)


def test_a_german_export() -> None:
    found = read(GERMAN, GERMAN_FILE)
    first, second = lines(found)
    assert (first.amount, first.text, first.references) == (123456, "Stripe Technology STRIPE PAYOUT", ("po_1",))
    assert (second.amount, second.text, second.valued_on) == (-2000, "Miete", None)
    assert (found.kind, found.faults, found.skipped) == ("bank csv", (), 1)


def test_a_dutch_export_with_a_direction_and_the_bank_s_own_number() -> None:
    text = 'Volgnr,Datum,Af Bij,"Bedrag (EUR)",Mededelingen\n7,20261103,Af,"12,50",x\n8,20261103,Bij,"12,50",y\n'
    first, second = lines(read(DUTCH, "\ufeff" + text))
    assert (first.amount, second.amount) == (-1250, 1250)
    assert first.line_id.startswith("7~")


def test_two_columns_for_two_directions() -> None:
    text = "Date,Details,Paid in,Paid out\n03/11/2026,a,12.50,\n03/11/2026,b,,-3.00\n03/11/2026,c,,3.00\n"
    assert [line.amount for line in lines(read(SIDES, text))] == [1250, -300, -300]


def test_rows_that_cannot_be_read_are_named_and_the_others_count() -> None:
    text = (
        "Date,Details,Paid in,Paid out\n"
        '2026-11-03,a,12.50,\n03/11/2026,b,12.505,\n03/11/2026,c,1,5,\n03/11/2026,d,2.00,\n03/11/2026,e,"1,5",\n'
    )
    found = read(SIDES, text)
    assert [line.amount for line in lines(found)] == [-400, 200]
    assert [fault.where for fault in found.faults] == [
        "line 2, column Date",
        "line 3, column Paid in",
        "line 6, column Paid in",
    ]


def test_a_file_of_other_columns_is_refused() -> None:
    for text in ("", "Date,Details\n", "\n\n", 'Date,Details,Paid in,Paid out\n"' + "x" * 200_000):
        with pytest.raises(Rejected, match="unreadable_file"):
            read(SIDES, text)
    with pytest.raises(Rejected, match="unreadable_file"):
        reader_for("csv", SIDES, WORDS)(b"Date,Details,Paid in,Paid out\n\xff", BANK)
    with pytest.raises(Rejected, match="no_columns"):
        reader_for("csv", None, WORDS)


def test_an_unknown_direction_is_a_fault_and_not_money_that_came_in() -> None:
    text = 'Volgnr,Datum,Af Bij,"Bedrag (EUR)",Mededelingen\n7,20261103,Debet,"12,50",x\n8,20261103,,"12,50",y\n'
    found = read(DUTCH, text)
    assert (found.facts, [fault.where for fault in found.faults]) == (
        (),
        ["line 2, column Af Bij", "line 3, column Af Bij"],
    )
    with pytest.raises(ValueError, match="credit_words"):
        BankColumns(booked_on="a", amount="b", direction="c", text=("d",), credit_words=("d", "bij"))


def test_what_was_credited_and_is_taken_back_is_negative() -> None:
    text = "Date,Details,Paid in,Paid out\n03/11/2026,a,-12.50,\n03/11/2026,b,0.00,-3.00\n"
    assert [line.amount for line in lines(read(SIDES, text))] == [-1250, -300]


def test_a_row_whose_columns_have_moved_is_a_fault() -> None:
    text = "Date,Details,Paid in,Paid out,Note\n03/11/2026,a,12,50,,n\n03/11/2026,b,12.50,,n,\n"
    found = read(SIDES, text)
    assert [line.amount for line in lines(found)] == [1250]
    assert [fault.code for fault in found.faults] == ["wrong_columns"]


def test_a_named_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(Rejected, match="two columns Paid in"):
        read(SIDES, "Date,Details,Paid in,Paid out,paid in\n")
    assert read(SIDES, "Date,Details,Paid in,Paid out,Note,Note\n").facts == ()


def test_what_may_be_another_amount_is_a_fault() -> None:
    """`1,250` dinar are a thousand of them or one and a quarter; the code beside an amount is what it is in."""
    kuwait = AccountContext("bank-kw", currency="KWD")
    text = 'Date,Details,Paid in,Paid out\n03/11/2026,a,"1,250",\n03/11/2026,b,"1,250.000",\n03/11/2026,c,USD 1.250,\n'
    found = read(SIDES, text, kuwait)
    assert [line.amount for line in lines(found)] == [1250000]
    assert [fault.where for fault in found.faults] == ["line 2, column Paid in", "line 4, column Paid in"]
    assert written_minor_units("1,250", "JPY") == 1250


def test_another_currency_is_a_fault() -> None:
    found = read(GERMAN, GERMAN_FILE.replace('"EUR";"Miete', '"USD";"Miete'))
    assert [fault.code for fault in found.faults] == ["other_currency"]


@given(st.permutations(range(6)), st.integers(0, 6), st.integers(0, 6))
def test_overlapping_files_of_whole_days_give_the_same_lines(order: list[int], one: int, other: int) -> None:
    """Days 1 to 6 with two equal movements each; any two files that hold whole days agree on every day of both."""
    rows = [f"0{day + 1}/11/2026,{text},1.00,\n" for day in range(6) for text in ("same", "same", "else")]
    heading = "Date,Details,Paid in,Paid out\n"
    begin, end = min(one, other), max(one, other)
    whole = {line.line_id: line for line in lines(read(SIDES, heading + "".join(rows)))}
    shuffled = "".join("".join(rows[3 * day : 3 * day + 3]) for day in order)
    assert {line.line_id: line for line in lines(read(SIDES, heading + shuffled))} == whole
    part = {line.line_id: line for line in lines(read(SIDES, heading + "".join(rows[3 * begin : 3 * end])))}
    assert len(whole) == 18
    assert len(part) == 3 * (end - begin)
    assert part.items() <= whole.items()


@pytest.mark.parametrize(
    ("written", "mark", "plain"),
    [
        ("12.50", ".", "12.50"),
        ("$1,234.50", ".", "1234.50"),
        ("-$1,234.50", ".", "-1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("1.234,50-", ",", "-1234.50"),
        ("(12.00)", ".", "-12.00"),
        ("1'250.00", ".", "1250.00"),
        ("1 250,00 EUR", ",", "1250.00"),
        ("\u22125", ".", "-5.0"),
        ("+7.", ".", "7.0"),
        (".5", ".", "0.5"),
        ("-0.00", ".", "-0.00"),
        ("1\u202f234\u202f567,00", ",", "1234567.00"),
        ("EUR 1 234,00", ",", "1234.00"),
        ("\u2212 \u20ac12", ".", "-12.0"),
        ("$(5.00)", ".", "-5.00"),
        ("( 5.00 )", ".", "-5.00"),
        ("5.00- EUR", ".", "-5.00"),
    ],
)
def test_how_people_write_amounts(written: str, mark: str, plain: str) -> None:
    assert plain_decimal(written, decimal_mark=mark) == plain


@pytest.mark.parametrize("written", ["", "-", ".", "1,25", "1,2345", "12,34,567", "1.2.3", "x", "1e5", "--1", "१२"])
def test_what_is_no_amount_is_refused(written: str) -> None:
    with pytest.raises(Rejected, match="invalid_money"):
        plain_decimal(written)


@pytest.mark.parametrize(
    "written",
    ["12 50", "1 2", "12.5 0", "1'25", "0,500", "00,500", "1 234,567.00", "1,234 567", "12$50", "12 EUR 34", "1.5 2.5"],
)
def test_two_numbers_are_never_read_as_one(written: str) -> None:
    with pytest.raises(Rejected, match="invalid_money"):
        plain_decimal(written)


@given(st.text(alphabet="0123456789.,' \u00a0()-+$EUR", max_size=14), st.sampled_from([".", ","]))
def test_what_is_read_has_the_digits_that_stand_there_and_no_more_decimals(
    written: str, mark: Literal[".", ","]
) -> None:
    """Whatever is read has every digit that was written, in its order; and after the point those after the mark."""
    try:
        plain = plain_decimal(written, decimal_mark=mark)
    except Rejected:
        return
    digits = "".join(sign for sign in written if sign.isdigit())
    decimals = "".join(sign for sign in written.partition(mark)[2] if sign.isdigit())
    whole, _, part = plain.lstrip("-").partition(".")
    assert (whole.lstrip("0"), part) == (digits.removesuffix(decimals).lstrip("0"), decimals or "0")


@pytest.mark.parametrize("written", ["Zoë Example", "zoe@example.com", "+31 6 12345678", "NaN", "1_0", "１２"])
def test_a_refused_amount_is_not_quoted(written: str) -> None:
    """Where columns have moved, it may be anything: errors go to logs, queues and reports."""
    with pytest.raises(Rejected, match="invalid_money") as refusal:
        minor_units(written, "EUR", field="gross")
    assert written not in refusal.value.message


@given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_minor_units_are_exact(minor: int, currency: str) -> None:
    exponent = currency_exponent(currency)
    sign, digits = "-" if minor < 0 else "", str(abs(minor)).rjust(exponent + 1, "0")
    text = f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"
    assert minor_units(plain_decimal(text), currency) == minor


@pytest.mark.parametrize(
    "text", ['03/11/2026,"a,1.00,\n03/11/2026,b,2.00,\n', '03/11/2026,"a,1.00,\n03/11/2026,"b",2.00,\n']
)
def test_a_quotation_mark_that_is_not_closed_does_not_swallow_the_rows_after_it(text: str) -> None:
    with pytest.raises(Rejected, match="unreadable_file"):
        read(SIDES, "Date,Details,Paid in,Paid out\n" + text)


def test_a_day_has_its_year() -> None:
    found = read(SIDES, "Date,Details,Paid in,Paid out\n03/11/0026,a,1.00,\n")
    assert (found.facts, [fault.code for fault in found.faults]) == ((), ["invalid_time"])
    for written in ("%d/%m", "%m/%Y", "%d.%Y", "%H:%M"):
        with pytest.raises(ValueError, match="date_format"):
            BankColumns(booked_on="a", amount="b", text=("c",), date_format=written)
