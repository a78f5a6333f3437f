"""CAMT.053: one line for each booked entry, and none of a statement whose sums do not tie."""

from datetime import date

import pytest

from shared.finance.models import BankLine, Fact
from shared.kernel.errors import Rejected
from shared.payments.bank.reader import reader_for
from shared.payments.port import AccountContext, FileFacts
from tests.unit.payments.bank.files import BANK, IBAN, WORDS, Move, camt, camt_entry, camt_statement

READ = reader_for("camt.053", None, WORDS)
MOVES = (
    Move("2026-11-03", "1234.56", "STRIPE PAYOUT po_1", "2026110300001", end_to_end="po_1"),
    Move("2026-11-03", "-20.00", "Rent", "2026110300002", name="Jane Doe"),
    Move("2026-11-04", "0.01", name="Stripe Technology Europe Ltd"),
)


def lines(found: FileFacts) -> list[BankLine]:
    return [bank_line(fact) for fact in found.facts]


def bank_line(fact: Fact) -> BankLine:
    assert isinstance(fact, BankLine)
    return fact


@pytest.mark.parametrize("version", ["02", "04", "06", "08", "11"])
def test_every_version_tells_the_same(version: str) -> None:
    found = READ(camt(camt_statement(MOVES, version=version), version=version), BANK)
    assert found == READ(camt(camt_statement(MOVES)), BANK)
    assert found.kind == "CAMT.053"
    assert not found.faults
    first, second, third = lines(found)
    assert (first.amount, first.currency, first.booked_on) == (123456, "EUR", date(2026, 11, 3))
    assert first.text == "STRIPE PAYOUT po_1"
    assert first.references == ("2026110300001", "po_1")
    assert first.line_id.startswith("2026110300001~")
    assert second.amount == -2000
    assert third.references == ()
    assert third.text == "Stripe Technology Europe Ltd STRIPE PAYOUT"


def test_nobody_is_named() -> None:
    text = f"order 12 of jane@example.org from {IBAN} or NL91 ABNA 0417 1643 00 thanks"
    move = Move("2026-11-03", "5.00", text, name="Jane Doe", end_to_end=f"E2E {IBAN}")
    (line,) = lines(READ(camt(camt_statement([move])), BANK))
    assert line.text == "order 12 of [address] from [account] or [account] thanks"
    stored = line.model_dump_json()
    assert "Jane" not in stored
    assert "ABNA" not in stored


def test_what_is_pending_is_skipped_and_counted() -> None:
    moves = [*MOVES, Move("2026-11-05", "9.00", status="PDNG"), Move("2026-11-05", "8.00", status="INFO")]
    found = READ(camt(camt_statement(moves)), BANK)
    assert len(found.facts) == len(MOVES)
    assert found.skipped == 2


def test_a_batch_is_one_line_without_the_texts_of_its_parts() -> None:
    parts = "".join(
        f"<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><RmtInf><Ustrd>part {n}</Ustrd></RmtInf></TxDtls>"
        for n in (1, 2)
    )
    batch = f"<NtryDtls><Btch><PmtInfId>PI-9</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>{parts}</NtryDtls>"
    (line,) = lines(READ(camt(camt_statement([Move("2026-11-03", "30.00", more=batch)])), BANK))
    assert (line.amount, line.text, line.references) == (3000, "", ("PI-9",))


def test_a_reversal_has_its_own_direction() -> None:
    moves = [Move("2026-11-03", "-30.00", more="<RvslInd>true</RvslInd>"), Move("2026-11-03", "30.00")]
    found = READ(camt(camt_statement(moves)), BANK)
    assert [line.amount for line in lines(found)] == [-3000, 3000]


def test_the_exponent_is_the_currency_s() -> None:
    for currency, amount, minor in (("JPY", "1250", 1250), ("KWD", "1.250", 1250)):
        context = AccountContext("bank", currency=currency)
        text = camt_statement([Move("2026-11-03", amount)], currency=currency, opening="0")
        assert [line.amount for line in lines(READ(camt(text), context))] == [minor]


def test_a_file_whose_sums_differ_is_not_believed() -> None:
    for wrong in ("1334.57", "-1314.57"):
        with pytest.raises(Rejected) as refusal:
            READ(camt(camt_statement(MOVES), camt_statement(MOVES, closing=wrong)), BANK)
        assert refusal.value.code == "sums_differ"
        assert "statement 2" in refusal.value.message


def test_without_balances_nothing_is_proven_and_all_is_taken() -> None:
    assert len(READ(camt(camt_statement(MOVES, opening=None)), BANK).facts) == 3


def test_an_entry_that_cannot_be_read_is_a_fault_and_the_rest_counts() -> None:
    statement = camt_statement([*MOVES, Move("2026-11-05", "1.999")], closing="1314.57")
    found = READ(camt(statement), BANK)
    assert len(found.facts) == 3
    assert [(fault.where, fault.code) for fault in found.faults] == [("statement 1, entry 4", "invalid_money")]


def test_a_statement_that_is_there_twice_counts_once_and_equal_movements_count_each() -> None:
    twins = (Move("2026-11-03", "5.00"), Move("2026-11-03", "5.00"))
    once = READ(camt(camt_statement(twins)), BANK)
    assert READ(camt(camt_statement(twins), camt_statement(twins)), BANK).facts == once.facts
    assert len({line.line_id for line in lines(once)}) == 2


def test_a_batch_s_repeated_reference_does_not_make_its_entries_one() -> None:
    twins = (Move("2026-11-03", "5.00", reference="BATCH"), Move("2026-11-03", "5.00", reference="BATCH"))
    assert len({line.line_id for line in lines(READ(camt(camt_statement(twins)), BANK))}) == 2


def test_another_account_is_refused() -> None:
    with pytest.raises(Rejected, match="wrong_account"):
        READ(camt(camt_statement(MOVES, currency="USD")), BANK)
    with pytest.raises(Rejected, match="several_accounts"):
        READ(camt(camt_statement(MOVES), camt_statement(MOVES, iban="DE02120300000000202051")), BANK)
    both = camt(camt_statement(MOVES), camt_statement(MOVES[:1], currency="USD"))
    assert len(READ(both, BANK).facts) == 3
    named = BANK._replace(merchant_id="DE02 1203 0000 0000 2020 51")
    other = camt_statement(MOVES[:1], iban="DE02120300000000202051")
    assert len(READ(camt(camt_statement(MOVES), other), named).facts) == 1


def test_what_is_not_camt_is_refused() -> None:
    bomb = b'<!DOCTYPE Document [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Document>&b;</Document>'
    remote = b'<!DOCTYPE Document SYSTEM "http://127.0.0.1/x.dtd"><Document/>'
    whole = camt(camt_statement(MOVES))
    pain = whole.replace(b"camt.053.001", b"pain.001.001")
    for content in (b"", b"{}", b"<html/>", bomb, remote, whole[:-40], pain):
        with pytest.raises(Rejected) as refusal:
            READ(content, BANK)
        assert refusal.value.code == "unreadable_file"


def test_errors_quote_nothing_of_the_file() -> None:
    entry = camt_entry(Move("Jane Doe", "1.00")) + camt_entry(Move("2026-11-03", "Jane Doe"))
    statement = camt_statement(MOVES).replace("</Stmt>", f"{entry}</Stmt>")
    found = READ(camt(statement), BANK)
    assert len(found.faults) == 2
    assert "Jane" not in str([(fault.where, fault.code) for fault in found.faults])


@pytest.mark.parametrize("encoding", ["no-such", "gbk", "shift_jis", "utf-7", "utf-32"])
def test_an_encoding_that_cannot_be_read_is_refused(encoding: str) -> None:
    content = camt(camt_statement(MOVES)).replace(b"UTF-8", encoding.encode())
    with pytest.raises(Rejected, match="unreadable_file"):
        READ(content, BANK)


def test_an_amount_with_a_sign_beside_its_direction_is_a_fault() -> None:
    content = camt(camt_statement([Move("2026-11-03", "5.00")], opening=None)).replace(b">5.00<", b">-5.00<")
    found = READ(content, BANK)
    assert (found.facts, [fault.code for fault in found.faults]) == ((), ["invalid_money"])
