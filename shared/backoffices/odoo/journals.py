"""Journal entries of a day.

They are found by their origin, as credit notes are, and made under an external id, so that two workers make one. Odoo
posts an entry of a locked day under a later date and says nothing (19.0's source, `_post`): the company's lock dates
are read before. An entry that staff have cancelled is theirs to decide about.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from shared.backoffices.documents import Journal, LedgerAccount, PostedJournal
from shared.backoffices.http import bug, refused
from shared.backoffices.ledger import holds, missing_journal, require_accounts, require_currency, sums_of
from shared.backoffices.odoo import mapping
from shared.backoffices.odoo.client import OdooApi
from shared.backoffices.odoo.dialect import Dialect
from shared.backoffices.odoo.masters import Masters
from shared.backoffices.odoo.names import external_id
from shared.backoffices.odoo.schemas import Entry, read

ENTRY = "account.move"

_SPECIFICATION: dict[str, Any] = {
    "state": {},
    "date": {},
    "line_ids": {"fields": {"debit": {}, "credit": {}, "account_id": {"fields": {"code": {}}}}},
}


class Journals:
    """Accounts and the company's currency are kept for as long as the adapter lives; a code that was not found is
    looked for again."""

    def __init__(self, api: OdooApi, dialect: Dialect, masters: Masters) -> None:
        self._api = api
        self._dialect = dialect
        self._masters = masters
        self._accounts: dict[str, int] = {}
        self._currency: str | None = None

    def accounts(self) -> tuple[LedgerAccount, ...]:
        """One request. Accounts out of use are left out where Odoo archives them (19.0's source); before, it refuses
        them when an entry is posted (from general knowledge, not checked)."""
        found = self._api.rows("account.account", [], ["code", "name", "account_type"], order="id")
        told = [row for row in found if row["code"]]
        self._accounts = {str(row["code"]): int(row["id"]) for row in reversed(told)}
        return tuple(
            LedgerAccount(code=str(row["code"]), name=str(row["name"]), kind=str(row["account_type"])) for row in told
        )

    def posted(self, key: str) -> PostedJournal | None:
        """One request, and three for the company's currency, once."""
        entry = self._find(key)
        return self._told(entry) if entry is not None and entry.state == "posted" else None

    def post(self, journal: Journal) -> str:
        """Seven requests, one more for a journal by its name, and six that are made once; one where it was done
        before."""
        entry = self._find(journal.key)
        if entry is None or entry.state == "draft":
            entry = self._posted(journal, self._drafted(journal, entry))
        if entry.state != "posted":
            raise refused(f"the journal entry {journal.key} is cancelled in Odoo: reset it to draft, or post it there")
        return str(entry.id)

    def _posted(self, journal: Journal, draft: Entry) -> Entry:
        refusal = self._api.attempt(ENTRY, "action_post", [draft.id])
        entry = self._find(journal.key)
        if entry is None or entry.state == "draft":
            raise refused(refusal or f"Odoo does not post the journal entry {journal.key} and does not say why")
        return entry

    def _drafted(self, journal: Journal, entry: Entry | None) -> Entry:
        """The draft with exactly the journal's lines. One of other lines is deleted and made anew: `load` takes no
        line away, and `write` takes amounts as binary fractions only (ran)."""
        require_currency(journal, self._books_currency)
        self._require_accounts(journal)
        self._require_open(journal.posted_on)
        if entry is not None and (entry.date != journal.posted_on or not holds(self._told(entry), journal)):
            self._api.call(ENTRY, "unlink", [entry.id])
            entry = None
        if entry is not None:
            return entry
        record = {
            "id": external_id("journal", journal.key),
            "move_type": "entry",
            "date": journal.posted_on.isoformat(),
            "ref": journal.name,
            "invoice_origin": journal.key,
            **({"journal_id/.id": str(self._journal(journal.journal))} if journal.journal else {}),
        }
        self._api.load(ENTRY, record, "line_ids", self._rows(journal))
        drafted = self._find(journal.key)
        if drafted is None:
            raise bug("Odoo does not show the journal entry that it has made")
        return drafted

    def _rows(self, journal: Journal) -> Sequence[dict[str, str]]:
        return [
            {
                "id": external_id("journal", journal.key, "line", str(number)),
                "account_id/.id": str(self._accounts[line.account]),
                "name": line.label,
                "debit": f"{max(line.amount.decimal, Decimal(0)):f}",
                "credit": f"{max(-line.amount.decimal, Decimal(0)):f}",
            }
            for number, line in enumerate(journal.lines, start=1)
        ]

    # ---- what it needs ----

    def _require_accounts(self, journal: Journal) -> None:
        if any(line.account not in self._accounts for line in journal.lines):
            self.accounts()
        require_accounts(journal, self._accounts, "Odoo")

    def _require_open(self, day: date) -> None:
        fields = list(self._dialect.lock_dates)
        user = self._api.call("res.users", "context_get").get("uid")
        company: dict[str, Any] = {"company_id": {"fields": {field: {} for field in fields}}}
        (found,) = self._api.graph("res.users", [["id", "=", user]], company)
        last = max((str(found["company_id"].get(field) or "") for field in fields), default="")
        if day.isoformat() <= last:
            raise refused(f"the books are locked up to {last} in Odoo, and the journal is of {day}")

    def _journal(self, name: str | None) -> int:
        found = self._api.rows("account.journal", [["name", "=", name], ["type", "=", "general"]], ["name"], order="id")
        if not found:
            raise missing_journal(str(name), "Odoo")
        return int(found[0]["id"])

    @property
    def _books_currency(self) -> str:
        if self._currency is None:
            self._currency = self._masters.identity().currency
        return self._currency

    # ---- finding it again ----

    def _find(self, key: str) -> Entry | None:
        domain = [["invoice_origin", "=", key], ["move_type", "=", "entry"]]
        found = self._api.graph(ENTRY, domain, _SPECIFICATION, order="id")
        return read(Entry, found[0]) if found else None

    def _told(self, entry: Entry) -> PostedJournal:
        currency = self._books_currency
        moved = (
            (line.account_id.code or "?", mapping.money(line.debit - line.credit, currency))
            for line in entry.line_ids
            if line.account_id is not None
        )
        return PostedJournal(id=str(entry.id), sums=sums_of(moved, currency))
