"""Journal entries for QuickBooks Online's import, one journal for each day, topic and currency.

Columns, US dates, `Parent:Sub` for sub-accounts, and that a receivable's line needs a name, are as Intuit's help says
("Import journal entries"); that a journal number has at most 21 characters is general knowledge and was not checked.
Account numbers must be off in the company's settings while importing, and each account has one currency.
"""

import csv
import io
from collections.abc import Mapping
from typing import Final

from shared.finance.exports.daily_summary import Summaries
from shared.finance.journal import JournalEntry
from shared.finance.reports.figures import plain
from shared.kernel.spreadsheet_text import guarded

HEADINGS: Final = (
    "Journal No",
    "Journal Date",
    "Account Name",
    "Description",
    "Debits",
    "Credits",
    "Name",
    "Currency",
)


class QuickbooksExport:
    """CSV, UTF-8. Text is guarded against running as a formula, for people look at it in a spreadsheet first."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._summaries = Summaries(names)

    def add(self, entry: JournalEntry) -> None:
        self._summaries.add(entry)

    def finish(self) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(HEADINGS)
        for journal in self._summaries.journals():
            for line in journal.lines:
                amount = plain(abs(line.amount), journal.currency)
                writer.writerow(
                    (
                        journal.number,
                        f"{journal.day:%m/%d/%Y}",
                        guarded(line.account),
                        guarded(journal.narration),
                        amount if line.amount > 0 else "",
                        amount if line.amount < 0 else "",
                        guarded(line.of or "") if line.is_receivable else "",
                        journal.currency,
                    )
                )
        return out.getvalue().encode()
