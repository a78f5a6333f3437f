"""Journal entries of a day.

Our key begins the entry's description, as it does with payments: no other field of `account.move` is both free and
searched. Periods, journals and accounts are the company's own. An account that wants a party on each of its lines takes
no sum of a day. Source: the module account of 8.2, read and run.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from shared.backoffices.documents import Journal, LedgerAccount, PostedJournal
from shared.backoffices.http import refused
from shared.backoffices.ledger import holds, missing_journal, require_accounts, require_currency, sums_of
from shared.backoffices.tryton.client import TrytonApi
from shared.backoffices.tryton.masters import literal, rows
from shared.backoffices.tryton.schemas import AccountRow, Coded, EntryRow, PeriodRow
from shared.kernel.errors import Retry
from shared.kernel.money import Money

ENTRY = "account.move"

_GENERAL = "general"
_MISCELLANEOUS = "MISC"
"""Type and code of the journal where none is named: the module account has one of it beside one for stock."""


class _Place(NamedTuple):
    period: int
    journal: int


class Journals:
    """Accounts and the company's currency are kept for as long as the adapter lives; a code that was not found is
    looked for again."""

    def __init__(self, api: TrytonApi) -> None:
        self._api = api
        self._accounts: dict[str, AccountRow] = {}
        self._currency: str | None = None

    def accounts(self) -> tuple[LedgerAccount, ...]:
        """One request. Codes are not unique in Tryton: the oldest account of a code counts."""
        domain = [["company", "=", self._api.company], ["type", "!=", None], ["closed", "!=", True]]
        found: dict[str, AccountRow] = {}
        for row in rows(self._api, AccountRow, "account.account", domain):
            if row.code:
                found.setdefault(row.code, row)
        self._accounts = found
        return tuple(
            LedgerAccount(code=code, name=row.name, kind=row.type.name if row.type else "")
            for code, row in sorted(found.items())
            if not row.party_required
        )

    def posted(self, key: str) -> PostedJournal | None:
        """One request."""
        row = self._find(key)
        return self._told(row) if row is not None and row.state == "posted" else None

    def post(self, journal: Journal) -> str:
        """Seven requests; one where it was done before."""
        known = self._find(journal.key)
        if known is None or known.state != "posted":
            require_currency(journal, self._books_currency)
            self._require_accounts(journal)
            known = self._drafted(journal, known)
            self._api.press(ENTRY, "post", known.id)
            known = self._required(journal.key)
        if known.state != "posted":
            raise refused(f"the journal entry {journal.key} is not posted in Tryton")
        return str(known.id)

    def _drafted(self, journal: Journal, known: EntryRow | None) -> EntryRow:
        if known is None:
            place = self._place(journal)
            self._api.create(ENTRY, {**self._header(journal, place), "lines": [["create", self._lines(journal)]]})
        elif not holds(self._told(known), journal) or known.date != journal.posted_on:
            place = self._place(journal)
            commands = [["delete", [line.id for line in known.lines]], ["create", self._lines(journal)]]
            self._api.write(ENTRY, [known.id], {**self._header(journal, place), "lines": commands})
        return self._required(journal.key)

    def _header(self, journal: Journal, place: _Place) -> dict[str, Any]:
        return {
            "company": self._api.company,
            "period": place.period,
            "journal": place.journal,
            "date": journal.posted_on,
            "description": f"{journal.key} {journal.name}",
        }

    def _lines(self, journal: Journal) -> list[Mapping[str, Any]]:
        return [
            {
                "account": self._accounts[line.account].id,
                "debit": max(line.amount.decimal, Decimal(0)),
                "credit": max(-line.amount.decimal, Decimal(0)),
                "description": line.label,
            }
            for line in journal.lines
        ]

    def _require_accounts(self, journal: Journal) -> None:
        if any(line.account not in self._accounts for line in journal.lines):
            self.accounts()
        require_accounts(journal, self._accounts, "Tryton")
        for line in journal.lines:
            if self._accounts[line.account].party_required:
                raise refused(
                    f"Tryton's account {line.account} wants a party on each line: name another one in the settings "
                    f"(finance.backoffice_accounts)"
                )

    # ---- where it goes ----

    def _place(self, journal: Journal) -> _Place:
        return _Place(self._period(journal.posted_on), self._journal(journal.journal))

    def _period(self, day: date) -> int:
        domain = [["company", "=", self._api.company], ["type", "=", "standard"]]
        around = [["start_date", "<=", day], ["end_date", ">=", day]]
        found = rows(self._api, PeriodRow, "account.period", [*domain, *around])
        if not found:
            raise refused(f"Tryton has no period for {day}: create its fiscal year")
        period = next((row.id for row in found if row.state == "open"), None)
        if period is None:
            raise refused(f"the period {found[0].name} of {day} is {found[0].state} in Tryton: reopen it there")
        return period

    def _journal(self, name: str | None) -> int:
        found = rows(self._api, Coded, "account.journal", [["name", "=", name] if name else ["type", "=", _GENERAL]])
        if not found:
            raise missing_journal(name or _GENERAL, "Tryton")
        return next((row.id for row in found if row.code == _MISCELLANEOUS), found[0].id)

    # ---- finding it again ----

    def _find(self, key: str) -> EntryRow | None:
        """The older one of two."""
        domain = ["OR", ["description", "=", key], ["description", "like", f"{literal(key)} %"]]
        return next(iter(rows(self._api, EntryRow, ENTRY, [["company", "=", self._api.company], domain])), None)

    def _required(self, key: str) -> EntryRow:
        found = self._find(key)
        if found is None:
            raise Retry("backoffice_busy", f"somebody has taken the journal entry {key} away meanwhile")
        return found

    def _told(self, row: EntryRow) -> PostedJournal:
        currency = self._books_currency
        moved = ((line.account.code, Money.parse(line.debit - line.credit, currency)) for line in row.lines)
        return PostedJournal(id=str(row.id), sums=sums_of(moved, currency))

    @property
    def _books_currency(self) -> str:
        if self._currency is None:
            (company,) = self._api.rows("company.company", [["id", "=", self._api.company]], ["currency.code"])
            self._currency = str(company["currency."]["code"])
        return self._currency
