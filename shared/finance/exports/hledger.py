"""The journal for hledger, one transaction for each entry; after its manual ("Journal format")."""

import io
import re
from collections.abc import Mapping
from typing import Final

from shared.finance.exports.names import AccountNames, path_name
from shared.finance.journal import JournalEntry
from shared.finance.reports.figures import plain
from shared.finance.reports.one_line import one_line
from shared.kernel.money import currency_exponent

_MOST_TEXT: Final = 240
_OF_SYNTAX: Final = re.compile(r"[;|()\[\]{}]")


class HledgerExport:
    """Commodities and accounts, then transactions with their id as code and their source as a tag."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = AccountNames(path_name, names)
        self._body = io.BytesIO()
        self._accounts: set[str] = set()
        self._currencies: set[str] = set()

    def add(self, entry: JournalEntry) -> None:
        lines = [f"{entry.posted_on.isoformat()} * ({_clean(entry.id)}) {_clean(entry.narration)}".rstrip()]
        # A tag's value ends at a comma.
        lines.append(f"    ; source: {_clean(entry.source).replace(',', ' ')}")
        for posting in entry.postings:
            account = self._names.of(posting)
            self._accounts.add(account)
            self._currencies.add(posting.currency)
            lines.append(f"    {account}  {plain(posting.amount, posting.currency)} {posting.currency}")
        self._body.write(("\n".join(lines) + "\n\n").encode())

    def finish(self) -> bytes:
        head = ["; Storebridge journal", ""]
        # The directive wants a decimal mark, also where there are no decimals.
        head += [f"commodity 1000.{'0' * currency_exponent(code)} {code}" for code in sorted(self._currencies)]
        head += [f"account {account}" for account in sorted(self._accounts)]
        return ("\n".join(head) + "\n\n").encode() + self._body.getvalue()


def _clean(text: str) -> str:
    """One line without what hledger would read as a comment, a code, a note or a virtual posting."""
    return " ".join(_OF_SYNTAX.sub(" ", one_line(text)).split())[:_MOST_TEXT]
