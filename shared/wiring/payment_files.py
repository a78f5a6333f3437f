"""Take in a file that somebody downloaded from a payment provider or a bank."""

from typing import NamedTuple

from shared.kernel.clock import utc_now
from shared.platform.configuration import settings
from shared.sync.finance.importing import ImportDesk, ImportReport, import_file
from shared.sync.finance.progress import FeedProgress
from shared.sync.finance.recognise import reader_of
from shared.wiring.finance_rehearsal import RehearsedFinanceTable
from shared.wiring.finance_tables import finance_table, progress_table
from shared.wiring.order_desk import retry_conflicts
from shared.wiring.payment_accounts import bank_context, bank_readers, context_of, file_readers


class GivenFile(NamedTuple):
    name: str
    content: bytes


def take_in_for_account(file: GivenFile, account: str, *, actor: str, dry_run: bool = False) -> ImportReport:
    """Keep what a payment provider's file states. Where files are all that tells of the account, its feed counts as
    read up to the file's newest movement, unless a part of the file could not be read.

    Raises:
        Rejected: `unknown_account`, `unknown_file`, `other_account`, or as `import_file`.
        Conflict, Retry: as `import_file`.
    """
    known = settings().payment_account(account)
    reader = reader_of(file.name, file.content, file_readers(known))
    report = import_file(file.name, file.content, reader, context_of(account, known), _desk(dry_run=dry_run), actor)
    if not (dry_run or known.api_access or report.faults):
        retry_conflicts()(_note_heard, account, report)
    return report


def take_in_for_bank(file: GivenFile, bank: str, *, actor: str, dry_run: bool = False) -> ImportReport:
    """The same of a bank's statement.

    Raises:
        Rejected: `unknown_bank`, `unknown_file`, `other_account`, or as `import_file`.
        Conflict, Retry: as `import_file`.
    """
    known = settings().bank(bank)
    reader = reader_of(file.name, file.content, bank_readers(bank, known))
    return import_file(file.name, file.content, reader, bank_context(bank, known), _desk(dry_run=dry_run), actor)


def _note_heard(account: str, report: ImportReport) -> None:
    if report.last_at is None:
        return
    known = progress_table().find(account) or FeedProgress(account=account)
    if known.read_until is None or known.read_until < report.last_at:
        progress_table().keep(known.heard(report.last_at, utc_now()))


def _desk(*, dry_run: bool) -> ImportDesk:
    return ImportDesk(RehearsedFinanceTable() if dry_run else finance_table(), utc_now, retry_conflicts)
