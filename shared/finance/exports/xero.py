"""Manual journals for Xero's import, one journal for each day, topic and currency.

That a line has narration, date, account, tax type and a signed amount is as connectors document it. The headings, the
day-first date and the name of the tax rate without tax are from general knowledge and were not checked: organisations
differ in them by country. Xero's manual journals are in the organisation's own currency: the currency stands in the
narration and in the account's name.
"""

import csv
import io
from collections.abc import Mapping
from typing import Final

from shared.finance.exports.daily_summary import Summaries
from shared.finance.journal import JournalEntry
from shared.finance.reports.figures import plain
from shared.kernel.spreadsheet_text import guarded

HEADINGS: Final = ("*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount")
NO_TAX: Final = "Tax Exempt"
"""Tax is booked on its own account: no line is to be taxed again."""


class XeroExport:
    """CSV, UTF-8. Text is guarded against running as a formula, for people look at it in a spreadsheet first."""

    def __init__(self, names: Mapping[str, str], *, tax_rate: str = NO_TAX) -> None:
        self._summaries = Summaries(names)
        self._tax_rate = tax_rate

    def add(self, entry: JournalEntry) -> None:
        self._summaries.add(entry)

    def finish(self) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(HEADINGS)
        for journal in self._summaries.journals():
            for line in journal.lines:
                writer.writerow(
                    (
                        guarded(journal.narration),
                        f"{journal.day:%d/%m/%Y}",
                        guarded(journal.number),
                        guarded(line.account),
                        guarded(self._tax_rate),
                        plain(line.amount, journal.currency),
                    )
                )
        return out.getvalue().encode()
