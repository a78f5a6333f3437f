"""The journal for beancount, one transaction for each entry.

Written by ourselves, after its documentation ("Beancount Language Syntax"): beancount is GPL-2.0-only and is never
imported. Amounts have all decimals of their currency, so that beancount's inferred tolerance leaves no cent out.
"""

import io
from collections.abc import Mapping
from datetime import date
from typing import Final

from shared.finance.exports.names import AccountNames, path_name
from shared.finance.journal import JournalEntry
from shared.finance.reports.figures import plain
from shared.finance.reports.one_line import one_line
from shared.kernel.money import currency_exponent

_MOST_TEXT: Final = 240


class BeancountExport:
    """Open directives and commodities, then transactions with their `id`, `source` and business day."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = AccountNames(path_name, names)
        self._body = io.BytesIO()
        self._accounts: set[str] = set()
        self._currencies: set[str] = set()
        self._first: date | None = None

    def add(self, entry: JournalEntry) -> None:
        self._first = min(self._first or entry.posted_on, entry.posted_on)
        lines = [
            f"{entry.posted_on.isoformat()} * {quoted(entry.narration)}",
            f"  id: {quoted(entry.id)}",
            f"  source: {quoted(entry.source)}",
            f"  topic: {quoted(entry.topic)}",
        ]
        if entry.on != entry.posted_on:
            lines.append(f"  business-day: {entry.on.isoformat()}")
        for posting in entry.postings:
            account = self._names.of(posting)
            self._accounts.add(account)
            self._currencies.add(posting.currency)
            lines.append(f"  {account}  {plain(posting.amount, posting.currency)} {posting.currency}")
        self._body.write(("\n".join(lines) + "\n\n").encode())

    def finish(self) -> bytes:
        head = ['option "title" "Storebridge journal"', ""]
        if self._first is not None:
            day = self._first.isoformat()
            for currency in sorted(self._currencies):
                head += [f"{day} commodity {currency}", f"  precision: {currency_exponent(currency)}"]
            head += [f"{day} open {account}" for account in sorted(self._accounts)]
        return ("\n".join(head) + "\n\n").encode() + self._body.getvalue()


def quoted(text: str) -> str:
    """A string of beancount: one line, quotes and backslashes escaped."""
    line = one_line(text)[:_MOST_TEXT]
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'
