"""Files are read whole, then kept; twice, overlapping or in another order, they change nothing."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
import tenacity
from hypothesis import given
from hypothesis import strategies as st

from shared.finance.audit import faults_in, next_record
from shared.finance.cases import AuditRecord
from shared.finance.models import BankLine
from shared.kernel.errors import Conflict, Rejected
from shared.payments.bank.columns import BankColumns
from shared.payments.bank.reader import reader_for
from shared.payments.port import AccountContext, FileFacts
from shared.sync.finance.importing import MOST_BYTES, ImportDesk, ImportReport, import_file
from tests.builders.orders import NOON
from tests.fakes.finance import FakeFinanceBook
from tests.unit.payments.bank.files import BANK, WORDS, Move, camt, camt_statement, mt940

CAMT = reader_for("camt.053", None, WORDS)
SIDES = BankColumns(booked_on="Day", amount="Amount", text=("Text",))
CSV = reader_for("csv", SIDES, WORDS)
MOVES = [
    Move(f"2026-11-{day:02}", f"{day}.{cent:02}", "STRIPE", f"R{day}") for day in range(1, 9) for cent in (5, 5, 7)
]


def retrying() -> tenacity.Retrying:
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Conflict), stop=tenacity.stop_after_attempt(3), reraise=True
    )


def desk(book: FakeFinanceBook) -> ImportDesk:
    return ImportDesk(book, lambda: NOON, retrying)


def take_in(book: FakeFinanceBook, content: bytes, context: AccountContext = BANK) -> ImportReport:
    return import_file("statement.xml", content, CAMT, context, desk(book), "ops@example.com")


def kept(book: FakeFinanceBook) -> list[BankLine]:
    return list(book.bank_lines("bank-eu", date(2026, 1, 1), date(2026, 12, 31)))


def test_what_a_file_states_is_kept_and_who_brought_it_is_recorded() -> None:
    book = FakeFinanceBook()
    content = camt(camt_statement([*MOVES, Move("2026-11-09", "1.00", status="PDNG")]))
    report = take_in(book, content)
    assert (report.kind, report.new, report.same, report.skipped, report.read) == ("CAMT.053", 24, 0, 1, 24)
    assert report.last_at == datetime(2026, 11, 8, tzinfo=UTC)
    assert len(kept(book)) == 24
    record = book.last_record()
    assert record is not None
    assert (record.actor, record.action, record.subject) == ("ops@example.com", "file.imported", report.sha256)
    assert report.sha256 == hashlib.sha256(content).hexdigest()
    assert (record.detail["new"], record.detail["kind"]) == ("24", "CAMT.053")
    assert "statement.xml" not in record.model_dump_json()


def test_the_second_time_nothing_changes_but_the_trail() -> None:
    book = FakeFinanceBook()
    content = camt(camt_statement(MOVES))
    take_in(book, content)
    before = kept(book)
    report = take_in(book, content)
    assert (report.new, report.changed, report.same, report.restated) == (0, 0, 24, ())
    assert kept(book) == before
    assert len(list(book.records())) == 2
    assert faults_in(book.records()) == ()


spans = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda span: (min(span), max(span)))


@given(st.lists(spans, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_overlapping_files_in_any_order_come_to_the_same_end(days: list[tuple[int, int]], chance: object) -> None:
    """Each file holds some whole days; what is kept is what the union of them holds."""
    files = [camt(camt_statement(MOVES[3 * begin : 3 * end])) for begin, end in days]
    shuffled = [*files, *files[::2]]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis's own Random
    one, other = FakeFinanceBook(), FakeFinanceBook()
    for content in files:
        take_in(one, content)
    for content in shuffled:
        take_in(other, content)
    told = {day for begin, end in days for day in range(begin, end)}
    assert kept(one) == kept(other)
    assert len(kept(one)) == 3 * len(told)
    assert sum(line.amount for line in kept(one)) == sum(3 * 100 * (day + 1) + 17 for day in told)


def test_a_file_that_is_not_believed_leaves_nothing() -> None:
    book = FakeFinanceBook()
    with pytest.raises(Rejected, match="sums_differ"):
        take_in(book, camt(camt_statement(MOVES, closing="1.00")))
    with pytest.raises(Rejected, match="unreadable_file"):
        take_in(book, b"<html/>")
    with pytest.raises(Rejected, match="empty_file"):
        take_in(book, b" \n")
    with pytest.raises(Rejected, match="file_too_large"):
        take_in(book, b"x" * (MOST_BYTES + 1))
    assert kept(book) == []
    assert book.last_record() is None


def test_places_that_cannot_be_read_are_told_and_the_rest_is_kept() -> None:
    book = FakeFinanceBook()
    content = b"Day,Amount,Text\n2026-11-03,1.00,a\n2026-11-03,x,b\n2026-11-04,2.00,c\n"
    report = import_file("bank.csv", content, CSV, BANK, desk(book), "ops")
    assert (report.new, [fault.where for fault in report.faults]) == (2, ["line 3, column Amount"])
    record = book.last_record()
    assert record is not None
    assert record.detail["faults"] == "1"


def test_facts_of_another_account_are_not_kept() -> None:
    book = FakeFinanceBook()

    def astray(content: bytes, context: AccountContext) -> FileFacts:
        return CAMT(content, context._replace(account="other"))

    report = import_file("x", camt(camt_statement(MOVES)), astray, BANK, desk(book), "ops")
    assert (report.new, [fault.code for fault in report.faults]) == (0, ["wrong_account"])
    assert kept(book) == []


def test_a_record_that_somebody_else_overtook_is_written_after_theirs() -> None:
    class Busy(FakeFinanceBook):
        overtaken = 0

        def append(self, record: AuditRecord) -> None:
            if self.overtaken < 2:
                self.overtaken += 1
                super().append(next_record(self.last_record(), NOON, "another", "case.resolved", "c1", {}))
            super().append(record)

    book = Busy()
    take_in(book, camt(camt_statement(MOVES)))
    assert [record.action for record in book.records()] == ["case.resolved", "case.resolved", "file.imported"]
    assert faults_in(book.records()) == ()


def test_every_format_of_the_bank_is_taken_in() -> None:
    files: Sequence[tuple[bytes, str]] = (
        (camt(camt_statement(MOVES)), "camt.053"),
        (mt940(MOVES).encode(), "mt940"),
    )
    for content, bank_format in files:
        book = FakeFinanceBook()
        reader = reader_for(bank_format, None, WORDS)  # type: ignore[arg-type]  # one of the formats
        assert import_file("x", content, reader, BANK, desk(book), "ops").new == 24
