"""MT940: signs, statements in a row, and nothing personal, not even in a log."""

import logging
from datetime import date

import pytest

from shared.finance.models import BankLine
from shared.kernel.errors import Rejected
from shared.payments.bank.reader import reader_for
from shared.payments.port import FileFacts
from tests.unit.payments.bank.files import BANK, IBAN, WORDS, Move, mt940

READ = reader_for("mt940", None, WORDS)
MOVES = (
    Move("2026-11-03", "1234.56", "STRIPE PAYOUT po_1", "B1", end_to_end="po_1"),
    Move("2026-11-03", "-20.00", "Rent", name="Jane Doe"),
)


def lines(found: FileFacts) -> list[BankLine]:
    return [fact for fact in found.facts if isinstance(fact, BankLine)]


def test_movements_of_a_statement() -> None:
    found = READ(mt940(MOVES).encode(), BANK)
    assert (found.kind, found.faults) == ("MT940", ())
    first, second = lines(found)
    assert (first.amount, first.currency, first.booked_on) == (123456, "EUR", date(2026, 11, 3))
    assert first.text == "STRIPE PAYOUT po_1"
    assert first.references == ("B1", "po_1")
    assert (second.amount, second.text, second.references) == (-2000, "Rent", ())


def test_reversals_go_the_other_way() -> None:
    text = mt940([Move("2026-11-03", "5.00"), Move("2026-11-03", "-7.00")], closing="102.00")
    text = text.replace("C5,00", "RC5,00").replace("D7,00", "RD7,00")
    assert [line.amount for line in lines(READ(text.encode(), BANK))] == [-500, 700]


def test_several_statements_in_an_envelope() -> None:
    swift = "{1:F01BANKDEFFXXXX0000000000}{2:I940BANKDEFFXXXXN}{3:{108:X}}{4:\r\n"
    first, second = mt940(MOVES), mt940(MOVES[:1], opening="1314.56")
    text = f"{swift}{first}-}}\r\n{swift}{second}-}}{{5:{{CHK:0123456789AB}}}}"
    assert len(READ(text.encode(), BANK).facts) == 3
    assert READ((first + first).encode(), BANK) == READ(first.encode(), BANK)


def test_a_statement_whose_sums_differ_is_not_believed() -> None:
    with pytest.raises(Rejected, match="sums_differ"):
        READ(mt940(MOVES, closing="1314.57").encode(), BANK)


def test_pages_of_one_statement_tie_by_themselves() -> None:
    text = mt940(MOVES).replace(":60F:", ":60M:").replace(":62F:", ":62M:")
    assert len(READ(text.encode(), BANK).facts) == 2
    with pytest.raises(Rejected, match="sums_differ"):
        READ(mt940(MOVES, closing="1.00").replace(":60F:", ":60M:").replace(":62F:", ":62M:").encode(), BANK)


def test_a_field_that_cannot_be_read_spoils_its_statement_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    broken = mt940([Move("2026-11-03", "5.00", name="Jane Doe")]).replace(":61:", ":61:Jane Doe ")
    with caplog.at_level(logging.DEBUG):
        found = READ((broken + mt940(MOVES)).encode(), BANK)
    assert len(found.facts) == 2
    assert [(fault.where, fault.code) for fault in found.faults] == [("statement 1", "unreadable_statement")]
    assert "Jane" not in caplog.text + str(found)


def test_names_that_dutch_banks_put_into_the_text_are_dropped() -> None:
    for told in (
        f":86:/TRTP/SEPA OVERBOEKING/IBAN/{IBAN}/BIC/ABNANL2A/NAME/J Doe/REMI/order 5/EREF/X1",
        f":86:/EREF/X1//CNTP/{IBAN}/ABNANL2A/J Doe/DELFT/REMI/USTD//order 5/",
    ):
        text = mt940([Move("2026-11-03", "5.00", "PLACE")])
        text = text.replace(":86:166?00GUTSCHRIFT?20PLACE?32", told)
        (line,) = lines(READ(text.encode(), BANK))
        assert "Doe" not in line.text
        assert "ABNA0" not in line.text
        assert "order 5" in line.text
    text = mt940([Move("2026-11-03", "5.00", "PLACE")])
    text = text.replace(":86:166?00GUTSCHRIFT?20PLACE?32", ":86:/NAME/Stripe Payments Europe/REMI/po 1")
    assert [line.text for line in lines(READ(text.encode(), BANK))] == ["Stripe Payments Europe /REMI/po 1"]


def test_what_holds_no_statement_is_refused() -> None:
    for content in (b"", b"nothing", b":61:2611031103C5,00NTRF"):
        with pytest.raises(Rejected, match="unreadable_file"):
            READ(content, BANK)


@pytest.mark.parametrize(
    ("stands", "reads"),
    [("C1234,56N", "C1.234,56N"), ("261103C", "260229C"), ("EUR100,00", "EUR1.100,00"), ("C1234,56N", "C1 234,56N")],
)
def test_what_the_library_would_read_as_something_else_is_a_fault(stands: str, reads: str) -> None:
    """Of `1.234,56` it takes the 1; of a 29th February that there was not, the 28th. Balances need not be there."""
    text = mt940(MOVES[:1]).replace("2611031103C", "261103C")
    assert stands in text
    found = READ(text.replace(stands, reads).encode(), BANK)
    assert (found.facts, [fault.code for fault in found.faults]) == ((), ["unreadable_statement"])
