"""The readers of a bank's files."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Final, Literal

from shared.finance.models import Feed
from shared.kernel.errors import Rejected
from shared.payments.bank import camt053, mt940, statement_csv
from shared.payments.bank.columns import BankColumns
from shared.payments.bank.entries import lines_of
from shared.payments.bank.statement import Statement, believed
from shared.payments.port import AccountContext, FileFacts, FileReader

Format = Literal["camt.053", "mt940", "csv"]
MOST_BYTES: Final = 50 * 1024 * 1024


def reader_for(bank_format: Format, columns: BankColumns | None, words: Iterable[str]) -> FileReader:
    """`columns`: where a CSV keeps what. `words`: what names the merchant's payment providers in a bank's text.

    The context's `currency` is the account's; its `merchant_id`, where it is set, the bank's number of it (IBAN).

    Raises:
        Rejected: `no_columns`, for a CSV whose columns the settings do not name.
    """
    wanted = tuple(words)
    if bank_format == "camt.053":
        return _statements_reader(camt053.KIND, camt053.read_statements, wanted)
    if bank_format == "mt940":
        return _statements_reader(mt940.KIND, mt940.read_statements, wanted)
    if columns is None:
        raise Rejected("no_columns", "the settings do not say where this bank's CSV keeps what", field="csv")
    return _csv_reader(columns, wanted)


def _statements_reader(
    kind: str, read_statements: Callable[[bytes], Sequence[Statement]], words: tuple[str, ...]
) -> FileReader:
    def read(content: bytes, context: AccountContext) -> FileFacts:
        _require_size(content)
        statements = believed(read_statements(content), context)
        entries = tuple(chain.from_iterable(statement.entries for statement in statements))
        return FileFacts(
            facts=lines_of(context.account, entries, words, Feed.REPORT),
            faults=tuple(chain.from_iterable(statement.faults for statement in statements)),
            kind=kind,
            skipped=sum(statement.skipped for statement in statements),
        )

    return read


def _csv_reader(columns: BankColumns, words: tuple[str, ...]) -> FileReader:
    def read(content: bytes, context: AccountContext) -> FileFacts:
        _require_size(content)
        statement = statement_csv.read_statement(content, columns, context.currency)
        lines = lines_of(context.account, statement.entries, words, Feed.EXPORT)
        return FileFacts(lines, statement.faults, statement_csv.KIND, statement.skipped)

    return read


def _require_size(content: bytes) -> None:
    if len(content) > MOST_BYTES:
        raise Rejected("file_too_large", "the file is larger than any that is read", field="file")
